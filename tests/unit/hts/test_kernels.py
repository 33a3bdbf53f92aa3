"""What is compiled is what is written."""

import os
import subprocess
import sys
from pathlib import Path

import numba as nb
import pytest
from goe.hts import kernels

LIBRARY = Path(kernels.__file__).parents[2]
ONE = "from goe.hts.kernels import kernel\n\n\n@kernel\ndef one(n):\n    return n + {}\n"
TWO = """import sys
from pathlib import Path

from goe.hts import kernels

kernels._STAMP = kernels.stamp([Path(__file__).parent])
from one import one


@kernels.kernel
def two(n):
    return 10 * one(n)


print(two(int(sys.argv[1])), sum(two.stats.cache_hits.values()))
"""


def test_a_kernel_is_compiled_again_when_one_of_another_file_changed(tmp_path):
    """numba looks at the file of the function alone."""
    (tmp_path / "two.py").write_text(TWO)
    told = []
    for n in (1, 1, 2):
        (tmp_path / "one.py").write_text(ONE.format(n))
        os.utime(tmp_path / "one.py", (n, n))
        environment = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"}
        environment["PYTHONPATH"] = str(LIBRARY)
        run = subprocess.run(
            [sys.executable, tmp_path / "two.py", "5"], capture_output=True, text=True, check=True, env=environment
        )
        told.append(run.stdout.split())
    assert told == [["60", "0"], ["60", "1"], ["70", "0"]]


def test_files_in_which_kernels_are_shared():
    """`kernel` is for kernels of the folders that it looks at."""
    names = {path.name for folder in kernels.FOLDERS for path in folder.glob("*.py")}
    assert {"text.py", "block_shapes.py", "own_file.py", "genotypes.py", "listed.py", "person.py"} <= names
    for path in LIBRARY.rglob("*.py"):
        if "kernels import kernel" in path.read_text():
            assert path.parent in kernels.FOLDERS, path


def one(n, m):
    return n + m


def calls(add, n):
    total = 0
    for _ in range(n):
        total = add(total, 7)
    return add(total, 3)


@pytest.mark.parametrize("compiled", [kernels.jit, kernels.kernel])
def test_a_number_in_a_call_is_no_further_compilation(compiled):
    """Nor is the 0 that a variable begins with."""
    add = compiled(one)
    assert nb.njit(calls)(add, 2) == 17
    assert add.signatures == [] and len(add.get_overload.__self__.signatures) == 1


BOTH = """import sys

from goe.hts.kernels import jit


@jit
def one(n):
    return n + 1


@jit
def two(n):
    return 10 * one(n)


for name in sys.argv[1:]:
    print(name, {"one": one, "two": two}[name](5), *(sum(kernel.stats.cache_hits.values()) for kernel in (one, two)))
"""


@pytest.mark.parametrize("order", [("one", "two"), ("two", "one")])
def test_what_python_calls_and_what_kernels_call_are_kept_apart(tmp_path, order):
    """In whatever order, compiled here or kept by another process."""
    (tmp_path / "both.py").write_text(BOTH)
    environment = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"} | {"PYTHONPATH": str(LIBRARY)}
    for hits in (0, 1):
        command = [sys.executable, tmp_path / "both.py", *order]
        told = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
        rows = [line.split() for line in told.splitlines()]
        assert {name: n for name, n, *_ in rows} == {"one": "6", "two": "60"}
        assert rows[-1][2:] == [str(hits)] * 2
