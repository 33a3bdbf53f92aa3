"""The metrics of GA4GH WGS QC v1: each function, its failure cases, and the JSON of a person."""

import json

import numpy as np
import pytest
from goe.sample_qc import ga4gh, keep
from goe.sample_qc import metrics as sm
from goe.sample_qc.ga4gh import Unavailable
from goe.sample_qc.tool_reports import Depths, Reads
from hypothesis import given
from hypothesis import strategies as st

# Ids and decimals as ga4gh/quality-control-wgs:docs/metrics_definitions says them, field Type (Integer: 0).
STANDARD = {
    "yield_bp_q30": 0,
    "mean_autosome_coverage": 2,
    "mad_autosome_coverage": 0,
    "pct_autosomes_15x": 2,
    "pct_reads_mapped": 2,
    "pct_reads_properly_paired": 2,
    "mean_insert_size": 1,
    "insert_size_std_deviation": 1,
    "cross_contamination_rate": 4,
    "count_snvs": 0,
    "count_insertions": 0,
    "count_deletions": 0,
    "ratio_heterozygous_homzygous_snv": 2,
    "ratio_heterozygous_homzygous_indel": 2,
    "ratio_insertion_deletion": 2,
    "ratio_transitions_transversions_snv": 2,
}
READS = Reads(1000, 990, 1000, 970, 50, 123_456, 431.26, 99.44)
COUNTS = dict.fromkeys(sm.COUNTS, 0) | {
    "n_snv": 30, "n_insertion": 9, "n_deletion": 12, "n_ti": 20, "n_tv": 10, "n_het_snv": 18, "n_hom_snv": 12,
    "n_het_indel": 14, "n_hom_indel": 7,
}  # fmt: skip


def test_ids_and_decimals_are_those_of_the_standard():
    assert {name: metric.decimals for name, metric in ga4gh.METRICS.items()} == STANDARD
    assert all(name in (*sm.TOOL_METRICS, *sm.VARIANT_METRICS) for name in STANDARD)
    assert all(sm.DECIMALS[name] == decimals for name, decimals in STANDARD.items())
    assert set(STANDARD) <= set(keep.METRIC_COLUMNS)


def test_each_docstring_names_its_source():
    for metric in ga4gh.METRICS.values():
        assert ".md" in metric.of.__doc__, metric.id


def test_read_metrics():
    assert ga4gh.yield_bp_q30(READS) == 123_456
    assert ga4gh.pct_reads_mapped(READS) == pytest.approx(99.0)
    assert ga4gh.pct_reads_properly_paired(READS) == pytest.approx(97.0)
    assert ga4gh.mean_insert_size(READS) == 431.26
    assert ga4gh.insert_size_std_deviation(READS) == 99.44


@pytest.mark.parametrize(
    ("reads", "said"),
    [
        (Reads(0, 0, 0, 0, 0, None, 0.0, 0.0), dict.fromkeys(list(STANDARD)[4:8], "no reads")),
        (
            Reads(10, 9, 0, 0, 0, 5, 0.0, 0.0),
            dict.fromkeys(list(STANDARD)[5:8], "no paired reads"),
        ),
        (Reads(10, 9, 10, 0, 0, 5, 0.0, 0.0), dict.fromkeys(list(STANDARD)[6:8], "no pair of mapped reads")),
        (Reads(10, 9, 10, 8, 0, None, 300.0, 9.0), {"yield_bp_q30": "the reads have no base qualities"}),
    ],
)
def test_reads_that_cannot_answer(reads, said):
    values, why = ga4gh.measure({"reads": reads})
    why.pop("yield_bp_q30", None) if "yield_bp_q30" not in said else None
    assert why == said
    assert all(values[metric] is None for metric in said)


def depths(*values):
    return Depths(np.bincount(values))


def test_depth_metrics_by_hand():
    mine = depths(0, 0, 10, 14, 15, 15, 16, 30)
    assert ga4gh.mean_autosome_coverage(mine) == 12.5
    assert ga4gh.pct_autosomes_15x(mine) == 50.0
    # Median 14.5, deviations 14.5 14.5 4.5 .5 .5 .5 1.5 15.5: the middle ones are 1.5 and 4.5.
    assert ga4gh.mad_autosome_coverage(mine) == 3.0


