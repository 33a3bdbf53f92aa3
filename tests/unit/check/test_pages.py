"""Footers and page headers of Parquet files, looked at before Arrow."""

import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from goe.check import pages
from goe.core.errors import GoeError


@pytest.fixture
def path(tmp_path):
    """A file of two row groups with codes, plain pages, nulls and an index of its pages."""
    n = 3000
    table = pa.table(
        {
            "pos": pa.array(range(n), pa.int32()),
            "ref": pa.array(["A", "C", "GT"] * (n // 3)),
            "af": pa.array([None if i % 7 == 0 else i / n for i in range(n)]),
        }
    )
    path = tmp_path / "x.parquet"
    how = {"use_dictionary": ["ref"], "write_page_index": True, "max_rows_per_page": 500, "compression": "zstd"}
    pq.write_table(table, path, row_group_size=2000, **how)
    return path


def test_a_whole_file_is_read(path):
    about = pages.check(path, "x", 3, 3000)
    assert (about.num_rows, about.num_row_groups) == (3000, 2)
    assert pages.check(pa.py_buffer(path.read_bytes()), "x", 3, 3000).num_rows == 3000


@pytest.mark.parametrize(
    ("columns", "rows", "group", "what"),
    [
        (2, 3000, 1 << 28, "a list of 4"),
        (3, 2999, 1 << 28, "it has 3,000 rows, and at most 2,999 belong to the release"),
        (3, 3000, 5000, "its pages unpack to more than 5,000 bytes"),
    ],
)
def test_what_is_larger_than_its_bound_is_refused(path, monkeypatch, columns, rows, group, what):
    monkeypatch.setattr(pages.bounds, "GROUP", group)
    with pytest.raises(GoeError, match=what):
        pages.check(path, "x", columns, rows)


@pytest.mark.parametrize("left", [1, 40, 200])
def test_a_footer_that_is_cut_off_is_told_as_such(path, left):
    data = path.read_bytes()
    length = int.from_bytes(data[-8:-4], "little")
    footer = data[-8 - length :][:left]
    cut = data[: -8 - length] + footer + left.to_bytes(4, "little") + data[-4:]
    with pytest.raises(GoeError, match="its footer cannot be read: cut off"):
        pages.check(pa.py_buffer(cut), "x", 50, 10_000)


def test_a_footer_or_page_of_any_content_is_read_or_refused(path):
    data = path.read_bytes()
    chance = random.Random(17)
    end = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    refused = 0
    for round_ in range(400):
        new = bytearray(data)
        new[chance.randrange(*((end, len(data)) if round_ % 2 else (4, end)))] = chance.randrange(256)
        try:
            pages.check(pa.py_buffer(bytes(new)), "x", 50, 10_000)
        except GoeError as error:
            assert all(p.where == "x" and p.mend for p in error.problems)
            refused += 1
    assert refused > 50
