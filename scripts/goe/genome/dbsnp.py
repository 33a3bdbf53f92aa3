"""rs numbers of alleles, from a VCF as dbSNP publishes it (snp/latest_release/VCF of NCBI, contigs by accession)."""

import re
from collections.abc import Sequence
from pathlib import Path

import pysam

from goe.core.errors import Problem
from goe.core.files import Closes
from goe.genome.build import canonical
from goe.genome.hgvs import accession

RSID = re.compile(r"rs[1-9][0-9]{0,11}")
_MEND = "give the VCF of dbSNP for this build, compressed with bgzip, with its index (tabix)"


def check(path: str | Path, build: str, contigs: dict[str, int]) -> list[Problem]:
    """What keeps a file from giving rs numbers for any contig (name -> length); for the intake."""
    where = f"config annotations.dbsnp {path}"
    if not Path(path).is_file():
        return [Problem(where, "no such file", _MEND)]
    try:
        with pysam.TabixFile(str(path)) as file:
            there = set(file.contigs)
    except (OSError, ValueError):
        return [Problem(where, "cannot be read by its index", _MEND)]
    if not any(_named(there, build, contig, length) for contig, length in contigs.items()):
        what = f"has no contig of the release, by name or accession (it has {', '.join(sorted(there)[:3]) or 'none'})"
        return [Problem(where, what, _MEND)]
    return []


def _named(there: set[str], build: str, contig: str, length: int) -> str | None:
    """Name of a contig in a file with these contigs: its RefSeq accession of this build, or its own however written. A
    file by accessions of another build has none."""
    known = accession(build, contig, length)
    if known in there or contig in there:
        return known if known in there else contig
    return next((name for name in sorted(there) if canonical(name) and canonical(name) == canonical(contig)), None)


class RsNumbers(Closes):
    """rs numbers on one contig; none where the file has no such contig."""

    def __init__(self, path: str | Path, build: str, contig: str, length: int):
        self.path = str(path)
        self.file = pysam.TabixFile(self.path)
        self.name = _named(set(self.file.contigs), build, contig, length)

    def of(self, pos: Sequence[int], ref: Sequence[str], alt: Sequence[str]) -> list[str | None]:
        """Of trimmed, left-aligned alleles in the order of their positions (1-based); the smallest of several."""
        found: list[str | None] = [None] * len(pos)
        if not (self.name and len(pos)):
            return found
        places = {allele: i for i, allele in enumerate(zip(pos, ref, alt, strict=True))}
        # A record that begins before them reaches in where its REF does.
        for line in self.file.fetch(self.name, pos[0] - 1, pos[-1]):
            _, at, ids, long, alts, _ = line.split("\t", 5)
            numbers = [int(one[2:]) for one in ids.split(";") if one.startswith("rs") and one[2:].isdigit()]
            if not numbers:
                continue
            for other in alts.split(","):
                i = places.get(_trimmed(int(at), long, other), -1)
                before = found[i] if i >= 0 else None
                if i >= 0 and (before is None or min(numbers) < int(before[2:])):
                    found[i] = f"rs{min(numbers)}"
        return found

    @property
    def release(self) -> str | None:
        """Number of the build of dbSNP, by the header."""
        for line in self.file.header:
            if found := re.fullmatch(r"##dbSNP_BUILD_ID=([0-9]{1,4})", line.strip()):
                return found[1]
        return None

    def close(self) -> None:
        self.file.close()


def _trimmed(pos: int, ref: str, alt: str) -> tuple[int, str, str]:
    """Without the bases that REF and ALT share behind and then in front, but for one."""
    while len(ref) > 1 and len(alt) > 1 and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    while len(ref) > 1 and len(alt) > 1 and ref[0] == alt[0]:
        pos, ref, alt = pos + 1, ref[1:], alt[1:]
    return pos, ref, alt
