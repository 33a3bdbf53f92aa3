"""A job's own words, and those of the tools it calls, go to its log file."""

import os
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from goe.core import usage
from goe.core.errors import GoeError


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

    A GoeError is written there as its list of problems and ends the process with status 1; any other exception
    leaves its traceback there. Both also reach the terminal, so that the reader need not look for the log. The last
    line is what the job has taken (`goe.core.usage`).
    """
    path = str(log) if isinstance(log, str | os.PathLike) or not hasattr(log, "__getitem__") else str(log[0])
    terminal = os.dup(2)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
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
                text = f"goe: {error}\n" if isinstance(error, GoeError) else traceback.format_exc()
                os.write(2, text.encode())
                os.write(terminal, text.encode())
                if isinstance(error, Exception):
                    raise SystemExit(1) from error
                raise
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
    finally:
        os.close(terminal)
