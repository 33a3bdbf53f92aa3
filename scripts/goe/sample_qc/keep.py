"""Who is counted: thresholds as data, outliers, the keep list with its reasons, and its ledger."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from goe.core import tables
from goe.core.errors import GoeError, Problem
from goe.core.ledger import Ledger
from goe.genome.build import REGION_DIPLOID
from goe.rules.sample_thresholds import FAIL_REASON, PRECEDENCE, Guidelines
from goe.sample_qc import ga4gh, relatedness, sex
from goe.sample_qc import metrics as metrics_of

INSTEAD = {"mean_dp": "mean_autosome_coverage"}
"""Metrics that are judged only where the other, the better one, is not there."""


def centre(values: Iterable[float | None], limits: Mapping[str, float]) -> tuple[float, float] | None:
    """(median, MAD scaled to an SD) of a stratum; None when it has too few people or no spread.

    Scaling by 1.4826 as gnomad_methods gen_stats.py does.
    """
    known = np.array([v for v in values if v is not None], float)
    if known.size < limits["mad_min_people"]:
        return None
    median = float(np.median(known))
    spread = float(np.median(np.abs(known - median))) * limits["mad_factor_to_sd"]
    return (median, spread) if spread > 0 else None


@dataclass
class Row:
    """One person on the way to the keep list.

    metrics: metric -> number or None; why: metric -> reason of None; fails, flags: reasons; warnings: texts.
    """

    sample_id: str
    country_code: str
    sex: str
    input_type: str
    withdrawn: bool
    platform: str = ""
    metrics: dict[str, float | int | str | None] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    inferred_sex: str = "unknown"
    count_sex: str = "U"
    fails: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def number(self, metric: str) -> float | None:
        """The value of a metric that is a number, None where there is none."""
        value = self.metrics.get(metric)
        return None if isinstance(value, str) else value

    @property
    def reasons(self) -> list[str]:
        return in_order({*self.fails, *self.flags, *(["withdrawn"] if self.withdrawn else [])})

    def dropped_for(self, exclude: bool) -> str | None:
        """First reason the person is left out for; None when kept. The withdrawn are out whatever `exclude` is."""
        if self.withdrawn:
            return "withdrawn"
        return in_order(self.fails)[0] if exclude and self.fails else None


def in_order(reasons: Iterable[str]) -> list[str]:
    place = {reason: i for i, reason in enumerate(PRECEDENCE)}
    return sorted(set(reasons), key=lambda r: (place.get(r, len(place)), r))


def note(row: Row, metric: str, value: float | str | None, limit: str) -> None:
    """Note what was measured and the limit; a yes needs no more than the reason it gives."""
    if not isinstance(value, str):
        row.warnings.append(f"{metric}={metrics_of.text(value)}{limit}")


def centres(
    rows: Sequence[Row], metric: str, limits: Mapping[str, float]
) -> tuple[dict[tuple[str, str], tuple[float, float] | None], str]:
    """(country, platform) -> `centre` of the stratum its people are judged in, and what has to be said of that.

    The strata are country and platform (sheet), as gnomad_methods filtering.py compute_stratified_metrics_filter
    takes genetic ancestry and platform: people of one country on one platform, else, where these are too few or
    give no platform, everybody of the country. A country that is too small has None, and its people no outliers:
    metrics differ between populations, so no greater stratum would do.
    """
    values: dict[str, dict[str, list]] = {}
    for row in rows:
        of_platform = values.setdefault(row.country_code, {}).setdefault(row.platform, [])
        if not row.withdrawn:
            of_platform.append(row.metrics.get(metric))
    found, few, whole = {}, [], []
    for country, by_platform in sorted(values.items()):
        everybody = centre((v for some in by_platform.values() for v in some), limits)
        if everybody is None:
            few.append(country)
        for platform, some in sorted(by_platform.items()):
            own = centre(some, limits) if platform and len(by_platform) > 1 else None
            found[country, platform] = own or everybody
            if platform and len(by_platform) > 1 and own is None and everybody:
                whole.append(f"{country} {platform}")
    why = f"fewer than {limits['mad_min_people']:g} people with a value, or no spread"
    statements = [f"not assessed in {', '.join(few)}: {why}"] if few else []
    statements += [f"by country instead of by platform in {', '.join(whole)}: {why}"] if whole else []
    return found, "; ".join(statements)


def strata_of(row: Row, whole_genome: bool) -> list[str]:
    """Strata of a person in a table of thresholds, the most special first."""
    return [
        f"country:{row.country_code}",
        f"input_type:{row.input_type}",
        *(["whole_genome"] if whole_genome else []),
        "all",
    ]


def judge(rows: Sequence[Row], guidelines: Guidelines, whole_genome: bool, metrics: Iterable[str]) -> dict[str, str]:
    """Fill fails, flags and warnings of every row for `metrics`; returns what could not be judged, by reason.

    The row of the thresholds for a person is that of `country:XX`, else `input_type:x`, else whole_genome (when
    the reference is one), else all. The strata of an outlier are those of `centres`. The withdrawn are judged by no
    outlier rule and widen no stratum.
    """
    by_statement: dict[str, list[str]] = {}
    for metric in metrics:
        middle: dict[tuple[str, str], tuple[float, float] | None] | None = None
        for row in rows:
            other = INSTEAD.get(metric)
            if other and row.metrics.get(other) is not None:
                continue
            threshold = guidelines.of(metric, strata_of(row, whole_genome))
            if threshold is None:
                continue
            value = row.metrics.get(metric)
            centre = None
            if threshold.warn.mads or threshold.fail.mads:
                if middle is None:
                    middle, statement = centres(rows, metric, guidelines.parameters)
                    if statement:
                        by_statement.setdefault(statement, []).append(metric)
                centre = None if row.withdrawn else middle[row.country_code, row.platform]
            reason = FAIL_REASON.get(metric, metric)
            if threshold.fail.holds(value, centre):
                row.fails.append(reason)
                note(row, metric, value, f" fails: {threshold.fail.text}")
            elif threshold.warn.holds(value, centre):
                if threshold.warn.is_flag:
                    row.flags.append(reason)
                note(row, metric, value, f": {threshold.warn.text}")
    return {f"outliers of {', '.join(some)}": statement for statement, some in by_statement.items()}


RELATIVES = ("duplicate", "related")
SEX_METRICS = ("x_depth_ratio", "y_depth_ratio", "x_het_ratio")
MISSING_PERSON = "no data of this person in the cohort"


def _callset(person: Mapping[str, str]) -> str:
    """What a person's Y is looked at together with: the own joint VCF, else everybody of the input type."""
    kind = person["input_type"]
    return person.get("source", kind) if kind == "joint_vcf" else kind


