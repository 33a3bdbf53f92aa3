"""Intervals of a contig, and positions in them."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from goe.genome.bed import read_bed


def intervals(path: str | Path, contig: str) -> np.ndarray:
    """Intervals of one contig of a BED file, int64 (intervals, 2), 1-based, inclusive, sorted, merged."""
    return merged((start, end) for name, start, end in read_bed(path) if name == contig)


def merged(found: Iterable[tuple[int, int]]) -> np.ndarray:
    """Intervals sorted and without overlaps, int64 (intervals, 2)."""
    out: list[list[int]] = []
    for start, end in sorted(found):
        if out and start <= out[-1][1] + 1:
            out[-1][1] = max(out[-1][1], end)
        else:
            out.append([start, end])
    return np.array(out, dtype=np.int64).reshape(-1, 2)


def inside(pos: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """bool (alleles,): whether a position is in one of the intervals of `merged`."""
    at = np.searchsorted(regions[:, 0], pos, side="right") - 1
    return (at >= 0) & (pos <= regions[np.maximum(at, 0), 1]) if len(regions) else np.zeros(len(pos), dtype=bool)
