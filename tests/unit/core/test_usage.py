"""What a job has taken stands in its log, of the whole process with all its children, however the job ended."""

import os
import subprocess
import sys

import pytest
from goe.core import usage
from goe.core.resources import ROOT

START = """
import subprocess, sys, time
from goe.core import logs, usage
usage._EVERY = 0.05
def child(code, wait=True):
    return (subprocess.run if wait else subprocess.Popen)([sys.executable, "-c", code])
with logs.to(sys.argv[1]):
"""


@pytest.fixture
def job(tmp_path):
    """Usage and log of a job that does this."""

    def run(*lines):
        code, log = START + "\n".join(f"    {line}" for line in lines), tmp_path / "job.log"
        env = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
        subprocess.run([sys.executable, "-c", code, log], env=env, stderr=subprocess.DEVNULL)
        return usage.read(log), log.read_text()

    return run


def test_cpu_is_of_every_child_however_short(job):
    burn = "import time\\nwhile time.process_time() < 0.15: pass"
    taken, _ = job(f'for _ in range(4): child("{burn}")')
    assert taken.well and 0.6 <= taken.cpu < 5 and taken.seconds >= 0.6


def test_memory_is_of_all_processes_at_a_time(job):
    hold = "import time; held = b'x' * 100_000_000; time.sleep(1.5)"
    taken, _ = job(f'both = [child("{hold}", wait=False) for _ in range(2)]', "for one in both: one.wait()")
    assert 200 < taken.memory_mb < 500


def test_memory_between_two_looks_is_the_kernels(job):
    taken, _ = job("usage._EVERY = 60", "held = b'x' * 150_000_000", "del held")
    assert 150 < taken.memory_mb < 400


def test_memory_is_not_of_who_started_the_job(tmp_path):
    start = "import subprocess, sys; held = b'x' * 300_000_000; subprocess.run([sys.executable, '-c', *sys.argv[1:]])"
    env = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
    subprocess.run([sys.executable, "-c", start, f"{START}    pass", tmp_path / "log"], env=env)
    assert 5 < usage.read(tmp_path / "log").memory_mb < 100


@pytest.mark.parametrize(
    ("line", "well"), [("sys.exit(0)", True), ("sys.exit(3)", False), ("1 / 0", False), ("sys.exit('no')", False)]
)
def test_a_job_that_fails_says_it_too(job, line, well):
    taken, text = job(line)
    assert taken.well is well
    assert ("ZeroDivisionError" in text) == (line == "1 / 0")


@pytest.mark.parametrize(
    "text",
    [
        *("", "\n", "words\n", "goe: took \n", "goe: took {\n", "goe: took []\n", 'goe: took {"ended": 1}\n'),
        'goe: took {"ended": 1, "seconds": 2, "cpu": NaN, "memory_mb": 3, "well": true}\n',
        'goe: took {"ended": 1, "seconds": 2, "cpu": -1, "memory_mb": 3, "well": true}\n',
        'goe: took {"ended": 1, "seconds": "2", "cpu": 1, "memory_mb": 3, "well": true}\n',
        'goe: took {"ended": 1, "seconds": 2, "cpu": 1, "memory_mb": 3, "well": "yes"}\n',
        'goe: took {"ended": 1, "seconds": 2, "cpu": 1, "memory_mb": 3, "well": true, "more": 1}\n',
        "\0" * 9000,
    ],
)
def test_what_is_no_last_line_of_a_job_is_nothing(tmp_path, text):
    (tmp_path / "log").write_text(text)
    assert usage.read(tmp_path / "log") is None


def test_a_line_is_read_as_it_was_written(tmp_path):
    taken = usage.Usage(1764471600.5, 12.25, 30.5, 512.0, True)
    (tmp_path / "log").write_text("é" * 5000 + "\n" + taken.line() + "\nlast words\n")
    assert usage.read(tmp_path / "log") == taken
    assert usage.read(tmp_path / "none") is None
