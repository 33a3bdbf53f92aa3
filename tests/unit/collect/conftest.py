"""Small releases of several countries."""

import pytest
from helpers import three_releases


@pytest.fixture(scope="session")
def releases(tmp_path_factory):
    return three_releases.of(tmp_path_factory)
