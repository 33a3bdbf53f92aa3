"""The configuration: defaults, and every mistake told at once."""

import copy
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import NoneType
from typing import get_args, get_origin, get_type_hints

import pytest
import yaml
from goe.core import resources
from goe.core.errors import GoeError
from goe.disclosure import control
from goe.release.gdi import format as gdi_format
from goe.release.metadata import health_dcat
from goe.rules import formats
from goe.rules.policy import POLICIES, PROTECT, Policy
from goe.settings import config, sections

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
    assert cfg.genotype_filter == sections.GenotypeFilter("goe", 20, 10, 5, 0.2, "stop", False)
    assert cfg.strata == sections.Strata("country_code", ())
    assert cfg.reference.rename == {} and cfg.reference.par is None
    assert cfg.outdir == "."
    assert cfg.disclosure == sections.Disclosure(5, "collapse", "carriers", None, False, None)
    assert cfg.formats.gdi == sections.Gdi(None, None, None, None, None, ())
    assert cfg.annotations.regions.given == {}
    assert cfg.previous_release is cfg.previous_people is cfg.restricted is None
    new = {"creators": (), "hdab": None, "access_url": None, "download_url": None}
    new |= {"conforms_to": None, "legal_basis": (), "number": None}
    assert {key: getattr(cfg.dataset, key) for key in new} == new


def test_an_audit_has_a_folder_of_its_own():
    assert config.load(WHOLE | {"audit": "release", "outdir": "run"}).outdir == "run/work/audit"


def test_sections_have_the_keys_of_the_schema():
    """Section by section; the schema is the home of the keys."""

    def same(kind: type, part: dict, path: str) -> int:
        hints = get_type_hints(kind)
        assert list(hints) == [*part["properties"]], path
        assert is_dataclass(kind) and kind.__dataclass_params__.frozen and "__slots__" in vars(kind), path
        n = 1
        for key, sub in part["properties"].items():
            inner = [k for k in (hints[key], *get_args(hints[key])) if is_dataclass(k)]
            assert bool(inner) == ("properties" in sub), f"{path}.{key}"
            n += same(inner[0], sub, f"{path}.{key}") if inner else 0
        return n

    kinds = [kind for kind in vars(sections).values() if isinstance(kind, type) and is_dataclass(kind)]
    assert same(sections.Config, config.schema(), "config") == len(kinds)


def test_types_of_sections_are_those_of_the_schema():
    """None is a value where the schema allows null, or where a key may be left out without a default."""

    def look(kind: type, part: dict, path: str) -> None:
        for key, sub in part["properties"].items():
            hint = get_type_hints(kind)[key]
            kinds = set(get_args(hint)) if NoneType in get_args(hint) else {hint}
            wanted = sub.get("type", ["null" if v is None else "string" for v in sub.get("enum", [])])
            wanted = {wanted} if isinstance(wanted, str) else set(wanted)
            if "default" not in sub and key not in part.get("required", []) and sub.get("type") != "boolean":
                # genotype_filter has those of its profile.
                wanted |= {"null"} - ({"null"} if path == "config.genotype_filter" else set())
            names = {"string": str, "integer": int, "number": float, "boolean": bool, "null": NoneType}
            for name in wanted:
                if name in names:
                    assert names[name] in kinds, f"{path}.{key}"
            assert (NoneType in kinds) == ("null" in wanted), f"{path}.{key}"
            inner = [k for k in kinds if is_dataclass(k)]
            if inner:
                look(inner[0], sub, f"{path}.{key}")
            elif "object" in wanted:
                assert any(get_origin(k) is Mapping for k in kinds), f"{path}.{key}"
            elif "array" in wanted:
                assert any(get_origin(k) is tuple for k in kinds), f"{path}.{key}"

    look(sections.Config, config.schema(), "config")


@pytest.mark.parametrize("kind", [kind for kind in vars(sections).values() if is_dataclass(kind)])
def test_a_section_is_not_changed(kind):
    section = sections.of(kind, {})
    for field in fields(kind):
        with pytest.raises(AttributeError):
            setattr(section, field.name, "another")


