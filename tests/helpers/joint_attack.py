"""Attack on all alleles that share bases by integer programs, from the numbers that are public of them alone.

It shares no code with what chose the cells, nor with the audit. A haplotype is a set of alleles of which no two cover
one base, which may be empty; a person is of a genotype, one or two of these. Unknown is how many people of each cell
are of each genotype.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, combinations_with_replacement
from typing import NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, vstack

# Programs with a goal drawn at random, before each number is asked for by itself.
_DRAWN = 4


class Given(NamedTuple):
    """Of an allele, what a stratum shows. members: index of cells; hom, het, hemi: people; an: alleles."""

    members: Sequence[int]
    allele: int
    hom: int
    het: int
    hemi: int
    an: int


def haplotypes(spans: Sequence[tuple[int, int]]) -> list[tuple[int, ...]]:
    """Sets of alleles that one haplotype may have. spans: first and last base of each allele."""
    sets = (s for n in range(len(spans) + 1) for s in combinations(range(len(spans)), n))
    return [s for s in sets if not any(_overlap(spans[a], spans[b]) for a, b in combinations(s, 2))]


def covers(spans: Sequence[tuple[int, int]]) -> list[tuple[int, ...]]:
    """Alleles that cover a base, of each base at which there are several, as sets."""
    bases = {b for span in spans for b in (span[0], span[1] + 1)}
    found = {tuple(a for a, (first, last) in enumerate(spans) if first <= base <= last) for base in bases}
    return sorted(s for s in found if len(s) > 1)


def _overlap(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return a[0] <= b[1] and b[0] <= a[1]


class Tables:
    """What fits the public numbers.

    people: of each cell. ploidy: of the people of each cell who may be called, 0 for none. spans: first and last base
    of each allele. given: what is shown. called: (members, least, most) people called, known from elsewhere.
    """

    def __init__(
        self,
        people: Sequence[int],
        ploidy: Sequence[int],
        spans: Sequence[tuple[int, int]],
        given: Iterable[Given],
        called: Iterable[tuple[Sequence[int], int, int]] = (),
    ):
        self.spans = spans
        of_haplotype = np.array([[a in h for a in range(len(spans))] for h in haplotypes(spans)], dtype=int)
        cells, ploidies, copies = [], [], []
        for cell, (n, p) in enumerate(zip(people, ploidy, strict=True)):
            for genotype in combinations_with_replacement(of_haplotype, p) if p and n else ():
                cells.append(cell)
                ploidies.append(p)
                copies.append(sum(genotype))
        self.copies = np.array(copies).reshape(-1, len(spans))
        self.cell, self.ploidy = np.array(cells, dtype=int), np.array(ploidies, dtype=int)
        rows, low, high = [], [], []

        def bound(weights, least, most):
            rows.append(weights)
            low.append(least)
            high.append(most)

        for cell, n in enumerate(people):
            bound(self.cell == cell, 0, n)
        for members, least, most in called:
            bound(np.isin(self.cell, members), least, most)
        for one in given:
            inside, mine = np.isin(self.cell, one.members), self.copies[:, one.allele]
            bound(inside & (self.ploidy == 2) & (mine == 2), one.hom, one.hom)
            bound(inside & (self.ploidy == 2) & (mine == 1), one.het, one.het)
            bound(inside & (self.ploidy == 1) & (mine == 1), one.hemi, one.hemi)
            bound(inside * self.ploidy, one.an, one.an)
        self.matrix = csr_array(np.array(rows, dtype=float))
        self.low, self.high = np.array(low, dtype=float), np.array(high, dtype=float)

    def _solve(self, goal: np.ndarray, fixed: tuple[np.ndarray, int] | None = None) -> np.ndarray | None:
        """Whole people by (cell, genotype) of which goal is least; None where nothing fits."""
        matrix, low, high = self.matrix, self.low, self.high
        if fixed is not None:
            matrix = vstack([matrix, csr_array(fixed[0][None, :].astype(float))])
            low, high = np.append(low, fixed[1]), np.append(high, fixed[1])
        found = milp(
            goal.astype(float),
            constraints=LinearConstraint(matrix, low, high),
            integrality=np.ones(len(goal)),
            bounds=Bounds(0),
        )
        return None if found.status == 2 else np.round(found.x).astype(int)

    def _homozygous_beside(self, cover: Sequence[int]) -> np.ndarray:
        """Genotypes of two copies of another allele that overlaps all of these: their number is public as such where
        genotypes are not protected, however small it is, and says that these people carry none of the cover."""
        rest = set(range(len(self.spans))) - set(cover)
        others = [a for a in rest if all(_overlap(self.spans[a], self.spans[b]) for b in cover)]
        return (self.copies[:, others] == 2).any(axis=1)

    def _asked(self, groups: Sequence[Sequence[int]], whole: set[int], genotypes: bool, apart: bool) -> Iterator[tuple]:
        """(group, what, weights) of each number that must not be told. whole: alleles of which all strata are shown."""
        for group in groups:
            inside = np.isin(self.cell, group)
            for cover in covers(self.spans):
                none = self.copies[:, cover].sum(axis=1) == 0
                if apart and not genotypes:
                    none &= ~self._homozygous_beside(cover)
                yield group, f"none of {cover}", inside & none
            for a in set(range(len(self.spans))) - whole:
                mine = self.copies[:, a]
                yield group, f"allele {a}, without", inside & (mine == 0)
                if genotypes:
                    yield group, f"allele {a}, het", inside & (mine == 1) & (self.ploidy == 2)
                    yield group, f"allele {a}, hom", inside & (mine == self.ploidy)
                else:
                    yield group, f"allele {a}, carriers", inside & (mine > 0)

    def few(
        self, groups: Sequence[Sequence[int]], whole: set[int], k: int, genotypes: bool, apart: bool = False
    ) -> list[tuple]:
        """(group, what, values) of each number with fewer than k values left, some of them 1 to k - 1.

        apart: whether people who are homozygous for another allele are left out of those who carry none of a cover,
        where their number is public. AssertionError where nothing fits what is given.
        """
        asked = [(g, what, w) for g, what, w in self._asked(groups, whole, genotypes, apart) if w.any()]
        if not asked:
            return []
        weights = np.array([w for _, _, w in asked], dtype=int)
        seen: list[set[int]] = [set() for _ in asked]
        rng = np.random.default_rng(1)

        def least(goal):
            found = self._solve(goal)
            assert found is not None, "nothing fits what is given"
            for values, value in zip(seen, (weights @ found).tolist(), strict=True):
                values.add(value)
            return int(goal @ found)

        for _ in range(_DRAWN):
            left = np.array([len(values) < k for values in seen])
            if left.any():
                least(weights.T @ (rng.integers(-3, 4, len(asked)) * left))
        out = []
        for (group, what, _), mine, values in zip(asked, weights, seen, strict=True):
            if len(values) >= k:
                continue
            low = least(mine)
            if low >= k or len(values) >= k:
                continue
            high = -least(-mine)
            if high == 0 or len(values) >= k:
                continue
            nothing = np.zeros(len(mine))
            for value in range(low, min(high, low + k) + 1):
                if value not in values and self._solve(nothing, (mine, value)) is not None:
                    values.add(value)
            if len(values) < k and any(0 < v < k for v in values):
                out.append((group, what, sorted(values)))
        return out
