"""Duplicates and relatives by KING kinship, and whom to leave out."""

import hashlib
import heapq
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

EXACT_UP_TO = 32
"""Greatest number of people of a family (connected component) that is solved exactly."""

COLUMNS = ("sample_a", "sample_b", "n_snvs", "kinship", "k0", "relation")
"""Columns of sample_qc/kinship.tsv."""


@dataclass(frozen=True, order=True)
class Pair:
    """Two people (a < b as text), the SNVs both have, their kinship (KING-robust) and k0, where it can be told.

    k0: share of the genome where they have no allele by descent in common.
    """

    a: str
    b: str
    n_snvs: int
    kinship: float
    k0: float | None = None


def expected_ibs0(frequencies: np.ndarray) -> float:
    """Mean chance that two unrelated people are opposite homozygotes, 2 p^2 q^2; frequencies: float[SNVs], 0..1."""
    p = np.asarray(frequencies, float)
    return float(np.mean(2 * p**2 * (1 - p) ** 2)) if p.size else 0.0


def k0(ibs0: int, n_snvs: int, expected: float, limits: Mapping[str, float]) -> float | None:
    """Share of the genome without an allele by descent in common, by the SNVs with opposite homozygotes.

    N(IBS = 0) over its number in unrelated people (Purcell et al. 2007, PLINK, doi 10.1086/519795). ibs0: opposite
    homozygotes of the pair among `n_snvs`; expected: `expected_ibs0`. None with fewer than `kinship_min_ibs0` of
    them expected in unrelated people.
    """
    unrelated = n_snvs * expected
    return min(1.0, ibs0 / unrelated) if unrelated > 0 and unrelated >= limits["kinship_min_ibs0"] else None


def degree(kinship: float, limits: Mapping[str, float]) -> str | None:
    """duplicate, first_degree, second_degree or None, by the cut-offs of Manichaikul et al. 2010."""
    for name, key in (
        ("duplicate", "kinship_duplicate"),
        ("first_degree", "kinship_first_degree"),
        ("second_degree", "kinship_second_degree"),
    ):
        if kinship > limits[key]:
            return name
    return None


def relation(pair: Pair, limits: Mapping[str, float]) -> str | None:
    """duplicate, parent_child, siblings, first_degree (one of these two), second_degree or None.

    By Table 1 of Manichaikul et al. 2010: of the first degree, k0 below 0.1 is a parent with a child, from there
    on siblings.
    """
    found = degree(pair.kinship, limits)
    if found != "first_degree" or pair.k0 is None:
        return found
    return "parent_child" if pair.k0 < limits["kinship_parent_child_k0"] else "siblings"


def row(pair: Pair, limits: Mapping[str, float]) -> tuple[str, ...]:
    """A row of sample_qc/kinship.tsv."""
    none = "" if pair.k0 is None else f"{pair.k0:.4f}"
    return pair.a, pair.b, str(pair.n_snvs), f"{pair.kinship:.6f}", none, relation(pair, limits) or ""


def pair_of(cells: Mapping[str, str]) -> Pair:
    """The pair of a row of sample_qc/kinship.tsv."""
    none = float(cells["k0"]) if cells["k0"] else None
    return Pair(cells["sample_a"], cells["sample_b"], int(cells["n_snvs"]), float(cells["kinship"]), none)


def spread(kinships: np.ndarray) -> float:
    """Standard error of a kinship coefficient, from that of some pairs.

    kinships: float[3, pairs], by all SNVs, by the first half of them and by the second. There is no telling who is
    unrelated, and there may be nobody; so three measures are taken, each of which is the noise of the SNVs, linked or
    not, widened by one thing, and the least of them counts: the values above 0 (median / 0.6745), which relatives
    widen; how far the lowest sixth lies below 0 (one SD), which structure widens; half the SD of what the halves
    differ by, which siblings widen where the genome is small, for they may share one half of it and not the other.
    """
    whole, first, second = kinships
    above = float(np.median(whole[whole > 0])) / 0.6745 if (whole > 0).any() else 0.0
    below = -float(np.quantile(whole, 0.1587))
    differ = float(np.median(np.abs(first - second))) / 0.6745 / 2
    return max(0.0, min(above, below, differ))


