"""Callable AN of a dataset, read along a contig: how many alleles were called at positions where it lists nothing.

A release has them as runs of equal numbers, `callable_an/<contig>.parquet`: contig, start and end (0-based, half open)
and a column `an_<stratum>` for each of its strata, sorted by start. Between two runs nobody is callable. Under a floor
a number is a lower bound; the metadata of the file say by how many alleles it may be below the truth.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from goe.core.errors import GoeError, Problem
from goe.release.reading import check_text, reading, streamed

NOT_SAID = -1
_ROWS = 1 << 15
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
        # The runs at hand, and the last base of all that were.
        self._start = self._end = np.zeros(0, np.int64)
        self._an: list[np.ndarray] = []
        self._last = 0
        self.unsaid = np.ones(len(self.strata), bool)
        self.below = np.full(len(self.strata), NOT_SAID, np.int64)
        self._given: list[int] = []
        self._pieces: Iterator[pa.RecordBatch] = iter(())
        if path is not None:
            with reading(path):
                schema = pq.read_schema(path)
            self._check(schema)
            names = schema.names
            self.below = _below(schema, self.strata)
            self.unsaid = np.array([f"an_{s}" not in names for s in self.strata], bool)
            self._given = np.flatnonzero(~self.unsaid).tolist()
            self._pieces = self._read()

    def _check(self, schema: pa.Schema) -> None:
        wanted = {"contig": pa.types.is_string} | dict.fromkeys(("start", "end"), pa.types.is_integer)
        wanted |= {f"an_{s}": pa.types.is_integer for s in self.strata if f"an_{s}" in schema.names}
        for name, right in wanted.items():
            if schema.names.count(name) != 1 or not right(schema.field(name).type):
                what = f"is no table of callable AN: column {name} is missing, there twice or of another type"
                raise GoeError(Problem(str(self.path), what, _AGAIN))

    def _read(self) -> Iterator[pa.RecordBatch]:
        """The runs of the contig. Its name is asked as codes: nothing is written out."""
        assert self.path is not None
        columns = ["contig", "start", "end", *(f"an_{self.strata[i]}" for i in self._given)]
        with reading(self.path), streamed(self.path, ["contig"]) as file:
            place = file.schema_arrow.get_field_index("contig")
            groups = []
            for group in range(file.num_row_groups):
                about = file.metadata.row_group(group).column(place).statistics
                if about is None or not about.has_min_max or about.min <= self.contig <= about.max:
                    groups.append(group)
            for batch in file.iter_batches(_ROWS, groups, columns, use_threads=False):
                here = batch["contig"].dictionary.to_pylist() == [self.contig]
                if batch["contig"].null_count or not here:
                    check_text(pa.chunked_array([batch["contig"]]), "contig", str(self.path))
                    batch = batch.filter(pc.equal(batch["contig"].cast(pa.string()), self.contig))
                if batch.num_rows:
                    yield batch

    def at(self, pos: np.ndarray) -> np.ndarray:
        """int64 (strata, positions): AN at 1-based positions, in order; NOT_SAID for a stratum that has no numbers."""
        out = np.zeros((len(self.strata), len(pos)), np.int64)
        out[self.unsaid] = NOT_SAID
        done = 0
        while done < len(pos):
            if self._last < pos[done] and not self._next():
                break
            upto = int(np.searchsorted(pos, self._last, side="right"))
            # In the type of the runs: else all of these are brought to that of the positions.
            asked = pos[done:upto].astype(self._start.dtype)
            run = np.searchsorted(self._start, asked) - 1
            held = np.flatnonzero((run >= 0) & (asked <= self._end[run]))
            for i, an in zip(self._given, self._an, strict=True):
                out[i, done + held] = an[run[held]]
            done = upto
        return out

    def _next(self) -> bool:
        """Hold the next runs in the place of those before; False when there are none."""
        batch = next(self._pieces, None)
        if batch is None:
            return False
        start, end, *an = (_whole(column) for column in batch.columns[1:])
        if start.dtype != end.dtype:
            start, end = start.astype(np.int64), end.astype(np.int64)
        ordered = start[0] >= self._last and (start[1:] >= end[:-1]).all() and (end > start).all()
        if not ordered or any(numbers.min() < 0 for numbers in an):
            what = f"runs of {self.contig} overlap, are out of order or have a number below 0"
            raise GoeError(Problem(str(self.path), what, _AGAIN))
        self._start, self._end, self._an, self._last = start, end, an, int(end[-1])
        return True


def _whole(numbers: pa.Array) -> np.ndarray:
    """Whole numbers as they are kept, int64 and -1 where there is none."""
    if numbers.type == pa.int32() and not numbers.null_count:
        return np.asarray(numbers.to_numpy())
    return np.asarray(pc.fill_null(numbers, -1).to_numpy(zero_copy_only=False).astype(np.int64))
