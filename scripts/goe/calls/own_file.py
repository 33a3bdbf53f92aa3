"""A gVCF or single-sample VCF as it came, a row of text at a time: reference blocks as arrays, all else row by row.

Most rows of a gVCF are reference blocks. A kernel reads those from the raw bytes; a row that lists an allele is parsed
in Python. Nothing is judged here: what a row means is told by goe.harmonise.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

import numba as nb
import numpy as np
from isal import igzip_threaded

from goe.calls.fields import MAX_GQ, TESTED
from goe.core.errors import GoeError, Problem
from goe.core.processes import reading
from goe.genome.alleles import UNSEEN
from goe.hts import bgzf, indexes, vcf_header
from goe.hts.bcf import BROKEN, END_OF_VECTOR, MISSING
from goe.hts.vcf_header import VcfHeader

# What is read of a row. The place in this list is the slot of a FORMAT key.
KEYS = (b"GT", b"DP", b"GQ", b"AD", b"MIN_DP", b"PL", b"FT", b"GQX", b"LEN", b"LAA", b"LAD", b"LPL", b"LGT")
_GT, _DP, _GQ, _AD, _MIN_DP, _PL, _FT, _GQX, _LEN, _LAA, _LAD, _LPL, _LGT = range(len(KEYS))

_CHUNK = 1 << 20
_ROWS = 1 << 14
_TABS = 9
# Why the kernel stopped before the end of what it was given.
_END, _FULL, _CONTIG, _FORMAT, _COLUMNS, _NUMBER, _ORDER = range(7)
# Where a quality was taken from.
GQ_ITSELF, GQ_FROM_PL, GQ_FROM_GQX, GQ_NONE = range(4)
QUALITY_SOURCES = ("GQ", "PL", "GQX")


@nb.njit(cache=True, nogil=True)
def _same(data: np.ndarray, start: int, stop: int, word: np.ndarray) -> bool:
    same = stop - start == word.size
    for i in range(word.size if same else 0):
        same &= data[start + i] == word[i]
    return same


@nb.njit(cache=True, nogil=True)
def _number(data: np.ndarray, start: int, stop: int) -> tuple[float, bool]:
    """(decimal number in data[start:stop], whether it is one); MISSING where it is `.` or nothing."""
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


@nb.njit(cache=True, nogil=True)
def _info(data: np.ndarray, start: int, stop: int, key: np.ndarray) -> tuple[float, bool]:
    """(value of an INFO key, whether it is a number); MISSING where the key is not there."""
    at = start
    while at < stop:
        end = at
        while end < stop and data[end] != 59:
            end += 1
        if end - at > key.size and data[at + key.size] == 61 and _same(data, at, at + key.size, key):
            return _number(data, at + key.size + 1, end)
        at = end + 1
    return np.float64(MISSING), True


@nb.njit(cache=True, nogil=True)
def _margin(data: np.ndarray, start: int, stop: int) -> tuple[float, bool]:
    """(second smallest less smallest of a list of likelihoods, whether there are two numbers and nothing else)."""
    low, second, n = np.inf, np.inf, 0
    at = start
    while at <= stop:
        end = at
        while end < stop and data[end] != 44:
            end += 1
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


@nb.njit(cache=True, nogil=True)
def _sum(data: np.ndarray, start: int, stop: int) -> tuple[float, bool]:
    """(sum of the numbers of a list, whether it is one); MISSING where there is none."""
    total, there = 0.0, False
    at = start
    while at <= stop:
        end = at
        while end < stop and data[end] != 44:
            end += 1
        value, good = _number(data, at, end)
        if not good:
            return np.float64(MISSING), False
        if value != MISSING:
            total += value
            there = True
        at = end + 1
    return (total if there else np.float64(MISSING)), True


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


class _Formats(NamedTuple):
    """FORMAT columns met so far: their bytes (n, longest) and lengths, and the slot of each of their keys, -1 for none
    that is wanted (n, most keys)."""

    table: np.ndarray
    lengths: np.ndarray
    slots: np.ndarray


class _Words(NamedTuple):
    end: np.ndarray
    min_dp: np.ndarray
    strelka_min_dp: np.ndarray
    passed: np.ndarray


def _bytes(text: bytes) -> np.ndarray:
    return np.frombuffer(text, np.uint8)


_WORDS = _Words(_bytes(b"END"), _bytes(b"MIN_DP"), _bytes(b"MinDP"), _bytes(b"PASS"))


@nb.njit(cache=True, nogil=True)
def _scan(
    data: np.ndarray,
    at: int,
    end: int,
    last_pos: Any,
    blocks: bool,
    contig: np.ndarray,
    formats: _Formats,
    words: _Words,
    offsets: np.ndarray,
    found: Blocks,
) -> tuple[int, int, int, int, int]:
    """Rows of data[at:end] until one needs Python. Returns (other rows, blocks, offset after them, last
    position, why it stopped).

    last_pos: of the row before, 0 for none; blocks: whether the file has reference blocks; contig: bytes of the current
    one.
    Filled: offsets int64 (n, 11) of every row that is no block, its start, the tabs after its columns, its end; found:
    `Blocks`.
    """
    table, lengths, slots = formats
    n_rows, n_blocks, last_format = 0, 0, 0
    tabs = np.empty(_TABS, np.int64)
    first, after = np.empty(len(KEYS), np.int64), np.empty(len(KEYS), np.int64)
    while at < end:
        if n_rows == offsets.shape[0] or n_blocks == found.first.size:
            return n_rows, n_blocks, at, last_pos, _FULL
        n_tabs, stop = 0, at
        while stop < end and data[stop] != 10:
            if data[stop] == 9:
                if n_tabs == _TABS:
                    return n_rows, n_blocks, at, last_pos, _COLUMNS
                tabs[n_tabs] = stop
                n_tabs += 1
            stop += 1
        if stop == end:
            return n_rows, n_blocks, at, last_pos, _END
        line_end = stop - 1 if stop > at and data[stop - 1] == 13 else stop
        if n_tabs < _TABS:
            return n_rows, n_blocks, at, last_pos, _COLUMNS
        if not _same(data, at, tabs[0], contig):
            return n_rows, n_blocks, at, last_pos, _CONTIG
        pos, good = _number(data, tabs[0] + 1, tabs[1])
        if not good or pos == MISSING:
            return n_rows, n_blocks, at, last_pos, _NUMBER
        if pos < last_pos:
            return n_rows, n_blocks, at, last_pos, _ORDER
        row = False
        alt = tabs[3] + 1
        if not blocks or not (tabs[4] - alt == 1 and data[alt] == 46):
            row = not blocks or data[alt] != 60
            for i in range(alt, tabs[4]):
                row |= data[i] == 44
        if not row:
            known = -1
            for turn in range(lengths.size):
                f = (last_format + turn) % lengths.size
                if _same(data, tabs[7] + 1, tabs[8], table[f, : lengths[f]]):
                    known = f
                    break
            if known < 0:
                return n_rows, n_blocks, at, last_pos, _FORMAT
            last_format = known
            first[:] = 0
            after[:] = 0
            j, value = 0, tabs[8] + 1
            while value <= line_end:
                value_end = value
                while value_end < line_end and data[value_end] != 58:
                    value_end += 1
                if j < slots.shape[1] and slots[known, j] >= 0:
                    first[slots[known, j]], after[slots[known, j]] = value, value_end
                j += 1
                value = value_end + 1
            alleles = 0
            a = b = np.int32(END_OF_VECTOR)
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
            offsets[n_rows, 0] = at
            offsets[n_rows, 1 : _TABS + 1] = tabs
            offsets[n_rows, _TABS + 1] = line_end
            n_rows += 1
            at = stop + 1
            last_pos = np.int64(pos)
            continue
        last, fine = _info(data, tabs[6] + 1, tabs[7], words.end)
        good &= fine
        if last == MISSING:
            length, fine = _number(data, first[_LEN], after[_LEN])
            good &= fine
            last = pos + (tabs[3] - tabs[2] - 1 if length == MISSING else length) - 1
        depth, fine = _number(data, first[_MIN_DP], after[_MIN_DP])
        good &= fine
        if depth == MISSING:
            depth, fine = _number(data, first[_DP], after[_DP])
            good &= fine
        if depth == MISSING:
            depth, fine = _info(data, tabs[6] + 1, tabs[7], words.min_dp)
            good &= fine
        if depth == MISSING:
            depth, fine = _info(data, tabs[6] + 1, tabs[7], words.strelka_min_dp)
            good &= fine
        if depth == MISSING and after[_AD] > first[_AD]:
            depth, fine = _sum(data, first[_AD], after[_AD])
            good &= fine
        quality, fine = _number(data, first[_GQ], after[_GQ])
        good &= fine
        where = GQ_ITSELF
        if quality == MISSING:
            where = GQ_NONE
            for slot in (_PL, _LPL):
                if where == GQ_NONE and after[slot] > first[slot]:
                    margin, fine = _margin(data, first[slot], after[slot])
                    if fine:
                        quality, where = min(margin, np.float64(MAX_GQ)), GQ_FROM_PL
            if where == GQ_NONE:
                quality, fine = _number(data, first[_GQX], after[_GQX])
                good &= fine
                if quality != MISSING:
                    where = GQ_FROM_GQX
        if not good:
            return n_rows, n_blocks, at, last_pos, _NUMBER
        found.first[n_blocks], found.last[n_blocks] = np.int64(pos), np.int64(last)
        found.gt[n_blocks, 0], found.gt[n_blocks, 1] = a, b
        found.dp[n_blocks, 0], found.gq[n_blocks, 0], found.source[n_blocks] = depth, quality, where
        ft = after[_FT] - first[_FT]
        found.ft_ok[n_blocks] = (
            ft == 0 or (ft == 1 and data[first[_FT]] == 46) or _same(data, first[_FT], after[_FT], words.passed)
        )
        n_blocks += 1
        at = stop + 1
        last_pos = np.int64(pos)
    return n_rows, n_blocks, at, last_pos, _END


@dataclass(slots=True)
class Row:
    """A row that is no reference block.

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


