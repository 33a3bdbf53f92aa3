"""Duplicates and relatives by KING kinship, and whom to leave out."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

EXACT_UP_TO = 16
"""Greatest number of people of a family (connected component) that is solved exactly."""


@dataclass(frozen=True, order=True)
class Pair:
    """Two people (a < b as text), the SNVs both have and their kinship (KING-robust)."""

    a: str
    b: str
    n_snvs: int
    kinship: float


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


def assess(
    n_people: int, n_snvs: int, pruned: bool, kinships: np.ndarray | None, limits: Mapping[str, float]
) -> tuple[float | None, str]:
    """(lowest kinship that tells relatives here, what was assessed); None when nothing was.

    n_snvs: SNVs used; pruned: whether they were pruned for LD; kinships: of all pairs, or None when only those
    of the close ones were kept. With 10,000 pruned SNVs all degrees are told. With fewer, the spread of the
    kinship of unrelated pairs is what decides: a degree is told when its cut-off is at least 3 SD above 0, the SD
    taken from the positive values (median / 0.6745), which population structure does not widen. With fewer
    than 20 positive values the number of SNVs decides.
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
    if pruned and n_snvs >= 10_000:
        return second, everything
    positive = kinships[kinships > 0] if kinships is not None else np.empty(0)
    if positive.size >= 20:
        spread = float(np.median(positive)) / 0.6745
        if 3 * spread <= second:
            return second, everything
        said = f"spread of kinship between unrelated people {spread:.3f}"
        if 3 * spread <= first:
            return first, f"assessed down to the first degree only, {basis}: {said}, too wide for the second"
        return limits["kinship_duplicate"], f"duplicates only, {basis}: {said}, too wide for relatives"
    if n_snvs >= limits["kinship_min_snvs_second_degree"]:
        return second, everything
    return first, f"assessed down to the first degree only, {basis}"


def tie(sample: str) -> str:
    """Order of people who are equally good: by a hash of the id, so that no name is favoured."""
    return hashlib.sha256(sample.encode()).hexdigest()


def rank(people: Iterable[str], quality: Mapping[str, tuple[float | None, ...]]) -> dict[str, int]:
    """person -> 0 for the best, 1, ...: by the values of `quality` in turn, more is better, unknown is worst."""

    def key(sample: str) -> tuple:
        values = quality.get(sample, ())
        return (*(-v if v is not None else float("inf") for v in values), tie(sample))

    return {sample: i for i, sample in enumerate(sorted(people, key=key))}


def families(pairs: Iterable[Pair]) -> list[dict[str, set[str]]]:
    """Connected components as adjacency, those of the smallest id first."""
    near: dict[str, set[str]] = {}
    for pair in pairs:
        near.setdefault(pair.a, set()).add(pair.b)
        near.setdefault(pair.b, set()).add(pair.a)
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


def _exact(family: dict[str, set[str]], ranks: Mapping[str, int]) -> set[str]:
    """Smallest vertex cover; among those the one that removes the worst people (greatest sum of ranks)."""
    people = sorted(family, key=ranks.__getitem__)
    for size in range(len(people)):
        best: tuple[int, set[str]] | None = None
        for chosen in combinations(people, size):
            gone = set(chosen)
            if all(p in gone or family[p] <= gone for p in people):
                worth = sum(ranks[p] for p in gone)
                if best is None or worth > best[0]:
                    best = (worth, gone)
        if best:
            return best[1]
    return set()


def _greedy(family: dict[str, set[str]], ranks: Mapping[str, int]) -> set[str]:
    """Remove who has most relatives left, the worst of those first; then take back whom nobody needs removed."""
    near = {p: set(n) for p, n in family.items()}
    removed: list[str] = []
    while any(near.values()):
        worst = max(near, key=lambda p: (len(near[p]), ranks[p]))
        for other in near.pop(worst):
            near[other].discard(worst)
        removed.append(worst)
    gone = set(removed)
    for person in sorted(removed, key=ranks.__getitem__):
        if family[person] <= gone - {person}:
            gone.discard(person)
    return gone


def removals(pairs: Iterable[Pair], ranks: Mapping[str, int], limits: Mapping[str, float]) -> dict[str, str]:
    """person -> duplicate or related, for the people to leave out so that no pair is left.

    pairs: those above the cut-off, both of whom would be kept otherwise. First the duplicates: of each group of
    them all but the best go (every group is a clique, up to noise). Then the relatives: the smallest set that
    breaks every pair, exact in families of up to EXACT_UP_TO people, greedy in greater ones; of sets of the same
    size, the one with the worst people. Deterministic.
    """
    pairs = sorted(pairs)
    gone: dict[str, str] = {}
    for reason, some in (
        ("duplicate", [p for p in pairs if p.kinship > limits["kinship_duplicate"]]),
        ("related", [p for p in pairs if p.kinship <= limits["kinship_duplicate"]]),
    ):
        left = [p for p in some if p.a not in gone and p.b not in gone]
        for family in families(left):
            solve = _exact if len(family) <= EXACT_UP_TO else _greedy
            gone |= dict.fromkeys(solve(family, ranks), reason)
    return dict(sorted(gone.items()))
