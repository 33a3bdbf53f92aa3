"""`report.html`: the release on one page that needs no network, for coordinators and data-protection officers.

`write` puts the page, and where the look-up table is too large for it the files beside it, into a release folder. The
page is made of plain facts that the release has anyway (dataset, QC and disclosure summaries), of a spectrum
(`report_spectrum`) and of the packed look-up table (`report_lookup`). Every text is escaped; plots are inline SVG with
title and description, each with its numbers in a table; a policy in the head (CSP) forbids the page every connection
and every script but its own.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from goe.core.errors import GoeError, Problem
from goe.disclosure.membership import CHANGES
from goe.frequencies import strata as st
from goe.pages import html
from goe.pages import svg as plots
from goe.pages.svg import EDGES, esc, frequency, num, percent, share
from goe.release import quantiles
from goe.release.report import lookup as report_lookup
from goe.release.report.spectrum import CLASSES, VERDICTS
from goe.release.texts import country_words
from goe.rules.dataset import DatasetId
from goe.rules.stratum import parse

NAME = "report.html"
OTHER_FILTER = "Filter of the input data"
SHA_SHOWN = 12
RARE = (0.001, 0.01, 0.05)
_FOLDED = 12

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
    lookups: Sequence[str | Path],
    contigs: Sequence[Mapping],
    filters: Mapping[str, str],
    membership: Mapping | None,
    checks: Sequence[Mapping],
    files: Sequence[Mapping],
    embed_up_to: int = report_lookup.EMBED_UP_TO,
) -> list[str]:
    """Write the page into a release folder; relative paths of what was written, the page first.

    lookups: files of `report_lookup.Writer`, contigs in release order. Other arguments as `page`. Files of an earlier
    look-up table in the folder are removed.
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
    membership: `membership.figure`, or None when none was made. checks: {name, passed, detail} each. files:
    {path, size, sha256} of the other files of the release; sha256 is None where two runs differ (encrypted files), and
    size too where a file is made after this page. The manifest has their digests.

    GoeError when the parts are not of one release.
    """
    _agree(spectrum, table, disclosure)
    sections = {
        "dataset": _dataset(about),
        "lookup": _lookup(table, contigs),
        "cohort": _cohort(about, spectrum, qc),
        "alleles": _alleles(spectrum, contigs),
        "frequencies": _frequencies(spectrum, disclosure),
        "filters": _filters(spectrum, filters),
        "counting": _counting(qc),
        "disclosure": _disclosure(spectrum, disclosure),
        "membership": _membership(membership),
        "checks": _checks(checks),
        "files": _files(files, table),
        "verify": _verify(about),
    }
    facts = report_lookup.facts(table, about, contigs) | {
        "filters": dict(filters),
        "other_filter": OTHER_FILTER,
        "open": disclosure["min_carriers"] is None,
    }
    css, script = (html.resource(f"report/{name}") for name in ("page.css", "page.js"))
    return html.page(
        head=f'<meta name="generator" content="{esc(about["made_with"])}">\n'
        f"<title>{esc(about['title'])} · {esc(about['id'])}</title>",
        css=css,
        script=script,
        header=_header(about, spectrum, disclosure, membership, checks),
        titles=_TITLES,
        sections=sections,
        footer=f"<p>{esc(about['title'])}, {html.mono(about['id'])}. Made with {esc(about['made_with'])}. "
        "This page is in the release it describes and is covered by its manifest. It loads nothing from a network "
        "and sends nothing.</p>",
        facts=facts,
        sources="" if table.embedded else _BESIDE,
        chunks="\n".join(
            f'<script type="text/plain" id="chunk-{esc(contig)}-{number}">{text}</script>'
            for contig, number, text in report_lookup.embedded(table)
        ),
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


def _country(stratum: str) -> str:
    """Code of a stratum with room for its name, which the browser knows."""
    return f'{html.mono(stratum)} <span class="mute" data-stratum="{esc(stratum)}"></span>'


def day(dataset_id: str) -> date:
    """Date of a dataset id, PREFIX-CC-ORG-YYYYMMDDHHMMSSmmm; GoeError when it has none."""
    try:
        return DatasetId.parse(dataset_id).date
    except (AttributeError, ValueError):
        raise GoeError(
            Problem("dataset.id", f"{dataset_id!r} has no date", "write PREFIX-CC-ORG-YYYYMMDDHHMMSSmmm")
        ) from None


def _long(when: date) -> str:
    months = "January February March April May June July August September October November December"
    return f"{when.day} {months.split()[when.month - 1]} {when.year}"


def _web(address: str | None) -> str:
    """A link when it is an address of the web, else the text."""
    if address and re.match(r"https?://", address):
        return f'<a href="{esc(address)}" rel="noreferrer">{esc(address)}</a>'
    return esc(address or "")


# ---- sections


def _header(
    about: Mapping, spectrum: Mapping, disclosure: Mapping, membership: Mapping | None, checks: Sequence[Mapping]
) -> str:
    alleles = sum(c["alleles"] for c in spectrum["contigs"].values())
    passed = sum(c["PASS"] for c in spectrum["contigs"].values())
    good = sum(bool(c["passed"]) for c in checks)
    k = disclosure["min_carriers"]
    if k is None:
        floor = ("Floor", "none", "an open release, on a legal basis")
    else:
        floor = ("Floor", f"{num(k)} people", f"policy {disclosure['policy']}")
    strata = len(spectrum["strata"])
    figures = [
        ("People", num(about["number_of_people"]), f"in {strata} {'stratum' if strata == 1 else 'strata'}"),
        ("Site alleles", num(alleles), f"{num(passed)} PASS, {share(passed, alleles)}"),
        floor,
        ("Withheld", _withheld(disclosure), "alleles, in no public file"),
        ("Membership test", *_power(membership)),
        ("Checks", f"{good} of {len(checks)}", "passed" if good == len(checks) else "passed: see below"),
    ]
    banner = '<p class="banner">Synthetic data: the people of this dataset are made up.</p>'
    return "\n".join(
        [
            f'<p class="eyebrow">{esc(about["prefix"])} · <span data-stratum="{esc(about["country"])}">'
            f"{esc(about['country'])}</span> · {esc(about['org'])} · {_long(day(about['id']))}</p>",
            banner if about.get("synthetic") else "",
            f"<h1>{esc(about['title'])}</h1>",
            '<p class="lede">Allele frequencies of a cohort of whole genomes, in aggregate, on '
            f"{esc(about['build'])}. No file of this release holds data of a single person.</p>",
            '<dl class="figures">'
            + "".join(f"<div><dt>{a}</dt><dd>{esc(b)}<small>{esc(c)}</small></dd></div>" for a, b, c in figures)
            + "</dl>",
        ]
    )


def _rounded(n: int, k: int | None) -> str:
    """A count that was rounded to a multiple of k."""
    return f"about {num(n)}" if n and k and k > 1 else num(n)


def _power(membership: Mapping | None) -> tuple[str, str]:
    total = next((s for s in (membership or {}).get("strata", ()) if s["stratum"] == st.TOTAL), None)
    if membership is None or total is None or total["power"] is None:
        return "–", "no figure was made"
    return percent(total["power"]), f"power, at {percent(membership['false_positives'])} false positives"


def _withheld(disclosure: Mapping) -> str:
    return _rounded(disclosure["alleles_withheld"], disclosure["min_carriers"])


def _dataset(about: Mapping) -> tuple[str, str]:
    contact = about["contact"]
    mail = f'<a href="mailto:{esc(contact["email"])}">{esc(contact["email"])}</a>'
    place = f"<br>{_web(contact['url'])}" if contact.get("url") else ""
    publisher = about.get("publisher")
    rows = [
        ("Title", esc(about["title"])),
        ("Dataset", html.mono(about["id"])),
        ("Date", _long(day(about["id"]))),
        ("Country", _country(about["country"])),
        ("Organisation", esc(about["org"]) + (f", published by {esc(publisher)}" if publisher else "")),
        ("Contact", f"{esc(contact['fn'])}, {mail}{place}"),
        ("Build", esc(about["build"])),
        ("Licence", _web(about.get("license")) or "not stated: ask the contact before use"),
        ("Keywords", esc(", ".join(about.get("keywords") or ()))),
        ("Made with", esc(about["made_with"])),
    ]
    listed = "".join(f"<dt>{a}</dt><dd>{b}</dd>" for a, b in rows if b)
    text = html.p(esc(about["description"]), "lead") if about.get("description") else ""
    return html.p("What this is, whose it is, and whom to ask."), f'{text}<dl class="facts">{listed}</dl>'


def _lookup(table: report_lookup.Table, contigs: Sequence[Mapping]) -> tuple[str, str]:
    names = [c["name"] for c in contigs]
    where = (
        "It is inside this page."
        if table.embedded
        else f"It is in the folder {html.mono(report_lookup.FOLDER + '/')} beside this page: keep the two together."
    )
    side = html.p(
        f"The whole released table: all {num(table.alleles)} alleles, PASS and filtered, with every public stratum. "
        + where
    ) + html.p("It works without a network, and what you type stays on your machine.")
    tries = []
    with_example = [i for i in table.indices if i["example"]]
    for index in with_example[:1]:
        pos, ref, alt = index["example"]
        length = next(c["length"] for c in contigs if c["name"] == index["contig"])
        allele = f"{index['contig']}-{pos}-{ref}-{alt}"
        short = f"{index['contig'].removeprefix('chr')}:{pos} {ref}>{alt}"
        region = f"{index['contig']}:{pos:,}-{min(length, pos + 10_000):,}"
        tries = [f'<a href="#q={_address(q)}">{esc(q)}</a>' for q in (allele, short, region) if len(q) < 60]
    first = f"{names[0]}-12345-A-G or {names[0]}:12,000-13,000"
    body = (
        '<div class="search"><form id="ask" role="search"><label class="hide" for="query">Allele or region</label>'
        f'<input id="query" type="search" placeholder="{esc(first)}" autocomplete="off" autocapitalize="off" '
        'spellcheck="false" enterkeyhint="search"><button type="submit">Look up</button></form>'
        + (f'<p class="tries"><span>For example</span> {" ".join(tries)}</p>' if tries else "")
        + '<noscript><p class="note">The look-up needs JavaScript.</p></noscript>'
        '<div id="answer" aria-live="polite"></div></div>'
    )
    return side, body


def _address(query: str) -> str:
    """Percent-encoding of everything but letters, digits, hyphen and full stop."""
    return re.sub(r"[^A-Za-z0-9.-]", lambda m: "".join(f"%{b:02X}" for b in m[0].encode()), query)


def _cohort(about: Mapping, spectrum: Mapping, qc: Mapping) -> tuple[str, str]:
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
                _country(group),
                num(people[group]),
                *(num(n) if n is not None else "–" for n in (male, female)),
                num(left) if split else "",
                num(spectrum["cells"][group]["seen"]),
            ]
        )
    heads = ["Stratum", "People", "Male", "Female", "Neither", "Alleles seen"]
    behind = html.table(heads, rows, numbers=(1, 2, 3, 4, 5), caption="People by stratum")
    legend = [("f-male", "male"), ("f-female", "female")] if any_sex else []
    legend += [("f-neither", "in neither: sex unknown, or not XX or XY")] if any_rest else []
    figure = html.figure(
        "People in the published strata",
        "",
        plots.bars(
            "people",
            "People by country and sex",
            "; ".join(f"{name}: {figure}" for name, _, figure in bars),
            bars,
            whole,
            named=True,
        ),
        behind + html.p("Alleles seen: those whose numbers are public for the stratum, with AC above 0.", "note"),
        plots.legend(legend) if legend else "",
    )
    side = html.p(esc(country_words(about))) + html.p(
        "People in neither sex count in the total and in their country on autosomes, pseudo-autosomal regions and M."
    )
    k = qc.get("rounded_to", 1)
    sheet = qc["people"]
    words = html.p(
        f"On the sheet {_rounded(sheet['on_the_sheet'], k)} people, kept {num(sheet['kept'])}, left out "
        f"{_rounded(sheet['left_out'], k)}, for the reasons under <a href='#counting'>quality control</a>.",
        "lead",
    )
    return side, words + figure


def _alleles(spectrum: Mapping, contigs: Sequence[Mapping]) -> tuple[str, str]:
    classes = spectrum["classes"]
    whole = max([sum(c.values()) for c in classes.values()] + [1])
    bars = [
        (
            name,
            [(f"f-{name.lower()}", c["PASS"]), (f"f-{name.lower()} pale", c["filtered"])],
            f"{num(c['PASS'])} PASS · {num(c['filtered'])} filtered",
        )
        for name, c in classes.items()
    ]
    total = {v: sum(c[v] for c in classes.values()) for v in VERDICTS}
    rows = [
        [
            esc(name),
            num(c["PASS"]),
            num(c["filtered"]),
            num(sum(c.values())),
            share(c["PASS"], sum(c.values())),
        ]
        for name, c in classes.items()
    ]
    heads = ["Class", "PASS", "Filtered", "Both", "PASS share"]
    numbers = (1, 2, 3, 4)
    alleles = sum(total.values())
    foot = ["All", num(total["PASS"]), num(total["filtered"]), num(alleles), share(total["PASS"], alleles)]
    figure = html.figure(
        "Site alleles by class",
        "Full colour: PASS. Pale: filtered.",
        plots.bars("classes", "Site alleles by class", "; ".join(f"{b[0]}: {b[2]}" for b in bars), bars, whole),
        html.table(heads, rows, numbers, "Site alleles by class", foot),
    )
    ratios = []
    if spectrum["transversions"]:
        value = spectrum["transitions"] / spectrum["transversions"]
        ratios.append(f"Transitions over transversions among PASS SNVs: <b>{value:.2f}</b>.")
    if classes["deletion"]["PASS"]:
        value = classes["insertion"]["PASS"] / classes["deletion"]["PASS"]
        ratios.append(f"PASS insertions over deletions: <b>{value:.2f}</b>.")
    counted = spectrum["contigs"]
    both = [(c["name"], counted.get(c["name"], {"alleles": 0, "PASS": 0})) for c in contigs]
    by_contig = html.table(
        ["Contig", "PASS", "Filtered", "Both"],
        [[esc(name), num(c["PASS"]), num(c["alleles"] - c["PASS"]), num(c["alleles"])] for name, c in both],
        (1, 2, 3),
        "Site alleles by contig",
    )
    side = html.p("One row per alternate allele, atomised, trimmed and left-aligned.") + html.p(
        "Complex: several bases become several others, and it is not a plain insertion or deletion."
    )
    more = html.p(" ".join(ratios)) if ratios else ""
    return side, figure + more + html.details("By contig", by_contig)


def _frequencies(spectrum: Mapping, disclosure: Mapping) -> tuple[str, str]:
    bins = spectrum["bins"]
    sums = [sum(bins[c][v][i] for c in CLASSES for v in VERDICTS) for i in range(len(EDGES))]
    # From the decade of the rarest allele, so that the axis starts at a round number.
    lowest = next((i for i, n in enumerate(sums) if n), len(EDGES) - 1)
    first = max(0, lowest - (lowest - 1) % 3)
    names = [c for c in CLASSES if any(map(sum, bins[c].values()))]
    panels = "".join(
        f"<figure><figcaption>{esc(name)}</figcaption>{plots.histogram(f'afs-{name.lower()}', name, bins[name], first)}"
        "</figure>"
        for name in names
    )
    heads = ["Frequency", *(f"{esc(n)} {v}" for n in names for v in VERDICTS)]
    rows = [
        [
            f"{frequency(EDGES[i - 1]) if i else '0'} to {frequency(EDGES[i])}",
            *(num(bins[n][v][i]) for n in names for v in VERDICTS),
        ]
        for i in range(first, len(EDGES))
    ]
    behind = html.table(heads, rows, range(1, len(heads)), "Alleles by frequency and class; upper ends included")

    def up_to(name: str, limit: float) -> int:
        return sum(n for n, edge in zip(bins[name]["PASS"], EDGES, strict=True) if edge <= limit)

    rare_rows = []
    for name in names:
        n = sum(bins[name]["PASS"])
        rare_rows.append([esc(name), num(n), *(share(up_to(name, limit), n) for limit in RARE)])
    every = sum(sum(bins[c]["PASS"]) for c in names)
    foot = ["All", num(every), *(share(sum(up_to(c, limit) for c in names), every) for limit in RARE)]
    heads = ["PASS, seen", "Alleles", *(f"at most {frequency(limit)}" for limit in RARE)]
    rare = html.table(heads, rare_rows, range(1, len(heads)), "Share of rare alleles", foot)
    k = disclosure["min_carriers"]
    cut = "" if k is None else f" Alleles with fewer than {num(k)} carriers are withheld: the left end is cut by that."
    beside = []
    if spectrum["unseen"]:
        beside.append(f"{num(spectrum['unseen'])} alleles have AC 0")
    if spectrum["without_frequency"]:
        beside.append(f"{num(spectrum['without_frequency'])} have no public frequency")
    not_drawn = html.p(f"Not drawn: {' and '.join(beside)}.", "note") if beside else ""
    side = html.p("Of the alternate allele in Total, from public numbers only." + cut) + html.p(
        "Each class has its own scale. Full colour: PASS. Pale: filtered."
    )
    if not names:
        return side, html.p("No allele of this release has a public frequency above 0.")
    body = f'{rare}<div class="panels">{panels}</div>{not_drawn}{html.details("The spectrum as a table", behind)}'
    return side, body


def _filters(spectrum: Mapping, meanings: Mapping[str, str]) -> tuple[str, str]:
    counts: Mapping[str, int] = spectrum["filters"]
    known = [name for name in meanings if name in counts]
    names = ["PASS", *known, *sorted(set(counts) - set(known) - {"PASS"})]
    alleles = sum(c["alleles"] for c in spectrum["contigs"].values())

    def meaning(name: str) -> str:
        return "All filters passed" if name == "PASS" else meanings.get(name, OTHER_FILTER)

    most = max([n for name, n in counts.items() if name != "PASS"] + [1])
    bars = [
        (name, [("f-accent", counts[name])], f"{num(counts[name])} · {share(counts[name], alleles)}")
        for name in names
        if name != "PASS"
    ]
    words = "; ".join(f"{b[0]}: {b[2]}" for b in bars)
    drawn = plots.bars("reasons", "Alleles by reason in FILTER", words, bars, most) if bars else ""
    behind = html.table(
        ["FILTER", "Alleles", "Share"],
        [
            [
                f'{html.name(name)}<span class="mute">{esc(meaning(name))}</span>',
                num(counts.get(name, 0)),
                share(counts.get(name, 0), alleles),
            ]
            for name in names
        ],
        (1, 2),
        "FILTER values",
    )
    side = html.p(
        "Use the alleles that are PASS. The others are in the release with the reasons not to use them."
    ) + html.p("An allele with several reasons counts in each.")
    figure = f"<figure><figcaption>Reasons in FILTER</figcaption>{drawn}</figure>" if drawn else ""
    return side, figure + behind


def _counting(qc: Mapping) -> tuple[str, str]:
    people = qc["people"]
    k = qc.get("rounded_to", 1)
    reasons = people["left_out_by_reason"]
    if reasons:
        body = html.table(
            ["Reason", "People"],
            [[html.name(name), num(n)] for name, n in reasons.items()],
            (1,),
            "People left out by reason",
        )
        rounding = f" Counts are rounded to multiples of {num(k)} and never to 0." if k > 1 else ""
        body = html.p(f"People left out, by reason; somebody with several counts under the first.{rounding}") + body
    else:
        body = html.p("Nobody was left out.")
    side = html.p("Genotypes are tested before anything is split. One that fails is missing.") + html.p(
        "What every rule does is in README.md, every field in dictionary/."
    )
    return side, (
        f"<h3>Genotypes</h3>{html.bullets(map(esc, qc['genotype_filter']))}"
        f"<h3>Sites</h3>{html.bullets(map(_rule, qc['variant_qc']))}{_rules(qc['alleles_by_rule'], k)}"
        f"<h3>People</h3>{body}{_metrics(qc)}"
    )


def _rules(counts: Mapping[str, Mapping], k: int) -> str:
    """Alleles by rule, with those that it could not judge. counts: `site_rules.counts`."""
    if not counts:
        return ""
    rounding = f" Counts are rounded to multiples of {num(k)} and never to 0." if k > 1 else ""
    rows = []
    for name, count in counts.items():
        why = [f"{num(n)} {esc(reason)}" for reason, n in count["failed"].items() if n]
        words = f'<span class="mute">{"; ".join(why)}</span>' if len(count["failed"]) > 1 else ""
        numbers = (count["passed"], count["no_value"], sum(count["failed"].values()))
        rows.append([html.name(name) + words, *map(num, numbers)])
    return html.p(
        f"What each rule made of the alleles that were counted, also of those not released.{rounding}"
    ) + html.table(["Rule", "Passed", "No value", "Failed"], rows, (1, 2, 3), "Site alleles by rule")


def _metrics(qc: Mapping) -> str:
    """Quantiles of the people who are counted: everybody in sight, the countries behind."""
    found = qc["metrics"]
    if not found:
        return ""
    names = list(quantiles.PERCENT)
    heads = ["Metric", "People", *(f"{p}\u202f%" if p != 50 else "Median" for p in quantiles.PERCENT.values())]

    def line(name: str, said: Mapping) -> list[str]:
        return [name, num(said["people"]), *(f"{said[key]:,.7g}" if key in said else "–" for key in names)]

    k = qc.get("rounded_to", 1)
    rule = f" A quantile has at least {num(k)} people on either side." if k > 1 else ""
    body = "<h3>Metrics of the people</h3>" + html.p(f"Of those who are counted and have a value.{rule}")
    total = [line(html.name(metric), groups[st.TOTAL]) for metric, groups in found.items() if st.TOTAL in groups]
    if total:
        body += html.table(heads, total, range(1, 7), "Metrics of everybody")
    rows = [
        line(f"{html.name(metric)} {_country(group)}", said)
        for metric, groups in found.items()
        for group, said in groups.items()
        if group != st.TOTAL
    ]
    return body + (html.details("By country", html.table(heads, rows, range(1, 7), "By country")) if rows else "")


def _rule(words: str) -> str:
    """`HWE: text` with its name in front."""
    name, colon, rest = words.partition(": ")
    return f"{html.mono(name)} {esc(rest)}" if colon and re.fullmatch(r"\w+", name) else esc(words)


_CLASSES = {
    "carriers": "those who have the allele and those who do not",
    "genotypes": "those of each genotype: reference, heterozygous, homozygous, hemizygous",
}
_POLICIES = {
    "collapse": "Where a stratum of an allele fails this, the allele has its Total only.",
    "minimal": "Where a stratum of an allele fails this, its numbers are withheld, and as few others as are needed "
    "that nobody can work them out from sums and differences.",
}


def _disclosure(spectrum: Mapping, disclosure: Mapping) -> tuple[str, str]:
    k = disclosure["min_carriers"]
    side = html.p("What is not shown is withheld. It is not 0.")
    cells = spectrum["cells"]
    alleles = sum(c["alleles"] for c in spectrum["contigs"].values())
    if k is None:
        basis = disclosure.get("legal_basis") or "not stated"
        words = html.p("This release is open: every count is published and none is rounded.", "lead")
        return side, f"{words}<p>Legal basis</p><blockquote><p>{esc(basis)}</p></blockquote>"
    unpublished = disclosure["strata_not_published"]
    hidden = _rounded(unpublished, k) if unpublished else "none"
    least = disclosure.get("min_stratum_size")
    smallest = f" (fewer than {num(least)})" if least else ""
    words = html.p(
        f"Policy {html.mono(disclosure['policy'])}: every group of people behind a public number is nobody or at least "
        f"<b>{num(k)} people</b>, {_CLASSES[disclosure.get('protect', 'carriers')]}.",
        "lead",
    ) + html.bullets(
        [
            *([esc(_POLICIES[disclosure["policy"]])] if disclosure["policy"] in _POLICIES else []),
            f"An allele that fails it in Total is in no public file. Alleles withheld: {esc(_withheld(disclosure))}.",
            f"Strata with too few people{smallest} are not published: {hidden}.",
            f"Counts beside the frequencies are rounded to multiples of "
            f"{num(disclosure['counts_beside_the_frequencies_rounded_to'])}, and never to 0.",
        ]
    )
    seen = spectrum["visibility"]
    names = {"all": "every stratum", "some": "some strata", "total": "Total only"}
    colours = {"all": "f-accent", "some": "f-some", "total": "rest"}
    parts = [(colours[v], seen[v]) for v in names]
    figures = {v: f"{names[v]} {share(seen[v], alleles)}" for v in names if seen[v]}
    whole = html.figure(
        "Released alleles by what is public of them",
        "",
        plots.bars(
            "public",
            "Released alleles by what is public of them",
            "; ".join(figures.values()),
            [("Released alleles", parts, num(alleles))],
            max(alleles, 1),
        ),
        html.table(
            ["Public", "Alleles", "Share"],
            [[names[v], num(seen[v]), share(seen[v], alleles)] for v in names],
            (1, 2),
            "Released alleles by what is public of them",
        ),
        plots.legend((colours[v], figures[v]) for v in figures),
    )
    listed = html.table(
        ["Stratum", "Public", "Withheld", "Withheld share"],
        [
            [_country(s), num(c["shown"]), num(alleles - c["shown"]), share(alleles - c["shown"], alleles)]
            for s, c in cells.items()
        ],
        (1, 2, 3),
        "Cells by stratum",
    )
    bars = [
        (s, [("f-accent", c["shown"])], f"{share(alleles - c['shown'], alleles)} withheld")
        for s, c in cells.items()
        if s != st.TOTAL
    ]
    by_stratum = ""
    if len({c["shown"] for s, c in cells.items() if s != st.TOTAL}) > 1:
        text = "; ".join(f"{label}: {figure}" for label, _, figure in bars)
        drawn = plots.bars("cells", "Public cells by stratum", text, bars, alleles, named=True)
        by_stratum = html.figure("Cells by stratum", "The coloured part is public, the rest withheld.", drawn, listed)
    elif bars:
        by_stratum = html.p(
            f"Every stratum but Total has its numbers at equally many alleles: {bars[0][2]}."
        ) + html.details("Cells by stratum", listed)
    left = disclosure.get("not_covered") or []
    rest = f"<h3>What this does not cover</h3>{html.bullets(map(esc, left))}" if left else ""
    return side, words + whole + by_stratum + rest


def _membership(membership: Mapping | None) -> tuple[str, str]:
    side = html.p("Whether somebody who has a person's genome can tell that the person is in the cohort.")
    stop = "No floor on counts stops this for somebody whose genotypes are known."
    told = [s for s in (membership or {}).get("strata", ()) if s["power"] is not None]
    if membership is None or not told:
        return side, html.p(f"{stop} No figure was made for this release.", "lead")
    rate = membership["false_positives"]
    words = "".join(
        html.p(
            f"{html.mono(s['stratum'])}: with the frequencies of {num(s['sites_used'])} sites far apart, the best test "
            f"recognises <b>{percent(s['power'])}</b> of the {num(s['people'])} people, when it takes {percent(rate)} "
            "of others for members.",
            "lead",
        )
        for s in told
    )
    tried = dict(CHANGES)
    figures = []
    for i, s in enumerate(told):
        rows = [("as published", "f-bad", s["power"])]
        rows.append(("if all sites were independent", "f-bad pale", s["power_if_all_sites_were_independent"]))
        rows += [(tried.get(key, key), "f-neither", value) for key, value in s["power_with"].items()]
        bars = [(name, [(cls, value)], percent(value)) for name, cls, value in rows if value is not None]
        caption = f"Members recognised, {s['stratum']}"
        behind = html.table(["Test", "Share"], [[esc(b[0]), b[2]] for b in bars], (1,), caption)
        if i:
            figures.append(html.details(caption, behind))
            continue
        text = "; ".join(f"{name}: {figure}" for name, _, figure in bars)
        note = f"At {percent(rate)} false positives. Grey: what the same test finds after a change of the release."
        figures.append(html.figure(caption, note, plots.bars("power", caption, text, bars, 1), behind))
    facts = [membership["test"], membership["sites"]]
    made = membership["simulated"]
    facts.append(f"simulated: {num(made['members'])} members, {num(made['non_members'])} others")
    note = html.p(f"{esc('. '.join(f[:1].upper() + f[1:] for f in facts))}.", "note")
    more = html.details("The figure in words", html.bullets(map(esc, membership["in_words"])))
    return side, words + html.p(stop) + "".join(figures) + note + more


def _checks(checks: Sequence[Mapping]) -> tuple[str, str]:
    side = html.p("Made on the finished files before this page was written.") + html.p(
        "Whoever receives the folder can make them again: see <a href='#verify'>below</a>."
    )
    if not checks:
        return side, html.p("No check was made.", "lead")
    failed = [c for c in checks if not c["passed"]]
    head = (
        html.p(f"{len(failed)} of {len(checks)} checks failed: do not use this release.", "lead")
        if failed
        else html.p(f"All {len(checks)} checks passed.", "lead")
    )
    items = []
    for check in [*failed, *(c for c in checks if c["passed"])]:
        mark = '<span class="ok">passed</span>' if check["passed"] else '<span class="fail">failed</span>'
        detail = f'<span class="mute">{esc(check["detail"])}</span>' if check.get("detail") else ""
        items.append(f"<li>{mark}<span>{esc(check['name'])}{detail}</span></li>")
    return side, f'{head}<ul class="checks">{"".join(items)}</ul>'


def _size(n: int) -> str:
    value, unit = float(n), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            break
        value /= 1000
    return f"{value:.0f}\u202f{unit}" if unit == "B" else f"{value:.3g}\u202f{unit}"


def _files(files: Sequence[Mapping], table: report_lookup.Table) -> tuple[str, str]:
    groups: dict[str, list[Mapping]] = {}
    for file in sorted(files, key=lambda f: ("/" in f["path"], f["path"])):
        groups.setdefault(file["path"].rpartition("/")[0], []).append(file)
    heads = ["File", "Size", f"SHA-256, first {SHA_SHOWN}"]

    def line(file: Mapping) -> list[str]:
        digest = file["sha256"]
        told = f'<code title="{esc(digest)}">{esc(digest[:SHA_SHOWN])}</code>' if digest else "in manifest"
        return [html.name(file["path"]), "" if file["size"] is None else _size(file["size"]), told]

    rows, folded = [], []
    for folder, members in groups.items():
        if len(members) <= _FOLDED:
            rows += map(line, members)
            continue
        size = _size(sum(f["size"] or 0 for f in members))
        rows.append([html.name(f"{folder}/"), size, f"{num(len(members))} files"])
        folded.append(
            html.details(f"Files in {folder}/", html.table(heads, map(line, members), (1,), f"Files in {folder}/"))
        )
    if not table.embedded:
        rows.append([html.name(f"{report_lookup.FOLDER}/"), "", f"{num(len(table.names()))} files of the look-up"])
    listed = html.table(heads, rows, (1,), "Files of the release") if rows else html.p("There is no other file.")
    return html.p("Whole digests are in MANIFEST.sha256, with that of this page."), listed + "".join(folded)


def _verify(about: Mapping) -> tuple[str, str]:
    who = about.get("publisher") or about["contact"]["fn"]
    cite = f"{who} ({day(about['id']).year}). {about['title']}. Dataset {about['id']}, {about['build']}."
    licence = about.get("license")
    cite += f" Licence: {licence}." if licence else ""
    side = html.p("A folder is whole when every file is listed and every digest agrees.")
    return side, (
        "<h3>Verify</h3><p>In the release folder, on Linux or on a Mac:</p>"
        "<pre>sha256sum -c MANIFEST.sha256\nshasum -a 256 -c MANIFEST.sha256</pre>"
        "<p>With goe also schemas, invariants, disclosure audit and agreement of all formats:</p>"
        "<pre>goe check .</pre>"
        f"<h3>Cite</h3><blockquote><p>{esc(cite)}</p></blockquote>"
        + html.p(
            "Add up several releases by AC and AN, never by averaging AF. An allele that is absent here has no AN "
            "here: do not take it as AC 0.",
            "note",
        )
    )
