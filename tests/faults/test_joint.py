"""People from different files in one cohort: what merging must not lose, whatever the batches and regions."""

import subprocess
from pathlib import Path

import pytest
from goe.frequencies import counts
from goe.harmonise import files as harmonised
from helpers.workflow import snakemake, write_config

pytestmark = pytest.mark.slow

HEAD = """##fileformat=VCFv4.2
##FILTER=<ID=LowQual,Description="Low quality">
##contig=<ID=chr1,length=3000>
##ALT=<ID=NON_REF,Description="Any other allele">
##ALT=<ID=DEL,Description="Deletion">
##INFO=<ID=END,Number=1,Type=Integer,Description="Last position">
##INFO=<ID=QD,Number=1,Type=Float,Description="Quality by depth">
##INFO=<ID=DP,Number=1,Type=Integer,Description="Depth">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">
##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Quality">
##FORMAT=<ID=AD,Number={ad},Type=Integer,Description="Reads of each allele">
##FORMAT=<ID=PL,Number=G,Type=Integer,Description="Likelihoods">
"""
SEQUENCE = "ACGTTGCATC" * 300
# Added to every position below, so that position 300, where a deletion starts, ends a region of 1000 bases.
SHIFT = 700


def base(pos: int, n: int = 1) -> str:
    return SEQUENCE[pos + SHIFT - 1 : pos + SHIFT - 1 + n]


def other(pos: int) -> str:
    return {"A": "G", "G": "A", "C": "T", "T": "C"}[base(pos)]


def block(start: int, end: int, values: str = "0/0:30:90") -> str:
    return f"chr1\t{start + SHIFT}\t.\t{base(start)}\t<NON_REF>\t.\t.\tEND={end + SHIFT}\tGT:DP:GQ\t{values}"


def record(pos, ref, alt, *values, qual="60", filters=".", info="."):
    return "\t".join(["chr1", str(pos + SHIFT), ".", ref, alt, qual, filters, info, "GT:DP:GQ:AD", *values])


def snv(pos: int, values: str = "0/1:30:90:15,15", **more) -> str:
    return record(pos, base(pos), other(pos), values, **more)


def packed(path: Path, samples: list[str], rows: list[str], ad: str = "R") -> Path:
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples]
    text = HEAD.format(ad=ad) + "\n".join(["\t".join(columns), *rows]) + "\n"
    subprocess.run(["bcftools", "view", "-Oz", "-o", str(path), "-"], input=text.encode(), check=True)
    subprocess.run(["bcftools", "index", "-f", "-t", str(path)], check=True)
    return path


def cohort(folder: Path, people_per_batch: int, region_size: int) -> Path:
    """Four gVCFs, one VCF and a joint VCF of two, run to the cohort BCFs."""
    folder.mkdir()
    (folder / "ref.fa").write_text(f">chr1\n{SEQUENCE}\n")
    subprocess.run(["samtools", "faidx", str(folder / "ref.fa")], check=True)
    deletion = record(300, base(300, 5), base(300), "0/1:30:90:14,16")
    poor = snv(400, filters="LowQual")
    files = {
        "A": [block(1, 199), snv(200), block(201, 299), deletion, block(305, 399), poor, block(401, 2000)],
        "B": [
            block(1, 199),
            record(200, base(200), base(200) + "GG", "0/1:20:90:10,10"),
            block(201, 299),
            snv(300),
            snv(301),
            block(302, 600, "0/0:22:62"),
        ],
        "C": [block(1, 2000, "0/0:12:50")],
        "D": [block(1, 302), snv(303), block(304, 2000, "0/0:31:70")],
    }
    rows = [(name, "gvcf", packed(folder / f"{name}.g.vcf.gz", [name], lines, ".")) for name, lines in files.items()]
    single = [snv(200, "1/1:30:90:0,30"), snv(700, "0/1:30:90:15,15", filters="LowQual")]
    rows.append(("V", "vcf", packed(folder / "V.vcf.gz", ["V"], single)))
    joint = [
        record(200, base(200), other(200), "0/1:30:90:15,15", "0/0:30:90:30,0", info="QD=3.5;DP=60"),
        record(400, base(400), other(400), "0/0:30:90:30,0", "1/1:30:90:0,30"),
        record(400, base(400), base(400) + "TT", "0/1:30:90:15,15", "0/0:30:90:30,0"),
        record(500, base(500), f"{other(500)},*", "0/1:30:90:15,15,0", "0/2:30:90:15,0,15", filters="LowQual"),
        record(900, base(900), ".", "0/0:30:90:30", "0/0:30:90:30"),
        record(950, base(950), "<DEL>", "0/1:30:90:15,15", "0/0:30:90:30,0"),
    ]
    rows.append(("", "joint_vcf", packed(folder / "joint.vcf.gz", ["J2", "J1"], joint)))
    people = "".join(f"{name}\tF\tEE\n" for name in ("A", "B", "C", "D", "V", "J1", "J2"))
    (folder / "samples.tsv").write_text("sample_id\tsex\tcountry_code\n" + people)
    lines = "".join(f"{name}\t{kind}\t{path}\n" for name, kind, path in rows)
    (folder / "inputs.tsv").write_text("sample_id\tinput_type\tpath\n" + lines)
    write_config(
        folder,
        reference={"fasta": "ref.fa", "build": "mini"},
        scatter={"people_per_batch": people_per_batch, "region_size": region_size},
    )
    snakemake(folder, "harmonised").ok()
    return folder


