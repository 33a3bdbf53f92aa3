"""The sum over datasets, allele by allele, along one contig.

At an allele a dataset is counted where it lists it as PASS, with its numbers. Where it does not list it, it adds AC 0
and its callable AN if it publishes everything. Under a floor of k people it adds its callable AN, and bounds: 0 to k-1
people may carry the allele there (k, where alleles are withheld since Total would tell its parts). All but so many may
carry it there as well; that end is taken in where the allele is half or more of what is counted, and is otherwise told
as `an_floor`. A number that is withheld at a listed
allele is bounded by what is listed beside it. Not counted, and told as such: where it is filtered, where nobody is
callable, and where its silence says nothing (no callable AN, more withheld than a floor, filtered alleles left out, X
outside the pseudo-autosomal regions under a floor, which is asked of men and women apart there).

Memory is that of a window of alleles of all datasets, whatever they hold. Everything added is a sum, and what is told
follows from the sums alone, so neither the order nor the grouping of datasets changes a number.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from goe.check.rows import families
from goe.collect import form
from goe.collect.callable_an import Runs
from goe.collect.dataset import Dataset
from goe.disclosure.silence import FLOOR, UNKNOWN, ZERO
from goe.genome.build import REGION_M, REGION_X, REGION_Y, Build, class_breaks, contig_class
from goe.hts.kernels import jit
from goe.release.formats import wide_table
from goe.release.reading import reading, streamed
from goe.rules.stratum import TOTAL, parse

LISTED, ABSENT, BELOW, FILTERED, NOBODY, UNSAID = b"PABFNU"
"""What a dataset says of an allele: listed; not there, AC 0; not there, under a floor; filtered; nobody callable; not
known. As they stand, letter by letter, in `status`."""
STATES = {
    "n_datasets": LISTED,
    "n_absent": ABSENT,
    "n_floor": BELOW,
    "n_filtered": FILTERED,
    "n_not_callable": NOBODY,
    "n_unknown": UNSAID,
}
_NO_CARRIER = "AC0"
_CELLS = 1 << 19
"""Alleles by strata of the collection that a window has at most, but for alleles of its last position."""
_BATCH = 1 << 13
_ROWS = 1 << 12
"""Of a dataset in a window at most."""
_EVER = np.iinfo(np.int64).max


@dataclass
class Sums:
    """Sums over datasets, int32 (strata, alleles), in alleles but for hom and hom_hi (people).

    ac, an, hom: of numbers that are told. bound, hom_hi: more that AC and homozygotes may be at listed alleles where
    these are withheld. low, high: AN of those and of datasets under a floor, at least and at most. rare, rare_hom: more
    that AC and homozygotes may be where few carry it unlisted. floor, floor_hom: AN at most of the datasets that do not
    list it under a floor, and their homozygotes if all carried it. uncounted: datasets that may have people of the
    stratum and are not counted.
    """

    ac: np.ndarray
    an: np.ndarray
    hom: np.ndarray
    bound: np.ndarray
    low: np.ndarray
    high: np.ndarray
    rare: np.ndarray
    rare_hom: np.ndarray
    floor: np.ndarray
    floor_hom: np.ndarray
    hom_hi: np.ndarray
    uncounted: np.ndarray

    @classmethod
    def nothing(cls, strata: int, alleles: int) -> "Sums":
        return cls(*(np.zeros((strata, alleles), np.int32) for _ in fields(cls)))

    def join(self, other: "Sums") -> "Sums":
        return Sums(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Sums)))


@dataclass(frozen=True)
class Told:
    """What follows from sums: int32 (strata, alleles)."""

    ac_lo: np.ndarray
    ac_hi: np.ndarray
    an: np.ndarray
    an_hi: np.ndarray
    nhomalt_lo: np.ndarray
    nhomalt_hi: np.ndarray
    n_not_counted: np.ndarray

    def af(self, stratum: int) -> tuple[np.ndarray, np.ndarray]:
        """float64 (alleles,), twice: AF of a stratum at least and at most, NaN where its AN is 0."""
        return _frequencies(*(values[stratum] for values in (self.ac_lo, self.ac_hi, self.an, self.an_hi)))


def tell(sums: Sums, total: int) -> Told:
    """The numbers of a collection. total: index of Total, by which it is told whether an allele is common."""
    ac_hi, an, an_hi, hom_hi = (np.empty_like(sums.ac) for _ in range(4))
    common = 2 * sums.ac[total].astype(np.int64) >= sums.an[total]
    _tell(tuple(getattr(sums, f.name) for f in fields(sums)), common, (ac_hi, an, an_hi, hom_hi))
    return Told(sums.ac, ac_hi, an, an_hi, sums.hom, hom_hi, sums.uncounted)


@jit
def _tell(sums, common, counts):  # type: ignore[no-untyped-def]
    """`tell`. sums: Sums, (strata, alleles). common: bool (alleles,). counts: filled in, (strata, alleles)."""
    ac, an, hom, bound, low, high, rare, rare_hom, floor, floor_hom, hom_hi, _ = sums
    ac_most, an_least, an_most, hom_most = counts
    for i in range(ac.shape[0]):
        for j in range(ac.shape[1]):
            least, most = an[i, j] + low[i, j], an[i, j] + high[i, j]
            alleles = min(ac[i, j] + bound[i, j] + (floor[i, j] if common[j] else rare[i, j]), most)
            people = hom[i, j] + hom_hi[i, j] + (floor_hom[i, j] if common[j] else rare_hom[i, j])
            an_least[i, j], an_most[i, j], ac_most[i, j] = least, most, alleles
            hom_most[i, j] = min(people, alleles // 2)


@jit
def _frequencies(ac, ac_hi, an, an_hi):  # type: ignore[no-untyped-def]
    low, high = np.empty(ac.size), np.empty(ac.size)
    for j in range(ac.size):
        low[j] = ac[j] / an_hi[j] if an[j] > 0 else np.nan
        high[j] = min(ac_hi[j] / an[j], 1.0) if an[j] > 0 else np.nan
    return low, high


@dataclass(frozen=True)
class Window:
    """Alleles of a contig in order, with what each dataset says and the sums.

    pos int64, ref, alt (alleles,). status: uint8 (datasets, alleles). ac, an: int64 (datasets, alleles), of everybody
    in the dataset, -1 where they are not told. absent: of each dataset int32 (its origins, alleles), callable AN where
    it has the allele in nobody by not listing it (ABSENT), else 0; None of one that never does.
    """

    pos: np.ndarray
    ref: pa.Array
    alt: pa.Array
    status: np.ndarray
    ac: np.ndarray
    an: np.ndarray
    sums: Sums
    absent: tuple[np.ndarray | None, ...]

    def __len__(self) -> int:
        return len(self.pos)

    def states(self) -> dict[str, np.ndarray]:
        """Name of STATES -> bool (datasets, alleles)."""
        return {name: self.status == state for name, state in STATES.items()}

    def counts(self) -> dict[str, np.ndarray]:
        """Name of STATES -> int16 (alleles,), datasets."""
        return {name: found.sum(axis=0, dtype=np.int16) for name, found in self.states().items()}


class Places(NamedTuple):
    """Where alleles are, in order (alleles,). pos, last: int64, first and last base of REF; classes: of the region;
    ploidy: alleles of a person there at most."""

    pos: np.ndarray
    last: np.ndarray
    classes: np.ndarray
    ploidy: np.ndarray


def strata_of(datasets: Sequence[Dataset]) -> tuple[str, ...]:
    """Strata of a collection: all that any dataset has."""
    return tuple(form.ordered({s for one in datasets for s in one.people}))


def says_absent(one: Dataset, contig: str) -> bool:
    """Whether a dataset has alleles in nobody by not listing them."""
    return contig in one.tables and contig in one.callable_an and one.silence.means == ZERO


class Merge:
    """Windows of one contig. datasets: those that are added up, all with the same build. build: with the contig.

    GoeError that names the dataset when a file is not what it was when it was looked at.
    """

    def __init__(self, datasets: Sequence[Dataset], build: Build, contig: str, cells: int = _CELLS):
        self.contig = contig
        self.strata = strata_of(datasets)
        self.breaks = class_breaks(build, contig)
        self.most = max(16, cells // len(self.strata))
        rows = min(_ROWS, self.most)
        self.parts = [_Part(one, contig, self.strata, rows) for one in datasets]

    def __iter__(self) -> Iterator[Window]:
        while True:
            for part in self.parts:
                part.fill()
            upto = self._upto()
            window = self._window([part.take(upto) for part in self.parts])
            if len(window):
                yield window
            if upto == _EVER:
                return

    def _upto(self) -> int:
        """The last position of the next window. Alleles of one position are always in one window."""
        upto = min(part.end for part in self.parts)
        pos = np.sort(np.concatenate([part.upto(upto) for part in self.parts]), kind="stable")
        others = pos[1:][pos[1:] != pos[:-1]]
        return upto if len(others) < self.most else int(others[self.most - 1]) - 1

    def _window(self, pieces: list["_Piece"]) -> Window:
        pairs = sorted({pair for piece in pieces for pair in piece.pairs})
        rank = {pair: i for i, pair in enumerate(pairs)}
        size = max(1, len(pairs))
        keys = [
            piece.pos * size + np.array([rank[pair] for pair in piece.pairs], np.int64)[piece.pair]
            if len(piece.pos)
            else np.zeros(0, np.int64)
            for piece in pieces
        ]
        union, where = np.unique(np.concatenate(keys), return_inverse=True)
        ends = np.cumsum([0, *map(len, keys)])
        pos, pair = union // size, union % size
        places = self.places(pos, pos + np.array([len(ref) for ref, _ in pairs], np.int64)[pair] - 1 if pairs else pos)
        sums = self.begin(self.parts, len(union))
        states = [
            part.add(sums, piece, where[start:end], places)
            for part, piece, start, end in zip(self.parts, pieces, ends, ends[1:], strict=False)
        ]
        ref, alt = (pa.array([bases[i] for bases in pairs], pa.string()).take(pa.array(pair)) for i in range(2))
        *told, absent = zip(*states, strict=True)
        status, ac, an = map(np.stack, told)
        return Window(pos, ref, alt, status, ac, an, sums, absent)

    def begin(self, parts: Sequence["_Part"], alleles: int) -> Sums:
        """Sums to which some datasets are to be added: who may be of a stratum that a dataset does not give is counted
        nowhere."""
        sums = Sums.nothing(len(self.strata), alleles)
        sums.uncounted += np.stack([part.elsewhere for part in parts], axis=1).sum(
            axis=1, keepdims=True, dtype=np.int32
        )
        return sums

    def places(self, pos: np.ndarray, last: np.ndarray) -> Places:
        starts = np.array([start for start, _, _ in self.breaks])
        classes = np.array([kind for _, _, kind in self.breaks])[np.searchsorted(starts, pos, side="right") - 1]
        return Places(pos, last, classes, _ploidy(classes))


@dataclass
class _Piece:
    """Alleles of one dataset: pos int64, pair (index into pairs) int64, counted and zero bool (alleles,); ac, an, hom
    int32 and shown bool (strata of the dataset, alleles)."""

    pos: np.ndarray
    pair: np.ndarray
    pairs: list[tuple[str, str]]
    counted: np.ndarray
    zero: np.ndarray
    ac: np.ndarray
    an: np.ndarray
    hom: np.ndarray
    shown: np.ndarray

    def cut(self, start: int, end: int) -> "_Piece":
        part = slice(start, end)
        of_strata = (getattr(self, name)[:, part] for name in ("ac", "an", "hom", "shown"))
        return _Piece(self.pos[part], self.pair[part], self.pairs, self.counted[part], self.zero[part], *of_strata)

    def follow(self, other: "_Piece") -> "_Piece":
        pairs = list(dict.fromkeys([*self.pairs, *other.pairs]))
        index = {pair: i for i, pair in enumerate(pairs)}
        moved = np.array([index[pair] for pair in other.pairs], np.int64)[other.pair]
        flat = [np.concatenate((getattr(self, n), getattr(other, n))) for n in ("counted", "zero")]
        deep = [np.concatenate((getattr(self, n), getattr(other, n)), axis=1) for n in ("ac", "an", "hom", "shown")]
        pos = np.concatenate((self.pos, other.pos))
        return _Piece(pos, np.concatenate((self.pair, moved)), pairs, *flat, *deep)


class _Part:
    """One dataset along a contig."""

    def __init__(self, one: Dataset, contig: str, strata: Sequence[str], rows: int):
        self.one, self.contig, self.rows = one, contig, rows
        self.own = tuple(one.people)
        self.place = [strata.index(s) for s in self.own]
        self.elsewhere = np.array([s not in self.own and not one.holds_nobody(s) for s in strata])
        self.total = self.own.index(TOTAL)
        self.says_absent = says_absent(one, contig)
        self.origins = [self.own.index(s) for s in one.origins]
        self.families = families(self.own)
        self.zygosity = np.array([stratum in one.zygosity for stratum in self.own])
        self.table = one.tables.get(contig)
        runs = one.callable_an.get(contig)
        self.runs = Runs(runs.unchanged(one.name) if runs else None, contig, self.own)
        self.pieces = self._read()
        self.left = _nothing(len(self.own))
        self.finished = False
        self.reach = 0  # the last base of all alleles that were taken

    def _read(self) -> Iterator[_Piece]:
        if self.table is None:
            return
        path = self.table.unchanged(self.one.name)
        names = [wide_table.column(n, s) for n in ("ac", "an", "nhomalt") for s in self.own]
        columns = ["pos", "ref", "alt", "filter", *names]
        with reading(path), streamed(path, ["ref", "alt", "filter"]) as file:
            for batch in file.iter_batches(_BATCH, columns=columns, use_threads=False):
                if batch.num_rows:
                    yield self._piece(batch)

    def _piece(self, batch: pa.RecordBatch) -> _Piece:
        pos = batch["pos"].to_numpy().astype(np.int64)
        ref, alt = batch["ref"], batch["alt"]
        others = len(alt.dictionary)
        code = ref.indices.to_numpy().astype(np.int64) * others + alt.indices.to_numpy()
        found, pair = np.unique(code, return_inverse=True)
        refs, alts = ref.dictionary.to_pylist(), alt.dictionary.to_pylist()
        pairs = [(refs[c // others], alts[c % others]) for c in found.tolist()]
        words = pa.array(batch["filter"].dictionary)
        verdict = batch["filter"].indices.to_numpy()
        passed, zero = (pc.equal(words, word).to_numpy(zero_copy_only=False)[verdict] for word in ("PASS", _NO_CARRIER))

        def numbers(name: str) -> np.ndarray:
            cells = np.empty((len(self.own), batch.num_rows), np.int32)
            for i, s in enumerate(self.own):
                cells[i] = batch[wide_table.column(name, s)].fill_null(0).to_numpy()
            return cells

        shown = np.ones((len(self.own), batch.num_rows), bool)
        for i, s in enumerate(self.own):
            if (cells := batch[wide_table.column("an", s)]).null_count:
                shown[i] = cells.is_valid().to_numpy(zero_copy_only=False)
        piece = _Piece(pos, pair, pairs, passed, zero, numbers("ac"), numbers("an"), numbers("nhomalt"), shown)
        self._same_people(piece)
        return piece

    def _same_people(self, piece: _Piece) -> None:
        """A withheld stratum that is everybody of one that is given has its numbers."""
        if not self.one.exact_people:
            return
        for i, stratum in enumerate(self.own):
            for parent in parse(stratum).parents:
                if parent in self.own and self.one.people[parent] == self.one.people[stratum]:
                    p = self.own.index(parent)
                    follows = ~piece.shown[i] & piece.shown[p]
                    for name in ("ac", "an", "hom"):
                        values = getattr(piece, name)
                        values[i, follows] = values[p, follows]
                    piece.shown[i] |= follows

    @property
    def end(self) -> int:
        """The last position of a window, as far as this dataset is asked: all alleles there are at hand."""
        pos = self.left.pos
        if len(pos) > self.rows:
            return max(int(pos[0]), int(pos[self.rows]) - 1)
        return _EVER if self.finished else int(pos[-1]) - 1

    def fill(self) -> None:
        """Alleles enough for a window and the whole of the first position, or the rest."""
        while not self.finished and (len(self.left.pos) <= self.rows or self.left.pos[0] == self.left.pos[-1]):
            piece = next(self.pieces, None)
            if piece is None:
                self.finished = True
            else:
                self.left = self.left.follow(piece) if len(self.left.pos) else piece

    def upto(self, last: int) -> np.ndarray:
        """Positions of alleles at hand, up to the last one."""
        return self.left.pos[: int(np.searchsorted(self.left.pos, last, side="right"))]

    def take(self, upto: int) -> _Piece:
        n = len(self.upto(upto))
        piece, self.left = self.left.cut(0, n), self.left.cut(n, len(self.left.pos))
        return piece

    # ---- what it adds

    def add(
        self, sums: Sums, piece: _Piece, at: np.ndarray, every: Places
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
        """Add the dataset to sums that `Merge.begin` gave; what it says of each allele, AC and AN of everybody, and
        `Window.absent`.

        piece: its alleles of the window; at: their places among `every` allele.
        """
        reach = self._reached(piece)
        alleles = len(every.pos)
        if not alleles:
            return np.zeros(0, np.uint8), np.zeros(0, np.int64), np.zeros(0, np.int64), None
        status = np.full(alleles, UNSAID, np.uint8)
        all_ac, all_an = np.full(alleles, -1, np.int64), np.full(alleles, -1, np.int64)
        listed = np.zeros(alleles, bool)
        listed[at] = True
        status[at] = np.where(piece.counted, LISTED, np.where(piece.zero, ABSENT, FILTERED))
        stated = np.flatnonzero(piece.counted | piece.zero)
        callable_an = self.runs.at(every.pos)
        self._listed(sums, piece, at, stated, callable_an, every)
        all_ac[at[stated]], all_an[at[stated]] = piece.ac[self.total, stated], piece.an[self.total, stated]
        filtered = np.flatnonzero(status == FILTERED)
        for place in self.place if len(filtered) else ():
            sums.uncounted[place, filtered] += 1
        speaks = self._speaks(~listed, piece, reach, callable_an, every)
        self._silent(sums, ~listed, speaks, callable_an, every, status, all_ac, all_an)
        if not self.says_absent:
            return status, all_ac, all_an, None
        absent = np.where(~listed & (status == ABSENT), callable_an[self.origins], 0)
        return status, all_ac, all_an, absent.astype(np.int32)

    def _reached(self, piece: _Piece) -> np.ndarray:
        """int64 (alleles of the piece + 1,): the last base of all its alleles before each, and of all there are."""
        lengths = np.array([len(ref) for ref, _ in piece.pairs] or [1], np.int64)
        ends = piece.pos + lengths[piece.pair] - 1
        reach = np.maximum.accumulate(np.concatenate(([self.reach], ends)))
        self.reach = int(reach[-1])
        return reach

    def _beside(self, piece: _Piece, reach: np.ndarray, every: Places) -> np.ndarray:
        """bool (alleles,): where the dataset lists an allele that overlaps. reach: `_reached` by the piece."""
        found = reach[np.searchsorted(piece.pos, every.last, side="right")] >= every.pos
        if len(self.left.pos):
            found |= self.left.pos[0] <= every.last
        return np.asarray(found)

    def _listed(
        self,
        sums: Sums,
        piece: _Piece,
        at: np.ndarray,
        stated: np.ndarray,
        callable_an: np.ndarray,
        every: Places,
    ) -> None:
        given = (piece.ac, piece.an, piece.hom, piece.shown)
        added = (sums.ac, sums.an, sums.hom, sums.hom_hi)
        _add_given(given, stated, at, every.ploidy, self.zygosity, np.array(self.place), added)
        for i in np.flatnonzero(~piece.shown[:, stated].all(axis=1)).tolist():
            s = self.place[i]
            rows = stated[~piece.shown[i, stated]]
            rows_of_sum = at[rows]
            least = callable_an[i, rows_of_sum]
            known = least >= 0
            sums.uncounted[s, rows_of_sum[~known]] += 1
            rows, rows_of_sum, least = rows[known], rows_of_sum[known], least[known]
            ploidy = every.ploidy[rows_of_sum]
            most = self._most(i, least, ploidy)
            cap = self._cap(i, piece, rows)
            sums.low[s, rows_of_sum] += least
            sums.high[s, rows_of_sum] += most
            sums.bound[s, rows_of_sum] += np.minimum(cap, most)
            sums.hom_hi[s, rows_of_sum] += _pairs(np.minimum(cap, most), ploidy)

    def _cap(self, i: int, piece: _Piece, rows: np.ndarray) -> np.ndarray:
        """AC that a withheld stratum has at most: what a stratum that holds it has beside the parts that are given."""
        cap = np.full(len(rows), np.iinfo(np.int64).max // 4)
        for parent, children in self.families:
            if self.own[i] in children:
                p = self.own.index(parent)
                others = [self.own.index(c) for c in children if c != self.own[i]]
                rest = piece.ac[p, rows] - np.where(piece.shown[others], piece.ac[others], 0)[:, rows].sum(axis=0)
                cap = np.where(piece.shown[p, rows], np.minimum(cap, rest), cap)
        return cap

    def _most(self, i: int, least: np.ndarray, ploidy: np.ndarray) -> np.ndarray:
        """AN at most: what callable AN may be below the truth, and people of joint files and single VCFs, who are
        called at an allele that is withheld though nowhere else; no more than there are."""
        silence = self.one.silence
        if silence.k <= 1:
            return least
        stratum, below = self.own[i], self.runs.below[i]
        people = self.one.people[stratum]
        others = people - self.one.callable_people.get(stratum, people)
        more = np.full(len(least), below) if below >= 0 else ploidy * (silence.k - 1)
        return np.asarray(np.minimum(least + more + ploidy * others, ploidy * people))

    @property
    def _means(self) -> str:
        """What it means that an allele is not listed on this contig."""
        return self.one.silence.means if self.table else UNKNOWN

    def _speaks(
        self, absent: np.ndarray, piece: _Piece, reach: np.ndarray, callable_an: np.ndarray, every: Places
    ) -> np.ndarray:
        """bool (alleles,): where it says something by not listing an allele. reach: `_reached` by the piece."""
        speaks = absent & (callable_an[self.total] >= 0) & (self._means != UNKNOWN)
        if self._means == FLOOR:
            speaks &= self._bounded(callable_an, every)
            if not self.one.silence.beside:
                speaks &= ~self._beside(piece, reach, every)
        return np.asarray(speaks)

    def _silent(
        self,
        sums: Sums,
        absent: np.ndarray,
        speaks: np.ndarray,
        callable_an: np.ndarray,
        every: Places,
        status: np.ndarray,
        all_ac: np.ndarray,
        all_an: np.ndarray,
    ) -> None:
        """Alleles that it does not list. speaks: where it says something by that."""
        silence, means = self.one.silence, self._means
        nobody = speaks & (callable_an[self.total] == 0)
        np.copyto(status, NOBODY, where=nobody)
        speaks &= ~nobody
        np.copyto(status, ABSENT if means == ZERO else BELOW, where=speaks)
        np.copyto(all_ac, 0 if means == ZERO else -1, where=speaks)
        np.copyto(all_an, callable_an[self.total], where=speaks)
        others = [self.one.people[s] - self.one.callable_people.get(s, self.one.people[s]) for s in self.own]
        floor = np.array([silence.k, silence.few] if means == FLOOR else [0, 0])
        people = np.array([[self.one.people[s] for s in self.own], others, self.runs.below, self.place], np.int64)
        arrays = (sums.an, sums.low, sums.high, sums.rare, sums.rare_hom, sums.floor, sums.floor_hom, sums.uncounted)
        _add_silent(absent, speaks, callable_an, every.ploidy, floor, people, arrays)

    def _bounded(self, callable_an: np.ndarray, every: Places) -> np.ndarray:
        """bool (alleles,): where an allele that is withheld under the floor has few carriers or few others."""
        silence, classes, ploidy = self.one.silence, every.classes, every.ploidy
        good = classes != REGION_X
        if not silence.sexes:
            good &= contig_class(self.contig) not in ("X", "Y")
        if silence.few < silence.k:
            return good
        # Each part that the people of a stratum, or of all, fall into: given ones, and what is left beside them.
        enough = ploidy * silence.k
        for i, stratum in enumerate(self.own):
            if stratum != TOTAL:
                good &= (callable_an[i] > enough) | ((classes == REGION_Y) & (parse(stratum).sex == "F"))
        for parent, children in self.families:
            rows, p = [self.own.index(c) for c in children], self.own.index(parent)
            if sum(self.one.people[c] for c in children) < self.one.people[parent]:
                rest = callable_an[p] - callable_an[rows].sum(axis=0) - ploidy * (silence.k - 1) * len(rows)
                good &= rest > enough
        return good


@jit
def _add_given(given, told, at, ploidy, zygosity, place, sums):  # type: ignore[no-untyped-def]
    """Add the numbers that a dataset gives of its strata. told: its alleles that count; at: places of all its alleles
    in the window. zygosity: bool, and place: int64 (strata,). given, sums: arrays of _Piece and of Sums."""
    ac, an, hom, shown = given
    sum_ac, sum_an, sum_hom, sum_hom_hi = sums
    for i in range(len(place)):
        s = place[i]
        for row in told:
            if not shown[i, row]:
                continue
            j = at[row]
            sum_ac[s, j] += ac[i, row]
            sum_an[s, j] += an[i, row]
            if zygosity[i]:
                sum_hom[s, j] += hom[i, row]
            elif ploidy[j] == 2:
                sum_hom_hi[s, j] += ac[i, row] // 2


@jit
def _add_silent(absent, speaks, callable_an, ploidy, floor, people, sums):  # type: ignore[no-untyped-def]
    """Add what a dataset says by not listing alleles to its strata, as `Merge` tells.

    absent, speaks: bool (alleles,). callable_an: int64 (strata, alleles). floor: k and few, 0 where it publishes
    everything. people: int64 (4, strata): people, those who are called at rows alone, what callable AN is below the
    truth at most or -1, place among the strata of the collection. sums: arrays of Sums.
    """
    an, low, high, rare, rare_hom, fixed, fixed_hom, uncounted = sums
    for i in range(callable_an.shape[0]):
        s = people[3, i]
        for j in range(absent.size):
            if not absent[j]:
                continue
            n, p = callable_an[i, j], ploidy[j]
            if not speaks[j] or n < 0:
                uncounted[s, j] += 1
            elif floor[0] == 0:
                an[s, j] += n
            else:
                below = people[2, i] if people[2, i] >= 0 else p * (floor[0] - 1)
                most = min(n + below + p * people[1, i], p * people[0, i])
                width = min(p * floor[1], most)
                low[s, j] += n
                high[s, j] += most
                rare[s, j] += width
                fixed[s, j] += most
                if p == 2:
                    rare_hom[s, j] += width // 2
                    fixed_hom[s, j] += most // 2


def _ploidy(classes: np.ndarray) -> np.ndarray:
    """Alleles of a person at most."""
    return np.where((classes == REGION_Y) | (classes == REGION_M), 1, 2)


def _pairs(alleles: np.ndarray, ploidy: np.ndarray) -> np.ndarray:
    """Homozygotes that so many alleles make at most."""
    return np.where(ploidy == 2, alleles // 2, 0)


def _nothing(strata: int) -> _Piece:
    flat, deep = np.zeros(0, np.int64), np.zeros((strata, 0), np.int32)
    no = np.zeros(0, bool)
    return _Piece(flat, flat, [], no, no, deep, deep, deep, np.zeros((strata, 0), bool))
