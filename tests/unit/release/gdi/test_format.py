"""Names, populations, variant types and headers of the GDI package."""

import pytest
from goe.frequencies import strata as st
from goe.release.gdi import format as gdi
from goe.rules.stratum import PUBLISHED, parse
from helpers import gdi as make
from hypothesis import given
from hypothesis import strategies as some


def test_names_of_data_files():
    name = "allele-freq.chr3.0.br10000000.0123456789abcdef.parquet"
    assert gdi.data_file(name) == gdi.DataFile("3", 0, 10_000_000, "0123456789abcdef")
    assert str(gdi.data_file(name)) == name
    for wrong in (
        name.replace("chr3", "chr03"),
        name.replace("chr3", "chr23"),
        name.replace("chr3", "chrMT"),
        name.replace(".0.", ".00."),
        name.replace("br1", "br+1"),
        name.replace("abcdef", "abcde"),
        name + ".parquet",
        "headers/x.vcf",
    ):
        assert gdi.data_file(wrong) is None, wrong


@pytest.mark.parametrize(
    ("assembly", "contig", "length", "name"),
    [
        ("GRCh38", "chr7", 1, "7"),
        ("GRCh37", "MT", 16_571, "M"),
        ("GRCh37", "MT", 16_569, None),
        ("GRCh38", "chrM", 16_569, "M"),
        ("GRCh38", "X", 1, "X"),
        ("GRCh38", "chrUn_1", 1, None),
    ],
)
def test_chromosomes(assembly, contig, length, name):
    assert gdi.chromosome(assembly, contig, length) == name


@pytest.mark.parametrize(
    ("ref", "alt", "kind"),
    [
        ("T", "C", "SNP"),
        ("AC", "A", "DEL"),
        ("A", "AC", "INS"),
        ("AT", "GC", "MNP"),
        ("AT", "GCC", "DELINS"),
        ("ATG", "C", "DELINS"),
        ("A", "AA", "INS"),
        ("CA", "A", "DEL"),
        ("GATC", "GTTC", "SNP"),
    ],
)
def test_variant_types_of_the_formats_own_tests(ref, alt, kind):
    assert gdi.variant_type(ref, alt) == kind


bases = some.text("ACGT", min_size=1, max_size=6)


@given(bases, bases)
def test_variant_type_is_that_of_the_definition(ref, alt):
    if ref != alt:
        assert gdi.variant_type(ref, alt) == make.plain_type(ref, alt)


def test_populations_of_the_format_are_all_strata_that_are_ever_published():
    for label in ["Total", "M", "F", "EE", "EE_M", "LV_F"]:
        assert PUBLISHED.fullmatch(label)
    for label in ["XX", "XY", "XX_M", "EE_U", "U", "ee", "EST", "EE_M_F", "total", "EE_", ""]:
        assert not PUBLISHED.fullmatch(label), label
    assert all(PUBLISHED.fullmatch(s) for s in st.order(["EE_U", "LV_M", "SE_F"]))
    assert parse("EE_M").parents == ("Total", "EE", "M") and parse("Total").parents == ()
    assert [gdi.axis(p) for p in ("M", "EE", "EE_M")] == ["sex", "country", "country and sex"]


def test_minimal_header_holds_no_commands_and_no_samples():
    lines = [
        "##fileformat=VCFv4.3",
        "##bcftools_viewCommand=view -s PERSON /home/x",
        "##source=goe",
        "##reference=GRCh38",
        "##contig=<ID=chr1>",
        '##INFO=<ID=AF,Number=A,Type=Float,Description="##SAMPLE=x">',
        "##SAMPLE=<ID=PERSON>",
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tPERSON",
    ]
    text = gdi.minimal_header(lines)
    assert "PERSON" not in text and "goe" not in text and "/home" not in text
    assert text.splitlines() == [*(lines[i] for i in (0, 3, 4, 5)), lines[7].rsplit("\t", 2)[0]]


def test_populations_are_read_from_tags_by_the_grammar():
    names = [
        "AF",
        "AC_EE_M_Hom",
        "AC_Hom_LV",
        "AN_F",
        "AF_nfe",
        "EUR_AF",
        "AF_EE_Het",
        "AC_M_F",
        "AF_XX",
        "faf95",
        "DP",
    ]
    found, strange = gdi.header_populations([f"##INFO=<ID={n},Number=A>" for n in names])
    assert found == ["EE_M", "F", "LV", "Total"]
    assert strange == sorted(["AF_nfe", "EUR_AF", "AF_EE_Het", "AC_M_F", "AF_XX"])
