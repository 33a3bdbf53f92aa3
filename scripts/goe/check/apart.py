"""A look that leaves a file to a library without bounds, in a process of its own: its end is a problem, not ours."""

import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from goe.check.faults import safely
from goe.core.errors import Problem
from goe.release import bounds

_MEND = "do not open it with other programs: ask who made it"


def apart(
    where: str,
    look: Callable[[], list[Problem]],
    memory: int = bounds.APART_BYTES,
    seconds: int = bounds.APART_SECONDS,
) -> list[Problem]:
    """What `look` finds, as `safely` has it, in a copy of this process that takes so much memory (bytes) more than it
    has, and CPU time; at most `bounds.PROBLEMS` problems. Threads are not copied: it must not need them."""
    sys.stdout.flush()
    sys.stderr.flush()
    end, start = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            os.close(end)
            _limit(memory, seconds)
            found = safely(where, look)
            rest = len(found) - bounds.PROBLEMS
            reported = found[: bounds.PROBLEMS] + ([Problem(where, f"and {rest} more problems")] if rest > 0 else [])
            with os.fdopen(start, "w", encoding="utf-8", errors="surrogatepass") as out:
                json.dump([(p.where, p.what, p.mend) for p in reported], out)
            status = 0
        finally:
            # Nothing of this process is to be closed or flushed twice.
            os._exit(status)
    os.close(start)
    with os.fdopen(end, encoding="utf-8", errors="surrogatepass") as told_by:
        text = told_by.read()
    _, status = os.waitpid(child, 0)
    if status:
        named = f"stopped by {signal.Signals(os.WTERMSIG(status)).name}" if os.WIFSIGNALED(status) else "out of memory"
        what = f"cannot be read in {memory >> 20} MB and {seconds} seconds of CPU ({named})"
        return [Problem(where, what, _MEND)]
    return [Problem(*one) for one in json.loads(text)]


def together(looks: Sequence[tuple[str, Callable[[], list[Problem]]]]) -> list[list[Problem]]:
    """`apart` of each (where, look). A copy of this process takes as long as a small look: one serves all of them
    where none finds anything. Otherwise each has its own, so that memory and time of none are told of another."""
    if len(looks) > 1 and not apart(looks[0][0], lambda: [found for one in looks for found in safely(*one)]):
        return [[] for _ in looks]
    return [apart(*one) for one in looks]


def _limit(memory: int, seconds: int) -> None:
    """Limits of this process: address space beyond what it has, CPU time, no core file."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    for kind, most in (
        (resource.RLIMIT_AS, used + memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        lower = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (lower, lower))
