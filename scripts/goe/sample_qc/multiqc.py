"""What MultiQC shows of our own tables, and the list of files it reads.

MultiQC escapes nothing that it is given, so whatever goes to it as HTML is Markup or is escaped here.
"""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from markupsafe import Markup

from goe.core import tables
from goe.sample_qc.keep import SEX_METRICS
from goe.sample_qc.metrics import DECIMALS

PER_PERSON_UP_TO = 500
"""Above this many people there are no plots and tables with a line for everybody: only the cohort and who is out."""
MARKED_UP_TO = 100
SHOWN = (
    ("mean_autosome_coverage", "Depth"),
    ("pct_autosomes_15x", "% at 15x"),
    ("call_rate", "Call rate"),
    ("mean_dp", "Genotype depth"),
    ("adj_count_snvs", "SNVs"),
    ("adj_ratio_heterozygous_homzygous_snv", "Het/hom"),
    ("adj_ratio_transitions_transversions_snv", "Ti/Tv"),
    ("charr", "CHARR"),
    ("x_depth_ratio", "X depth"),
    ("y_depth_ratio", "Y depth"),
)
PICTURES = {
    "coverage": (
        "Coverage by country",
        "Depth over the autosomes, of genotypes where most did not come as reads. Crosses are people left out.",
    ),
    "pca": (
        "Ancestry",
        Markup(
            "Principal components of the common autosomal SNVs. Crosses are people left out; who is who is in "
            "<code>sample_qc/cohort.html</code>."
        ),
    ),
    "sex": (
        "Sex chromosomes",
        "Depth of X and Y outside the pseudo-autosomal regions over that of the autosomes (one copy is 0.5). Dotted "
        "are the cut-offs. People whose sex is flagged are named; crosses are people left out.",
    ),
    "het_hom": (
        "Heterozygosity by country",
        "It differs between populations, so an outlier is one of its country. Crosses are people left out.",
    ),
    "call_rate": (
        "Call rate and depth",
        "Share of the cohort's records where a person has a genotype that passes the filter. Single-sample VCFs have "
        "none: there an absent site is no reference call. Crosses are people left out.",
    ),
}

_TEXT = Markup("{}")
Row = Mapping[str, str]


class Folder:
    """A new folder for MultiQC: the sections, and in `files.txt` all that it is to read, in their order."""

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.path.mkdir(parents=True)
        self.files: list[str] = []

    def section(self, name: str, title: str, text: str, **content: object) -> None:
        """One section of custom content; its place in the report is set in multiqc_config.yaml."""
        path = self.path / f"goe_{name}_mqc.json"
        content_file = {"id": f"goe_{name}", "section_name": title, "description": _TEXT.format(text), **content}
        path.write_text(json.dumps(content_file, indent=1, ensure_ascii=False) + "\n")
        self.files.append(str(path))

    def html(self, name: str, title: str, text: str, data: Markup) -> None:
        self.section(name, title, text, plot_type="html", data=data)

    def reports(self, lists: Iterable[str | Path]) -> None:
        """Reports of tools, by tables of (name, path); one that is to have another name than its own is linked."""
        for row in (row for path in lists for row in tables.read(path)):
            if row["name"] == Path(row["path"]).name:
                self.files.append(row["path"])
            else:
                link = self.path / row["name"]
                link.symlink_to(Path(row["path"]).resolve())
                self.files.append(str(link))

    def close(self, title: Mapping[str, str]) -> None:
        """Write the list of files, and what the report says of itself."""
        (self.path / "files.txt").write_text("".join(f"{name}\n" for name in self.files))
        # JSON is YAML.
        (self.path / "title.yaml").write_text(json.dumps(title) + "\n")


