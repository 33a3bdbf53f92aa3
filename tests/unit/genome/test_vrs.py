"""Names of alleles that follow from the sequence; ga4gh.vrs itself is asked in tests/consumers."""

import pysam
import pytest
from goe.genome import vrs
from goe.genome.fasta import Reference

#           123456789012345678901234567
SEQUENCE = "GGACACACACTTTTTGCATCATCATGAAAC"


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    path = tmp_path_factory.mktemp("vrs") / "ref.fa"
    path.write_text(f">chr1\n{SEQUENCE}\n")
    pysam.faidx(str(path))
    with Reference(path) as found:
        yield found


def test_digests_are_those_of_the_standard():
    assert vrs.sha512t24u(b"") == "z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXc"
    assert vrs.sha512t24u(b"ACGT") == "aKF498dAxcJAqme6QYQ7EZ07-fiw8Kw2"


def test_the_example_of_the_standard():
    """APOE, rs7412, on GRCh38 (vrs.ga4gh.org/en/2.0, examples)."""
    chr19 = vrs.in_json("SQ.IIB53T8CNeJJdUqzn9V_JnRtQadwWCbl")
    assert vrs.identifier(chr19, 44908821, "C", "T", 0) == "ga4gh:VA.0AePZIWZUNsUlQTamyLrjm2HWUw2opLt"


@pytest.mark.parametrize(
    ("pos", "ref", "alt", "spread", "size"),
    [
        (3, "A", "G", (2, "A", "G", 0), 0),
        (16, "GC", "TTA", (15, "GC", "TTA", 0), 0),
        # Out of a run of four, ACACACAC, and into it: an A or a C may stand at either end.
        (2, "GAC", "G", (2, "ACACACAC", "ACACAC", 2), 2),
        (2, "G", "GACAC", (2, "ACACACAC", "ACACACACACAC", 4), 4),
        (10, "CT", "C", (10, "TTTTT", "TTTT", 1), 1),
        # The same, written elsewhere.
        (13, "TT", "T", (10, "TTTTT", "TTTT", 1), 1),
        (5, "ACA", "A", (2, "ACACACAC", "ACACAC", 2), 2),
        (1, "GG", "G", (0, "GG", "G", 1), 1),
        (10, "C", "CTTTTTTTT", (10, "TTTTT", "TTTTTTTTTTTTT", 8), 4),
        # Nothing like it, or a part of it alone, stands beside.
        (16, "GC", "G", (16, "C", "", 1), 1),
        (16, "G", "GA", (16, "", "A", 1), 0),
        (16, "G", "GCT", (16, "C", "CTC", 2), 0),
        (16, "G", "GCG", (15, "GC", "GCGC", 2), 2),
        (16, "GCAT", "G", (16, "CATCATCAT", "CATCAT", 3), 3),
    ],
)
def test_alleles_are_spread_over_all_places_where_they_could_stand(reference, pos, ref, alt, spread, size):
    found = vrs.justified(reference, "chr1", pos, ref, alt)
    assert found == spread
    start, there, new, unit = found
    assert SEQUENCE[start : start + len(there)] == there
    # The same change of the sequence.
    changed = SEQUENCE[: pos - 1] + alt + SEQUENCE[pos - 1 + len(ref) :]
    assert SEQUENCE[:start] + new + SEQUENCE[start + len(there) :] == changed
    assert (vrs.repeat(there, new, unit) if unit else 0) == size


def test_a_contig_without_accession_has_no_spdi(reference):
    names = vrs.Names("GRCh38", "chr1", reference)
    identifier, spdi = names.of(3, "A", "G")
    assert vrs.FORM.fullmatch(identifier) and spdi is None
    names.accession = "NC_000001.11"
    assert names.of(10, "CT", "C")[1] == "NC_000001.11:10:TTTTT:TTTT"
