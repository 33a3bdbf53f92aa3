"""The rs numbers of the page are those of the alleles, whatever their order and the blocks they come in."""

import pyarrow as pa
import pytest
from goe.pages import packed
from goe.release.report import rs_numbers
from helpers.packed import unpacked
from hypothesis import given, settings
from hypothesis import strategies as some


@settings(max_examples=100, deadline=None)
@given(some.lists(some.none() | some.integers(1, 1 << 33)), some.integers(1, 5), some.integers(1, 7))
def test_every_number_leads_to_its_allele(found, rows, block):
    numbers = rs_numbers.Numbers()
    for at in range(0, len(found), block):
        numbers.add(pa.array([n and f"rs{n}" for n in found[at : at + block]], pa.string()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rs_numbers, "ROWS", rows)
        chunks = [*numbers.chunks()]
    got = []
    for first, last, raw in chunks:
        part = unpacked(first, raw)
        assert (part[0][0], part[-1][0]) == (first, last) and len(part) <= rows
        got += part
    assert got == sorted((n, i) for i, n in enumerate(found) if n and n < 1 << 32)


def test_a_contig_without_numbers_has_no_chunk(tmp_path):
    with rs_numbers.Writer(tmp_path / "a", "chr1"):
        pass
    assert packed.read_index(tmp_path / "a") == {"track": "chr1.rs", "characters": 0, "chunks": []}
