"""Reading and writing raw BCF, against bcftools."""

import io
import subprocess

import numpy as np
import pytest
from goe.core.errors import GoeError
from goe.harmonise.genotypes import widen
from goe.hts.bcf import END_OF_VECTOR, MISSING, Reader, Record, Writer, open_bcf, unpacked

VCF = """##fileformat=VCFv4.3
##FILTER=<ID=PASS,Description="All filters passed">
##FILTER=<ID=q10,Description="Low, <10>">
##INFO=<ID=QD,Number=1,Type=Float,Description="x">
##INFO=<ID=N,Number=1,Type=Integer,Description="x">
##INFO=<ID=S,Number=.,Type=String,Description="x">
##FORMAT=<ID=GT,Number=1,Type=String,Description="x">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="x">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="x">
##FORMAT=<ID=FT,Number=1,Type=String,Description="x">
##contig=<ID=chr1,length=1000>
##contig=<ID=chrX,length=500>
#CHROM	POS	ID	REF	ALT	QUAL	FILTER	INFO	FORMAT	a	b
chr1	10	rs1	A	C,<DEL>	30.5	q10	QD=2.5;N=7;S=x,yy	GT:DP:AD:FT	0/1:300:1,2,3:PASS	2:.:.:q10
chr1	11	.	ACGTACGTACGTACGTACGT	A	.	.	.	GT	./.	1|1
chrX	20	.	G	T	0	PASS	QD=.	GT:DP	0/0:5	.
"""


@pytest.fixture
def vcf(tmp_path):
    path = tmp_path / "in.vcf"
    path.write_text(VCF)
    return path


def test_records(vcf):
    with open_bcf(vcf, info=("QD", "N"), formats=("GT", "DP", "AD", "FT")) as reader:
        assert reader.header.samples == ["a", "b"]
        assert set(reader.header.filters) == {"q10"}
        assert reader.header.formats == {"GT", "DP", "AD", "FT"}
        one, two, three = reader
    assert (one.where, one.qual, one.alts, one.filters) == ("chr1:10", 30.5, ["C", "<DEL>"], ["q10"])
    assert one.info == {"QD": 2.5, "N": 7.0}
    assert widen(one.formats["DP"]).tolist() == [[300], [MISSING]]
    assert widen(one.formats["AD"]).tolist() == [[1, 2, 3], [MISSING, END_OF_VECTOR, END_OF_VECTOR]]
    assert one.formats["FT"].tolist() == [b"PASS", b"q10"]
    assert one.formats["GT"].tolist() == [[2, 4], [6, -127]]
    assert (two.qual, two.filters, len(two.ref), two.info) == (None, [], 20, {})
    assert (three.where, three.filters, three.info) == ("chrX:20", ["PASS"], {})


def test_floats_are_read_as_they_are_written(vcf):
    vcf.write_text(
        VCF.replace("ID=DP,Number=1,Type=Integer", "ID=DP,Number=2,Type=Float").replace(":300:", ":45.5,nan:")
    )
    with open_bcf(vcf, formats=("DP",)) as reader:
        one, _, three = reader
    assert widen(one.formats["DP"]).tolist() == [[45.5, MISSING], [MISSING, END_OF_VECTOR]]
    assert widen(three.formats["DP"]).tolist() == [[5], [MISSING]]


def test_a_field_that_stands_twice_in_a_record_stops(vcf):
    data = raw_stream(vcf)
    # The key of AD in the first record becomes that of DP.
    with open_bcf(vcf) as reader:
        numbers = {name: number for number, name in reader.header.strings.items()}
    start = 9 + int.from_bytes(data[5:9], "little")
    people = start + 8 + int.from_bytes(data[start : start + 4], "little")
    at = data.index(bytes([0x11, numbers["AD"]]), people)
    data = data[: at + 1] + bytes([numbers["DP"]]) + data[at + 2 :]
    with pytest.raises(GoeError, match="one of its FORMAT fields stands there twice"):
        read_all(data)


