"""`collection.html`: the collection for people, made of its two descriptions alone, so that it can be made again."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from markupsafe import Markup

from goe.collect.comparison import flags, lookup
from goe.collect.comparison.partial import AC_EDGES, KNOWN
from goe.collect.merge import STATES
from goe.core import tables
from goe.core.resources import RESOURCES
from goe.genome import hgvs
from goe.pages import charts, html, packed, svg
from goe.pages.html import Table, country, mono, mute, name
from goe.pages.svg import EDGES, num, percent
from goe.release.restricted import LEVEL
from goe.rules.stratum import TOTAL

NAME = "collection.html"
TILES = RESOURCES / "collection" / "europe.tsv"
TITLES = {
    "lookup": "Allele on the map",
    "datasets": "Datasets",
    "flags": "Laboratory",
    "known": "What is known",
    "spectrum": "Frequency spectrum",
    "sharing": "Sharing",
    "distance": "Distance",
    "differences": "Differences",
    "method": "Method",
}
_SHOWN = 12
_KNOWN = {
    "seen": "seen",
    "absent": "absent",
    "seen_in_bounds": "seen, number in bounds",
    "may_be_there": "withheld: may be there",
    "unknown": "unknown",
}
_COLOURS = ("f-accent", "f-accent pale", "f-insertion", "f-deletion", "rest")
_STATUS = {
    "n_datasets": "listed",
    "n_absent": "absent, and callable",
    "n_floor": "not listed, under its floor",
    "n_filtered": "filtered there",
    "n_not_callable": "nobody callable",
    "n_unknown": "not listed, which says nothing",
}
_FAULTS = {
    flags.ORIGIN: (
        "One origin, two datasets",
        "People of one country of origin have another frequency in another dataset (Cochran-Mantel-Haenszel).",
    ),
    flags.ONLY_HERE: (
        "Common here, nowhere else",
        "Common in one dataset; no other lists it or has it filtered, though many alleles are callable there.",
    ),
    flags.FILTERED_THERE: (
        "PASS here, filtered there",
        "Common and PASS in one dataset, and filtered in another.",
    ),
    flags.GENOTYPES: (
        "Genotypes out of balance",
        "Far from Hardy-Weinberg proportions in one dataset, and in no other.",
    ),
}


@cache
def _tiles() -> tuple[tuple[str, int, int], ...]:
    """Countries on a grid that has them about where a map has: code, column, row."""
    return tuple((r["country_code"], int(r["column"]), int(r["row"])) for r in tables.read(TILES))


def make(about: Mapping, compared: Mapping) -> str:
    """The page. about: metadata/collection.json; said: comparison/statistics.json."""
    strata = lookup.strata(about["strata"])
    short = _short(about)
    return html.page(
        "collection.html.j2",
        ("report/page.css", "collection/page.css"),
        ("report/lookup.js", "collection/page.js"),
        "'self' file:",
        titles=TITLES,
        facts=_facts(about, compared, strata),
        about=about,
        restricted=about["level"] == LEVEL,
        figures=_figures(about, compared),
        example="-".join(map(str, compared["example"])) if compared["example"] else "",
        datasets=_datasets(about, short),
        refused=[(one["name"], [p["what"] for p in one["problems"]]) for one in about["refused"]],
        side_by_side=_side_by_side(about),
        known=_known(compared),
        known_key=KNOWN_KEY,
        floors=_floors(compared),
        spectra=_spectra(compared),
        sharing=_sharing(compared, short),
        distance=_distance(compared, short),
        differences=_differences(compared),
        flags=_flags(compared, short),
        thresholds=compared["thresholds"],
    )


def _facts(about: Mapping, compared: Mapping, strata: Sequence[str]) -> dict:
    lengths = {c["name"]: c["length"] for c in about["contigs"]}
    contigs = [
        {
            "name": index["contig"],
            "length": lengths[index["contig"]],
            "accession": hgvs.accession(about["build"], index["contig"], lengths[index["contig"]]),
            "chunks": index["chunks"],
        }
        for index in compared["page"]
    ]
    letters = {chr(letter): _STATUS[key] for key, letter in STATES.items()}
    datasets = [{"name": s["name"], "country": s["country"]} for s in about["sources"]]
    return {
        "kind": "collection",
        "owner": about["id"],
        "folder": lookup.FOLDER,
        "chunks_per_file": packed.CHUNKS_PER_FILE,
        "strata": [{"name": s, "people": about["strata"][s]} for s in strata],
        "contigs": contigs,
        "tiles": _tiles(),
        "status": letters,
        "datasets": datasets,
    }


def _figures(about: Mapping, compared: Mapping) -> list[tuple[str, str, str]]:
    exact, every = about["number_of_exact_records"], about["number_of_records"]
    countries = len(compared["countries"]["units"])
    least = "at least, " if about["strata_at_least"] else ""
    marked = sum(compared["flags"]["counts"].values())
    return [
        ("Datasets", num(len(about["sources"])), f"{num(len(about['refused']))} refused"),
        ("Countries of origin", num(countries), "of the people counted"),
        ("People", num(about["strata"][TOTAL]), f"{least}as the datasets tell"),
        ("Alleles", num(every), f"{percent(exact / every) if every else '–'} of the sums exact"),
        ("Flags", num(marked), "that look like a laboratory"),
    ]


# ---- who is in it


def _plain(value: object) -> str:
    if value is None or value in ("", [], {}):
        return "–"
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {_plain(v)}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return str(value)


def _short(about: Mapping) -> dict[str, str]:
    """Name of a dataset -> how plots and flags call it; a country is called by itself."""
    return {s["name"]: f"{s['country']} {s['number']}" for s in about["sources"]}


def _datasets(about: Mapping, short: Mapping[str, str]) -> Table:
    rows = []
    for s in about["sources"]:
        people = f"{'at least ' if s['people_at_least'] else ''}{num(s['people'][TOTAL])}"
        counted = [num(s["alleles"][key]) for key in ("n_datasets", "n_absent", "n_floor")]
        away = num(sum(s["alleles"][key] for key in ("n_filtered", "n_not_callable", "n_unknown")))
        head = name(s["name"]) + mute(f"{short[s['name']]}: {s['kind']}, counted by {s['counted_by']}")
        rows.append([head, country(s["country"]), people, *counted, away])
    heads = ["Dataset", "Country", "People", "Listed", "Absent, callable", "Under the floor", "Not counted"]
    return Table(heads, rows, (2, 3, 4, 5, 6), "Datasets and the alleles of the collection")


_SIDE = ("min_carriers", "policy", "protect", "caller", "site_filters", "made_with", "date", "legal_basis")
_WORDS = {"min_carriers": "floor, people", "site_filters": "site filters", "made_with": "made with"}


def _side_by_side(about: Mapping) -> Table:
    """What may differ, a column a dataset; rows in which all are the same are left out but for the floor."""
    sources = about["sources"]
    rows = []
    for key in _SIDE:
        cells = [_plain(s["differs"].get(key)) for s in sources]
        if key == "min_carriers" or len(set(cells)) > 1:
            rows.append([_WORDS.get(key, key.replace("_", " ")), *cells])
    rows.append(["not said", *(_plain([t.replace("_", " ") for t in s["not_said"]]) for s in sources)])
    return Table(["", *(s["name"] for s in sources)], rows, (), "What differs between the datasets")


# ---- statistics


def _known(compared: Mapping) -> list[dict]:
    out = []
    for key, words in (("countries", "Countries of origin"), ("datasets", "Datasets")):
        units = compared[key]["units"]
        whole = max([sum(u["alleles"].values()) for u in units], default=1)
        bars, rows = [], []
        for unit in units:
            counts = [unit["alleles"][k] for k in KNOWN]
            every = max(1, sum(counts))
            exact = (counts[0] + counts[1]) / every
            bars.append((unit["name"], list(zip(_COLOURS, counts, strict=True)), f"{percent(exact)} exact"))
            private, single = unit["private"], unit["singletons"]
            cells = [_range(private["at_least"], private["at_most"]), num(single["all"])]
            cells.append(_range(single["private_at_least"], single["private_at_most"]))
            rows.append([_unit(key, unit["name"]), *map(num, counts), *cells])
        heads = ["", *(_KNOWN[k] for k in KNOWN), "private", "singletons", "private singletons"]
        title = f"{words}: what is known of each allele"
        caption = "; ".join(f"{label}: {figure}" for label, _, figure in bars)
        plot = svg.bars(f"known-{key}", title, caption, bars, whole, named=key == "countries")
        out.append({"title": title, "plot": plot, "table": Table(heads, rows, range(1, len(heads)), title)})
    return out


KNOWN_KEY = [(cls, _KNOWN[k]) for cls, k in zip(_COLOURS, KNOWN, strict=True)]


def _unit(key: str, unit: str) -> Markup:
    return country(unit) if key == "countries" else mono(unit)


def _range(low: int, high: int) -> str:
    return num(low) if low == high else f"{num(low)} to {num(high)}"


def _floors(compared: Mapping) -> list[str]:
    out = []
    for f in compared["floors"]:
        words = (
            f"{f['name']} has a floor of {f['min_carriers']} people: its spectrum starts there, and of "
            f"{num(f['withheld_or_absent'])} alleles it does not say whether anybody carries them."
        )
        hidden = f["open_datasets"]
        if hidden["of"]:
            words += f" Of the alleles of datasets without a floor it would hide at least {percent(hidden['share'])}."
        out.append(words)
    return out


def _spectra(compared: Mapping) -> dict:
    panels = []
    for key in ("countries", "datasets"):
        units = compared[key]["units"]
        sums = [sum(sum(u["by_af"][c][i] for c in u["by_af"]) for u in units) for i in range(len(EDGES))]
        lowest = next((i for i, n in enumerate(sums) if n), len(EDGES) - 1)
        first = max(0, lowest - (lowest - 1) % 3)
        for n, unit in enumerate(units):
            layers = [("f-snv", unit["by_af"]["SNV"][first:]), ("f-deletion", unit["by_af"]["other"][first:])]
            every = sum(sum(v) for v in unit["by_af"].values())
            smallest = unit["smallest_ac_at_most"]
            words = f"{num(every)} alleles seen, number known"
            # Bins of more than one AC say where the smallest is at most.
            words += f"; smallest AC {'' if smallest <= 5 else 'at most '}{num(smallest)}" if smallest else ""
            plot = charts.columns(f"afs-{key}-{n}", f"Spectrum of {unit['name']}", words, EDGES[first:], layers)
            panels.append({"kind": key, "name": unit["name"], "words": words, "plot": plot})
    countries = compared["countries"]["units"]
    heads = ["AC", *(u["name"] for u in countries)]
    rows = []
    for i, edge in enumerate((*AC_EDGES, None)):
        counts = [sum(u["by_ac"][c][i] for c in u["by_ac"]) for u in countries]
        if any(counts):
            low = AC_EDGES[i - 1] + 1 if i else 1
            label = (
                f"above {num(AC_EDGES[-1])}"
                if edge is None
                else num(edge)
                if low == edge
                else f"{num(low)} to {num(edge)}"
            )
            rows.append([label, *map(num, counts)])
    return {"panels": panels, "table": Table(heads, rows, range(1, len(heads)), "Alleles by AC")}


def _several(compared: Mapping) -> Iterator[tuple[str, str, Mapping, list[str]]]:
    """Key, words, statistics and names of countries, and of datasets, where there are two or more."""
    for key, words in (("countries", "countries of origin"), ("datasets", "datasets")):
        names = [unit["name"] for unit in compared[key]["units"]]
        if len(names) > 1:
            yield key, words, compared[key], names


def _sharing(compared: Mapping, short: Mapping[str, str]) -> list[dict]:
    out = []
    for key, words, part, names in _several(compared):
        labels = [short.get(n, n) for n in names]
        found = {(row["of"], row["in"]): row for row in part["sharing"]}
        for which, what in (("all", "Alleles"), ("rare", "Rare alleles")):
            cells = []
            for one in names:
                line: list[tuple[float, str, str] | None] = []
                for other in names:
                    row = found.get((one, other))
                    every = sum(row[which].values()) if row else 0
                    line.append(_shared(one, other, row[which], every) if row and every else None)
                cells.append(line)
            if not any(cell for line in cells for cell in line):
                continue
            title = f"{what} of a row that are seen in a column, {words}"
            text = "; ".join(cell[2] for line in cells for cell in line if cell)
            plot = charts.matrix(f"share-{key}-{which}", title, text, labels, labels, cells)
            rows = [
                [f"{r['of']} in {r['in']}", *map(num, r[which].values())]
                for r in part["sharing"]
                if sum(r[which].values())
            ]
            table = Table(["Of, in", "There", "Not there", "Unknown"], rows, (1, 2, 3), title)
            out.append({"title": title, "plot": plot, "table": table})
    return out


def _shared(one: str, other: str, row: Mapping[str, int], every: int) -> tuple[float, str, str]:
    low, high = row["there"] / every, (row["there"] + row["unknown"]) / every
    ends = [f"{100 * share:.0f}" for share in (low, high)]
    figure = "–".join(dict.fromkeys(ends))
    words = f"{one} in {other}: {percent(low)}" + (f" to {percent(high)}" if row["unknown"] else "")
    return low, figure, f"{words} of {num(every)}"


def _value(value: float | None, digits: int = 5) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _distance(compared: Mapping, short: Mapping[str, str]) -> list[dict]:
    out = []
    for key, words, part, names in _several(compared):
        labels = [short.get(n, n) for n in names]
        found = {tuple(sorted(p["units"])): p for p in part["pairs"]}
        most = max([p["fst"] or 0 for p in part["pairs"]] + [1e-9])
        cells = []
        for one in names:
            line: list[tuple[float, str, str] | None] = []
            for other in names:
                pair = found.get(tuple(sorted((one, other)))) if one != other else None
                if pair is None or pair["fst"] is None:
                    line.append(None)
                    continue
                caption = f"{one} and {other}: Fst {_value(pair['fst'])} ± {_value(pair['standard_error'])}"
                line.append((pair["fst"] / most, f"{pair['fst']:.4f}", caption))
            cells.append(line)
        heads = ["Pair", "Fst", "Error", "SNVs", "Blocks", "SNVs in bounds", "Fst if least", "Fst if most"]
        rows = [
            [
                " and ".join(p["units"]),
                *(_value(p[k]) for k in ("fst", "standard_error")),
                *(num(p[k]) for k in ("snvs", "blocks", "snvs_in_bounds")),
                *(_value(p[k]) for k in ("fst_if_withheld_at_least", "fst_if_withheld_at_most")),
            ]
            for p in part["pairs"]
        ]
        title = f"Hudson's Fst between {words}"
        text = "; ".join(c[2] for line in cells for c in line if c)
        entry = {"title": title, "table": Table(heads, rows, range(1, 8), title), "pca": None, "why_not": None}
        entry["plot"] = charts.matrix(f"fst-{key}", title, text, labels, labels, cells)
        pca = part["pca"]
        entry["why_not"] = pca["why_not"]
        if not pca["why_not"] and not pca["shares"]:
            entry["why_not"] = "they do not differ beyond the noise of sampling"
        if pca["shares"]:
            # Noise can leave one axis alone.
            first, second = (f"PC{i + 1}, {percent(share)}" for i, share in enumerate([*pca["shares"], 0.0][:2]))
            named = [(short.get(u["name"], u["name"]), *[*u["at"], 0.0][:2]) for u in pca["units"]]
            text = "; ".join(f"{u[0]}: {u[1]:.4g}, {u[2]:.4g}" for u in named)
            entry["pca"] = charts.points(f"pca-{key}", f"Plane of {words}", text, (first, second), named)
            entry["pca_words"] = f"{num(pca['snvs'])} common SNVs that are known exactly in all of them"
            rows = [[u["name"], *(_value(v) for v in u["at"])] for u in pca["units"]]
            entry["pca_table"] = Table(
                ["", *(f"PC{i + 1}" for i in range(len(pca["shares"])))], rows, range(1, 5), title
            )
        twos = part["doubletons"]
        rows = [
            [" and ".join(dict.fromkeys(p["units"])), num(p["alleles"]), _value(p["expected"], 1)]
            for p in twos["pairs"]
        ]
        entry["doubletons"] = twos["alleles"]
        entry["doubletons_table"] = Table(["Both copies in", "Alleles", "If all were one people"], rows, (1, 2), "f2")
        out.append(entry)
    return out


def _differences(compared: Mapping) -> dict:
    rows = [
        [
            _allele(f),
            _of(f["dataset"], f["ac"], f["an"]),
            _of(f["against"], f["against_ac"], f["against_an"]),
            _p(f["p"]),
        ]
        for f in compared["most_different"][:_SHOWN]
    ]
    heads = ["Allele", "Most frequent in", "Least frequent in", "p"]
    return {
        **compared["countries"]["heterogeneity"],
        "table": Table(heads, rows, (3,), "Most different") if rows else None,
    }


def _allele(flag: Mapping) -> Markup:
    text = f"{flag['contig']}-{flag['pos']}-{flag['ref']}-{flag['alt']}"
    shown = text if len(text) <= 40 else f"{text[:38]}…"
    return Markup('<a href="#q={}"><code>{}</code></a>').format(text, shown)


def _of(unit: str, ac: int | None, an: int | None) -> Markup:
    if ac is None or not an:
        words = "none listed" + (f", {num(an)} callable" if an else "")
    else:
        words = f"{percent(ac / an)} ({num(ac)} of {num(an)})"
    return Markup("{} {}").format(mono(unit) if unit else "all others", mute(words))


def _p(p: float | None) -> str:
    return "" if p is None else f"{p:.2g}"


def _flags(compared: Mapping, short: Mapping[str, str]) -> dict:
    found = []
    for kind, (title, words) in _FAULTS.items():
        listed, n = compared["flags"]["listed"][kind], compared["flags"]["counts"][kind]
        rows = []
        for f in listed[:_SHOWN]:
            why = f["words"] or (f"p {_p(f['p'])}" if f["p"] is not None else "")
            if f["words"] and f["p"] is not None:
                why = f"{f['words']}, p {_p(f['p'])}"
            group = f" {f['group']}" if f["group"] not in ("", TOTAL) else ""
            there_is = short.get(f["against"], f["against"])
            one_side = _of(short.get(f["dataset"], f["dataset"]) + group, f["ac"], f["an"])
            other_side = "" if kind == flags.GENOTYPES else _of(there_is, f["against_ac"], f["against_an"])
            if kind == flags.FILTERED_THERE:
                other_side = mono(there_is)
            rows.append([_allele(f), one_side, other_side, why])
        heads = ["Allele", "Here", "There", "Why"]
        table = Table(heads, rows, (), title) if rows else None
        found.append({"title": title, "words": words, "n": n, "shown": len(rows), "table": table})
    pairs = [
        [
            Markup("{} and {}").format(*(mono(short.get(n, n)) for n in p["datasets"])),
            country(p["origin"]),
            f"{_value(p['fst'])} ± {_value(p['standard_error'])}",
            num(p["snvs"]),
            num(p["alleles_different_in_pair"]),
            _mark(p["marked"]),
        ]
        for p in compared["same_origin"]
    ]
    balance = [
        [
            mono(short.get(g["dataset"], g["dataset"])),
            g["origin"],
            f"{_value(g['inbreeding'], 4)} ± {_value(g['standard_error'], 4)}",
            num(g["snvs"]),
            _mark(g["marked"]),
        ]
        for g in compared["genotypes"]
    ]
    heads = ["Datasets", "Origin", "Fst", "SNVs", "Alleles that differ", ""]
    beside = ["Dataset", "Origin", "1 − observed / expected heterozygotes", "SNVs", ""]
    return {
        "kinds": found,
        "pairs": Table(heads, pairs, (2, 3, 4), "One origin in two datasets") if pairs else None,
        "balance": Table(beside, balance, (2, 3), "Balance of genotypes") if balance else None,
    }


def _mark(marked: bool | None) -> str:
    if marked is None:
        return Markup('<span class="mute">too few to tell</span>')
    return Markup('<span class="fail">look at it</span>') if marked else Markup('<span class="ok">fine</span>')