def assess(
    n_people: int, n_snvs: int, pruned: bool, kinships: np.ndarray | None, limits: Mapping[str, float]
) -> tuple[float | None, str]:
    """(lowest kinship that tells relatives here, what was assessed); None when nothing was.

    n_snvs: SNVs used; pruned: whether they were pruned for LD; kinships: as for `spread`, None when not computed.
    With 10,000 pruned SNVs all degrees are told. With fewer, a degree is told when its cut-off is at least 3 standard
    errors above 0. With fewer than 20 pairs the number of SNVs decides.
    """
    if n_people < 2:
        return None, "not assessed: fewer than two people"
    if n_snvs < limits["kinship_min_snvs"]:
        return None, (
            f"not assessed: {n_snvs} common autosomal SNVs, {limits['kinship_min_snvs']:g} are needed; "
            "duplicates and relatives are not looked for"
        )
    first, second = limits["kinship_first_degree"], limits["kinship_second_degree"]
    basis = f"{n_snvs} common autosomal SNVs{'' if pruned else ', not pruned for LD (too few people)'}"
    everything = f"assessed down to the second degree, {basis}"
    if told_by_number(n_snvs, pruned):
        return second, everything
    if kinships is not None and kinships.shape[1] >= 20:
        error = spread(kinships)
        if 3 * error <= second:
            return second, everything
        error_text = f"standard error of kinship {error:.3f}"
        if 3 * error <= first:
            return first, f"assessed down to the first degree only, {basis}: {error_text}, too large for the second"
        return limits["kinship_duplicate"], f"duplicates only, {basis}: {error_text}, too large for relatives"
    if n_snvs >= limits["kinship_min_snvs_second_degree"]:
        return second, everything
    return first, f"assessed down to the first degree only, {basis}"


def told_by_number(n_snvs: int, pruned: bool) -> bool:
    """Whether so many SNVs tell all degrees, whoever the people are."""
    return pruned and n_snvs >= 10_000


def tie(sample: str) -> str:
    """Order of people who are equally good: by a hash of the id, so that no name is favoured."""
    return hashlib.sha256(sample.encode()).hexdigest()


def rank(people: Iterable[str], quality: Mapping[str, tuple[float | None, ...]]) -> dict[str, int]:
    """person -> 0 for the best, 1, ...: by the values of `quality` in turn, more is better, unknown is worst."""

    def key(sample: str) -> tuple:
        values = quality.get(sample, ())
        return (*(-v if v is not None else float("inf") for v in values), tie(sample))

    return {sample: i for i, sample in enumerate(sorted(people, key=key))}


def _components(near: Mapping[str, set[str]]) -> list[dict[str, set[str]]]:
    """Connected components of an adjacency, those of the smallest id first."""
    left, found = set(near), []
    for start in sorted(near):
        if start in left:
            members, stack = {start}, [start]
            while stack:
                new = near[stack.pop()] - members
                members |= new
                stack += new
            left -= members
            found.append({m: near[m] for m in members})
    return found


def families(pairs: Iterable[Pair]) -> list[dict[str, set[str]]]:
    """Connected components as adjacency, those of the smallest id first."""
    near: dict[str, set[str]] = {}
    for pair in pairs:
        near.setdefault(pair.a, set()).add(pair.b)
        near.setdefault(pair.b, set()).add(pair.a)
    return _components(near)


def _smallest(near: dict[str, set[str]], weight: Mapping[str, int]) -> set[str]:
    """The vertex cover of least weight, by branching: who has most relatives is removed, or all of these are."""
    gone: set[str] = set()
    for part in _components({p: n for p, n in near.items() if n}):
        if all(len(n) == len(part) - 1 for n in part.values()):
            # Everybody is related to everybody: all but the best go.
            gone |= part.keys() - {max(part, key=weight.__getitem__)}
            continue
        top = max(part, key=lambda p: (len(part[p]), weight[p]))
        ways = ({top}, part[top])
        found = [way | _smallest(_without(part, way | {top}), weight) for way in ways]
        gone |= min(found, key=lambda some: sum(weight[p] for p in some))
    return gone


def _without(near: Mapping[str, set[str]], gone: set[str]) -> dict[str, set[str]]:
    return {p: n - gone for p, n in near.items() if p not in gone}


