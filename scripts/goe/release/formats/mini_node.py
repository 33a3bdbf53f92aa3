"""Sites VCFs that gdi-mini-node 0.9.1 turns into its Parquet files without stopping.

Its reader (GenomicDataInfrastructure/gdi-mini-node, parquet-writer/_vcf_af_reader.py, _vcf_base_reader.py)
- stops on any INFO id of two tokens that begins with AC_, AN_ or AF_ and is none of AC_Hom, AC_Het, AC_Hemi: AF_EE
  and AF_M cannot be told to it, so of the strata only Total and country with sex are left;
- takes the bare tags, Total, only when the header has no other population, under the label given with `-c`;
- gives every allele a row of every population in the header, without AF where the record has none, and the server
  then fails on the request for that allele (mini_node/beacon/model/allele_freq.py: alleleFrequency is a float);
- writes one row per allele only, that of the last population in the header;
- looks at no FILTER, wants ascending positions, and writes a Parquet file again that another VCF has filled.

Hence two profiles of PASS alleles. `total` has the bare tags and every allele with an AF: 0.9.1 loads all of it.
`strata` has the bare tags and those of country with sex, and only alleles where each of these has a public AF; 0.9.1
keeps its last population alone. Without such strata it has the bare tags and no alleles.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from goe.check import readback
from goe.core.errors import Problem
from goe.frequencies import strata as st
from goe.release.formats import sites_vcf
from goe.release.table import Block

PROFILES = ("total", "strata")
NUMBERS = ("ac", "an", "af", "ac_hom", "ac_het", "ac_hemi")
STANDARD = ("AF", "AC", "AC_Het", "AC_Hom", "AC_Hemi", "AN")
_AGAIN = "get the file again"


def populations(strata: Iterable[str], profile: str) -> list[str]:
    """Strata that the reader takes from a file of this profile as populations, in the order of the file."""
    if profile not in PROFILES:
        raise ValueError(f"no profile {profile!r}")
    return [s for s in strata if (s == st.TOTAL if profile == "total" else "_" in s)]


def tags(fields: Sequence[Mapping[str, str]], strata: Sequence[str], profile: str) -> list[sites_vcf.Tag]:
    """INFO tags of a profile: the bare ones first, then its populations; no tag of the site.

    fields: rows of the dictionary of published fields, as for the sites VCF.
    """
    wanted = {st.TOTAL, *populations(strata, profile)}
    return [tag for tag in sites_vcf.tags(fields, [s for s in strata if s in wanted]) if tag.stratum]


def loadable(block: Block, profile: str) -> np.ndarray:
    """bool (alleles,): PASS, and every population of the profile has a public AF."""
    rows = [block.strata.index(s) for s in populations(block.strata, profile)]
    if not rows:
        return np.zeros(len(block), dtype=bool)
    there = block.shown()[rows] & ~np.isnan(block.numbers.af()[rows])
    return readback.passed(block) & there.all(axis=0)


def lines(block: Block, info: Sequence[sites_vcf.Tag], profile: str) -> pa.Array:
    """VCF lines of the alleles of a block that a file of this profile holds."""
    wanted = loadable(block, profile)
    if not wanted.any():
        return pa.array([], pa.string())
    return sites_vcf.lines(block, info).filter(pa.array(wanted))


class Writer:
    """Body (goe.release.formats.sites_vcf) of one contig in one profile; `sites_vcf.header` and `join` make the file
    of all."""

    def __init__(
        self,
        path: str | Path,
        fields: Sequence[Mapping[str, str]],
        strata: Sequence[str],
        profile: str,
        threads: int = 1,
    ):
        self.info, self.profile = tags(fields, strata, profile), profile
        self.body = sites_vcf.Body(path, threads)

    def write(self, block: Block) -> None:
        text = lines(block, self.info, self.profile)
        if len(text):
            self.body.write(text)

    def close(self) -> None:
        self.body.close()

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *error) -> None:
        self.close()


_INFO = re.compile(r"^##INFO=<ID=([^,>]+),Number=([^,>]+),Type=([^,>]+),")
_POPULATION = re.compile(r"^(AC|AN|AF)_([A-Z]{2}_[MF])(?:_(Hom|Het|Hemi))?$")


def check_header(path: str | Path, profile: str) -> list[Problem]:
    """INFO lines on which the reader would stop, or which it would leave out."""
    problems = []
    standard, found = set(), {}
    for line in readback.vcf_header(path):
        match = _INFO.match(line)
        if not match:
            if line.startswith("##INFO"):
                problems.append(Problem(str(path), f"INFO line that cannot be read: {line[:80]}", _AGAIN))
            continue
        name, number, _ = match.groups()
        parts = _POPULATION.match(name)
        if name in STANDARD:
            standard.add(name)
        elif parts and profile == "strata" and not (parts[3] and parts[1] != "AC"):
            found.setdefault(parts[2], set()).add("_".join(filter(None, (parts[1], parts[3]))))
        else:
            problems.append(Problem(str(path), f"INFO {name} is not for gdi-mini-node", "take it out"))
            continue
        right = "1" if name.startswith("AN") else "A"
        if number != right:
            problems.append(Problem(str(path), f"INFO {name} has Number={number}, not {right}", _AGAIN))
    for label, names in [("", standard), *sorted(found.items())]:
        for name in sorted(set(STANDARD) - names):
            tag = sites_vcf.tag_name(name, label or st.TOTAL)
            problems.append(Problem(str(path), f"INFO {tag} is missing", _AGAIN))
    return problems


def numbers(path: str | Path) -> Iterator[pa.Table]:
    """Cells of a file (`readback.COLUMNS`; nhomalt is null), those of Total and of all populations."""
    strata = [st.TOTAL]
    for line in readback.vcf_header(path):
        match = _INFO.match(line)
        parts = _POPULATION.match(match[1]) if match else None
        if parts and parts[2] not in strata:
            strata.append(parts[2])
    bases = {"ac": "AC", "an": "AN", "af": "AF", "ac_hom": "AC_Hom", "ac_het": "AC_Het", "ac_hemi": "AC_Hemi"}
    ids = {(name, s): sites_vcf.tag_name(base, s) for name, base in bases.items() for s in strata}
    yield from readback.vcf_cells(path, ids, strata)


def check(path: str | Path, blocks: Iterable[Block], profile: str) -> list[Problem]:
    """What is wrong with a finished file of the alleles of `blocks`, all contigs in order."""

    def wanted() -> Iterator[pa.Table]:
        for block in blocks:
            chosen = {st.TOTAL, *populations(block.strata, profile)}
            mine = np.array([s in chosen for s in block.strata])
            yield readback.expected(block, NUMBERS, mine[:, None] & loadable(block, profile))

    return check_header(path, profile) + readback.compare(numbers(path), wanted(), str(path), NUMBERS)


def dictionary(fields: Sequence[Mapping[str, str]], strata: Sequence[str], profile: str) -> list[tuple[str, ...]]:
    """Rows for the dictionary of the release: file, name, type, number, unit, stratum, description, rule."""
    rule = {f["field"]: f for f in fields}
    return [
        (
            f"mini-node {profile} VCF",
            tag.id,
            tag.type,
            tag.number,
            rule[tag.key]["unit"],
            tag.stratum,
            rule[tag.key]["description"],
            rule[tag.key]["rule"],
        )
        for tag in tags(fields, strata, profile)
    ]
