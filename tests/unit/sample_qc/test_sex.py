"""Sex chromosomes by the data."""

import subprocess

import pysam
import pytest
from goe.calls import joint
from goe.calls.own_file import OwnFile
from goe.genome.build import Build, Region
from goe.genome.fasta import Reference
from goe.harmonise import person, records, schemas
from goe.harmonise.genotypes import Filter
from goe.rules import sample_thresholds as sample_rules
from goe.sample_qc import sex


@pytest.fixture(scope="module")
def limits(repo):
    folder = repo / "resources/guidelines"
    return sample_rules.load([folder / "sample_qc.tsv", folder / "inference.tsv"]).parameters


@pytest.mark.parametrize(
    ("x_depth", "y_depth", "x_het", "expected"),
    [
        (1.0, 0.02, 1.0, sex.XX),
        (0.5, 0.45, 0.02, sex.XY),
        (0.5, 0.0, 0.0, sex.X0),
        (1.0, 0.5, 0.9, sex.XXY),
        (0.5, 1.0, 0.0, sex.XYY),
        (1.0, 0.0, 0.05, sex.XX),  # runs of homozygosity over the whole of X
        (0.5, 0.5, 0.7, sex.AMBIGUOUS),  # hets on what by depth is a single X
        (0.72, 0.5, None, sex.AMBIGUOUS),
        (0.1, 0.0, None, sex.AMBIGUOUS),
        (0.3, 0.0, None, sex.X0),
        (0.72, 0.5, 0.0, sex.XY),  # depth of genotypes unclear, hets clear
        (1.0, 0.15, 1.0, sex.AMBIGUOUS),
        (1.0, 1.0, 1.0, sex.AMBIGUOUS),
        (1.5, 0.0, 1.0, sex.XXX),
        (1.5, None, 1.0, sex.XXX),
        (1.5, 0.5, 1.0, sex.AMBIGUOUS),
        (1.25, 0.0, 1.0, sex.XX),
        (None, None, 1.0, sex.XX),
        (0.5, None, 0.0, sex.XY),
        (None, 0.5, None, sex.UNKNOWN),
        (None, None, None, sex.UNKNOWN),
    ],
)
def test_karyotypes(limits, x_depth, y_depth, x_het, expected):
    assert sex.infer(sex.Evidence(x_depth, y_depth, x_het), limits)[0] == expected


@pytest.mark.parametrize(
    ("cells", "x_depth", "y_depth", "x_het", "expected"),
    [
        ("45,X/46,XX 25 %", 0.875, 0.005, 1.0, sex.XX),
        ("45,X/46,XX 45 %", 0.775, 0.005, 1.0, sex.AMBIGUOUS),
        ("45,X/46,XX 50 %", 0.75, 0.005, 1.0, sex.AMBIGUOUS),
        ("45,X/46,XX 60 %", 0.70, 0.005, 0.9, sex.AMBIGUOUS),
        ("46,XY/47,XXY 50 %", 0.75, 0.45, 0.9, sex.AMBIGUOUS),
        ("46,XY/47,XXY 50 %, hets not called", 0.75, 0.45, 0.05, sex.AMBIGUOUS),
        # A normal depth may be off by a tenth of itself, as with uneven GC or mapping, and is still told.
        ("46,XY", 0.46, 0.40, 0.02, sex.XY),
        ("46,XY", 0.54, 0.50, 0.05, sex.XY),
        ("46,XX", 0.90, 0.005, 1.0, sex.XX),
        ("46,XX, X homozygous", 0.95, 0.005, 0.05, sex.XX),
    ],
)
def test_depth_of_reads_between_one_and_two_x_is_ambiguous(limits, cells, x_depth, y_depth, x_het, expected):
    """Whatever the hets say: cells with one X among cells with two are neither one nor two."""
    assert sex.infer(sex.Evidence(x_depth, y_depth, x_het, True), limits)[0] == expected, cells


@pytest.mark.parametrize(
    ("sheet", "inferred", "expected"),
    [
        ("M", sex.XY, ("M", None)),
        ("F", sex.XX, ("F", None)),
        ("F", sex.XY, ("U", "sex_mismatch")),
        ("M", sex.XX, ("U", "sex_mismatch")),
        ("M", sex.XXY, ("U", "sex_aneuploid")),
        ("F", sex.XXX, ("U", "sex_aneuploid")),
        ("U", sex.X0, ("U", "sex_aneuploid")),
        ("F", sex.AMBIGUOUS, ("U", "sex_ambiguous")),
        ("U", sex.XX, ("U", None)),  # nobody is relabelled
        ("F", sex.UNKNOWN, ("F", None)),
    ],
)
def test_sheet_against_data(sheet, inferred, expected):
    assert sex.judge(sheet, inferred) == expected


