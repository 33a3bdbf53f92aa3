"""Reads of the read-born people: paired 2 x 150 bp from their true haplotypes, as FASTQ, uBAM, BAM or CRAM."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pysam.samtools
from isal import igzip

from goe.demo.genome import PAR, Genome, N
from goe.demo.loci import ABSENT, Locus
from goe.demo.people import DemoPerson
from goe.genome.fasta import Reference

READ = 150
"""Read length, bp."""

FRAGMENT = (400, 60)
"""Mean and standard deviation of fragment lengths, bp."""

DEPTH = 15.0
"""Depth of one haplotype, so that diploid stretches have 30."""

DEPTH_M = 80.0
"""Depth of chrM."""

QUALITIES = ((37, 0.86), (25, 0.12), (12, 0.02))
"""Base qualities and their shares; a base is wrong with probability 10^(-Q/10), 0.18 % on average."""

DUPLICATES = 0.02
"""Share of fragments that the library holds twice (PCR)."""

COMPLEMENT = np.zeros(256, dtype=np.uint8)
COMPLEMENT[np.frombuffer(b"ACGTN", dtype=np.uint8)] = np.frombuffer(b"TGCAN", dtype=np.uint8)


@dataclass(frozen=True)
class Pairs:
    """Read pairs: names uint8[n, k], seq and qual (ASCII, +33) uint8[n, 2, READ]; unit int[n]."""

    name: np.ndarray
    seq: np.ndarray
    qual: np.ndarray
    unit: np.ndarray

    def of(self, unit: int) -> "Pairs":
        take = self.unit == unit
        return Pairs(self.name[take], self.seq[take], self.qual[take], self.unit[take])


def haplotype(genome: Genome, loci: list[Locus], contig: str, who: int, strand: int) -> np.ndarray:
    """The person's sequence of a contig with the alleles of one strand; absent loci stay REF."""
    seq = genome.seq[contig]
    pieces, at = [], 0
    for x in loci:
        if x.contig != contig:
            continue
        allele = int(x.hap[who, strand])
        if allele in (0, ABSENT) or x.alts[allele - 1] == "*":
            continue
        pieces.append(seq[at : x.pos - 1])
        pieces.append(np.frombuffer(x.alts[allele - 1].encode(), dtype=np.uint8))
        at = x.pos - 1 + len(x.ref)
    pieces.append(seq[at:])
    return np.concatenate(pieces)


def chromosomes(genome: Genome, loci: list[Locus], person: DemoPerson, who: int) -> Iterator[tuple[np.ndarray, float]]:
    """The person's molecules and their depth. The PARs of a Y are copies of those of X, as the reference has them."""
    for strand in (0, 1):
        yield haplotype(genome, loci, "chr20", who, strand), DEPTH
    yield haplotype(genome, loci, "chrX", who, 0), DEPTH
    if person.true_sex != "XY":
        yield haplotype(genome, loci, "chrX", who, 1), DEPTH
    if person.true_sex != "XX":
        # X loci outside the PARs are absent from the second strand, so its ends are the Y's PARs; the middle of X
        # between them is left away by its true length.
        second = haplotype(genome, loci, "chrX", who, 1)
        (_, _, first_end), (_, last_start, last_end) = (p for p in PAR if p[0] == "chrX")
        tail = last_end - last_start + 1
        grown = len(second) - len(genome.seq["chrX"])
        head_alone = haplotype(genome, [x for x in loci if x.contig == "chrX" and x.pos <= first_end], "chrX", who, 1)
        head_grown = len(head_alone) - len(genome.seq["chrX"])
        y = haplotype(genome, loci, "chrY", who, 0)
        middle = y[y != N]
        yield np.concatenate((second[: first_end + head_grown], middle, second[-(tail + grown - head_grown) :])), DEPTH
    yield haplotype(genome, loci, "chrM", who, 0), DEPTH_M


