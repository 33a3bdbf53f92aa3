"""Audit of the sum of several datasets from what is public alone: the sum, and the public releases beside it.

It subtracts every release that gives Total of an allele, and asks what is left of those that do not. Each of these has,
by its floor, 0 to k-1 carriers (or so many others); one without a release any number. These are worlds that fit: in
them, how many numbers each set of datasets can have is that of shares of a known sum with a bound on each share. It
shares no code with what decided which sums are told.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Public:
    """Alleles of which the sum is told. Arrays of (releases, alleles) in people, if not said otherwise.

    given: whether the release gives Total. apart: whether it is not counted. het, hom (and hemizygous), called: where
    given, else 0. sum_*: int64 (alleles,), the same of the sum. mixed: bool (alleles,), ploidies of men and women
    differ. room: where an allele that overlaps is given, people called there who do not have it at most, else a large
    number. taken: int64 (alleles,), people of the rest who are known to carry one that overlaps. beside: bool
    (alleles,).
    """

    given: np.ndarray
    apart: np.ndarray
    het: np.ndarray
    hom: np.ndarray
    called: np.ndarray
    sum_het: np.ndarray
    sum_hom: np.ndarray
    sum_called: np.ndarray
    mixed: np.ndarray
    room: np.ndarray
    taken: np.ndarray
    beside: np.ndarray


@dataclass(frozen=True)
class Stated:
    """floors, people: of each release; k: floor of the sum; unreleased: people of datasets without a release;
    genotypes: whether each genotype is asked for."""

    floors: Sequence[int]
    people: Sequence[int]
    k: int
    unreleased: int
    genotypes: bool


def faults(public: Public, stated: Stated) -> Iterator[tuple[int, str]]:
    """(allele, what is told) of each that is not proved."""
    most = max(stated.k, *stated.floors, 1)
    counted = public.given & ~public.apart
    het, hom, called = (
        whole - np.where(counted, part, 0).sum(axis=0)
        for whole, part in (
            (public.sum_het, public.het),
            (public.sum_hom, public.hom),
            (public.sum_called, public.called),
        )
    )
    open_ones = ~(public.given | public.apart)
    for i in range(len(het)):
        withheld = [d for d in np.flatnonzero(open_ones[:, i]).tolist() if stated.floors[d] > 1]
        rest = (int(het[i]), int(hom[i]), int(called[i]))
        carriers, others = rest[0] + rest[1], rest[2] - rest[0] - rest[1]
        if min(*rest[:2], others) < 0:
            yield i, "the public releases have more than the sum"
        elif not withheld and not stated.unreleased:
            if carriers:
                yield i, "the sum has more than the public releases that it is of"
        elif public.mixed[i]:
            yield i, "men and women are told apart by ploidy"
        elif carriers < most or others < most:
            yield i, f"without the public releases {carriers} people carry it and {others} do not"
        elif stated.genotypes and any(0 < n < most for n in rest[:2]):
            yield i, f"without the public releases {rest[0]} people are heterozygous and {rest[1]} homozygous"
        elif public.beside[i] and others - int(public.taken[i]) < most:
            yield i, "people who carry no allele of the position are too few"
        else:
            spans = [min(stated.floors[d] - 1, stated.people[d]) for d in withheld]
            rooms = [int(public.room[d, i]) for d in withheld]
            people = [stated.people[d] for d in withheld]
            if public.beside[i] and any(r < s for r, s in zip(rooms, spans, strict=True)):
                yield i, "another allele leaves a dataset fewer numbers"
            elif not any(
                _hidden(n, rest[2] - n, spans, people, min(stated.unreleased, rest[2]), rest[2], most)
                for n in ((carriers,) if public.beside[i] or stated.genotypes else (carriers, others))
            ):
                yield i, "the numbers of a dataset, or of several together, follow"


def _hidden(
    n: int, others: int, spans: Sequence[int], people: Sequence[int], free: int, called: int, most: int
) -> bool:
    """Whether n people are shared out among datasets such that no set of them is told.

    spans: most that each of those with a floor has; people: of them; free: most that those without a release have.
    """
    if not spans:
        return True
    if free and free < most - 1:
        return False
    whole = sum(spans) + free
    if min(n, whole - n) < most - 1:
        return False
    # Sets of which fewer than K numbers are possible whatever the sum is: those beside them have the others.
    small = [(s, p) for s, p in zip(spans, people, strict=True) if s < most - 1]
    reached = {0: 0}
    for s, p in small:
        for t, q in list(reached.items()):
            if t + s < most - 1:
                reached[t + s] = max(reached.get(t + s, 0), q + p)
    uncalled = sum(people) - called
    apart = not free and all(p - uncalled - s >= most for s, p in zip(spans, people, strict=True))
    return all(n - t >= most and (others - q >= most or apart) for t, q in reached.items() if q)
