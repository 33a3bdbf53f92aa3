"""People from different files in one cohort: what merging must not lose, whatever the batches and regions."""

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from goe.core.ledger import Ledger
from goe.frequencies import counts, everybody
from goe.genome.build import Build, Region
from helpers import own_counting, plain_people
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
BUILD = Build("mini", {"chr1": len(SEQUENCE)}, [])
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


def insertion(pos: int, values: str, added: str = "GG") -> str:
    return record(pos, base(pos), base(pos) + added, values)


def packed(path: Path, samples: list[str], rows: list[str], ad: str = "R", head: str = HEAD) -> Path:
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples]
    text = head.format(ad=ad) + "\n".join(["\t".join(columns), *rows]) + "\n"
    subprocess.run(["bcftools", "view", "-Oz", "-o", str(path), "-"], input=text.encode(), check=True)
    subprocess.run(["bcftools", "index", "-f", "-t", str(path)], check=True)
    return path


def between(rows: dict[int, list[str]], values: str = "0/0:30:90") -> list[str]:
    """Rows by position, and blocks between the positions from 1 to 2000."""
    lines, start = [], 1
    for pos, here in sorted(rows.items()):
        lines += [block(start, pos - 1, values)] if start < pos else []
        lines += here
        start = pos + 1
    return [*lines, block(start, 2000, values)]


# The thresholds are 8 reads and a GQ of 15.
GOOD = "0/1:30:90:15,15"
# Of the first person, who carries an SNV wherever the second one is asked about.
E = {
    1000: [snv(1000, "0/1:30:90:15,15"), insertion(1000, "0/1:30:10:15,15")],
    1010: [snv(1010, "0/1:9:90:1,8"), insertion(1010, "0/1:30:90:15,15")],
    1020: [snv(1020, "1/1:30:90:0,30"), insertion(1020, "0/1:30:90:15,15")],
    1510: [record(1510, base(1510), base(1510) + "A", GOOD)],
} | {p: [snv(p)] for p in (1100, 1120, 1205, 1215, 1225, 1235, 1340, 1360, 1383, 1400, 1410, 1420, 1502)}
# The second: thresholds, rows within blocks and within longer rows.
F = [
    block(1, 1199),
    block(1200, 1209, "0/0:8:90"),
    block(1210, 1219, "0/0:7:90"),
    block(1220, 1229, "0/0:30:15"),
    block(1230, 1239, "0/0:30:14"),
    block(1240, 1299),
    block(1300, 1379),
    snv(1350),
    record(1380, base(1380, 5), base(1380), "0/0:30:90:30,0"),
    snv(1382),
    block(1385, 1499),
    record(1500, base(1500, 5), base(1500), "0/0:30:90:30,0"),
    snv(1502, "0/1:5:90:2,3"),
    block(1505, 2000),
]
FLOATS = HEAD.replace("ID=DP,Number=1,Type=Integer", "ID=DP,Number=1,Type=Float").replace(
    "ID=GQ,Number=1,Type=Integer", "ID=GQ,Number=1,Type=Float"
)
LENGTHS = HEAD.replace("VCFv4.2", "VCFv4.5") + '##FORMAT=<ID=LEN,Number=1,Type=Integer,Description="Length">\n'
GQX = HEAD + '##FORMAT=<ID=GQX,Number=1,Type=Integer,Description="Least quality">\n'


def respelled(line: str, **fields) -> str:
    """A block with other FORMAT fields."""
    columns = line.split("\t")[:8]
    if "LEN" in fields:
        columns[7] = "."
    return "\t".join([*columns, ":".join(fields), ":".join(fields.values())])


