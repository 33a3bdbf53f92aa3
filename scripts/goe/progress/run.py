"""What a run has to do, kept when it begins, and how it ended: `work/progress/run.json`. It names no person."""

import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from goe.core.files import write_whole

_PLACE = "work/progress/run.json"


@dataclass(frozen=True)
class Rule:
    """jobs: that the run has to do; there: that were done before it. What a job asks for at its first attempt: threads,
    memory_mb, minutes (None: nothing)."""

    jobs: int = 0
    there: int = 0
    threads: int = 1
    memory_mb: int | None = None
    minutes: int | None = None


@dataclass(frozen=True)
class Run:
    """began, ended: seconds since 1970, None while it is at work; well: whether all that was asked for was made."""

    began: float = 0.0
    ended: float | None = None
    well: bool = False
    rules: Mapping[str, Rule] = field(default_factory=dict)


def begin(outdir: str | Path, rules: Mapping[str, Rule]) -> None:
    """Keep what a run has to do, before its first job. outdir: of the configuration."""
    _write(outdir, Run(time.time(), rules=rules))


def end(outdir: str | Path, well: bool) -> None:
    """Keep that the run is at its end."""
    _write(outdir, replace(load(outdir), ended=time.time(), well=well))


def _write(outdir: str | Path, run: Run) -> None:
    write_whole(Path(outdir) / _PLACE, json.dumps(asdict(run), indent=1) + "\n")


def load(outdir: str | Path) -> Run:
    """The last run of the folder; one that began long ago and has nothing to do, where none is kept."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        said = json.loads((Path(outdir) / _PLACE).read_text())
        rules = {name: Rule(**rule) for name, rule in said.pop("rules").items()}
        return Run(**said, rules=rules)
    return Run()
