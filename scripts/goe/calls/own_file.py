"""A gVCF or single-sample VCF as it came: its reference blocks, and all other rows, in columns.

A kernel reads both from the raw bytes. A row that it does not know how to read, or that is wrong, is parsed in Python:
so these are the few of rare forms, and it is Python that says what is wrong. Nothing is judged here: what a row means
is told by goe.harmonise.
"""

import contextlib
import io
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from isal import igzip

from goe.calls.block_shapes import Cells, Shapes, Told, follow, learn, numbers, of_shape
from goe.calls.fields import MAX_GQ, TESTED
from goe.core.errors import GoeError, Problem
from goe.core.processes import reading
from goe.genome.alleles import UNSEEN
from goe.hts import bgzf, indexes, plain, vcf_header
from goe.hts.bcf import BROKEN, END_OF_VECTOR, MISSING
from goe.hts.kernels import kernel, within
from goe.hts.text import PAD, behind_last, columns, find, natural, padded, same
from goe.hts.vcf_header import VcfHeader

# What is read of a row. The place in this list is the slot of a FORMAT key.
KEYS = (b"GT", b"DP", b"GQ", b"AD", b"MIN_DP", b"PL", b"FT", b"GQX", b"LEN", b"LAA", b"LAD", b"LPL", b"LGT")
_GT, _DP, _GQ, _AD, _MIN_DP, _PL, _FT, _GQX, _LEN, _LAA, _LAD, _LPL, _LGT = range(len(KEYS))

# Of a piece of the file: bytes, and rows at most; pieces that are read while the rows of others are worked on.
_CHUNK = 1 << 20
_ROWS = 1 << 16
_AHEAD = 4
_TABS = 9
# An index without a sign is used as it is (goe.hts.text).
_U0, _U1 = np.uint64(0), np.uint64(1)
# Why the kernel stopped before the end of what it was given.
_END, _FULL, _CONTIG, _FORMAT, _ROW, _COLUMNS, _NUMBER, _ORDER = range(8)
# Where a quality was taken from.
GQ_ITSELF, GQ_FROM_PL, GQ_FROM_GQX, GQ_NONE = range(4)
QUALITY_SOURCES = ("GQ", "PL", "GQX")


@kernel
def _number(data: np.ndarray, start: int, stop: int) -> tuple[float, bool]:
    """(decimal number in data[start:stop], whether it is one); MISSING where it is `.` or nothing."""
    whole_number = natural(data, start, stop)
    if whole_number >= 0:
        return np.float64(whole_number), True
    if stop <= start or (stop - start == 1 and data[start] == 46):
        return np.float64(MISSING), True
    at, sign = start, 1.0
    if data[at] == 45:
        sign, at = -1.0, at + 1
    whole, scale, digits, after = 0.0, 1.0, 0, False
    while at < stop:
        c = data[at]
        if 48 <= c <= 57:
            whole = 10.0 * whole + (c - 48)
            digits += 1
            if after:
                scale *= 10.0
        elif c == 46 and not after:
            after = True
        else:
            return np.float64(MISSING), False
        at += 1
    # A quotient of two exact numbers is the float nearest to what is written.
    return sign * (whole / scale), digits > 0 and digits < 16


@kernel
def _info_at(data: np.ndarray, start: int, stop: int, key: np.ndarray) -> tuple[int, int]:
    """Where the value of an INFO key begins and ends, (0, 0) where the key is not there."""
    at = start
    while at < stop:
        end = find(data, at, stop, 59)
        value = at + key.size - PAD
        if end > value and data[value] == 61 and same(data, at, value, key):
            return value + 1, end
        at = end + 1
    return 0, 0


@kernel
def _info(data: np.ndarray, start: int, stop: int, key: np.ndarray) -> tuple[float, bool]:
    """(value of an INFO key, whether it is a number); MISSING where the key is not there."""
    at, end = _info_at(data, start, stop, key)
    return _number(data, at, end)


@kernel
def _margin(data: np.ndarray, start: int, stop: int) -> tuple[float, bool]:
    """(second smallest less smallest of a list of likelihoods, whether there are two numbers and nothing else)."""
    low, second, n = np.inf, np.inf, 0
    at = start
    while at <= stop:
        end = find(data, at, stop, 44)
        value, good = _number(data, at, end)
        if not good or value == MISSING:
            return 0.0, False
        if value < low:
            low, second = value, low
        elif value < second:
            second = value
        n += 1
        at = end + 1
    return second - low, n > 1


@kernel
def _sum(data: np.ndarray, start: int, stop: int) -> tuple[float, bool]:
    """(sum of the numbers of a list, whether it is one); MISSING where there is none."""
    total, any_value = 0.0, False
    at = start
    while at <= stop:
        end = find(data, at, stop, 44)
        value, good = _number(data, at, end)
        if not good:
            return np.float64(MISSING), False
        if value != MISSING:
            total += value
            any_value = True
        at = end + 1
    return (total if any_value else np.float64(MISSING)), True


class Blocks(NamedTuple):
    """Reference blocks: int64 (n,) first and last position; int32 (n, 2) GT as BCF has it; float64 (n, 1) depth and
    quality, MISSING where there is none; uint8 (n,) where the quality is from; bool (n,) whether FT passes."""

    first: np.ndarray
    last: np.ndarray
    gt: np.ndarray
    dp: np.ndarray
    gq: np.ndarray
    source: np.ndarray
    ft_ok: np.ndarray

    @classmethod
    def room(cls, n: int) -> "Blocks":
        return cls(
            np.empty(n, np.int64), np.empty(n, np.int64), np.empty((n, 2), np.int32), np.empty((n, 1)),
            np.empty((n, 1)), np.empty(n, np.uint8), np.empty(n, np.bool_),
        )  # fmt: skip


