"""Quality metrics of the people of a release, as quantiles that are of nobody in particular.

Disclosure rule: a group is a published country or everybody who is counted; a quantile of it is given only where at
least k people lie on either side, k being the floor of the release. So no least and no greatest value is ever given,
and none of a group of fewer than 2 k people. Which quantiles are there follows from the number of people that stands
beside them: the people of the group, which is public, less those without a value, rounded. Values have three
significant digits.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from goe.disclosure import control
from goe.frequencies import strata as st

METRICS = (
    "mean_autosome_coverage",
    "pct_autosomes_15x",
    "mean_dp",
    "call_rate",
    "adj_count_snvs",
    "adj_count_insertions",
    "adj_count_deletions",
    "adj_ratio_heterozygous_homzygous_snv",
    "adj_ratio_transitions_transversions_snv",
    "adj_ratio_insertion_deletion",
    "charr",
)
PERCENT = {"p05": 5, "p25": 25, "p50": 50, "p75": 75, "p95": 95}


def significant(value: float) -> float:
    """`value` with three significant digits."""
    return float(f"{value:.3g}")


def allowed(people: float, k: int, parts: int = 1) -> list[str]:
    """Names of the quantiles of a group. people: its number as it is published; parts: rounded figures in it."""
    least = people - parts * (k // 2)
    return [name for name, p in PERCENT.items() if least * min(p, 100 - p) >= 100 * k]


def summary(
    keep: Iterable[Mapping[str, str]], metrics: Iterable[Mapping[str, str]], countries: Sequence[str], k: int
) -> dict[str, dict[str, dict[str, float]]]:
    """Metric -> Total or country -> {people, p05, p25, p50, p75, p95 where allowed}.

    keep, metrics: rows of sample_qc/keep.tsv and metrics.tsv; countries: those published; k: floor, 1 for an open
    release. Of the people who are counted and have a value. Everybody is left out where fewer than k people would
    remain when the countries shown are taken off; where nobody would, their number is the sum of those shown.
    """
    kept = {row["sample_id"] for row in keep if row["keep"] == "yes"}
    rows = [row for row in metrics if row["sample_id"] in kept]
    whole = Counter(row["country_code"] for row in rows)
    found = {}
    for metric in METRICS:
        values = [(row["country_code"], float(row[metric])) for row in rows if row.get(metric)]
        groups = {country: [v for c, v in values if c == country] for country in countries}
        people = {c: _people(len(some), whole[c], k) for c, some in groups.items()}
        parts = dict.fromkeys(people, 1)
        shown = {c: groups[c] for c in groups if allowed(people[c], k)}
        rest = len(values) - sum(map(len, shown.values()))
        if rest == 0 or rest >= k:
            unseen = len(rows) - sum(whole[c] for c in shown)
            people[st.TOTAL] = _people(len(values), len(rows), k) if unseen else sum(people[c] for c in shown)
            parts[st.TOTAL] = 1 if unseen else len(shown)
            if allowed(people[st.TOTAL], k, parts[st.TOTAL]):
                shown = {st.TOTAL: [v for _, v in values], **shown}
        if shown:
            found[metric] = {g: _quantiles(some, people[g], k, parts[g]) for g, some in shown.items()}
    return found


def _people(n: int, whole: int, k: int) -> int:
    """People with a value as published; those without one are what is rounded."""
    return whole - control.rounded_part(whole - n, whole, k)


def _quantiles(values: Sequence[float], people: int, k: int, parts: int) -> dict[str, float]:
    array = np.array(values, float)
    return {"people": people} | {
        name: significant(float(np.quantile(array, PERCENT[name] / 100))) for name in allowed(people, k, parts)
    }


def faults(metrics: Mapping[str, Mapping[str, Mapping[str, float]]], strata: Mapping[str, int], k: int) -> list[str]:
    """What of `summary` in a release is not by its rule, in words.

    strata: those published -> people; k: floor of the release.
    """
    public = {s: strata[s] for s in (st.TOTAL, *st.published_countries(strata)) if s in strata}
    found = []
    for metric, groups in metrics.items():
        countries = [group for group in groups if group != st.TOTAL]
        in_whole = sum(public.get(c, 0) for c in countries) == public.get(st.TOTAL)
        for group, values_of in groups.items():
            name = f"metrics.{metric}.{group}"
            if group not in public:
                found.append(f"{name} is of no published country")
                continue
            people, given = values_of["people"], [key for key in PERCENT if key in values_of]
            if people > public[group]:
                found.append(f"{name}.people is {people}, and {group} has {public[group]} people")
            if (public[group] - people) % k:
                found.append(f"{name}.people is not {public[group]} less a multiple of {k}: it is not rounded")
            parts = 1
            if group == st.TOTAL and in_whole:
                parts, summed = len(countries), sum(groups[c]["people"] for c in countries)
                if people != summed:
                    found.append(f"{name}.people is {people}, the countries give {summed}")
            right = allowed(people, k, parts)
            if given != right or set(values_of) - {"people", *PERCENT}:
                wanted = ", ".join(right) or "nothing"
                found.append(
                    f"{name} has {', '.join(key for key in values_of if key != 'people')}; {people} people allow "
                    f"{wanted}"
                )
            values = [values_of[key] for key in given]
            if values != sorted(values):
                found.append(f"{name}: the quantiles are not in order")
            found += [
                f"{name}.{key} is {values_of[key]}: more than three digits"
                for key in given
                if values_of[key] != significant(values_of[key])
            ]
    return found
