"""A look in a process of its own."""

import os
import signal

from goe.check.apart import apart, together
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


def test_looks_that_find_something_have_a_process_each(tmp_path):
    """One is enough of those that find nothing; what one of several finds or takes is told of it alone."""

    def look(name, ends=list):
        def of_process():
            with (tmp_path / name).open("a") as file:
                file.write(f"{os.getpid()}\n")
            return ends()

        return name, of_process

    def processes(name):
        return (tmp_path / name).read_text().split()

    assert together([]) == []
    assert together([look("a"), look("b")]) == [[], []]
    assert processes("a") == processes("b") and str(os.getpid()) not in processes("a")
    found = [Problem("d", "is wrong", "mend it")]
    three = together([look("c"), look("d", lambda: found), look("e", lambda: os._exit(3))])
    assert three[:2] == [[], found] and "out of memory" in three[2][0].what
    assert len({processes(name)[-1] for name in "cde"}) == 3
    assert together([look("f", lambda: found)]) == [found] and len(processes("f")) == 1
