"""Names of alleles are computed again from the table alone, and every one that is another's is found."""

from types import SimpleNamespace

import pyarrow as pa
import pytest
from goe.check import names as names_check
from goe.check.faults import Faults
from goe.genome import vrs

REFGET = "SQ.IIB53T8CNeJJdUqzn9V_JnRtQadwWCbl"
ACCESSION = "NC_000019.10"
# pos, REF, ALT and the rest as `vrs.justified` spreads it.
ALLELES = {
    (44908822, "C", "T"): (44908821, "C", "T", 0),
    (100, "GC", "TTA"): (99, "GC", "TTA", 0),
    (2, "GAC", "G"): (2, "ACACACAC", "ACACAC", 2),
    (2, "G", "GACAC"): (2, "ACACACAC", "ACACACACACAC", 4),
    (16, "G", "GCG"): (16, "C", "CGC", 2),
}


def block(accession=ACCESSION, **change):
    pos, ref, alt = (list(column) for column in zip(*ALLELES, strict=True))
    sequence = vrs.in_json(REFGET)
    ids = [vrs.identifier(sequence, *spread) for spread in ALLELES.values()]
    spdi = [f"{accession}:{start}:{there}:{new}" if accession else None for start, there, new, _ in ALLELES.values()]
    columns = {"vrs_id": ids, "spdi": spdi, "rsid": ["rs7412", *[None] * 4]}
    for name, (row, value) in change.items():
        columns[name][row] = value
    names = {name: pa.array(column, pa.string()) for name, column in columns.items()}
    return SimpleNamespace(contig="chr19", pos=pa.array(pos), ref=pa.array(ref), alt=pa.array(alt), names=names)


@pytest.fixture
def found(monkeypatch):
    """Faults of a block. accession: of its contig."""

    def look(one, accession=ACCESSION):
        monkeypatch.setattr(names_check, "accession", lambda *_: accession)
        monkeypatch.setattr(names_check.allele_names, "origin", lambda _: (REFGET, None))
        faults = Faults("x")
        names_check.check("x", "GRCh38", "chr19", 1, [one], faults)
        return [problem.what for problem in faults.problems] or [p.what for p in faults.problems]

    return look


def test_right_names_have_no_fault(found):
    assert found(block()) == []
    assert found(block(accession=None), accession=None) == []


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"vrs_id": (0, "ga4gh:VA." + "0" * 32)}, "44908822:C:T vrs_id"),
        ({"vrs_id": (2, "ga4gh:VA." + "0" * 32)}, "2:GAC:G vrs_id"),
        ({"spdi": (0, f"{ACCESSION}:44908821:C:G")}, "44908822:C:T spdi"),
        ({"spdi": (0, "NC_000020.11:44908821:C:T")}, "44908822:C:T spdi"),
        ({"spdi": (1, f"{ACCESSION}:98:GC:TTA")}, "100:GC:TTA spdi"),
        ({"spdi": (2, f"{ACCESSION}:2:ACACACAG:ACACAG")}, "2:GAC:G spdi"),
        ({"spdi": (3, f"{ACCESSION}:2:ACACACACACAC:ACACACAC")}, "2:G:GACAC spdi"),
        ({"spdi": (4, None)}, "16:G:GCG spdi"),
        ({"spdi": (4, "somebody")}, "16:G:GCG spdi"),
        ({"rsid": (3, "somebody")}, "2:G:GACAC rsid"),
    ],
)
def test_another_name_is_found(found, change, what):
    assert any(what in problem for problem in found(block(**change))), found(block(**change))


def test_a_spdi_that_moves_less_far_than_the_identifier_is_found(found):
    assert found(block(spdi=(2, f"{ACCESSION}:2:ACACAC:ACAC"))) == ["chr19:2:GAC:G vrs_id is not that of the allele"]


def test_without_accession_what_is_no_identifier_is_found(found):
    assert found(block(accession=None, vrs_id=(2, "somebody")), accession=None)
    assert found(block(accession=None, spdi=(2, "x")), accession=None)
