"""Atoms, splitting, reasons for leaving an ALT out, and the check of REF."""

import pysam
import pytest
from goe.core.errors import GoeError
from goe.genome.alleles import atoms, check_ref, reason_left_out, split
from goe.genome.fasta import Reference


@pytest.mark.parametrize(
    ("pos", "ref", "alt", "expected"),
    [
        (10, "A", "C", [(10, "A", "C")]),
        (10, "AC", "GT", [(10, "A", "G"), (11, "C", "T")]),
        (10, "ACT", "GCA", [(10, "A", "G"), (12, "T", "A")]),
        (10, "ACT", "GCT", [(10, "A", "G")]),
        (10, "ACT", "A", [(10, "ACT", "A")]),
        (10, "CTA", "CTATA", [(10, "C", "CTA")]),
        (10, "GATT", "GAT", [(11, "AT", "A")]),
        (10, "AC", "GTT", [(10, "AC", "GTT")]),
        (10, "CACTG", "CAGT", [(12, "CTG", "GT")]),
    ],
)
def test_atoms(pos, ref, alt, expected):
    assert atoms(pos, ref, alt) == expected


@pytest.mark.parametrize(
    ("alt", "reason"),
    [
        ("*", "star"),
        ("<NON_REF>", "non_ref"),
        ("<*>", "non_ref"),
        ("<DEL>", "symbolic"),
        ("A[chr2:5[", "breakend"),
        (".A", "breakend"),
        ("AN", "non_acgt_alt"),
        ("ACGT", None),
    ],
)
def test_reason(alt, reason):
    assert reason_left_out(alt) == reason


def test_shared_atom_is_one_site_allele_of_both_alts():
    sites, counts = split(993, "AC", ["GT", "GC"], None)
    assert [(s.pos, s.ref, s.alt, s.of) for s in sites] == [(993, "A", "G", (1, 2)), (994, "C", "T", (1,))]
    assert counts == {"alts_in": 2, "kept": 2, "atoms": 3, "shared": 1}


def test_every_alt_is_accounted_for():
    sites, counts = split(5, "a", ["c", "*", "<DEL>", "A", "."], None)
    assert [(s.ref, s.alt) for s in sites] == [("A", "C")]
    assert counts["alts_in"] == 4
    assert {k for k in counts if k.startswith("dropped:")} == {
        "dropped:star",
        "dropped:symbolic",
        "dropped:alt_is_ref",
    }


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    path = tmp_path_factory.mktemp("ref") / "ref.fa"
    path.write_text(">chr1\nACGTacgtNR\nACGT\n")
    pysam.faidx(str(path))
    return path


@pytest.mark.parametrize(
    ("pos", "ref", "reason"),
    [
        (1, "ACG", None),
        (5, "AC", None),
        (5, "ac", None),
        (9, "N", "non_acgt_ref"),
        (9, "A", "ref_iupac"),
        (10, "G", "ref_iupac"),
        (8, "TN", "non_acgt_ref"),
        (14, "T", None),
    ],
)
@pytest.mark.parametrize("window", [3, 1000])
def test_reference_check(reference, pos, ref, reason, window):
    assert check_ref(Reference(reference, window), "x.vcf", "chr1", pos, ref) == reason


@pytest.mark.parametrize(("pos", "ref"), [(1, "C"), (10, "C"), (14, "TA"), (20, "A"), (9, "AC")])
def test_reference_mismatch_stops(reference, pos, ref):
    with pytest.raises(GoeError, match=rf"x.vcf, chr1:{pos}: REF {ref}"):
        check_ref(Reference(reference), "x.vcf", "chr1", pos, ref)


def test_unknown_contig_stops(reference):
    with pytest.raises(GoeError, match="contig chr9 is not in the reference"):
        check_ref(Reference(reference), "x.vcf", "chr9", 1, "A")
