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

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from goe.frequencies import strata as st
from goe.frequencies.block import Block, passed
from goe.release.formats import sites_vcf
from goe.rules.stratum import parse

PROFILES = ("total", "strata")
NUMBERS = ("ac", "an", "af", "ac_hom", "ac_het", "ac_hemi")


def populations(strata: Iterable[str], profile: str) -> list[str]:
    """Strata that the reader takes from a file of this profile as populations, in the order of the file."""
    if profile not in PROFILES:
        raise ValueError(f"no profile {profile!r}")
    return [s for s in strata if (s == st.TOTAL if profile == "total" else parse(s).is_leaf)]


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
    return passed(block) & there.all(axis=0)


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

    def __exit__(self, *error: object) -> None:
        self.close()


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
