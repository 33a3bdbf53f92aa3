"""What stands in a release folder, looked at before any file of it is opened."""

import os
import stat
from pathlib import Path

from goe.core.errors import Problem
from goe.release import bounds

_LARGE = "do not open the folder with other programs: ask who made it"


def faults(root: Path) -> list[Problem]:
    """Links, and everything else that is neither a file nor a folder; files, folders and sizes beyond what a release
    has; files with holes. Nothing is opened but to ask for holes, and the walk ends where there is too much."""
    problems: list[Problem] = []
    waiting = [(root, "", 0)]
    entries = 0
    while waiting:
        folder, place, depth = waiting.pop()
        try:
            with os.scandir(folder) as scan:
                for entry in scan:
                    entries += 1
                    if entries > bounds.ENTRIES:
                        what = f"has more than {bounds.ENTRIES:,} files and folders"
                        return [*sorted(problems)[: bounds.PROBLEMS], Problem(str(root), what, _LARGE)]
                    name = f"{place}{entry.name}"
                    if entry.is_dir(follow_symlinks=False):
                        if depth == bounds.DEPTH:
                            what = f"is the {depth + 1}th folder within folders: a release has two"
                            problems.append(Problem(entry.path, what, "take it out"))
                        else:
                            waiting.append((Path(entry.path), f"{name}/", depth + 1))
                    else:
                        problems += file(entry.path, bounds.size(name))
        except OSError as error:
            problems.append(Problem(str(folder), f"cannot be read: {error.strerror}", "give the right to read it"))
    return sorted(problems)


def file(path: str, most: int | None) -> list[Problem]:
    """What is wrong with something that should be a file. most: its bytes at most, None where they are bounded as it is
    read."""
    about = os.lstat(path)
    if stat.S_ISLNK(about.st_mode):
        return [Problem(path, "is a link", "put the file there")]
    if not stat.S_ISREG(about.st_mode):
        return [Problem(path, "is no file", "take it out")]
    if not os.access(path, os.R_OK):
        return [Problem(path, "cannot be read", "give the right to read it")]
    if most is not None and about.st_size > most:
        return [Problem(path, f"has {about.st_size:,} bytes: such a file has at most {most:,}", _LARGE)]
    holes = _holes(path, about.st_size)
    if holes > bounds.HOLES:
        return [Problem(path, f"has {about.st_size:,} bytes, of which {holes:,} or more were never written", _LARGE)]
    return []


def _holes(path: str, size: int) -> int:
    """Bytes in holes of a file, counted until they are too many; 0 where the file system tells of none."""
    if size <= bounds.HOLES:
        return 0
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    try:
        at = holes = 0
        while at < size and holes <= bounds.HOLES:
            start = os.lseek(handle, at, os.SEEK_HOLE)
            if start >= size:
                break
            try:
                at = os.lseek(handle, start, os.SEEK_DATA)
            except OSError:
                # There is no data behind the last hole.
                at = size
            holes += at - start
        return holes
    except OSError:
        return 0
    finally:
        os.close(handle)