def read_tools(paths: Iterable[str | Path]) -> tuple[dict[str, dict], dict[str, dict[str, str]]]:
    """(metrics, metric -> reason of None) by person, from what rule sample_qc_batch says of the people with reads."""
    tools, why = {}, {}
    for path in paths:
        for person in _lines(path):
            tools[person["sample_id"]] = person["metrics"]
            why[person["sample_id"]] = person["why"]
    return tools, why


def read_variants(path: str | Path) -> tuple[dict[str, dict[int, dict[str, int]]], dict[str, dict[str, int]]]:
    """(class -> counters of the genotype pass, counters of the harmonised cohort) by person."""
    classes, counts = {}, {}
    for person in _lines(path):
        classes[person["sample_id"]] = {int(k): v for k, v in person["classes"].items()}
        counts[person["sample_id"]] = person["counts"]
    return classes, counts


def read_distances(path: str | Path) -> dict[str, float | None]:
    """Distance from the own country by person, from ancestry.tsv; None where it was not assessed."""
    return {
        row["sample_id"]: float(row["ancestry_distance"]) if row["ancestry_distance"] else None
        for row in tables.read(path)
    }


def _lines(path: str | Path) -> Iterator[dict]:
    with Path(path).open() as handle:
        yield from map(json.loads, handle)


NO_AUTOSOMES = "nobody has a call on an autosome, and those in the PARs of X are too few to judge by"


def _calls_on_autosomes(classes: Mapping[int, Mapping[str, int]]) -> bool:
    """Whether some of a person's diploid calls are not in the pseudo-autosomal regions of X."""
    diploid = classes.get(REGION_DIPLOID, {})
    return diploid.get("n_records", 0) - diploid.get("n_missing_in", 0) > diploid.get("n_par", 0)


