"""Releases that clients load: one under a floor and an open one, of three countries with X, Y and M; with GOE_RELEASE
in the environment also the one in that folder."""

import os
import random
from pathlib import Path

import pytest
from helpers import release_folder as rf
from helpers.release_cells import Cells

CONTIGS = {"chr20": 700, "chrX": 800, "chrY": 300, "chrM": 200}
RULES = {"floor": rf.MINIMAL, "open": rf.OPEN}
GIVEN = os.environ.get("GOE_RELEASE")


@pytest.fixture(scope="session", params=[*RULES, *(["given"] if GIVEN else [])])
def folder(request, tmp_path_factory) -> Path:
    if request.param == "given":
        return Path(str(GIVEN))
    return rf.make(tmp_path_factory.mktemp(request.param), RULES[request.param], contigs=CONTIGS)


@pytest.fixture(scope="session")
def cells(folder) -> Cells:
    """What the sites VCFs of the release say, as text and read by nothing but Python, of 200 alleles by chance."""
    return Cells.read(folder).some(random.Random(17), 200)
