"""Callable AN: at every position of a contig, how many people would count there without an allele (C4.6).

People are counted by the smallest groups that the published strata tell apart, each by itself, and what is shown of a
group follows from its own counts alone; strata are sums of groups. With a floor of k people a group is shown coarsely:

* The contig is cut into blocks by halves: a block is cut in two only where its fewest and its most people differ by k
  or more. So where a cut is follows from at least k people, and cuts are at positions that everybody knows; in a block
  that was not cut all positions are less than k people apart.
* A block has the fewest people of all its positions, rounded down to a multiple of k, and at most the multiple that
  leaves k - 1 people of the group (`shown`).

So a number shown is never above the truth and never more than 2 (k - 1) people of each group below it, neighbouring
numbers of a group differ by nobody or by k people and more, and every number stands for at least k numbers of people
callable. With k = 1 the same is exact. Cuts do not depend on regions: a region has whole stretches (`Region`), and what
is not cut within them is joined along the contig (`Contig`).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from goe.core.errors import GoeError, Problem
from goe.frequencies.callable_before import Before, Shown, Stayed, stayed
from goe.frequencies.cohort import Runs
from goe.frequencies.counts import Leaves
from goe.frequencies.strata import shown
from goe.genome.build import REGION_DIPLOID, Build, Region, contig_class
from goe.genome.classes import Classes
from goe.harmonise.batch import WINDOW, Called, Stretches, Tables
from goe.harmonise.records import ploidy_table
from goe.hts import parquet
from goe.hts.kernels import jit
from goe.rules.dataset import AN_METHODS, GVCF_ADJ
from goe.rules.stratum import parse

STRETCH = 1 << 20
"""Bases of a stretch, a power of two: blocks within it are made by one job."""
assert STRETCH == WINDOW
# Runs of a contig at a time.
_PIECE = 1 << 16

BLOCKS = pa.schema(
    [("part", pa.int16()), ("start", pa.int32()), ("end", pa.int32()), ("low", pa.int32()), ("high", pa.int32())]
)
"""Callable people of a part of the cohort by its number, at positions start..end (1-based, inclusive) of a stretch:
fewest and most. Blocks of one number shown are one row. Exact: personal data."""


@dataclass(frozen=True)
class Part:
    """People who are counted together. leaves: their leaf strata; people: how many they are; sex: M, F or U, empty
    where it does not matter; kept: whether they are shown as an earlier release shows them, of each as many alleles as
    of that sex."""

    leaves: tuple[str, ...]
    people: int
    sex: str
    kept: bool = False

    @property
    def ploidy(self) -> np.ndarray:
        return ploidy_of(self.sex)


def ploidy_of(sex: str) -> np.ndarray:
    """int8 (classes,): alleles of a person of a sex by region class; empty where it does not matter."""
    return ploidy_table([sex or "U"])[:, 0]


def parts(groups: Iterable[Sequence[str]], people: Mapping[str, int], contig: str) -> list[Part]:
    """The parts of a contig: groups of leaves, on X and Y each by sex, as its ploidy is.

    groups: the smallest that published strata tell apart, of everybody; people: of each leaf.
    """
    found = []
    for group in groups:
        sexes = "MFU" if contig_class(contig) in ("X", "Y") else ("",)
        for sex in sexes:
            leaves = tuple(leaf for leaf in group if not sex or parse(leaf).sex == sex)
            n = sum(people[leaf] for leaf in leaves)
            if n:
                found.append(Part(leaves, n, sex))
    return found


@jit
def cut(low: np.ndarray, high: np.ndarray, k: int, start: np.ndarray, least: np.ndarray, most: np.ndarray) -> int:
    """Cut units into blocks by halves while the fewest and the most people of a block differ by k or more.

    low, high: int32 (units,), fewest and most of each; a unit is not cut itself. Fills start (first unit), least and
    most of each block, and gives how many there are. Behind the last unit nothing differs from anything.
    """
    n = 0
    units = low.size
    for i in range(units):
        start[n], least[n], most[n] = i, low[i], high[i]
        n += 1
        size = 1
        last = i + 1 == units
        while True:
            first = start[n - 1]
            if first % (2 * size) == 0:
                # A first half, whose second is not there yet, or never will be.
                if not last or first == 0:
                    break
            else:
                a, b = min(least[n - 2], least[n - 1]), max(most[n - 2], most[n - 1])
                if start[n - 2] != first - size or b - a >= k:
                    break
                n -= 1
                least[n - 1], most[n - 1] = a, b
            size *= 2
    return n


@jit
def _joined(
    people: int, k: int, end: int, n: int, start: np.ndarray, least: np.ndarray, most: np.ndarray, ends: np.ndarray
) -> int:
    """Join blocks that show the same, in place: how many there are. ends: filled with the unit behind each."""
    m = 0
    before = -1
    for i in range(n):
        level = max(min(least[i], people - k + 1), 0) // k
        if m and level == before:
            least[m - 1], most[m - 1] = min(least[m - 1], least[i]), max(most[m - 1], most[i])
        else:
            start[m], least[m], most[m] = start[i], least[i], most[i]
            m += 1
        before = level
        ends[m - 1] = start[i + 1] if i + 1 < n else end
    return m


@jit
def _add(runs: Runs, of_class: np.ndarray, first: int, part: np.ndarray, each: np.ndarray, change: np.ndarray) -> None:
    """Add runs to change int32 (parts, positions + 1), the difference of people callable to the position before.

    of_class: of the runs; first: position of the first column; part: int16 (classes, people), -1 for none; each: int8
    (classes, people), what a person adds.
    """
    person, start, end, _ = runs
    for r in range(person.size):
        where = part[of_class[r], person[r]]
        if where >= 0:
            n = each[of_class[r], person[r]]
            change[where, start[r] - first] += n
            change[where, end[r] - first + 1] -= n


def stretches(region: Region, length: int, size: int = STRETCH) -> Iterator[tuple[int, int]]:
    """(first, last) of the stretches of a contig of this length that begin in the region."""
    for first in range(1 + -(-(region.start - 1) // size) * size, region.end + 1, size):
        yield first, min(first + size - 1, length)


class People:
    """Who is in which part of a contig.

    leaves: of everybody on the keep list; kinds: kind of input of each person; groups: as for `parts`. Whoever has no
    gVCF is callable nowhere. before: of an earlier release; kept: by number of a part, what it shows of whom.
    covered: those whose reads tell instead. As many of a part as can be callable, as a floor of k people shows these,
    are then not counted in it, so that what is shown in both leaves k - 1 people of the part together, too.
    """

    def __init__(
        self,
        leaves: Leaves,
        ids: Sequence[str],
        kinds: Mapping[str, str],
        groups: Iterable[Sequence[str]],
        contig: str,
        before: Before | None = None,
        covered: Collection[str] | None = None,
        k: int = 1,
    ):
        self.leaves, self.before = leaves, before
        called = np.array([kinds[i] in AN_METHODS[GVCF_ADJ] for i in ids], np.bool_)
        self._number = {name: n for n, name in enumerate(ids)}
        leaf = {i: leaves.names[n] for i, n in zip(ids, leaves.of[REGION_DIPLOID], strict=True) if n >= 0}
        told = Counter(leaf[i] for i in leaf if called[self._number[i]])
        if covered is not None:
            called = np.array([i in covered for i in ids], np.bool_)
        self.parts: list[Part] = []
        self.kept: dict[int, Stayed] = {}
        part = np.full(len(ids), -1, np.int16)
        for group in groups:
            mine = [i for i in leaf if leaf[i] in group]
            joined = [i for i in mine if before is None or i not in before.leaf]
            new = parts([group], Counter(leaf[i] for i in joined), contig)
            if covered is not None:
                new = [_beside(part, sum(told[one] for one in part.leaves), k) for part in new]
            number = {own: len(self.parts) + n for n, one in enumerate(new) for own in one.leaves}
            self.parts += new
            for i in joined:
                part[self._number[i]] = number[leaf[i]]
            for one, stay in stayed(mine, before) if before is not None else ():
                self.kept[len(self.parts)] = one
                part[[self._number[i] for i in stay]] = len(self.parts)
                self.parts.append(Part(tuple(group), len(stay), _sex({parse(leaf[i]).sex for i in stay}, contig), True))
        self._part = np.where(called & (leaves.of >= 0), part, np.int16(-1))
        sexes = [parse(leaf[i]).sex if i in leaf and part[n] in self.kept else "" for i, n in self._number.items()]
        self._each = np.where([sex != "" for sex in sexes], ploidy_table([sex or "U" for sex in sexes]), np.int8(1))
        self.anybody = bool((called & (leaves.of[REGION_DIPLOID] >= 0)).any())

    def part(self, ids: Sequence[str]) -> np.ndarray:
        """int16 (classes, ids): the number of each person's part by region class, -1 where they do not count."""
        return np.ascontiguousarray(self._part[:, [self._number[i] for i in ids]])

    def each(self, ids: Sequence[str]) -> np.ndarray:
        """int8 (classes, ids): what each adds to the counts: 1, or the person's alleles where these are kept."""
        return np.ascontiguousarray(self._each[:, [self._number[i] for i in ids]])


