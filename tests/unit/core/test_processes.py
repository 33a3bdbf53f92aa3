"""Programs that fail, and what is told of it."""

import pytest
from goe.core.errors import GoeError
from goe.core.processes import pipeline, tool


def words(*command: str) -> str:
    with pytest.raises(GoeError) as told:
        tool(*command)
    return str(told.value)


def test_a_full_disk_has_its_mend():
    assert "ended with status 1: cat: write error: No space left on device -> make room (df -h, df -i)" in words(
        "sh", "-c", "cat /etc/hostname > /dev/full"
    )


def test_a_program_that_was_killed():
    assert "ended with status -9 -> if nobody stopped it, memory ran out" in words("sh", "-c", "kill -9 $$")


def test_what_a_program_says_does_not_depend_on_room_for_temporary_files(monkeypatch):
    """bwa ends with 0 where one file of a pair is shorter, and says so."""

    def none(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", none)
    with pytest.raises(GoeError, match="ended with 0, but could not read its input: x has fewer sequences"):
        pipeline(["sh", "-c", "echo x has fewer sequences >&2"], ["cat"])
