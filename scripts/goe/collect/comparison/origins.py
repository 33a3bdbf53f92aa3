"""Numbers of one dataset by country of origin, allele by allele along a contig, as the tables of sums have them.

The sums do not tell the people of one origin in two datasets apart; the dataset's own table does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from goe.collect.comparison.cells import Piece, Source
from goe.collect.dataset import Dataset
from goe.collect.lines import bytes_of
from goe.collect.merge import ABSENT, LISTED
from goe.collect.table import absent as absent_column
from goe.hts.kernels import jit
from goe.release.formats.wide_table import column
from goe.release.reading import reading, streamed
from goe.rules.stratum import TOTAL

_BATCH = 1 << 14
_NUMBERS = ("ac", "an", "ac_het", "nhomalt")


@dataclass(frozen=True)
class Counts:
    """Of one dataset: groups by alleles. ac, an, het (alleles), hom (people) int64; known: bool, where AC and AN are
    told; typed: bool, where heterozygotes and homozygotes are told too. filter: FILTER (alleles,), null where the
    dataset does not list the allele."""

    groups: tuple[str, ...]
    ac: np.ndarray
    an: np.ndarray
    het: np.ndarray
    hom: np.ndarray
    known: np.ndarray
    typed: np.ndarray
    filter: pa.Array


class Origins:
    """One dataset along a contig; pieces come in order. source: the dataset as the comparison has it."""

    def __init__(self, one: Dataset, source: Source, contig: str):
        self.one, self.source, self.contig = one, source, contig
        self.groups = one.origins
        self.asked = tuple(dict.fromkeys((TOTAL, *self.groups)))
        self.table = one.tables.get(contig)
        if self.table:
            self.table.unchanged(one.name)
        self.batches = self._read()
        self.held: pa.Table | None = None
        self.finished = self.table is None

    def _read(self) -> Iterator[pa.Table]:
        if self.table is None:
            return
        names = [column(n, s) for n in _NUMBERS for s in self.asked]
        with reading(self.table.path), streamed(self.table.path) as file:
            columns = ["pos", "ref", "alt", "filter", *names]
            for batch in file.iter_batches(_BATCH, columns=columns, use_threads=False):
                yield pa.table(batch)

    def at(self, piece: Piece) -> Counts:
        """What the dataset has at the alleles of a piece."""
        status = piece.status(self.source)
        found = self._rows(piece)
        own = self._place(piece, found)
        shape = (len(self.groups), len(piece))
        values = {n: np.zeros(shape, np.int64) for n in _NUMBERS}
        known = np.zeros(shape, bool)
        own_row = own >= 0
        at = np.flatnonzero(own_row)
        for i, group in enumerate(self.groups):
            if found is None or not found.num_rows:
                break
            shown = found[column("an", group)].is_valid().to_numpy()
            whole = self.one.exact_people and self.one.people[group] == self.one.people[TOTAL]
            for n in _NUMBERS:
                cells = _numbers(found, column(n, group))
                if whole and not shown.all():
                    # A withheld stratum that is everybody has the numbers of everybody.
                    cells = np.where(shown, cells, _numbers(found, column(n, TOTAL)))
                values[n][i, at] = cells[own[at]]
            known[i, at] = (shown | whole)[own[at]]
        listed, absent = status == LISTED, (status == ABSENT) & ~own_row
        known &= listed | (status == ABSENT)
        least = np.zeros(shape, np.int64)
        for i, group in enumerate(self.groups):
            name = absent_column(self.source.number, group)
            if piece.nobody is not None and name in piece.nobody.schema.names:
                least[i] = piece.nobody[name].to_numpy()
        callable_absent = absent & (least > 0)
        values["an"] = np.where(callable_absent, least, values["an"])
        known |= callable_absent
        typed = known & np.array([[g in self.one.zygosity] for g in self.groups])
        ac, an, het, hom = (np.where(known, values[n], 0) for n in _NUMBERS)
        words = pa.nulls(len(piece), pa.string())
        if found is not None and found.num_rows:
            words = found["filter"].combine_chunks().cast(pa.string()).take(pa.array(own, mask=~own_row))
        return Counts(self.groups, ac, an, het, hom, known & (an > 0), typed & (an > 0), words)

    def _rows(self, piece: Piece) -> pa.Table | None:
        """Rows of the dataset at the positions of a piece; those of its last position are kept for the next one."""
        first, last = int(piece.pos[0]), int(piece.pos[-1])
        parts = [self.held] if self.held is not None else []
        while not self.finished and (not parts or parts[-1]["pos"][-1].as_py() <= last):
            batch = next(self.batches, None)
            if batch is None:
                self.finished = True
            elif batch.num_rows:
                parts.append(batch)
        if not parts:
            return None
        rows = pa.concat_tables(parts)
        pos = rows["pos"].to_numpy()
        self.held = rows.slice(int(np.searchsorted(pos, last, side="left")))
        self.held = self.held if self.held.num_rows else None
        start, end = np.searchsorted(pos, first, side="left"), np.searchsorted(pos, last, side="right")
        return rows.slice(int(start), int(end - start)).combine_chunks()

    def _place(self, piece: Piece, found: pa.Table | None) -> np.ndarray:
        """int64 (alleles,): row of each allele among `found`, -1 where it is not there."""
        place = np.full(len(piece), -1)
        if found is not None and found.num_rows:
            texts = [bytes_of(found[name].combine_chunks()) for name in ("ref", "alt")]
            pos = found["pos"].to_numpy().astype(np.int64)
            _placed((piece.pos, bytes_of(piece.ref), bytes_of(piece.alt)), (pos, *texts), place)
        return place


@jit
def _placed(asked, rows, place):  # type: ignore[no-untyped-def]
    """Fill in `place` with the row of each allele, both in order of position. asked, rows: position, REF, ALT."""
    pos, ref, alt = asked
    pos_of, ref_of, alt_of = rows
    first = 0
    for i in range(pos.size):
        while first < pos_of.size and pos_of[first] < pos[i]:
            first += 1
        row = first
        while row < pos_of.size and pos_of[row] == pos[i]:
            if _same(ref, i, ref_of, row) and _same(alt, i, alt_of, row):
                place[i] = row
                break
            row += 1


@jit
def _same(one, i, other, j):  # type: ignore[no-untyped-def]
    """Whether text i of one is text j of the other."""
    (data, ends), (data_of, ends_of) = one, other
    size, k = ends[i + 1] - ends[i], 0
    if ends_of[j + 1] - ends_of[j] != size:
        return False
    while k < size and data[ends[i] + k] == data_of[ends_of[j] + k]:
        k += 1
    return k == size


def _numbers(rows: pa.Table, name: str) -> np.ndarray:
    return np.asarray(pc.fill_null(rows[name], 0).to_numpy().astype(np.int64))


def shared(origins: Sequence[tuple[str, ...]]) -> list[tuple[int, int, tuple[str, ...]]]:
    """Pairs of datasets (indices) that have people of the same origins, with these."""
    out = []
    for i, one in enumerate(origins):
        for j in range(i + 1, len(origins)):
            both = tuple(g for g in one if g in origins[j] and g != TOTAL)
            if both:
                out.append((i, j, both))
    return out
