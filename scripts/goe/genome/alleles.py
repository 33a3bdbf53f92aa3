"""From the REF and ALT of a record to its site alleles: what is left out and why, trimming, atoms (C3)."""

from collections import Counter
from dataclasses import dataclass

from goe.core.errors import GoeError, Problem
from goe.genome.fasta import Reference

ACGT = frozenset("ACGT")
# ALTs that stand for any allele nobody has seen: of GATK, of the specification, of old bcftools.
UNSEEN = ("<NON_REF>", "<*>", "<X>")
# IUPAC codes a reference may hold, and the bases each allows (NC-IUB 1984).
IUPAC = {
    "R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC",
    "B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SiteAllele:
    """A biallelic allele before left-alignment. pos is 1-based; `of` are the record's ALT numbers that hold it."""

    pos: int
    ref: str
    alt: str
    of: tuple[int, ...]


def reason_left_out(alt: str) -> str | None:
    """Why an ALT gives no site allele, or None for a plain allele of A, C, G, T (upper case)."""
    if alt == "*":
        return "star"
    if alt in UNSEEN:
        return "non_ref"
    if alt.startswith("<"):
        return "symbolic"
    if "[" in alt or "]" in alt or alt.startswith(".") or alt.endswith("."):
        return "breakend"
    if not ACGT.issuperset(alt):
        return "non_acgt_alt"
    return None


def atoms(pos: int, ref: str, alt: str) -> list[tuple[int, str, str]]:
    """Trimmed alleles of one ALT: an SNV a differing base for equal lengths, else one allele (C3.1)."""
    if len(ref) == len(alt):
        return [(pos + i, r, a) for i, (r, a) in enumerate(zip(ref, alt, strict=True)) if r != a]
    while len(ref) > 1 and len(alt) > 1 and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    while len(ref) > 1 and len(alt) > 1 and ref[0] == alt[0]:
        pos, ref, alt = pos + 1, ref[1:], alt[1:]
    return [(pos, ref, alt)]


def left_aligned(reference: Reference, contig: str, pos: int, ref: str, alt: str) -> tuple[int, str, str]:
    """The same change as far to the left as it can be written, trimmed (Tan et al. 2015). pos: 1-based.

    For one allele; people's genotypes are aligned by `bcftools norm` (goe.harmonise), which gives the same.
    """
    while ref[-1] == alt[-1] and (pos > 1 or min(len(ref), len(alt)) > 1):
        ref, alt = ref[:-1], alt[:-1]
        if not ref or not alt:
            pos -= 1
            base = reference.bases(contig, pos - 1, pos)
            ref, alt = base + ref, base + alt
    while len(ref) > 1 and len(alt) > 1 and ref[0] == alt[0]:
        pos, ref, alt = pos + 1, ref[1:], alt[1:]
    return pos, ref, alt


def split(pos: int, ref: str, alts: list[str], ref_reason: str | None) -> tuple[list[SiteAllele], Counter[str]]:
    """Site alleles of a record, sorted by (pos, ref, alt), and a count of what happened to its ALTs.

    ref_reason: why no ALT of this record may be used (from `check_ref`), or None. The counter has
    "alts_in", "kept" (ALTs with a site allele), "atoms" (site alleles made of them), "shared" (atoms that another
    ALT of the record made already) and "dropped:<reason>".
    """
    ref = ref.upper()
    made: dict[tuple[int, str, str], list[int]] = {}
    counts: Counter[str] = Counter()
    for number, alt in enumerate(alts, start=1):
        alt = alt if alt.startswith("<") else alt.upper()
        if alt == ".":
            continue
        counts["alts_in"] += 1
        reason = reason_left_out(alt) or ref_reason or ("alt_is_ref" if alt == ref else None)
        if reason:
            counts[f"dropped:{reason}"] += 1
            continue
        counts["kept"] += 1
        for atom in atoms(pos, ref, alt):
            counts["atoms"] += 1
            counts["shared"] += atom in made
            made.setdefault(atom, []).append(number)
    return [SiteAllele(*atom, tuple(of)) for atom, of in sorted(made.items())], counts


def check_ref(reference: Reference, name: str, contig: str, pos: int, ref: str) -> str | None:
    """None when REF is the reference's, else why its alleles are left out; GoeError on a mismatch (C3.1).

    name: the file, for the message. pos: 1-based.
    """
    ref = ref.upper()
    if contig not in reference.lengths:
        raise GoeError(
            Problem(
                f"{name}, {contig}:{pos}",
                f"contig {contig} is not in the reference",
                "is it the right build?",
            )
        )
    sequence = reference.bases(contig, pos - 1, pos - 1 + len(ref))
    if sequence == ref and ACGT.issuperset(ref):
        return None
    ambiguous = False
    for i, base in enumerate(ref):
        reference_base = sequence[i : i + 1]
        if base not in ACGT or base == reference_base:
            continue
        if base not in IUPAC.get(reference_base, ""):
            raise GoeError(
                Problem(
                    f"{name}, {contig}:{pos}",
                    f"REF {ref[:50]} does not match the reference, which has {sequence[:50] or 'ended'}",
                    "the file was made on another build or reference; call it again on this one",
                )
            )
        ambiguous = True
    if not ACGT.issuperset(ref):
        return "non_acgt_ref"
    return "ref_iupac" if ambiguous else None
