"""Sites VCFs that others counted."""

import gzip

import pyarrow.parquet as pq
import pysam
import pytest
from goe.collect import sites
from goe.collect import take as looked
from goe.collect.sheet import VCF, Entry
from goe.disclosure.silence import UNKNOWN
from goe.hts.bgzf import EOF

# Lengths of GRCh38, so that it is known by them.
HEAD = [
    "##fileformat=VCFv4.2",
    '##FILTER=<ID=q10,Description="x">',
    "##contig=<ID=chr20,length=64444167>",
    "##contig=<ID=chrX,length=156040895>",
    "##contig=<ID=chrY,length=57227415>",
]
PILOT = ["AC", "AN", "AF", "AC_Hom", "AC_Het", "AC_Hemi", "AC_PT", "AN_PT", "AC_Hom_PT", "AC_Het_PT", "AC_Hemi_PT"]
PILOT += ["AC_PT_M", "AN_PT_M", "AC_F", "AN_F", "AC_raw", "QC_STATUS"]


def vcf(path, rows, tags=PILOT, head=HEAD, columns="#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"):
    info = [f'##INFO=<ID={tag},Number=1,Type=String,Description="x">' for tag in tags]
    lines = [*head, *info, columns, *("\t".join(row) for row in rows)]
    with pysam.BGZFile(str(path), "w") as out:
        out.write("".join(f"{line}\n" for line in lines).encode())
    return path


def row(pos=100, ref="A", alt="G", info="AC=3;AN=100;AF=0.03;AC_Hom=2;AC_Het=1;AC_Hemi=0", contig="chr20", word="PASS"):
    return contig, str(pos), ".", ref, alt, "50", word, info


def take(path, tmp_path, expect="PT"):
    return looked.take(Entry(1, str(path), expect, VCF, counted_by="pgx_pilot db63f17"), tmp_path / "work")


def test_the_tags_of_the_pilot_and_of_fill_tags(tmp_path):
    info = "AC=3;AN=100;AF=0.03;AC_Hom=2;AC_Het=1;AC_Hemi=0;AC_PT=3;AN_PT=90;AC_Hom_PT=2;AC_Het_PT=1;AC_Hemi_PT=0"
    rows = [
        row(info=f"{info};AC_PT_M=1;AN_PT_M=40;AC_F=2;AN_F=60;AC_raw=4;QC_STATUS=PASS"),
        row(200, info=f"{info};QC_STATUS=FAIL_QD,FAIL_MISSING"),
        row(300, "AT", "A", word="q10"),
        row(301, "T", "C", word="."),
    ]
    one = take(vcf(tmp_path / "a.vcf.gz", rows), tmp_path)
    assert one.problems == []
    assert (one.country, one.counted_by) == ("PT", "pgx_pilot db63f17")
    assert (one.silence.means, one.exact_people) == (UNKNOWN, False)
    assert one.terms["build"] == "GRCh38" and one.terms.get("counting_rules") is None
    assert one.people == {"Total": 50, "F": 30, "PT": 45, "PT_M": 20} and one.zygosity == ("Total", "PT")
    assert one.notes == ["INFO tags that name no stratum were left: AC_raw"]
    table = pq.read_table(one.tables["chr20"].path).to_pylist()
    assert [r["filter"] for r in table] == ["PASS", "FAIL_QD;FAIL_MISSING", "q10", "PASS"]
    assert (table[0]["ac_PT"], table[0]["an_F"], table[0]["nhomalt"], table[0]["ac_PT_M"]) == (3, 60, 1, 1)
    assert table[2]["an_PT"] is None


