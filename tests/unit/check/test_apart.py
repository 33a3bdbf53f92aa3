"""A look in a process of its own."""

import os
import signal

from goe.check.apart import apart
from goe.core.errors import Problem
from goe.release import bounds


def test_a_look_apart_ends_in_its_bounds():
    """What it finds, an error, too much memory, too much time, the end of its process."""

    def fills():
        return [bytearray(1 << 28) for _ in range(9)]

    def spins():
        while True:
            pass

    def dies():
        os.kill(os.getpid(), signal.SIGKILL)

    found = [Problem("a\udcff", "b\n", "c")]
    assert apart("x", lambda: found) == found and apart("x", list) == []
    assert len(apart("x", lambda: [Problem("a", str(i)) for i in range(5000)])) == bounds.PROBLEMS + 1
    for look, what in (
        (lambda: 1 / 0, "ZeroDivisionError"),
        (fills, "MemoryError"),
        (dies, "stopped by SIGKILL"),
        (lambda: os._exit(3), "out of memory"),
    ):
        (problem,) = apart("x", look)
        assert problem.where == "x" and what in problem.what, problem
    (problem,) = apart("x", spins, seconds=1)
    assert "stopped by SIG" in problem.what
