"""Contigs of the build on which an input, or none, has a record: a file for one of them may have been forgotten."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from goe.core.errors import Problem
from goe.genome.build import Build, contig_class
from goe.settings.sheets import SEVERAL_UNITS, Input

# Kinds of which a whole genome is expected to speak of every contig: a VCF has what its person carries alone.
_WHOLE = ("gvcf", "bam", "cram")


@dataclass(frozen=True)
class Used:
    """The contigs on which a file has records, by their names in the reference; None where no index tells."""

    entry: Input
    contigs: Collection[str] | None


def look(files: Iterable[Used], build: Build, sheet: str) -> tuple[list[Problem], list[Problem]]:
    """Problems: people whose own file lacks an autosome or X that other files of its kind have. Notes: the same of
    single-sample VCFs, and contigs on which no input has a record. sheet: path of the sheet of inputs."""
    every = list(files)
    known = [file for file in every if file.contigs is not None]
    problems: list[Problem] = []
    notes = _nowhere(every, build, sheet)
    for kind in (*_WHOLE, "vcf"):
        of_kind = [file for file in known if file.entry.input_type == kind]
        covered = set().union(*(file.contigs or () for file in of_kind))
        expected = [c for c in build.contigs if c in covered and contig_class(c) in ("autosome", "X")]
        for file in of_kind:
            # A file without any record is told by its person's call rate, and gives no number.
            lacking = [c for c in expected if c not in (file.contigs or ())] if file.contigs else []
            if lacking:
                what = f"has no record on {_some(lacking)}, where other inputs of type {kind} have them"
                mend = "give the whole file; a file for each contig has to be made one with bcftools concat"
                where = f"{sheet} row {file.entry.row}, {file.entry.path}"
                (problems if kind in _WHOLE else notes).append(Problem(where, what, mend))
    return problems, notes


def _nowhere(every: Sequence[Used], build: Build, sheet: str) -> list[Problem]:
    """A note on the contigs that no input speaks of; none where reads are not aligned yet, or an index is silent."""
    if not every or any(file.contigs is None or file.entry.input_type in SEVERAL_UNITS for file in every):
        return []
    covered = set().union(*(file.contigs or () for file in every))
    absent = [contig for contig in build.contigs if contig not in covered]
    if not absent or not covered:
        return []
    what = f"no input has a record on {_some(absent)}: nobody is counted there"
    mend = "add the file that was forgotten, or say why there is none: reference.leave_out"
    return [Problem(sheet, what, mend)]


def _some(contigs: Sequence[str], most: int = 8) -> str:
    more = f" and {len(contigs) - most} more" if len(contigs) > most else ""
    return ", ".join(contigs[:most]) + more
