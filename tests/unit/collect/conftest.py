"""Small releases of several countries, made once."""

import pytest
from helpers import three_releases


@pytest.fixture(scope="session")
def releases(tmp_path_factory):
    return three_releases.make(tmp_path_factory.mktemp("releases"))
