"""A browser for the tests of the pages."""

import pytest
from helpers import browser


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