def gather(
    sheet: Mapping[str, Mapping[str, str]],
    tools: Mapping[str, Mapping[str, float | None]],
    classes: Mapping[str, Mapping[int, Mapping[str, int]]],
    counts: Mapping[str, Mapping[str, int]],
    guidelines: Guidelines,
    ancestry: Mapping[str, float | None] | None = None,
    tools_why: Mapping[str, Mapping[str, str]] | None = None,
) -> list[Row]:
    """Rows of all people of the sheet with their metrics and sex, sorted by sample_id.

    sheet: rows of intake/people.tsv; tools: read metrics of the people who have reads; classes, counts: by person,
    as of `sample_metrics.sum_people` and `sum_regions`; ancestry: `ancestry.distances` by person, where assessed;
    tools_why: metric -> reason, of those that are None in `tools`.
    """
    limits = guidelines.parameters
    rows = []
    together: dict[str, list[str]] = {}
    for sample, person in sheet.items():
        together.setdefault(_callset(person), []).append(sample)
    autosomes = any(_calls_on_autosomes(classes.get(sample, {})) for sample in sheet)
    y_data = {name: sex.has_y_data((classes.get(s, {}) for s in some), limits) for name, some in together.items()}
    for sample, person in sorted(sheet.items()):
        kind = person["input_type"]
        withdrawn = person["withdrawn"] == "yes"
        row = Row(sample, person["country_code"], person["sex"], kind, withdrawn, person.get("platform", ""))
        tallies = classes.get(sample, {})
        measured, row.why = metrics_of.variant_metrics(tallies, counts.get(sample, {}), kind, limits, len(counts))
        row.metrics |= measured
        if not autosomes and row.metrics["call_rate"] is not None:
            row.metrics["call_rate"], row.why["call_rate"] = None, NO_AUTOSOMES
        if sample not in classes:
            row.why |= dict.fromkeys(row.why, MISSING_PERSON)
        read = tools.get(sample)
        for metric in metrics_of.TOOL_METRICS:
            row.metrics[metric] = read.get(metric) if read else None
            if row.metrics[metric] is None:
                absent = (tools_why or {}).get(sample, {}).get(metric, "not in the reports of the reads")
                row.why[metric] = absent if read else metrics_of.NO_READS.format(kind)
        found = sex.evidence(tallies, read or {}, kind, y_data[_callset(person)], limits)
        for metric, value in zip(SEX_METRICS, (found.x_depth, found.y_depth, found.x_het), strict=True):
            row.metrics[metric] = value
            row.why.pop(metric, None)
            if value is None:
                row.why[metric] = "too few calls there"
        row.inferred_sex, basis = sex.infer(found, limits)
        if basis:
            row.why["inferred_sex"] = basis
        row.count_sex, flag = sex.judge(row.sex, row.inferred_sex)
        for name in ("sex_mismatch", "sex_aneuploid", "sex_ambiguous"):
            row.metrics[name] = "yes" if name == flag else "no"
        far = (ancestry or {}).get(sample)
        row.metrics["ancestry_distance"] = far
        row.metrics["ancestry_outlier"] = "yes" if far is not None and far > limits["ancestry_max_distance"] else "no"
        if far is None:
            row.why["ancestry_distance"] = "withdrawn" if withdrawn else "not assessed in this country or cohort"
        row.metrics = {m: v if isinstance(v, str) else metrics_of.rounded(m, v) for m, v in row.metrics.items()}
        rows.append(row)
    return rows


def decide(
    rows: Sequence[Row],
    pairs: Sequence[relatedness.Pair],
    guidelines: Guidelines,
    exclude: bool,
    whole_genome: bool,
) -> dict[str, str]:
    """Judge every row, relatives last; returns what could not be judged, by reason.

    Without `exclude` everybody counts by the sheet, in the sex strata too: a contradicted sex is then a flag alone.
    Only people who are kept so far count as relatives of each other: nobody is left out for a relative who is
    out, nor for a relation that the thresholds do not leave that person out for. Where these only warn, flagged is
    who would be left out. The better person of a pair is the one with no contradicted sex, then with the higher
    call rate, the higher depth, and then by a hash of the id.
    """
    unable = judge(rows, guidelines, whole_genome, [m for m in guidelines.metrics if m not in RELATIVES])
    left = {row.sample_id: row for row in rows if not row.dropped_for(exclude)}
    quality = {
        sample: (
            0.0 if row.count_sex == "U" and row.sex != "U" else 1.0,
            row.number("call_rate"),
            row.number("mean_autosome_coverage") or row.number("mean_dp"),
        )
        for sample, row in left.items()
    }
    related = [p for p in pairs if p.a in left and p.b in left]
    ranks = relatedness.rank(left, quality)
    fails: dict[str, set[str]] = {metric: set() for metric in RELATIVES}
    warns: dict[str, set[str]] = {metric: set() for metric in RELATIVES}
    for sample, row in left.items():
        for metric in RELATIVES:
            threshold = guidelines.of(metric, strata_of(row, whole_genome))
            if threshold and threshold.fail.holds("yes"):
                fails[metric].add(sample)
            elif threshold and threshold.warn.holds("yes"):
                warns[metric].add(sample)
    gone = relatedness.removals(related, ranks, guidelines.parameters, fails)
    # Those who go first decide who is left to be flagged.
    counted = [p for p in related if p.a not in gone and p.b not in gone]
    gone |= relatedness.removals(counted, ranks, guidelines.parameters, warns)
    for row in rows:
        for metric in RELATIVES:
            row.metrics[metric] = "yes" if gone.get(row.sample_id) == metric else "no"
        if not exclude:
            row.count_sex = row.sex
    unable |= sex_unknown(rows) | contamination_unknown(rows) | haploid_in_par(rows)
    return unable | judge(rows, guidelines, whole_genome, RELATIVES)


