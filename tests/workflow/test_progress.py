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
        assert f"{rule.asks.memory_mb} * attempt" == profile[rule.name]["mem_mb"]
        assert f"{rule.asks.minutes} * attempt" == profile[rule.name]["runtime"]
        assert all(one.cpu > 0.1 and one.seconds > 0.1 and 20 < one.memory_mb < 2000 for one in rule.taken)
    assert {"intake_lint", "harmonise_people", "frequencies_count", "release_manifest"} <= {r.name for r in seen.rules}
    assert stat.S_IMODE((run / "work/summary.html").stat().st_mode) == 0o600
    assert goe("progress", run).stdout.startswith("done after ")


def test_a_job_that_fails_is_told_and_nobody_named(cohort, tmp_path):
    """One byte of a gVCF is another; its job and the run fail, and the other jobs are done."""
    folder = tmp_path / "run"
    shutil.copytree(cohort, folder)
    rows = tables.read(folder / "inputs.tsv")
    own = next(row for row in rows if row["input_type"] == "gvcf")
    path = folder / own["path"]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    done = snakemake(folder, "--until", "harmonise_people", "intake_people")
    assert done.status != 0
    said = [line for line in done.output.splitlines() if line.startswith("goe: stopped after")]
    assert len(said) == 1 and "goe: failed: harmonise_people 1" in done.output
    seen = state.look(folder, time.time())
    (failed,) = [rule for rule in seen.rules if rule.failed]
    assert failed.name == "harmonise_people" and not seen.run.well and seen.run.ended
    told = goe("progress", folder)
    assert told.returncode == 1 and not re.search(rf"\b{own['sample_id']}\b", told.stdout)
    assert "harmonise_people" in (folder / "work/summary.html").read_text()
