"""What a job has taken, as its own process knows it: the last line of a job's log, which `goe progress` reads.

Not `benchmark:` of Snakemake, which adds up the samples that it saw and misses what was between them: of a job that
calls six tools of half a second and then takes 300 MB it says 3.2 s of CPU and 33 MB, of 4.7 s and 318 MB. It is a
file more of each job to plan and to keep, too. Here CPU is the kernel's account of the process and of all that it has
waited for; of memory it knows the most of each single process, and only the sum of several is sampled.
"""

import json
import os
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

MARK = "goe: took "
_EVERY = 1.0  # seconds between two looks at the memory
_TAIL = 1 << 12  # bytes of a log that hold its last lines


@dataclass(frozen=True)
class Usage:
    """Of one job. ended: seconds since 1970; seconds: of the clock, from the start of the process; cpu: seconds of
    all cores; memory_mb: most of all processes together (MB, 10^6 bytes); well: whether it ended without an error."""

    ended: float
    seconds: float
    cpu: float
    memory_mb: float
    well: bool

    def line(self) -> str:
        numbers = {name: round(value, 2) if name != "well" else value for name, value in asdict(self).items()}
        return MARK + json.dumps(numbers)


@contextmanager
def told() -> Iterator[None]:
    """Around a job: say in one line of stderr, whatever becomes of it, what its whole process has taken."""
    well, stop, seen = False, threading.Event(), [0]
    watch = threading.Thread(target=_watch, args=(stop, seen), daemon=True)
    watch.start()
    try:
        yield
        well = True
    except SystemExit as end:
        well = not end.code
        raise
    finally:
        stop.set()
        watch.join()
        # A job that is done does not fail for want of a line.
        with suppress(OSError):
            os.write(2, f"{_now(seen[0], well).line()}\n".encode())


def _now(seen: int, well: bool) -> Usage:
    """seen: bytes of memory that all processes had at one time."""
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    cpu = own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime
    # Of a process by itself the kernel knows the most, between two looks too. In getrusage it may be that of the one it
    # was forked from, which exec keeps: of children this one, which did have it, but of this one Snakemake.
    most = max(seen, _most(), others.ru_maxrss << 10)
    return Usage(time.time(), _age(), cpu, most / 1e6, well)


def _most() -> int:
    """Most bytes that this program has had in memory (proc(5), status)."""
    return next(int(line.split()[1]) << 10 for line in Path("/proc/self/status").open() if line.startswith("VmHWM"))


def _age() -> float:
    """Seconds since this process began (proc(5), stat: field 22, after the name, which may hold anything)."""
    began = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - began / os.sysconf("SC_CLK_TCK")


def _watch(stop: threading.Event, seen: list[int]) -> None:
    page = os.sysconf("SC_PAGE_SIZE")
    while True:
        seen[0] = max(seen[0], sum(_resident(pid) for pid in _family(os.getpid())) * page)
        if stop.wait(_EVERY):
            return


def _resident(pid: int) -> int:
    """Pages in memory; none where the process has ended."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return 0


def _family(pid: int) -> Iterator[int]:
    """A process and those it has started, at any depth."""
    yield pid
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _family(int(child))


def read(log: str | Path) -> Usage | None:
    """What the end of a log says; None where its job has not ended, was killed, or wrote no such line."""
    try:
        with Path(log).open("rb") as handle:
            handle.seek(max(0, os.fstat(handle.fileno()).st_size - _TAIL))
            lines = handle.read().decode(errors="replace").splitlines()
        # Python itself may have said a word after it.
        said = next(line.removeprefix(MARK) for line in reversed(lines) if line.startswith(MARK))
        found = Usage(**json.loads(said))
        numbers = (found.ended, found.seconds, found.cpu, found.memory_mb)
        whole = all(isinstance(n, int | float) and 0 <= n < float("inf") for n in numbers)
        return found if whole and isinstance(found.well, bool) else None
    except (OSError, ValueError, TypeError, StopIteration):
        return None