def contamination_unknown(rows: Sequence[Row]) -> dict[str, str]:
    """What could not be said of contamination: how many people have neither VerifyBamID2 nor CHARR, and why not."""
    why = Counter(
        row.why["charr"].partition(":")[0]
        for row in rows
        if not row.withdrawn and "charr" in row.why and row.metrics.get("cross_contamination_rate") is None
    )
    statements = [f"{n} of {len(rows)} people: {reason}" for reason, n in sorted(why.items())]
    return {"contamination": "; ".join(statements)} if statements else {}


def sex_unknown(rows: Sequence[Row]) -> dict[str, str]:
    """What could not be said of sex: how many people have no inferred sex, or one by X alone, and why."""
    why = Counter(
        row.why["inferred_sex"]
        for row in rows
        if "inferred_sex" in row.why and row.inferred_sex != sex.AMBIGUOUS and not row.withdrawn
    )
    statements = [f"{n} of {len(rows)} people: {reason}" for reason, n in sorted(why.items())]
    return {"sex": "; ".join(statements)} if statements else {}


def haploid_in_par(rows: Sequence[Row]) -> dict[str, str]:
    """What could not be counted in the pseudo-autosomal regions of X: how many people have calls that are written with
    one allele (C2.2)."""
    shares = [row.number("par_haploid_rate") or 0 for row in rows if not row.withdrawn]
    some, most = sum(share > 0 for share in shares), sum(share > 0.5 for share in shares)
    statement = (
        f"{some} of {len(rows)} people: calls are written with one allele and are missing, of {most} of them most calls"
    )
    return {"pseudo-autosomal regions of X": statement} if some else {}


def relatives_account(
    rows: Sequence[Row],
    pairs: Sequence[relatedness.Pair],
    statement: Mapping[str, object],
    exclude: bool,
    limits: Mapping[str, float],
) -> dict:
    """`relatedness.account` of the rows as `decide` left them."""
    out = [row.dropped_for(exclude) for row in rows]
    assessed = [row.sample_id for row, why in zip(rows, out, strict=True) if why is None or why in RELATIVES]
    return relatedness.account(statement, pairs, assessed, sum(why in RELATIVES for why in out), limits)


METRIC_COLUMNS = (
    *metrics_of.TOOL_METRICS[:-2],
    *metrics_of.VARIANT_METRICS,
    *SEX_METRICS,
    "ancestry_distance",
)


