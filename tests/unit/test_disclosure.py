"""The rule of the floor on single alleles, and which strata are published at all."""

import numpy as np
import pytest
from goe import disclosure
from goe.disclosure import FULL, ONLY_TOTAL, WITHHELD, Policy


def counts(leaves):
    """(leaves, 5, 1) from a (dip, hap, het, hom, hemi) for each leaf."""
    return np.array(leaves, dtype=np.int32)[:, :, None]


def decide(people, leaves, k=5):
    return int(disclosure.apply(counts(leaves), disclosure.plan(people, k), Policy(k))[0])


MEN_AND_WOMEN = {"EE_F": 50, "EE_M": 50}


@pytest.mark.parametrize(
    ("women", "men", "visible"),
    [
        ((50, 0, 0, 0, 0), (50, 0, 0, 0, 0), FULL),
        ((50, 0, 5, 0, 0), (50, 0, 7, 0, 0), FULL),
        ((50, 0, 5, 0, 0), (50, 0, 4, 0, 0), ONLY_TOTAL),
        ((50, 0, 2, 0, 0), (50, 0, 3, 0, 0), ONLY_TOTAL),
        ((50, 0, 2, 0, 0), (50, 0, 2, 0, 0), WITHHELD),
        # One homozygote is a person as well: AC 10 would have passed a floor of 2k alleles.
        ((50, 0, 8, 1, 0), (50, 0, 0, 0, 0), WITHHELD),
        ((50, 0, 10, 5, 0), (50, 0, 10, 5, 0), FULL),
        # Nearly fixed: those without the allele are few.
        ((50, 0, 0, 48, 0), (50, 0, 0, 50, 0), WITHHELD),
        ((50, 0, 0, 47, 0), (50, 0, 0, 47, 0), ONLY_TOTAL),
        ((50, 0, 0, 50, 0), (50, 0, 0, 50, 0), FULL),
        # X: 2 men without the allele cannot hide behind many women without it.
        ((50, 0, 0, 0, 0), (0, 50, 0, 0, 48), WITHHELD),
        ((50, 0, 0, 0, 0), (0, 50, 0, 0, 6), FULL),
        # Y PAR: nobody counts.
        ((0, 0, 0, 0, 0), (0, 0, 0, 0, 0), FULL),
    ],
)
def test_cells(women, men, visible):
    assert decide(MEN_AND_WOMEN, [women, men]) == visible


def test_people_of_unknown_sex_are_a_cell_that_a_difference_gives():
    people = {"EE_F": 50, "EE_M": 50, "EE_U": 10}
    plan = disclosure.plan(people, 5)
    assert plan.strata == ("Total", "M", "F", "EE", "EE_M", "EE_F")
    leaves = [(50, 0, 10, 0, 0), (50, 0, 10, 0, 0), (10, 0, 1, 0, 0)]
    assert decide(people, leaves) == ONLY_TOTAL


def test_open_and_one_publish_everything():
    plan = disclosure.plan({"EE_F": 1, "EE_M": 2, "LV_U": 1}, 1)
    assert plan.strata == ("Total", "M", "F", "EE", "EE_M", "EE_F", "LV")
    rule = disclosure.policy({"open": True, "legal_basis": "a decision"})
    assert rule == Policy(1, True, "a decision", "open")
    people = counts([(1, 0, 1, 0, 0), (2, 0, 0, 0, 0), (1, 0, 0, 0, 0)])
    assert disclosure.apply(people, plan, rule).tolist() == [FULL]


def test_policy_of_the_config():
    assert disclosure.policy({"min_carriers": 7, "policy": "collapse", "open": False}) == Policy(7)


@pytest.mark.parametrize(
    ("people", "strata"),
    [
        ({"EE_F": 9, "EE_M": 9}, "Total M F EE EE_M EE_F"),
        # Too few people of unknown sex: the split of EE gives them away, M and F of all too.
        ({"EE_F": 9, "EE_M": 9, "EE_U": 1, "LV_F": 9, "LV_M": 9}, "Total EE LV LV_M LV_F"),
        ({"EE_F": 9, "EE_M": 9, "EE_U": 1}, "Total EE"),
        # One small country is Total minus the others: the next smallest goes with it. Both together have sexes.
        ({"EE_F": 9, "EE_M": 9, "LV_F": 3, "FI_F": 8, "FI_M": 8}, "Total M F EE EE_M EE_F"),
        # Two small ones protect each other.
        ({"EE_F": 9, "EE_M": 9, "LV_F": 3, "LT_F": 3}, "Total M F EE EE_M EE_F"),
        ({"EE_F": 9, "EE_M": 9, "LV_F": 4}, "Total M F"),
        ({"EE_F": 9, "LV_M": 2}, "Total"),
        ({"EE_F": 3}, "Total"),
        ({"EE_F": 9, "EE_M": 0}, "Total F EE EE_F"),
        ({}, "Total"),
    ],
)
def test_strata_that_are_published(people, strata):
    assert " ".join(disclosure.plan(people, 5).strata) == strata


def test_rounding_hides_small_counts_and_never_gives_zero():
    assert [disclosure.rounded(n, 5) for n in (0, 1, 2, 4, 5, 7, 8, 12, 13)] == [0, 5, 5, 5, 5, 5, 10, 10, 15]
    assert [disclosure.rounded(n, 1) for n in (0, 1, 7)] == [0, 1, 7]
    for k in (2, 3, 5, 10):
        shown = [disclosure.rounded(n, k) for n in range(1, 10 * k)]
        assert all(shown.count(value) >= k for value in set(shown) if value < 9 * k)
    assert disclosure.rounded_tree({"a": [1, {"b": 13}], "c": "x", "d": True}, 5) == {
        "a": [5, {"b": 15}],
        "c": "x",
        "d": True,
    }
