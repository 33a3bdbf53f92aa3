"""Reference blocks that are written as an earlier one: of most rows of a gVCF a few digits alone are new.

A shape is what stands at each place of a block that was read column by column: a byte that a row must have too, a digit
of a number, or what nobody asks. A row is held against it 64 bytes at a time, and its numbers stand where those of the
first one did. Of a row that fits, column by column would find the same; every other is read so.
"""

from typing import Any, NamedTuple

import numpy as np

from goe.hts.kernels import kernel, within
from goe.hts.text import PAD, cell_end, find, known, line_end, natural, outside

# Shapes that are kept, of numbers with more and with fewer digits, and bytes of one up to the last that is asked about.
_SHAPES, _ROOM = 16, 256
_U = np.uint64
_LANES = _U(64)
# Numbers of a row, by their place in what is found.
POS, LAST, LENGTH, DEPTH, QUALITY = range(5)
_NUMBERS = 5
# What is known of a shape: its bytes, 0 where there is none, where ALT begins, and what no number of a block tells.
_SIZE, _ALT, _FIRST_ALLELE, _SECOND_ALLELE, _SOURCE, _FT_OK = range(6)
_FACTS = 6
# Of shapes: the one that fitted last, the place of the next to learn, and how many places are taken.
_FITTED, _NEXT, _TAKEN = range(3)
_COLON, _ZERO, _NINE, _LINE_END = 58, 48, 57, 10
# The least and the greatest byte of text; a tab, a space or the end of a line is less.
_TEXT, _LAST = 33, 255