ODD = {
    "G": (FLOATS, between({1410: [record(1410, base(1410), other(1410), "0/0:.:90:30,0")]}, "0/0:30.0:90.5")),
    "H": (LENGTHS, [respelled(block(1, 2000), GT="0/0", DP="30", GQ="90", LEN="2000")]),
    "I": (GQX, [respelled(block(1, 2000), GT="0/0", DP="30", GQX="90")]),
}
# Rows of one position, and one that `bcftools norm -m-` has split; then FILTERs of alleles that only others have.
JOINT_CASES = [
    record(1100, base(1100), other(1100), GOOD, "0/0:30:90:30,0"),
    record(1100, base(1100), base(1100) + "TT", "0/0:30:90:30,0", "0/1:30:90:15,15"),
    record(1120, base(1120), other(1120), GOOD, "./.:.:.:."),
    record(1130, base(1130), other(1130), "0/1:30:90:15,15", "0/0:30:90:30,0"),
    record(1130, base(1130), base(1130) + "T", "0/1:30:90:15,15", "0/0:30:90:30,0"),
    record(1500, base(1500, 4), base(1500), GOOD, "0/0:30:90:30,0"),
    record(1510, base(1510), other(1510), GOOD, "0/0:30:90:30,0", filters="LowQual"),
]
NAMES = ("A", "B", "C", "D", "E", "F", "G", "H", "I", "J1", "J2", "V")


