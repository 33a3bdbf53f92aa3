"""What a genome takes from reads, by step: CPU and bytes of 100 kb of a real person at 31x, by what the workflow calls.

Each step is taken twice, of a tenth of the reads and of all of them, and the difference is scaled to a genome: what
starting a tool and opening its files takes is in both. All of it is done by one thread.
"""

import gzip
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from goe.calls import cram_of_person, reads_quality
from goe.calls.aligners import Aligner
from goe.calls.calling import Caller
from goe.calls.own_file import OwnFile
from goe.calls.unit import Unit
from goe.core import files
from goe.core.ledger import Ledger
from goe.core.processes import tool
from goe.genome.build import Build, read_fai
from goe.harmonise import batch
from goe.harmonise.genotypes import Filter
from goe.harmonise.person import Harmoniser

pytestmark = pytest.mark.bench

# Bases of GRCh38 that are not N, in Mb, and the depth of a usual genome beside that of these reads.
GENOME, DEPTH, HERE = 2937, 30, 31
START, SMALL, WHOLE = 10_000_000, 10_000, 100_000


def used() -> float:
    """CPU seconds of this process and those that it started, so far."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


class Spent(dict[str, float]):
    """CPU seconds by step."""

    @contextmanager
    def on(self, step: str) -> Iterator[None]:
        before = used()
        yield
        self[step] = used() - before


@pytest.fixture(scope="module")
def at(shared, tmp_path_factory) -> Path:
    """A folder with the reference, indexed, and the pairs of a person on its beginning and on all of it."""
    folder = tmp_path_factory.mktemp("reads")
    with gzip.open(shared / "data/reference/hg19.chr20.1_10200000.fa.gz", "rb") as lines:
        (folder / "ref.fa").write_bytes(lines.read().replace(b">chr20", b">20"))
    tool("samtools", "faidx", folder / "ref.fa")
    tool("bwa", "index", folder / "ref.fa")
    [given] = (shared / "data/reads").glob("HG002*.bam")
    for size in (SMALL, WHOLE):
        into = folder / str(size)
        into.mkdir()
        tool("samtools", "view", "-b", "-o", into / "some.bam", given, f"20:{START}-{START + size}")
        tool("samtools", "collate", "-o", into / "collated.bam", into / "some.bam")
        words = ["samtools", "fastq", "-n", "-1", into / "1.fq.gz", "-2", into / "2.fq.gz", "-s", "/dev/null"]
        tool(*words, "-0", "/dev/null", into / "collated.bam")
        (into / "autosomes.bed").write_text(f"20\t{START}\t{START + size}\n")
    return folder


def steps(at: Path, size: int, repo: Path) -> tuple[Spent, dict[str, int]]:
    """CPU seconds of each step, and bytes of what it leaves."""
    fasta, into, spent = str(at / "ref.fa"), at / str(size), Spent()
    build = Build("toy", read_fai(f"{fasta}.fai"), [])
    first, second, bam, cram, gvcf = (
        str(into / name) for name in ("1.fq.gz", "2.fq.gz", "a.bam", "a.cram", "a.g.vcf.gz")
    )
    pair = [first, second]
    with spent.on("fastp"):
        reads_quality.fastp(pair, "P", f"{into}/fastp", 1)
    lane = Ledger("bench")
    with spent.on("bwa mem, sort"):
        Unit(pair, "1", {"ID": "1", "SM": "P", "LB": "L"}, Aligner("bwa", fasta), bam).align(lane)
    target = cram_of_person.Target(cram, fasta)
    with spent.on("mark duplicates, CRAM"):
        cram_of_person.from_units({bam: lane.given["reads"]}, target, Ledger("bench"))
    with spent.on("index of the CRAM, mosdepth, samtools depth, stats"):
        target.index(f"{cram}.crai", Ledger("bench"))
        reads_quality.depth(cram, fasta, f"{into}/depth", 1)
        reads_quality.coverage(cram, fasta, str(into / "autosomes.bed"), f"{into}/coverage", 1)
        reads_quality.stats(cram, fasta, f"{into}/stats", 1)
    settings = yaml.safe_load((repo / "config/config.yaml").read_text())["caller"]
    with spent.on("mpileup, call, gVCF"):
        Caller(fasta, build.contigs, settings, (5, 10), (20,)).person(cram, "P", [f"20:{START}-{START + size}"], gvcf)
    own = batch.Own.of(str(into), "P")
    with spent.on("harmonise"):
        file = OwnFile(gvcf, "P", build.contigs, {}, blocks=True)
        batch.write_person(Harmoniser(file, build, fasta, "F", Filter()), into, own.alleles, own.runs)
    made = {
        "FASTQ": pair,
        "sorted lanes": [bam],
        "CRAM": [cram],
        "gVCF": [gvcf],
        "tables": [own.alleles, own.runs],
    }
    return spent, {name: files.size(paths) for name, paths in made.items()}


def test_a_genome(at, repo, table):
    """Nothing is asserted: the figures are those of the machine."""
    steps(at, SMALL, repo)  # compiled kernels, files in memory
    few, few_bytes = steps(at, SMALL, repo)
    all_, all_bytes = steps(at, WHOLE, repo)
    per_mb = (WHOLE - SMALL) / 1e6
    whole = 0.0
    for step in all_:
        by_depth = 1.0 if step == "harmonise" else DEPTH / HERE
        seconds = (all_[step] - few[step]) / per_mb * by_depth
        hours = seconds * GENOME / 3600
        whole += hours
        table.append((step, f"{seconds:.2f} s of CPU a Mb", f"{hours:.1f} core hours a genome"))
    table.append(("all of it", "", f"{whole:.1f} core hours a genome"))
    for name in all_bytes:
        kilobytes = (all_bytes[name] - few_bytes[name]) / per_mb / 1e3
        table.append((name, f"{kilobytes:.0f} kB a Mb", f"{kilobytes * GENOME / 1e6:.2f} GB a genome"))
