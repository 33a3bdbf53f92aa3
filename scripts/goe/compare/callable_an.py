"""Callable AN of two releases, base by base: runs may be cut anywhere, so their borders mean nothing by themselves.

A table has the columns contig, start, end and an_<stratum>, of coverage alone proxy_an_<stratum>, runs in order; a base
that no run holds has AN 0.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from goe.compare.differences import Differences, Example
from goe.core.errors import GoeError, Problem
from goe.release.formats.callable_an import CALLED, PROXY
from goe.release.reading import batches, reading

FOLDERS = tuple(f"{track.name}/" for track in (CALLED, PROXY))
ROWS = 1 << 17
_AGAIN = "the file was changed, or is no table of callable AN: get it again"


def compare(a: str | Path, b: str | Path, contigs: Sequence[Sequence[str]]) -> Differences:
    """Bases at which AN of a stratum that both tables have differs. GoeError when one is no such table.

    contigs: those of each release, in its order.
    """
    common = [[name for name in one if name in other] for one, other in (contigs, contigs[::-1])]
    if common[0] != common[1]:
        raise GoeError(Problem(str(b), f"contigs are not in the order of {a}", "compare releases of one reference"))
    found = Differences()
    names = [_columns(path) for path in (a, b)]
    columns = [name for name in names[0] if name in names[1]]
    streams = [_Runs(path, columns, order) for path, order in zip((a, b), contigs, strict=True)]
    while contig := _next_contig(streams, contigs):
        while any(one.here(contig) for one in streams):
            until = min(one.end(contig) for one in streams if one.here(contig))
            _look(contig, [one.until(contig, until) for one in streams], columns, found)
    return found


def _columns(path: str | Path) -> list[str]:
    """Names of the columns of numbers."""
    with reading(path):
        schema = pq.read_schema(path)
    names, wrong = schema.names, []
    numbers = [name for name in names if name.startswith((CALLED.prefix, PROXY.prefix))]
    for name in ("contig", "start", "end", *numbers):
        right = pa.types.is_string if name == "contig" else pa.types.is_integer
        if names.count(name) != 1 or not right(schema.field(name).type):
            wrong.append(name)
    if wrong:
        what = f"column {', '.join(wrong)} is missing, there twice or of another type"
        raise GoeError(Problem(str(path), what, _AGAIN))
    return numbers


class _Runs:
    """Runs of a file, handed out up to a base. Held: of one contig, start, end and AN (columns, runs)."""

    def __init__(self, path: str | Path, columns: Sequence[str], order: Sequence[str]):
        self.path, self.columns, self.order = str(path), columns, order
        self.pieces = self._read()
        self.contig = ""
        self.runs: _Piece | None = None
        self._fill()

    def _read(self) -> Iterator[tuple[str, "_Piece"]]:
        columns = ["contig", "start", "end", *self.columns]
        for table in batches(self.path, self.path, ["contig"], ROWS, columns):
            for batch in table.combine_chunks().to_batches():
                with reading(self.path):
                    coded = batch.column("contig").dictionary_encode()
                    codes = coded.indices.to_numpy()
                cuts = [0, *(np.flatnonzero(np.diff(codes)) + 1), len(codes)]
                for first, end in pairwise(cuts):
                    if end > first:
                        yield coded.dictionary[int(codes[first])].as_py(), self._piece(batch.slice(first, end - first))

    def _piece(self, batch: pa.RecordBatch) -> "_Piece":
        start, end = (batch.column(name).fill_null(-1).to_numpy().astype(np.int64) for name in ("start", "end"))
        if (start >= end).any() or (start[1:] < end[:-1]).any():
            raise GoeError(Problem(self.path, "runs overlap, are empty or not in order", _AGAIN))
        an = [batch.column(name).fill_null(0).to_numpy() for name in self.columns]
        return _Piece(start, end, np.array(an, dtype=np.int64).reshape(len(self.columns), len(start)))

    def _fill(self) -> None:
        if self.runs is None or not len(self.runs.start):
            before = self.contig
            self.contig, self.runs = next(self.pieces, ("", None))
            names = [name for name in (before, self.contig) if name]
            if set(names) - set(self.order) or names != sorted(names, key=self.order.index):
                raise GoeError(Problem(self.path, f"{self.contig} is no contig here, or not in order", _AGAIN))

    def here(self, contig: str) -> bool:
        return self.contig == contig and self.runs is not None

    def end(self, contig: str) -> int:
        assert self.runs is not None
        return int(self.runs.end[-1])

    def until(self, contig: str, base: int) -> "_Piece":
        """Take the runs of the contig before a base, of one over it the part before."""
        if not self.here(contig) or self.runs is None:
            return _Piece.none(len(self.columns))
        taken, self.runs = self.runs.cut(base)
        self._fill()
        return taken


class _Piece:
    """Runs in order: start, end (runs,), an (strata, runs)."""

    def __init__(self, start: np.ndarray, end: np.ndarray, an: np.ndarray):
        self.start, self.end, self.an = start, end, an

    @classmethod
    def none(cls, strata: int) -> "_Piece":
        nothing = np.empty(0, np.int64)
        return cls(nothing, nothing, np.empty((strata, 0), np.int64))

    def cut(self, base: int) -> tuple["_Piece", "_Piece"]:
        """Runs before a base, and the rest."""
        n = int(np.searchsorted(self.start, base))
        m = int(np.searchsorted(self.end, base, side="right"))
        before = _Piece(self.start[:n], np.minimum(self.end[:n], base), self.an[:, :n])
        return before, _Piece(np.maximum(self.start[m:], base), self.end[m:], self.an[:, m:])

    def at(self, starts: np.ndarray) -> np.ndarray:
        """AN (strata, places) at bases."""
        if not len(self.start):
            return np.zeros((len(self.an), len(starts)), np.int64)
        run = np.searchsorted(self.start, starts, side="right") - 1
        inside = (run >= 0) & (starts < self.end[run])
        return np.where(inside, self.an[:, np.maximum(run, 0)], 0)


def _next_contig(streams: Sequence[_Runs], contigs: Sequence[Sequence[str]]) -> str:
    """The contig that comes next: one that the other release has not comes by itself."""
    one, two = (stream.contig for stream in streams)
    if one == two or not two or (one and one not in contigs[1]):
        return one
    if not one or two not in contigs[0]:
        return two
    return min(one, two, key=contigs[0].index)


def _look(contig: str, pieces: Sequence[_Piece], columns: Sequence[str], found: Differences) -> None:
    borders = np.unique(np.concatenate([part for piece in pieces for part in (piece.start, piece.end)]))
    starts, sizes = borders[:-1], np.diff(borders)
    one, two = (piece.at(starts) for piece in pieces)
    for s, column in enumerate(columns):
        prefix, _, stratum = column.rpartition("an_")
        other = one[s] != two[s]
        if other.any():
            rows = np.flatnonzero(other)[: found.room("callable_an")]
            places = {i: f"{contig}:{starts[i]}-{starts[i] + sizes[i]}" for i in rows}
            examples = [Example(f"{prefix}an", int(one[s, i]), int(two[s, i]), at, stratum) for i, at in places.items()]
            found.add("callable_an", f"{prefix}{stratum}", int(sizes[other].sum()), examples)
