"""What alleles of one position tell together, and what is withheld so that they do not.

Alleles that cover one base share the people called there, and a haplotype has at most one of them. So where the counts
of one allele are public in every stratum and another one shows Total only, the room that the first leaves in a stratum
bounds the second: if one person of a country has anything but the first, and Total of the second needs that person, its
carrier there is told. And of the alleles that start at one base, people who carry none of them are a group as well.

For every base at which an allele starts, the alleles in public that cover it are looked at together:

* An allele of which a part of the strata is public (`minimal` alone gives such) shows Total only: no proof is made here
  for such a part.
* Of an allele with Total only, every group must be left k numbers by the alleles that are public in full. Room is
  counted by what these show: people of the group who carry none of them, who may have any genotype of the others, and
  people who have one copy, who may be heterozygous for one more. All alleles with Total only have to find room in
  different people, so that each way of sharing one of them out among the groups is possible whatever the others do.
  Where there is too little room, the alleles in full show Total only as well. All with Total only, anybody may be in
  any group, as with one allele alone.
* People who carry no allele that starts there must be nobody, at least k or hidden, as others are. Where they are not
  in a group, alleles in full show Total only; where they are not among all people, the allele that the fewest carry is
  withheld, until they are.

What is asked is asked of public numbers alone (of the counts of alleles in full, and of Total of the others), so that
an allele which stays in full tells nothing by it. How many carry none of several alleles does not follow from their
counts, since some may carry two of them: from the fewest to the most is what these allow.

On X men and women, told apart by their ploidy, are asked each by themselves, and alleles in full beside one with Total
only are not kept.
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
    (atoms,). two: whether there are two atoms, of which one fails the rule where they are withheld. k: fewest people
    but nobody. genotypes: whether each genotype is asked for, or carriers and others.
    """

    groups: np.ndarray
    people: np.ndarray
    two: bool
    k: int
    genotypes: bool


@_jit
def _hidden(low: int, high: int, k: int) -> bool:
    """Whether low..high are at least k numbers, or all 0 or at least k."""
    return high - low >= k - 1 or low >= k or high == 0


@_jit
def _shared_out(mine: int, others: int, room: np.ndarray, inside: np.ndarray, q: np.ndarray, asked: Asked) -> bool:
    """Whether `mine` people can be shared out in k ways between a group and the rest, beside `others` people.

    room: int64 (atoms,), people of each atom who can be one of them. inside: bool (atoms,), the group. q: people
    called. Of two atoms everybody knows that one fails, so only numbers count with which it does: 1 to k-1 people of
    the class or, unless genotypes are protected, without it.
    """
    k = asked.k
    here = there = q_here = q_there = 0
    for i in range(len(room)):
        if inside[i]:
            here += room[i]
            q_here += q[i]
        else:
            there += room[i]
            q_there += q[i]
    if mine + others > here + there:
        return False
    high = min(mine, here)
    low = max(0, mine - there + max(0, others - here))
    if not asked.two:
        return high - low >= k - 1
    n = 0
    for x in range(low, high + 1):
        y = mine - x
        fails = 0 < x < k or 0 < y < k
        n += fails or (not asked.genotypes and (0 < q_here - x < k or 0 < q_there - y < k))
        if n >= k:
            return True
    return False


