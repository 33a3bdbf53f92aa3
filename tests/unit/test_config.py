"""The configuration: defaults, and every mistake told at once."""

import copy

import pytest
import yaml
from goe import config
from goe.errors import GoeError

WHOLE = {
    "samples": "samples.tsv",
    "inputs": "inputs.tsv",
    "reference": {"fasta": "ref.fa", "build": "GRCh38"},
    "dataset": {
        "prefix": "GOE",
        "country": "EE",
        "org": "EXAMPLE",
        "id": "GOE-EE-EXAMPLE-20260101000000000",
        "title": "A title",
        "contact": {"fn": "A name", "email": "a@example.org"},
    },
    "disclosure": {"min_carriers": 5, "policy": "collapse"},
}


def changed(**sections) -> dict:
    raw = copy.deepcopy(WHOLE)
    for key, value in sections.items():
        if isinstance(value, dict) and isinstance(raw.get(key), dict):
            raw[key].update(value)
        else:
            raw[key] = value
    return raw


def problems(raw: dict) -> list[str]:
    with pytest.raises(GoeError) as caught:
        config.load(raw)
    return [str(p) for p in caught.value.problems]


def test_the_smallest_config_gets_every_default():
    cfg = config.load(WHOLE)
    assert cfg["genotype_filter"] == {
        "profile": "goe",
        "min_gq": 20,
        "min_dp": 10,
        "min_dp_haploid": 5,
        "min_ab": 0.2,
        "on_absent_fields": "stop",
        "respect_ft": False,
    }
    assert cfg["strata"] == {"label": "country_code", "columns": []}
    assert cfg["reference"]["rename"] == {} and cfg["reference"]["par"] is None
    assert cfg["outdir"] == "."
    assert cfg["disclosure"] == {"min_carriers": 5, "policy": "collapse", "open": False}


def test_loading_twice_changes_nothing_and_the_raw_dict_stays():
    raw = copy.deepcopy(WHOLE)
    once = config.load(raw)
    assert raw == WHOLE
    assert config.load(once) == once


def test_defaults_are_not_shared_between_loads():
    config.load(WHOLE)["reference"]["rename"]["20"] = "chr20"
    assert config.load(WHOLE)["reference"]["rename"] == {}


def test_the_template_is_whole_and_says_the_defaults(repo):
    raw = yaml.safe_load((repo / "config/config.yaml").read_text())
    cfg = config.load(raw)
    own = {"samples": raw["samples"], "inputs": raw["inputs"], "reference": raw["reference"]}
    bare = config.load({**own, "dataset": raw["dataset"], "disclosure": raw["disclosure"]})
    assert cfg == bare

    def keys(part: dict, path: str = "") -> set[str]:
        found = set()
        for key, sub in part.get("properties", {}).items():
            found |= keys(sub, f"{path}{key}.") if sub.get("properties") else {f"{path}{key}"}
        return found

    text = (repo / "config/config.yaml").read_text()
    for dotted in keys(config.schema()):
        assert f"{dotted.split('.')[-1]}:" in text, dotted


def test_every_problem_is_told_with_its_dotted_path():
    raw = changed(
        genotype_filter={"min_qg": 30, "min_dp": "ten", "profile": "gnomed"},
        variant_qc={"min_call_rate": 2},
        reference={"contigs": "chr20"},
        disclosure={"min_carriers": 0},
    )
    del raw["dataset"]["contact"]["email"]
    told = "\n".join(problems(raw))
    for text in (
        "genotype_filter.min_qg: unknown key, did you mean min_gq",
        "genotype_filter.min_dp: 'ten' is not an integer",
        "genotype_filter.profile: 'gnomed' is not one of goe, gnomad, none, did you mean gnomad",
        "variant_qc.min_call_rate: 2 is greater than the maximum of 1",
        "reference.contigs: 'chr20' is not a list",
        "disclosure.min_carriers: 0 is less than the minimum of 1",
        "dataset.contact.email: is missing",
    ):
        assert text in told


