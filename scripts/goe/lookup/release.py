"""What a release says of one allele: its numbers and its FILTER, or what it means that it is not listed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from goe.check import folder as check_folder
from goe.check import pages, tree
from goe.collect.callable_an import Runs
from goe.core.errors import GoeError, Problem, stop_on
from goe.disclosure import silence
from goe.frequencies import strata as st
from goe.genome import hgvs, vrs
from goe.genome.build import Build
from goe.genome.dbsnp import RSID
from goe.genome.fasta import Reference
from goe.lookup.names import Allele, Names
from goe.release import bounds, layout
from goe.release.formats import allele_names, wide_table
from goe.release.reading import batches, reading
from goe.rules.site_filters import DESCRIPTIONS

PASS, FILTERED, NOBODY, FEW = "pass", "filtered", "nobody", "nobody_or_few"
NOT_CALLABLE, NOT_SAID = "not_callable", "not_said"
"""Outcomes: listed, listed with reasons in FILTER; and of an allele that is not listed: called there and nobody has it;
called there, and nobody has it or it is withheld; nobody called; nothing can be said."""

_SITE = tuple(wide_table.STATISTICS)
_AGAIN = "get the release again"
_PIECE = 1 << 12
"""Rows that are read at a time."""


@dataclass
class Answer:
    """outcome: one of those above; words: what it means. people: published stratum -> people. numbers: stratum -> ac,
    an, af, ac_hom, ac_het, ac_hemi, nhomalt, None where the stratum is withheld at the allele; empty when it is not
    listed. filters: reason in FILTER -> what it is. site: statistics of the site, without those that have no value.
    callable_an: stratum -> AN of an allele that nobody carries, empty where the release cannot say it.
    """

    allele: Allele
    outcome: str
    words: str
    hgvs: str | None = None
    spdi: str | None = None
    vrs: str | None = None
    people: dict[str, int] = field(default_factory=dict)
    numbers: dict[str, dict[str, float | None] | None] = field(default_factory=dict)
    filters: dict[str, str] = field(default_factory=dict)
    site: dict[str, float] = field(default_factory=dict)
    callable_an: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> list[str]:
        """The answer for a terminal."""
        names = "  ".join(name for name in (str(self.allele), self.hgvs, self.spdi, self.vrs) if name)
        out = [names, f"  {self.words}"]
        out += [f"  {name}: {what}" for name, what in self.filters.items()]
        if self.numbers:
            rows: list[tuple[str, ...]] = [("", "people", "AC", "AN", "AF", "homozygous people", "hemizygous")]
            for stratum, people in self.people.items():
                cell = self.numbers[stratum]
                if cell is None:
                    rows.append((stratum, f"{people:,}", "withheld", "", "", "", ""))
                else:
                    keys = ("ac", "an", "af", "nhomalt", "ac_hemi")
                    rows.append((stratum, f"{people:,}", *(_text(cell[key]) for key in keys)))
            out += _columns(rows)
        if self.site:
            out.append("  " + "  ".join(f"{name} {_text(value)}" for name, value in self.site.items()))
        if self.callable_an and not self.numbers:
            out += _columns(
                [("", "people", "callable AN")]
                + [(s, f"{people:,}", f"{self.callable_an[s]:,}") for s, people in self.people.items()]
            )
        return out


def _text(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  "
        + "  ".join(
            cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def opened(root: Path) -> check_folder.Facts:
    """What a release folder says of itself; GoeError with everything that is wrong with it. Nothing is opened before
    the folder was gone over, since somebody else may have made it."""
    stop_on(tree.faults(root))
    facts, problems = check_folder.descriptions(root)
    stop_on(problems)
    assert facts is not None
    return facts


def table(root: Path, facts: check_folder.Facts, contig: str, groups: Sequence[int] | None = None) -> Path:
    """The wide table of a contig; GoeError when it is not there, or not that of the contig and strata of the release.
    groups: row groups whose pages are looked at, None for all; those of others have to be before they are read."""
    path = root / layout.WIDE.format(contig=contig)
    bounded(path, facts.said["dataset"]["number_of_records"], groups)
    about = wide_table.facts(path)
    if (about["contig"], [entry["stratum"] for entry in about["strata"]]) != (contig, list(facts.people)):
        raise GoeError(Problem(str(path), "is of another contig or of other strata than the release", _AGAIN))
    return path


def bounded(path: Path, rows: int, groups: Sequence[int] | None = ()) -> None:
    """GoeError when a table is not there, or larger than it can be. groups: as for `pages.check`."""
    stop_on([] if path.is_file() else [Problem(str(path), "is missing", _AGAIN)])
    pages.check(path, str(path), bounds.COLUMNS, rows, groups)


class Release:
    """A release folder that is asked for alleles. Its descriptions are checked; `goe check` checks all of it.

    fasta: the reference of its build, by which names without their bases can be read, and alleles left-aligned.
    GoeError when it is no release, or the reference has other sequences.
    """

    def __init__(self, folder: str | Path, fasta: str | Path | None = None):
        self.root = Path(folder)
        self.facts = facts = opened(self.root)
        self.silence = silence.of(facts.said["disclosure"])
        self.build = Build(facts.build, facts.lengths, facts.par)
        self.reference = None if fasta is None else _reference(fasta, facts.lengths)
        self.names = Names(facts.build, facts.lengths, self.reference)
        self._tables: dict[str, Path] = {}

    def ask(self, text: str) -> list[Answer]:
        """Answers to what somebody wrote, one for each of its site alleles; GoeError when it cannot be read."""
        return [self.answer(allele) for allele in self._named(text.strip()) or self.names.read(text)]

    def _named(self, text: str) -> list[Allele]:
        """The alleles that have this VRS identifier, contextual SPDI or rs number in the tables of names."""
        first: int | str
        last: int | str
        if vrs.FORM.fullmatch(text) or RSID.fullmatch(text):
            column = "rsid" if text.startswith("rs") else "vrs_id"
            contigs, key, first, last = list(self.facts.lengths), column, text, text
        elif spdi := re.fullmatch(r"([A-Z]{2}_[0-9]+\.[0-9]+):([0-9]{1,9}):[ACGT]*:[ACGT]*", text):
            # Before the first base that differs stands at most one that REF and ALT share.
            column, key, first, last = "spdi", "pos", int(spdi[2]), int(spdi[2]) + 1
            contigs = [c for c, n in self.facts.lengths.items() if hgvs.accession(self.facts.build, c, n) == spdi[1]]
        else:
            return []
        return [
            Allele(contig, row["pos"], row["ref"], row["alt"])
            for contig in contigs
            for some in self._alleles_named(contig, key, first, last)
            for row in some.filter(pc.equal(some[column], text)).to_pylist()
        ]

    def _alleles_named(self, contig: str, key: str, first: int | str, last: int | str) -> Iterator[pa.Table]:
        """Rows of the table of names of a contig whose `key` is from first to last; none where it has no table."""
        path = self.root / layout.NAMES.format(contig=contig)
        if path.is_file():
            bounded(path, self.facts.said["dataset"]["number_of_records"])
            yield from _rows(path, None, first, last, key, allele_names.TEXT)

    def answer(self, allele: Allele) -> Answer:
        row = self._row(allele)
        callable_an = self._callable_an(allele)
        found = self._silent(allele, callable_an) if row is None else self._listed(allele, row)
        found.hgvs, found.spdi = self._names(allele)
        found.vrs = None if row is None else self._vrs(allele)
        found.people, found.callable_an = self.facts.people, callable_an
        return found

    def _vrs(self, allele: Allele) -> str | None:
        for some in self._alleles_named(allele.contig, "pos", allele.pos, allele.pos):
            for row in some.to_pylist():
                if (row["ref"], row["alt"]) == (allele.ref, allele.alt):
                    return str(row["vrs_id"])
        return None

    def _row(self, allele: Allele) -> Mapping[str, Any] | None:
        path, rows = self._table(allele.contig), []
        for some in _rows(path, None, allele.pos, allele.pos):
            here = pc.and_(pc.equal(some["ref"], allele.ref), pc.equal(some["alt"], allele.alt))
            rows += some.filter(here).to_pylist()
        if len(rows) > 1:
            raise GoeError(Problem(str(path), f"{allele} is there {len(rows)} times", _AGAIN))
        return rows[0] if rows else None

    def _table(self, contig: str) -> Path:
        """The wide table, looked at once."""
        if contig not in self._tables:
            self._tables[contig] = table(self.root, self.facts, contig, ())
        return self._tables[contig]

    def _listed(self, allele: Allele, row: Mapping[str, Any]) -> Answer:
        numbers: dict[str, dict[str, float | None] | None] = {}
        for stratum in self.facts.people:
            cell = {name: row[wide_table.column(name, stratum)] for name in wide_table.NUMBERS}
            numbers[stratum] = None if cell["an"] is None else cell
        site = {name: row[name] for name in _SITE if row[name] is not None}
        reasons = [] if row["filter"] == "PASS" else row["filter"].split(";")
        filters = {name: DESCRIPTIONS.get(name, "filter of the input files") for name in reasons}
        words = "listed, PASS" if not reasons else f"listed, filtered ({', '.join(reasons)}): do not use its numbers"
        return Answer(allele, FILTERED if reasons else PASS, words, numbers=numbers, filters=filters, site=site)

    def _callable_an(self, allele: Allele) -> dict[str, int]:
        if not any(self.facts.said["dataset"]["callable_an"]["people"].values()):
            return {}
        path = self.root / f"callable_an/{allele.contig}.parquet"
        bounded(path, self.facts.lengths[allele.contig], None)
        runs = Runs(path, allele.contig, tuple(self.facts.people))
        found = runs.at(np.array([allele.pos]))[:, 0].tolist()
        return dict(zip(self.facts.people, found, strict=True))

    def _silent(self, allele: Allele, callable_an: Mapping[str, int]) -> Answer:
        if not callable_an:
            return Answer(allele, NOT_SAID, silence.UNHEARD)
        quiet, an = self.silence, callable_an[st.TOTAL]
        if an == 0:
            return Answer(allele, NOT_CALLABLE, quiet.not_callable)
        if quiet.means == silence.ZERO:
            return Answer(allele, NOBODY, quiet.callable(f"{an:,}"))
        odd = any(start <= allele.pos <= end for start, end in quiet.odd_places(self.build, allele.contig))
        why = quiet.unbounded(odd, not quiet.beside and self._overlapped(allele))
        outcome = NOT_SAID if quiet.means == silence.UNKNOWN or why else FEW
        return Answer(allele, outcome, quiet.callable(f"{an:,} at least", why))

    def _overlapped(self, allele: Allele) -> bool:
        last = allele.pos + len(allele.ref) - 1
        return any(
            bool((some["pos"].to_numpy() + pc.binary_length(some["ref"]).to_numpy() > allele.pos).any())
            for some in _rows(self._table(allele.contig), ["pos", "ref"], 1, last)
        )

    def _names(self, allele: Allele) -> tuple[str | None, str | None]:
        """HGVS (of an insertion or deletion with a reference alone) and SPDI; None where there is none."""
        prefix = hgvs.prefix(self.facts.build, allele.contig, self.facts.lengths[allele.contig])
        if prefix is None:
            return None, None
        change = None
        if self.reference is not None:
            change = hgvs.change(self.reference, allele.contig, allele.pos, allele.ref, allele.alt)
        elif len(allele.ref) == len(allele.alt) == 1:
            change = f"{allele.pos}{allele.ref}>{allele.alt}"
        front, ref, alt = hgvs.trimmed(allele.ref, allele.alt)
        accession = prefix.partition(":")[0]
        return change and f"{prefix}{change}", f"{accession}:{allele.pos - 1 + front}:{ref}:{alt}"


def _rows(
    path: Path,
    columns: Sequence[str] | None,
    first: int | str,
    last: int | str,
    key: str = "pos",
    words: Sequence[str] = wide_table.TEXT,
) -> Iterator[pa.Table]:
    """Rows of a table whose `key` is from first to last, a piece at a time. words: its columns of text."""
    with reading(path), pq.ParquetFile(path, pre_buffer=False) as file:
        about = file.metadata
        at = file.schema_arrow.get_field_index(key)
        said = [about.row_group(group).column(at).statistics for group in range(about.num_row_groups)]
        # Where a group does not say what it has, it is read.
        groups = [
            group
            for group, has in enumerate(said)
            if has is None or not has.has_min_max or (has.min <= last and first <= has.max)
        ]
    bounded(path, about.num_rows, groups)
    text = [name for name in words if columns is None or name in columns]
    for some in batches(path, str(path), text, _PIECE, columns, groups):
        yield some.filter(pc.and_(pc.greater_equal(some[key], first), pc.less_equal(some[key], last)))


def _reference(fasta: str | Path, lengths: Mapping[str, int]) -> Reference:
    try:
        reference = Reference(fasta)
    except (OSError, ValueError) as error:
        raise GoeError(
            Problem(str(fasta), f"cannot be read: {error}", "give an indexed FASTA (samtools faidx)")
        ) from None
    stop_on(
        [
            Problem(
                str(fasta),
                f"{name} has {reference.lengths.get(name, 0):,} bases, {length:,} in the release",
                "give the FASTA of the release's build",
            )
            for name, length in lengths.items()
            if reference.lengths.get(name) != length
        ]
    )
    return reference
