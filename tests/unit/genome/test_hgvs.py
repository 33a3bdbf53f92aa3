"""Names of sequences and alleles."""

import re

import pytest
from goe.core.errors import GoeError
from goe.genome import hgvs
from hypothesis import assume, example, given, settings
from hypothesis import strategies as some


class Text:
    """A reference of plain text."""

    path = "text"

    def __init__(self, text):
        self.text, self.lengths = text, {"chr1": len(text)}

    def bases(self, contig, start, end):
        return self.text[max(0, start) : max(0, end)]


def apply(text, name):
    """The sequence that an HGVS change makes of a text."""
    match = re.fullmatch(r"(\d+)(?:_(\d+))?(?:([ACGT])>([ACGT])|(delins|del|dup|ins)([ACGT]*))", name)
    first, last = int(match[1]), int(match[2] or match[1])
    if match[3]:
        assert text[first - 1] == match[3] and first == last
        return text[: first - 1] + match[4] + text[first:]
    kind, bases = match[5], match[6]
    if kind == "ins":
        assert last == first + 1 and bases
        return text[:first] + bases + text[first:]
    if kind == "dup":
        assert not bases
        return text[:last] + text[first - 1 : last] + text[last:]
    assert bool(bases) == (kind == "delins")
    return text[: first - 1] + bases + text[last:]


@pytest.mark.parametrize(
    ("text", "allele", "name"),
    [
        ("ACGT", (2, "C", "T"), "2C>T"),
        ("GAAAT", (1, "GA", "G"), "4del"),
        ("GACACACT", (1, "GAC", "G"), "6_7del"),
        ("GAAAT", (1, "G", "GA"), "4dup"),
        ("GACACACT", (1, "G", "GAC"), "6_7dup"),
        ("GACACACT", (1, "G", "GACAC"), "4_7dup"),
        ("GTTC", (2, "T", "TA"), "2_3insA"),
        ("GTTACT", (2, "T", "TACG"), "2_3insACG"),
        ("GATTACA", (2, "ATT", "GC"), "2_4delinsGC"),
        ("GATTACA", (2, "ATTA", "AGA"), "3_4delinsG"),
        ("AC", (1, "A", "TA"), "1delinsTA"),
        ("AC", (2, "C", "CG"), "2delinsCG"),
        ("TTAC", (1, "T", "TT"), "2dup"),
    ],
)
def test_names_follow_the_nomenclature(text, allele, name):
    assert hgvs.change(Text(text), "chr1", *allele) == name


@some.composite
def alleles(draw):
    text = draw(some.text("AC", min_size=2, max_size=30))
    pos = draw(some.integers(1, len(text)))
    ref = text[pos - 1 : pos - 1 + draw(some.integers(1, 6))]
    alt = draw(some.text("AC", min_size=1, max_size=6))
    return text, pos, ref, alt


@settings(max_examples=500, deadline=None)
@given(alleles())
@example(("AAAA", 1, "AA", "A"))
def test_a_name_says_what_the_allele_does(allele):
    text, pos, ref, alt = allele
    assume(ref != alt)
    name = hgvs.change(Text(text), "chr1", pos, ref, alt)
    assert apply(text, name) == text[: pos - 1] + alt + text[pos - 1 + len(ref) :]


@settings(max_examples=300, deadline=None)
@given(some.text("AC", min_size=2, max_size=16), some.data())
def test_every_way_to_write_an_indel_gives_one_name_the_last(text, data):
    if data.draw(some.booleans()):
        start = data.draw(some.integers(1, len(text) - 1))
        n = data.draw(some.integers(1, len(text) - start))
        made = text[:start] + text[start + n :]
    else:
        start = data.draw(some.integers(1, len(text) - 1))
        made = text[:start] + data.draw(some.text("AC", min_size=1, max_size=4)) + text[start:]
    n = len(made) - len(text)
    names, ends = set(), set()
    for at in range(1, len(text) + 1):
        ref = text[at - 1 : at] if n > 0 else text[at - 1 : at - n]
        alt = made[at - 1 : at + n] if n > 0 else text[at - 1 : at]
        if text[: at - 1] + alt + text[at - 1 + len(ref) :] == made and ref[0] == alt[0] and len(ref) != len(alt):
            names.add(hgvs.change(Text(text), "chr1", at, ref, alt))
            ends.add(at if n > 0 else at - n)
    assert len(names) == 1
    if not names or "delins" in next(iter(names)):
        return
    numbers = [int(x) for x in re.findall(r"\d+", next(iter(names)))]
    assert (numbers[0] if "ins" in next(iter(names)) else numbers[-1]) == max(ends)


def test_a_unit_moves_through_a_long_repeat():
    assert hgvs.change(Text("G" + "AC" * 500 + "T"), "chr1", 1, "G", "GAC") == "1000_1001dup"
    assert hgvs.change(Text("G" + "ACA" * 200 + "T"), "chr1", 1, "GACA", "G") == "599_601del"


def test_a_reference_of_other_bases_is_refused():
    with pytest.raises(GoeError, match="chr1:2:G:T: REF is not in text there"):
        hgvs.change(Text("ACGT"), "chr1", 2, "G", "T")


def test_accessions_are_those_of_the_assemblies(repo):
    # Versions as EGA-archive/beacon2-ri-tools-v2 groups them (genomicVariations_vcf.py).
    versions = {
        9: "14 21",
        10: "5 11 15 16 18 19 24",
        11: "1 8 10 13 17 20 22 23",
        12: "2 3 4 6 9 12",
        14: "7",
    }
    expected = {int(n): version for version, numbers in versions.items() for n in numbers.split()}
    rows = [x.split("\t") for x in (repo / "resources/regions/refseq.tsv").read_text().splitlines() if x[0] == "G"]
    for build, back in (("GRCh38", 0), ("GRCh37", 1)):
        seen = {}
        for name, contig, length, accession in rows:
            if name == build and contig != "M":
                assert hgvs.accession(build, f"chr{contig}", int(length)) == accession
                assert hgvs.accession(build, contig, int(length) + 1) is None
                seen[int(accession[3:9])] = int(accession.split(".")[1]) + back
                assert contig == {23: "X", 24: "Y"}.get(int(accession[3:9]), str(int(accession[3:9])))
        assert seen == expected
    assert hgvs.accession("GRCh37", "MT", 16569) == hgvs.accession("GRCh38", "chrM", 16569) == "NC_012920.1"
    assert hgvs.accession("GRCh37", "chrM", 16571) == "NC_001807.4"
    assert hgvs.accession("T2T", "chr1", 248956422) is None


def test_lengths_are_those_of_the_builds(repo):
    from goe.genome.build import known_lengths

    for build in ("GRCh37", "GRCh38"):
        for contig, lengths in known_lengths(build).items():
            for length in lengths:
                assert hgvs.accession(build, contig, length), (build, contig, length)


@pytest.mark.parametrize(
    ("ref", "alt", "kind"),
    [
        ("T", "C", "SNP"),
        ("AC", "A", "DEL"),
        ("A", "AC", "INS"),
        ("AT", "GC", "MNP"),
        ("AT", "GCC", "DELINS"),
        ("ATG", "C", "DELINS"),
        ("GATC", "GTTC", "SNP"),
        ("A", "AA", "INS"),
    ],
)
def test_types_are_those_of_the_gdi_node(ref, alt, kind):
    assert hgvs.kind(ref, alt) == kind
