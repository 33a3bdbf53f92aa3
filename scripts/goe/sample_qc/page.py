"""`work/sample_qc/cohort.html`: the people of a cohort on one page that needs no network, for the national team.

It names people, so it stays under work/ and is readable for its owner alone. What is said of the cohort is written
here; the plots and the table of people are drawn by the page's script from the same tables, which are in the page
column by column. Nothing is judged here: reasons, verdicts and limits are those of the keep list.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from goe.pages import html
from goe.pages import svg as plots
from goe.pages.svg import esc, num, share
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
HET_HOM = "ratio_heterozygous_homzygous_snv"
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
        there = {**dict.fromkeys(names, "")}
        for table in more:
            there |= table.get(person["sample_id"], {})
        rows.append({**there, **person, "status": status(person)})
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
    for name in rows[0] if rows else ():
        cells = [row[name] for row in rows]
        if name == "sample_id":
            found[name] = {"text": cells}
        elif name in LISTS:
            of, lists = _indexed([part for part in cell.split(";") if part] for cell in cells)
            found[name] = {"of": of, "lists": lists}
        else:
            numbers = None
            if name not in CHOICES and name != "status":
                try:
                    numbers = [_number(cell) for cell in cells]
                except (ValueError, OverflowError):
                    numbers = None
            if numbers is None:
                of, lists = _indexed([cell] for cell in cells)
                found[name] = {"of": of, "at": [one for (one,) in lists]}
            else:
                found[name] = {"numbers": numbers}
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
            mine = {metric: t for metric, t in found.items() if t and (t.warn or t.fail)}
            of.append(
                {metric: [told(metric, rule, key[:2]) for rule in (t.warn, t.fail)] for metric, t in mine.items()}
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
    said: str = "",
) -> str:
    """The whole page.

    about: {id, title, made_with}. summary: `keep.summary`. keep, metrics, pairs: rows of sample_qc/keep.tsv,
    metrics.tsv and kinship.tsv. pca: rows of sample_qc/ancestry.tsv (sample_id, ancestry_distance, pc1, ...). said:
    what ancestry.json says of them.
    """
    rows = joined(keep, metrics, pca)
    sections = {
        "summary": _summary(summary, rows),
        "coverage": _spread(rows, "coverage", depth_metric(rows)),
        "hethom": _spread(rows, "hethom", HET_HOM),
        "ancestry": _ancestry(rows, pca, said),
        "sex": _sex(rows),
        "kin": _kin(summary, pairs),
        "excluded": _excluded(summary, rows),
        "people": _people(),
        "limits": _limits(summary),
    }
    parameters = guidelines.parameters
    facts = {
        "columns": packed(rows),
        "limits": limits(rows, guidelines, summary["whole_genome"]),
        "pairs": {key: column for key, column in packed(pairs).items() if key not in ("sample_a", "sample_b")}
        | {key: {"text": [pair[key] for pair in pairs]} for key in ("sample_a", "sample_b")},
        "cuts": {axis: [[key, parameters[key]] for key in keys] for axis, keys in CUTS.items()},
        "status": list(STATUS),
        "instead": keep_list.INSTEAD,
    }
    css = html.resource("report/page.css") + html.resource("cohort/page.css")
    script = html.resource("cohort/page.js")
    return html.page(
        head=f'<meta name="robots" content="noindex">\n<title>Cohort · {esc(about["title"])}</title>',
        css=css,
        script=script,
        header=_header(about, summary, rows),
        titles=TITLES,
        sections=sections,
        footer=html.p(
            f"{esc(about['title'])}, {html.mono(about['id'])}. Made with {esc(about['made_with'])}. Personal data: "
            "not part of the release. The page loads nothing from a network and sends nothing."
        ),
        facts=facts,
        notice='<noscript><p class="banner">The plots and the table of people are drawn by a script of this page: '
        "allow it to run. Nothing\nis asked of a network.</p></noscript>\n",
    )


def write(path: str | Path, text: str) -> None:
    """Write the page, readable and writable for its owner alone whatever the umask is."""
    file = Path(path)
    file.touch(0o600)
    file.chmod(0o600)
    file.write_text(text, encoding="utf-8")


# ---- sections: (what stands beside, body)


def _values(rows: Iterable[Mapping[str, str]], metric: str) -> list[float]:
    return [float(row[metric]) for row in rows if row.get(metric)]


def _plain(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def _header(about: Mapping[str, str], summary: Mapping, rows: Sequence[Mapping[str, str]]) -> str:
    seen = Counter(row["status"] for row in rows)
    people, kept = summary["people"], summary["kept"]
    figures = [
        ("People", num(people), f"in {num(len(summary['by_country']))} countries"),
        ("Counted", num(kept), f"{share(kept, people)} of all"),
        ("Left out", num(people - kept), "each with its reasons"),
        ("Flagged", num(seen["flagged"]), "counted, look at them"),
    ]
    listed = "".join(f"<div><dt>{a}</dt><dd>{esc(b)}<small>{esc(c)}</small></dd></div>" for a, b, c in figures)
    return "\n".join(
        [
            '<p class="eyebrow">Internal · sample quality</p>',
            '<p class="banner">Personal data: this page names people. It stays with the national team, is never part '
            "of a release, and is readable for its owner alone.</p>",
            f"<h1>{esc(about['title'])}</h1>",
            '<p class="lede">Who is counted, who is not, and why.</p>',
            f'<dl class="figures">{listed}</dl>',
        ]
    )


def _summary(summary: Mapping, rows: Sequence[Mapping[str, str]]) -> tuple[str, str]:
    body = []
    if not summary["exclude"]:
        words = "only the withdrawn are left out, and everybody counts by the sheet."
        body.append(html.p(f"The config says {html.mono('sample_qc.exclude: false')}: {words}", "lead"))
    body.append("<h3>By reason</h3>" + _reasons(summary))
    sexes = [s for s in _SEXES if any(row["count_sex"] == s for row in rows)]
    counted = Counter((row["country_code"], row["count_sex"]) for row in rows if row["keep"] == "yes")
    flagged = Counter(row["country_code"] for row in rows if row["status"] == "flagged")

    def line(name: str, people: int, kept: int, flags: int, each: Sequence[int]) -> list[str]:
        return [name, *map(num, (people, kept, *each, people - kept, flags))]

    by_country = [
        line(html.mono(c), n["people"], n["kept"], flagged[c], [counted[c, s] for s in sexes])
        for c, n in summary["by_country"].items()
    ]
    every = [sum(counted[c, s] for c in summary["by_country"]) for s in sexes]
    foot = line("All", summary["people"], summary["kept"], flagged.total(), every)
    heads = ["Country", "People", "Counted", *(_SEXES[s] for s in sexes), "Left out", "Flagged"]
    body.append("<h3>By country and sex</h3>")
    body.append(html.table(heads, by_country, range(1, len(heads)), "People by country and counted sex", foot))
    body.append("<h3>By kind of input</h3>")
    kinds = [[html.mono(kind), num(n)] for kind, n in summary["by_input_type"].items()]
    body.append(html.table(["Came as", "People"], kinds, (1,), "People by kind of input"))
    if summary["not_assessed"]:
        body.append("<h3>What could not be judged</h3>")
        body.append(html.bullets(f"{esc(k)}: {esc(v)}" for k, v in sorted(summary["not_assessed"].items())))
    side = html.p("Counted sex is that of the sheet, or unknown where the data contradicts it.")
    return side, "".join(body)


def _reasons(summary: Mapping) -> str:
    rows = [
        [html.name(reason), *(num(n.get(key, 0)) for key in ("left_out", "also", "flag"))]
        for reason, n in summary["reasons"].items()
    ]
    if not rows:
        return html.p("Nobody is left out and nobody is flagged.")
    every = [sum(n.get(key, 0) for n in summary["reasons"].values()) for key in ("left_out", "also", "flag")]
    heads = ["Reason", "Left out", "Also", "Flag"]
    return html.table(heads, rows, (1, 2, 3), "People by reason", ["All", *map(num, every)]) + html.p(
        "Somebody left out counts once under <em>left out</em>, by the first reason that holds; further reasons are "
        "<em>also</em>. <em>Flag</em> is of people who are counted; somebody may have several.",
        "note",
    )


_MARKS = (
    '<ul class="marks"><li><b class="kept">●</b> counted</li><li><b class="flagged">▲</b> counted, flagged</li>'
    '<li><b class="out">✕</b> left out</li></ul>'
)


_PAIR_MARKS = (
    '<ul class="marks"><li><b class="flagged">▲</b> both are counted</li><li><b class="out">✕</b> one or both are left '
    "out</li></ul>"
)


def _canvas(name: str, words: str, marks: str = _MARKS) -> str:
    """Where the script draws; a plot is a picture of people who are all in the table as well."""
    return (
        f'{marks}<div class="plotbox" id="plot-{name}"><canvas role="img" aria-label="{esc(words)}"></canvas>'
        '<span class="tip" hidden></span></div>'
    )


def _spread(rows: Sequence[Mapping[str, str]], name: str, metric: str) -> tuple[str, str]:
    """A band of points for each country, of a metric that can be chosen."""
    by_country = {c: [r for r in rows if r["country_code"] == c] for c in sorted({r["country_code"] for r in rows})}
    lines = []
    for country, here in by_country.items():
        values = _values(here, metric)
        shown = [_plain(v) for v in np.quantile(values, (0, 0.05, 0.5, 0.95, 1))] if values else ["–"] * 5
        lines.append([html.mono(country), num(len(values)), num(len(here) - len(values)), *shown])
    heads = ["Country", "People", "Without", "Least", "5 %", "Median", "95 %", "Most"]
    words = f"{metric} of {num(len(_values(rows, metric)))} people, a row of points for each country"
    choose = (
        f'<div class="tools"><label>Metric <select data-metric="{name}" data-first="{esc(metric)}"></select></label>'
        "</div>"
    )
    figure = html.figure(
        f"{metric} by country",
        "A line is the median of the people who are counted; dashed are limits that hold in the whole row.",
        choose + _canvas(name, words),
        html.table(heads, lines, range(1, 8), words) + html.p("Of everybody, whether counted or not.", "note"),
    )
    side = {
        "coverage": "Over the autosomes: mean_autosome_coverage is of reads, mean_dp of genotypes, for people who did "
        "not come as reads as well.",
        "hethom": "It differs between populations, so an outlier is one of its own country.",
    }[name]
    return html.p(side) + html.p("Point at a person to see the id, click to open the record."), figure


def _ancestry(rows: Sequence[Mapping[str, str]], pca: Sequence[Mapping[str, str]], said: str) -> tuple[str, str]:
    side = html.p("Principal components of the common autosomal SNVs. They show who was sampled together, not a label.")
    axes = components(pca)
    if len(axes) < 2:
        return side, html.p(f"There is no PCA of this cohort: {esc(said or 'none was made')}.", "lead")
    options = "".join(f"<option>{name}</option>" for name in axes)
    second = options.replace(f"<option>{axes[1]}<", f"<option selected>{axes[1]}<", 1)
    countries = sorted({row["country_code"] for row in rows})
    tools = (
        f'<div class="tools"><label>Across <select id="pca-x">{options}</select></label>'
        f'<label>Up <select id="pca-y">{second}</select></label>'
        '<label>Country <select id="pca-country"><option value="">all</option>'
        + "".join(f"<option>{esc(c)}</option>" for c in countries)
        + "</select></label></div>"
    )
    lines = []
    for country in countries:
        here = [row for row in rows if row["country_code"] == country]
        there = _values(here, axes[0])
        distance = _values(here, DISTANCE)
        middle = [_plain(float(np.median(_values(here, a)))) if there else "–" for a in axes[:2]]
        far = [_plain(float(np.quantile(distance, q))) if distance else "–" for q in (0.5, 1)]
        lines.append([html.mono(country), num(len(there)), *middle, *far])
    heads = ["Country", "People", f"Median {axes[0]}", f"Median {axes[1]}", "Median distance", "Greatest distance"]
    words = f"People by {axes[0]} and {axes[1]}"
    behind, drawn = html.table(heads, lines, range(1, 6), words), _canvas("pca", words)
    named = sum(bool(row.get(axes[0])) for row in rows)
    note = f"{num(named)} people, {num(len(rows) - named)} without. A country is named at its medians."
    words = html.p(f"{esc(said[:1].upper() + said[1:])}.") if said else ""
    return side, words + html.figure("Principal components", note, tools + drawn, behind)


def _sex(rows: Sequence[Mapping[str, str]]) -> tuple[str, str]:
    seen = Counter((row["sex"], row["inferred_sex"]) for row in rows)
    flags = Counter((row["sex"], row["inferred_sex"]) for row in rows if "sex_" in row["reasons"])
    lines = [
        [_SEXES.get(sheet, esc(sheet)), html.mono(data), num(n), num(flags[sheet, data])]
        for (sheet, data), n in sorted(seen.items())
    ]
    table = html.table(["On the sheet", "By the data", "People", "Flagged"], lines, (2, 3), "Sex on the sheet and data")
    both = sum(bool(row.get("x_depth_ratio") and row.get("y_depth_ratio")) for row in rows)
    words = f"Depth of X and of Y over that of the autosomes, {num(both)} people"
    note = f"{num(both)} people with depth on both, {num(len(rows) - both)} without. Dashed are the cut-offs."
    side = html.p("Nobody is relabelled: who is contradicted by the data, aneuploid or ambiguous counts as unknown.")
    return side, table + html.figure("Depth of X and Y over the autosomes", note, _canvas("sex", words), _cuts())


def _cuts() -> str:
    return html.p("The numbers of each person are in the table of people; the cut-offs are in the table of limits.")


def _kin(summary: Mapping, pairs: Sequence[Mapping[str, str]]) -> tuple[str, str]:
    side = html.p("Of each pair of relatives who would both be counted, the one with the poorer data is left out.")
    said = summary["relatedness"]["statement"]
    body = html.p(f"{esc(said[:1].upper() + said[1:])}.")
    if not pairs:
        looked = summary["relatedness"].get("lowest_kinship") is not None
        return side, body + html.p("No pair of relatives was found." if looked else "There is no pair to show.")
    degrees = Counter(pair["relation"] for pair in pairs)
    listed = [[esc(name.replace("_", " ")), num(n)] for name, n in sorted(degrees.items())]
    words = f"Kinship of {num(len(pairs))} pairs of relatives"
    behind = html.table(["Relation", "Pairs"], listed, (1,), "Pairs by relation")
    drawn = _canvas("kin", words, _PAIR_MARKS)
    figure = html.figure("Pairs of relatives", "A point is a pair; dashed are the cut-offs of kinship.", drawn, behind)
    table = '<h3>Every pair</h3><div id="pairs"></div>'
    return side, body + figure + table


def _excluded(summary: Mapping, rows: Sequence[Mapping[str, str]]) -> tuple[str, str]:
    side = html.p("Somebody left out with several reasons counts once, by the first.")
    reasons = summary["reasons"]
    if not reasons:
        return side, html.p("Nobody is left out and nobody is flagged.")
    keys = (("left_out", "f-out"), ("also", "f-out pale"), ("flag", "f-flagged"))
    bars = [
        (reason, [(cls, n.get(key, 0)) for key, cls in keys], " · ".join(num(n.get(key, 0)) for key, _ in keys))
        for reason, n in reasons.items()
    ]
    most = max(sum(n for _, n in parts) for _, parts, _ in bars)
    legend = plots.legend([("f-out", "left out"), ("f-out pale", "also"), ("f-flagged", "flag of people counted")])
    words = "; ".join(f"{name}: {figure}" for name, _, figure in bars)
    first = html.figure(
        "People by reason",
        "Left out · also · flag.",
        plots.bars("by-reason", "People by reason", words, bars, most),
        _reasons(summary),
        legend,
    )
    seen = Counter((row["country_code"], row["status"]) for row in rows)
    classes = dict(zip(STATUS, ("f-out", "f-flagged", "f-kept"), strict=True))
    by_country, lines = [], []
    for country, n in summary["by_country"].items():
        parts = [(classes[s], seen[country, s] / n["people"]) for s in STATUS]
        out = seen[country, "left out"]
        by_country.append((country, parts, f"{num(out)} of {num(n['people'])} left out, {share(out, n['people'])}"))
        lines.append([html.mono(country), *(num(seen[country, s]) for s in STATUS)])
    second = html.figure(
        "Share of each country",
        "",
        plots.bars(
            "by-country",
            "People left out and flagged by country",
            "; ".join(f"{name}: {figure}" for name, _, figure in by_country),
            by_country,
            1,
        ),
        html.table(["Country", *(s.capitalize() for s in STATUS)], lines, (1, 2, 3), "People by country and outcome"),
        plots.legend([(cls, name) for name, cls in classes.items()]),
    )
    return side, first + second


def _people() -> tuple[str, str]:
    side = html.p("Those left out first, then the flagged. Several ids may be searched for, with spaces between.")
    tools = """<div class="tools"><label class="wide">Id <input id="find" type="search" autocomplete="off"
 spellcheck="false" placeholder="whole id, or a part"></label>
<label>Outcome <select id="by-status"></select></label><label>Reason <select id="by-reason-name"></select></label>
<label>Country <select id="by-country-name"></select></label></div>"""
    return side, f'{tools}<div id="person" aria-live="polite"></div><div id="list"></div>'


def _limits(summary: Mapping) -> tuple[str, str]:
    rows = [
        [
            html.name(t["metric"]),
            html.mono(t["stratum"]),
            esc(t["warn"]) or "–",
            esc(t["fail"]) or "–",
            f'{esc(t["status"])}<br><span class="threshold-source">{esc(t["source"])}</span>',
        ]
        for t in summary["thresholds"]
        if t["warn"] or t["fail"]
    ]
    side = html.p("Of a person, the row of the country goes before that of the input, the genome and everybody.")
    side += html.p(
        "<em>Verified</em> was read in its source, of an <em>excerpt</em> only a part could be read, "
        "<em>unverified</em> is a default of this project, <em>national</em> is by the config."
    )
    return side, html.table(["Metric", "Stratum", "Warning", "Failure", "Status and source"], rows, (), "Limits")