def _beside(part: Part, told: int, k: int) -> Part:
    """The part less those of it who can be callable, as a floor of k people shows how many these are."""
    return replace(part, people=part.people - int(shown(np.array(told), part.people, k)))


def _sex(sexes: set[str], contig: str) -> str:
    """The sex that has the most alleles on a contig, of people of these."""
    if len(sexes) == 1:
        return min(sexes)
    return {"X": "F", "Y": "M"}.get(contig_class(contig) or "", "")


class Blocks:
    """The blocks of the stretches that begin in a region. batches: where people with files of their own are callable;
    people: whoever they are."""

    def __init__(self, batches: Sequence[Called], people: People, k: int, build: Build, stretch: int = STRETCH):
        self.batches, self.k, self.build, self.stretch = batches, max(1, k), build, stretch
        self.part = [(people.part(batch.ids), people.each(batch.ids)) for batch in batches]
        self.people = people
        self.about = about(people.leaves.people, people.parts, self.k, people.anybody)
        self.lowered = 0

    def of(self, region: Region) -> Iterator[tuple[int, int, pa.Table]]:
        """(first position, last position, `BLOCKS`) of each stretch."""
        self.lowered = 0
        classes = Classes(self.build, region.contig)
        before, kept = self.people.before, self.people.kept
        earlier = Shown(before, self.build, region.contig) if before is not None else None
        ploidy = {number: self.people.parts[number].ploidy for number in kept}
        for first, last in stretches(region, self.build.contigs[region.contig], self.stretch):
            change = np.zeros((len(self.people.parts), last - first + 2), np.int32)
            for batch, (part, each) in zip(self.batches, self.part, strict=True):
                runs = Runs.of(batch.read(region.contig, first, last))
                _add(runs, classes.at(runs.start), first, part, each, change)
            np.cumsum(change, axis=1, out=change)
            if earlier is not None:
                of_base = classes.at(np.arange(first, last + 1))
                known = earlier.people([(one, ploidy[number]) for number, one in kept.items()], first, last)
                for number, people in zip(kept, known, strict=True):
                    self._keep(change[number, :-1], people, ploidy[number][of_base])
            yield first, last, self._table(first, change[:, :-1])

    def _keep(self, counts: np.ndarray, known: np.ndarray, ploidy: np.ndarray) -> None:
        """Put what was shown in the place of the counts, which are in alleles.

        Where fewer are called today, these people's data or the rules are others: the number is lowered.
        """
        counts //= np.maximum(ploidy, 1)
        self.lowered += int((counts < known).sum())
        np.minimum(counts, known, out=counts)

    def _table(self, first: int, counts: np.ndarray) -> pa.Table:
        size = counts.shape[1]
        start, least, most, ends = (np.empty(size, np.int32) for _ in range(4))
        tables = []
        for number, (part, callable_people) in enumerate(zip(self.people.parts, counts, strict=True)):
            people = part.people
            n = cut(callable_people, callable_people, self.k, start, least, most)
            n = _joined(people, self.k, size, n, start, least, most, ends)
            # Copies: Arrow takes an array as it lies, and these are filled again.
            numbers = start[:n] + first, ends[:n] + (first - 1), least[:n].copy(), most[:n].copy()
            columns = [np.full(n, number, np.int16), *numbers]
            arrays = [pa.array(c, f.type) for c, f in zip(columns, BLOCKS, strict=True)]
            tables.append(pa.Table.from_arrays(arrays, schema=BLOCKS))
        return pa.concat_tables(tables) if tables else BLOCKS.empty_table()