def counters(records, called, het, hom, depth, said=None):
    return {
        "n_records": records,
        "n_called": called,
        "n_het": het,
        "n_hom_alt": hom,
        "sum_dp": called * depth,
        "n_dp": called if depth else 0,
        "n_said": records if said is None else said,
    }


def test_evidence_from_genotypes(limits):
    classes = {1: counters(1000, 1000, 60, 40, 30), 2: counters(100, 100, 0, 30, 15), 3: counters(50, 50, 0, 9, 15)}
    assert sex.evidence(classes, {}, "gvcf", True, limits) == sex.Evidence(0.5, 0.5, 0.0)


def test_depth_of_reads_goes_before_that_of_genotypes(limits):
    classes = {1: counters(1000, 1000, 60, 40, 30), 2: counters(100, 100, 36, 24, 15)}
    tools = {"x_depth_ratio": 0.98, "y_depth_ratio": 0.01}
    assert sex.evidence(classes, tools, "cram", False, limits) == sex.Evidence(0.98, 0.01, 1.0, True)


def test_reads_without_any_on_x_say_nothing_of_it(limits):
    """A CRAM of some chromosomes only is not the CRAM of somebody with a single X."""
    seen = sex.evidence({}, {"x_depth_ratio": 0.0, "y_depth_ratio": 0.0}, "cram", False, limits)
    assert sex.infer(seen, limits) == (sex.UNKNOWN, "no X data, Y alone is not enough")


def test_reads_without_any_on_y_are_no_x0(limits):
    """A man's CRAM without chrY; a few reads map there even where there is no Y."""
    for y, expected in ((0.0, (sex.XY, "by X alone, no Y data")), (0.004, (sex.X0, ""))):
        seen = sex.evidence({}, {"x_depth_ratio": 0.5, "y_depth_ratio": y}, "cram", False, limits)
        assert sex.infer(seen, limits) == expected
    seen = sex.evidence({}, {"x_depth_ratio": 1.0, "y_depth_ratio": 0.0}, "cram", False, limits)
    assert sex.infer(seen, limits) == (sex.XX, "")


def test_no_y_in_anybody_is_not_a_missing_y(limits):
    male = {1: counters(1000, 1000, 60, 40, 30), 2: counters(100, 100, 0, 30, 15), 3: counters(50, 0, 0, 0, 15)}
    assert not sex.has_y_data([male, male], limits)
    seen = sex.evidence(male, {}, "joint_vcf", False, limits)
    assert sex.infer(seen, limits) == (sex.XY, "by X alone, no Y data")


def test_single_vcf_tells_nothing_of_y(limits):
    classes = {1: counters(1000, 400, 60, 40, 30), 2: counters(100, 30, 0, 30, 15), 3: counters(50, 6, 0, 6, 15)}
    assert sex.evidence(classes, {}, "vcf", True, limits).y_depth is None


@pytest.mark.parametrize("kind", ["gvcf", "joint_vcf"])
def test_y_without_depths_is_not_a_missing_y(limits, kind):
    """chrY of a joint VCF, or of one person's own file, whose calls have no DP."""
    male = {1: counters(1000, 1000, 60, 40, 30), 2: counters(100, 100, 0, 30, 15), 3: counters(50, 50, 0, 9, 0)}
    assert not sex.has_y_data([male, male], limits)
    for y_data in (False, True):
        seen = sex.evidence(male, {}, kind, y_data, limits)
        assert seen.y_depth is None
        assert sex.infer(seen, limits) == (sex.XY, "by X alone, no Y data")


def test_a_man_whose_own_file_has_no_y_is_no_x0(limits):
    """Others of the cohort have records there; his file says nothing of them, not even a depth of 0."""
    x = {1: counters(1000, 1000, 60, 40, 30), 2: counters(100, 100, 0, 30, 15)}
    others = x | {3: counters(50, 50, 0, 9, 15)}
    silent, empty = x | {3: counters(50, 0, 0, 0, 0, said=0)}, x | {3: counters(50, 0, 0, 0, 0)}
    assert sex.has_y_data([others, silent, empty], limits)
    assert sex.infer(sex.evidence(silent, {}, "gvcf", True, limits), limits) == (sex.XY, "by X alone, no Y data")
    assert sex.infer(sex.evidence(empty, {}, "gvcf", True, limits), limits) == (sex.X0, "")
    # In a joint VCF a missing call beside those of others is what no Y looks like.
    assert sex.infer(sex.evidence(silent, {}, "joint_vcf", True, limits), limits) == (sex.X0, "")


