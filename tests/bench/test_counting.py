"""Speed and memory of harmonising and counting, as ratios to other chains within one run.

Whole processes are timed, interpreter and all. The other chain is that of the Genome of Europe pilot, streamed as in
its fast mode, but only as far as its last tags: its outputs are not even compressed.
"""

import os
import subprocess
import sys

import pytest
from helpers import simulate
from helpers.incumbents import PILOT_MASK, PILOT_TAGS
from helpers.stages import Cost, Stages, measure, told

pytestmark = pytest.mark.bench

PEOPLE, SITES, LENGTH = 10_000, int(os.environ.get("GOE_BENCH_SITES", "20000")), 1_100_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="module")
def big(folder):
    """10,000 people; the first run of a kernel compiles it, so a small cohort goes through before."""
    warm = simulate.cohort(folder / "warm", 50, 50, 50_000)
    Stages(warm, folder / "warm" / "run").all(warm.bcf)
    return simulate.cohort(folder / "big", PEOPLE, SITES, LENGTH)


def ratio(theirs: Cost, mine: Cost) -> str:
    return f"{theirs.seconds / mine.seconds:.1f}x by the clock, {theirs.cpu / mine.cpu:.1f}x by CPU"


def pilot(cohort: simulate.Cohort, source, folder) -> list[list[str]]:
    """The pilot's commands on a cohort, ending in sites without genotypes."""
    groups, sexes, ploidy = (folder / f"pilot.{name}" for name in ("groups", "sexes", "ploidy"))
    groups.write_text("".join(f"{n}\t{c},{s},{c}_{s}\n" for n, (s, c) in cohort.sheet.items()))
    sexes.write_text("".join(f"{n}\t{s}\n" for n, (s, _) in cohort.sheet.items()))
    ploidy.write_text("* * * M 2\n* * * F 2\n")
    fill = [["bcftools", "+fill-tags", "-Ou", "--", "-S", groups, "-t", tags] for tags in PILOT_TAGS]
    return [
        ["bcftools", "view", source, "-Ou"],
        ["bcftools", "view", "-t", simulate.CONTIG, "-e", 'ALT="*"', "-Ou"],
        ["bcftools", "norm", "--force", "-m", "-any", "-f", cohort.fasta, "-Ou"],
        ["bcftools", "annotate", "-x", "ID", "-I", "+%CHROM:%POS:%REF:%ALT", "-Ou"],
        ["bcftools", "norm", "--rm-dup", "exact", "-Ou"],
        *fill,
        ["bcftools", "+setGT", "-Ou", "--", "-t", "q", "-n", ".", "-i", PILOT_MASK],
        ["bcftools", "+fixploidy", "-Ou", "--", "-s", sexes, "-p", ploidy],
        *fill,
        ["bcftools", "view", "-G", "-Ou"],
    ]


def test_harmonise_and_count(big, folder, table):
    run = Stages(big, folder / "big" / "run")
    parts = {"scan": run.scan(big.bcf), "split": run.split(big.bcf), "merge": run.merge(), "count": run.count()}
    mine = sum(parts.values(), Cost())
    theirs = measure(*pilot(big, big.bcf, folder))
    inflate = {n: measure(["bgzip", "-dc", "-@", str(n), big.bcf]) for n in (1, 2)}
    table.append((f"{PEOPLE} people, {big.sites} sites, full BCF", "", ""))
    for name, cost in parts.items():
        table.append((f"  goe {name}", told(cost), ""))
    table.append(("  goe harmonise + count", told(mine), ratio(theirs, mine)))
    table.append(("  pilot's chain", told(theirs), ""))
    for n, cost in inflate.items():
        command = [sys.executable, "-m", "helpers.kernel_pass", run.folder, big.bcf, big.fasta, n]
        kernel = measure(command)
        inner = float((run.folder / "kernel_seconds").read_text())
        table.append((f"  inflate alone, bgzip -@ {n}", told(cost), ""))
        share = f"{cost.seconds / inner:.0%} of the speed of inflating"
        table.append((f"  filter kernel pass alone, {n} cores", f"{inner:7.2f} s {kernel.megabytes:17.0f} MB", share))


def test_count_alone(big, folder, table):
    run = Stages(big, folder / "big" / "run")
    if not (run.folder / "harmonised.bcf").exists():
        run.scan(big.bcf)
        run.split(big.bcf)
        run.merge()
    groups = folder / "fill.groups"
    groups.write_text("".join(f"{n}\t{c},{s},{c}_{s}\n" for n, (s, c) in big.sheet.items()))
    tags = "AC,AN,AC_Het,AC_Hom,AC_Hemi,HWE"
    fill = ["bcftools", "+fill-tags", run.folder / "harmonised.bcf", "-Ou", "--", "-S", groups, "-t", tags]
    mine, theirs = run.count(), measure(fill, ["bcftools", "view", "-G", "-Ou"])
    table.append(("count alone, harmonised BCF", "", ""))
    table.append(("  goe", told(mine), ratio(theirs, mine)))
    table.append(("  bcftools +fill-tags -S", told(theirs), ""))


def test_from_vcf_gz(big, folder, table):
    text = folder / "big" / "full.vcf.gz"
    subprocess.run(["bcftools", "view", "--no-version", "-Oz1", "--threads", "1", "-o", text, big.bcf], check=True)
    subprocess.run(["bcftools", "index", "--tbi", text], check=True)
    run = Stages(big, folder / "big" / "text")
    mine, theirs = run.all(text), measure(*pilot(big, text, folder))
    table.append(("the same from VCF.gz", "", ""))
    table.append(("  goe harmonise + count", told(mine), ratio(theirs, mine)))
    table.append(("  pilot's chain", told(theirs), ""))


SIZES = [(2000, 2000, 150_000), (2000, 6000, 600_000), (100_000, 150, 8000), (100_000, 1300, 40_000)]


@pytest.mark.parametrize(("people", "sites", "length"), SIZES)
def test_memory(people, sites, length, big, folder, table):
    cohort = simulate.cohort(folder / f"{people}_{sites}", people, sites, length)
    run = Stages(cohort, folder / f"{people}_{sites}" / "run")
    parts = {"scan": run.scan(cohort.bcf), "split": run.split(cohort.bcf), "merge": run.merge(), "count": run.count()}
    peak = ", ".join(f"{name} {cost.megabytes:.0f}" for name, cost in parts.items())
    table.append((f"{people} people, {cohort.sites} sites", told(sum(parts.values(), Cost())), f"peak MB: {peak}"))