@_jit
def _room(
    full: np.ndarray, total: np.ndarray, calls: np.ndarray, het: np.ndarray, hom: np.ndarray, asked: Asked
) -> bool:
    """Whether the alleles `full` leave those of which Total alone is public room in every group.

    full, total: indices of alleles. calls, het, hom: int64 (alleles, atoms), of one ploidy, hom of haploid people the
    carriers.
    """
    atoms = calls.shape[1]
    q = calls[full[0]].copy()
    carriers = np.zeros(atoms, np.int64)
    twice = np.zeros(atoms, np.int64)
    for v in full:
        q = np.minimum(q, calls[v])
        carriers += het[v] + hom[v]
        twice += hom[v]
    single = double = 0
    for v in total:
        single += het[v].sum()
        double += hom[v].sum()
    none = np.maximum(0, q - carriers)
    # Where carriers are more than people, so many have two of the alleles.
    one = np.maximum(0, q - twice - np.maximum(0, carriers - q) - np.minimum(double, none))
    # People who have two copies of one of the others need a place with none of these.
    placed = double <= none.sum()
    for v in total:
        t, h = het[v].sum(), hom[v].sum()
        for g in range(len(asked.groups)):
            inside = asked.groups[g]
            if not (q * inside).sum():
                continue
            apart = placed and _shared_out(t, single - t, one, inside, q, asked)
            if asked.genotypes:
                if t and not (apart or _shared_out(t, single + double - t, none, inside, q, asked)):
                    return False
                if h and not _shared_out(h, single + double - h, none, inside, q, asked):
                    return False
            elif not (apart and (h == 0 or not asked.two)) and not _shared_out(
                t + h, single + double - t - h, none, inside, q, asked
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
def _look(
    active: np.ndarray, same: np.ndarray, calls: Calls, nothing: np.ndarray, asked: Asked, outcome: np.ndarray
) -> int:
    """What becomes of the alleles `active` that cover a base, of which `same` start there. nothing: zeros, the het of
    haploid people.

    Returns UNCHANGED when they tell nothing, SHARED when those in full have to show Total only, TOGETHER when one of
    `same` has to go.
    """
    dip, hap, het, hom, hemi = calls
    full = np.array([v for v in active if outcome[v] == _FULL])
    total = np.array([v for v in active if outcome[v] == _REDUCED])
    diploid = haploid = False
    for v in active:
        diploid = diploid or dip[v].any()
        haploid = haploid or hap[v].any()
    both = diploid and haploid
    if len(full) and len(total):
        if both:
            return SHARED
        if diploid and not _room(full, total, dip, het, hom, asked):
            return SHARED
        if haploid and not _room(full, total, hap, nothing, hemi, asked):
            return SHARED
    if len(same) < 2:
        return UNCHANGED
    some = np.array([v for v in same if outcome[v] == _FULL])
    others = np.array([v for v in same if outcome[v] == _REDUCED])
    if len(some) and not (
        _none_hidden_in_groups(some, others, dip, het, hom, asked)
        and _none_hidden_in_groups(some, others, hap, nothing, hemi, asked)
    ):
        return SHARED
    # How many men and how many women of X are called is taken as known.
    of_dip, of_hap = (dip[same[0]], hap[same[0]]) if both else (asked.people, asked.people)
    groups = len(some) == 0
    if _none_hidden(same, dip, het, hom, of_dip, groups, asked) and _none_hidden(
        same, hap, nothing, hemi, of_hap, groups, asked
    ):
        return UNCHANGED
    return TOGETHER


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
        changed = stop - first > 1
        while changed:
            changed = False
            active = np.empty(0, np.int64)
            at = first
            while at < stop:
                after = at
                while after < stop and pos[after] == pos[at]:
                    after += 1
                same = np.array([v for v in range(at, after) if outcome[v] != _WITHHELD])
                before = np.array([v for v in active if end[v] >= pos[at] and outcome[v] != _WITHHELD])
                active = np.concatenate((before, same))
                at = after
                if len(active) < 2:
                    continue
                found = SHARED if mask[active].any() else UNCHANGED
                if found == UNCHANGED:
                    found = _look(active, same, calls, nothing, asked, outcome)
                    if found == SHARED:
                        mask[active] = outcome[active] == _FULL
                if found == SHARED:
                    for v in active:
                        if mask[v]:
                            outcome[v] = _REDUCED if alone[v] else _WITHHELD
                            why[v] = SHARED if alone[v] else TOGETHER
                            mask[v] = False
                if found == TOGETHER:
                    carriers = np.array([(calls.het[v] + calls.hom[v] + calls.hemi[v]).sum() for v in same])
                    least = same[np.argmin(carriers)]
                    outcome[least], why[least] = _WITHHELD, TOGETHER
                changed = changed or found != UNCHANGED
        first = stop
