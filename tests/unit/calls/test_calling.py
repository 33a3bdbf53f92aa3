"""Calls of reads by bcftools, as the workflow makes them: the mitochondrion."""

import random
import subprocess
from pathlib import Path

import pysam
import pytest
import yaml
from goe.calls.calling import Caller
from goe.calls.own_file import OwnFile
from goe.genome.build import Build
from goe.harmonise import person
from goe.harmonise.genotypes import CODES, Filter

DEPTH, LENGTH = 45, 100
BUILD = Build("rCRS", {"chrM": 16569}, [])
VARIANTS = range(300, 16000, 449)


@pytest.fixture(scope="module")
def reads(shared, tmp_path_factory) -> Path:
    """A BAM of made-up reads of a person with homoplasmic SNVs on the rCRS, a read of ten without them (copies of M in
    the nucleus), each with the placeholder at 3107 written as a deletion of the base before it, as bwa does."""
    folder = tmp_path_factory.mktemp("m")
    sequence = "".join((shared / "data/reference/rCRS.fasta").read_text().split("\n")[1:])
    assert len(sequence) == 16569 and sequence[3104:3107] == "ACN"
    (folder / "M.fa").write_text(f">chrM\n{sequence}\n")
    pysam.faidx(str(folder / "M.fa"))
    theirs = list(sequence)
    for pos in VARIANTS:
        theirs[pos - 1] = {"A": "G", "G": "A", "C": "T", "T": "C"}[theirs[pos - 1]]
    rng = random.Random("reads of M")
    made = []
    for _ in range(DEPTH * len(sequence) // LENGTH):
        start = rng.randrange(1, len(sequence) - LENGTH)
        bases = sequence if rng.random() < 0.1 else "".join(theirs[start - 1 : start + LENGTH])
        bases = bases[start - 1 : start + LENGTH] if bases is sequence else bases
        before = 3106 - start
        if 0 < before < LENGTH - 1:
            # Of the C and the N after it one base is left, the C.
            made.append(
                (start, f"{before}M1D{LENGTH - before}M", bases[:before] + "C" + bases[before + 2 : LENGTH + 1])
            )
        elif not start <= 3107 <= start + LENGTH:
            made.append((start, f"{LENGTH}M", bases[:LENGTH]))
    lines = ["@HD\tVN:1.6\tSO:coordinate", "@SQ\tSN:chrM\tLN:16569", "@RG\tID:p\tSM:p"]
    for n, (start, cigar, bases) in enumerate(sorted(made)):
        strand = 16 * (n % 2)
        lines.append(f"r{n}\t{strand}\tchrM\t{start}\t60\t{cigar}\t*\t0\t0\t{bases}\t{'?' * LENGTH}\tRG:Z:p")
    packed = subprocess.run(
        ["samtools", "view", "-b", "-"], input="\n".join([*lines, ""]).encode(), capture_output=True, check=True
    )
    (folder / "p.bam").write_bytes(packed.stdout)
    pysam.index(str(folder / "p.bam"))
    return folder


@pytest.fixture(scope="module")
def called(reads, repo):
    """(site allele -> what the person is for it; bases at which it counts as reference; rows of the gVCF)."""
    settings = yaml.safe_load((repo / "config/config.yaml").read_text())["caller"]
    fasta, target = str(reads / "M.fa"), str(reads / "p.g.vcf.gz")
    caller = Caller(fasta, BUILD.contigs, settings, (5, 10), (20,))
    caller.person(str(reads / "p.bam"), "p", ["chrM:1-8000", "chrM:8001-16569"], target, 2)
    one = person.Harmoniser(OwnFile(target, "p", BUILD.contigs, {}, blocks=True), BUILD, fasta, "U", Filter())
    groups = list(one(reads))
    alleles = {(r["pos"], r["ref"], r["alt"]): CODES[r["code"]] for g in groups for r in g.alleles.to_pylist()}
    runs = [(r["start"], r["end"]) for g in groups for r in g.runs.to_pylist()]
    with pysam.TabixFile(target) as file:
        return alleles, {p for start, end in runs for p in range(start, end + 1)}, list(file.fetch())


def test_a_few_reads_of_the_reference_take_no_variant_of_m(called):
    """Called with two alleles, 0/1 of AD 4,34 is missing where one is expected (C2.1); called with one, it is 1."""
    alleles, _, _ = called
    assert {pos: code for (pos, _, _), code in alleles.items()} == dict.fromkeys(VARIANTS, "hemi")
    assert len(VARIANTS) == 35


def test_the_placeholder_of_the_rcrs_is_a_deletion_of_nobody(called):
    alleles, callable_at, rows = called
    assert not [allele for allele in alleles if 3090 <= allele[0] <= 3120]
    assert not [row for row in rows if "AC\tA\t" in row]
    assert {3105, 3108} <= callable_at and 3107 not in callable_at


def test_calls_of_reads_on_m_are_of_one_allele(called):
    _, callable_at, rows = called
    assert {row.split("\t")[9].split(":")[0] for row in rows} == {"0", "1"}
    assert len(callable_at) > 16000
