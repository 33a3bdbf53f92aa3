"""Parents are sums of leaves, in a fixed order, and unknown sex is in no stratum of its own."""

import numpy as np
import pytest
from goe.core.errors import GoeError
from goe.frequencies import strata

LEAVES = ["EE_F", "EE_M", "EE_U", "LV_F", "LV_M"]


def cell(dip=0, hap=0, het=0, hom=0, hemi=0):
    return np.array([[dip], [hap], [het], [hom], [hemi]], dtype=np.int32)


def test_order_is_total_sexes_then_countries():
    assert strata.order(LEAVES) == ["Total", "M", "F", "EE", "EE_M", "EE_F", "LV", "LV_M", "LV_F"]
    assert strata.order(reversed(LEAVES)) == strata.order(LEAVES)


def test_unknown_sex_is_in_total_and_country_only():
    people = np.stack([cell(dip=1), cell(dip=10), cell(dip=100), cell(dip=1000), cell(dip=10_000)])
    names = strata.order(LEAVES)
    sums = dict(zip(names, strata.expand(people, LEAVES, names)[:, strata.DIP, 0].tolist(), strict=True))
    assert sums == {
        "Total": 11_111,
        "M": 10_010,
        "F": 1_001,
        "EE": 111,
        "EE_M": 10,
        "EE_F": 1,
        "LV": 11_000,
        "LV_M": 10_000,
        "LV_F": 1_000,
    }


def test_numbers_count_alleles_and_nhomalt_counts_people():
    people = np.stack([cell(dip=20, hap=7, het=3, hom=2, hemi=4), cell()])
    n = strata.numbers(people)
    assert (n.ac_hom[0, 0], n.ac_het[0, 0], n.ac_hemi[0, 0], n.nhomalt[0, 0]) == (4, 3, 4, 2)
    assert (n.ac[0, 0], n.an[0, 0]) == (11, 47)
    assert n.af()[0, 0] == 11 / 47
    assert np.isnan(n.af()[1, 0])
    assert strata.called(people)[0, 0] == 27


def test_leaves_that_other_programs_misread_are_refused_all_at_once():
    with pytest.raises(GoeError) as error:
        strata.check_leaves(["EE_M", "XX_M", "EST_F", "ee_F", "EE"], "counts")
    assert len(error.value.problems) == 4
    assert "'XX_M'" in str(error.value)
