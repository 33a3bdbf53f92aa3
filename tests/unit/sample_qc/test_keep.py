"""Thresholds as data, the keep list and its account."""

import re

import pytest
from goe.core.errors import GoeError
from goe.rules import sample_thresholds as sample_rules
from goe.rules.sample_thresholds import Rule
from goe.sample_qc import keep
from goe.sample_qc.keep import Row
from goe.sample_qc.relatedness import Pair


@pytest.fixture(scope="module")
def files(repo):
    return [repo / "resources/guidelines" / name for name in ("sample_qc.tsv", "inference.tsv")]


def row(sample, country="EE", sex="F", withdrawn=False, platform="", **metrics):
    return Row(sample, country, sex, "cram", withdrawn, platform, metrics=metrics, count_sex=sex)


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
        ("outside 4 MAD", 5.0, True),
        ("above 8 MAD", 1.0, False),
        ("above 8 MAD", 18.5, True),
        ("above 8 MAD or <2", 1.0, True),
        ("<25", None, False),
        ("", 1.0, False),
    ],
)
def test_expressions(text, value, expected):
    assert Rule.parse(text).holds(value, (10.0, 1.0)) is expected


@pytest.mark.parametrize("text", ["25", "< x", "outside MAD", "below 4 MAD", "<1 and >2"])
def test_bad_expression(text):
    with pytest.raises(ValueError, match="none of"):
        Rule.parse(text)


def test_each_default_has_a_source_and_a_known_status(files):
    guidelines = sample_rules.load(files)
    assert all(t.source and t.status in sample_rules.STATUSES for t in guidelines.thresholds.values())
    for path, columns in zip(files, (6, 4), strict=True):
        text = path.read_text()
        assert not re.search(r"1\s*\+\s*M|B1MG|million genomes", text, re.I), "nothing is called 1+MG that was not read"
        head, *table = (line.split("\t") for line in text.splitlines())
        assert all(len(cells) == columns and all(cells[head.index(c)] for c in ("source", "status")) for cells in table)
        assert {cells[head.index("status")] for cells in table} <= {"verified", "excerpt", "unverified"}
        own = [cells for cells in table if "of this project" in cells[head.index("source")]]
        assert {cells[head.index("status")] for cells in own} == {"unverified"}, "what is our own was read nowhere"


def test_each_default_is_of_a_metric_that_is_made(files):
    """A row of a misspelt or renamed metric would judge nobody, and nobody would notice."""
    made = {*keep.METRIC_COLUMNS, "ancestry_outlier", "sex_mismatch", "sex_aneuploid", "sex_ambiguous", *keep.RELATIVES}
    assert set(sample_rules.load(files).metrics) <= made
    assert set(keep.FAIL_REASON) <= made


def test_defaults_are_those_of_the_table_of_gates(files):
    """The suggested gates: fail and warning of each, by the metric's median person who is a little too bad."""
    guidelines = sample_rules.load(files)
    whole = ["whole_genome", "all"]
    for metric, warns, fails in (
        ("mean_autosome_coverage", 29.9, 24.9),
        ("pct_autosomes_15x", 94.9, 89.9),
        ("cross_contamination_rate", 0.011, 0.031),
        ("pct_duplicates", 15.1, 20.1),
        ("pct_chimeras", None, 5.1),
        ("call_rate", 0.979, 0.949),
        ("pct_reads_mapped", 97.9, 94.9),
        ("mean_insert_size", None, 249.9),
        ("adj_ratio_transitions_transversions_snv", None, 1.89),
        ("adj_ratio_transitions_transversions_snv", None, 2.11),
    ):
        rule = guidelines.of(metric, whole)
        assert rule.fail.holds(fails), metric
        assert warns is None or (rule.warn.holds(warns) and not rule.fail.holds(warns)), metric
    for metric in ("adj_ratio_heterozygous_homzygous_snv", "adj_count_snvs", "adj_ratio_transitions_transversions_snv"):
        assert guidelines.of(metric, whole).warn.mads == 4 and not guidelines.of(metric, whole).warn.upper
    assert guidelines.parameters["kinship_duplicate"] == pytest.approx(0.354, abs=1e-3)
    assert guidelines.parameters["kinship_second_degree"] == pytest.approx(0.0884, abs=1e-4)


