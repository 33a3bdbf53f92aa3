"""What every process of a run needs around it."""

import os
from pathlib import Path

import pytest
from goe.core import environment


@pytest.fixture
def caches(tmp_path, monkeypatch):
    """Where caches go, for a HOME and XDG_CACHE_HOME."""

    def of(home: str, cache: str = "") -> tuple[str | None, str | None]:
        monkeypatch.setenv("HOME", home)
        for name, value in (("XDG_CACHE_HOME", cache), ("MPLCONFIGDIR", "")):
            monkeypatch.setenv(name, value)
            if not value:
                monkeypatch.delenv(name)
        environment.keep_caches(Path("work/cache"))
        return os.environ.get("XDG_CACHE_HOME"), os.environ.get("MPLCONFIGDIR")

    monkeypatch.chdir(tmp_path)
    return of


def test_a_home_that_can_be_written_is_left_alone(caches, tmp_path):
    assert caches(str(tmp_path)) == (None, None)
    assert caches("/proc/none", str(tmp_path / "own")) == (str(tmp_path / "own"), None)


@pytest.mark.parametrize("cache", ["", "/proc/none/own"])
def test_without_one_caches_are_kept_with_the_run(caches, tmp_path, cache):
    here = str(tmp_path / "work/cache")
    assert caches("/proc/none", cache) == (here, f"{here}/matplotlib")


def test_in_an_image_modules_are_those_of_the_clone(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/of/this/machine")
    environment.in_image(tmp_path)
    assert os.environ["PYTHONPATH"] == str(tmp_path)
