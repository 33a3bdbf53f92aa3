"""Site alleles of a person's rows in columns: sorted, merged, and which of them left-alignment is asked about."""

import numpy as np
import pytest
from goe.core.ledger import Ledger
from goe.harmonise import genotypes as gt
from goe.harmonise.listed import Listed, Sites, may_move, merged, texts, with_texts


def sites(*rows):
    """Site alleles of (pos, REF, ALT), each with more columns by name."""
    text = "".join(ref + alt for (_, ref, alt), _ in rows)
    found = Sites.room(len(rows), len(text))
    found.text[:] = np.frombuffer(text.encode(), np.uint8)
    at = 0
    for i, ((pos, ref, alt), more) in enumerate(rows):
        told = {
            "code": gt.CODE_HET,
            "raw": gt.CODE_HET,
            "region_class": 1,
            "made": True,
            "qual": np.nan,
            "ft": 0,
        } | more
        told |= {"pos": pos, "at": at, "ref": len(ref), "alt": len(alt)}
        for name, value in told.items():
            getattr(found, name)[i] = value
        at += len(ref) + len(alt)
    return found


def keys(found):
    return [(int(found.pos[i]), *found.texts(i)) for i in range(len(found.pos))]


def test_they_are_sorted_by_position_ref_and_alt():
    rows = [(9, "A", "C"), (5, "AT", "A"), (5, "A", "T"), (5, "A", "AC"), (9, "A", "AA"), (5, "A", "C"), (2, "G", "T")]
    ledger = Ledger("test")
    found, _ = merged(sites(*((row, {}) for row in rows)), ["."], ledger)
    assert keys(found) == sorted(rows) and ledger.given["site_alleles"] == len(rows)


def test_chunks_make_one_whole():
    listed = Listed()
    assert len(listed.whole().pos) == 0
    for row in ((3, "A", "C"), (4, "AT", "A"), (9, "G", "GTT")):
        listed.add(sites((row, {})))
    assert keys(listed.whole()) == [(3, "A", "C"), (4, "AT", "A"), (9, "G", "GTT")]


A5 = (5, "A", "C")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # The carrier beats the reference call, and has the class of its own row.
        ([{"region_class": 2}, {"code": gt.CODE_REF2, "region_class": 1}], {"code": gt.CODE_HET, "region_class": 2}),
        # Of two that decide, the class of the sex chromosome.
        ([{"region_class": 1}, {"region_class": 2}], {"code": gt.CODE_HET, "region_class": 2}),
        ([{}, {"code": gt.CODE_HOM}], {"code": gt.CODE_MISSING}),
        ([{"made": False}, {"made": False}], {"made": False}),
        ([{"made": False}, {}], {"made": True}),
        ([{"qual": 3}, {}, {"qual": 7}], {"qual": 7}),
        # FILTER where every row that decides has one.
        ([{"ft": 1}, {"ft": 2}], {"ft": "q;r;s"}),
        ([{"ft": 1}, {}], {"ft": "."}),
        ([{"ft": 1}, {"code": gt.CODE_REF2}], {"ft": "q"}),
        ([{"ft": 1}, {"ft": 1, "code": gt.CODE_HOM}], {"ft": "."}),
    ],
)
def test_rows_of_one_allele_are_merged(rows, expected):
    ledger = Ledger("test")
    found, reasons = merged(sites(*((A5, row) for row in rows), ((6, "C", "T"), {})), [".", "q", "r;s"], ledger)
    assert keys(found) == [A5, (6, "C", "T")]
    told = {"ft": reasons[found.ft[0]]} | {
        name: getattr(found, name)[0] for name in ("code", "made", "region_class", "qual")
    }
    assert {name: told[name] for name in expected} == expected
    assert ledger.dropped["site_alleles"]["merged_into_another_record"] == len(rows) - 1


def test_what_left_alignment_may_change():
    rows = [(9, "A", "CA"), (5, "A", "AT"), (5, "AT", "A"), (3, "A", "AA"), (4, "CA", "A"), (7, "G", "T")]
    found = sites(*((row, {}) for row in rows))
    assert [rows[i] for i in may_move(found).tolist()] == [(3, "A", "AA"), (4, "CA", "A"), (9, "A", "CA")]
    moved = with_texts(found, [(3, 1, "TTG", "T"), (0, 8, "N", "NC")])
    assert keys(moved) == [(8, "N", "NC"), *rows[1:3], (1, "TTG", "T"), *rows[4:]]


def test_texts():
    data = np.frombuffer(b"ACGTN", np.uint8)
    assert texts(data, np.array([3, 0, 2]), np.array([2, 1, 0])).to_pylist() == ["TN", "A", ""]
    assert texts(data, np.empty(0, np.int64), np.empty(0, np.int32)).to_pylist() == []
