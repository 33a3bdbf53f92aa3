"""Run tools and pipelines of tools; every exit status is looked at."""

import contextlib
import fcntl
import os
import re
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, Protocol, runtime_checkable

from goe.core.errors import GoeError, Problem, machine_mend

# What a tool says of itself, for those that do not answer --version.
_ASKED = {"bwa": "bwa", "bwa-mem2": "bwa-mem2 version", "verifybamid2": "verifybamid2 --help"}
Command = Sequence[object]
"""Words of a command, each taken as text but those that are `Poured`."""
Passing = Callable[[IO[bytes], IO[bytes]], None]
"""What stands between two commands: it reads all that the first writes, and writes what the second reads."""
_File = IO[bytes] | None


@runtime_checkable
class Poured(Protocol):
    """A word of a command for a file that no disk has: the command is told the place of a pipe, `/dev/fd/7`, and reads
    there what is poured into it. As text it is what messages name."""

    def pour(self, sink: IO[bytes]) -> None: ...


class Pourings:
    """What is poured into the commands of a pipeline, each in a thread."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(64)
        self._under_way: list[Future[None]] = []

    def start(self, command: Command, **how: Any) -> subprocess.Popen[bytes]:
        """Start a command as `subprocess.Popen` does, and pour what of its words is `Poured`."""
        pipes = [(word, *os.pipe()) for word in command if isinstance(word, Poured)]
        places = iter([f"/dev/fd/{source}" for _, source, _ in pipes])
        words = [next(places) if isinstance(word, Poured) else str(word) for word in command]
        try:
            return subprocess.Popen(words, pass_fds=[source for _, source, _ in pipes], **how)
        finally:
            # Where it did not start, nobody reads, and each pouring ends at once.
            for word, source, sink in pipes:
                os.close(source)
                self._under_way.append(self._pool.submit(pour, word, sink))

    def finish(self) -> None:
        """Wait, once the commands have ended, and raise what went wrong: they took what came before it for all."""
        self._pool.shutdown()
        for one in self._under_way:
            if error := one.exception():
                raise error


def pour(word: Poured, sink: int) -> None:
    """Pour into the end of a pipe, until all is poured or nobody reads any more."""
    with contextlib.suppress(BrokenPipeError), os.fdopen(sink, "wb") as pipe:
        roomy(pipe)
        word.pour(pipe)


def _there(pipe: IO[bytes] | None) -> IO[bytes]:
    """A pipe that was asked for."""
    assert pipe is not None
    return pipe


def roomy(pipe: IO[bytes]) -> None:
    """Give a pipe 1 MiB, where the system lets us: its two ends then wait less often for each other."""
    with contextlib.suppress(AttributeError, OSError):
        fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, 1 << 20)


def _messages() -> IO[bytes]:
    """A place for what one command says on stderr; it goes on to the log when the command has ended.

    In memory where the system has that: on a full disk an error would be lost of a command that ends with 0 after it.
    """
    try:
        return os.fdopen(os.memfd_create("stderr"), "w+b")
    except (AttributeError, OSError):
        return tempfile.TemporaryFile()


def pipeline(*commands: Command | Passing, stdout: _File = None, stdin: _File = None) -> None:
    """Run `commands` joined by pipes and wait; GoeError when any of them fails, naming it and its exit status.

    A command that ends with 0 but says that it could not read its input (`_is_error`) has failed too. A function
    between two commands runs in a thread of this process; when it fails, its neighbours see their pipes closed, and its
    error is raised.

    stdout, stdin: file objects or None (inherited).
    """
    run = [command for command in commands if not callable(command)]
    processes: list[subprocess.Popen[bytes]] = []
    stderr_files = [_messages() for _ in run]
    passing: list[Future[None]] = []
    pourings = Pourings()
    source = stdin
    with ThreadPoolExecutor(max(1, len(commands) - len(run))) as pool:
        for before, command in zip((None, *commands), commands, strict=False):
            if callable(command):
                continue
            n, filtered = len(processes), callable(before)
            process = pourings.start(
                command,
                stdin=subprocess.PIPE if filtered else source,
                stdout=stdout if n == len(run) - 1 else subprocess.PIPE,
                stderr=stderr_files[n],
            )
            if callable(before):
                passing.append(pool.submit(_pass, before, _there(source), _there(process.stdin)))
            elif n > 0 and source is not None:
                source.close()
            source = process.stdout
            processes.append(process)
        codes = [p.wait() for p in reversed(processes)][::-1]
    pourings.finish()
    error = next((error for thread in passing if (error := thread.exception())), None)
    if error:
        # The commands before it died of a closed pipe; of others that failed it is they that tell why.
        codes = [0 if code in _CLOSED_PIPE else code for code in codes]
    _stop_on_status(run, codes, stderr_files)
    if error:
        raise error


def _pass(function: Passing, source: IO[bytes], sink: IO[bytes]) -> None:
    """Let a function read from one command and write to the next."""
    # A command that has ended early is told by its status.
    with source, contextlib.suppress(BrokenPipeError), sink:
        function(source, sink)


@contextlib.contextmanager
def feeding(*commands: Command, stdout: _File = None) -> Iterator[IO[bytes]]:
    """The standard input of a pipeline of `commands`; on leaving, the pipeline's end is waited for.

    stdout: file object of the last command, or None (inherited).

    GoeError when any command fails, also when that shows as a broken pipe while writing. When the body fails the
    commands are stopped, and the body's own error goes on.
    """
    processes: list[subprocess.Popen[bytes]] = []
    pourings = Pourings()
    stderr_files = [_messages() for _ in commands]
    for i, command in enumerate(commands):
        process = pourings.start(
            command,
            stdin=processes[-1].stdout if processes else subprocess.PIPE,
            stdout=subprocess.PIPE if i < len(commands) - 1 else stdout,
            stderr=stderr_files[i],
        )
        if processes and processes[-1].stdout is not None:
            processes[-1].stdout.close()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                roomy(pipe)
        processes.append(process)
    stdin = _there(processes[0].stdin)
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
    pourings.finish()
    _stop_on_status(commands, codes, stderr_files)


@contextlib.contextmanager
def whole_or_none(*paths: str | Path) -> Iterator[None]:
    """When the body fails, the files `paths` are removed: nothing that is half written is left."""
    try:
        yield
    except BaseException:
        for path in paths:
            Path(path).unlink(missing_ok=True)
        raise


# Of a command that died of SIGPIPE, by itself or within a shell.
_CLOSED_PIPE = (-13, 141)
# Of bcftools; of bwa and of fastp, which align and report as many pairs as the shorter file has.
_ERRORS = ("Failed to parse", "has fewer sequences", "different read numbers")


# By SIGKILL, itself or in a shell.
_KILLED = (-9, 137)


def _is_error(line: str) -> bool:
    """Whether a line of stderr tells of input that could not be read; some tools end with 0 after that, among them
    htslib's readers."""
    return line.startswith("[E::") or any(words in line for words in _ERRORS)


