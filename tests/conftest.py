"""Fixtures shared by all tests."""

import gc
import os
import sys
from pathlib import Path

import pytest
from helpers import compiled, huge
from hypothesis import settings

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO / "scripts"))
os.umask(0o077)
# Until all is loaded (`pytest_collection_finish`): none of it is garbage.
gc.disable()

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


# Begun in this order, two at a time, none waits for what another makes: the kernels of a floor, beside them the run of
# the demo and the kernels of an open release, then those of a collection. All others find what they begin with.
_MAKERS = ("property/test_disclosure.py", "workflow/test_demo.py", "workflow/test_collect.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """First the longest, which would leave the other processes idle if they began last: files that run the whole
    workflow, those of tests/workflow before the others. Before them the makers."""

    def order(item: pytest.Item) -> tuple[int, bool, bool]:
        slow = item.get_closest_marker("slow") is not None
        maker = str(item.path.relative_to(REPO / "tests"))
        first = _MAKERS.index(maker) if maker in _MAKERS else len(_MAKERS)
        return first, not slow, item.path.parent.name != "workflow"

    items.sort(key=order)


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the garbage collector need not look through it again, nor write to it, which would
    copy it in every fork."""
    gc.collect()
    gc.freeze()
    gc.enable()
    if "PYTEST_XDIST_WORKER" in os.environ:
        huge.collapse()
