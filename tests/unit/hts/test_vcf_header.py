"""The reader of headers of VCF and BCF."""

import gzip
import io
import struct
import subprocess

import pysam
import pytest
from goe.hts import vcf_header
from goe.hts.vcf_header import lines_of, parse
from hypothesis import given
from hypothesis import strategies as some

COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
LINES = [
    "##fileformat=VCFv4.3",
    '##FILTER=<ID=q10,Description="below, or at, 10">',
    '##INFO=<ID=AC,Number=A,Type=Integer,Description="a \\"count\\", x=1, C:\\\\d",Source="s",Version="2">',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="G">',
    '##FORMAT=<ID=AC,Number=1,Type=Integer,Description="same name">',
    '##ALT=<ID=*,Description="any">',
    "##META=<ID=Assay,Type=String,Number=.,Values=[WholeGenome, Exome]>",
    "##contig=<ID=HLA-A*01:01:01:01,length=3503,assembly=GRCh38,md5=AB12>",
    "##contig=<ID=chrUn>",
    "##bcftools_viewCommand=view -i 'INFO=<ID=3' x.vcf",
    COLUMNS + "\tFORMAT\tone\ttwo",
]


def test_a_header_is_read_as_it_says():
    header = parse(LINES, "x.vcf")
    assert header.problems == []
    assert (header.fileformat, header.columns, header.samples) == ("VCFv4.3", True, ["one", "two"])
    assert header.lines == LINES
    info = header.of("INFO")["AC"]
    assert (info.number, info.type, info.row, info.line) == ("A", "Integer", 3, LINES[2])
    assert info.values["Description"] == 'a "count", x=1, C:\\d'
    assert [*info.values] == ["ID", "Number", "Type", "Description", "Source", "Version"]
    assert info.quoted == {"Description", "Source", "Version"}
    assert header.of("FORMAT")["AC"].values["Description"] == "same name"
    assert {kind: [*header.of(kind)] for kind in vcf_header.KINDS} == {
        "contig": ["HLA-A*01:01:01:01", "chrUn"],
        "FILTER": ["q10"],
        "INFO": ["AC"],
        "FORMAT": ["GT", "AC"],
        "ALT": ["*"],
    }
    assert [c.length for c in header.of("contig").values()] == [3503, None]
    assert header.of("contig")["HLA-A*01:01:01:01"].values["md5"] == "AB12"


def test_the_numbers_of_a_bcf_are_those_of_htslib(tmp_path):
    source, path = tmp_path / "x.vcf", tmp_path / "x.bcf"
    source.write_text("\n".join(LINES) + "\n")
    subprocess.run(["bcftools", "view", "--no-version", "-Ob", "-o", path, source], check=True)
    with gzip.open(path) as handle:
        lines, bcf = lines_of(handle)
    stored = parse(lines)
    assert bcf and stored.problems == []
    assert all("IDX" in one.values for one in stored.declarations if one.kind != "ALT")
    assert stored.strings() == parse(LINES).strings() == {0: "PASS", 1: "q10", 2: "AC", 3: "GT"}
    assert stored.contig_numbers() == parse(LINES).contig_numbers() == {0: "HLA-A*01:01:01:01", 1: "chrUn"}
    with pysam.VariantFile(str(path)) as file:
        assert list(file.header.contigs) == [*stored.of("contig")]
        assert file.header.info["AC"].number == stored.of("INFO")["AC"].number


