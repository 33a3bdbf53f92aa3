"""Reading a region straight from a joint VCF: no record is lost in silence."""

import subprocess

import pytest
from goe.calls import joint
from goe.core.errors import GoeError
from goe.genome.build import Region

HEAD = (
    "##fileformat=VCFv4.3\n##contig=<ID=chr1,length=100000>\n"
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="x">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tA\n"
)


def write(path, lines):
    text = (HEAD + "".join(lines)).encode()
    path.write_bytes(subprocess.run(["bgzip", "-c"], input=text, capture_output=True, check=True).stdout)


def snv(pos):
    return f"chr1\t{pos}\t.\tA\tC\t.\tPASS\t.\tGT\t0/1\n"


def positions(path, region, records, rename=None):
    """POS of the records that are read, with what a pass over the file counted."""
    file = joint.JointFile(str(path), rename or {}, records)
    with joint.opened(file, region, (), ("GT",)) as reader:
        assert reader.name == str(path)
        return [(record.contig, record.pos) for record in reader]


@pytest.fixture
def vcf(tmp_path):
    """Write a VCF with an index; its path."""

    def make(lines, index=("tabix", "-p", "vcf")):
        path = tmp_path / "a.vcf.gz"
        write(path, lines)
        subprocess.run([*index, path], check=True)
        return path

    return make


def test_a_region_is_what_starts_there(vcf):
    deletion = "chr1\t5\t.\tACGTACGTAC\tA\t.\tPASS\t.\tGT\t0/1\n"
    path = vcf([deletion, snv(10), snv(11), snv(20), snv(21)])
    region = Region("chr1", 11, 20)
    assert positions(path, region, {region: 2}) == [("chr1", 11), ("chr1", 20)]


def test_contigs_have_the_names_of_the_reference(vcf, monkeypatch):
    monkeypatch.setattr(f"{__name__}.HEAD", HEAD.replace("ID=chr1", "ID=1"))
    path = vcf([snv(10).replace("chr1", "1")])
    region = Region("chr1", 1, 100)
    assert positions(path, region, {region: 1}, {"1": "chr1"}) == [("chr1", 10)]


def test_a_contig_without_records_gives_none(vcf):
    """Also one that the header does not name."""
    path, region = vcf([snv(10)]), Region("chr2", 1, 100)
    assert positions(path, region, {Region("chr1", 1, 100): 1}) == []


@pytest.mark.parametrize("held", [0, 1, 3])
def test_another_number_of_records_than_the_file_holds_stops(vcf, held):
    path, region = vcf([snv(10), snv(20)]), Region("chr1", 1, 100)
    records = {region: held, Region("chr1", 101, 200): 1}
    with pytest.raises(GoeError, match=rf"holds {held} records in {region.name}, and by its index there are 2.*again"):
        positions(path, region, records)


def test_the_index_in_use_is_the_one_that_was_looked_at(vcf, tmp_path):
    """htslib takes an old .csi before a good .tbi, and finds nothing."""
    path = vcf(map(snv, range(1, 3)), ("tabix", "-C", "-p", "vcf"))
    write(path, map(snv, range(1, 50_000)))
    subprocess.run(["tabix", "-p", "vcf", path], check=True)
    region = Region("chr1", 40_000, 45_000)
    assert len(positions(path, region, {region: 5001})) == 5001


def test_a_line_at_which_bcftools_stops_without_a_word_shows_in_the_number(vcf):
    path, region = vcf([snv(10), "\n", snv(20)]), Region("chr1", 1, 100)
    with pytest.raises(GoeError, match=r"holds 2 records in chr1_1_100, and by its index there are 1"):
        positions(path, region, {region: 2})
