"""A run keeps what it has to do and says what its jobs took, also one that fails."""

import re
import shutil
import stat
import time

import yaml
from goe.core import tables
from goe.progress import state
from helpers.workflow import REPO, goe, snakemake


def test_every_job_of_a_run_is_done_and_says_what_it_took(run):
    seen = state.look(run, time.time())
    assert seen.run.well and seen.run.ended
    assert all(rule.made == rule.asks.jobs and not rule.failed and not rule.at_work for rule in seen.rules)
    profile = yaml.safe_load((REPO / "workflow/profiles/default/config.yaml").read_text())["set-resources"]
    for rule in seen.rules:
        # A first attempt, by bwa.
        asked = eval(profile[rule.name]["mem_mb"], {"attempt": 1, "input": "work/index/bwa"})
        assert rule.asks.memory_mb == asked
        assert f"{rule.asks.minutes} * attempt" == profile[rule.name]["runtime"]
        assert all(one.cpu > 0 and one.seconds > 0 and 5 < one.memory_mb < 2000 for one in rule.taken)
    assert {"intake_lint", "harmonise_people", "frequencies_count", "release_manifest"} <= {r.name for r in seen.rules}
    assert stat.S_IMODE((run / "work/summary.html").stat().st_mode) == 0o600
    assert "Done after " in (run / "work/summary.html").read_text()


def test_a_job_that_fails_is_told_and_nobody_named(cohort, tmp_path):
    """Its input is not what the job before it made."""
    folder = tmp_path / "run"
    shutil.copytree(cohort, folder)
    snakemake(folder, "work/intake/sources.tsv").ok()
    sources = folder / "work/intake/sources.tsv"
    sources.write_text(sources.read_text() + "\n")
    done = snakemake(folder, "work/intake/people.tsv")
    assert done.status != 0 and "is not what its job made" in done.output
    assert "goe: stopped after " in done.output and "goe: failed: intake_people 1\n" in done.output
    seen = state.look(folder, time.time())
    assert [rule.name for rule in seen.rules if rule.failed] == ["intake_people"]
    assert not seen.run.well and seen.run.ended
    assert "is not what its job made" in (folder / "work/summary.html").read_text()
    told = goe("progress", folder)
    people = {row["sample_id"] for row in tables.read(folder / "samples.tsv")}
    assert told.returncode == 1 and not set(re.findall(r"\w+", told.stdout)) & people
