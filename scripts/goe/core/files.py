"""Files that are there whole or not at all, and folders that do not outlive their job."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def draft(target: str | Path) -> Iterator[Path]:
    """A path beside the target that becomes it when the block ends well, and is deleted when not."""
    path = Path(f"{target}.part")
    try:
        yield path
        path.replace(target)
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def scratch(target: str | Path) -> Iterator[Path]:
    """An empty folder beside the file `target` for what goes into it.

    Its name is the target's, so that what a killed job has left there, people's data mostly, goes when it starts again.
    """
    folder = Path(f"{target}.scratch")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def write_whole(path: str | Path, text: str) -> None:
    """Write a text beside its place and move it there: a reader sees the old file or the new one, never a part."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with draft(path) as part:
        part.write_text(text)