def test_config_overrides(files):
    national = {"call_rate": 0.9, "charr": None, "related": {"warn": "is yes", "fail": ""}, "kinship_min_snvs": 50}
    guidelines = sample_rules.load(files, national)
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
    guidelines = sample_rules.load([*files, path])
    assert guidelines.of("call_rate", ["country:EE", "all"]).fail.below == 0.8
    assert guidelines.of("call_rate", ["country:PT", "all"]).fail.below == 0.9
    both = sample_rules.load([*files, path], {"call_rate": 0.7})
    assert both.of("call_rate", ["country:EE", "all"]).fail.below == 0.7, "the config goes before the table"


def test_national_table_decides_who_is_left_out(files, tmp_path):
    path = tmp_path / "national.tsv"
    path.write_text(
        "metric\tstratum\twarn\tfail\tsource\tstatus\n"
        "pct_reads_properly_paired\tall\t\t<90\tboard\tnational\n"
        "call_rate\tcountry:EE\t\t<0.8\tboard\tnational\n"
    )
    rows = [row("a", call_rate=0.9), row("b", "PT", call_rate=0.9), row("c", pct_reads_properly_paired=80.0)]
    keep.decide(rows, [], sample_rules.load([*files, path]), True, False)
    assert [r.reasons for r in rows] == [[], ["low_call_rate"], ["pct_reads_properly_paired"]]


def test_all_problems_of_a_national_table_at_once(files, tmp_path):
    path = tmp_path / "national.tsv"
    path.write_text(
        "metric\tstratum\twarn\tfail\tsource\tstatus\ncal_rate\tall\t\t0.9\tx\tnational\ncharr\tall\t\t>0.1\tx\tgood\n"
        "charr\tEE\t\t>0.1\tx\tnational\n"
    )
    with pytest.raises(GoeError) as caught:
        sample_rules.load([*files, path])
    text = str(caught.value)
    assert "national.tsv row 2: fail: `0.9` is none of" in text
    assert "did you mean `call_rate`?" in text
    assert "row 3: status `good`" in text
    assert "row 4: no stratum `EE` -> write all, whole_genome, country:XX or input_type:NAME" in text


def test_missing_column_names_the_columns(files, tmp_path):
    path = tmp_path / "national.tsv"
    path.write_text("metric\tfail\ncharr\t>1\n")
    with pytest.raises(GoeError, match="has no column stratum, warn, source, status"):
        sample_rules.load([*files, path])


def decide(files, rows, pairs=(), exclude=True, national=None, whole=False):
    guidelines = sample_rules.load(files, national)
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
    metric = "adj_ratio_heterozygous_homzygous_snv"
    rows = [row(f"e{i}", "EE", **{metric: 1.6 + i / 1000}) for i in range(25)]
    rows += [row(f"p{i}", "PT", **{metric: 2.0 + i / 1000}) for i in range(25)]
    rows += [row("odd", "EE", **{metric: 2.0}), row("alone", "MT", **{metric: 9.0})]
    found, unable = decide(files, rows)
    assert {s for s, (_, reasons) in found.items() if reasons} == {"odd"}
    assert found["odd"] == (None, ["het_hom_outlier"])
    (said,) = (text for key, text in unable.items() if metric in key)
    assert said.startswith("not assessed in MT: fewer than 20 people")


def test_outliers_are_those_of_their_platform(files):
    """What is usual on one platform is an outlier on the other; the country as a whole would mark one of the two."""
    rows = [row(f"a{i:02d}", platform="A", adj_count_snvs=4_000_000 + 1000 * i) for i in range(25)]
    rows += [row(f"b{i:02d}", platform="B", adj_count_snvs=4_500_000 + 1000 * i) for i in range(25)]
    rows += [row("odd", platform="A", adj_count_snvs=4_500_000)]
    found, unable = decide(files, rows)
    assert [s for s, (_, reasons) in found.items() if reasons] == ["odd"]
    assert not any("adj_count_snvs" in key for key in unable)
    for r in rows:
        r.platform, r.flags = "", []
    assert sum(bool(reasons) for _, reasons in decide(files, rows)[0].values()) >= 25


