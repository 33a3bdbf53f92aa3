"""Proof that alleles which cover one base tell nothing together that each by itself does not.

A haplotype has at most one of the alleles that cover a base. So what is given of some of them bounds the others, from
above by the room that they leave. For each base, with the alleles given there as public in full (all strata) or as
Total alone:

* Where there are both, each group must be left k numbers of every allele with Total alone. It is, when the people of
  all these can be put in k ways: in different people, each of whom carries none of those in full, or, as long as they
  are heterozygous, one copy of these. In cells where the carriers of those in full are more than the people, so many
  must have two of them. The same is asked of all alleles that overlap in a chain: what covers several bases takes its
  places at all of them, and as many places as cover one base at most are enough for alleles that do not overlap.
* People who carry none of the alleles are a group as others: k numbers are left for it, or each that is left is 0 or
  at least k. With the people called less all carriers as the fewest, and so many more as can carry two alleles, it has
  a range in each group given. What shows Total only may take people from it.

An allele of which a part of the strata is given is not proved beside others. Where the ploidy is mixed (X) men and
women are asked apart. How many of either are called is known where all countries are given by sex; elsewhere what is
given is taken to be fine where it can be, and alleles in full beside those with Total only are not proved.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from goe.disclosure.audit.proofs import Counts
from goe.disclosure.audit.table import Stated, Table
from goe.genome.build import REGION_DIPLOID, REGION_X, REGION_Y

MEN, WOMEN = 0, 1
_FEW = "people of a group who carry no allele of the position are too few, and told"


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
        """Look at each base that several alleles cover, and at each chain of alleles that overlap."""
        people = _People(self._weights, self.table, alleles)
        first, last = alleles.first, alleles.last
        # Other alleles cover a base than the base before where one starts, and behind the end of one.
        bases = np.unique(np.append(first, last + 1)).tolist()
        cover: list[int] = []
        chain: list[int] = []
        covers: list[list[int]] = []
        i = 0
        for at in bases:
            cover = [v for v in cover if last[v] >= at]
            if not cover:
                yield from self._tell(people, chain, self._chain(people, chain, covers))
                chain, covers = [], []
            while i < len(first) and first[i] == at:
                if not people.odd[i]:
                    cover.append(i)
                    chain.append(i)
                i += 1
            if len(cover) > 1:
                covers.append(cover)
                yield from self._tell(people, cover, self._base(people, np.array(cover)))
        yield from self._tell(people, chain, self._chain(people, chain, covers))

    def _tell(self, people: "_People", alleles: list[int], found: str | None) -> Iterator[tuple[str, str]]:
        if found:
            yield str(people.names[alleles[-1]]), found

    def _chain(self, people: "_People", chain: list[int], covers: list[list[int]]) -> str | None:
        """What alleles that overlap tell together. covers: those at each base."""
        if len(covers) < 2 or people.part[chain].any():
            return None
        these = np.array(chain)
        return self._rooms(people, these, np.array([np.isin(these, cover) for cover in covers]))

    def _base(self, people: "_People", these: np.ndarray) -> str | None:
        """What alleles that cover a base tell together."""
        if people.part[these].any():
            return "a part of the strata of an allele is given beside other alleles of the position"
        found = self._rooms(people, these, np.ones((1, len(these)), dtype=bool))
        if found or self._mixed(people, these):
            return found
        some, others = these[people.full[these]], these[~people.full[these]]
        region = int(people.region[these[0]])
        if region == REGION_X:
            return self._none_on_x(people, these, some, others)
        least, most = people.none_of_all(these)
        if not _fine(least, most, self.k):
            return f"{_range(least, most)} people of Total carry no allele of the position"
        if len(some):
            return self._none_in_groups(people, some, others)
        # Nothing is known of the groups but their people.
        room = people.possible(region, self._size, self._sex)
        inside = self._groups @ room
        low, high = np.maximum(0, least + inside - room.sum()), np.minimum(most, inside)
        return _FEW if ((inside > 0) & ~_fine(low, high, self.k)).any() else None

    def _none_in_groups(self, people: "_People", some: np.ndarray, others: np.ndarray) -> str | None:
        """Of people who carry none of the alleles `some`, in full, or `others`, with Total alone, in each group."""
        low, high = people.none(some, self._groups)
        moving = int((people.total_het + people.total_hom)[others].sum())
        whole = int(people.none(some, np.ones((1, len(self._size)), dtype=bool))[0][0])
        bad = ~_fine(np.maximum(0, low - moving), high, self.k) | ((moving > 0) & (whole - low < moving))
        return _FEW if bad.any() else None

    def _mixed(self, people: "_People", these: np.ndarray) -> bool:
        """Whether men are counted with another ploidy at some of these alleles."""
        return len(set(people.region[these].tolist())) > 1 and bool((self._sex != WOMEN).any())

    def _rooms(self, people: "_People", these: np.ndarray, covers: np.ndarray) -> str | None:
        """Whether the alleles in full leave room to the others. covers: bool (bases, these)."""
        full = people.full[these]
        if full.all() or not full.any():
            return None
        if self._mixed(people, these):
            return "alleles counted with other ploidies stand beside it"
        views = [people]
        if people.region[these[0]] == REGION_X:
            if (self._sex < 0).any():
                return "alleles in full and with Total only overlap on X, where a country is not given by sex"
            views = [people.of_sex(sex, self._sex) for sex in (MEN, WOMEN)]
        if not all(self._room(view, these, covers) for view in views):
            return "other alleles that cover the base leave fewer than k numbers of a withheld one"
        return None

    def _room(self, people: "_People", these: np.ndarray, covers: np.ndarray) -> bool:
        full, total = people.full[these], ~people.full[these]
        called = people.called[these[full]].min(axis=0)
        # Most copies at one base, of those in full by cell, of the others in all.
        beside = covers[:, full].astype(np.int64)
        once = (beside @ people.het[these[full]]).max(axis=0)
        twice = (beside @ people.hom[these[full]]).max(axis=0)
        het = covers[:, total] * people.total_het[these[total]]
        hom = covers[:, total] * people.total_hom[these[total]]
        most_het, most_hom = int(het.sum(axis=1).max()), int(hom.sum(axis=1).max())
        without = np.maximum(0, called - once - twice)
        # The room for heterozygous people when the homozygous ones took whatever place they could in each cell.
        one = called - twice - np.maximum(0, once + twice - called) - np.minimum(most_hom, without)
        one = np.maximum(0, one)
        homs_fit = most_hom <= without.sum()
        groups = self._groups[self._groups @ called > 0]
        two = int((called > 0).sum()) == 2
        for v in range(int(total.sum())):
            t, h = int(het[:, v].max()), int(hom[:, v].max())
            if t + h == 0:
                continue
            others_het = int((het.sum(axis=1) - het[:, v]).max())
            others_hom = int((hom.sum(axis=1) - hom[:, v]).max())
            apart = homs_fit & self._ways(t, others_het, one, called, groups)
            if self.genotypes:
                fine = (t == 0) | apart | self._ways(t, others_het + most_hom, without, called, groups)
                fine &= (h == 0) | self._ways(h, most_het + others_hom, without, called, groups)
            else:
                if h and two:
                    apart = np.zeros(len(groups), dtype=bool)
                fine = apart | self._ways(t + h, others_het + others_hom, without, called, groups)
            if not fine.all():
                return False
        return True

    def _ways(self, carriers: int, others: int, room: np.ndarray, called: np.ndarray, groups: np.ndarray) -> np.ndarray:
        """bool (groups,): whether `carriers` people can be put into a group and the rest in k ways, beside `others`."""
        inside = groups @ room
        outside = room.sum() - inside
        high = np.minimum(carriers, inside)
        low = np.maximum(0, carriers - outside + np.maximum(0, others - inside))
        if carriers + others > room.sum():
            return np.zeros(len(groups), dtype=bool)
        if (called > 0).sum() != 2:
            return np.asarray(high - low >= self.k - 1)
        # One of two cells fails, so the numbers with which neither does are ruled out.
        found = []
        for first, least, most in zip(groups @ called, low, high, strict=True):
            x = np.arange(least, most + 1)
            asked = [x, carriers - x] + ([] if self.genotypes else [first - x, called.sum() - first - carriers + x])
            found.append(sum(((n > 0) & (n < self.k)).astype(int) for n in asked).astype(bool).sum() >= self.k)
        return np.array(found, dtype=bool)

    def _none_on_x(self, people: "_People", these: np.ndarray, some: np.ndarray, others: np.ndarray) -> str | None:
        """Of men and of women who carry none of the alleles."""
        by_sex = not (self._sex < 0).any()
        if not len(some) and not people.none_fits_on_x(these, self.k, self._size, self._sex):
            return "men or women who carry no allele of the position are too few, and told"
        for sex in (MEN, WOMEN):
            of_sex = self._sex == sex
            if len(some) and not of_sex.any():
                continue
            if len(some) and by_sex:
                one = people.of_sex(sex, self._sex)
                found = self._none_in_groups(one, some, others)
                low, high = one.none(some, of_sex[None])
                if found or (not len(others) and not _fine(low, high, self.k).all()):
                    return found or _FEW
                continue
            if len(some):
                low, high = people.of_sex(sex, self._sex).none(some, np.vstack([self._groups & of_sex, of_sex]))
            else:
                low, high = map(np.array, people.none_of_sex(these, sex, self._size, self._sex))
            # Something where nothing fine is possible.
            if ((low > 0) & (high < self.k)).any():
                return f"{'men' if sex == MEN else 'women'} who carry no allele of the position are too few, and told"
        return None


class _People:
    """People of the cells of alleles: het, hom (or hemizygous), called: int64 (alleles, cells), 0 where not given.

    total_*: int64 (alleles,), of Total. full, part: bool (alleles,), whether all strata are given, or some
    beside Total.
    odd: bool (alleles,), whether the numbers are of no ploidy that the region has.
    """

    def __init__(self, weights: np.ndarray, table: Table, chain: Alleles):
        hom, het, hemi, an = (weights @ np.where(chain.shown, x, 0) for x in chain.counts)
        haploid = ~np.isin(chain.region, (REGION_DIPLOID, REGION_X))
        given = chain.shown.sum(axis=0)
        # Where Total is the only stratum, what shows it shows all.
        self.full = whole = np.asarray(given == len(chain.shown))
        self.part = ~whole & (given > 1)
        self.names, self.region = chain.names, chain.region
        self.het = het.T * whole[:, None]
        self.hom = (hom // 2 + hemi).T * whole[:, None]
        self.called = np.where(haploid, an, an // 2).T * whole[:, None]
        self.an, self.hemi = an.T, hemi.T
        top = chain.counts._replace(**{x: getattr(chain.counts, x)[table.order[0]] for x in Counts._fields})
        self.total_het, self.total_hom = top.ac_het, top.ac_hom // 2 + top.ac_hemi
        self.total_hemi = top.ac_hemi
        self.total_an = top.an
        self.total_called = np.where(haploid, top.an, top.an // 2)
        mixed = chain.region == REGION_X
        self.odd = np.where(haploid, (top.ac_het > 0) | (top.ac_hom > 0), ~mixed & (top.ac_hemi > 0))
        self.odd |= ~mixed & (self.total_het + self.total_hom > self.total_called)
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
        selected = sexes == sex
        one.full, one.part = self.full, self.part
        one.het = self.het * selected * (sex == WOMEN)
        one.hom = np.where(sex == MEN, self.hemi, self.hom - self.hemi * (sexes != MEN)) * selected * self.full[:, None]
        one.called = np.where(sex == MEN, self.an, self.an // 2) * selected * self.full[:, None]
        one.total_het = self.total_het * (sex == WOMEN)
        one.total_hom = self.total_hemi if sex == MEN else self.total_hom - self.total_hemi
        return one

    def none_fits_on_x(self, which: np.ndarray, k: int, size: np.ndarray, sexes: np.ndarray) -> bool:
        """Whether men and women of Total on X who carry none can be fine, or hidden, both at once.

        Where these alleles have the same AN, over every number of men that it allows.
        """
        an = int(self.total_an[which[0]])
        if (self.total_an[which] != an).any():
            return True
        women = np.arange(min(an // 2, int(size[sexes != MEN].sum())) + 1)
        men = an - 2 * women
        women, men = (x[men <= size[sexes != WOMEN].sum()] for x in (women, men))
        hemi, hom = self.total_hemi[which], self.total_hom[which] - self.total_hemi[which]
        fits = np.ones(len(men), dtype=bool)
        for het, twice, called in ((0 * hom, hemi, men), (self.total_het[which], hom, women)):
            # As many of each allele as there are numbers of people called.
            each = [np.repeat(x[:, None], len(called), axis=1) for x in (het, twice)]
            low, high = _none(each[0], each[1], np.repeat(called[None], len(which), axis=0))
            fits &= _fine(low, high, k) & (called >= twice.max())
        return bool(fits.any())

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
