"""The rule of the floor on single alleles, and which strata are published at all."""

import os
import subprocess
import sys

import numpy as np
import pytest
from goe.core.errors import GoeError
from goe.disclosure import control, outcomes, search
from goe.disclosure.outcomes import FULL, REDUCED, WITHHELD
from goe.disclosure.plan import choose_strata
from goe.frequencies import strata as st
from goe.rules.policy import Policy
from goe.settings import sections
from goe.settings.sections import Disclosure


def chosen(**keys) -> Disclosure:
    """The section `disclosure` of the config with these keys."""
    return sections.of(Disclosure, keys)


def counts(leaves):
    """(leaves, 5, 1) from a (dip, hap, het, hom, hemi) for each leaf."""
    return np.array(leaves, dtype=np.int32)[:, :, None]


def decide(people, leaves, rule):
    """Outcome, published strata and reason of one allele."""
    plan = choose_strata(people, rule.min_stratum_size)
    decision = control.apply(counts(leaves), plan, rule)
    strata = " ".join(s for s, shown in zip(plan.strata, decision.shown[:, 0], strict=True) if shown)
    return int(decision.outcome[0]), strata, outcomes.REASONS[decision.reason[0]]


MEN_AND_WOMEN = {"EE_F": 50, "EE_M": 50}
ALL = "Total M F EE EE_M EE_F"


@pytest.mark.parametrize(
    ("women", "men", "outcome", "reason"),
    [
        ((50, 0, 5, 0, 0), (50, 0, 7, 0, 0), FULL, ""),
        ((50, 0, 9, 0, 0), (50, 0, 4, 0, 0), REDUCED, ""),
        # 2 of the one or 3 of the other: nobody can be told to be among fewer than five values.
        ((50, 0, 2, 0, 0), (50, 0, 2, 0, 0), WITHHELD, "carriers or non-carriers of Total are too few"),
        # Total of k: as one of both sexes fails, 1 to 4 are left for it, which are fewer than five numbers.
        ((50, 0, 2, 0, 0), (50, 0, 3, 0, 0), WITHHELD, "Total alone would tell the numbers of a withheld stratum"),
        # One homozygote among carriers is a carrier like the others (AC 10 would have passed a floor of 2k alleles).
        ((50, 0, 8, 1, 0), (50, 0, 0, 0, 0), FULL, ""),
        ((50, 0, 3, 1, 0), (50, 0, 0, 0, 0), WITHHELD, "carriers or non-carriers of Total are too few"),
        # Nearly fixed: those without the allele are few.
        ((50, 0, 0, 48, 0), (50, 0, 0, 50, 0), WITHHELD, "carriers or non-carriers of Total are too few"),
        ((50, 0, 0, 47, 0), (50, 0, 0, 42, 0), REDUCED, ""),
        ((50, 0, 0, 50, 0), (50, 0, 0, 50, 0), FULL, ""),
        # X: 2 men without the allele cannot hide behind many women without it.
        ((50, 0, 0, 0, 0), (0, 50, 0, 0, 48), WITHHELD, "carriers or non-carriers of Total are too few"),
        ((50, 0, 0, 0, 0), (0, 50, 0, 0, 6), FULL, ""),
        # Nobody who counts has it.
        ((50, 0, 0, 0, 0), (50, 0, 0, 0, 0), WITHHELD, "nobody who counts carries it"),
        ((0, 0, 0, 0, 0), (0, 0, 0, 0, 0), WITHHELD, "nobody who counts carries it"),
        # A haploid call of a woman, of one person: no region explains it.
        (
            (49, 1, 8, 0, 1),
            (50, 0, 7, 0, 0),
            WITHHELD,
            outcomes.REASONS[4],
        ),
    ],
)
def test_cells_of_one_country(women, men, outcome, reason):
    for name in ("collapse", "minimal"):
        rule = Policy(5, name=name)
        shown = {FULL: ALL, WITHHELD: ""}
        found, strata, why = decide(MEN_AND_WOMEN, [women, men], rule)
        assert (found, why) == (outcome, reason), name
        if outcome in shown:
            assert strata == shown[outcome]
        else:
            # Of two sexes neither can be told without the other.
            assert strata == ("Total" if name == "collapse" else "Total EE")


