"""Companion VCF with the names of gnomAD, for people who annotate with bcftools, VEP or echtvar.

All public alleles with their FILTER, as in gnomAD. Metrics AC, AN, AF and nhomalt, then the group: AC_XX and AC_XY
for women and men, AC_ee and AC_ee_XX for a country. gnomAD has no countries; its groups are in small letters before
the sex (gnomad_methods, gnomad/utils/vcf.py, make_label_combos), and in small letters a country is no population of
a GDI node, so a companion loaded by mistake adds none. Flags are those of POS alone, as gnomAD has them.

Everything is in resources/dictionary/annotations.tsv: every tag, its unit and its rule.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from goe.core import tables
from goe.core.errors import Problem
from goe.core.resources import RESOURCES
from goe.frequencies import strata as st
from goe.frequencies.block import Block
from goe.genome.bed import read_bed
from goe.genome.build import REGION_X, REGION_Y, Build, canonical, class_breaks
from goe.genome.intervals import inside, intervals, merged
from goe.release.formats import sites_vcf
from goe.rules.stratum import parse

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
    country, sex = parse(stratum)
    return (f"_{country.lower()}" if country else "") + (f"_{_SEXES[sex]}" if sex else "")


def _words(stratum: str) -> str:
    country, sex = parse(stratum)
    group = _GROUPS[sex] if sex else "people"
    return f", {group} of {country}" if country else f", {group}" if sex else ""


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

    def __exit__(self, *error: object) -> None:
        self.close()


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