def write(
    path: str | Path,
    title: str,
    summary: Mapping,
    metrics: Mapping[str, Row],
    people: Sequence[Row],
    pictures: Iterable[str | Path],
    reports: Iterable[str | Path],
) -> None:
    """Make the folder.

    summary: of `keep.summary`; metrics: person -> row of metrics.tsv; people: rows of keep.tsv; pictures: PNG files;
    reports: lists of the reports of tools, left out where there are many people.
    """
    folder = Folder(path)
    few = len(people) <= PER_PERSON_UP_TO
    folder.html("summary", "Cohort", "Who is counted.", _summary(summary))
    _reasons(folder, summary["reasons"])
    _marked(folder, people, metrics)
    _spread(folder, summary["metrics"])
    for picture in map(Path, pictures):
        _picture(folder, picture)
    _people(folder, people, metrics, few)
    _thresholds(folder, summary["thresholds"])
    about: dict[str, str] = {"title": "Sample quality", "subtitle": _TEXT.format(title)}
    if few:
        folder.reports(reports)
    else:
        about["report_comment"] = (
            f"With {len(people)} people the reports of the single tools are left out; "
            "they lie beside the alignments under work/align."
        )
    folder.close(about)


def _table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> Markup:
    nothing = Markup()
    cells = nothing.join(Markup("<th>{}</th>").format(h) for h in head)
    lines = (nothing.join(Markup("<td>{}</td>").format(c) for c in row) for row in rows)
    body = nothing.join(Markup("<tr>{}</tr>").format(line) for line in lines)
    return Markup(
        '<table class="table table-sm table-striped" style="width:auto">'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table>"
    ).format(cells, body)


def _summary(summary: Mapping) -> Markup:
    people, kept = summary["people"], summary["kept"]
    flags = sum(r.get("flag", 0) for r in summary["reasons"].values())
    lines = [
        Markup(
            "<p><strong>{} of {} people are counted</strong>, {} are left out, {} flags are on people who are "
            "counted.</p>"
        ).format(kept, people, people - kept, flags)
    ]
    if not summary["exclude"]:
        lines.append(
            Markup("<p>The config says <code>sample_qc.exclude: false</code>: only the withdrawn are left out.</p>")
        )
    countries = [(c, n["people"], n["kept"]) for c, n in summary["by_country"].items()]
    sexes = [(*pair.split(":"), n) for pair, n in summary["inferred_sex"].items()]
    lines.append(_table(("Country", "People", "Counted"), countries))
    lines.append(_table(("Came as", "People"), summary["by_input_type"].items()))
    lines.append(_table(("Sex on the sheet", "By the data", "People"), sexes))
    lines.append(Markup("<p>Relatedness: {}.</p>").format(summary["relatedness"]["statement"]))
    if summary["not_assessed"]:
        lines.append(Markup("<p>What could not be judged:</p><ul>"))
        lines += [Markup("<li>{}: {}</li>").format(k, v) for k, v in sorted(summary["not_assessed"].items())]
        lines.append(Markup("</ul>"))
    return Markup("\n").join(lines)


def _reasons(folder: Folder, reasons: Mapping[str, Mapping[str, int]]) -> None:
    if not reasons:
        folder.html("reasons", "Reasons", "Nobody is left out and nobody is flagged.", Markup("<p></p>"))
        return
    text = Markup(
        "Each person left out is counted under the first reason that holds; <em>also</em> are the further reasons of "
        "people left out, <em>flag</em> those of people who are counted."
    )
    rows = [(r, n.get("left_out", 0), n.get("also", 0), n.get("flag", 0)) for r, n in reasons.items()]
    folder.html("reasons", "Reasons", text, _table(("Reason", "Left out", "Also", "Flag"), rows))


def _marked(folder: Folder, people: Iterable[Row], metrics: Mapping[str, Row]) -> None:
    """The people left out or flagged, where there are any."""
    marked = sorted((p for p in people if p["reasons"]), key=lambda p: (p["keep"], p["sample_id"]))
    if not marked:
        return
    shown = marked[:MARKED_UP_TO]
    text = Markup(
        "People left out first, then those with a flag. Everybody is found by id, with all metrics and limits, in "
        "<code>sample_qc/cohort.html</code>."
    )
    if len(marked) > len(shown):
        text += f" The first {len(shown)} of {len(marked)}."
    rows = []
    for p in shown:
        values = metrics[p["sample_id"]]
        about = (p[key] for key in ("sample_id", "country_code", "sex", "inferred_sex", "keep"))
        relatives = values["relatives"].replace(";", ", ").replace("=", " ")
        rows.append((*about, p["reasons"].replace(";", ", "), relatives, values["warnings"].replace(";", ", ")))
    head = ("Person", "Country", "Sheet", "By the data", "Counted", "Reasons", "Relatives", "Seen")
    folder.html("marked", "People left out or flagged", text, _table(head, rows))


