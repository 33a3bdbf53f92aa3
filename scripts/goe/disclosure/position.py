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

import numba as nb
import numpy as np

# As in goe.disclosure.search.
_WITHHELD, _REDUCED, _FULL = 0, 1, 2
# Why an outcome was changed here.
UNCHANGED, SHARED, TOGETHER = range(3)

_jit = nb.njit(cache=True, nogil=True)


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


@_jit
def _hidden(low: int, high: int, k: int) -> bool:
    """Whether low..high are at least k numbers, or all 0 or at least k."""
    return high - low >= k - 1 or low >= k or high == 0


@_jit
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


@_jit
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
    q = np.full(atoms, -1)
    once = np.zeros(atoms, np.int64)
    twice = np.zeros(atoms, np.int64)
    single = np.zeros((bases, n), np.int64)
    double = np.zeros((bases, n), np.int64)
    for b in range(bases):
        once_here = np.zeros(atoms, np.int64)
        twice_here = np.zeros(atoms, np.int64)
        for i in range(n):
            v = which[i]
            if not covers[b, i]:
                continue
            if outcome[v] == _FULL:
                q = np.where(q < 0, calls[v], np.minimum(q, calls[v]))
                once_here += het[v]
                twice_here += hom[v]
            else:
                single[b, i] = het[v].sum()
                double[b, i] = hom[v].sum()
        once = np.maximum(once, once_here)
        twice = np.maximum(twice, twice_here)
    asks_two = (q > 0).sum() == 2
    singles, doubles = single.sum(axis=1), double.sum(axis=1)
    most_single, most_double = singles.max(), doubles.max()
    none = np.maximum(0, q - once - twice)
    # Where carriers are more than people, so many have two of the alleles.
    one = np.maximum(0, q - twice - np.maximum(0, once + twice - q) - np.minimum(most_double, none))
    # People who have two copies of one of the others need a place with none of these.
    placed = most_double <= none.sum()
    for i in range(n):
        t, h = single[:, i].max(), double[:, i].max()
        if t + h == 0:
            continue
        others_single = (singles - single[:, i]).max()
        others_double = (doubles - double[:, i]).max()
        for g in range(len(asked.groups)):
            inside = asked.groups[g]
            if not (q * inside).sum():
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


@_jit
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


@_jit
def _none_hidden_in_groups(
    full: np.ndarray, total: np.ndarray, calls: np.ndarray, het: np.ndarray, hom: np.ndarray, asked: Asked
) -> bool:
    """Whether it is hidden in every group who carries none of the alleles that start at a base, or fine.

    full: those whose strata are public. total: those of which Total alone is, who may be anywhere.
    """
    everybody = np.ones(calls.shape[1], np.bool_)
    low_all, _ = _carry_none(full, calls, het, hom, everybody)
    moving = 0
    for v in total:
        moving += het[v].sum() + hom[v].sum()
    for g in range(len(asked.groups)):
        low, high = _carry_none(full, calls, het, hom, asked.groups[g])
        if moving > 0 and moving > low_all - low:
            return False
        if not _hidden(max(0, low - moving), high, asked.k):
            return False
    return True


@_jit
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
    everybody = np.ones(calls.shape[1], np.bool_)
    low, high = _carry_none(which, calls, het, hom, everybody)
    if not _hidden(low, high, asked.k):
        return False
    for g in range(len(asked.groups) if groups else 0):
        inside = (people * asked.groups[g]).sum()
        if inside and not _hidden(max(0, low + inside - people.sum()), min(high, inside), asked.k):
            return False
    return True


@_jit
def _all_have_room(
    which: np.ndarray, covers: np.ndarray, calls: Calls, nothing: np.ndarray, asked: Asked, outcome: np.ndarray
) -> bool:
    """`_room` for people of either ploidy. nothing: zeros, the het of haploid people."""
    dip, hap, het, hom, hemi = calls
    full = total = False
    diploid = np.zeros(dip.shape[1], np.bool_)
    haploid = np.zeros(dip.shape[1], np.bool_)
    for v in which:
        full = full or outcome[v] == _FULL
        total = total or outcome[v] == _REDUCED
        diploid |= dip[v] > 0
        haploid |= hap[v] > 0
    if not (full and total):
        return True
    if (diploid & haploid).any():
        # What is public of an atom does not tell its men from its women, or the ploidy changes within an allele.
        return False
    if diploid.any() and not _room(which, covers, outcome, dip, het, hom, asked):
        return False
    return not haploid.any() or _room(which, covers, outcome, hap, nothing, hemi, asked)


