"""The steps of callable AN in the page hold the released numbers at every base."""

import base64
import zlib
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from goe.core.errors import GoeError
from goe.pages import packed
from goe.release.report import callable_steps
from helpers.packed import unpacked
from hypothesis import given, settings
from hypothesis import strategies as some


def table(runs):
    """runs: (start, AN of Total)."""
    start, an = zip(*runs, strict=True)
    return pa.table({"start": pa.array(start, pa.int32()), "an_Total": pa.array(an, pa.int32())})


def steps(pieces, people):
    made = callable_steps.Steps(people)
    chunks = [chunk for piece in pieces for chunk in made.add(table(piece))] + [*made.rest()]
    return [step for first, raw in chunks for step in unpacked(first, raw)]


@pytest.mark.parametrize(("people", "edges"), [(1, [1, 2]), (2, [1, 2, 3, 4]), (1000, [1, 500, 1000, 1500, 1800])])
def test_edges_rise_and_the_first_tells_nobody_from_somebody(people, edges):
    assert callable_steps.edges(people) == edges


@settings(max_examples=100, deadline=None)
@given(
    some.integers(1, 40),
    some.lists(some.tuples(some.integers(1, 9), some.integers(0, 80)), min_size=1, max_size=60),
    some.lists(some.integers(0, 60)),
    some.integers(1, 5),
)
def test_every_base_lies_in_the_step_of_its_number(people, runs, cuts, rows):
    """However the runs come in pieces and the steps go into chunks; neighbouring steps differ."""
    start, an = np.cumsum([0] + [length for length, _ in runs]).tolist(), [min(an, 2 * people) for _, an in runs]
    known = list(zip(start, an, strict=False))
    at = sorted({0, *(cut for cut in cuts if cut < len(known))})
    pieces = [known[a:b] for a, b in zip(at, [*at[1:], len(known)], strict=True)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(callable_steps, "ROWS", rows)
        found = steps(pieces, people)
    assert found[0][0] == 1 and all(a[0] < b[0] and a[1] != b[1] for a, b in pairwise(found))
    edges = [0, *callable_steps.edges(people), 2 * people + 1]
    for (first, number), after in zip(known, start[1:], strict=True):
        for pos in {first + 1, after}:
            reached = [level for begin, level in found if begin <= pos][-1]
            assert edges[reached] <= number < edges[reached + 1] or number == 2 * people


def test_the_file_of_a_contig(tmp_path, monkeypatch):
    monkeypatch.setattr(callable_steps, "ROWS", 2)
    with callable_steps.Writer(tmp_path / "a", "chr1", 10) as writer:
        writer.write(table([(0, 0), (5, 20), (8, 19), (9, 3)]))
        writer.write(table([(20, 3), (30, 0)]))
    index = packed.read_index(tmp_path / "a")
    assert (index["track"], index["edges"]) == ("chr1.callable", [1, 5, 10, 15, 18])
    raws = [zlib.decompress(base64.b64decode(text)) for text in packed.read_chunks(tmp_path / "a")]
    assert index["chunks"] == [[1, zlib.adler32(raws[0])], [10, zlib.adler32(raws[1])]]
    found = [unpacked(first, raw) for (first, _), raw in zip(index["chunks"], raws, strict=True)]
    assert found == [[(1, 0), (6, 5)], [(10, 1), (31, 0)]]
    with pytest.raises(RuntimeError), callable_steps.Writer(tmp_path / "a", "chr1", 10):
        raise RuntimeError
    with pytest.raises(GoeError, match="cut off"):
        packed.read_index(tmp_path / "a")