def test_lines_taken_out_leave_holes_and_numbers():
    lines = ["##fileformat=VCFv4.3", "##contig=<ID=b,length=2,IDX=4>", "##contig=<ID=a,IDX=1>", COLUMNS]
    assert parse(lines).contig_numbers() == {4: "b", 1: "a"}


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ('##INFO=<ID=X,Number=1,Type=Float,Description="a "b" c",IDX=7>', {"ID": "X", "Number": "1", "IDX": "7"}),
        ("##INFO=<ID=X,Number=1,Type=Float,Description=a, b, c,IDX=7>", {"Description": "a", "IDX": "7"}),
        ("##FILTER=<ID=q10,Quality below 10>", {"ID": "q10"}),
        ("##contig=<ID=chr1,length=5", {"ID": "chr1", "length": "5"}),
        ('##INFO=<ID=X,ID=Y,Description="x">', {"ID": "X", "Description": "x"}),
    ],
)
def test_a_line_that_is_not_as_specified_is_told_and_read_as_far_as_it_goes(line, values):
    header = parse(["##fileformat=VCFv4.2", line, COLUMNS], "x.vcf")
    (problem,) = header.problems
    assert problem.where == "x.vcf line 2" and "of the specification" in problem.what
    (one,) = header.declarations
    assert one.values.items() >= values.items()


def test_a_line_without_an_id_declares_nothing():
    for line in ("##INFO=<>", '##INFO=<Description="x">', "##FILTER=<ID=>"):
        header = parse(["##fileformat=VCFv4.2", line, COLUMNS])
        assert header.declarations == [] and len(header.problems) == 1, line


def test_the_first_of_two_lines_counts_and_the_second_is_told():
    lines = [LINES[0], "##contig=<ID=a,length=1>", "##contig=<ID=a,length=2>", "##contig=<ID=b>", COLUMNS]
    header = parse(lines, "x.vcf")
    assert header.of("contig")["a"].length == 1 and len(header.declarations) == 3
    assert header.contig_numbers() == {0: "a", 1: "b"}
    assert [p.what for p in header.problems] == ["declares contig a a second time"]
    assert parse([LINES[0], '##INFO=<ID=X,Description="x">', '##FORMAT=<ID=X,Description="x">']).problems == []


def test_samples_are_given_as_they_stand_and_not_told():
    header = parse([LINES[0], COLUMNS + "\tFORMAT\tann\tann"])
    assert header.samples == ["ann", "ann"] and header.problems == []
    assert parse(["no VCF"]).fileformat == parse([]).fileformat == ""
    assert not parse(LINES[:-1]).columns


@given(some.text(some.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=30))
def test_what_is_escaped_is_read_back(text):
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    header = parse([LINES[0], f'##INFO=<ID=X,Number=1,Type=Float,Description="{escaped}",IDX=3>'])
    assert header.problems == []
    assert header.of("INFO")["X"].values["Description"] == text and header.strings() == {0: "PASS", 3: "X"}


def test_lines_of_a_stream_leave_its_records():
    text = ("\r\n".join(LINES) + "\r\nchr1\t1\n").encode()
    stream = io.BytesIO(text)
    assert lines_of(stream) == (LINES, False) and stream.read() == b"chr1\t1\n"
    assert lines_of(io.BytesIO(b"chr1\t1\n")) == ([], False) == lines_of(io.BytesIO(b""))
    body = "\n".join(LINES).encode() + b"\n\0"
    stream = io.BytesIO(b"BCF\2\2" + struct.pack("<I", len(body)) + body + b"record")
    assert lines_of(stream) == (LINES, True) and stream.read() == b"record"
    odd = ["##fileformat=VCFv4.3", '##FILTER=<ID=a,Description="\x85 \u2028 \x0b">']
    body = "\n".join(odd).encode()
    assert lines_of(io.BytesIO(b"BCF\2\2" + struct.pack("<I", len(body)) + body))[0] == odd
    with pytest.raises(struct.error):
        lines_of(io.BytesIO(b"BCF\2\2\1"))
    latin = b"##fileformat=VCFv4.1\n##x=\xe9\n"
    assert lines_of(io.BytesIO(latin))[0][1] == "##x=\ufffd"
    with pytest.raises(UnicodeDecodeError):
        lines_of(io.BytesIO(latin), "strict")


def test_a_number_of_any_digits_is_none():
    """Python turns no more than 4,300 digits into a number."""
    nines = "9" * 5000
    header = parse([LINES[0], f"##contig=<ID=a,length={nines}>", f"##contig=<ID=b,IDX={nines}>", COLUMNS])
    assert header.of("contig")["a"].length is None and header.contig_numbers() == {0: "a", 1: "b"}
