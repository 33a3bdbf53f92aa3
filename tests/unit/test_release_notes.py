"""What the release says of itself obeys the floor and names nobody."""

import itertools
import json

import pytest
from goe import disclosure, ledger, release_notes
from goe import strata as st
from goe.errors import GoeError

CFG = {
    "dataset": {
        "prefix": "GOE",
        "country": "EE",
        "org": "X",
        "id": "GOE-EE-X-20260101000000000",
        "title": "Test",
        "description": None,
        "license": None,
        "contact": {"fn": "A team", "email": "team@example.org", "url": None},
        "keywords": [],
        "synthetic": True,
    },
    "genotype_filter": {
        "profile": "goe",
        "min_gq": 20,
        "min_dp": 10,
        "min_dp_haploid": 5,
        "min_ab": 0.2,
        "respect_ft": False,
    },
    "variant_qc": {
        "accept_filters": ["q10"],
        "min_call_rate": 0.9,
        "hwe_p": 1e-6,
        "hwe_min_people": 50,
        "regions": [],
        "inbreeding_coeff": None,
        "min_qual": 30,
        "min_qd": 2,
        "min_mq": 40,
        "max_fs": 60,
        "min_read_pos_rank_sum": -8,
    },
}
PEOPLE = {"EE_F": 50, "EE_M": 50, "LV_F": 3}


def contig(name, read, full, total, withheld):
    return {
        "contig": {"name": name, "length": 100, "md5": "0" * 32},
        "people": PEOPLE,
        "tally": {
            "read": read,
            "outcome": {"FULL": full, "REDUCED": total, "WITHHELD": withheld},
            "reasons": {"carriers or non-carriers of Total are too few": withheld},
            "cells": {"F": total},
            "classes": {"SNV": {"PASS": full, "filtered": total}},
            "filters": {"PASS": full, "HWE": total, "q1": total, "AC0": 0},
        },
    }


def step(name, n, given=None):
    one = ledger.Ledger(name)
    one.take("site_alleles", n)
    one.give("site_alleles", n if given is None else given)
    one.drop("site_alleles", "HWE", 0 if given is None else n - given)
    one.take("people", 101)
    one.give("people", 101)
    return one


def sample_qc(kept, **left_out):
    one = ledger.Ledger("sample_qc")
    one.take("people", kept + sum(left_out.values()))
    one.give("people", kept)
    for reason, n in left_out.items():
        one.drop("people", reason, n)
    return one


def test_small_counts_of_people_are_rounded():
    summary = release_notes.people_summary(sample_qc(103, contamination=2, withdrawn=6), set(), 5)
    assert summary == {
        "on_the_sheet": 113,
        "kept": 103,
        "left_out": 10,
        "left_out_by_reason": {"contamination": 5, "withdrawn": 5},
    }
    exact = release_notes.people_summary(sample_qc(103, contamination=2), set(), 1)
    assert (exact["on_the_sheet"], exact["left_out_by_reason"]) == (105, {"contamination": 2})
    named = release_notes.people_summary(sample_qc(20, duplicate_NA12878=3, related=1), {"NA12878"}, 1)
    assert named["left_out_by_reason"] == {"other": 3, "related": 1}


@pytest.mark.parametrize("k", [2, 3, 5])
def test_nobody_can_tell_from_the_summary_how_few_were_left_out(k):
    """Of all cohorts that have the same summary, at least k numbers of people are possible for each reason."""
    reasons = ("duplicate", "related", "withdrawn")
    possible = {}
    for numbers in itertools.product(range(3 * k + 1), repeat=3):
        summary = release_notes.people_summary(sample_qc(50, **dict(zip(reasons, numbers, strict=True))), set(), k)
        possible.setdefault(json.dumps(summary), []).append(numbers)
    edge = disclosure.rounded(3 * k, k)  # further numbers have this figure too
    for summary, cohorts in possible.items():
        shown = json.loads(summary)["left_out_by_reason"]
        assert len({sum(cohort) for cohort in cohorts}) >= k or not shown or edge in shown.values()
        for name, numbers in zip(reasons, zip(*cohorts, strict=True), strict=True):
            if name not in shown:
                assert set(numbers) == {0}
            elif shown[name] < edge:
                assert len(set(numbers)) >= k


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("low_depth", "low_depth"),
        ("pct_15x: 71.2 below 90", "pct_15x"),
        ("duplicate_of=NA12878", "duplicate_of"),
        ("duplicate_NA12878", "other"),
        ("parent_of_7", "other"),
        ("NA12878", "other"),
        ("", "other"),
    ],
)
def test_reasons_name_nobody(reason, code):
    assert release_notes.reason_code(reason, {"NA12878", "7"}) == code


def test_alleles_must_not_get_lost_between_steps():
    tally = release_notes.combine([contig("chr1", 60, 50, 6, 4), contig("chr2", 40, 40, 0, 0)])
    steps = [step("harmonise", 100), step("frequencies", 100), step("variant_qc", 100, given=80)]
    chain = release_notes.account(steps, tally)
    assert chain[-1].as_dict()["dropped"] == {"site_alleles": {"disclosure control": 4}}
    public = release_notes.public_ledger(chain, tally, 5)
    assert [one["step"] for one in public["steps"]] == ["harmonise", "frequencies", "variant_qc", "release"]
    # 96 are public and the 4 withheld are shown as 5, so 101 throughout, of which 20 fail a rule.
    assert public["steps"][-1] == release_notes.release_step(96, 5)
    assert public["steps"][-2]["out"] == {"site_alleles": 81}
    assert {one["in"]["site_alleles"] for one in public["steps"]} == {101}
    assert all("people" not in one["in"] for one in public["steps"])
    with pytest.raises(GoeError, match="99 site alleles went out and 100 came in"):
        release_notes.account([step("harmonise", 99), *steps[1:]], tally)