def test_what_is_written_is_what_bcftools_reads(tmp_path):
    path = tmp_path / "out.bcf"
    contigs = {"chr1": 1000, "chrX": 500}
    formats = {"GT": (1, "String", "x"), "RAW": (1, "Integer", "x")}
    info = {"CLASS": ("Integer", "x"), "QD": ("Float", "x")}
    with path.open("wb") as handle:
        writer = Writer(handle, ["1", "NA"], contigs, {"q10": '##FILTER=<ID=q10,Description="x">'}, info, formats)
        gt, raw = np.array([[2, 4], [4, -127]], np.int8), np.array([[3], [5]], np.int8)
        site = {"CLASS": 2, "QD": 1.5}
        writer.write(Record("chrX", 7, None, "A" * 20, ["C"], ["q10"], site, {"GT": gt, "RAW": raw}))
        writer.write(Record("chrX", 300, 12.5, "A", ["C" * 300], [], {"CLASS": 1000}, {"GT": gt}))
    done = subprocess.run(["bcftools", "view", "-H", path], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        f"chrX\t7\t.\t{'A' * 20}\tC\t.\tq10\tCLASS=2;QD=1.5\tGT:RAW\t0/1:3\t1:5",
        f"chrX\t300\t.\tA\t{'C' * 300}\t12.5\t.\tCLASS=1000\tGT\t0/1\t1",
    ]


def raw_stream(vcf):
    return subprocess.run(["bcftools", "view", "-Ou", vcf], capture_output=True, check=True).stdout


def read_all(data):
    return list(Reader(io.BytesIO(data), "x.bcf", ("QD",), ("GT", "DP", "AD")))


def test_every_truncation_is_seen(vcf):
    data = raw_stream(vcf)
    whole = read_all(data)
    assert len(whole) == 3
    ends = set()
    for n in range(len(data)):
        try:
            got = read_all(data[:n])
        except GoeError as error:
            assert "x.bcf" in str(error)
        else:
            ends.add(len(got))
    # Only a cut exactly between records leaves a shorter stream that is sound in itself; bcftools sees those.
    assert ends == {0, 1, 2}


def test_a_damaged_record_never_passes_in_silence(vcf):
    data = raw_stream(vcf)
    start = 9 + int.from_bytes(data[5:9], "little")
    lengths = (
        int.from_bytes(data[start : start + 4], "little"),
        int.from_bytes(data[start + 4 : start + 8], "little"),
    )
    shorter = data[: start + 4] + (lengths[1] - 1).to_bytes(4, "little") + data[start + 8 :]
    with pytest.raises(GoeError, match="damaged record after its header"):
        read_all(shorter)
    people = bytearray(data)
    people[start + 8 + 20] = 3
    with pytest.raises(GoeError, match="another number of people than the header has"):
        read_all(bytes(people))


def test_a_stream_in_bgzf_blocks_is_the_same_stream(vcf):
    packed = subprocess.run(["bcftools", "view", "-Ob", vcf], capture_output=True, check=True).stdout

    def read(data):
        return [r.where for r in Reader(unpacked(io.BufferedReader(io.BytesIO(data))), "x.bcf")]

    assert read(packed) == read(raw_stream(vcf)) == ["chr1:10", "chr1:11", "chrX:20"]
    for n in range(30, len(packed) - 29):
        with pytest.raises(GoeError, match=r"x\.bcf"):
            read(packed[:n])


def test_a_failing_bcftools_is_seen(tmp_path, vcf):
    packed = tmp_path / "in.vcf.gz"
    subprocess.run(["bcftools", "view", "-Oz", "-o", packed, vcf], check=True)
    packed.write_bytes(packed.read_bytes()[:-40])
    with pytest.raises(GoeError, match=r"in\.vcf\.gz"), open_bcf(packed) as reader:
        list(reader)
    with pytest.raises(GoeError), open_bcf(tmp_path / "absent.vcf.gz") as reader:
        list(reader)
