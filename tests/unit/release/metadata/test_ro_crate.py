"""The crate passes the RO-Crate validator, tells nothing about people or machines, and its faults are named."""

import hashlib
import json
import re

import pytest
import yaml
from goe.check import ro_crate as ro_crate_check
from goe.core import code_digest
from goe.core.errors import GoeError
from goe.release import layout
from goe.release.metadata import health_dcat, ro_crate
from goe.settings import config, sections
from helpers import metadata

KINDS = {
    "required keys alone": metadata.DATASET,
    "every key": metadata.FULL,
    "licence of the workflow": metadata.DATASET | {"license": "https://spdx.org/licenses/MIT"},
}
PROFILES = ("ro-crate-1.1", "workflow-ro-crate-1.0", "process-run-crate-0.5", "workflow-run-crate-0.5")


def load(folder):
    return json.loads((folder / ro_crate.NAME).read_text())


def entity(document, name):
    (found,) = [e for e in document["@graph"] if e["@id"] == name]
    return found


# The last profile includes the others; they are asked once each, too.
@pytest.mark.parametrize(
    ("profile", "dataset"),
    [(PROFILES[-1], dataset) for dataset in KINDS.values()] + [(name, metadata.FULL) for name in PROFILES[:-1]],
    ids=[*KINDS, *PROFILES[:-1]],
)
def test_the_validator_finds_nothing_that_is_required(tmp_path, monkeypatch, dataset, profile):
    folder = tmp_path / "release"
    metadata.make(folder, dataset)
    assert metadata.validate(folder, profile, "REQUIRED", tmp_path, monkeypatch) == []
    assert ro_crate_check.check(folder) == []


def test_the_validator_is_asked_and_answers(tmp_path, monkeypatch):
    """It finds what is wrong, so that its silence in the other tests means something."""
    folder = tmp_path / "release"
    metadata.make(folder, metadata.DATASET)
    document = load(folder)
    del entity(document, "./")["mainEntity"]
    entity(document, "README.md")["notATerm"] = "x"
    (folder / ro_crate.NAME).write_text(json.dumps(document))
    (folder / "report.html").unlink()
    text = "\n".join(metadata.validate(folder, PROFILES[-1], "REQUIRED", tmp_path, monkeypatch))
    assert "mainEntity" in text and "notATerm" in text and "report.html" in text


def test_the_validator_recommends_only_what_cannot_be_told(tmp_path, monkeypatch):
    folder = tmp_path / "release"
    metadata.make(folder, metadata.DATASET | {"license": "CC0-1.0"})
    left = [
        r"#publisher: The organization SHOULD have a URL",
        # The sheets are personal data.
        r"#parameter-(inputs|samples): FormalParameter SHOULD be referenced from a data entity",
        # A clock in the release.
        r"#run-.*: The Action SHOULD have an endTime",
        # The project has no public address yet; a tool without a page.
        r"provenance/Snakefile: The Application SHOULD have a url",
        r"#tool-goe%20tool: The Application SHOULD have a url",
        r": The SoftwareApplication id SHOULD be an absolute URI",
    ]
    for issue in metadata.validate(folder, PROFILES[-1], "RECOMMENDED", tmp_path, monkeypatch):
        assert any(re.search(rule, issue) for rule in left), issue


def test_the_crate_says_what_made_the_release(tmp_path):
    metadata.make(tmp_path, metadata.FULL)
    document = load(tmp_path)
    top, main = entity(document, "./"), entity(document, ro_crate.WORKFLOW)
    assert top["name"] == "Variants of an example cohort (allele frequency, synthetic data)"
    assert top["identifier"] == ["GOE-EE-EXAMPLE-20260101000000000", "GoE_EE_EXAMPLE_7"]
    assert top["datePublished"] == "2026-01-01" and top["mainEntity"] == {"@id": ro_crate.WORKFLOW}
    assert [entity(document, a["@id"])["name"] for a in top["author"]] == [
        "Example Biobank",
        "Example Institute of Genomics",
        "Second Biobank",
    ]
    assert entity(document, top["publisher"]["@id"])["name"] == "Example Institute of Genomics"
    assert entity(document, top["license"]["@id"])["name"] == "CC-BY-4.0"
    assert main["hasPart"] == {"@id": "provenance/workflow/rules/a.smk"} and main["version"] == ro_crate.__version__
    code = entity(document, main["identifier"]["@id"])
    assert (code["propertyID"], code["value"]) == ("sha256", code_digest.digest())
    language = entity(document, main["programmingLanguage"]["@id"])
    assert (language["name"], language["version"]) == ("Snakemake", "9.27.1")
    tools = [entity(document, ref["@id"]) for ref in main["softwareRequirements"]]
    assert [(t["name"], t["softwareVersion"]) for t in tools] == [
        ("bcftools", "1.21"),
        ("goe tool", "2"),
        ("samtools", "1.21"),
    ]
    (action,) = [e for e in document["@graph"] if e["@type"] == "CreateAction"]
    assert action["instrument"] == {"@id": ro_crate.WORKFLOW}
    assert action["object"] == [{"@id": ro_crate.CONFIG}, {"@id": "#reference"}]
    assert {"@id": "sites/"} in action["result"] and {"@id": "report.html"} in action["result"]
    assert {"@id": "provenance/"} not in action["result"]
    reference = entity(document, "#reference")
    assert reference["value"] == "GRCh38"
    contigs = [entity(document, ref["@id"]) for ref in reference["valueReference"]]
    assert [(c["name"], c["value"]) for c in contigs] == [(c.name, c.md5) for c in metadata.CONTIGS]
    files = [e for e in document["@graph"] if "File" in e["@type"]]
    assert len(files) == len(metadata.NAMES) + 2
    assert [e["@id"] for e in files if "sha256" not in e] == ["gdi/x.tar.c4gh"]


