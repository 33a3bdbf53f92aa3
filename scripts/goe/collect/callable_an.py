"""Callable AN of a dataset, read along a contig: how many alleles were called at positions where it lists nothing.

A release has them as runs of equal numbers, `callable_an/<contig>.parquet`: contig, start and end (0-based, half open)
and a column `an_<stratum>` for each of its strata, sorted by start. Between two runs nobody is callable. Under a floor
a number is a lower bound; the metadata of the file say by how many alleles it may be below the truth.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numba as nb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from goe.core.errors import GoeError, Problem
from goe.release.reading import batches, reading

NOT_SAID = -1
_ROWS = 1 << 14
_AGAIN = "get the dataset again, or leave its callable AN out"


def _below(schema: pa.Schema, strata: Sequence[str]) -> np.ndarray:
    """int64 (strata,): by how many alleles numbers are below the truth at most; NOT_SAID where that is not told."""
    try:
        entries = json.loads((schema.metadata or {})[b"goe"])["strata"]
        found = {entry["stratum"]: int(entry["an_at_most_below"]) for entry in entries}
        return np.array([found.get(s, NOT_SAID) for s in strata], np.int64)
    except (KeyError, TypeError, ValueError, OverflowError):
        return np.full(len(strata), NOT_SAID, np.int64)


class Runs:
    """Runs of one contig, asked for positions that never go back. path: None where the dataset has none.

    strata: those whose numbers are asked for. below: int64 (strata,), by how many alleles they may be below the truth,
    NOT_SAID where that is not told. GoeError when the file is no such table, and when a run begins before the one
    before it ends, or has no number, or one below 0.
    """

    def __init__(self, path: str | Path | None, contig: str, strata: Sequence[str]):
        self.path, self.contig, self.strata = path, contig, tuple(strata)
        self.start = self.end = np.zeros(0, np.int64)
        self.an = np.zeros((len(self.strata), 0), np.int64)
        self._last = 0
        self.unsaid = np.ones(len(self.strata), bool)
        self.below = np.full(len(self.strata), NOT_SAID, np.int64)
        self._pieces: Iterator[pa.RecordBatch] = iter(())
        if path is not None:
            with reading(path):
                schema = pq.read_schema(path)
            self._check(schema)
            names = schema.names
            self.below = _below(schema, self.strata)
            self.unsaid = np.array([f"an_{s}" not in names for s in self.strata], bool)
            self._pieces = self._read()

    def _check(self, schema: pa.Schema) -> None:
        wanted = {"contig": pa.types.is_string} | dict.fromkeys(("start", "end"), pa.types.is_integer)
        wanted |= {f"an_{s}": pa.types.is_integer for s in self.strata if f"an_{s}" in schema.names}
        for name, right in wanted.items():
            if schema.names.count(name) != 1 or not right(schema.field(name).type):
                what = f"is no table of callable AN: column {name} is missing, there twice or of another type"
                raise GoeError(Problem(str(self.path), what, _AGAIN))

    def _read(self) -> Iterator[pa.RecordBatch]:
        assert self.path is not None
        there = [f"an_{s}" for s, unsaid in zip(self.strata, self.unsaid, strict=True) if not unsaid]
        with reading(self.path), pq.ParquetFile(self.path, pre_buffer=False) as file:
            place = file.schema_arrow.get_field_index("contig")
            groups = []
            for group in range(file.num_row_groups):
                about = file.metadata.row_group(group).column(place).statistics
                if about is None or not about.has_min_max or about.min <= self.contig <= about.max:
                    groups.append(group)
        columns = ["contig", "start", "end", *there]
        for table in batches(self.path, str(self.path), ["contig"], _ROWS, columns, groups):
            yield from table.filter(pc.equal(table["contig"], self.contig)).combine_chunks().to_batches()

    def at(self, pos: np.ndarray) -> np.ndarray:
        """int64 (strata, positions): AN at 1-based positions, in order; NOT_SAID for a stratum that has no numbers."""
        if self.path is None or not len(pos):
            return np.full((len(self.strata), len(pos)), NOT_SAID, np.int64)
        self._go(int(pos[0]), int(pos[-1]))
        return np.asarray(_looked_up(self.start, self.end, self.an, self.unsaid, pos))

    def _go(self, first: int, last: int) -> None:
        """Hold the runs of first to last, 1-based; those before are let go."""
        past = int(np.searchsorted(self.end, first))
        self.start, self.end, self.an = self.start[past:], self.end[past:], self.an[:, past:]
        while self._last < last and (batch := next(self._pieces, None)) is not None:
            if not batch.num_rows:
                continue
            start, end = (_whole(batch[name]) for name in ("start", "end"))
            an = np.zeros((len(self.strata), len(start)), np.int64)
            for i in np.flatnonzero(~self.unsaid):
                an[i] = _whole(batch[f"an_{self.strata[i]}"])
            before = np.concatenate(([self._last], end[:-1]))
            if (start < before).any() or (end <= start).any() or (an < 0).any():
                what = f"runs of {self.contig} overlap, are out of order or have a number below 0"
                raise GoeError(Problem(str(self.path), what, _AGAIN))
            self._last = int(end[-1])
            self.start, self.end = np.concatenate((self.start, start)), np.concatenate((self.end, end))
            self.an = np.concatenate((self.an, an), axis=1)


def _whole(numbers: pa.Array) -> np.ndarray:
    """int64, -1 where there is none."""
    return np.asarray(pc.fill_null(numbers, -1).to_numpy(zero_copy_only=False).astype(np.int64))


@nb.njit(cache=True, nogil=True)
def _looked_up(start, end, an, unsaid, pos):  # type: ignore[no-untyped-def]
    """int64 (strata, positions): numbers of the runs that hold positions, which are in order; 0 where none does."""
    out, held = np.zeros((len(an), len(pos)), np.int64), np.empty(len(pos), np.int64)
    run = -1
    for j in range(len(pos)):
        while run + 1 < len(start) and start[run + 1] < pos[j]:
            run += 1
        held[j] = run if run >= 0 and pos[j] <= end[run] else -1
    for i in range(len(an)):
        for j in range(len(pos)):
            if unsaid[i]:
                out[i, j] = NOT_SAID
            elif held[j] >= 0:
                out[i, j] = an[i, held[j]]
    return out