def simulate(genome: Genome, loci: list[Locus], person: DemoPerson, who: int, seed: int, units: int = 1) -> Pairs:
    """Read pairs of one person, in random order, spread over `units` sequencing units."""
    rng = np.random.default_rng([seed, 8, who])
    ends1, ends2 = [], []
    offset = np.arange(READ)
    for molecule, depth in chromosomes(genome, loci, person, who):
        n = round(len(molecule) * depth / (2 * READ))
        size = np.clip(rng.normal(*FRAGMENT, n).round().astype(np.int64), 180, 700)
        start = rng.integers(0, np.maximum(len(molecule) - size, 1))
        left = molecule[start[:, None] + offset]
        right = COMPLEMENT[molecule[(start + size - 1)[:, None] - offset]]
        known = ~((left == N).any(axis=1) | (right == N).any(axis=1))
        swap = (rng.random(n) < 0.5)[:, None]
        ends1.append(np.where(swap, right, left)[known])
        ends2.append(np.where(swap, left, right)[known])
    seq = np.stack((np.concatenate(ends1), np.concatenate(ends2)), axis=1)
    unit = rng.integers(0, units, len(seq))
    copies = np.flatnonzero(rng.random(len(seq)) < DUPLICATES)
    seq, unit = np.concatenate((seq, seq[copies])), np.concatenate((unit, unit[copies]))
    order = rng.permutation(len(seq))
    seq, unit = seq[order], unit[order]
    level = rng.random(seq.shape, dtype=np.float32)
    chance = rng.random(seq.shape, dtype=np.float32)
    q = np.full(seq.shape, QUALITIES[0][0], dtype=np.uint8)
    q[level > QUALITIES[0][1]] = QUALITIES[1][0]
    q[level > QUALITIES[0][1] + QUALITIES[1][1]] = QUALITIES[2][0]
    limit = np.zeros(64, dtype=np.float32)
    for value, _ in QUALITIES:
        limit[value] = 10 ** (-value / 10)
    wrong = np.nonzero(chance < limit[q])
    letters = np.frombuffer(b"ACGT", dtype=np.uint8)
    code = np.searchsorted(letters, seq[wrong])
    seq[wrong] = letters[(code + rng.integers(1, 4, len(code))) % 4]
    names = np.array([b"goe%02d:%07d" % (who, k) for k in range(len(seq))])
    return Pairs(names.view(np.uint8).reshape(len(seq), -1), seq, q + 33, unit)


def write_fastq(pairs: Pairs, path1: Path, path2: Path) -> None:
    """Two gzipped FASTQ files, time stamp 0."""
    n, width = pairs.name.shape
    for k, path in enumerate((path1, path2)):
        rows = np.full((n, 1 + width + 1 + READ + 3 + READ + 1), ord("\n"), dtype=np.uint8)
        rows[:, 0] = ord("@")
        rows[:, 1 : 1 + width] = pairs.name
        at = width + 2
        rows[:, at : at + READ] = pairs.seq[:, k]
        rows[:, at + READ + 1] = ord("+")
        rows[:, at + READ + 3 : -1] = pairs.qual[:, k]
        with path.open("wb") as raw, igzip.IGzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as out:
            out.write(rows.tobytes())


def write_ubam(pairs: Pairs, path: Path, sample: str) -> None:
    """Unaligned BAM, mates together, one read group."""
    head = f"@HD\tVN:1.6\tSO:unsorted\tGO:query\n@RG\tID:{sample}.1\tSM:{sample}\tLB:lib1\tPL:ILLUMINA\n".encode()
    n = len(pairs.name)
    fixed = (b"\t77\t*\t0\t0\t*\t*\t0\t0\t", b"\t141\t*\t0\t0\t*\t*\t0\t0\t")
    tag = f"\tRG:Z:{sample}.1\n".encode()
    rows = []
    for k in (0, 1):
        parts = [
            pairs.name,
            np.broadcast_to(np.frombuffer(fixed[k], dtype=np.uint8), (n, len(fixed[k]))),
            pairs.seq[:, k],
            np.full((n, 1), ord("\t"), dtype=np.uint8),
            pairs.qual[:, k],
            np.broadcast_to(np.frombuffer(tag, dtype=np.uint8), (n, len(tag))),
        ]
        rows.append(np.concatenate(parts, axis=1))
    both = np.concatenate(rows, axis=1)
    with tempfile.TemporaryDirectory() as folder:
        sam = Path(folder) / "reads.sam"
        sam.write_bytes(head + both.tobytes())
        pysam.samtools.view("-b", "--no-PG", "-o", str(path), str(sam), catch_stdout=False)


