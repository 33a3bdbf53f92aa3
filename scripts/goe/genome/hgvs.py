"""Names of sequences and alleles that other systems know: RefSeq accessions, refget ids, HGVS.

HGVS nomenclature (hgvs-nomenclature.org, DNA recommendations): a deletion, duplication or insertion is put as far
to the 3' end as it can be, so every way to write an allele in a VCF gives one name; an insertion of a copy of what
stands before it is a duplication; `g.` on chromosomes, `m.` on the mitochondrion. Runs of more copies are named as
duplication or deletion of the part that changed, not by their number of copies.
"""

import base64
import hashlib
from pathlib import Path

import pysam

from goe.core.errors import GoeError, Problem
from goe.core.resources import RESOURCES
from goe.genome.build import canonical

_WINDOW = 1 << 20


def accession(build: str, contig: str, length: int) -> str | None:
    """RefSeq accession (resources/regions/refseq.tsv) of a contig of this length; None when there is none."""
    for line in (RESOURCES / "regions" / "refseq.tsv").read_text().splitlines():
        row = line.split("\t")
        if row[:3] == [build, canonical(contig), str(length)]:
            return row[3]
    return None


def refget(fasta: str | Path, contig: str, piece: int = _WINDOW) -> str:
    """Refget id `SQ.` and sha512t24u of the bases in upper case (GA4GH VRS 1.3, computed identifiers)."""
    digest = hashlib.sha512(usedforsecurity=False)
    with pysam.FastaFile(str(fasta)) as file:
        length = file.get_reference_length(contig)
        for start in range(0, length, piece):
            digest.update(file.fetch(contig, start, min(length, start + piece)).upper().encode())
    return "SQ." + base64.urlsafe_b64encode(digest.digest()[:24]).decode()


class Reference:
    """Bases of one contig in upper case, read in windows, for positions that mostly go up."""

    def __init__(self, fasta: str | Path, contig: str, window: int = _WINDOW):
        self.file = pysam.FastaFile(str(fasta))
        self.fasta, self.contig, self.window = str(fasta), contig, window
        self.length = self.file.get_reference_length(contig)
        self.start, self.text = 0, ""

    def bases(self, start: int, end: int) -> str:
        """Bases from `start` to `end`, 0-based, half-open, cut to the contig."""
        start, end = max(0, start), min(end, self.length)
        if start >= end:
            return ""
        if start < self.start or end > self.start + len(self.text):
            self.start = max(0, start - self.window // 8)
            last = min(self.length, max(end, self.start + self.window))
            self.text = self.file.fetch(self.contig, self.start, last).upper()
        return self.text[start - self.start : end - self.start]

    def close(self) -> None:
        self.file.close()

    def __enter__(self) -> "Reference":
        return self

    def __exit__(self, *error) -> None:
        self.close()


def _shared(one: str, two: str) -> int:
    """Letters that both begin with."""
    if one == two:
        return len(one)
    return next((i for i, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))


def trimmed(ref: str, alt: str) -> tuple[int, str, str]:
    """Bases shared in front, and REF and ALT without what they share in front and then behind."""
    front = _shared(ref, alt)
    ref, alt = ref[front:], alt[front:]
    back = _shared(ref[::-1], alt[::-1])
    return front, ref[: len(ref) - back], alt[: len(alt) - back]


def kind(ref: str, alt: str) -> str:
    """SNP, MNP, INS, DEL or DELINS, as GenomicDataInfrastructure/gdi-node-standalone names the types
    (crates/core/src/variant.rs, classify_vt)."""
    _, ref, alt = trimmed(ref, alt)
    if not ref or not alt:
        return "INS" if alt else "DEL"
    if len(ref) != len(alt):
        return "DELINS"
    return "SNP" if len(ref) == 1 else "MNP"


def change(pos: int, ref: str, alt: str, reference: Reference) -> str:
    """The part of an HGVS name behind `g.` or `m.` for a VCF allele, pos 1-based.

    GoeError when REF is not what the reference has there: the name would be that of something else.
    """
    if reference.bases(pos - 1, pos - 1 + len(ref)) != ref:
        where = f"{reference.contig}:{pos}:{ref}:{alt}"
        raise GoeError(Problem(where, f"REF is not in {reference.fasta} there", "give the reference of the calls"))
    front, ref, alt = trimmed(ref, alt)
    start = pos - 1 + front
    if ref and alt:
        if len(ref) == len(alt) == 1:
            return f"{start + 1}{ref}>{alt}"
        return f"{_range(start, start + len(ref))}delins{alt}"
    if ref:
        moved = start + _room(ref, start + len(ref), reference)
        return f"{_range(moved, moved + len(ref))}del"
    room = _room(alt, start, reference)
    at, n = start + room, len(alt)
    inserted = alt[room % n :] + alt[: room % n]
    if reference.bases(at - n, at) == inserted:
        return f"{_range(at - n, at)}dup"
    # An insertion is named by the bases at its sides: before the first and behind the last there is only one.
    if at == 0:
        return f"1delins{inserted}{reference.bases(0, 1)}"
    if at == reference.length:
        return f"{at}delins{reference.bases(at - 1, at)}{inserted}"
    return f"{at}_{at + 1}ins{inserted}"


def _range(start: int, end: int) -> str:
    """0-based, half-open -> HGVS."""
    return f"{start + 1}" if end == start + 1 else f"{start + 1}_{end}"


def _room(unit: str, at: int, reference: Reference) -> int:
    """Bases by which a deleted or inserted `unit` can move to the 3' end: as far as what stands from `at` on
    repeats it."""
    room, piece = 0, max(64, len(unit))
    while True:
        following = reference.bases(at + room, at + room + piece)
        first = room % len(unit)
        repeated = (unit[first:] + unit * (len(following) // len(unit) + 1))[: len(following)]
        same = _shared(following, repeated)
        room += same
        if same < len(following) or not following:
            return room
        piece *= 2
