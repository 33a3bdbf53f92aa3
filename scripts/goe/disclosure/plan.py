"""Which strata are published, chosen once for a release by the people in them alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from goe.frequencies import strata as st
from goe.rules.stratum import SEXES, TOTAL, parse


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


def choose_strata(people: Mapping[str, int], least: int) -> Plan:
    """Choose strata such that every group that sums and differences can reach has 0 or at least `least` people.

    people: people kept by leaf stratum. least: `Policy.min_stratum_size`. Strata without people are left out. A
    country below `least` is not published, and neither is the next smallest one while the unpublished ones
    together stay below it. A country is split by sex when its M, F and unknown are each 0 or at least `least`; M
    and F of all countries are published when every country, and the unpublished ones together, can be split.
    """
    leaves = tuple(people)

    def n(indices: Sequence[int]) -> int:
        return sum(people[leaves[i]] for i in indices)

    def small(count: int) -> bool:
        return 0 < count < least

    sizes = {stratum: n(st.members(stratum, leaves)) for stratum in st.order(leaves)}
    published = [c for c in st.countries(leaves) if sizes[c] >= least]
    rest = [i for i, leaf in enumerate(leaves) if parse(leaf).country not in published]
    while published and small(n(rest)):
        smallest = min(published, key=lambda c: (sizes[c], c))
        published.remove(smallest)
        rest = sorted(rest + st.members(smallest, leaves))

    def by_sex(group: Sequence[int]) -> list[tuple[int, ...]]:
        return [tuple(i for i in group if parse(leaves[i]).sex == sex) for sex in "MFU"]

    units = {country: st.members(country, leaves) for country in published} | {"": rest}
    splits = {name: not any(small(n(part)) for part in by_sex(group)) for name, group in units.items()}
    sexes = all(splits.values())
    wanted = {TOTAL, *published, *(SEXES if sexes else ())}
    groups: list[tuple[int, ...]] = []
    for name, group in units.items():
        if splits[name] and (name or sexes):
            groups += by_sex(group)
            wanted |= {f"{name}_{sex}" for sex in SEXES if name}
        else:
            groups.append(tuple(group))
    kept = tuple(s for s in sizes if s in wanted and (sizes[s] or s == TOTAL))
    return Plan(
        leaves=leaves,
        people=dict(people) | {s: sizes[s] for s in kept},
        strata=kept,
        groups=tuple(g for g in groups if n(g)),
        hidden=tuple(s for s in sizes if sizes[s] and s not in kept),
    )
