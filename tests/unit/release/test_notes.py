"""What the release says of itself obeys the floor and names nobody."""

import itertools
import json

import pytest
from goe.core import ledger
from goe.core.errors import GoeError
from goe.disclosure import control
from goe.disclosure.plan import choose_strata
from goe.frequencies import strata as st
from goe.release import notes as release_notes
from goe.release import texts as release_texts
from goe.rules.policy import Policy
from goe.settings import sections
from helpers.settings import altered
from markdown_it import MarkdownIt

RAW = {
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
    "reference": {"build": "GRCh38"},
    "strata": {"label": "country_code"},
}
CFG = sections.of(sections.Config, RAW)
PEOPLE = {"EE_F": 50, "EE_M": 50, "LV_F": 3}


def test_how_many_can_be_callable_is_told_by_groups_and_rounded():
    kinds = {"EE_F": ["gvcf"] * 50, "EE_M": ["cram"] * 12 + ["joint_vcf"] * 38, "LV_F": ["vcf"] * 3}
    people = [
        {"sample_id": f"{leaf}{i}", "country_code": leaf[:2], "count_sex": leaf[3:], "keep": "yes", "input_type": kind}
        for leaf, some in kinds.items()
        for i, kind in enumerate(some)
    ]
    people.append(people[0] | {"sample_id": "out", "keep": "no", "input_type": "fastq"})
    exact = release_notes.callable_people(people, people, choose_strata(PEOPLE, 1), Policy(1))
    assert exact["an_method"] == {"gvcf_adj": ["cram", "gvcf"], "variant_sites_only": ["vcf", "joint_vcf"]}
    assert {s: n for s, n in exact["people"].items() if n} == {
        "Total": 62, "M": 12, "F": 50, "EE": 62, "EE_M": 12, "EE_F": 50,
    }  # fmt: skip
    told = release_notes.callable_people(people, people, choose_strata(PEOPLE, 3), Policy(5, least=3))
    # Nobody can tell all women from all but four.
    assert (told["people"]["EE_F"], told["people"]["EE_M"], told["people"]["LV_F"]) == (45, 10, 0)
    none = release_notes.callable_people(people, people, choose_strata(PEOPLE, 200), Policy(100))
    assert none["people"] == {"Total": 0}


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
    summary = release_notes.people_summary(sample_qc(103, contaminated=2, withdrawn=6), set(), 5)
    assert summary == {
        "on_the_sheet": 113,
        "kept": 103,
        "left_out": 10,
        "left_out_by_reason": {"contaminated": 5, "withdrawn": 5},
    }
    exact = release_notes.people_summary(sample_qc(103, contaminated=2), set(), 1)
    assert (exact["on_the_sheet"], exact["left_out_by_reason"]) == (105, {"contaminated": 2})
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
    edge = control.rounded(3 * k, k)  # further numbers have this figure too
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
        ("low_coverage", "low_coverage"),
        ("low_call_rate: 71.2 below 90", "low_call_rate"),
        ("related=NA12878", "related"),
        ("duplicate_of=NA12878", "other"),
        ("Jaan_Tamm", "other"),
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


def described(cfg, about, people, absent, tally, summary, k):
    """The descriptions of a release as its files have them."""
    qc = {
        "people": people,
        "genotype_filter": release_notes.genotype_rules(cfg.genotype_filter, absent, k),
        "variant_qc": release_notes.filter_rules(cfg.variant_qc, about),
        "alleles_by_class": tally["classes"],
        "alleles_by_filter": tally["filters"],
        "rounded_to": k,
    }
    return json.loads(release_notes.dumps({"dataset": about, "disclosure": summary, "qc": qc, "config": RAW}))


@pytest.mark.parametrize(
    "text",
    [
        "a <b>x</b> & `c` *d* _e_ [y](javascript:z) | &lt; \\",
        "# one\n\n- two\n2. three",
        "- x",
        "2026 was, 12) and 3. were",
        "2. x",
        "===",
        "~~~\nx",
        "    code",
        "R&D of Estonia",
    ],
)
def test_a_text_of_the_configuration_is_text_in_markdown(text):
    (shown,) = [token for token in MarkdownIt("commonmark").parse(release_texts.markdown(text)) if token.children]
    assert shown.children is not None and {part.type for part in shown.children} <= {"text", "text_special"}
    assert "".join(part.content for part in shown.children) == " ".join(text.split())
    assert "\n" not in release_texts.markdown(text) and release_texts.markdown("R&D of Estonia") == "R&D of Estonia"


