"""A stand-in for a reference that is not there: the REF bases of the records of VCFs with N around them.

Checks of REF then hold by construction, and nothing is claimed of the bases between records: an allele that would
left-align past the known bases takes an N and is dropped as `non_acgt_after_aligning`, so a test that finds that count
at zero knows that no allele met the invented part.
"""

import subprocess
from pathlib import Path

import pysam

MARGIN = 1000


def write_reference(vcf: Path, folder: Path, *more: Path) -> tuple[Path, dict[str, int]]:
    """FASTA (indexed) and contig lengths; each contig ends `MARGIN` bases after its last record. more: further VCFs."""
    found: dict[str, list[tuple[int, str]]] = {}
    for path in (vcf, *more):
        command = ["bcftools", "query", "-f", "%CHROM\t%POS\t%REF\n", str(path)]
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for row in told.stdout.splitlines():
            contig, pos, ref = row.split("\t")
            found.setdefault(contig, []).append((int(pos) - 1, ref.upper()))
    fasta = folder / "pseudo.fa"
    lengths = {}
    with fasta.open("wb") as out:
        for contig, refs in found.items():
            lengths[contig] = max(at + len(ref) for at, ref in refs) + MARGIN
            bases = bytearray(b"N" * lengths[contig])
            for at, ref in refs:
                there = bases[at : at + len(ref)].decode()
                assert all(a in ("N", b) for a, b in zip(there, ref, strict=True)), f"{contig}:{at + 1}: REFs disagree"
                bases[at : at + len(ref)] = ref.encode()
            # One line a contig: the index needs no more.
            out.write(f">{contig}\n".encode() + bases + b"\n")
    pysam.faidx(str(fasta))
    return fasta, lengths