def query(folder: Path, stage: str, form: str) -> list[str]:
    paths = sorted((folder / "work" / stage).glob("chr1_*.bcf"), key=lambda p: int(p.name.split("_")[1]))
    found = []
    for path in paths:
        run = subprocess.run(["bcftools", "query", "-f", form, str(path)], check=True, capture_output=True, text=True)
        found += run.stdout.splitlines()
    return found


def genotypes(folder: Path) -> dict[str, dict[str, str]]:
    """Site allele -> person -> genotype after harmonising."""
    found: dict[str, dict[str, str]] = {}
    for line in query(folder, "harmonise", r"%POS %REF %ALT[\t%SAMPLE=%GT]\n"):
        site, *calls = line.split("\t")
        found[site] = dict(call.split("=") for call in calls)
    return found


def filters(folder: Path) -> dict[str, list[str]]:
    """Site allele -> FILTER of the input where everybody counts."""
    found: dict[str, list[str]] = {}
    for path in sorted((folder / "work/harmonise").glob("chr1_*.bcf")):
        with harmonised.open_harmonised(path) as reader:
            keep = {i: {"country_code": "EE", "count_sex": "F", "keep": "yes"} for i in reader.header.samples}
            leaves = counts.Leaves.of_keep(reader.header.samples, keep, path.name)
            for batch in counts.count(reader, leaves, raw=False):
                found |= {f"{r['pos']} {r['ref']} {r['alt']}": r["filters"] for r in batch.to_pylist()}
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return cohort(tmp_path_factory.mktemp("joint") / "whole", 64, 3000)


@pytest.fixture(scope="module")
def cut(tmp_path_factory) -> Path:
    """Batches of one person, and regions of which one ends in blocks and with the first base of the deletion."""
    return cohort(tmp_path_factory.mktemp("joint") / "cut", 1, 1000)


def test_batches_and_regions_change_nothing(whole, cut):
    assert len(list((cut / "work/joint/sites").glob("*.bcf"))) == 3
    assert genotypes(whole) == genotypes(cut)


@pytest.mark.parametrize(
    ("pos", "expected"),
    [
        (200, {"A": "0/1", "B": "0/0", "C": "0/0", "D": "0/0", "V": "1/1", "J1": "0/0", "J2": "0/1"}),
        (301, {"A": "./.", "B": "0/1", "C": "0/0", "D": "0/0", "V": "./.", "J1": "./.", "J2": "./."}),
        (303, {"A": "./.", "B": "0/0", "C": "0/0", "D": "0/1", "V": "./.", "J1": "./.", "J2": "./."}),
        (400, {"A": "0/1", "B": "0/0", "C": "0/0", "D": "0/0", "V": "./.", "J1": "1/1", "J2": "0/0"}),
        (500, {"A": "0/0", "B": "0/0", "C": "0/0", "D": "0/0", "V": "./.", "J1": "0/0", "J2": "0/1"}),
        (700, {"A": "0/0", "B": "./.", "C": "0/0", "D": "0/0", "V": "0/1", "J1": "./.", "J2": "./."}),
    ],
)
def test_who_is_called(whole, pos, expected):
    """A block is a reference call, an absent site is one only where a block covers it."""
    assert genotypes(whole)[f"{pos + SHIFT} {base(pos)} {other(pos)}"] == expected


def test_records_of_the_joint_vcf_survive(whole):
    rows = [line.split("\t") for line in query(whole, "joint", r"%POS\t%ALT\t%FILTER\t%INFO/QD\n")]
    by_alt = {(int(row[0]) - SHIFT, alt): row for row in rows for alt in row[1].split(",")}
    assert sum(row[0] == str(400 + SHIFT) for row in rows) == 2
    assert by_alt[500, "*"][2] == "LowQual"
    assert by_alt[200, other(200)][3] == "3.5"
    assert (900, ".") in by_alt and (950, "<DEL>") in by_alt


@pytest.mark.parametrize(
    ("pos", "expected"),
    [
        (400, []),  # a person of the joint VCF carries it too, and passes
        (500, ["LowQual"]),  # of the site, in the joint VCF
        (700, ["LowQual"]),  # of its only carrier
    ],
)
def test_filter_is_of_the_joint_vcf_or_of_all_carriers(whole, cut, pos, expected):
    found = [filters(folder)[f"{pos + SHIFT} {base(pos)} {other(pos)}"] for folder in (whole, cut)]
    assert found == [expected, expected]


def test_filters_are_the_same_in_batches(whole, cut):
    assert filters(whole) == filters(cut)


def test_columns_are_sorted(cut):
    path = next((cut / "work/joint").glob("chr1_*.bcf"))
    run = subprocess.run(["bcftools", "query", "-l", str(path)], check=True, capture_output=True, text=True)
    assert run.stdout.split() == ["A", "B", "C", "D", "J1", "J2", "V"]
