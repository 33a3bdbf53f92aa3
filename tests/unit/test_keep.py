"""Thresholds as data, the keep list and its account."""

import pytest
from goe import keep
from goe.errors import GoeError
from goe.keep import Row, Rule
from goe.relatedness import Pair


@pytest.fixture(scope="module")
def files(repo):
    return [repo / "resources/guidelines" / name for name in ("sample_qc.tsv", "inference.tsv")]


def row(sample, country="EE", sex="F", withdrawn=False, **metrics):
    return Row(sample, country, sex, "cram", withdrawn, metrics=metrics, count_sex=sex)


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("<25", 24.9, True),
        ("<25", 25, False),
        (">0.05", 0.051, True),
        ("<1.9 or >2.1", 2.2, True),
        ("<1.9 or >2.1", 2.0, False),
        ("<85e9", 1e9, True),
        ("is yes", "yes", True),
        ("is yes", "no", False),
        ("outside 4 MAD", 15.0, True),
        ("outside 4 MAD", 13.0, False),
        ("<25", None, False),
        ("", 1.0, False),
    ],
)
def test_expressions(text, value, expected):
    assert Rule.parse(text).holds(value, (10.0, 1.0)) is expected


@pytest.mark.parametrize("text", ["25", "< x", "outside MAD", "<1 and >2"])
def test_bad_expression(text):
    with pytest.raises(ValueError, match="none of"):
        Rule.parse(text)


def test_each_default_has_a_source_and_a_known_status(files):
    guidelines = keep.load(files)
    assert all(t.source and t.status in keep.STATUSES for t in guidelines.thresholds.values())
    assert not any("1+MG" in t.source for t in guidelines.thresholds.values())
    assert all(len(r) == 4 for r in (line.split("\t") for line in files[1].read_text().splitlines()))


def test_config_overrides(files):
    national = {"call_rate": 0.9, "charr": None, "related": {"warn": "is yes", "fail": ""}, "kinship_min_snvs": 50}
    guidelines = keep.load(files, national)
    assert guidelines.of("call_rate", ["all"]).fail.text == "<0.9"
    assert not guidelines.of("charr", ["all"]).fail
    assert guidelines.of("related", ["all"]).warn.equals == "yes"
    assert guidelines.parameters["kinship_min_snvs"] == 50


def test_national_table_replaces_rows(files, tmp_path):
    path = tmp_path / "national.tsv"
    path.write_text(
        "metric\tstratum\twarn\tfail\tsource\tstatus\n"
        "call_rate\tall\t\t<0.9\tnational board\tnational\n"
        "call_rate\tcountry:EE\t\t<0.8\tnational board\tnational\n"
    )
    guidelines = keep.load(files, str(path))
    assert guidelines.of("call_rate", ["country:EE", "all"]).fail.below == 0.8
    assert guidelines.of("call_rate", ["country:PT", "all"]).fail.below == 0.9


def test_all_problems_of_a_national_table_at_once(files, tmp_path):
    path = tmp_path / "national.tsv"
    path.write_text(
        "metric\tstratum\twarn\tfail\tsource\tstatus\ncal_rate\tall\t\t0.9\tx\tnational\ncharr\tall\t\t>0.1\tx\tgood\n"
    )
    with pytest.raises(GoeError) as caught:
        keep.load(files, str(path))
    text = str(caught.value)
    assert "national.tsv row 2: fail: `0.9` is none of" in text
    assert "did you mean `call_rate`?" in text
    assert "row 3: status `good`" in text


def test_missing_column_names_the_columns(files, tmp_path):
    path = tmp_path / "national.tsv"
    path.write_text("metric\tfail\ncharr\t>1\n")
    with pytest.raises(GoeError, match="has no column stratum, warn, source, status"):
        keep.load(files, str(path))


def decide(files, rows, pairs=(), exclude=True, national=None, whole=False):
    guidelines = keep.load(files, national)
    unable = keep.decide(rows, list(pairs), guidelines, exclude, whole)
    return {r.sample_id: (r.dropped_for(exclude), r.reasons) for r in rows}, unable


def test_a_missing_metric_excludes_nobody(files):
    found, _ = decide(files, [row("a", call_rate=None, charr=None, mean_dp=None)])
    assert found == {"a": (None, [])}


def test_first_reason_and_order(files):
    found, _ = decide(files, [row("a", call_rate=0.5, charr=0.2, withdrawn=True), row("b", call_rate=0.5, charr=0.2)])
    assert found["a"] == ("withdrawn", ["withdrawn", "contaminated", "low_call_rate"])
    assert found["b"] == ("contaminated", ["contaminated", "low_call_rate"])