class Rows(NamedTuple):
    """Rows that are no reference block, in columns.

    Of a row (n,): int64 pos; float64 qual, NaN where there is none; int32 filter and ft, numbers of `OwnFile.reasons`,
    0 where it passes; int32 (n, ploidy) GT as BCF has it; float64 (n, 1) dp and gq, MISSING where there is none; uint8
    where the quality is from; int32 how many alleles it has, REF among them. Of an allele, those of a row one after the
    other, REF first: int32 length, float64 AD, MISSING where it is not known and END_OF_VECTOR for all where the row
    has none. uint8 text: the alleles' bytes, one after the other, in upper case but for symbolic ones and breakends.
    """

    pos: np.ndarray
    qual: np.ndarray
    filter: np.ndarray
    ft: np.ndarray
    gt: np.ndarray
    dp: np.ndarray
    gq: np.ndarray
    source: np.ndarray
    alleles: np.ndarray
    length: np.ndarray
    ad: np.ndarray
    text: np.ndarray

    @classmethod
    def room(cls, n: int, alleles: int, text: int, ploidy: int = 2) -> "Rows":
        return cls(
            np.empty(n, np.int64), np.empty(n), np.empty(n, np.int32), np.empty(n, np.int32),
            np.full((n, ploidy), END_OF_VECTOR, np.int32), np.empty((n, 1)), np.empty((n, 1)), np.empty(n, np.uint8),
            np.empty(n, np.int32), np.empty(alleles, np.int32), np.empty(alleles), np.empty(text, np.uint8),
        )  # fmt: skip

    def where(self, wanted: np.ndarray) -> "Rows":
        """The rows for which `wanted`, bool (n,), is true."""
        of_alleles = np.repeat(wanted, self.alleles)
        of_text = np.repeat(of_alleles, self.length)
        of_row = (column[wanted] for column in self[:_OF_ROW])
        return Rows._make([*of_row, *(column[of_alleles] for column in self[_OF_ROW:-1]), self.text[of_text]])


_OF_ROW = Rows._fields.index("length")


def _widened(gt: np.ndarray, width: int) -> np.ndarray:
    more = np.full((len(gt), width - gt.shape[1]), END_OF_VECTOR, np.int32)
    return np.concatenate([gt, more], axis=1) if more.size else gt


class _Words(NamedTuple):
    """Texts that were met so far: their bytes, padded (n, longest + PAD), and lengths."""

    table: np.ndarray
    lengths: np.ndarray

    @classmethod
    def of(cls, texts: Sequence[bytes]) -> "_Words":
        table = np.zeros((len(texts), max(map(len, texts)) + PAD), np.uint8)
        for i, text in enumerate(texts):
            table[i, : len(text)] = _bytes(text)
        return cls(table, np.array([len(text) for text in texts]))


class _Formats(NamedTuple):
    """FORMAT columns that were met so far, the slot of each of their keys, -1 for none that is wanted (n, most keys),
    and whether no key is there twice."""

    words: _Words
    slots: np.ndarray
    clean: np.ndarray


class _Names(NamedTuple):
    end: np.ndarray
    min_dp: np.ndarray
    strelka_min_dp: np.ndarray
    passed: np.ndarray


def _bytes(text: bytes) -> np.ndarray:
    return np.frombuffer(text, np.uint8)


_NAMES = _Names(*map(padded, (b"END", b"MIN_DP", b"MinDP", b"PASS")))
_UNSEEN = _Words.of([text.encode() for text in UNSEEN])
# Reasons that the kernel knows at once; a file with more of them tells the others through Python.
_MOST_REASONS = 64


@kernel
def _known(data: np.ndarray, start: int, stop: int, words: _Words, likely: int) -> int:
    """Number of the word that data[start:stop] is, -1 for none. likely: where to look first."""
    table, lengths = words
    for turn in range(lengths.size):
        n = (likely + turn) % lengths.size
        if same(data, start, stop, table[n, : lengths[n] + PAD]):
            return n
    return -1


@kernel
def _reason(data: np.ndarray, start: int, stop: int, reasons: _Words, passed: np.ndarray) -> int:
    """Number of what FILTER or FT says, 0 where it passes, -1 where it is not known."""
    if stop <= start or (stop - start == 1 and data[start] == 46) or same(data, start, stop, passed):
        return 0
    return _known(data, start, stop, reasons, 0)


@kernel
def _alleles(
    data: np.ndarray, start: int, stop: int, n_alleles: int, n_text: int, length: np.ndarray, text: np.ndarray
) -> tuple[int, int]:
    """Add the alleles of a REF or ALT column, told apart by commas: (alleles, bytes of text) there are afterwards, -1
    where the column is for Python."""
    at = start
    while at <= stop:
        end, plain = at, True
        while end < stop and data[end] != 44:
            plain &= data[end] != 91 and data[end] != 93
            if data[end] > 127:
                return -1, n_text
            end += 1
        if end == at:
            return -1, n_text
        plain &= data[at] != 60
        for i in range(at, end):
            c = data[i]
            text[n_text + i - at] = c - 32 if plain and 97 <= c <= 122 else c
        length[n_alleles] = end - at
        n_alleles += 1
        n_text += end - at
        at = end + 1
    return n_alleles, n_text


