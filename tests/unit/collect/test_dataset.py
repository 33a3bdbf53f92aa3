"""What the silence of a release means, against what disclosure control withholds."""

import numpy as np
import pytest
from goe.collect.dataset import Dataset
from goe.disclosure import control, outcomes
from goe.disclosure.plan import choose_strata
from goe.disclosure.silence import of as silence
from goe.frequencies import strata as st
from goe.rules.policy import Policy


def some_people(rng, sizes, alleles, haploid):
    """Counts of alleles of any frequency; often few are called of a stratum."""
    people = np.zeros((len(sizes), 5, alleles), np.int32)
    p = rng.choice([0.0, 0.005, 0.02, 0.1, 0.5, 0.9, 0.98, 1.0], alleles)
    for i, n in enumerate(sizes):
        called = rng.binomial(n, rng.choice([0.1, 0.6, 1.0, 1.0], alleles))
        if haploid:
            people[i, st.HAP], people[i, st.HEMI] = called, rng.binomial(called, p)
            continue
        people[i, st.DIP] = called
        hom = rng.binomial(called, p * p)
        people[i, st.HOM] = hom
        people[i, st.HET] = rng.binomial(called - hom, 2 * p * (1 - p) / np.maximum(1 - p * p, 1e-9))
    return people


@pytest.mark.parametrize("policy", ["collapse", "minimal"])
@pytest.mark.parametrize("cohort", [{"EE": (60, 50, 0)}, {"EE": (40, 30, 0), "LV": (25, 25, 0)}, {"EE": (40, 30, 12)}])
def test_an_allele_that_a_floor_withholds_has_few_carriers_or_few_others(policy, cohort):
    rng = np.random.default_rng(1)
    sizes = {f"{c}_{s}": n for c, row in cohort.items() for s, n in zip("MFU", row, strict=True) if n}
    tells = 0
    for k in (3, 5):
        plan = choose_strata(sizes, 2 * k)
        for haploid in (False, True):
            people = some_people(rng, sizes.values(), 3000, haploid)
            found = control.apply(people, plan, Policy(k, name=policy))
            carriers = people[:, st.HET :].sum(axis=(0, 1))
            others = st.called(people).sum(axis=0) - carriers
            few = np.minimum(carriers, others)
            for reason, most in ((1, 0), (3, k - 1), (5, k)):
                mine = found.reason == reason
                if reason == 5:
                    # Where more than k are called of every part, which callable AN tells.
                    parts = np.array([people[list(group), :2].sum(axis=(0, 1)) for group in plan.groups])
                    tells += mine.sum()
                    mine &= (parts > k).all(axis=0)
                assert (few[mine] <= most).all()
            withheld = found.outcome == outcomes.WITHHELD
            assert set(found.reason[withheld].tolist()) <= {1, 3, 5}
    if len(plan.groups) == 2:
        assert tells


@pytest.mark.parametrize("policy", ["collapse", "minimal"])
@pytest.mark.parametrize("sizes", [{"EE_U": 60, "LV_U": 40}, {"EE_U": 40, "FI_U": 30, "LV_U": 12}])
def test_an_allele_that_is_withheld_for_others_overlaps_one_that_is_listed(policy, sizes):
    rng = np.random.default_rng(2)
    seen = 0
    for haploid in (False, True):
        people = some_people(rng, sizes.values(), 6000, haploid)
        pos = np.sort(rng.integers(0, 40_000, 6000))
        end = pos + rng.choice([0, 0, 0, 4, 15], 6000)
        found = control.apply(people, choose_strata(sizes, 6), Policy(3, name=policy), pos, end)
        assert set(found.reason[found.outcome == outcomes.WITHHELD].tolist()) <= {1, 3, 5, 6, 7}
        listed = np.flatnonzero(found.outcome != outcomes.WITHHELD)
        for v in np.flatnonzero(found.reason == 6):
            seen += 1
            assert ((pos[listed] <= end[v]) & (end[listed] >= pos[v])).any()
    assert seen


def test_where_all_alleles_of_a_place_are_withheld_for_each_other_silence_says_nothing():
    rng = np.random.default_rng(3)
    pos = np.sort(rng.integers(0, 400, 60))
    end = pos + rng.choice([0, 0, 4, 15], 60)
    for which in (rng.random(60) < 0.2, np.zeros(60, bool)):
        right = [((pos[which] <= e) & (end[which] >= p)).any() for p, e in zip(pos, end, strict=True)]
        assert control._overlap(pos, end, which).tolist() == right
    rule = {"min_carriers": 5, "policy": "collapse", "protect": "carriers"}
    for reason, means, beside in ((6, "floor", False), (7, "unknown", True)):
        told = silence(rule | {"alleles_withheld_by_reason": {outcomes.REASONS[reason]: 5}})
        assert (told.means, told.beside) == (means, beside)


@pytest.mark.parametrize(
    ("people", "nobody", "somebody"),
    [
        ({"Total": 30, "EE": 30, "EE_M": 30}, ["LV", "LV_M", "EE_F"], ["M"]),
        ({"Total": 30, "EE": 20}, [], ["LV", "EE_M", "M"]),
        ({"Total": 30, "M": 30, "EE": 30}, ["F", "LV"], ["EE_M"]),
    ],
)
def test_who_cannot_be_in_a_dataset(people, nobody, somebody):
    one = Dataset(1, "x", "release", "goe", people=people)
    assert [s for s in (*nobody, *somebody, "EE") if one.holds_nobody(s)] == nobody
    one.exact_people = False
    assert not any(map(one.holds_nobody, nobody))
