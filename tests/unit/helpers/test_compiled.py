"""A kernel that two processes need at the same time is compiled by one of them (`helpers.compiled`)."""

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
"""
CALLS = """
import sys
from helpers import compiled
compiled.once()
import kernel
print("ready", flush=True)
sys.stdin.readline()
assert kernel.calls(3) == 5
compiled_here = sum(kernel.calls.stats.cache_misses.values()), sum(kernel.of.stats.cache_misses.values())
print(*compiled_here, flush=True)
"""


def test_one_compiles_and_the_other_loads(tmp_path):
    (tmp_path / "kernel.py").write_text(KERNEL)
    path = os.pathsep.join([str(REPO / "tests"), str(tmp_path)])
    env = os.environ | {"PYTHONPATH": path, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": env}
    both = [subprocess.Popen([sys.executable, "-c", CALLS], **pipes) for _ in range(2)]
    for one in both:
        assert one.stdout.readline() == "ready\n"
    for one in both:
        one.stdin.write("\n")
        one.stdin.flush()
    said = [one.communicate()[0].strip() for one in both]
    assert sorted(said) == ["0 0", "1 1"]