def test_no_clock_and_no_licence_are_made_up(tmp_path):
    metadata.make(tmp_path, metadata.DATASET)
    text = (tmp_path / ro_crate.NAME).read_text()
    assert not re.search("endTime|startTime|dateCreated|dateModified", text)
    assert str(tmp_path) not in text and "file:" not in text
    assert entity(load(tmp_path), "./")["license"] == ro_crate.NO_LICENSE


def test_same_release_same_bytes(tmp_path):
    cfg = metadata.make(tmp_path / "a", metadata.FULL)
    metadata.make(tmp_path / "b", metadata.FULL)
    once, again = ((tmp_path / name / ro_crate.NAME).read_bytes() for name in "ab")
    assert once == again
    # Another encryption of the same content, tools and files in another order.
    (tmp_path / "a/gdi/x.tar.c4gh").write_text("CONTENT OF gdi/x.tar.c4gh\n")
    files = ro_crate_files(tmp_path / "a")
    document = ro_crate.crate(
        cfg, metadata.ABOUT, reversed(files), metadata.CONTIGS, list(reversed(metadata.TOOLS)), "9.27.1"
    )
    assert ro_crate.dumps(document).encode() == once


def ro_crate_files(folder):
    return layout.describe(folder, [*metadata.NAMES, health_dcat.TURTLE, health_dcat.JSON_LD])


def test_files_and_tools_that_cannot_be_listed_are_refused(tmp_path):
    metadata.make(tmp_path, metadata.DATASET)
    files = [f for f in ro_crate_files(tmp_path) if f.path != ro_crate.CONFIG]
    extra = ro_crate.File("MANIFEST.sha256", 1, "0" * 64)
    with pytest.raises(GoeError) as error:
        ro_crate.crate(
            metadata.config(metadata.DATASET | {"license": "ask"}),
            metadata.ABOUT,
            [*files, files[0], extra],
            metadata.CONTIGS,
            [*metadata.TOOLS, metadata.TOOLS[0]],
            "9",
        )
    text = str(error.value)
    assert len(error.value.problems) == 5
    for words in (
        "config dataset.license",
        "MANIFEST.sha256: cannot be listed",
        "provenance/config.json: is not among the files",
        "CHANGELOG.md: is listed twice",
        "samtools: is listed twice",
    ):
        assert words in text