def metric_rows(
    rows: Iterable[Row], pairs: Sequence[relatedness.Pair], limits: Mapping[str, float]
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """(columns, rows) of sample_qc/metrics.tsv: a person a row, an empty cell with its reason in `not_assessed`."""
    kin: dict[str, list[str]] = {}
    for p in sorted(pairs):
        relation = relatedness.relation(p, limits)
        kin.setdefault(p.a, []).append(f"{p.b}={relation}")
        kin.setdefault(p.b, []).append(f"{p.a}={relation}")
    person = ("sample_id", "country_code", "platform", "sex", "inferred_sex", "input_type")
    columns = (*person, *METRIC_COLUMNS, "relatives", "warnings", "not_assessed")
    found = []
    for row in sorted(rows, key=lambda r: r.sample_id):
        why = [f"{m}: {row.why[m]}" for m in ("inferred_sex", *METRIC_COLUMNS) if m in row.why]
        found.append(
            (
                row.sample_id,
                row.country_code,
                row.platform,
                row.sex,
                row.inferred_sex,
                row.input_type,
                *(metrics_of.text(row.metrics.get(m)) for m in METRIC_COLUMNS),
                ";".join(kin.get(row.sample_id, [])),
                ";".join(row.warnings),
                ";".join(why),
            )
        )
    return columns, found


def summary(
    rows: Sequence[Row],
    guidelines: Guidelines,
    exclude: bool,
    whole_genome: bool,
    relatives: Mapping[str, object],
    unable: Mapping[str, str],
    ancestry: Mapping[str, object] | None = None,
) -> dict:
    """Cohort figures for the reports; nothing of a single person."""

    def tally(values: Iterable[str]) -> dict[str, int]:
        return dict(sorted(Counter(values).items()))

    kept = [row for row in rows if not row.dropped_for(exclude)]
    spread = {}
    for metric in METRIC_COLUMNS:
        values = [row.metrics[metric] for row in kept if row.metrics.get(metric) is not None]
        if values:
            low, middle, high = np.quantile(np.array(values, float), (0.05, 0.5, 0.95))
            spread[metric] = {
                "n": len(values),
                **{
                    name: metrics_of.rounded(metric, float(value))
                    for name, value in (("p05", low), ("median", middle), ("p95", high))
                },
            }
    reasons: dict[str, Counter[str]] = {}
    for row in rows:
        first = row.dropped_for(exclude)
        for reason in row.reasons:
            reasons.setdefault(reason, Counter())["left_out" if reason == first else "also" if first else "flag"] += 1
    return {
        "exclude": exclude,
        "whole_genome": whole_genome,
        "people": len(rows),
        "kept": len(kept),
        "by_country": {
            country: {"people": n, "kept": sum(r.country_code == country for r in kept)}
            for country, n in tally(r.country_code for r in rows).items()
        },
        "by_input_type": tally(r.input_type for r in rows),
        "inferred_sex": tally(f"{r.sex}:{r.inferred_sex}" for r in rows),
        "count_sex": tally(r.count_sex for r in kept),
        "reasons": {r: dict(sorted(reasons[r].items())) for r in in_order(reasons)},
        "metrics": spread,
        "relatedness": dict(relatives),
        "ancestry": dict(ancestry or {}),
        "not_assessed": dict(unable),
        "thresholds": [
            {
                "metric": t.metric,
                "stratum": t.stratum,
                "warn": t.warn.text,
                "fail": t.fail.text,
                "source": t.source,
                "status": t.status,
            }
            for t in guidelines.thresholds.values()
        ],
    }


KEEP_COLUMNS = ("sample_id", "country_code", "sex", "inferred_sex", "count_sex", "keep", "reasons")


def keep_rows(rows: Iterable[Row], exclude: bool) -> list[tuple[str, ...]]:
    """Rows of sample_qc/keep.tsv, sorted by sample_id."""
    return [
        (
            row.sample_id,
            row.country_code,
            row.sex,
            row.inferred_sex,
            row.count_sex,
            "no" if row.dropped_for(exclude) else "yes",
            ";".join(row.reasons),
        )
        for row in sorted(rows, key=lambda r: r.sample_id)
    ]


def account(rows: Sequence[Row], exclude: bool) -> tuple[Ledger, dict[str, int]]:
    """(ledger of people: in = kept + left out by first reason, number of people kept with each reason as a flag)."""
    ledger = Ledger("sample_qc")
    flags: Counter[str] = Counter()
    for row in rows:
        ledger.take("people")
        reason = row.dropped_for(exclude)
        if reason:
            ledger.drop("people", reason)
        else:
            ledger.give("people")
            flags.update(row.reasons)
    return ledger, dict(sorted(flags.items()))


def write_ga4gh(folder: str | Path, rows: Iterable[Row]) -> None:
    """A new folder with the JSON of the GA4GH standard of each person."""
    Path(folder).mkdir()
    for row in rows:
        name = f"{row.sample_id}.metrics.json"
        (Path(folder) / name).write_text(ga4gh.document(row.sample_id, row.metrics, row.why))


def write_tsv(path: str | Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Plain TSV, LF, nothing quoted; a cell with a tab or line end is an error."""
    with Path(path).open("w", newline="") as handle:
        for row in (columns, *rows):
            if any("\t" in cell or "\n" in cell for cell in row):
                raise GoeError(Problem(str(path), f"a cell of {row[0]} has a tab or a line end"))
            handle.write("\t".join(row) + "\n")
