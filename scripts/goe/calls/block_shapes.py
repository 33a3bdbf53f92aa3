"""Reference blocks that are written as an earlier one: of most rows of a gVCF a few numbers alone are new.

A shape is the text of a block that was read column by column, and what stands where in it: bytes that a row must have
too, numbers, and what nobody asks. Of a row that fits, column by column would find the same; every other is read so.
"""

from typing import Any, NamedTuple

import numpy as np

from goe.hts.kernels import kernel
from goe.hts.text import PAD, alike, cell_end, digits, find, line_end

# Shapes that are kept, bytes of one up to the last that is asked about, and its steps at most.
_SHAPES, _ROOM, _STEPS = 4, 256, 32
_U = np.uint64
_ONE = _U(1)
# Steps: numbers, which are also places in what is found; the bytes of the shape; one letter of REF; a column or a cell
# of the sample that nobody asks.
POS, LAST, LENGTH, DEPTH, QUALITY, _SAME, _LETTER, _COLUMN, _CELL = range(9)
NUMBERS = 5
# What is known of a shape: its steps, and what a block of it has that no number tells.
_SIZE, _FIRST_ALLELE, _SECOND_ALLELE, _SOURCE, _FT_OK = range(5)


class Shapes(NamedTuple):
    """Shapes of one contig. uint8 text (n * _ROOM + PAD,); uint64 steps (n * _STEPS * 3,): kind, start in the text
    and size; int64 facts (n, 5); int64 turn (2,): which one fitted last, and which goes next."""

    text: np.ndarray
    steps: np.ndarray
    facts: np.ndarray
    turn: np.ndarray

    @classmethod
    def none(cls) -> "Shapes":
        return cls(
            np.zeros(_SHAPES * _ROOM + PAD, np.uint8), np.zeros(_SHAPES * _STEPS * 3, np.uint64),
            np.zeros((_SHAPES, 5), np.int64), np.zeros(2, np.int64),
        )  # fmt: skip


class Cells(NamedTuple):
    """Where the cells of the sample begin that depth, quality and length of a block were read from, 0 for none, and
    those, GT and FT, that have to be the same in a row of its shape."""

    depth: int
    quality: int
    length: int
    gt: int
    ft: int


class Told(NamedTuple):
    """What no number tells: alleles, where the quality is from, whether FT passes, as goe.calls.own_file.Blocks has
    them."""

    first_allele: Any
    second_allele: Any
    source: int
    ft_ok: bool


@kernel
def _fits(data: np.ndarray, start: int, shapes: Shapes, n: int, found: np.ndarray) -> Any:
    """Where the row that begins at `start` ends, -1 where it does not fit shape n. found: int64 (NUMBERS,)."""
    found[LAST], found[LENGTH] = -1, 1
    steps, at = shapes.steps, _U(start)
    k = _U(n) * _U(3 * _STEPS)
    end = k + _U(3) * _U(shapes.facts[n, _SIZE])
    while k < end:
        kind = steps[k]
        if kind == _SAME:
            size = steps[k + _U(2)]
            if not alike(data, at, shapes.text, steps[k + _ONE], size):
                return -1
            at += size
        elif kind < NUMBERS:
            value, at = digits(data, at)
            if value < 0:
                return -1
            found[kind] = value
        elif kind == _LETTER:
            if data[at] <= 32:
                return -1
            at += _ONE
        elif kind == _CELL:
            at = cell_end(data, at)
        else:
            while data[at] != 9:
                if data[at] == 10:
                    return -1
                at += _ONE
        k += _U(3)
    # The number that was read last is a whole cell.
    return line_end(data, at) if data[at] == 58 or data[at] == 10 else -1


@kernel
def follow(data: np.ndarray, start: int, shapes: Shapes, found: np.ndarray) -> tuple[Any, Any]:
    """(where the row that begins at `start` ends, number of the shape that it fits), -1 where it fits none. found:
    int64 (NUMBERS,), what it says; LAST is -1 where there is no END, LENGTH 1 where there is none."""
    n = shapes.turn[0]
    for _ in range(_SHAPES):
        if shapes.facts[n, _SIZE]:
            end = _fits(data, start, shapes, n, found)
            if end >= 0:
                shapes.turn[0] = n
                return end, n
        n = n + 1 if n + 1 < _SHAPES else 0
    return -1, -1


