"""A job's own words, and those of the tools it calls, go to its log file."""

import os
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from goe.core import usage
from goe.core.errors import GoeError, of_machine


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Head and seconds (of the clock) of a part of a job, in its log."""
    start = time.monotonic()
    print(f"goe: {name}", file=sys.stderr, flush=True)
    yield
    print(f"goe: {name}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)


@contextmanager
def to(log: Any) -> Iterator[None]:
    """Send this process's stdout and stderr, and its children's, to the file `log` (a path or a list of paths).

    A GoeError is written there as its list of problems and ends the process with status 1, and so is what the machine
    lacks (`of_machine`); any other exception leaves its traceback there. All also reach the terminal, so that the
    reader need not look for the log. The last line is what the job has taken (`goe.core.usage`).
    """
    path = str(log) if isinstance(log, str | os.PathLike) or not hasattr(log, "__getitem__") else str(log[0])
    terminal = os.dup(2)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        _tell(terminal, error, path)
        raise SystemExit(1) from error
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)
    try:
        with usage.told():
            try:
                yield
            except BaseException as error:
                if isinstance(error, SystemExit) and not error.code:
                    raise
                # The terminal first: where the disk is full, nothing more goes to the log.
                for out in (terminal, 2):
                    _tell(out, error, path)
                if isinstance(error, Exception):
                    raise SystemExit(1) from error
                raise
            finally:
                for stream in (sys.stdout, sys.stderr):
                    _flush(stream)
    finally:
        os.close(terminal)


def _tell(out: int, error: BaseException, log: str) -> None:
    """Write what ended a job; `log` stands for the file where the error is the machine's and names none."""
    problem = error if isinstance(error, GoeError) else of_machine(error, log)
    text = f"goe: {problem}\n" if problem else "".join(traceback.format_exception(error))
    with suppress(OSError):
        os.write(out, text.encode())


def _flush(stream: TextIO) -> None:
    """What a full disk does not take of the log is let go: else Python would try again at its end, and fail there."""
    try:
        stream.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        stream.flush()
