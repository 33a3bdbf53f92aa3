"""FILTER of a site allele by named rules, each with its threshold from the config (COUNTING 3.5, 3.6)."""

import json
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from goe import statistics as stats
from goe.counts import MEASURES

# Order of the reasons in FILTER, with what the release's header says of each.
DESCRIPTIONS = {
    "AC0": "No carrier is left after genotype filter and sample exclusion",
    "LowCallRate": "AN over the AN expected from the ploidy table is below the threshold",
    "HWE": "Exact test of Hardy-Weinberg equilibrium, the smallest p over the countries, is below the threshold",
    "InbreedingCoeff": "Inbreeding coefficient, the smallest over the countries, is below the threshold",
    "LowQUAL": "QUAL of the input is below the threshold",
    "LowQD": "QD of the input is below the threshold",
    "LowMQ": "MQ of the input is below the threshold",
    "HighFS": "FS of the input is above the threshold",
    "LowReadPosRankSum": "ReadPosRankSum of the input is below the threshold",
}
_ABSENT_PASSES = ("qual", "qd", "mq", "fs", "read_pos_rank_sum")


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

    def smallest_over_countries(self, statistic, least: int) -> np.ndarray:
        """float64 (sites,): smallest value of `statistic(het, hom_ref, hom_alt)` over the countries with at least
        `least` people called diploid; NaN where there is none. Never pooled over countries (COUNTING 4.3)."""
        countries = sorted({leaf.rsplit("_", 1)[0] for leaf in self.leaves})
        best = np.full(len(self.expected), np.nan)
        for country in countries:
            mine = [i for i, leaf in enumerate(self.leaves) if leaf.rsplit("_", 1)[0] == country]
            dip, het, hom = (self.by_measure[m][:, mine].sum(axis=1) for m in ("dip", "het", "hom"))
            values = np.where(dip >= least, statistic(het, dip - het - hom, hom), np.nan)
            best = np.fmin(best, values)
        return best


def annotate(table: pa.Table, rules: dict) -> pa.Table:
    """The table of counts with `filter` (list of reasons, empty for PASS) and the site statistics.

    rules: `variant_qc` of the config. A threshold of null turns its rule off. A metric that the input does not
    give, or a statistic with too few people, fails no rule.
    """
    counted = Counted.of(table)
    ac, an = counted.ac, counted.an
    least = rules["hwe_min_people"]
    site = {
        "af": stats.divide(ac, an),
        "call_rate": stats.divide(an, counted.expected),
        "hwe_p": counted.smallest_over_countries(stats.hwe_p, least),
        "inbreeding_coeff": counted.smallest_over_countries(stats.inbreeding_coefficient, least),
        "faf95": stats.filtering_allele_frequency(ac, an, 0.95),
        "faf99": stats.filtering_allele_frequency(ac, an, 0.99),
    }
    metric = {name: table[name].to_numpy(zero_copy_only=False).astype(np.float64) for name in _ABSENT_PASSES}

    def below(values: np.ndarray, key: str) -> np.ndarray:
        limit = rules[key]
        with np.errstate(invalid="ignore"):
            return np.zeros(len(values), bool) if limit is None else values < limit

    failed = {
        "AC0": ac == 0,
        "LowCallRate": below(site["call_rate"], "min_call_rate"),
        "HWE": below(site["hwe_p"], "hwe_p"),
        "InbreedingCoeff": below(site["inbreeding_coeff"], "inbreeding_coeff"),
        "LowQUAL": below(metric["qual"], "min_qual"),
        "LowQD": below(metric["qd"], "min_qd"),
        "LowMQ": below(metric["mq"], "min_mq"),
        "HighFS": np.zeros(len(ac), bool) if rules["max_fs"] is None else metric["fs"] > rules["max_fs"],
        "LowReadPosRankSum": below(metric["read_pos_rank_sum"], "min_read_pos_rank_sum"),
    }
    accepted = set(rules["accept_filters"])
    filters = [
        [name for name in DESCRIPTIONS if failed[name][i]] + [f for f in given if f not in accepted]
        for i, given in enumerate(table["filters"].to_pylist())
    ]
    table = table.append_column("filter", pa.array(filters, pa.list_(pa.string())))
    for name, values in site.items():
        table = table.append_column(name, pa.array(values, pa.float64(), mask=np.isnan(values)))
    return table