def yaml_blocks(text: str) -> list[dict]:
    """The YAML blocks of a Markdown page, whatever they are indented by."""
    blocks = re.findall(r"^( *)```yaml\n(.*?)^ *```", text, re.M | re.S)
    return [yaml.safe_load("\n".join(line.removeprefix(indent) for line in b.splitlines())) for indent, b in blocks]


def test_the_config_that_outside_people_rely_on_is_whole(shared):
    """The block of the design, its dots filled in; nothing of it asks for more than it has."""
    text = (shared / "DESIGN.md").read_text()
    (raw,) = [b for b in yaml_blocks(text.replace("email: ...", "email: a@example.org")) if "samples" in b]
    cfg = config.load(raw)
    assert cfg.disclosure.min_carriers == 5 and not cfg.formats.gdi.made


def test_the_config_of_the_readme_is_whole(repo):
    """But for the floor, which nobody should copy."""
    (raw,) = [b for b in yaml_blocks((repo / "README.md").read_text()) if "samples" in b]
    assert raw["disclosure"]["min_carriers"] == "FLOOR"
    raw["disclosure"]["min_carriers"] = 7
    assert config.load(raw).dataset.org == "EXAMPLE"


@pytest.mark.parametrize("section", [WHOLE["disclosure"], {"open": True, "legal_basis": "Decision 7 of 2026"}])
def test_loading_twice_changes_nothing_and_the_raw_dict_stays(section):
    raw = WHOLE | {"disclosure": section}
    kept = copy.deepcopy(raw)
    once = config.load(raw)
    assert raw == kept
    assert config.load(sections.plain(once)) == once == sections.of(sections.Config, sections.plain(once))


def test_defaults_are_not_shared_between_loads():
    config.load(WHOLE).reference.rename["20"] = "chr20"
    assert config.load(WHOLE).reference.rename == {}


def test_the_template_is_whole_and_says_the_defaults(repo):
    raw = yaml.safe_load((repo / "config/config.yaml").read_text())
    cfg = config.load(raw)
    required = {key: raw["dataset"][key] for key in config.schema()["properties"]["dataset"]["required"]}
    bare = {key: raw[key] for key in ("samples", "inputs", "reference")} | {"dataset": required}
    bare["disclosure"] = {key: raw["disclosure"][key] for key in ("min_carriers", "policy")}
    assert cfg == config.load(bare)

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
        "disclosure.min_carriers: 0 is less than the minimum of 2 -> write a number, 2 or more",
        "dataset.contact.email: is missing",
    ):
        assert text in told


@pytest.mark.parametrize(
    ("key", "section"),
    [
        ("reference.fasta", {"reference": {"fasta": "a{1}.fa"}}),
        ("outdir", {"outdir": "a{b"}),
        ("samples", {"samples": "{x}/samples.tsv"}),
        ("annotations.regions", {"annotations": {"regions": {"lcr": "x}.bed"}}}),
    ],
)
def test_braces_in_paths(key, section):
    (told,) = [text for text in problems(changed(**section)) if "braces" in text]
    assert told.startswith(f"config {key} ") and "which Snakemake would read as a wildcard" in told


def test_a_space_in_outdir():
    (told,) = problems(changed(outdir="my run"))
    assert "config outdir my run: has a space" in told


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
        ({"min_carriers": 5, "policy": "mask"}, "policy: 'mask' is not one of collapse, minimal"),
        ({"min_carriers": 5, "policy": "minimum"}, "did you mean minimal"),
        (
            {"min_carriers": 5, "policy": "collapse", "protect": "all"},
            "protect: 'all' is not one of carriers, genotypes",
        ),
        ({"min_carriers": 5, "policy": "collapse", "min_stratum_size": 4}, "4 is below min_carriers, 5"),
        ({"open": True, "legal_basis": "x", "min_stratum_size": 5}, "min_stratum_size: contradicts open: true"),
        ({"open": True, "legal_basis": "x", "protect": "carriers"}, "protect: contradicts open: true"),
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


