"""`report.html`: the release on one page that needs no network, for coordinators and data-protection officers.

`write` puts the page, and where the look-up table is too large for it the files beside it, into a release folder. The
page is made of plain facts that the release has anyway (dataset, QC and disclosure summaries), of a spectrum
(`report_spectrum`) and of the packed look-up table (`report_lookup`). Its words and markup are in
resources/pages/report.html.j2; here is what each section of it is made with. Plots are inline SVG with title and
description, each with its numbers in a table; a policy in the head (CSP) forbids the page every connection and every
script but its own.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from markupsafe import Markup

from goe.core.errors import GoeError, Problem
from goe.disclosure import silence
from goe.disclosure.membership import CHANGES
from goe.frequencies import strata as st
from goe.pages import html
from goe.pages import svg as plots
from goe.pages.html import Table, country, mono, mute, name
from goe.pages.svg import EDGES, frequency, num, percent, share
from goe.release import quantiles
from goe.release.report import lookup as report_lookup
from goe.release.report.spectrum import CLASSES, VERDICTS
from goe.release.texts import country_words
from goe.rules.dataset import COVERAGE_PROXY, GVCF_ADJ, VARIANT_SITES_ONLY, DatasetId
from goe.rules.stratum import parse

NAME = "report.html"
OTHER_FILTER = "Filter of the input data"
SHA_SHOWN = 12
RARE = (0.001, 0.01, 0.05)
_FOLDED = 12
# Sites far apart that a figure of membership needs to stand in the head: a few hundred recognise hardly anybody, and
# some 4,000 everybody (docs/disclosure.md), so that fewer say nothing of a genome.
_ENOUGH_SITES = 1_000

_TITLES = {
    "dataset": "Dataset",
    "lookup": "Look-up",
    "cohort": "Cohort",
    "alleles": "Alleles",
    "frequencies": "Frequencies",
    "filters": "Filters",
    "counting": "Quality control",
    "disclosure": "Disclosure",
    "membership": "Membership",
    "checks": "Checks",
    "files": "Files",
    "verify": "Verify and cite",
}


def write(
    folder: str | Path,
    about: Mapping,
    qc: Mapping,
    disclosure: Mapping,
    spectrum: Mapping,
    lookups: report_lookup.Tracks,
    contigs: Sequence[Mapping],
    filters: Mapping[str, str],
    membership: Mapping | None,
    checks: Sequence[Mapping],
    files: Sequence[Mapping],
    embed_up_to: int = report_lookup.EMBED_UP_TO,
) -> list[str]:
    """Write the page into a release folder; relative paths of what was written, the page first.

    lookups: contigs in release order. Other arguments as `page`. Files of an earlier look-up table in the folder are
    removed.
    """
    table = report_lookup.table(lookups, embed_up_to)
    text = page(about, qc, disclosure, spectrum, table, contigs, filters, membership, checks, files)
    beside = report_lookup.write_beside(table, folder, about["id"])
    (Path(folder) / NAME).write_text(text, encoding="utf-8")
    return [NAME, *beside]


def page(
    about: Mapping,
    qc: Mapping,
    disclosure: Mapping,
    spectrum: Mapping,
    table: report_lookup.Table,
    contigs: Sequence[Mapping],
    filters: Mapping[str, str],
    membership: Mapping | None,
    checks: Sequence[Mapping],
    files: Sequence[Mapping],
) -> str:
    """The whole page.

    about: `release_notes.dataset`. qc: {people, genotype_filter, variant_qc} as in qc/summary.json. disclosure:
    `release_notes.disclosure_summary`, {policy, min_carriers (None: open), legal_basis, strata, strata_not_published,
    alleles_withheld, counts_beside_the_frequencies_rounded_to, not_covered} and, where there are, protect and
    min_stratum_size. spectrum: `report_spectrum.combine`. table: `report_lookup.table`.
    contigs: {name, length} of the release, in order. filters: FILTER name -> what it means.
    membership: `membership.figure`, or None when none was made. checks: {name, passed, detail} each, passed None where
    it is made later. files: {path, size, sha256} of the other files of the release; sha256 is None where two runs
    differ (encrypted files), and size too where a file is made after this page. The manifest has their digests.

    GoeError when the parts are not of one release.
    """
    _agree(spectrum, table, disclosure)
    facts = report_lookup.facts(table, about, contigs, silence.of(disclosure)) | {
        "filters": dict(filters),
        "other_filter": OTHER_FILTER,
    }
    return html.page(
        "report.html.j2",
        css=["report/page.css"],
        scripts=["report/lookup.js", "report/page.js"],
        sources="" if table.embedded else _BESIDE,
        titles=_TITLES,
        facts=facts,
        chunks=report_lookup.embedded(table),
        about=about,
        day=_long(day(about["id"])),
        counted_from=_counted_from(about),
        figures=_figures(about, spectrum, disclosure, membership, checks),
        lookup=_lookup(table, contigs),
        cohort=_cohort(about, spectrum, qc),
        alleles=_alleles(spectrum, contigs),
        frequencies=_frequencies(spectrum, disclosure, about["number_of_people"]),
        filters=_filters(spectrum, filters),
        counting=_counting(qc),
        disclosure=_disclosure(spectrum, disclosure),
        membership=_membership(membership),
        checks=_checks(checks),
        files=_files(files, table),
        cite=_cite(about),
    )


# Files beside the page: those of the folder it was opened from, or of the server that gave the page.
_BESIDE = "'self' file:"


def _agree(spectrum: Mapping, table: report_lookup.Table, disclosure: Mapping) -> None:
    problems = []
    alleles = sum(c["alleles"] for c in spectrum["contigs"].values())
    if alleles != table.alleles:
        problems.append(
            Problem(
                "report",
                f"the spectrum has {alleles} alleles, the look-up table {table.alleles}",
                "make the release of all contigs again",
            )
        )
    for what, strata in (("look-up table", table.strata), ("disclosure summary", disclosure["strata"])):
        if list(strata) != list(spectrum["strata"]):
            problems.append(
                Problem("report", f"strata of the {what} and of the spectrum differ", "make all contigs again")
            )
    if problems:
        raise GoeError(problems)


# ---- small parts


def day(dataset_id: str) -> date:
    """Date of a dataset id, PREFIX-CC-ORG-YYYYMMDDHHMMSSmmm; GoeError when it has none."""
    try:
        found = DatasetId.parse(dataset_id)
        if found:
            return found.date
    except ValueError:
        pass
    raise GoeError(Problem("dataset.id", f"{dataset_id!r} has no date", "write PREFIX-CC-ORG-YYYYMMDDHHMMSSmmm"))


def _long(when: date) -> str:
    months = "January February March April May June July August September October November December"
    return f"{when.day} {months.split()[when.month - 1]} {when.year}"


def _rounded(n: int, k: int | None) -> str:
    """A count that was rounded to a multiple of k."""
    return f"about {num(n)}" if n and k and k > 1 else num(n)


def _power(membership: Mapping | None) -> tuple[str, str]:
    total = next((s for s in (membership or {}).get("strata", ()) if s["stratum"] == st.TOTAL), None)
    if membership is None or total is None or total["power"] is None:
        return "–", "no figure was made"
    if total["sites_used"] < _ENOUGH_SITES:
        return "–", f"{num(total['sites_used'])} sites are too few to tell"
    return percent(total["power"]), f"power, at {percent(membership['false_positives'])} false positives"


def _withheld(disclosure: Mapping) -> str:
    return _rounded(disclosure["alleles_withheld"], disclosure["min_carriers"])


def _address(query: str) -> str:
    """Percent-encoding of everything but letters, digits, hyphen and full stop."""
    return re.sub(r"[^A-Za-z0-9.-]", lambda m: "".join(f"%{b:02X}" for b in m[0].encode()), query)


# ---- what the sections are made with


def _counted_from(about: Mapping) -> list[str]:
    """Kinds of input, and what each can say of somebody who has not the allele."""
    methods: Mapping[str, Sequence[str]] = about.get("callable_an", {}).get("an_method", {})
    words = []
    if kinds := methods.get(GVCF_ADJ):
        words.append(f"{', '.join(kinds)}: called wherever the genome could be called ({GVCF_ADJ})")
    if kinds := methods.get(VARIANT_SITES_ONLY):
        words.append(f"{', '.join(kinds)}: called where the file has a row ({VARIANT_SITES_ONLY})")
        if "vcf" in kinds:
            words.append("A single-sample VCF has a row where its person carries an allele: AN is small, AF too high")
    if proxy := about.get("callable_an", {}).get(COVERAGE_PROXY):
        people = num(proxy["people"]["Total"])
        words.append(f"of {people} of these people the depth of reads: an estimate, in no number ({COVERAGE_PROXY})")
    return words


def _figures(
    about: Mapping, spectrum: Mapping, disclosure: Mapping, membership: Mapping | None, checks: Sequence[Mapping]
) -> list[tuple[str, str, str]]:
    """Figures of the head: name, figure, more."""
    alleles = sum(c["alleles"] for c in spectrum["contigs"].values())
    passed = sum(c["PASS"] for c in spectrum["contigs"].values())
    made = [c["passed"] for c in checks if c["passed"] is not None]
    every = f"passed; goe check makes all {len(checks)}" if len(checks) > len(made) else "passed"
    k = disclosure["min_carriers"]
    if k is None:
        floor = ("Floor", "none", "an open release, on a legal basis")
    else:
        floor = ("Floor", f"{num(k)} people", f"policy {disclosure['policy']}")
    strata = len(spectrum["strata"])
    return [
        ("People", num(about["number_of_people"]), f"in {strata} {'stratum' if strata == 1 else 'strata'}"),
        ("Site alleles", num(alleles), f"{num(passed)} PASS, {share(passed, alleles)}"),
        floor,
        ("Withheld", _withheld(disclosure), "alleles, in no public file"),
        ("Membership test", *_power(membership)),
        ("Checks", f"{sum(made)} of {len(made)}", every if all(made) else "passed: see below"),
    ]


def _lookup(table: report_lookup.Table, contigs: Sequence[Mapping]) -> dict:
    tries = []
    for index in [i for i in table.indices if i["example"]][:1]:
        pos, ref, alt = index["example"]
        length = next(c["length"] for c in contigs if c["name"] == index["track"])
        allele = f"{index['track']}-{pos}-{ref}-{alt}"
        short = f"{index['track'].removeprefix('chr')}:{pos} {ref}>{alt}"
        region = f"{index['track']}:{pos:,}-{min(length, pos + 10_000):,}"
        tries = [(_address(q), q) for q in (allele, short, region) if len(q) < 60]
    return {
        "folder": "" if table.embedded else f"{report_lookup.FOLDER}/",
        "alleles": table.alleles,
        "first": contigs[0]["name"],
        "tries": tries,
    }


def _cohort(about: Mapping, spectrum: Mapping, qc: Mapping) -> dict:
    people: Mapping[str, int] = about["strata"]
    groups = [s for s in spectrum["strata"] if not parse(s).sex]
    whole = max(people[st.TOTAL], 1)
    bars, rows = [], []
    any_sex = any_rest = False
    for group in groups:
        male, female = (people.get(sex if group == st.TOTAL else f"{group}_{sex}") for sex in st.SEXES)
        split = male is not None or female is not None
        left = people[group] - (male or 0) - (female or 0)
        any_sex, any_rest = any_sex or split, any_rest or (split and left > 0)
        parts = [("f-male", male or 0), ("f-female", female or 0), ("f-neither" if split else "f-accent", left)]
        figure = num(people[group]) if group == st.TOTAL else f"{num(people[group])} · {share(people[group], whole)}"
        bars.append((group, parts, figure))
        rows.append(
            [
                country(group),
                num(people[group]),
                *(num(n) if n is not None else "–" for n in (male, female)),
                num(left) if split else "",
                num(spectrum["cells"][group]["seen"]),
            ]
        )
    heads = ["Stratum", "People", "Male", "Female", "Neither", "Alleles seen"]
    legend = [("f-male", "male"), ("f-female", "female")] if any_sex else []
    legend += [("f-neither", "in neither: sex unknown, or not XX or XY")] if any_rest else []
    words = "; ".join(f"{label}: {figure}" for label, _, figure in bars)
    k, sheet = qc.get("rounded_to", 1), qc["people"]
    return {
        "country": country_words(about),
        "on_the_sheet": _rounded(sheet["on_the_sheet"], k),
        "kept": num(sheet["kept"]),
        "left_out": _rounded(sheet["left_out"], k),
        "bars": plots.bars("people", "People by country and sex", words, bars, whole, named=True),
        "legend": legend,
        "table": Table(heads, rows, (1, 2, 3, 4, 5), "People by stratum"),
    }


def _alleles(spectrum: Mapping, contigs: Sequence[Mapping]) -> dict:
    classes = spectrum["classes"]
    whole = max([sum(c.values()) for c in classes.values()] + [1])
    bars = [
        (
            label,
            [(f"f-{label.lower()}", c["PASS"]), (f"f-{label.lower()} pale", c["filtered"])],
            f"{num(c['PASS'])} PASS · {num(c['filtered'])} filtered",
        )
        for label, c in classes.items()
    ]
    total = {v: sum(c[v] for c in classes.values()) for v in VERDICTS}

    def line(label: str, c: Mapping[str, int]) -> list[str]:
        both = sum(c.values())
        return [label, num(c["PASS"]), num(c["filtered"]), num(both), share(c["PASS"], both)]

    title = "Site alleles by class"
    heads = ["Class", "PASS", "Filtered", "Both", "PASS share"]
    rows = [line(label, c) for label, c in classes.items()]
    ratios = []
    if spectrum["transversions"]:
        value = spectrum["transitions"] / spectrum["transversions"]
        ratios.append(("Transitions over transversions among PASS SNVs", f"{value:.2f}"))
    if classes["deletion"]["PASS"]:
        value = classes["insertion"]["PASS"] / classes["deletion"]["PASS"]
        ratios.append(("PASS insertions over deletions", f"{value:.2f}"))
    counted = spectrum["contigs"]
    both = [(c["name"], counted.get(c["name"], {"alleles": 0, "PASS": 0})) for c in contigs]
    by_contig = [[label, num(c["PASS"]), num(c["alleles"] - c["PASS"]), num(c["alleles"])] for label, c in both]
    return {
        "title": title,
        "bars": plots.bars("classes", title, "; ".join(f"{b[0]}: {b[2]}" for b in bars), bars, whole),
        "table": Table(heads, rows, (1, 2, 3, 4), title, line("All", total)),
        "ratios": ratios,
        "by_contig": Table(["Contig", *heads[1:4]], by_contig, (1, 2, 3), "Site alleles by contig"),
    }


def _frequencies(spectrum: Mapping, disclosure: Mapping, people: int) -> dict:
    bins = spectrum["bins"]
    sums = [sum(bins[c][v][i] for c in CLASSES for v in VERDICTS) for i in range(len(EDGES))]
    # From the decade of the rarest allele, so that the axis starts at a round number.
    lowest = next((i for i, n in enumerate(sums) if n), len(EDGES) - 1)
    first = max(0, lowest - (lowest - 1) % 3)
    names = [c for c in CLASSES if any(map(sum, bins[c].values()))]
    heads = ["Frequency", *(f"{n} {v}" for n in names for v in VERDICTS)]
    rows = [
        [
            f"{frequency(EDGES[i - 1]) if i else '0'} to {frequency(EDGES[i])}",
            *(num(bins[n][v][i]) for n in names for v in VERDICTS),
        ]
        for i in range(first, len(EDGES))
    ]
    behind = Table(heads, rows, range(1, len(heads)), "Alleles by frequency and class; upper ends included")

    def up_to(kind: str, limit: float) -> int:
        return sum(n for n, edge in zip(bins[kind]["PASS"], EDGES, strict=True) if edge <= limit)

    # No column for frequencies that no allele of so many people can have.
    limits = [limit for limit in RARE if 2 * people * limit >= (disclosure["min_carriers"] or 1)]
    rare_rows = []
    for kind in names:
        n = sum(bins[kind]["PASS"])
        rare_rows.append([kind, num(n), *(share(up_to(kind, limit), n) for limit in limits)])
    every = sum(sum(bins[c]["PASS"]) for c in names)
    foot = ["All", num(every), *(share(sum(up_to(c, limit) for c in names), every) for limit in limits)]
    heads = ["PASS, seen", "Alleles", *(f"at most {frequency(limit)}" for limit in limits)]
    beside = []
    if spectrum["unseen"]:
        beside.append(f"{num(spectrum['unseen'])} alleles have AC 0")
    if spectrum["without_frequency"]:
        beside.append(f"{num(spectrum['without_frequency'])} have no public frequency")
    return {
        "floor": disclosure["min_carriers"],
        "panels": [(kind, plots.histogram(f"afs-{kind.lower()}", kind, bins[kind], first)) for kind in names],
        "rare": Table(heads, rare_rows, range(1, len(heads)), "Share of rare alleles", foot),
        "not_drawn": " and ".join(beside),
        "spectrum": behind,
    }


def _filters(spectrum: Mapping, meanings: Mapping[str, str]) -> dict:
    counts: Mapping[str, int] = spectrum["filters"]
    known = [reason for reason in meanings if reason in counts]
    names = ["PASS", *known, *sorted(set(counts) - set(known) - {"PASS"})]
    alleles = sum(c["alleles"] for c in spectrum["contigs"].values())

    def meaning(reason: str) -> str:
        if reason == "PASS":
            return "All filters passed"
        rule_of_release = next((rule for rule in meanings if rule.lower() == reason.lower()), None)
        beside = (
            f"{OTHER_FILTER}, and not {rule_of_release}, a rule of this release" if rule_of_release else OTHER_FILTER
        )
        return meanings.get(reason, beside)

    most = max([n for reason, n in counts.items() if reason != "PASS"] + [1])
    bars = [
        (reason, [("f-accent", counts[reason])], f"{num(counts[reason])} · {share(counts[reason], alleles)}")
        for reason in names
        if reason != "PASS"
    ]
    words = "; ".join(f"{b[0]}: {b[2]}" for b in bars)
    rows = [
        [name(reason) + mute(meaning(reason)), num(counts.get(reason, 0)), share(counts.get(reason, 0), alleles)]
        for reason in names
    ]
    return {
        "bars": plots.bars("reasons", "Alleles by reason in FILTER", words, bars, most) if bars else None,
        "table": Table(["FILTER", "Alleles", "Share"], rows, (1, 2), "FILTER values"),
    }


def _counting(qc: Mapping) -> dict:
    k = qc.get("rounded_to", 1)
    reasons = qc["people"]["left_out_by_reason"]
    listed = [[name(reason), num(n)] for reason, n in reasons.items()]
    return {
        "multiples_of": k if k > 1 else None,
        "genotypes": qc["genotype_filter"],
        "sites": [_rule(words) for words in qc["variant_qc"]],
        "rules": _rules(qc["alleles_by_rule"]),
        "reasons": Table(["Reason", "People"], listed, (1,), "People left out by reason") if reasons else None,
        **_metrics(qc["metrics"]),
    }


def _rules(counts: Mapping[str, Mapping]) -> Table | None:
    """Alleles by rule, with those that it could not judge. counts: `site_rules.counts`."""
    if not counts:
        return None
    rows = []
    for rule, count in counts.items():
        why = "; ".join(f"{num(n)} {reason}" for reason, n in count["failed"].items() if n)
        words = mute(why) if len(count["failed"]) > 1 else ""
        numbers = (count["passed"], count["no_value"], sum(count["failed"].values()))
        rows.append([name(rule) + words, *map(num, numbers)])
    return Table(["Rule", "Passed", "No value", "Failed"], rows, (1, 2, 3), "Site alleles by rule")


def _metrics(found: Mapping[str, Mapping[str, Mapping]]) -> dict[str, Table | None]:
    """Quantiles of the people who are counted: everybody in sight, the countries behind; None where there are none."""
    names = list(quantiles.PERCENT)
    heads = ["Metric", "People", *(f"{p}\u202f%" if p != 50 else "Median" for p in quantiles.PERCENT.values())]

    def line(label: str, group_values: Mapping) -> list[str]:
        return [
            label,
            num(group_values["people"]),
            *(f"{group_values[key]:,.7g}" if key in group_values else "–" for key in names),
        ]

    total = [line(name(metric), groups[st.TOTAL]) for metric, groups in found.items() if st.TOTAL in groups]
    rows = [
        line(name(metric) + " " + country(group), group_values)
        for metric, groups in found.items()
        for group, group_values in groups.items()
        if group != st.TOTAL
    ]
    return {
        "everybody": Table(heads, total, range(1, 7), "Metrics of everybody") if total else None,
        "by_country": Table(heads, rows, range(1, 7), "By country") if rows else None,
    }


def _rule(words: str) -> str:
    """`HWE: text` with its name in front."""
    rule, colon, rest = words.partition(": ")
    return mono(rule) + " " + rest if colon and re.fullmatch(r"\w+", rule) else words


_CLASSES = {
    "carriers": "those who have the allele and those who do not",
    "genotypes": "those of each genotype: reference, heterozygous, homozygous, hemizygous",
}
_POLICIES = {
    "collapse": "Where a stratum of an allele fails this, the allele has its Total only.",
    "minimal": "Where a stratum of an allele fails this, its numbers are withheld, and as few others as are needed "
    "that nobody can work them out from sums and differences.",
}


def _disclosure(spectrum: Mapping, disclosure: Mapping) -> dict:
    k = disclosure["min_carriers"]
    cells = spectrum["cells"]
    alleles = sum(c["alleles"] for c in spectrum["contigs"].values())
    if k is None:
        return {"floor": None, "legal_basis": disclosure.get("legal_basis") or "not stated"}
    unpublished = disclosure["strata_not_published"]
    seen = spectrum["visibility"]
    names = {"all": "every stratum", "some": "some strata", "total": "Total only"}
    colours = {"all": "f-accent", "some": "f-some", "total": "rest"}
    parts = [(colours[v], seen[v]) for v in names]
    figures = {v: f"{names[v]} {share(seen[v], alleles)}" for v in names if seen[v]}
    title = "Released alleles by what is public of them"
    whole = [("Released alleles", parts, num(alleles))]
    public = [[names[v], num(seen[v]), share(seen[v], alleles)] for v in names]
    listed = [
        [country(s), num(c["shown"]), num(alleles - c["shown"]), share(alleles - c["shown"], alleles)]
        for s, c in cells.items()
    ]
    bars = [
        (s, [("f-accent", c["shown"])], f"{share(alleles - c['shown'], alleles)} withheld")
        for s, c in cells.items()
        if s != st.TOTAL
    ]
    words = "; ".join(f"{label}: {figure}" for label, _, figure in bars)
    apart = len({c["shown"] for s, c in cells.items() if s != st.TOTAL}) > 1
    least = disclosure.get("min_stratum_size")
    return {
        "floor": k,
        "policy": disclosure["policy"],
        "classes": _CLASSES[disclosure.get("protect", "carriers")],
        "what_it_does": _POLICIES.get(disclosure["policy"]),
        "withheld": _withheld(disclosure),
        "smallest": f" (fewer than {num(least)})" if least else "",
        "unpublished": _rounded(unpublished, k) if unpublished else "none",
        "multiples_of": num(disclosure["counts_beside_the_frequencies_rounded_to"]),
        "title": title,
        "bars": plots.bars("public", title, "; ".join(figures.values()), whole, max(alleles, 1)),
        "legend": [(colours[v], figures[v]) for v in figures],
        "table": Table(["Public", "Alleles", "Share"], public, (1, 2), title),
        "apart": plots.bars("cells", "Public cells by stratum", words, bars, alleles, named=True) if apart else None,
        "alike": bars[0][2] if bars else "",
        "cells": Table(["Stratum", "Public", "Withheld", "Withheld share"], listed, (1, 2, 3), "Cells by stratum"),
        "not_covered": disclosure.get("not_covered") or [],
    }


def _membership(membership: Mapping | None) -> dict:
    measured = [s for s in (membership or {}).get("strata", ()) if s["power"] is not None]
    if membership is None or not measured:
        return {"strata": []}
    rate = membership["false_positives"]
    tried = dict(CHANGES)
    strata = []
    for s in measured:
        rows = [("as published", "f-bad", s["power"])]
        rows.append(("if all sites were independent", "f-bad pale", s["power_if_all_sites_were_independent"]))
        rows += [(tried.get(key, key), "f-neither", value) for key, value in s["power_with"].items()]
        bars = [(test, [(cls, value)], percent(value)) for test, cls, value in rows if value is not None]
        caption = f"Members recognised, {s['stratum']}"
        words = "; ".join(f"{test}: {figure}" for test, _, figure in bars)
        strata.append(
            {
                "stratum": s["stratum"],
                "sites": num(s["sites_used"]),
                "people": num(s["people"]),
                "power": percent(s["power"]),
                "caption": caption,
                "bars": plots.bars("power", caption, words, bars, 1),
                "table": Table(["Test", "Share"], [[b[0], b[2]] for b in bars], (1,), caption),
            }
        )
    made = membership["simulated"]
    facts = [membership["test"], membership["sites"]]
    facts.append(f"simulated: {num(made['members'])} members, {num(made['non_members'])} others")
    return {
        "rate": percent(rate),
        "strata": strata,
        "note": ". ".join(f[:1].upper() + f[1:] for f in facts),
        "in_words": membership["in_words"],
    }


def _checks(checks: Sequence[Mapping]) -> dict:
    """Those that failed come first, those of the whole folder last."""
    failed, passed, later = ([c for c in checks if c["passed"] is outcome] for outcome in (False, True, None))
    made = len(failed) + len(passed)
    return {"failed": len(failed), "made": made, "later": len(later), "all": [*failed, *passed, *later]}


def _size(n: int) -> str:
    value, unit = float(n), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            break
        value /= 1000
    return f"{value:.0f}\u202f{unit}" if unit == "B" else f"{value:.3g}\u202f{unit}"


def _files(files: Sequence[Mapping], table: report_lookup.Table) -> dict:
    """Folders of many files are folded: (caption, table)."""
    groups: dict[str, list[Mapping]] = {}
    for file in sorted(files, key=lambda f: ("/" in f["path"], f["path"])):
        groups.setdefault(file["path"].rpartition("/")[0], []).append(file)
    heads = ["File", "Size", f"SHA-256, first {SHA_SHOWN}"]

    def line(file: Mapping) -> list[str]:
        digest = file["sha256"]
        digest_cell = (
            Markup('<code title="{}">{}</code>').format(digest, digest[:SHA_SHOWN]) if digest else "in manifest"
        )
        return [name(file["path"]), "" if file["size"] is None else _size(file["size"]), digest_cell]

    rows: list[list[str]] = []
    folded = []
    for folder, members in groups.items():
        if len(members) <= _FOLDED:
            rows += map(line, members)
            continue
        size = _size(sum(f["size"] or 0 for f in members))
        rows.append([name(f"{folder}/"), size, f"{num(len(members))} files"])
        caption = f"Files in {folder}/"
        folded.append((caption, Table(heads, list(map(line, members)), (1,), caption)))
    if not table.embedded:
        rows.append([name(f"{report_lookup.FOLDER}/"), "", f"{num(len(table.names()))} files of the look-up"])
    return {"table": Table(heads, rows, (1,), "Files of the release") if rows else None, "folded": folded}


def _cite(about: Mapping) -> str:
    who = about.get("publisher") or about["contact"]["fn"]
    words = f"{who} ({day(about['id']).year}). {about['title']}. Dataset {about['id']}, {about['build']}."
    licence = about.get("license")
    return f"{words} Licence: {licence}." if licence else words
