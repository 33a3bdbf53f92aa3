"""The audit of callable AN: numbers that the floor allows, and beside AN."""

import numpy as np
import pyarrow as pa
import pytest
from goe.disclosure.audit import callable_an
from goe.disclosure.audit.table import Stated, Table
from goe.frequencies import strata as st
from goe.frequencies.block import Block
from goe.genome.build import Build

BUILD = Build("toy", {"chr1": 1000, "chrX": 1000, "chrY": 500}, [("chrX", 1, 100), ("chrY", 1, 50)])
# By sex, with two countries that are published and one that is not.
PEOPLE = {"Total": 100, "M": 45, "F": 45, "EE": 60, "EE_M": 25, "EE_F": 25, "FI": 20, "FI_M": 10, "FI_F": 10}
GROUPS = {"EE, M": 25, "EE, F": 25, "EE, U": 10, "FI, M": 10, "FI, F": 10, "FI, U": 0}
GROUPS |= {"other countries, M": 10, "other countries, F": 10, "other countries, U": 0}
STATED = Stated(5, "carriers", 10)


def numbers(groups, ploidy=2):
    """AN of the strata from people of the groups."""
    found = dict.fromkeys(PEOPLE, 0)
    for name, n in groups.items():
        country, sex = name.split(", ")
        for stratum in ("Total", sex, country, f"{country}_{sex}"):
            if stratum in found:
                found[stratum] += ploidy * n
    return np.array([[n] for n in found.values()])


def audited(an, contig="chr1", start=500, people=PEOPLE, stated=STATED):
    audit = callable_an.Runs(tuple(people), people, stated, BUILD, contig, "x.parquet")
    audit.look(np.array([start]), np.array([start + 9]), an)
    return [str(problem) for problem in audit.finish()]


def test_groups_are_those_of_strata_and_differences():
    groups = callable_an.groups(Table(tuple(PEOPLE), PEOPLE))
    assert {group.name: group.people for group in groups} == GROUPS
    half = {s: n for s, n in PEOPLE.items() if s not in ("M", "F", "FI_M", "FI_F")}
    groups = {group.name: (group.people, group.sexes) for group in callable_an.groups(Table(tuple(half), half))}
    assert groups["FI"] == (20, "MFU") and groups["other countries"] == (20, "MFU") and groups["EE, U"] == (10, "U")


FINE = {"EE, M": 20, "EE, F": 15, "EE, U": 5, "FI, M": 5, "FI, F": 0, "other countries, M": 5}


def test_numbers_that_may_be_shown_pass():
    assert audited(numbers(FINE)) == []
    assert audited(numbers({})) == []


@pytest.mark.parametrize(
    ("groups", "who"),
    [
        ({"EE, M": 21}, ["EE, M"]),
        # All of them: less than k - 1 people could be the others.
        ({"EE, M": 25}, ["EE, M"]),
        ({"FI, F": 10}, ["FI, F"]),
        # Nothing is wrong with Total: two groups that nobody prints.
        ({"EE, U": 3, "other countries, F": 2}, ["EE, U", "other countries, F"]),
        # A country with people whom it has not.
        ({"FI, U": 5}, ["FI, U"]),
        ({"EE, M": -5}, ["EE, M"]),
    ],
)
def test_a_number_that_tells_few_people_is_found(groups, who):
    problems = audited(numbers(FINE | groups))
    assert len(problems) == len(who) * 2 or len(problems) == len(who)
    assert all(any(f"AN of {name}:" in problem for problem in problems) for name in who), problems


def test_ploidy_is_that_of_the_sex_and_the_place():
    men = numbers({"EE, M": 15}, 1)
    assert audited(men, "chrX", 500) == [] and audited(men, "chrX", 50) != [] and audited(men, "chrY", 100) == []
    assert audited(numbers({"EE, F": 15}, 1), "chrX", 500) != [] and audited(men, "chrY", 10) != []
    assert audited(numbers({"EE, U": 5}), "chrX", 500) != [] and audited(numbers({"EE, U": 5}), "chrX", 50) == []


def test_too_few_people_for_anything_are_0():
    few = {"Total": 9}
    assert audited(np.array([[10]]), people=few) and not audited(np.array([[0]]), people=few)


def test_an_open_release_has_any_number_of_people_there_are():
    stated = Stated(1, "carriers", 1)
    assert audited(numbers({"EE, M": 25, "FI, F": 1}), stated=stated) == []
    assert audited(numbers({"EE, M": 26}), stated=stated) != []
    assert audited(numbers({"EE, M": 25}) + 1, stated=stated) != []


def test_how_far_below_is_two_floors_less_two_of_each_group():
    table = Table(tuple(PEOPLE), PEOPLE)
    below = callable_an.at_most_below(table, 5, BUILD, "chr1")
    assert (below["EE_M"], below["EE"], below["M"], below["Total"]) == (16, 48, 48, 112)
    assert callable_an.at_most_below(table, 5, BUILD, "chrY")["EE"] == 8
    assert set(callable_an.at_most_below(table, 1, BUILD, "chr1").values()) == {0}
    # Beside an earlier release nothing is promised.
    assert callable_an.at_most_below(table, 5, BUILD, "chr1", True) == {s: 2 * n for s, n in PEOPLE.items()}
    assert callable_an.at_most_below(table, 5, BUILD, "chrY", True) == PEOPLE


def block(an):
    n = len(an)
    zero = np.zeros((1, n), int)
    return Block(
        "chr1",
        pa.array(np.arange(1, n + 1), pa.int32()),
        pa.array(["A"] * n),
        pa.array(["C"] * (n - 1) + ["CC"]),
        pa.array(["PASS"] * n),
        np.ones((1, n), bool),
        ("Total",),
        st.Numbers(zero, np.array([an]), zero, zero, zero, zero),
        {},
    )


def test_beside_an_a_few_may_be_above_and_many_not():
    people = {"Total": 100}

    def compared(above, far=0, alone=True):
        audit = callable_an.Runs(tuple(people), people, STATED, BUILD, "chr1", "x.parquet")
        an = [150] * 301
        shown = np.full((1, 301), 140)
        shown[0, :above] = 160
        shown[0, 300] = 180  # An insertion, of which nothing follows.
        shown[0, 100 : 100 + far] = 110
        audit.beside(block(an), shown, alone)
        return audit.finish()

    assert compared(0) == compared(30) == []
    assert "above AN at 31 of 300" in str(compared(31)[0])
    assert "further below AN than may be at 40 of 300" in str(compared(0, 40)[0])
    assert compared(0, 40, alone=False) == []
