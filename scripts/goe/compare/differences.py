"""What differs between two releases, by kind: how often, and ten examples of each, which are as public as these."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from goe.core.errors import short

SHOWN = 10
KINDS = {
    "contigs": "Contigs that one release alone has",
    "people": "People",
    "strata": "Strata that one release alone publishes",
    "settings": "Settings and thresholds",
    "versions": "Versions of tools and packages",
    "environments": "Environment files and the lock",
    "code": "Files of the code",
    "alleles": "Site alleles that one release alone has",
    "filters": "FILTER of an allele",
    "withheld": "Strata of an allele that one release alone shows",
    "numbers": "Numbers of a stratum",
    "statistics": "Statistics of an allele",
    "callable_an": "Callable AN of a stratum, in bases",
    "descriptions": "What else the descriptions say",
    "files": "Files",
}
"""Kinds of difference in the order in which they are told."""
NUMBERS = ("contigs", "people", "strata", "alleles", "filters", "withheld", "numbers", "statistics", "callable_an")
"""Those after which a reader of the release finds other numbers."""


@dataclass(frozen=True)
class Example:
    """One difference. what: the number, key or file; a, b: its values, None where there is none."""

    what: str
    a: Any
    b: Any
    allele: str = ""
    stratum: str = ""

    def __str__(self) -> str:
        place = " ".join(filter(None, (self.allele, self.stratum, self.what)))
        return f"{place}: {_word(self.a)} | {_word(self.b)}"


def _word(value: Any) -> str:
    return "-" if value is None else short(str(value))


@dataclass
class Found:
    """Differences of a kind. by: what differs -> how often."""

    count: int = 0
    by: Counter[str] = field(default_factory=Counter)
    examples: list[Example] = field(default_factory=list)


class Differences:
    """Differences by kind, the kinds in the order of KINDS."""

    def __init__(self) -> None:
        self.found = {kind: Found() for kind in KINDS}

    def room(self, kind: str) -> int:
        """How many more examples of a kind are kept."""
        return SHOWN - len(self.found[kind].examples)

    def add(self, kind: str, what: str, n: int, examples: Iterable[Example] = ()) -> None:
        """n: how many there are; examples: the first of them, of which `room` are kept."""
        if n:
            tally = self.found[kind]
            tally.count += n
            tally.by[what] += n
            tally.examples += list(examples)[: self.room(kind)]

    def one(self, kind: str, example: Example) -> None:
        self.add(kind, example.what, 1, [example])

    def join(self, other: "Differences") -> None:
        """Add those of another part of the releases, which comes behind."""
        for kind, added in other.found.items():
            tally = self.found[kind]
            tally.count += added.count
            tally.by.update(added.by)
            tally.examples += added.examples[: self.room(kind)]

    @property
    def kinds(self) -> list[str]:
        """Kinds of which there is any."""
        return [kind for kind, tally in self.found.items() if tally.count]

    def as_dict(self) -> dict[str, dict]:
        """Kind -> count, by, examples, as plain JSON; all kinds."""
        return {
            kind: {
                "meaning": KINDS[kind],
                "count": tally.count,
                "by": dict(sorted(tally.by.items())),
                "examples": [asdict(example) for example in tally.examples],
            }
            for kind, tally in self.found.items()
        }