def test_the_groups_of_the_ega_pipeline(tmp_path):
    tags = ["AC", "AN", "AF", "AC_MALE", "AN_MALE", "AC_FEMALE", "AN_FEMALE", "AC_EUR", "AN_EUR"]
    rows = [row(info="AC=3;AN=100;AC_MALE=1;AN_MALE=40;AC_FEMALE=2;AN_FEMALE=60;AC_EUR=3;AN_EUR=90")]
    one = take(vcf(tmp_path / "a.vcf.gz", rows, tags), tmp_path)
    assert one.problems == [] and list(one.people) == ["Total", "M", "F"] and one.zygosity == ()
    assert one.notes == ["INFO tags that name no stratum were left: AC_EUR, AN_EUR"]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([row(info="AC=101;AN=100")], "AC is above AN"),
        ([row(info="AC=3;AN=100;AC_Hom=3;AC_Het=0;AC_Hemi=0")], "AC_Hom is odd"),
        ([row(info="AC=3;AN=100;AC_Hom=2;AC_Het=0;AC_Hemi=0")], "AC_Hom, AC_Het and AC_Hemi are not AC"),
        ([row(info="AC=3;AN=100;AF=0.3")], "AF is not AC / AN"),
        ([row(info="AC=3;AN=101")], "AN is odd where everybody is diploid"),
        ([row(info="AC=3;AN=100;AC_PT=4;AN_PT=90")], "AC of PT is above that of Total"),
        ([row(info="AC=3;AN=100;AC_PT=3;AN_PT=102")], "AN of PT is above that of Total"),
        ([row(info="AC=-1;AN=100")], "ac of a stratum is no count"),
        ([row(info="AC=1.5;AN=100")], "ac of a stratum is no count"),
        ([row(info="AC=x;AN=100")], "Failed to parse"),
        ([row(info="AF=0.1")], "AC or AN of everybody is missing"),
        ([row(alt="G,T")], "several alleles in a row"),
        ([row(alt="*")], "other letters"),
        ([row(ref="AC", alt="AT")], "is not trimmed"),
        ([row(ref="AC", alt="GT")], "several SNVs in one"),
        ([row(200), row(100)], "out of order"),
        ([row(), row()], "there twice"),
        ([row(64444168)], "is not within the 64444167 bases of chr20"),
        ([row(contig="chr3")], "chr3"),
        ([row(), row(contig="chrX"), row(300)], "in two places"),
        ([row(contig="chrY", info="AC=1;AN=40;AC_F=1;AN_F=20")], "F: AN on Y"),
        ([row(contig="chrY", info="AC=2;AN=40;AC_Hom=2;AC_Het=0")], "where everybody is haploid"),
    ],
)
def test_numbers_that_no_count_gives_refuse_the_file(tmp_path, rows, words):
    one = take(vcf(tmp_path / "a.vcf.gz", rows), tmp_path)
    assert any(words in problem.what for problem in one.problems), one.problems
    assert one.tables == {} and not (tmp_path / "work").exists()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"tags": ["AF"]}, "has no INFO AC"),
        ({"tags": ["AC", "AN", "AC_M", "AC_MALE", "AN_M"]}, "are both ac of M"),
        ({"head": HEAD[:2]}, "has no primary contig"),
        ({"head": [*HEAD[:2], "##contig=<ID=chr20,length=5>"]}, "no known build"),
        ({"columns": "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tANNA"}, "genotypes of people"),
    ],
)
def test_headers_that_are_none(tmp_path, more, words):
    one = take(vcf(tmp_path / "a.vcf.gz", [], **more), tmp_path)
    assert any(words in problem.what for problem in one.problems), one.problems
    assert "ANNA" not in str(one.problems)


def test_a_small_file_that_unpacks_to_a_large_one_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(sites, "_SMALL", 1 << 20)
    path = tmp_path / "a.vcf.gz"
    path.write_bytes(gzip.compress(b"##fileformat=VCFv4.2\n") + gzip.compress(b"\0" * (1 << 24), compresslevel=9))
    one = take(path, tmp_path)
    assert "unpacks to more than 200 times its size" in one.problems[0].what


def test_ten_gigabytes_of_zeros_in_ten_megabytes_are_left(tmp_path):
    path, zeros = tmp_path / "a.vcf.gz", gzip.compress(bytes(1 << 28), compresslevel=9)
    path.write_bytes(gzip.compress(b"##fileformat=VCFv4.2\n") + 40 * zeros)
    assert 9e6 < path.stat().st_size < 12e6
    one = take(path, tmp_path)
    assert "unpacks to more than 200 times its size" in one.problems[0].what
    assert not (tmp_path / "work").exists()


def test_a_file_that_is_written_while_it_is_looked_at_is_refused(tmp_path, monkeypatch):
    path = vcf(tmp_path / "a.vcf.gz", [row()])
    assert take(path, tmp_path).problems == []
    monkeypatch.setattr(sites, "_bounded", lambda file: file.write_bytes(file.read_bytes() + EOF))
    one = take(path, tmp_path)
    assert "changed while it was looked at" in one.problems[0].what and one.tables == {}


def test_a_file_that_is_cut_off_is_refused(tmp_path):
    path = vcf(tmp_path / "a.vcf.gz", [row(100 + i) for i in range(2000)])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert take(path, tmp_path).problems