@kernel
def _genotype_of(data: np.ndarray, start: int, stop: int, n_alleles: int, gt: np.ndarray) -> tuple[bool, bool]:
    """Fill gt int32 (ploidy,) as BCF has it: (whether one or two alleles are written, whether one is an ALT)."""
    at = start
    while at < stop and (data[at] == 47 or data[at] == 124):
        at += 1
    n, alt = 0, False
    for i in range(gt.size):
        gt[i] = END_OF_VECTOR
    while True:
        if n == 2 or at >= stop:
            return False, alt
        if data[at] == 46:
            gt[n] = 0
            at += 1
        else:
            allele, digits = 0, 0
            while at < stop and 48 <= data[at] <= 57:
                allele = 10 * allele + data[at] - 48
                digits += 1
                at += 1
            if digits == 0 or digits > 6 or allele >= n_alleles:
                return False, alt
            alt |= allele > 0
            gt[n] = (allele + 1) << 1
        n += 1
        if at == stop:
            return True, alt
        if data[at] != 47 and data[at] != 124:
            return False, alt
        at += 1


@within
def _take_row(
    data: np.ndarray,
    pos: Any,
    tabs: np.ndarray,
    first: np.ndarray,
    after: np.ndarray,
    gqx: bool,
    reasons: _Words,
    names: _Names,
    n: int,
    n_alleles: int,
    n_text: int,
    rows: Rows,
) -> tuple[int, int]:
    """Write a row to `rows`: (alleles, bytes of text) there are afterwards, -1 where the row is for Python, as all
    are that are not of the plainest form. Only what `OwnFile._parsed` would say is said."""
    odd = -1, n_text
    for slot in (_LAA, _LAD, _LGT):
        if after[slot] > first[slot]:
            return odd
    for i in range(tabs[0] + 1, tabs[1]):
        if data[i] < 48 or data[i] > 57:
            return odd
    end_alleles, end_text = _alleles(data, tabs[2] + 1, tabs[3], n_alleles, n_text, rows.length, rows.text)
    if end_alleles != n_alleles + 1:
        return odd
    last = end_text
    if tabs[4] - tabs[3] != 2 or data[tabs[3] + 1] != 46:
        end_alleles, end_text = _alleles(data, tabs[3] + 1, tabs[4], end_alleles, end_text, rows.length, rows.text)
        if end_alleles < 0:
            return odd
        last = end_text - rows.length[end_alleles - 1]
    n_alts = end_alleles - n_alleles
    qual, good = np.nan, tabs[5] - tabs[4] > 1
    if tabs[5] - tabs[4] != 2 or data[tabs[4] + 1] != 46:
        qual, fine = _number(data, tabs[4] + 1, tabs[5])
        good &= fine
    status = _reason(data, tabs[5] + 1, tabs[6], reasons, names.passed)
    ft = _reason(data, first[_FT], after[_FT], reasons, names.passed)
    called, alt = _genotype_of(data, first[_GT], after[_GT], n_alts, rows.gt[n])
    if not good or status < 0 or ft < 0 or not called:
        return odd
    quality, good = _number(data, first[_GQ], after[_GQ])
    where = GQ_ITSELF
    if quality == MISSING:
        where = GQ_NONE
        for slot in (_PL, _LPL):
            size = after[slot] - first[slot]
            if where == GQ_NONE and size > 0 and (size > 1 or data[first[slot]] != 46):
                margin, fine = _margin(data, first[slot], after[slot])
                if not fine:
                    return odd
                quality, where = min(margin, np.float64(MAX_GQ)), GQ_FROM_PL
        if where == GQ_NONE and gqx:
            quality, fine = _number(data, first[_GQX], after[_GQX])
            good &= fine
            if quality != MISSING:
                where = GQ_FROM_GQX
    depth, fine = _number(data, first[_DP], after[_DP])
    good &= fine
    size = after[_AD] - first[_AD]
    if size > 1 or (size == 1 and data[first[_AD]] != 46):
        k, at = 0, first[_AD]
        while at <= after[_AD]:
            stop = find(data, at, after[_AD], 44)
            if k == n_alts:
                return odd
            rows.ad[n_alleles + k], fine = _number(data, at, stop)
            good &= fine
            k += 1
            at = stop + 1
        if k < n_alts:
            if k < n_alts - 1 or n_alts < 2 or _known(rows.text, last, end_text, _UNSEEN, 0) < 0:
                return odd
            rows.ad[n_alleles + k] = MISSING
    elif size == 0 and first[_AD] > 0:
        return odd
    else:
        for k in range(n_alleles, end_alleles):
            rows.ad[k] = END_OF_VECTOR
        if depth == MISSING and not alt:
            depth, fine = _number(data, first[_MIN_DP], after[_MIN_DP])
            good &= fine
    if not good:
        return odd
    rows.pos[n], rows.qual[n], rows.filter[n], rows.ft[n] = pos, qual, status, ft
    rows.dp[n, 0], rows.gq[n, 0], rows.source[n], rows.alleles[n] = depth, quality, where, n_alts
    return end_alleles, end_text


@kernel
def _alike(
    data: np.ndarray, at: int, stop: int, last_pos: int, shapes: Shapes, n: int, found: Blocks
) -> tuple[int, int, int]:
    """Take blocks of shapes that are known, from data[at] on, as long as there are any: (where the next row begins,
    last position, blocks) there are afterwards."""
    while at < stop and n < found.first.size:
        end, shape = follow(data, at, shapes)
        if end < 0:
            break
        said, same_as, i = numbers(data, at, shapes, shape), of_shape(shapes, shape), np.uint64(n)
        if said.pos < last_pos:
            break
        last_pos = said.pos
        found.first[i] = last_pos
        found.last[i] = said.last if said.last >= 0 else last_pos + said.length - 1
        found.gt[i, _U0], found.gt[i, _U1] = same_as.first_allele, same_as.second_allele
        found.dp[i, _U0], found.gq[i, _U0] = said.depth, said.quality
        found.source[i], found.ft_ok[i] = same_as.source, same_as.ft_ok
        n += 1
        at = end + 1
    return at, last_pos, n