def test_the_choice_of_disclosure_is_explained():
    raw = copy.deepcopy(WHOLE)
    del raw["disclosure"]
    (told,) = problems(raw)
    for text in ("{min_carriers: 5, policy: collapse}", "policy: minimal}", "open: true", "docs/disclosure.md"):
        assert text in told


@pytest.mark.parametrize("k", [2, 3, 5])
@pytest.mark.parametrize("least", [None, 1, 4, 5, 10])
def test_stratum_size_is_refused_as_the_release_refuses_it(k, least):
    """The config says it early, in the words of disclosure control."""
    section = {"min_carriers": k, "policy": "minimal", "min_stratum_size": least}
    raw = changed(disclosure=section)
    if least is not None and least < k:
        with pytest.raises(GoeError) as late:
            control.policy(sections.of(sections.Disclosure, {"protect": "carriers", **section}))
        assert problems(raw) == [str(p) for p in late.value.problems]
    else:
        assert control.policy(config.load(raw).disclosure) == Policy(k, name="minimal", least=least)


def test_every_policy_of_disclosure_control_can_be_chosen():
    section = config.schema()["properties"]["disclosure"]["properties"]
    assert tuple(section["policy"]["enum"]) == POLICIES
    assert tuple(section["protect"]["enum"]) == PROTECT


def test_open_disclosure_names_its_basis():
    raw = copy.deepcopy(WHOLE)
    raw["disclosure"] = {"open": True, "legal_basis": "Decision 7 of 2026"}
    assert config.load(raw).disclosure.open is True


@pytest.mark.parametrize(
    ("profile", "expected"), [("goe", (20, 10, 5, 0.2)), ("gnomad", (20, 10, 5, 0.2)), ("none", (0, 0, 0, 0))]
)
def test_profiles(profile, expected):
    found = config.load(changed(genotype_filter={"profile": profile})).genotype_filter
    assert (found.min_gq, found.min_dp, found.min_dp_haploid, found.min_ab) == expected


def test_a_single_threshold_beats_its_profile():
    found = config.load(changed(genotype_filter={"profile": "none", "min_gq": 30})).genotype_filter
    assert (found.min_gq, found.min_dp) == (30, 0)


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
        ({"org": "EX1"}, "dataset.org: 'EX1' does not have the form"),
        ({"id": "GOE-EE-EX1-20260101000000000"}, "dataset.id: 'GOE-EE-EX1-20260101000000000' does not have the form"),
        ({"org": "A" * 17}, "1 to 16 capital letters and no digits"),
        ({"conforms_to": "1MGcompliant"}, "not one of null, ExternallyGoverned, 1MGCompliant, 1MGCohort, did you mean"),
        ({"legal_basis": ["Consent", "consent"]}, "dataset.legal_basis[1]: 'consent' is not one of Consent"),
        ({"legal_basis": "Consent"}, "dataset.legal_basis: 'Consent' is not a list"),
        ({"number": 0}, "dataset.number: 0 is less than the minimum of 1"),
        ({"hdab": {"name": "Access body"}}, "dataset.hdab.email: is missing"),
        ({"hdab": {"name": "Access body", "email": "x", "uri": "y"}}, "unknown key, did you mean url"),
        ({"creator": ["One"]}, "dataset.creator: unknown key, did you mean creators"),
    ],
)
def test_dataset(part, says):
    assert says in "\n".join(problems(changed(dataset=part)))


def test_names_of_the_metadata_are_those_that_can_be_chosen():
    dataset = config.schema()["properties"]["dataset"]["properties"]
    assert dataset["conforms_to"]["enum"] == [None, *health_dcat.CONFORMS_TO]
    assert tuple(dataset["legal_basis"]["items"]["enum"]) == health_dcat.LEGAL_BASES


def test_what_the_metadata_take_the_config_takes():
    part = {
        "hdab": {"name": "Access body", "email": "a@example.org"},
        "conforms_to": "1MGCohort",
        "legal_basis": ["Consent", "PublicInterest"],
        "number": 7,
        "creators": ["One", "Two"],
    }
    found = sections.plain(config.load(changed(dataset=part)).dataset)
    assert found["hdab"] == {"name": "Access body", "email": "a@example.org", "url": None}
    assert {key: found[key] for key in ("conforms_to", "legal_basis", "number")} == {
        key: part[key] for key in ("conforms_to", "legal_basis", "number")
    }


