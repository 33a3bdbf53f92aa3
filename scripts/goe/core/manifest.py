"""MANIFEST.sha256 of a release folder, in the format of `sha256sum -c`.

It is written last and names every file of the folder but itself. A folder is a whole release when it has a
manifest and `verify` finds nothing: files that a broken or running job left behind do not match an older
manifest.
"""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from goe.core.errors import Problem, stop_on
from goe.core.files import write_whole

NAME = "MANIFEST.sha256"


def files(folder: str | Path) -> list[str]:
    """Relative POSIX paths of everything in the folder that is no folder, sorted, without the manifest."""
    found: list[str] = []
    for place, folders, names in os.walk(folder):
        inside = Path(place).relative_to(folder).as_posix()
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        found += names + links if inside == "." else [f"{inside}/{name}" for name in names + links]
    return sorted(name for name in found if name != NAME)


def digest(path: str | Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with Path(path).open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def listed(path: str | Path) -> dict[str, str]:
    """Relative path -> SHA-256, of a list that sha256sum writes; of a manifest once `verify` finds nothing."""
    return of_list(Path(path).read_text())


def of_list(text: str) -> dict[str, str]:
    """The same, of the text of the list."""
    return {line[66:]: line[:64] for line in text.splitlines()}


def write(folder: str | Path, expected: Iterable[str]) -> None:
    """Write the manifest of the files `expected` (relative paths).

    GoeError that names every file that is missing or that the folder holds beside them.
    """
    root = Path(folder)
    wanted = sorted(set(expected))
    present = files(root)
    problems = [
        Problem(str(root / name), "was not made", "run the release again")
        for name in sorted(set(wanted) - set(present))
    ]
    problems += [
        Problem(str(root / name), "is no file of this release", "move it out of the folder")
        for name in sorted(set(present) - set(wanted))
    ]
    problems += [Problem(str(root / name), "is a link", "release folders hold files only") for name in _links(root)]
    problems += [
        Problem(repr(str(root / name)), "has a line end or backslash in its name", "rename it")
        for name in wanted
        if set(name) & set("\n\r\\")
    ]
    stop_on(problems)
    write_whole(root / NAME, "".join(f"{digest(root / name)}  {name}\n" for name in wanted))


def _links(root: Path) -> list[str]:
    return [name for name in files(root) if (root / name).is_symlink()]


def verify(folder: str | Path) -> list[Problem]:
    """Every difference between the folder and its manifest; empty when it is whole."""
    root = Path(folder)
    where = root / NAME
    if not where.is_file():
        return [Problem(str(where), "no such file", "the release was not finished: run it again")]
    try:
        lines = where.read_bytes().decode("utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        return [Problem(str(where), f"is no text in UTF-8 (byte {error.start})", "get the file again")]
    problems = []
    listed: dict[str, str] = {}
    for row, line in enumerate(lines, 1):
        value, gap, name = line[:64], line[64:66], line[66:]
        if gap != "  " or not name or "\r" in name or set(value) - set("0123456789abcdef"):
            problems.append(Problem(f"{where} line {row}", "is no line of sha256sum", "get the file again"))
        elif name in listed:
            problems.append(Problem(f"{where} line {row}", f"{name} is listed twice", "get the file again"))
        elif Path(name).is_absolute() or ".." in Path(name).parts:
            problems.append(Problem(f"{where} line {row}", f"{name} is outside the folder", "do not use it"))
        else:
            listed[name] = value
    present = set(files(root))
    for name, value in sorted(listed.items()):
        if name not in present:
            problems.append(Problem(str(root / name), "is listed but not there", "get the file again"))
        elif (root / name).is_symlink():
            problems.append(Problem(str(root / name), "is a link", "release folders hold files only"))
        elif digest(root / name) != value:
            problems.append(Problem(str(root / name), "differs from its digest", "get the file again"))
    problems += [
        Problem(str(root / name), "is not listed in the manifest", "it is no part of this release")
        for name in sorted(present - set(listed))
    ]
    return problems