def test_few_calls_give_no_evidence(limits):
    classes = {1: counters(1000, 1000, 60, 40, 30), 2: counters(12, 12, 2, 3, 15), 3: counters(2, 2, 0, 1, 15)}
    assert sex.evidence(classes, {}, "gvcf", True, limits) == sex.Evidence(None, None, None)


def test_without_any_data(limits):
    assert sex.infer(sex.evidence({}, {}, "cram", False, limits), limits)[0] == sex.UNKNOWN


BASES = "ACGT" * 250
BUILD = Build("toy", {"chr1": 1000, "chrX": 1000}, [("chrX", 1, 10)])
FORMAT = "".join(
    f'##FORMAT=<ID={key},Number={number},Type={kind},Description="x">\n'
    for key, number, kind in (("GT", "1", "String"), ("DP", "1", "Integer"), ("GQ", "1", "Integer"))
)


@pytest.fixture
def told(tmp_path):
    """Counters, as of the genotype pass, of a person whose autosomes have REF, het and hom calls and whose X has the
    calls `on_x` in turn. kind: gvcf, vcf or joint_vcf; sex: of the sheet; depths: whether calls have any."""
    fasta = tmp_path / "ref.fa"
    fasta.write_text(f">chr1\n{BASES}\n>chrX\n{BASES}\n")
    pysam.faidx(str(fasta))
    rule = Filter(min_gq=20, min_dp=10, min_ab=0)

    def run(kind, on_x, listed="F", depths=True):
        lines = [
            "##fileformat=VCFv4.3\n",
            FORMAT,
            *(f"##contig=<ID={c},length={n}>\n" for c, n in BUILD.contigs.items()),
        ]
        columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", "p"]
        lines.append("\t".join(columns) + "\n")
        for contig, calls, depth in (("chr1", ("0/0", "0/1", "1/1"), 30), ("chrX", on_x, 15)):
            for i in range(120):
                cell = f"{calls[i % len(calls)]}:{depth if depths else '.'}:60"
                lines.append(
                    "\t".join([contig, str(21 + 4 * i), ".", "A", "C", ".", ".", ".", "GT:DP:GQ", cell]) + "\n"
                )
        path = tmp_path / "p.vcf.gz"
        packed = subprocess.run(["bgzip", "-c"], input="".join(lines).encode(), capture_output=True, check=True)
        path.write_bytes(packed.stdout)
        used = rule if depths else Filter(min_gq=20, min_dp=0, min_dp_haploid=0, min_ab=0)
        if kind != "joint_vcf":
            one = person.Harmoniser(
                OwnFile(path, "p", BUILD.contigs, {}, kind == "gvcf"), BUILD, str(fasta), listed, used
            )
            list(one(tmp_path))
            counted = {
                int(n): dict(zip(schemas.COUNTERS, row, strict=True)) for n, row in one.about()["counters"].items()
            }
            return {n: row | {"n_said": row["n_records"]} for n, row in counted.items()}
        subprocess.run(["tabix", "-f", "-p", "vcf", path], check=True)
        found = {}
        for contig, length in BUILD.contigs.items():
            region = Region(contig, 1, length)
            with joint.opened(joint.JointFile(str(path), {}, {region: 120}), region, (), records.FIELDS) as reader:
                people = records.People(["p"], [listed], [frozenset()])
                splitter = records.Splitter(BUILD, region, Reference(str(fasta)), people, used)
                list(splitter(reader))
            found |= {row["class"]: row for row in splitter.people_table().to_pylist()}
        return found

    return run


@pytest.mark.parametrize("depths", [True, False])
@pytest.mark.parametrize("on_x", ["0/. 1/.", "./0 ./1", "0 1", "0/0 1/1", "0|. 0|. 1|."])
@pytest.mark.parametrize("kind", ["gvcf", "vcf", "joint_vcf"])
def test_a_man_is_told_however_his_x_is_written(limits, told, kind, on_x, depths):
    """Half calls too, as some callers write one allele: whoever the sheet calls a woman does not pass as one."""
    seen = sex.evidence(told(kind, on_x.split(), depths=depths), {}, kind, False, limits)
    inferred, _ = sex.infer(seen, limits)
    assert inferred == sex.XY
    assert sex.judge("F", inferred) == ("U", "sex_mismatch")


@pytest.mark.parametrize("kind", ["gvcf", "vcf", "joint_vcf"])
def test_half_calls_without_alt_tell_a_man_by_their_depth(limits, told, kind):
    seen = sex.evidence(told(kind, ["0/."]), {}, kind, False, limits)
    assert seen.x_het is None and sex.infer(seen, limits)[0] == sex.XY
    assert sex.infer(sex.evidence(told(kind, ["0/."], depths=False), {}, kind, False, limits), limits) == (
        sex.UNKNOWN,
        "no X data",
    )
