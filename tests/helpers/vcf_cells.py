"""Second readers of the VCFs of a release, for the tests of their writers: cells and sites by way of text columns.

`goe check` reads them in another way (goe.check.vcf).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from goe.check import mini_node as mini_node_check
from goe.check import readback
from goe.check.readback import KEYS, cells, numbers_of, vcf_records
from goe.core.errors import Problem
from goe.frequencies import strata as st
from goe.frequencies.block import Block
from goe.genome import intervals
from goe.release import reading
from goe.release.formats import annotations, mini_node

GRPMAX = ("ac", "an", "af", "nhomalt")


def vcf_cells(path: str | Path, tags: Mapping[tuple[str, str], str], strata: Sequence[str]) -> Iterator[pa.Table]:
    """Cells of a sites VCF. tags: (column, stratum) -> INFO key; a cell is there when its AC is."""
    names = {column for column, _ in tags}
    for table, found in vcf_records(path):
        n = table.num_rows
        with reading.reading(path):
            values = {
                name: np.array([numbers_of(found, tags.get((name, stratum), ""), n) for stratum in strata])
                for name in names
            }
        alleles = {name: table[name].combine_chunks() for name in KEYS[:4]}
        yield cells(alleles, strata, values, ~np.isnan(values["ac"]))


def mini_node_numbers(path: str | Path) -> Iterator[pa.Table]:
    """Cells of a file of one stratum (`readback.COLUMNS`; nhomalt is null), which stand under Total."""
    bases = {"ac": "AC", "an": "AN", "af": "AF", "ac_hom": "AC_Hom", "ac_het": "AC_Het", "ac_hemi": "AC_Hemi"}
    yield from vcf_cells(path, {(name, st.TOTAL): base for name, base in bases.items()}, [st.TOTAL])


def check_mini_node(path: str | Path, blocks: Iterable[Block], stratum: str) -> list[Problem]:
    """What is wrong with a finished file of the alleles of `blocks`, all contigs in order."""
    alone = (mini_node.alone(block, stratum) for block in blocks)
    wanted = (readback.expected(block, mini_node.NUMBERS, mini_node.loadable(block)) for block in alone)
    return mini_node_check.check_header(path) + readback.compare(
        mini_node_numbers(path), wanted, str(path), mini_node.NUMBERS
    )


def _ids(fields: Sequence[Mapping[str, str]], strata: Sequence[str]) -> dict[tuple[str, str], str]:
    return {
        (f["field"], s): f["vcf"] + annotations.suffix(s) for s in strata for f in fields if f["scope"] == "stratum"
    }


def annotations_numbers(
    path: str | Path, strata: Sequence[str], fields: Sequence[Mapping[str, str]] = ()
) -> Iterator[pa.Table]:
    """Cells of a file (`readback.COLUMNS`; ac_hom, ac_het, ac_hemi are null). strata: those of the release."""
    yield from vcf_cells(path, _ids(fields or annotations.read_fields(), strata), strata)


_SITE_KEYS = ("contig", "pos", "ref", "alt")


def annotations_sites(path: str | Path, flags: Iterable[str]) -> Iterator[pa.Table]:
    """What a file says of each allele beside its cells: contig, pos, ref, alt, filter, the statistics (float32),
    grpmax and its numbers, the flags (bool)."""
    names = list(flags)
    for table, found in readback.vcf_records(path):
        n = table.num_rows
        columns = {name: table[name].combine_chunks() for name in (*_SITE_KEYS, "filter")}
        with reading.reading(path):
            for name, id_ in _STATISTICS.items():
                values = readback.numbers_of(found, id_, n)
                columns[name] = pa.array(values.astype(np.float32), from_pandas=True)
            columns["grpmax"] = _texts(found, "grpmax", n)
            for number in GRPMAX:
                id_ = "nhomalt_grpmax" if number == "nhomalt" else f"{number.upper()}_grpmax"
                columns[f"grpmax_{number}"] = pa.array(readback.numbers_of(found, id_, n), from_pandas=True)
        for name in names:
            flag = np.zeros(n, dtype=bool)
            if name in found:
                flag[found[name][0]] = True
            columns[name] = pa.array(flag)
        yield pa.table(columns)


_STATISTICS = {
    "faf95": "faf95",
    "faf99": "faf99",
    "inbreeding_coeff": "InbreedingCoeff",
    "call_rate": "call_rate",
}


def _texts(found: Mapping[str, tuple[np.ndarray, pa.Array]], key: str, n: int) -> pa.Array:
    out = np.full(n, None, dtype=object)
    if key in found:
        rows, texts = found[key]
        out[rows] = texts.to_pylist()
    return pa.array(out, pa.string())


def _expected_sites(block: Block, regions: Mapping[str, np.ndarray]) -> pa.Table:
    row, told = annotations.grpmax(block)
    contig = pa.array([block.contig]).take(pa.array(np.zeros(len(block), dtype=np.int64)))
    columns = {"contig": contig, "pos": block.pos, "ref": block.ref, "alt": block.alt, "filter": block.filter}
    for name in _STATISTICS:
        columns[name] = pa.array(block.statistics[name].astype(np.float32), from_pandas=True)
    columns["grpmax"] = pa.array([block.strata[i].lower() if ok else None for i, ok in zip(row, told, strict=True)])
    columns["grpmax"] = columns["grpmax"].cast(pa.string())
    for number in GRPMAX:
        values = block.numbers.af() if number == "af" else getattr(block.numbers, number).astype(np.float64)
        columns[f"grpmax_{number}"] = pa.array(values[row, np.arange(len(block))], mask=~told)
    for name, where in regions.items():
        columns[name] = pa.array(intervals.inside(block.pos.to_numpy(), where))
    return pa.table(columns)


def check_annotations(path: str | Path, blocks: Iterable[Block], strata: Sequence[str]) -> list[Problem]:
    """Differences between the cells of a finished file and those of `blocks`, all contigs in order."""
    columns = ("ac", "an", "af", "nhomalt")
    wanted = (readback.expected(block, columns, annotations.shown(block)) for block in blocks)
    return readback.compare(annotations_numbers(path, strata), wanted, str(path), columns)


def check_annotations_sites(
    path: str | Path, blocks: Iterable[Block], regions: Mapping[str, Mapping[str, np.ndarray]]
) -> list[Problem]:
    """Differences between a finished file and `blocks` beside the cells. regions: contig -> `flagged`."""
    flags = next(iter(regions.values()), {})
    columns = ("filter", *_STATISTICS, "grpmax", *(f"grpmax_{number}" for number in GRPMAX), *flags)
    wanted = (_expected_sites(block, regions[block.contig]) for block in blocks)
    return readback.compare(annotations_sites(path, flags), wanted, str(path), columns, _SITE_KEYS)