def test_the_snapshot_of_the_config_has_no_path_and_nothing_of_the_machine():
    raw = {
        "samples": "/home/someone/samples.tsv",
        "inputs": "secret/inputs.tsv",
        "outdir": "/scratch/x",
        "reference": {"fasta": "/refs/GRCh38.fa", "par": "/refs/par.bed", "build": "GRCh38", "contigs": ["chr20"]},
        "dataset": metadata.FULL,
        "disclosure": {"min_carriers": 5, "policy": "collapse"},
        "genotype_filter": {"profile": "goe", "min_gq": 20},
        "sample_qc": {"exclude": True, "thresholds": {}},
        "variant_qc": {"min_call_rate": 0.9},
        "strata": {"label": "country_code", "columns": ["ward"]},
        "caller": {"name": "bcftools", "max_depth": 1000, "extra": ["--fasta-ref", "/x"]},
        "scatter": {"region_size": 5000},
        "frequencies": {"raw": False},
        "formats": {"gdi": {"catalog": "goe", "min_allele_count": 9, "recipients": ["/keys/node.pub"]}},
        "annotations": {"regions": {"lcr": "/beds/lcr.bed"}},
        "previous_release": "/releases/old",
        "previous_people": "/private/people.tsv",
        "restricted": {"recipients": ["/keys/merge.pub"], "legal_basis": "secret"},
    }
    cfg = config.load(raw)
    told = ro_crate.snapshot(cfg)
    # Addresses of the publisher may have slashes, nothing else.
    rest = json.dumps(told | {"dataset": {}})
    assert told["caller"] == sections.plain(cfg.caller) | {"extra": ["--fasta-ref", "(withheld)"]}
    assert "/" not in rest and "ward" not in rest and "scatter" not in told
    assert "restricted" not in told and "secret" not in rest
    assert told["formats"] == {
        "gdi": {
            **{"enabled": None, "catalog": "goe", "min_allele_count": 9},
            **{"af_source": None, "af_source_reference": None},
        }
    }
    assert told["reference"] == {"build": "GRCh38", "contigs": ["chr20"]}
    assert told["disclosure"] == sections.plain(cfg.disclosure)
    assert told["genotype_filter"] == sections.plain(cfg.genotype_filter) and told["dataset"] == metadata.FULL


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-a", "FORMAT/SP,INFO/AD", "--no-BAQ", "-d", "500"], ["-a", "FORMAT/SP,INFO/AD", "--no-BAQ", "-d", "500"]),
        (["-F0.1", "--min-ireads=3", "-x"], ["-F0.1", "--min-ireads=3", "-x"]),
        (["-f", "ref.fa", "--fasta-ref=/x/ref.fa"], ["-f", "(withheld)", "(withheld)"]),
        (["-s", "17", "-s17", "-sJAAN", "--samples=17"], ["-s", *["(withheld)"] * 4]),
        (["-G", "7", "--samples", "JAAN"], ["-G", "(withheld)", "--samples", "(withheld)"]),
        (["~/x", "C:\\x", "node7:x", "me@host"], ["(withheld)"] * 4),
    ],
)
def test_arguments_that_could_name_a_place_or_a_person_are_withheld(arguments, told):
    assert ro_crate.told_arguments(arguments) == told


def test_files_that_decide_numbers_are_told_by_their_content(tmp_path):
    for name in ("own.tsv", "p.UD", "p.mu", "p.bed", "lcr.bed"):
        (tmp_path / name).write_text(name)
    panel = [tmp_path / f"p.{part}" for part in ("UD", "mu", "bed")]
    found = ro_crate.file_digests([tmp_path / "own.tsv"], panel, {"lcr": tmp_path / "lcr.bed"})
    cfg = sections.of(sections.Config, {"sample_qc": {"exclude": True, "guidelines": "/x/own.tsv"}})
    told = ro_crate.snapshot(cfg, found)
    digest = {path.name: hashlib.sha256(path.name.encode()).hexdigest() for path in tmp_path.iterdir()}
    assert told["sample_qc"] == {
        "exclude": True,
        "thresholds": {},
        "guidelines_sha256": digest["own.tsv"],
        "contamination_panel_sha256": {part: digest[f"p.{part}"] for part in ("UD", "mu", "bed")},
    }
    assert told["annotations"] == {"regions_sha256": {"lcr": digest["lcr.bed"]}}
    assert str(tmp_path) not in json.dumps(told)
    none = ro_crate.file_digests([], [], {})
    assert none["sample_qc"] == {"guidelines_sha256": None, "contamination_panel_sha256": None}


def test_the_snapshot_knows_every_key_that_decides_numbers(repo):
    """A new key of the config has to be put here or told: nobody should forget to decide."""
    schema = yaml.safe_load((repo / "workflow/schemas/config.schema.yaml").read_text())["properties"]
    at_home = {"samples", "inputs", "outdir", "scatter", "scratch", "wave", "joint", "container"}
    at_home |= {f"reference.{key}" for key in ("fasta", "par", "rename", "ignore_contigs", "leave_out")}
    at_home |= {"strata.columns", "formats.gdi.recipients"}
    # What they make of the release is in its disclosure report.
    at_home |= {"previous_release", "previous_people"}
    # What a finished release is compared with.
    at_home |= {"audit", "audit_record", "inputs_record"}
    # Places of files, which are told by their digests.
    at_home |= {"annotations", "sample_qc.guidelines", "sample_qc.contamination_panel"}
    # Told by its name and version among the tools.
    at_home |= {"aligner"}
    # Another product.
    at_home |= {"restricted"}
    told = {f"{section}.{key}" for section, keys in ro_crate.TOLD.items() for key in keys}
    for section, part in schema.items():
        if section in at_home:
            continue
        # Sections of formats have keys of their own; elsewhere a key is told whole.
        keys = set()
        for key, sub in part.get("properties", {}).items():
            inner = sub["properties"] if section == "formats" else {}
            keys |= {f"{section}.{key}.{name}" for name in inner} or {f"{section}.{key}"}
        undecided = keys - told - at_home
        assert part.get("properties") and not undecided, undecided or section


