"""The commands of README.md and docs/cluster.md, as they stand there."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.workflow import REPO, goe
from snakemake.cli import parse_args


def commands(page: str) -> list[str]:
    """Commands of a page that call Snakemake, each on one line."""
    text = (REPO / page).read_text().replace("\\\n", " ")
    return [re.sub(" +", " ", line.strip()) for line in re.findall("^ +(snakemake .*)$", text, re.M)]


def options(command: str):
    return parse_args(shlex.split(re.sub("<[^>]*>", "x", command))[1:])[1]


def test_the_commands_of_the_readme_say_what_they_mean():
    """Each way is whole: lint, then the run, with conda and without."""
    ways = [options(command) for command in commands("README.md")]
    assert [[*one.targets] for one in ways] == [["lint"], ["release"]] * 2
    deployment = [[str(method) for method in one.software_deployment_method] for one in ways]
    assert deployment == [["conda"], ["conda"], [], []]
    assert all(one.workflow_profile.endswith("/default") for one in ways)


def test_the_command_for_a_cluster_says_what_it_means():
    (command,) = (one for one in commands("docs/cluster.md") if not one.startswith("snakemake ..."))
    said = options(command.replace("<clone>", str(REPO)))
    assert not said.targets
    assert [Path(one).name for one in said.profile] == ["slurm"] and said.workflow_profile.endswith("/default")
    assert said.executor == "slurm"


@pytest.mark.slow
def test_the_commands_of_the_readme_run(tmp_path):
    """Planned, in a folder of a cohort, by the way that this machine has."""
    made = goe("demo", "make", tmp_path / "run", "--no-reads")
    assert made.returncode == 0, made.stdout
    ways = commands("README.md")
    mine = ways[:2] if shutil.which("conda") else ways[2:]
    for command, rule in zip(mine, ("lint", "release_manifest"), strict=True):
        words = shlex.split(command.replace("<clone>", str(REPO)))
        words = [sys.executable, "-m", *words, "--dry-run"]
        done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path / "run", env=dict(os.environ))
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.search(rf"^(local)?rule {rule}:", done.stdout + done.stderr, re.M)
    assert not Path(tmp_path / "run/release").exists()
