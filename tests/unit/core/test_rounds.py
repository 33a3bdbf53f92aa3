"""Rounds of the scheduler, in a run of Snakemake."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

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


CASES = [(True, "100/1s"), (True, "3/1s"), (False, "100/1s")]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """(exit status, output, rounds, seconds) of a run of each of CASES: most of it is waiting, so all at once."""

    def run(case):
        once, limit = case
        folder = tmp_path_factory.mktemp("run")
        (folder / "Snakefile").write_text(SNAKEFILE.replace("ONCE", str(once)))
        (folder / "one.py").write_text(SCRIPT)
        options = ["--snakefile", str(folder / "Snakefile"), "--directory", str(folder), "--cores", "1"]
        begun = time.monotonic()
        status, output = warm.snakemake([*options, "--max-jobs-per-timespan", limit], os.environ, 300)
        return status, output, len((folder / "rounds").read_text()), time.monotonic() - begun

    warm.snakemake(["--version"], os.environ, 300)  # starts the server, once
    with ThreadPoolExecutor() as pool:
        return dict(zip(CASES, pool.map(run, CASES), strict=True))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_there_is_a_round_for_each_job_and_each_second(runs, case):
    """Without it there are more, as long as Snakemake is as it is: then the module can go."""
    status, output, rounds, seconds = runs[case]
    assert status == 0, output
    most = 25 + seconds
    assert rounds >= 20
    assert (rounds < most) == case[0], (rounds, most)
