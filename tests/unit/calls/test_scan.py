"""A pass over a whole joint file: every record is counted, and what htslib passes over in silence stops the run."""

import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from goe.calls import joint, scan
from goe.core.errors import GoeError
from goe.genome.build import Build, Region, regions
from goe.hts import indexes
from helpers import bgzf_blocks

CONTIGS = {"chr1": 1000, "chr2": 500}
REGIONS = regions(Build("toy", CONTIGS, []), 400)
HEAD = "".join(
    line + "\n"
    for line in (
        "##fileformat=VCFv4.3",
        *(f"##contig=<ID={c},length={n}>" for c, n in (CONTIGS | {"chrUn": 900}).items()),
        '##FILTER=<ID=Low,Description="x">',
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="x">',
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tA\tB",
    )
)


def record(contig, pos, filters="PASS", kind="GT"):
    return f"{contig}\t{pos}\t.\tA\tC\t.\t{filters}\t.\t{kind}\t0/1\t0/0\n"


@pytest.fixture
def file(tmp_path):
    """Write a VCF, or a BCF of it; its path."""

    def write(lines, name="a.vcf.gz", head=HEAD):
        path = tmp_path / name
        text = (head + "".join(lines)).encode()
        path.write_bytes(subprocess.run(["bgzip", "-c"], input=text, capture_output=True, check=True).stdout)
        if name.endswith(".bcf"):
            subprocess.run(["bcftools", "view", "-Ob", "-o", path, "-"], input=text, check=True)
        return str(path)

    return write


def scanned(path, rename=None):
    return scan.scan(path, rename or {}, CONTIGS, REGIONS)


@pytest.mark.parametrize("name", ["a.vcf.gz", "a.bcf"])
def test_records_are_counted_by_region(file, name):
    lines = [record("chr1", p) for p in (1, 333, 334, 666, 667, 1000)] + [record("chr2", 250), record("chr2", 251)]
    found, ledger = scanned(file(lines, name))
    assert dict(found) == {
        "chr1_1_333": 2, "chr1_334_666": 2, "chr1_667_1000": 2, "chr2_1_250": 1, "chr2_251_500": 1,
    }  # fmt: skip
    assert (ledger.taken["records"], ledger.given["records"], ledger.dropped) == (8, 8, {})


@pytest.mark.parametrize("name", ["a.vcf.gz", "a.bcf"])
def test_records_that_count_nowhere_are_in_the_account(file, name):
    lines = [record("chr1", 0), record("chr1", 5), record("chr1", 1001), record("chrUn", 7)]
    found, ledger = scanned(file(lines, name))
    assert dict(found) == {"chr1_1_333": 1}
    assert ledger.dropped == {"records": {"position_0": 1, "behind_contig_end": 1, "contig_not_counted": 1}}


def test_contigs_are_renamed(file):
    head = HEAD.replace("ID=chr1", "ID=1")
    assert dict(scanned(file([record("1", 5)], head=head), {"1": "chr1"})[0]) == {"chr1_1_333": 1}


@pytest.mark.parametrize("name", ["a.vcf.gz", "a.bcf"])
def test_no_records_are_well(file, name):
    found, ledger = scanned(file([], name))
    assert not found and ledger.taken["records"] == 0


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([record("chr1", 5), "\n", record("chr1", 6)], "line 9: is empty, and htslib stops there"),
        ([record("chr1", 5), HEAD, record("chr2", 6)], "line 9: is a header line behind the first record"),
        ([record("chr1", 5), "chr1\t6\t.\tA\n"], "line 9: has 4 columns where the header has 11"),
        ([record("chr1", 5, "Low;High")], "line 8: FILTER High has no ##FILTER line"),
        ([record("chr1", 5, kind="GT:PGT")], "line 8: FORMAT PGT has no ##FORMAT line"),
        ([record("chr1", "x")], "line 8: 'x' is no position"),
        ([record("chr1", 7), record("chr1", 6)], "record 2: chr1:6 comes after chr1:7: not sorted"),
        ([record("chr1", 7), record("chr2", 6), record("chr1", 8)], "chr1 comes a second time, after chr2"),
    ],
)
def test_what_htslib_passes_over_stops(file, lines, said):
    with pytest.raises(GoeError) as error:
        scanned(file(lines))
    assert said in str(error.value) and "->" in str(error.value)


@pytest.mark.parametrize("name", ["a.vcf.gz", "a.bcf"])
def test_damage_stops_wherever_it_is(file, name, tmp_path):
    """Cut anywhere, with and without an end block behind it, and a bit flipped anywhere."""
    path = file([record("chr1", p) for p in range(1, 1000)], name)
    data = Path(path).read_bytes()
    whole = scanned(path)[0]
    end = data[-28:]
    bad = tmp_path / f"bad{name[1:]}"
    for at in range(30, len(data) - 28, len(data) // 23):
        flipped = bytearray(data)
        flipped[at] ^= 8
        for broken in (data[:at], data[:at] + end, bytes(flipped)):
            bad.write_bytes(broken)
            try:
                assert scanned(str(bad))[0] == whole
            except GoeError:
                continue


def test_an_index_of_a_shorter_file_stops(file, tmp_path):
    path = file([record("chr1", 5)])
    subprocess.run(["tabix", "-p", "vcf", path], check=True)
    index = (tmp_path / "a.vcf.gz.tbi").read_bytes()
    file([record("chr1", 5), *(record("chr1", p) for p in range(300, 333))])
    (tmp_path / "a.vcf.gz.tbi").write_bytes(index)
    found, _ = scanned(path)
    region = Region("chr1", 1, 333)
    one = joint.JointFile(path, {}, {region: found[region.name]})
    try:
        with joint.opened(one, region, (), ("GT",)) as reader:
            assert sum(1 for _ in reader) == 34
    except GoeError as error:
        assert "make it again" in str(error) or "could not" in str(error)


@pytest.mark.parametrize("name", ["a.vcf.gz", "a.bcf"])
def test_a_block_that_is_missing_shows_in_the_index(file, name, tmp_path):
    """Every whole block taken out in turn: what is left may read well, and holds fewer records than its index tells."""
    path = file([record("chr1", 1 + i // 20, "PASS" if i % 2 else "Low") for i in range(20_000)], name)
    subprocess.run(["bcftools", "index", "-t" if name.endswith("gz") else "-c", path], check=True)
    index = indexes.of_vcf(path)
    whole = Path(path).read_bytes()
    parts = [whole[a:b] for a, b in pairwise([*bgzf_blocks.starts(whole), len(whole)])]
    assert len(parts) > 5
    held = scanned(path)[1].taken["records"]
    indexes.hold(path, index, held)
    bad = tmp_path / f"bad{name[1:]}"
    for gone in range(1, len(parts) - 1):
        bad.write_bytes(b"".join(parts[:gone] + parts[gone + 1 :]))
        with pytest.raises(GoeError):
            indexes.hold(str(bad), index, scanned(str(bad))[1].taken["records"])


def test_a_field_that_stands_twice_in_a_format_stops(file):
    with pytest.raises(GoeError, match=r"line 9.*FORMAT GT:GT names a field twice"):
        scanned(file([record("chr1", 5), "chr1\t7\t.\tA\tC\t.\tPASS\t.\tGT:GT\t0/1:0/1\t0/0:0/0\n"]))
