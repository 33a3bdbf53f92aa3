"""The rules by which people are left out: metrics, reasons, expressions of thresholds, and what a release says of them.

They stand here and not where they are applied (goe.sample_qc.keep), which needs the tools of sample QC; whoever
checks a release does not have those.
"""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from goe.core import tables
from goe.core.errors import GoeError, Problem, stop_on
from goe.core.resources import RESOURCES
from goe.rules.dataset import INPUT_TYPES
from goe.rules.stratum import LABEL

TABLES = tuple(RESOURCES / "guidelines" / name for name in ("sample_qc.tsv", "inference.tsv"))
"""Thresholds and parameters of the project."""

FAIL_REASON = {
    "call_rate": "low_call_rate",
    "mean_autosome_coverage": "low_coverage",
    "mean_dp": "low_coverage",
    "pct_autosomes_15x": "low_coverage",
    "charr": "contaminated",
    "cross_contamination_rate": "contaminated",
    "pct_reads_mapped": "low_mapping",
    "pct_duplicates": "high_duplicates",
    "pct_chimeras": "high_chimeras",
    "mean_insert_size": "short_inserts",
    "yield_bp_q30": "low_yield",
    "adj_ratio_heterozygous_homzygous_snv": "het_hom_outlier",
    "adj_ratio_heterozygous_homzygous_indel": "het_hom_indel_outlier",
    "adj_ratio_transitions_transversions_snv": "titv_outlier",
    "adj_ratio_insertion_deletion": "ins_del_outlier",
    "adj_count_snvs": "count_snvs_outlier",
    "adj_count_insertions": "count_insertions_outlier",
    "adj_count_deletions": "count_deletions_outlier",
    "n_singleton": "n_singleton_outlier",
}
"""Reason of a metric that fails, and flag of one that is an outlier; any other metric is its own reason."""

PRECEDENCE = (
    "withdrawn",
    "contaminated",
    "low_coverage",
    "low_call_rate",
    "low_mapping",
    "low_yield",
    "high_duplicates",
    "high_chimeras",
    "short_inserts",
    "sex_aneuploid",
    "sex_mismatch",
    "sex_ambiguous",
    "duplicate",
    "related",
)
"""Order of the reasons of a person; the ledger counts a person left out under the first. Others follow by name."""

