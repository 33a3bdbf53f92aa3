"""Proof that alleles which cover one base tell nothing together that each by itself does not.

A haplotype has at most one of the alleles that cover a base. So what is given of some of them bounds the others, from
above by the room that they leave. For each base at which an allele starts, with the alleles given there as public in
full (all strata) or as Total alone:

* Where there are both, each group must be left k numbers of every allele with Total alone. It is, when the people of
  all these can be put in k ways: in different people, each of whom carries none of those in full, or, as long as they
  are heterozygous, one copy of these. In cells where the carriers of those in full are more than the people, so many
  must have two of them.
* People who carry none of the alleles that start at the base are a group as others: k numbers are left for it, or each
  that is left is 0 or at least k. With the people called less all carriers as the fewest, and so many more as can carry
  two alleles, it has a range in each group given. What shows Total only may take people from it.

An allele of which a part of the strata is given is not proved beside others. Where the ploidy is mixed (X) men and
women are asked apart, and what is given is taken to be fine where it can be: how many of either are called is not
known. There, alleles in full beside those with Total only are not proved.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from goe.disclosure.audit.proofs import Counts
from goe.disclosure.audit.table import Stated, Table
from goe.genome.build import REGION_DIPLOID, REGION_X, REGION_Y

MEN, WOMEN = 0, 1


@dataclass(frozen=True)
class Alleles:
    """Alleles of one contig, in order, as they are given.

    names: contig:pos:ref:alt, strings. first, last: int64 (alleles,), bases of REF. region: uint8 (alleles,), REGION_*
    that the numbers fit. shown: bool (strata, alleles). counts: int64 (strata, alleles).
    """

    names: pa.Array
    first: np.ndarray
    last: np.ndarray
    region: np.ndarray
    shown: np.ndarray
    counts: Counts

    def __len__(self) -> int:
        return len(self.first)

    def take(self, which: np.ndarray) -> "Alleles":
        return Alleles(
            self.names.take(pa.array(which)),
            self.first[which],
            self.last[which],
            self.region[which],
            self.shown[:, which],
            Counts(*(numbers[:, which] for numbers in self.counts)),
        )

    def then(self, more: "Alleles") -> "Alleles":
        return Alleles(
            pa.concat_arrays([self.names, more.names]),
            np.concatenate((self.first, more.first)),
            np.concatenate((self.last, more.last)),
            np.concatenate((self.region, more.region)),
            np.concatenate((self.shown, more.shown), axis=1),
            Counts(*(np.concatenate(pair, axis=1) for pair in zip(self.counts, more.counts, strict=True))),
        )


class Positions:
    """The proof, allele after allele of a release.

    `look` takes alleles in order and yields (allele, what is wrong) of those of which no more overlap; `finish` of the
    last ones.
    """

    def __init__(self, table: Table, stated: Stated):
        self.table, self.k, self.genotypes = table, stated.k, stated.protect == "genotypes"
        cells = [(r, a) for r in range(len(table.size)) for a in range(3) if table.size[r, a]]
        self._weights = _weights(table, cells)
        self._size = np.array([table.size[cell] for cell in cells], dtype=np.int64)
        # Cells of people of both sexes are no one's.
        self._sex = np.array([a if table.by_sex[r] else -1 for r, a in cells])
        groups = {tuple(cell in group for cell in cells) for group in map(set, table.groups.values())}
        groups |= {tuple(not x for x in group) for group in groups}
        self._groups = np.array(sorted(g for g in groups if any(g) and not all(g)), dtype=bool).reshape(-1, len(cells))
        self._waiting: Alleles | None = None

    def look(self, alleles: Alleles) -> Iterator[tuple[str, str]]:
        """Look at the next alleles of a contig; the last ones, which more may overlap, wait."""
        if self._waiting is not None:
            alleles = self._waiting.then(alleles)
        # A chain begins where no allele before reaches.
        begins = np.append(True, alleles.first[1:] > np.maximum.accumulate(alleles.last)[:-1])
        chain = np.cumsum(begins) - 1
        last = chain == chain[-1]
        several = np.bincount(chain)[chain] > 1
        self._waiting = alleles.take(np.flatnonzero(last))
        yield from self._sweep(alleles.take(np.flatnonzero(several & ~last)))

    def finish(self) -> Iterator[tuple[str, str]]:
        """Look at what is left of a contig."""
        if self._waiting is not None:
            yield from self._sweep(self._waiting)
        self._waiting = None

    def _sweep(self, alleles: Alleles) -> Iterator[tuple[str, str]]:
        """Look at each base at which one of the alleles starts that others cover or start at."""
        people = _People(self._weights, self.table, alleles)
        given = alleles.shown.sum(axis=0)
        # Where Total is the only stratum, what shows it shows all.
        full = given == len(alleles.shown)
        part = ~full & (given > 1)
        first, last = alleles.first.tolist(), alleles.last.tolist()
        cover: list[int] = []
        i = 0
        while i < len(first):
            at = first[i]
            cover = [v for v in cover if last[v] >= at]
            start = len(cover)
            while i < len(first) and first[i] == at:
                if not people.odd[i]:
                    cover.append(i)
                i += 1
            if len(cover) < 2:
                continue
            these = np.array(cover)
            found: str | None = "a part of the strata of an allele is given beside other alleles of the position"
            if not part[these].any():
                regions = set(alleles.region[these].tolist())
                found = self._base(people, these[full[these]], these[~full[these]], these[start:], regions)
            if found:
                yield str(alleles.names[cover[-1]]), found

    def _base(
        self, people: "_People", full: np.ndarray, total: np.ndarray, same: np.ndarray, regions: set[int]
    ) -> str | None:
        """What alleles `full` and `total` that cover a base tell together, of which `same` start there."""
        if len(regions) > 1:
            return "alleles counted with other ploidies stand beside it" if len(full) and len(total) else None
        (region,) = regions
        if region == REGION_X:
            if len(full) and len(total):
                return "alleles in full and with Total only overlap on X"
            return self._none_on_x(people, same, len(full) > 0) if len(same) > 1 else None
        if len(full) and len(total) and not self._room(people, full, total):
            return "other alleles that cover the base leave fewer than k numbers of a withheld one"
        if len(same) < 2:
            return None
        some, others = np.intersect1d(same, full), np.intersect1d(same, total)
        least, most = people.none_of_all(same)
        if not _fine(least, most, self.k):
            return f"{_range(least, most)} people of Total carry no allele of the position"
        if not len(some):
            # Nothing is known of the groups but their people.
            people_here = people.possible(region, self._size, self._sex)
            inside = self._groups @ people_here
            low, high = np.maximum(0, least + inside - people_here.sum()), np.minimum(most, inside)
            bad = (inside > 0) & ~_fine(low, high, self.k)
        else:
            low, high = people.none(some, self._groups)
            moving = int(people.total_carriers[others].sum())
            whole, _ = people.none_of_all(some)
            bad = ~_fine(np.maximum(0, low - moving), high, self.k) | ((moving > 0) & (whole - low < moving))
        if bad.any():
            return "people of a group who carry no allele of the position are too few, and told"
        return None

    def _room(self, people: "_People", full: np.ndarray, total: np.ndarray) -> bool:
        called = people.called[full].min(axis=0)
        carriers = (people.het[full] + people.hom[full]).sum(axis=0)
        two = people.hom[full].sum(axis=0) + np.maximum(0, carriers - called)
        without = np.maximum(0, called - carriers)
        het, hom = people.total_het[total], people.total_hom[total]
        # The room for heterozygous people when the homozygous ones took whatever place they could in each cell.
        beside = np.maximum(0, called - two - np.minimum(hom.sum(), without))
        homs_fit = hom.sum() <= without.sum()
        groups = self._groups[self._groups @ called > 0]
        for t, h in zip(het.tolist(), hom.tolist(), strict=True):
            apart = homs_fit & self._ways(t, het.sum() - t, beside, called, groups)
            if self.genotypes:
                everybody = het.sum() + hom.sum()
                fine = (t == 0) | apart | self._ways(t, everybody - t, without, called, groups)
                fine &= (h == 0) | self._ways(h, everybody - h, without, called, groups)
            else:
                if h and len(called) == 2:
                    apart = np.zeros(len(groups), dtype=bool)
                fine = apart | self._ways(t + h, het.sum() + hom.sum() - t - h, without, called, groups)
            if not fine.all():
                return False
        return True

    def _ways(self, mine: int, others: int, room: np.ndarray, called: np.ndarray, groups: np.ndarray) -> np.ndarray:
        """bool (groups,): whether `mine` people can be put into a group and the rest in k ways, beside `others`."""
        here = groups @ room
        there = room.sum() - here
        high = np.minimum(mine, here)
        low = np.maximum(0, mine - there + np.maximum(0, others - here))
        if mine + others > room.sum():
            return np.zeros(len(groups), dtype=bool)
        if len(called) != 2:
            return np.asarray(high - low >= self.k - 1)
        # One of two cells fails, so the numbers with which neither does are ruled out.
        found = []
        for first, least, most in zip(groups @ called, low, high, strict=True):
            x = np.arange(least, most + 1)
            asked = [x, mine - x] + ([] if self.genotypes else [first - x, called.sum() - first - mine + x])
            found.append(sum(((n > 0) & (n < self.k)).astype(int) for n in asked).astype(bool).sum() >= self.k)
        return np.array(found, dtype=bool)

    def _none_on_x(self, people: "_People", same: np.ndarray, full: bool) -> str | None:
        """What is told of men and of women who carry none: something where nothing fine is possible."""
        for sex in (MEN, WOMEN):
            mine = self._sex == sex
            if full and not mine.any():
                continue
            if full:
                one = people.of_sex(sex, self._sex)
                low, high = one.none(same, np.vstack([self._groups & mine, mine]))
            else:
                low, high = map(np.array, people.none_of_sex(same, sex, self._size, self._sex))
            if ((low > 0) & (high < self.k)).any():
                return f"{'men' if sex == MEN else 'women'} who carry no allele of the position are too few, and told"
        return None


class _People:
    """People of the cells of alleles: het, hom (or hemizygous), called: int64 (alleles, cells), 0 where not given.

    total_*: int64 (alleles,), of Total. odd: bool (alleles,), whether the numbers are of no ploidy that the region has.
    """

    def __init__(self, weights: np.ndarray, table: Table, chain: Alleles):
        hom, het, hemi, an = (weights @ np.where(chain.shown, x, 0) for x in chain.counts)
        haploid = ~np.isin(chain.region, (REGION_DIPLOID, REGION_X))
        whole = np.asarray(chain.shown.all(axis=0))
        self.chain = chain
        self.het = het.T * whole[:, None]
        self.hom = (hom // 2 + hemi).T * whole[:, None]
        self.called = np.where(haploid, an, an // 2).T * whole[:, None]
        self.an, self.hemi = an.T, hemi.T
        top = chain.counts._replace(**{x: getattr(chain.counts, x)[table.order[0]] for x in Counts._fields})
        self.total_het, self.total_hom = top.ac_het, top.ac_hom // 2 + top.ac_hemi
        self.total_hemi = top.ac_hemi
        self.total_an = top.an
        self.total_called = np.where(haploid, top.an, top.an // 2)
        self.total_carriers = self.total_het + self.total_hom
        mixed = chain.region == REGION_X
        self.odd = np.where(haploid, (top.ac_het > 0) | (top.ac_hom > 0), ~mixed & (top.ac_hemi > 0))
        self.odd |= ~mixed & (self.total_carriers > self.total_called)
        self.odd |= ~mixed & ((self.het + self.hom > self.called).any(axis=1) | (self.called < 0).any(axis=1))

    def none(self, which: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Fewest and most people of each group who carry none of these alleles, all in full."""
        het, hom, called = (x[which] @ groups.T for x in (self.het, self.hom, self.called))
        return _none(het, hom, called)

    def none_of_all(self, which: np.ndarray) -> tuple[int, int]:
        """The same of Total, which every allele shows."""
        low, high = _none(self.total_het[which], self.total_hom[which], self.total_called[which])
        return int(low), int(high)

    def possible(self, region: int, size: np.ndarray, sex: np.ndarray) -> np.ndarray:
        """People of each cell who may be called in a region."""
        return np.where((sex == MEN) | (sex < 0), size, 0) if region == REGION_Y else size

    def of_sex(self, sex: int, sexes: np.ndarray) -> "_People":
        """Men or women of X alone, of the cells that are of one sex."""
        one = object.__new__(_People)
        mine = sexes == sex
        one.het = self.het * mine * (sex == WOMEN)
        one.hom = np.where(sex == MEN, self.hemi, self.hom - self.hemi * (sexes != MEN)) * mine
        one.called = np.where(sex == MEN, self.an, self.an // 2) * mine
        return one

    def none_of_sex(self, which: np.ndarray, sex: int, size: np.ndarray, sexes: np.ndarray) -> tuple[int, int]:
        """Fewest and most men or women of Total on X who carry none, by all that AN leaves for either."""
        an = self.total_an[which]
        men_most = np.minimum(an, size[sexes != WOMEN].sum())
        women_most = np.minimum(an // 2, size[sexes != MEN].sum())
        if sex == MEN:
            low, _ = _none(0 * an, self.total_hemi[which], np.maximum(0, an - 2 * women_most))
            _, high = _none(0 * an, self.total_hemi[which], men_most)
        else:
            hom = self.total_hom[which] - self.total_hemi[which]
            low, _ = _none(self.total_het[which], hom, np.maximum(0, (an - men_most + 1) // 2))
            _, high = _none(self.total_het[which], hom, women_most)
        return int(low), int(high)


def _none(het: np.ndarray, hom: np.ndarray, called: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fewest and most people without any of several alleles; het, hom, called: (alleles, ...)."""
    carriers = (het + hom).sum(axis=0)
    pairs = np.minimum(het.sum(axis=0) // 2, het.sum(axis=0) - het.max(axis=0))
    low = np.maximum(0, called.min(axis=0) - carriers)
    return low, np.maximum(low, called.max(axis=0) - carriers + pairs)


def _fine(low: np.ndarray | int, high: np.ndarray | int, k: int) -> np.ndarray:
    """Whether low..high are k numbers, or each is 0 or at least k; of each range."""
    low, high = np.asarray(low), np.asarray(high)
    return np.asarray((high - low >= k - 1) | (low >= k) | (high == 0))


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} to {high}"


def _weights(table: Table, cells: list[tuple[int, int]]) -> np.ndarray:
    """Weights with which the strata give each cell: int64 (cells, strata)."""
    strata = np.vstack([np.eye(len(table.strata), dtype=np.int64), np.zeros(len(table.strata), dtype=np.int64)])
    # A stratum of nobody is not there: its index is -1, the row of zeros.
    rows = strata[table.order].reshape(-1, 3, len(table.strata))
    everybody, countries = rows[0], rows[1:]
    rows = np.concatenate([countries, [everybody - countries.sum(axis=0)]])
    return np.array(
        [
            rows[r, 0] if not table.by_sex[r] else rows[r, 1 + a] if a < 2 else rows[r, 0] - rows[r, 1] - rows[r, 2]
            for r, a in cells
        ]
    ).reshape(-1, len(table.strata))
