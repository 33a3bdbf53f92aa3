"""Rounds of the scheduler, in a run of Snakemake."""

import os
import time

import pytest
from helpers import warm

SNAKEFILE = """
from snakemake.scheduling.job_scheduler import JobScheduler
from goe.core import rounds

select = JobScheduler.job_selector

def counted(self, jobs):
    with open("rounds", "a") as out:
        out.write(".")
    return select(self, jobs)

JobScheduler.job_selector = counted

rule all:
    input: expand("{n}", n=range(20))

rule one:
    output: "{n}"
    script: "one.py"

onstart:
    if ONCE:
        rounds.one_timer(workflow.scheduler)
"""
SCRIPT = """
import time
time.sleep(0.2)
open(snakemake.output[0], "w")
"""


@pytest.mark.parametrize(("once", "limit"), [(True, "100/1s"), (True, "3/1s"), (False, "100/1s")])
def test_there_is_a_round_for_each_job_and_each_second(tmp_path, once, limit):
    """Without it there are more, as long as Snakemake is as it is: then the module can go."""
    (tmp_path / "Snakefile").write_text(SNAKEFILE.replace("ONCE", str(once)))
    (tmp_path / "one.py").write_text(SCRIPT)
    options = ["--snakefile", str(tmp_path / "Snakefile"), "--directory", str(tmp_path), "--cores", "1"]
    begun = time.monotonic()
    status, output = warm.snakemake([*options, "--max-jobs-per-timespan", limit], os.environ, 300)
    assert status == 0, output
    most = 25 + time.monotonic() - begun
    assert (rounds := len((tmp_path / "rounds").read_text())) >= 20
    assert (rounds < most) == once, (rounds, most)
