"""Strata: names, what holds what, and what may be published."""

import pytest
from goe.frequencies import strata
from goe.rules.stratum import LEAF, PUBLISHED, Stratum, label_problem, parse

NAMES = ["Total", "M", "F", "EE", "EE_M", "EE_F", "EE_U", "FI", "FI_M"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_that_of_its_stratum(name):
    assert parse(name).name == name
    assert bool(PUBLISHED.fullmatch(name)) == (not name.endswith("U"))
    assert bool(LEAF.fullmatch(name)) == parse(name).is_leaf


def test_parents_are_the_published_strata_that_hold_it():
    for name in NAMES:
        holds = {n for n in NAMES if parse(n).holds(parse(name)) and n != name}
        assert set(parse(name).parents) >= holds - {"EE", "FI"} or not parse(name).is_leaf
        if not name.endswith("U"):
            assert set(parse(name).parents) == holds
    assert parse("EE_M").parents == ("Total", "EE", "M")


def test_what_is_a_country():
    assert [n for n in NAMES if parse(n).is_country] == ["EE", "FI"]
    assert strata.published_countries(NAMES) == ["EE", "FI"]
    assert parse("EE") == Stratum("EE", "")


@pytest.mark.parametrize("label", ["XX", "XY", "E", "EEE", "ee", "E1", ""])
def test_labels_that_no_consumer_takes(label):
    assert label_problem(label)
    assert not LEAF.fullmatch(f"{label}_M")
    assert label == "" or not PUBLISHED.fullmatch(label)


def test_a_label_that_is_taken():
    assert label_problem("EE") == "" and label_problem("XK") == ""