@_jit
def _look(active: np.ndarray, calls: Calls, nothing: np.ndarray, asked: Asked, outcome: np.ndarray) -> int:
    """What becomes of the alleles `active` that cover a base. nothing: zeros, the het of haploid people.

    Returns UNCHANGED when they tell nothing, SHARED when those in full have to show Total only, TOGETHER when one has
    to go.
    """
    dip, hap, het, hom, hemi = calls
    if not _all_have_room(active, np.ones((1, len(active)), np.bool_), calls, nothing, asked, outcome):
        return SHARED
    some = np.array([v for v in active if outcome[v] == _FULL])
    others = np.array([v for v in active if outcome[v] == _REDUCED])
    if len(some) and not (
        _none_hidden_in_groups(some, others, dip, het, hom, asked)
        and _none_hidden_in_groups(some, others, hap, nothing, hemi, asked)
    ):
        return SHARED
    diploid = haploid = False
    for v in active:
        diploid = diploid or dip[v].any()
        haploid = haploid or hap[v].any()
    # How many men and how many women of X are called is taken as known.
    of_dip, of_hap = (dip[active[0]], hap[active[0]]) if diploid and haploid else (asked.people, asked.people)
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


@_jit
def _covering(bases: np.ndarray, pos: np.ndarray, end: np.ndarray, which: np.ndarray) -> np.ndarray:
    """bool (bases, which): whether each of these alleles covers a base."""
    covers = np.zeros((len(bases), len(which)), np.bool_)
    for i, v in enumerate(which):
        for b, base in enumerate(bases):
            covers[b, i] = pos[v] <= base <= end[v]
    return covers


@_jit
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
    n = len(pos)
    nothing = np.zeros_like(calls.het)
    first = 0
    while first < n:
        stop, reach = first + 1, end[first]
        while stop < n and pos[stop] <= reach:
            reach = max(reach, end[stop])
            stop += 1
        # Other alleles cover a base than the base before where one starts, and behind the end of one.
        bases = np.unique(np.concatenate((pos[first:stop], end[first:stop] + 1)))[:-1]
        changed = stop - first > 1
        while changed:
            changed = False
            active = np.empty(0, np.int64)
            after = first
            for at in bases:
                active = np.array([v for v in active if end[v] >= at and outcome[v] != _WITHHELD])
                while after < stop and pos[after] == at:
                    if outcome[after] != _WITHHELD:
                        active = np.append(active, after)
                    after += 1
                if len(active) < 2:
                    continue
                if mask[active].any():
                    found = SHARED
                    _share(active[mask[active]], alone, outcome, mask, why)
                else:
                    found = _look(active, calls, nothing, asked, outcome)
                    if found == SHARED:
                        _share(active, alone, outcome, mask, why)
                if found == TOGETHER:
                    carriers = np.array([(calls.het[v] + calls.hom[v] + calls.hemi[v]).sum() for v in active])
                    least = active[np.argmin(carriers)]
                    outcome[least], why[least] = _WITHHELD, TOGETHER
                changed = changed or found != UNCHANGED
            if not changed and len(bases) > 1:
                chain = np.array([v for v in range(first, stop) if outcome[v] != _WITHHELD])
                if not _all_have_room(chain, _covering(bases, pos, end, chain), calls, nothing, asked, outcome):
                    _share(chain, alone, outcome, mask, why)
                    changed = True
        first = stop


@_jit
def _share(which: np.ndarray, alone: np.ndarray, outcome: np.ndarray, mask: np.ndarray, why: np.ndarray) -> None:
    """Of these alleles those that show more than Total show Total only, or go where it tells their strata."""
    for v in which:
        if outcome[v] == _FULL or mask[v]:
            outcome[v] = _REDUCED if alone[v] else _WITHHELD
            why[v] = SHARED if alone[v] else TOGETHER
            mask[v] = False
