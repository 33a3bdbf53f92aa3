"""Programs that fail, and what is told of it."""

from pathlib import Path

import pytest
from goe.core.errors import GoeError, Problem
from goe.core.processes import feeding, pipeline, said, tool


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


class Word:
    """What is poured: `n` pieces of 1 MiB, and then an error if there is one."""

    def __init__(self, n: int, error: Exception | None = None):
        self.n, self.error = n, error

    def __str__(self) -> str:
        return "the file it is of"

    def pour(self, sink) -> None:
        for _ in range(self.n):
            sink.write(bytes(1 << 20))
        if self.error:
            raise self.error


def test_what_is_poured_comes_through_a_pipe_and_nothing_stays_open():
    before = sorted(Path("/proc/self/fd").iterdir())
    assert said("wc", "-c", Word(3)).split()[0] == str(3 << 20)
    assert said("head", "-c", "1", Word(30)) == "\0", "who leaves early is no fault"
    with feeding(["sh", "-c", 'cat "$0" - | wc -c >&2', Word(2)]) as sink:
        sink.write(b"x")
    pipeline(["cat", Word(2)], ["cmp", "-", Word(2)])
    assert sorted(Path("/proc/self/fd").iterdir()) == before


@pytest.mark.parametrize("how", [said, tool, lambda *words: pipeline(["true"], words)])
def test_what_went_wrong_in_pouring_is_told_and_not_what_the_command_made_of_it(how):
    fault = GoeError(Problem("x.c4gh", "is damaged"))
    with pytest.raises(GoeError, match=r"^x\.c4gh: is damaged$"):
        how("sh", "-c", 'cat "$0" > /dev/null', Word(1, fault))
    with pytest.raises(GoeError, match=r"^x\.c4gh: is damaged$"):
        how("sh", "-c", 'cat "$0" > /dev/null; exit 3', Word(1, fault))


def test_a_command_that_fails_is_told_by_the_file():
    with pytest.raises(GoeError, match=r"'the file it is of'.*: ended with status 3"):
        tool("sh", "-c", "exit 3", Word(1))
    with pytest.raises(FileNotFoundError):
        tool("no-such-program", Word(1))
