"""From the config to the metadata of the GDI package, and what is said when something is not there."""

import json

import pytest
from goe.check import gdi as gdi_check
from goe.release.gdi import format as gdi
from goe.release.gdi import metadata as gdi_metadata
from goe.settings import sections
from helpers import gdi as make
from helpers.settings import altered
from jsonschema import Draft202012Validator


def with_gdi(cfg, **keys):
    """The config with these keys of formats.gdi and no other."""
    return altered(cfg, "formats.gdi", sections.of(sections.Gdi, keys))


def made(cfg):
    return gdi_metadata.metadata(cfg, make.ABOUT)


def test_a_whole_config_has_no_problem_and_gives_metadata_of_the_schema():
    cfg = make.config(
        synthetic=True, conforms_to="1MGCohort", legal_basis=["Consent"], keywords=["x"], creators=["One", "Two"]
    )
    assert gdi_metadata.problems(cfg) == []
    fields = made(cfg)
    schema = json.loads(gdi_check.SCHEMA.read_text())
    whole = {"metadata": fields, "config": gdi_metadata.manifest_config(cfg)}
    assert list(Draft202012Validator(schema).iter_errors(whole)) == []
    assert gdi_metadata.faults(fields) == []
    assert fields["license"].startswith("https://creativecommons.org/")
    assert fields["type"] == [gdi.SYNTHETIC] and fields["conformsTo"] == ["http://data.gdi.eu/core/p2/1MGCohort"]
    assert fields["legalBasis"] == ["https://w3id.org/dpv#Consent"]
    assert fields["contactPoint"] == {"fn": "Data office", "hasEmail": "mailto:data@example.org"}
    assert fields["numberOfUniqueIndividuals"] == 123
    assert [agent["name"] for agent in fields["creator"]] == ["One", "Two"]


def test_everything_that_is_missing_is_named_at_once():
    cfg = make.config(license=None, org="EX1", id="GOE-EE-EX1-20260102030405678")
    cfg = altered(cfg, "reference.build", "T2T")
    cfg = with_gdi(cfg, af_source_reference="javascript:x", recipients=["no.pub"])
    where = {p.where for p in gdi_metadata.problems(cfg)}
    assert where == {
        "config reference.build",
        "config dataset.id",
        "config formats.gdi.catalog",
        "config dataset.license",
        "config formats.gdi.af_source_reference",
        "config formats.gdi.recipients no.pub",
    }
    cfg = altered(cfg, "formats.gdi.enabled", False)
    assert gdi_metadata.problems(cfg) == []


def test_the_package_is_made_when_something_of_it_is_set_or_it_is_asked_for():
    def made(**gdi):
        return sections.of(sections.Gdi, gdi).made

    assert not made() and not made(enabled=False, catalog="x")
    assert made(enabled=True) and made(catalog="x") and made(recipients=["a.pub"])
    assert made(min_allele_count=0) and made(af_source="x") and made(af_source_reference="x")


def test_a_package_that_is_not_asked_for_is_no_problem_and_its_needs_are_told():
    cfg = make.config(license=None)
    cfg = with_gdi(cfg)
    assert gdi_metadata.problems(cfg) == []
    (note,) = gdi_metadata.advice(cfg)
    assert note.where == "config formats.gdi" and "no package for a GDI node is made" in note.what
    assert "formats.gdi.catalog: is missing; dataset.license: is missing" in note.what
    assert [str(p) for p in gdi_metadata.missing(cfg)] == [
        "config formats.gdi.catalog: is missing",
        "config dataset.license: is missing",
    ]
    cfg = altered(cfg, "reference.build", "T2T")
    assert "reference.build: T2T: the GDI package is for GRCh38 and GRCh37 only" in gdi_metadata.advice(cfg)[0].what
    for chosen in (True, False):
        assert gdi_metadata.advice(with_gdi(cfg, enabled=chosen)) == []
    assert gdi_metadata.advice(make.config()) == [] == gdi_metadata.missing(make.config())


