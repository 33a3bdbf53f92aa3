"""What the checks of a release share: how faults are gathered, and that no broken file ends the check."""

from collections.abc import Callable

import numpy as np

from goe.core.errors import GoeError, Problem, short

_SHOWN = 5
_MEND = "do not use the release: report it to who made it"


def safely(where: str, look: Callable[[], list[Problem]]) -> list[Problem]:
    """What `look` finds; where it stops, why it did: a broken file is a problem like others."""
    try:
        return look()
    except GoeError as error:
        return error.problems
    except Exception as error:  # whatever a parser makes of a damaged file
        words = " ".join(str(error).split())[:200]
        what = f"cannot be read: {type(error).__name__}{f': {words}' if words else ''}"
        return [Problem(where, what, "get the file again")]


class Faults:
    """Problems by kind, each kind with a few alleles and how many more there are."""

    def __init__(self, where: str, mend: str = _MEND):
        self.where, self.mend = where, mend
        self.found: dict[str, tuple[int, list[str]]] = {}

    def add(self, what: str, bad: np.ndarray, name: Callable[[int], str]) -> None:
        """what: the fault. bad: bool, which rows or alleles have it. name: of a row or allele by its index."""
        rows = np.flatnonzero(bad)
        if len(rows):
            n, named = self.found.get(what, (0, []))
            named = named + [short(name(int(row))) for row in rows[: _SHOWN - len(named)]]
            self.found[what] = (n + len(rows), named)

    @property
    def problems(self) -> list[Problem]:
        out = []
        for what, (n, named) in self.found.items():
            out += [Problem(self.where, f"{one} {what}", self.mend) for one in named]
            if n > len(named):
                out.append(Problem(self.where, f"and {n - len(named)} more: {what}", self.mend))
        return out