def test_depth_above_the_cap_counts_as_the_cap():
    mine = depths(250, 250, 1250, 251)
    assert ga4gh.mean_autosome_coverage(mine) == 250
    assert ga4gh.mad_autosome_coverage(mine) == 0
    assert ga4gh.pct_autosomes_15x(mine) == 100


def test_nothing_covered_is_a_depth_of_zero_and_no_autosome_is_none():
    assert ga4gh.measure({"depths": Depths(np.array([9]))})[0] == dict.fromkeys(list(STANDARD)[1:4], 0)
    values, why = ga4gh.measure({"depths": Depths(np.array([0]))})
    assert set(values.values()) == {None}
    assert set(why.values()) == {"no autosome in the reference"}
    with pytest.raises(Unavailable):
        ga4gh.mean_autosome_coverage(Depths(np.array([0])))


@given(st.lists(st.integers(0, 400), min_size=1, max_size=60))
def test_depth_metrics_are_those_of_the_positions_themselves(values):
    capped = np.minimum(values, 250)
    mine = depths(*values)
    assert ga4gh.mean_autosome_coverage(mine) == pytest.approx(capped.mean())
    assert ga4gh.mad_autosome_coverage(mine) == np.median(np.abs(capped - np.median(capped)))
    assert ga4gh.pct_autosomes_15x(mine) == pytest.approx(100 * (capped >= 15).mean())


def test_variant_metrics():
    values, why = ga4gh.measure({"counts": COUNTS})
    assert not why
    assert [values[m] for m in ("count_snvs", "count_insertions", "count_deletions")] == [30, 9, 12]
    assert values["ratio_heterozygous_homzygous_snv"] == 1.5
    assert values["ratio_heterozygous_homzygous_indel"] == 2
    assert values["ratio_insertion_deletion"] == 0.75
    assert values["ratio_transitions_transversions_snv"] == 2


def test_no_variants_are_counts_of_zero_and_no_ratios():
    values, why = ga4gh.measure({"counts": dict.fromkeys(sm.COUNTS, 0)})
    assert [values[m] for m in ("count_snvs", "count_insertions", "count_deletions")] == [0, 0, 0]
    assert why == {
        "ratio_heterozygous_homzygous_snv": "no homozygous SNV",
        "ratio_heterozygous_homzygous_indel": "no homozygous indel",
        "ratio_insertion_deletion": "no deletion",
        "ratio_transitions_transversions_snv": "no transversion",
    }


def test_contamination_is_measured_or_says_why_not():
    assert ga4gh.measure({"freemix": 0.00071}) == ({"cross_contamination_rate": 0.00071}, {})
    assert ga4gh.measure({"freemix": "no panel"}) == (
        {"cross_contamination_rate": None},
        {"cross_contamination_rate": "no panel"},
    )


def test_document_has_every_id_in_the_layout_of_the_standard():
    values, why = ga4gh.measure({"reads": READS, "counts": COUNTS})
    values = {metric: sm.rounded(metric, value) for metric, value in values.items()} | {"charr": 0.1}
    text = ga4gh.document("P 1/é", values, why | {"mean_autosome_coverage": "no reads"})
    found = json.loads(text)
    assert found["biosample"] == {"id": "P 1/é"}
    assert {k: list(v) for k, v in found["wgs_qc_metrics"].items()} == {
        "aln_metrics": sorted(list(STANDARD)[:9]),
        "variant_metrics": sorted(list(STANDARD)[9:]),
    }
    assert found["wgs_qc_metrics"]["aln_metrics"]["mean_insert_size"] == 431.3
    assert found["wgs_qc_metrics"]["aln_metrics"]["yield_bp_q30"] == 123_456
    assert found["not_available"]["mean_autosome_coverage"] == "no reads"
    nulls = {m for group in found["wgs_qc_metrics"].values() for m, value in group.items() if value is None}
    assert nulls == set(found["not_available"]) == set(list(STANDARD)[1:4]) | {"cross_contamination_rate"}
    assert text == ga4gh.document("P 1/é", dict(reversed(values.items())), why | {"mean_autosome_coverage": "no reads"})
