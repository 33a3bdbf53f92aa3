"""What MultiQC shows of our own tables, and the list of files it reads."""

import base64
import html
import json
from pathlib import Path

from goe.core import logs, seal, tables
from goe.sample_qc.keep import SEX_METRICS
from goe.sample_qc.metrics import DECIMALS

# Above this many people there are no plots and tables with a line for everybody: only the cohort and who is out.
PER_PERSON_UP_TO = 500
MARKED_UP_TO = 100
SHOWN = (
    ("mean_autosome_coverage", "Depth"),
    ("pct_autosomes_15x", "% at 15x"),
    ("call_rate", "Call rate"),
    ("mean_dp", "Genotype depth"),
    ("count_snvs", "SNVs"),
    ("ratio_heterozygous_homzygous_snv", "Het/hom"),
    ("ratio_transitions_transversions_snv", "Ti/Tv"),
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
        "Principal components of the common autosomal SNVs. Crosses are people left out; who is who is in "
        "<code>sample_qc/cohort.html</code>.",
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


def rows_html(head, rows):
    cells = "".join(f"<th>{html.escape(str(h))}</th>" for h in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(str(c))}</td>" for c in row) + "</tr>" for row in rows)
    return (
        '<table class="table table-sm table-striped" style="width:auto">'
        f"<thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"
    )


with logs.to(snakemake.log), seal.job(snakemake):
    folder = Path(snakemake.output.folder)
    folder.mkdir(parents=True)
    files: list[str] = []

    def section(name, title, text, **content):
        """One section of custom content; its place in the report is set in multiqc_config.yaml."""
        path = folder / f"goe_{name}_mqc.json"
        said = {"id": f"goe_{name}", "section_name": title, "description": text, **content}
        path.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n")
        files.append(str(path))

    summary = json.loads(Path(snakemake.input.summary).read_text())
    metrics = {row["sample_id"]: row for row in tables.read(snakemake.input.metrics)}
    people = tables.read(snakemake.input.keep)
    few = len(people) <= PER_PERSON_UP_TO

    out = summary["people"] - summary["kept"]
    reasons = summary["reasons"]
    lines = [
        f"<p><strong>{summary['kept']} of {summary['people']} people are counted</strong>, {out} are left out, "
        f"{sum(r.get('flag', 0) for r in reasons.values())} flags are on people who are counted.</p>"
    ]
    if not summary["exclude"]:
        lines.append("<p>The config says <code>sample_qc.exclude: false</code>: only the withdrawn are left out.</p>")
    lines.append(
        rows_html(
            ("Country", "People", "Counted"),
            [(c, n["people"], n["kept"]) for c, n in summary["by_country"].items()],
        )
    )
    lines.append(rows_html(("Came as", "People"), summary["by_input_type"].items()))
    lines.append(
        rows_html(
            ("Sex on the sheet", "By the data", "People"),
            [(*pair.split(":"), n) for pair, n in summary["inferred_sex"].items()],
        )
    )
    lines.append(f"<p>Relatedness: {html.escape(summary['relatedness']['statement'])}.</p>")
    if summary["not_assessed"]:
        lines.append("<p>What could not be judged:</p><ul>")
        lines += [f"<li>{html.escape(k)}: {html.escape(v)}</li>" for k, v in sorted(summary["not_assessed"].items())]
        lines.append("</ul>")
    section("summary", "Cohort", "Who is counted.", plot_type="html", data="\n".join(lines))

    if reasons:
        text = "Each person left out is counted under the first reason that holds; <em>also</em> are the further "
        text += "reasons of people left out, <em>flag</em> those of people who are counted."
        body = rows_html(
            ("Reason", "Left out", "Also", "Flag"),
            [(r, n.get("left_out", 0), n.get("also", 0), n.get("flag", 0)) for r, n in reasons.items()],
        )
    else:
        text, body = "Nobody is left out and nobody is flagged.", ""
    section("reasons", "Reasons", text, plot_type="html", data=body or "<p></p>")

    marked = sorted((p for p in people if p["reasons"]), key=lambda p: (p["keep"], p["sample_id"]))
    if marked:
        shown = marked[:MARKED_UP_TO]
        text = (
            "People left out first, then those with a flag. Everybody is found by id, with all metrics and limits, in "
        )
        text += "<code>sample_qc/cohort.html</code>."
        if len(marked) > len(shown):
            text += f" The first {len(shown)} of {len(marked)}."
        body = rows_html(
            ("Person", "Country", "Sheet", "By the data", "Counted", "Reasons", "Relatives", "Seen"),
            [
                (
                    p["sample_id"], p["country_code"], p["sex"], p["inferred_sex"], p["keep"],
                    p["reasons"].replace(";", ", "),
                    metrics[p["sample_id"]]["relatives"].replace(";", ", ").replace("=", " "),
                    metrics[p["sample_id"]]["warnings"].replace(";", ", "),
                )
                for p in shown
            ],
        )  # fmt: skip
        section("marked", "People left out or flagged", text, plot_type="html", data=body)

    section(
        "spread",
        "Metrics of the cohort",
        "Median and the 5th and 95th percentile of the people who are counted. Ids are those of the GA4GH WGS QC "
        "standard where it has the metric.",
        plot_type="html",
        data=rows_html(
            ("Metric", "People", "5 %", "Median", "95 %"),
            [(m, v["n"], v["p05"], v["median"], v["p95"]) for m, v in summary["metrics"].items()],
        )
        if summary["metrics"]
        else "<p>No metric of anybody.</p>",
    )

    for picture in snakemake.input.pictures:
        name = Path(picture).stem.removesuffix("_mqc")
        image = base64.b64encode(Path(picture).read_bytes()).decode()
        title, text = PICTURES[name]
        body = f'<img src="data:image/png;base64,{image}" alt="{title}" style="max-width:940px;width:100%">'
        section(name, title, text, plot_type="html", data=body)

    headers = {}
    for metric, title in SHOWN:
        shape = f"{{:,.{min(DECIMALS.get(metric, 2), 4)}f}}"
        headers[metric] = {"title": title, "description": metric, "format": shape, "scale": False}
    numbers = {
        p["sample_id"]: {m: float(metrics[p["sample_id"]][m]) for m, _ in SHOWN if metrics[p["sample_id"]][m]}
        for p in people
    }
    if few:
        section(
            "people",
            "People",
            "All metrics, and why an empty cell is empty, are in <code>sample_qc/metrics.tsv</code>.",
            plot_type="table",
            pconfig={"id": "goe_people_table", "title": "People", "col1_header": "Person", "no_violin": True,
                     "namespace": "goe", "sort_rows": True},
            headers={"keep": {"title": "Counted"}, "inferred": {"title": "Sex by the data"}} | headers,
            data={p["sample_id"]: {"keep": p["keep"], "inferred": p["inferred_sex"]} | numbers[p["sample_id"]]
                  for p in people},
        )  # fmt: skip
    elif any(numbers.values()):
        # Two humps smoothed into each other say nothing; the picture of X and Y does.
        headers = {metric: header for metric, header in headers.items() if metric not in SEX_METRICS}
        for metric, header in headers.items():
            values = [mine[metric] for mine in numbers.values() if metric in mine]
            header |= {"min": min(values), "max": max(values)} if values else {}
        section(
            "people",
            "Distributions",
            "Of everybody, whether counted or not. People are found by id in <code>sample_qc/cohort.html</code>.",
            plot_type="violin",
            pconfig={"id": "goe_people_violin", "title": "Metrics of the people", "col1_header": "Person"},
            headers=headers,
            data={sample: {m: v for m, v in mine.items() if m in headers} for sample, mine in numbers.items()},
        )

    section(
        "thresholds",
        "Thresholds",
        "What is applied and where it comes from: <em>verified</em> was read in its source, of an <em>excerpt</em> "
        "only a part could be read, <em>unverified</em> is a default of this project.",
        plot_type="html",
        data=rows_html(
            ("Metric", "Stratum", "Warning", "Failure", "Source", "Status"),
            [tuple(t[k] for k in ("metric", "stratum", "warn", "fail", "source", "status"))
             for t in summary["thresholds"]],
        ),
    )  # fmt: skip

    if few:
        for row in (row for path in snakemake.input.files for row in tables.read(path)):
            if row["name"] == Path(row["path"]).name:
                files.append(row["path"])
            else:
                link = folder / row["name"]
                link.symlink_to(Path(row["path"]).resolve())
                files.append(str(link))
    (folder / "files.txt").write_text("".join(f"{name}\n" for name in files))
    title = {"title": "Sample quality", "subtitle": str(snakemake.params.title)}
    if not few:
        title["report_comment"] = (
            f"With {len(people)} people the reports of the single tools are left out; "
            "they lie beside the alignments under work/align."
        )
    # JSON is YAML.
    (folder / "title.yaml").write_text(json.dumps(title) + "\n")
