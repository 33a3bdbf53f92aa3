"""More plots as shapes of SVG (`goe.pages.svg`): columns, matrices of cells, points with names."""

from collections.abc import Sequence

from goe.pages.svg import Plot, Shape, frequency, num

_ROUND = {1.0: "100 %", 0.1: "10 %", 0.01: "1 %", 0.001: "0.1 %", 1e-4: "0.01 %", 1e-5: "0.001 %"}


def _text(cls: str, x: str, y: float, words: str, anchor: str = "start") -> Shape:
    return Shape("text", {"class": cls, "x": x, "y": f"{y:g}", "text-anchor": anchor}, words)


def columns(
    key: str, title: str, description: str, edges: Sequence[float], layers: Sequence[tuple[str, Sequence[int]]]
) -> Plot:
    """Numbers by allele frequency, one column a bin. edges: upper ends of the bins; layers: CSS class and numbers,
    stacked from below."""
    base, tall, bins = 118, 100, len(edges)
    totals = [sum(numbers[i] for _, numbers in layers) for i in range(bins)]
    most = max([*totals, 1])
    shapes = [Shape("line", {"class": "axis", "x1": "0", "x2": "100%", "y1": base, "y2": base})]
    shapes.append(_text("m small", "100%", 10, f"{num(most)} at most", "end"))
    for i in range(bins):
        top = float(base)
        for cls, numbers in layers:
            if numbers[i]:
                # At least a pixel, so that a bin that is not empty can be seen.
                height = max(1.0, tall * numbers[i] / most)
                top -= height
                place = {"x": f"{100 * (i + 0.08) / bins:.3f}%", "width": f"{84 / bins:.3f}%"}
                shapes.append(Shape("rect", {"class": cls, **place, "y": f"{top:.2f}", "height": f"{height:.2f}"}))
        if edges[i] in _ROUND:
            at = f"{100 * (i + 1) / bins:.3f}%"
            shapes.append(Shape("line", {"class": "axis", "x1": at, "x2": at, "y1": base, "y2": base + 4}))
            anchor = "end" if i == bins - 1 else "middle"
            shapes.append(_text("m small", at, base + 17, frequency(edges[i]), anchor))
    return Plot(key, title, description, base + 22, shapes)


def matrix(
    key: str,
    title: str,
    description: str,
    rows: Sequence[str],
    columns: Sequence[str],
    cells: Sequence[Sequence[tuple[float, str, str] | None]],
) -> Plot:
    """Cells in a grid, the darker the nearer to 1. cells: (shade from 0 to 1, figure, words), None for an empty one.

    Figures are left out where there is no room for them; the words are told to whoever points at the cell.
    """
    left, head = 13.0, 26
    width, height = (100 - left) / max(1, len(columns)), 34 if len(rows) <= 12 else 22
    shapes: list[Shape] = []
    for j, name in enumerate(columns):
        shapes.append(_text("t small", f"{left + (j + 0.5) * width:.3f}%", 16, name, "middle"))
    for i, name in enumerate(rows):
        top = head + i * height
        shapes.append(_text("t small", "0", top + height / 2 + 4, name))
        for j in range(len(columns)):
            cell = cells[i][j]
            place = {"x": f"{left + j * width:.3f}%", "y": top, "width": f"{width * 0.97:.3f}%", "height": height - 2}
            if cell is None:
                shapes.append(Shape("rect", {"class": "track", **place}))
                continue
            shade, figure, words = cell
            opacity = f"{0.06 + 0.88 * min(1.0, max(0.0, shade)):.3f}"
            mark = {"class": "f-accent", "fill-opacity": opacity, **place, "data-words": words}
            shapes.append(Shape("rect", mark))
            if len(columns) <= 12:
                at = f"{left + (j + 0.485) * width:.3f}%"
                shapes.append(
                    _text("onto small" if shade > 0.55 else "t small", at, top + height / 2 + 3, figure, "middle")
                )
    return Plot(key, title, description, head + max(1, len(rows)) * height, shapes)


def points(
    key: str, title: str, description: str, axes: tuple[str, str], named: Sequence[tuple[str, float, float]]
) -> Plot:
    """Points with their names; each axis is stretched to the plot."""
    tall, edge = 340, 24
    xs, ys = [x for _, x, _ in named] or [0.0], [y for _, _, y in named] or [0.0]
    reach = max(xs) - min(xs), max(ys) - min(ys)
    shapes = [
        Shape("rect", {"class": "frame", "x": "0", "y": "0", "width": "100%", "height": tall}),
        _text("m small", "50%", tall + 18, axes[0], "middle"),
        _text("m small", "8", 16, axes[1]),
    ]
    for name, x, y in named:
        # Without an extent, in the middle.
        across, up = ((v - min(some)) / r if r else 0.5 for v, some, r in zip((x, y), (xs, ys), reach, strict=True))
        at, down = 10 + 78 * across, tall - edge - (tall - 3 * edge) * up
        shapes.append(Shape("circle", {"class": "f-accent", "cx": f"{at:.3f}%", "cy": f"{down:.2f}", "r": 6}))
        shapes.append(Shape("text", {"class": "t b", "x": f"{at:.3f}%", "dx": 11, "y": f"{down + 5:.2f}"}, name))
    return Plot(key, title, description, tall + 24, shapes)