def about(leaves: Mapping[str, int], parts: Sequence[Part], k: int, anybody: bool) -> dict[str, Any]:
    """What the file of a region says of its people. leaves: people of each; anybody: whether one can be callable."""
    return {"leaves": dict(leaves), "parts": [asdict(part) for part in parts], "k": k, "callable": anybody}


@dataclass(frozen=True)
class Rows:
    """Runs of a contig in order. start, end: int64 (runs,), 1-based, inclusive; people: int64 (parts, runs), shown."""

    start: np.ndarray
    end: np.ndarray
    people: np.ndarray


class Contig:
    """The runs of a contig, whatever its regions were.

    paths: what `write` left for its regions, in order. lowered: bases at which people of an earlier release are called
    less than it shows, by part; None where there is none. Memory is that of a stretch, and of two numbers a stretch and
    part.
    """

    def __init__(self, paths: Sequence[str | Path], contig: str):
        self.paths, self.contig = paths, contig
        said = []
        for path in paths:
            with _opened(path) as file:
                said.append(file.about)
        lowered = [one.pop("lowered", None) for one in said]
        self.lowered = None if None in lowered else sum(lowered)
        self.about = said[0]
        self.parts = [Part(**{**one, "leaves": tuple(one["leaves"])}) for one in self.about["parts"]]
        self.people = np.array([part.people for part in self.parts], np.int64)
        self.k = self.about["k"]
        for path, about in zip(paths, said, strict=True):
            if about != self.about:
                what = f"is of other people or of another floor than {paths[0]}"
                raise GoeError(Problem(str(path), what, "delete it and start again"))

    def __iter__(self) -> Iterator[Rows]:
        """Runs of the contig, piece by piece; a run may go on in the next one."""
        number = len(self.people)
        if not number:
            return
        low, high = (np.concatenate(found, axis=1, dtype=np.int32) for found in zip(*self._ends(), strict=True))
        held = np.full(low.shape, -1, np.int64)
        start, least, most = (np.empty(low.shape[1], np.int32) for _ in range(3))
        for part in range(number):
            n = cut(low[part], high[part], self.k, start, least, most)
            whole = most[:n] - least[:n] < self.k
            values = np.where(whole, shown(least[:n], self.people[part], self.k), -1)
            held[part] = np.repeat(values, np.diff(start[:n], append=low.shape[1]))
        for at, (_, _, table) in enumerate(self._stretches()):
            yield from self._rows(table, held[:, at])

    def _stretches(self) -> Iterator[tuple[int, int, pa.Table]]:
        for path in self.paths:
            with _opened(path) as file:
                for first, last in file.groups(self.contig):
                    yield first, last, file.read(self.contig, first, last)

    def _ends(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """int32 (parts, 1), fewest and most people of each stretch."""
        for _, _, table in self._stretches():
            where = np.flatnonzero(np.diff(table["part"].to_numpy(), prepend=-1))
            low, high = table["low"].to_numpy(), table["high"].to_numpy()
            yield np.minimum.reduceat(low, where)[:, None], np.maximum.reduceat(high, where)[:, None]

    def _rows(self, table: pa.Table, held: np.ndarray) -> Iterator[Rows]:
        """Pieces of a stretch. held: number shown of the parts that are not cut in it, else -1."""
        part, start, end, low = (table[name].to_numpy() for name in ("part", "start", "end", "low"))
        values = np.where(held[part] >= 0, held[part], shown(low, self.people[part], self.k))
        begins = np.unique(start)
        ends = np.append(begins[1:] - 1, end[-1])
        for at in range(0, len(begins), _PIECE):
            starts = begins[at : at + _PIECE]
            people = np.zeros((len(held), len(starts)), np.int64)
            for number in range(len(held)):
                i, j = np.searchsorted(part, [number, number + 1])
                people[number] = values[i:j][np.searchsorted(start[i:j], starts, "right") - 1]
            yield Rows(starts.astype(np.int64), ends[at : at + _PIECE].astype(np.int64), people)


@contextmanager
def _opened(path: str | Path) -> Iterator[Stretches]:
    with parquet.opened(path) as file:
        yield Stretches(path, file)


def write(found: Blocks, region: Region, path: str | Path) -> None:
    """Write the blocks of a region."""
    about = dict(found.about)
    with Tables(path, BLOCKS, about) as out:
        for first, last, table in found.of(region):
            out.write(region.contig, first, last, table)
        if found.people.before is not None:
            about["lowered"] = found.lowered
