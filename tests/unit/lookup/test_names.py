"""Every way to write an allele that people use, and what cannot be read."""

import pytest
from goe.core.errors import GoeError
from goe.genome.alleles import left_aligned
from goe.genome.fasta import Reference
from goe.lookup.names import Names
from helpers import blocks as some
from hypothesis import given
from hypothesis import strategies as hs

LENGTHS = {"chr1": 248_956_422, "chr20": 64_444_167, "chrX": 156_040_895, "chrM": 16_569}
TEXT = "ACGTTTGACACACAGT"


@pytest.fixture
def names():
    return Names("GRCh38", LENGTHS)


@pytest.fixture
def here(tmp_path):
    """A contig of 16 bases that can be asked for what is written without bases."""
    with Reference(some.write_fasta(tmp_path / "r.fa", {"chr7": TEXT})) as reference:
        yield Names("GRCh38", {"chr7": len(TEXT)}, reference)


@pytest.mark.parametrize(
    "text",
    [
        "chr20-331-A-G",
        "20:331 A>G",
        "20:331A>G",
        "chr20:331:A:G",
        "CHR20 331 A G",
        " chr20-331-a-g ",
        "chr20\t331\trs5\tA\tG\t50\tPASS\tAC=1",
        "NC_000020.11:330:A:G",
        "NC_000020.11:g.331A>G",
        "nc_000020.11:g.331a>g",
        "chr20:g.331A>G",
    ],
)
def test_ways_to_write_one_allele(names, text):
    assert [str(one) for one in names.read(text)] == ["chr20-331-A-G"]


def test_large_positions_may_have_commas_and_m_any_name(names):
    assert str(names.read("chr1-12,345,678-A-AT")[0]) == "chr1-12345678-A-AT"
    assert {str(names.read(text)[0]) for text in ("MT-73-A-G", "chrM:73:A:G", "M 73 A G", "NC_012920.1:m.73A>G")} == {
        "chrM-73-A-G"
    }


def test_shared_bases_are_trimmed_and_several_changes_are_several_alleles(names):
    assert [str(one) for one in names.read("chr20-331-CAT-CGT")] == ["chr20-332-A-G"]
    assert [str(one) for one in names.read("chr20-331-ACGT-GCGA")] == ["chr20-331-A-G", "chr20-334-T-A"]
    assert [str(one) for one in names.read("chr20-331-CAA-CA")] == ["chr20-331-CA-C"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rs12345", "is an rs number"),
        ("ga4gh:VA.abc", "an identifier of GA4GH"),
        ("NM_000546.6:c.215C>G", "transcript"),
        ("chr20-331-A-N", "can be read"),
        ("chr20-331", "can be read"),
        ("chr20-331-A-A", "are the same"),
        ("chr21-331-A-G", "CHR21 is no contig of this release, which is of GRCh38"),
        ("NC_000020.10:330:A:G", "NC_000020.10 is no contig"),
        ("chr20-64444167-AC-A", "is not on chr20, which has 64,444,167 bases"),
        ("chr20-0-A-G", "is not on chr20"),
        ("NC_000020.11:g.331del", "--reference"),
        ("NC_000020.11:330:A:", "--reference"),
        ("NC_000020.11:g.331_330del", "no change that HGVS has"),
        ("NC_000020.11:g.331inv", "no change that HGVS has"),
    ],
)
def test_what_cannot_be_read_says_why(names, text, words):
    with pytest.raises(GoeError, match=words):
        names.read(text)


@pytest.mark.parametrize(
    ("text", "allele"),
    [
        # ACGTTTGACACACAGT: T at 4 to 6, AC at 8 to 13.
        ("chr7:g.6del", "chr7-3-GT-G"),
        ("chr7:g.6dup", "chr7-3-G-GT"),
        ("chr7:g.12_13del", "chr7-7-GAC-G"),
        ("chr7:g.13_14insAC", "chr7-7-G-GAC"),
        ("chr7:g.12_13dup", "chr7-7-G-GAC"),
        ("chr7:g.4_6delinsC", "chr7-4-TTT-C"),
        ("chr7-11-CAC-C", "chr7-7-GAC-G"),
        ("chr7:g.1del", "chr7-1-AC-C"),
    ],
)
def test_with_a_reference_every_name_leads_to_the_allele_furthest_left(here, text, allele):
    assert [str(one) for one in here.read(text)] == [allele]


def test_a_ref_that_is_not_there_is_told(here):
    with pytest.raises(GoeError, match="REF C is not what the reference has at chr7:1, which is A"):
        here.read("chr7-1-C-G")


def placed(text: str, pos: int, ref: str, alt: str) -> str:
    return text[: pos - 1] + alt + text[pos - 1 + len(ref) :]


@given(hs.text("AC", min_size=6, max_size=14), hs.data())
def test_left_alignment_finds_the_first_of_all_ways_to_write_a_change(tmp_path_factory, text, data):
    start = data.draw(hs.integers(0, len(text) - 2))
    end = data.draw(hs.integers(start + 1, len(text)))
    ref, alt = text[start:end], data.draw(hs.text("AC", min_size=1, max_size=4))
    if ref == alt or len(ref) == len(alt):
        return
    want = placed(text, start + 1, ref, alt)
    size = abs(len(ref) - len(alt))
    ways = [
        (pos, text[pos - 1 : pos - 1 + n], want[pos - 1 : pos - 1 + n + len(alt) - len(ref)])
        for pos in range(1, len(text) + 1)
        for n in range(1, len(text) - pos + 2)
        if n + len(alt) - len(ref) >= 1
        and placed(text, pos, text[pos - 1 : pos - 1 + n], want[pos - 1 : pos - 1 + n + len(alt) - len(ref)]) == want
    ]
    shortest = min(max(len(r), len(a)) for _, r, a in ways)
    assert shortest >= size
    with Reference(some.write_fasta(tmp_path_factory.mktemp("left") / "r.fa", {"c": text})) as reference:
        found = left_aligned(reference, "c", start + 1, ref, alt)
    assert found == min(way for way in ways if max(len(way[1]), len(way[2])) == shortest)
