"""The bill of materials: what it lists, that it is read as it was written, and that it is CycloneDX."""

import json
import re
import tomllib

import pytest
from goe.core import code_digest
from goe.core.errors import GoeError
from goe.release.metadata import sbom
from goe.release.metadata.sbom import UNKNOWN, Package

PACKAGES = [
    Package("numba", "0.62.1", UNKNOWN, ("numpy",)),
    Package("numpy", "2.3.4+cpu", "BSD-3-Clause AND (MIT OR Zlib)"),
]


@pytest.fixture
def bill():
    return sbom.document(PACKAGES, {"samtools": "1.24", "numpy": "2.3.4", "python": "3.12.1"}, "9.27.1")


def test_it_lists_programs_packages_and_lists_of_environments(bill):
    parts = bill["components"]
    named = {part["name"]: part.get("version") for part in parts if part["type"] != "file"}
    assert named == {
        "python": "3.12.1",
        "samtools": "1.24",
        "snakemake": "9.27.1",
        "numba": "0.62.1",
        "numpy": "2.3.4+cpu",
    }
    files = {part["name"]: part["hashes"][0]["content"] for part in parts if part["type"] == "file"}
    listed = code_digest.listing().splitlines()
    assert {"requirements.lock", "envs/goe.yaml"} <= files.keys()
    assert all(f"{digest}  {name}" in listed for name, digest in files.items())
    assert bill["metadata"]["component"]["hashes"][0]["content"] == code_digest.digest()
    assert {"ref": "pkg:pypi/numba@0.62.1", "dependsOn": ["pkg:pypi/numpy@2.3.4%2Bcpu"]} in bill["dependencies"]


def test_it_has_what_cyclonedx_makes_mandatory_and_each_reference_once(bill):
    """Of bom-1.6.schema.json: properties that are required, words of `type` and `alg`, and unique references."""
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    parts = [bill["metadata"]["component"], *bill["components"]]
    assert all(part["name"] and part["type"] in ("application", "library", "file") for part in parts)
    assert all(
        h["alg"] == "SHA-256" and re.fullmatch(r"[a-f0-9]{64}", h["content"])
        for p in parts
        for h in p.get("hashes", [])
    )
    for part in parts:
        assert all(set(said) in ({"expression"}, {"license"}) for said in part.get("licenses", []))
    refs = [part["bom-ref"] for part in parts]
    assert len(set(refs)) == len(refs)
    assert {one for entry in bill["dependencies"] for one in (entry["ref"], *entry["dependsOn"])} <= set(refs)
    assert not {"serialNumber", "timestamp"} & {*bill, *bill["metadata"]}


def test_it_is_read_as_it_was_written(bill):
    assert sbom.packages_of(json.loads(sbom.dumps(bill))) == PACKAGES


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda part: part.update(licenses=[{"expression": "Jaan Tamm"}]),
            "is no package with a version and a licence",
        ),
        (lambda part: part.update(version="of Jaan Tamm"), "is no package with a version and a licence"),
        (lambda part: part.update(name="Jaan Tamm"), "is no package with a version and a licence"),
        (lambda part: part.pop("licenses"), "does not name its packages"),
    ],
)
def test_words_that_no_bill_can_have(bill, change, says):
    change(next(part for part in bill["components"] if part["name"] == "numpy"))
    with pytest.raises(GoeError, match=says):
        sbom.packages_of(bill)


@pytest.mark.parametrize(
    ("about", "classifiers", "found"),
    [
        ({"License-Expression": "Apache-2.0 OR BSD-3-Clause"}, [], "Apache-2.0 OR BSD-3-Clause"),
        ({"License": "MIT"}, [], "MIT"),
        ({"License": "All rights"}, ["License :: OSI Approved :: MIT License"], "MIT"),
        ({"License": "BSD"}, ["License :: OSI Approved :: BSD License"], UNKNOWN),
        ({"License": "OR"}, [], UNKNOWN),
        ({}, [], UNKNOWN),
    ],
)
def test_licences(about, classifiers, found):
    assert sbom.licence("x", about, classifiers) == found


def test_needs_of_extras_are_none():
    asked = ["six>=1.5", "Jinja_2 (>1) ; python_version > '3'", "x; extra == 'y'", "pyarrow[all]>1"]
    assert sbom.needed(asked) == ["jinja-2", "pyarrow", "six"]


def test_what_goe_needs_is_what_it_declares(repo):
    declared = tomllib.loads((repo / "pyproject.toml").read_text())["project"]["dependencies"]
    assert sorted(sbom.NEEDED) == sorted(declared)
    found = sbom.installed(declared)
    assert {sbom.plain(name) for name in declared} <= {one.name for one in found}
    assert [one for one in found if one.licence == UNKNOWN] == []
