"""Companion VCF with the names of gnomAD, for people who annotate with bcftools, VEP or echtvar.

All public alleles with their FILTER, as in gnomAD. Metrics AC, AN, AF and nhomalt, then the group: AC_XX and AC_XY
for women and men, AC_ee and AC_ee_XX for a country. gnomAD has no countries; its groups are in small letters before
the sex (gnomad_methods, gnomad/utils/vcf.py, make_label_combos), and in small letters a country is no population of
a GDI node, so a companion loaded by mistake adds none. Flags are those of POS alone, as gnomAD has them.

Everything is in resources/dictionary/annotations.tsv: every tag, its unit and its rule.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from goe.check import readback
from goe.core import tables
from goe.core.errors import Problem, stop_on
from goe.core.resources import RESOURCES
from goe.frequencies import strata as st
from goe.genome.build import REGION_X, REGION_Y, Build, canonical, class_breaks, read_bed
from goe.release.formats import sites_vcf
from goe.release.table import Block

FIELDS = RESOURCES / "dictionary" / "annotations.tsv"
NON_PAR = "non_par"
FLAGS = ("lcr", "segdup")
"""Flags that `annotations.regions` of the config can give a BED file for."""

_SEXES = {"M": "XY", "F": "XX"}
_GROUPS = {"M": "men", "F": "women"}
_GRPMAX = ("ac", "an", "af", "nhomalt")


def read_fields(path: str | Path = FIELDS) -> list[dict[str, str]]:
    """Rows of the dictionary of this file's tags."""
    return tables.read(path)


def suffix(stratum: str) -> str:
    """Group of a stratum in a tag: Total -> nothing, F -> `_XX`, EE -> `_ee`, EE_M -> `_ee_XY`."""
    if stratum == st.TOTAL:
        return ""
    return "".join(f"_{_SEXES.get(part, part.lower())}" for part in stratum.split("_"))


def _words(stratum: str) -> str:
    if stratum == st.TOTAL:
        return ""
    country, _, sex = stratum.rpartition("_")
    if country:
        return f", {_GROUPS[sex]} of {country}"
    return f", {_GROUPS[stratum]}" if stratum in _GROUPS else f", people of {stratum}"


def tags(fields: Sequence[Mapping[str, str]], strata: Sequence[str], flags: Iterable[str]) -> list[sites_vcf.Tag]:
    """INFO tags in the order of the file. flags: the region flags that are known, non_par among them.

    The key of a grpmax tag is `grpmax` or `grpmax_` and its number, that of a flag the flag.
    """
    known = set(flags)
    out = []
    for stratum in strata:
        for f in fields:
            if f["scope"] == "stratum":
                text = f"{f['description']}{_words(stratum)} ({f['unit']})"
                tag = (f["vcf"] + suffix(stratum), f["number"], f["type"], text, f["field"], stratum)
                out.append(sites_vcf.Tag(*tag))
    for f in fields:
        if f["scope"] == "stratum" or (f["scope"] == "region" and f["field"] not in known):
            continue
        if f["scope"] == "grpmax" and len(st.published_countries(strata)) < 2:
            continue
        key = f"grpmax_{f['field']}" if f["scope"] == "grpmax" and f["field"] != "grpmax" else f["field"]
        out.append(sites_vcf.Tag(f["vcf"], f["number"], f["type"], f"{f['description']} ({f['unit']})", key))
    return out


def check_regions(regions: Mapping[str, str], build: Build) -> list[Problem]:
    """What is wrong with `annotations.regions` of the config, flag -> BED file; for the intake."""
    problems = []
    for flag, path in regions.items():
        where = f"config annotations.regions.{flag} {path}"
        if flag not in FLAGS:
            problems.append(Problem(where, "is no flag of this release", f"give one of {', '.join(FLAGS)}"))
        elif not Path(path).is_file():
            problems.append(Problem(where, "no such file", "give a BED file that is not compressed"))
        else:
            with Path(path).open("rb") as handle:
                if handle.read(2) == b"\x1f\x8b":
                    problems.append(Problem(where, "is compressed", f"gunzip {path}"))
                    continue
            with_ends = {contig: end for contig, _, end in sorted(read_bed(path), key=lambda r: r[2])}
            there = [contig for contig in with_ends if contig in build.contigs]
            if not there:
                seen = ", ".join(list(with_ends)[:3]) or "nothing"
                text = f"no interval on a contig of the release (it has {seen})"
                problems.append(Problem(where, text, "use the contig names of the reference"))
            known = {canonical(contig): contig for contig in build.contigs if canonical(contig)}
            for contig in with_ends:
                meant = known.get(canonical(contig)) if contig not in build.contigs else None
                if there and meant:
                    text = f"has intervals on {contig}, which the reference calls {meant}"
                    problems.append(Problem(where, text, "use the contig names of the reference throughout"))
            for contig in there:
                if with_ends[contig] > build.contigs[contig]:
                    text = f"{contig} ends at {build.contigs[contig]}, an interval at {with_ends[contig]}"
                    problems.append(Problem(where, text, "give the BED file of this build"))
    return problems