def test_readme_says_what_matters_and_hides_small_countries():
    tally = release_notes.combine([contig("chr1", 60, 50, 6, 4)])
    policy = Policy(5)
    plan = choose_strata(PEOPLE, policy.min_stratum_size)
    par = [("chrX", 1, 10)]
    kinds = {"gvcf_adj": ["gvcf", "cram"], "variant_sites_only": ["vcf"]}
    called = {"an_method": kinds, "people": {"Total": 95, "M": 45, "F": 50}}
    about = release_notes.dataset(
        CFG, "GRCh38", plan, tally, policy.k, ["sites", "gdi"], par, [{"name": "chr1"}], callable_an=called
    )
    people = release_notes.people_summary(sample_qc(103, withdrawn=2), set(), policy.k)
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
    said = described(CFG, about, people, {"DP": 5}, tally, summary, policy.k)
    text = release_texts.readme(said)
    assert "LV" not in text + release_notes.dumps(about) + release_notes.dumps(summary)
    for words in (
        "GOE-EE-X-20260101000000000",
        "GQ at least 20",
        "DP is absent from the data of about 5 (rounded to multiples of 5) people",
        "People on the sheet: about 108. Left out: about 5 (rounded to multiples of 5)",
        "| stratum | people | who can be callable, at least |",
        "| Total | 103 | 95 |",
        "from gVCFs and reads (gvcf, cram): `gvcf_adj`",
        "at most 8 people below the truth",
        "filters of the input that count as PASS: q10",
        "| withheld | about 5 (rounded to multiples of 5) |",
        "membership inference",
        "the data are synthetic",
        "nhomalt counts people",
    ):
        assert words in text or words in " ".join(text.split()), words
    assert "inbreeding coefficient below" not in text
    open_policy = Policy(1, legal_basis="Act 7", name="open")
    opened = release_notes.disclosure_summary(open_policy, plan, tally)
    open_text = release_texts.readme(described(CFG, about, people, {}, tally, opened, 1))
    assert "People on the sheet: 108. Left out: 5, for" in open_text
    assert "who can be callable |" in open_text and "The numbers are exact." in open_text
    assert "Legal basis: Act 7" in open_text and "Not covered" not in open_text
    assert json.loads(release_notes.dumps(about)) == about
    loud = about | {"title": "# <i>x\n## y", "description": "| a", "contact": about["contact"] | {"fn": "A | B"}}
    spoken = release_texts.readme(said | {"dataset": loud})
    assert spoken.startswith("# \\# \\<i\\>x \\#\\# y\n\n\\| a\n") and "| A \\| B, team@example.org |" in spoken
    without = release_texts.readme(said | {"dataset": about | {"formats": []}})
    assert "`gdi/GOE-EE-X-20260101000000000.tar`" in text
    assert "no package for a GDI node: config formats.gdi.catalog: is missing; config dataset.license" in without


def test_strata_that_are_no_countries_are_called_by_their_column():
    assert release_texts.country_words({"strata_label": "country_code"}).startswith("Country is the country of origin")
    words = release_texts.country_words({"strata_label": "region"})
    assert "the column region of the sample sheet" in words and "origin" not in words


def test_licence_and_changes_say_what_is_known():
    licensed = RAW | {"dataset": RAW["dataset"] | {"license": "CC-BY-4.0"}}
    text = release_texts.license_text(licensed)
    assert "under the licence CC-BY-4.0.\nhttps://creativecommons.org/licenses/by/4.0/\n" in text
    assert "No licence is stated. Ask A team (team@example.org)" in release_texts.license_text(RAW)
    none = {"dataset": RAW["dataset"], "disclosure": {"previous_release": None}}
    assert "No earlier release was named." in release_texts.changelog(none)
    earlier = {
        "dataset": "GOE-EE-X-20250101000000000",
        "strata_only_now": ["FI"],
        "strata_only_before": [],
        "alleles": {"in_both": 1000, "only_now": 20, "only_before": 3},
    }
    text = release_texts.changelog(none | {"disclosure": {"previous_release": earlier}})
    for words in ("Follows GOE-EE-X-20250101000000000.", "New strata: FI.", "1,000 in both, 20 new, 3 no longer"):
        assert words in text
    other = {"disclosure": {"previous_release": earlier | {"alleles": None}}}
    assert "alleles were not compared" in release_texts.changelog(none | other)


def test_countries_are_those_of_published_strata_when_the_label_is_the_country():
    plan = choose_strata({"EE_F": 50, "EE_M": 50, "FI_F": 40, "FI_M": 40, "LV_F": 3}, 10)
    said = [
        release_notes.published_countries(altered(CFG, "strata.label", x), plan) for x in ("country_code", "region")
    ]
    assert said == [[s for s in plan.strata if len(s) == 2], []] and said[0]