def _spread(folder: Folder, metrics: Mapping[str, Mapping[str, float]]) -> None:
    text = (
        "Median and the 5th and 95th percentile of the people who are counted. Ids are those of the GA4GH WGS QC "
        "standard where it has the metric."
    )
    rows = [(m, v["n"], v["p05"], v["median"], v["p95"]) for m, v in metrics.items()]
    body = (
        _table(("Metric", "People", "5 %", "Median", "95 %"), rows) if rows else Markup("<p>No metric of anybody.</p>")
    )
    folder.html("spread", "Metrics of the cohort", text, body)


def _picture(folder: Folder, picture: Path) -> None:
    name = picture.stem.removesuffix("_mqc")
    image = base64.b64encode(picture.read_bytes()).decode()
    title, text = PICTURES[name]
    tag = Markup('<img src="data:image/png;base64,{}" alt="{}" style="max-width:940px;width:100%">')
    folder.html(name, title, text, tag.format(image, title))


def _people(folder: Folder, people: Sequence[Row], metrics: Mapping[str, Row], few: bool) -> None:
    """A line for everybody where they are few, else the distributions of the metrics, if anybody has one."""
    headers: dict[str, dict] = {}
    for metric, title in SHOWN:
        shape = f"{{:,.{min(DECIMALS.get(metric, 2), 4)}f}}"
        headers[metric] = {"title": title, "description": metric, "format": shape, "scale": False}
    numbers = {
        p["sample_id"]: {m: float(metrics[p["sample_id"]][m]) for m, _ in SHOWN if metrics[p["sample_id"]][m]}
        for p in people
    }
    if few:
        judged = {p["sample_id"]: {"keep": p["keep"], "inferred": p["inferred_sex"]} for p in people}
        folder.section(
            "people",
            "People",
            Markup("All metrics, and why an empty cell is empty, are in <code>sample_qc/metrics.tsv</code>."),
            plot_type="table",
            pconfig={
                "id": "goe_people_table",
                "title": "People",
                "col1_header": "Person",
                "no_violin": True,
                "namespace": "goe",
                "sort_rows": True,
            },
            headers={"keep": {"title": "Counted"}, "inferred": {"title": "Sex by the data"}} | headers,
            data={sample: values_of_person | numbers[sample] for sample, values_of_person in judged.items()},
        )
    elif any(numbers.values()):
        # Two humps smoothed into each other say nothing; the picture of X and Y does.
        headers = {metric: header for metric, header in headers.items() if metric not in SEX_METRICS}
        for metric, header in headers.items():
            values = [values_of_person[metric] for values_of_person in numbers.values() if metric in values_of_person]
            header |= {"min": min(values), "max": max(values)} if values else {}
        folder.section(
            "people",
            "Distributions",
            Markup(
                "Of everybody, whether counted or not. People are found by id in <code>sample_qc/cohort.html</code>."
            ),
            plot_type="violin",
            pconfig={"id": "goe_people_violin", "title": "Metrics of the people", "col1_header": "Person"},
            headers=headers,
            data={
                sample: {m: v for m, v in values_of_person.items() if m in headers}
                for sample, values_of_person in numbers.items()
            },
        )


def _thresholds(folder: Folder, thresholds: Iterable[Mapping[str, str]]) -> None:
    text = Markup(
        "What is applied and where it comes from: <em>verified</em> was read in its source, of an <em>excerpt</em> "
        "only a part could be read, <em>unverified</em> is a default of this project."
    )
    keys = ("metric", "stratum", "warn", "fail", "source", "status")
    rows = [tuple(t[k] for k in keys) for t in thresholds]
    head = ("Metric", "Stratum", "Warning", "Failure", "Source", "Status")
    folder.html("thresholds", "Thresholds", text, _table(head, rows))
