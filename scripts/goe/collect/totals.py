"""Total of several wide tables of one contig side by side, in windows in which alleles that overlap are together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from goe.release.reading import reading

COUNTS = ("ac", "an", "ac_het", "ac_hom", "ac_hemi")
_ALLELE = ("pos", "ref", "alt", "filter")
_ROWS = 1 << 14
_EVER = np.iinfo(np.int64).max
_NO_CARRIER = "AC0"


@dataclass(frozen=True)
class Window:
    """Alleles of a contig in order.

    pos int64, ref, alt (alleles,). there, passed, zero: bool (tables, alleles), whether the table lists the allele,
    with FILTER PASS, or as one that nobody carries (a table need not have FILTER). counts: name of COUNTS -> int64
    (tables, alleles), 0 where it is not there. chain: int64 (alleles,), the same number for alleles that overlap,
    directly or by others.
    """

    pos: np.ndarray
    ref: pa.Array
    alt: pa.Array
    there: np.ndarray
    passed: np.ndarray
    zero: np.ndarray
    counts: dict[str, np.ndarray]
    chain: np.ndarray

    def __len__(self) -> int:
        return len(self.pos)

    def in_chain(self, values: np.ndarray) -> np.ndarray:
        """Sums of (tables, alleles) over all alleles of the chain of each."""
        out = np.zeros((len(values), int(self.chain.max(initial=-1)) + 1), np.int64)
        for row, of_row in zip(out, values, strict=True):
            np.add.at(row, self.chain, of_row)
        return out[:, self.chain]

    @property
    def beside(self) -> np.ndarray:
        """bool (alleles,): whether another allele overlaps."""
        return np.bincount(self.chain, minlength=1)[self.chain] > 1


class _Table:
    """Rows of one table that were read and are not told yet. path: None for a table without alleles."""

    def __init__(self, path: str | Path | None):
        self.batches = self._read(path)
        self.left = pa.table({name: [] for name in (*_ALLELE, *COUNTS)})
        self.finished = False

    @staticmethod
    def _read(path: str | Path | None) -> Iterator[pa.Table]:
        if path is not None:
            with reading(path), pq.ParquetFile(path, pre_buffer=False) as file:
                for batch in file.iter_batches(_ROWS, columns=[*_ALLELE, *COUNTS]):
                    yield pa.table(batch)

    def fill(self, rows: int) -> None:
        while not self.finished and self.left.num_rows < rows:
            more = next(self.batches, None)
            if more is None:
                self.finished = True
            else:
                self.left = pa.concat_tables([self.left, more]) if self.left.num_rows else more

    @property
    def pos(self) -> np.ndarray:
        return np.asarray(self.left["pos"].to_numpy(), np.int64)

    @property
    def end(self) -> int:
        """The last position whose alleles are all at hand."""
        return _EVER if self.finished else int(self.pos[-1]) - 1


def windows(paths: Sequence[str | Path | None]) -> Iterator[Window]:
    """Windows of the tables of one contig. Memory is that of a window, whatever the tables hold."""
    tables = [_Table(path) for path in paths]
    rows = _ROWS
    while True:
        for one in tables:
            one.fill(rows)
        upto = min(one.end for one in tables)
        taken = [one.left.slice(0, int(np.searchsorted(one.pos, upto, "right"))) for one in tables]
        window = _window(taken)
        if upto == _EVER:
            if len(window):
                yield window
            return
        # More alleles may overlap the last ones.
        cut = int(window.pos[window.chain == window.chain[-1]][0]) if len(window) else 0
        whole = [int(np.searchsorted(one.pos, cut, "left")) for one in tables]
        if not any(whole):
            rows *= 2
            continue
        yield _window([one.left.slice(0, n) for one, n in zip(tables, whole, strict=True)])
        for one, n in zip(tables, whole, strict=True):
            one.left = one.left.slice(n)
        rows = _ROWS


def _window(parts: Sequence[pa.Table]) -> Window:
    every = pa.concat_tables(parts, promote_options="permissive")
    of = np.repeat(np.arange(len(parts)), [part.num_rows for part in parts])
    pos = np.asarray(every["pos"].to_numpy(), np.int64)
    bases = [pc.cast(every[name], pa.string()).combine_chunks() for name in ("ref", "alt")]
    words = pc.binary_join_element_wise(*bases, "\t").dictionary_encode()
    texts = words.dictionary.to_pylist()
    order = sorted(range(len(texts)), key=lambda i: texts[i].split("\t"))
    rank = np.empty(max(1, len(texts)), np.int64)
    rank[order] = np.arange(len(texts))
    code = rank[words.indices.to_numpy(zero_copy_only=False).astype(np.int64)]
    size = max(1, len(texts))
    union, first, at = np.unique(pos * size + code, return_index=True, return_inverse=True)
    shape = (len(parts), len(union))

    def spread(values: np.ndarray, kind: type) -> np.ndarray:
        out: np.ndarray = np.zeros(shape, kind)
        out[of, at] = values
        return out

    where = union // size
    ref, alt = (values.take(pa.array(first)) for values in bases)
    last = where + pc.binary_length(ref).to_numpy(zero_copy_only=False) - 1
    reach = np.maximum.accumulate(np.append(0, last))[:-1]
    verdict = pc.cast(every["filter"], pa.string())
    passed, zero = (pc.fill_null(pc.equal(verdict, word), False).to_numpy() for word in ("PASS", _NO_CARRIER))
    return Window(
        where,
        ref,
        alt,
        spread(np.ones(len(of), bool), bool),
        spread(passed, bool),
        spread(zero, bool),
        {name: spread(pc.fill_null(every[name], 0).to_numpy(), np.int64) for name in COUNTS},
        np.cumsum(where > reach) - 1,
    )
