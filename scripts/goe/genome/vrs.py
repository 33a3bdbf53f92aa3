"""Names of alleles that follow from the sequence alone: identifiers of GA4GH VRS 2 and contextual SPDI.

VRS 2.0 (vrs.ga4gh.org/en/2.0, conventions): an allele is spread over all places where it could be written (fully
justified, as NCBI's VOCA); what is then a stretch of the reference, shorter or longer, is a ReferenceLengthExpression,
anything else a LiteralSequenceExpression. The identifier is the truncated SHA-512 of its canonical JSON (RFC 8785) with
the location's digest in its place. Identifiers of VRS 1.3 are others. ga4gh.vrs 2.3.3 gives the same
(tests/consumers). SPDI (Holmes et al. 2020, doi 10.1093/bioinformatics/btz856) of the same stretch is what dbSNP and
ClinVar call contextual or canonical.
"""

import hashlib
import re
from collections.abc import Iterator

from goe.genome.fasta import Reference, truncated
from goe.genome.hgvs import accession, room_before, room_behind, trimmed

VERSION = "2.0"
FORM = re.compile(r"ga4gh:VA\.[0-9A-Za-z_-]{32}")
"""An identifier of an allele."""


def sha512t24u(content: bytes) -> str:
    return truncated(hashlib.sha512(content).digest())


def justified(reference: Reference, contig: str, pos: int, ref: str, alt: str) -> tuple[int, str, str, int]:
    """A VCF allele, pos 1-based, spread over all places where it could stand: start (0-based), the bases there, those
    in their place, and the length of what was deleted or inserted, 0 where both are something."""
    start, ref, alt = alone(pos, ref, alt)
    if ref and alt:
        return start, ref, alt, 0
    unit = ref or alt
    before = room_before(reference, contig, unit, start)
    behind = room_behind(reference, contig, unit, start + len(ref))
    return start - before, *spread(unit, before, behind, bool(ref)), len(unit)


def alone(pos: int, ref: str, alt: str) -> tuple[int, str, str]:
    """Start (0-based) of a VCF allele, pos 1-based, and what differs there."""
    if len(ref) == len(alt) == 1:
        return pos - 1, ref, alt
    front, ref, alt = trimmed(ref, alt)
    return pos - 1 + front, ref, alt


def spread(unit: str, before: int, behind: int, deleted: bool) -> tuple[str, str]:
    """Bases that are there and those in their place, of a unit that is deleted or inserted, with so many bases before
    and behind it that repeat it."""
    n = len(unit)
    first = -before % n
    longer = ((unit[first:] + unit[:first]) * ((before + behind) // n + 2))[: before + behind + n]
    shorter = longer[: before + behind]
    return (longer, shorter) if deleted else (shorter, longer)


def repeat(ref: str, alt: str, unit: int) -> int:
    """Length of the stretch of the reference by whose repetition `justified` bases become shorter or longer: of a
    deletion what was deleted; of an insertion the longest divisor of its length that stands there; 0 where what is
    inserted is none."""
    if len(alt) < len(ref):
        return unit
    for size in _divisors(unit):
        if size <= len(ref) and all(alt[i] == alt[i - size] for i in range(len(ref), len(alt))):
            return size
    return 0


def _divisors(n: int) -> Iterator[int]:
    yield from (size for size in range(n, 0, -1) if n % size == 0)


class Names:
    """Names of the alleles of one contig. build: as in resources/regions/refseq.tsv."""

    def __init__(self, build: str, contig: str, reference: Reference):
        self.contig, self.reference = contig, reference
        self.accession = accession(build, contig, reference.lengths[contig])
        self.refget = reference.refget(contig)
        self._sequence = in_json(self.refget)

    def of(self, pos: int, ref: str, alt: str) -> tuple[str, str | None]:
        """VRS identifier, and SPDI where the contig has an accession."""
        start, there, new, unit = justified(self.reference, self.contig, pos, ref, alt)
        spdi = self.accession and f"{self.accession}:{start}:{there}:{new}"
        return identifier(self._sequence, start, there, new, unit), spdi


def in_json(refget: str) -> str:
    """Key and value of a sequence within a location, in canonical JSON."""
    return f'"sequenceReference":{{"refgetAccession":"{refget}","type":"SequenceReference"}}'


def identifier(sequence: str, start: int, ref: str, alt: str, unit: int) -> str:
    """VRS identifier of a `justified` allele. sequence: `in_json`."""
    end = start + len(ref)
    place = f'{{"end":{end},{sequence},"start":{start},"type":"SequenceLocation"}}'
    size = repeat(ref, alt, unit) if unit else 0
    if size:
        state = f'{{"length":{len(alt)},"repeatSubunitLength":{size},"type":"ReferenceLengthExpression"}}'
    else:
        state = f'{{"sequence":"{alt}","type":"LiteralSequenceExpression"}}'
    content = f'{{"location":"{sha512t24u(place.encode())}","state":{state},"type":"Allele"}}'
    return f"ga4gh:VA.{sha512t24u(content.encode())}"