def test_each_missing_key_is_told_once():
    told = problems({})
    assert [t.split(":")[0] for t in told] == [
        f"config {k}" for k in ("samples", "inputs", "reference", "dataset", "disclosure")
    ]


@pytest.mark.parametrize(
    ("section", "says"),
    [
        (None, "the controller must choose"),
        ({}, "the controller must choose"),
        ({"min_carriers": 5}, "disclosure.policy: is missing"),
        ({"policy": "collapse"}, "disclosure.min_carriers: is missing"),
        ({"min_carriers": 5, "policy": "mask"}, "policy 'mask' is not available in this version"),
        ({"open": True}, "disclosure.legal_basis: is missing"),
        ({"open": True, "legal_basis": "x", "min_carriers": 5}, "min_carriers: contradicts open: true"),
        ({"min_carriers": 5, "policy": "collapse", "legal_basis": "x"}, "belongs to open: true"),
    ],
)
def test_disclosure_is_a_choice(section, says):
    raw = copy.deepcopy(WHOLE)
    if section is None:
        del raw["disclosure"]
    else:
        raw["disclosure"] = section
    assert says in "\n".join(problems(raw))


def test_open_disclosure_names_its_basis():
    raw = copy.deepcopy(WHOLE)
    raw["disclosure"] = {"open": True, "legal_basis": "Decision 7 of 2026"}
    assert config.load(raw)["disclosure"]["open"] is True


@pytest.mark.parametrize(
    ("profile", "expected"), [("goe", (20, 10, 5, 0.2)), ("gnomad", (20, 10, 5, 0.2)), ("none", (0, 0, 0, 0))]
)
def test_profiles(profile, expected):
    found = config.load(changed(genotype_filter={"profile": profile}))["genotype_filter"]
    assert tuple(found[k] for k in ("min_gq", "min_dp", "min_dp_haploid", "min_ab")) == expected


def test_a_single_threshold_beats_its_profile():
    found = config.load(changed(genotype_filter={"profile": "none", "min_gq": 30}))["genotype_filter"]
    assert (found["min_gq"], found["min_dp"]) == (30, 0)


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ({"id": "GOE-EE-EXAMPLE-2026"}, "dataset.id: 'GOE-EE-EXAMPLE-2026' does not have the form"),
        ({"country": "FI"}, "dataset.id: says EE where dataset.country is FI"),
        ({"prefix": "GDI"}, "dataset.id: says GOE where dataset.prefix is GDI"),
        ({"org": "OTHER"}, "dataset.id: says EXAMPLE where dataset.org is OTHER"),
        ({"country": "XX"}, "'XX' is not a country code"),
        ({"country": "UK"}, "write GB"),
        ({"country": False}, "put it in quotes"),
    ],
)
def test_dataset_id_and_country(part, says):
    assert says in "\n".join(problems(changed(dataset=part)))


def test_numbers_as_contig_names_are_text():
    reference = config.load(changed(reference={"rename": {20: "chr20"}, "contigs": [20]}))["reference"]
    assert reference["rename"] == {"20": "chr20"} and reference["contigs"] == ["20"]


def test_sections_of_later_versions_say_so():
    assert "callable AN is not available in this version" in problems(changed(callable_an={}))[0]


def test_an_empty_section_means_its_defaults():
    assert config.load(changed(caller=None))["caller"]["name"] == "bcftools"


def test_thresholds_of_people_are_read_before_anything_runs():
    told = "\n".join(problems(changed(sample_qc={"thresholds": {"call_rat": 0.9, "mean_dp": {"fial": 3}}})))
    assert "sample_qc.thresholds.call_rat: no such metric -> did you mean `call_rate`?" in told
    assert "sample_qc.thresholds.mean_dp.fial: unknown key, did you mean fail" in told
    assert "sample_qc.thresholds.mean_dp" in problems(changed(sample_qc={"thresholds": {"mean_dp": "low"}}))[0]
    cfg = config.load(changed(sample_qc={"thresholds": {"call_rate": {"fail": None}}}))
    assert cfg["sample_qc"] == {"thresholds": {"call_rate": {"fail": None}}, "exclude": True}
