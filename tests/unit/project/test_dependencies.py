"""What is installed is what is locked, what is imported is what is declared, and every licence lets goe be used.

All of it without a network: known vulnerabilities need a database that changes daily, which `requirements.lock` and the
bill of a release (`provenance/sbom.cdx.json`) can be held against by whoever has one.
"""

import ast
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from goe.release.metadata import sbom
from goe.release.metadata.sbom import plain

REPO = Path(__file__).resolve().parents[3]
LOCKS = ("requirements.lock", "tests/consumers/requirements.lock")
# Distribution -> what it is imported as, where that is another name.
IMPORTED_AS = {"pyyaml": "yaml", "roc-validator": "rocrate_validator", "markdown-it-py": "markdown_it"}
# Of scripts, but of no part of goe that whoever checks a release runs.
OF_A_RUN = {"matplotlib", "msprime", "snakemake"}
# In requirements.in, and imported by nobody here.
NOT_IMPORTED = {
    **{"snakemake-executor-plugin-slurm": "a plugin", "pytest-xdist": "a plugin"},
    **{"ruff": "a program", "snakefmt": "a program", "import-linter": "a program", "mypy": "a program"},
    **{"pandas-stubs": "types", "types-pyyaml": "types", "pygments": "newer than others ask for"},
    **{"boto3": "newer than others ask for", "six": "newer than others ask for"},
}
# Under which a package may be used by a program under MIT, and given on with it.
PERMISSIVE = {
    *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "LLVM-exception", "MIT", "MIT-0", "PSF-2.0"),
    *("W3C-20150513", "Zlib"),
}


def entries(path: str) -> dict[str, tuple[str, list[str]]]:
    """Name -> version and hashes of a lock."""
    found = {}
    for block in re.split(r"\n(?=\S)", (REPO / path).read_text()):
        if (head := block.split("\n")[0]) and not head.startswith("#"):
            name, _, version = head.partition("==")
            found[plain(name)] = version.split()[0], re.findall(r"--hash=sha256:([0-9a-f]{64})\b", block)
    return found


def asked_for() -> set[str]:
    lines = (REPO / "requirements.in").read_text().splitlines()
    return {plain(re.split(r"[<>=!~\[; ]", line)[0]) for line in lines if line and line[0] != "#"}


def imported(folder: str) -> set[str]:
    """What the Python files of a folder import from outside of the standard library."""
    found = set()
    for path in (REPO / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(str(node.module).partition(".")[0])
    return found - sys.stdlib_module_names


@pytest.mark.parametrize("path", LOCKS)
def test_every_entry_of_a_lock_has_one_version(path):
    found = entries(path)
    assert len(found) > 10
    assert [name for name, (version, _) in found.items() if not re.match(r"\d", version)] == []


def test_every_entry_has_the_hashes_of_its_files():
    """But for clients of a release, which run in an environment of their own and see a release alone."""
    assert [name for name, (_, hashes) in entries("requirements.lock").items() if not hashes] == []


def test_what_is_installed_is_what_is_locked():
    locked = {name: version for name, (version, _) in entries("requirements.lock").items()}
    there = {plain(one.name): one.version for one in metadata.distributions()}
    # What a new environment has, and goe itself where it was installed.
    for name in ("pip", "setuptools", "wheel", "goe"):
        there.pop(name, None)
    assert {name: version for name, version in there.items() if locked.get(name) != version} == {}


def test_what_is_imported_is_declared_and_what_is_declared_is_imported():
    declared = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]["dependencies"]
    assert {IMPORTED_AS.get(name, name) for name in declared} == imported("scripts") - OF_A_RUN - {"goe"}


def test_what_is_asked_for_is_imported_and_what_is_imported_is_locked():
    locked, asked = entries("requirements.lock").keys(), asked_for()
    own = {"goe", "helpers", "consumers", "bench"}
    of_clients = {IMPORTED_AS.get(name, name) for name in entries("tests/consumers/requirements.lock")}
    used = (imported("scripts") | imported("tests")) - own
    known = {IMPORTED_AS.get(name, name) for name in locked}
    # Packages of the namespace ga4gh; and hail, which who has it asks.
    assert used - known - of_clients == {"ga4gh", "hail"} & used
    assert {name for name in asked if IMPORTED_AS.get(name, name) not in used} == NOT_IMPORTED.keys()


def test_every_licence_of_what_goe_needs_is_permissive():
    found = sbom.installed(sbom.NEEDED)
    words = {one.name: set(re.findall(r"[^\s()]+", one.licence)) - {"AND", "OR", "WITH"} for one in found}
    assert {name: said - PERMISSIVE for name, said in words.items() if said - PERMISSIVE} == {}
