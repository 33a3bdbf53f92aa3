"""`goe check` of folders, and other commands, in processes of their own, one after the other, forked by one that has
loaded them.

Run as a program it reads a folder, or the words of a command, as JSON a line and writes a line for each: `Seen`.
"""

import io
import json
import os
import resource
import signal
import subprocess
import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Seen:
    """status: of the process, as `os.waitstatus_to_exitcode` has it. problems: as they are told, of a command all that
    it said, line by line. first, whole: seconds of CPU to the first refusal, None without one, and to the end. peak:
    the most memory of it and its children, kB."""

    status: int
    problems: list[str]
    first: float | None
    whole: float
    peak: int


class Checks:
    """Forks a check for each folder, or a command; `seconds` of CPU each, and ten times as many by the clock."""

    def __init__(self, seconds: int):
        self.process = subprocess.Popen(
            [sys.executable, __file__, str(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(REPO / "scripts")},
        )

    def __call__(self, folder: Path) -> Seen:
        return self._ask(str(folder))

    def command(self, *words: object) -> Seen:
        """`goe` with these words; a status beyond 2 is that of an exception."""
        return self._ask(list(map(str, words)))

    def _ask(self, asked: str | list[str]) -> Seen:
        self.process.stdin.write(f"{json.dumps(asked)}\n")
        self.process.stdin.flush()
        return Seen(**json.loads(self.process.stdout.readline()))

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def _limit(seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Whoever waits for a pipe takes no CPU.
    signal.alarm(10 * seconds)


def _command(words: list[str], out: int) -> int:
    from goe import cli

    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        try:
            status = cli.main(words)
        except BaseException:
            traceback.print_exc()
            status = 70
    _tell({"problems": said.getvalue().splitlines(), "first": None}, out)
    return status


def _tell(seen: dict, out: int) -> None:
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    with os.fdopen(out, "w", errors="backslashreplace") as told:
        json.dump(seen | {"peak": peak, "whole": sum(os.times()[:4])}, told)


def _look(folder: str, out: int) -> int:
    from goe.check import run as check

    first, problems = [], []

    def tell(result: check.Result) -> None:
        if result.passed is False:
            first.append(sum(os.times()[:4]))
            problems.extend(str(problem) for problem in result.problems)

    check.run(folder, tell=tell)
    _tell({"problems": problems, "first": first[0] if first else None}, out)
    return 0


def main() -> None:
    # Loaded here, once for all.
    import goe.check.health_dcat
    import goe.check.run
    import goe.collect.run
    import goe.compare.run
    import goe.lookup.extract  # noqa: F401

    for line in sys.stdin:
        end, out = os.pipe()
        child = os.fork()
        if not child:
            os.close(end)
            status = 1
            try:
                _limit(int(sys.argv[1]))
                asked = json.loads(line)
                status = _look(asked, out) if isinstance(asked, str) else _command(asked, out)
            except BaseException as error:
                print(f"{type(error).__name__}: {error}", file=sys.stderr)
            os._exit(status)
        os.close(out)
        with os.fdopen(end) as told:
            text = told.read()
        _, status = os.waitpid(child, 0)
        nothing = {"problems": [], "first": None, "whole": 0.0, "peak": 0}
        seen = nothing | (json.loads(text) if text else {}) | {"status": os.waitstatus_to_exitcode(status)}
        print(json.dumps(seen), flush=True)


if __name__ == "__main__":
    main()
