"""Runs that several files of tests begin with, and copy: each is made by the process that asks first."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import real_genomes
from helpers.workflow import goe, snakemake, write_config


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A copy, with its times, of the folder `name` of all processes of the tests."""
    base = factory.getbasetemp()
    top = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, done = top / name, top / f"{name}.done"
    with (top / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            folder.mkdir()
            make(folder)
            done.touch()
    own = factory.mktemp(name)
    shutil.copytree(folder, own, symlinks=True, dirs_exist_ok=True)
    return own


@pytest.fixture(scope="session")
def cohort(tmp_path_factory) -> Path:
    """The demo cohort; a run works on a copy."""

    def make(folder: Path) -> None:
        made = goe("demo", "make", folder)
        assert made.returncode == 0, made.stdout

    return once(tmp_path_factory, "demo", make)


@pytest.fixture(scope="session")
def run(cohort, tmp_path_factory) -> Path:
    """A run as its user has it, with processes of its own, to the release and everybody's genotypes."""

    def make(folder: Path) -> None:
        shutil.copytree(cohort, folder, dirs_exist_ok=True)
        snakemake(folder, "release", "harmonised", alone=True).ok()

    return once(tmp_path_factory, "run", make)


@pytest.fixture(scope="session")
def reads_run(shared, tmp_path_factory) -> Path:
    """Five real genomes from their reads to the keep list."""

    def make(folder: Path) -> None:
        write_config(folder, **real_genomes.reads_cohort(shared, folder))
        snakemake(folder, "harmonised", "work/sample_qc/keep.tsv").ok()

    return once(tmp_path_factory, "reads", make)
