"""Attack on all alleles of a position by integer programs, from the numbers that are public of them alone.

It shares no code with what chose the cells, nor with the audit. A person is of a genotype of the whole position: copies
of each allele that is public, and of anything else.
"""

from itertools import combinations_with_replacement

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, vstack


class Position:
    """What fits the public numbers.

    cells: people of each cell, by (row, sex). ploidy: of the people of each cell who may be called, 0 for none. given:
    (members, allele, hom, het, hemi, an): index of cells, and people or, an, alleles.
    """

    def __init__(self, people, ploidy, alleles, given):
        self.alleles = alleles
        self.cells, copies = [], []
        for cell, (n, p) in enumerate(zip(people, ploidy, strict=True)):
            for genotype in combinations_with_replacement(range(alleles + 1), p) if p and n else ():
                self.cells.append((cell, p))
                copies.append([genotype.count(a) for a in range(alleles)])
        self.copies = np.array(copies).reshape(-1, alleles)
        self.cell = np.array([cell for cell, _ in self.cells], dtype=int)
        self.ploidy = np.array([p for _, p in self.cells], dtype=int)
        rows, low, high = [], [], []
        for cell, n in enumerate(people):
            rows.append(self.cell == cell)
            low.append(0)
            high.append(n)
        for members, allele, hom, het, hemi, an in given:
            inside = np.isin(self.cell, members)
            mine = self.copies[:, allele]
            for weights, n in (
                (inside & (self.ploidy == 2) & (mine == 2), hom),
                (inside & (self.ploidy == 2) & (mine == 1), het),
                (inside & (self.ploidy == 1) & (mine == 1), hemi),
                (inside * self.ploidy, an),
            ):
                rows.append(weights)
                low.append(n)
                high.append(n)
        self.equations = csr_array(np.array(rows, dtype=float))
        self.low, self.high = np.array(low, float), np.array(high, float)

    def _least(self, weights, fixed=None):
        matrix, low, high = self.equations, self.low, self.high
        if fixed is not None:
            matrix = vstack([matrix, csr_array(weights[None, :].astype(float))])
            low, high = np.append(low, fixed), np.append(high, fixed)
            weights = np.zeros(len(weights))
        found = milp(
            weights,
            constraints=LinearConstraint(matrix, low, high),
            integrality=np.ones(len(weights)),
            bounds=Bounds(0),
        )
        return None if found.status == 2 else round(found.fun)

    def few(self, members, k, protect):
        """What is told of a group: (what, values) of each class with fewer than k values, some of them 1 to k-1."""
        inside = np.isin(self.cell, members)
        found = []
        asked = {"none": inside & (self.copies.sum(axis=1) == 0)}
        for a in range(self.alleles):
            mine = self.copies[:, a]
            asked[f"allele {a}, without"] = inside & (mine == 0)
            if protect == "genotypes":
                asked[f"allele {a}, het"] = inside & (mine == 1) & (self.ploidy == 2)
                asked[f"allele {a}, hom"] = inside & (mine == self.ploidy)
            else:
                asked[f"allele {a}, carriers"] = inside & (mine > 0)
        for what, weights in asked.items():
            if not weights.any():
                continue
            weights = weights.astype(float)
            low = self._least(weights)
            assert low is not None, "the true numbers fit"
            high = -self._least(-weights)
            if high - low >= k or low >= k or high == 0:
                continue
            values = [v for v in range(low, high + 1) if v in (low, high) or self._least(weights, v) is not None]
            if len(values) < k and any(0 < v < k for v in values):
                found.append((what, values))
        return found
