"""Files that are there whole or not at all, and folders that do not outlive their job."""

import hashlib
import io
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from goe.core.errors import GoeError, Problem


class Closes:
    """What is closed when its block is left, however that is."""

    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class Seekable(io.RawIOBase):
    """What is read anywhere: `_size` bytes, the next of them at `_at`."""

    _size = _at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at


@contextmanager
def draft(target: str | Path) -> Iterator[Path]:
    """A path beside the target that becomes it when the block ends well, and is deleted when not."""
    path = Path(f"{target}.part")
    try:
        yield path
        path.replace(target)
    finally:
        path.unlink(missing_ok=True)


def size(paths: Iterable[str | Path]) -> int:
    """Bytes of files together."""
    return sum(Path(path).stat().st_size for path in paths)


@contextmanager
def scratch(target: str | Path, where: str | None = None, room: int = 0) -> Iterator[Path]:
    """An empty folder for what goes into the file `target`: beside it, or below the folder `where` of the machine, in
    which variables such as `$TMPDIR` are filled in. room: bytes that have to be free; GoeError where they are not.

    Its name is the target's, so that what a killed job has left there, people's data mostly, goes when it starts again.
    """
    folder = Path(f"{target}.scratch")
    if where:
        top = Path(os.path.expandvars(where))
        if not top.is_dir():
            what = "is no folder on this machine"
            raise GoeError(Problem(f"config scratch {where}", what, "name one that each node has, or null"))
        folder = top / f"goe-{hashlib.sha256(str(folder.absolute()).encode()).hexdigest()[:16]}.scratch"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if shutil.disk_usage(folder).free < room:
        free = shutil.disk_usage(folder).free
        folder.rmdir()
        what = f"{free / 1e9:.1f} GB are free, the job may need {room / 1e9:.1f}"
        raise GoeError(Problem(str(folder.parent), what, "make room, or set scratch in the config to another folder"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def write_whole(path: str | Path, text: str) -> None:
    """Write a text beside its place and move it there: a reader sees the old file or the new one, never a part."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with draft(path) as part:
        part.write_text(text)
