"""What alleles of one position tell together, and what is withheld so that they do not.

Alleles that cover one base share the people called there, and a haplotype has at most one of them. So where the counts
of one allele are public in every stratum and another one shows Total only, the room that the first leaves in a stratum
bounds the second: if one person of a country has anything but the first, and Total of the second needs that person, its
carrier there is told. And the people who carry none of the alleles that cover a base are a group as well.

For every base, the alleles in public that cover it are looked at together:

* An allele of which a part of the strata is public (`minimal` alone gives such) shows Total only: no proof is made here
  for such a part.
* Of an allele with Total only, every group must be left k numbers by the alleles that are public in full. Room is
  counted by what these show: people of the group who carry none of them, who may have any genotype of the others, and
  people who have one copy, who may be heterozygous for one more. All alleles with Total only have to find room in
  different people, so that each way of sharing one of them out among the groups is possible whatever the others do.
  Where there is too little room, the alleles in full show Total only as well. All with Total only, anybody may be in
  any group, as with one allele alone.
* People who carry none of the alleles must be nobody, at least k or hidden, as others are. Where they are not in a
  group, alleles in full show Total only; where they are not among all people, the allele that the fewest carry is
  withheld, until they are.

Then the alleles that overlap in a chain: what bounds a long allele at one base bounds, through it, the others at
another. Room is asked once more with what each allele takes at all of its bases.

What is asked is asked of public numbers alone (of the counts of alleles in full, and of Total of the others), so that
an allele which stays in full tells nothing by it. How many carry none of several alleles does not follow from their
counts, since some may carry two of them: from the fewest to the most is what these allow.

On X men and women, told apart by their ploidy, are asked each by themselves. Where a country is not given by sex,
alleles in full beside one with Total only are not kept.
"""

from typing import NamedTuple

import numpy as np

from goe.disclosure.outcomes import FULL, REDUCED, WITHHELD
from goe.hts.kernels import jit

# Why an outcome was changed here.
UNCHANGED, SHARED, TOGETHER = range(3)


class Calls(NamedTuple):
    """People by atom, the smallest groups that sums and differences of the strata reach: int64 (alleles, atoms).

    As frequencies.strata.CALLS: called as diploid and as haploid; heterozygous, homozygous, hemizygous.
    """

    dip: np.ndarray
    hap: np.ndarray
    het: np.ndarray
    hom: np.ndarray
    hemi: np.ndarray


class Asked(NamedTuple):
    """What is asked, of whom.

    groups: bool (groups, atoms), whatever sums and differences of the strata reach but everybody. people: int64
    (atoms,). k: fewest people but nobody. genotypes: whether each genotype is asked for, or carriers and others.
    """

    groups: np.ndarray
    people: np.ndarray
    k: int
    genotypes: bool


# Loops of our own, as in goe.disclosure.search: what numba has for arrays took half of the time to compile.


@jit
def _inside(values: np.ndarray, group: np.ndarray) -> int:
    """Sum of the values (atoms,) of a group, bool (atoms,)."""
    total = 0
    for i in range(len(values)):
        total += values[i] if group[i] else 0
    return total


@jit
def _sum(values: np.ndarray) -> int:
    total = 0
    for value in values:
        total += value
    return total


@jit
def _most(values: np.ndarray) -> int:
    """The largest of values that are not below 0."""
    most = 0
    for value in values:
        most = max(most, value)
    return most


@jit
def _any(values: np.ndarray, which: np.ndarray) -> bool:
    """Whether one of the rows `which` of (alleles, atoms) has any people."""
    for v in which:
        for i in range(values.shape[1]):
            if values[v, i]:
                return True
    return False


@jit
def _of(which: np.ndarray, outcome: np.ndarray, wanted: int) -> np.ndarray:
    """Those of the alleles `which` that have this outcome."""
    found = np.empty(len(which), np.int64)
    n = 0
    for v in which:
        if outcome[v] == wanted:
            found[n] = v
            n += 1
    return found[:n]


@jit
def _everybody(atoms: int) -> np.ndarray:
    """The group of all, bool (atoms,)."""
    group = np.empty(atoms, np.bool_)
    for i in range(atoms):
        group[i] = True
    return group


@jit
def _hidden(low: int, high: int, k: int) -> bool:
    """Whether low..high are at least k numbers, or all 0 or at least k."""
    return high - low >= k - 1 or low >= k or high == 0


