"""No tool fails unseen."""

import subprocess

import pytest
from goe.core.errors import GoeError
from goe.core.processes import feeding, pipeline, reading


def test_failure_anywhere_in_a_pipeline_is_seen(tmp_path):
    for commands in (["false"], ["cat"]), (["true"], ["false"]), (["true"], ["false"], ["cat"]):
        with pytest.raises(GoeError, match="false: ended with status 1"):
            pipeline(*commands)


def test_the_culprit_is_named_and_not_its_victim():
    with pytest.raises(GoeError) as caught:
        pipeline(["yes"], ["false"])
    assert [p.where for p in caught.value.problems] == ["false"]


def test_a_closed_pipe_alone_is_a_failure():
    with pytest.raises(GoeError, match="yes"):
        pipeline(["yes"], ["head", "-n", "1"])


def upper(source, sink):
    sink.writelines(line.upper() for line in source)


def test_a_function_stands_between_commands(tmp_path):
    with (tmp_path / "out").open("wb") as out:
        pipeline(["seq", "200000"], upper, ["sed", "s/^/a/"], upper, ["cat"], stdout=out)
    assert (tmp_path / "out").read_text() == "".join(f"A{n}\n" for n in range(1, 200_001))


def test_the_error_of_a_function_is_that_of_the_pipeline():
    def broken(source, sink):
        sink.write(source.read(10))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        pipeline(["yes"], broken, ["cat"], stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("commands", [(["false"], upper, ["cat"]), (["yes"], upper, ["false"])])
def test_beside_a_function_it_is_the_command_that_failed(commands):
    with pytest.raises(GoeError) as caught:
        pipeline(*commands, stdout=subprocess.DEVNULL)
    assert [p.where for p in caught.value.problems] == ["false"]


def test_feeding(tmp_path):
    with (tmp_path / "out").open("wb") as out, feeding(["cat"], ["tee", str(tmp_path / "copy")]) as stream:
        stream.write(b"hello")
        del out
    assert (tmp_path / "copy").read_bytes() == b"hello"


def test_feeding_a_command_that_ends_early():
    with pytest.raises(GoeError, match="false: ended with status 1"), feeding(["false"]) as stream:
        for _ in range(1000):
            stream.write(b"x" * 100000)


def test_error_of_the_body_goes_on():
    with pytest.raises(ZeroDivisionError), feeding(["cat"]):
        raise ZeroDivisionError


def test_reading_a_command_that_fails():
    with pytest.raises(GoeError, match="ended with status 3"), reading("sh", "-c", "echo half; exit 3") as stream:
        assert stream.read() == b"half\n"
