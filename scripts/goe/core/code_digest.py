"""Which code made a release, as one SHA-256 that two checkouts can be compared by, without git.

It is that of the list that sha256sum writes of the files that decide a release, sorted by path in bytes:

    find Snakefile workflow scripts resources envs requirements.lock -type f ! -path '*/__pycache__/*' ! -path '*/.*' \
        ! -path '*.egg-info/*' ! -path 'workflow/profiles/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum

A release carries the list itself (`RELEASED`), environments and lock included, so that whoever has another code sees
which files differ. Profiles say where jobs run, and are meant to be changed; no number depends on them.
"""

import hashlib
from functools import cache
from pathlib import Path

from goe.core import manifest
from goe.core.errors import GoeError, Problem
from goe.core.resources import ROOT

PARTS = ("Snakefile", "workflow", "scripts", "resources", "envs", "requirements.lock")
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
    found = []
    for name in PARTS:
        paths = [top / name] if (top / name).is_file() else sorted((top / name).rglob("*"))
        found += [path.relative_to(top) for path in paths if path.is_file()]
    return sorted((path.as_posix() for path in found if not _left_out(path)), key=str.encode)


def _left_out(path: Path) -> bool:
    made = any(part == "__pycache__" or part.startswith(".") or part.endswith(".egg-info") for part in path.parts)
    return made or path.parts[:2] == ("workflow", "profiles")
