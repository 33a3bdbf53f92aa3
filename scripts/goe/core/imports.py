"""What a process does without, though it is installed."""

import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from types import ModuleType

UNUSED = ("pandas", "cffi", "scipy.linalg")
"""What no job uses, and others import because it may be there: pyarrow asks pandas whether a list is one of its series;
numba, when the first kernel runs, has types for cffi, and products of matrices by scipy.linalg."""


class _Absent(MetaPathFinder):
    def __init__(self, names: Collection[str]):
        self._names = names

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        if fullname in self._names:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


@contextmanager
def without(*names: str) -> Iterator[None]:
    """While this lasts the modules are not found; what was imported before is there."""
    absent = _Absent(names)
    sys.meta_path.insert(0, absent)
    try:
        yield
    finally:
        sys.meta_path.remove(absent)


@contextmanager
def everything() -> Iterator[None]:
    """While this lasts all modules are found, for a library that is loaded when it is needed and does need one."""
    absent = [finder for finder in sys.meta_path if isinstance(finder, _Absent)]
    sys.meta_path[:] = [finder for finder in sys.meta_path if finder not in absent]
    try:
        yield
    finally:
        sys.meta_path[:0] = absent
