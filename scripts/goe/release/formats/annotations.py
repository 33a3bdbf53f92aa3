"""Companion VCF with the names of gnomAD, for people who annotate with bcftools, VEP or echtvar.

All public alleles with their FILTER, as in gnomAD. Metrics AC, AN, AF and nhomalt, then the group: AC_XX and AC_XY
for women and men, AC_ee and AC_ee_XX for a country. gnomAD has no countries; its groups are in small letters before
the sex (gnomad_methods, gnomad/utils/vcf.py, make_label_combos), and in small letters a country is no population of
a GDI node, so a companion loaded by mistake adds none. Flags are those of POS alone, as gnomAD has them, and of women
nothing stands on Y, not even a 0 (gnomad_methods, gnomad/assessment/validity_checks.py, check_sex_chr_metrics).
QUAL is empty: what a caller makes it of are the reads of the carriers, and no rule of disclosure control is about it.

Everything is in resources/dictionary/annotations.tsv: every tag, its unit and its rule.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from goe.core import tables
from goe.core.errors import Problem
from goe.core.files import Closes
from goe.core.resources import RESOURCES
from goe.frequencies import strata as st
from goe.frequencies.block import Block
from goe.genome.bed import read_bed
from goe.genome.build import REGION_X, REGION_Y, Build, canonical, class_breaks
from goe.genome.intervals import inside, intervals, merged
from goe.hts import bgzf
from goe.release.formats import sites_vcf
from goe.release.formats.allele_names import NAMES
from goe.rules.stratum import parse
from goe.variant_qc.statistics import filtering_allele_frequency

FIELDS = RESOURCES / "dictionary" / "annotations.tsv"
NON_PAR = "non_par"
FLAGS = ("lcr", "segdup")
"""Flags that `annotations.regions` of the config can give a BED file for."""

_SEXES = {"M": "XY", "F": "XX"}
_GROUPS = {"M": "men", "F": "women"}
_OVER_COUNTRIES = ("grpmax", "fafmax")
_FAF = {"faf95": 0.95, "faf99": 0.99}


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

    The key of a tag is its field; of one of a country, which is computed, with `_` and the country behind, as `_key`
    has it; of one over countries with `grpmax_` or `fafmax_` before it; of a flag the flag.
    """
    known, countries = set(flags), st.published_countries(strata)
    out = []
    for stratum in strata:
        for f in fields:
            text = f"{f['description']}{_words(stratum)} ({f['unit']})"
            tag = (f["vcf"] + suffix(stratum), f["number"], f["type"], text)
            if f["scope"] == "stratum":
                out.append(sites_vcf.Tag(*tag, f["field"], stratum))
            elif f["scope"] == "country" and stratum in countries:
                out.append(sites_vcf.Tag(*tag, _key(f, stratum)))
    for f in fields:
        if f["scope"] in ("stratum", "country") or (f["scope"] == "region" and f["field"] not in known):
            continue
        if f["scope"] in _OVER_COUNTRIES and len(countries) < 2:
            continue
        out.append(sites_vcf.Tag(f["vcf"], f["number"], f["type"], f"{f['description']} ({f['unit']})", _key(f)))
    return out


def _key(field: Mapping[str, str], country: str = "") -> str:
    name = field["field"]
    if field["scope"] in _OVER_COUNTRIES and name != field["scope"]:
        return f"{field['scope']}_{name}"
    return f"{name}_{country}" if country else name


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
                if bgzf.is_packed(handle.read(2)):
                    problems.append(Problem(where, "is compressed", f"gunzip {path}"))
                    continue
            with_ends = {contig: end for contig, _, end in sorted(read_bed(path), key=lambda r: r[2])}
            listed = [contig for contig in with_ends if contig in build.contigs]
            if not listed:
                seen = ", ".join(list(with_ends)[:3]) or "nothing"
                text = f"no interval on a contig of the release (it has {seen})"
                problems.append(Problem(where, text, "use the contig names of the reference"))
            known = {canonical(contig): contig for contig in build.contigs if canonical(contig)}
            for contig in with_ends:
                meant = known.get(canonical(contig)) if contig not in build.contigs else None
                if listed and meant:
                    text = f"has intervals on {contig}, which the reference calls {meant}"
                    problems.append(Problem(where, text, "use the contig names of the reference throughout"))
            for contig in listed:
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


