"""Seals: what a job made, under which stamp (goe.intake.stamps), with the SHA-256 of each file.

A seal lies beside the files and is written last. Whoever reads the files asks it first: what was made under another
stamp, or is not what was made, stops the run, whatever Snakemake, a clock or a disk says.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from goe.core import manifest
from goe.core.errors import Problem, stop_on
from goe.core.files import write_whole

_AGAIN = "run it again; if this stays, remove the file it names and its seal"


def _absolute(path: str | Path) -> str:
    """The path without dots; links stay, as they are the names that jobs use."""
    return os.path.normpath(Path.cwd() / path)


def _plain(path: str | Path) -> bool:
    return Path(path).is_file()


def write(path: str | Path, stage: str, stamp: str, files: Iterable[str | Path]) -> None:
    """Seal `files`; the names in a seal start from its own folder, so that a run may be moved."""
    start = Path(path).parent
    listed = {os.path.relpath(file, start): manifest.digest(file) for file in files if _plain(file)}
    said = {"stage": stage, "stamp": stamp, "files": listed}
    write_whole(path, json.dumps(said, indent=1, sort_keys=True) + "\n")


def problems(
    seals: Iterable[str | Path], stamps: Mapping[str, str | Iterable[str]], files: Iterable[str | Path]
) -> list[Problem]:
    """What is wrong with seals and with those of `files` that they hold.

    stamps: stage -> the stamp, or stamps, that this run gives it. A file that no seal holds is none of this.
    """
    found = []
    wanted = {_absolute(file): str(file) for file in files}
    for seal in map(Path, seals):
        try:
            said = json.loads(seal.read_text())
            stage, stamp, listed = said["stage"], said["stamp"], said["files"]
        except (OSError, ValueError, KeyError, TypeError):
            found.append(Problem(str(seal), "is no seal of a job: the job was not finished, or it is damaged", _AGAIN))
            continue
        here = stamps.get(stage, ())
        if stamp not in ({here} if isinstance(here, str) else set(here)):
            what = f"made by the stage {stage} under other settings, inputs or code than those of this run"
            found.append(Problem(str(seal), what, _AGAIN))
            continue
        for name, digest in listed.items():
            path = _absolute(seal.parent / name)
            if path in wanted and (not _plain(path) or manifest.digest(path) != digest):
                found.append(Problem(wanted[path], "is not what its job made: its digest differs", _AGAIN))
    return found


def _flat(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str | os.PathLike):
            yield str(value)
        else:
            yield from _flat(value)


@contextmanager
def job(snakemake: Any) -> Iterator[None]:
    """Around a job: ask the seals of its input first, and seal its output last.

    Of the rule: input `seals` (and `further_seals`) are those of the jobs whose files it reads, and the parameter
    `trusts` gives the stamps that they must have; output `seal` is the own, with the parameters `stage` and `stamp`.
    The parameter `unread` names files whose content is not hashed, since they are as large as a genome and have
    checksums of their own (CRAM). A job outside of a workflow has no seals, and none is asked for."""
    params, source, output = snakemake.params, snakemake.input, snakemake.output
    unread = set(_flat([getattr(params, "unread", "")]))
    seals = list(_flat([getattr(source, name, []) for name in ("seals", "further_seals")]))
    if seals:
        stop_on(problems(seals, params.trusts, [path for path in _flat(source) if path not in unread]))
    yield
    own = getattr(output, "seal", None)
    if own:
        write(own, params.stage, params.stamp, [path for path in _flat(output) if path != own and path not in unread])
