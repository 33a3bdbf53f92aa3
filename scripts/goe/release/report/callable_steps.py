"""Where alleles could be called, for the look-up of `report.html`: callable AN of Total along a contig, in steps.

Exact numbers change too often for a page (docs/performance.md, Callable AN); they stand in `callable_an/`. A step is a
stretch on which they lie between two of the `edges`. Chunks are those of `goe.pages.packed`, of the track
`<contig>.callable`: step of the start (1-based) from the one before, and how many edges the numbers reach.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from goe.frequencies import strata as st
from goe.pages import packed
from goe.release.formats.callable_an import CALLED

# Alleles that the people of Total can have at most, in shares: below a quarter hardly anybody is called.
SHARES = (0.25, 0.5, 0.75, 0.9)
ROWS = 1 << 15


def track(contig: str) -> str:
    """What the files and chunks of a contig are called by."""
    return f"{contig}.callable"


def edges(people: int) -> list[int]:
    """Callable AN at which a step begins, rising; the first is 1, so that what nobody is called at is told apart."""
    return sorted({1, *(max(1, round(2 * people * share)) for share in SHARES)})


class Steps:
    """Brings runs to chunks: (first start, chunk before zlib). people: of Total, public."""

    def __init__(self, people: int):
        self._edges = np.array(edges(people))
        self._start, self._level = np.zeros(0, np.int64), np.zeros(0, np.int64)

    def add(self, runs: pa.Table) -> Iterator[tuple[int, bytes]]:
        """The chunks that are full. runs: some of the table of a contig (goe.release.formats.callable_an), in order."""
        start = np.append(self._start, runs["start"].to_numpy().astype(np.int64) + 1)
        level = np.append(self._level, np.searchsorted(self._edges, runs[CALLED.column(st.TOTAL)].to_numpy(), "right"))
        new = np.flatnonzero(np.append(True, level[1:] != level[:-1]))
        self._start, self._level = start[new], level[new]
        while len(self._start) > ROWS:
            yield self._chunk(self._start[:ROWS], self._level[:ROWS])
            self._start, self._level = self._start[ROWS:], self._level[ROWS:]

    def rest(self) -> Iterator[tuple[int, bytes]]:
        """The last chunk."""
        if len(self._start):
            yield self._chunk(self._start, self._level)

    @staticmethod
    def _chunk(start: np.ndarray, level: np.ndarray) -> tuple[int, bytes]:
        columns = [packed.column(np.diff(start, prepend=start[:1])), packed.column(level)]
        return int(start[0]), packed.chunk(len(start), {}, columns)


class Writer:
    """File of one contig's chunks (`goe.pages.packed.Track`). Index: chunks are [first start, Adler-32]; `edges`."""

    def __init__(self, path: str | Path, contig: str, people: int):
        self._edges, self._steps = edges(people), Steps(people)
        self._track = packed.Track(path, track(contig))

    def write(self, runs: pa.Table) -> None:
        for start, raw in self._steps.add(runs):
            self._track.add(raw, start)

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        for start, raw in self._steps.rest():
            self._track.add(raw, start)
        self._track.close(error is None, edges=self._edges)
