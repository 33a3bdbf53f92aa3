"""Site alleles of a made-up national cohort as the variant QC leaves them, and the reference they are called on.

Counts are drawn, not genotypes, so that a million alleles take seconds.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pysam
from goe.frequencies import strata as st
from goe.frequencies.counts import MEASURES, METRIC_COLUMNS
from goe.genome.build import REGION_DIPLOID, REGION_X, Build, contig_class, regions
from goe.variant_qc.filters import annotate

# Women, men; with their parents they make 21 strata.
COUNTRIES = {
    "DK": (1400, 1350),
    "EE": (1800, 1500),
    "FI": (1200, 1250),
    "LT": (700, 650),
    "LV": (800, 750),
    "SE": (300, 300),
}
PEOPLE = {f"{c}_{sex}": n for c, sizes in sorted(COUNTRIES.items()) for sex, n in zip("FM", sizes, strict=True)}
CONTIGS = {"chr20": 64_444_167, "chr21": 46_709_983, "chr22": 50_818_468, "chrX": 156_040_895}
"""As in GRCh38, so that they have an accession and PARs."""

_ROWS = 16_384
_BASES = np.frombuffer(b"ACGT", dtype=np.uint8)
_LINE = 100


def write_reference(path: Path, contigs: Mapping[str, int] = CONTIGS, seed: int = 1) -> Path:
    """A FASTA of random bases, with its index."""
    rng = np.random.default_rng(seed)
    with path.open("wb") as file:
        for name, length in contigs.items():
            file.write(f">{name}\n".encode())
            whole = _BASES[rng.integers(0, 4, length, dtype=np.uint8)]
            full = length // _LINE
            lines = np.full((full, _LINE + 1), ord("\n"), dtype=np.uint8)
            lines[:, :-1] = whole[: full * _LINE].reshape(full, _LINE)
            file.write(lines.tobytes())
            file.write(whole[full * _LINE :].tobytes() + b"\n" * (length % _LINE > 0))
    pysam.faidx(str(path))
    return path


def _sites(rng: np.random.Generator, text: str, n: int) -> tuple[np.ndarray, list[str], list[str]]:
    """About n site alleles of a sequence, sorted: 88 of 100 SNVs, one in ten at the position of the one before."""
    pos = np.sort(rng.integers(30_000, len(text) - 30_000, n))
    again = rng.random(n) < 0.1
    pos[1:][again[1:]] = pos[:-1][again[1:]]
    kind, other, extra = rng.random(n), rng.integers(1, 4, n), rng.geometric(0.4, n)
    alleles = []
    for p, k, o, e in zip(pos.tolist(), kind.tolist(), other.tolist(), extra.tolist(), strict=True):
        first = text[p - 1]
        if k < 0.88:
            alleles.append((p, first, "ACGT"[("ACGT".index(first) + o) % 4]))
        elif k < 0.94:
            alleles.append((p, first, first + "ACGT"[o] * e))
        else:
            alleles.append((p, text[p - 1 : p + e], first))
    alleles = sorted(set(alleles))
    columns = zip(*alleles, strict=True)
    return np.array(next(columns), dtype=np.int32), list(next(columns)), list(next(columns))


def _frequencies(rng: np.random.Generator, n: int, people: int) -> np.ndarray:
    """Frequencies of a population that has grown: half of the alleles were seen once, a tail of 1 / AC."""
    once = rng.random(n) < 0.45
    log = rng.random(n) * np.log(2 * people)
    return np.where(once, 1, np.exp(log)) / (2 * people)


def _people(rng: np.random.Generator, pos: np.ndarray, haploid: np.ndarray) -> dict[str, np.ndarray]:
    """Counts of people by measure and leaf, int32 (alleles,), of alleles in order. haploid: where men are (alleles,).

    Alleles of one position share the people called there, and most often the room for their copies.
    """
    n = len(pos)
    first = np.searchsorted(pos, pos)
    af = _frequencies(rng, n, sum(PEOPLE.values()))
    af = np.where(first < np.arange(n), af * (1 - af[first]), af)
    missing = rng.beta(0.3, 30, n)
    countries = {c: np.clip(af * rng.lognormal(0, 0.4, n), 0, 0.99) for c in COUNTRIES}
    out = {}
    for leaf, size in PEOPLE.items():
        p = countries[leaf[:2]]
        called = rng.binomial(size, 1 - missing)[first]
        men = haploid if leaf.endswith("_M") else np.zeros(n, dtype=bool)
        cells = dict.fromkeys(MEASURES, np.zeros(n, dtype=np.int64))
        cells["dip"], cells["hap"] = np.where(men, 0, called), np.where(men, called, 0)
        cells["hom"] = rng.binomial(cells["dip"], p * p)
        cells["het"] = rng.binomial(cells["dip"] - cells["hom"], 2 * p / (1 + p))
        cells["hemi"] = rng.binomial(cells["hap"], p)
        out |= {f"{measure}_{leaf}": values.astype(np.int32) for measure, values in cells.items()}
    return out


def _expected(people: Mapping[str, int]) -> dict[str, dict[str, int]]:
    return {
        str(region_class): {
            leaf: 2 * n if region_class == REGION_DIPLOID or (leaf.endswith("_F") and region_class == REGION_X) else n
            for leaf, n in people.items()
        }
        for region_class in range(1, 6)
    }


def write_tables(
    folder: Path, fasta: Path, build: Build, alleles: int, rules: Mapping, region_size: int, seed: int = 1
) -> dict[str, int]:
    """variant_qc Parquet files <region>.parquet of about `alleles` site alleles, as many on every contig.

    rules: `variant_qc` of the config. Returns region -> site alleles.
    """
    about = {"goe": json.dumps({"leaves": list(PEOPLE), "people": PEOPLE, "class_expected": _expected(PEOPLE)})}
    found = {}
    for contig in build.contigs:
        rng = np.random.default_rng([seed, *contig.encode()])
        with pysam.FastaFile(str(fasta)) as file:
            text = file.fetch(contig)
        pos, ref, alt = _sites(rng, text, alleles // len(build.contigs))
        n = len(pos)
        kinds = np.full(n, REGION_DIPLOID, dtype=np.int8)
        if contig_class(contig) == "X":
            kinds = np.array([build.region_class(contig, int(p)) for p in pos], dtype=np.int8)
        table = pa.table(
            {
                "contig": pa.array([contig]).take(pa.array(np.zeros(n, dtype=np.int64))),
                "pos": pa.array(pos),
                "ref": pa.array(ref, pa.string()),
                "alt": pa.array(alt, pa.string()),
                "filters": pa.array([["VQSRTrancheSNP99.90to100.00"] if x else [] for x in rng.random(n) < 0.03]),
                "qual": pa.array(rng.exponential(3000, n).astype(np.float32)),
                **{name: pa.nulls(n, pa.float32()) for name in METRIC_COLUMNS.values()},
                "region_class": pa.array(kinds),
                **_people(rng, pos, kinds != REGION_DIPLOID),
            }
        ).replace_schema_metadata(about)
        for name, region in regions(build, region_size).items():
            if region.contig != contig:
                continue
            start, end = np.searchsorted(pos, [region.start, region.end + 1])
            part = annotate(table.slice(start, end - start), rules)
            pq.write_table(part, folder / f"{name}.parquet", compression="zstd", row_group_size=_ROWS)
            found[name] = len(part)
    return found


def strata() -> list[str]:
    """The strata that these people are published in."""
    return st.order(PEOPLE)
