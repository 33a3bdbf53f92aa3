"""Every rule's environment holds what the rule's script and the library under it import and call."""

import ast
import re
import sys
from functools import cache
from pathlib import Path

import pytest
import yaml

REPO = Path(__file__).resolve().parents[3]
PACKAGE = {
    "yaml": "pyyaml",
    "isal": "python-isal",
    "crypt4gh": "python-crypt4gh",
    "cryptography": "python-crypt4gh",  # which brings it
    "llvmlite": "numba",  # which brings it
    "markupsafe": "jinja2",  # which brings it
}
TOOLS = {
    "bcftools": "bcftools",
    "samtools": "samtools",
    "bgzip": "samtools",  # comes with htslib, which samtools brings
    "tabix": "samtools",
    "bwa": "bwa",
    "bwa-mem2": "bwa-mem2",
    "plink2": "plink2",
    "fastp": "fastp",
    "mosdepth": "mosdepth",
    "verifybamid2": "verifybamid2",
    "multiqc": "multiqc",
}


def rules():
    """(file, rule, body) of every rule of the workflow that runs something."""
    for path in sorted((REPO / "workflow" / "rules").glob("*.smk")):
        for found in re.finditer(r"^(?:rule|checkpoint) (\w+):\n((?:[ \t]+.*\n|\n)*)", path.read_text(), re.M):
            yield path, *found.groups()


@cache
def named(path: Path) -> tuple[set[str], set[str]]:
    """What a Python file imports, by its whole name, and the tools that it calls."""
    imported, tools = set(), set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            imported |= {node.module, *(f"{node.module}.{a.name}" for a in node.names)}
        elif isinstance(node, ast.List) and node.elts and isinstance(node.elts[0], ast.Constant):
            tools |= {node.elts[0].value} & TOOLS.keys()
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            tools |= {node.args[0].value} & TOOLS.keys() if isinstance(node.args[0].value, str) else set()
    return imported, tools


def needs(path: Path, seen: set[Path]) -> tuple[set[str], set[str]]:
    """Packages imported and tools called by a Python file and the parts of `goe` that it imports."""
    if path in seen:
        return set(), set()
    seen.add(path)
    imported, called = named(path)
    packages, tools = set(), {*called}
    for name in imported:
        top = name.split(".")[0]
        if top == "goe":
            part = REPO / "scripts" / (name.replace(".", "/") + ".py")
            if part.exists():
                more = needs(part, seen)
                packages |= more[0]
                tools |= more[1]
        elif top not in sys.stdlib_module_names:
            packages.add(PACKAGE.get(top, top))
    return packages, tools


@pytest.mark.parametrize(("path", "name", "body"), [pytest.param(*r, id=r[1]) for r in rules() if "conda:" in r[2]])
def test_environment_is_complete(path, name, body):
    env = yaml.safe_load((path.parent / re.search(r'conda:\s+"([^"]+)"', body)[1]).read_text())
    assert env["channels"] == ["conda-forge", "bioconda", "nodefaults"]
    assert all(re.fullmatch(r"[a-z0-9-]+=\d[\w.]*", pin) for pin in env["dependencies"])
    there = {pin.split("=")[0] for pin in env["dependencies"]}
    script = re.search(r'script:\s+"([^"]+)"', body)
    if script:
        packages, tools = needs((path.parent / script[1]).resolve(), set())
        packages.add("python")
    else:
        packages, tools = set(), {t for t in TOOLS if re.search(rf"\b{t} ", body.split("shell:")[1])}
    missing = (packages | {TOOLS[t] for t in tools}) - there
    assert not missing, f"{env['dependencies']} lacks {sorted(missing)}"


def test_every_rule_that_runs_something_has_environment_and_log():
    for path, name, body in rules():
        if re.search(r"^    (script|shell|run|notebook|wrapper):", body, re.M):
            assert "conda:" in body and "log:" in body, f"{path.name}: {name}"
            assert not re.search(r"\|\| true|2>\s*/dev/null|\bretries:", body), f"{path.name}: {name}"
