"""Which program wrote a VCF, by its header, and what of its files has to be known (docs/callers.md)."""

from collections import Counter
from collections.abc import Sequence

from goe.core.errors import Problem
from goe.genome.alleles import UNSEEN

# Program -> how a header line of it starts, in lower case; the first that is met is named.
_MARKS = (
    ("spVCF", ("##spvcf",)),
    ("DRAGEN", ("##dragen", "##source=dragen")),
    ("Strelka", ("##source=strelka", "##content=strelka")),
    ("DeepVariant", ("##deepvariant_version",)),
    ("GLnexus", ("##glnexusversion", "##glnexusconfig")),
    ("GATK", ("##gatkcommandline", "##source=haplotypecaller", "##source=genotypegvcfs")),
    ("freebayes", ("##source=freebayes",)),
    ("Octopus", ("##octopus", "##source=octopus")),
    ("bcftools", ("##bcftools_callversion", "##bcftools_callcommand")),
    ("hail", ("##hailversion", "##source=hail")),
    ("PLINK", ("##source=plink",)),
)
_NOTES = {
    ("freebayes", "gvcf"): (
        "blocks have no genotype: its people are called where they have rows, nowhere else",
        "call with another program, or give a joint VCF of all people called together",
    ),
    ("GLnexus", "joint_vcf"): ("0/0 with a depth of 0 stands for no data, and counts as missing (C1.5)", ""),
    ("PLINK", "joint_vcf"): (
        "it has genotypes alone, and men may be written haploid in the PAR, where they are then missing (C2.2)",
        "give the VCF that it was made of",
    ),
}
# Share of the first rows that may be blocks: a stray one is a row like any other, whose people are called at its POS.
_SPANS_AT_MOST = 0.1
# ALT of a row that says only that the reference was seen.
_REFERENCE_ALTS = (".", *UNSEEN)


def recognised(lines: Sequence[str]) -> str:
    """The program that made a file, by the lines of its header; empty when it is none of those known."""
    lower = [line[:100].lower() for line in lines]
    return next((name for name, marks in _MARKS if any(line.startswith(marks) for line in lower)), "")


def traps(program: str, kind: str, rows: Sequence[str]) -> list[Problem]:
    """What stops a file: rows that do not say by themselves what a person is there. `where` is left empty.

    kind: input_type; rows: some of its first lines of data, as they are.
    """
    found = []
    if program == "spVCF" or any(cell.startswith('"') for row in rows for cell in row.split("\t")[9:]):
        what = "spVCF: cells repeat the row above them, so a row says nothing by itself"
        found.append(Problem("", what, "spvcf decode IN | bgzip > OUT.vcf.gz, then tabix -p vcf, and give that"))
    spans = [row for row in rows if _spans(row)] if kind == "joint_vcf" else []
    if len(spans) > _SPANS_AT_MOST * len(rows):
        place = ":".join(spans[0].split("\t")[:2])
        what = f"a joint VCF with reference blocks (FORMAT/LEN or INFO/END, {place}), "
        what += "so what a person is at a row may stand in an earlier one"
        mend = "give the people's gVCFs, or a dense joint VCF (hail: hl.vds.to_dense_mt before export_vcf)"
        found.append(Problem("", what, mend))
    return found


def _spans(row: str) -> bool:
    """Whether a row is a block of reference calls."""
    cells = row.split("\t", 9)
    if len(cells) < 9 or cells[4] not in _REFERENCE_ALTS:
        return False
    return "LEN" in cells[8].split(":") or cells[7].startswith("END=") or ";END=" in cells[7]


def notes(program: str, kind: str) -> list[Problem]:
    """What may surprise of a file that is taken, by who made it. `where` is left empty."""
    what, mend = _NOTES.get((program, kind), ("", ""))
    return [Problem("", f"made by {program}: {what}", mend)] if what else []


def haploid_in_par(rows: Sequence[str]) -> Problem | None:
    """What is to be known of calls that are written with one allele where everybody has two (C2.2). `where` is left
    empty. rows: some lines of the pseudo-autosomal regions of X.
    """
    calls: Counter[int] = Counter()
    haploid: Counter[int] = Counter()
    for row in rows:
        cells = row.rstrip("\r\n").split("\t")
        if len(cells) < 10 or cells[8].split(":")[0] != "GT":
            continue
        for person, cell in enumerate(cells[9:]):
            alleles = cell.split(":", 1)[0].lstrip("/|").replace("|", "/").split("/")
            if any(allele not in ("", ".") for allele in alleles):
                calls[person] += 1
                haploid[person] += len(alleles) == 1
    people = sum(n > 0 for n in haploid.values())
    if not people:
        return None
    what = (
        f"{haploid.total()} of {calls.total()} calls in the first {len(rows)} records of the pseudo-autosomal regions "
    )
    what += "of X are written with one allele"
    what += f", those of {people} of {len(calls)} people" if len(calls) > 1 else ""
    mend = "call X again with these regions known (GATK --ploidy-regions, DeepVariant --par_regions_bed, bcftools call "
    mend += "--ploidy with --samples-file); writing the allele twice makes calls that nobody saw"
    return Problem("", f"{what}: missing there (C2.2)", mend)


def silent_on_m(first: str) -> Problem | None:
    """What is wrong with a gVCF whose first row on M is `first`: no quality of genotypes, so that nobody is called."""
    cells = first.rstrip("\r\n").split("\t")
    keys = cells[8].split(":") if len(cells) > 8 else []
    if not keys or {"GQ", "PL", "LPL", "GQX"} & set(keys):
        return None
    quality = "SQ, the quality of a tumour's allele (DRAGEN), and no GQ" if "SQ" in keys else "no GQ"
    what = f"rows of {cells[0]} have {quality}: nobody would be called there, and its alleles would have AN 0"
    return Problem("", what, f'set reference.leave_out: {{"{cells[0]}": "no GQ"}}, or give files that have GQ there')
