"""Records of a BCF stream as raw bytes: the site fields are parsed, the FORMAT vectors stay where they are.

The layout is that of the VCF 4.3 specification, section 6.3 (BCF2). Only what the workflow needs is read;
everything is checked against the record's own lengths, so a damaged record is an error and not a wrong number.
"""

import gzip
import re
import struct
import subprocess
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BufferedReader
from typing import BinaryIO

import numpy as np

from goe.errors import GoeError, Problem

MISSING = np.iinfo(np.int32).min
END_OF_VECTOR = MISSING + 1

_INT_TYPES = {1: np.int8, 2: np.int16, 3: np.int32}
_SIZES = {0: 0, 1: 1, 2: 2, 3: 4, 5: 4, 7: 1}
_FLOAT_MISSING = 0x7F800001
_META = re.compile(r"##(FILTER|INFO|FORMAT|contig)=<(.*)>")
_MAX_RECORD = 1 << 31


def _attribute(body: str, key: str) -> str | None:
    found = re.search(rf"(?:^|,){key}=([^,>\"]+)", body)
    return found[1] if found else None


@dataclass
class Header:
    """What a BCF header says: samples in order, contigs and dictionary by number, FILTER lines by id."""

    text: str
    samples: list[str]
    contigs: dict[int, str]
    strings: dict[int, str]
    filters: dict[str, str]
    formats: set[str]

    @classmethod
    def parse(cls, text: str) -> "Header":
        contigs: dict[int, str] = {}
        numbers = {"PASS": 0}
        filters: dict[str, str] = {}
        formats: set[str] = set()
        samples: list[str] = []
        for line in text.rstrip("\0").splitlines():
            if line.startswith("#CHROM"):
                samples = line.split("\t")[9:]
            elif found := _META.match(line):
                kind, body = found.groups()
                name, index = _attribute(body, "ID"), _attribute(body, "IDX")
                if kind == "contig":
                    contigs[int(index) if index else len(contigs)] = name
                    continue
                if name not in numbers:
                    numbers[name] = int(index) if index else len(numbers)
                if kind == "FILTER" and name != "PASS":
                    filters[name] = line.replace(f",IDX={index}", "") if index else line
                if kind == "FORMAT":
                    formats.add(name)
        return cls(text, samples, contigs, {n: s for s, n in numbers.items()}, filters, formats)


@dataclass(slots=True)
class Record:
    """One BCF record. pos is 1-based; floats of `info` are those asked for that are present."""

    contig: str
    pos: int
    qual: float | None
    ref: str
    alts: list[str]
    filters: list[str]
    info: dict[str, float]
    formats: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def where(self) -> str:
        return f"{self.contig}:{self.pos}"


