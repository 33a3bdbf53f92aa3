"""Kernels of a cold cache are compiled by one process of the tests, and loaded by those that need them as well.

A kernel takes seconds, those of a release minutes, and numba keeps no second process from compiling what a first one is
about to keep. The memory that it took it keeps too, half a gigabyte, of which every later fork of the process copies
the tables, and looks of `goe check` fork. So a fork compiles, and the process loads what that one kept.

To load one takes 5 ms, and a fork's job needs up to twenty: whoever forks for jobs loads what one of them has loaded.
"""

import fcntl
import gc
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any


def once(tell: int | None = None) -> None:
    """Let this process and its forks compile a kernel only while no other does, and in a fork of their own.

    tell: a pipe that is told of each kernel that one of them has loaded, a line for `load`.
    """
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
        lock = _lock(self) if self._cache.cache_path else None
        if lock is None or lock in held:
            return unlocked(self, sig)
        lock.parent.mkdir(parents=True, exist_ok=True)
        with lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            held.add(lock)
            try:
                if not forked and not there(self, sig):
                    apart(self, sig)
                entry = unlocked(self, sig)
            finally:
                held.remove(lock)
        if tell is not None:
            with suppress(OSError):
                os.write(tell, f"{self.py_func.__module__} {self.py_func.__qualname__}\n".encode())
        return entry

    Dispatcher.compile = compile


def load(lines: str) -> None:
    """Load what is kept of the kernels that a pipe was told of, and compile nothing."""
    from numba.core.dispatcher import Dispatcher

    for line in lines.splitlines():
        module, name = line.split(" ", 1)
        kernel = getattr(sys.modules.get(module), name, None)
        if not isinstance(kernel, Dispatcher):  # of a module of the fork's own, or called by other kernels alone
            continue
        with _lock(kernel).open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:  # for other types it is being compiled, and is told of again
                continue
            for sig, *_ in kernel._cache._cache_file._load_index():
                kept = sig not in kernel.overloads and kernel._cache.load_overload(sig, kernel.targetctx)
                if kept:  # as numba's own `compile` takes it
                    kernel.targetctx.insert_user_function(kept.entry_point, kept.fndesc, [kept.library])
                    kernel.add_overload(kept)


def _lock(kernel: Any) -> Path:
    """The file that whoever compiles a kernel has locked."""
    return Path(kernel._cache._cache_file._index_path).with_suffix(".lock")
