"""The GDI package against the frequency table of the same release: the same rows, the same numbers."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from goe.check import gdi as gdi_check
from goe.check import readback
from goe.core.errors import GoeError, Problem
from goe.frequencies import strata as st
from goe.release import bounds, reading
from goe.release.gdi import format as gdi
from goe.release.gdi import package as gdi_package
from goe.release.gdi import rows as gdi_rows
from goe.release.gdi.metadata import Settings

NUMBERS = ("ac", "an", "ac_hom", "ac_het", "ac_hemi")
_KEYS = ("pos", "ref", "alt")


def compare(
    package: str | Path, tables: Mapping[str, str | Path], lengths: Mapping[str, int], settings: Settings
) -> list[Problem]:
    """Every way in which a package (folder or TAR) differs from what the frequency tables say it holds.

    tables: contig -> Parquet file of goe.release.table, of every contig of the release. lengths: of the contigs,
    in bases. settings: those of the package (`gdi_check.settings`). AF is not compared: that it is AC / AN in single
    precision is a rule of the package itself. GoeError when a file cannot be read.
    """
    data = gdi_check.data_files(package)
    problems = []
    taken = set()
    for contig, path in tables.items():
        name = gdi.chromosome(settings.assembly, contig, lengths[contig])
        files = [content for part, content in data if part.chromosome == name]
        taken.add(name)
        wanted = expected(readback.frequency_table(path, only_passed=True, only_with_af=True), settings.floor)
        where = f"{package} chr{name or contig}"
        got = numbers(files, contig, where)
        problems += readback.compare(got, wanted if name else iter(()), where, NUMBERS)
    strangers = sorted({part.chromosome for part, _ in data} - taken)
    problems += [
        Problem(str(package), f"has data of chr{name}, which is no contig of this release", "get the package again")
        for name in strangers
    ]
    return problems


def numbers(files: Iterable[pa.Buffer], contig: str, where: str) -> Iterator[pa.Table]:
    """Rows of data files as `readback.COLUMNS` (nhomalt is null), in the order of the package."""
    for content in files:
        for table in reading.batches(pa.BufferReader(content), where, gdi.TEXT, gdi_package.ROW_GROUP, None):
            columns = {
                "contig": pa.array([contig]).take(pa.array(np.zeros(table.num_rows, dtype=np.int64))),
                "pos": pc.add(table["POS"], 1),
                "stratum": table["POPULATION"],
                "nhomalt": pa.nulls(table.num_rows, pa.int64()),
                **{name: table[name.upper()] for name in ("ref", "alt", "af", *NUMBERS)},
            }
            yield pa.table([columns[n] for n in readback.COLUMNS.names], names=readback.COLUMNS.names).cast(
                readback.COLUMNS
            )


def expected(cells: Iterable[pa.Table], floor: int) -> Iterator[pa.Table]:
    """Which of the cells (`readback.COLUMNS`, alleles whole and in order) a package holds, in its order."""
    rest: pa.Table | None = None
    for table in cells:
        if not table.num_rows:
            continue
        table = pa.concat_tables([rest, table]) if rest is not None else table
        start = int(_starts(table)[-1])
        rest = table.slice(start)
        if rest.num_rows > bounds.STRATA:
            what = f"{readback.place(rest)} has more rows than a release has strata"
            raise GoeError(Problem("frequencies", what, "get the file again"))
        if start:
            yield _held(table.slice(0, start), floor)
    if rest is not None:
        yield _held(rest, floor)


def _starts(table: pa.Table) -> np.ndarray:
    """Index of the first row of each allele."""
    change = np.ones(table.num_rows, dtype=bool)
    change[1:] = False
    for name in _KEYS:
        column = table[name]
        before, after = column.slice(0, len(column) - 1), column.slice(1)
        change[1:] |= pc.not_equal(before, after).to_numpy()
    return np.flatnonzero(change)


def _held(table: pa.Table, floor: int) -> pa.Table:
    starts = _starts(table)
    sizes = np.diff(starts, append=table.num_rows)
    low = gdi_rows.below_floor(table["ac"].to_numpy(), table["an"].to_numpy(), floor)
    broken = np.repeat(np.logical_or.reduceat(low, starts), sizes)
    total = pc.equal(table["stratum"], st.TOTAL).to_numpy()
    short = (pc.binary_length(table["ref"]).to_numpy() <= gdi.MAX_ALLELE) & (
        pc.binary_length(table["alt"]).to_numpy() <= gdi.MAX_ALLELE
    )
    rows = np.flatnonzero(short & ~low & (total | ~broken))
    names = table["stratum"].combine_chunks().dictionary_encode()
    words = names.dictionary.to_pylist()
    rank = np.array([sorted(words).index(word) for word in words])[names.indices.to_numpy()]
    allele = np.repeat(np.arange(len(starts)), sizes)
    order = rows[np.lexsort((rank[rows], allele[rows]))]
    return table.take(pa.array(order))
