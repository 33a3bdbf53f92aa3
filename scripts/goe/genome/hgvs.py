"""Names of sequences and alleles that other systems know: RefSeq accessions, HGVS.

HGVS nomenclature (hgvs-nomenclature.org, DNA recommendations): a deletion, duplication or insertion is put as far
to the 3' end as it can be, so every way to write an allele in a VCF gives one name; an insertion of a copy of what
stands before it is a duplication; `g.` on chromosomes, `m.` on the mitochondrion. Runs of more copies are named as
duplication or deletion of the part that changed, not by their number of copies.
"""

from goe.core.errors import GoeError, Problem
from goe.core.resources import RESOURCES
from goe.genome.build import canonical
from goe.genome.fasta import Reference


def accession(build: str, contig: str, length: int) -> str | None:
    """RefSeq accession (resources/regions/refseq.tsv) of a contig of this length; None when there is none."""
    for line in (RESOURCES / "regions" / "refseq.tsv").read_text().splitlines():
        row = line.split("\t")
        if row[:3] == [build, canonical(contig), str(length)]:
            return row[3]
    return None


def prefix(build: str, contig: str, length: int) -> str | None:
    """What stands before the change in names of a contig, `NC_000020.11:g.`; None where it has no accession."""
    name = accession(build, contig, length)
    return name and f"{name}:{'m' if canonical(contig) == 'M' else 'g'}."


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


def change(reference: Reference, contig: str, pos: int, ref: str, alt: str) -> str:
    """The part of an HGVS name behind `g.` or `m.` for a VCF allele, pos 1-based.

    GoeError when REF is not what the reference has there: the name would be that of something else.
    """
    if reference.bases(contig, pos - 1, pos - 1 + len(ref)) != ref:
        where = f"{contig}:{pos}:{ref}:{alt}"
        raise GoeError(Problem(where, f"REF is not in {reference.path} there", "give the reference of the calls"))
    front, ref, alt = trimmed(ref, alt)
    start = pos - 1 + front
    if ref and alt:
        if len(ref) == len(alt) == 1:
            return f"{start + 1}{ref}>{alt}"
        return f"{_range(start, start + len(ref))}delins{alt}"
    if ref:
        moved = start + room_behind(reference, contig, ref, start + len(ref))
        return f"{_range(moved, moved + len(ref))}del"
    room = room_behind(reference, contig, alt, start)
    at, n = start + room, len(alt)
    inserted = alt[room % n :] + alt[: room % n]
    if reference.bases(contig, at - n, at) == inserted:
        return f"{_range(at - n, at)}dup"
    # An insertion is named by the bases at its sides: before the first and behind the last there is only one.
    if at == 0:
        return f"1delins{inserted}{reference.bases(contig, 0, 1)}"
    if at == reference.lengths[contig]:
        return f"{at}delins{reference.bases(contig, at - 1, at)}{inserted}"
    return f"{at}_{at + 1}ins{inserted}"


def _range(start: int, end: int) -> str:
    """0-based, half-open -> HGVS."""
    return f"{start + 1}" if end == start + 1 else f"{start + 1}_{end}"


def room_before(reference: Reference, contig: str, unit: str, at: int) -> int:
    """Bases by which a deleted or inserted `unit` can move to the 5' end: as far as what stands before `at` repeats
    it."""
    room, piece = 0, max(64, len(unit))
    while True:
        before = reference.bases(contig, max(0, at - room - piece), at - room)[::-1]
        last = len(unit) - room % len(unit)
        repeated = ((unit[:last][::-1]) + unit[::-1] * (len(before) // len(unit) + 1))[: len(before)]
        same = _shared(before, repeated)
        room += same
        if same < len(before) or not before:
            return room
        piece *= 2


def room_behind(reference: Reference, contig: str, unit: str, at: int) -> int:
    """Bases by which a deleted or inserted `unit` can move to the 3' end: as far as what stands from `at` on
    repeats it."""
    room, piece = 0, max(64, len(unit))
    while True:
        following = reference.bases(contig, at + room, at + room + piece)
        first = room % len(unit)
        repeated = (unit[first:] + unit * (len(following) // len(unit) + 1))[: len(following)]
        same = _shared(following, repeated)
        room += same
        if same < len(following) or not following:
            return room
        piece *= 2
