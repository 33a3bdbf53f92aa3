"""Tables written again: what says something else of the same rows is another file."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from goe.check import packed
from goe.check import run as check
from helpers import mutations
from helpers import release_folder as rf

LONG, WIDE, RUNS = (f"{place}/chr20.parquet" for place in ("frequencies", "frequencies-wide", "callable_an"))


def found(root):
    (result,) = check.run(root, ["packed"])
    return result.passed, [problem.where for problem in result.problems]


def test_a_release_has_the_bytes_that_are_written_of_its_rows(released):
    assert found(released) == (True, [])


@pytest.mark.parametrize(
    ("name", "field"),
    [
        (LONG, "packing: statistics of pos"),
        (WIDE, "packing: statistics of an_EE"),
        (RUNS, "packing: statistics of start"),
        (LONG, "packing: other pages"),
        (WIDE, "packing: other pages"),
        (RUNS, "packing: other pages"),
    ],
)
def test_the_same_rows_in_another_packing_are_told(copied, name, field):
    """Statistics that leave rows out among them: a reader that trusts them does not find these."""
    before = pq.read_table(copied / name)
    (one,) = [m for m in mutations.of_release(copied) if (m.file, m.field) == (name, field)]
    one(copied)
    assert pq.read_table(copied / name).equals(before)
    assert found(copied) == (False, [name])


def test_codes_are_numbered_as_a_writer_numbers_them():
    """Whatever the numbers were, where two of them are one word, and where one is of no row."""
    codes = pa.array([3, 0, 0, 2, 1], pa.int32())
    words = pa.DictionaryArray.from_arrays(codes, pa.array(["b", "a", "a", "c", "d"]))
    table = packed._numbered(pa.table({"x": words, "y": words, "n": [1, 2, 3, 4, 5]}), {"y": ["a", "b", "c", "e"]})
    x, y = (table[name].chunk(0) for name in "xy")
    assert x.dictionary.to_pylist() == ["c", "b", "a"] and x.to_pylist() == ["c", "b", "b", "a", "a"]
    assert y.dictionary.to_pylist() == ["a", "b", "c", "e"] and y.to_pylist() == x.to_pylist()


def test_another_arrow_is_not_compared_and_says_so(copied):
    path = copied / LONG
    data = path.read_bytes()
    mine = packed.ARROW.encode()
    other = mine[:-1] + (b"8" if mine[-1:] != b"8" else b"9")
    path.write_bytes(data.replace(mine, other))
    rf.remake(copied)
    (result,) = check.run(copied, ["packed"])
    assert result.passed is None and result.detail.startswith(f"not compared: made with {other.decode()}, this is")
