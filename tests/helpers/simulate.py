"""Simulated cohorts: genotypes of msprime with depth, quality and allele depths as a genome cohort has them.

Written as raw BCF records with numpy, since a cohort of 10,000 people as text takes minutes.
"""

import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import msprime
import numpy as np
import pysam

CONTIG = "chr20"
FIRST = 1000
FORMATS = (
    ("GT", "1", "String", "Genotype"),
    ("DP", "1", "Integer", "Depth"),
    ("GQ", "1", "Integer", "Genotype quality"),
    ("AD", "R", "Integer", "Depth of each allele"),
)


@dataclass(frozen=True)
class Cohort:
    """Files of a cohort. bcf: GT:DP:GQ:AD, indexed; sheet: sample_id -> (sex, country)."""

    bcf: Path
    fasta: Path
    length: int
    sheet: dict[str, tuple[str, str]]
    sites: int


def _history(people: int, length: int, seed: int):
    """Tree sequence of a growing European-like population (Tennessen et al. 2012, doi 10.1126/science.1219240)."""
    past = msprime.Demography()
    past.add_population(name="now", initial_size=512_000, growth_rate=0.0195)
    past.add_population_parameters_change(time=204.6, initial_size=9300, growth_rate=0.00307)
    past.add_population_parameters_change(time=920, initial_size=1861, growth_rate=0)
    past.add_population_parameters_change(time=2040, initial_size=14474)
    past.add_population_parameters_change(time=5920, initial_size=7310)
    trees = msprime.sim_ancestry(
        {"now": people}, demography=past, sequence_length=length, recombination_rate=1.2e-8, random_seed=seed
    )
    return msprime.sim_mutations(trees, rate=1.25e-8, random_seed=seed)


def _alleles(rng, bases: str, at: int, snv_only: bool) -> list[str]:
    """REF and ALT at the 0-based `at`: one in eight an indel."""
    kind = 1.0 if snv_only else rng.random()
    if kind < 0.06:
        return [bases[at : at + 1 + int(rng.integers(1, 5))], bases[at]]
    if kind < 0.12:
        return [bases[at], bases[at] + "".join(rng.choice(list("ACGT"), int(rng.integers(1, 5))))]
    return [bases[at], rng.choice([b for b in "ACGT" if b != bases[at]])]


def _integers(key: int, values: np.ndarray) -> bytes:
    """A FORMAT field of a record: (people, n) integers of the smallest width."""
    wide = values.max(initial=0) > 127
    kind, dtype = (2, np.int16) if wide else (1, np.int8)
    return bytes([0x11, key, values.shape[1] << 4 | kind]) + values.astype(dtype).tobytes()


def _string(text: str) -> bytes:
    data = text.encode()
    head = bytes([len(data) << 4 | 7]) if len(data) < 15 else bytes([0xF7, 0x11, len(data)])
    return head + data


def cohort(folder: Path, people: int, sites: int, length: int, seed: int = 1, plain: bool = False) -> Cohort:
    """A cohort of at most `sites` sites over `length` bases in `folder`.

    plain: biallelic SNVs only; else one site in eight is an indel and one in thirty has a second ALT.
    """
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    bases = "".join(rng.choice(list("ACGT"), FIRST + length + 100))
    fasta = folder / "ref.fa"
    fasta.write_text(f">{CONTIG}\n" + "".join(f"{bases[i : i + 60]}\n" for i in range(0, len(bases), 60)))
    pysam.faidx(str(fasta))
    names = [f"P{i:06d}" for i in range(people)]
    sexes, countries = rng.choice(["F", "M"], people), rng.choice(["EE", "FI", "LV", "PT"], people)
    sheet = {n: (str(s), str(c)) for n, s, c in zip(names, sexes, countries, strict=True)}
    lines = ["##fileformat=VCFv4.2", '##FILTER=<ID=PASS,Description="All filters passed",IDX=0>']
    for i, (name, number, kind, text) in enumerate(FORMATS, 1):
        lines.append(f'##FORMAT=<ID={name},Number={number},Type={kind},Description="{text}",IDX={i}>')
    lines.append(f"##contig=<ID={CONTIG},length={len(bases)},IDX=0>")
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *names]
    header = ("\n".join([*lines, "\t".join(columns)]) + "\n").encode() + b"\0"
    path = folder / "full.bcf"
    with subprocess.Popen(["bcftools", "view", "--no-version", "-Ob", "-o", path, "-"], stdin=subprocess.PIPE) as pipe:
        out = pipe.stdin
        out.write(b"BCF\2\2" + struct.pack("<I", len(header)) + header)
        mean = np.clip(rng.normal(33, 6, people), 12, 60)
        written = 0
        for variant in _history(people, length, seed).variants():
            haplotypes = np.minimum(variant.genotypes, 1).astype(np.int8)
            if written == sites:
                break
            if haplotypes.min() == haplotypes.max():
                continue
            alleles = _alleles(rng, bases, FIRST + int(variant.site.position), plain)
            if not plain and rng.random() < 0.03 and len(alleles[0]) == 1:
                second = [b for b in "ACGT" if b not in (alleles[0], alleles[1])]
                carriers = np.flatnonzero(haplotypes)
                haplotypes[carriers[rng.random(carriers.size) < 0.5]] = 2
                alleles.append(second[0])
            individual = _genotypes(rng, haplotypes.reshape(people, 2), len(alleles), mean)
            site = struct.pack("<iiif", 0, FIRST + int(variant.site.position), len(alleles[0]), 50.0)
            site += struct.pack("<II", len(alleles) << 16, 4 << 24 | people)
            site += b"\x07" + b"".join(map(_string, alleles)) + b"\x11\x00"
            out.write(struct.pack("<II", len(site), len(individual)) + site + individual)
            written += 1
        out.close()
        assert pipe.wait() == 0
    subprocess.run(["bcftools", "index", "-f", path], check=True)
    return Cohort(path, fasta, len(bases), sheet, written)


def _genotypes(rng, pairs: np.ndarray, n_alleles: int, mean: np.ndarray) -> bytes:
    """GT, DP, GQ and AD of a record for haplotypes (people, 2)."""
    people = len(pairs)
    low, high = pairs.min(axis=1), pairs.max(axis=1)
    rate = 0.15 if rng.random() < 0.03 else rng.exponential(0.004)
    missing = rng.random(people) < rate
    depth = np.clip(mean + np.sqrt(mean) * rng.standard_normal(people), 0, 118).astype(np.int32)
    depth[missing] //= 12
    het = (low != high) & ~missing
    rows = np.arange(people)
    ad = np.zeros((people, n_alleles), np.int32)
    ad[rows, low] = depth
    share = rng.binomial(depth[het], 0.485)
    ad[rows[het], high[het]] = share
    ad[rows[het], low[het]] -= share
    wrong = rows[(rng.random(people) < 0.06) & ~het & (depth > 0)]
    ad[wrong, low[wrong]] -= 1
    ad[wrong, (low[wrong] + 1) % n_alleles] += 1
    quality = np.clip(3 * depth + rng.integers(-4, 5, people), 0, 99)
    quality[het] = np.clip(8 * depth[het], 0, 99)
    gt = np.stack([(low + 1) << 1, (high + 1) << 1], axis=1).astype(np.int8)
    gt[missing] = 0
    gq = quality.astype(np.int8)
    gq[missing] = -128
    return (
        b"\x11\x01\x21"
        + gt.tobytes()
        + _integers(2, depth[:, None])
        + b"\x11\x03\x11"
        + gq.tobytes()
        + _integers(4, ad)
    )
