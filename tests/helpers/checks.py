"""`goe check` of folders in processes of their own, one after the other, forked by one that has loaded it.

Run as a program it reads a folder a line and writes a line of JSON for each: `Seen`.
"""

import json
import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Seen:
    """status: of the process, as `os.waitstatus_to_exitcode` has it. problems: as they are told. first, whole: seconds
    of CPU to the first refusal, None without one, and to the end. peak: the most memory of it and its children, kB."""

    status: int
    problems: list[str]
    first: float | None
    whole: float
    peak: int


class Checks:
    """Forks a check for each folder; `seconds` of CPU each."""

    def __init__(self, seconds: int):
        self.process = subprocess.Popen(
            [sys.executable, __file__, str(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(REPO / "scripts")},
        )

    def __call__(self, folder: Path) -> Seen:
        self.process.stdin.write(f"{folder}\n")
        self.process.stdin.flush()
        return Seen(**json.loads(self.process.stdout.readline()))

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def _look(folder: str, out: int, seconds: int) -> None:
    from goe.check import run as check

    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    first, problems = [], []

    def tell(result: check.Result) -> None:
        if result.passed is False:
            first.append(sum(os.times()[:4]))
            problems.extend(str(problem) for problem in result.problems)

    check.run(folder, tell=tell)
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    seen = {"problems": problems, "first": first[0] if first else None, "peak": peak}
    with os.fdopen(out, "w") as told:
        json.dump(seen | {"whole": sum(os.times()[:4])}, told)


def main() -> None:
    import goe.check.health_dcat
    import goe.check.run  # noqa: F401 (loaded here, once for all)

    for line in sys.stdin:
        end, out = os.pipe()
        child = os.fork()
        if not child:
            os.close(end)
            try:
                _look(line.rstrip("\n"), out, int(sys.argv[1]))
            except BaseException as error:
                print(f"{type(error).__name__}: {error}", file=sys.stderr)
                os._exit(1)
            os._exit(0)
        os.close(out)
        with os.fdopen(end) as told:
            text = told.read()
        _, status = os.waitpid(child, 0)
        nothing = {"problems": [], "first": None, "whole": 0.0, "peak": 0}
        seen = nothing | (json.loads(text) if text else {}) | {"status": os.waitstatus_to_exitcode(status)}
        print(json.dumps(seen), flush=True)


if __name__ == "__main__":
    main()
