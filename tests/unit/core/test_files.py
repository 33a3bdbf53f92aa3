"""Folders for what goes: nothing of a killed job outlives its next start."""

import re
import signal
import subprocess
import sys

import pytest
from goe.core import files

KILLED = """
import os, signal, sys
from goe.core import files
with files.scratch(sys.argv[1]) as folder:
    (folder / "sort.0001.bam").write_text("somebody's reads")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_job_left_goes_when_it_starts_again(repo, tmp_path):
    target = tmp_path / "a.cram"
    done = subprocess.run([sys.executable, "-c", KILLED, target], env={"PYTHONPATH": str(repo / "scripts")})
    assert done.returncode == -signal.SIGKILL
    assert [path.name for path in tmp_path.rglob("*")] == ["a.cram.scratch", "sort.0001.bam"]
    with files.scratch(target) as folder:
        assert list(folder.iterdir()) == []
        (folder / "b").touch()
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), files.scratch(tmp_path / "deep/a"):
        raise ZeroDivisionError
    assert list((tmp_path / "deep").iterdir()) == []


def test_no_job_has_a_folder_whose_name_is_drawn(repo):
    """Those of `goe check` and of the demo hold nothing of a person, and lie where the system keeps such."""
    drawn = re.compile(r"tempfile\.(?!TemporaryFile\(\))|mkdtemp|mkstemp")
    found = {
        path.relative_to(repo / "scripts").as_posix()
        for path in (repo / "scripts").rglob("*.py")
        if drawn.search(path.read_text())
    }
    assert found == {"goe/check/again.py", "goe/demo/reads.py"}
