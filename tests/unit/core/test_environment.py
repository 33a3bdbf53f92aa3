"""What every process of a run needs around it."""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest
from goe.core import environment
from goe.core.errors import GoeError


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


def test_one_run_at_a_time_writes_into_a_folder(tmp_path):
    work = tmp_path / "outdir" / "work"
    work.mkdir(parents=True, mode=0o755)
    environment.alone(work)
    assert work.stat().st_mode & 0o077 == 0
    # Its own process may begin another one, as who calls Snakemake from Python does.
    environment.alone(work)
    code = f"from goe.core import environment\nfrom pathlib import Path\nenvironment.alone(Path({str(work)!r}))"
    path = {"PYTHONPATH": str(Path(environment.__file__).parents[2])}
    told = subprocess.run([sys.executable, "-c", code], env=os.environ | path, text=True, capture_output=True)
    assert "work/.lock: another run writes into its folder -> wait for its end" in told.stderr


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        environment.alone(tmp_path / "file" / "work")
    with pytest.raises(GoeError, match=r"permissions|read-only"):
        environment.alone(Path("/sys/kernel/work"))


def test_in_an_image_modules_are_those_of_the_clone(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/of/this/machine")
    environment.in_image(tmp_path)
    assert os.environ["PYTHONPATH"] == str(tmp_path)


LARGE = """
import ctypes, sys
from goe.core import environment
libc = ctypes.CDLL(None)
class Info(ctypes.Structure):
    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in names.split()]
libc.mallinfo2.restype = Info
environment.streams() if sys.argv[1] == "streams" else None
# By this one glibc learns, if it may, that large blocks come and go.
large = bytearray(16 << 20)
del large
before, held = libc.mallinfo2().hblks, bytearray(2 << 20)
print(libc.mallinfo2().hblks - before)
"""


@pytest.mark.parametrize(("what", "apart"), [("streams", "1"), ("nothing", "0")])
def test_a_process_that_streams_gives_large_blocks_back(what, apart):
    if not hasattr(ctypes.CDLL(None), "mallinfo2"):
        pytest.skip("another C library")
    env = {**os.environ, "PYTHONPATH": str(Path(environment.__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", LARGE, what], capture_output=True, text=True, check=True, env=env)
    assert done.stdout.strip() == apart
