"""CPU and memory of what comes before the first job of a run of 20,000 people with three FASTQ lanes each on GRCh38:
the plan, as it is made here and as Snakemake makes it of itself, in one run, and the look at all inputs; of a wave of
them; and the plan of 100,000 people with gVCFs.

GOE_BENCH_PLANNED gives another number of people than 20,000; those with gVCFs are five times as many.
"""

import gzip
import hashlib
import os
import shutil
import sys

import pytest
from helpers import large_cohort
from helpers.stages import measure
from helpers.workflow import REPO

pytestmark = pytest.mark.bench
PEOPLE = int(os.environ.get("GOE_BENCH_PLANNED", "20000"))
READS, GVCFS = (60, 1100), (300, 3000)
"""Seconds of CPU and MB that 20,000 and 100,000 people may take; the aim of the first is 1,000 MB."""
# Ends where the scheduler begins, or with the first job.
RUN = """
import os, sys
how, until = sys.argv.pop(1), sys.argv.pop(1)
from goe.core import planning
if how == "of itself":
    planning.KNOWN = "none"
import snakemake.api
from snakemake.scheduling.job_scheduler import JobScheduler

def stop(*args, **kwargs):
    os._exit(0)

if until == "plan":
    planning.end = stop
else:
    JobScheduler.run = stop
from snakemake.cli import main
main(sys.argv[1:])
"""


def read(path):
    """One read that no other file has."""
    lane, end = path.rsplit(".R", 1)
    bases = bytes(b"ACGT"[one % 4] for one in hashlib.sha256(path.encode()).digest()[:32])
    return gzip.compress(b"@%s/%s\n%s\n+\n%s\n" % (lane.encode(), end[:1].encode(), bases, b"I" * 32), 1, mtime=0)


def before_the_first_job(folder, how="here", until="plan", *options):
    for made in (".snakemake", "work"):
        shutil.rmtree(folder / made, ignore_errors=True)
    command = [sys.executable, "-c", RUN, how, until, "--snakefile", REPO / "Snakefile", "--directory", folder]
    cost = measure([*command, "--cores", "1", *options, "--quiet", "all"])
    return cost.cpu, cost.megabytes


def test_planning(tmp_path, table):
    reads, gvcfs = tmp_path / "reads", tmp_path / "gvcfs"
    large_cohort.write(reads, PEOPLE, contigs=large_cohort.GRCH38, build="GRCh38", content=read)
    large_cohort.write(gvcfs, 5 * PEOPLE, "gvcf", contigs=large_cohort.GRCH38, build="GRCh38")
    plans = {
        f"{PEOPLE:,} people, three lanes each": before_the_first_job(reads),
        "as Snakemake plans of itself": before_the_first_job(reads, "of itself"),
        "with the look at their files, to the first job": before_the_first_job(reads, "here", "job"),
        "a wave of an eighth": before_the_first_job(reads, "here", "plan", "wave", "--config", "wave=1/8"),
        f"{5 * PEOPLE:,} people, a gVCF each": before_the_first_job(gvcfs),
    }
    for name, (seconds, megabytes) in plans.items():
        table.append((name, f"{seconds:.0f} s of CPU", f"{megabytes:.0f} MB"))
    lean, of_itself, *_, many = plans.values()
    assert lean[0] < 0.7 * of_itself[0] and lean[1] < 0.85 * of_itself[1]
    if PEOPLE <= 20_000:
        assert lean[0] < READS[0] and lean[1] < READS[1]
        assert many[0] < GVCFS[0] and many[1] < GVCFS[1]
