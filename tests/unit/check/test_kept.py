"""Blocks that a check keeps."""

import numpy as np
import pyarrow as pa
import pytest
from goe.check.kept import Kept
from goe.frequencies import strata as st
from goe.frequencies.block import Block


def block(alleles):
    pos, bases, filters = pa.array(range(1, alleles + 1)), pa.array(["A"] * alleles), pa.array(["PASS"] * alleles)
    numbers = st.numbers(np.ones((2, 5, alleles), np.int32))
    return Block("chr1", pos, bases, bases, filters, numbers.an > 0, ("Total", "EE"), numbers, {})


BLOCKS = [block(n) for n in (7, 100, 30)]
SIZE = sum(block.nbytes for block in BLOCKS)


class Read:
    """Blocks of a contig, and how often they were begun."""

    def __init__(self, blocks, error=None):
        self.blocks, self.error, self.times = blocks, error, 0

    def __call__(self):
        self.times += 1
        yield from self.blocks
        if self.error:
            raise self.error


def test_what_there_is_room_for_is_read_once():
    read, kept = Read(BLOCKS), Kept(SIZE)
    for _ in range(3):
        assert all(one is two for one, two in zip(kept.blocks("chr1", read), BLOCKS, strict=True))
    assert list(kept.whole("chr1", read)) == BLOCKS and read.times == 1


def test_no_more_is_kept_than_there_is_room_for():
    """The room is that of all contigs; a large one is given up as soon as it has none, and leaves it to others."""
    large, small, more = Read(BLOCKS * 100), Read(BLOCKS[:1]), Read(BLOCKS)
    kept = Kept(SIZE)
    for key, read, held in (("large", large, False), ("small", small, True), ("more", more, False)):
        assert (kept.whole(key, read) is not None) == held
        for _ in range(2):
            assert sum(map(len, kept.blocks(key, read))) == sum(map(len, read.blocks))
    assert (large.times, small.times, more.times) == (3, 1, 3)
    assert Kept(SIZE - 1).whole("chr1", Read(BLOCKS)) is None


def test_everybody_is_told_where_reading_ends():
    read, kept = Read(BLOCKS[:2], ValueError("broken")), Kept(SIZE)
    for _ in range(2):
        seen = []
        with pytest.raises(ValueError, match="broken"):
            for block in kept.blocks("chr1", read):
                seen.append(block)
        assert seen == BLOCKS[:2]
    assert kept.whole("chr1", read) is None