@kernel
def _scan(
    data: np.ndarray,
    at: int,
    stop: int,
    last_pos: Any,
    blocks: bool,
    contig: np.ndarray,
    gqx: int,
    formats: _Formats,
    reasons: _Words,
    names: _Names,
    shapes: Shapes,
    filled: Any,
    rows: Rows,
    found: Blocks,
    places: np.ndarray,
) -> tuple[tuple[int, int, int, int], int, int, int]:
    """Rows of data[at:stop], which are whole lines, until one needs Python. Returns (rows, their alleles, bytes of
    these, blocks) that there are, where the next row begins, last position, why it stopped.

    last_pos: of the row before, 0 for none; blocks: whether the file has reference blocks; contig: bytes of the current
    one; gqx: whether GQX stands for GQ, -1 before the first block; shapes: of this contig. filled: how much of
    `rows` and `found` is taken already; they are filled on.
    """
    words, slots, clean = formats
    n_rows, n_alleles, n_text, n_blocks = filled
    last_format = 0
    tabs, first, after = places[:_TABS], places[_TABS : _TABS + len(KEYS)], places[_TABS + len(KEYS) :]
    while at < stop:
        at, last_pos, n_blocks = _alike(data, at, stop, last_pos, shapes, n_blocks, found)
        if at >= stop:
            break
        filled = n_rows, n_alleles, n_text, n_blocks
        if n_rows == rows.pos.size or n_blocks == found.first.size:
            return filled, at, last_pos, _FULL
        end = columns(data, at, tabs)
        if end < 0:
            return filled, at, last_pos, _COLUMNS
        line_end = end - 1 if data[end - 1] == 13 else end
        if not same(data, at, tabs[0], contig):
            return filled, at, last_pos, _CONTIG
        pos, good = _number(data, tabs[0] + 1, tabs[1])
        if not good or pos == MISSING:
            return filled, at, last_pos, _NUMBER
        if pos < last_pos:
            return filled, at, last_pos, _ORDER
        row = False
        alt = tabs[3] + 1
        if not blocks or not (tabs[4] - alt == 1 and data[alt] == 46):
            row = not blocks or data[alt] != 60
            row |= find(data, alt, tabs[4], 44) < tabs[4]
        known = _known(data, tabs[7] + 1, tabs[8], words, last_format)
        if known < 0:
            return filled, at, last_pos, _ROW if row else _FORMAT
        last_format = known
        for i in range(first.size):
            first[i] = after[i] = 0
        j, value = 0, tabs[8] + 1
        while value <= line_end:
            value_end = find(data, value, line_end, 58)
            if j < slots.shape[1] and slots[known, j] >= 0:
                first[slots[known, j]], after[slots[known, j]] = value, value_end
            j += 1
            value = value_end + 1
        a = b = np.int32(END_OF_VECTOR)
        if not row:
            alleles = 0
            wait = True
            for i in range(first[_GT], after[_GT]):
                c = data[i]
                if c == 47 or c == 124:
                    wait = True
                elif (c == 48 or c == 46) and wait:
                    wait = False
                    alleles += 1
                    if alleles == 1:
                        a = np.int32(2 if c == 48 else 0)
                    elif alleles == 2:
                        b = np.int32(2 if c == 48 else 0)
                else:
                    row = True
            row |= alleles == 0 or alleles > 2
        if row:
            if not clean[known]:
                return filled, at, last_pos, _ROW
            # Alleles have a byte each at least; Python may write two for one.
            if n_alleles + (end - at) > rows.length.size or n_text + 2 * (end - at) > rows.text.size:
                return filled, at, last_pos, _FULL
            taken, text = _take_row(
                data, np.int64(pos), tabs, first, after, gqx != 0, reasons, names, n_rows, n_alleles, n_text, rows
            )
            if taken < 0:
                return filled, at, last_pos, _ROW
            n_rows, n_alleles, n_text = n_rows + 1, taken, text
            at = end + 1
            last_pos = np.int64(pos)
            continue
        if gqx < 0:
            return filled, at, last_pos, _FORMAT
        end_at, length_at, whole = _info_at(data, tabs[6] + 1, tabs[7], names.end), 0, True
        last, fine = _number(data, end_at[0], end_at[1])
        good &= fine
        if last == MISSING:
            end_at, length_at = (0, 0), first[_LEN]
            length, fine = _number(data, first[_LEN], after[_LEN])
            good &= fine
            whole = length_at == 0 or length != MISSING
            last = pos + (tabs[3] - tabs[2] - 1 if length == MISSING else length) - 1
        depth_at = first[_MIN_DP]
        depth, fine = _number(data, first[_MIN_DP], after[_MIN_DP])
        good &= fine
        if depth == MISSING:
            depth_at = 0 if depth_at else first[_DP]
            depth, fine = _number(data, first[_DP], after[_DP])
            good &= fine
        if depth == MISSING:
            depth_at = 0
            depth, fine = _info(data, tabs[6] + 1, tabs[7], names.min_dp)
            good &= fine
        if depth == MISSING:
            depth, fine = _info(data, tabs[6] + 1, tabs[7], names.strelka_min_dp)
            good &= fine
        if depth == MISSING and after[_AD] > first[_AD]:
            depth, fine = _sum(data, first[_AD], after[_AD])
            good &= fine
        quality_at = first[_GQ]
        quality, fine = _number(data, first[_GQ], after[_GQ])
        good &= fine
        where = GQ_ITSELF
        if quality == MISSING:
            where = GQ_NONE
            quality_at = 0
            for slot in (_PL, _LPL):
                if where == GQ_NONE and after[slot] > first[slot]:
                    margin, fine = _margin(data, first[slot], after[slot])
                    if fine:
                        quality, where = min(margin, np.float64(MAX_GQ)), GQ_FROM_PL
            if where == GQ_NONE:
                other, fine = _number(data, first[_GQX], after[_GQX])
                good &= fine
                if gqx and other != MISSING:
                    quality, where = other, GQ_FROM_GQX
                    quality_at = 0 if first[_GQ] or first[_PL] or first[_LPL] else first[_GQX]
        if not good:
            return filled, at, last_pos, _NUMBER
        ft_ok = _reason(data, first[_FT], after[_FT], reasons, names.passed) == 0
        found.first[n_blocks], found.last[n_blocks] = np.int64(pos), np.int64(last)
        found.gt[n_blocks, 0], found.gt[n_blocks, 1] = a, b
        found.dp[n_blocks, 0], found.gq[n_blocks, 0], found.source[n_blocks] = depth, quality, where
        found.ft_ok[n_blocks] = ft_ok
        n_blocks += 1
        # Where a cell was passed over, as it is missing, a row of the same shape might have it.
        if whole and depth_at and quality_at:
            cells = Cells(depth_at, quality_at, length_at, first[_GT], first[_FT])
            learn(data, at, line_end, tabs, end_at, cells, Told(a, b, where, ft_ok), shapes)
        at = end + 1
        last_pos = np.int64(pos)
    return (n_rows, n_alleles, n_text, n_blocks), at, last_pos, _END


