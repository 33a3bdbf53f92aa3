"""What a release says of the rules by which people were left out is what sample QC applies, and names nobody."""

import pytest
from goe.core.errors import GoeError
from goe.rules import sample_thresholds as sample_rules
from goe.sample_qc import keep


def all_metrics():
    return {*sample_rules.load(sample_rules.TABLES).metrics, *keep.FAIL_REASON, *keep.METRIC_COLUMNS}


def test_metrics_and_reasons_are_those_of_sample_qc():
    assert all_metrics() == sample_rules.METRICS
    assert {*keep.PRECEDENCE, *(keep.FAIL_REASON.get(m, m) for m in all_metrics())} == sample_rules.REASONS


def test_published_thresholds_are_those_in_force_and_name_no_hidden_country(tmp_path):
    own = tmp_path / "own.tsv"
    own.write_text(
        "metric\tstratum\twarn\tfail\tsource\tstatus\n"
        "call_rate\tcountry:LV\t\t<0.9\tLetter of Jaan Tamm\tnational\n"
        "call_rate\tcountry:EE\t\t<0.91\tLetter of Jaan Tamm\tnational\n"
    )
    config = {"mean_dp": 12, "charr_min_gq": 30, "call_rate": {"warn": None, "fail": "<0.9"}}
    config["mean_insert_size"] = "<250 or >2e3"
    said = sample_rules.published(sample_rules.load([*sample_rules.TABLES, own], config), True, ["EE"])
    rows = {(row["metric"], row["stratum"]): row for row in said["thresholds"]}
    assert rows["call_rate", "country:EE"]["fail"] == "<0.9" and rows["mean_dp", "all"]["fail"] == "<12"
    assert rows["mean_insert_size", "all"]["fail"] == "<250 or >2e3"
    assert said["parameters"]["charr_min_gq"] == 30 and said["exclude"] is True
    assert "LV" not in str(said) and "Jaan" not in str(said)
    assert sample_rules.faults(said) == [] and sample_rules.faults({"thresholds": config}) == []


@pytest.mark.parametrize(
    ("thresholds", "fault"),
    [
        ([{"metric": "Jaan", "stratum": "all", "warn": "", "fail": ""}], "'Jaan' is no metric"),
        ([{"metric": "charr", "stratum": "LV has 1", "warn": "", "fail": ""}], "'LV has 1' is no stratum"),
        ([{"metric": "charr", "stratum": "all", "warn": "", "fail": "is Jaan"}], "'is Jaan' is no threshold"),
        ({"charr": "1 carrier"}, "'1 carrier' is no threshold"),
        ({"charr": {"warn": "1 carrier"}}, "'1 carrier' is no threshold"),
        ({"Jaan": 1}, "'Jaan' is no parameter"),
    ],
)
def test_what_is_no_threshold_is_named(thresholds, fault):
    (text,) = sample_rules.faults({"thresholds": thresholds})
    assert fault in text


@pytest.mark.parametrize(
    ("metric", "value", "told"),
    [
        ("call_rate", 95, "95 is no limit of call_rate, which goes from 0 to 1: write 0.95"),
        ("call_rate", {"warn": "<98"}, "write 0.98"),
        ("charr", {"fail": ">3"}, "3 is no limit of charr, which goes from 0 to 1: write 0.03"),
        ("cross_contamination_rate", -0.1, "which goes from 0 to 1"),
        ("pct_reads_mapped", 0.95, "0.95 is a limit of pct_reads_mapped in percent: write 95"),
        ("pct_duplicates", {"fail": ">200"}, "200 is no limit of pct_duplicates, which goes from 0 to 100"),
    ],
)
def test_a_limit_in_another_unit_is_refused(tmp_path, metric, value, told):
    with pytest.raises(GoeError) as error:
        sample_rules.load(sample_rules.TABLES, {metric: value})
    assert error.value.problems[0].where == f"config sample_qc.thresholds.{metric}" and told in str(error.value)
    rule = value["fail"] if isinstance(value, dict) and "fail" in value else "<2"
    own = tmp_path / "own.tsv"
    own.write_text(f"metric\tstratum\twarn\tfail\tsource\tstatus\ncall_rate\tall\t\t{rule}\tus\tnational\n")
    if float(rule[1:]) > 1:
        with pytest.raises(GoeError, match=r"own.tsv row 2: fail: .* is no limit of call_rate"):
            sample_rules.load([*sample_rules.TABLES, own])


@pytest.mark.parametrize("given", [{"call_rate": 0.9}, {"call_rate": 1}, {"pct_chimeras": 0.5}, {"mean_dp": 30}, {}])
def test_limits_that_can_be(given):
    assert sample_rules.load(sample_rules.TABLES, given).thresholds