def test_a_small_platform_falls_back_to_its_country_and_says_so(files):
    rows = [row(f"a{i:02d}", platform="A", adj_count_snvs=4_000_000 + 1000 * i) for i in range(25)]
    rows += [row(f"b{i}", platform="B", adj_count_snvs=4_010_000 + 1000 * i) for i in range(3)]
    rows += [row("far", platform="B", adj_count_snvs=5_000_000), row("none", adj_count_snvs=5_000_000)]
    found, unable = decide(files, rows)
    assert {s for s, (_, reasons) in found.items() if reasons} == {"far", "none"}
    (said,) = (text for key, text in unable.items() if "adj_count_snvs" in key)
    assert said == "by country instead of by platform in EE B: fewer than 20 people with a value, or no spread"


def test_the_withdrawn_widen_no_stratum(files):
    rows = [row(f"a{i:02d}", adj_count_snvs=1000 + i) for i in range(21)]
    rows += [row(f"w{i:02d}", withdrawn=True, adj_count_snvs=9000) for i in range(40)]
    assert keep.centres(rows, "adj_count_snvs", sample_rules.load(files).parameters)[0]["EE", ""] == (
        1010.0,
        5 * 1.4826,
    )
    found, _ = decide(files, rows)
    assert not any(reasons for s, (_, reasons) in found.items() if s.startswith("a"))
    assert found["w00"] == ("withdrawn", ["withdrawn"])


def test_outlier_of_ancestry_is_a_flag_until_the_config_makes_it_a_failure(files):
    assert decide(files, [row("a", ancestry_outlier="yes")])[0]["a"] == (None, ["ancestry_outlier"])
    found, _ = decide(files, [row("a", ancestry_outlier="yes")], national={"ancestry_outlier": {"fail": "is yes"}})
    assert found["a"] == ("ancestry_outlier", ["ancestry_outlier"])


def test_distance_of_ancestry_is_measured_against_its_limit(files):
    sheet = {
        s: {"sex": "F", "country_code": "EE", "withdrawn": gone, "input_type": "cram", "platform": "A"}
        for s, gone in (("a", "no"), ("b", "no"), ("c", "no"), ("d", "yes"))
    }
    rows = keep.gather(sheet, {}, {}, {}, sample_rules.load(files), {"a": 6.01, "b": 6.0})
    assert [r.metrics["ancestry_outlier"] for r in rows] == ["yes", "no", "no", "no"]
    assert [r.why.get("ancestry_distance", "") for r in rows] == [
        "", "", "not assessed in this country or cohort", "withdrawn",
    ]  # fmt: skip
    assert [r.platform for r in rows] == ["A"] * 4


def test_everybody_related_is_said(files):
    rows = [row("a", call_rate=0.99), row("b"), row("c"), row("d", charr=0.2), row("e", withdrawn=True)]
    pairs = [Pair("a", "b", 900, 0.25, 0.0), Pair("a", "c", 900, 0.25, 0.25), Pair("b", "c", 900, 0.5)]
    pairs.append(Pair("a", "e", 900, 0.12))
    found, _ = decide(files, rows, pairs)
    assert [s for s, (out, _) in found.items() if out in keep.RELATIVES] == ["b", "c"]
    said = keep.relatives_account(rows, pairs, {"statement": "assessed"}, True, sample_rules.load(files).parameters)
    assert said["statement"].startswith("assessed; every one of 3 people has a relative among the others, 2 are left")
    assert said["pairs"] == {"duplicate": 1, "parent_child": 1, "second_degree": 1, "siblings": 1}
    assert (said["people_with_relatives"], said["left_out"]) == (3, 2)
    some = keep.relatives_account(rows, pairs[:1], {"statement": "assessed"}, True, sample_rules.load(files).parameters)
    assert some["statement"] == "assessed"