@jit
def _shared_out(
    carriers: int, others: int, room: np.ndarray, inside: np.ndarray, q: np.ndarray, two: bool, asked: Asked
) -> bool:
    """Whether `carriers` people can be shared out in k ways between a group and the rest, beside `others` people.

    room: int64 (atoms,), people of each atom who can be one of them. inside: bool (atoms,), the group. q: people
    called. two: whether they are in two atoms: everybody knows that one fails, so only numbers count with which it
    does: 1 to k-1 people of the class or, unless genotypes are protected, without it.
    """
    k = asked.k
    room_inside = room_outside = q_here = q_there = 0
    for i in range(len(room)):
        if inside[i]:
            room_inside += room[i]
            q_here += q[i]
        else:
            room_outside += room[i]
            q_there += q[i]
    if carriers + others > room_inside + room_outside:
        return False
    high = min(carriers, room_inside)
    low = max(0, carriers - room_outside + max(0, others - room_inside))
    if not two:
        return high - low >= k - 1
    n = 0
    for x in range(low, high + 1):
        y = carriers - x
        fails = 0 < x < k or 0 < y < k
        n += fails or (not asked.genotypes and (0 < q_here - x < k or 0 < q_there - y < k))
        if n >= k:
            return True
    return False


@jit
def _room(
    which: np.ndarray,
    covers: np.ndarray,
    outcome: np.ndarray,
    calls: np.ndarray,
    het: np.ndarray,
    hom: np.ndarray,
    asked: Asked,
) -> bool:
    """Whether the alleles in full leave those of which Total alone is public room in every group.

    which: indices of alleles. covers: bool (bases, which), which cover each base. calls, het, hom: int64 (alleles,
    atoms), of one ploidy, hom of haploid people the carriers.

    What covers several bases takes its room at all of them. Alleles that do not overlap can be in one person, so as
    many places are enough for them as cover a base at most.
    """
    bases, n = covers.shape
    atoms = calls.shape[1]
    q = np.zeros(atoms, np.int64)
    once = np.zeros(atoms, np.int64)
    twice = np.zeros(atoms, np.int64)
    single = np.zeros((bases, n), np.int64)
    double = np.zeros((bases, n), np.int64)
    singles = np.zeros(bases, np.int64)
    doubles = np.zeros(bases, np.int64)
    none = np.zeros(atoms, np.int64)
    one = np.zeros(atoms, np.int64)
    called = 0
    for a in range(atoms):
        first = True
        for b in range(bases):
            once_here = twice_here = 0
            for i in range(n):
                v = which[i]
                if not covers[b, i]:
                    continue
                if outcome[v] == FULL:
                    q[a] = calls[v, a] if first else min(q[a], calls[v, a])
                    first = False
                    once_here += het[v, a]
                    twice_here += hom[v, a]
                else:
                    single[b, i] += het[v, a]
                    double[b, i] += hom[v, a]
                    singles[b] += het[v, a]
                    doubles[b] += hom[v, a]
            once[a], twice[a] = max(once[a], once_here), max(twice[a], twice_here)
        called += q[a] > 0
    most_single, most_double = _most(singles), _most(doubles)
    for a in range(atoms):
        none[a] = max(0, q[a] - once[a] - twice[a])
        # Where carriers are more than people, so many have two of the alleles.
        both = max(0, once[a] + twice[a] - q[a])
        one[a] = max(0, q[a] - twice[a] - both - min(most_double, none[a]))
    # People who have two copies of one of the others need a place with none of these.
    placed, asks_two = most_double <= _sum(none), called == 2
    for i in range(n):
        t = h = others_single = others_double = 0
        for b in range(bases):
            t, h = max(t, single[b, i]), max(h, double[b, i])
            others_single = max(others_single, singles[b] - single[b, i])
            others_double = max(others_double, doubles[b] - double[b, i])
        if t + h == 0:
            continue
        for g in range(len(asked.groups)):
            inside = asked.groups[g]
            if not _inside(q, inside):
                continue
            apart = placed and _shared_out(t, others_single, one, inside, q, asks_two, asked)
            if asked.genotypes:
                others = others_single + most_double
                if t and not (apart or _shared_out(t, others, none, inside, q, asks_two, asked)):
                    return False
                if h and not _shared_out(h, most_single + others_double, none, inside, q, asks_two, asked):
                    return False
            elif not (apart and (h == 0 or not asks_two)) and not _shared_out(
                t + h, others_single + others_double, none, inside, q, asks_two, asked
            ):
                return False
    return True


