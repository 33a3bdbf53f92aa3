"""What every process of a run needs around it, the jobs' own included (each reads the Snakefile again)."""

import ctypes
import fcntl
import os
import sys
from pathlib import Path

from goe.core.errors import GoeError, Problem, of_machine

_MMAP_THRESHOLD, _LARGE = -3, 1 << 20
"""Parameter of glibc's mallopt(3), and bytes from which an allocation is large."""


def prepare() -> None:
    """Set umask, PATH and the way CRAM finds its reference, for this process and its children."""
    # Everything that is made is personal data until the release says otherwise.
    os.umask(0o077)
    # A CRAM is decoded with the reference of the config and nothing else: no look-up over the network.
    os.environ["REF_PATH"] = os.environ["REF_CACHE"] = "/nonexistent/%s"
    # Tools installed beside this Python (MultiQC) are found also when its environment has not been activated.
    beside = str(Path(sys.executable).parent)
    if beside not in os.environ["PATH"].split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([beside, os.environ["PATH"]])


def streams() -> None:
    """Of a process that goes through large arrays: give each back to the system when it is let go.

    glibc stops doing so by itself, up to 32 MB, and then keeps what was let go between what stays: a fifth of
    the memory of the sum of thirty datasets. Where there is another C library nothing is done.
    """
    set_parameter = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_parameter:
        set_parameter(_MMAP_THRESHOLD, _LARGE)


def in_image(modules: Path) -> None:
    """Let jobs in a container take our modules from the clone, beside its resources: Snakemake gives folders of modules
    other names there, and what PYTHONPATH says of this machine is nothing to them."""
    os.environ["PYTHONPATH"] = str(modules)


def keep_caches(folder: Path) -> None:
    """Let libraries keep their caches (compiled kernels, fonts) in `folder` where the user's own place for them cannot
    be written, as for a service without a home; for this process and its children."""
    own = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    try:
        own.mkdir(parents=True, exist_ok=True)
        usable = os.access(own, os.W_OK | os.X_OK)
    except OSError:
        usable = False
    if not usable:
        os.environ["XDG_CACHE_HOME"] = str(folder.absolute())
        os.environ.setdefault("MPLCONFIGDIR", str(folder.absolute() / "matplotlib"))


# Locks of this process: file -> handle, which holds it.
_locked: dict[Path, int] = {}


def alone(folder: Path) -> None:
    """Make `folder`, for its owner only, and lock it until this process ends; GoeError where another run has done so.

    Snakemake locks the folder that it runs in, and two of these may have one `outdir`.
    """
    place = (folder / ".lock").absolute()
    if place in _locked:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if folder.stat().st_uid == os.geteuid():
            folder.chmod(0o700)
    except OSError as error:
        if lacking := of_machine(error, str(folder)):
            raise GoeError(lacking) from error
        raise
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        what = "another run writes into its folder"
        raise GoeError(Problem(str(place), what, "wait for its end, or give this run an outdir of its own")) from error
    except OSError:
        pass  # a shared disk that knows no locks
    _locked[place] = handle
