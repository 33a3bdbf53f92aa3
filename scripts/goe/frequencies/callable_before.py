"""Callable AN that an earlier release of the same cohort shows, as what is known of those who are still counted.

Two releases that are each made of everybody's own counts tell more together than each by itself: where the earlier one
is cut and the later one is not, those who joined fill a hole. So a floor leaves of the people who were counted before
what was shown of them, and nothing else: of a smallest group of then, the number shown less all of its people who are
no longer in the group at hand. That is a lower bound of those who are, and follows from what is public already. What
those who joined add is made of them alone (`goe.frequencies.callable_an`), so it tells of nobody else.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from goe.core.errors import GoeError, Problem
from goe.genome.build import Build
from goe.genome.classes import Classes
from goe.harmonise.records import ploidy_table
from goe.hts import parquet
from goe.rules.stratum import parse

Group = tuple[str, ...]
"""A smallest group of the earlier release, by the published strata that hold it."""


@dataclass(frozen=True)
class Before:
    """Who was counted in an earlier release, and its table of callable AN of a contig.

    leaf: id -> leaf stratum then, of those who are still there; people: leaf -> people then; strata: published stratum
    -> people; path: the table.
    """

    leaf: Mapping[str, str]
    people: Mapping[str, int]
    strata: Mapping[str, int]
    path: str | Path

    def group(self, leaf: str) -> Group:
        return tuple(s for s in self.strata if parse(s).holds(parse(leaf)))

    @cached_property
    def groups(self) -> dict[Group, list[str]]:
        """Leaves of each smallest group."""
        found: dict[Group, list[str]] = {}
        for leaf in sorted(self.people):
            found.setdefault(self.group(leaf), []).append(leaf)
        return found

    @cached_property
    def sums(self) -> dict[Group, np.ndarray]:
        """int64 (strata,): how often the number of each stratum is added to give that of a smallest group.

        GoeError where the people of strata and leaves do not agree.
        """
        found: dict[Group, np.ndarray] = {}
        people = np.array(list(self.strata.values()))
        for group in sorted(self.groups, key=len, reverse=True):
            # It is what its smallest stratum holds beside the groups of more strata within that.
            smallest = max(group, key=lambda s: len(parse(s).parents))
            sums = (np.array(list(self.strata)) == smallest).astype(np.int64)
            for name, other in found.items():
                sums -= other * (smallest in name)
            if sums @ people != sum(self.people[leaf] for leaf in self.groups[group]):
                what = f"has other people of {' and '.join(self.groups[group])} than the record"
                raise GoeError(Problem(str(self.path), what, "give the record that was written with this release"))
            found[group] = sums
        return found


@dataclass(frozen=True)
class Stayed:
    """People of a smallest group of then who are still there. left: leaf -> people of it who are not among them."""

    group: Group
    left: Mapping[str, int]


class Shown:
    """What an earlier release shows on a contig. GoeError where its table does not go over the contig."""

    def __init__(self, before: Before, build: Build, contig: str):
        self.before, self.classes = before, Classes(build, contig)
        self.columns = [f"an_{stratum}" for stratum in before.strata]
        with parquet.opened(before.path) as file:
            missing = {"start", "end", *self.columns} - set(file.schema_arrow.names)
            groups = range(file.metadata.num_row_groups if not missing else 0)
            self.ends = [file.read_row_group(n, ["end"])["end"][-1].as_py() for n in groups]
        if not self.ends or self.ends[-1] != build.contigs[contig]:
            what = f"is no callable AN of the {build.contigs[contig]:,} bases of {contig}"
            raise GoeError(Problem(str(before.path), what, "get the earlier release again"))

    def runs(self, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        """Runs that touch first..last (1-based, inclusive): where they begin there, int64 (runs,), and numbers, int64
        (strata, runs)."""
        some, to = np.searchsorted(self.ends, [first, last])
        with parquet.opened(self.before.path) as file:
            table = file.read_row_groups(list(range(some, to + 1)), ["start", "end", *self.columns])
        end = table["end"].to_numpy()
        here = slice(int(np.searchsorted(end, first)), int(np.searchsorted(end, last)) + 1)
        start = np.maximum(table["start"].to_numpy()[here].astype(np.int64) + 1, first)
        return start, np.array([table[name].to_numpy()[here] for name in self.columns], np.int64)

    def people(self, kept: Sequence[tuple[Stayed, np.ndarray]], first: int, last: int) -> Iterator[np.ndarray]:
        """Of each, how many people are known to be callable at first..last: int32 (bases,).

        kept: with the alleles of a person by region class, int (classes,), the most where people differ.
        """
        start, an = self.runs(first, last)
        breaks = self.classes.starts
        cuts = np.union1d(start, breaks[(breaks > first) & (breaks <= last)])
        an = an[:, np.searchsorted(start, cuts, "right") - 1]
        of_class, bases = self.classes.at(cuts), np.diff(cuts, append=last + 1)
        for one, ploidy in kept:
            alleles = self.before.sums[one.group] @ an
            for leaf, n in one.left.items():
                alleles = alleles - n * ploidy_table([parse(leaf).sex])[:, 0].astype(np.int64)[of_class]
            each = ploidy.astype(np.int64)[of_class]
            yield np.repeat((np.maximum(alleles, 0) // np.maximum(each, 1) * (each > 0)).astype(np.int32), bases)


def stayed(ids: Sequence[str], before: Before) -> Iterator[tuple[Stayed, list[str]]]:
    """Those of `ids`, a smallest group of now, who were counted before: by their group of then."""
    of_group: dict[Group, list[str]] = {}
    for i in ids:
        if i in before.leaf:
            of_group.setdefault(before.group(before.leaf[i]), []).append(i)
    for group, mine in sorted(of_group.items()):
        there = [before.leaf[i] for i in mine]
        left = {leaf: before.people[leaf] - there.count(leaf) for leaf in before.groups[group]}
        yield Stayed(group, {leaf: n for leaf, n in left.items() if n}), mine
