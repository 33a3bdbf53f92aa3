"""Callable AN is compared base by base, however its runs are cut, against arrays of every base."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from goe.compare import callable_an
from goe.core.errors import GoeError
from hypothesis import given, settings
from hypothesis import strategies as st

LENGTHS = {"chr1": 60, "chr2": 40, "chrX": 25}
CONTIGS = list(LENGTHS)
SCHEMA = pa.schema([("contig", pa.string()), ("start", pa.int32()), ("end", pa.int32()), ("an_EE", pa.int32())])


def write(path, runs):
    columns = list(zip(*runs, strict=True)) or [[]] * 4
    pq.write_table(pa.table([pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)], schema=SCHEMA), path)
    return path


def cut(bases, borders):
    """Runs of an array of AN by base, cut where it changes and at `borders`; AN 0 is no run where `borders` is odd."""
    runs = []
    for contig in CONTIGS:
        an = bases.get(contig, np.zeros(1, int))
        at = sorted({0, len(an), *(b for b in borders if b < len(an)), *(np.flatnonzero(np.diff(an)) + 1)})
        runs += [
            (contig, int(a), int(b), int(an[a]))
            for a, b in pairwise(at)
            if an[a] or (len(borders) % 2 == 0 and contig in bases)
        ]
    return runs


genomes = st.fixed_dictionaries(
    {c: st.lists(st.integers(0, 2), min_size=n, max_size=n).map(np.array) for c, n in LENGTHS.items()}
)
borders = st.lists(st.integers(1, 59), max_size=5)


@settings(deadline=None, max_examples=30)
@given(
    one=genomes,
    two=genomes,
    cuts=st.tuples(borders, borders),
    piece=st.integers(1, 9),
    left_out=st.sampled_from([None, *CONTIGS]),
)
def test_every_base_counts_once(tmp_path_factory, one, two, cuts, piece, left_out):
    folder = tmp_path_factory.mktemp("runs")
    names = [CONTIGS, [c for c in CONTIGS if c != left_out]]
    a, b = write(folder / "a", cut(one, cuts[0])), write(folder / "b", cut({c: two[c] for c in names[1]}, cuts[1]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(callable_an, "ROWS", piece)
        found = callable_an.compare(a, b, names).found["callable_an"]
        back = callable_an.compare(b, a, names[::-1]).found["callable_an"]
    wanted = sum(int((one[c] != (two[c] if c != left_out else 0)).sum()) for c in CONTIGS)
    assert found.count == back.count == wanted
    for example in found.examples:
        contig, places = example.allele.split(":")
        first, end = map(int, places.split("-"))
        assert set(one[contig][first:end]) == {example.a} and example.stratum == "EE"
        assert set(two[contig][first:end] if contig != left_out else [0]) == {example.b}


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        ([("chr1", 0, 10, 1), ("chr1", 5, 20, 1)], "runs overlap"),
        ([("chr1", 10, 10, 1)], "runs overlap, are empty"),
        ([("chr2", 0, 10, 1), ("chr1", 0, 10, 1)], "chr1 is no contig here, or not in order"),
    ],
)
def test_what_is_not_in_order_is_refused(tmp_path, runs, words):
    a = write(tmp_path / "a", [("chr1", 0, 10, 1), ("chr2", 0, 10, 1)])
    with pytest.raises(GoeError, match=words):
        callable_an.compare(a, write(tmp_path / "b", runs), [CONTIGS, CONTIGS])


def test_a_table_without_runs_is_none(tmp_path):
    pq.write_table(pa.table({"contig": ["chr1"]}), tmp_path / "x")
    with pytest.raises(GoeError, match="column start, end is missing"):
        callable_an.compare(tmp_path / "x", tmp_path / "x", [CONTIGS, CONTIGS])
