"""How far a run is, told at a terminal and on its page."""

import time
from collections.abc import Iterator
from pathlib import Path

from goe.progress import page, run, state, words
from goe.progress.state import State


def look(outdir: str | Path) -> State:
    """The run in `outdir` as it is now. GoeError where there is none."""
    return state.look(outdir, time.time())


def told(seen: State) -> Iterator[str]:
    """Write the page of a run; lines of the same for a terminal, which name no person."""
    place = page.write(seen)
    yield from words.lines(seen)
    yield f"more, and the last lines of logs of failed jobs: {place}"


def ended(outdir: str | Path, well: bool) -> Iterator[str]:
    """Write it at the end of a run; what is to be looked at."""
    run.end(outdir, well)
    seen = look(outdir)
    place = page.write(seen)
    yield f"{words.is_at(seen)}; what it took, and the last lines of logs of failed jobs: {place}"
    yield from words.to_look_at(seen)
