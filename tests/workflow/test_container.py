"""`container` and `--sdm conda apptainer`, with programs that stand for apptainer and the conda of the image."""

import re

import pytest
from helpers import large_cohort
from helpers.workflow import REPO, snakemake

# Runs on this machine what it should run in the image, whose /conda-envs is the folder beside it.
APPTAINER = """#!/bin/bash
case "$1" in --version) echo "apptainer version 1.3.4"; exit ;; esac
for word; do last=$word; done
exec bash -c "${last//\\/conda-envs//IMAGE/conda-envs}"
"""
CONDA = """#!/bin/sh
case "$*" in
"info --json") echo '{"platform": "linux-64", "conda_version": "24.11.3", "conda_prefix": "/nowhere"}' ;;
"--version") echo "conda 24.11.3" ;;
esac
"""


@pytest.fixture
def image(tmp_path, monkeypatch):
    """A folder with the environments that the recipe makes, and the two programs on PATH."""
    for prefix in set(re.findall(r"/conda-envs/[0-9a-f]{32}", (REPO / "envs/apptainer.def").read_text())):
        (tmp_path / prefix[1:]).mkdir(parents=True)
    (tmp_path / "goe.sif").touch()
    (tmp_path / "bin").mkdir()
    for name, text in (("apptainer", APPTAINER.replace("/IMAGE", str(tmp_path))), ("conda", CONDA)):
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    return tmp_path


def test_snakemake_finds_in_the_image_every_environment_of_a_run(image):
    large_cohort.write(image / "run", 1)
    options = ["--conda-create-envs-only", "--sdm", "conda", "apptainer", "--config", f"container={image / 'goe.sif'}"]
    snakemake(image / "run", *options).ok()
    next((image / "conda-envs").iterdir()).rmdir()
    assert "Unable to find environment in container image" in snakemake(image / "run", *options).output