@jit
def _carry_none(
    which: np.ndarray, calls: np.ndarray, het: np.ndarray, hom: np.ndarray, inside: np.ndarray
) -> tuple[int, int]:
    """Fewest and most people of a group who carry none of the alleles `which`, by the counts of each."""
    fewest = most = carriers = single = largest = 0
    for n, v in enumerate(which):
        called = t = h = 0
        for i in range(len(inside)):
            if inside[i]:
                called += calls[v, i]
                t += het[v, i]
                h += hom[v, i]
        fewest = called if n == 0 else min(fewest, called)
        most = max(most, called)
        carriers += t + h
        single += t
        largest = max(largest, t)
    # So many pairs of heterozygous people for two different alleles there can be.
    pairs = min(single // 2, single - largest)
    return max(0, fewest - carriers), max(0, most - carriers + pairs)


@jit
def _none_hidden_in_groups(
    full: np.ndarray, total: np.ndarray, calls: np.ndarray, het: np.ndarray, hom: np.ndarray, asked: Asked
) -> bool:
    """Whether it is hidden in every group who carries none of the alleles that start at a base, or fine.

    full: those whose strata are public. total: those of which Total alone is, who may be anywhere.
    """
    low_all, _ = _carry_none(full, calls, het, hom, _everybody(calls.shape[1]))
    moving = 0
    for v in total:
        moving += _sum(het[v]) + _sum(hom[v])
    for g in range(len(asked.groups)):
        low, high = _carry_none(full, calls, het, hom, asked.groups[g])
        if moving > 0 and moving > low_all - low:
            return False
        if not _hidden(max(0, low - moving), high, asked.k):
            return False
    return True


@jit
def _none_hidden(
    which: np.ndarray,
    calls: np.ndarray,
    het: np.ndarray,
    hom: np.ndarray,
    people: np.ndarray,
    groups: bool,
    asked: Asked,
) -> bool:
    """The same of Total and, with `groups`, of groups where Total alone is public of all.

    people: int64 (atoms,), who may be called.
    """
    everybody = _everybody(calls.shape[1])
    low, high = _carry_none(which, calls, het, hom, everybody)
    if not _hidden(low, high, asked.k):
        return False
    for g in range(len(asked.groups) if groups else 0):
        inside = _inside(people, asked.groups[g])
        if inside and not _hidden(max(0, low + inside - _sum(people)), min(high, inside), asked.k):
            return False
    return True


@jit
def _all_have_room(
    which: np.ndarray, covers: np.ndarray, calls: Calls, nothing: np.ndarray, asked: Asked, outcome: np.ndarray
) -> bool:
    """`_room` for people of either ploidy. nothing: zeros, the het of haploid people."""
    dip, hap, het, hom, hemi = calls
    if not (len(_of(which, outcome, FULL)) and len(_of(which, outcome, REDUCED))):
        return True
    for a in range(dip.shape[1]):
        diploid = haploid = False
        for v in which:
            diploid = diploid or dip[v, a] > 0
            haploid = haploid or hap[v, a] > 0
        if diploid and haploid:
            # What is public of an atom does not tell its men from its women, or the ploidy changes within an allele.
            return False
    if _any(dip, which) and not _room(which, covers, outcome, dip, het, hom, asked):
        return False
    return not _any(hap, which) or _room(which, covers, outcome, hap, nothing, hemi, asked)


@jit
def _look(
    active: np.ndarray, covers: np.ndarray, calls: Calls, nothing: np.ndarray, asked: Asked, outcome: np.ndarray
) -> int:
    """What becomes of the alleles `active` that cover a base. covers: bool (1, active), all True. nothing: zeros, the
    het of haploid people.

    Returns UNCHANGED when they tell nothing, SHARED when those in full have to show Total only, TOGETHER when one has
    to go.
    """
    dip, hap, het, hom, hemi = calls
    if not _all_have_room(active, covers, calls, nothing, asked, outcome):
        return SHARED
    some, others = _of(active, outcome, FULL), _of(active, outcome, REDUCED)
    if len(some) and not (
        _none_hidden_in_groups(some, others, dip, het, hom, asked)
        and _none_hidden_in_groups(some, others, hap, nothing, hemi, asked)
    ):
        return SHARED
    # How many men and how many women of X are called is taken as known.
    both = _any(dip, active) and _any(hap, active)
    of_dip, of_hap = (dip[active[0]], hap[active[0]]) if both else (asked.people, asked.people)
    groups = len(some) == 0
    if _none_hidden(active, dip, het, hom, of_dip, groups, asked) and _none_hidden(
        active, hap, nothing, hemi, of_hap, groups, asked
    ):
        return UNCHANGED
    return TOGETHER


def several(pos: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Indices of the alleles, in order, that overlap another one.

    pos, end: (alleles,), first and last base of REF.
    """
    reached = np.asarray(pos[1:] <= np.maximum.accumulate(end)[:-1])
    return np.flatnonzero(np.append(False, reached) | np.append(reached, False)[: len(pos)])


@jit
def _covering(bases: np.ndarray, pos: np.ndarray, end: np.ndarray, which: np.ndarray) -> np.ndarray:
    """bool (bases, which): whether each of these alleles covers a base."""
    covers = np.zeros((len(bases), len(which)), np.bool_)
    for i, v in enumerate(which):
        for b, base in enumerate(bases):
            covers[b, i] = pos[v] <= base <= end[v]
    return covers


def settle(
    pos: np.ndarray,
    end: np.ndarray,
    calls: Calls,
    asked: Asked,
    alone: np.ndarray,
    outcome: np.ndarray,
    mask: np.ndarray,
    why: np.ndarray,
) -> None:
    """Change the outcomes of alleles, in order, so that those that cover one base tell nothing together.

    pos, end: int64 (alleles,), first and last base of REF. alone: bool (alleles,), whether Total alone hides the
    strata of the allele. outcome: uint8 (alleles,), of which some are changed. mask: bool (alleles,), whether a reduced
    allele shows more than Total; set to False where that ends. why: uint8 (alleles,), UNCHANGED or the reason.

    All alleles that overlap, in a chain, have to be there.
    """
    # Other alleles cover a base than the base before where one starts, and behind the end of one.
    bases = np.unique(np.concatenate((pos, end + 1)))
    _settle(bases, pos, end, calls, np.zeros_like(calls.het), asked, alone, outcome, mask, why)


@jit
def _settle(
    bases: np.ndarray,
    pos: np.ndarray,
    end: np.ndarray,
    calls: Calls,
    nothing: np.ndarray,
    asked: Asked,
    alone: np.ndarray,
    outcome: np.ndarray,
    mask: np.ndarray,
    why: np.ndarray,
) -> None:
    """`settle`, chain by chain. bases: at which other alleles cover than at the base before, in order."""
    n = len(pos)
    room = np.empty(n, np.int64)
    first = begin = 0
    while first < n:
        stop, reach = first + 1, end[first]
        while stop < n and pos[stop] <= reach:
            reach = max(reach, end[stop])
            stop += 1
        while bases[begin] < pos[first]:
            begin += 1
        behind = begin
        while bases[behind] <= reach:
            behind += 1
        changed = stop - first > 1
        while changed:
            changed = False
            m, after = 0, first
            for b in range(begin, behind):
                still, m = m, 0
                for i in range(still):
                    v = room[i]
                    if end[v] >= bases[b] and outcome[v] != WITHHELD:
                        room[m] = v
                        m += 1
                while after < stop and pos[after] == bases[b]:
                    if outcome[after] != WITHHELD:
                        room[m] = after
                        m += 1
                    after += 1
                if m < 2:
                    continue
                active = room[:m]
                found = UNCHANGED
                for v in active:
                    found = SHARED if mask[v] else found
                if found == SHARED:
                    _share(active, False, alone, outcome, mask, why)
                else:
                    covers = _covering(bases[b : b + 1], pos, end, active)
                    found = _look(active, covers, calls, nothing, asked, outcome)
                    if found == SHARED:
                        _share(active, True, alone, outcome, mask, why)
                if found == TOGETHER:
                    least = _fewest_carry(active, calls)
                    outcome[least], why[least] = WITHHELD, TOGETHER
                changed = changed or found != UNCHANGED
            if not changed and behind - begin > 1:
                m = 0
                for v in range(first, stop):
                    if outcome[v] != WITHHELD:
                        room[m] = v
                        m += 1
                chain = room[:m]
                covers = _covering(bases[begin:behind], pos, end, chain)
                if not _all_have_room(chain, covers, calls, nothing, asked, outcome):
                    _share(chain, True, alone, outcome, mask, why)
                    changed = True
        first = stop


@jit
def _fewest_carry(which: np.ndarray, calls: Calls) -> int:
    """The first of the alleles `which` that no other has fewer carriers than."""
    least, fewest = int(which[0]), -1
    for v in which:
        carriers = _sum(calls.het[v]) + _sum(calls.hom[v]) + _sum(calls.hemi[v])
        if fewest < 0 or carriers < fewest:
            least, fewest = v, carriers
    return least


@jit
def _share(
    which: np.ndarray, full: bool, alone: np.ndarray, outcome: np.ndarray, mask: np.ndarray, why: np.ndarray
) -> None:
    """Of these alleles those that show more than Total show Total only, or go where it tells their strata. full:
    whether this is asked of those in full too."""
    for v in which:
        if (full and outcome[v] == FULL) or mask[v]:
            outcome[v] = REDUCED if alone[v] else WITHHELD
            why[v] = SHARED if alone[v] else TOGETHER
            mask[v] = False
