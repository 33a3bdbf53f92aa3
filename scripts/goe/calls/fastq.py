"""FASTQ files whole: how many reads they hold, and which of them passed the sequencer's filter.

Imports nothing outside the standard library and goe, but for a file that is encrypted: the job has the aligner,
samtools and Python.
"""

import shutil
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from goe.core.errors import GoeError, Problem
from goe.hts import plain

_CHUNK = _TAIL = 1 << 20
_COPY = "copy the file again and compare checksums"
# Illumina's comment is `read:is filtered:control number:index`; a name and a sequence have no blank before it.
_FAILED = (b" 1:Y:", b" 2:Y:")


@dataclass(frozen=True)
class Held:
    """What a file holds. failed: reads of which their name says that they failed the sequencer's filter."""

    reads: int
    failed: int


@dataclass(frozen=True)
class Inflated:
    """A file of reads, poured (`goe.core.processes.Poured`) into a program that takes what a pipe holds for text."""

    path: str

    def __str__(self) -> str:
        return self.path

    def pour(self, sink: IO[bytes]) -> None:
        with plain.inflated(self.path) as file:
            shutil.copyfileobj(file, sink, _CHUNK)


def failed(name: bytes) -> bool:
    """Whether the first line of a read says that it failed the sequencer's filter."""
    return any(mark in name for mark in _FAILED)


def held(path: str | Path) -> Held:
    """Count the reads of a file, of four lines each, from its first byte to its last.

    GoeError when it ends within a read or cannot be inflated to its end.
    """
    lines, tail, marked = 0, b"\n", False
    try:
        with plain.inflated(path) as handle:
            while chunk := handle.read(_CHUNK):
                lines += chunk.count(b"\n")
                # With the end of the chunk before, for a mark that the border cuts.
                marked = marked or failed(tail[-5:] + chunk)
                tail = chunk if len(chunk) >= _TAIL else (tail + chunk)[-_TAIL:]
        n_failed = _count_failed(path) if marked else 0
    except (EOFError, OSError, zlib.error) as error:
        raise GoeError(Problem(str(path), f"cannot be read to its end: {error}", _COPY)) from None
    last = tail.rstrip(b"\r\n")
    blank = max(tail[len(last) :].count(b"\n") - 1, 0)
    lines += not tail.endswith(b"\n")
    # Of blank lines at the end one may be of a read, the last line of one without bases.
    written = lines - blank + (blank > 0 and (lines - blank) % 4 == 3)
    if written % 4 or (written == lines - blank and _is_cut(last)):
        raise GoeError(Problem(str(path), f"ends within its read {-(-written // 4)}", _COPY))
    return Held(written // 4, n_failed)


def _is_cut(text: bytes) -> bool:
    """Whether the last read of a text has not as many qualities as bases; False where it is not whole in there."""
    lines = text.splitlines()[-4:]
    return len(lines) == 4 and lines[0][:1] == b"@" and len(lines[1]) != len(lines[3])


def _count_failed(path: str | Path) -> int:
    with plain.inflated(path) as handle:
        return sum(map(failed, islice(handle, 0, None, 4)))


def held_by_pair(first: str | Path, second: str | Path) -> tuple[Held, Held]:
    """The same of the two files of pairs; GoeError also when one holds more reads than the other."""
    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(held, (first, second))
    if one.reads != two.reads:
        what = f"holds {one.reads} reads, and {second} the {two.reads} second reads of the pairs"
        raise GoeError(Problem(str(first), what, "copy both files again and compare checksums"))
    return one, two


def passing(first: str | Path, second: str | Path) -> Iterator[bytes]:
    """The pairs of which neither read failed the sequencer's filter: both reads as FASTQ, one behind the other."""
    with ExitStack() as stack:
        one, two = (stack.enter_context(plain.inflated(path)) for path in (first, second))
        while (read := list(islice(one, 4))) and (mate := list(islice(two, 4))):
            if not failed(read[0]) and not failed(mate[0]):
                yield b"".join([*_ended(read), *_ended(mate)])


def _ended(read: list[bytes]) -> list[bytes]:
    """The lines of a read, the last with its end."""
    return read if read[-1].endswith(b"\n") else [*read[:-1], read[-1] + b"\n"]
