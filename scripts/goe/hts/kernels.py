"""How every kernel is compiled."""

from collections.abc import Callable, Iterable
from pathlib import Path
from types import FunctionType
from typing import Any, TypeVar

import numba as nb
from numba import types

F = TypeVar("F", bound=Callable[..., Any])
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
    return _compiled(function, _STAMP, _nrt=False, **options)


def within(function: Callable) -> Any:
    """A kernel that becomes part of the one that calls it, for every row of a file: to hand on a dozen columns costs as
    much as to read a few numbers."""
    return kernel(function, forceinline=True)


def jit(function: F) -> F:
    """As numba.njit, kept, and without Python's lock."""
    compiled: F = _compiled(function)
    return compiled


def _compiled(function: Callable, of_files: tuple[tuple[str, int, int], ...] = (), **options: Any) -> Any:
    """The function, and beside it what other kernels call: a second one that Python cannot call, since most kernels are
    called by kernels alone, and an entry for Python is a function more to compile.

    It is compiled once for whatever types it is called with: for others numba compiles a function again for each number
    that is written in a call, and for the 0 that a variable of the caller begins with.
    """
    asked: dict[str, Any] = {"cache": True, "nogil": True, "no_cfunc_wrapper": True, **options}
    compiled = nb.njit(**asked)(function)
    part = nb.njit(**asked | {"no_cpython_wrapper": True})(_named(function))
    if of_files:
        for one in (compiled, part):
            one._cache._cache_file._source_stamp = of_files
    find = part.get_call_template

    def template(args: Iterable[Any], kws: dict[str, Any]) -> Any:
        return find(tuple(map(types.unliteral, args)), {name: types.unliteral(kind) for name, kind in kws.items()})

    compiled.get_call_template = template
    compiled.get_overload = part.get_overload
    return compiled


def _named(function: Any) -> Any:
    """The same function by another name, under which numba keeps it."""
    same = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    same.__qualname__, same.__module__ = f"{function.__qualname__}_part", function.__module__
    return same
