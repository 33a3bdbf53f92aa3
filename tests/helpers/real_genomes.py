"""Cohorts of real genomes for the workflow: fixtures from the shared material, and what is compared with the truth."""

import gzip
import subprocess
from pathlib import Path

CHR20_HG19 = 63025520
READ_REGION = (10_000_000, 10_100_000)
CUT = 9_995_000
"""Bases of N before those of the slice of hg19, of which an index of bwa has as many as of others."""
Allele = tuple[int, str, str]


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def pad_reference(source: Path, out: Path, name: str, length: int) -> None:
    """The slice of a chromosome in `source`, with N to the chromosome's full length, and its index."""
    with gzip.open(source, "rt") as lines:
        next(lines)
        sequence = "".join(line.strip() for line in lines)
    sequence += "N" * (length - len(sequence))
    with out.open("w") as handle:
        handle.write(f">{name}\n")
        handle.writelines(sequence[i : i + 60] + "\n" for i in range(0, length, 60))
    _run("samtools", "faidx", str(out))


def reads_cohort(shared: Path, folder: Path) -> dict:
    """NA12878 (CRAM), HG002 and the trio (BAM, contig `20`) on chr20 of GRCh37, by its name and length, so that a GDI
    node would take it; the sections of the config.

    The reference is a slice with N around it, so its M5 cannot be the one in the CRAM's header: the tag goes.
    """
    reads = shared / "data/reads"
    pad_reference(shared / "data/reference/hg19.chr20.1_10200000.fa.gz", folder / "ref.fa", "chr20", CHR20_HG19)
    cram = folder / "NA12878.cram"
    header = _run("samtools", "view", "-H", "--no-PG", str(reads / "NA12878_S1.chr20.10_10p1mb.cram"))
    plain = ["\t".join(c for c in line.split("\t") if c[:3] not in ("M5:", "UR:")) for line in header.splitlines()]
    (folder / "header.sam").write_text("\n".join(plain) + "\n")
    with cram.open("wb") as out:
        command = ["samtools", "reheader", "--no-PG", "-P", str(folder / "header.sam")]
        subprocess.run([*command, str(reads / "NA12878_S1.chr20.10_10p1mb.cram")], check=True, stdout=out)
    _run("samtools", "index", str(cram))
    inputs = [("NA12878", "cram", cram)]
    inputs.append(("HG002", "bam", reads / "HG002_NIST_150bp_downsampled_30x.chr20.10_10p1mb.bam"))
    inputs += [(name, "bam", reads / f"{name}.chr20.10_10p1mb_sorted.bam") for name in ("HG001", "NA12891", "NA12892")]
    sexes = {"NA12878": "F", "HG002": "M", "HG001": "F", "NA12891": "M", "NA12892": "F"}
    _sheets(folder, sexes, inputs)
    return {
        "reference": {
            "fasta": "ref.fa",
            "build": "GRCh37",
            "rename": {"20": "chr20"},
            "ignore_contigs": ["*"],
        },
        "scatter": {"people_per_batch": 2},
    }


def fastq_cohort(shared: Path, folder: Path) -> dict:
    """NA12878's reads as a FASTQ pair, on the slice without its first bases (`uncut`); the sections of the config.

    Without base alignment quality (--no-BAQ) bcftools finds one more true allele of bwa mem's alignments.
    """
    fasta = str(folder / "whole.fa")
    with gzip.open(shared / "data/reference/hg19.chr20.1_10200000.fa.gz", "rb") as lines:
        Path(fasta).write_bytes(lines.read())
    _run("samtools", "faidx", fasta)
    _run("samtools", "faidx", "-o", str(folder / "cut.fa"), fasta, f"chr20:{CUT + 1}-")
    (folder / "ref.fa").write_text((folder / "cut.fa").read_text().replace(f"chr20:{CUT + 1}-", "chr20 ", 1))
    _run("samtools", "faidx", str(folder / "ref.fa"))
    collated, pair = str(folder / "collated.bam"), [str(folder / f"R{i}.fastq.gz") for i in (1, 2)]
    cram = str(shared / "data/reads/NA12878_S1.chr20.10_10p1mb.cram")
    _run("samtools", "collate", "--reference", fasta, "-o", collated, cram)
    _run("samtools", "fastq", "-n", "-1", pair[0], "-2", pair[1], "-s", "/dev/null", "-0", "/dev/null", collated)
    (folder / "samples.tsv").write_text("sample_id\tsex\tcountry_code\nNA12878\tF\tEE\n")
    header = "sample_id\tinput_type\tpath\tpath2\tlibrary\tunit\n"
    (folder / "inputs.tsv").write_text(f"{header}NA12878\tfastq\t{pair[0]}\t{pair[1]}\tlib1\tL1\n")
    return {
        "reference": {"fasta": "ref.fa", "build": "hg19-chr20-slice"},
        "caller": {"extra": ["--no-BAQ"]},
    }