def cohort(folder: Path, people_per_batch: int, region_size: int) -> Path:
    """Nine gVCFs, one VCF and a joint VCF of two, run to the genotypes of everybody."""
    folder.mkdir()
    (folder / "ref.fa").write_text(f">chr1\n{SEQUENCE}\n")
    (folder / "par.bed").write_text("")
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
        "E": between(E),
        "F": F,
    }
    rows = [(name, "gvcf", packed(folder / f"{name}.g.vcf.gz", [name], lines, ".")) for name, lines in files.items()]
    for name, (head, lines) in ODD.items():
        rows.append((name, "gvcf", packed(folder / f"{name}.g.vcf.gz", [name], lines, ".", head)))
    single = [snv(200, "1/1:30:90:0,30"), snv(700, "0/1:30:90:15,15", filters="LowQual")]
    rows.append(("V", "vcf", packed(folder / "V.vcf.gz", ["V"], single)))
    joint = [
        record(200, base(200), other(200), "0/1:30:90:15,15", "0/0:30:90:30,0", info="QD=3.5;DP=60"),
        record(400, base(400), other(400), "0/0:30:90:30,0", "1/1:30:90:0,30"),
        record(400, base(400), base(400) + "TT", "0/1:30:90:15,15", "0/0:30:90:30,0"),
        record(500, base(500), f"{other(500)},*", "0/1:30:90:15,15,0", "0/2:30:90:15,0,15", filters="LowQual"),
        record(900, base(900), ".", "0/0:30:90:30", "0/0:30:90:30"),
        record(950, base(950), "<DEL>", "0/1:30:90:15,15", "0/0:30:90:30,0"),
        *JOINT_CASES,
    ]
    rows.append(("", "joint_vcf", packed(folder / "joint.vcf.gz", ["J2", "J1"], joint)))
    people = "".join(f"{name}\tF\tEE\n" for name in NAMES)
    (folder / "samples.tsv").write_text("sample_id\tsex\tcountry_code\n" + people)
    lines = "".join(f"{name}\t{kind}\t{path.name}\n" for name, kind, path in rows)
    (folder / "inputs.tsv").write_text("sample_id\tinput_type\tpath\n" + lines)
    write_config(
        folder,
        reference={"fasta": "ref.fa", "build": "mini"},
        genotype_filter={"min_dp": 8, "min_gq": 15},
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
    for line in query(folder, "harmonised", r"%POS %REF %ALT[\t%SAMPLE=%GT]\n"):
        site, *calls = line.split("\t")
        assert site not in found
        found[site] = dict(call.split("=") for call in calls)
    return found


def told(folder: Path, pos: int, alt: str, ref: str = "") -> dict[str, str]:
    """Person -> genotype of a site allele, by its position before the shift."""
    return genotypes(folder)[f"{pos + SHIFT} {ref or base(pos)} {alt}"]


def counted(folder: Path) -> list[dict]:
    """Rows of goe.frequencies.counts where everybody counts."""
    work, rows = folder / "work/harmonise", []
    keep = {i: {"country_code": "EE", "count_sex": "F", "keep": "yes"} for i in NAMES}
    tables = {t: sorted(map(str, (work / "batch").glob(f"*.{t}.parquet"))) for t in ("sites", "rows", "runs")}
    for path in sorted((work / "joint/0").glob("chr1_*.bcf"), key=lambda p: int(p.name.split("_")[1])):
        region, ledger = Region.parse(path.stem), Ledger(path.stem)
        with everybody.opened(str(path), SimpleNamespace(**tables), BUILD, region, keep) as cohort:
            for some in counts.count(cohort, counts.Leaves.of_keep(cohort.ids, keep, path.stem), ledger):
                rows += some.to_pylist()
        ledger.check()
    return rows


def filters(folder: Path) -> dict[str, list[str]]:
    """Site allele -> FILTER of the input where everybody counts."""
    return {f"{r['pos']} {r['ref']} {r['alt']}": r["filters"] for r in counted(folder)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return cohort(tmp_path_factory.mktemp("joint") / "whole", 64, 3000)


@pytest.fixture(scope="module")
def cut(tmp_path_factory) -> Path:
    """Batches of one person, and regions of which one ends in blocks and with the first base of the deletion."""
    return cohort(tmp_path_factory.mktemp("joint") / "cut", 1, 1000)


def test_batches_and_regions_change_nothing(whole, cut):
    found = [[len(list((f / "work/harmonise/batch").glob("*.sites.parquet"))) for f in (whole, cut)]]
    found.append([len(list((f / "work/harmonised").glob("*.bcf"))) for f in (whole, cut)])
    assert found[0][0] == found[1][0] == 1 and found[0][1] > 4 and found[1][1] == 3
    assert genotypes(whole) == genotypes(cut)
    assert counted(whole) == counted(cut)


def test_counts_are_those_of_a_plain_count_person_by_person(whole):
    expected = plain_people.count(whole, min_dp=8, min_gq=15)
    assert own_counting.leaf_counts(counted(whole)) == {
        site: {leaf: found for leaf, found in leaves.items() if any(found)} for site, leaves in expected.items()
    }


def test_counts_are_those_of_the_genotypes(whole):
    found = genotypes(whole)
    rows = counted(whole)
    assert len(rows) == len(found)
    for row in rows:
        calls = found[f"{row['pos']} {row['ref']} {row['alt']}"].values()
        for name, among in {"dip": ("0/0", "0/1", "1/1"), "het": ("0/1",), "hom": ("1/1",)}.items():
            assert row[f"{name}_EE_F"] == sum(call in among for call in calls), (row["pos"], row["alt"])


@pytest.mark.parametrize(
    ("pos", "expected"),
    [
        (200, {"A": "0/1", "B": "0/0", "C": "0/0", "D": "0/0", "V": "1/1", "J1": "0/0", "J2": "0/1"}),
        (301, {"A": "0/0", "B": "0/1", "C": "0/0", "D": "0/0", "V": "./.", "J1": "./.", "J2": "./."}),
        (303, {"A": "0/0", "B": "0/0", "C": "0/0", "D": "0/1", "V": "./.", "J1": "./.", "J2": "./."}),
        (400, {"A": "0/1", "B": "0/0", "C": "0/0", "D": "0/0", "V": "./.", "J1": "1/1", "J2": "0/0"}),
        (500, {"A": "0/0", "B": "0/0", "C": "0/0", "D": "0/0", "V": "./.", "J1": "0/0", "J2": "0/1"}),
        (700, {"A": "0/0", "B": "./.", "C": "0/0", "D": "0/0", "V": "0/1", "J1": "./.", "J2": "./."}),
    ],
)
def test_who_is_called(whole, pos, expected):
    """A block is a reference call, and so is a longer row of one's own; an absent site is one only where these cover
    it."""
    assert told(whole, pos, other(pos)).items() >= expected.items()


def test_two_rows_of_one_person_at_one_position_pass_the_filter_each_by_itself(whole):
    """An SNV beside an insertion of GQ 10; one that fails beside a good insertion; two that are both good."""
    found = [(told(whole, p, other(p))["E"], told(whole, p, base(p) + "GG")["E"]) for p in (1000, 1010, 1020)]
    assert found == [("0/1", "./."), ("./.", "0/1"), ("1/1", "0/1")]


def test_rows_of_a_joint_vcf_at_one_position_are_each_of_their_allele(whole):
    """Beside a gVCF that lists one of them, where `norm -m-` split a record, and where somebody is missing."""
    snv_of, longer = told(whole, 1100, other(1100)), told(whole, 1100, base(1100) + "TT")
    assert [snv_of[i] for i in ("J2", "J1", "E", "C", "V")] == ["0/1", "0/0", "0/1", "0/0", "./."]
    assert [longer[i] for i in ("J2", "J1", "E", "C", "V")] == ["0/0", "0/1", "0/0", "0/0", "./."]
    assert [told(whole, 1120, other(1120))[i] for i in ("J2", "J1", "E")] == ["0/1", "./.", "0/1"]
    split = [told(whole, 1130, alt) for alt in (other(1130), base(1130) + "T")]
    assert [[one[i] for i in ("J2", "J1", "C")] for one in split] == [["0/1", "0/0", "0/0"]] * 2


def test_blocks_on_both_sides_of_a_threshold_are_not_one(whole):
    """8 reads and 7, GQ 15 and 14."""
    found = [told(whole, p, other(p))["F"] for p in (1205, 1215, 1225, 1235)]
    assert found == ["0/0", "./.", "0/0", "./."]


def test_a_block_goes_on_behind_a_row_within_it(whole):
    """And so does a longer row: a deletion that its person does not carry, with an SNV inside."""
    assert [told(whole, p, other(p))["F"] for p in (1340, 1350, 1360)] == ["0/0", "0/1", "0/0"]
    assert [told(whole, p, other(p))["F"] for p in (1382, 1383)] == ["0/1", "0/0"]


def test_fields_are_read_however_they_are_declared(whole):
    """GQ and DP as Float, no DP but AD, blocks that LEN ends, GQX in place of GQ."""
    found = [told(whole, p, other(p)) for p in (1400, 1410, 1420)]
    assert [[one[i] for i in "GHI"] for one in found] == [["0/0"] * 3] * 3


def test_nobody_is_judged_by_where_others_have_rows(whole):
    """The deletion is the joint file's; the own SNV within it fails, whatever longer row covers it."""
    assert told(whole, 1500, base(1500), base(1500, 4))["F"] == "0/0"
    assert told(whole, 1502, other(1502))["F"] == "./."
    assert told(whole, 1502, other(1502))["E"] == "0/1"
    # FILTER of the joint VCF is of the alleles that it lists.
    found = filters(whole)
    assert found[f"{1510 + SHIFT} {base(1510)} {other(1510)}"] == ["LowQual"]
    assert found[f"{1510 + SHIFT} {base(1510)} {base(1510)}A"] == []


def test_records_of_the_joint_vcf_survive(whole):
    """With rows that list no allele that counts: they tell where these people are called."""
    rows = [line.split("\t") for line in query(whole, "harmonise/joint/0", r"%POS\t%ALT\t%FILTER\t%INFO/QD\n")]
    by_alt = {(int(row[0]) - SHIFT, row[1]): row for row in rows}
    assert {(400, other(400)), (400, base(400) + "TT")} <= by_alt.keys()
    assert by_alt[500, other(500)][2] == "LowQual"
    assert by_alt[200, other(200)][3] == "3.5"
    assert (900, ".") in by_alt and (950, ".") in by_alt


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


def test_columns_are_sorted(cut):
    path = next((cut / "work/harmonised").glob("chr1_*.bcf"))
    run = subprocess.run(["bcftools", "query", "-l", str(path)], check=True, capture_output=True, text=True)
    assert run.stdout.split() == list(NAMES)