def test_without_x_and_y_sex_is_unknown_and_said(files):
    sheet = {s: {"sex": "F", "country_code": "EE", "withdrawn": "no", "input_type": "gvcf"} for s in "ab"}
    autosomes = {1: {"n_records": 900, "n_called": 900, "n_het": 80, "n_hom_alt": 40, "n_missing_in": 0,
                     "n_failed": 0, "sum_dp": 27000, "n_dp": 900}}  # fmt: skip
    rows = keep.gather(sheet, {}, {"a": autosomes, "b": autosomes}, {}, sample_rules.load(files))
    unable = keep.decide(rows, [], sample_rules.load(files), True, True)
    assert unable["sex"] == "2 of 2 people: no X data"
    assert [(r.inferred_sex, r.count_sex, r.reasons) for r in rows] == [("unknown", "F", [])] * 2


def test_people_whose_calls_in_the_pars_have_one_allele_are_told(files):
    sheet = {
        s: {"sex": "M", "country_code": "EE", "withdrawn": gone, "input_type": "gvcf"}
        for s, gone in (("a", "no"), ("b", "no"), ("c", "no"), ("d", "no"), ("e", "yes"))
    }
    base = {key: 900 for key in ("n_records", "n_called", "n_dp", "n_said")} | {"n_missing_in": 0, "sum_dp": 27000}
    classes = {
        s: {1: base | {"n_het": 80, "n_hom_alt": 40, "n_par": n, "n_par_haploid": one}}
        for s, n, one in (("a", 7443, 7442), ("b", 7443, 3), ("c", 7443, 0), ("d", 0, 0), ("e", 10, 10))
    }
    guidelines = sample_rules.load(files)
    rows = keep.gather(sheet, {}, classes, {}, guidelines)
    unable = keep.decide(rows, [], guidelines, True, True)
    said = unable["pseudo-autosomal regions of X"]
    assert said == ("2 of 5 people: calls are written with one allele and are missing, of 1 of them most calls")
    columns, table = keep.metric_rows(rows, [], guidelines.parameters)
    cells = [dict(zip(columns, row, strict=True)) for row in table]
    assert [row["par_haploid_rate"] for row in cells] == ["0.999866", "0.000403", "0", "", "1"]
    assert "par_haploid_rate: no call in the pseudo-autosomal regions of X" in cells[3]["not_assessed"]
    some = keep.gather({s: p for s, p in sheet.items() if s in "cde"}, {}, classes, {}, guidelines)
    assert "pseudo-autosomal regions of X" not in keep.decide(some, [], guidelines, True, True)


def test_y_of_one_joint_vcf_says_nothing_of_another(files):
    """The men of the second come without DP on Y: no X0, though in the first, of the same type, Y has depths."""

    def counters(n, depth, het):
        return {"n_records": n, "n_called": n, "n_het": het, "n_hom_alt": n // 4, "n_missing_in": 0, "n_failed": 0,
                "sum_dp": n * depth, "n_dp": n if depth else 0, "n_said": n}  # fmt: skip

    sheet = {
        s: {"sex": "M", "country_code": "EE", "withdrawn": "no", "input_type": "joint_vcf", "source": source}
        for s, source in (("a", "joint_vcf_1"), ("b", "joint_vcf_2"))
    }
    common = {1: counters(900, 30, 300), 2: counters(100, 15, 0)}
    classes = {"a": common | {3: counters(50, 15, 0)}, "b": common | {3: counters(50, 0, 0)}}
    rows = keep.gather(sheet, {}, classes, {}, sample_rules.load(files))
    assert [(r.inferred_sex, r.count_sex) for r in rows] == [("XY", "M")] * 2
    assert rows[1].why["inferred_sex"] == "by X alone, no Y data"


def test_limits_of_a_whole_genome_do_not_judge_a_part(files):
    for whole, expected in ((False, None), (True, "het_hom_outlier")):
        found, _ = decide(files, [row("a", adj_ratio_heterozygous_homzygous_snv=4.0)], whole=whole)
        assert found["a"][0] == expected


def test_nobody_is_left_out_for_a_relative_who_is_out(files):
    rows = [row("a", charr=0.2, call_rate=0.99), row("b", call_rate=0.96), row("c", call_rate=0.97)]
    found, _ = decide(files, rows, [Pair("a", "b", 900, 0.25), Pair("b", "c", 900, 0.5)])
    assert found == {"a": ("contaminated", ["contaminated"]), "b": ("duplicate", ["duplicate"]), "c": (None, [])}


