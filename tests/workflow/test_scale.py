"""How many jobs a person is, and that planning is linear in people (docs/performance.md has what a country takes)."""

import cProfile
import os
import pstats
import re
from collections import Counter
from pathlib import Path

import pytest
from helpers import dag, large_cohort, warm
from helpers.workflow import REPO, snakemake


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """Jobs by rule, of 100 people of a kind."""

    def plan(kind: str) -> Counter[str]:
        folder = tmp_path_factory.mktemp(kind) / "run"
        large_cohort.write(folder, 100, kind)
        return Counter(job["rule"] for job in dag.jobs(folder))

    return plan


def test_a_person_with_three_lanes_is_two_jobs_and_a_share(planned):
    jobs = planned("fastq")
    of_people = {rule: n for rule, n in jobs.items() if n > 12 or rule == "harmonise_people"}
    assert of_people.pop("harmonise_people") <= 16
    assert of_people == {"align_person": 100, "call_bcftools": 100}
    assert jobs.total() < 100 * 2 + 16 + 70


def test_a_person_with_a_gvcf_is_a_share_of_a_job(planned):
    jobs = planned("gvcf")
    assert jobs["harmonise_people"] <= 16 and jobs.total() < 16 + 70


def test_waves_are_everybody_once_and_nothing_of_the_cohort(tmp_path):
    """Two waves of batches of ten people."""
    large_cohort.write(tmp_path / "run", 40, scatter={"people_per_batch": 10, "people_per_job": 10})
    planned = []
    for wave in ("1/2", "2/2"):
        options = ["--dry-run", "--quiet", "host", "--config", f"wave={wave}"]
        said = snakemake(tmp_path / "run", "wave", *options).ok().output
        planned.append(set(re.findall(r"work/logs/align_person/(\w+)\.log", said)))
        assert "rule harmonise_batch:" in said
        assert not re.search("rule (frequencies|harmonise_ledger|release|sample_qc_region)", said)
    first, second = planned
    assert len(first) > 10 and len(second) > 10 and not first & second and len(first | second) == 40


def calls_of_a_plan(folder: Path) -> int:
    """Calls of functions of `snakemake --dry-run`, which are the same however busy the machine is."""
    profiled = [cProfile.__file__, "-o", folder / "calls", "-m", "snakemake"]
    options = ["--snakefile", REPO / "Snakefile", "--directory", folder, "--cores", "1", "--dry-run", "--quiet", "all"]
    status, said = warm.ended("script", list(map(str, [*profiled, *options])), os.environ, 600)
    assert status == 0, said[-3000:]
    return pstats.Stats(str(folder / "calls")).total_calls


def test_planning_is_linear_in_people(tmp_path):
    """Each further person takes what the ones before took."""
    calls = []
    for people in (20, 120, 220):
        large_cohort.write(tmp_path / str(people), people)
        calls.append(calls_of_a_plan(tmp_path / str(people)))
    few, some, many = calls
    assert some - few > 500_000 and many - some < 1.1 * (some - few)
