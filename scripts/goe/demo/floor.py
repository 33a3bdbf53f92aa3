"""What a release under a floor must not tell of the demo cohort, asked of its true calls by plain loops."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

Key = tuple[str, int, str, str]
REST = "rest"


def groups(country: np.ndarray, sex: np.ndarray) -> dict[str, np.ndarray]:
    """bool[people] of each stratum that a release may have, by its tag ("" is Total)."""
    countries = {str(c): country == c for c in sorted(set(country))}
    sexes = {s: sex == s for s in ("M", "F")}
    both = {f"{c}_{s}": here & there for c, here in countries.items() for s, there in sexes.items()}
    return {"": np.ones(len(country), bool)} | countries | sexes | both


def sums(names: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """(stratum, strata it is the sum of): by country, and by sex, where some are of neither (REST)."""
    countries = [n for n in names if n and "_" not in n and n not in ("M", "F")]
    yield "", countries
    yield "", ["M", "F", REST]
    for name in countries:
        yield name, [f"{name}_M", f"{name}_F", REST]
    for sex in "MF":
        yield sex, [f"{c}_{sex}" for c in countries]


def judge(
    published: Mapping[Key, np.ndarray],
    carriers: Mapping[Key, np.ndarray],
    others: Mapping[Key, np.ndarray],
    members: Mapping[str, np.ndarray],
    floor: int,
) -> tuple[list[tuple[str, int, int]], list[tuple[str, int]]]:
    """(guarantees: what, how many broken, of how many; figures: what, how many).

    published: AC and AN int[strata, 2] of each allele, in the order of `members`, -1 where it is not given; carriers,
    others: bool[people], who counts and has the allele, and who has not.
    """
    names = list(members)
    # Those of too few people are at no allele.
    public = {n for i, n in enumerate(names) if any((numbers[i] >= 0).all() for numbers in published.values())}
    few: Counter[str] = Counter()
    shown: Counter[str] = Counter()
    for key, numbers in published.items():
        given = {name: bool((pair >= 0).all()) for name, pair in zip(names, numbers, strict=True)}
        there = sum(given.values())
        shown["all strata" if there == len(public) else "a part of the strata" if there > 1 else "Total alone"] += 1

        def small(who: np.ndarray, key: Key = key) -> bool:
            return any(0 < int((kind[key] & who).sum()) < floor for kind in (carriers, others))

        few["given"] += sum(given[name] and small(members[name]) for name in names)
        shown["given"] += there
        for whole, parts in sums(names):
            of = [part for part in parts if given.get(part)]
            if given[whole] and of:
                # What is left of a sum when all parts that are given are taken from it.
                rest = members[whole] & ~np.any([members[part] for part in of], axis=0)
                few["subtracted"] += small(rest)
                shown["sums"] += 1
    withheld = [key for key in carriers if carriers[key].any() and key not in published]
    must = [
        (f"given numbers of 1 to {floor - 1} people", few["given"], shown["given"]),
        ("the same, by a subtraction of given ones", few["subtracted"], shown["sums"]),
    ]
    wanted = ("all strata", "a part of the strata", "Total alone")
    return must, [(f"alleles with {name}", shown[name]) for name in wanted] + [("in no public file", len(withheld))]
