"""Quantiles of quality metrics in a release: nothing of fewer than k people, and nobody's own value."""

import copy
import itertools
from collections import Counter

import numpy as np
import pytest
from goe.disclosure import control
from goe.release import quantiles
from goe.release.quantiles import PERCENT, allowed, faults, summary
from hypothesis import given
from hypothesis import strategies as draw

METRIC = "call_rate"


def tables(groups, missing=0, out=0):
    """(keep, metrics) of people with these values by country; some without a value, some left out."""
    keep, metrics = [], []
    people = [(c, v, "yes") for c, values in groups.items() for v in values]
    people += [("EE", None, "yes")] * missing + [("EE", 99.0, "no")] * out
    for i, (country, value, kept) in enumerate(people):
        keep.append({"sample_id": str(i), "keep": kept})
        metrics.append({"sample_id": str(i), "country_code": country, METRIC: "" if value is None else repr(value)})
    return keep, metrics


values = draw.lists(draw.floats(0, 1e6, allow_subnormal=False).map(lambda v: round(v, 3)), max_size=120)


@given(
    draw.dictionaries(draw.sampled_from(["EE", "LV", "PT", "FI"]), values, min_size=1),
    draw.sets(draw.sampled_from(["EE", "LV", "PT", "FI"])),
    draw.sampled_from([1, 2, 3, 5, 10]),
)
def test_nothing_is_of_fewer_than_k_people(groups, published, k):
    keep, metrics = tables(groups, missing=3, out=4)
    found = summary(keep, metrics, sorted(published), k).get(METRIC, {})
    kept = {row["sample_id"] for row in keep if row["keep"] == "yes"}
    whole = Counter(row["country_code"] for row in metrics if row["sample_id"] in kept)
    whole["Total"] = len(kept)
    assert set(found) <= {"Total", *published}
    everybody = [v for some in groups.values() for v in some]
    for group, said in found.items():
        mine = np.array(sorted(everybody if group == "Total" else groups[group]))
        assert len(mine) >= 2 * k
        without = whole[group] - said["people"]
        assert (without == 0) == (len(mine) == whole[group]) and without % k == 0
        if group != "Total":
            assert without == control.rounded_part(whole[group] - len(mine), whole[group], k)
        given_ = [(name, p) for name, p in PERCENT.items() if name in said]
        assert given_
        for name, p in given_:
            exact = np.quantile(mine, p / 100)
            assert said[name] == quantiles.significant(exact)
            assert (mine <= exact).sum() >= k and (mine >= exact).sum() >= k
        # People between neighbouring quantiles, the ends included.
        places = [0, *(p / 100 * len(mine) for _, p in given_), len(mine)]
        assert all(b - a >= k for a, b in itertools.pairwise(places))
    # What taking groups off everybody leaves has nobody, or k people.
    if "Total" in found:
        shown = [len(groups[c]) for c in found if c != "Total"]
        for n in range(len(shown) + 1):
            for some in itertools.combinations(shown, n):
                rest = len(everybody) - sum(some)
                assert rest == 0 or rest >= k
    strata = {s: whole[s] for s in ("Total", *published)}
    assert faults({METRIC: found} if found else {}, strata, k) == []


@given(draw.integers(1, 10_000), draw.sampled_from([1, 2, 5, 10, 20]))
def test_which_quantiles_are_there_says_no_more_than_the_rounded_number(people, k):
    for whole in (people, people + 1, people + k, 2 * people + 3 * k):
        names = allowed(whole - control.rounded_part(whole - people, whole, k), k)
        assert all(people * min(PERCENT[n], 100 - PERCENT[n]) >= 100 * k for n in names)
    assert [n for n in PERCENT if n in names] == names and ("p05" in names) == ("p95" in names)


def test_known_figures():
    groups = {"EE": [i / 1000 for i in range(1, 401)], "LV": [0.5] * 9}
    found = summary(*tables(groups, missing=7, out=7), ["EE", "LV"], 10)
    assert found == {
        METRIC: {
            # 9 people of LV are too few, and everybody less EE would be those 9. The 7 without a value count as 10.
            "EE": {"people": 397, "p05": 0.021, "p25": 0.101, "p50": 0.201, "p75": 0.3, "p95": 0.38},
        }
    }
    assert summary(*tables(groups), [], 10)[METRIC]["Total"]["people"] == 409
    assert summary(*tables({"EE": [1.0, 2.0, 3.0]}), ["EE"], 10) == {}
    assert summary([], [], ["EE"], 1) == {}


def test_an_open_release_has_no_single_person_either():
    assert summary(*tables({"EE": [1.0]}), ["EE"], 1) == {}
    (said,) = {str(g) for g in summary(*tables({"EE": [1.0, 2.0, 4.0]}), ["EE"], 1)[METRIC].values()}
    assert said == str({"people": 3, "p50": 2.0})


def test_what_is_left_of_the_people_with_a_value_is_of_k_people():
    """Whoever knows the people of the countries cannot tell how few of them have no value."""
    k, possible = 5, {}
    for lacking in itertools.product(range(13), repeat=2):
        groups = {c: [0.5] * (60 - n) + [None] * n for c, n in zip(("EE", "LV"), lacking, strict=True)}
        said = summary(*tables(groups), ["EE", "LV"], k)[METRIC]
        possible.setdefault(str({g: s["people"] for g, s in said.items()}), []).append(lacking)
        assert said["Total"]["people"] == said["EE"]["people"] + said["LV"]["people"]
    for cohorts in possible.values():
        for numbers in zip(*cohorts, strict=True):
            assert set(numbers) == {0} or len(set(numbers)) >= k


SAID = {METRIC: {"Total": {"people": 40, "p25": 0.97, "p50": 0.98, "p75": 0.99}, "EE": {"people": 20, "p50": 0.98}}}


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda m: m.update({"EE_F": m["EE"]}), "EE_F is of no published country"),
        (lambda m: m.update({"LV": m["EE"]}), "LV is of no published country"),
        (lambda m: m["EE"].update(people=21), "EE.people is 21, and EE has 20 people"),
        (lambda m: m["EE"].update(people=18), "EE.people is not 20 less a multiple of 5"),
        (lambda m: m.update({"FI": {"people": 25, "p50": 0.98}}), "people is 40, the countries give 45"),
        (lambda m: m["EE"].update(p05=0.9), "20 people allow p50"),
        (lambda m: m["Total"].pop("p25"), "40 people allow p25, p50, p75"),
        (lambda m: m["EE"].update(people=5), "5 people allow nothing"),
        (lambda m: m["Total"].update(p25=0.985), "not in order"),
        (lambda m: m["Total"].update(p50=0.98123), "more than three digits"),
    ],
)
def test_what_breaks_the_rule_is_found(spoil, what):
    published = {"Total": 45, "EE": 20, "EE_F": 10, "M": 20, "FI": 25}
    assert faults(SAID, published, 5) == []
    said = copy.deepcopy(SAID)
    spoil(said[METRIC])
    assert any(what in text for text in faults(said, published, 5)), faults(said, published, 5)
