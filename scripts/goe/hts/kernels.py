"""Compiled functions that are called often with many arrays."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import numba as nb
from numba import types

F = TypeVar("F", bound=Callable[..., Any])
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
    compiled = _of_types(nb.njit(**_OPTIONS, **options)(function))
    compiled._cache._cache_file._source_stamp = _STAMP
    return compiled


def within(function: Callable) -> Any:
    """A kernel that becomes part of the one that calls it, for every row of a file: to hand on a dozen columns costs as
    much as to read a few numbers."""
    return kernel(function, forceinline=True)


def jit(function: F) -> F:
    """As numba.njit, for many functions that call each other."""
    compiled: F = _of_types(nb.njit(cache=True, nogil=True)(function))
    return compiled


def _of_types(compiled: Any) -> Any:
    """The same, compiled once for whatever types it is called with: for others numba compiles a function again for each
    number that is written in a call, and for the 0 that a variable of the caller begins with."""
    find = compiled.get_call_template

    def template(args: Iterable[Any], kws: dict[str, Any]) -> Any:
        return find(tuple(map(types.unliteral, args)), {name: types.unliteral(kind) for name, kind in kws.items()})

    compiled.get_call_template = template
    return compiled
