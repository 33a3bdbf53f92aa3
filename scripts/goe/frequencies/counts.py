"""Counts of people by leaf stratum (country x sex) for every site allele of a region (C4.1)."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from goe.core.errors import GoeError, Problem, stop_on
from goe.core.ledger import Ledger
from goe.frequencies.cohort import Cohort
from goe.frequencies.strata import CALLS
from goe.genome.build import REGION_X, REGION_Y
from goe.harmonise.records import METRICS, N_CLASSES, ploidy_table
from goe.hts import parquet

MEASURES = CALLS
METRIC_COLUMNS = {"QD": "qd", "MQ": "mq", "FS": "fs", "ReadPosRankSum": "read_pos_rank_sum"}
ROWS_A_BATCH = 16384

assert set(METRIC_COLUMNS) == set(METRICS)


@dataclass(frozen=True)
class Leaves:
    """Who counts where. names: leaves such as EE_M, sorted; people: number of people by leaf.

    of: int16 (classes, people): number of the leaf a person counts in by region class, -1 for none;
    expected: int64 (classes, leaves): AN when nobody is missing, from the ploidy table.
    """

    names: list[str]
    people: dict[str, int]
    of: np.ndarray
    expected: np.ndarray

    @classmethod
    def of_keep(cls, ids: list[str], keep: dict[str, dict[str, str]], name: str) -> "Leaves":
        """Leaves for the columns `ids` of the file `name`, by the rows of the keep list (sample_qc/keep.tsv).

        A person whose count_sex is U (unknown, aneuploid or contradicting the sheet) is in no sex-chromosomal
        count outside the PARs, whatever ploidy the calls were given (C2, last column).
        """
        stop_on(
            [Problem(name, f"sample {i} is not in the keep list", "run sample_qc again") for i in ids if i not in keep]
        )
        rows = [keep[i] for i in ids]
        labels = [f"{r['country_code']}_{r['count_sex']}" if r["keep"] == "yes" else None for r in rows]
        names = sorted({label for label in labels if label})
        number = {label: i for i, label in enumerate(names)}
        base = np.array([number.get(label, -1) if label else -1 for label in labels], np.int16)
        unknown = np.array([r["count_sex"] == "U" for r in rows], np.bool_)
        of = np.repeat(base[None, :], N_CLASSES, axis=0)
        for region_class in (REGION_X, REGION_Y):
            of[region_class, unknown] = -1
        ploidy = ploidy_table([r["count_sex"] for r in rows])
        expected = np.zeros((N_CLASSES, len(names)), np.int64)
        for region_class in range(N_CLASSES):
            inside = of[region_class] >= 0
            np.add.at(expected[region_class], of[region_class][inside], ploidy[region_class][inside])
        people = {name: labels.count(name) for name in names}
        return cls(names, people, of, expected)


def stop_on_nobody(keep: Mapping[str, Mapping[str, str]]) -> None:
    """GoeError, with the reasons, when nobody of the keep list is counted: no release is made of nobody."""
    if any(row["keep"] == "yes" for row in keep.values()):
        return
    reasons = Counter(row["reasons"].split(";")[0] for row in keep.values())
    why = ", ".join(f"{reason} {n}" for reason, n in sorted(reasons.items()))
    what = f"nobody of {len(keep)} people counts: {why}"
    mend = "see sample_qc/cohort.html; thresholds are set in sample_qc.thresholds, and exclude: false leaves nobody out"
    raise GoeError(Problem("sample_qc/keep.tsv", what, mend))


def schema(leaves: Leaves, raw: bool) -> pa.Schema:
    """Arrow schema of a region's counts; metadata `goe`: JSON of leaves, people and expected AN by class."""
    fields = [
        ("contig", pa.string()),
        ("pos", pa.int32()),
        ("ref", pa.string()),
        ("alt", pa.string()),
        ("filters", pa.list_(pa.string())),
        ("qual", pa.float32()),
        *((column, pa.float32()) for column in METRIC_COLUMNS.values()),
        ("region_class", pa.int8()),
        ("n_records", pa.int16()),
    ]
    for prefix in ("", "raw_") if raw else ("",):
        fields += [(f"{prefix}{m}_{leaf}", pa.int32()) for leaf in leaves.names for m in MEASURES]
    about = {
        "leaves": leaves.names,
        "people": leaves.people,
        "class_expected": {
            str(c): dict(zip(leaves.names, map(int, leaves.expected[c]), strict=True)) for c in range(1, N_CLASSES)
        },
        "raw": raw,
    }
    return pa.schema(fields, metadata={"goe": json.dumps(about, sort_keys=True)})


def count(cohort: Cohort, leaves: Leaves, ledger: Ledger, accept: Iterable[str] = ()) -> Iterator[pa.RecordBatch]:
    """Counts of a region, a row for each site allele, in batches of `schema(leaves, raw)`.

    `filters` of a row are those of the joint VCFs, and those that all who count and carry the allele have in files of
    their own (C3.6). ledger: takes the accounts; accept: FILTERs of inputs that count as PASS.
    """
    accepted = set(accept)
    table = schema(leaves, cohort.kinds == 2)
    for window in cohort.windows(leaves.of, len(leaves.names)):
        ledger.join(window.ledger)
        own = cohort.own_reasons(window, leaves.of, accepted)
        rows = [
            (window.contig, s.pos, s.ref, s.alt, list(dict.fromkeys([*s.filters, *own.get(at, [])])), s.qual)
            + (*(s.metrics.get(key) for key in METRIC_COLUMNS), s.region_class, s.n_records)
            for at, s in enumerate(window.sites)
        ]
        for start in range(0, len(rows), ROWS_A_BATCH):
            some = rows[start : start + ROWS_A_BATCH]
            columns = [pa.array(values, table.field(i).type) for i, values in enumerate(zip(*some, strict=True))]
            numbers = window.counts[:, start : start + ROWS_A_BATCH].transpose(0, 2, 3, 1).reshape(-1, len(some))
            columns += map(parquet.column, numbers)
            yield pa.RecordBatch.from_arrays(columns, schema=table)
