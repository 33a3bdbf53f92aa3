"""Folders for what goes: nothing of a killed job outlives its next start."""

import re
import shutil
import signal
import subprocess
import sys

import pytest
from goe.core import files
from goe.core.errors import GoeError

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


def test_scratch_lies_on_the_machine_where_it_is_told_to(tmp_path, monkeypatch):
    """Below a name that is the target's, as beside it: what a killed job has left there goes."""
    monkeypatch.setenv("NODE", str(tmp_path / "node"))
    (tmp_path / "node").mkdir()
    with files.scratch(tmp_path / "a.cram", "$NODE") as first:
        (first / "reads").write_text("left")
        assert first.parent == tmp_path / "node" and "a.cram" not in first.name
        with files.scratch(tmp_path / "a.cram", "$NODE") as again:
            assert again == first and list(again.iterdir()) == []
            again.joinpath("x").touch()
            with files.scratch(tmp_path / "b.cram", "$NODE") as other:
                assert other != again
        first.mkdir()
    assert list((tmp_path / "node").iterdir()) == [] and list(tmp_path.iterdir()) == [tmp_path / "node"]


@pytest.mark.parametrize("where", [None, "$NODE"])
def test_a_job_without_room_stops_before_it_begins(tmp_path, monkeypatch, where):
    monkeypatch.setenv("NODE", str(tmp_path))
    free = shutil.disk_usage(tmp_path).free
    with pytest.raises(GoeError, match="GB are free, the job may need"), files.scratch(tmp_path / "a", where, 2 * free):
        pytest.fail("it began")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_for_scratch_that_is_not_there_is_told(tmp_path):
    with pytest.raises(GoeError, match="is no folder on this machine"), files.scratch(tmp_path / "a", "$NOT_SET/x"):
        pytest.fail("it began")


def test_no_job_has_a_folder_whose_name_is_drawn(repo):
    """Those of `goe check` and of the demo hold nothing of a person, and lie where the system keeps such."""
    drawn = re.compile(r"tempfile\.(?!TemporaryFile\(\))|mkdtemp|mkstemp")
    found = {
        path.relative_to(repo / "scripts").as_posix()
        for path in (repo / "scripts").rglob("*.py")
        if drawn.search(path.read_text())
    }
    assert found == {"goe/check/again.py", "goe/demo/reads.py"}