METRICS = frozenset(
    [
        "ancestry_distance",
        "ancestry_outlier",
        "call_rate",
        "charr",
        "count_deletions",
        "adj_count_deletions",
        "count_insertions",
        "adj_count_insertions",
        "count_snvs",
        "adj_count_snvs",
        "cross_contamination_rate",
        "duplicate",
        "insert_size_std_deviation",
        "mad_autosome_coverage",
        "mean_autosome_coverage",
        "mean_dp",
        "mean_insert_size",
        "n_singleton",
        "par_haploid_rate",
        "pass_rate",
        "pct_autosomes_15x",
        "pct_chimeras",
        "pct_duplicates",
        "pct_reads_mapped",
        "pct_reads_properly_paired",
        "ratio_heterozygous_homzygous_indel",
        "adj_ratio_heterozygous_homzygous_indel",
        "ratio_heterozygous_homzygous_snv",
        "adj_ratio_heterozygous_homzygous_snv",
        "ratio_insertion_deletion",
        "adj_ratio_insertion_deletion",
        "ratio_transitions_transversions_snv",
        "adj_ratio_transitions_transversions_snv",
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

SHARES = frozenset({"call_rate", "charr", "cross_contamination_rate", "par_haploid_rate", "pass_rate"})
"""Metrics from 0 to 1; those whose name begins with `pct_` go from 0 to 100."""

REASONS = frozenset({*PRECEDENCE, *(FAIL_REASON.get(metric, metric) for metric in METRICS)})
"""Every reason that a person can be left out for. A country's own table of thresholds adds none: it has to name metrics
of goe, each of which has its reason."""

_OR = re.compile(r"\s+or\s+")
_TERM = re.compile(r"(<|>)\s*(-?[0-9.]+(?:e[0-9]+)?)|(outside|above)\s+([0-9.]+)\s+MAD|is\s+(\w+)")

STRATUM = re.compile(rf"all|whole_genome|country:{LABEL}|input_type:({'|'.join(INPUT_TYPES)})")


@dataclass(frozen=True)
class Rule:
    """One expression of a threshold table: `<25`, `<1.9 or >2.1`, `outside 4 MAD`, `above 8 MAD`, `is yes`; empty
    never holds. The MAD is the scaled one of the person's stratum, taken from its median."""

    text: str
    below: float | None = None
    above: float | None = None
    mads: float | None = None
    upper: bool = False
    equals: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Rule":
        """ValueError when the expression is none of those."""
        found: dict[str, Any] = {}
        for term in _OR.split(text.strip()) if text.strip() else []:
            match = _TERM.fullmatch(term.strip())
            if not match:
                forms = "`<number`, `>number`, `outside number MAD`, `above number MAD`, `is word`"
                raise ValueError(f"`{term}` is none of {forms}")
            sign, number, side, mads, word = match.groups()
            if sign:
                found["below" if sign == "<" else "above"] = float(number)
            elif mads:
                found |= {"mads": float(mads), "upper": side == "above"}
            else:
                found["equals"] = word
        return cls(text.strip(), **found)

    def __bool__(self) -> bool:
        return bool(self.text)

    @property
    def is_flag(self) -> bool:
        """A warning that is named among a person's reasons; the others are only warnings of the metrics table."""
        return self.mads is not None or self.equals is not None

    def holds(self, value: float | str | None, centre: tuple[float, float] | None = None) -> bool:
        """Whether `value` is as the expression says; None never is. centre: (median, scaled MAD) of its stratum."""
        if value is None or not self:
            return False
        if self.equals is not None:
            return value == self.equals
        value = float(value)
        if (self.below is not None and value < self.below) or (self.above is not None and value > self.above):
            return True
        if self.mads is None or centre is None:
            return False
        off = value - centre[0]
        return (off if self.upper else abs(off)) > self.mads * centre[1]


def published(guidelines: Any, exclude: bool, countries: Iterable[str]) -> dict[str, Any]:
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


def faults(document: Mapping[str, Any]) -> list[str]:
    """What in `published` thresholds, or in sample_qc of a published config, is no threshold of goe. They fit their
    schemas."""
    parameters = {row["parameter"] for row in tables.read(TABLES[1])}
    rows, given = document["thresholds"], [*document.get("parameters", ())]
    if isinstance(rows, Mapping):
        # Of a config: metric or parameter -> number, null, expression or {warn, fail}.
        given += [name for name in rows if name not in METRICS]
        rows = [
            {"metric": name, "stratum": "all", **(value if isinstance(value, Mapping) else {"fail": value})}
            for name, value in rows.items()
            if name in METRICS
        ]
    out = []
    for row in rows:
        if row["metric"] not in METRICS:
            out.append(f"{row['metric']!r} is no metric of goe")
        if not STRATUM.fullmatch(row["stratum"]):
            out.append(f"{row['stratum']!r} is no stratum of a threshold")
        texts = [row[key].strip() for key in ("warn", "fail") if isinstance(row.get(key), str)]
        out += [f"{row['metric']}: {text!r} is no threshold" for text in texts if not _is_expression(text)]
    return out + [f"{name!r} is no parameter of goe" for name in given if name not in parameters]


def _is_expression(text: str) -> bool:
    """Whether it is one that goe writes, which has no words but these."""
    try:
        return all(Rule.parse(term).equals in (None, "yes", "no") for term in _OR.split(text))
    except ValueError:
        return False


def _beyond(metric: str, rule: Rule) -> str:
    """Why a limit can be none of the metric, which goes from 0 to 1 or to 100; empty where it can."""
    percent = metric.startswith("pct_")
    if not percent and metric not in SHARES:
        return ""
    most = 100 if percent else 1
    for limit in (rule.below, rule.above):
        if limit is not None and not 0 <= limit <= most:
            hint = f": write {limit / 100:g}" if not percent and 1 < limit <= 100 else ""
            return f"{limit:g} is no limit of {metric}, which goes from 0 to {most}{hint}"
    if percent and rule.below is not None and 0 < rule.below <= 1:
        return f"{rule.below:g} is a limit of {metric} in percent: write {100 * rule.below:g}, or 0 for none"
    return ""


STATUSES = ("verified", "excerpt", "unverified", "national")


@dataclass(frozen=True)
class Threshold:
    """A row of resources/guidelines/sample_qc.tsv."""

    metric: str
    stratum: str
    warn: Rule
    fail: Rule
    source: str
    status: str


@dataclass
class Guidelines:
    """Thresholds by metric and stratum, and the parameters of the inferences."""

    thresholds: dict[tuple[str, str], Threshold] = field(default_factory=dict)
    parameters: dict[str, float] = field(default_factory=dict)

    def of(self, metric: str, strata: Sequence[str]) -> Threshold | None:
        """The row of the first of `strata` (the most special first) that has one for the metric."""
        return next((self.thresholds[metric, s] for s in strata if (metric, s) in self.thresholds), None)

    @property
    def metrics(self) -> list[str]:
        return list(dict.fromkeys(metric for metric, _ in self.thresholds))


def _rows(path: Path, columns: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as handle:
            reader = csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE)
            missing = [c for c in columns if c not in (reader.fieldnames or [])]
            if missing:
                raise GoeError(
                    Problem(f"{path} row 1", f"has no column {', '.join(missing)}", f"columns: {' '.join(columns)}")
                )
            return [(n, {k: v or "" for k, v in row.items() if k}) for n, row in enumerate(reader, 2)]
    except (OSError, UnicodeDecodeError) as error:
        raise GoeError(Problem(str(path), f"cannot be read: {error}", "give a TSV in UTF-8")) from error


def _read_thresholds(path: Path, known: Iterable[str] | None) -> dict[tuple[str, str], Threshold]:
    problems, found = [], {}
    for n, row in _rows(path, ("metric", "stratum", "warn", "fail", "source", "status")):
        where = f"{path} row {n}"
        rules = {}
        for key in ("warn", "fail"):
            try:
                rules[key] = Rule.parse(row[key])
            except ValueError as error:
                problems.append(Problem(where, f"{key}: {error}"))
        problems += [
            Problem(where, f"{key}: {reason}")
            for key, rule in rules.items()
            if (reason := _beyond(row["metric"], rule))
            for key, rule in rules.items()
            if (reason := _beyond(row["metric"], rule))
        ]
        if row["status"] not in STATUSES:
            problems.append(Problem(where, f"status `{row['status']}`", f"one of {', '.join(STATUSES)}"))
        if known is not None and row["metric"] not in known:
            near = get_close_matches(row["metric"], list(known), 1)
            problems.append(
                Problem(where, f"no metric `{row['metric']}`", f"did you mean `{near[0]}`?" if near else "")
            )
        if not STRATUM.fullmatch(row["stratum"]):
            forms = "all, whole_genome, country:XX or input_type:NAME"
            problems.append(Problem(where, f"no stratum `{row['stratum']}`", f"write {forms}"))
        if (row["metric"], row["stratum"]) in found:
            problems.append(Problem(where, f"{row['metric']} of stratum {row['stratum']} again", "keep one row"))
        if len(rules) == 2:
            found[row["metric"], row["stratum"]] = Threshold(
                row["metric"], row["stratum"], rules["warn"], rules["fail"], row["source"], row["status"]
            )
    stop_on(problems)
    return found


def _replaced(old: Threshold, value: float | str | Mapping[str, object] | None) -> Threshold:
    """A threshold by the config: null turns it off, a number moves its limit, text or {warn, fail} replace it."""

    def moved(rule: Rule, number: float) -> Rule:
        if rule.mads is not None:
            return Rule.parse(f"{'above' if rule.upper else 'outside'} {number:g} MAD")
        if rule.equals is not None or (rule.below is not None and rule.above is not None):
            raise ValueError(f"`{rule.text}` has no single limit: write the expression")
        return Rule.parse(f"{'<' if rule.below is not None else '>'}{number!r}")

    warn, fail = old.warn, old.fail
    if value is None:
        warn = fail = Rule("")
    elif isinstance(value, Mapping):
        unknown = set(value) - {"warn", "fail"}
        if unknown:
            raise ValueError(f"has {', '.join(sorted(unknown))} beside warn and fail")
        warn = Rule.parse(str(value["warn"] or "")) if "warn" in value else warn
        fail = Rule.parse(str(value["fail"] or "")) if "fail" in value else fail
    elif isinstance(value, str):
        fail = Rule.parse(value)
    elif fail:
        fail = moved(fail, value)
    else:
        warn = moved(warn, value)
    return Threshold(old.metric, old.stratum, warn, fail, "config", "national")


def load(files: Sequence[str | Path], national: Mapping[str, Any] | None = None) -> Guidelines:
    """Guidelines with those of a country on top.

    files: paths of resources/guidelines/sample_qc.tsv and inference.tsv, in this order, then that of the country's
    own table, if it has one (config sample_qc.guidelines): the columns of sample_qc.tsv, and each row replaces that
    of the same metric and stratum. national: config sample_qc.thresholds, on top of both: metric or parameter ->
    number, null, expression or {warn, fail}; for a metric it holds in every stratum. GoeError with every problem.
    """
    thresholds, inference, *own = map(Path, files)
    guidelines = Guidelines(_read_thresholds(thresholds, None))
    for n, row in _rows(inference, ("parameter", "value", "source", "status")):
        try:
            guidelines.parameters[row["parameter"]] = float(row["value"])
        except ValueError as error:
            raise GoeError(Problem(f"{inference} row {n}", str(error))) from error
    for path in own:
        guidelines.thresholds |= _read_thresholds(path, METRICS)
    problems = []
    for name, value in (national or {}).items():
        where = f"config sample_qc.thresholds.{name}"
        if name in guidelines.parameters:
            if isinstance(value, bool) or not isinstance(value, int | float):
                problems.append(Problem(where, f"`{value}` is no number"))
            else:
                guidelines.parameters[name] = float(value)
            continue
        keys = [key for key in guidelines.thresholds if key[0] == name]
        if not keys:
            near = get_close_matches(name, [*guidelines.metrics, *guidelines.parameters], 1)
            problems.append(Problem(where, "no such metric", f"did you mean `{near[0]}`?" if near else ""))
        for key in keys:
            try:
                new = guidelines.thresholds[key] = _replaced(guidelines.thresholds[key], value)
            except ValueError as error:
                problems.append(Problem(where, str(error)))
                continue
            problems += [Problem(where, reason) for rule in (new.warn, new.fail) if (reason := _beyond(name, rule))]
    stop_on(list(dict.fromkeys(problems)))
    return guidelines
