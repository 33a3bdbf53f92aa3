"""Data files as they were given, plain or encrypted with Crypt4GH (`.c4gh`).

What is decrypted stays in memory: our own readers get it as an open file (`opened`), programs and htslib through a pipe
(`word`, `piped`). No disk ever has it.
"""

import gzip
import io
import os
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from goe.core import processes
from goe.core.errors import GoeError, Problem
from goe.hts import bgzf

ENDING = ".c4gh"
# What is said of a file that does not end as its kind wants, and the mend.
CUT_OFF = ("truncated: the end-of-file block is missing", "copy it again, and compare checksums")
_PIECE = 1 << 20
# CRAM specification, section 9: bytes of the container that ends a file, by major version.
_CRAM_EOF = {2: 30, 3: 38}


def is_encrypted(path: str | Path) -> bool:
    return str(path).endswith(ENDING)


def name(path: str | Path) -> str:
    """The name that a file has, or would have, unencrypted: that of its index begins with it."""
    return str(path).removesuffix(ENDING)


def opened(path: str | Path) -> BinaryIO:
    """The plain bytes of a file, to be read anywhere. GoeError where they cannot be decrypted, now or when read."""
    if not is_encrypted(path):
        return Path(path).open("rb")
    # Not at the top: few runs need it.
    from goe.hts.crypt4gh import SEGMENT_SIZE, Decrypted

    return cast(BinaryIO, io.BufferedReader(Decrypted(path), SEGMENT_SIZE))


def key_problems(paths: Iterable[str]) -> list[Problem]:
    """What keeps the key of the environment from being used, where any of these files asks for it."""
    if not any(map(is_encrypted, paths)):
        return []
    from goe.hts import crypt4gh

    try:
        crypt4gh.own_key()
    except GoeError as error:
        return error.problems
    return []


def kind(file: BinaryIO) -> str:
    """The kind of an open file by its first bytes: bgzf, gzip, cram, bcf (not compressed) or text; leaves it there."""
    file.seek(0)
    start = file.read(18)
    file.seek(0)
    if bgzf.is_packed(start):
        return "bgzf" if bgzf.begins(start) else "gzip"
    if start[:4] == b"CRAM" and len(start) == 18:
        return "cram"
    return "bcf" if start[:3] == b"BCF" else "text"


@contextmanager
def inflated(path: str | Path) -> Iterator[io.BufferedReader]:
    """The bytes of a file, decrypted where it is encrypted, inflated where it is gzip or bgzip."""
    with opened(path) as file:
        if kind(file) not in ("gzip", "bgzf"):
            yield cast(io.BufferedReader, file)
            return
        with gzip.open(file, "rb") as packed:
            yield cast(io.BufferedReader, packed)


def is_whole(file: BinaryIO) -> bool:
    """Whether an open file ends as its kind wants, where that tells; leaves it at its start."""
    found, whole = kind(file), True
    if found == "bgzf":
        whole = bgzf.is_ended(file)
    elif found == "cram" and (length := _CRAM_EOF.get(file.read(5)[4])):
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - length))
        # The end container of a CRAM has these bytes as its alignment start.
        whole = file.read()[10:13] == b"EOF"
    file.seek(0)
    return whole


@dataclass(frozen=True)
class Content:
    """The plain bytes of an encrypted file, as what is poured into a program (`goe.core.processes.Poured`). GoeError
    where they do not end as their kind wants: a program that reads a pipe does not ask."""

    path: str

    def __str__(self) -> str:
        return self.path

    def pour(self, sink: IO[bytes]) -> None:
        with opened(self.path) as file:
            if not is_whole(file):
                raise GoeError(Problem(self.path, *CUT_OFF))
            shutil.copyfileobj(file, sink, _PIECE)


def word(path: str | Path) -> str | Content:
    """What a command is told that reads the file once, from its start: its path, or a pipe."""
    return Content(str(path)) if is_encrypted(path) else str(path)


@contextmanager
def piped(source: str | processes.Poured) -> Iterator[Any]:
    """What pysam opens to read a file from its start: its path, or a pipe into which `source` is poured."""
    if isinstance(source, str):
        yield source
        return
    end, sink = os.pipe()
    with ThreadPoolExecutor(1) as pool:
        poured = pool.submit(processes.pour, source, sink)
        try:
            with os.fdopen(end, "rb") as pipe:
                yield pipe
        finally:
            # Of this whoever has read knows nothing, or tells something else.
            poured.result()
