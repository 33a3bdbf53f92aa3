"""Kernels of a cold cache are compiled by one process of the tests, and loaded by those that need them as well.

A kernel takes seconds, those of a release minutes, and numba keeps no second process from compiling what a first one is
about to keep. The memory that it took it keeps too, half a gigabyte, of which every later fork of the process copies
the tables, and `goe check` forks for four of its looks. So a fork compiles, and the process loads what that one kept.
"""

import fcntl
import gc
import os
from contextlib import suppress
from pathlib import Path


def once() -> None:
    """Let this process and its forks compile a kernel only while no other does, and in a fork of their own."""
    from numba.core.compiler_lock import global_compiler_lock
    from numba.core.dispatcher import Dispatcher
    from numba.core.sigutils import normalize_signature

    unlocked = Dispatcher.compile
    held: set[Path] = set()
    forked = False

    def there(kernel: Dispatcher, sig) -> bool:
        """Whether nothing is left to compile."""
        cache = kernel._cache
        if tuple(normalize_signature(sig)[0]) in kernel.overloads:
            return True
        return cache._index_key(sig, kernel.targetctx.codegen()) in cache._cache_file._load_index()

    def apart(kernel: Dispatcher, sig) -> None:
        nonlocal forked
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            return
        forked = True
        # A sixteenth of the time: little of what numba makes is garbage, and all of it ends with the fork.
        gc.disable()
        try:
            # What is wrong is said by the process itself, which finds nothing to load.
            with suppress(BaseException):
                unlocked(kernel, sig)
        finally:
            os._exit(0)

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
                if not forked and not there(self, sig):
                    apart(self, sig)
                return unlocked(self, sig)
            finally:
                held.remove(lock)

    Dispatcher.compile = compile
