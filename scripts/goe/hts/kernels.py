"""Compiled functions that are called often with many arrays."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numba as nb

_OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "_nrt": False}
# Where kernels stand that are compiled into those of other files.
FOLDERS = tuple(Path(__file__).parents[1] / name for name in ("calls", "harmonise", "hts"))


def stamp(folders: Iterable[Path]) -> tuple[tuple[str, int, int], ...]:
    """What changes with any module of the folders: name, time and size of each."""
    files = sorted(path for folder in folders for path in folder.glob("*.py"))
    return tuple((path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in files)


_STAMP = stamp(FOLDERS)


def kernel(function: Callable, **options: Any) -> Any:
    """As numba.njit, but without counts of references, which took most of the time of kernels that hand columns on:
    these make no arrays, and keep none.

    numba keeps what it compiled until the file of the function changes. Another file's function may be part of it, so
    these are kept until a file changes in which there are any.
    """
    compiled = nb.njit(**_OPTIONS, **options)(function)
    compiled._cache._cache_file._source_stamp = _STAMP
    return compiled


def within(function: Callable) -> Any:
    """A kernel that becomes part of the one that calls it, for every row of a file: to hand on a dozen columns costs as
    much as to read a few numbers."""
    return kernel(function, forceinline=True)