def uncut(allele: Allele) -> Allele:
    """An allele of `fastq_cohort`, at its position on the chromosome."""
    position, ref, alt = allele
    return position + CUT, ref, alt


def gvcf_cohort(shared: Path, folder: Path) -> dict:
    """NA12878 (GATK 3) and NA19240 (GATK 4) as gVCFs on chr20 of b37; the sections of the config."""
    source = shared / "data/gvcf/gatk_chr20"
    with gzip.open(shared / "data/reference/hs37d5.chr20.fa.gz", "rb") as lines:
        (folder / "ref.fa").write_bytes(lines.read())
    _run("samtools", "faidx", str(folder / "ref.fa"))
    inputs = [("NA12878", "gvcf", source / "CEUTrio.20.21.gatk3.4.g.vcf.bgz")]
    other = folder / "NA19240.g.vcf.gz"
    _run("bcftools", "view", "-Oz", "-o", str(other), str(source / "YRIoffspring.chr20snippet.g.vcf.gz"))
    _run("tabix", "-p", "vcf", str(other))
    inputs.append(("NA19240", "gvcf", other))
    _sheets(folder, {"NA12878": "F", "NA19240": "F"}, inputs)
    return {
        "reference": {"fasta": "ref.fa", "build": "b37-chr20", "ignore_contigs": ["*"]},
        "scatter": {"people_per_batch": 1},
    }


def _sheets(folder: Path, sexes: dict[str, str], inputs: list[tuple[str, str, Path]]) -> None:
    people = "".join(f"{name}\t{sex}\tEE\n" for name, sex in sexes.items())
    (folder / "samples.tsv").write_text("sample_id\tsex\tcountry_code\n" + people)
    rows = "".join(f"{name}\t{kind}\t{path}\n" for name, kind, path in inputs)
    (folder / "inputs.tsv").write_text("sample_id\tinput_type\tpath\n" + rows)


def carried(path: Path, fasta: Path, sample: str = "") -> dict[Allele, str]:
    """Normalised allele -> genotype, of the alleles the person (or any) carries: split, left-aligned, trimmed."""
    columns = ["-s", sample] if sample else []
    view = subprocess.Popen(["bcftools", "view", "-Ou", *columns, str(path)], stdout=subprocess.PIPE)
    norm = subprocess.run(
        ["bcftools", "norm", "-m", "-any", "-c", "w", "-f", str(fasta), "-Ov", "-"],
        stdin=view.stdout,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    assert view.wait() == 0
    found = {}
    for line in norm.stdout.splitlines():
        if line.startswith("#"):
            continue
        cells = line.split("\t")
        alt = cells[4]
        genotypes = [cell.split(":")[0].replace("|", "/") for cell in cells[9:]]
        if alt not in (".", "*", "<*>", "<NON_REF>") and any("1" in g.split("/") for g in genotypes):
            found[int(cells[1]), cells[3], alt] = " ".join(genotypes)
    return found


def alleles(path: Path) -> set[Allele]:
    """The alleles of a file of sites, one a record."""
    rows = _run("bcftools", "query", "-f", "%POS\t%REF\t%ALT\n", str(path)).splitlines()
    return {(int(position), ref, alt) for position, ref, alt in (row.split("\t") for row in rows)}


def region_files(folder: Path, stage: str) -> list[Path]:
    """The BCF of every region of a stage."""
    return sorted((folder / "work" / stage).glob("*.bcf"))


def carried_anywhere(paths: list[Path], fasta: Path, sample: str = "") -> dict[Allele, str]:
    found = {}
    for path in paths:
        found |= carried(path, fasta, sample)
    return found


def inside(alleles, bed: Path) -> set[Allele]:
    """The alleles whose bases of REF all lie in the intervals."""
    intervals = [tuple(map(int, line.split()[1:3])) for line in bed.read_text().splitlines()]
    return {a for a in alleles if any(s < a[0] and a[0] + len(a[1]) - 1 <= e for s, e in intervals)}
