"""Callable AN along a contig."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from goe.collect import callable_an
from goe.collect.callable_an import NOT_SAID, Runs
from goe.core.errors import GoeError


def write(path, rows, about=None, groups=2):
    """rows: (contig, start, end, AN of Total)."""
    columns = dict(zip(("contig", "start", "end", "an_Total"), map(list, zip(*rows, strict=True)), strict=True))
    table = pa.table(columns).replace_schema_metadata({"goe": json.dumps(about)} if about else None)
    pq.write_table(table, path, row_group_size=groups)
    return path


ROWS = [("chr1", 0, 10, 8), ("chr1", 10, 12, 4), ("chr1", 20, 30, 6), ("chr2", 0, 5, 2), ("chr2", 5, 9, 3)]


@pytest.mark.parametrize("batch", [1, 2, 1000])
def test_positions_have_the_number_of_their_run(tmp_path, monkeypatch, batch):
    monkeypatch.setattr(callable_an, "_ROWS", batch)
    path = write(tmp_path / "a.parquet", ROWS)
    runs = Runs(path, "chr1", ["Total", "M"])
    wanted = {1: 8, 10: 8, 11: 4, 12: 4, 13: 0, 20: 0, 21: 6, 30: 6, 31: 0, 1000: 0}
    found = np.concatenate(
        [runs.at(np.array(some)) for some in ([1, 1, 10], [11], [12, 13, 20, 21], [30, 31, 1000])], 1
    )
    assert found[0].tolist() == [8, *wanted.values()]
    # No column of its own: not said, which is not 0.
    assert set(found[1].tolist()) == {NOT_SAID}
    assert Runs(path, "chr2", ["Total"]).at(np.array([5, 6])).tolist() == [[2, 3]]
    assert Runs(path, "chr3", ["Total"]).at(np.array([5])).tolist() == [[0]]


def test_a_dataset_without_it_says_nothing():
    assert Runs(None, "chr1", ["Total"]).at(np.array([1, 2])).tolist() == [[NOT_SAID, NOT_SAID]]


def test_how_far_it_may_be_below(tmp_path):
    about = {"strata": [{"stratum": "Total", "people": 9, "an_at_most_below": 16}]}
    assert Runs(write(tmp_path / "a.parquet", ROWS, about), "chr1", ["Total", "M"]).below.tolist() == [16, NOT_SAID]
    assert Runs(write(tmp_path / "b.parquet", ROWS), "chr1", ["Total"]).below.tolist() == [NOT_SAID]
    assert Runs(write(tmp_path / "c.parquet", ROWS, {"strata": 3}), "chr1", ["Total"]).below.tolist() == [NOT_SAID]


@pytest.mark.parametrize("bad", [("chr1", 5, 9, 1), ("chr1", 12, 12, 1), ("chr1", 12, 15, -1)])
def test_runs_that_cannot_be(tmp_path, bad):
    path = write(tmp_path / "a.parquet", [*ROWS[:2], bad])
    with pytest.raises(GoeError, match="overlap, are out of order or have a number below 0"):
        Runs(path, "chr1", ["Total"]).at(np.array([1, 100]))
