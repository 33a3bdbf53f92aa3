"""Quality metrics of the people of a release, as quantiles that are of nobody in particular.

Disclosure rule: a group is a published country or everybody who is counted; a quantile of it is given only where at
least k people lie on either side, k being the floor of the release. So no least and no greatest value is ever given,
and none of a group of fewer than 2 k people. Which quantiles are there follows from the rounded number of people, which
stands beside them. Values have three significant digits.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from goe import disclosure
from goe import strata as st

METRICS = (
    "mean_autosome_coverage",
    "pct_autosomes_15x",
    "mean_dp",
    "call_rate",
    "count_snvs",
    "count_insertions",
    "count_deletions",
    "ratio_heterozygous_homzygous_snv",
    "ratio_transitions_transversions_snv",
    "ratio_insertion_deletion",
    "charr",
)
PERCENT = {"p05": 5, "p25": 25, "p50": 50, "p75": 75, "p95": 95}


def significant(value: float) -> float:
    """`value` with three significant digits."""
    return float(f"{value:.3g}")


def allowed(people: int, k: int) -> list[str]:
    """Names of the quantiles of a group; people: its number rounded to a multiple of k, as it is published."""
    least = people - k // 2
    return [name for name, p in PERCENT.items() if least * min(p, 100 - p) >= 100 * k]


def summary(
    keep: Iterable[Mapping[str, str]], metrics: Iterable[Mapping[str, str]], countries: Sequence[str], k: int
) -> dict[str, dict[str, dict[str, float]]]:
    """Metric -> Total or country -> {people (rounded to a multiple of k), p05, p25, p50, p75, p95 where allowed}.

    keep, metrics: rows of sample_qc/keep.tsv and metrics.tsv; countries: those published; k: floor, 1 for an open
    release. Of the people who are counted and have a value. Everybody is left out where fewer than k people would
    remain when the countries shown are taken off.
    """
    kept = {row["sample_id"] for row in keep if row["keep"] == "yes"}
    rows = [row for row in metrics if row["sample_id"] in kept]
    found = {}
    for metric in METRICS:
        values = [(row["country_code"], float(row[metric])) for row in rows if row.get(metric)]
        groups = {country: [v for c, v in values if c == country] for country in countries}
        shown = {c: some for c, some in groups.items() if _allowed(some, k)}
        rest = len(values) - sum(map(len, shown.values()))
        everybody = [v for _, v in values]
        if (rest == 0 or rest >= k) and _allowed(everybody, k):
            shown = {st.TOTAL: everybody, **shown}
        if shown:
            found[metric] = {group: _quantiles(some, k) for group, some in shown.items()}
    return found


def _allowed(values: Sequence[float], k: int) -> list[str]:
    return allowed(disclosure.rounded(len(values), k), k)


def _quantiles(values: Sequence[float], k: int) -> dict[str, float]:
    array = np.array(values, float)
    return {"people": disclosure.rounded(len(values), k)} | {
        name: significant(float(np.quantile(array, PERCENT[name] / 100))) for name in _allowed(values, k)
    }


def faults(metrics: Mapping[str, Mapping[str, Mapping[str, float]]], strata: Iterable[str], k: int) -> list[str]:
    """What of `summary` in a release is not by its rule, in words. strata: those published; k: floor of the release."""
    public = {s for s in strata if s == st.TOTAL or len(s) == 2}
    found = []
    for metric, groups in metrics.items():
        for group, said in groups.items():
            name = f"metrics.{metric}.{group}"
            if group not in public:
                found.append(f"{name} is of no published country")
            people, there = said["people"], [key for key in PERCENT if key in said]
            if people % k:
                found.append(f"{name}.people is {people}, no multiple of {k}: it is not rounded")
            if there != allowed(people, k) or set(said) - {"people", *PERCENT}:
                wanted = ", ".join(allowed(people, k)) or "nothing"
                found.append(
                    f"{name} has {', '.join(key for key in said if key != 'people')}; {people} people allow {wanted}"
                )
            values = [said[key] for key in there]
            if values != sorted(values):
                found.append(f"{name}: the quantiles are not in order")
            found += [
                f"{name}.{key} is {said[key]}: more than three digits"
                for key in there
                if said[key] != significant(said[key])
            ]
    return found
