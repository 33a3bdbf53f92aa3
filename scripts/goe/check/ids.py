"""Whether ids of people stand anywhere in a release: for the country, which alone has the list, and for a run, which
has its sheet.

Every file is searched as it is; compressed and packed ones (gzip, Parquet, TAR, the look-up table) are also opened and
what is inside is searched. Ids of three letters or fewer, and those that are digits or bases only, cannot be told from
numbers and alleles and are left out. Short ids are not searched in compressed bytes, where they would turn up by
chance. Messages name the line of the list, never an id.

A run ends by searching its own release, and must not stop on what is no id. There, ids that stand in the code of goe
are left out as well, and those of fewer than 16 characters count only as words of their own: with neither a letter nor
a digit beside them, and in no base64.
"""

import base64
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from isal import igzip

from goe.check import pages
from goe.check.faults import safely
from goe.core import code_digest, tar
from goe.core.errors import GoeError, Problem
from goe.core.resources import ROOT
from goe.hts.kernels import jit
from goe.release import bounds, reading

SHORTEST = 4
# An id of 16 hexadecimal digits turns up in none of the digests of a release by chance.
_OWN_WORD = 16
# An id of this many bytes turns up by chance in less than one of 10^9 releases of 10 GB.
LONG = 8
_PIECE = 4 << 20
_ROWS = 1 << 16
_SHOWN = 10
_PLAIN = re.compile(r"[0-9.+-]+(?:E[0-9+-]+)?|[ACGTN]+", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{64,}={0,2}")


@dataclass(frozen=True)
class Wanted:
    """Ids to look for. lines: id -> line of the list. left_out: how many ids are not looked for. words: whether shorter
    ones count only as words of their own."""

    lines: dict[bytes, int]
    left_out: int
    short: np.ndarray
    long: np.ndarray
    words: bool = False

    @property
    def longest(self) -> int:
        return max(map(len, self.lines), default=0)


def read(path: str | Path) -> Wanted:
    """The ids of a list: one a line, or the column sample_id of a table with tabs.

    GoeError when there is no list or none of its ids can be looked for.
    """
    lines, left_out = _listed(path)
    if not lines:
        what = f"has no id that can be looked for ({left_out} are too short, or digits or bases only)"
        raise GoeError(Problem(str(path), what, "give a file with an id a line"))
    return _wanted(lines, left_out)


def of_run(path: str | Path) -> Wanted:
    """The ids of a table of people of a run, for its own release."""
    lines, left_out = _listed(path)
    search = Search(_wanted(lines, 0, words=True))
    code = (name for name in code_digest.files() if not name.startswith("scripts/goe/demo/"))
    known = search.lines(b"\n" + (ROOT / name).read_bytes() for name in code) if lines else set()
    others = {name: line for name, line in lines.items() if line not in known}
    return _wanted(others, left_out + len(lines) - len(others), words=True)


def _listed(path: str | Path) -> tuple[dict[bytes, int], int]:
    """Lines of the ids of a list that can be looked for, and how many cannot."""
    with reading.reading(path):
        rows = Path(path).read_text(encoding="utf-8-sig").splitlines()
    if not rows:
        raise GoeError(Problem(str(path), "is empty", "give a file with an id a line"))
    columns = rows[0].split("\t")
    column = columns.index("sample_id") if "sample_id" in columns else 0
    lines: dict[bytes, int] = {}
    left_out = 0
    for number, row in enumerate(rows, 1):
        cells = row.split("\t")
        name = cells[column].strip() if column < len(cells) else ""
        if not name or (number == 1 and name == "sample_id"):
            continue
        if len(name) < SHORTEST or _PLAIN.fullmatch(name):
            left_out += 1
        else:
            lines.setdefault(name.encode(), number)
    return lines, left_out


def _wanted(lines: dict[bytes, int], left_out: int, words: bool = False) -> Wanted:
    return Wanted(lines, left_out, _ends(lines, SHORTEST, LONG), _ends(lines, LONG, 1 << 30), words)


def _ends(lines: Iterable[bytes], least: int, most: int) -> np.ndarray:
    """The last 4 or 8 bytes of the ids of `least` to below `most` bytes, as numbers, uint64, sorted."""
    width = min(least, LONG)
    some = {int.from_bytes(name[-width:], "little") for name in lines if least <= len(name) < most}
    return np.array(sorted(some), dtype=np.uint64)


@jit
def _among(values: np.ndarray, one: np.uint64) -> bool:
    low, high = 0, values.size
    while low < high:
        middle = (low + high) // 2
        if values[middle] < one:
            low = middle + 1
        else:
            high = middle
    return low < values.size and values[low] == one


@jit
def _mark(bits: np.ndarray, values: np.ndarray) -> None:
    for value in values:
        h = (value * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(44)
        bits[h >> np.uint64(6)] |= np.uint64(1) << (h & np.uint64(63))


@jit
def _search(data: np.ndarray, short: np.ndarray, long: np.ndarray, bits: np.ndarray, out: np.ndarray) -> int:
    """Places just behind the last bytes of an id, at most as many as `out` holds; how many there are."""
    window, found = np.uint64(0), 0
    for i in range(data.size):
        window = (window >> np.uint64(8)) | (np.uint64(data[i]) << np.uint64(56))
        hit = False
        if short.size and i >= 3:
            four = window >> np.uint64(32)
            h = (four * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(44)
            hit = (bits[h >> np.uint64(6)] >> (h & np.uint64(63))) & np.uint64(1) and _among(short, four)
        if not hit and long.size and i >= 7:
            h = (window * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(44)
            hit = (bits[h >> np.uint64(6)] >> (h & np.uint64(63))) & np.uint64(1) and _among(long, window)
        if hit:
            if found < out.size:
                out[found] = i + 1
            found += 1
    return found


class Search:
    """Looks for the ids in streams of bytes."""

    def __init__(self, wanted: Wanted):
        self.wanted = wanted
        self.nothing = np.zeros(0, dtype=np.uint64)
        self.bits = np.zeros(1 << 14, dtype=np.uint64)
        for values in (wanted.short, wanted.long):
            _mark(self.bits, values)
        self.by_end: dict[bytes, list[bytes]] = {}
        for name in wanted.lines:
            width = LONG if len(name) >= LONG else SHORTEST
            self.by_end.setdefault(name[-width:], []).append(name)

    def lines(self, pieces: Iterable[bytes], short: bool = True) -> set[int]:
        """Lines of the list whose ids stand in what the pieces are together. short: also ids of 4 to 7 bytes."""
        found: set[int] = set()
        # With what stands before and behind an id that ends with a piece.
        tail, kept = b"", self.wanted.longest + 2
        first = True
        for piece in pieces:
            data = tail + bytes(piece)
            found |= self._in(data, short, first, last=False)
            tail, first = data[-kept:], first and len(data) <= kept
        return found | self._in(tail, short, first, last=True)

    def _in(self, data: bytes, short: bool, first: bool, last: bool) -> set[int]:
        """first, last: whether the stream begins and ends with `data`."""
        array = np.frombuffer(data, np.uint8)
        few = self.wanted.short if short else self.nothing
        out = np.empty(1 << 12, dtype=np.int64)
        n = _search(array, few, self.wanted.long, self.bits, out)
        if n > out.size:
            out = np.empty(n, dtype=np.int64)
            _search(array, few, self.wanted.long, self.bits, out)
        lines = set()
        for end in out[:n].tolist():
            for width in (SHORTEST, LONG):
                for name in self.by_end.get(data[max(0, end - width) : end], ()):
                    start = end - len(name)
                    if not (short or len(name) >= LONG) or data[max(0, start) : end] != name:
                        continue
                    if not self.wanted.words or len(name) >= _OWN_WORD or _is_word(data, start, end, first, last):
                        lines.add(self.wanted.lines[name])
        return lines


def _is_word(data: bytes, start: int, end: int, first: bool, last: bool) -> bool:
    """Whether start..end of a stream has no letter and no digit beside it. Where a piece of the stream begins or ends
    with it, that is told with the piece beside."""
    before = not data[start - 1 : start].isalnum() if start else first
    behind = not data[end : end + 1].isalnum() if end < len(data) else last
    return before and behind


def check(root: Path, names: Iterable[str], wanted: Wanted, listed: str) -> list[Problem]:
    """Files and folders (relative to root) that hold an id. listed: name of the list, for the messages."""
    search = Search(wanted)
    problems: list[Problem] = []
    for name in names:
        problems += safely(str(root / name), partial(_file, search, root / name, name, listed))
    return problems


def _file(search: Search, path: Path, name: str, listed: str) -> list[Problem]:
    found: dict[str, set[int]] = {}
    for where, pieces, short in _contents(path, name, search.wanted.words):
        if lines := search.lines(pieces, short):
            found.setdefault(where, set()).update(lines)
    problems = []
    for where, lines in found.items():
        numbers = ", ".join(map(str, sorted(lines)[:_SHOWN])) + (", ..." if len(lines) > _SHOWN else "")
        what = f"holds {len(lines)} of the ids of {listed}: line {numbers}"
        problems.append(Problem(where, what, "do not pass the release on: find out how they came in"))
    return problems


def _pieces(handle: IO[bytes]) -> Iterator[bytes]:
    while piece := handle.read(_PIECE):
        yield piece


def _contents(path: Path, name: str, words: bool) -> Iterator[tuple[str, Iterable[bytes], bool]]:
    """What of a file is searched: (where, bytes, whether also for short ids). words: as in `Wanted`."""
    yield f"name of {path}", [os.fsencode(name)], True
    if path.is_dir():
        return
    packed = path.suffix in (".gz", ".tbi", ".parquet", ".tar", ".c4gh")
    with reading.reading(path):
        page = path.suffix in (".html", ".js")
        with path.open("rb") as handle:
            yield str(path), _pieces(handle), not packed and not (words and page)
        if path.suffix in (".gz", ".tbi"):
            with igzip.open(path, "rb") as handle:
                yield f"{path} (decompressed)", _pieces(handle), True
        elif path.suffix == ".parquet":
            yield str(path), _parquet(reading.mapped(path), str(path)), True
        elif path.suffix == ".tar":
            yield from _members(path)
        elif page:
            text = path.read_text(encoding="utf-8")
            if words:
                yield str(path), [_BASE64.sub(" ", text).encode()], True
            yield f"{path} look-up table", _unpacked(text, str(path)), True


def _parquet(content: pa.Buffer, where: str) -> Iterator[bytes]:
    """Names, metadata and every distinct text of a Parquet file."""
    about = pages.check(content, where, bounds.CHUNKS, bounds.ALLELES * bounds.STRATA)
    schema = about.schema.to_arrow_schema()
    yield "\n".join([*schema.names, about.created_by or ""]).encode()
    for key, value in (about.metadata or {}).items():
        yield b"\n" + key + b"\n" + value + b"\n"
    texts = [field.name for field in schema if field.type in (pa.string(), pa.large_string(), pa.binary())]
    with pq.ParquetFile(pa.BufferReader(content), read_dictionary=texts, pre_buffer=False) as file:
        for batch in file.iter_batches(_ROWS, columns=texts):
            for column in batch.columns:
                values = column.dictionary.cast(pa.binary())
                whole = pa.ListArray.from_arrays(pa.array([0, len(values)], pa.int32()), values)
                yield b"\n" + (pc.binary_join(whole, b"\n")[0].as_py() or b"") + b"\n"


def _members(path: Path) -> Iterator[tuple[str, Iterable[bytes], bool]]:
    content = reading.mapped(path)
    for entry in tar.members(memoryview(content), str(path), bounds.ENTRIES):
        where = f"{path}/{entry.name}"
        yield where, [content.slice(entry.at, entry.content - entry.at).to_pybytes()], True
        part = content.slice(entry.content, entry.size)
        yield where, _parquet(part, where) if entry.name.endswith(".parquet") else _pieces(pa.BufferReader(part)), True


def _unpacked(text: str, where: str) -> Iterator[bytes]:
    for match in _BASE64.finditer(text):
        chunk = zlib.decompressobj()
        try:
            rest, left = base64.b64decode(match[0], validate=True), bounds.lookup_chunk(bounds.STRATA)
            while rest and not chunk.eof:
                piece = chunk.decompress(rest, _PIECE)
                yield piece
                rest, left = chunk.unconsumed_tail, left - len(piece)
                if left < 0:
                    raise GoeError(Problem(where, "has a chunk that unpacks to more than one has", "get it again"))
        except (ValueError, zlib.error):
            continue
