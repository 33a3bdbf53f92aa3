"""Errors that name the place, what is wrong and the mend, all at once."""

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
