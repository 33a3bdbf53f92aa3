"""A job's last words reach its user, whatever became of its log."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from goe.core import usage

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"


def job(log: str, body: str) -> subprocess.CompletedProcess:
    code = f"from goe.core import logs\nwith logs.to({log!r}):\n    {body}\n"
    env = os.environ | {"PYTHONPATH": str(SCRIPTS), "PYTHONUNBUFFERED": ""}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)


def test_what_the_machine_lacks_is_told_in_words_in_both_places(tmp_path):
    log = tmp_path / "log"
    done = job(str(log), "raise OSError(28, 'x', 'a.bcf')")
    assert done.returncode == 1
    words = "goe: a.bcf: no room, or no inode, is left on its disk -> make room (df -h, df -i), and run again\n"
    told, took = log.read_text().splitlines(keepends=True)
    assert done.stderr == told == words and took.startswith(usage.MARK)


@pytest.mark.parametrize("body", ["open('/dev/full', 'w').write('x' * 99999)", "print('x' * 99999, flush=True)"])
def test_where_the_log_is_on_the_full_disk_the_terminal_is_told(body):
    done = job("/dev/full", body)
    assert done.returncode == 1
    assert "goe: /dev/full: no room, or no inode, is left on its disk -> make room" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_job_that_is_done_does_not_fail_for_its_log():
    done = job("/dev/full", "print('x')")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_log_that_cannot_be_made(tmp_path):
    done = job(str(tmp_path / "none" / "log"), "pass")
    assert done.returncode == 1 and "No such file" in done.stderr
    done = subprocess.run(
        [sys.executable, "-c", f"import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))\n{OPEN}"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
    )
    assert done.returncode == 1
    assert "goe: /dev/null: more files are open than a process may have -> raise the limit (ulimit -n)" in done.stderr


OPEN = "from goe.core import logs\nwith logs.to('/dev/null'):\n    pass\n"


def test_a_fault_of_the_code_leaves_its_traceback(tmp_path):
    done = job(str(tmp_path / "log"), "1 / 0")
    assert done.returncode == 1 and "ZeroDivisionError" in done.stderr
    assert "ZeroDivisionError" in (tmp_path / "log").read_text()
