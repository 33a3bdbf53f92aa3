"""A kernel that two processes need at the same time is compiled by one of them, in a fork (`helpers.compiled`)."""

import os
import subprocess
import sys

from helpers.workflow import REPO

KERNEL = """
import numba as nb

@nb.njit(cache=True)
def of(n):
    return n + 1 if n < 9 else of(n - 9)

@nb.njit(cache=True)
def calls(n):
    return of(n) + 1

@nb.njit(cache=True)
def wrong(n):
    return n.there_is_none
"""
CALLS = """
import os, sys
from helpers import compiled
compiled.once()
import kernel
from numba.core import errors, event

class Told(event.Listener):
    def on_start(self, event):
        with open("compiled", "a") as out:
            print(os.getpid(), event.data["dispatcher"].__name__, file=out)

    def on_end(self, event):
        pass

event.register("numba:compile", Told())
print("ready", flush=True)
sys.stdin.readline()
assert kernel.calls(3) == 5
print(*(sum(one.stats.cache_misses.values()) for one in (kernel.calls, kernel.of)))
try:
    kernel.wrong(3)
except errors.TypingError as error:
    print("there_is_none" in str(error))
"""


def test_one_compiles_and_the_other_loads(tmp_path):
    """Neither compiles itself, but what cannot be compiled: the error is its own."""
    (tmp_path / "kernel.py").write_text(KERNEL)
    path = os.pathsep.join([str(REPO / "tests"), str(tmp_path)])
    env = os.environ | {"PYTHONPATH": path, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": env, "cwd": tmp_path}
    both = [subprocess.Popen([sys.executable, "-c", CALLS], **pipes) for _ in range(2)]
    for one in both:
        assert one.stdout.readline() == "ready\n"
    for one in both:
        one.stdin.write("\n")
        one.stdin.flush()
    assert [one.communicate()[0].split() for one in both] == [["0", "0", "True"]] * 2
    said = [line.split() for line in (tmp_path / "compiled").read_text().splitlines()]
    made = [(int(pid), name) for pid, name in said if name != "wrong"]
    assert sorted(name for _, name in made) == ["calls", "of"]
    assert not {pid for pid, _ in made} & {one.pid for one in both}