def align(pairs: Pairs, path: Path, sample: str, reference: Path) -> None:
    """Aligned, sorted, duplicate-marked BAM or CRAM with its index, by the usual tools with one thread each.

    Works in a folder of its own with relative names, so that no path ends in a header (nor in a CRAM's file id).
    `reference` needs a .fai. RuntimeError when a tool fails.
    """
    path = path.resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        contigs = ""
        for suffix in ("", ".fai"):
            (folder / f"ref.fa{suffix}").write_bytes(Path(f"{reference}{suffix}").read_bytes())
        # With M5 in the header and the sequences filed by it, CRAM needs no FASTA and so names no path of one (UR).
        with Reference(reference) as fasta:
            for contig, length in fasta.lengths.items():
                digest = fasta.m5(contig)
                (folder / digest).write_text(fasta.bases(contig, 0, length))
                contigs += f"@SQ\tSN:{contig}\tLN:{length}\tM5:{digest}\n"
        (folder / "contigs.txt").write_text(contigs)
        write_fastq(pairs, folder / "1.fq.gz", folder / "2.fq.gz")
        group = f"@RG\\tID:{sample}.1\\tSM:{sample}\\tLB:lib1\\tPL:ILLUMINA"
        pack = "-C" if path.suffix == ".cram" else "-b"
        _piped(folder, ["bwa", "index", "ref.fa"])
        _piped(
            folder,
            [
                "bwa",
                "mem",
                "-t",
                "1",
                "-K",
                "10000000",
                "-H",
                "contigs.txt",
                "-R",
                group,
                "ref.fa",
                "1.fq.gz",
                "2.fq.gz",
            ],
            ["samtools", "fixmate", "--no-PG", "-m", "-u", "-", "-"],
            ["samtools", "sort", "--no-PG", "-u", "-T", "sort", "-"],
            ["samtools", "markdup", "--no-PG", "-u", "-", "-"],
            ["samtools", "view", "--no-PG", pack, "-o", path.name, "-"],
        )
        _piped(folder, ["samtools", "index", path.name])
        for made in sorted(folder.glob(f"{path.name}*")):
            shutil.move(made, path.with_name(made.name))


def _piped(folder: Path, *commands: list[str]) -> None:
    """Run commands joined by pipes in `folder`; RuntimeError with what they said when one fails."""
    with (folder / "said").open("w+b") as stderr_file:
        processes: list[subprocess.Popen] = []
        env = os.environ | {"REF_PATH": f"{folder}/%s", "REF_CACHE": ""}
        for i, command in enumerate(commands):
            source = processes[-1].stdout if i else subprocess.DEVNULL
            sink = subprocess.PIPE if i < len(commands) - 1 else stderr_file
            processes.append(
                subprocess.Popen(command, cwd=folder, stdin=source, stdout=sink, stderr=stderr_file, env=env)
            )
            if not isinstance(source, int) and source:
                source.close()
        codes = [p.wait() for p in processes]
        if any(codes):
            stderr_file.seek(0)
            names = ", ".join(f"{c[0]} {c[1]}: {code}" for c, code in zip(commands, codes, strict=True) if code)
            raise RuntimeError(f"{names}\n{stderr_file.read().decode(errors='replace')}")