def test_a_package_that_is_asked_for_has_to_be_possible():
    cfg = make.config(license=None)
    for gdi_section in ({"enabled": True}, {"recipients": ["no.pub"]}):
        where = {p.where for p in gdi_metadata.problems(with_gdi(cfg, **gdi_section))}
        assert {"config formats.gdi.catalog", "config dataset.license"} <= where


@pytest.mark.parametrize(
    ("disclosure", "given", "floor"),
    [
        ({"min_carriers": 5, "policy": "collapse"}, None, 5),
        ({"min_carriers": 1, "policy": "collapse"}, None, 0),
        ({"open": True, "legal_basis": "x"}, None, 0),
        ({"min_carriers": 5, "policy": "minimal"}, 10, 10),
        ({"min_carriers": 5, "policy": "minimal"}, 0, 0),
    ],
)
def test_floor_is_the_smallest_number_of_people_or_what_is_given(disclosure, given, floor):
    cfg = altered(make.config(), "disclosure", sections.of(sections.Disclosure, disclosure))
    cfg = altered(cfg, "formats.gdi.min_allele_count", given)
    assert gdi_metadata.settings(cfg).floor == floor
    assert gdi_metadata.manifest_config(cfg)["minAlleleCount"] == floor


def test_source_of_frequencies():
    assert gdi_metadata.manifest_config(make.config())["afSource"] == "The Genome of Europe"
    other = make.config(prefix="GDI", id="GDI-EE-EXAMPLE-20260102030405678")
    assert "afSource" not in gdi_metadata.manifest_config(other)
    other = altered(other, "formats.gdi.af_source", "Ours")
    assert gdi_metadata.manifest_config(other)["afSource"] == "Ours"


FAULTS = [
    ("datasetId", "GOE-EE-EX1-20260102030405678"),
    ("datasetId", "GOE-EST-EX-20260102030405678"),
    ("catalog", "a/b"),
    ("catalog", "..x"),
    ("title", "x" * 256),
    ("title", ""),
    ("title", "a\x07"),
    ("description", "x" * 10_001),
    ("license", "CC-BY"),
    ("license", "javascript:alert(1)"),
    ("license", "https://x/ y"),
    ("accessRights", "PUBLIC"),
    ("applicableLegislation", []),
    ("applicableLegislation", ["https://example.org/law"]),
    ("legalBasis", [" "]),
    ("healthCategory", ["http://data.gdi.eu/core/p2/HealthCategoryGenomic"]),
    ("healthTheme", ["GENOMICS"]),
    ("conformsTo", ["http://data.gdi.eu/core/p2/1MGcompliant"]),
    ("conformsTo", [gdi.CONFORMS_TO[0]] * 2),
    ("type", ["synthetic"]),
    ("keywords", []),
    ("keywords", ["x"] * 2),
    ("keywords", [f"k{i}" for i in range(51)]),
    ("creator", []),
    ("creator", [{"name": ""}]),
    ("contactPoint", {"fn": "", "hasEmail": "mailto:a@b.c"}),
    ("contactPoint", {"fn": "x", "hasEmail": "a@b.c"}),
    ("contactPoint", {"fn": "x", "hasEmail": "mailto:a@bc"}),
    ("contactPoint", {"fn": "x", "hasEmail": "mailto:a@b.c", "hasURL": "b.c"}),
    ("otherIdentifier", [{"notation": ""}]),
    ("otherIdentifier", [{"notation": "x", "schemaAgency": "y" * 129}]),
    ("minTypicalAge", 151),
    ("provenance", "x" * 10_001),
]


@pytest.mark.parametrize(("field", "value"), FAULTS)
def test_each_rule_of_the_metadata(field, value):
    found = gdi_metadata.faults(made(make.config()) | {field: value})
    assert [name for name, _, _ in found] == [field]


def test_rules_of_two_fields():
    fields = made(make.config())
    assert [f for f, *_ in gdi_metadata.faults(fields | {"minTypicalAge": 9, "maxTypicalAge": 8})] == ["minTypicalAge"]
    assert [f for f, *_ in gdi_metadata.faults(fields | {"accessRights": gdi.NON_PUBLIC})] == ["legalBasis"]
    assert len(gdi_metadata.faults({})) >= 10
