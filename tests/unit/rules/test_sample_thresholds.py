"""What a release says of the rules by which people were left out is what sample QC applies, and names nobody."""

import pytest
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
    config = {"mean_dp": 12, "charr_min_gq": 30, "call_rate": {"warn": None, "fail": "<0.9 or >2e3"}}
    said = sample_rules.published(sample_rules.load([*sample_rules.TABLES, own], config), True, ["EE"])
    rows = {(row["metric"], row["stratum"]): row for row in said["thresholds"]}
    assert rows["call_rate", "country:EE"]["fail"] == "<0.9 or >2e3" and rows["mean_dp", "all"]["fail"] == "<12"
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
