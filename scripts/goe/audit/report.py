"""The auditor's report, for signing: the same, or what differs, and what can explain it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goe import __version__
from goe.audit import bounds
from goe.audit.bounds import Bounds
from goe.audit.provenance import ASKED, Cause, Provenance
from goe.compare import files, run
from goe.compare.differences import KINDS
from goe.compare.release import read
from goe.compare.run import DIFFERENT, OTHERWISE, SAME, Comparison
from goe.core.errors import GoeError, printable

WITHIN, NOT_COMPARABLE = "same within bounds", "not comparable"
VERDICTS = {
    SAME: "The second run gave the same release.",
    OTHERWISE: "The second run gave the same numbers: every allele, stratum and count. What differs is below.",
    WITHIN: "Tools that align or call had other versions, and the numbers are apart by no more than the stated bounds.",
    DIFFERENT: "The second run gave other numbers.",
    NOT_COMPARABLE: "The second run is of another reference, or one of the two is no whole release.",
}
GOOD = (SAME, OTHERWISE, WITHIN)
"""Verdicts after which the release stands."""

_ALL = frozenset(KINDS)
_PEOPLE = _ALL - {"settings", "versions", "environments", "code", "contigs"}
_WORDS = frozenset({"settings", "descriptions", "files"})
# Kinds of difference that a cause can show in; of settings by their section.
_SHOWS = {
    "reference": _ALL,
    "people": _PEOPLE,
    "inputs": _PEOPLE,
    "code": _ALL,
    "environments": _ALL,
    "versions": _ALL,
    "settings": {
        "variant_qc": _WORDS | {"filters", "statistics", "alleles", "withheld"},
        "disclosure": _WORDS | {"alleles", "withheld", "strata", "people", "statistics", "callable_an", "numbers"},
        "dataset": _WORDS,
        "formats": _WORDS,
        "annotations": _WORDS,
        "reference": _WORDS | _PEOPLE | {"contigs"},
    },
}

NOTHING = "Nothing that the release tells of how it was made explains this"
_SHOWN = 10
# Told as causes already.
_SELF = ("settings", "versions", "environments", "code")
_CLASSES = {
    files.EXACT: "exact: tables",
    files.CANONICAL: "canonical: VCF, JSON, texts",
    files.CODE: "code",
    files.NEITHER: "encrypted, and indexes of files",
}


def shows_in(cause: Cause) -> frozenset[str]:
    """The kinds of difference between two releases that a cause can show in."""
    shows: Any = _SHOWS[cause.kind]
    if cause.kind == "settings":
        return shows.get(cause.what.split(".")[0], _WORDS | _PEOPLE)
    return shows


@dataclass(frozen=True)
class Report:
    """release: what the report says of it (`Release.about`). provenance: of the second run, against the release. found:
    the comparison of the two; None where there can be none, for `problems`. bounds: with the comparison."""

    release: Mapping[str, Any]
    provenance: Provenance
    found: Comparison | None
    bounds: Bounds | None = None
    problems: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        if self.found is None:
            return NOT_COMPARABLE
        within = self.found.outcome == DIFFERENT and self.bounds and self.bounds.hold
        return WITHIN if within else self.found.outcome

    @property
    def explained(self) -> dict[str, list[str]]:
        """Kind of difference -> causes that can explain it, of what is told of how the two were made."""
        kinds = self.found.differences.kinds if self.found else []
        return {kind: [str(cause) for cause in self.provenance.causes if kind in shows_in(cause)] for kind in kinds}

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain JSON."""
        explained = self.explained
        return {
            "goe": __version__,
            "verdict": self.verdict,
            "release": dict(self.release),
            "provenance": self.provenance.as_dict(),
            "explained": explained,
            "unexplained": [kind for kind, causes in explained.items() if not causes],
            "bounds": self.bounds.as_dict() if self.bounds else None,
            "comparison": self.found.as_dict() if self.found else None,
            "problems": list(self.problems),
            "in_words": self.told(),
        }

    def markdown(self) -> str:
        """The same for people, with a line to sign on."""
        second = self.found.b.about if self.found else {}
        about = (("manifest_sha256", "SHA-256 of MANIFEST.sha256"), ("code_sha256", "code"), ("made_with", "made with"))
        lines = [
            f"# Audit of {self.release['id']}",
            "",
            f"**{self.verdict[0].upper()}{self.verdict[1:]}.** {VERDICTS[self.verdict]}",
            "",
            "| | release | second run |",
            "|---|---|---|",
            *(f"| {words} | {self.release[key]} | {second.get(key, '-')} |" for key, words in about),
            "",
            "## How it was made",
            "",
            "| asked | answer |",
            "|---|---|",
            *(f"| {words} | {self._answer(kind)} |" for kind, words in ASKED.items()),
            "",
            *self._causes(),
            "## What it gave",
            "",
            *(self._compared(self.found) if self.found else [f"- {_plain(words)}" for words in self.problems]),
            *(self._bounds(self.bounds) if self.bounds and self.bounds.tools else []),
            "",
            "## Signed",
            "",
            "Auditor: ______________________  Date: ______________  Signature: ______________________",
        ]
        return "\n".join(lines) + "\n"

    def _answer(self, kind: str) -> str:
        if kind in self.provenance.not_asked:
            return f"not asked: {_plain(self.provenance.not_asked[kind])}"
        n = len(self.provenance.of(kind))
        extent = f" ({self.provenance.extent[kind]})" if kind in self.provenance.extent else ""
        return f"{f'**{n} differ**' if n else 'the same'}{extent}"

    def _causes(self) -> list[str]:
        lines = []
        for kind in ASKED:
            causes = self.provenance.of(kind)
            lines += [f"- {_plain(str(cause))}" for cause in causes[:_SHOWN]]
            lines += [f"- {kind}: and {len(causes) - _SHOWN} more"] if len(causes) > _SHOWN else []
        return [*lines, ""] if lines else []

    def _compared(self, found: Comparison) -> list[str]:
        verdicts = list(found.counted())
        lines = [f"| files by class | {' | '.join(verdicts)} |", f"|---|{'---:|' * len(verdicts)}"]
        for kind, words in _CLASSES.items():
            verdicts_of_kind = [one.verdict for one in found.files if one.kind == kind]
            lines.append(f"| {words} | {' | '.join(str(verdicts_of_kind.count(verdict)) for verdict in verdicts)} |")
        seen = found.alleles
        lines += [
            "",
            f"Site alleles: {seen.both:,} in both, {seen.differ:,} of these with a difference, {seen.only_a:,} in the "
            f"release alone (A), {seen.only_b:,} in the second run alone (B).",
        ]
        for kind, causes in self.explained.items():
            if kind in _SELF:
                continue
            difference = found.differences.found[kind]
            more = "; and more" if len(causes) > _SHOWN else ""
            why = f"Can be explained by {'; '.join(causes[:_SHOWN])}{more}" if causes else NOTHING
            lines += ["", f"### {KINDS[kind]}: {difference.count:,}", "", f"{_plain(why)}.", ""]
            lines += [f"- {_plain(str(example))}" for example in difference.examples]
        return lines

    def _bounds(self, stated: Bounds) -> list[str]:
        lines = ["", "## Bounds", "", f"Other versions of {', '.join(stated.tools)}."]
        if stated.why_not:
            return [*lines, f"No bounds were applied: {stated.why_not}."]
        kept = [f"- {words}" for words in stated.stated if words not in stated.beyond]
        return [*lines, "", *kept, *(f"- **beyond**: {words}" for words in stated.beyond)]

    def told(self) -> list[str]:
        """A few lines for the terminal."""
        lines = [f"{self.verdict}: {VERDICTS[self.verdict]}", *self.problems]
        lines += [f"  made otherwise: {cause}" for cause in self.provenance.causes[:_SHOWN]]
        for kind, causes in self.explained.items():
            if kind in _SELF:
                continue
            count = self.found.differences.found[kind].count if self.found else 0
            lines.append(f"  {KINDS[kind]}: {count:,}{'' if causes else ', which nothing explains'}")
        return [printable(line) for line in lines]


def make(
    release: str | Path,
    second: str | Path,
    provenance: Provenance,
    keep: Iterable[Mapping[str, str]],
    people: Mapping[str, Mapping[str, str]],
    threads: int,
) -> Report:
    """The report on two folders. keep, people: of the second run, rows of keep.tsv and people.tsv by id. GoeError when
    the release is none."""
    about = read(release).about
    try:
        found = run.compare(release, second, threads)
    except GoeError as error:
        # Without the places of the folders: the report leaves.
        return Report(about, provenance, None, problems=tuple(one.what for one in error.problems))
    return Report(about, provenance, found, bounds.look(found, provenance, bounds.from_reads(keep, people)))


def _plain(text: str) -> str:
    """Words in a line of Markdown, in which nothing is markup."""
    return re.sub(r"([\\|*_`<>\[\]])", r"\\\1", printable(text))
