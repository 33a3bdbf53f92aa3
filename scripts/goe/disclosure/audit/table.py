"""The published strata as a table of cells, and the rule as the release states it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

from goe.core.errors import Problem
from goe.rules.stratum import TOTAL, parse


@dataclass(frozen=True)
class Stated:
    """The rule as the release states it: min_carriers k, protect (carriers or genotypes), min_stratum_size."""

    k: int
    protect: str
    min_stratum_size: int


class Table:
    """The published strata as a table: rows are countries and, last, all people of others; columns are sexes.

    strata: published, in the order of the release. people: of each. Cells of a row are its men, women and people
    of unknown sex when the row is given by sex, else one cell, in the first place.

    order: int64, index of Total, M, F and of the three strata of each country in `strata`, -1 where there is
    none. size: int64 (rows, 3), people of each cell. by_sex: bool (rows,). sexes: whether M or F are published.
    """

    def __init__(self, strata: Sequence[str], people: Mapping[str, int]):
        self.strata = tuple(strata)
        self.people = {s: int(people[s]) for s in strata}
        self.countries = [s for s in strata if parse(s).is_country]
        self.sexes = "M" in self.people or "F" in self.people
        index = {s: i for i, s in enumerate(self.strata)}
        names = [TOTAL, "M", "F", *(f"{c}{sex}" for c in self.countries for sex in ("", "_M", "_F"))]
        self.order = np.array([index.get(n, -1) for n in names], dtype=np.int64)
        rows, by_sex = [], []
        for c in self.countries:
            men, women = (self.people.get(f"{c}_{sex}", 0) for sex in "MF")
            # A stratum without people is not published: where M or F are, a country without is of unknown sex.
            split = self.sexes or f"{c}_M" in self.people or f"{c}_F" in self.people
            rows.append((men, women, self.people[c] - men - women) if split else (self.people[c], 0, 0))
            by_sex.append(split)
        total = self.people.get(TOTAL, 0)
        self.rest = total - sum(self.people[c] for c in self.countries)
        if self.rest:
            men, women = (self.people.get(sex, 0) - sum(row[i] for row in rows) for i, sex in enumerate("MF"))
            rows.append((men, women, self.rest - men - women) if self.sexes else (self.rest, 0, 0))
            by_sex.append(self.sexes)
        self.size = np.array(rows, dtype=np.int64).reshape(-1, 3)
        self.by_sex = np.array(by_sex, dtype=bool)

    def problems(self, stated: Stated) -> list[Problem]:
        """Strata and groups that follow from them of fewer people than the rule allows, or that fit no table."""
        unknown = [s for s in self.strata if s not in (TOTAL, "M", "F") and parse(s).country not in self.countries]
        where = "strata of the release"
        if TOTAL not in self.people:
            return [Problem(where, "there is no Total", "publish Total, or nothing")]
        if unknown:
            return [Problem(where, f"{', '.join(unknown)}: the country is not published", "publish it, or neither")]
        for a, sex in enumerate("MF"):
            if self.sexes and self.size[:, a].sum() != self.people.get(sex, 0):
                return [
                    Problem(where, f"{sex} is not the sum of its countries", "publish all countries by sex, or none")
                ]
        groups = {f"stratum {s}": n for s, n in self.people.items()}
        for cells in self.groups.values():
            n = sum(self.size[cell] for cell in cells)
            groups.setdefault(self.name(cells), int(n))
        least = stated.min_stratum_size
        return [
            Problem(
                name,
                f"{n} people" if n >= 0 else "fewer people than its parts",
                f"fewer than {least}: publish fewer strata" if n >= 0 else "the numbers of people do not fit",
            )
            for name, n in groups.items()
            if n < 0 or (0 < n < least and stated.k > 1)
        ]

    @cached_property
    def groups(self) -> dict[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
        """Sets of cells whose numbers have to be hidden or fine: published strata, single cells, rows, columns."""
        rows = len(self.size)
        cells = [(r, a) for r in range(rows) for a in range(3) if self.size[r, a]]
        found = [cells, *([c] for c in cells)]
        found += [[c for c in cells if c[0] == r] for r in range(rows)]
        if self.sexes:
            found += [[c for c in cells if c[1] == a] for a in range(3)]
        return {tuple(g): tuple(g) for g in found if g}

    def name(self, cells: Sequence[tuple[int, int]]) -> str:
        """What a set of cells is called in a message: the stratum where there is one."""
        wanted = set(cells)
        for s in self.strata:
            if set(self.cells(s)) == wanted:
                return f"stratum {s}"
        rows = sorted({r for r, _ in cells})
        names = [self.countries[r] if r < len(self.countries) else "the countries not published" for r in rows]
        sexes = sorted({a for _, a in cells})
        who = ("people", "men", "women", "people of unknown sex")
        by_sex = len(sexes) == 1 and self.by_sex[rows].all()
        return f"{who[sexes[0] + 1] if by_sex else who[0]} of {' and '.join(names)}"

    def cells(self, stratum: str) -> list[tuple[int, int]]:
        """Cells that are summed into a published stratum."""
        rows = range(len(self.size))
        chosen: Iterable[tuple[int, int]]
        if stratum == TOTAL:
            chosen = product(rows, range(3))
        elif stratum in ("M", "F"):
            chosen = ((r, "MF".index(stratum)) for r in rows)
        elif stratum in self.countries:
            chosen = ((self.countries.index(stratum), a) for a in range(3))
        else:
            country, sex = parse(stratum)
            chosen = [(self.countries.index(country), "MF".index(sex))]
        return [c for c in chosen if self.size[c]]