def test_genotypes_can_be_protected_as_well():
    women, men = (50, 0, 8, 1, 0), (50, 0, 9, 0, 0)
    assert decide(MEN_AND_WOMEN, [women, men], Policy(5))[0] == FULL
    outcome, _, why = decide(MEN_AND_WOMEN, [women, men], Policy(5, protect="genotypes"))
    assert outcome == WITHHELD and why == "carriers or non-carriers of Total are too few"


COUNTRIES = {f"{c}_{sex}": 40 for c in ("EE", "FI", "LV") for sex in "FM"}


def leaves(*carriers):
    return [(40, 0, n, 0, 0) for n in carriers]


@pytest.mark.parametrize(
    ("carriers", "strata"),
    [
        # EE_F has 2 carriers. With EE and Total she follows from a difference, so women of another country go as
        # well, and both countries.
        ((2, 9, 9, 9, 9, 9), "Total M F EE_M FI FI_M FI_F LV_M"),
        # EE has 3 carriers in all, and cannot be told from Total without another country.
        ((1, 2, 9, 9, 9, 9), "Total M F FI FI_M FI_F"),
        ((1, 2, 2, 2, 9, 9), "Total LV LV_M LV_F"),
        # The women of every country fail; their countries go, as the men are given.
        ((2, 9, 2, 9, 2, 9), "Total M F EE_M FI_M LV_M"),
        ((1, 2, 1, 2, 1, 2), "Total"),
    ],
)
def test_minimal_keeps_what_it_can(carriers, strata):
    assert decide(COUNTRIES, leaves(*carriers), Policy(5, name="minimal")) == (REDUCED, strata, "")
    assert decide(COUNTRIES, leaves(*carriers), Policy(5))[1] == "Total"


def test_people_of_unknown_sex_are_a_cell_that_a_difference_gives():
    people = {"EE_F": 50, "EE_M": 50, "EE_U": 10}
    assert choose_strata(people, 10).strata == ("Total", "M", "F", "EE", "EE_M", "EE_F")
    calls = [(50, 0, 10, 0, 0), (50, 0, 10, 0, 0), (10, 0, 1, 0, 0)]
    assert decide(people, calls, Policy(5))[:2] == (REDUCED, "Total")


def test_open_and_one_publish_everything():
    plan = choose_strata({"EE_F": 1, "EE_M": 2, "LV_U": 1}, 1)
    assert plan.strata == ("Total", "M", "F", "EE", "EE_M", "EE_F", "LV")
    rule = control.policy(chosen(open=True, legal_basis="a decision"))
    assert rule == Policy(1, "a decision", "open")
    people = counts([(1, 0, 1, 0, 0), (2, 0, 0, 0, 0), (1, 0, 0, 0, 0)])
    for one in (rule, Policy(1)):
        assert one.min_stratum_size == 1
        decision = control.apply(people, plan, one)
        assert decision.shown.all() and decision.outcome.tolist() == [FULL]


def test_fewer_people_than_a_stratum_needs_publish_nothing():
    people = {"EE_F": 5, "EE_M": 4}
    calls = [(5, 0, 5, 0, 0), (4, 0, 4, 0, 0)]
    assert decide(people, calls, Policy(5)) == (WITHHELD, "", "the people are too few to publish anything")


