"""The words at the end of a run: who counts, what is public, and what is amiss though all went well."""

import json

import pytest
from goe.release import ending


def words(folder, kept=8, dropped=(), hidden=(), shown=(100, 0, 0), filters=(("PASS", 90), ("AC0", 10))):
    files = {
        "work/sample_qc/keep.ledger.json": {
            "in": {"people": kept + sum(dict(dropped).values())},
            "out": {"people": kept} if kept else {},
            "dropped": {"people": dict(dropped)} if dropped else {},
        },
        "work/release/ledger.json": {"people": {"EE_F": kept}, "strata_not_published": list(hidden)},
        "release/qc/summary.json": {"alleles_by_filter": dict(filters)},
        "release/disclosure/disclosure.json": dict(
            zip(("alleles_with_all_strata", "alleles_with_some_strata", "alleles_withheld"), shown, strict=True)
        ),
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content))
    return ending.words(folder)


def test_who_counts_what_is_public_and_where_to_look(tmp_path):
    dropped = {"low_call_rate": 2, "contaminated": 1}
    assert words(tmp_path, 8, dropped, ["FI_F", "FI_M"], (70, 20, 10)) == [
        "8 of 11 people count: EE_F 8; left out: contaminated 1, low_call_rate 2",
        "strata of too few people, not published: FI_F, FI_M",
        "site alleles: 70 with all strata, 20 with some, 10 withheld; 90 are PASS",
        f"look at {tmp_path}/work/sample_qc/cohort.html and {tmp_path}/release/report.html",
    ]
    assert words(tmp_path)[0] == "8 of 8 people count: EE_F 8; left out: nobody"


def test_a_release_without_alleles(tmp_path):
    assert any(line.startswith("NO allele is published") for line in words(tmp_path, 3, (), ["EE_F"], (0, 0, 55)))


@pytest.mark.parametrize(("filters", "theirs"), [({"fa": 100, "AC0": 3}, "fa"), ({"AC0": 3, "LowQD": 4}, "")])
def test_no_allele_is_pass(tmp_path, filters, theirs):
    lines = words(tmp_path, filters=tuple(filters.items()))
    assert f"NO allele is PASS: {', '.join(f'{k} {n}' for k, n in sorted(filters.items()))}" in lines
    assert [line for line in lines if "accept_filters" in line] == (
        ["fa: FILTER of the inputs. Where it is no fault: variant_qc.accept_filters: [fa]"] if theirs else []
    )
