"""Bases of a reference that are not N: how many, and where."""

import itertools
import re
from collections.abc import Callable, Iterator

from goe.genome.build import Build, contig_class

PIECE = 10_000_000
"""Bases of the reference that are in memory at a time."""


def count_bases(build: Build, fetch: Callable[[str, int, int], str]) -> list[tuple[str, int, int, int]]:
    """(contig, region class, length, bases that are not N) of every primary contig.

    fetch(contig, start, end) gives the sequence, 0-based half-open.
    """
    rows = []
    for contig, length in build.contigs.items():
        edges = {0, length}
        for name, start, end in build.par:
            if name == contig:
                edges |= {start - 1, min(end, length)}
        edges |= set(range(0, length, PIECE))
        counts: dict[int, list[int]] = {}
        borders = sorted(edges)
        for start, end in itertools.pairwise(borders):
            sequence = fetch(contig, start, end)
            total = counts.setdefault(build.region_class(contig, start + 1), [0, 0])
            total[0] += end - start
            total[1] += end - start - sequence.count("N") - sequence.count("n")
        rows += [(contig, number, n, known) for number, (n, known) in sorted(counts.items())]
    return rows


def autosome_runs(build: Build, fetch: Callable[[str, int, int], str]) -> Iterator[tuple[str, int, int]]:
    """(contig, start, end), 0-based half-open, of the autosomes' longest runs without N, in order.

    fetch as for `count_bases`; together they hold all bases of the autosomes that are not N.
    """
    for contig, length in build.contigs.items():
        if contig_class(contig) != "autosome":
            continue
        run = None
        for start in range(0, length, PIECE):
            sequence = fetch(contig, start, min(start + PIECE, length))
            for match in re.finditer("[^Nn]+", sequence):
                interval = (start + match.start(), start + match.end())
                if run and run[1] == interval[0]:
                    run = (run[0], interval[1])
                    continue
                if run:
                    yield contig, *run
                run = interval
        if run:
            yield contig, *run