def _stop_on_status(commands: Sequence[Command], codes: list[int], stderr_files: Sequence[IO[bytes]]) -> None:
    failed = [i for i, code in enumerate(codes) if code]
    # A command that died of a closed pipe is blamed only when no other failed.
    culprits = [i for i in failed if codes[i] not in _CLOSED_PIPE] or failed
    problems = []
    for i, (command, messages) in enumerate(zip(commands, stderr_files, strict=True)):
        with messages:
            messages.seek(0)
            text = messages.read()
        with contextlib.suppress(OSError):
            os.write(2, text)
        lines = text.decode(errors="replace").splitlines()
        errors = [line for line in lines if _is_error(line)]
        if i in culprits or (errors and not codes[i]):
            status = f"ended with status {codes[i]}" if codes[i] else "ended with 0, but could not read its input"
            last = " | ".join((errors or [line for line in lines if line.strip()])[-3:])[:400]
            mend = "mend the input it names, or copy it again" if errors else "see the log of the job"
            mend = machine_mend(text.decode(errors="replace")) or mend
            if codes[i] in _KILLED:
                mend = "if nobody stopped it, memory ran out: give the job more (mem_mb of its rule in the profile)"
            problems.append(
                Problem(shlex.join(str(c) for c in command)[:400], status + (f": {last}" if last else ""), mend)
            )
    if problems:
        raise GoeError(problems)


@contextlib.contextmanager
def reading(*command: object) -> Iterator[IO[bytes]]:
    """The standard output of a command; GoeError when the command fails, once the body has read what there was."""
    stderr_file = _messages()
    pourings = Pourings()
    with pourings.start(command, stdout=subprocess.PIPE, stderr=stderr_file, bufsize=1 << 20) as process:
        yield _there(process.stdout)
        code = process.wait()
    pourings.finish()
    _stop_on_status([command], [code], [stderr_file])


def said(*command: object) -> str:
    """What one command writes to standard output, a text; GoeError when it fails."""
    with reading(*command) as output:
        return output.read().decode(errors="replace")


def version(tool: str) -> str:
    """The version that a tool on PATH tells; GoeError when it tells none."""
    try:
        command = _ASKED.get(tool, f"{tool} --version").split()
        completed = subprocess.run(command, capture_output=True, text=True, errors="replace")
    except OSError as error:
        raise GoeError(Problem(tool, f"does not start: {error.strerror}", "install it, or put it on PATH")) from error
    number = re.search(r"\bv?(\d+\.[\w.+-]*\w)", completed.stdout + completed.stderr)
    if not number:
        raise GoeError(Problem(tool, "does not tell its version", "is it installed in this environment?"))
    return number[1]


def tool(*command: object, stdout: _File = None) -> None:
    """Run one command; GoeError when it fails."""
    pipeline(command, stdout=stdout)
