"""Disclosure control of the release: which numbers of which site allele may be public.

The unit is the person. A cell is a group of people and a genotype class at one site allele: diploid
reference, het, homozygous alt, haploid reference, hemizygous alt. A cell is fine when it holds nobody or at
least k people. This is the protective reading of "carriers and non-carriers are 0 or at least k": both are
sums of classes that are 0 or at least k, so they are too, and so are AC_Hom, AC_Het, AC_Hemi and nhomalt,
which give each class away. Reference is asked by ploidy because on X both ploidies stand in one AN.

What can be derived is checked, not only what is printed: strata are sums, so a difference of published strata
is as good as a published one (people of unknown sex are `EE - EE_M - EE_F`). `plan` chooses the strata to
publish once, by their people, so that the published sums form a tree, and gives the smallest groups that sums
and differences can reach (`Plan.groups`). Whatever else can be reached is a union of those, and a sum of
cells that are 0 or at least k is 0 or at least k. Policy `collapse`: when one cell of one group fails, only
Total of that allele is public; when a cell of Total fails, the allele is in no public file.

Not covered here: how many people have no call (AN against the people of a stratum), ranges that follow from
bounds and integrality, differences to an earlier release, rare haplotypes that repeat the same carriers at
many sites, the bit about country counts in a FILTER that was decided per country, and that an allele with AC
= 0 is listed because someone who is not counted, or whose genotype was filtered, has it. Membership inference
is not stopped by any floor.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from goe import strata as st

WITHHELD, ONLY_TOTAL, FULL = 0, 1, 2


@dataclass(frozen=True)
class Policy:
    """min_carriers k >= 1, in people; k = 1 hides nothing. An open release has k = 1 and a legal basis."""

    k: int
    open: bool = False
    legal_basis: str = ""
    name: str = "collapse"


def policy(section: Mapping) -> Policy:
    """The policy of the config section `disclosure`: {min_carriers, policy} or {open: true, legal_basis}."""
    if section.get("open"):
        return Policy(k=1, open=True, legal_basis=section["legal_basis"], name="open")
    return Policy(k=int(section["min_carriers"]), name=section.get("policy", "collapse"))


@dataclass(frozen=True)
class Plan:
    """Which strata are published, by their people alone.

    leaves: leaf strata of the counts, in their order. people: people kept, by stratum (leaves and `strata`).
    strata: published strata in the order of the release; Total is always there.
    groups: tuples of leaf indices; the smallest groups that sums and differences of `strata` reach.
    hidden: strata that have people but are not published.
    """

    leaves: tuple[str, ...]
    people: dict[str, int]
    strata: tuple[str, ...]
    groups: tuple[tuple[int, ...], ...]
    hidden: tuple[str, ...]


def plan(people: Mapping[str, int], k: int) -> Plan:
    """Choose strata such that every group that can be reached by sums and differences has 0 or at least k
    people.

    people: people kept by leaf stratum. Strata without people are left out. A country below k is not
    published, and neither is the next smallest one while the unpublished ones together stay below k. A
    country is split by sex when its M, F and unknown are each 0 or at least k; M and F of all countries are
    published when every country, and the unpublished ones together, can be split.
    """
    leaves = tuple(people)

    def n(indices: Sequence[int]) -> int:
        return sum(people[leaves[i]] for i in indices)

    def small(count: int) -> bool:
        return 0 < count < k

    sizes = {stratum: n(st.members(stratum, leaves)) for stratum in st.order(leaves)}
    published = [c for c in st.countries(leaves) if sizes[c] >= k]
    rest = [i for i, leaf in enumerate(leaves) if leaf[:2] not in published]
    while published and small(n(rest)):
        smallest = min(published, key=lambda c: (sizes[c], c))
        published.remove(smallest)
        rest = sorted(rest + st.members(smallest, leaves))

    def by_sex(group: Sequence[int]) -> list[tuple[int, ...]]:
        return [tuple(i for i in group if leaves[i][3:] == sex) for sex in "MFU"]

    units = {country: st.members(country, leaves) for country in published} | {"": rest}
    splits = {name: not any(small(n(part)) for part in by_sex(group)) for name, group in units.items()}
    sexes = all(splits.values())
    wanted = {st.TOTAL, *published, *(st.SEXES if sexes else ())}
    groups: list[tuple[int, ...]] = []
    for name, group in units.items():
        if splits[name] and (name or sexes):
            groups += by_sex(group)
            wanted |= {f"{name}_{sex}" for sex in st.SEXES if name}
        else:
            groups.append(tuple(group))
    kept = tuple(s for s in sizes if s in wanted and (sizes[s] or s == st.TOTAL))
    return Plan(
        leaves=leaves,
        people=dict(people) | {s: sizes[s] for s in kept},
        strata=kept,
        groups=tuple(g for g in groups if n(g)),
        hidden=tuple(s for s in sizes if sizes[s] and s not in kept),
    )


def cells(people: np.ndarray) -> np.ndarray:
    """People by genotype class, (5, ..., alleles): diploid reference, het, hom, haploid reference, hemi."""
    dip, hap, het, hom, hemi = (people[..., i, :] for i in range(5))
    return np.stack([dip - het - hom, het, hom, hap - hemi, hemi])


def _fine(people: np.ndarray, k: int) -> np.ndarray:
    """Whether no cell of people (5, alleles) holds 1 to k-1 people; bool (alleles,)."""
    classes = cells(people)
    return ~((classes > 0) & (classes < k)).any(axis=0)


def apply(people: np.ndarray, chosen: Plan, rule: Policy) -> np.ndarray:
    """What of each allele is public: WITHHELD, ONLY_TOTAL or FULL, uint8 (alleles,).

    people: int array (leaves, 5, alleles) as strata.CALLS, leaves as `chosen.leaves`, in people.
    """
    alleles = people.shape[-1]
    if rule.k <= 1:
        return np.full(alleles, FULL, dtype=np.uint8)
    every_group = np.ones(alleles, dtype=bool)
    for group in chosen.groups:
        every_group &= _fine(people[list(group)].sum(axis=0), rule.k)
    total = _fine(people.sum(axis=0), rule.k)
    return np.where(every_group, FULL, np.where(total, ONLY_TOTAL, WITHHELD)).astype(np.uint8)


def rounded(n: int, k: int) -> int:
    """n to the nearest multiple of k, never to 0 unless n is 0.

    For every count beside the frequencies (people left out, alleles withheld, ledgers): a shown figure stands
    for at least k possible ones, and the rounded terms of an account do not give an exact one by subtraction.
    """
    return n if k <= 1 or n == 0 else max(k, (n + k // 2) // k * k)


def rounded_tree(value, k: int):
    """`rounded` for every integer of nested dicts and lists; other values as they are."""
    if isinstance(value, dict):
        return {key: rounded_tree(item, k) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded_tree(item, k) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return rounded(value, k)
    return value
