"""`goe diff`: two release folders compared, nothing else needed."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from goe import __version__
from goe.compare import callable_an, descriptions, files, tables
from goe.compare.differences import KINDS, NUMBERS, Differences, Example
from goe.compare.files import Verdict
from goe.compare.release import Release, comparable, read
from goe.compare.tables import Compared
from goe.core.errors import GoeError, printable, short, stop_on
from goe.release import layout

SAME, OTHERWISE, DIFFERENT = "same", "same numbers", "different"
"""Outcomes: nothing differs; what differs is not the numbers; the numbers do."""


@dataclass(frozen=True)
class Comparison:
    """What came of two releases. alleles: of the frequency tables, with all differences. files: a verdict each."""

    a: Release
    b: Release
    alleles: Compared
    files: list[Verdict]

    @property
    def differences(self) -> Differences:
        return self.alleles.differences

    @property
    def outcome(self) -> str:
        kinds = self.differences.kinds
        exact = [one for one in self.files if one.kind == files.EXACT]
        if set(kinds) & set(NUMBERS) or any(one.verdict not in (files.SAME, files.CONTENT) for one in exact):
            return DIFFERENT
        return OTHERWISE if kinds else SAME

    def counted(self) -> dict[str, int]:
        """Verdict -> files."""
        names = (files.SAME, files.CONTENT, files.DIFFERENT, files.ONLY_A, files.ONLY_B, files.NOT_COMPARED)
        return {name: sum(one.verdict == name for one in self.files) for name in names}

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain JSON."""
        seen = self.alleles
        return {
            "goe": __version__,
            "comparable": True,
            "outcome": self.outcome,
            "a": self.a.about,
            "b": self.b.about,
            "alleles": {
                "in_both": seen.both,
                "in_both_and_different": seen.differ,
                "only_in_a": seen.only_a,
                "only_in_b": seen.only_b,
            },
            "strata": {stratum: asdict(largest) for stratum, largest in seen.largest.items()},
            "differences": self.differences.as_dict(),
            "files": [asdict(one) for one in self.files],
        }

    def lines(self) -> list[str]:
        """The same for people, with a few examples of each kind."""
        seen, out = self.alleles, []
        for letter, release in (("A", self.a), ("B", self.b)):
            dataset = release.said["dataset"]
            out.append(
                f"{letter}  {release.root}: {dataset['id']}, {dataset['made_with']}, code {dataset['code_sha256'][:12]}"
            )
        out.append("   " + ", ".join(f"{name}: {n}" for name, n in self.counted().items() if n) + " (files)")
        out.append(f"   {seen.both:,} alleles in both, {seen.only_a:,} only in A, {seen.only_b:,} only in B")
        for kind in self.differences.kinds:
            found = self.differences.found[kind]
            out.append(f"{KINDS[kind]}: {found.count:,}")
            shown = self._files() if kind == "files" else [f"    {example}" for example in found.examples]
            out += [*shown, *(["    ..."] if found.count > len(found.examples) else [])]
        return [printable(short(line, 2_000)) for line in [*out, _WORDS[self.outcome]]]

    def _files(self) -> list[str]:
        """The files that are told as examples, each with its first difference."""
        by_path = {one.path: one for one in self.files}
        shown = [by_path[example.what] for example in self.differences.found["files"].examples]
        return [f"    {one.path}: {', '.join(filter(None, (one.verdict, one.first)))}" for one in shown]


_WORDS = {
    SAME: "same: no difference",
    OTHERWISE: "different, but for the numbers: every allele, stratum and number is the same",
    DIFFERENT: "different",
}


def compare(a: str | Path, b: str | Path, threads: int = 2) -> Comparison:
    """Compare two release folders. GoeError when one is no whole release, or they cannot be compared."""
    with ThreadPoolExecutor(max(1, threads)) as pool:
        one, two = pool.map(read, (a, b))
        stop_on(comparable(one, two))
        seen = Compared(differences=descriptions.compare(one, two))
        names = files.names(one.side, two.side)
        verdicts = list(pool.map(partial(files.verdict, one.side, two.side), names))
        for part in pool.map(lambda look: look(), _tables(one, two, verdicts)):
            seen.join(part)
    for verdict in verdicts:
        if verdict.kind != files.CODE and verdict.verdict in (files.DIFFERENT, files.ONLY_A, files.ONLY_B):
            a_sha256, b_sha256 = (release.side.files.get(verdict.path, ("", None))[1] for release in (one, two))
            seen.differences.one("files", Example(verdict.path, a_sha256, b_sha256))
    return Comparison(one, two, seen, verdicts)


def not_comparable(error: GoeError) -> dict[str, Any]:
    """Why two folders could not be compared, as plain JSON."""
    problems = [{"where": p.where, "what": p.what, "mend": p.mend} for p in error.problems]
    return {"goe": __version__, "comparable": False, "problems": problems}


def _tables(a: Release, b: Release, verdicts: Sequence[Verdict]) -> list[Callable[[], Compared]]:
    """What remains to be counted: tables of alleles in the order of the contigs of A, then those of callable AN."""
    found = {verdict.path: verdict.verdict for verdict in verdicts}
    looks: list[Callable[[], Compared]] = []
    for contig in dict.fromkeys((*a.contigs, *b.contigs)):
        name = layout.WIDE.format(contig=contig)
        verdict = found.get(name)
        if verdict in (files.SAME, files.CONTENT):
            looks.append(partial(tables.same, a.side.path(name)))
        elif verdict == files.DIFFERENT:
            looks.append(partial(tables.compare, a.side.path(name), b.side.path(name)))
        elif verdict:
            side = a.side if verdict == files.ONLY_A else b.side
            looks.append(partial(tables.alone, side.path(name), verdict == files.ONLY_A))
    for name, verdict in found.items():
        if verdict == files.DIFFERENT and name.startswith(callable_an.FOLDERS) and name.endswith(".parquet"):
            looks.append(partial(_callable_an, a, b, name))
    return looks


def _callable_an(a: Release, b: Release, name: str) -> Compared:
    return Compared(
        differences=callable_an.compare(a.side.path(name), b.side.path(name), (list(a.contigs), list(b.contigs)))
    )
