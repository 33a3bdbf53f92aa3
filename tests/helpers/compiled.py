"""Kernels of a cold cache are compiled by one process of the tests, and loaded by those that need them as well.

A kernel takes seconds, those of a release minutes, and numba keeps no second process from compiling what a first one is
about to keep.
"""

import fcntl
from pathlib import Path


def once() -> None:
    """Let this process and its forks compile a kernel only while no other does."""
    from numba.core.compiler_lock import global_compiler_lock
    from numba.core.dispatcher import Dispatcher

    unlocked = Dispatcher.compile
    held: set[Path] = set()

    # The lock of the process first: its threads, too, wait for one another.
    @global_compiler_lock
    def compile(self: Dispatcher, sig):
        lock = Path(self._cache._cache_file._index_path).with_suffix(".lock") if self._cache.cache_path else None
        if lock is None or lock in held:
            return unlocked(self, sig)
        lock.parent.mkdir(parents=True, exist_ok=True)
        with lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            held.add(lock)
            try:
                return unlocked(self, sig)
            finally:
                held.remove(lock)

    Dispatcher.compile = compile
