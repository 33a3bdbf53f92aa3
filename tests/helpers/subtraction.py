"""Attack on a sum by whoever has the public releases of its datasets too, by integer programs over people.

It shares no code with what decides on the sum, nor with the audit. Unknowns are people by dataset, origin and sex, and
genotype of the whole position; what a release gives is an equation, what it withholds under a floor a choice of two.
"""

from itertools import combinations

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from helpers.joint_attack import Given, Tables

FAR = 1000


class Reader:
    """What fits the numbers that are public.

    cells: (dataset, people, ploidy) of each. alleles: how many. given: fields of `Given`. floors: (members, allele, k)
    where a release withholds the allele: fewer than k of them carry it, or fewer than k do not. called: people called
    of each cell, None for a reader who does not know.
    """

    def __init__(self, cells, alleles, given, floors, called=None):
        self.datasets = [dataset for dataset, _, _ in cells]
        spans = [(1, 1)] * alleles
        self.fits = Tables([n for _, n, _ in cells], [p for _, _, p in cells], spans, [Given(*one) for one in given])
        found = self.fits.matrix.toarray()
        low, high = list(self.fits.low), list(self.fits.high)
        people = len(self.fits.cell)
        rows = [np.append(row, np.zeros(len(floors))) for row in found]
        if called is not None:
            for cell, n in enumerate(called):
                rows.append(np.append(self.fits.cell == cell, np.zeros(len(floors))))
                low.append(n)
                high.append(n)
        for number, (members, allele, k) in enumerate(floors):
            inside = np.isin(self.fits.cell, members)
            carry = self.fits.copies[:, allele] > 0
            choice = np.zeros(len(floors))
            for weights, side in ((inside & carry, -FAR), (inside & ~carry, FAR)):
                choice[number] = side
                rows.append(np.append(weights, choice))
                low.append(-np.inf)
                high.append(k - 1 + max(side, 0))
        self.constraint = LinearConstraint(np.array(rows, float), np.array(low, float), np.array(high, float))
        self.upper = np.append(np.full(people, np.inf), np.ones(len(floors)))

    def _least(self, weights, value=None):
        whole = np.append(weights, np.zeros(len(self.upper) - len(weights)))
        more = [] if value is None else [LinearConstraint(whole, value, value)]
        found = milp(
            whole if value is None else 0 * whole,
            constraints=[self.constraint, *more],
            integrality=np.ones(len(whole)),
            bounds=Bounds(0, self.upper),
        )
        return None if found.status == 2 else round(found.fun)

    def values(self, members, allele, kind, k):
        """Numbers of people of some cells that are possible; None where there are k or more, or none is 1 to k-1.

        kind: carriers, others, het or hom of an allele; none for people without any allele of the position.
        """
        copies = self.fits.copies
        mine = copies[:, allele]
        wanted = {
            "carriers": mine > 0,
            "others": mine == 0,
            "het": (mine == 1) & (self.fits.ploidy == 2),
            "hom": (mine == self.fits.ploidy) & (mine > 0),
            "none": copies.sum(axis=1) == 0,
        }[kind]
        weights = (np.isin(self.fits.cell, members) & wanted).astype(float)
        if not weights.any():
            return None
        low = self._least(weights)
        assert low is not None, "the true numbers fit"
        high = -self._least(-weights)
        if high - low >= k or low >= k or high == 0:
            return None
        found = [v for v in range(low, high + 1) if v in (low, high) or self._least(weights, v) is not None]
        return None if len(found) >= k or not any(0 < v < k for v in found) else found


def groups(datasets, sets=True):
    """Cells of each dataset, of each of its cells, and with `sets` of each set of datasets."""
    names = sorted(set(datasets))
    of = {d: [i for i, x in enumerate(datasets) if x == d] for d in names}
    found = {(d,): cells for d, cells in of.items()}
    found |= {(d, i): [i] for d, cells in of.items() for i in cells}
    for size in range(2, len(names) + 1) if sets else ():
        found |= {some: [i for d in some for i in of[d]] for some in combinations(names, size)}
    return found


def told(alone, more, k, floor, kinds, known):
    """What `more` tells that `alone` does not: (group, allele, kind, values).

    alone, more: readers without and with the sum. k: floor of the sum. floor: of each dataset, 0 without a release.
    known: datasets of which the release gives Total, for each allele: a set with one of them is the set without it.
    """
    found = []
    for name, cells in groups(more.datasets).items():
        sets = len(name) > 1 and isinstance(name[1], str)
        least = k if sets else floor[name[0]] or k
        for allele, given in enumerate(known):
            for kind in kinds:
                if (kind == "none" and allele) or (sets and set(name) & set(given)):
                    continue
                values = more.values(cells, allele, kind, least)
                if values is not None and values != alone.values(cells, allele, kind, least):
                    found.append((name, allele, kind, values))
    return found
