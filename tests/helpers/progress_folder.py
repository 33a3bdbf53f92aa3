"""The folder of a run with logs of jobs as they are when they have ended, failed, are at work or were killed."""

import json
import os
from pathlib import Path

from goe.core.usage import Usage

BEGAN = 1_764_000_000.0
HOUR = 3600.0


def keep(folder: Path, rules: dict[str, dict], ended: float | None = None, well: bool = False) -> None:
    """What the run has to do."""
    document = {"began": BEGAN, "ended": ended, "well": well, "rules": rules}
    place = folder / "work/progress/run.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(document))


def job(
    folder: Path, log: str, *lines: str, at: float = HOUR, seconds: float = 60, cpu: float = 60, mb: float = 100, **more
) -> None:
    """A log. at: when the job ended, or wrote last, in seconds from the beginning of the run; well: whether it ended
    without an error, None where it has not ended."""
    place, well = folder / "work/logs" / f"{log}.log", more.get("well", True)
    place.parent.mkdir(parents=True, exist_ok=True)
    taken = [] if well is None else [Usage(BEGAN + at, seconds, cpu, mb, well).line()]
    place.write_text("".join(f"{line}\n" for line in [*lines, *taken]))
    os.utime(place, (BEGAN + at, BEGAN + at))
