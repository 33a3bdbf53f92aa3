"""Errors that name the place, what is wrong and the mend, all at once."""

import errno
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong with an input.

    where: file, with row, sample or contig:position where there is one.
    what: what is wrong, with the values seen.
    mend: what the reader should do about it.
    """

    where: str
    what: str
    mend: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f" -> {self.mend}" if self.mend else "")


def short(text: str, most: int = 200) -> str:
    """The beginning of a text that may be of any length, as alleles are."""
    return text if len(text) <= most else f"{text[:most]}..."


class GoeError(Exception):
    """Stops a run. Carries every problem that was found, in the order found."""

    def __init__(self, problems: Problem | Iterable[Problem]):
        self.problems = [problems] if isinstance(problems, Problem) else list(problems)
        super().__init__(str(self))

    def __str__(self) -> str:
        n = len(self.problems)
        lines = [str(p) for p in self.problems]
        return lines[0] if n == 1 else f"{n} problems:\n" + "\n".join(f"  {line}" for line in lines)


def stop_on(problems: list[Problem]) -> None:
    """Raise GoeError when there is any problem."""
    if problems:
        raise GoeError(problems)


_AGAIN = "and run again"
_MACHINE = {
    errno.ENOSPC: ("no room, or no inode, is left on its disk", f"make room (df -h, df -i), {_AGAIN}"),
    errno.EDQUOT: ("the quota of its disk is used up", f"make room, or ask for more, {_AGAIN}"),
    errno.EFBIG: ("is larger than a file may be here", f"raise the limit (ulimit -f), {_AGAIN}"),
    errno.EROFS: ("its disk is read-only", f"mount it to be written, or run in another folder, {_AGAIN}"),
    errno.EACCES: ("you may not read or write it", f"mend its permissions, or those of its folder, {_AGAIN}"),
    errno.EPERM: ("you may not do this there", f"look at its permissions, and those of its folder, {_AGAIN}"),
    errno.EMFILE: ("more files are open than a process may have", f"raise the limit (ulimit -n), {_AGAIN}"),
    errno.ENFILE: ("more files are open than this machine may have", f"close other programs, {_AGAIN}"),
    errno.ENOMEM: ("memory ran out", f"give the job more (mem_mb of its rule in the profile), {_AGAIN}"),
    errno.EIO: ("its disk could not read or write it", f"look after the disk, {_AGAIN}"),
    errno.ESTALE: ("its shared disk has lost it", f"look after the disk, {_AGAIN}"),
}


def of_machine(error: BaseException, where: str) -> Problem | None:
    """What the machine lacked, where the error tells of nothing else; `where` stands for a file that it does not
    name."""
    if isinstance(error, MemoryError):
        return Problem(where, *_MACHINE[errno.ENOMEM])
    if not isinstance(error, OSError) or error.errno not in _MACHINE:
        return None
    named = error.filename if isinstance(error.filename, str | os.PathLike) else where
    return Problem(str(named), *_MACHINE[error.errno])


def machine_mend(text: str) -> str:
    """The mend of what a program tells of the machine, in the words of the system; empty where it tells of nothing."""
    return next((mend for number, (_, mend) in _MACHINE.items() if os.strerror(number) in text), "")


def printable(text: str) -> str:
    """A text in one line: what cannot be printed, which a file may hold in its name or content, as its code."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def write_table(path: str | Path, problems: Iterable[Problem], notes: Iterable[Problem]) -> None:
    """Write lint.tsv: level (problem or note), where, what, mend; one a line."""
    rows = [("level", "where", "what", "mend")]
    rows += [("problem", p.where, p.what, p.mend) for p in problems]
    rows += [("note", n.where, n.what, n.mend) for n in notes]
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text("".join("\t".join(" ".join(cell.split()) for cell in row) + "\n" for row in rows))