def test_policy_of_the_config():
    assert control.policy(chosen(min_carriers=7, policy="collapse", protect="carriers")) == Policy(7)
    assert Policy(7).min_stratum_size == 14
    section = chosen(min_carriers=7, policy="minimal", protect="genotypes", min_stratum_size=30)
    assert control.policy(section) == Policy(7, name="minimal", protect="genotypes", least=30)
    assert control.policy(section).min_stratum_size == 30
    with pytest.raises(GoeError, match="6 is below min_carriers, 7 -> set it to 7 or more"):
        control.policy(chosen(min_carriers=7, policy="collapse", protect="carriers", min_stratum_size=6))
    with pytest.raises(ValueError, match="neither a floor nor an open release"):
        control.policy(chosen())


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
    assert " ".join(choose_strata(people, 5).strata) == strata


def statistics(people, contig, hidden=(), least=5):
    plan = choose_strata(people, least)
    shown = np.array([[s not in hidden] for s in plan.strata])
    return {name for name, given in control.open_statistics(shown, plan, contig).items() if given[0]}


def test_statistics_follow_the_cells_they_can_be_computed_from():
    every = {"call_rate", "hwe_p", "inbreeding_coeff", "faf95", "faf99"}
    by_country = {"hwe_p", "inbreeding_coeff"}
    people = {f"{c}_{sex}": 40 for c in ("EE", "LV") for sex in "FM"}
    assert statistics(people, "chr1") == every
    assert statistics(people, "chr1", ("EE_M", "EE_F")) == every
    assert statistics(people, "chr1", ("EE", "LV")) == every - by_country
    # On X they are of the women.
    assert statistics(people, "chrX", ("EE_M", "EE_F")) == every - by_country
    assert statistics(people, "chr1", st.order(tuple(people))) == set()
    # AN of Total over what could be called on X tells how many are men.
    few_unknown = people | {"EE_U": 1}
    assert "call_rate" in statistics(few_unknown, "chr1")
    assert "call_rate" not in statistics(few_unknown, "chrX")
    # A country of neither sex: that it has no women is not to be seen.
    assert by_country.isdisjoint(statistics({"EE_M": 90, "EE_F": 90, "LV_U": 80}, "chrX"))
    assert by_country <= statistics({"EE_M": 90, "EE_F": 90, "LV_M": 80}, "chrX")


def test_rounding_hides_small_counts_and_never_gives_zero():
    assert [control.rounded(n, 5) for n in (0, 1, 2, 4, 5, 7, 8, 12, 13)] == [0, 5, 5, 5, 5, 5, 10, 10, 15]
    assert [control.rounded(n, 1) for n in (0, 1, 7)] == [0, 1, 7]
    for k in (2, 3, 5, 10):
        shown = [control.rounded(n, k) for n in range(1, 10 * k)]
        assert all(shown.count(value) >= k for value in set(shown) if value < 9 * k)


@pytest.mark.parametrize("k", [2, 3, 5, 10, 13])
def test_a_part_of_a_public_whole_has_k_candidates_or_is_nobody_or_all(k):
    for whole in range(k + 1, 6 * k):
        shown = [control.rounded_part(n, whole, k) for n in range(whole + 1)]
        assert (shown[0], shown[-1]) == (0, whole) and shown == sorted(shown)
        for n in range(1, whole):
            assert shown[n] % k == 0 and shown[n] != 0 and shown.count(shown[n]) - (shown[n] == whole) >= k
    assert [control.rounded_part(n, 7, 1) for n in range(8)] == list(range(8))


def test_numbers_of_outcomes_and_reasons_are_those_of_the_search():
    assert (WITHHELD, REDUCED, FULL) == (search.WITHHELD, search.REDUCED, search.FULL)
    assert outcomes.REASONS[search.SEARCH_ENDED :] == outcomes.IN_PART


def test_who_asks_for_a_rule_loads_no_numba(repo):
    code = "import sys, goe.release.summary, goe.release.report.page; print('numba' in sys.modules)"
    env = os.environ | {"PYTHONPATH": str(repo / "scripts")}
    assert subprocess.check_output([sys.executable, "-c", code], env=env, text=True) == "False\n"