class Shapes(NamedTuple):
    """Shapes of one contig. uint8 low, high (n * _ROOM,): the least and the greatest byte of a row at each of its
    places; int64 numbers (n * _NUMBERS * 2,): where each begins and how many digits it has, 0 where there is none;
    int64 facts (n * _FACTS,); uint64 turn (3,)."""

    low: np.ndarray
    high: np.ndarray
    numbers: np.ndarray
    facts: np.ndarray
    turn: np.ndarray

    @classmethod
    def none(cls) -> "Shapes":
        return cls(
            np.zeros(_SHAPES * _ROOM, np.uint8), np.zeros(_SHAPES * _ROOM, np.uint8),
            np.zeros(_SHAPES * _NUMBERS * 2, np.int64), np.zeros(_SHAPES * _FACTS, np.int64), np.zeros(3, np.uint64),
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


class Numbers(NamedTuple):
    """What the numbers of a row say; last is -1 where there is no END, length 1 where there is none."""

    pos: Any
    last: Any
    length: Any
    depth: Any
    quality: Any


@kernel
def _fact(shapes: Shapes, n: Any, which: int) -> Any:
    return shapes.facts[n * _U(_FACTS) + _U(which)]


@kernel
def _fits(data: np.ndarray, start: Any, shapes: Shapes, n: Any, size: int) -> bool:
    """Whether the row that begins at `start` fits shape n, as far as that goes."""
    at, first = start, n * _U(_ROOM)
    end = at + _U(size)
    while at < end:
        # No byte of a shape is the end of a line, so where 64 fit the row has at least as many.
        if outside(data, at, shapes.low, shapes.high, first):
            return False
        at += _LANES
        first += _LANES
    return True


@within
def follow(data: np.ndarray, start: int, shapes: Shapes) -> tuple[Any, Any]:
    """(where the row that begins at `start` ends, -1 where it fits no shape; number of the shape that it fits)."""
    turn, at = shapes.turn, _U(start)
    n = turn[_U(_FITTED)]
    # A row that is no block, or has another number of digits before, is not held against every shape.
    alt = _U(_fact(shapes, n, _ALT))
    if data[at + alt] != shapes.low[n * _U(_ROOM) + alt]:
        return -1, n
    for _ in range(np.int64(turn[_U(_TAKEN)])):
        size = _fact(shapes, n, _SIZE)
        if size and _fits(data, at, shapes, n, size):
            # The cell that was asked last is whole.
            after = data[at + _U(size)]
            end = line_end(data, at + _U(size)) if after in (_COLON, _LINE_END) else -1
            if end >= 0:
                turn[_U(_FITTED)] = n
                return end, n
        n += _U(1)
        if n == turn[_U(_TAKEN)]:
            n = _U(0)
    return -1, n


@kernel
def _read(data: np.ndarray, start: Any, shapes: Shapes, n: Any, kind: int, none: int) -> Any:
    place = (n * _U(_NUMBERS) + _U(kind)) * _U(2)
    digits = shapes.numbers[place + _U(1)]
    return known(data, start + _U(shapes.numbers[place]), _U(digits)) if digits else none


@within
def numbers(data: np.ndarray, start: int, shapes: Shapes, n: Any) -> Numbers:
    """Those of the row that begins at `start` and fits shape n."""
    at = _U(start)
    pos, last, length = (
        _read(data, at, shapes, n, POS, -1), _read(data, at, shapes, n, LAST, -1), _read(data, at, shapes, n, LENGTH, 1)
    )  # fmt: skip
    return Numbers(pos, last, length, _read(data, at, shapes, n, DEPTH, -1), _read(data, at, shapes, n, QUALITY, -1))


@kernel
def _number(data: np.ndarray, start: int, shapes: Shapes, n: int, kind: int, first: int, stop: int) -> bool:
    """Let data[first:stop] be a number of the shape; False where it is none of digits alone."""
    for i in range(n * _ROOM + first - start, n * _ROOM + stop - start):
        shapes.low[i], shapes.high[i] = _ZERO, _NINE
    place = (n * _NUMBERS + kind) * 2
    shapes.numbers[place], shapes.numbers[place + 1] = first - start, stop - first
    return natural(data, first, stop) >= 0


@kernel
def _free(start: int, shapes: Shapes, n: int, first: int, stop: int) -> None:
    """Let any text of a column be in place of data[first:stop], or of a cell where there are no more than those."""
    for i in range(n * _ROOM + first - start, n * _ROOM + stop - start):
        shapes.low[i], shapes.high[i] = _TEXT, _LAST


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
        keys += data[i] == _COLON
    for i in range(tabs[8], stop):
        values += data[i] == _COLON
    # A row that drops cells at its end says nothing of those that others have.
    alt = tabs[3] + 1 - start
    if size > _ROOM or alt > PAD or tabs[3] - tabs[2] != 2 or values != keys:
        return
    n, turn = np.int64(shapes.turn[_NEXT]), shapes.turn
    turn[_NEXT] = n + 1 if n + 1 < _SHAPES else 0
    turn[_TAKEN] = max(turn[_TAKEN], _U(n + 1))
    begin, facts = n * _ROOM, shapes.facts[n * _FACTS : (n + 1) * _FACTS]
    facts[_SIZE] = 0
    for i in range(_ROOM):
        shapes.low[begin + i], shapes.high[begin + i] = 0, _LAST
    for i in range(size):
        shapes.low[begin + i] = shapes.high[begin + i] = data[start + i]
    for i in range(n * _NUMBERS * 2, (n + 1) * _NUMBERS * 2):
        shapes.numbers[i] = 0
    good = _number(data, start, shapes, n, POS, tabs[0] + 1, tabs[1])
    _free(start, shapes, n, tabs[2] + 1, tabs[3])
    if end[1]:
        good &= _number(data, start, shapes, n, LAST, end[0], end[1])
        # The first END is the one that counts, whatever comes behind it.
        _free(start, shapes, n, end[1] + 1, tabs[7])
    cell = tabs[8] + 1
    while cell <= last:
        after = find(data, cell, stop, _COLON)
        if cell == cells.depth:
            good &= _number(data, start, shapes, n, DEPTH, cell, after)
        elif cell == cells.quality:
            good &= _number(data, start, shapes, n, QUALITY, cell, after)
        elif cell == cells.length:
            good &= _number(data, start, shapes, n, LENGTH, cell, after)
        elif cell != cells.gt and cell != cells.ft:
            for i in range(begin + cell - start, begin + after - start):
                above = data[start + i - begin] > _COLON
                shapes.low[i], shapes.high[i] = _COLON + 1 if above else _TEXT, _LAST if above else _COLON - 1
        cell = after + 1
    facts[_FIRST_ALLELE], facts[_SECOND_ALLELE] = told.first_allele, told.second_allele
    facts[_SOURCE], facts[_FT_OK] = told.source, told.ft_ok
    facts[_ALT] = alt
    if good:
        facts[_SIZE], turn[_FITTED] = size, n


@kernel
def of_shape(shapes: Shapes, n: Any) -> Told:
    """What no number tells of the rows of shape n."""
    first, second = np.int32(_fact(shapes, n, _FIRST_ALLELE)), np.int32(_fact(shapes, n, _SECOND_ALLELE))
    return Told(first, second, _fact(shapes, n, _SOURCE), _fact(shapes, n, _FT_OK) > 0)