def twins_and_child():
    rows = [row("a", call_rate=0.98), row("b", call_rate=0.985), row("c", call_rate=0.999)]
    return rows, [Pair("a", "b", 900, 0.5), Pair("a", "c", 900, 0.25), Pair("b", "c", 900, 0.25)]


def test_relations_that_exclude_nobody_spend_nobody(files, tmp_path):
    """Duplicates count if the config says so; then their child goes, and no related pair is left."""
    found, _ = decide(files, *twins_and_child())
    assert {s: out for s, (out, _) in found.items() if out} == {"a": "duplicate", "b": "related"}
    found, _ = decide(files, *twins_and_child(), national={"duplicate": None})
    assert found == {"a": (None, []), "b": (None, []), "c": ("related", ["related"])}
    found, _ = decide(files, *twins_and_child(), national={"related": None})
    assert found == {"a": ("duplicate", ["duplicate"]), "b": (None, []), "c": (None, [])}
    found, _ = decide(files, *twins_and_child(), national={"related": {"fail": None, "warn": "is yes"}})
    assert found == {"a": ("duplicate", ["duplicate"]), "b": (None, ["related"]), "c": (None, [])}
    found, _ = decide(files, *twins_and_child(), national={"duplicate": {"fail": None, "warn": "is yes"}})
    assert found == {"a": (None, ["duplicate"]), "b": (None, []), "c": ("related", ["related"])}


def test_a_stratum_that_excludes_no_relatives_keeps_its_people_alone(files, tmp_path):
    path = tmp_path / "national.tsv"
    head = "metric\tstratum\twarn\tfail\tsource\tstatus\n"
    path.write_text(f"{head}related\tcountry:PT\t\t\tboard\tnational\n")
    rows = [row("a", "PT"), row("b", call_rate=0.99), row("c", "PT"), row("d"), row("e", call_rate=0.99)]
    pairs = [Pair("a", "b", 900, 0.25), Pair("a", "c", 900, 0.25), Pair("d", "e", 900, 0.25)]
    keep.decide(rows, pairs, sample_rules.load([*files, path]), True, False)
    assert [r.dropped_for(True) for r in rows] == [None, "related", None, "related", None]


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
    guidelines = sample_rules.load(files)
    sheet = {"a": {"sex": "F", "country_code": "EE", "withdrawn": "no", "input_type": "cram"}}
    (only,) = keep.gather(sheet, {}, {}, {}, guidelines)
    assert only.inferred_sex == "unknown"
    assert only.count_sex == "F"
    assert only.why["call_rate"] == keep.MISSING_PERSON
    assert only.why["mean_autosome_coverage"] == "no reads: the person came as cram"
    keep.decide([only], [], guidelines, True, True)
    assert keep.keep_rows([only], True) == [("a", "EE", "F", "unknown", "F", "yes", "")]


@pytest.mark.parametrize(("in_par", "rate"), [(400, None), (399, 0.9475), (0, 0.9475)])
def test_call_rate_of_a_cohort_without_autosomes_judges_nobody(files, in_par, rate):
    """Two people of a joint VCF of X: their diploid records are those of its PARs."""
    sheet = {s: {"sex": "F", "country_code": "EE", "withdrawn": "no", "input_type": "joint_vcf"} for s in "ab"}
    counters = dict.fromkeys(("n_het", "n_hom_alt", "n_missing_in", "sum_dp", "n_dp"), 0)
    counters |= {"n_records": 400, "n_called": 379, "n_failed": 21, "n_said": 400, "n_par": in_par}
    rows = keep.gather(sheet, {}, {s: {1: counters} for s in "ab"}, {}, sample_rules.load(files))
    keep.decide(rows, [], sample_rules.load(files), True, False)
    assert [r.metrics["call_rate"] for r in rows] == [rate, rate]
    assert [r.dropped_for(True) for r in rows] == [None if rate is None else "low_call_rate"] * 2
    assert rate or rows[0].why["call_rate"] == keep.NO_AUTOSOMES
