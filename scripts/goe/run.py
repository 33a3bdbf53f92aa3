"""Run tools and pipelines of tools; every exit status is looked at."""

import contextlib
import fcntl
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from goe.errors import GoeError, Problem

Command = Sequence[str]


def roomy(pipe: BinaryIO) -> None:
    """Give a pipe 1 MiB, where the system lets us: its two ends then wait less often for each other."""
    with contextlib.suppress(AttributeError, OSError):
        fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, 1 << 20)


def pipeline(*commands: Command, stdout=None, stdin=None) -> None:
    """Run `commands` joined by pipes and wait; GoeError when any of them fails, naming it and its exit status.

    stdout, stdin: file objects or None (inherited).
    """
    processes: list[subprocess.Popen] = []
    source = stdin
    for i, command in enumerate(commands):
        last = i == len(commands) - 1
        process = subprocess.Popen([str(c) for c in command], stdin=source, stdout=stdout if last else subprocess.PIPE)
        if i > 0 and source is not None:
            source.close()
        source = process.stdout
        processes.append(process)
    codes = [p.wait() for p in reversed(processes)][::-1]
    _stop_on_status(commands, codes)


@contextlib.contextmanager
def feeding(*commands: Command, stdout=None) -> Iterator[BinaryIO]:
    """The standard input of a pipeline of `commands`; on leaving, the pipeline's end is waited for.

    stdout: file object of the last command, or None (inherited).

    GoeError when any command fails, also when that shows as a broken pipe while writing. When the body fails the
    commands are stopped, and the body's own error goes on.
    """
    processes: list[subprocess.Popen] = []
    for i, command in enumerate(commands):
        process = subprocess.Popen(
            [str(c) for c in command],
            stdin=processes[-1].stdout if processes else subprocess.PIPE,
            stdout=subprocess.PIPE if i < len(commands) - 1 else stdout,
        )
        if processes:
            processes[-1].stdout.close()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                roomy(pipe)
        processes.append(process)
    stdin = processes[0].stdin
    try:
        yield stdin
        stdin.close()
    except BrokenPipeError:
        pass  # a command has ended early: its status, looked at below, tells
    except BaseException:
        for process in processes:
            process.kill()
        raise
    finally:
        with contextlib.suppress(BrokenPipeError):
            stdin.close()
        codes = [p.wait() for p in processes]
    _stop_on_status(commands, codes)


@contextlib.contextmanager
def whole_or_none(*paths: str | Path) -> Iterator[None]:
    """When the body fails, the files `paths` are removed: nothing that is half written is left."""
    try:
        yield
    except BaseException:
        for path in paths:
            Path(path).unlink(missing_ok=True)
        raise


def _stop_on_status(commands: Sequence[Command], codes: list[int]) -> None:
    failed = [i for i, code in enumerate(codes) if code]
    # A command that died of a closed pipe (SIGPIPE) is blamed only when no other failed.
    culprits = [i for i in failed if codes[i] not in (-13, 141)] or failed
    if culprits:
        raise GoeError(
            Problem(
                shlex.join(str(c) for c in commands[i])[:400],
                f"ended with status {codes[i]}",
                "its own message is in the log above",
            )
            for i in culprits
        )


@contextlib.contextmanager
def reading(*command: str) -> Iterator[BinaryIO]:
    """The standard output of a command; GoeError when the command fails, once the body has read what there was."""
    with subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, bufsize=1 << 20) as process:
        yield process.stdout
        code = process.wait()
    _stop_on_status([command], [code])


def tool(*command: str, stdout=None) -> None:
    """Run one command; GoeError when it fails."""
    pipeline(command, stdout=stdout)
