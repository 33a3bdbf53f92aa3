"""What a step took in, gave out and dropped, by reason; an account that does not close stops the run."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from goe.core.errors import GoeError, Problem


class Ledger:
    """`in = out + sum(dropped by reason) (- added by reason)` for each unit (records, alleles, genotypes, people).

    Counts are non-negative integers. `added` holds what a step makes of one thing more than once,
    such as the second atom of an MNV.
    """

    def __init__(self, step: str):
        self.step = step
        self.taken: Counter[str] = Counter()
        self.given: Counter[str] = Counter()
        self.dropped: dict[str, Counter[str]] = {}
        self.added: dict[str, Counter[str]] = {}

    def take(self, unit: str, n: int = 1) -> None:
        self.taken[unit] += n

    def give(self, unit: str, n: int = 1) -> None:
        self.given[unit] += n

    def drop(self, unit: str, reason: str, n: int = 1) -> None:
        self.dropped.setdefault(unit, Counter())[reason] += n

    def add(self, unit: str, reason: str, n: int = 1) -> None:
        self.added.setdefault(unit, Counter())[reason] += n

    def join(self, other: "Ledger") -> None:
        """Add the account of another part."""
        self.taken.update(other.taken)
        self.given.update(other.given)
        for totals, added in ((self.dropped, other.dropped), (self.added, other.added)):
            for unit, counts in added.items():
                totals.setdefault(unit, Counter()).update(counts)

    def check(self) -> None:
        """Raise GoeError that names every unit whose account does not close."""
        problems = []
        for unit in sorted({*self.taken, *self.given, *self.dropped, *self.added}):
            had = self.taken[unit] + sum(self.added.get(unit, {}).values())
            went = self.given[unit] + sum(self.dropped.get(unit, {}).values())
            if had != went:
                problems.append(
                    Problem(
                        f"ledger of {self.step}",
                        f"{unit}: {self.taken[unit]} in, {dict(self.added.get(unit, {}))} added, "
                        f"{self.given[unit]} out, {dict(self.dropped.get(unit, {}))} dropped",
                        "a fault in goe: please report it with the versions used",
                    )
                )
        if problems:
            raise GoeError(problems)

    def as_dict(self) -> dict[str, Any]:
        def plain(counters: dict[str, Counter[str]]) -> dict[str, dict[str, int]]:
            return {unit: dict(sorted(c.items())) for unit, c in sorted(counters.items())}

        return {
            "step": self.step,
            "in": dict(sorted(self.taken.items())),
            "added": plain(self.added),
            "out": dict(sorted(self.given.items())),
            "dropped": plain(self.dropped),
        }

    def write(self, path: str | Path) -> None:
        """Check, then write as JSON with sorted keys."""
        self.check()
        Path(path).write_text(json.dumps(self.as_dict(), indent=1) + "\n")


def total(paths: Iterable[str | Path], step: str) -> Ledger:
    """Sum of the ledgers in the JSON files `paths`, checked, under the name `step`."""
    whole = Ledger(step)
    for path in paths:
        document = json.loads(Path(path).read_text())
        part = Ledger(step)
        part.taken.update(document["in"])
        part.given.update(document["out"])
        part.dropped, part.added = document["dropped"], document["added"]
        whole.join(part)
    whole.check()
    return whole
