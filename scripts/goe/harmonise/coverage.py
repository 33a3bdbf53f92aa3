"""Where people of a batch have reads enough to be called, by the depth of reads that lie beside their calls (C4.7)."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pysam

from goe.genome.build import Build, class_breaks
from goe.harmonise.batch import SPANS, Tables, spans, windows
from goe.harmonise.person import RUNS
from goe.harmonise.records import ploidy_table
from goe.hts import parquet


class Depths(NamedTuple):
    """Reads that a base needs where two alleles are expected, and where one is."""

    two: int
    one: int


def deep(
    runs: tuple[np.ndarray, np.ndarray, np.ndarray], build: Build, contig: str, sex: str, depths: Depths
) -> pa.Table:
    """`RUNS` of a person of that sex on a contig.

    runs: int64 (runs,) each, start and end (0-based, half open) in order, and a depth that no base of the run is below.
    """
    start, end, least = runs
    ploidy = ploidy_table([sex])[:, 0]
    parts = []
    for first, last, of_class in class_breaks(build, contig):
        if alleles := int(ploidy[of_class]):
            enough = (least >= (depths.one if alleles == 1 else depths.two)) & (end >= first) & (start < last)
            begins, ends = np.maximum(start[enough] + 1, first), np.minimum(end[enough], last)
            new = begins[1:] > ends[:-1] + 1
            begins, ends = begins[np.append(True, new)[: begins.size]], ends[np.append(new, True)[: ends.size]]
            columns = [begins.astype(np.int32), ends.astype(np.int32)]
            columns += [np.full(begins.size, alleles, np.int8), np.zeros(begins.size, np.bool_)]
            parts.append(pa.Table.from_arrays([*map(parquet.column, columns)], schema=RUNS))
    return pa.concat_tables(parts) if parts else RUNS.empty_table()


def _read(file: pysam.TabixFile, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The rows of mosdepth's classes of depth on a contig, by the name that the file has for it."""
    rows = [row.split("\t") for name in names for row in file.fetch(name)]
    start, end = (np.array([row[i] for row in rows], np.int64) for i in (1, 2))
    return start, end, np.array([row[3].partition(":")[0] for row in rows], np.int64)


def gather(
    people: Sequence[tuple[str, str, str]], build: Build, rename: Mapping[str, str], depths: Depths, out: str | Path
) -> None:
    """Write `SPANS` of a batch. people: id, sex and BED (`goe.calls.coverage.quantised`, with its index) of each;
    rename: contigs of their files -> of the reference."""
    with ExitStack() as stack:
        table = stack.enter_context(Tables(out, SPANS, {"people": [name for name, _, _ in people]}))
        files = [(sex, stack.enter_context(pysam.TabixFile(bed, index=f"{bed}.csi"))) for _, sex, bed in people]
        for contig, length in build.contigs.items():
            every = []
            for sex, file in files:
                names = [name for name in file.contigs if rename.get(name, name) == contig]
                every.append(deep(_read(file, names), build, contig, sex, depths))
            for start, end in windows(length):
                table.write(contig, start, end, spans([*_cut(every, start, end)], start, end))


def _cut(people: Sequence[pa.Table], start: int, end: int) -> Iterator[pa.Table]:
    """The runs of each that touch start..end."""
    for table in people:
        i = int(np.searchsorted(table["end"].to_numpy(), start))
        yield table.slice(i, int(np.searchsorted(table["start"].to_numpy(), end, "right")) - i)
