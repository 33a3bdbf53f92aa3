"""What a run keeps only so that a change of its settings need not begin at the reads: removed when what was made of it
stands."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from goe.core.seal import Held


class Finished(NamedTuple):
    """What may go of a group of people, and the seals of all that is made of it."""

    files: list[str]
    seals: list[str]


class Removed(NamedTuple):
    """Files and bytes that went, and groups of people of whom nothing did, since they are not finished."""

    files: int
    bytes: int
    unfinished: int


def remove(groups: Iterable[Finished], stamps: Mapping[str, str | Iterable[str]]) -> Removed:
    """Remove the files of each group whose seals are all there, under the stamps of this run.

    stamps: as `Held` takes them. A link to somebody's file goes, the file stays.
    """
    files = size = unfinished = 0
    for group in groups:
        if Held(group.seals, stamps).problems:
            unfinished += 1
            continue
        for path in map(Path, group.files):
            if path.is_symlink() or path.is_file():
                size += path.lstat().st_size
                files += 1
                path.unlink()
    return Removed(files, size, unfinished)
