"""AD and GQ of joint records from local alleles and likelihoods (C1.7)."""

import numpy as np
import pytest
from goe.core.errors import GoeError
from goe.harmonise import local
from goe.hts.bcf import END_OF_VECTOR, MISSING, Record

NO, END = -128, -127


def record(alts="CGT", **formats):
    """Of as many people as the fields have rows, short vectors, each of numbers and None, padded to the longest."""
    made = {}
    for key, rows in formats.items():
        width = max(1, *map(len, rows))
        cells = [[NO if v is None else v for v in row] + [END] * (width - len(row)) for row in rows]
        made[key] = np.array(cells, np.int8)
    return Record("chr1", 5, None, "A", list(alts), [], {}, made)


def ad_of(*people, alts="CGT"):
    """AD of people with (LAA, LAD)."""
    one = record(alts, LAA=[laa for laa, _ in people], LAD=[lad for _, lad in people])
    assert local.resolve("x.bcf", one) is None
    return one, one.formats["AD"].tolist()


def test_lad_goes_to_the_alleles_that_laa_names():
    one, ad = ad_of(([2], [12, 18]), ([1, 3], [1, 2, 3]), ([3, 1], [1, 2, 3]), ([None], [30]), ([2], [None, 5]))
    no = MISSING
    assert ad == [[12, no, 18, no], [1, 2, no, 3], [1, 3, no, 2], [30, no, no, no], [no, no, 5, no]]
    assert not local.wrong_length(one, np.arange(5))


@pytest.mark.parametrize(
    ("laa", "lad"),
    [
        ([2], [12]),
        ([2], [12, 18, 1]),
        ([None], [12, 18]),
        ([1, 2], [12, 18]),
        ([1], [None, 18, None]),
        ([1], [12, 9, None]),
    ],
)
def test_lad_of_another_length_than_laa_is_of_nobody_knows_whom(laa, lad):
    one, ad = ad_of(([2], [12, 18]), (laa, lad))
    assert ad == [[12, MISSING, 18, MISSING], [END_OF_VECTOR] * 4]
    assert local.wrong_length(one, np.array([1])) and not local.wrong_length(one, np.array([0]))


@pytest.mark.parametrize(("laa", "lad"), [([2], [None]), ([2], [None, None]), ([None], [None, None, None])])
def test_lad_without_a_value_says_nothing(laa, lad):
    one, ad = ad_of(([2], [12, 18]), (laa, lad))
    assert ad[1] == [MISSING] * 4 and not local.wrong_length(one, np.arange(2))


def test_an_allele_that_the_record_does_not_have_stops():
    with pytest.raises(GoeError, match=r"x.bcf, chr1:5: LAA names an allele that the record does not have"):
        ad_of(([4], [12, 18]))


def test_ad_that_is_there_is_taken():
    one = record("C", AD=[[3, 4]], LAA=[[1]], LAD=[[1, 2, 3]])
    local.resolve("x.bcf", one)
    assert one.formats["AD"].tolist() == [[3, 4]]
    assert not local.wrong_length(one, np.array([0]))


def test_quality_is_the_margin_of_the_likelihoods_where_there_is_none():
    one = record("C", GQ=[[50], [None], [None], [None]], PL=[[0, 9, 99], [0, 9, 99], [120, 0, 110], [0, None, 9]])
    assert local.resolve("x.bcf", one).tolist() == [1, 2]
    assert one.formats["GQ"].tolist() == [[50], [9], [99], [MISSING]]
