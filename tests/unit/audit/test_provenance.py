"""What differs in how a release was made is found, each kind by itself, and nothing else is."""

import json
from dataclasses import replace

import pytest
from goe import __version__
from goe.audit import provenance
from goe.audit.provenance import Cause, Provenance, Repeat
from goe.compare import release
from goe.core import code_digest, manifest
from goe.intake.inputs import FILE, PERSON, PIECES, Changes
from helpers import release_folder as rf

NOTHING = {PERSON: Changes(), FILE: Changes()}


@pytest.fixture
def here(released):
    """What a second run has when nothing differs."""
    said = json.loads((released / "metadata/dataset.json").read_text())
    return Repeat(
        build="GRCh38",
        contigs={contig["name"]: (contig["length"], contig["md5"]) for contig in said["contigs"]},
        settings=json.loads((released / "provenance/config.json").read_text()),
        versions={"Snakemake": "9.27.1", "samtools": "1.21", "bcftools": "1.21"},
        code=manifest.of_list(code_digest.listing()),
        changes=NOTHING,
    )


def causes(folder, here):
    return list(provenance.compare(release.read(folder), here).causes)


def test_the_same_is_the_same(released, here):
    found = provenance.compare(release.read(released), here)
    assert found == Provenance((), {}, {"inputs": "every byte"})


def test_another_threshold(released, here):
    settings = json.loads(json.dumps(here.settings))
    settings["variant_qc"]["min_call_rate"] = 0.8
    found = causes(released, replace(here, settings=settings))
    assert found == [Cause("settings", "variant_qc.min_call_rate", 0.9, 0.8)]


@pytest.mark.parametrize("tool", ["samtools", "Snakemake", "more"])
def test_another_tool_version(released, here, tool):
    before = here.versions.get(tool)
    found = causes(released, replace(here, versions={**here.versions, tool: "2.0"}))
    assert found == [Cause("versions", tool, before, "2.0")]


def test_another_goe(copied, here):
    rf.edit_json(copied / "metadata/dataset.json", lambda said: said.update(made_with="goe 99.0"))
    rf.sign(copied)
    assert causes(copied, here) == [Cause("versions", "goe", "99.0", __version__)]


def test_another_reference(released, here):
    length = here.contigs["chr20"][0]
    contigs = {**here.contigs, "chr20": (length, "0" * 32)}
    (found,) = causes(released, replace(here, contigs=contigs))
    assert (found.kind, found.what, found.here) == ("reference", "chr20", [length, "0" * 32])
    (found,) = causes(released, replace(here, build="GRCh37"))
    assert found == Cause("reference", "build", "GRCh38", "GRCh37")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("scripts/goe/cli.py", "code"), ("envs/align.yaml", "environments"), ("requirements.lock", "environments")],
)
def test_another_file_of_the_code(released, here, name, kind):
    found = causes(released, replace(here, code={**here.code, name: "0" * 64}))
    assert found == [Cause(kind, name, here.code[name], "0" * 64)]


def test_people_and_data_files_are_told_by_their_rows(released, here):
    changes = {PERSON: Changes(changed=[7], gone=2), FILE: Changes(changed=[4], new=[9])}
    found = causes(released, replace(here, changes=changes))
    assert [str(cause) for cause in found] == [
        "people, row 7 of the sheet: as recorded | changed",
        "people, no longer there: 2 | -",
        "inputs, row 4 of the sheet: as recorded | changed",
        "inputs, row 9 of the sheet: - | not recorded",
    ]


def test_how_far_data_files_were_asked_is_said(released, here):
    found = provenance.compare(release.read(released), replace(here, changes={PERSON: Changes(), PIECES: Changes()}))
    assert found.extent == {"inputs": "size and 16 pieces of 64 KiB of each"} and not found.causes
    found = provenance.compare(release.read(released), replace(here, changes={PERSON: Changes()}))
    assert found.extent == {} and "inputs_record" in found.not_asked["inputs"] and "people" not in found.not_asked


def test_how_a_cohort_is_cut_is_no_setting_of_a_release(released, here):
    """Another region size, other batches: the same release, and nothing to tell."""
    assert "scatter" not in here.settings


def test_without_a_record_it_says_what_was_not_asked(released, here):
    found = provenance.compare(release.read(released), replace(here, changes=None))
    assert found.causes == () and set(found.not_asked) == {"people", "inputs"}
    assert Provenance.of_dict(json.loads(json.dumps(found.as_dict()))) == found
