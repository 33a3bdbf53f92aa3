"""Fixtures shared by all tests."""

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
    """Files that run the whole workflow come first, those of tests/workflow before the others: the longest that began
    last would leave the other processes idle."""
    items.sort(key=lambda item: (item.get_closest_marker("slow") is None, item.path.parent.name != "workflow"))
