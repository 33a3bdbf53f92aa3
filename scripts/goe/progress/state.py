"""How far a run is, and what its jobs take: from what it has to do (`goe.progress.run`) and the logs of its jobs.

Nothing is asked of Snakemake or of a cluster, so that it is the same for every executor, and while the run is at work.
A log without its last line is of a job that is at work, or, once the run has ended, of one that was killed.
"""

import os
import stat
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

from goe.core import usage
from goe.core.errors import GoeError, Problem, printable
from goe.core.usage import Usage
from goe.progress import run as runs
from goe.progress.run import Rule, Run

STAGES = (
    *("intake", "align", "call", "joint", "harmonise", "sample_qc", "frequencies", "variant_qc", "provenance"),
    *("release", "audit", "collect"),
)
"""In the order of the data; the first words of a rule's name are its stage."""
_FOLDERS = {"reference": "align", "harmonised": "harmonise"}  # of a stage whose name they do not have
_LINES = 15  # of the log of a job that failed
_ENDING = 1 << 14  # bytes of a log that hold them
# Snakemake itself, which on a cluster reads the Snakefile in the job's own allocation, and what a next job has more of.
_SNAKEMAKE_MB, _MORE_MEMORY, _MORE_TIME = 500, 1.25, 2


@dataclass
class OfRule:
    """asks: what the run asks for; taken: of jobs of this and earlier runs that ended well; now: of those of this run,
    however they ended; failed: logs of this run's jobs that failed, or were killed; at_work: how many are at work."""

    name: str
    asks: Rule = field(default_factory=Rule)
    taken: list[Usage] = field(default_factory=list)
    now: list[Usage] = field(default_factory=list)
    failed: list[Path] = field(default_factory=list)
    at_work: int = 0

    @property
    def stage(self) -> str:
        return next((stage for stage in STAGES if f"{self.name}_".startswith(f"{stage}_")), self.name)

    @property
    def made(self) -> int:
        """Jobs of this run that ended well."""
        return sum(one.well for one in self.now)

    @property
    def done(self) -> int:
        """Jobs that are done, by this run or before it."""
        return self.asks.there + min(self.made, self.asks.jobs)

    @property
    def jobs(self) -> int:
        return self.asks.there + self.asks.jobs

    @property
    def left(self) -> int:
        return self.jobs - self.done


@dataclass(frozen=True)
class Request:
    """What jobs of a rule ask for beside the most that one took, and what the next may ask for. cores: mean of all
    jobs, of the threads they have; None where nothing is asked for."""

    rule: str
    jobs: int
    threads: int
    cores: float
    memory_mb: int | None
    most_mb: float
    next_mb: int
    minutes: int | None
    longest: float
    next_minutes: int

    @property
    def told(self) -> bool:
        """Whether half of what is asked for would do, or it nearly did not."""
        pairs = ((self.memory_mb, self.most_mb + _SNAKEMAKE_MB), (self.minutes, self.longest))
        return any(asked and not 0.5 <= took / asked <= 0.9 for asked, took in pairs)


@dataclass(frozen=True)
class State:
    """now: seconds since 1970; disk: folder below work/, or release -> bytes on disk and files."""

    folder: Path
    run: Run
    now: float
    rules: list[OfRule]
    disk: dict[str, tuple[int, int]]

    @property
    def stages(self) -> dict[str, list[OfRule]]:
        """Rules of each stage, in the order of the data."""
        found = defaultdict(list)
        for rule in self.rules:
            found[rule.stage].append(rule)
        return {stage: found[stage] for stage in STAGES if stage in found}

    @property
    def seconds(self) -> float:
        """That the run has been at work."""
        return max(0.0, (self.run.ended or self.now) - self.run.began) if self.run.began else 0.0

    @property
    def left(self) -> tuple[float | None, list[str]]:
        """Seconds that the rest may take, by the mean of each rule's jobs and the cores that were busy so far, None
        where nothing is known of it; and the stages with rules of which no job has ended yet, which are not in it."""
        busy = sum(one.seconds * rule.asks.threads for rule in self.rules for one in rule.now)
        rest, unknown = 0.0, []
        for rule in self.rules:
            if rule.left and rule.taken:
                rest += rule.left * fmean(one.seconds for one in rule.taken) * rule.asks.threads
            elif rule.left:
                unknown.append(rule.stage)
        seconds = rest * self.seconds / busy if busy and rest and self.seconds else None
        return seconds, [stage for stage in STAGES if stage in unknown]

    def disk_of(self, stage: str) -> int:
        """Bytes of the folders of a stage."""
        return sum(size for folder, (size, _) in self.disk.items() if _FOLDERS.get(folder, folder) == stage)

    @property
    def requests(self) -> list[Request]:
        """A line a rule of which a job has ended well."""
        return [_request(rule) for rules in self.stages.values() for rule in rules if rule.taken]


