"""What people write for an allele, brought to the site alleles of a release.

Understood are `chr20-331-A-G` (also with `:`, `>`, spaces or commas in the position), a line of a VCF, SPDI
(`NC_000020.11:330:A:G`, position between bases; Holmes et al. 2020) and HGVS on the genome (`NC_000020.11:g.331A>G`).
Contigs may have the accession of RefSeq or any usual name. A change of several bases is as many alleles (C3.1).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from goe.core.errors import GoeError, Problem
from goe.genome import alleles, hgvs
from goe.genome.build import canonical
from goe.genome.fasta import Reference

_PLAIN = re.compile(
    r"(?P<contig>[\w.]+)[-:\s]\s*(?P<pos>[0-9][0-9,]*)[-:\s]?\s*(?P<ref>[ACGT]+)[->:/\s]+(?P<alt>[ACGT]+)"
)
_LINE = re.compile(r"(?P<contig>\S+)\s+(?P<pos>[0-9]+)\s+\S+\s+(?P<ref>[ACGT]+)\s+(?P<alt>[ACGT]+)(\s.*)?", re.S)
_SPDI = re.compile(r"(?P<contig>[A-Z]{2}_[0-9]+\.[0-9]+):(?P<pos>[0-9]+):(?P<ref>[ACGT]*|[0-9]+):(?P<alt>[ACGT]*)")
_HGVS = re.compile(r"(?P<contig>[\w.]+):[GM]\.(?P<start>[0-9]+)(_(?P<end>[0-9]+))?(?P<change>.+)")
_CHANGE = re.compile(
    r"(?P<ref>[ACGT])>(?P<alt>[ACGT])|DEL[ACGT]*INS(?P<delins>[ACGT]+)|INS(?P<ins>[ACGT]+)|(?P<kind>DEL|DUP)[ACGT]*"
)
_NOT_HERE = (
    (
        re.compile(r"RS[0-9]+"),
        "is an rs number, and none that this release gives an allele",
        "give contig, position, REF and ALT",
    ),
    (
        re.compile(r"GA4GH:.*"),
        "is an identifier of GA4GH, and none of an allele of this release",
        "give contig, position, REF and ALT",
    ),
    (re.compile(r"[\w.]+:[CNPR]\..*"), "is named on a transcript or protein", "give its name on the genome, g. or m."),
)


@dataclass(frozen=True, order=True)
class Allele:
    """A site allele: contig as in the release, pos 1-based; trimmed, and left-aligned where a reference was at hand."""

    contig: str
    pos: int
    ref: str
    alt: str

    def __str__(self) -> str:
        return f"{self.contig}-{self.pos}-{self.ref}-{self.alt}"


@dataclass
class Names:
    """Reads names for the contigs of one release.

    lengths: contig -> bases. reference: the FASTA of the release's build, without which an insertion or deletion is
    taken as it is written, and cannot be read from a name that leaves its bases out.
    """

    build: str
    lengths: Mapping[str, int]
    reference: Reference | None = None
    _contigs: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for contig, length in self.lengths.items():
            for name in (contig, canonical(contig), hgvs.accession(self.build, contig, length)):
                if name:
                    self._contigs[name.upper()] = contig

    def read(self, text: str) -> list[Allele]:
        """Site alleles of what somebody wrote, mostly one; GoeError where it cannot be read or is not of this build."""
        asked = " ".join(text.split())
        name = asked.upper()
        for pattern, what, mend in _NOT_HERE:
            if pattern.fullmatch(name):
                raise GoeError(Problem(asked, what, mend))
        found = _SPDI.fullmatch(name) or _HGVS.fullmatch(name) or _PLAIN.fullmatch(name) or _LINE.fullmatch(name)
        if found is None:
            mend = "write chr20-331-A-G, SPDI (NC_000020.11:330:A:G) or HGVS on the genome (NC_000020.11:g.331A>G)"
            raise GoeError(Problem(asked[:80], "is no allele of A, C, G and T that can be read", mend))
        contig = self._contig(found["contig"], asked)
        if found.re is _SPDI:
            pos, ref, alt = self._spdi(contig, int(found["pos"]), found["ref"], found["alt"], asked)
        elif found.re is _HGVS:
            pos, ref, alt = self._hgvs(contig, found, asked)
        else:
            pos, ref, alt = int(found["pos"].replace(",", "")), found["ref"], found["alt"]
        if ref == alt:
            raise GoeError(Problem(asked, "REF and ALT are the same", "write the allele that was seen"))
        if pos < 1 or pos + len(ref) - 1 > self.lengths[contig]:
            what = f"is not on {contig}, which has {self.lengths[contig]:,} bases in this release"
            raise GoeError(Problem(asked, what, f"give the position on {self.build}"))
        return [self._site(contig, *atom, asked) for atom in alleles.atoms(pos, ref, alt)]

    def _contig(self, name: str, asked: str) -> str:
        known = self._contigs.get(name) or self._contigs.get((canonical(name) or canonical(name.lower()) or "").upper())
        if known is None:
            what = f"{name} is no contig of this release, which is of {self.build}"
            raise GoeError(Problem(asked, what, f"give one of {', '.join(self.lengths)}"))
        return known

    def _bases(self, contig: str, start: int, end: int, asked: str) -> str:
        if self.reference is None:
            raise GoeError(Problem(asked, "leaves out bases that the reference has", "name it with --reference"))
        return self.reference.bases(contig, start, end)

    def _anchored(self, contig: str, start: int, ref: str, alt: str, asked: str) -> tuple[int, str, str]:
        """start: 0-based. With a base in front where one of the two is empty, or behind at the contig's begin."""
        if ref and alt:
            return start + 1, ref, alt
        if start:
            base = self._bases(contig, start - 1, start, asked)
            return start, base + ref, base + alt
        base = self._bases(contig, len(ref), len(ref) + 1, asked)
        return 1, ref + base, alt + base

    def _spdi(self, contig: str, start: int, ref: str, alt: str, asked: str) -> tuple[int, str, str]:
        if ref.isdigit():
            ref = self._bases(contig, start, start + int(ref), asked) if int(ref) else ""
        return self._anchored(contig, start, ref, alt, asked)

    def _hgvs(self, contig: str, found: re.Match, asked: str) -> tuple[int, str, str]:
        start, change = int(found["start"]), _CHANGE.fullmatch(found["change"])
        end = int(found["end"] or start)
        if change is None or end < start or end > self.lengths[contig] or (change["ins"] and end != start + 1):
            raise GoeError(Problem(asked, "is no change that HGVS has", "write g.331A>G, g.331_333del, g.331_332insA"))
        if change["ref"]:
            return start, change["ref"], change["alt"]
        if change["ins"]:
            return self._anchored(contig, start, "", change["ins"], asked)
        deleted = self._bases(contig, start - 1, end, asked)
        if change["kind"] == "DUP":
            return self._anchored(contig, end, "", deleted, asked)
        return self._anchored(contig, start - 1, deleted, change["delins"] or "", asked)

    def _site(self, contig: str, pos: int, ref: str, alt: str, asked: str) -> Allele:
        if self.reference is None:
            return Allele(contig, pos, ref, alt)
        sequence = self.reference.bases(contig, pos - 1, pos - 1 + len(ref))
        if sequence != ref:
            what = f"REF {ref[:20]} is not what the reference has at {contig}:{pos}, which is {sequence[:20]}"
            raise GoeError(Problem(asked, what, "is it of another build, or written on the other strand?"))
        return Allele(contig, *alleles.left_aligned(self.reference, contig, pos, ref, alt))