def test_depth_of_reads_goes_before_that_of_genotypes(files):
    found, _ = decide(files, [row("a", mean_autosome_coverage=31.0, mean_dp=14.0), row("b", mean_dp=14.0)])
    assert found == {"a": (None, []), "b": ("low_coverage", ["low_coverage"])}


def test_flags_exclude_nobody_unless_the_config_says_so(files):
    found, _ = decide(files, [row("a", sex_mismatch="yes")])
    assert found["a"] == (None, ["sex_mismatch"])
    found, _ = decide(files, [row("a", sex_mismatch="yes")], national={"sex_mismatch": {"fail": "is yes"}})
    assert found["a"] == ("sex_mismatch", ["sex_mismatch"])


def test_outliers_are_those_of_their_country(files):
    metric = "ratio_heterozygous_homzygous_snv"
    rows = [row(f"e{i}", "EE", **{metric: 1.6 + i / 1000}) for i in range(25)]
    rows += [row(f"p{i}", "PT", **{metric: 2.0 + i / 1000}) for i in range(25)]
    rows += [row("odd", "EE", **{metric: 2.0}), row("alone", "MT", **{metric: 9.0})]
    found, unable = decide(files, rows)
    assert {s for s, (_, reasons) in found.items() if reasons} == {"odd"}
    assert found["odd"] == (None, ["het_hom_outlier"])
    assert unable[f"outliers of {metric}"].startswith("not assessed in MT: fewer than 20 people")


def test_limits_of_a_whole_genome_do_not_judge_a_part(files):
    for whole, expected in ((False, None), (True, "het_hom_outlier")):
        found, _ = decide(files, [row("a", ratio_heterozygous_homzygous_snv=4.0)], whole=whole)
        assert found["a"][0] == expected


def test_nobody_is_left_out_for_a_relative_who_is_out(files):
    rows = [row("a", charr=0.2, call_rate=0.99), row("b", call_rate=0.96), row("c", call_rate=0.97)]
    found, _ = decide(files, rows, [Pair("a", "b", 900, 0.25), Pair("b", "c", 900, 0.5)])
    assert found == {"a": ("contaminated", ["contaminated"]), "b": ("duplicate", ["duplicate"]), "c": (None, [])}


def test_a_contradicted_sex_is_the_worse_of_a_pair(files):
    rows = [row("a", call_rate=0.99), row("b", call_rate=0.96)]
    rows[0].count_sex = "U"
    found, _ = decide(files, rows, [Pair("a", "b", 900, 0.25)])
    assert found["a"][0] == "related"


def test_without_exclusion_reasons_stay_and_the_withdrawn_are_out(files):
    rows = [row("a", charr=0.2), row("b", withdrawn=True), row("c"), row("d", call_rate=0.99)]
    found, _ = decide(files, rows, [Pair("c", "d", 900, 0.5)], exclude=False)
    assert found == {
        "a": (None, ["contaminated"]),
        "b": ("withdrawn", ["withdrawn"]),
        "c": (None, ["duplicate"]),
        "d": (None, []),
    }
    ledger, flags = keep.account(rows, False)
    assert ledger.as_dict()["out"] == {"people": 3}
    assert flags == {"contaminated": 1, "duplicate": 1}


def test_ledger_closes_and_the_list_is_sorted(files):
    rows = [row("b"), row("a", charr=0.2), row("007")]
    decide(files, rows)
    ledger, _ = keep.account(rows, True)
    ledger.check()
    listed = keep.keep_rows(rows, True)
    assert [r[0] for r in listed] == ["007", "a", "b"]
    assert [r[5] for r in listed] == ["yes", "no", "yes"]


def test_people_without_data_are_in_the_list(files):
    guidelines = keep.load(files)
    sheet = {"a": {"sex": "F", "country_code": "EE", "withdrawn": "no", "input_type": "cram"}}
    (only,) = keep.gather(sheet, {}, {}, {}, guidelines)
    assert only.inferred_sex == "unknown"
    assert only.count_sex == "F"
    assert only.why["call_rate"] == keep.MISSING_PERSON
    assert only.why["mean_autosome_coverage"] == "no reads: the person came as cram"
    keep.decide([only], [], guidelines, True, True)
    assert keep.keep_rows([only], True) == [("a", "EE", "F", "unknown", "F", "yes", "")]