def core_hours(taken: Iterable[Usage]) -> float:
    """CPU of jobs, in hours."""
    return sum(one.cpu for one in taken) / 3600


def _request(rule: OfRule) -> Request:
    most, longest = max(one.memory_mb for one in rule.taken), max(one.seconds for one in rule.taken) / 60
    clock = sum(one.seconds for one in rule.taken)
    return Request(
        *(rule.name, len(rule.taken), rule.asks.threads, sum(one.cpu for one in rule.taken) / clock if clock else 0.0),
        *(rule.asks.memory_mb, most, _up(most * _MORE_MEMORY + _SNAKEMAKE_MB, 500)),
        *(rule.asks.minutes, longest, _up(longest * _MORE_TIME, 30)),
    )


def _up(value: float, step: int) -> int:
    return max(step, step * -int(-value // step))


def look(folder: str | Path, now: float) -> State:
    """The state of the run in `folder` (outdir of its configuration). GoeError where it has no work/."""
    folder = Path(folder)
    if not (folder / "work").is_dir():
        raise GoeError(Problem(str(folder / "work"), "is not there", "name the folder of a run"))
    run = runs.load(folder)
    rules = {name: OfRule(name, asks) for name, asks in run.rules.items()}
    for name, log, changed in _logs(folder / "work/logs"):
        rule, taken = rules.setdefault(name, OfRule(name)), usage.read(log)
        if taken and taken.well:
            rule.taken.append(taken)
        if (taken.ended if taken else changed) < run.began or not run.began:
            continue
        if taken:
            rule.now.append(taken)
        if taken is None and run.ended is None:
            rule.at_work += 1
        elif taken is None or not taken.well:
            rule.failed.append(log)
    # What only looks or removes (lint, clean) is of no stage.
    of_stages = [rule for rule in rules.values() if rule.stage in STAGES]
    return State(folder, run, now, of_stages, _disk(folder))


def _logs(folder: Path) -> Iterator[tuple[str, Path, float]]:
    """Rule, log and its last change, of each job that has begun."""
    for path, status in _files(folder):
        if path.suffix == ".log":
            yield path.relative_to(folder).parts[0].removesuffix(".log"), path, status.st_mtime


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Files below a folder, by their names; what goes in the meantime is not there. No link is followed."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        if stat.S_ISDIR(status.st_mode):
            yield from _files(Path(entry.path))
        elif stat.S_ISREG(status.st_mode):
            yield Path(entry.path), status


def _disk(folder: Path) -> dict[str, tuple[int, int]]:
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for top in (folder / "work", folder / "release"):
        for path, status in _files(top):
            parts = path.relative_to(top).parts
            of = sums[parts[0] if top.name == "work" and len(parts) > 1 else top.name]
            # Blocks of 512 bytes, whatever those of the disk are (stat(2)).
            of[0] += status.st_blocks * 512
            of[1] += 1
    return {name: (size, files) for name, (size, files) in sorted(sums.items())}


def last_lines(log: Path) -> list[str]:
    """Of a log, without what the job has taken; what cannot be printed as its code."""
    try:
        with log.open("rb") as handle:
            handle.seek(max(0, os.fstat(handle.fileno()).st_size - _ENDING))
            lines = handle.read().decode(errors="replace").splitlines()
    except OSError:
        return []
    return list(deque((printable(line) for line in lines if not line.startswith(usage.MARK)), _LINES))