@pytest.mark.parametrize(
    ("gdi", "made"),
    [
        ({}, False),
        (None, False),
        ({"catalog": "goe"}, True),
        ({"recipients": ["node.pub"]}, True),
        ({"min_allele_count": 0}, True),
        ({"enabled": True}, True),
        ({"enabled": False, "catalog": "goe"}, False),
        ({"enabled": None, "catalog": None, "recipients": []}, False),
    ],
)
def test_the_gdi_package_is_made_when_something_of_it_is_set(gdi, made):
    cfg = config.load(changed(formats={"gdi": gdi}))
    assert cfg.formats.gdi.made is made
    assert config.load(sections.plain(cfg)).formats.gdi.made is made


def test_a_gdi_package_of_another_build_is_refused_before_its_settings_are_made():
    raw = changed(reference={"build": "T2T"}, formats={"gdi": {"catalog": "goe"}})
    assert "config reference.build: T2T: the GDI package is for GRCh38 and GRCh37 only" in problems(raw)[0]
    raw["formats"]["gdi"]["enabled"] = False
    config.load(raw)
    assert config.NAMED_BUILDS == gdi_format.ASSEMBLIES


@pytest.mark.parametrize(
    ("sections", "says"),
    [
        ({"formats": {"gdi": {"catalogue": "x"}}}, "formats.gdi.catalogue: unknown key, did you mean catalog"),
        ({"formats": {"vcf": {}}}, "formats.vcf: unknown key"),
        ({"formats": {"gdi": {"min_allele_count": -1}}}, "-1 is less than the minimum of 0"),
        ({"formats": {"gdi": {"recipients": "node.pub"}}}, "formats.gdi.recipients: 'node.pub' is not a list"),
        ({"formats": {"gdi": {"recipients": ["a", "a"]}}}, "formats.gdi.recipients: holds something twice"),
        ({"formats": {"gdi": {"enabled": "yes"}}}, "formats.gdi.enabled: 'yes' is not a boolean or null"),
        (
            {"variant_qc": {"regions": ["lcr", "segdup"]}, "annotations": {"regions": {"lcr": "x.bed"}}},
            "variant_qc.regions: segdup: has no file of regions",
        ),
        ({"variant_qc": {"regions": ["lrc"]}}, "variant_qc.regions[0]: 'lrc' is not one of lcr, segdup"),
        ({"variant_qc": {"regions": "lcr"}}, "variant_qc.regions: 'lcr' is not a list"),
        ({"variant_qc": {"regions": ["lcr", "lcr"]}, "annotations": {"regions": {"lcr": "x"}}}, "something twice"),
        ({"annotations": {"regions": {"lrc": "x.bed"}}}, "annotations.regions.lrc: unknown key, did you mean lcr"),
        ({"annotations": {"regions": {"lcr": ""}}}, "annotations.regions.lcr: is empty"),
        ({"restricted": {"recipients": ["a.pub"]}}, "restricted.legal_basis: is missing"),
        ({"restricted": {"legal_basis": "x"}}, "restricted.recipients: is missing"),
        ({"restricted": {"recipients": [], "legal_basis": "x"}}, "restricted.recipients: is empty"),
        ({"restricted": True}, "restricted: True is not a section with keys or null"),
        ({"previous_people": "people.tsv"}, "previous_release: is missing -> previous_people is about it"),
        ({"audit_record": "inputs.tsv"}, "audit: is missing -> audit_record is about it"),
        ({"previous_release": ""}, "previous_release: is empty"),
        ({"wave": "9/8"}, "config wave 9/8: there is no such wave -> give one of 1/8 to 8/8"),
        ({"wave": "0/8"}, "config wave"),
        ({"wave": "1 of 8"}, "config wave"),
    ],
)
def test_sections_of_the_release(sections, says):
    assert says in "\n".join(problems(changed(**sections)))


