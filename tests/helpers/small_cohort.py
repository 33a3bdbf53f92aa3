"""Six people on 5 kb, four of them in a joint VCF: the smallest cohort that leaves a release, in 49 jobs."""

import subprocess
from pathlib import Path

import pysam

from helpers.workflow import write_config

CONTIGS = {"chr20": 3000, "chrX": 2000}
BASES = "ACGT"
HEAD = """##fileformat=VCFv4.3
##FILTER=<ID=Weak,Description="x">
##ALT=<ID=NON_REF,Description="x">
##INFO=<ID=END,Number=1,Type=Integer,Description="x">
##INFO=<ID=QD,Number=1,Type=Float,Description="x">
##FORMAT=<ID=GT,Number=1,Type=String,Description="x">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="x">
##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="x">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="x">
"""
PEOPLE = {"a": ("F", "EE"), "b": ("M", "EE"), "c": ("F", "FI"), "d": ("M", "FI"), "g": ("F", "EE"), "v": ("M", "FI")}


def base(pos: int) -> str:
    """The reference at a position: no two neighbours alike."""
    return BASES[pos % 4]


def alt(pos: int) -> str:
    return BASES[(pos + 1) % 4]


def vcf(path: Path, people: str, records: list[str]) -> None:
    lines = [f"##contig=<ID={c},length={n}>" for c, n in CONTIGS.items()]
    lines += ["\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *people]), *records]
    text = (HEAD + "\n".join(lines) + "\n").encode()
    path.write_bytes(subprocess.run(["bgzip", "-c"], input=text, capture_output=True, check=True).stdout)
    subprocess.run(["tabix", "-f", "-p", "vcf", path], check=True)


def joint(path: Path, x_from: int = 1000) -> None:
    """Four people; their GQ, depth and balance differ from record to record. chrX has records from `x_from` on."""
    records = []
    for n, (contig, pos) in enumerate(
        [("chr20", p) for p in range(100, 3000, 50)] + [("chrX", p) for p in range(x_from, 2000, 50)]
    ):
        calls = []
        for i in range(4):
            gt = ("0/0", "0/1", "1/1", "0/0")[(n + i) % 4 if contig == "chr20" or i % 2 == 0 else (n + i) % 2 * 2]
            ad = {"0/0": "30,0", "0/1": "21,9" if n % 3 else "15,15", "1/1": "0,30"}[gt]
            calls.append(f"{gt}:30:{(15, 30, 50, 99)[(n // 4 + i) % 4]}:{ad}")
        cells = [contig, str(pos), ".", base(pos), alt(pos), "50", "Weak" if n % 7 == 0 else "PASS", "QD=3"]
        records.append("\t".join([*cells, "GT:DP:GQ:AD", *calls]))
    vcf(path, "abcd", records)


def gvcf(path: Path, person: str, carried=(500, 1500)) -> None:
    records, start = [], 1
    for pos in (*carried, CONTIGS["chr20"] + 1):
        if start < pos:
            records.append(
                f"chr20\t{start}\t.\t{base(start)}\t<NON_REF>\t.\t.\tEND={pos - 1}\tGT:DP:GQ:AD\t0/0:30:60:30,0"
            )
        if pos <= CONTIGS["chr20"]:
            records.append(
                f"chr20\t{pos}\t.\t{base(pos)}\t{alt(pos)},<NON_REF>\t50\t.\tQD=9\tGT:DP:GQ:AD\t0/1:30:60:15,15,0"
            )
        start = pos + 1
    records.append(f"chrX\t1\t.\t{base(1)}\t<NON_REF>\t.\t.\tEND=2000\tGT:DP:GQ:AD\t0/0:30:60:30,0")
    vcf(path, person, records)


def sheets(folder: Path, people=PEOPLE, own=(("g", "gvcf", "g.vcf.gz"), ("v", "vcf", "v.vcf.gz")), gone=()) -> None:
    rows = ["sample_id\tsex\tcountry_code\tplatform\twithdrawn"]
    rows += [f"{name}\t{sex}\t{country}\tP\t{'yes' if name in gone else ''}" for name, (sex, country) in people.items()]
    (folder / "samples.tsv").write_text("\n".join(rows) + "\n")
    rows = ["sample_id\tinput_type\tpath", "\tjoint_vcf\tjoint.vcf.gz", *("\t".join(row) for row in own)]
    (folder / "inputs.tsv").write_text("\n".join(rows) + "\n")


def write(folder: Path) -> None:
    sequences = {c: "".join(base(p) for p in range(1, n + 1)) for c, n in CONTIGS.items()}
    (folder / "ref.fa").write_text("".join(f">{c}\n{s}\n" for c, s in sequences.items()))
    pysam.faidx(str(folder / "ref.fa"))
    (folder / "par.bed").write_text("chrX\t0\t200\n")
    (folder / "low.bed").write_text("chr20\t0\t1000\n")
    joint(folder / "joint.vcf.gz")
    gvcf(folder / "g.vcf.gz", "g")
    vcf(
        folder / "v.vcf.gz",
        "v",
        [f"chr20\t700\t.\t{base(700)}\t{alt(700)}\t50\tPASS\tQD=9\tGT:DP:GQ:AD\t0/1:30:60:15,15"],
    )
    sheets(folder)
    write_config(
        folder,
        reference={"fasta": "ref.fa", "build": "toy", "par": "par.bed"},
        annotations={"regions": {"lcr": "low.bed"}},
        variant_qc={"regions": ["lcr"], "min_call_rate": 0.5},
    )
