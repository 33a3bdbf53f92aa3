"""Which program wrote a VCF, by its header, and what of its files has to be known (docs/callers.md)."""

from collections.abc import Collection, Sequence

from goe.core.errors import Problem

# Program -> what a header line of it starts with or holds, all in lower case, first come first named.
_MARKS = (
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
SPVCF = "spVCF"


def recognised(lines: Sequence[str]) -> str:
    """The program that made a file, by the lines of its header; empty when none of those known."""
    lower = [line[:200].lower() for line in lines if line.startswith("##")]
    if any("spvcf" in line for line in lower):
        return SPVCF
    return next((name for name, marks in _MARKS if any(line.startswith(marks) for line in lower)), "")


def traps(program: str, kind: str, formats: Collection[str], rows: Sequence[str]) -> list[Problem]:
    """What stops a file: records whose calls stand in other rows than their own. `where` is left empty.

    kind: input_type; formats: declared FORMAT ids; rows: some of its first lines of data, as they are.
    """
    found = []
    cells = (cell for row in rows for cell in row.split("\t")[9:])
    if program == SPVCF or any(cell.startswith('"') for cell in cells):
        what = "spVCF: cells repeat the row above them, so a row says nothing by itself"
        found.append(Problem("", what, "spvcf decode IN | bgzip > OUT.vcf.gz, then tabix -p vcf, and give that"))
    spans = [row for row in rows if _spans(row)]
    if kind == "joint_vcf" and spans:
        place = ":".join(spans[0].split("\t")[:2])
        what = f"a joint VCF with reference blocks (FORMAT/LEN or INFO/END, {place}): the calls of people whose block"
        what += " began before stand in earlier rows"
        mend = "give the people's gVCFs, or a dense joint VCF (hail: hl.vds.to_dense_mt before export_vcf)"
        found.append(Problem("", what, mend))
    if kind == "gvcf" and program == "freebayes" and rows and not any(row.split("\t")[8:9] for row in rows):
        found.append(Problem("", "blocks without genotypes", "call with another program, or give a joint VCF"))
    return found


def _spans(row: str) -> bool:
    """Whether a row is a block of reference calls."""
    cells = row.split("\t", 9)
    if len(cells) < 9 or not (cells[4].startswith("<") or cells[4] == "."):
        return False
    return "LEN" in cells[8].split(":") or cells[7].startswith("END=") or ";END=" in cells[7]


def notes(program: str, kind: str, formats: Collection[str], counted: Collection[str]) -> list[Problem]:
    """What may surprise of a file that is taken. counted: classes of its contigs that are counted, such as M."""
    found = []
    if program == "GLnexus" and kind == "joint_vcf":
        what = "made by GLnexus: its 0/0 with a depth of 0 is no data and counts as missing (C1.5)"
        found.append(Problem("", what))
    if program == "freebayes" and kind == "gvcf":
        what = "made by freebayes, whose blocks have no GT: its people are called where they have records, nowhere else"
        found.append(Problem("", what, "give it as a vcf, or call with another program"))
    return found


def silent_on_m(first: str) -> Problem | None:
    """What is wrong with a gVCF whose first row on M is `first`: no quality of genotypes, and so nobody is counted."""
    cells = first.rstrip("\r\n").split("\t")
    keys = cells[8].split(":") if len(cells) > 8 else []
    if not keys or {"GQ", "PL", "LPL", "GQX"} & set(keys):
        return None
    quality = "SQ, the quality of a tumour's allele, and no GQ" if "SQ" in keys else "no GQ"
    what = f"rows of {cells[0]} have {quality}: nobody would be called there, and its alleles would have AC 0 and AN 0"
    mend = f'set reference.ignore_contigs: ["{cells[0]}"], give files that have GQ there, or genotype_filter.min_gq: 0'
    return Problem("", what, mend)
