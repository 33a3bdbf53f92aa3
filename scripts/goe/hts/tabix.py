"""A tabix index (TBI) of lines that are known while they are written, so that nobody reads a finished VCF for it.

It says what `tabix -p vcf` says of the file (htslib, hts_idx_push and hts_idx_finish), its bins in order of their
number. Virtual offsets are those of SAM specification 4.1.1: of a BGZF block in the file, times 65536, and within it.
"""

import struct
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pysam

_SHIFT, _LEVELS = 14, 5
_FIRST = [((1 << 3 * level) - 1) // 7 for level in range(_LEVELS + 2)]
"""First bin of each level."""
_COUNTS = _FIRST[-1] + 1
"""The bin that holds numbers of records."""
_NEAR = 0x10000
"""Bytes of the file below which a bin is told with the one that holds it."""
_PRESET = struct.pack("<6i", 2, 1, 2, 0, ord("#"), 0)
"""VCF: columns of contig and position, what a line of the header begins with, lines to skip."""


class Lines:
    """Lines of one contig, in order: bytes before each run of lines of one bin, and before the first in each window."""

    def __init__(self) -> None:
        self.lines = self.bytes = 0
        self.bin = -1
        self.runs: list[tuple[int, int]] = []
        self.windows: dict[int, int] = {}

    def add(self, pos: np.ndarray, bases: np.ndarray, sizes: np.ndarray) -> None:
        """More lines. int (lines,): pos 1-based, bases of REF, bytes with the line end."""
        if not len(pos):
            return
        begin = np.asarray(pos, np.int64) - 1
        last = begin + bases - 1
        ends = self.bytes + np.cumsum(sizes, dtype=np.int64)
        starts = ends - sizes
        bins = _bins(begin, last)
        for i in np.flatnonzero(bins != np.concatenate(([self.bin], bins[:-1]))).tolist():
            self.runs.append((int(bins[i]), int(starts[i])))
        first, final = begin >> _SHIFT, last >> _SHIFT
        opens = np.concatenate(([True], first[1:] != first[:-1])) | (final > first)
        for i in np.flatnonzero(opens).tolist():
            for window in range(int(first[i]), int(final[i]) + 1):
                self.windows.setdefault(window, int(starts[i]))
        self.lines, self.bytes, self.bin = self.lines + len(pos), int(ends[-1]), int(bins[-1])

    def placed(self, body: str | Path) -> dict:
        """The same as virtual offsets in a BGZF file without header, which holds these lines alone; for JSON."""
        block, before = _blocks(body)

        def at(offsets: Sequence[int]) -> list[int]:
            within = np.searchsorted(before, offsets, side="right") - 1
            return ((block[within] << 16) + np.array(offsets, np.int64) - before[within]).tolist()

        return {
            "lines": self.lines,
            "bins": [number for number, _ in self.runs],
            "runs": at([start for _, start in self.runs] + [self.bytes]),
            "windows": sorted(self.windows),
            "offsets": at([self.windows[window] for window in sorted(self.windows)]),
        }


@dataclass(frozen=True)
class Part:
    """A contig of a file. lines: `Lines.placed` in its body; start: bytes of the file before the body."""

    contig: str
    lines: dict
    start: int


def write(path: str | Path, parts: Sequence[Part]) -> None:
    """The index of a file of some contigs, each at most once; one without lines is not in it."""
    there = [part for part in parts if part.lines["lines"]]
    names = b"".join(part.contig.encode() + b"\0" for part in there)
    out = [b"TBI\1", struct.pack("<i", len(there)), _PRESET, struct.pack("<i", len(names)), names]
    out += [_contig(part) for part in there]
    Path(path).touch()
    with pysam.BGZFile(str(path), "w", None) as file:
        file.write(b"".join(out) + struct.pack("<Q", 0))


def _contig(part: Part) -> bytes:
    said, shift = part.lines, part.start << 16
    offsets = [offset + shift for offset in said["runs"]]
    bins: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for number, run in zip(said["bins"], pairwise(offsets), strict=True):
        bins[number].append(run)
    _thin(bins)
    out = [struct.pack("<i", len(bins) + 1)]
    for number in sorted(bins):
        chunks = _joined(sorted(bins[number]))
        out.append(struct.pack(f"<Ii{2 * len(chunks)}Q", number, len(chunks), *(o for chunk in chunks for o in chunk)))
    out.append(struct.pack("<Ii4Q", _COUNTS, 2, offsets[0], offsets[-1], said["lines"], 0))
    known = np.array(said["windows"])
    linear = np.array(said["offsets"], np.int64) + shift
    # A window in which nothing begins has the offset of the next one that has one.
    filled = linear[np.searchsorted(known, np.arange(known[-1] + 1))]
    return b"".join([*out, struct.pack("<i", len(filled)), filled.astype("<u8").tobytes()])


def _thin(bins: dict[int, list[tuple[int, int]]]) -> None:
    """A bin whose lines are near each other in the file goes into the one that holds it, if that is there."""
    for level in range(_LEVELS, 0, -1):
        for number in [n for n in bins if _FIRST[level] <= n < _FIRST[level + 1]]:
            chunks, parent = bins[number], (number - 1) >> 3
            if parent in bins and (max(v for _, v in chunks) >> 16) - (min(u for u, _ in chunks) >> 16) < _NEAR:
                bins[parent] += bins.pop(number)


def _joined(chunks: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Chunks in order, where one begins in the block in which the other ends made one."""
    out = chunks[:1]
    for start, end in chunks[1:]:
        if out[-1][1] >> 16 >= start >> 16:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return out


def _bins(begin: np.ndarray, last: np.ndarray) -> np.ndarray:
    """int64: the smallest bin that holds bases, 0-based first and last."""
    out = np.zeros(len(begin), np.int64)
    for level in range(1, _LEVELS + 1):
        shift = _SHIFT + 3 * (_LEVELS - level)
        np.copyto(out, _FIRST[level] + (begin >> shift), where=begin >> shift == last >> shift)
    return out


def _blocks(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """int64 (blocks,): of a BGZF file the bytes before each block, and those of its text."""
    block, before = [0], [0]
    with Path(path).open("rb", buffering=0) as file:
        # BSIZE - 1, where bgzip and htslib have it, and ISIZE.
        while len(head := file.read(18)) == 18:
            end = block[-1] + int.from_bytes(head[16:], "little") + 1
            file.seek(end - 4)
            before.append(before[-1] + int.from_bytes(file.read(4), "little"))
            block.append(end)
    return np.array(block[:-1], np.int64), np.array(before[:-1], np.int64)