class Chunk(NamedTuple):
    """Rows of one contig, in the order of the file: blocks and others, each by position."""

    contig: str
    blocks: Blocks
    rows: list[Row]


def _missing_or(text: str) -> float:
    return float(MISSING) if text in ("", ".") else float(text)


def _reasons(text: str) -> str:
    return "." if text in ("", ".", "PASS") else text


class OwnFile:
    """Rows of the file of one person.

    path: a gVCF or VCF, in BGZF, or of any other kind that bcftools reads; sample: who the sheet says it is; contigs:
    those that are counted; rename: names in the file -> names in the reference; blocks: whether it is a gVCF; indexed:
    whether its index, where there is one, has to tell of as many records. `declared` are its FORMAT fields, known from
    the first row on. After the last row `records` is how many the file holds and `left_out` how many of them are on
    other contigs. GoeError with place and mend for what cannot be read, for rows that are not sorted, and for another
    person."""

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
        self._formats = _Formats(np.zeros((1, 1), np.uint8), np.array([-1]), np.full((1, 1), -1, np.int16))
        self._known: list[bytes] = []
        self._alleles_short = 0
        self._first_short = ""
        self._done: set[str] = set()

    def __iter__(self) -> Iterator[Chunk]:
        with self._opened() as stream:
            rest = self._header(stream)
            offsets, room = np.empty((_ROWS, _TABS + 2), np.int64), Blocks.room(_ROWS)
            contig, name, last = b"", "", 0
            ended = False
            while True:
                data = rest if ended else rest + self._read(stream)
                if len(data) == len(rest) and not ended:
                    ended = True
                    if data and not data.endswith(b"\n"):
                        data += b"\n"
                array, at = np.frombuffer(data, np.uint8), 0
                while True:
                    n, m, at, last, why = _scan(
                        array, at, len(data), last, self.blocks, _bytes(contig), self._formats, _WORDS, offsets, room
                    )
                    if why == _FORMAT:
                        # Before the rows: what the blocks have decides how these are read.
                        self._learn(data[at : data.index(b"\n", at)].split(b"\t")[8])
                    self.records += n + m
                    if n + m and name not in self.contigs:
                        self.left_out += n + m
                    elif n + m:
                        blocks = self._without_gqx(Blocks(*(column[:m].copy() for column in room)))
                        rows = [self._row(name, data, line) for line in offsets[:n].tolist()]
                        yield Chunk(name, blocks, rows)
                    if why == _END:
                        break
                    if why == _CONTIG:
                        contig = data[at : data.index(b"\t", at)]
                        name, last = self._named(contig), 0
                    elif why not in (_FULL, _FORMAT):
                        self._damaged(data[at : data.index(b"\n", at)], why)
                if ended:
                    break
                rest = data[at:]
        self._finish()

    @contextlib.contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        with Path(self.path).open("rb") as file:
            start = file.read(18)
            file.seek(-min(len(bgzf.EOF), Path(self.path).stat().st_size), 2)
            ended = file.read() == bgzf.EOF
        # A BGZF file of text; BCF and all else is told by bcftools.
        if start[:4] == b"\x1f\x8b\x08\x04" and start[12:14] == b"BC":
            if not ended:
                raise self._bad("its end", "has no BGZF end block: it was cut off", "copy or make the file again")
            with igzip_threaded.open(self.path, "rb", threads=1) as stream:
                bcf = self._read(stream, 3) == b"BCF"
            if not bcf:
                with igzip_threaded.open(self.path, "rb", threads=1) as stream:
                    yield stream
                return
        with reading("bcftools", "view", "--no-version", "-Ov", self.path) as stream:
            yield stream

    def _without_gqx(self, blocks: Blocks) -> Blocks:
        if self._gqx is False:
            taken = blocks.source == GQ_FROM_GQX
            blocks.gq[taken], blocks.source[taken] = MISSING, GQ_NONE
        return blocks

    def _read(self, stream: IO[bytes], size: int | None = None) -> bytes:
        try:
            return stream.read(size or _CHUNK)
        except BROKEN as error:
            raise self._bad(
                f"after {self._place}", f"truncated or damaged: {error}", "copy or make the file again"
            ) from error

    @property
    def _place(self) -> str:
        return f"{self.records} records" if self.records else "its header"

    def _bad(self, where: str, what: str, mend: str) -> GoeError:
        return GoeError(Problem(f"{self.path}, {where}", what, mend))

    def _header(self, stream: IO[bytes]) -> bytes:
        """Read the header; what was read beyond it."""
        data = b""
        at = 0
        lines: list[str] = []
        while True:
            stop = data.find(b"\n", at)
            if stop < 0:
                more = self._read(stream)
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

    def _learn(self, column: bytes) -> None:
        keys = column.split(b":")
        twice = [key.decode(errors="replace") for key in KEYS if keys.count(key) > 1]
        if twice:
            raise self._bad(f"after {self._place}", f"FORMAT has {', '.join(twice)} twice", "make the file again")
        if self._gqx is None:
            self._gqx = b"GQ" not in keys
        self._known.append(column)
        widest = max(len(c.split(b":")) for c in self._known)
        table = np.zeros((len(self._known), max(map(len, self._known))), np.uint8)
        slots = np.full((len(self._known), widest), -1, np.int16)
        for i, known in enumerate(self._known):
            table[i, : len(known)] = _bytes(known)
            for j, key in enumerate(known.split(b":")):
                if key in KEYS:
                    slots[i, j] = KEYS.index(key)
        self._formats = _Formats(table, np.array([len(c) for c in self._known]), slots)

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

    def _row(self, contig: str, data: bytes, line: list[int]) -> Row:
        start, *_, end = line
        cells = data[start:end].decode(errors="replace").split("\t")
        where = f"{contig or cells[0]}:{cells[1]}"
        keys, values = cells[8].split(":"), cells[9].split(":")
        call = dict(zip(keys, values, strict=False))
        if len(call) < min(len(keys), len(values)):
            raise self._bad(where, "its FORMAT has a key twice", "make the file again")
        try:
            return self._parsed(where, cells, call)
        except ValueError as error:
            raise self._number_problem(where) from error

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
        said = written or call.get("LGT", "")
        gt = _genotype(said)
        if not written and local is not None and said:
            gt = [a if a is None else local[a] if 0 <= a < len(local) else -1 for a in gt]
        if any(a is not None and not 0 <= a <= len(alts) for a in gt):
            what = f"genotype {said} calls an allele the record does not have"
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
