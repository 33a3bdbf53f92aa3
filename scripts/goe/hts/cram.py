"""The chain of containers of a CRAM file (CRAM specification 3.1, sections 6 to 8): is the file all there?

htslib ends well behind an end container wherever one stands, and does not miss a container that was taken out. Each
container tells its length and the number of the first of its records, so both can be seen without decoding a read.
"""

import gzip
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

from goe.core.errors import GoeError, Problem
from goe.hts import bgzf, plain

_DEFINITION = 26
_AGAIN = "copy the file again and compare checksums"
_END = 4542278
"""Alignment start of the container that ends a file, `EOF` in ASCII."""


def version(path: str | Path) -> tuple[int, int]:
    """Major and minor version in the first bytes of a CRAM (file definition)."""
    with plain.opened(path) as handle:
        start = handle.read(6)
    if start[:4] != b"CRAM" or len(start) < 6:
        raise GoeError(Problem(str(path), "is not a CRAM", "mend input_type in the sheet of inputs"))
    return start[4], start[5]


def _exactly(handle: BinaryIO, n: int) -> bytes:
    data = handle.read(n)
    if len(data) != n:
        raise EOFError
    return data


def _varint(handle: BinaryIO) -> int:
    """ITF8 and LTF8 alike: the bits set at the start of the first byte say how many bytes follow."""
    (first,) = _exactly(handle, 1)
    more = 0
    while more < 8 and first & (0x80 >> more):
        more += 1
    return int.from_bytes(bytes([first & (0xFF >> (more + 1))]) + _exactly(handle, more), "big")


def _itf8(handle: BinaryIO) -> int:
    """A signed 32-bit number; its fifth byte gives four bits only."""
    (first,) = _exactly(handle, 1)
    if first < 0xF0:
        handle.seek(-1, 1)
        return _varint(handle)
    rest = _exactly(handle, 4)
    value = (first & 0x0F) << 28 | rest[0] << 20 | rest[1] << 12 | rest[2] << 4 | rest[3] & 0x0F
    return value - (1 << 32) if value >> 31 else value


def records(path: str | Path) -> tuple[int, set[int]]:
    """(number of records, where in the file each container of records starts).

    GoeError when a container is missing between others, when the last one does not end the file, or when something
    follows it. Versions 2.1 to 3.1.
    """
    major, minor = version(path)
    if (major, minor) not in ((2, 1), (3, 0), (3, 1)):
        mend = "samtools view -C --output-fmt-option version=3.0"
        raise GoeError(Problem(str(path), f"is a CRAM {major}.{minor}, and 2.1 to 3.1 can be checked", mend))
    total, starts, at, ended = 0, set(), _DEFINITION, False
    with plain.opened(path) as handle:
        size = handle.seek(0, 2)
        try:
            while True:
                handle.seek(at)
                (length,) = struct.unpack("<i", _exactly(handle, 4))
                _reference, start, _span, held = (_itf8(handle) for _ in range(4))
                counter = _varint(handle) if major > 2 else _itf8(handle)
                _bases, _blocks = _varint(handle), _itf8(handle)
                for _ in range(_itf8(handle)):
                    _itf8(handle)
                handle.seek(4 if major > 2 else 0, 1)
                if length < 0 or held < 0:
                    raise EOFError
                if ended and (held or start != _END):
                    what = f"goes on behind the container that ends it, at byte {at}"
                    raise GoeError(Problem(str(path), what, _AGAIN))
                if held:
                    # samtools cat leaves the numbers of each part as they were: they begin with 0 again.
                    if counter not in (total, 0) and counter > total:
                        what = f"has {total} records before its byte {at}, where the container there tells of {counter}"
                        raise GoeError(Problem(str(path), what, _AGAIN))
                    starts.add(at)
                    total += held
                ended |= start == _END and not held
                at = handle.tell() + length
                # samtools reheader ends a file twice.
                if ended and at == size:
                    return total, starts
        except EOFError as error:
            raise GoeError(Problem(str(path), f"is cut off behind its record {total}", _AGAIN)) from error


def read_index(path: str | Path) -> list[tuple[int, int]]:
    """(number of the contig, -1 for reads on none, and where its container starts) of each slice of a CRAI, plain or
    gzip. ValueError, OSError, EOFError or zlib.error for others."""
    with plain.opened(path) as file:
        text = file.read()
    if not text:
        raise ValueError("is empty")
    text = gzip.decompress(text) if bgzf.is_packed(text) else text
    rows = (line.split(b"\t") for line in text.splitlines() if line)
    try:
        return [(int(cells[0]), int(cells[3])) for cells in rows]
    except IndexError as error:
        raise ValueError("not a CRAI index") from error


def hold(path: str | Path, index: str | Path, starts: set[int]) -> None:
    """GoeError when a CRAI tells of other containers than the file has."""
    try:
        indexed = {start for _, start in read_index(index)}
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise GoeError(Problem(str(index), f"cannot be read: {error}", f"samtools index {path}")) from error
    if indexed != starts:
        what = (
            f"has {len(starts)} containers of reads, and its index {index} tells of {len(indexed)} or of other places"
        )
        mend = f"{_AGAIN}; if it is whole, the index is of another file: samtools index {path}"
        raise GoeError(Problem(str(path), what, mend))
