"""Records of a BCF stream as raw bytes: the site fields are parsed, the FORMAT vectors stay where they are.

The layout is that of the VCF 4.3 specification, section 6.3 (BCF2). Only what the workflow needs is read;
everything is checked against the record's own lengths, so a damaged record is an error and not a wrong number.
"""

import gzip
import os
import re
import struct
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BufferedIOBase, BufferedReader
from pathlib import Path
from typing import IO, Any

import numpy as np
from isal import igzip, igzip_threaded, isal_zlib

from goe.core.errors import GoeError, Problem
from goe.core.processes import Poured, Pourings, roomy
from goe.hts import bgzf, vcf_header
from goe.hts.kernels import jit

MISSING = np.iinfo(np.int32).min
END_OF_VECTOR = MISSING + 1

_INT_TYPES = {1: np.int8, 2: np.int16, 3: np.int32}
_FLOAT_MISSING, _FLOAT_END = 0x7F800001, 0x7F800002
BROKEN: tuple[type[Exception], ...] = (EOFError, gzip.BadGzipFile, isal_zlib.error)  # type: ignore[assignment]
# Integers of kernels: int64, which mypy holds apart from int.
_Int = Any
_IDX = re.compile(r",IDX=[0-9]+(?=>$)")
_MAX_RECORD = 1 << 31
# Bytes read at once; a record that is longer gets a buffer of its own.
_CHUNK = 1 << 19
_ROWS = 4096


@dataclass
class Header:
    """What the header of a BCF says of its records: samples in order, contigs and dictionary by number, FILTER lines by
    id as a VCF has them, ids of FORMAT."""

    samples: list[str]
    contigs: dict[int, str]
    strings: dict[int, str]
    filters: dict[str, str]
    formats: set[str]

    @classmethod
    def parse(cls, text: str) -> "Header":
        found = vcf_header.parse(text.rstrip("\0\n").split("\n"))
        filters = {one.id: _IDX.sub("", one.line) for one in found.of("FILTER").values() if one.id != "PASS"}
        return cls(found.samples, found.contig_numbers(), found.strings(), filters, {*found.of("FORMAT")})


@dataclass(slots=True)
class Record:
    """One BCF record. pos is 1-based; floats of `info` are those asked for that are present.

    raw: the record's bytes, lengths included, as its file has them; empty for one that was made here.
    """

    contig: str
    pos: int
    qual: float | None
    ref: str
    alts: list[str]
    filters: list[str]
    info: dict[str, float]
    formats: dict[str, np.ndarray] = field(default_factory=dict)
    raw: memoryview | bytes = b""

    @property
    def where(self) -> str:
        return f"{self.contig}:{self.pos}"


# Faults that `_walk` finds in a record.
_LENGTHS, _PEOPLE, _SITE_END, _INDIVIDUAL, _TYPE, _UNDECLARED, _TWICE = range(1, 8)
_FAULTS = {
    _LENGTHS: "impossible lengths",
    _PEOPLE: "another number of people than the header has",
    _SITE_END: "its site fields do not fill their length",
    _INDIVIDUAL: "its FORMAT fields do not fit their length",
    _TWICE: "one of its FORMAT fields stands there twice",
    _TYPE: "a value of a type that BCF does not have there",
    _UNDECLARED: "a contig, FILTER, INFO or FORMAT that the header does not declare",
}
# Columns of the rows that `_walk` fills: offsets into the data, but for the number of alleles.
_START, _END, _ALLELES, _N_ALLELES, _FILTERS, _FILTERS_END, _N_FILTERS = range(7)
_NOT_WANTED, _NOT_DECLARED = -1, -2


@jit
def _integer(data: np.ndarray, at: _Int, size: _Int) -> _Int:
    """Signed little-endian integer of `size` bytes."""
    value = np.int64(0)
    for i in range(size):
        value |= np.int64(data[at + i]) << (8 * i)
    sign = np.int64(1) << (8 * size - 1)
    return (value ^ sign) - sign


