"""What a collection knows of each allele in each country of origin, and in each dataset, read from its two tables.

A number that is withheld is not zero. So each cell is EXACT, BOUNDED or UNKNOWN, and a statistic asks for EXACT ones.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from goe.collect import table
from goe.collect.merge import ABSENT, BELOW, LISTED
from goe.hts import parquet
from goe.release.formats.wide_table import column
from goe.release.reading import reading

UNKNOWN, BOUNDED, EXACT = range(3)
COUNTRY, DATASET = KINDS = ("country", "dataset")
_ROWS = 1 << 14


@dataclass(frozen=True)
class Source:
    """A dataset as far as the comparison knows it. k: people of its floor, 1 for none."""

    number: int
    name: str
    country: str
    k: int = 1


@dataclass(frozen=True)
class Cells:
    """Units (countries or datasets) by alleles: state uint8; lo, hi (AC), an, an_hi int64. lo is hi, and an an_hi,
    where the state is EXACT, and an is above 0 there; all are 0 where it is UNKNOWN."""

    state: np.ndarray
    lo: np.ndarray
    hi: np.ndarray
    an: np.ndarray
    an_hi: np.ndarray

    @classmethod
    def of(cls, lo: np.ndarray, hi: np.ndarray, an: np.ndarray, an_hi: np.ndarray) -> "Cells":
        exact = (lo == hi) & (an == an_hi) & (an > 0)
        state = np.where(exact, EXACT, np.where(an_hi > 0, BOUNDED, UNKNOWN)).astype(np.uint8)
        known = state != UNKNOWN
        return cls(state, *(np.where(known, values, 0) for values in (lo, hi, an, an_hi)))

    def take(self, rows: np.ndarray) -> "Cells":
        """Of some alleles, by mask or index."""
        return Cells(*(np.ascontiguousarray(v[:, rows]) for v in vars(self).values()))

    @property
    def exact(self) -> np.ndarray:
        return np.asarray(self.state == EXACT)

    @property
    def seen(self) -> np.ndarray:
        """bool: somebody there carries the allele, whatever else is known."""
        return np.asarray(self.lo > 0)

    @property
    def absent(self) -> np.ndarray:
        """bool: nobody there carries it."""
        return np.asarray((self.state == EXACT) & (self.lo == 0))


@dataclass(frozen=True)
class Piece:
    """Alleles of one contig in order: pos int64, ref, alt, passed and snv bool, status uint8 (datasets of the
    collection, alleles), the two tables they were read from, and `table.of_absent` of them where it is there."""

    contig: str
    pos: np.ndarray
    ref: pa.Array
    alt: pa.Array
    passed: np.ndarray
    snv: np.ndarray
    sums: pa.Table
    apart: pa.Table
    nobody: pa.RecordBatch | None = None

    def __len__(self) -> int:
        return len(self.pos)

    def status(self, source: Source) -> np.ndarray:
        """uint8 (alleles,): the letter of a dataset."""
        return _letter(self.apart, source)


def pieces(
    sums: str | Path, apart: str | Path, contig: str, strata: Sequence[str], nobody: str | Path | None = None
) -> Iterator[Piece]:
    """The tables of a contig, rows side by side. sums, apart: paths of frequencies and datasets Parquet; nobody: of
    what `table.of_absent` gave. strata: whose bounds are asked for, of which the table of sums has many more columns.
    """
    wanted = [
        "contig",
        "pos",
        "ref",
        "alt",
        "filter",
        "status",
        *(column(key, s) for s in strata for key in table.EXACT),
    ]
    with reading(sums), ExitStack() as files:
        one, two = (files.enter_context(pq.ParquetFile(path, pre_buffer=False)) for path in (sums, apart))
        rows = [one.iter_batches(_ROWS, columns=wanted, use_threads=False), two.iter_batches(_ROWS, use_threads=False)]
        if nobody:
            rows.append(files.enter_context(parquet.opened(nobody)).iter_batches(_ROWS, use_threads=False))
        for left, right, *more in zip(*rows, strict=True):
            both = pa.table(left).combine_chunks(), pa.table(right).combine_chunks()
            ref, alt = (both[0][name].combine_chunks() for name in ("ref", "alt"))
            lengths = [pc.binary_length(bases).to_numpy() for bases in (ref, alt)]
            pos = both[0]["pos"].to_numpy().astype(np.int64)
            passed = pc.equal(both[0]["filter"], table.PASS).to_numpy()
            yield Piece(contig, pos, ref, alt, passed, (lengths[0] == 1) & (lengths[1] == 1), *both, *more)


def _letter(apart: pa.Table, source: Source) -> np.ndarray:
    return table.letters(apart[f"status_{source.number}"], 1)[0]


def _whole(table_: pa.Table, name: str) -> np.ndarray:
    return np.asarray(pc.fill_null(table_[name], -1).to_numpy().astype(np.int64))


def of_countries(sums: pa.Table, countries: Sequence[str]) -> Cells:
    """Cells of countries of origin, from the table of sums."""
    rows = [[_whole(sums, column(name, c)) for c in countries] for name in table.EXACT]
    return Cells.of(*(_stack(row, sums.num_rows) for row in rows))


def of_datasets(apart: pa.Table, sources: Sequence[Source]) -> Cells:
    """Cells of everybody in each dataset, from the table of datasets.

    An allele that a dataset under a floor of k people does not list is carried by k at most there, in 2k copies.
    """
    lo, hi, an = [], [], []
    for source in sources:
        letter = _letter(apart, source)
        ac, n = (_whole(apart, f"{key}_{source.number}") for key in ("ac", "an"))
        exact = ((letter == LISTED) | (letter == ABSENT)) & (ac >= 0) & (n > 0)
        below = (letter == BELOW) & (n > 0)
        lo.append(np.where(exact, ac, 0))
        hi.append(np.where(exact, ac, np.where(below, np.minimum(2 * source.k, n), 0)))
        an.append(np.where(exact | below, n, 0))
    rows = apart.num_rows
    an_hi = _stack(an, rows)
    return Cells.of(_stack(lo, rows), _stack(hi, rows), an_hi, an_hi)


def _stack(rows: list[np.ndarray], alleles: int) -> np.ndarray:
    return np.stack(rows) if rows else np.zeros((0, alleles), np.int64)


def sources_of(entries: Sequence[Mapping]) -> list[Source]:
    """Datasets by `sources` of metadata/collection.json, in an order that the sheet has no part in."""
    found = [Source(s["number"], s["name"], s["country"], s["silence"]["min_carriers"] or 1) for s in entries]
    return sorted(found, key=lambda s: (s.country, s.name, s.number))
