"""BED files."""

from pathlib import Path

from goe.core.errors import Problem, stop_on


def read_bed(path: str | Path) -> list[tuple[str, int, int]]:
    """Intervals (contig, start, end) of a BED file, turned to 1-based, inclusive."""
    regions = []
    problems = []
    for row, line in enumerate(Path(path).read_text().splitlines(), 1):
        if not line.strip() or line.startswith(("#", "track", "browser")):
            continue
        cells = line.split()
        if len(cells) < 3 or not (cells[1].isdigit() and cells[2].isdigit() and int(cells[1]) < int(cells[2])):
            problems.append(
                Problem(
                    f"{path} line {row}",
                    f"not a BED interval: {line.strip()!r}",
                    "write contig, start (0-based), end",
                )
            )
        else:
            regions.append((cells[0], int(cells[1]) + 1, int(cells[2])))
    stop_on(problems)
    return regions