def shown(block: Block) -> np.ndarray:
    """bool (strata, alleles): the public cells that this file has, of women none on Y."""
    women = np.array([parse(stratum).sex == "F" for stratum in block.strata])
    return block.shown() & ~(women & (canonical(block.contig) == "Y"))[:, None]


def computed(block: Block, key: str) -> pa.Array:
    """Values of a key that is computed of the countries: `faf95_EE`, `grpmax`, `grpmax_ac`, `fafmax_faf95`,
    `fafmax_faf95_country`; null where nothing is told. Single precision for filtering allele frequencies."""
    over, _, number = key.partition("_")
    if over in _FAF:
        s = block.strata.index(number)
        values = _single(_faf(block, s, over))
        return pa.array(values, mask=~block.shown()[s] | np.isnan(values))
    if over == "grpmax":
        (row, told), name = grpmax(block), number
        values = block.numbers.af() if number in ("", "af") else getattr(block.numbers, number)
    else:
        of, _, country = number.partition("_")
        row, told, values = fafmax(block, of)
        name = "" if country else of
    if not name:
        return pa.array([s.lower() for s in block.strata]).take(pa.array(row, mask=~told))
    return pa.array(values[row, np.arange(len(block))], mask=~told)


def _faf(block: Block, s: int, name: str) -> np.ndarray:
    return filtering_allele_frequency(block.numbers.ac[s], block.numbers.an[s], _FAF[name])


def _single(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)


def fafmax(block: Block, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `grpmax`, by faf95 or faf99, and these, float32 (strata, alleles), of the countries alone."""
    rows = np.array([block.strata.index(s) for s in st.published_countries(block.strata)], dtype=np.int64)
    values = np.full((len(block.strata), len(block)), np.nan, dtype=np.float32)
    for s in rows:
        values[s] = _single(_faf(block, s, name))
    if len(rows) < 2:
        return np.zeros(len(block), dtype=np.int64), np.zeros(len(block), dtype=bool), values
    there = np.nan_to_num(values[rows], nan=-1.0)
    return rows[there.argmax(axis=0)], block.shown()[rows].all(axis=0) & (there.max(axis=0) > 0), values


def is_computed(tag: sites_vcf.Tag) -> bool:
    """Whether the values of a tag are those of `computed`."""
    over, _, rest = tag.key.partition("_")
    return not tag.stratum and (over in _OVER_COUNTRIES or (over in _FAF and bool(rest)))


def lines(block: Block, info: Sequence[sites_vcf.Tag], regions: Mapping[str, np.ndarray]) -> pa.Array:
    """VCF lines of all alleles of a block. regions: as `flagged`, with every flag among the tags."""
    counted = [tag for tag in info if not (is_computed(tag) or tag.key in regions or tag.key in NAMES)]
    pos = block.pos.to_numpy()
    more = []
    for tag in info:
        if tag.stratum:
            continue
        if tag.key in regions:
            flag = pa.array(inside(pos, regions[tag.key]))
            more.append(pc.if_else(flag, pa.scalar(tag.id), pa.scalar(None, pa.string())))
        elif is_computed(tag):
            more.append(pc.binary_join_element_wise(f"{tag.id}=", pc.cast(computed(block, tag.key), pa.string()), ""))
        elif tag.key in block.names:
            more.append(pc.binary_join_element_wise(f"{tag.id}=", block.names[tag.key], ""))
    known = sites_vcf.lines(replace(block, mask=shown(block)), counted)
    return pc.binary_join_element_wise(known, *more, ";", null_handling="skip")


class Writer(Closes):
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


def dictionary(
    fields: Sequence[Mapping[str, str]], strata: Sequence[str], flags: Iterable[str]
) -> list[tuple[str, ...]]:
    """Rows for the dictionary of the release: file, name, type, number, unit, stratum, description, rule."""
    rows = {_key(f): f for f in fields if f["scope"] != "country"}
    rows |= {_key(f, s): f for f in fields if f["scope"] == "country" for s in st.published_countries(strata)}
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