@dataclass(slots=True)
class Row:
    """A row that is no reference block, as `Rows` has it in columns.

    gt: allele numbers, None for a missing one; dp, gq: numbers, MISSING where there is none; ad: one number an allele
    (REF first), MISSING where one is not known, or None; ft: `.` where it passes, else the reasons of FT, and
    `filter` the same of FILTER; qual: None where there is none; source: where gq is from.
    """

    pos: int
    ref: str
    alts: list[str]
    qual: float | None
    filter: str
    gt: list[int | None]
    dp: float
    gq: float
    ad: list[float] | None
    ft: str
    source: int


def listed(rows: Rows, reasons: Sequence[str]) -> Iterator[Row]:
    """The rows one by one. reasons: `OwnFile.reasons`."""
    texts = [text.tobytes().decode() for text in np.split(rows.text, np.cumsum(rows.length))[:-1]]
    at = 0
    for i, n in enumerate(rows.alleles.tolist()):
        gt = [(a >> 1) - 1 if a else None for a in rows.gt[i].tolist() if a != END_OF_VECTOR]
        qual, ad = float(rows.qual[i]), rows.ad[at : at + n].tolist()
        yield Row(
            int(rows.pos[i]), texts[at], texts[at + 1 : at + n], None if np.isnan(qual) else qual,
            reasons[rows.filter[i]], gt, float(rows.dp[i, 0]), float(rows.gq[i, 0]),
            None if ad[0] == END_OF_VECTOR else ad, reasons[rows.ft[i]], int(rows.source[i]),
        )  # fmt: skip
        at += n


class Chunk(NamedTuple):
    """Rows of one contig, in the order of the file: blocks and others, each by position."""

    contig: str
    blocks: Blocks
    rows: Rows


_Filled = tuple[int, int, int, int]
_NOTHING: _Filled = (0, 0, 0, 0)


class _Lines:
    """A file piece by piece: whole lines are in data[start:stop] (uint8). The next ones are read meanwhile.

    begin: what was read of it already; read_into: as of a stream; reader: who reads.
    """

    def __init__(self, begin: bytes, read_into: Callable[[memoryview], int], reader: ThreadPoolExecutor):
        self._read_into, self._reader = read_into, reader
        self.data = np.frombuffer(begin, np.uint8)
        self.start = self.stop = 0
        self._end, self._ended = len(begin), False
        self._next = deque(self._ask(self.data) for _ in range(_AHEAD))

    def _ask(self, spare: np.ndarray) -> tuple[np.ndarray, Future[int]]:
        # The first _CHUNK bytes are for the line that the piece before leaves off in.
        size = 2 * _CHUNK + 1 + PAD
        piece = spare if spare.size == size and spare.flags.writeable else np.zeros(size, np.uint8)
        return piece, self._reader.submit(self._read_into, piece.data[_CHUNK : 2 * _CHUNK])

    def more(self) -> bool:
        """Leave the lines that there are behind, and read on; False after the last."""
        if self._ended:
            return False
        data, read = self._next.popleft()
        got = read.result()
        rest, begin = self._end - self.stop, _CHUNK
        if rest > begin:
            begin = rest
            data = np.concatenate([np.empty(rest - _CHUNK, np.uint8), data])
        self.start, self._end, self._ended = begin - rest, begin + got, not got
        data[self.start : begin] = self.data[self.stop : self.stop + rest]
        spare, self.data = self.data, data
        if self._ended:
            if rest and data[begin - 1] != 10:
                data[begin] = 10
                self._end += 1
        else:
            self._next.append(self._ask(spare))
        self.stop = behind_last(data, self.start, self._end, 10)
        return True

    def line(self, at: int) -> bytes:
        """The line that begins at data[at], without its end."""
        return self.data[at : find(self.data, at, self._end, 10)].tobytes()


