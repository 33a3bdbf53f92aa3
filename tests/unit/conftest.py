"""A browser for the tests of the pages, and a small release for those that compare two."""

from pathlib import Path

import pytest
from helpers import browser
from helpers import release_folder as rf


@pytest.fixture(scope="module")
def chromium():
    with browser.Browser() as one:
        yield one


@pytest.fixture
def watched(chromium):
    """The browser; afterwards there was no error and no request but for files."""
    chromium.requests.clear()
    chromium.troubles.clear()
    yield chromium
    assert chromium.troubles == []
    assert chromium.requests
    assert all(url.startswith(("file:///", "data:", "about:blank")) for url in chromium.requests), chromium.requests


@pytest.fixture(scope="session")
def released(tmp_path_factory) -> Path:
    """A release of two contigs, which nobody may change."""
    return rf.make(tmp_path_factory.mktemp("released"), contigs={"chr20": 600, "chrX": 400})


@pytest.fixture
def copied(released, tmp_path) -> Path:
    """A copy of it that a test changes, and signs again."""
    return rf.copy(released, tmp_path)
