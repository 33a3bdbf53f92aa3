"""Which code made a release, as one SHA-256 that two checkouts can be compared by, without git.

It is that of the list that sha256sum writes of the files that decide a release, sorted by path in bytes:

    find Snakefile workflow scripts resources envs requirements.lock -type f ! -path '*/__pycache__/*' ! -path '*/.*' \
        ! -path '*.egg-info/*' ! -path 'workflow/profiles/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum

A release carries the list itself (`RELEASED`), environments and lock included, so that whoever has another code sees
which files differ. Profiles say where jobs run, and are meant to be changed; no number depends on them.
"""

import hashlib
import os
from functools import cache
from pathlib import Path, PurePath

from goe.core import manifest
from goe.core.errors import GoeError, Problem
from goe.core.resources import ROOT

PARTS = ("Snakefile", "workflow", "scripts", "resources", "envs", "requirements.lock")
PROFILES = ("workflow", "profiles")
RELEASED = "provenance/code.sha256"
"""Where a release has the list."""


def files(root: str | Path = ROOT) -> list[str]:
    """Paths of the files of the code, relative to the checkout, sorted. GoeError when a part is missing."""
    return [line.partition("  ")[2] for line in listing(root).splitlines()]


def digest(root: str | Path = ROOT) -> str:
    """SHA-256 of the code of a checkout, hexadecimal."""
    return hashlib.sha256(listing(root).encode()).hexdigest()


def listing(root: str | Path = ROOT) -> str:
    """The list: SHA-256 and path of each file of the code of a checkout, as sha256sum writes it."""
    return _listing(Path(root).resolve())


@cache
def _listing(top: Path) -> str:
    """Read once: all that a process says of the code is of one moment."""
    return "".join(f"{manifest.digest(top / name)}  {name}\n" for name in _found(top))


def _found(top: Path) -> list[str]:
    if missing := [name for name in PARTS if not (top / name).exists()]:
        what = f"is no checkout of goe: it has no {', '.join(missing)}"
        raise GoeError(Problem(str(top), what, "give the folder of a clone"))
    found = [name for name in PARTS if (top / name).is_file()]
    for part in PARTS:
        for place, folders, names in os.walk(top / part):
            inside = PurePath(place).relative_to(top)
            folders[:] = [name for name in folders if _written(name) and (*inside.parts, name) != PROFILES]
            found += [f"{inside}/{name}" for name in names if _written(name) and Path(place, name).is_file()]
    return sorted(found, key=str.encode)


def _written(name: str) -> bool:
    """Whether no program has made the file or folder."""
    return name != "__pycache__" and not name.startswith(".") and not name.endswith(".egg-info")