def test_contigs_of_different_cohorts_are_refused():
    other = contig("chr2", 1, 1, 0, 0) | {"people": {"EE_F": 1}}
    with pytest.raises(GoeError, match="chr2"):
        release_notes.combine([contig("chr1", 1, 1, 0, 0), other])


def test_filters_stand_in_the_order_of_their_rules():
    assert release_notes.filter_order(["q10", "HWE", "PASS", "AC0", "LowQual"], ["AC0", "HWE", "X"]) == [
        "PASS",
        "AC0",
        "HWE",
        "LowQual",
        "q10",
    ]


def test_readme_says_what_matters_and_hides_small_countries():
    tally = release_notes.combine([contig("chr1", 60, 50, 6, 4)])
    policy = disclosure.policy({"min_carriers": 5, "policy": "collapse"})
    plan = disclosure.plan(PEOPLE, policy.min_stratum_size)
    par = [("chrX", 1, 10)]
    about = release_notes.dataset(CFG, "GRCh38", plan, tally, policy.k, ["sites", "gdi"], par)
    people = release_notes.people_summary(sample_qc(103, withdrawn=2), set(), policy.k)
    contigs = [{"name": "chr1"}]
    text = release_notes.readme(CFG, about, people, {"DP": 5}, tally, policy, contigs)
    assert about["number_of_people"] == 103
    assert (about["number_of_records"], about["number_of_pass_records"]) == (56, 50)
    assert about["pseudo_autosomal_regions"] == [["chrX", 1, 10]]
    assert list(about["strata"]) == [st.TOTAL, "M", "F"]
    figure, earlier = {"strata": []}, {"dataset": "GOE-EE-X-20250101000000000"}
    summary = release_notes.disclosure_summary(policy, plan, tally, figure, earlier)
    assert summary["alleles_withheld_by_reason"] == {"carriers or non-carriers of Total are too few": 5}
    assert (summary["membership_inference"], summary["previous_release"]) == (figure, earlier)
    assert release_notes.NO_EARLIER not in summary["not_covered"]
    assert release_notes.NO_EARLIER in release_notes.disclosure_summary(policy, plan, tally)["not_covered"]
    assert "LV" not in text + release_notes.dumps(about) + release_notes.dumps(summary)
    for words in (
        "GOE-EE-X-20260101000000000",
        "GQ at least 20",
        "DP is absent from the data of 5 people",
        "filters of the input that count as PASS: q10",
        "| withheld | 5 |",
        "membership inference",
        "the data are synthetic",
        "nhomalt counts people",
    ):
        assert words in text, words
    assert "inbreeding coefficient below" not in text
    open_policy = disclosure.policy({"open": True, "legal_basis": "Act 7"})
    open_text = release_notes.readme(CFG, about, people, {}, tally, open_policy, contigs)
    assert "Legal basis: Act 7" in open_text and "Not covered" not in open_text
    assert json.loads(release_notes.dumps(about)) == about
    without = release_notes.readme(CFG, about | {"formats": []}, people, {}, tally, policy, contigs, ["no catalog"])
    assert "`gdi/GOE-EE-X-20260101000000000.tar`" in text and "no package for a GDI node: no catalog." in without


def test_licence_and_changes_say_what_is_known():
    licensed = CFG | {"dataset": CFG["dataset"] | {"license": "CC-BY-4.0"}}
    text = release_notes.license_text(licensed, "https://creativecommons.org/licenses/by/4.0/")
    assert "under the licence CC-BY-4.0.\nhttps://creativecommons.org/licenses/by/4.0/\n" in text
    assert "No licence is stated. Ask A team (team@example.org)" in release_notes.license_text(CFG, None)
    assert "No earlier release was named." in release_notes.changelog(CFG, None)
    earlier = {
        "dataset": "GOE-EE-X-20250101000000000",
        "strata_only_now": ["FI"],
        "strata_only_before": [],
        "alleles": {"in_both": 1000, "only_now": 20, "only_before": 3},
    }
    text = release_notes.changelog(CFG, earlier)
    for words in ("Follows GOE-EE-X-20250101000000000.", "New strata: FI.", "1,000 in both, 20 new, 3 no longer"):
        assert words in text
    assert "alleles were not compared" in release_notes.changelog(CFG, earlier | {"alleles": None})


def test_countries_are_those_of_published_strata_when_the_label_is_the_country():
    plan = disclosure.plan({"EE_F": 50, "EE_M": 50, "FI_F": 40, "FI_M": 40, "LV_F": 3}, 10)
    said = [release_notes.published_countries({"strata": {"label": x}}, plan) for x in ("country_code", "region")]
    assert said == [[s for s in plan.strata if len(s) == 2], []] and said[0]
