"""Statistics of a site computed again from the public counts, by what computed them (goe.variant_qc.statistics).

Whoever changes a statistic alike in every format leaves numbers from which another one follows.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from goe.check.faults import Faults
from goe.frequencies import strata as st
from goe.frequencies.block import Block
from goe.genome.build import contig_class
from goe.variant_qc import statistics as stats

# Single precision, four units in the last place: two libraries may differ by the last of a double. A coefficient near 0
# is a difference of two numbers near 1.
_SINGLE, _LEAST = 5e-7, {"inbreeding_coeff": 1e-12}
_BY_COUNTRY = ("hwe_p", "inbreeding_coeff")


def differing(one: Block, people: Mapping[str, int], least: int, faults: Faults) -> None:
    """Alleles of a block whose statistics do not follow from its counts; those that counts do not tell are left.

    people: published strata -> people. least: people that a country needs (`variant_qc.hwe_min_people`). An allele of X
    that reaches over the border of a PAR is counted by the place of its record: all statistics must be right for X or
    for a PAR.
    """
    index = {stratum: i for i, stratum in enumerate(one.strata)}
    total = index[st.TOTAL]
    ac, an = one.numbers.ac[total], one.numbers.an[total]
    kind = contig_class(one.contig) or ""

    def name(allele: int) -> str:
        return f"{one.contig}:{one.pos[allele]}:{one.ref[allele]}:{one.alt[allele]}"

    for key, ci in (("faf95", 0.95), ("faf99", 0.99)):
        right = stats.filtering_allele_frequency(ac, an, ci)
        faults.add(f"{key} does not follow from ac and an", ~_same(key, one.statistics[key], right), name)
    known = _told(one, people)
    wrong: dict[str, np.ndarray] = {}
    for everybody, diploid in _ways(one, kind, people):
        wrong_here = {
            "call_rate": ~_same(
                "call_rate", one.statistics["call_rate"], stats.divide(an, np.full(len(one), everybody))
            )
        }
        if kind in ("X", "Y"):
            # Nothing says where a rate was withheld because it tells how many are men.
            wrong_here["call_rate"] &= ~np.isnan(one.statistics["call_rate"])
        for key, right in _by_country(one, diploid, least).items():
            given = ~np.isnan(one.statistics[key])
            wrong_here[key] = known & ~_same(key, one.statistics[key], right) & (given if kind == "X" else True)
        fewer = _number(wrong_here) < _number(wrong) if wrong else np.ones(len(one), bool)
        wrong = {key: np.where(fewer, bad, wrong.get(key, bad)) for key, bad in wrong_here.items()}
    for key, bad in wrong.items():
        faults.add(f"{key} does not follow from the counts", bad, name)


def _number(wrong: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.stack([*wrong.values()]).sum(axis=0)


def _same(key: str, stated: np.ndarray, right: np.ndarray) -> np.ndarray:
    """bool (alleles,): equal to the precision that is written, or both absent."""
    if key == "call_rate":
        return np.isclose(stated, right, rtol=1e-12, atol=0, equal_nan=True)
    single = right.astype(np.float32).astype(np.float64)
    return np.isclose(stated, single, rtol=_SINGLE, atol=_LEAST.get(key, 1e-44), equal_nan=True)


def _told(one: Block, people: Mapping[str, int]) -> np.ndarray:
    """bool (alleles,): whether every country with people is given."""
    countries = st.published_countries(one.strata)
    if sum(people[country] for country in countries) != people[st.TOTAL]:
        return np.zeros(len(one), bool)
    rows = [one.strata.index(country) for country in countries]
    return np.asarray(one.shown()[rows].all(axis=0))


def _ways(one: Block, kind: str, people: Mapping[str, int]) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """What the counts may be of: AN of everybody called, and the people called diploid of each country (alleles,)."""
    countries = st.published_countries(one.strata)
    an = {stratum: one.numbers.an[i] for i, stratum in enumerate(one.strata)}
    nobody = np.zeros(len(one), np.int64)
    men, women = people.get("M", 0), people.get("F", 0)
    if kind in ("autosome", "X"):
        yield 2 * people[st.TOTAL], {country: an[country] // 2 for country in countries}
    if kind == "X":
        yield 2 * women + men, {country: an.get(f"{country}_F", nobody) // 2 for country in countries}
    if kind in ("Y", "M"):
        yield men if kind == "Y" else people[st.TOTAL], dict.fromkeys(countries, nobody)


def _by_country(one: Block, diploid: Mapping[str, np.ndarray], least: int) -> dict[str, np.ndarray]:
    """Smallest of the countries with enough people, NaN where there is none."""
    found = {key: np.full(len(one), np.nan) for key in _BY_COUNTRY}
    for country, people in diploid.items():
        row = one.strata.index(country)
        het, hom = (getattr(one.numbers, key)[row].astype(np.int64) for key in ("ac_het", "nhomalt"))
        # Counts that cannot be are told by other checks.
        enough = (people >= least) & (people >= het + hom)
        rest = np.maximum(people - het - hom, 0)
        for key, values in (
            ("hwe_p", stats.hwe_p(het, rest, hom)),
            ("inbreeding_coeff", stats.inbreeding_coefficient(het, rest, hom)),
        ):
            found[key] = np.fmin(found[key], np.where(enough, values, np.nan))
    return found