def intervals(path: str | Path, contig: str) -> np.ndarray:
    """Intervals of one contig of a BED file, int64 (intervals, 2), 1-based, inclusive, sorted, merged."""
    found = []
    problems = []
    with Path(path).open() as handle:
        for row, line in enumerate(handle, 1):
            cells = line.split(None, 3)
            if not cells or cells[0] != contig:
                continue
            if len(cells) < 3 or not (cells[1].isdigit() and cells[2].isdigit() and int(cells[1]) < int(cells[2])):
                text = f"not a BED interval: {line.strip()[:80]!r}"
                problems.append(Problem(f"{path} line {row}", text, "write contig, start (0-based), end"))
                continue
            found.append((int(cells[1]) + 1, int(cells[2])))
    stop_on(problems)
    return merged(found)


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


def flagged(build: Build, contig: str, regions: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Flag -> intervals of a contig. regions: flag -> BED file, those that the config gives."""
    breaks = class_breaks(build, contig)
    found = {NON_PAR: merged([(s, e) for s, e, kind in breaks if kind in (REGION_X, REGION_Y)])}
    return found | {flag: intervals(path, contig) for flag, path in regions.items()}


def grpmax(block: Block) -> tuple[np.ndarray, np.ndarray]:
    """Row of the country with the highest AF in `block.strata`, and whether it may and can be told (bool), both
    (alleles,). It may where all published countries are public, and can where one has a copy."""
    rows = np.array([block.strata.index(s) for s in st.published_countries(block.strata)], dtype=np.int64)
    if len(rows) < 2:
        return np.zeros(len(block), dtype=np.int64), np.zeros(len(block), dtype=bool)
    af = np.nan_to_num(block.numbers.af()[rows], nan=-1.0)
    return rows[af.argmax(axis=0)], block.shown()[rows].all(axis=0) & (af.max(axis=0) > 0)


def _chosen(values: np.ndarray, row: np.ndarray, told: np.ndarray) -> pa.Array:
    return pa.array(values[row, np.arange(values.shape[1])], mask=~told)


def lines(block: Block, info: Sequence[sites_vcf.Tag], regions: Mapping[str, np.ndarray]) -> pa.Array:
    """VCF lines of all alleles of a block. regions: as `flagged`, with every flag among the tags."""
    counted = [tag for tag in info if tag.stratum or not (tag.key.startswith("grpmax") or tag.key in regions)]
    row, told = grpmax(block)
    pos = block.pos.to_numpy()
    more = []
    for tag in info:
        if tag.stratum:
            continue
        if tag.key in regions:
            flag = pa.array(inside(pos, regions[tag.key]))
            more.append(pc.if_else(flag, pa.scalar(tag.id), pa.scalar(None, pa.string())))
        elif tag.key.startswith("grpmax"):
            number = tag.key.removeprefix("grpmax").removeprefix("_")
            if not number:
                names = pa.array([s.lower() for s in block.strata]).take(pa.array(row, mask=~told))
                more.append(pc.binary_join_element_wise(f"{tag.id}=", names, ""))
                continue
            values = block.numbers.af() if number == "af" else getattr(block.numbers, number)
            text = pc.cast(_chosen(values, row, told), pa.string())
            more.append(pc.binary_join_element_wise(f"{tag.id}=", text, ""))
    return pc.binary_join_element_wise(sites_vcf.lines(block, counted), *more, ";", null_handling="skip")


class Writer:
    """Body (goe.release.formats.sites_vcf) of one contig; `sites_vcf.header` and `join` make the file of all.

    regions: flag -> BED file, from the config.
    """

    def __init__(
        self,
        path: str | Path,
        fields: Sequence[Mapping[str, str]],
        strata: Sequence[str],
        build: Build,
        contig: str,
        regions: Mapping[str, str],
        threads: int = 1,
    ):
        self.regions = flagged(build, contig, regions)
        self.info = tags(fields, strata, self.regions)
        self.body = sites_vcf.Body(path, threads)

    def write(self, block: Block) -> None:
        self.body.write(lines(block, self.info, self.regions))

    def close(self) -> None:
        self.body.close()

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *error) -> None:
        self.close()


def _ids(fields: Sequence[Mapping[str, str]], strata: Sequence[str]) -> dict[tuple[str, str], str]:
    return {(f["field"], s): f["vcf"] + suffix(s) for s in strata for f in fields if f["scope"] == "stratum"}


def numbers(path: str | Path, strata: Sequence[str], fields: Sequence[Mapping[str, str]] = ()) -> Iterator[pa.Table]:
    """Cells of a file (`readback.COLUMNS`; ac_hom, ac_het, ac_hemi are null). strata: those of the release."""
    yield from readback.vcf_cells(path, _ids(fields or read_fields(), strata), strata)


_SITE_KEYS = ("contig", "pos", "ref", "alt")


def sites(path: str | Path, flags: Iterable[str]) -> Iterator[pa.Table]:
    """What a file says of each allele beside its cells: contig, pos, ref, alt, filter, the statistics (float32),
    grpmax and its numbers, the flags (bool)."""
    names = list(flags)
    for table, found in readback.vcf_records(path):
        n = table.num_rows
        columns = {name: table[name].combine_chunks() for name in (*_SITE_KEYS, "filter")}
        with readback.reading(path):
            for name, id_ in _STATISTICS.items():
                values = readback.numbers_of(found, id_, n)
                columns[name] = pa.array(values.astype(np.float32), from_pandas=True)
            columns["grpmax"] = _texts(found, "grpmax", n)
            for number in _GRPMAX:
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
    row, told = grpmax(block)
    contig = pa.array([block.contig]).take(pa.array(np.zeros(len(block), dtype=np.int64)))
    columns = {"contig": contig, "pos": block.pos, "ref": block.ref, "alt": block.alt, "filter": block.filter}
    for name in _STATISTICS:
        columns[name] = pa.array(block.statistics[name].astype(np.float32), from_pandas=True)
    columns["grpmax"] = pa.array([block.strata[i].lower() if ok else None for i, ok in zip(row, told, strict=True)])
    columns["grpmax"] = columns["grpmax"].cast(pa.string())
    for number in _GRPMAX:
        values = block.numbers.af() if number == "af" else getattr(block.numbers, number).astype(np.float64)
        columns[f"grpmax_{number}"] = _chosen(values, row, told)
    for name, where in regions.items():
        columns[name] = pa.array(inside(block.pos.to_numpy(), where))
    return pa.table(columns)


def check(path: str | Path, blocks: Iterable[Block], strata: Sequence[str]) -> list[Problem]:
    """Differences between the cells of a finished file and those of `blocks`, all contigs in order."""
    columns = ("ac", "an", "af", "nhomalt")
    wanted = (readback.expected(block, columns, np.ones(len(block), dtype=bool)) for block in blocks)
    return readback.compare(numbers(path, strata), wanted, str(path), columns)


def check_sites(
    path: str | Path, blocks: Iterable[Block], regions: Mapping[str, Mapping[str, np.ndarray]]
) -> list[Problem]:
    """Differences between a finished file and `blocks` beside the cells. regions: contig -> `flagged`."""
    flags = next(iter(regions.values()), {})
    columns = ("filter", *_STATISTICS, "grpmax", *(f"grpmax_{number}" for number in _GRPMAX), *flags)
    wanted = (_expected_sites(block, regions[block.contig]) for block in blocks)
    return readback.compare(sites(path, flags), wanted, str(path), columns, _SITE_KEYS)


def dictionary(
    fields: Sequence[Mapping[str, str]], strata: Sequence[str], flags: Iterable[str]
) -> list[tuple[str, ...]]:
    """Rows for the dictionary of the release: file, name, type, number, unit, stratum, description, rule."""
    rows = {("grpmax_" if f["scope"] == "grpmax" and f["field"] != "grpmax" else "") + f["field"]: f for f in fields}
    return [
        (
            "annotations VCF",
            tag.id,
            tag.type,
            tag.number,
            rows[tag.key]["unit"],
            tag.stratum,
            rows[tag.key]["description"],
            rows[tag.key]["rule"],
        )
        for tag in tags(fields, strata, flags)
    ]
