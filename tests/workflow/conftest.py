"""Runs that several files of tests begin with."""

import shutil
from pathlib import Path

import pytest
from helpers import real_genomes, small_cohort
from helpers.once import once
from helpers.workflow import goe, snakemake, write_config


@pytest.fixture(scope="session")
def cohort(tmp_path_factory) -> Path:
    """The demo cohort; a run works on a copy."""

    def make(folder: Path) -> None:
        made = goe("demo", "make", folder, alone=True)
        assert made.returncode == 0, made.stdout

    return once(tmp_path_factory, "demo", make)


@pytest.fixture(scope="session")
def run(cohort, tmp_path_factory) -> Path:
    """A run to the release and everybody's genotypes, each script of it once as its user has it."""

    def make(folder: Path) -> None:
        shutil.copytree(cohort, folder, dirs_exist_ok=True)
        snakemake(folder, "release", "harmonised", alone=True).ok()

    return once(tmp_path_factory, "run", make)


@pytest.fixture(scope="session")
def small_run(tmp_path_factory) -> Path:
    """A run of the small cohort."""

    def make(folder: Path) -> None:
        small_cohort.write(folder)
        snakemake(folder).ok()

    return once(tmp_path_factory, "small", make)


@pytest.fixture(scope="session")
def reads_run(shared, tmp_path_factory) -> Path:
    """Five real genomes from their reads to the keep list."""

    def make(folder: Path) -> None:
        write_config(folder, **real_genomes.reads_cohort(shared, folder))
        snakemake(folder, "harmonised", "work/sample_qc/keep.tsv").ok()

    return once(tmp_path_factory, "reads", make)
