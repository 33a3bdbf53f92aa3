"""Records of a BAM as they pass, in the names of another reference (SAM/BAM specification, section 4.2)."""

import gzip
import struct
from collections import Counter
from collections.abc import Mapping
from io import BufferedIOBase
from typing import IO, Any

import numpy as np
from isal import igzip, isal_zlib

from goe.core.errors import GoeError, Problem
from goe.hts.kernels import kernel

_BROKEN: tuple[type[Exception], ...] = (EOFError, gzip.BadGzipFile, isal_zlib.error, struct.error)  # type: ignore[assignment]
_CHUNK = 1 << 20
# Places in a record, from its length on, and the least it can hold behind that.
_CONTIG, _FLAG, _MATE, _MATE_POS, _SPAN, _LEAST = 4, 18, 24, 28, 32, 32
_PAIRED_PROPERLY, _MATE_UNMAPPED, _MATE_REVERSE, _NOT_PRIMARY = 0x2, 0x8, 0x20, 0x900
# What a kernel counts: records that were read, primary ones that stay.
_RECORDS, _KEPT = range(2)


@kernel
def _int32(data: np.ndarray, at: int) -> Any:
    value = np.int64(data[at]) | np.int64(data[at + 1]) << 8 | np.int64(data[at + 2]) << 16
    value |= np.int64(data[at + 3]) << 24
    return value - (value >> 31 << 32)


@kernel
def _put_int32(data: np.ndarray, at: int, value: int) -> None:
    for i in range(4):
        data[at + i] = value >> 8 * i & 0xFF


@kernel
def _move(data: np.ndarray, stop: int, numbers: np.ndarray, dropped: np.ndarray, counts: np.ndarray) -> Any:
    """(bytes of the records of data[:stop] that stay, which are now at its start; where the first that is not whole
    begins, -1 where what is there is no record).

    numbers: int32, of each contig the one it gets, -1 where it does not stay; dropped: primary reads by contig, and
    counts, which are added to.
    """
    at = n = 0
    while at + 4 <= stop:
        size = _int32(data, at)
        end = at + 4 + size
        if size >= _LEAST and end > stop:
            break
        contig, mate = (_int32(data, at + _CONTIG), _int32(data, at + _MATE)) if size >= _LEAST else (-2, -2)
        if min(contig, mate) < -1 or max(contig, mate) >= numbers.size:
            return n, -1
        flag = np.int64(data[at + _FLAG]) | np.int64(data[at + _FLAG + 1]) << 8
        primary = flag & _NOT_PRIMARY == 0
        counts[_RECORDS] += 1
        if contig >= 0 and numbers[contig] < 0:
            dropped[contig] += primary
        else:
            counts[_KEPT] += primary
            if contig >= 0:
                _put_int32(data, at + _CONTIG, numbers[contig])
            if mate >= 0:
                _put_int32(data, at + _MATE, numbers[mate])
                if numbers[mate] < 0:
                    flag = (flag | _MATE_UNMAPPED) & ~(_PAIRED_PROPERLY | _MATE_REVERSE)
                    data[at + _FLAG], data[at + _FLAG + 1] = flag & 0xFF, flag >> 8
                    _put_int32(data, at + _MATE_POS, -1)
                    _put_int32(data, at + _SPAN, 0)
            for i in range(at, end):
                data[n + i - at] = data[i]
            n += end - at
        at = end
    return n, at


class Moved:
    """A BAM with contigs renamed, and without the reads on contigs that are left out: a function between two commands.

    names: name in the file -> in the reference, for every contig kept. A read whose mate is on a contig that is left
    out keeps its place, and its mate becomes unplaced. @PG lines go: they hold paths. M5 and UR of @SQ go: they are the
    other file's, and samtools sets M5 anew. `dropped` counts primary reads by contig, `kept` those that stay, `records`
    all that came, secondary and supplementary ones too.
    """

    def __init__(self, names: Mapping[str, str]):
        self._names = names
        self.dropped: Counter[str] = Counter()
        self.kept = self.records = 0

    def __call__(self, source: IO[bytes], sink: IO[bytes]) -> None:
        """Read BGZF blocks, write the bytes of a BAM that no block is around. GoeError when they are damaged."""
        try:
            with igzip.IGzipFile(fileobj=source, mode="rb") as stream:
                contigs = self._header(stream, sink)
                self._records(stream, sink, contigs)
        except _BROKEN as error:
            raise _damaged(str(error)) from error

    def _header(self, stream: BufferedIOBase, sink: IO[bytes]) -> list[str]:
        """Pass the header on; contigs of the file by number."""
        magic, size = struct.unpack("<4si", stream.read(8))
        if magic != b"BAM\1":
            raise _damaged("it does not begin as a BAM")
        lines = map(self._line, stream.read(size).rstrip(b"\0").decode(errors="surrogateescape").splitlines())
        text = "".join(f"{line}\n" for line in lines if line).encode(errors="surrogateescape")
        contigs, kept = [], []
        for _ in range(struct.unpack("<i", stream.read(4))[0]):
            name = stream.read(struct.unpack("<i", stream.read(4))[0]).rstrip(b"\0").decode(errors="surrogateescape")
            length = stream.read(4)
            contigs.append(name)
            if name in self._names:
                named = self._names[name].encode() + b"\0"
                kept.append(struct.pack("<i", len(named)) + named + length)
        sink.write(magic + struct.pack("<i", len(text)) + text + struct.pack("<i", len(kept)) + b"".join(kept))
        return contigs

    def _line(self, line: str) -> str:
        """A line of the header as it is passed on, nothing where it is not."""
        if line.startswith("@PG\t"):
            return ""
        if not line.startswith("@SQ\t"):
            return line
        cells = line.split("\t")[1:]
        name = next(cell[3:] for cell in cells if cell.startswith("SN:"))
        if name not in self._names:
            return ""
        rest = [cell for cell in cells if not cell.startswith(("SN:", "M5:", "UR:"))]
        return "\t".join(["@SQ", f"SN:{self._names[name]}", *rest])

    def _records(self, stream: BufferedIOBase, sink: IO[bytes], contigs: list[str]) -> None:
        kept = np.array([name in self._names for name in contigs], np.bool_)
        numbers = np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)
        dropped, counts = np.zeros(len(contigs), np.int64), np.zeros(2, np.int64)
        data, held = np.empty(_CHUNK, np.uint8), 0
        while got := stream.readinto(data.data[held:]):
            held += got
            n, at = _move(data, held, numbers, dropped, counts)
            if at < 0:
                raise _damaged("a record is none")
            sink.write(data.data[:n])
            held -= at
            data[:held] = data[at : at + held]
            if held == data.size:
                data = np.concatenate([data, np.empty_like(data)])
        if held:
            raise _damaged("its last record is cut off")
        self.records, self.kept = map(int, counts)
        self.dropped = Counter({name: int(n) for name, n in zip(contigs, dropped, strict=True) if n})


def _damaged(what: str) -> GoeError:
    return GoeError(Problem("samtools", f"wrote a BAM that cannot be read: {what}", "see the log of the job"))
