"""A tabix index as whoever opens the file uses it, by a reader that no content of it can hurt.

htslib takes the numbers of an index as they are, and some that are not right end the process. Formats: SAM
specification, sections 4.1 (BGZF) and 5.2 (tabix), and the tabix paper's supplement (Li 2011).
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from isal import igzip

from goe.core.errors import GoeError, Problem
from goe.hts.bgzf import EOF
from goe.release import bounds, reading

_AGAIN = "the file was changed, or is not of this release: get it again"
# Format, and columns of contig, begin and end from 1, of a VCF; its comments begin with #, and no line is skipped.
_VCF = (2, 1, 2, 0, ord("#"), 0)
_LEAVES, _DEPTH, _SHIFT = 4681, 5, 14
"""Number of the first bin without bins inside it, levels above these, and bits of a position within one."""
_PSEUDO = 37450
"""The bin that holds counts."""
_BLOCK, _LEAST = 1 << 16, 1 << 10
"""Bytes of an unpacked BGZF block, at most; and what an empty one counts as."""


@dataclass(frozen=True)
class Index:
    """names: contigs in their order. bins: of each, number -> begin and end of its chunks in turn; linear: of each,
    offset of the first record in every 16 kb. Offsets are virtual: block in the file << 16 | byte in the unpacked
    block."""

    names: list[str]
    bins: list[dict[int, tuple[int, ...]]]
    linear: list[tuple[int, ...]]

    def chunks(self, contig: str, pos: int) -> list[tuple[int, int]]:
        """Where the records of a position (from 1) may be, in the order of the file."""
        number = self.names.index(contig)
        window = (pos - 1) >> _SHIFT
        linear = self.linear[number]
        least = linear[min(window, len(linear) - 1)] if linear else 0
        bins = [((1 << 3 * level) - 1) // 7 + (window >> 3 * (_DEPTH - level)) for level in range(_DEPTH + 1)]
        found = [self.bins[number].get(one, ()) for one in bins]
        pairs = (pair for one in found for pair in zip(one[::2], one[1::2], strict=True))
        return sorted((max(begin, least), end) for begin, end in pairs if end > least)


def read(path: str | Path) -> Index:
    """The index of a VCF. GoeError when it is none, or is larger than any of a release (`bounds.INDEX`)."""
    try:
        with reading.reading(path), igzip.open(path, "rb") as file:
            data = file.read(bounds.INDEX + 1)
        if len(data) > bounds.INDEX:
            raise ValueError(f"it unpacks to more than {bounds.INDEX:,} bytes")
        return _index(data)
    except (GoeError, ValueError, struct.error) as error:
        words = error.problems[0].what if isinstance(error, GoeError) else str(error)
        raise GoeError(Problem(str(path), f"cannot be used: {words[:200] or 'it is cut off'}", _AGAIN)) from None


def _index(data: bytes) -> Index:
    if data[:4] != b"TBI\1":
        raise ValueError("it is no tabix index")
    contigs, *form, length = struct.unpack_from("<8i", data, 4)
    if tuple(form) != _VCF:
        raise ValueError("it is not the index of a VCF")
    if not 0 <= contigs <= bounds.CONTIGS or not 0 <= length <= len(data) - 36:
        raise ValueError(f"it has {contigs:,} contigs in {length:,} bytes")
    names = data[36 : 36 + length].decode().split("\0")
    if names.pop() or len(names) != contigs or len(set(names)) != contigs:
        raise ValueError("its contigs are not as many as their names")
    at = 36 + length
    bins, linear = [], []
    for _ in range(contigs):
        bins_of_contig: dict[int, tuple[int, ...]] = {}
        (many,) = struct.unpack_from("<i", data, at)
        at += 4
        for _ in range(_counted(many, 8, data, at)):
            number, chunks = struct.unpack_from("<Ii", data, at)
            at += 8
            numbers = struct.unpack_from(f"<{2 * _counted(chunks, 16, data, at)}Q", data, at)
            at += 16 * chunks
            if number > _PSEUDO or number in bins_of_contig:
                raise ValueError(f"it has a bin {number}, or has it twice")
            if number != _PSEUDO:
                bins_of_contig[number] = numbers
        (many,) = struct.unpack_from("<i", data, at)
        at += 4
        linear.append(struct.unpack_from(f"<{_counted(many, 8, data, at)}Q", data, at))
        at += 8 * many
        bins.append(bins_of_contig)
    # The number of records without a place may follow.
    if len(data) - at not in (0, 8):
        raise ValueError("it goes on behind its end")
    return Index(names, bins, linear)


def _counted(many: int, size: int, data: bytes, at: int) -> int:
    """`many`, when so many parts of `size` bytes are left."""
    if not 0 <= many <= (len(data) - at) // size:
        raise ValueError(f"it says that {many:,} parts follow")
    return many


def leads(path: str | Path, index: Index, contig: str, pos: int) -> bool:
    """Whether a record of a contig begins at a position (from 1) where the index leads to. No more than `bounds.STEP`
    bytes are unpacked for it."""
    wanted = (contig.encode(), str(pos).encode())
    left = bounds.STEP
    try:
        with Path(path).open("rb") as file:
            for begin, end in index.chunks(contig, pos):
                for line in _lines(file, begin, end, left):
                    left -= len(line) + 1
                    found = tuple(line.split(b"\t", 2)[:2])
                    if found == wanted:
                        return True
                    if len(found) < 2 or found[0] != wanted[0] or not found[1].isdigit() or int(found[1][:20]) > pos:
                        break
    except (OSError, ValueError, zlib.error, struct.error):
        return False
    return False


def _lines(file: IO[bytes], begin: int, end: int, most: int) -> Iterator[bytes]:
    """Lines that begin in a chunk, without their ends, in at most so many bytes. ValueError where no block is."""
    at, inside = begin >> 16, begin & 0xFFFF
    rest = b""
    start = begin
    while most > 0:
        data, length = _block(file, at)
        if not data and not length:
            return
        most -= max(len(data), _LEAST)
        pieces = (rest + data[inside:]).split(b"\n")
        for piece in pieces[:-1]:
            if start >= end:
                return
            yield piece
            inside += len(piece) + 1 - len(rest)
            rest = b""
            start = at << 16 | inside
        rest = pieces[-1]
        if len(rest) > bounds.LINE:
            raise ValueError("a line without end")
        if not rest:
            start = (at + length) << 16
        at, inside = at + length, 0


def _block(file: IO[bytes], at: int) -> tuple[bytes, int]:
    """An unpacked BGZF block and its bytes in the file; nothing of 0 bytes at the end of the file."""
    file.seek(at)
    head = file.read(18)
    if not head:
        return b"", 0
    if len(head) < 18 or head[:4] != EOF[:4] or head[10:16] != EOF[10:16]:
        raise ValueError("no block")
    length = int.from_bytes(head[16:18], "little") + 1
    body = zlib.decompressobj(-15)
    return body.decompress(file.read(max(0, length - 26)), _BLOCK), length
