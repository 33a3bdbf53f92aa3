"""Audit of callable AN from the finished public files alone.

Every number of every run has to be a sum of numbers of the smallest groups that published strata and their differences
tell apart: of each group a multiple of k people (`min_carriers`) that leaves at least k - 1 of its people, by the
ploidy of its sex there. Then no number tells that 1 to k - 1 people are, or are not, callable, and neighbouring runs
differ in no group by 1 to k - 1 people. Where a cut between runs comes from cannot be seen in the files: that is what
tests of the writer are for.

Beside AN of the frequency tables: the number is a lower bound of what is called at a position, and so of AN at an SNV
there, but for people whose row of this SNV fails while another row of theirs at the position passes (C6.2, C6.3), and
for SNVs out of longer changes. What left-alignment moved is judged by rows elsewhere, so other alleles are not
compared. Few SNVs may be above; a table of another release, of exchanged strata, or in other units has many.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow.compute as pc

from goe.core.errors import Problem
from goe.disclosure.audit.table import Stated, Table
from goe.frequencies.block import Block
from goe.genome.build import REGION_DIPLOID, REGION_M, REGION_X, REGION_Y, Build, class_breaks, contig_class
from goe.rules.stratum import TOTAL

# Alleles of a person by region class and sex; nobody else has any.
PLOIDY = {
    (REGION_DIPLOID, "M"): 2,
    (REGION_DIPLOID, "F"): 2,
    (REGION_DIPLOID, "U"): 2,
    (REGION_X, "M"): 1,
    (REGION_X, "F"): 2,
    (REGION_Y, "M"): 1,
    (REGION_M, "M"): 1,
    (REGION_M, "F"): 1,
    (REGION_M, "U"): 1,
}
# Share of numbers at SNVs that may be above AN, and how many always may.
_SHARE, _ALWAYS = 0.1, 20
_REPORTED = 5
_MEND = "do not publish the release: report it"


class Group(NamedTuple):
    """A smallest group. sexes: those that its people may be of; people: how many; sums: stratum -> how often its number
    is added to give that of the group."""

    name: str
    sexes: str
    people: int
    sums: dict[str, int]


def groups(table: Table) -> list[Group]:
    """The smallest groups of the published strata, and those that nobody can be in, which have to be 0."""
    found = []
    unsplit: dict[str, int] = {TOTAL: 1}
    by_sex: dict[str, dict[str, int]] = {"M": {"M": 1}, "F": {"F": 1}, "U": {TOTAL: 1, "M": -1, "F": -1}}
    for row, country in enumerate(table.countries):
        men, women = (f"{country}_{sex}" for sex in "MF")
        unsplit[country] = -1
        sums_of = {"M": {men: 1}, "F": {women: 1}, "U": {country: 1, men: -1, women: -1}}
        for sex, sums in sums_of.items():
            for stratum, times in sums.items():
                by_sex[sex][stratum] = by_sex[sex].get(stratum, 0) - times
        if table.by_sex[row]:
            found += [
                Group(f"{country}, {sex}", sex, int(table.size[row, "MFU".index(sex)]), sums)
                for sex, sums in sums_of.items()
            ]
        else:
            found.append(Group(country, "MFU", int(table.size[row, 0]), {country: 1}))
    rest = table.size[len(table.countries)] if table.rest else np.zeros(3, np.int64)
    others = "other countries"
    if table.sexes:
        found += [Group(f"{others}, {sex}", sex, int(rest["MFU".index(sex)]), by_sex[sex]) for sex in "MFU"]
    else:
        found.append(Group(others, "MFU", int(rest.sum()), unsplit))
    return found


def at_most_below(table: Table, k: int, build: Build, contig: str, earlier: bool = False) -> dict[str, int]:
    """Stratum -> by how many alleles its numbers may be below the truth on a contig: 2 (k - 1) people of each group,
    and on X and Y of each sex of a group. earlier: whether numbers of an earlier release are kept, when it may be all,
    since more may be called today."""
    classes = {of_class for _, _, of_class in class_breaks(build, contig)}
    if earlier:
        most = max(PLOIDY.get((c, sex), 0) for c in classes for sex in "MFU")
        return {stratum: n * most for stratum, n in table.people.items()}
    apart = contig_class(contig) in ("X", "Y")
    found = dict.fromkeys(table.strata, 0)
    for group in groups(table):
        each = [max(PLOIDY.get((c, sex), 0) for c in classes) for sex in group.sexes]
        alleles = 2 * (max(k, 1) - 1) * (sum(each) if apart else max(each))
        for stratum in table.strata:
            cells = set(table.cells(stratum))
            if group.people and cells and _inside(group, stratum, table):
                found[stratum] += alleles
    return found


def _inside(group: Group, stratum: str, table: Table) -> bool:
    """Whether the people of a group are in a stratum."""
    if stratum == TOTAL:
        return True
    if stratum in ("M", "F"):
        return group.sexes == stratum
    country, _, sex = stratum.partition("_")
    return group.name.split(",")[0] == country and sex in ("", group.sexes)


def most_shown(people: int, k: int) -> int:
    """The most of these people who may be shown as callable: a multiple of k that leaves k - 1."""
    return max(0, people - k + 1) // k * k


class Runs:
    """The audit of a contig, batch after batch.

    strata, people: published, in the order of the release. where: what problems are told of. earlier: whether numbers
    of an earlier release are kept. others: stratum -> people of whom other runs may tell as much; these and those leave
    k - 1 of each group together.
    """

    def __init__(
        self,
        strata: Sequence[str],
        people: Mapping[str, int],
        stated: Stated,
        build: Build,
        contig: str,
        where: str,
        earlier: bool = False,
        others: Mapping[str, int] | None = None,
    ):
        self.table, self.k, self.others = Table(strata, people), max(1, stated.k), others or {}
        self.nobody = people[TOTAL] < stated.min_stratum_size and stated.k > 1
        self.groups = groups(self.table)
        self.breaks = class_breaks(build, contig)
        self.contig, self.where = contig, where
        self.found: dict[str, int] = {}
        self.problems: list[Problem] = []
        self.compared = self.above = self.far = 0
        self.within = at_most_below(self.table, self.k, build, contig, earlier)

    def look(self, start: np.ndarray, end: np.ndarray, an: np.ndarray) -> None:
        """start, end: 1-based, inclusive; an: int64 (strata, runs)."""
        begins = [first for first, _, _ in self.breaks]
        for at in (start, end):
            of_class = np.array([c for _, _, c in self.breaks])[np.searchsorted(begins, at, "right") - 1]
            for group in self.groups:
                number = np.zeros(len(start), np.int64)
                for stratum, times in group.sums.items():
                    if stratum in self.table.strata:
                        number += times * an[self.table.strata.index(stratum)]
                self._number(group, number, of_class, start)

    def _number(self, group: Group, number: np.ndarray, of_class: np.ndarray, start: np.ndarray) -> None:
        people = group.people - sum(times * self.others.get(s, 0) for s, times in group.sums.items())
        for c in np.unique(of_class):
            # Where ploidy takes a group apart by sex, others were told of either sex by itself.
            apart = self.others and len(group.sexes) > 1 and c in (REGION_X, REGION_Y)
            most = 0 if self.nobody else people // self.k * self.k if apart else most_shown(people, self.k)
            ploidies = {PLOIDY.get((int(c), sex), 0) for sex in group.sexes} - {0}
            of_this_class = of_class == c
            step = self.k * min(ploidies, default=0)
            wrong = (number < 0) | (number > most * max(ploidies, default=0))
            if step:
                wrong |= number % step != 0
            self._tell(f"{group.name}: is no number of people that may be shown", of_this_class & wrong, start)

    def _tell(self, what: str, wrong: np.ndarray, start: np.ndarray) -> None:
        for at in np.flatnonzero(wrong):
            self.found[what] = self.found.get(what, 0) + 1
            if self.found[what] <= _REPORTED:
                self.problems.append(Problem(self.where, f"{self.contig}:{start[at]} callable AN of {what}", _MEND))

    def beside(self, block: Block, an: np.ndarray, gvcfs_alone: bool) -> None:
        """Alleles of the frequency tables, with callable AN at their positions: int64 (strata, alleles).

        gvcfs_alone: whether everybody has a gVCF, so that AN is not far above it either.
        """
        snv = (pc.binary_length(block.ref).to_numpy() == 1) & (pc.binary_length(block.alt).to_numpy() == 1)
        cells = block.shown() & snv
        self.compared += int(cells.sum())
        self.above += int((cells & (an > block.numbers.an)).sum())
        if gvcfs_alone:
            within = np.array([self.within[s] for s in block.strata])[:, None]
            self.far += int((cells & (block.numbers.an > an + within)).sum())

    def finish(self) -> list[Problem]:
        """All problems."""
        out = [*self.problems]
        for what, n in self.found.items():
            if n > _REPORTED:
                out.append(Problem(self.where, f"and {n - _REPORTED} more: callable AN of {what}", _MEND))
        for n, what in ((self.above, "above AN"), (self.far, "further below AN than may be")):
            if n > max(_ALWAYS, _SHARE * self.compared):
                message = f"callable AN is {what} at {n:,} of {self.compared:,} numbers of SNVs"
                out.append(Problem(self.where, message, "is it of this release? get it again"))
        return out