class _Room:
    """Rows and blocks of a contig that are there so far. filled: how much is taken: rows, alleles, bytes, blocks."""

    def __init__(self) -> None:
        self.blocks, self.rows = Blocks.room(_ROWS), Rows.room(_ROWS, 4 * _ROWS, 16 * _ROWS)
        self.filled: _Filled = _NOTHING

    def holds(self, size: int) -> bool:
        """Whether there is room for a row of so many bytes: an allele has one at least, and Python may write two."""
        _, alleles, text, _ = self.filled
        return alleles + size <= self.rows.length.size and text + 2 * size <= self.rows.text.size

    def grow(self) -> None:
        self.blocks = Blocks(*map(_twice, self.blocks))
        self.rows = Rows(*map(_twice, self.rows))

    def before(self, pos: int) -> _Filled:
        """How much of what is filled stands before a position."""
        n, _, _, m = self.filled
        i, j = (int(np.searchsorted(column, pos)) for column in (self.rows.pos[:n], self.blocks.first[:m]))
        alleles = int(self.rows.alleles[:i].sum())
        return i, alleles, int(self.rows.length[:alleles].sum()), j

    def part(self, until: _Filled) -> tuple[Blocks, Rows]:
        rows, blocks = self._cut(_NOTHING, until)
        return Blocks(*blocks), Rows(*rows)

    def leave(self, until: _Filled) -> None:
        """Make room of what is filled up to there."""
        for every, kept in zip((self.rows, self.blocks), self._cut(until, self.filled), strict=True):
            for column, rest in zip(every, kept, strict=True):
                column[: len(rest)] = rest.copy()
        self.filled = cast(_Filled, tuple(a - b for a, b in zip(self.filled, until, strict=True)))

    def _cut(self, start: _Filled, stop: _Filled) -> tuple[list[np.ndarray], list[np.ndarray]]:
        of_row, of_allele, of_text, of_block = map(slice, start, stop)
        cuts = [of_row] * _OF_ROW + [of_allele, of_allele, of_text]
        rows = [column[cut] for column, cut in zip(self.rows, cuts, strict=True)]
        return rows, [column[of_block] for column in self.blocks]


def _twice(column: np.ndarray) -> np.ndarray:
    return np.concatenate([column, np.empty_like(column)])


def _missing_or(text: str) -> float:
    return float(MISSING) if text in ("", ".") else float(text)


def _reasons(text: str) -> str:
    return "." if text in ("", ".", "PASS") else text