def test_the_key_of_a_record_lies_beside_it():
    assert str(formats.people_key("a/people.tsv")) == "a/people.key"


def test_what_reads_the_config_in_every_job_is_light():
    """Snakemake reads the config once more in each job."""
    heavy = "{'numba', 'rdflib', 'pyarrow', 'numpy', 'pandas', 'scipy'}"
    code = f"import sys; from goe.settings import config; print(*sorted({heavy} & set(sys.modules)))"
    root = resources.ROOT / "scripts"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_numbers_as_contig_names_are_text():
    reference = config.load(changed(reference={"rename": {20: "chr20"}, "contigs": [20]})).reference
    assert reference.rename == {"20": "chr20"} and reference.contigs == ("20",)


def test_the_order_of_a_mapping_changes_nothing():
    """Snakemake would make everybody's files again."""
    names, limits = [("20", "chr20"), ("X", "chrX"), ("MT", "chrM")], [("warn", "< 0.95"), ("fail", "< 0.9")]

    def told(names, limits):
        given = {"reference": {"rename": dict(names)}, "sample_qc": {"thresholds": {"call_rate": dict(limits)}}}
        cfg = config.load(changed(**given))
        return repr((cfg.reference.rename, cfg.sample_qc.thresholds))

    assert told(names, limits) == told(names[::-1], limits[::-1])


def test_coverage_proxy_is_off_and_not_made_beside_an_earlier_release_with_a_floor():
    assert config.load(changed(callable_an={})).callable_an.coverage_proxy is False
    on = {"callable_an": {"coverage_proxy": True}}
    assert config.load(changed(**on)).callable_an.coverage_proxy is True
    opened = changed(**on, previous_release="old") | {"disclosure": {"open": True, "legal_basis": "x"}}
    assert config.load(opened).callable_an.coverage_proxy is True
    (told,) = problems(changed(**on, previous_release="old"))
    assert told.startswith("config callable_an.coverage_proxy: is not made beside an earlier release with a floor")


def test_an_empty_section_means_its_defaults():
    assert config.load(changed(caller=None)).caller.name == "bcftools"
    assert config.load(changed(formats=None, annotations={"regions": None})).annotations.regions.given == {}


def test_thresholds_of_people_are_read_before_anything_runs():
    told = "\n".join(problems(changed(sample_qc={"thresholds": {"call_rat": 0.9, "mean_dp": {"fial": 3}}})))
    assert "sample_qc.thresholds.call_rat: no such metric -> did you mean `call_rate`?" in told
    assert "sample_qc.thresholds.mean_dp.fial: unknown key, did you mean fail" in told
    assert "sample_qc.thresholds.mean_dp" in problems(changed(sample_qc={"thresholds": {"mean_dp": "low"}}))[0]
    cfg = config.load(changed(sample_qc={"thresholds": {"call_rate": {"fail": None}}}))
    assert cfg.sample_qc.thresholds == {"call_rate": {"fail": None}}


def test_own_table_of_thresholds_is_read_before_anything_runs(tmp_path):
    head = "metric\tstratum\twarn\tfail\tsource\tstatus\n"
    good, bad = tmp_path / "own.tsv", tmp_path / "bad.tsv"
    good.write_text(f"{head}call_rate\tall\t\t<0.9\tboard\tnational\n")
    bad.write_text(f"{head}call_rat\tall\t\tlow\tboard\tnational\n")
    assert config.load(changed(sample_qc={"guidelines": str(good)})).sample_qc.guidelines == str(good)
    told = "\n".join(problems(changed(sample_qc={"guidelines": str(bad), "thresholds": {"mean_dp": 12}})))
    assert "bad.tsv row 2: fail: `low` is none of" in told
    assert "bad.tsv row 2: no metric `call_rat` -> did you mean `call_rate`?" in told
    (told,) = problems(changed(sample_qc={"guidelines": "absent.tsv"}))
    assert told.startswith("config sample_qc.guidelines absent.tsv: no such file -> mend the path")
