"""Memory of a process that forks often, in huge pages: a fork copies a line of a table for each page."""

import ctypes
from pathlib import Path

_SIZE = 1 << 21
_COLLAPSE = 25  # MADV_COLLAPSE, Linux 6.1


def collapse() -> int:
    """Gather what is there now; bytes of the stretches in which the kernel did, 0 where it knows of no such thing."""
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    gathered = 0
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, mode, _, _, inode, *_ = line.split()
        first, end = (int(address, 16) for address in span.split("-"))
        first, end = -(-first // _SIZE) * _SIZE, end // _SIZE * _SIZE
        if mode == "rw-p" and inode == "0" and first < end and not madvise(first, end - first, _COLLAPSE):
            gathered += end - first
    return gathered
