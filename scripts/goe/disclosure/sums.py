"""Disclosure control of a sum over datasets, against a reader who also has their public releases and subtracts them.

A dataset is *known* at an allele where its public release gives Total. The sum less all known ones is the number of the
others, the *rest*: datasets whose release withholds the allele, and datasets that have no public release at all. Only
Total of a sum is decided on here. What is known of a dataset of the rest is known already: nothing, or that it has a
floor, so fewer than its k people carry the allele there, or fewer than its k do not. With K the highest floor of all,
that of the sum among them, a sum is told where

1. nobody is in the rest: it follows from what is public; or
2. at least K people of the rest carry the allele, and at least K people called there do not. Nobody is not enough: were
   such sums told, one that is not told would mean 1 to K-1 carriers, where a release alone leaves 0 to k-1; and
3. no set of datasets is told. Of a rest with C carriers, dataset i can have 0 to s_i of them (`s_i` the *span*: k_i - 1
   under a floor, whoever is called where there is no release), the others being shared out among the rest. So a set U
   of datasets has min(s_U, C, s - C, s - s_U) + 1 possible numbers, s the sum of all spans. These are K numbers where C
   and s - C are K - 1 at least, unless s_U or s - s_U is less. Less than that s_U is what the releases leave by
   themselves, and stays as it is; its complement is then less narrow than K numbers, and has to be K or more
   whatever the number of U is (`_beside_small`).

Everything is asked of people who carry it and, where the allele is nearly fixed in each dataset that withholds it, of
those who do not, in the same words. Where it is nearly fixed in one and rare in another, nothing is told; nor where a
dataset withholds it that has k carriers and k others, since it does so for what it tells with other numbers. The
reader is taken to know how many people are called in each dataset.

Alleles that cover one base share the people there. Whoever carries another one is taken not to be able to carry this
one, in every dataset, so that in all that is possible here only people without any of them change places; and at least
K of the rest have to carry none of them. So what one allele tells does not depend on what the others do.

With `genotypes` the heterozygous and the homozygous people of the rest are each nobody or at least K as well: where
carriers can be anywhere, so can those of one kind. On X men and women are told apart by ploidy; nothing is told there
beside what follows.
"""

from dataclasses import dataclass

import numpy as np

TOLD, FOLLOWS, UNLIKE, SMALL, NARROW = range(5)
REASONS = (
    "told",
    "told: follows from what is public",
    "not counted alike, or men and women apart",
    "too few carriers or others where releases withhold it",
    "would tell the numbers of a dataset",
)


@dataclass(frozen=True)
class Rest:
    """What is there to decide on. Arrays of (datasets, alleles) in people, if not said otherwise.

    known: bool, Total is public. apart: bool, not counted, which is public. floor: int64 (datasets,), of its public
    release, 1 for an open one, 0 where there is none. people: int64 (datasets,). carriers, called, homozygous (and
    hemizygous). room: people called who carry none of the alleles that overlap, at least, negative where that is not
    known. beside: bool (alleles,), others overlap. unlike: bool (alleles,), something is not known that has to be, or
    ploidies are mixed.
    """

    known: np.ndarray
    apart: np.ndarray
    floor: np.ndarray
    people: np.ndarray
    carriers: np.ndarray
    called: np.ndarray
    homozygous: np.ndarray
    room: np.ndarray
    beside: np.ndarray
    unlike: np.ndarray


def highest(k: int, floor: np.ndarray) -> int:
    """K: the highest floor of the sum and of the public releases."""
    return max(k, int(floor.max(initial=1)))


def decide(rest: Rest, k: int, genotypes: bool = False) -> np.ndarray:
    """uint8 (alleles,): TOLD, FOLLOWS, or why Total of the sum may not be public. k: floor of the sum."""
    most = highest(k, rest.floor)
    in_sum = ~rest.known & ~rest.apart
    carriers, called = np.where(in_sum, rest.carriers, 0), np.where(in_sum, rest.called, 0)
    others = called - carriers
    fine = (carriers.sum(axis=0) >= most) & (others.sum(axis=0) >= most)
    if genotypes:
        hom = np.where(in_sum, rest.homozygous, 0).sum(axis=0)
        for n in (hom, carriers.sum(axis=0) - hom):
            fine &= (n == 0) | (n >= most)
    released = in_sum & (rest.floor > 0)[:, None]
    few = (rest.floor - 1)[:, None]
    rare = (~released | (carriers <= few)).all(axis=0)
    fixed = (~released | (others <= few)).all(axis=0) & ~rest.beside & (not genotypes)
    hidden = rare & _hidden(rest, in_sum, carriers, called, most)
    hidden |= ~rare & fixed & _hidden(rest, in_sum, others, called, most)
    none = np.where(in_sum, rest.room, 0)
    hidden &= ~rest.beside | ((none >= 0).all(axis=0) & (none.sum(axis=0) >= most))
    out = np.where(hidden, TOLD, NARROW)
    out[~fine] = SMALL
    out[rest.unlike] = UNLIKE
    out[~in_sum.any(axis=0) & ~rest.unlike] = FOLLOWS
    return out.astype(np.uint8)


def _hidden(rest: Rest, in_sum: np.ndarray, carriers: np.ndarray, called: np.ndarray, most: int) -> np.ndarray:
    """bool (alleles,): no set of datasets is told. mine: people whose places are asked for; most: K."""
    released = in_sum & (rest.floor > 0)[:, None]
    free = in_sum & ~released & (called > 0)
    span = np.where(released, np.minimum(called, (rest.floor - 1)[:, None]), np.where(free, called, 0))
    # Where others overlap, a floor must leave what it leaves elsewhere.
    places = np.where(rest.beside, np.minimum(span, carriers + rest.room), span)
    wide = (~released | (places == span)).all(axis=0)
    span = places
    n, room = carriers.sum(axis=0), span.sum(axis=0) - carriers.sum(axis=0)
    wide &= (n >= most - 1) & (room >= most - 1) & (~free | (span >= most - 1)).all(axis=0)
    small = released & (span < most - 1)
    wide &= ~small.any(axis=0) | _beside_small(rest, in_sum, small, span, n, called, most)
    alone = (free.sum(axis=0) == 1) & ~released.any(axis=0)
    return np.asarray(alone | wide)


def _beside_small(
    rest: Rest,
    in_sum: np.ndarray,
    small: np.ndarray,
    span: np.ndarray,
    n: np.ndarray,
    called: np.ndarray,
    most: int,
) -> np.ndarray:
    """bool (alleles,): whatever datasets of small spans have, those beside them are at least K people, with the allele
    and without."""
    known_span = np.where(small, np.maximum(span, (rest.floor - 1)[:, None]), 0).sum(axis=0)
    enough = (n - known_span >= most) | (n >= 2 * most - 2)
    people = np.where(in_sum, rest.people[:, None], 0)
    others = called.sum(axis=0) - n
    uncalled = people.sum(axis=0) - called.sum(axis=0)
    free = in_sum & (rest.floor == 0)[:, None]
    each = (~in_sum | (people - uncalled - (rest.floor - 1)[:, None] >= most)).all(axis=0) & ~free.any(axis=0)
    return np.asarray(enough & ((others - np.where(small, people, 0).sum(axis=0) >= most) | each))
