"""What the documents say can be done is done here: their examples run, their links and keys exist."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest
from goe.disclosure import control, outcomes
from goe.disclosure.plan import choose_strata
from goe.frequencies import strata as st
from goe.genome.build import Build
from goe.release import table as frequency_table
from goe.release.formats import annotations, sites_vcf, wide_table
from goe.rules.policy import POLICIES, Policy
from goe.settings import config, schemas
from helpers import public_blocks
from helpers import release_folder as rf

REPO = Path(__file__).resolve().parents[3]
PAGES = sorted([REPO / "README.md", REPO / "config" / "README.md", *(REPO / "docs").glob("*.md")])
DATASET = "GOE-EE-EXAMPLE-20260101000000000"
LENGTHS = {"chr20": 200_000, "chrX": 200_000}


@pytest.fixture(scope="module")
def release(tmp_path_factory) -> Path:
    """The tables and VCFs of a release that the examples of docs/release.md read."""
    root = tmp_path_factory.mktemp("release")
    for name in ("frequencies", "frequencies-wide", "sites", "annotations"):
        (root / name).mkdir(parents=True)
    fields = sites_vcf.read_fields(REPO / "resources/dictionary/fields.tsv")
    extra = annotations.read_fields()
    people = public_blocks.people()
    build = Build("GRCh38", LENGTHS, [("chrX", 1, 10_000)])
    about = {"dataset": DATASET, "build": build.name}
    info = sites_vcf.tags(fields, tuple(people))
    filters: set[str] = set()
    bodies: dict[str, list[Path]] = {"sites": [], "annotations": []}
    for contig in LENGTHS:
        paths = {kind: root / f"{contig}.{kind}" for kind in bodies}
        with ExitStack() as stack:
            writers = [
                frequency_table.Writer(
                    root / f"frequencies/{contig}.parquet", frequency_table.schema(fields, about, people, contig)
                ),
                wide_table.Writer(
                    root / f"frequencies-wide/{contig}.parquet", wide_table.schema(fields, about, people, contig)
                ),
                annotations.Writer(paths["annotations"], extra, tuple(people), build, contig, {}),
            ]
            sites = stack.enter_context(sites_vcf.Body(paths["sites"]))
            for writer in writers:
                stack.enter_context(writer)
            for block in public_blocks.blocks(contig, n=10_000):
                for writer in writers:
                    writer.write(block)
                sites.write(sites_vcf.lines(block, info).filter(pc.equal(block.filter, "PASS")))
                filters |= {name for text in block.filter.to_pylist() for name in text.split(";")}
        for kind, path in paths.items():
            bodies[kind].append(path)
    contigs = [{"name": name, "length": length} for name, length in LENGTHS.items()]
    heads = {
        "sites": (["PASS"], info),
        "annotations": (sorted(filters), annotations.tags(extra, tuple(people), [annotations.NON_PAR])),
    }
    for kind, name in (("sites", "pass"), ("annotations", "annotations")):
        named, tags = heads[kind]
        head = sites_vcf.header(build.name, contigs, named, dict.fromkeys(named, "x"), tags)
        sites_vcf.join(head, bodies[kind], root / kind / f"{DATASET}.{name}.vcf.gz")
    return root


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.M | re.S)


def test_the_python_examples_of_the_release_run(release, monkeypatch):
    pytest.importorskip("polars")
    monkeypatch.chdir(release)
    found: dict = {}
    examples = blocks(REPO / "docs/release.md", "python")
    assert len(examples) == 3
    for example in examples:
        exec(example, found)
    rows, rare, wide = found["rows"], found["rare"], found["wide"]
    assert len(rows) > 10 and rows["pos"].between(100_000, 149_999).all()
    assert (rows["af"] == rows["ac"] / rows["an"]).all()
    assert set(rare["contig"]) == set(LENGTHS)
    assert found["people"]["Total"] == public_blocks.people()["Total"] and found["unit"] == "alleles"
    assert str(wide["ac_EE"].dtype) == "Int32" and wide["ac_EE"].isna().any()
    # The same numbers in both tables.
    both = rows.merge(wide, on=["pos", "ref", "alt"], suffixes=("", "_total"))
    assert len(both) == len(rows) and (both["ac"] == both["ac_EE"]).all() and (both["an"] == both["an_EE"]).all()


def test_the_bcftools_examples_of_the_release_run(release, tmp_path):
    shutil.copytree(release, tmp_path, dirs_exist_ok=True)
    head = "##fileformat=VCFv4.3\n" + "".join(f"##contig=<ID={c},length={n}>\n" for c, n in LENGTHS.items())
    passed = subprocess.run(
        ["bcftools", "query", "-f", "%CHROM\\t%POS\\t.\\t%REF\\t%ALT\\t.\\t.\\t.\\n", f"sites/{DATASET}.pass.vcf.gz"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    (tmp_path / "mine.vcf").write_text(f"{head}#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n{passed.stdout}")
    subprocess.run(["bcftools", "view", "-Oz", "-o", "mine.vcf.gz", "mine.vcf"], cwd=tmp_path, check=True)
    subprocess.run(["bcftools", "index", "-t", "mine.vcf.gz"], cwd=tmp_path, check=True)
    examples = [one for one in blocks(REPO / "docs/release.md", "bash") if re.match("bcftools (query|annotate)", one)]
    assert len(examples) == 2
    told = [
        subprocess.run(
            example.replace("<id>", DATASET), shell=True, cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout.splitlines()
        for example in examples
    ]
    assert len(told[0]) > 50 and all(len(line.split("\t")) == 6 for line in told[0])
    records = [line for line in told[1] if not line.startswith("#")]
    assert len(records) == len(passed.stdout.splitlines())
    assert all("GOE_AF=" in line for line in records) and any("grpmax=" in line for line in records)


# Blocks of docs/release.md that no test of this file runs: by what they begin with, why.
NOT_RUN = {
    "# VEP": "VEP and echtvar are programs that nothing here installs",
    "gdi-dataset-tool": "a program of gdi-node-standalone",
    "zcat": "asks a MongoDB",
    "mongoimport": "asks a MongoDB; the YAML files are appended in tests/unit/release/formats/test_beacon.py",
    "find Snakefile": "tests/unit/core/test_code_digest.py",
    "snakemake audit": "tests/workflow/test_release.py",
    "-- DuckDB": "tests/consumers",
    "import": "test_the_python_examples_of_the_release_run",
}


def code_blocks(page: Path) -> list[str]:
    """All code of a page, fenced or indented, also below items of a list."""
    text = re.sub(
        r"^```\w+\n(.*?)^```", lambda m: f"\n{textwrap.indent(m[1], '    ')}\n", page.read_text(), flags=re.M | re.S
    )
    found = re.findall(r"(?:(?<=\n\n)|\A)((?: {4,}\S.*\n(?:\n(?= {4}))?)+)", text)
    return [textwrap.dedent(block).strip() for block in found]


def test_every_block_of_the_release_page_runs(released, tmp_path):
    """On a release: whatever is not named above, line by line as it stands but for the placeholders."""
    root = tmp_path / "release"
    (tmp_path / "bin").mkdir()
    shim = tmp_path / "bin/goe"
    shim.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(REPO / 'scripts')!r})\n"
        "from goe.cli import main\nsys.exit(main())\n"
    )
    shim.chmod(0o700)
    (tmp_path / "bin/poetry").write_text('#!/bin/sh\ntest -f "${9}"\n')
    (tmp_path / "bin/poetry").chmod(0o700)
    ran, left = [], set()
    for block in code_blocks(REPO / "docs/release.md"):
        why = next((start for start in NOT_RUN if block.startswith(start)), None)
        if why:
            left.add(why)
            continue
        # What a block leaves is no part of the release that the next one finds.
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(released, root)
        if "mine.vcf.gz" in block:
            for end in ("", ".tbi"):
                shutil.copy(root / f"sites/{rf.ID}.pass.vcf.gz{end}", root / f"mine.vcf.gz{end}")
        commands = block.replace("<id>", rf.ID).replace("<folder>", ".").replace("--without chrM", "--without chrX")
        done = subprocess.run(
            ["bash", "-euc", commands.replace("goe lookup", "! goe lookup")],
            cwd=root,
            env={**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
        )
        # The allele of the example is none of these, for which `goe lookup` ends with 1.
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        ran.append(block.split()[0] + " " + block.split()[1])
    assert left == {*NOT_RUN}
    assert len(ran) >= 9, ran


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(REPO)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def keys(part: dict, path: str = "") -> set[str]:
    found = set()
    for key, sub in part.get("properties", {}).items():
        found |= {f"{path}{key}"} | keys(sub, f"{path}{key}.")
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(REPO)))
def test_keys_of_the_config_are_there(page):
    """Every `section.key` that a page names, of the configuration of a country or of a collection."""
    known = keys(config.schema()) | keys(schemas.schema("collect"))
    sections = {key for key in known if "." not in key}
    for name in re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)(?=[`:])", page.read_text()):
        if name.split(".")[0] in sections and not re.search(r"\.(tsv|json|yaml|md|html|vcf|tar|parquet)$", name):
            assert name in known, name


def shares(countries: dict, rules: list) -> list[tuple[float, float, float, float]]:
    """For each policy, shares in percent of alleles that somebody carries: in no file, with all strata, of all numbers
    shown, strata. The cohort is that of docs/disclosure.md."""
    leaves = {f"{c}_{s}": n for c, sizes in countries.items() for s, n in zip("MFU", sizes, strict=True)}
    sums = np.zeros((len(rules), 4))
    plans = [choose_strata(leaves, rule.min_stratum_size) for rule in rules]

    def mask(cells, collapsed):
        carried = cells[:, st.HET :].sum(axis=(0, 1)) > 0
        for i, (rule, plan) in enumerate(zip(rules, plans, strict=True)):
            made = control.apply(np.ascontiguousarray(cells[..., carried]), plan, rule)
            none, full = (made.outcome == kind for kind in (outcomes.WITHHELD, outcomes.FULL))
            sums[i] = (100 * none.mean(), 100 * full.mean(), 100 * made.shown.mean(), len(plan.strata))
        return collapsed

    for _ in public_blocks.blocks("chr20", n=40_000, size=40_000, mask=mask, countries=countries):
        pass
    return [tuple(row) for row in sums]


def test_what_a_floor_costs_is_as_the_page_says():
    """The table of docs/disclosure.md, and what it says of people of unknown sex."""
    text = (REPO / "docs/disclosure.md").read_text()
    known = {c: (m, f, 0) for c, (m, f, _) in public_blocks.COUNTRIES.items()}
    assert f"{sum(map(sum, known.values())):,} people of four countries" in text
    cell = r" (\d+) % \|"
    table = re.findall(rf"^\| (\d+) \| (carriers|genotypes) \|{cell}{cell}{cell}{cell}$", text, re.M)
    assert len(table) == 5
    rules = [Policy(k=int(k), name=name, protect=protect) for k, protect, *_ in table for name in POLICIES]
    found = shares(known, rules)
    for row, collapse, minimal in zip(table, found[::2], found[1::2], strict=True):
        said = [int(value) for value in row[2:]]
        assert said == pytest.approx([collapse[0], collapse[1], collapse[2], minimal[2]], abs=1), row
        assert collapse[:2] == minimal[:2]
    low, default = shares(public_blocks.COUNTRIES, [Policy(k=5, least=5), Policy(k=5)])
    said = re.search(r"only (\d+) % of the alleles kept all strata then.*? (\d+) % kept all that are left", text, re.S)
    assert [int(said[1]), int(said[2])] == pytest.approx([low[1], default[1]], abs=1)
    assert default[3] < low[3] == len(public_blocks.people())


def test_rules_of_counting_that_the_code_cites_stand_in_the_repository(repo):
    rules = set(re.findall(r"\b(C[1-6](?:\.[0-9]+)?)\b", (repo / "docs" / "counting.md").read_text()))
    assert {"C1.1", "C3.4", "C6"} <= rules
    cited = {}
    for part in ("scripts", "tests", "workflow"):
        for path in sorted((repo / part).rglob("*.py")):
            text = path.read_text()
            assert not re.search(r"COUNTING [0-9]", text) or path.name == "test_docs.py", path
            cited |= dict.fromkeys(re.findall(r"\b(C[1-6]\.[0-9]+)\b", text), path.name)
    assert len(cited) > 8 and not {rule: name for rule, name in cited.items() if rule not in rules}


@pytest.mark.parametrize("page", ["docs/threat-model.md", "CONTRIBUTING.md"])
def test_tests_and_files_that_a_page_names_are_there(repo, page):
    text = (repo / page).read_text()
    named = re.findall(r"`((?:tests|scripts|workflow|resources|config|envs|docs)/[\w./-]+)(?:::(\w+))?`", text)
    assert len(named) > 10
    for path, function in named:
        assert (repo / path).exists(), path
        assert not function or f"def {function}(" in (repo / path).read_text(), (path, function)
