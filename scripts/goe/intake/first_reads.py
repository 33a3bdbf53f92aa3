"""What the first reads of FASTQ files, BAMs and CRAMs tell, before anything is aligned or called."""

import hashlib
import os
import re
import zlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

import pysam

from goe.core.errors import GoeError, Problem
from goe.hts import indexes, plain
from goe.rules.dataset import COVERAGE
from goe.settings.sheets import Input

READS = 1000
"""Reads of a file that are looked at; of an aligned one, ten times as many, for the flag of duplicates."""

# Cock et al. 2010 (doi:10.1093/nar/gkp1137), table 1: Sanger begins at 33, Solexa at 59 and Illumina 1.3 at 64, both of
# which add 64. Reads of a run have qualities below 26, so that none below 59, and some above 75, is the offset of 64.
_LEAST_64, _MOST_33 = 59, 75

# Programs that mark duplicates, as their @PG line names them.
_MARKERS = re.compile(
    r"mark_?dup|dup_?mark|samblaster|streammd|duplicate[-_]marking|bammarkduplicates|LocusCollector|\bdedup|doppelmark",
    re.IGNORECASE,
)


@dataclass
class First:
    """What one row of the sheet tells. digests: path -> SHA-256 of the bases of its first reads of one end."""

    entry: Input
    sheet: str
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)

    def where(self, path: str = "") -> str:
        return f"{self.sheet} row {self.entry.row}, {path or self.entry.path}"

    def bad(self, what: str, mend: str, path: str = "") -> None:
        self.problems.append(Problem(self.where(path), what, mend))

    def of_reads(self, path: str, bases: Sequence[bytes], qualities: Iterable[bytes]) -> None:
        """Keep the digest of the reads; a problem where 64 was added to their qualities, and not 33."""
        if not any(bases):
            return
        self.digests[path] = hashlib.sha256(b"\n".join(bases)).hexdigest()
        seen = b"".join(qualities)
        if seen and min(seen) >= _LEAST_64 and max(seen) > _MOST_33:
            what = (
                f"base qualities from {chr(min(seen))} to {chr(max(seen))} in its first reads: 64 was added to them, "
            )
            self.bad(what + "where 33 is expected", "seqtk seq -V -Q64, and give what it writes", path)


def look(inputs: Iterable[Input], sheet: str, threads: int = 1) -> tuple[list[Problem], list[Problem]]:
    """Problems and notes of all rows, and of reads that are given twice. What cannot be read is passed over: that the
    file is damaged is told elsewhere. sheet: path of the sheet of inputs."""
    with ThreadPoolExecutor(threads) as pool:
        every = list(pool.map(lambda entry: _first(entry, sheet), inputs))
    problems = [problem for one in every for problem in one.problems]
    return problems + _same(every), [note for one in every for note in one.notes]


def _first(entry: Input, sheet: str) -> First:
    first = First(entry, sheet)
    kinds = {"fastq": _fastq, "ubam": _ubam, "bam": _aligned, "cram": _aligned, COVERAGE: _aligned}
    kind = kinds.get(entry.input_type)
    if kind:
        kind(first)
    return first


def _fastq(first: First) -> None:
    for path in filter(None, (first.entry.path, first.entry.path2)):
        try:
            with plain.inflated(path) as handle:
                lines = [line.rstrip(b"\r\n") for line in islice(handle, 4 * READS)]
        except (OSError, EOFError, zlib.error, GoeError):
            continue
        if lines and lines[0][:1] == b"@":
            first.of_reads(path, lines[1::4], lines[3::4])


def _ubam(first: First) -> None:
    entry = first.entry
    if indexes.deadly(entry.path):
        return
    try:
        with (
            plain.piped(plain.word(entry.path)) as source,
            pysam.AlignmentFile(source, "rb", check_sq=False) as handle,
        ):
            groups = handle.header.to_dict().get("RG", [])
            found = list(islice(handle, 2 * READS))
    except (OSError, ValueError, GoeError):
        return
    if any(read.is_unmapped and not read.is_paired for read in found):
        first.bad("single-end reads among its first", "give read pairs; single-end reads are not taken")
    ends = [read for read in found if not read.is_read2][:READS]
    bases = [(read.query_sequence or "").encode() for read in ends]
    first.of_reads(entry.path, bases, [bytes(q + 33 for q in read.query_qualities or ()) for read in ends])
    libraries = sorted({str(group["LB"]) for group in groups if group.get("LB")})
    if entry.library and libraries and libraries != [entry.library]:
        what = f"library {entry.library!r} on the sheet, and {', '.join(libraries)} in its read groups (LB)"
        first.bad(what, "leave the cell empty, which takes that of the file, or mend LB with samtools reheader")


def _aligned(first: First) -> None:
    """A note on a file in which nothing tells of duplicates: every copy of a fragment would be called, or be depth."""
    entry = first.entry
    # Flags alone, for which a CRAM needs no reference; of a BAM all is read.
    options = ["required_fields=0x2"] if entry.input_type != "bam" else None
    if entry.input_type != "cram" and indexes.deadly(entry.path):
        return
    try:
        with (
            plain.piped(plain.word(entry.path)) as source,
            pysam.AlignmentFile(source, "r", check_sq=False, format_options=options) as handle,
        ):
            lines = handle.header.to_dict().get("PG", [])
            if any(_MARKERS.search(f"{line.get(tag, '')}") for line in lines for tag in ("ID", "PN", "CL", "DS")):
                return
            reads = list(islice(handle, 10 * READS))
    except (OSError, ValueError, GoeError):
        return
    if reads and not any(read.is_duplicate for read in reads):
        what = f"no program that marks duplicates in its header, and none marked in its first {len(reads)} records"
        mend = "unless the library was made without PCR, mark them: samtools markdup (docs/callers.md)"
        first.notes.append(Problem(first.where(), what, mend))


def _same(every: Iterable[First]) -> list[Problem]:
    """Reads that stand in two files, of one person or of two."""
    seen: dict[str, tuple[First, str]] = {}
    problems = []
    for first in every:
        for path, digest in first.digests.items():
            if digest not in seen:
                seen[digest] = (first, path)
                continue
            other, given = seen[digest]
            if os.path.realpath(path) == os.path.realpath(given):  # told as a file that is given twice
                continue
            what = f"its first reads are those of {given} (row {other.entry.row})"
            problems.append(Problem(first.where(path), what, "find out whose reads these are, and take one out"))
    return problems