@pytest.mark.parametrize(
    ("name", "key", "words"),
    [
        ("./", "name", "the release has no name"),
        ("./", "license", "the release has no license"),
        ("./", "author", "the release has no author"),
        ("./", "publisher", "the release has no publisher"),
        ("./", "description", "the release has no description"),
        ("./", "datePublished", "datePublished is None"),
        ("./", "identifier", "identifier is None"),
        ("./", "conformsTo", "does not conform to https://w3id.org/ro/wfrun/workflow/0.5"),
        ("./", "mainEntity", "mainEntity is not provenance/Snakefile"),
        ("./", "hasPart", "README.md is no part of the release"),
        ("sites/", "hasPart", "sites/x.pass.vcf.gz is no part of the release"),
        ("ro-crate-metadata.json", "conformsTo", "does not conform to https://w3id.org/ro/crate/1.1"),
        ("#run-GOE-EE-EXAMPLE-20260101000000000", "instrument", "no CreateAction"),
        ("README.md", "contentSize", "README.md has no contentSize"),
        ("README.md", "sha256", "README.md has no SHA-256"),
        ("README.md", "@type", "README.md is not listed"),
        ("provenance/Snakefile", "@type", "provenance/Snakefile is no ComputationalWorkflow"),
    ],
)
def test_a_key_that_is_missing_is_named(tmp_path, name, key, words):
    metadata.make(tmp_path, metadata.DATASET)
    document = load(tmp_path)
    del entity(document, name)[key]
    (tmp_path / ro_crate.NAME).write_text(json.dumps(document))
    found = ro_crate_check.check(tmp_path)
    assert any(p.where == ro_crate.NAME and words in p.what for p in found), found


def test_faults_of_the_document_are_named(tmp_path):
    metadata.make(tmp_path, metadata.DATASET)
    document = load(tmp_path)
    document["@context"] = "https://w3id.org/ro/crate/1.2/context"
    graph = document["@graph"]
    graph.append({"@id": "../outside.txt", "@type": "File", "contentSize": "1"})
    graph.append({"@id": "/etc/passwd", "@type": "File", "contentSize": "1"})
    graph.append({"@id": "file:///etc/passwd", "@type": "File", "contentSize": "1"})
    graph.append({"@id": "#contact", "@type": "Thing", "about": {"@id": "#nobody"}})
    entity(document, "./")["datePublished"] = "2027-01-01"
    (tmp_path / ro_crate.NAME).write_text(json.dumps(document))
    text = "\n".join(str(p) for p in ro_crate_check.check(tmp_path))
    for words in (
        "@context is not that of RO-Crate 1.1",
        "../outside.txt is outside the folder",
        "/etc/passwd is no file of the folder",
        "file:///etc/passwd is no file of the folder",
        "an entity is described twice",
        "#contact refers to #nobody, which is not described",
        "datePublished is 2027-01-01, the dataset id says 2026-01-01",
    ):
        assert words in text


def test_files_that_changed_came_or_went_are_named(tmp_path):
    metadata.make(tmp_path, metadata.DATASET)
    (tmp_path / "README.md").write_text("content of ReADME.md\n")
    (tmp_path / "report.html").unlink()
    (tmp_path / "qc").mkdir()
    (tmp_path / "qc/new.json").write_text("{}")
    (tmp_path / "MANIFEST.sha256").write_text("")
    found = [str(p) for p in ro_crate_check.check(tmp_path)]
    assert len(found) == 3
    for words in ("README.md has another SHA-256", "report.html is described but", "qc/new.json is not listed"):
        assert any(words in line for line in found), words


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"@graph": [1]}', '{"@graph": [{"@type": "x"}]}', '{"@graph": 1}'])
def test_what_is_no_crate_is_named(tmp_path, text):
    metadata.make(tmp_path, metadata.DATASET)
    (tmp_path / ro_crate.NAME).write_text(text)
    (problem,) = ro_crate_check.check(tmp_path)
    assert ro_crate.NAME in problem.where
    (tmp_path / ro_crate.NAME).unlink()
    (problem,) = ro_crate_check.check(tmp_path)
    assert problem.where == ro_crate.NAME and problem.what == "no such file"


@pytest.mark.parametrize("rule", [{"min_carriers": 5, "policy": "collapse"}, {"open": True, "legal_basis": "Act 7"}])
def test_the_snapshot_has_the_keys_of_the_disclosure_that_was_chosen(rule):
    told = ro_crate.snapshot(sections.of(sections.Config, {"disclosure": {"protect": "carriers", **rule}}))
    more = {} if "open" in rule else {"protect": "carriers", "min_stratum_size": None, "open": False}
    assert told["disclosure"] == rule | more