@jit
def _typed(data: np.ndarray, at: _Int, end: _Int, vectors: _Int) -> tuple[_Int, _Int, _Int, _Int]:
    """(type, values in a vector, offset of the first, offset after the last) of `vectors` typed vectors.

    Type -1 when it is none of BCF or they do not end by `end`.
    """
    bad = (np.int64(-1), np.int64(0), at, at)
    if at >= end:
        return bad
    kind, n = np.int64(data[at]) & 15, np.int64(data[at]) >> 4
    at += 1
    if n == 15:
        if at >= end or data[at] >> 4 != 1 or not 1 <= data[at] & 15 <= 3:
            return bad
        size = np.int64(1) << ((np.int64(data[at]) & 15) - 1)
        if at + 1 + size > end:
            return bad
        n = _integer(data, at + 1, size)
        at += 1 + size
    if kind == 0:
        size = np.int64(0)
    elif kind == 1 or kind == 7:
        size = np.int64(1)
    elif kind == 2:
        size = np.int64(2)
    elif kind == 3 or kind == 5:
        size = np.int64(4)
    else:
        return bad
    if n < 0 or at + n * size * vectors > end:
        return bad
    return kind, n, at, at + n * size * vectors


@jit
def _slot(data: np.ndarray, at: _Int, end: _Int, slots: np.ndarray) -> tuple[_Int, _Int]:
    """(what `slots` has for the dictionary key at data[at], offset after it)."""
    kind, n, first, after = _typed(data, at, end, 1)
    if n != 1 or kind < 1 or kind > 3:
        return np.int64(_NOT_DECLARED), at
    number = _integer(data, first, after - first)
    if number < 0 or number >= slots.size:
        return np.int64(_NOT_DECLARED), at
    return np.int64(slots[number]), after


