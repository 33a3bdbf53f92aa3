"""`work/sample_qc/cohort.html`: the people of a cohort on one page that needs no network, for the national team.

It names people, so it stays under work/ and is readable for its owner alone. Its words and markup are in
resources/pages/cohort.html.j2; here is what each section of it is made with. The plots and the table of people are
drawn by the page's script from the same tables, which are in the page column by column. Nothing is judged here:
reasons, verdicts and limits are those of the keep list.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from markupsafe import Markup

from goe.pages import html
from goe.pages import svg as plots
from goe.pages.html import Table, mono, name
from goe.pages.svg import num, share
from goe.rules.sample_thresholds import Guidelines, Rule
from goe.sample_qc import keep as keep_list
from goe.sample_qc.keep import Row

TITLES = {
    "summary": "Summary",
    "coverage": "Coverage",
    "hethom": "Heterozygosity",
    "ancestry": "Ancestry",
    "sex": "Sex chromosomes",
    "kin": "Relatedness",
    "excluded": "Exclusions",
    "people": "People",
    "limits": "Limits",
}
CHOICES = ("country_code", "platform", "sex", "inferred_sex", "count_sex", "input_type", "keep")
LISTS = ("reasons", "relatives", "warnings", "not_assessed")
DEPTHS = ("mean_autosome_coverage", "mean_dp")
DISTANCE = "ancestry_distance"
HET_HOM = "adj_ratio_heterozygous_homzygous_snv"
STATUS = ("left out", "flagged", "counted")
CUTS = {
    "x": ("x_depth_one_max", "x_depth_two_min"),
    "y": ("y_depth_none_max", "y_depth_one_min", "y_depth_two_min"),
    "kinship": ("kinship_second_degree", "kinship_first_degree", "kinship_duplicate"),
}
_SEXES = {"F": "female", "M": "male", "U": "unknown"}


def status(person: Mapping[str, str]) -> str:
    """Left out, flagged (counted, with a reason) or counted, from a row of keep.tsv."""
    return "left out" if person["keep"] != "yes" else "flagged" if person["reasons"] else "counted"


def joined(
    keep: Sequence[Mapping[str, str]], metrics: Sequence[Mapping[str, str]], pca: Sequence[Mapping[str, str]] = ()
) -> list[dict[str, str]]:
    """A person a row with the cells of keep.tsv, metrics.tsv and ancestry.tsv; those left out first, then the flagged.

    A cell that a table has no row or no column for is empty.
    """
    more = [{row["sample_id"]: row for row in table} for table in (pca, metrics)]
    names = dict.fromkeys(name for table in (keep, metrics, pca) for row in table[:1] for name in row)
    rows = []
    for person in keep:
        values = {**dict.fromkeys(names, "")}
        for table in more:
            values |= table.get(person["sample_id"], {})
        rows.append({**values, **person, "status": status(person)})
    return sorted(rows, key=lambda r: (STATUS.index(r["status"]), r["sample_id"]))


def depth_metric(rows: Sequence[Mapping[str, str]]) -> str:
    """Depth of the reads, or of the genotypes where fewer than half of those with a depth came as reads."""
    reads, genotypes = (len(_values(rows, metric)) for metric in DEPTHS)
    return DEPTHS[0] if 2 * reads >= genotypes else DEPTHS[1]


def components(pca: Sequence[Mapping[str, str]]) -> list[str]:
    """Names of the principal components among the columns of ancestry.tsv."""
    return [name for name in (pca[0] if pca else ()) if re.fullmatch(r"pc\d+", name)]


def _number(cell: str) -> int | float | None:
    if not cell:
        return None
    value = float(cell)
    return int(value) if value.is_integer() else value


def packed(rows: Sequence[Mapping[str, str]]) -> dict:
    """The columns of `joined` as the script of the page reads them.

    {name: {text: [...]}} as they are; {of: [values], at: [index, ...]} of few values; {of: [values], lists: [[index,
    ...], ...]} of cells that are lists with `;`; {numbers: [...]} with null for an empty cell. A column that is none
    of the known ones is numbers when all its cells are, else of few values.
    """
    found: dict[str, dict] = {}
    for column in rows[0] if rows else ():
        cells = [row[column] for row in rows]
        if column == "sample_id":
            found[column] = {"text": cells}
        elif column in LISTS:
            of, lists = _indexed([part for part in cell.split(";") if part] for cell in cells)
            found[column] = {"of": of, "lists": lists}
        else:
            numbers = None
            if column not in CHOICES and column != "status":
                try:
                    numbers = [_number(cell) for cell in cells]
                except (ValueError, OverflowError):
                    numbers = None
            if numbers is None:
                of, lists = _indexed([cell] for cell in cells)
                found[column] = {"of": of, "at": [one for (one,) in lists]}
            else:
                found[column] = {"numbers": numbers}
    return found


def _indexed(lists: Iterable[Sequence[str]]) -> tuple[list[str], list[list[int]]]:
    place: dict[str, int] = {}
    found = [[place.setdefault(part, len(place)) for part in parts] for parts in lists]
    return list(place), found


def limits(rows: Sequence[Mapping[str, str]], guidelines: Guidelines, whole_genome: bool) -> dict:
    """Limits of every metric by what a person's strata are: {of: [{metric: [warn, fail]}, ...], at: [index, ...]}.

    A limit in MAD is told with its numbers in the person's stratum, those of `keep.centres`.
    """
    spread = [
        metric
        for metric in guidelines.metrics
        if any(t.warn.mads or t.fail.mads for (m, _), t in guidelines.thresholds.items() if m == metric)
        and any(row.get(metric) for row in rows)
    ]
    judged = [
        Row(r["sample_id"], r["country_code"], r["sex"], r["input_type"], "withdrawn" in r["reasons"].split(";"),
            r["platform"], {m: float(r[m]) if r[m] else None for m in spread})
        for r in rows
    ]  # fmt: skip
    centres = {metric: keep_list.centres(judged, metric, guidelines.parameters)[0] for metric in spread}

    def told(metric: str, rule: Rule, stratum: tuple[str, str]) -> str:
        middle = centres.get(metric, {}).get(stratum)
        if rule.mads is None or middle is None:
            return rule.text
        low, high = (_plain(middle[0] + sign * rule.mads * middle[1]) for sign in (-1, 1))
        return f"{rule.text} ({'above' if rule.upper else f'{low} to'} {high})"

    of: list[dict[str, list[str]]] = []
    place: dict[tuple[str, str, str], int] = {}
    at = []
    for row in judged:
        key = (row.country_code, row.platform, row.input_type)
        if key not in place:
            place[key] = len(of)
            strata = [f"country:{key[0]}", f"input_type:{key[2]}", *(["whole_genome"] if whole_genome else []), "all"]
            found = {metric: guidelines.of(metric, strata) for metric in guidelines.metrics}
            limited = {metric: t for metric, t in found.items() if t and (t.warn or t.fail)}
            of.append(
                {metric: [told(metric, rule, key[:2]) for rule in (t.warn, t.fail)] for metric, t in limited.items()}
            )
        at.append(place[key])
    return {"of": of, "at": at}


def page(
    about: Mapping[str, str],
    summary: Mapping,
    keep: Sequence[Mapping[str, str]],
    metrics: Sequence[Mapping[str, str]],
    pairs: Sequence[Mapping[str, str]],
    guidelines: Guidelines,
    pca: Sequence[Mapping[str, str]] = (),
    assessed: Mapping | None = None,
) -> str:
    """The whole page.

    about: {id, title, made_with}. summary: `keep.summary`. keep, metrics, pairs: rows of sample_qc/keep.tsv,
    metrics.tsv and kinship.tsv. pca: rows of sample_qc/ancestry.tsv (sample_id, ancestry_distance, pc1, ...). assessed:
    sample_qc/ancestry.json: what it says of them, eigenvalues of the components, and how many people made them.
    """
    rows = joined(keep, metrics, pca)
    parameters = guidelines.parameters
    assessed = assessed or {}
    variances = dict(zip(components(pca), assessed.get("eigenvalues", ()), strict=False))
    facts = {
        "columns": packed(rows),
        "limits": limits(rows, guidelines, summary["whole_genome"]),
        "pairs": {key: column for key, column in packed(pairs).items() if key not in ("sample_a", "sample_b")}
        | {key: {"text": [pair[key] for pair in pairs]} for key in ("sample_a", "sample_b")},
        "cuts": {axis: [[key, parameters[key]] for key in keys] for axis, keys in CUTS.items()},
        "status": list(STATUS),
        "axes": {axis: f"{axis}, eigenvalue {_plain(value)}" for axis, value in variances.items()},
        "instead": keep_list.INSTEAD,
    }
    return html.page(
        "cohort.html.j2",
        css=["report/page.css", "cohort/page.css"],
        scripts=["cohort/page.js"],
        titles=TITLES,
        facts=facts,
        about=about,
        figures=_figures(summary, rows),
        reasons=_reasons(summary),
        summary=_summary(summary, rows),
        coverage=_spread(rows, depth_metric(rows)),
        hethom=_spread(rows, HET_HOM),
        ancestry=_ancestry(rows, pca, assessed.get("statement", ""), variances, assessed.get("people", 0)),
        sex=_sex(rows),
        kin=_kin(summary, pairs),
        excluded=_excluded(summary, rows),
        limits=_limits(summary),
    )


def write(path: str | Path, text: str) -> None:
    """Write the page, readable and writable for its owner alone whatever the umask is."""
    file = Path(path)
    file.touch(0o600)
    file.chmod(0o600)
    file.write_text(text, encoding="utf-8")


# ---- what the sections are made with


def _values(rows: Iterable[Mapping[str, str]], metric: str) -> list[float]:
    return [float(row[metric]) for row in rows if row.get(metric)]


def _plain(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def _sentence(words: str) -> str:
    return f"{words[:1].upper() + words[1:]}."


def _figures(summary: Mapping, rows: Sequence[Mapping[str, str]]) -> list[tuple[str, str, str]]:
    """Figures of the head: name, figure, more."""
    seen = Counter(row["status"] for row in rows)
    people, kept = summary["people"], summary["kept"]
    return [
        ("People", num(people), f"in {num(len(summary['by_country']))} countries"),
        ("Counted", num(kept), f"{share(kept, people)} of all"),
        ("Left out", num(people - kept), "each with its reasons"),
        ("Flagged", num(seen["flagged"]), "counted, look at them"),
    ]


def _summary(summary: Mapping, rows: Sequence[Mapping[str, str]]) -> dict:
    sexes = [s for s in _SEXES if any(row["count_sex"] == s for row in rows)]
    counted = Counter((row["country_code"], row["count_sex"]) for row in rows if row["keep"] == "yes")
    flagged = Counter(row["country_code"] for row in rows if row["status"] == "flagged")

    def line(label: str, people: int, kept: int, flags: int, each: Sequence[int]) -> list[str]:
        return [label, *map(num, (people, kept, *each, people - kept, flags))]

    by_country = [
        line(mono(c), n["people"], n["kept"], flagged[c], [counted[c, s] for s in sexes])
        for c, n in summary["by_country"].items()
    ]
    every = [sum(counted[c, s] for c in summary["by_country"]) for s in sexes]
    foot = line("All", summary["people"], summary["kept"], flagged.total(), every)
    heads = ["Country", "People", "Counted", *(_SEXES[s] for s in sexes), "Left out", "Flagged"]
    kinds = [[mono(kind), num(n)] for kind, n in summary["by_input_type"].items()]
    return {
        "exclude": summary["exclude"],
        "by_country": Table(heads, by_country, range(1, len(heads)), "People by country and counted sex", foot),
        "kinds": Table(["Came as", "People"], kinds, (1,), "People by kind of input"),
        "not_assessed": [f"{metric}: {why}" for metric, why in sorted(summary["not_assessed"].items())],
    }


def _reasons(summary: Mapping) -> Table | None:
    """None when nobody is left out and nobody is flagged."""
    keys = ("left_out", "also", "flag")
    reasons = summary["reasons"]
    rows = [[name(reason), *(num(n.get(key, 0)) for key in keys)] for reason, n in reasons.items()]
    if not rows:
        return None
    every = [num(sum(n.get(key, 0) for n in reasons.values())) for key in keys]
    return Table(["Reason", "Left out", "Also", "Flag"], rows, (1, 2, 3), "People by reason", ["All", *every])


def _spread(rows: Sequence[Mapping[str, str]], metric: str) -> dict:
    """A band of points for each country, of a metric that can be chosen."""
    by_country = {c: [r for r in rows if r["country_code"] == c] for c in sorted({r["country_code"] for r in rows})}
    lines = []
    for country, rows_of_country in by_country.items():
        values = _values(rows_of_country, metric)
        shown = [_plain(v) for v in np.quantile(values, (0, 0.05, 0.5, 0.95, 1))] if values else ["–"] * 5
        lines.append([mono(country), num(len(values)), num(len(rows_of_country) - len(values)), *shown])
    heads = ["Country", "People", "Without", "Least", "5 %", "Median", "95 %", "Most"]
    words = f"{metric} of {num(len(_values(rows, metric)))} people, a row of points for each country"
    return {"metric": metric, "words": words, "table": Table(heads, lines, range(1, 8), words)}


def _ancestry(
    rows: Sequence[Mapping[str, str]],
    pca: Sequence[Mapping[str, str]],
    said: str,
    variances: Mapping[str, float],
    made_by: int,
) -> dict:
    axes = components(pca)
    if len(axes) < 2:
        return {"axes": [], "said": f"{said or 'none was made'}."}
    countries = sorted({row["country_code"] for row in rows})
    lines = []
    for country in countries:
        rows_of_country = [row for row in rows if row["country_code"] == country]
        first_axis = _values(rows_of_country, axes[0])
        distance = _values(rows_of_country, DISTANCE)
        middle = [_plain(float(np.median(_values(rows_of_country, a)))) if first_axis else "–" for a in axes[:2]]
        far = [_plain(float(np.quantile(distance, q))) if distance else "–" for q in (0.5, 1)]
        lines.append([mono(country), num(len(first_axis)), *middle, *far])
    heads = ["Country", "People", f"Median {axes[0]}", f"Median {axes[1]}", "Median distance", "Greatest distance"]
    words = f"People by {axes[0]} and {axes[1]}"
    named = sum(bool(row.get(axes[0])) for row in rows)
    return {
        "axes": axes,
        "said": _sentence(said) if said else "",
        "countries": countries,
        "words": words,
        "named": num(named),
        "without": num(len(rows) - named),
        "table": Table(heads, lines, range(1, 6), words),
        "variance": Table(["Axis", "Eigenvalue"], [[a, _plain(v)] for a, v in variances.items()], (1,), "Eigenvalues")
        if variances
        else None,
        "made_by": num(made_by),
    }


def _sex(rows: Sequence[Mapping[str, str]]) -> dict:
    seen = Counter((row["sex"], row["inferred_sex"]) for row in rows)
    flags = Counter((row["sex"], row["inferred_sex"]) for row in rows if "sex_" in row["reasons"])
    lines = [
        [_SEXES.get(sheet, sheet), mono(data), num(n), num(flags[sheet, data])]
        for (sheet, data), n in sorted(seen.items())
    ]
    both = sum(bool(row.get("x_depth_ratio") and row.get("y_depth_ratio")) for row in rows)
    return {
        "table": Table(
            ["On the sheet", "By the data", "People", "Flagged"], lines, (2, 3), "Sex on the sheet and data"
        ),
        "both": num(both),
        "without": num(len(rows) - both),
    }


def _kin(summary: Mapping, pairs: Sequence[Mapping[str, str]]) -> dict:
    degrees = Counter(pair["relation"] for pair in pairs)
    listed = [[relation.replace("_", " "), num(n)] for relation, n in sorted(degrees.items())]
    return {
        "said": _sentence(summary["relatedness"]["statement"]),
        "looked": summary["relatedness"].get("lowest_kinship") is not None,
        "pairs": len(pairs),
        "table": Table(["Relation", "Pairs"], listed, (1,), "Pairs by relation"),
    }


def _excluded(summary: Mapping, rows: Sequence[Mapping[str, str]]) -> dict | None:
    """None when nobody is left out and nobody is flagged."""
    reasons = summary["reasons"]
    if not reasons:
        return None
    keys = (("left_out", "f-out"), ("also", "f-out pale"), ("flag", "f-flagged"))
    bars = [
        (reason, [(cls, n.get(key, 0)) for key, cls in keys], " · ".join(num(n.get(key, 0)) for key, _ in keys))
        for reason, n in reasons.items()
    ]
    most = max(sum(n for _, n in parts) for _, parts, _ in bars)
    words = "; ".join(f"{reason}: {figure}" for reason, _, figure in bars)
    seen = Counter((row["country_code"], row["status"]) for row in rows)
    classes = dict(zip(STATUS, ("f-out", "f-flagged", "f-kept"), strict=True))
    by_country, lines = [], []
    for country, n in summary["by_country"].items():
        parts = [(classes[s], seen[country, s] / n["people"]) for s in STATUS]
        out = seen[country, "left out"]
        by_country.append((country, parts, f"{num(out)} of {num(n['people'])} left out, {share(out, n['people'])}"))
        lines.append([mono(country), *(num(seen[country, s]) for s in STATUS)])
    title = "People left out and flagged by country"
    caption = "; ".join(f"{country}: {figure}" for country, _, figure in by_country)
    heads = ["Country", *(s.capitalize() for s in STATUS)]
    return {
        "bars": plots.bars("by-reason", "People by reason", words, bars, most),
        "legend": [("f-out", "left out"), ("f-out pale", "also"), ("f-flagged", "flag of people counted")],
        "countries": plots.bars("by-country", title, caption, by_country, 1),
        "outcomes": [(cls, outcome) for outcome, cls in classes.items()],
        "by_country": Table(heads, lines, (1, 2, 3), "People by country and outcome"),
    }


def _limits(summary: Mapping) -> Table:
    source = Markup('{}<br><span class="threshold-source">{}</span>')
    rows = [
        [name(t["metric"]), mono(t["stratum"]), t["warn"] or "–", t["fail"] or "–",
         source.format(t["status"], t["source"])]
        for t in summary["thresholds"]
        if t["warn"] or t["fail"]
    ]  # fmt: skip
    return Table(["Metric", "Stratum", "Warning", "Failure", "Status and source"], rows, (), "Limits")