class OwnFile:
    """Rows of the file of one person.

    path: a gVCF or VCF, in BGZF, or of any other kind that bcftools reads; sample: who the sheet says it is; contigs:
    those that are counted; rename: names in the file -> names in the reference; blocks: whether it is a gVCF; indexed:
    whether its index, where there is one, has to tell of as many records. `declared` are its FORMAT fields, known from
    the first row on, and `reasons` what FILTER and FT said so far, by number. After the last row `records` is how many
    the file holds and `left_out` how many of them are on other contigs. GoeError with place and mend for what cannot be
    read, for rows that are not sorted, and for another person."""

    def __init__(
        self,
        path: str | Path,
        sample: str,
        contigs: Mapping[str, int],
        rename: Mapping[str, str],
        blocks: bool,
        indexed: bool = False,
    ):
        self.path, self.sample, self.contigs, self.rename, self.blocks = str(path), sample, contigs, rename, blocks
        self.records = self.left_out = 0
        self.declared: set[str] = set()
        self._indexed = indexed
        # Whether GQX may stand for GQ: where blocks have no GQ, as the first of them shows (C1.7); None until then.
        self._gqx: bool | None = None if blocks else False
        # Of both a first one that no row has.
        self._known: list[bytes] = [b"\n"]
        self._formats = _Formats(_Words.of(self._known), np.full((1, 1), -1, np.int16), np.zeros(1, np.bool_))
        self.reasons = ["."]
        self._numbers = {".": 0}
        self._told = _Words.of([b"\n"])
        self._alleles_short = 0
        self._first_short = ""
        self._done: set[str] = set()

    def __iter__(self) -> Iterator[Chunk]:
        """Chunks with all rows of each of their positions. Columns are written over when the next one is asked for."""
        with self._opened() as stream:
            begin = self._header(stream)
            with ThreadPoolExecutor(1) as reader:
                # A GzipFile makes bytes of what it reads, and copies them; what it reads from does not.
                source = getattr(stream, "_buffer", stream)
                yield from self._chunks(_Lines(begin, source.readinto, reader))
        self._finish()

    def _chunks(self, text: _Lines) -> Iterator[Chunk]:
        room = _Room()
        places = np.empty(_TABS + 2 * len(KEYS), np.int64)
        contig, name, last, shapes = b"", "", 0, Shapes.none()
        while self._more(text, room):
            at = text.start
            while at < text.stop:
                gqx = -1 if self._gqx is None else int(self._gqx)
                room.filled, at, last, why = _scan(
                    text.data, at, text.stop, last, self.blocks, padded(contig), gqx, self._formats, self._told, _NAMES,
                    shapes, room.filled, room.rows, room.blocks, places,
                )  # fmt: skip
                if why == _FORMAT:
                    self._learn(text.line(at).split(b"\t")[8])
                elif why == _ROW and room.holds(len(line := text.line(at))):
                    self._learn(line.split(b"\t")[8], of_block=False)
                    at += len(line) + 1
                    if name in self.contigs:
                        last = self._put(self._row(name, line), room)
                    else:
                        last = int(float(line.split(b"\t", 2)[1]))
                        self.records += 1
                        self.left_out += 1
                elif why in (_FULL, _ROW):
                    until = room.before(last) if name in self.contigs else room.filled
                    if until == _NOTHING:
                        room.grow()
                    else:
                        yield from self._chunk(name, room, until)
                elif why != _END:
                    yield from self._chunk(name, room, room.filled)
                    if why != _CONTIG:
                        self._damaged(text.line(at), why)
                    contig = text.line(at).split(b"\t", 1)[0]
                    name, last, shapes = self._named(contig), 0, Shapes.none()
        yield from self._chunk(name, room, room.filled)

    def _more(self, text: _Lines, room: _Room) -> bool:
        try:
            return text.more()
        except BROKEN as error:
            n, _, _, m = room.filled
            self.records += n + m
            raise self._broken(error) from error

    def _chunk(self, name: str, room: _Room, until: _Filled) -> Iterator[Chunk]:
        """Rows of the contig up to there, if there are any, and room for others."""
        n, _, _, m = until
        self.records += n + m
        if name not in self.contigs:
            self.left_out += n + m
        elif n + m:
            blocks, rows = room.part(until)
            if self._gqx is False:
                # Rows before the first block, which has told how they are read.
                gqx = rows.source == GQ_FROM_GQX
                rows.gq[gqx], rows.source[gqx] = MISSING, GQ_NONE
            yield Chunk(name, blocks, rows)
        room.leave(until)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[io.BufferedIOBase]:
        # A BGZF file of text; BCF and all else is told by bcftools.
        with plain.opened(self.path) as file:
            if plain.kind(file) == "bgzf":
                if not bgzf.is_ended(file):
                    raise self._bad("its end", *bgzf.UNENDED)
                file.seek(0)
                with igzip.open(file, "rb") as stream:
                    bcf = self._read(stream, 3) == b"BCF"
                    if not bcf:
                        stream.seek(0)
                        yield stream
                        return
        with reading("bcftools", "view", "--no-version", "-Ov", plain.word(self.path)) as stream:
            yield cast(io.BufferedIOBase, stream)

    def _read(self, stream: io.BufferedIOBase, size: int) -> bytes:
        try:
            return stream.read(size)
        except BROKEN as error:
            raise self._broken(error) from error

    def _broken(self, error: Exception) -> GoeError:
        return self._bad(f"after {self._place}", f"truncated or damaged: {error}", "copy or make the file again")

    @property
    def _place(self) -> str:
        return f"{self.records} records" if self.records else "its header"

    def _bad(self, where: str, what: str, mend: str) -> GoeError:
        return GoeError(Problem(f"{self.path}, {where}", what, mend))

    def _header(self, stream: io.BufferedIOBase) -> bytes:
        """Read the header; what was read beyond it."""
        data = b""
        at = 0
        lines: list[str] = []
        while True:
            stop = data.find(b"\n", at)
            if stop < 0:
                more = self._read(stream, _CHUNK)
                if not more:
                    raise self._bad("its header", "has no #CHROM line", "copy or make the file again")
                data += more
                continue
            line = data[at:stop].rstrip(b"\r")
            at = stop + 1
            lines.append(line.decode(errors="replace"))
            if line.startswith(b"#CHROM"):
                self._check(vcf_header.parse(lines))
                return data[at:]
            if not line.startswith(b"##"):
                raise self._bad("its header", "has a line that is no header line before #CHROM", "make the file again")

    def _check(self, header: VcfHeader) -> None:
        if header.samples != [self.sample]:
            found = ", ".join(header.samples) or "nobody"
            mend = "mend the sheet, or rename the sample with bcftools reheader --samples"
            raise GoeError(Problem(self.path, f"holds {found} where the sheet says {self.sample}", mend))
        formats = header.of("FORMAT")
        self.declared = {*formats}
        for key in TESTED:
            if key in formats and formats[key].type == "String":
                mend = f"declare {key} Integer or Float, as its values are (bcftools reheader, or annotate)"
                raise self._bad("its header", f"FORMAT {key} is declared as text", mend)

    def _named(self, contig: bytes) -> str:
        name = contig.decode(errors="replace")
        name = self.rename.get(name, name)
        if name in self._done:
            raise self._bad(name, "stands in two places of the file: it is not sorted", "bcftools sort")
        self._done.add(name)
        return name

    def _learn(self, column: bytes, of_block: bool = True) -> None:
        """Take in the FORMAT of a row; or, where it is known already, what that of the first block says of all."""
        keys = column.split(b":")
        if column in self._known:
            # What the blocks have decides how rows are read.
            self._gqx = b"GQ" not in keys if of_block else self._gqx
            return
        twice = [key.decode(errors="replace") for key in KEYS if keys.count(key) > 1]
        if twice and not of_block:
            return
        if twice:
            raise self._bad(f"after {self._place}", f"FORMAT has {', '.join(twice)} twice", "make the file again")
        self._known.append(column)
        widest = max(len(c.split(b":")) for c in self._known)
        slots = np.full((len(self._known), widest), -1, np.int16)
        clean = np.zeros(len(self._known), np.bool_)
        for i, known in enumerate(self._known):
            keys = known.split(b":")
            clean[i] = len(set(keys)) == len(keys)
            for j, key in enumerate(keys):
                if key in KEYS:
                    slots[i, j] = KEYS.index(key)
        self._formats = _Formats(_Words.of(self._known), slots, clean)

    def _damaged(self, line: bytes, why: int) -> None:
        where = ":".join(line.decode(errors="replace").split("\t", 2)[:2])[:100] or f"after {self._place}"
        if why == _COLUMNS:
            raise self._bad(where, "is no row of ten columns", "make the file again")
        if why == _ORDER:
            raise self._bad(where, "stands after a later position: the file is not sorted", "bcftools sort")
        raise self._number_problem(where)

    def _number_problem(self, where: str) -> GoeError:
        mend = "POS, END, GQ, DP, MIN_DP and the values of AD and PL are numbers: make the file again"
        return self._bad(where, "a number cannot be read", mend)

    def _row(self, contig: str, line: bytes) -> Row:
        cells = line.removesuffix(b"\r").decode(errors="replace").split("\t")
        where = f"{contig}:{cells[1]}"
        keys, values = cells[8].split(":"), cells[9].split(":")
        call = dict(zip(keys, values, strict=False))
        if len(call) < min(len(keys), len(values)):
            raise self._bad(where, "its FORMAT has a key twice", "make the file again")
        try:
            return self._parsed(where, cells, call)
        except ValueError as error:
            raise self._number_problem(where) from error

    def _put(self, row: Row, room: _Room) -> int:
        """Write a row behind the others; its position."""
        n, alleles, text, m = room.filled
        if len(row.gt) > room.rows.gt.shape[1]:
            room.rows = room.rows._replace(gt=_widened(room.rows.gt, len(row.gt)))
        rows = room.rows
        rows.gt[n] = END_OF_VECTOR
        rows.gt[n, : len(row.gt)] = [0 if a is None else (a + 1) << 1 for a in row.gt]
        rows.pos[n], rows.qual[n] = row.pos, np.nan if row.qual is None else row.qual
        rows.filter[n], rows.ft[n] = self._numbered(row.filter), self._numbered(row.ft)
        rows.dp[n, 0], rows.gq[n, 0], rows.source[n], rows.alleles[n] = row.dp, row.gq, row.source, 1 + len(row.alts)
        for k, allele in enumerate((row.ref, *row.alts), alleles):
            rows.length[k] = len(allele)
            rows.ad[k] = END_OF_VECTOR if row.ad is None else row.ad[k - alleles]
            rows.text[text : text + len(allele)] = _bytes(allele.encode("ascii", "replace"))
            text += len(allele)
        room.filled = n + 1, alleles + 1 + len(row.alts), text, m
        return row.pos

    def _numbered(self, reasons: str) -> int:
        if reasons not in self._numbers:
            self._numbers[reasons] = len(self.reasons)
            self.reasons.append(reasons)
            self._told = _Words.of([b"\n", *(text.encode() for text in self.reasons[1:_MOST_REASONS])])
        return self._numbers[reasons]

    def _parsed(self, where: str, cells: list[str], call: dict[str, str]) -> Row:
        ref = cells[3].upper()
        alts = (
            []
            if cells[4] == "."
            else [a if a.startswith("<") or "[" in a or "]" in a else a.upper() for a in cells[4].split(",")]
        )
        if not ref or "" in alts:
            raise self._bad(where, "REF or an ALT is empty", "make the file again")
        local = [0, *(int(a) for a in call["LAA"].split(",") if a != ".")] if call.get("LAA") else None
        written = call.get("GT", "")
        text = written or call.get("LGT", "")
        gt = _genotype(text)
        if not written and local is not None and text:
            gt = [a if a is None else local[a] if 0 <= a < len(local) else -1 for a in gt]
        if any(a is not None and not 0 <= a <= len(alts) for a in gt):
            what = f"genotype {text} calls an allele the record does not have"
            raise self._bad(where, what, "make the file again")
        gq, source = _quality(call, self._gqx is not False)
        qual = None if cells[5] == "." else float(cells[5])
        ad = self._depths(where, call, alts, local)
        dp = _missing_or(call.get("DP", "."))
        if dp == MISSING and ad is None and not any(gt):
            dp = _missing_or(call.get("MIN_DP", "."))
        return Row(
            int(cells[1]), ref, alts, qual, _reasons(cells[6]), gt, dp, gq, ad, _reasons(call.get("FT", ".")), source
        )

    def _depths(self, where: str, call: dict[str, str], alts: list[str], local: list[int] | None) -> list[float] | None:
        """AD, a value an allele; from LAD where the row has local alleles (C1.7)."""
        n = 1 + len(alts)
        if call.get("AD", ".") != ".":
            ad = [_missing_or(a) for a in call["AD"].split(",")]
            if len(ad) == n - 1 and alts[-1] in UNSEEN:
                return [*ad, float(MISSING)]
            if len(ad) != n:
                self._alleles_short += 1
                self._first_short = self._first_short or where
                return None
            return ad
        if local is not None and call.get("LAD", ".") != ".":
            found = [float(MISSING)] * n
            depths = [_missing_or(a) for a in call["LAD"].split(",")]
            if max(local) >= n:
                what = f"LAA names allele {max(local)}, which the record does not have"
                raise self._bad(where, what, "make the file again")
            if len(depths) != len(local) and any(depth != MISSING for depth in depths):
                self._alleles_short += 1
                self._first_short = self._first_short or where
                return None
            for allele, depth in zip(local, depths, strict=False):
                found[allele] = depth
            return found
        return None

    def _finish(self) -> None:
        index = indexes.of_vcf(self.path)
        if index and self._indexed:
            indexes.hold(self.path, index, self.records)
        if self._alleles_short:
            what = "AD (LAD) has another number of values than the record (LAA) has alleles, "
            what += f"in {self._alleles_short} records"
            mend = "make the file again: bcftools norm keeps AD right where it is declared Number=R"
            raise self._bad(self._first_short, what, mend)


def _genotype(text: str) -> list[int | None]:
    """Allele numbers of GT; a phase before the first allele (VCF 4.4) says nothing of them. Empty text is no call."""
    alleles = text.replace("|", "/").lstrip("/").split("/")
    return [None if a in (".", "") else int(a) for a in alleles]


def _quality(call: Mapping[str, str], gqx: bool) -> tuple[float, int]:
    """(genotype quality, where it is from), by C1.7; MISSING where there is none."""
    gq = _missing_or(call.get("GQ", "."))
    if gq != MISSING:
        return gq, GQ_ITSELF
    for key in ("PL", "LPL"):
        values = call.get(key, ".").split(",")
        if len(values) > 1 and "." not in values:
            low, second, *_ = sorted(map(float, values))
            return min(second - low, float(MAX_GQ)), GQ_FROM_PL
    gq = _missing_or(call.get("GQX", ".")) if gqx else float(MISSING)
    return gq, GQ_FROM_GQX if gq != MISSING else GQ_NONE