@jit
def _walk(
    data: np.ndarray,
    begin: _Int,
    end: _Int,
    people: _Int,
    contigs: np.ndarray,
    info_slots: np.ndarray,
    format_slots: np.ndarray,
    rows: np.ndarray,
    bits: np.ndarray,
    kinds: np.ndarray,
    formats: np.ndarray,
) -> tuple[_Int, _Int, _Int]:
    """Where the whole records of data[begin:end] are and what they hold; everything is checked against their lengths.

    contigs: bool by contig number, whether it is declared. info_slots, format_slots: int16 by dictionary number, the
    place of a wanted key, else _NOT_WANTED or _NOT_DECLARED. Filled for each record: rows int64 (n, 7); bits int32
    (n, 1 + INFO keys wanted), QUAL and the first value of each, as stored; kinds uint8 of the same shape, their BCF
    types, 0 for none; formats int64 (n, FORMAT keys wanted, 3), offset, type and values a person.
    Returns (records, offset after the last, fault of the next one or 0).
    """
    n = 0
    while n < rows.shape[0] and begin + 8 <= end:
        shared = np.int64(_integer(data, begin, 4))
        individual = np.int64(_integer(data, begin + 4, 4))
        if shared < 24 or individual < 0 or shared + individual > _MAX_RECORD:
            return n, begin, _LENGTHS
        at = begin + 8
        site_end = at + shared
        record_end = site_end + individual
        if record_end > end:
            break
        contig = _integer(data, at, 4)
        n_alleles, n_info = _integer(data, at + 18, 2) & 0xFFFF, _integer(data, at + 16, 2) & 0xFFFF
        n_formats, samples = _integer(data, at + 23, 1) & 0xFF, _integer(data, at + 20, 4) & 0xFFFFFF
        if samples != people:
            return n, begin, _PEOPLE
        if contig < 0 or contig >= contigs.size or not contigs[contig]:
            return n, begin, _UNDECLARED
        kinds[n] = 0
        formats[n] = 0
        kinds[n, 0] = 5
        bits[n, 0] = _integer(data, at + 12, 4)
        kind, _, _, at = _typed(data, at + 24, site_end, 1)
        rows[n, _START], rows[n, _END], rows[n, _ALLELES], rows[n, _N_ALLELES] = begin, record_end, at, n_alleles
        for _ in range(n_alleles):
            if kind != 7 and kind != 0:
                return n, begin, _TYPE
            kind, _, _, at = _typed(data, at, site_end, 1)
        if kind != 7 and kind != 0:
            return n, begin, _TYPE
        kind, values, first, at = _typed(data, at, site_end, 1)
        if kind < 0 or kind > 3:
            return n, begin, _TYPE
        rows[n, _FILTERS], rows[n, _FILTERS_END], rows[n, _N_FILTERS] = first, at, values if kind else 0
        for i in range(values if kind else 0):
            size = (at - first) // values
            number = _integer(data, first + i * size, size)
            if number < 0 or number >= info_slots.size or info_slots[number] == _NOT_DECLARED:
                return n, begin, _UNDECLARED
        for _ in range(n_info):
            slot, at = _slot(data, at, site_end, info_slots)
            if slot == _NOT_DECLARED:
                return n, begin, _UNDECLARED
            kind, values, first, at = _typed(data, at, site_end, 1)
            if kind < 0:
                return n, begin, _TYPE
            if slot >= 0 and values and (kind == 5 or 1 <= kind <= 3):
                bits[n, 1 + slot] = _integer(data, first, (at - first) // values)
                kinds[n, 1 + slot] = kind
        if at != site_end:
            return n, begin, _SITE_END
        for _ in range(n_formats):
            slot, at = _slot(data, at, record_end, format_slots)
            if slot == _NOT_DECLARED:
                return n, begin, _UNDECLARED
            kind, values, first, at = _typed(data, at, record_end, people)
            if kind < 0:
                return n, begin, _INDIVIDUAL
            if slot >= 0 and formats[n, slot, 0]:
                return n, begin, _TWICE
            if slot >= 0:
                formats[n, slot, 0], formats[n, slot, 1], formats[n, slot, 2] = first, kind, values
        if at != record_end:
            return n, begin, _INDIVIDUAL
        begin = record_end
        n += 1
    return n, begin, 0


def _slots(strings: dict[int, str], wanted: tuple[str, ...]) -> np.ndarray:
    slots = np.full(1 + max(strings), _NOT_DECLARED, np.int16)
    for number, name in strings.items():
        slots[number] = wanted.index(name) if name in wanted else _NOT_WANTED
    return slots


def _text(data: memoryview, at: int) -> tuple[str, int]:
    """The typed string at `at`, which `_walk` has checked, and the offset after it."""
    n = data[at] >> 4
    at += 1
    if n == 15:
        size = 1 << (data[at] & 15) - 1
        n = int.from_bytes(data[at + 1 : at + 1 + size], "little", signed=True)
        at += 1 + size
    return str(data[at : at + n], "utf-8").rstrip("\0"), at + n


_CONTIG_POS = struct.Struct("<ii")
_SITE_FIELDS = struct.Struct("<iiiIII")


class Reader:
    """Records of an uncompressed BCF stream.

    stream: binary file object; name: what error messages call it (a file name, no person's id).
    info: INFO keys wanted as floats; formats: FORMAT keys wanted, each as its raw array of shape
    (people, values) and of the integer type it is stored with (a string field: bytes, shape (people,); a float field:
    float64 with the special values of int32).
    The arrays are views of what was read and stay valid as long as they are held. `last` is where the last record
    was, `records` how many there were.
    """

    def __init__(self, stream: BufferedIOBase, name: str, info: tuple[str, ...] = (), formats: tuple[str, ...] = ()):
        self.stream = stream
        self.name = name
        self._info, self._formats = info, formats
        self._broken = ""
        magic = self._exactly(9)
        if magic[:5] != b"BCF\2\2":
            raise GoeError(Problem(name, "is not a BCF 2.2 stream", "see the message of bcftools above"))
        text = self._exactly(struct.unpack("<I", magic[5:])[0])
        try:
            self.header = Header.parse(str(text, "utf-8", "replace"))
        except ValueError as error:
            raise self._damaged(f"damaged header: {error}") from error
        self.people = len(self.header.samples)
        self.last = "its header"
        self.records = 0
        # Called after the last record: whoever made the stream may still know that it is not whole.
        self.finish: Callable[[], None] = lambda: None
        self._filters: dict[bytes, list[str]] = {}

    def _into(self, room: memoryview) -> int:
        """Bytes read; 0 at the end, and where the compressed stream is cut off or damaged."""
        if self._broken:
            return 0
        try:
            # One read at a time: `readinto` would lose what came before the damage.
            return self.stream.readinto1(room)
        except BROKEN as error:
            self._broken = f": {error}"
            return 0

    def _damaged(self, what: str) -> GoeError:
        return GoeError(Problem(self.name, what, "copy or make the file again"))

    def _exactly(self, n: int) -> bytearray:
        # In pieces: a damaged length must not ask for gigabytes at once.
        data = bytearray()
        while len(data) < n:
            piece = bytearray(min(n - len(data), _CHUNK))
            got = self._into(memoryview(piece))
            if not got:
                raise self._damaged(f"truncated or damaged in its header{self._broken}")
            data += piece[:got]
        return data

    def __iter__(self) -> Iterator[Record]:
        strings = self.header.strings
        contigs = np.zeros(1 + max(self.header.contigs, default=0), np.bool_)
        contigs[list(self.header.contigs)] = True
        info_slots, format_slots = _slots(strings, self._info), _slots(strings, self._formats)
        rows = np.empty((_ROWS, 7), np.int64)
        bits = np.empty((_ROWS, 1 + len(self._info)), np.int32)
        kinds = np.empty(bits.shape, np.uint8)
        formats = np.empty((_ROWS, len(self._formats), 3), np.int64)
        rest, ended = memoryview(b""), False
        while not ended:
            size = max(_CHUNK, 8 + (sum(struct.unpack("<II", rest[:8])) if len(rest) >= 8 else 0))
            # A new buffer every time: records that are still in use keep theirs.
            buffer = np.empty(size, np.uint8)
            data = buffer.data
            data[: len(rest)] = rest
            end = len(rest)
            while end < size and not ended:
                got = self._into(data[end:])
                ended, end = not got, end + got
            begin, n, fault = 0, _ROWS, 0
            while n == _ROWS and not fault:
                n, begin, fault = _walk(
                    buffer, begin, end, self.people, contigs, info_slots, format_slots, rows, bits, kinds, formats
                )
                for record in self._records(buffer, data, n, rows, bits, kinds, formats):
                    self.last = record.where
                    self.records += 1
                    yield record
            if fault:
                raise self._damaged(f"damaged record after {self.last}: {_FAULTS[fault]}")
            rest = data[begin:end]
        if rest or self._broken:
            raise self._damaged(f"truncated or damaged after {self.last}{self._broken}")
        self.finish()

    def _records(
        self,
        buffer: np.ndarray,
        data: memoryview,
        n: int,
        rows: np.ndarray,
        bits: np.ndarray,
        kinds: np.ndarray,
        formats: np.ndarray,
    ) -> Iterator[Record]:
        """The first n records of what `_walk` found."""
        numbers = np.where(kinds[:n] == 5, bits[:n].view(np.float32), bits[:n].astype(np.float64))
        none = kinds[:n] == 0
        for kind, missing in ((1, -(1 << 7)), (2, -(1 << 15)), (3, MISSING), (5, _FLOAT_MISSING)):
            none |= (kinds[:n] == kind) & (bits[:n] == missing)
        present = ~none
        contigs = self.header.contigs
        for row, values, has_value, vectors in zip(
            rows[:n].tolist(), numbers.tolist(), present.tolist(), formats[:n].tolist(), strict=True
        ):
            start, end, at, n_alleles, *filters = row
            alleles = []
            for _ in range(n_alleles):
                allele, at = _text(data, at)
                alleles.append(allele)
            rid, pos = _CONTIG_POS.unpack_from(data, start + 8)
            yield Record(
                contigs[rid],
                pos + 1,
                values[0] if has_value[0] else None,
                alleles[0] if alleles else "",
                alleles[1:],
                self._filter_names(data, *filters),
                {key: values[i] for i, key in enumerate(self._info, 1) if has_value[i]},
                {
                    key: self._vector(buffer, vector)
                    for key, vector in zip(self._formats, vectors, strict=True)
                    if vector[1] in _INT_TYPES or (vector[1] in (5, 7) and vector[2])
                },
                data[start:end],
            )

    def _filter_names(self, data: memoryview, first: int, after: int, n: int) -> list[str]:
        stored = bytes(data[first:after])
        if stored not in self._filters:
            size = len(stored) // n if n else 1
            numbers = (stored[i : i + size] for i in range(0, len(stored), size))
            self._filters[stored] = [self.header.strings[int.from_bytes(x, "little", signed=True)] for x in numbers]
        return self._filters[stored]

    def _vector(self, buffer: np.ndarray, vector: list[int]) -> np.ndarray:
        at, kind, n = vector
        if kind == 7:
            return buffer[at : at + n * self.people].view(f"S{n}")
        if kind == 5:
            bits = buffer[at : at + 4 * n * self.people].view(np.uint32).reshape(self.people, n)
            with np.errstate(invalid="ignore"):
                numbers = bits.view(np.float32).astype(np.float64)
            numbers[np.isnan(numbers)] = MISSING
            numbers[bits == _FLOAT_END] = END_OF_VECTOR
            return numbers
        size = np.dtype(_INT_TYPES[kind]).itemsize
        stored = buffer[at : at + size * n * self.people].view(_INT_TYPES[kind]).reshape(self.people, n)
        # Copied where it may lie across words: a kernel is compiled once for each type, and alignment is part of it.
        return stored if size == 1 else stored.copy()


class Writer:
    """Uncompressed BCF stream of GT-only records (and further FORMAT vectors, int8 or strings).

    contigs: name -> length; filters: id -> header line; info: id -> (Type, Description), Number 1;
    formats: id -> (Number, Type, Description).
    """

    def __init__(
        self,
        stream: IO[bytes],
        samples: list[str],
        contigs: dict[str, int],
        filters: dict[str, str],
        info: dict[str, tuple[str, str]],
        formats: dict[str, tuple[int, str, str]],
    ):
        self.stream = stream
        self._rid = {name: i for i, name in enumerate(contigs)}
        self._filter = {"PASS": 0}
        self._key: dict[str, int] = {}
        lines = ["##fileformat=VCFv4.3", '##FILTER=<ID=PASS,Description="All filters passed",IDX=0>']
        for name in sorted(filters):
            index = len(self._filter) + len(self._key)
            self._filter[name] = index
            lines.append(f"{filters[name][:-1]},IDX={index}>")
        taken = dict(self._filter)
        for name, (kind, text) in info.items():
            index = self._key[name] = taken.setdefault(name, len(taken))
            lines.append(f'##INFO=<ID={name},Number=1,Type={kind},Description="{text}",IDX={index}>')
        for name, (number, kind, text) in formats.items():
            index = self._key[name] = taken.setdefault(name, len(taken))
            lines.append(f'##FORMAT=<ID={name},Number={number},Type={kind},Description="{text}",IDX={index}>')
        self._typed_key = {name: _typed_integers([index]) for name, index in self._key.items()}
        self._integers = {name for name, (kind, _) in info.items() if kind == "Integer"}
        lines += [f"##contig=<ID={n},length={length},IDX={i}>" for i, (n, length) in enumerate(contigs.items())]
        columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples]
        text = "\n".join([*lines, "\t".join(columns)]) + "\n"
        self._header = Header.parse(text)
        self.people = len(samples)
        stream.write(b"BCF\2\2" + struct.pack("<I", len(text.encode()) + 1) + text.encode() + b"\0")

    def speaks_as(self, header: Header) -> bool:
        """Whether the bytes of a record of a file with this header mean the same in this one."""
        own = self._header
        return (header.samples, header.contigs, header.strings) == (own.samples, own.contigs, own.strings)

    def write(self, record: Record) -> None:
        """Write one record; an array of `record.formats` is int8 of shape (people, values), or bytes (people,)."""
        body = b"\x07" + b"".join(_typed_string(a) for a in (record.ref, *record.alts))
        body += _typed_integers([self._filter[f] for f in record.filters])
        for key, value in record.info.items():
            packed = _typed_integers([int(value)]) if key in self._integers else b"\x15" + struct.pack("<f", value)
            body += self._typed_key[key] + packed
        parts: list[bytes | memoryview] = []
        for key, vector in record.formats.items():
            text = vector.dtype.kind == "S"
            described = _descriptor(7, vector.itemsize) if text else _descriptor(1, vector.shape[1])
            parts += [self._typed_key[key] + described, vector.view(np.uint8).data.cast("B")]
        site = _SITE_FIELDS.pack(
            self._rid[record.contig],
            record.pos - 1,
            len(record.ref),
            _FLOAT_MISSING if record.qual is None else struct.unpack("<I", struct.pack("<f", record.qual))[0],
            (1 + len(record.alts)) << 16 | len(record.info),
            len(record.formats) << 24 | self.people,
        )
        lengths = struct.pack("<II", len(site) + len(body), sum(map(len, parts)))
        self.stream.write(lengths + site + body)
        for part in parts:
            self.stream.write(part)

    def copy(self, record: Record) -> None:
        """Write a record as the file it was read from has it, which `speaks_as` this one."""
        self.stream.write(record.raw)


