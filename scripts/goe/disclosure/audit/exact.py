"""What is possible at one allele, by integer programs with the equations as they are: exact, slow, rare.

`scipy.optimize.milp` gives the smallest and the largest number, and those between when there are fewer than k. The
tests hold the quick proofs against it. It is loaded for the first allele that needs it: an open release has none, and
half a second of each check of one was this import.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import TypeAlias

import numpy as np

from goe.core.errors import GoeError, Problem
from goe.core.imports import everything
from goe.disclosure.audit.table import Table
from goe.genome.build import REGION_DIPLOID, REGION_M, REGION_X, REGION_Y, REGION_Y_PAR

CARRIERS = ("het", "hom", "hemi")
OTHERS = ("ref", "hapref")
# Weights of people by variable, one row or several, and the smallest and the largest that each may come to.
_Limits: TypeAlias = tuple[np.ndarray, np.ndarray | float, np.ndarray | float]
QUANTITIES = {
    "carriers": {"carriers": CARRIERS, "people called without it": OTHERS},
    "genotypes": {
        "heterozygous people": ("het",),
        "homozygous or hemizygous people": ("hom", "hemi"),
        "people called without it": OTHERS,
    },
}


class Exact:
    """What is possible at one allele, by integer programs over people by cell and genotype.

    table: the strata. region: REGION_*. given: stratum -> (ac_hom, ac_het, ac_hemi, an) of the cells that are
    given.
    """

    def __init__(self, table: Table, region: int, given: Mapping[str, Sequence[int]]):
        self.table = table
        self.variables: list[tuple[tuple[int, int], str]] = []
        ploidies = {
            REGION_DIPLOID: ("dip",) * 3,
            REGION_M: ("hap",) * 3,
            REGION_X: ("hap", "dip", ""),
            REGION_Y: ("hap", "", ""),
            REGION_Y_PAR: ("", "", ""),
        }[region]
        for cell in self._cells():
            # A country that is not published by sex is one cell of women and men.
            whole = not table.by_sex[cell[0]]
            for ploidy in sorted(set(filter(None, ploidies)) if whole else {ploidies[cell[1]]} - {""}):
                kinds = ("ref", "het", "hom") if ploidy == "dip" else ("hapref", "hemi")
                self.variables += [(cell, kind) for kind in kinds]
        rows, lower, upper = [], [], []
        for cell in self._cells():
            rows.append([float(c == cell) for c, _ in self.variables])
            lower.append(0)
            upper.append(table.size[cell])
        weights = ({"hom": 2}, {"het": 1}, {"hemi": 1}, {"ref": 2, "het": 2, "hom": 2, "hapref": 1, "hemi": 1})
        for stratum, counts in given.items():
            inside = set(table.cells(stratum))
            for number, weight in zip(counts, weights, strict=True):
                rows.append([float(weight.get(kind, 0)) if c in inside else 0.0 for c, kind in self.variables])
                lower.append(number)
                upper.append(number)
        self.cases: list[list[_Limits]] = [[]]
        self.impossible = not self.variables and any(any(counts) for counts in given.values())
        if self.variables:
            self.equations = np.array(rows), np.array(lower, float), np.array(upper, float)
            self.impossible = self._solve(np.zeros(len(self.variables)), []) is None

    def _cells(self) -> list[tuple[int, int]]:
        return [(r, a) for r in range(len(self.table.size)) for a in range(3) if self.table.size[r, a]]

    def rule_holds(self, groups: Iterable[Sequence[tuple[int, int]]], k: int) -> None:
        """From here on only what is possible when among the haploid and among the diploid people of each of these
        groups 0 or at least k are without the allele."""
        for group, kind in product(groups, OTHERS):
            weights = self._weights(group, (kind,))
            if weights.any():
                choices = [(weights, 0, 0), (weights, k, np.inf)]
                cases = [[*case, choice] for case in self.cases for choice in choices]
                self.cases = [case for case in cases if self._solve(0 * weights, case) is not None]

    def _weights(self, cells: Iterable[tuple[int, int]], kinds: Iterable[str]) -> np.ndarray:
        cells, kinds = set(cells), set(kinds)
        return np.array([float(c in cells and kind in kinds) for c, kind in self.variables])

    def _solve(self, weights: np.ndarray, more: Sequence[_Limits]) -> int | None:
        """Smallest weighted sum of people, or None when no numbers fit."""
        with everything():
            from scipy.optimize import Bounds, LinearConstraint, milp
        found = milp(
            weights,
            constraints=[LinearConstraint(*limits) for limits in (self.equations, *more)],
            integrality=np.ones(len(weights)),
            bounds=Bounds(0, np.inf),
        )
        if found.status == 2:
            return None
        if not found.success:
            raise GoeError(Problem("disclosure audit", f"no answer of the solver: {found.message}", "run it again"))
        least: int = round(found.fun)
        return least

    def _least(self, weights: np.ndarray, case: Sequence[_Limits]) -> int:
        """The same of a case that is known to have numbers that fit."""
        least = self._solve(weights, case)
        assert least is not None
        return least

    def fits(self, *wanted: tuple[Iterable[tuple[int, int]], Iterable[str], int, int]) -> bool:
        """Whether all of these can be so at once: (cells, kinds, fewest, most) people."""
        more = []
        for cells, kinds, fewest, most in wanted:
            weights = self._weights(cells, kinds)
            if weights.any():
                more.append((weights, fewest, most))
            elif fewest > 0:
                return False
        if not self.variables:
            return not self.impossible
        nothing = np.zeros(len(self.variables))
        return any(self._solve(nothing, [*case, *more]) is not None for case in self.cases)

    def possible(
        self, cells: Iterable[tuple[int, int]], kinds: Iterable[str], least: int
    ) -> tuple[int, int, list[int]]:
        """Smallest and largest number of people of these genotypes in these cells, and the possible numbers.

        The numbers are listed only where they are fewer than `least` apart.
        """
        weights = self._weights(cells, kinds)
        if not weights.any():
            return 0, 0, [0]
        low = min(self._least(weights, case) for case in self.cases)
        high = max(-self._least(-weights, case) for case in self.cases)
        if high - low >= least:
            return low, high, []
        between = [v for v in range(low + 1, high) if self.fits((cells, kinds, v, v))]
        return low, high, sorted({low, *between, high})


class Sums:
    """Which sums of cells follow from the given strata by sums and differences, and what they are.

    given: as in Exact. On X outside the pseudo-autosomal regions a stratum tells its men and women apart as far as
    carriers go.
    """

    def __init__(self, table: Table, region: int, given: Mapping[str, Sequence[int]]):
        self.table = table
        self.all = [(r, a) for r in range(len(table.size)) for a in range(3) if table.size[r, a]]
        if region in (REGION_X, REGION_Y):
            countable = (0, 1) if region == REGION_X else (0,)
            self.all = [(r, a) for r, a in self.all if a in countable or not table.by_sex[r]]
        vectors, numbers = [], []
        for stratum, (hom, het, hemi, an) in given.items():
            inside = table.cells(stratum)
            called = an // 2 if region == REGION_DIPLOID else an
            counts = np.array([called - hom // 2 - het - hemi, het, hom // 2 + hemi])
            if region != REGION_X:
                vectors.append(self._vector(inside))
                numbers.append(counts)
                continue
            for a, genotypes in ((0, (0, 0, hemi)), (1, (0, het, hom // 2))):
                some = [c for c in inside if c[1] == a or not table.by_sex[c[0]]]
                if some and all(table.by_sex[r] for r, _ in some):
                    vectors.append(self._vector(some))
                    numbers.append(np.array(genotypes))
        self.vectors = np.array(vectors).reshape(-1, len(self.all))
        self.numbers = np.array(numbers, dtype=float).reshape(-1, 3)

    def _vector(self, cells: Iterable[tuple[int, int]]) -> np.ndarray:
        inside = set(cells)
        return np.array([float(c in inside) for c in self.all])

    def known(self, cells: Iterable[tuple[int, int]]) -> np.ndarray | None:
        """Classes (reference, het, hom or hemizygous) of these cells together, None when they do not follow."""
        target = self._vector(cells)
        if not len(self.vectors):
            return None
        weights = np.linalg.lstsq(self.vectors.T, target, rcond=None)[0]
        if np.abs(self.vectors.T @ weights - target).max(initial=0) > 1e-6:
            return None
        return np.asarray(np.rint(weights @ self.numbers), np.int64)

    def remainders(self) -> list[list[tuple[int, int]]]:
        """For every known sum of a row, of a column or of the countries that are not known: its unknown cells."""
        unknown = [c for c in self.all if self.known([c]) is None]
        rows = range(len(self.table.size))
        by_row = [[c for c in self.all if c[0] == r] for r in rows]
        withheld = [c for cells in by_row if cells and self.known(cells) is None for c in cells]
        sets = [*by_row, withheld]
        if self.table.sexes:
            sets += [[c for c in self.all if c[1] == a] for a in range(3)]
        found = []
        for cells in sets:
            left = [c for c in cells if c in unknown]
            if left and left not in found and self.known(cells) is not None:
                found.append(left)
        return found
