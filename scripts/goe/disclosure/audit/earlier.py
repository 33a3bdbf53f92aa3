"""Audit of callable AN of two releases of one cohort, from the public files of both and who moved between them.

Nobody learns from both more than from each by itself when what the later one shows of a smallest group is

* of each smallest group of then whose people are in it, what was shown of them, less all of its people who are not in
  it any more: a number that the earlier release tells anyhow; and
* of the people of the group who joined, a number of their own that a floor of k people allows: a multiple of k people
  that leaves k - 1 of them.

So at every base the number, less what was shown, has to be none that tells of 1 to k - 1 of those who joined. Where an
earlier number could not be kept, since the people's data are called otherwise today, it may be lower (`lowered`), and
what is then told is told of people whose data are others.

Without a record of who moved, groups have to have the same people by their numbers, and show the same.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from goe.core.errors import Problem
from goe.disclosure.audit.callable_an import PLOIDY, Group, groups, most_shown
from goe.disclosure.audit.table import Table
from goe.genome.build import Build, class_breaks, contig_class
from goe.rules.stratum import parse

Piece = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Runs in order: start, end (1-based, inclusive) int64 (runs,), and numbers int64 (strata, runs)."""

Moved = Mapping[tuple[str | None, str | None], int]
"""(Leaf then or None, leaf now or None) -> people."""

_REPORTED = 5
_MEND = "do not publish the release: callable AN of both together would tell who joined or left"
_RECORD = "set previous_people to the record of that run (work/release/people.tsv), and make callable AN again"


class Side(NamedTuple):
    """Callable AN of a contig in one release. strata: published -> people; k: its floor, 1 for none."""

    strata: Mapping[str, int]
    k: int
    pieces: Iterable[Piece]


class _Cell(NamedTuple):
    """People of a group of then in a group of now. left: sex -> people of the former who are not in the latter."""

    group: Group
    people: int
    sexes: str
    left: dict[str, int]


class _Asked(NamedTuple):
    """A smallest group of now. joined: sex -> people."""

    group: Group
    cells: list[_Cell]
    joined: dict[str, int]


class _Rule(NamedTuple):
    """k: the floor. same_floor: of both releases. kind: X, Y, M or none of these."""

    k: int
    same_floor: bool
    lowered: bool
    kind: str


def problems(
    before: Side,
    now: Side,
    moved: Moved | None,
    build: Build,
    contig: str,
    where: str,
    lowered: bool = False,
) -> list[Problem]:
    """What is wrong with the numbers of a contig beside the earlier ones, the first few of each group. Of a release
    with a floor, which publishes something.

    moved: None without a record. where: what problems are told of.
    Memory is that of a piece of each.
    """
    then, here = (Table(tuple(side.strata), side.strata) for side in (before, now))
    asked = _asked(groups(then), groups(here), moved)
    if asked is None:
        what = f"{contig}: people of the groups are not those of the earlier release, and who moved is not known"
        return [Problem(where, what, _RECORD)]
    rule = _Rule(now.k, before.k == now.k, lowered, contig_class(contig) or "")
    found: Counter[str] = Counter()
    out = []
    for start, of_class, old, new in _together(before.pieces, now.pieces, class_breaks(build, contig)):
        for one in asked:
            number = _number(one.group, here, new)
            wrong = _wrong(one, number, then, old, of_class, rule)
            for at in np.flatnonzero(wrong):
                found[one.group.name] += 1
                if found[one.group.name] <= _REPORTED:
                    what = f"callable AN of {one.group.name} is {number[at]}, which tells of 1 to {now.k - 1} people"
                    mend = _MEND if moved is not None else _RECORD
                    out.append(Problem(where, f"{contig}:{start[at]} {what} beside the earlier release", mend))
    for name, n in found.items():
        if n > _REPORTED:
            out.append(Problem(where, f"{contig}: and {n - _REPORTED} more runs of {name}", _MEND))
    return out