def _descriptor(kind: int, n: int) -> bytes:
    return bytes([n << 4 | kind]) if n < 15 else bytes([0xF0 | kind]) + _typed_integers([n])


def _typed_string(text: str) -> bytes:
    data = text.encode()
    return _descriptor(7, len(data)) + data


def _typed_integers(values: list[int]) -> bytes:
    if not values:
        return b"\x00"
    low, high = min(values), max(values)
    for kind in _INT_TYPES:
        size = 1 << kind - 1
        # The eight lowest values of each width are reserved (missing, end of vector, ...).
        if 8 - (1 << 8 * size - 1) <= low and high < 1 << 8 * size - 1:
            return _descriptor(kind, len(values)) + b"".join(v.to_bytes(size, "little", signed=True) for v in values)
    raise ValueError(f"{low}..{high} does not fit a BCF integer")


def unpacked(stream: BufferedReader) -> BufferedIOBase:
    """The bytes of a BCF stream. `bcftools view -Ou` of 1.16 writes them bare, that of 1.24 in BGZF blocks."""
    return igzip.IGzipFile(fileobj=stream) if bgzf.is_packed(stream.peek(2)) else stream


def _packed_bcf(path: Path) -> bool:
    """Whether the path is a regular file that holds BCF in BGZF blocks; GoeError when its last block is not there."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        if not bgzf.begins(file.read(18)):
            return False
        file.seek(0)
        try:
            with igzip.IGzipFile(fileobj=file) as inner:
                if inner.read(3) != b"BCF":
                    return False
        except BROKEN:
            return False
        if not bgzf.is_ended(file):
            raise GoeError(Problem(str(path), *bgzf.UNENDED))
    return True


class open_bcf:
    """Context manager: a Reader over a VCF or BCF, a file of any compression or what is poured into a pipe.

    BCF in BGZF blocks is inflated here, in a thread of its own; all else is decoded by `bcftools view`.
    arguments: further arguments of `bcftools view`, such as `--regions`. On leaving, a bcftools that failed
    is an error: a damaged file never passes for a short one.
    """

    def __init__(self, path: str | Poured, *arguments: str, info: tuple[str, ...] = (), formats: tuple[str, ...] = ()):
        self._path = str(path)
        self._command = ["bcftools", "view", "--no-version", "-Ou", *arguments, path]
        self._pourings = Pourings()
        self._wanted = {"info": info, "formats": formats}
        self._process: subprocess.Popen | None = None
        self._direct = not arguments and isinstance(path, str | os.PathLike)

    def __enter__(self) -> Reader:
        if self._direct and _packed_bcf(Path(self._path)):
            self._stream = igzip_threaded.open(self._path, "rb", threads=1)
        else:
            self._process = self._pourings.start(self._command, stdout=subprocess.PIPE, bufsize=1 << 20)
            self._stream = self._process.stdout
            roomy(self._stream)
        try:
            stream = unpacked(self._stream) if self._process else self._stream
            self._reader = Reader(stream, self._path, **self._wanted)
        except GoeError:
            self._stream.close()
            if self._process:
                self._process.wait()
            raise
        if self._process:
            self._reader.finish = self._stop_on_status
        return self._reader

    def _stop_on_status(self) -> None:
        assert self._process
        code = self._process.wait()
        self._pourings.finish()
        if code:
            raise GoeError(
                Problem(
                    self._path,
                    f"could not be read on after {self._reader.last} (bcftools ended with status {code})",
                    "see its message",
                )
            )

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if self._process is None:
            self._stream.close()
            return
        # Left early on purpose, bcftools dies of a closed pipe, which is no fault.
        early = kind is not GoeError and bool(self._stream.read(1))
        self._stream.close()
        if early:
            self._process.wait()
            return
        try:
            self._stop_on_status()
        except GoeError as status:
            if kind is None:
                raise
            if isinstance(error, GoeError) and status.problems[0] not in error.problems:
                raise GoeError([*error.problems, *status.problems]) from error
