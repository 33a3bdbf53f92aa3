"""The demo cohort, and one whole run of it that the tests copy."""

import shutil
from pathlib import Path

import pytest
from helpers.workflow import goe, snakemake


@pytest.fixture(scope="session")
def cohort(tmp_path_factory) -> Path:
    """The demo cohort, made once; a run works on a copy."""
    folder = tmp_path_factory.mktemp("demo")
    made = goe("demo", "make", folder)
    assert made.returncode == 0, made.stdout
    return folder


@pytest.fixture(scope="session")
def run(cohort, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    shutil.copytree(cohort, folder, dirs_exist_ok=True)
    snakemake(folder, alone=True).ok()
    return folder