def _exact(family: dict[str, set[str]], ranks: Mapping[str, int]) -> set[str]:
    """The smallest vertex cover; among those of its size the one that keeps the best person, then the second best,
    and so on. There is always exactly one."""
    n = len(family)
    order = {p: i for i, p in enumerate(sorted(family, key=ranks.__getitem__))}
    return _smallest(family, {p: (1 << n) + (1 << (n - 1 - i)) for p, i in order.items()})


def _greedy(family: dict[str, set[str]], ranks: Mapping[str, int]) -> set[str]:
    """Remove who has most relatives left, the worst of those first; then take back whom nobody needs removed."""
    left = {p: len(n) for p, n in family.items()}
    heap = [(-n, -ranks[p], p) for p, n in left.items()]
    heapq.heapify(heap)
    gone: set[str] = set()
    while heap:
        n, _, worst = heapq.heappop(heap)
        if worst in gone or -n != left[worst] or not n:
            continue  # an entry of before a relative of theirs went
        gone.add(worst)
        for other in family[worst] - gone:
            left[other] -= 1
            heapq.heappush(heap, (-left[other], -ranks[other], other))
    for person in sorted(gone, key=ranks.__getitem__):
        if family[person] <= gone:
            gone.discard(person)
    return gone


def removals(
    pairs: Iterable[Pair],
    ranks: Mapping[str, int],
    limits: Mapping[str, float],
    may_go: Mapping[str, Collection[str]] | None = None,
) -> dict[str, str]:
    """person -> duplicate or related, for the people to leave out so that no pair is left.

    pairs: those above the cut-off, both of whom would be kept otherwise. First the duplicates: of each group of
    them all but the best go (every group is a clique, up to noise). Then the relatives: the smallest set that
    breaks every pair, exact in families of up to EXACT_UP_TO people, greedy in greater ones; of sets of the same
    size, the one that keeps the best people. So of a trio the child alone goes. The order of `pairs` changes nothing.
    may_go: reason -> the people whom it may leave out, None for everybody. Of a pair with one such person it is that
    one who goes; a pair without any stays.
    """
    pairs = sorted(pairs)
    gone: dict[str, str] = {}
    for reason, some in (
        ("duplicate", [p for p in pairs if p.kinship > limits["kinship_duplicate"]]),
        ("related", [p for p in pairs if p.kinship <= limits["kinship_duplicate"]]),
    ):
        may = ranks.keys() if may_go is None else may_go[reason]
        left = [p for p in some if p.a not in gone and p.b not in gone]
        gone |= {p.a if p.a in may else p.b: reason for p in left if (p.a in may) != (p.b in may)}
        left = [p for p in left if p.a in may and p.b in may and p.a not in gone and p.b not in gone]
        for family in families(left):
            solve = _exact if len(family) <= EXACT_UP_TO else _greedy
            gone |= dict.fromkeys(solve(family, ranks), reason)
    return dict(sorted(gone.items()))


def account(
    statement: Mapping[str, object],
    pairs: Iterable[Pair],
    people: Iterable[str],
    left_out: int,
    limits: Mapping[str, float],
) -> dict:
    """`statement` (sample_qc/kinship.json) with what came of it: no id in it.

    pairs: those told; people: who would be counted if nobody had a relative; left_out: how many of them are not.
    Adds the pairs by relation, the people with a relative, and to the sentence what a reader has to know: that
    everybody is related, or that a family was too large to be solved exactly.
    """
    pairs, assessed = list(pairs), set(people)
    inside = [p for p in pairs if p.a in assessed and p.b in assessed]
    related = {p.a for p in inside} | {p.b for p in inside}
    statements = [str(statement["statement"])]
    if len(assessed) > 1 and related == assessed:
        statements.append(
            f"every one of {len(assessed)} people has a relative among the others, {left_out} are left out: "
            "look at sample_qc/kinship.tsv before these numbers are used"
        )
    large = sum(len(family) > EXACT_UP_TO for family in families(inside))
    if large:
        statements.append(
            f"in {large} families of more than {EXACT_UP_TO} people one or a few more may be left out than need be"
        )
    return {
        **statement,
        "statement": "; ".join(statements),
        "pairs": dict(sorted(Counter(relation(p, limits) or "" for p in pairs).items())),
        "people_with_relatives": len(related),
        "left_out": left_out,
    }
