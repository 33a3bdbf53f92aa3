"""Pictures of the cohort: sex chromosomes, heterozygosity by country, call rate against depth."""

import matplotlib
from goe import keep, logs, tables

matplotlib.use("Agg")
import matplotlib.pyplot as plt

# Nothing of the clock and no random id: the same people give the same picture.
plt.rcParams.update({"svg.hashsalt": "goe", "svg.fonttype": "none", "font.size": 9, "axes.spines.top": False})
plt.rcParams.update({"axes.spines.right": False, "legend.frameon": False, "figure.constrained_layout.use": True})
COLOURS = {"XX": "#b5477c", "XY": "#2d6ca2", "X0": "#e07b00", "XXY": "#6a3d9a", "XYY": "#1b7837"}
OTHER = "#777777"
# More points than this are drawn as pixels in the SVG.
VECTOR_UP_TO = 2000
NAMED_UP_TO = 40


def number(row, metric):
    return float(row[metric]) if row[metric] else None


def points(axis, rows, x, y, colour, label):
    """Scatter of two metrics; the people left out are crosses."""
    for kept, marker in ((True, "o"), (False, "X")):
        some = [r for r in rows if (kept_of[r["sample_id"]] == "yes") == kept]
        if some:
            axis.scatter(
                [number(r, x) for r in some],
                [number(r, y) for r in some],
                s=22 if kept else 46,
                marker=marker,
                color=colour,
                edgecolors="white",
                linewidths=0.4,
                label=label if kept else f"{label}, left out",
                rasterized=len(rows) > VECTOR_UP_TO,
            )


def finish(figure, axis, title, svg, png, empty):
    axis.set_title(title, loc="left")
    if empty:
        axis.text(0.5, 0.5, empty, ha="center", va="center", transform=axis.transAxes, color=OTHER)
    elif axis.get_legend_handles_labels()[0]:
        axis.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0)
    figure.savefig(svg, metadata={"Date": None, "Creator": None})
    figure.savefig(png, dpi=130, metadata={"Software": None})
    plt.close(figure)


with logs.to(snakemake.log):
    output = snakemake.output
    limits = keep.load(snakemake.input.guidelines, snakemake.params.thresholds).parameters
    rows = tables.read(snakemake.input.metrics)
    kept_of = {row["sample_id"]: row["keep"] for row in tables.read(snakemake.input.keep)}
    flagged = {r["sample_id"] for r in tables.read(snakemake.input.keep) if "sex_" in r["reasons"]}

    figure, axis = plt.subplots(figsize=(7.2, 4.2))
    here = [r for r in rows if r["x_depth_ratio"] and r["y_depth_ratio"]]
    for sex in sorted({r["inferred_sex"] for r in here}):
        points(
            axis, [r for r in here if r["inferred_sex"] == sex], "x_depth_ratio", "y_depth_ratio",
            COLOURS.get(sex, OTHER), sex,
        )  # fmt: skip
    for key, line in (("x_depth_one_max", axis.axvline), ("x_depth_two_min", axis.axvline)):
        line(limits[key], color=OTHER, lw=0.7, ls=":")
    for key in ("y_depth_none_max", "y_depth_one_min", "y_depth_two_min"):
        axis.axhline(limits[key], color=OTHER, lw=0.7, ls=":")
    named = [r for r in here if r["sample_id"] in flagged]
    for r in named if len(named) <= NAMED_UP_TO else []:
        axis.annotate(
            f"{r['sample_id']} (sheet: {r['sex']})", (number(r, "x_depth_ratio"), number(r, "y_depth_ratio")),
            xytext=(5, 4), textcoords="offset points", fontsize=7,
        )  # fmt: skip
    axis.set_xlabel("X depth over autosomes")
    axis.set_ylabel("Y depth over autosomes")
    title = f"Sex chromosomes of {len(here)} people with depth on both ({len(rows) - len(here)} without)"
    finish(figure, axis, title, output.sex, output.pictures[0], "" if here else "no depth on X and Y in anybody")

    metric = "ratio_heterozygous_homzygous_snv"
    countries = sorted({r["country_code"] for r in rows})
    figure, axis = plt.subplots(figsize=(7.2, max(2.2, 1.0 + 0.45 * len(countries))))
    some = 0
    for level, country in enumerate(countries):
        here = sorted((r for r in rows if r["country_code"] == country and r[metric]), key=lambda r: number(r, metric))
        some += len(here)
        # Neighbours in value are spread over the height of the country's band, always in the same way.
        for kept, marker in (("yes", "o"), ("no", "X")):
            mine = [(i, r) for i, r in enumerate(here) if kept_of[r["sample_id"]] == kept]
            axis.scatter(
                [number(r, metric) for _, r in mine],
                [level + ((i * 7) % 11 - 5) / 18 for i, _ in mine],
                s=20 if kept == "yes" else 46, marker=marker, edgecolors="white", linewidths=0.4,
                color="#2d6ca2" if kept == "yes" else "#c0392b", rasterized=len(rows) > VECTOR_UP_TO,
                label={"yes": "kept", "no": "left out"}[kept] if level == 0 else None,
            )  # fmt: skip
        if here:
            values = [number(r, metric) for r in here]
            middle = values[len(values) // 2]
            axis.plot([middle, middle], [level - 0.36, level + 0.36], color="#222222", lw=1.2)
    axis.set_yticks(range(len(countries)), countries)
    axis.set_ylim(-0.6, len(countries) - 0.4)
    axis.invert_yaxis()
    axis.set_xlabel("heterozygous over homozygous SNVs, autosomes (line: median)")
    title = f"Heterozygosity of {some} people by country"
    finish(figure, axis, title, output.het_hom, output.pictures[1], "" if some else "no autosomal SNVs")

    figure, axis = plt.subplots(figsize=(7.2, 4.2))
    here = [r for r in rows if r["call_rate"] and r["mean_dp"]]
    for kind, colour in zip(
        sorted({r["input_type"] for r in here}),
        ("#2d6ca2", "#e07b00", "#1b7837", "#b5477c", "#6a3d9a", "#8c6d31", "#17a2b8"),
        strict=False,
    ):
        points(axis, [r for r in here if r["input_type"] == kind], "mean_dp", "call_rate", colour, kind)
    axis.set_xlabel("mean depth of the genotypes that pass")
    axis.set_ylabel("call rate")
    title = f"Call rate of {len(here)} people ({len(rows) - len(here)} without)"
    finish(figure, axis, title, output.call_rate, output.pictures[2], "" if here else "no call rate in anybody")
