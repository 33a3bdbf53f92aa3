"""Cutting a region out of a joint VCF: no record is lost in silence."""

import subprocess

import pytest
from goe.calls import joint
from goe.core.errors import GoeError

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


def test_the_index_in_use_is_the_one_that_was_looked_at(tmp_path):
    """htslib takes an old .csi before a good .tbi, and finds nothing."""
    vcf = tmp_path / "a.vcf.gz"
    write(vcf, map(snv, range(1, 3)))
    subprocess.run(["tabix", "-C", "-p", "vcf", vcf], check=True)
    write(vcf, map(snv, range(1, 50_000)))
    subprocess.run(["tabix", "-p", "vcf", vcf], check=True)
    file = joint.JointFile(str(vcf), ("A",), {}, {("chr1", 40_000, 45_000): 5001})
    out = tmp_path / "out.bcf"
    joint.cut(file, "chr1", 40_000, 45_000, str(out), tmp_path)
    assert joint.count(str(out)) == 5001


def test_a_line_that_bcftools_cannot_read_stops_though_it_ends_with_0(tmp_path):
    vcf = tmp_path / "a.vcf.gz"
    write(vcf, [snv(10), "\n", snv(20)])
    subprocess.run(["tabix", "-p", "vcf", vcf], check=True)
    file = joint.JointFile(str(vcf), ("A",), {}, {})
    with pytest.raises(GoeError, match="could not read its input"):
        joint.cut(file, "chr1", 1, 100, str(tmp_path / "out.bcf"), tmp_path)
