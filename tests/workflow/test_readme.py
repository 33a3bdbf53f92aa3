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

CONDA = "--sdm conda"


def commands(page: str) -> list[str]:
    """Commands of a page that call Snakemake, each on one line."""
    text = (REPO / page).read_text().replace("\\\n", " ")
    return [re.sub(" +", " ", line.strip()) for line in re.findall("^ +(snakemake .*)$", text, re.M)]


def options(command: str):
    return parse_args(shlex.split(re.sub("<[^>]*>", "x", command))[1:])[1]


def test_the_commands_of_the_readme_say_what_they_mean():
    look, run = map(options, commands("README.md"))
    assert [*look.targets] == ["lint"] and not run.targets
    for one in (look, run):
        assert [str(method) for method in one.software_deployment_method] == ["conda"]
    assert run.workflow_profile.endswith("/default")


def test_the_command_for_a_cluster_says_what_it_means():
    (command,) = commands("docs/cluster.md")
    said = options(command.replace("<clone>", str(REPO)))
    assert not said.targets
    assert [Path(one).name for one in said.profile] == ["slurm"] and said.workflow_profile.endswith("/default")
    assert said.executor == "slurm"


@pytest.mark.slow
def test_the_commands_of_the_readme_run(tmp_path):
    """Planned, in a folder of a cohort. Without the option that README.md says to leave out where there is no conda."""
    made = goe("demo", "make", tmp_path / "run", "--no-reads")
    assert made.returncode == 0, made.stdout
    said = (REPO / "README.md").read_text()
    assert f"Leave `{CONDA}` out where the tools came from PATH or Debian" in said
    for command, rule in zip(commands("README.md"), ("lint", "release_manifest"), strict=True):
        if not shutil.which("conda"):
            command = command.replace(CONDA, "")
        words = shlex.split(command.replace("<clone>", str(REPO)).replace("<folder>", str(tmp_path / "run")))
        words = [sys.executable, "-m", *words, "--dry-run"]
        done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, env=dict(os.environ))
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.search(rf"^(local)?rule {rule}:", done.stdout + done.stderr, re.M)
    assert not Path(tmp_path / "run/release").exists()
