"""Pictures of the cohort: coverage and heterozygosity by country, ancestry, sex chromosomes, call rate by depth."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib

from goe.sample_qc.page import HET_HOM, components, depth_metric

matplotlib.use("Agg")
import matplotlib.patheffects as effects
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

# Nothing of the clock and no random id: the same people give the same picture.
plt.rcParams.update({"svg.hashsalt": "goe", "svg.fonttype": "none", "font.size": 9, "axes.spines.top": False})
plt.rcParams.update({"axes.spines.right": False, "legend.frameon": False})

NAMES = ("sex", "coverage", "het_hom", "pca", "call_rate")
COLOURS = {"XX": "#b5477c", "XY": "#2d6ca2", "X0": "#e07b00", "XXY": "#6a3d9a", "XYY": "#1b7837"}
KINDS = ("#2d6ca2", "#e07b00", "#1b7837", "#b5477c", "#6a3d9a", "#8c6d31", "#17a2b8")
OTHER = "#777777"
OUT = "#c0392b"
VECTOR_UP_TO = 2000
"""More points than this are drawn as pixels in the SVG."""
NAMED_UP_TO = 12
HALO = [effects.withStroke(linewidth=3, foreground="white")]

Row = Mapping[str, str]


@dataclass(frozen=True)
class Pictures:
    """The people of the pictures, and where each picture goes.

    rows: of metrics.tsv; keep: person -> row of keep.tsv; pca: person -> row of ancestry.tsv; limits: parameters of
    the guidelines; svg, png: file of each of NAMES.
    """

    rows: Sequence[Row]
    keep: Mapping[str, Row]
    pca: Mapping[str, Row]
    limits: Mapping[str, float]
    svg: Mapping[str, str | Path]
    png: Mapping[str, str | Path]

    def draw(self) -> None:
        """Write all of them."""
        self._sex()
        depth = depth_metric(self.rows)
        self._by_country("coverage", depth, f"{depth} (line: median)", "Coverage", "no depth")
        label = "heterozygous over homozygous SNVs, autosomes (line: median)"
        self._by_country("het_hom", HET_HOM, label, "Heterozygosity", "no autosomal SNVs")
        self._pca()
        self._call_rate()

    def _sex(self) -> None:
        figure, axis = plt.subplots(figsize=(7.2, 4.2))
        known = [r for r in self.rows if r["x_depth_ratio"] and r["y_depth_ratio"]]
        for sex in sorted({r["inferred_sex"] for r in known}):
            of_sex = [r for r in known if r["inferred_sex"] == sex]
            self._points(axis, of_sex, "x_depth_ratio", "y_depth_ratio", COLOURS.get(sex, OTHER), sex)
        for key in ("x_depth_one_max", "x_depth_two_min"):
            axis.axvline(self.limits[key], color=OTHER, lw=0.7, ls=":")
        for key in ("y_depth_none_max", "y_depth_one_min", "y_depth_two_min"):
            axis.axhline(self.limits[key], color=OTHER, lw=0.7, ls=":")
        flagged = {sample for sample, row in self.keep.items() if "sex_" in row["reasons"]}
        named = [r for r in known if r["sample_id"] in flagged]
        for r in named if len(named) <= NAMED_UP_TO else []:
            text = f"{r['sample_id']} (sheet: {r['sex']})"
            place = _number(r, "x_depth_ratio"), _number(r, "y_depth_ratio")
            axis.annotate(text, place, xytext=(5, 4), textcoords="offset points", fontsize=7)
        axis.set_xlabel("X depth over autosomes")
        axis.set_ylabel("Y depth over autosomes")
        title = f"Sex chromosomes of {len(known)} people with depth on both ({len(self.rows) - len(known)} without)"
        self._finish(figure, axis, title, "sex", "" if known else "no depth on X and Y in anybody")

    def _by_country(self, name: str, metric: str, label: str, title: str, empty: str) -> None:
        """A band of points for each country, of one metric."""
        countries = sorted({r["country_code"] for r in self.rows})
        few = len(self.rows) <= VECTOR_UP_TO
        figure, axis = plt.subplots(figsize=(7.2, max(2.2, 1.0 + 0.45 * len(countries))))
        some, named = 0, set()
        for level, country in enumerate(countries):
            known = [r for r in self.rows if r["country_code"] == country and r[metric]]
            ordered = sorted(known, key=lambda r: _number(r, metric))
            some += len(ordered)
            # Neighbours in value are spread over the height of the country's band, always in the same way.
            for kept, marker in (("yes", "o"), ("no", "X")):
                group = [(i, r) for i, r in enumerate(ordered) if self.keep[r["sample_id"]]["keep"] == kept]
                if group:
                    axis.scatter(
                        [_number(r, metric) for _, r in group],
                        [level + ((i * 7) % 11 - 5) / 18 for i, _ in group],
                        s=(20 if few else 8) if kept == "yes" else 46,
                        marker=marker,
                        edgecolors="white",
                        linewidths=0.4,
                        color=COLOURS["XY"] if kept == "yes" else OUT,
                        rasterized=not few,
                        label=None if kept in named else {"yes": "kept", "no": "left out"}[kept],
                    )
                    named.add(kept)
            if ordered:
                middle = statistics.median(_number(r, metric) for r in ordered)
                axis.plot([middle, middle], [level - 0.36, level + 0.36], color="#222222", lw=1.2)
        axis.set_yticks(range(len(countries)), countries)
        axis.set_ylim(-0.6, len(countries) - 0.4)
        axis.invert_yaxis()
        axis.set_xlabel(label)
        self._finish(figure, axis, f"{title} of {some} people by country", name, "" if some else empty)

    def _pca(self) -> None:
        figure, axis = plt.subplots(figsize=(7.2, 4.2))
        rows, pca = self.rows, self.pca
        axes = components(list(pca.values()))[:2]
        placed = [
            {**r, **pca[r["sample_id"]]} for r in rows if len(axes) == 2 and pca.get(r["sample_id"], {}).get(axes[0])
        ]
        if placed:
            x, y = axes
            self._points(axis, placed, x, y, COLOURS["XY"], "people", OUT)
            for country in sorted({r["country_code"] for r in placed}):
                of_country = [r for r in placed if r["country_code"] == country]
                place = (
                    statistics.median(_number(r, x) for r in of_country),
                    statistics.median(_number(r, y) for r in of_country),
                )
                axis.annotate(country, place, ha="center", va="center", weight="bold", path_effects=HALO)
            axis.set_xlabel(x)
            axis.set_ylabel(y)
        title = f"Principal components of {len(placed)} people ({len(rows) - len(placed)} without)"
        title += ", countries at their medians"
        self._finish(figure, axis, title, "pca", "" if placed else "no PCA of this cohort")

    def _call_rate(self) -> None:
        figure, axis = plt.subplots(figsize=(7.2, 4.2))
        with_rate = [r for r in self.rows if r["call_rate"] and r["mean_dp"]]
        for kind, colour in zip(sorted({r["input_type"] for r in with_rate}), KINDS, strict=False):
            of_kind = [r for r in with_rate if r["input_type"] == kind]
            self._points(axis, of_kind, "mean_dp", "call_rate", colour, kind)
        axis.set_xlabel("mean depth of the genotypes that pass")
        axis.set_ylabel("call rate")
        title = f"Call rate of {len(with_rate)} people ({len(self.rows) - len(with_rate)} without)"
        self._finish(figure, axis, title, "call_rate", "" if with_rate else "no call rate in anybody")

    def _points(
        self, axis: Axes, rows: Sequence[Row], x: str, y: str, colour: str, label: str, out: str | None = None
    ) -> None:
        """Scatter of two metrics; the people left out are crosses, in the colour `out` when there is one."""
        for kept, marker in ((True, "o"), (False, "X")):
            some = [r for r in rows if (self.keep[r["sample_id"]]["keep"] == "yes") == kept]
            if some:
                axis.scatter(
                    [_number(r, x) for r in some],
                    [_number(r, y) for r in some],
                    s=46 if not kept else 22 if len(rows) <= VECTOR_UP_TO else 8,
                    marker=marker,
                    color=colour if kept else out or colour,
                    edgecolors="white",
                    linewidths=0.4,
                    label=label if kept else f"{label}, left out",
                    rasterized=len(rows) > VECTOR_UP_TO,
                )

    def _finish(self, figure: Figure, axis: Axes, title: str, name: str, empty: str) -> None:
        """The picture as SVG for the report of the run, and as PNG for MultiQC."""
        axis.set_title(title, loc="left")
        if empty:
            axis.text(0.5, 0.5, empty, ha="center", va="center", transform=axis.transAxes, color=OTHER)
        elif axis.get_legend_handles_labels()[0]:
            axis.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0)
        # Once for both, which takes as long as to draw one; an engine of the figure would do it again for each.
        ConstrainedLayoutEngine().execute(figure)
        figure.savefig(self.svg[name], metadata={"Date": None, "Creator": None})
        figure.savefig(self.png[name], dpi=130, metadata={"Software": None})
        plt.close(figure)


def _number(row: Row, metric: str) -> float:
    """A metric of somebody who has it."""
    return float(row[metric])