class _Cursor:
    """Typed values of a record's bytes, one after the other."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes, at: int = 0):
        self.data = data
        self.at = at

    def descriptor(self) -> tuple[int, int]:
        first = self.data[self.at]
        self.at += 1
        kind, n = first & 15, first >> 4
        if n == 15:
            n = self.integer()
        if kind not in _SIZES:
            raise ValueError(f"type {kind} is not one of BCF")
        return kind, n

    def integer(self) -> int:
        kind, n = self.descriptor()
        if kind not in _INT_TYPES or n != 1:
            raise ValueError("an integer was expected")
        size = _SIZES[kind]
        value = int.from_bytes(self.data[self.at : self.at + size], "little", signed=True)
        self.at += size
        return value

    def integers(self) -> list[int]:
        kind, n = self.descriptor()
        size = _SIZES[kind]
        start = self.at
        self.at += size * n
        if n and kind not in _INT_TYPES:
            raise ValueError("integers were expected")
        return [
            int.from_bytes(self.data[i : i + size], "little", signed=True) for i in range(start, self.at, size or 1)
        ]

    def string(self) -> str:
        kind, n = self.descriptor()
        if n and kind != 7:
            raise ValueError("a string was expected")
        self.at += n
        return self.data[self.at - n : self.at].rstrip(b"\0").decode()

    def number(self) -> float | None:
        """First value of a typed vector as a float; None when it is missing or not a number."""
        kind, n = self.descriptor()
        start = self.at
        self.at += _SIZES[kind] * n
        if n == 0 or kind not in (1, 2, 3, 5):
            return None
        raw = self.data[start : start + _SIZES[kind]]
        if kind == 5:
            return None if struct.unpack("<I", raw)[0] == _FLOAT_MISSING else struct.unpack("<f", raw)[0]
        value = int.from_bytes(raw, "little", signed=True)
        return None if value == np.iinfo(_INT_TYPES[kind]).min else float(value)


class Reader:
    """Records of an uncompressed BCF stream.

    stream: binary file object; name: what error messages call it (a file name, no person's id).
    info: INFO keys wanted as floats; formats: FORMAT keys wanted, each as its raw array of shape
    (people, values) and of the integer type it is stored with (a string field: bytes, shape (people,)).
    """

    def __init__(self, stream: BinaryIO, name: str, info: tuple[str, ...] = (), formats: tuple[str, ...] = ()):
        self.stream = stream
        self.name = name
        self._info = set(info)
        self._formats = set(formats)
        magic = self._exactly(9, "header")
        if magic[:5] != b"BCF\2\2":
            raise GoeError(Problem(name, "is not a BCF 2.2 stream", "see the message of bcftools above"))
        self.header = Header.parse(self._exactly(struct.unpack("<I", magic[5:])[0], "header").decode())
        self.people = len(self.header.samples)

    def _read(self, n: int) -> bytes:
        try:
            return self.stream.read(n)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise GoeError(
                Problem(self.name, f"truncated or damaged: {error}", "copy or make the file again")
            ) from error

    def _exactly(self, n: int, what: str) -> bytes:
        data = self._read(n)
        if len(data) != n:
            raise GoeError(Problem(self.name, f"truncated in its {what}", "copy or make the file again"))
        return data

    def __iter__(self) -> Iterator[Record]:
        last = ""
        while lengths := self._read(8):
            if len(lengths) < 8:
                raise GoeError(Problem(self.name, f"truncated after {last or 'its header'}"))
            shared, individual = struct.unpack("<II", lengths)
            if shared < 24 or shared + individual > _MAX_RECORD:
                raise GoeError(Problem(self.name, f"damaged after {last or 'its header'}: impossible lengths"))
            data = self._exactly(shared + individual, f"record after {last or 'the header'}")
            try:
                record = self._parse(data, shared)
            except (ValueError, IndexError, KeyError, struct.error) as error:
                raise GoeError(Problem(self.name, f"damaged record after {last or 'the header'}: {error}")) from error
            last = record.where
            yield record

    def _parse(self, data: bytes, shared: int) -> Record:
        rid, pos, _, qual, n_info_allele, n_fmt_sample = struct.unpack("<iiiIII", data[:24])
        n_allele, n_info = n_info_allele >> 16, n_info_allele & 0xFFFF
        n_fmt, people = n_fmt_sample >> 24, n_fmt_sample & 0xFFFFFF
        if people != self.people:
            raise ValueError(f"{people} people where the header has {self.people}")
        cursor = _Cursor(data, 24)
        cursor.string()
        alleles = [cursor.string() for _ in range(n_allele)]
        filters = [self.header.strings[i] for i in cursor.integers()]
        info: dict[str, float] = {}
        for _ in range(n_info):
            key = self.header.strings[cursor.integer()]
            value = cursor.number()
            if key in self._info and value is not None:
                info[key] = value
        if cursor.at != shared:
            raise ValueError("its site fields do not fill their length")
        formats: dict[str, np.ndarray] = {}
        for _ in range(n_fmt):
            key = self.header.strings[cursor.integer()]
            kind, n = cursor.descriptor()
            size = _SIZES[kind] * n * people
            if cursor.at + size > len(data):
                raise ValueError(f"FORMAT/{key} is longer than the record")
            if key in self._formats and kind in _INT_TYPES:
                vector = np.frombuffer(data, _INT_TYPES[kind], n * people, cursor.at)
                formats[key] = vector.reshape(people, n)
            elif key in self._formats and kind == 7 and n:
                formats[key] = np.frombuffer(data, f"S{n}", people, cursor.at)
            cursor.at += size
        if cursor.at != len(data):
            raise ValueError("its FORMAT fields do not fill their length")
        return Record(
            self.header.contigs[rid],
            pos + 1,
            None if qual == _FLOAT_MISSING else struct.unpack("<f", struct.pack("<I", qual))[0],
            alleles[0],
            alleles[1:],
            filters,
            info,
            formats,
        )


class Writer:
    """Uncompressed BCF stream of GT-only records (and further int8 FORMAT vectors).

    contigs: name -> length; filters: id -> header line; info: id -> (Type, Description), Number 1;
    formats: id -> (Number, Type, Description).
    """

    def __init__(
        self,
        stream: BinaryIO,
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
        self._integers = {name for name, (kind, _) in info.items() if kind == "Integer"}
        lines += [f"##contig=<ID={n},length={length},IDX={i}>" for i, (n, length) in enumerate(contigs.items())]
        columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples]
        text = ("\n".join([*lines, "\t".join(columns)]) + "\n").encode() + b"\0"
        self.people = len(samples)
        stream.write(b"BCF\2\2" + struct.pack("<I", len(text)) + text)

    def write(self, record: Record) -> None:
        """Write one record; every array of `record.formats` is int8 of shape (people, values)."""
        body = b"\x07" + b"".join(_typed_string(a) for a in (record.ref, *record.alts))
        body += _typed_integers([self._filter[f] for f in record.filters])
        for key, value in record.info.items():
            packed = (
                _typed_integers([int(value)])
                if key in self._integers
                else b"\x15" + struct.pack("<f", np.float32(value))
            )
            body += _typed_integers([self._key[key]]) + packed
        individual = b"".join(
            _typed_integers([self._key[key]]) + _descriptor(1, vector.shape[1]) + vector.tobytes()
            for key, vector in record.formats.items()
        )
        qual = struct.pack("<I", _FLOAT_MISSING) if record.qual is None else struct.pack("<f", record.qual)
        site = struct.pack("<iii", self._rid[record.contig], record.pos - 1, len(record.ref)) + qual
        site += struct.pack(
            "<II",
            (1 + len(record.alts)) << 16 | len(record.info),
            len(record.formats) << 24 | self.people,
        )
        self.stream.write(struct.pack("<II", len(site) + len(body), len(individual)) + site + body + individual)


def _descriptor(kind: int, n: int) -> bytes:
    return bytes([n << 4 | kind]) if n < 15 else bytes([0xF0 | kind]) + _typed_integers([n])


def _typed_string(text: str) -> bytes:
    data = text.encode()
    return _descriptor(7, len(data)) + data


def _typed_integers(values: list[int]) -> bytes:
    if not values:
        return b"\x00"
    low, high = min(values), max(values)
    for kind, dtype in _INT_TYPES.items():
        # The eight lowest values of each width are reserved (missing, end of vector, ...).
        if np.iinfo(dtype).min + 8 <= low and high <= np.iinfo(dtype).max:
            return _descriptor(kind, len(values)) + np.array(values, dtype).tobytes()
    raise ValueError(f"{low}..{high} does not fit a BCF integer")


def unpacked(stream: BufferedReader) -> BinaryIO:
    """The bytes of a BCF stream. `bcftools view -Ou` of 1.16 writes them bare, that of 1.24 in BGZF blocks."""
    return gzip.GzipFile(fileobj=stream) if stream.peek(2)[:2] == b"\x1f\x8b" else stream


class open_bcf:
    """Context manager: a Reader over a VCF or BCF file of any compression, decoded by `bcftools view`.

    arguments: further arguments of `bcftools view`, such as `--regions`. On leaving, a bcftools that failed
    is an error: a damaged file never passes for a short one.
    """

    def __init__(self, path: str, *arguments: str, info: tuple[str, ...] = (), formats: tuple[str, ...] = ()):
        self._path = str(path)
        self._command = ["bcftools", "view", "--no-version", "-Ou", *arguments, self._path]
        self._info, self._formats = info, formats

    def __enter__(self) -> Reader:
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, bufsize=1 << 20)
        try:
            return Reader(unpacked(self._process.stdout), self._path, self._info, self._formats)
        except GoeError:
            self._process.stdout.close()
            self._process.wait()
            raise

    def __exit__(self, kind, error, trace) -> None:
        if kind is None and self._process.stdout.read(1):
            kind = EOFError  # left early on purpose: bcftools then dies of a closed pipe, which is no fault
        self._process.stdout.close()
        code = self._process.wait()
        if code and (kind is None or kind is GoeError):
            problem = Problem(
                self._path,
                f"could not be read to its end (bcftools ended with status {code})",
                "see its message",
            )
            raise GoeError([*getattr(error, "problems", []), problem]) from error
