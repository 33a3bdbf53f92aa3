"""FILTER of a site allele by named rules, each with its threshold from the config (C3.5, C3.6)."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from goe.core.ledger import Ledger
from goe.frequencies.counts import MEASURES
from goe.genome.intervals import inside
from goe.rules.site_filters import BOTH, DEFICIT, EXCESS, FAILED, NO_VALUE, REGION_FILTERS, RULES, applies
from goe.variant_qc import statistics as stats

_METRICS = {
    "LowQUAL": "qual",
    "LowQD": "qd",
    "LowMQ": "mq",
    "HighFS": "fs",
    "LowReadPosRankSum": "read_pos_rank_sum",
}


@dataclass(frozen=True)
class Counted:
    """Counts of a region as arrays: int64 (sites, leaves) by measure, and what the file says of the leaves."""

    leaves: list[str]
    people: dict[str, int]
    by_measure: dict[str, np.ndarray]
    expected: np.ndarray

    @classmethod
    def of(cls, table: pa.Table) -> "Counted":
        about = json.loads(table.schema.metadata[b"goe"])
        leaves = about["leaves"]
        n = table.num_rows

        def measure(name: str) -> np.ndarray:
            columns = [table[f"{name}_{leaf}"].to_numpy().astype(np.int64) for leaf in leaves]
            return np.stack(columns, axis=1) if columns else np.zeros((n, 0), np.int64)

        by_class = np.zeros(1 + max(map(int, about["class_expected"])), np.int64)
        for number, expected in about["class_expected"].items():
            by_class[int(number)] = sum(expected.values())
        return cls(
            leaves,
            about["people"],
            {m: measure(m) for m in MEASURES},
            by_class[table["region_class"].to_numpy()],
        )

    def total(self, measure: str) -> np.ndarray:
        return self.by_measure[measure].sum(axis=1)

    @property
    def ac(self) -> np.ndarray:
        return self.total("het") + 2 * self.total("hom") + self.total("hemi")

    @property
    def an(self) -> np.ndarray:
        return 2 * self.total("dip") + self.total("hap")

    def countries(self, least: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """(het, hom_ref, hom_alt, enough) of each country, each (sites,): people called diploid, and whether they are
        at least `least`. Never pooled over countries (C4.3); men outside the PAR of X are called haploid."""
        for country in sorted({_country(leaf) for leaf in self.leaves}):
            columns = [i for i, leaf in enumerate(self.leaves) if _country(leaf) == country]
            dip, het, hom = (self.by_measure[m][:, columns].sum(axis=1) for m in ("dip", "het", "hom"))
            yield het, dip - het - hom, hom, dip >= least

    def too_small(self, least: int) -> dict[str, int]:
        """Country -> people, where they are fewer than `least`."""
        people: dict[str, int] = {}
        for leaf in self.leaves:
            people[_country(leaf)] = people.get(_country(leaf), 0) + self.people[leaf]
        return {country: n for country, n in sorted(people.items()) if n < least}


def _country(leaf: str) -> str:
    return leaf.rsplit("_", 1)[0]


@dataclass(frozen=True)
class _ByCountry:
    """Smallest HWE p and inbreeding coefficient over the countries with enough people, NaN where there is none, and
    whether a country in which HWE fails has too many (excess) or too few (deficit) heterozygotes; all (sites,)."""

    hwe_p: np.ndarray
    inbreeding_coeff: np.ndarray
    excess: np.ndarray
    deficit: np.ndarray

    @classmethod
    def of(cls, counted: Counted, least: int, limit: float | None) -> "_ByCountry":
        n = len(counted.expected)
        hwe, inbreeding = np.full(n, np.nan), np.full(n, np.nan)
        excess, deficit = np.zeros(n, bool), np.zeros(n, bool)
        for het, hom_ref, hom_alt, enough in counted.countries(least):
            p = np.where(enough, stats.hwe_p(het, hom_ref, hom_alt), np.nan)
            hwe = np.fmin(hwe, p)
            coefficient = stats.inbreeding_coefficient(het, hom_ref, hom_alt)
            inbreeding = np.fmin(inbreeding, np.where(enough, coefficient, np.nan))
            if limit is not None:
                fails, more = p < limit, stats.more_heterozygotes(het, hom_ref, hom_alt)
                excess |= fails & more
                deficit |= fails & ~more
        return cls(hwe, inbreeding, excess, deficit)


def annotate(
    table: pa.Table, rules: Mapping, regions: Mapping[str, np.ndarray] | None = None, ledger: Ledger | None = None
) -> pa.Table:
    """The table of counts with `filter` (list of reasons, empty for PASS) and the site statistics.

    rules: `variant_qc` of the config. A threshold of null turns its rule off. A metric that the input does not
    give, or a statistic with too few people, fails no rule. regions: flag -> intervals of the contig
    (`annotations.intervals`), of the flags that `rules` names. ledger: gets the account of the site alleles, by the
    first reason of each, and one of every rule: how many passed, failed and had no value.
    """
    counted = Counted.of(table)
    ac, an = counted.ac, counted.an
    by_country = _ByCountry.of(counted, rules["hwe_min_people"], rules["hwe_p"])
    site = {
        "af": stats.divide(ac, an),
        "call_rate": stats.divide(an, counted.expected),
        "hwe_p": by_country.hwe_p,
        "inbreeding_coeff": by_country.inbreeding_coeff,
        "faf95": stats.filtering_allele_frequency(ac, an, 0.95),
        "faf99": stats.filtering_allele_frequency(ac, an, 0.99),
    }
    values = {"LowCallRate": site["call_rate"], "InbreedingCoeff": site["inbreeding_coeff"]}
    # Single precision, as BCF has them: a QD of 2.1 is not below a threshold of 2.1.
    values |= {name: table[column].to_numpy().astype(np.float32) for name, column in _METRICS.items()}
    excess, deficit = by_country.excess, by_country.deficit
    failed = {"AC0": ac == 0, "HWE": excess | deficit, "HetExcess": excess}
    with np.errstate(invalid="ignore"):
        for name, measured in values.items():
            limit = rules[RULES[name]["key"]]
            if limit is not None:
                failed[name] = measured > limit if name == "HighFS" else measured < limit
    for flag, where in (regions or {}).items():
        failed[REGION_FILTERS[flag]] = inside(table["pos"].to_numpy(), where)
    failed = {name: failed[name] for name in RULES if applies(name, rules)}
    filters = _reasons(failed, table["filters"], set(rules["accept_filters"]))
    if ledger is not None:
        everywhere = np.zeros(len(ac), bool)
        no_value = {name: np.isnan(values[name]) for name in failed if name in values}
        no_value["HWE"] = np.isnan(by_country.hwe_p)
        for name, which in failed.items():
            if name == "HetExcess":  # told by the reasons of HWE
                continue
            why = {FAILED: which}
            if name == "HWE":
                why = {EXCESS: excess & ~deficit, DEFICIT: deficit & ~excess, BOTH: excess & deficit}
            _account(ledger, name, no_value.get(name, everywhere), why)
        _account_of_alleles(ledger, filters)
    table = table.append_column("filter", filters)
    for name, statistic in site.items():
        table = table.append_column(name, pa.array(statistic, pa.float64(), mask=np.isnan(statistic)))
    return table


def _reasons(failed: Mapping[str, np.ndarray], given: pa.ChunkedArray, accepted: set[str]) -> pa.Array:
    """Our reasons in their order, then those of the input that are not accepted."""
    names = list(failed)
    code = sum((failed[name].astype(np.int64) << i for i, name in enumerate(names)), np.zeros(len(given), np.int64))
    own_filters = {c: [name for i, name in enumerate(names) if c >> i & 1] for c in np.unique(code).tolist()}
    filters = [
        own_filters[c] + [f for f in site_filters if f not in accepted]
        for c, site_filters in zip(code.tolist(), given.to_pylist(), strict=True)
    ]
    return pa.array(filters, pa.list_(pa.string()))


def _account(ledger: Ledger, rule: str, no_value: np.ndarray, failed: Mapping[str, np.ndarray]) -> None:
    """An account with the name of the rule as its unit."""
    lost = {NO_VALUE: int(no_value.sum()), **{why: int(which.sum()) for why, which in failed.items()}}
    ledger.take(rule, len(no_value))
    ledger.give(rule, len(no_value) - sum(lost.values()))
    for why, n in lost.items():
        ledger.drop(rule, why, n)


def _account_of_alleles(ledger: Ledger, filters: pa.Array) -> None:
    passed = pc.equal(pc.list_value_length(filters), 0)
    first = pc.list_element(pc.if_else(passed, pa.scalar(["PASS"]), filters), 0)
    ledger.take("site_alleles", len(filters))
    for entry in pc.value_counts(first).to_pylist():
        name, n = entry["values"], entry["counts"]
        if name == "PASS":
            ledger.give("site_alleles", n)
        else:
            ledger.drop("site_alleles", name if name in RULES else "input filter", n)
