"""Plots of the pages as shapes of SVG, which the macro `plot` of resources/pages draws, and how pages write numbers.

A plot has no viewBox: x is in percent, y and text in pixels, so that text keeps its size on a desktop, a phone and
paper. Colours are CSS classes of resources/report/page.css. Each has a title and a description for those who do not see
it; the page puts a table behind each.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """An element of a plot. stratum: its text is a stratum, and has room for the name of the country beside it."""

    tag: str
    attributes: Mapping[str, object]
    text: str = ""
    stratum: bool = False


@dataclass(frozen=True)
class Plot:
    """key: start of its ids in the page; height in pixels."""

    key: str
    title: str
    description: str
    height: int
    shapes: Sequence[Shape]


def num(n: int) -> str:
    return f"{n:,}"


def percent(share: float) -> str:
    """A share in words: 0.1234 -> 12.3 %; never 0 or 100 when it is not."""
    value = 100 * share
    if 0 < value < 0.1:
        return f"{value:.1g}\u202f%" if value >= 0.001 else "below 0.001\u202f%"
    if 99.9 < value < 100:
        return "above 99.9\u202f%"
    return f"{value:.1f}".removesuffix(".0") + "\u202f%"


def frequency(edge: float) -> str:
    """An allele frequency as an axis has it: 0.001 -> 0.1 %."""
    text = f"{100 * edge:.5f}".rstrip("0").rstrip(".")
    return f"{text}\u202f%"


def share(part: int, whole: int) -> str:
    return percent(part / whole) if whole else "–"


def _x(part: float, whole: float) -> str:
    return f"{100 * part / whole:.3f}%" if whole else "0%"


def _rect(cls: str, left: str, width: str, top: float, height: float) -> Shape:
    return Shape("rect", {"class": cls, "x": left, "y": f"{top:g}", "width": width, "height": f"{height:g}"})


def _line(cls: str, x: tuple[str, str], y: tuple[object, object]) -> Shape:
    return Shape("line", {"class": cls, "x1": x[0], "x2": x[1], "y1": y[0], "y2": y[1]})


def _words(cls: str, x: str, y: float, text: str, anchor: str = "start", stratum: bool = False) -> Shape:
    return Shape("text", {"class": cls, "x": x, "y": f"{y:g}", "text-anchor": anchor}, text, stratum)


def bars(
    key: str,
    title: str,
    description: str,
    rows: Sequence[tuple[str, Sequence[tuple[str, float]], str]],
    whole: float,
    named: bool = False,
) -> Plot:
    """Bars one below the other, each under its label and its figure.

    rows: label, parts of the bar as (CSS classes, length), figure in words. whole: length of the full width. named:
    labels are strata, and have room for the name of the country, which the browser knows.
    """
    step = 42
    shapes: list[Shape] = []
    for i, (label, parts, figure) in enumerate(rows):
        top = i * step
        shapes.append(_words("t", "0", top + 13, label, stratum=named))
        shapes.append(_words("m", "100%", top + 13, figure, "end"))
        shapes.append(_rect("track", "0", "100%", top + 20, 10))
        left = 0.0
        for cls, length in parts:
            if length:
                shapes.append(_rect(cls, _x(left, whole), _x(length, whole), top + 20, 10))
                left += length
    return Plot(key, title, description, max(1, len(rows)) * step - 8, shapes)


def _steps(most: int) -> list[int]:
    """Two to four round values up to `most`, for an axis that starts at 0."""
    size = 10 ** max(0, len(str(max(1, most))) - 1)
    choices = [max(1, size * factor // 10) for factor in (2, 5, 10, 20, 50, 100)]
    step = next((s for s in choices if most / s < 4.5), choices[-1])
    return list(range(step, most + 1, step))


def _short(n: int) -> str:
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if n >= size:
            return f"{n / size:g}\u202f{letter}"
    return str(n)


def histogram(key: str, name: str, counts: Mapping[str, Sequence[int]], first: int) -> Plot:
    """Alleles of one class by frequency, from bin `first` on: PASS below, filtered pale above."""
    passed, filtered = counts["PASS"][first:], counts["filtered"][first:]
    edges = EDGES[first:]
    bins, base, tall = len(edges), 172, 142
    both = [a + b for a, b in zip(passed, filtered, strict=True)]
    most = max([*both, 1])
    # The right end is left to the labels of the axis.
    whole = bins / 0.9
    shapes: list[Shape] = []
    for value in _steps(most):
        y = base - tall * value / most
        shapes.append(_line("grid", ("0", "100%"), (f"{y:.1f}", f"{y:.1f}")))
        shapes.append(_words("m small", "100%", round(y - 4, 1), _short(value), "end"))
    width = _x(0.84, whole)
    for i, (a, b) in enumerate(zip(passed, filtered, strict=True)):
        left = _x(i + 0.08, whole)
        for cls, count, below in ((f"f-{name.lower()}", a, 0), (f"f-{name.lower()} pale", b, a)):
            if count:
                # At least a pixel, so that a bin that is not empty can be seen.
                height = max(1.0, tall * count / most)
                top = base - tall * below / most - height
                shapes.append(_rect(cls, left, width, round(top, 2), round(height, 2)))
    shapes.append(_line("axis", ("0", "90%"), (base, base)))
    for i, edge in enumerate(edges):
        if re.fullmatch(r"1e[-+]\d+|1\.0|0\.0*1", str(edge)):
            at = _x(i + 1, whole)
            shapes.append(_line("axis", (at, at), (base, base + 4)))
            shapes.append(_words("m small", at, base + 18, frequency(edge), "middle"))
    rare = sum(n for n, edge in zip(both, edges, strict=True) if edge <= 0.01)
    words = (
        f"{num(sum(passed))} PASS and {num(sum(filtered))} filtered alleles in bins of allele frequency from "
        f"{frequency(EDGES[first - 1]) if first else '0 %'} to 100 %, log axis. "
        f"{share(rare, sum(both))} have a frequency of at most 1 %."
    )
    return Plot(key, f"Allele frequency spectrum: {name}", words, base + 24, shapes)


# Upper ends of the bins of allele frequency, steps of 1, 2, 5 on a log axis. A bin holds lower < AF <= upper. AC / AN
# is rounded correctly and so are these literals: a frequency that is exactly an edge compares equal to it.
EDGES = tuple(float(f"{step}e{power}") for power in range(-7, 0) for step in (1, 2, 5)) + (1.0,)
