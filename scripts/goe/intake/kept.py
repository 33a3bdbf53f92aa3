"""The sheets as the process that plans a run has read them, kept for its jobs.

Each job on a cluster reads the Snakefile again, and with it the sheets: seconds at tens of thousands of people, in
which every cell is checked. What is kept is taken for the very bytes it was made of, by the very code, and for nothing
else.
"""

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path

from goe.core import manifest
from goe.core.files import write_whole
from goe.settings import sheets
from goe.settings.sections import Config
from goe.settings.sheets import Input, Person

_PERSON, _INPUT = ([one.name for one in fields(kind)] for kind in (Person, Input))


def key(cfg: Config) -> str:
    """What tells the sheets of a configuration, and how they are read, from all others: by their content, which no time
    of a file stands for. OSError where one cannot be read."""
    read = [manifest.digest(path) for path in (cfg.samples, cfg.inputs, sheets.__file__)]
    return json.dumps([read, cfg.strata.label, list(cfg.strata.columns)])


def save(path: str | Path, of: str, people: Mapping[str, Person], inputs: Iterable[Input]) -> None:
    """Keep the rows of sheets whose `key` was `of` before they were read."""
    document = {
        "key": of,
        "people": [[getattr(one, name) for name in _PERSON] for one in people.values()],
        "inputs": [[getattr(one, name) for name in _INPUT] for one in inputs],
    }
    write_whole(path, json.dumps(document) + "\n")


def load(path: str | Path, of: str) -> tuple[dict[str, Person], list[Input]] | None:
    """People by sample_id and inputs, as `goe.settings.sheets` reads them; None where none are kept under this key."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        document = json.loads(Path(path).read_text())
        if document["key"] == of:
            people = (Person(*row) for row in document["people"])
            return {one.sample_id: one for one in people}, [Input(*row) for row in document["inputs"]]
    return None