def _asked(then: list[Group], here: list[Group], moved: Moved | None) -> list[_Asked] | None:
    """What is asked of each group of now; None where that cannot be known."""
    old, new = ({g.name: g for g in found} for found in (then, here))
    if moved is None:
        people = [{name: g.people for name, g in found.items() if g.people} for found in (old, new)]
        if people[0] != people[1]:
            return None
        return [_Asked(new[name], [_Cell(old[name], n, new[name].sexes, {})], {}) for name, n in people[0].items()]
    # By the sex then, and by the sexes then and now.
    of_then: dict[str, Counter[str]] = {}
    of_cell: dict[tuple[str, str], Counter[tuple[str, str]]] = {}
    joined: dict[str, Counter[str]] = {}
    for (was, has), n in moved.items():
        if was:
            of_then.setdefault(_of(was, old), Counter())[parse(was).sex] += n
        if was and has:
            cell = of_cell.setdefault((_of(was, old), _of(has, new)), Counter())
            cell[parse(was).sex, parse(has).sex] += n
        elif has:
            joined.setdefault(_of(has, new), Counter())[parse(has).sex] += n
    cells: dict[str, list[_Cell]] = {}
    for (before, now), sexes in of_cell.items():
        left = Counter(of_then[before])
        for (sex, _), n in sexes.items():
            left[sex] -= n
        names = "".join(sorted({sex for _, sex in sexes}))
        cells.setdefault(now, []).append(_Cell(old[before], sexes.total(), names, dict(left)))
    return [_Asked(group, cells.get(name, []), dict(joined.get(name, {}))) for name, group in new.items()]


def _of(leaf: str, named: Mapping[str, Group]) -> str:
    """Name of the group that a leaf is in."""
    country, sex = parse(leaf)
    for name in (f"{country}, {sex}", country, f"other countries, {sex}", "other countries"):
        if name in named:
            return name
    raise ValueError(f"no group holds {leaf}")


def _number(group: Group, table: Table, an: np.ndarray) -> np.ndarray:
    number = np.zeros(an.shape[1], np.int64)
    for stratum, times in group.sums.items():
        if stratum in table.strata:
            number += times * an[table.strata.index(stratum)]
    return number


def _alleles(of_class: np.ndarray, sexes: Iterable[str]) -> np.ndarray:
    """Alleles of a person by class, int64 (runs,): the most of these sexes."""
    found = np.zeros(len(of_class), np.int64)
    for (c, sex), ploidy in PLOIDY.items():
        if sex in sexes:
            found[of_class == c] = np.maximum(found[of_class == c], ploidy)
    return found


def _wrong(
    one: _Asked, number: np.ndarray, then: Table, old: np.ndarray, of_class: np.ndarray, rule: _Rule
) -> np.ndarray:
    """Where the number of a group is none that may be: bool (runs,). old: int64 (strata, runs), shown before."""
    k = rule.k
    kept, below = np.zeros_like(number), np.zeros_like(number)
    for cell in one.cells:
        shown = _number(cell.group, then, old)
        for sex, n in cell.left.items():
            shown -= n * _alleles(of_class, sex)
        # Of people of both sexes as many alleles as of the sex that has more.
        each = _alleles(of_class, cell.sexes if len(cell.sexes) == 1 else "MFU")
        kept += np.minimum(np.maximum(shown, 0) // np.maximum(each * k, 1) * k, most_shown(cell.people, k)) * each
        if not rule.same_floor or (rule.kind == "X" and len(cell.group.sexes) > 1):
            # What was shown is then no number of blocks of this floor, and is cut to these first.
            below += 2 * (k - 1) * each
    rest = number - kept
    most, step = np.zeros_like(number), np.full_like(number, 2 * k)
    # Parts by sex where ploidy tells them apart.
    apart = one.joined if rule.kind in ("X", "Y") else {"MFU": sum(one.joined.values())}
    for sexes, n in apart.items():
        each = _alleles(of_class, sexes)
        most += most_shown(n, k) * each
        step = np.where(each > 0, np.minimum(step, k * each), step)
    wrong = rest > most
    if not rule.lowered:
        wrong |= (rest < -below) | ((below == 0) & (rest % step != 0))
    return np.asarray(wrong)


def _together(
    before: Iterable[Piece], now: Iterable[Piece], breaks: list[tuple[int, int, int]]
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Runs in which neither release changes, nor the class of ploidy: (start, class, numbers before, numbers now)."""
    begins, classes = (np.array([row[i] for row in breaks], np.int64) for i in (0, 2))
    sides = iter(before), iter(now)
    old, new = next(sides[0], None), next(sides[1], None)
    done = 0
    while old is not None and new is not None:
        upto = min(int(old[1][-1]), int(new[1][-1]))
        starts = (s[(s > done + 1) & (s <= upto)] for s in (begins, old[0], new[0]))
        first = np.unique(np.concatenate([[done + 1], *starts]))
        of_class = classes[np.searchsorted(begins, first, "right") - 1]
        yield first, of_class, old[2][:, np.searchsorted(old[1], first)], new[2][:, np.searchsorted(new[1], first)]
        done = upto
        old = next(sides[0], None) if old[1][-1] == upto else old
        new = next(sides[1], None) if new[1][-1] == upto else new
