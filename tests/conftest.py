"""Fixtures shared by all tests."""

import gc
import os
import sys
from pathlib import Path

import pytest
from helpers import compiled
from hypothesis import settings

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO / "scripts"))
os.umask(0o077)

# The same examples each time, so that a run tells of the code and not of luck. `make fuzz` draws others.
settings.register_profile("same", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("other", derandomize=False, deadline=None, print_blob=True)
settings.load_profile("same")

if "PYTEST_XDIST_WORKER" in os.environ:
    compiled.once()


@pytest.fixture(scope="session")
def repo() -> Path:
    return REPO


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared material beside the checkout: conformance suite and small real data."""
    folder = REPO.parent / "shared"
    if not folder.is_dir():
        pytest.skip("no folder ../shared beside the checkout")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """First the longest, which would leave the other processes idle if they began last: files that run the whole
    workflow, those of tests/workflow before the others. Before them one that compiles the kernels of a floor, so that
    this is done while the others compile those of an open release."""
    compiles = REPO / "tests/property/test_disclosure.py"

    def order(item: pytest.Item) -> tuple[bool, bool, bool]:
        slow = item.get_closest_marker("slow") is not None
        return item.path != compiles, not slow, item.path.parent.name != "workflow"

    items.sort(key=order)


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the garbage collector need not look through it again, nor write to it, which would
    copy it in every fork."""
    gc.collect()
    gc.freeze()
