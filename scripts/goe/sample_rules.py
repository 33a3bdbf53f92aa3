"""What a release says of the rules by which people were left out: the thresholds in force, and the reasons there are.

Names stand here and not where they are applied (goe.keep), which needs the tools of sample QC; whoever checks a release
does not have those.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from goe import tables
from goe.build import RESOURCES
from goe.sheets import INPUT_TYPES

TABLES = tuple(RESOURCES.parent / "guidelines" / name for name in ("sample_qc.tsv", "inference.tsv"))
"""Thresholds and parameters of the project."""

REASONS = frozenset(
    [
        "withdrawn",
        "contaminated",
        "low_coverage",
        "low_call_rate",
        "low_mapping",
        "low_yield",
        "high_chimeras",
        "high_duplicates",
        "short_inserts",
        "sex_aneuploid",
        "sex_mismatch",
        "sex_ambiguous",
        "duplicate",
        "related",
        "het_hom_outlier",
        "het_hom_indel_outlier",
        "titv_outlier",
        "ins_del_outlier",
        "count_snvs_outlier",
        "count_insertions_outlier",
        "count_deletions_outlier",
        "n_singleton_outlier",
        "ancestry_outlier",
        "ancestry_distance",
        "insert_size_std_deviation",
        "mad_autosome_coverage",
        "pass_rate",
        "pct_reads_properly_paired",
        "x_depth_ratio",
        "x_het_ratio",
        "y_depth_ratio",
    ]
)
"""Every reason that a person can be left out for. A country's own table of thresholds adds none: it has to name metrics
of goe, each of which has its reason."""

METRICS = frozenset(
    [
        "ancestry_distance",
        "ancestry_outlier",
        "call_rate",
        "charr",
        "count_deletions",
        "count_insertions",
        "count_snvs",
        "cross_contamination_rate",
        "duplicate",
        "insert_size_std_deviation",
        "mad_autosome_coverage",
        "mean_autosome_coverage",
        "mean_dp",
        "mean_insert_size",
        "n_singleton",
        "pass_rate",
        "pct_autosomes_15x",
        "pct_chimeras",
        "pct_duplicates",
        "pct_reads_mapped",
        "pct_reads_properly_paired",
        "ratio_heterozygous_homzygous_indel",
        "ratio_heterozygous_homzygous_snv",
        "ratio_insertion_deletion",
        "ratio_transitions_transversions_snv",
        "related",
        "sex_ambiguous",
        "sex_aneuploid",
        "sex_mismatch",
        "x_depth_ratio",
        "x_het_ratio",
        "y_depth_ratio",
        "yield_bp_q30",
    ]
)
"""Metrics that a threshold can be of."""

_NUMBER = r"-?[0-9.]+(e[0-9]+)?"
_TERM = rf"([<>]\s*{_NUMBER}|(outside|above)\s+[0-9.]+\s+MAD|is\s+(yes|no))"
_EXPRESSION = re.compile(rf"({_TERM}(\s+or\s+{_TERM})*)?")
_STRATUM = re.compile(rf"all|whole_genome|country:[A-Z]{{2}}|input_type:({'|'.join(INPUT_TYPES)})")


def published(guidelines: Any, exclude: bool, countries: Iterable[str]) -> dict:
    """The thresholds in force for a release: expressions, status and parameters, without sources, which are free text.

    guidelines: `keep.Guidelines`. countries: those published; rows of others are left out, since they would name a
    stratum that is withheld.
    """
    known = set(countries)
    return {
        "exclude": exclude,
        "thresholds": [
            {"metric": t.metric, "stratum": t.stratum, "warn": t.warn.text, "fail": t.fail.text, "status": t.status}
            for t in guidelines.thresholds.values()
            if not t.stratum.startswith("country:") or t.stratum.removeprefix("country:") in known
        ],
        "parameters": dict(guidelines.parameters),
    }


def faults(said: Mapping) -> list[str]:
    """What in `published` thresholds, or in sample_qc of a published config, is no threshold of goe. They fit their
    schemas."""
    parameters = {row["parameter"] for row in tables.read(TABLES[1])}
    rows, given = said["thresholds"], [*said.get("parameters", ())]
    if isinstance(rows, Mapping):
        # Of a config: metric or parameter -> number, null, expression or {warn, fail}.
        given += [name for name in rows if name not in METRICS]
        rows = [
            {"metric": name, "stratum": "all"} | (value if isinstance(value, Mapping) else {"fail": value})
            for name, value in rows.items()
            if name in METRICS
        ]
    out = []
    for row in rows:
        if row["metric"] not in METRICS:
            out.append(f"{row['metric']!r} is no metric of goe")
        if not _STRATUM.fullmatch(row["stratum"]):
            out.append(f"{row['stratum']!r} is no stratum of a threshold")
        texts = [row[key].strip() for key in ("warn", "fail") if isinstance(row.get(key), str)]
        out += [f"{row['metric']}: {text!r} is no threshold" for text in texts if not _EXPRESSION.fullmatch(text)]
    return out + [f"{name!r} is no parameter of goe" for name in given if name not in parameters]
