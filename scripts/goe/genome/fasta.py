"""Sequences of an indexed FASTA: bases, lengths, and the two digests by which other systems know a sequence."""

import base64
import hashlib
import json
import os
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from goe.core.files import Closes
from goe.hts import bgzf

_WINDOW = 1 << 17
_PIECE = 1 << 23


def truncated(sha512: bytes) -> str:
    """32 letters for the first 24 bytes of a SHA-512: sha512t24u of the GA4GH computed identifiers."""
    return base64.urlsafe_b64encode(sha512[:24]).decode()


def is_whole(path: str | Path) -> bool:
    """Whether an indexed FASTA is as long as its index tells, and no line of that was cut off; compressed by bgzip,
    whether it has the block that ends it."""
    with Path(path).open("rb") as handle:
        if bgzf.is_packed(handle.read(2)):
            return bgzf.is_ended(handle)
        size = handle.seek(0, os.SEEK_END)
    rows = [line.split("\t")[1:5] for line in Path(f"{path}.fai").read_text().splitlines()]
    if not all(cell.isdigit() for row in rows for cell in row):
        return False
    for length, start, bases, width in (map(int, row) for row in rows):
        end = start + (length - 1) // max(bases, 1) * width + (length - 1) % max(bases, 1) + 1
        if length and (width < bases or size < end):
            return False
    return True


class Written(NamedTuple):
    """Bases in lines, as a FASTA has them. data: uint8, from the beginning of a line on; first: bases of this line
    before the first that was asked for; size: how many there are; bases, width: bases and bytes of a line."""

    data: np.ndarray
    first: int
    size: int
    bases: int
    width: int


NOTHING = Written(np.frombuffer(b"", np.uint8), 0, 0, 1, 1)


class Reference(Closes):
    """Bases of an indexed FASTA in upper case, for positions that mostly go up.

    lengths: contig -> bases, in the order of the file. window: bases that are read at once; the last ones are held.
    OSError or ValueError when the file or its index cannot be read, KeyError for a contig that is not there.
    """

    def __init__(self, path: str | Path, window: int = _WINDOW):
        # Of those who import this for its names alone few open one.
        from pysam import FastaFile

        self.path = str(path)
        self._fasta = FastaFile(self.path)
        self.lengths: dict[str, int] = dict(zip(self._fasta.references, self._fasta.lengths, strict=True))
        self._window = window
        self._file, self._lines = os.open(self.path, os.O_RDONLY), {}
        # Whoever forgets to close it leaves no file open either.
        self._let_go = weakref.finalize(self, os.close, self._file)
        # Of a compressed one, bases are where its other index says.
        if not bgzf.is_packed(os.pread(self._file, 2, 0)):
            rows = [line.split("\t") for line in Path(f"{self.path}.fai").read_text().splitlines()]
            self._lines = {name: (int(offset), int(bases), int(width)) for name, _, offset, bases, width in rows}
        self._contig, self._start, self._end, self._text = "", 0, 0, ""

    def bases(self, contig: str, start: int, end: int) -> str:
        """Bases from `start` to `end`, 0-based, half-open, cut to the contig."""
        if contig != self._contig or not self._start <= start <= end <= self._end:
            start, end = max(0, start), min(end, self.lengths[contig])
            if start >= end:
                return ""
            if contig != self._contig or not self._start <= start <= end <= self._end:
                self._load(contig, start, end)
        return self._text[start - self._start : end - self._start]

    def written(self, contig: str, start: int, end: int) -> Written:
        """The bases from `start` to `end`, 0-based, half-open, cut to the contig, as they stand in the file; nothing of
        them is held."""
        start, end = max(0, start), min(end, self.lengths[contig])
        if start >= end:
            return NOTHING
        if contig in self._lines:
            offset, bases, width = self._lines[contig]
            lines = (end - 1) // bases - start // bases + 1
            data = os.pread(self._file, lines * width, offset + start // bases * width)
            # Of a file that has ended before, nothing.
            size = end - start if len(data) >= (lines - 1) * width + (end - 1) % bases + 1 else 0
            return Written(np.frombuffer(data, np.uint8), start % bases, size, bases, width)
        data = self._fasta.fetch(contig, start, end).encode()
        return Written(np.frombuffer(data, np.uint8), 0, len(data), len(data), len(data))

    def _load(self, contig: str, start: int, end: int) -> None:
        first = max(0, start - self._window // 8)
        last = min(max(end, first + self._window), self.lengths[contig])
        self._text = self._fasta.fetch(contig, first, last).upper()
        self._contig, self._start, self._end = contig, first, last

    def _pieces(self, contig: str, size: int) -> Iterator[bytes]:
        length = self.lengths[contig]
        for start in range(0, length, size):
            yield self._fasta.fetch(contig, start, min(length, start + size)).upper().encode()

    def m5(self, contig: str, piece: int = _PIECE) -> str:
        """M5 of the SAM specification: MD5 (hex) of the bases in upper case."""
        digest = hashlib.md5(usedforsecurity=False)
        for bases in self._pieces(contig, piece):
            digest.update(bases)
        return digest.hexdigest()

    def refget(self, contig: str, piece: int = _PIECE) -> str:
        """Refget id: `SQ.` and sha512t24u of the bases in upper case (GA4GH VRS 1.3, computed identifiers)."""
        digest = hashlib.sha512(usedforsecurity=False)
        for bases in self._pieces(contig, piece):
            digest.update(bases)
        return f"SQ.{truncated(digest.digest())}"

    def close(self) -> None:
        self._fasta.close()
        self._let_go()


def m5_of(fasta: str | Path, contigs: Iterable[str], cache: str | Path | None = None) -> dict[str, str]:
    """Contig -> M5 of at least `contigs`. cache: JSON file that keeps them for as long as the FASTA has the same path,
    size and time of change.

    OSError, ValueError, KeyError: as `Reference`.
    """
    status = Path(fasta).stat()
    about = {"fasta": str(fasta), "key": f"{status.st_size} {status.st_mtime_ns}"}
    known: dict[str, str] = {}
    kept = Path(cache) if cache else None
    if kept and kept.is_file():
        try:
            found = json.loads(kept.read_text())
            if {key: found[key] for key in about} == about:
                known = dict(found["m5"])
        except (ValueError, KeyError, TypeError):
            known = {}
    todo = [contig for contig in contigs if contig not in known]
    if todo:
        with Reference(fasta) as reference:
            known |= {contig: reference.m5(contig) for contig in todo}
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(about | {"m5": dict(sorted(known.items()))}, indent=1) + "\n")
    return known