@kernel
def _step(shapes: Shapes, n: int, kind: int, first: int, stop: int) -> None:
    size = shapes.facts[n, _SIZE]
    if stop > first and size < _STEPS:
        k = 3 * (n * _STEPS + size)
        shapes.steps[k], shapes.steps[k + 1], shapes.steps[k + 2] = kind, first, stop - first
        shapes.facts[n, _SIZE] = size + 1


@kernel
def learn(
    data: np.ndarray,
    start: int,
    stop: int,
    tabs: np.ndarray,
    end: tuple[int, int],
    cells: Cells,
    told: Told,
    shapes: Shapes,
) -> None:
    """Keep the shape of the block that data[start:stop] is, where there is room for it. tabs: of its line; end: where
    the value of END is, (0, 0) where the block has none."""
    last = max(cells.depth, cells.quality, cells.length, cells.gt, cells.ft)
    size = np.int64(cell_end(data, last)) - start
    values = keys = 1
    for i in range(tabs[7], tabs[8]):
        keys += data[i] == 58
    for i in range(tabs[8], stop):
        values += data[i] == 58
    # A row that drops cells at its end says nothing of those that others have.
    if size > _ROOM or tabs[3] - tabs[2] != 2 or values != keys:
        return
    n = shapes.turn[1]
    shapes.turn[1] = n + 1 if n + 1 < _SHAPES else 0
    begin = n * _ROOM
    for i in range(size):
        shapes.text[begin + i] = data[start + i]
    shift = begin - start
    shapes.facts[n, _SIZE] = 0
    _step(shapes, n, _SAME, begin, tabs[0] + 1 + shift)
    _step(shapes, n, POS, tabs[0] + 1 + shift, tabs[1] + shift)
    _step(shapes, n, _SAME, tabs[1] + shift, tabs[2] + 1 + shift)
    _step(shapes, n, _LETTER, tabs[2] + 1 + shift, tabs[3] + shift)
    at = tabs[3]
    if end[1]:
        _step(shapes, n, _SAME, at + shift, end[0] + shift)
        _step(shapes, n, LAST, end[0] + shift, end[1] + shift)
        # The first END is the one that counts, whatever comes behind it.
        if tabs[7] > end[1]:
            _step(shapes, n, _SAME, end[1] + shift, end[1] + 1 + shift)
            _step(shapes, n, _COLUMN, end[1] + 1 + shift, tabs[7] + 1 + shift)
        at = tabs[7]
    cell = tabs[8] + 1
    while cell <= last:
        after = find(data, cell, stop, 58)
        kind = _CELL
        if cell == cells.depth:
            kind = DEPTH
        elif cell == cells.quality:
            kind = QUALITY
        elif cell == cells.length:
            kind = LENGTH
        if kind != _CELL or (cell != cells.gt and cell != cells.ft):
            _step(shapes, n, _SAME, at + shift, cell + shift)
            _step(shapes, n, kind, cell + shift, after + 1 + shift)
            at = after
        cell = after + 1
    _step(shapes, n, _SAME, at + shift, size + begin)
    facts = shapes.facts
    if facts[n, _SIZE] == _STEPS:
        facts[n, _SIZE] = 0
    facts[n, _FIRST_ALLELE], facts[n, _SECOND_ALLELE] = told.first_allele, told.second_allele
    facts[n, _SOURCE], facts[n, _FT_OK] = told.source, told.ft_ok


@kernel
def of_shape(shapes: Shapes, n: int) -> Told:
    """What no number tells of the rows of shape n."""
    facts, i = shapes.facts, _U(n)
    first, second = np.int32(facts[i, _U(_FIRST_ALLELE)]), np.int32(facts[i, _U(_SECOND_ALLELE)])
    return Told(first, second, facts[i, _U(_SOURCE)], facts[i, _U(_FT_OK)] > 0)
