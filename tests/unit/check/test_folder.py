"""`goe check`: its checks, words and exit codes; what it searches and reads back. tests/faults has broken releases."""

import copy
import gzip
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import time
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from goe import cli
from goe.check import blocks as release_blocks
from goe.check import folder as check_folder
from goe.check import ids as check_ids
from goe.check import lookup as check_lookup
from goe.check import private as check_private
from goe.check import run as check
from goe.check.faults import Faults, safely
from goe.check.kept import Kept
from goe.core import manifest
from goe.core.errors import GoeError, Problem
from goe.disclosure.audit import audit as disclosure_audit
from goe.disclosure.audit.table import Stated
from goe.release.metadata import health_dcat, ro_crate
from goe.rules.policy import Policy
from helpers import release_folder as rf
from hypothesis import example, given, settings
from hypothesis import strategies as draw
from jsonschema import Draft202012Validator

SMALL = {"chr20": 1500, "chrX": 900, "chrY": 500, "chrM": 200}
KINDS = {
    "minimal": {"contigs": SMALL, "proxy": True},
    "collapse, table beside the page": {"rule": {"min_carriers": 5, "policy": "collapse"}, "embed_up_to": 0},
    "genotypes": {"rule": {**rf.MINIMAL, "protect": "genotypes"}, "contigs": {"chr20": 1500, "chrX": 900}},
    "open, no GDI package": {"rule": rf.OPEN, "gdi": False, "contigs": {"chr20": 1000, "chrX": 500}},
}


@pytest.fixture(scope="module")
def releases(tmp_path_factory):
    """Releases of every policy; nobody may change them."""
    return {kind: rf.make(tmp_path_factory.mktemp("release"), **how) for kind, how in KINDS.items()}


@pytest.fixture(scope="module")
def minimal(releases):
    return releases["minimal"]


@pytest.fixture
def sheet(tmp_path):
    """A sheet of people whose ids are in no release."""
    path = tmp_path / "samples.tsv"
    rows = [
        "country_code\tsample_id\tsex",
        *(f"EE\tVKGEE{n:05d}\tF" for n in range(200)),
        "EE\tP1\tM",
        "EE\t00012345\tM",
    ]
    path.write_text("".join(f"{row}\n" for row in rows))
    return path


def told(capsys):
    """What was said, as (state, name of the check, rest), problems apart."""
    lines = capsys.readouterr().out.splitlines()
    names = sorted(check.NAMES.values(), key=len, reverse=True)
    checks = []
    for line in lines:
        name = next((name for name in names if line[16:].startswith(f"{name}: ")), None)
        if name:
            checks.append((line[:16].strip(), name, line[18 + len(name) :]))
    return checks, lines


def state(folder):
    return {p.relative_to(folder): (p.stat().st_mtime_ns, p.is_file() and p.read_bytes()) for p in folder.rglob("*")}


# ---- a release that is whole


@pytest.mark.parametrize("kind", KINDS)
def test_every_check_passes_or_does_not_apply(releases, kind, sheet, capsys):
    before = state(releases[kind])
    assert cli.main(["check", str(releases[kind]), "--ids", str(sheet)]) == 0
    checks, lines = told(capsys)
    assert [name for _, name, _ in checks] == list(check.NAMES.values())
    absent = {check.NAMES[part] for part in ("disclosure", "gdi")} if kind.startswith("open") else set()
    assert {name: state for state, name, _ in checks} == {
        name: "not applicable" if name in absent else "passed" for name in check.NAMES.values()
    }
    assert (
        len(lines) == len(checks) + 1
        and lines[-1] == f"0 problems; all {len(check.NAMES) - len(absent)} checks that apply passed"
    )
    assert state(releases[kind]) == before


def test_a_check_says_the_same_when_no_other_is_asked_for(minimal, sheet):
    """But the page, which tells of the others."""
    for result in check.run(minimal, ids=sheet):
        if result.part != "page":
            assert check.run(minimal, [result.part], ids=sheet) == [result]


def test_what_was_looked_at_is_said(minimal, sheet, capsys):
    cli.main(["check", str(minimal), "--ids", str(sheet)])
    checks, _ = told(capsys)
    details = {name: detail for _, name, detail in checks}
    rows = [pq.read_table(path) for path in (minimal / "frequencies").glob("*.parquet")]
    alleles = sum(len(set(zip(*(t[c].to_pylist() for c in ("pos", "ref", "alt")), strict=True))) for t in rows)
    cells = sum(t.num_rows for t in rows)
    assert details["Frequency tables: every row"] == f"{alleles:,} alleles, {cells:,} numbers of strata"
    audit = re.fullmatch(
        r"([\d,]+) alleles, ([\d,]+) cells withheld, .* 0 alleles not proved", details["Disclosure audit"]
    )
    assert audit[1] == f"{alleles:,}" and int(audit[2].replace(",", "")) > 50
    assert details["Manifest"].startswith(f"{len((minimal / 'MANIFEST.sha256').read_text().splitlines())} files")
    assert details["Ids of people"].startswith("none of 200 ids in any file; 2 are too short")


def test_the_open_release_says_its_legal_basis(releases, capsys):
    cli.main(["check", str(releases["open, no GDI package"])])
    (audit,) = [detail for _, name, detail in told(capsys)[0] if name == "Disclosure audit"]
    assert rf.OPEN["legal_basis"] in audit


@pytest.mark.parametrize("rule", ["collapse", "minimal"])
def test_a_country_whose_people_are_all_of_unknown_sex(tmp_path, rule):
    """Its women on X are none, which the release does not say: no HWE there."""
    countries = {"EE": (110, 90, 0), "LV": (0, 0, 80)}
    contigs = {"chr20": 60, "chrX": 90}
    root = rf.make(tmp_path, {"min_carriers": 5, "policy": rule}, contigs=contigs, countries=countries)
    assert [result.part for result in check.run(root) if result.passed is False] == []


def test_without_a_list_of_ids_that_check_does_not_apply(minimal):
    (result,) = check.run(minimal, ["ids"])
    assert result.passed is None and "--ids" in result.detail and result.problems == ()


def test_quiet_says_nothing_of_what_passed(minimal, capsys):
    assert cli.main(["check", str(minimal), "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_json_has_every_check(minimal, tmp_path, capsys):
    out = tmp_path / "results.json"
    out.write_text("old")
    assert cli.main(["check", str(minimal), "--json", str(out)]) == 0
    said = json.loads(out.read_text())
    assert (said["passed"], said["problems"]) == (True, 0)
    checks, _ = told(capsys)
    words = {True: "passed", False: "FAILED", None: "not applicable"}
    assert [(words[c["passed"]], c["name"], c["detail"]) for c in said["checks"]] == checks
    assert [c["check"] for c in said["checks"]] == list(check.ALL) and not any(c["problems"] for c in said["checks"])


def test_json_of_a_release_that_fails(minimal, tmp_path, capsys):
    root = rf.copy(minimal, tmp_path)
    (root / "metadata/healthdcat.ttl").write_text("Another.\n")
    out = tmp_path / "results.json"
    assert cli.main(["check", str(root), "--json", str(out), "--quiet"]) == 1
    said = json.loads(out.read_text())
    wrong = {c["check"]: c["problems"] for c in said["checks"] if c["passed"] is False}
    assert set(wrong) == {"manifest", "healthdcat", "ro-crate", "described"} and not said["passed"]
    assert said["problems"] == sum(map(len, wrong.values()))
    assert wrong["manifest"] == [
        {"where": "metadata/healthdcat.ttl", "what": "differs from its digest", "mend": "get the file again"}
    ]
    checks, lines = told(capsys)
    assert {state for state, _, _ in checks} == {"FAILED"} and len(checks) == 4
    assert lines[1].strip() == "metadata/healthdcat.ttl: differs from its digest -> get the file again"
    assert lines[-1] == f"{said['problems']} problems; 4 of 27 checks failed"


def test_threads_change_nothing_that_is_said(minimal, capsys):
    said = []
    for threads in ("1", "4"):
        assert cli.main(["check", str(minimal), "--threads", threads]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]


def test_how_the_folder_is_named_changes_nothing(minimal, tmp_path, monkeypatch, capsys):
    root = rf.copy(minimal, tmp_path)
    (root / "README.md").unlink()
    monkeypatch.chdir(root)
    said = []
    for name in (".", str(root), f"{root}/", "../release"):
        assert cli.main(["check", name, "--quiet"]) == 1
        said.append(capsys.readouterr().out)
    assert len(set(said)) == 1 and "                README.md: is missing" in said[0]


def test_nothing_asks_a_network(minimal, monkeypatch):
    def stop(*args, **kwargs):
        raise AssertionError("a connection was asked for")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, stop)
    assert all(result.passed is not False for result in check.run(minimal))


def test_what_the_page_tells_has_the_checks_of_the_whole_folder_too():
    """With those that were made: as many as `goe check` makes of the folder without a list of ids."""
    made = [check.Result(part, True, "looked at") for part in check.BEFORE_METADATA]
    told = check.told([*made, check.Result("gdi", None, "no package")])
    assert [one["name"] for one in told if one["passed"]] == [check.NAMES[part] for part in check.BEFORE_METADATA]
    assert all(one["passed"] is None for one in told[len(made) :])
    assert {one["name"] for one in told} == {*check.NAMES.values()} - {check.NAMES["ids"]}


def test_some_checks_alone(minimal):
    heard = []
    results = check.run(minimal, ["rows", "manifest"], tell=heard.append)
    assert [r.part for r in results] == ["manifest", "rows"] and heard == results
    assert [r.part for r in check.run(minimal, check.BEFORE_METADATA)] == [*check.BEFORE_METADATA]
    assert {*check.BEFORE_METADATA, *check.METADATA, "manifest", "membership", "packed", "page", "ids"} == set(
        check.ALL
    )
    with pytest.raises(ValueError, match="no check nothing"):
        check.run(minimal, ["nothing"])


def test_the_stage_stops_on_a_failure(minimal, tmp_path):
    root = rf.copy(minimal, tmp_path)
    check.stop_on_failure(check.run(root, ["files"]))
    (root / "LICENSE").unlink()
    results = check.run(root, ["files", "rows"])
    with pytest.raises(GoeError, match="LICENSE: is missing"):
        check.stop_on_failure(results)
    assert check.told(results)[0] == {"name": "Files", "passed": False, "detail": "1 problem"}


# ---- what cannot be asked


def cannot(arguments, capsys):
    """Status and what was said, of a call that goe or argparse refuses."""
    try:
        status = cli.main(arguments)
    except SystemExit as error:
        status = error.code
    out, said = capsys.readouterr()
    assert out == "" and "Traceback" not in said
    return status, said


def test_what_is_no_release_is_refused(minimal, tmp_path, capsys):
    file = minimal / "README.md"
    for path, what in (
        (tmp_path / "none", "is no folder"),
        (file, "is no folder"),
        (tmp_path, "is no release: it has neither MANIFEST.sha256 nor metadata/dataset.json"),
    ):
        status, said = cannot(["check", str(path)], capsys)
        assert status == 2 and f"{path}: {what}" in said


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (None, "cannot be read"),
        (b"", "is empty"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"sample_id\n", "has no id that can be looked for (0 "),
        (b"sample_id\n12345\nACGT\nP1\n", "has no id that can be looked for (3 "),
    ],
)
def test_a_list_of_ids_that_cannot_be_used_is_refused(minimal, tmp_path, capsys, content, what):
    path = tmp_path / "ids.txt"
    if content is not None:
        path.write_bytes(content)
    status, said = cannot(["check", str(minimal), "--ids", str(path)], capsys)
    assert status == 2 and f"{path}: {what}" in said


def test_other_calls_that_are_refused(minimal, tmp_path, capsys):
    for options, what in (
        (["--threads", "0"], "argument --threads: 0 is no number from 1"),
        (["--threads", "two"], "argument --threads: two is no number from 1"),
        (["--json", str(tmp_path / "none/out.json")], "none/out.json: No such file or directory"),
        (["--loud"], "unrecognized arguments: --loud"),
    ):
        status, said = cannot(["check", str(minimal), *options], capsys)
        assert status == 2 and what in said
    assert cannot([], capsys)[0] == 2 and cannot(["chek"], capsys)[0] == 2


def test_the_exit_codes_are_in_the_help(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["check", "--help"])
    words = " ".join(capsys.readouterr().out.split())
    assert end.value.code == 0
    for code, what in ((0, "every check passed"), (1, "one failed"), (2, "nothing to check")):
        assert re.search(rf"with {code} when [^,:]*{what}", words)


def test_it_runs_as_a_module_and_a_reader_may_leave(minimal, repo):
    """In a process of its own, whose output is closed before it is done."""
    read, write = os.pipe()
    os.close(read)
    run = subprocess.run(
        [sys.executable, "-m", "goe", "check", str(minimal)],
        stdout=write,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(repo / "scripts")},
        timeout=120,
    )
    os.close(write)
    assert (run.returncode, run.stderr) == (2, b"")


# ---- schemas of the descriptions


def required(schema, place=()):
    """Every key that a schema asks for, as a path; 0 for what is asked of the items of a list. Nothing of what may be
    null, which is not there in every release."""
    if "null" in schema.get("type", ()):
        return
    for key in schema.get("required", []):
        yield (*place, key)
    for key, inner in schema.get("properties", {}).items():
        yield from required(inner, (*place, key))
    if isinstance(schema.get("items"), dict):
        yield from required(schema["items"], (*place, 0))


SCHEMAS = {
    name: json.loads((check_folder.SCHEMAS / f"{name}.schema.json").read_text()) for name in check_folder.DESCRIPTIONS
}
KEYS = [(name, path) for name, schema in SCHEMAS.items() for path in required(schema)]


def test_the_schema_of_the_config_has_every_key_that_is_told():
    schema = SCHEMAS["config"]
    for path, keys in ro_crate.TOLD.items():
        part = schema
        for name in path.split("."):
            part = part["properties"][name]
        assert set(keys) <= set(part["properties"]) and part["additionalProperties"] is False
    told = {path.split(".")[0] for path in ro_crate.TOLD} | set(ro_crate.file_digests([], [], {}))
    assert set(schema["properties"]) == told


def test_there_is_a_schema_for_every_description():
    files = {path.name.removesuffix(".schema.json") for path in check_folder.SCHEMAS.glob("*.json")}
    assert files == {*check_folder.DESCRIPTIONS, "collection"} and len(KEYS) > 50
    for schema in SCHEMAS.values():
        Draft202012Validator.check_schema(schema)


@pytest.fixture(scope="module")
def described(minimal, tmp_path_factory):
    """A folder with nothing but the descriptions, and what they say."""
    root = tmp_path_factory.mktemp("described")
    said = {}
    for name, path in check_folder.DESCRIPTIONS.items():
        said[name] = json.loads((minimal / path).read_text())
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_bytes((minimal / path).read_bytes())
    assert check_folder.descriptions(root)[1] == []
    return root, said


def put(root, name, content):
    (root / check_folder.DESCRIPTIONS[name]).write_text(json.dumps(content))


@pytest.mark.parametrize(("name", "path"), KEYS, ids=lambda x: x if isinstance(x, str) else ".".join(map(str, x)))
def test_each_key_that_is_asked_for_is_missed(described, name, path):
    root, said = described
    content = copy.deepcopy(said[name])
    inner = content
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    put(root, name, content)
    facts, problems = check_folder.descriptions(root)
    put(root, name, said[name])
    assert facts is None
    assert any(p.where == str(root / check_folder.DESCRIPTIONS[name]) and repr(path[-1]) in p.what for p in problems)


def spoil(content, path, value):
    inner = content
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value(inner[path[-1]]) if callable(value) else value


WRONG = [
    ("dataset", ("strata", "Total"), -1, "strata.Total"),
    ("dataset", ("strata", "EE_X"), 5, "EE_X"),
    ("dataset", ("id",), "EE-1", "id: 'EE-1'"),
    ("dataset", ("org",), "OTHER", "is not of its prefix, country and org"),
    ("dataset", ("contigs", 0, "md5"), "x", "contigs[0].md5"),
    ("dataset", ("contigs",), lambda c: [*c, c[0]], "a contig is there twice"),
    ("dataset", ("pseudo_autosomal_regions", 0), ["chr7", 1, 2], "chr7:1-2 is on no contig"),
    ("dataset", ("number_of_people",), 1, "number_of_people is 1"),
    ("dataset", ("formats",), ["sites"], "formats"),
    ("disclosure", ("strata",), lambda s: s[::-1], "strata is ["),
    ("disclosure", ("strata",), lambda s: s[1:], "strata is ["),
    ("disclosure", ("policy",), "open", "legal_basis: None is not of type 'string'"),
    ("disclosure", ("min_carriers",), None, "min_carriers"),
    ("disclosure", ("alleles_withheld",), 11, "alleles_withheld is 11, the sum of alleles_withheld_by_reason gives"),
    ("disclosure", ("counts_beside_the_frequencies_rounded_to",), 1, "rounded_to is 1"),
    ("qc", ("metrics", "call_rate", "Total", "people"), 13, "metrics.call_rate.Total.people is 13, the countries give"),
    ("qc", ("metrics", "call_rate", "Total", "people"), 5, "5 people allow nothing"),
    ("qc", ("metrics", "call_rate", "Total", "p50"), 0.98765, "more than three digits"),
    ("qc", ("metrics", "call_rate", "Total", "p50"), 7, "the quantiles are not in order"),
    ("qc", ("metrics", "call_rate", "Total"), lambda m: m | {"p99": 1}, "Additional properties are not allowed"),
    ("qc", ("metrics", "call_rate"), lambda m: {"EE_F": m["Total"]}, "call_rate.EE_F is of no published country"),
    ("qc", ("people", "left_out"), 13, "people.left_out is 13, the sum of left_out_by_reason gives"),
    ("qc", ("people", "kept"), 3, "people.kept is 3"),
    ("qc", ("people", "left_out_by_reason", "related"), 1, "left_out_by_reason.related is 1, no multiple"),
    ("ledger", ("steps", -1, "in", "site_alleles"), 7, "the last step is {"),
    ("ledger", ("steps", -1, "in", "site_alleles"), 100_000, "step release: site_alleles in and added are"),
    ("ledger", ("steps", -1, "out", "site_alleles"), lambda n: n + 5, "the last step is {"),
    ("qc", ("alleles_by_rule", "HWE", "no_value"), lambda n: n + 5, "alleles_by_rule is {"),
    ("ledger", ("steps", 0, "dropped", "LowQD", "no value"), 7, "step variant_qc.dropped.LowQD.no value is 7, no mult"),
    ("config", ("dataset", "id"), "GOE-EE-EXAMPLE-20200101000000000", "dataset.id is 'GOE-EE-EXAMPLE-20200101"),
    ("config", ("dataset", "title"), "Other", "dataset.title is 'Other', metadata/dataset.json gives 'Allele"),
    ("config", ("strata", "label"), "region", "strata.label is 'region', metadata/dataset.json gives 'country_code'"),
    ("config", ("disclosure", "min_carriers"), 4, "disclosure.min_carriers is 4"),
    ("config", ("reference", "build"), "GRCh37", "reference.build is 'GRCh37'"),
]


@pytest.mark.parametrize(("name", "path", "value", "what"), WRONG)
def test_what_the_descriptions_say_of_each_other_is_held(described, name, path, value, what):
    root, said = described
    content = copy.deepcopy(said[name])
    spoil(content, path, value)
    put(root, name, content)
    _, problems = check_folder.descriptions(root)
    put(root, name, said[name])
    assert any(what in p.what and p.where.startswith(str(root)) for p in problems), problems


@settings(max_examples=150, deadline=None)
@given(
    draw.sampled_from(sorted(SCHEMAS)),
    draw.lists(draw.integers(0, 30), min_size=1, max_size=4),
    draw.sampled_from([None, [], {}, "x", "", -1, 0, True, 1.5, 10**30, [[]], {"a": 1}]),
)
@example("disclosure", [13], ["Total", "M", "LT"])
def test_no_content_of_a_description_ends_the_check(described, name, steps, value):
    root, said = described
    content = copy.deepcopy(said[name])
    inner, key = content, None
    for step in steps:
        if not isinstance(inner, dict | list) or not inner:
            break
        keys = list(inner) if isinstance(inner, dict) else range(len(inner))
        parent, key = inner, keys[step % len(keys)]
        inner = parent[key]
    parent[key] = value
    put(root, name, content)
    (root / "metadata").mkdir(exist_ok=True)
    results = check.run(root, ["descriptions", "files", "tables", "rows", "dictionary", "private"])
    put(root, name, said[name])
    assert {r.part: r.passed for r in results}["tables"] is False


# ---- words


def test_problems_are_told_in_one_line_that_no_terminal_obeys():
    assert check.printable("sites/a\x1b[2J\n\udcff é\tz") == r"sites/a\x1b[2J\n\udcff é\tz"


def test_a_broken_reader_is_a_problem_with_a_name():
    def broken():
        raise KeyError("x")

    (problem,) = safely("a.txt", broken)
    assert problem.where == "a.txt" and "KeyError: 'x'" in problem.what
    many = [Problem("a", "b"), Problem("c", "d")]

    def stops():
        raise GoeError(many)

    assert safely("a.txt", stops) == many


def test_faults_name_a_few_and_count_the_rest():
    faults = Faults("x")
    faults.add("is odd", np.array([True, False, True]), str)
    faults.add("is odd", np.ones(10, dtype=bool), str)
    faults.add("is even", np.zeros(3, dtype=bool), str)
    assert [p.what for p in faults.problems] == [
        *(f"{i} is odd" for i in (0, 2, 0, 1, 2)),
        "and 7 more: is odd",
    ]


# ---- tables read back as blocks


def test_how_a_table_is_cut_does_not_matter(minimal):
    said = json.loads((minimal / "disclosure/disclosure.json").read_text())["strata"]
    for contig in SMALL:
        paths = minimal / f"frequencies/{contig}.parquet", minimal / f"frequencies-wide/{contig}.parquet"
        whole, parts = (list(release_blocks.read(*paths, said, contig, size=size)) for size in (1 << 14, 3))
        assert len(parts) > 2 * len(whole)
        for name in ("ac", "an", "ac_hom", "ac_het", "ac_hemi", "nhomalt"):
            one, two = (np.concatenate([getattr(b.numbers, name) for b in some], axis=1) for some in (whole, parts))
            assert (one == two).all()
        one, two = (np.concatenate([b.shown() for b in some], axis=1) for some in (whole, parts))
        assert (one == two).all()
        for name in whole[0].statistics:
            one, two = (np.concatenate([b.statistics[name] for b in some]) for some in (whole, parts))
            np.testing.assert_array_equal(one, two)
        for name in ("pos", "ref", "alt", "filter"):
            one, two = (pa.concat_arrays([getattr(b, name) for b in some]) for some in (whole, parts))
            assert one.equals(two)


def test_the_blocks_hold_the_rows_of_the_table(minimal):
    said = json.loads((minimal / "disclosure/disclosure.json").read_text())["strata"]
    rows = pq.read_table(minimal / "frequencies/chrX.parquet").to_pylist()
    found = []
    for block in release_blocks.read(
        minimal / "frequencies/chrX.parquet", minimal / "frequencies-wide/chrX.parquet", said, "chrX"
    ):
        for i in range(len(block)):
            for s, stratum in enumerate(said):
                if block.shown()[s, i]:
                    found.append((block.pos[i].as_py(), block.alt[i].as_py(), stratum, int(block.numbers.ac[s, i])))
    assert found == [(r["pos"], r["alt"], r["stratum"], r["ac"]) for r in rows]


# ---- ids of people


def wanted(tmp_path, ids):
    path = tmp_path / "ids.txt"
    path.write_text("".join(f"{one}\n" for one in ids))
    return check_ids.read(path)


def test_ids_that_cannot_be_told_from_data_are_left_out(tmp_path):
    found = wanted(tmp_path, ["NA12878", "P1", "123456789", "acgtn", "1.5-2", "X123", "NA12878", "  ", "HG00096"])
    assert {name.decode(): line for name, line in found.lines.items()} == {"NA12878": 1, "X123": 6, "HG00096": 9}
    assert found.left_out == 4


@settings(max_examples=200, deadline=None)
@given(draw.data())
def test_exactly_the_ids_that_stand_in_a_stream_are_found(tmp_path_factory, data):
    """Letters are few, so that ids overlap, begin alike and end alike; pieces cut through them."""
    letters = draw.text("xy_", min_size=4, max_size=12)
    ids = data.draw(draw.lists(letters, min_size=1, max_size=8, unique=True))
    content = data.draw(draw.lists(draw.one_of(letters, draw.sampled_from(ids)), max_size=8).map("".join)).encode()
    cuts = sorted(data.draw(draw.lists(draw.integers(0, len(content)), max_size=6)))
    pieces = [content[a:b] for a, b in pairwise([0, *cuts, len(content)])]
    search = check_ids.Search(wanted(tmp_path_factory.getbasetemp(), ids))
    assert search.lines(pieces) == {n for n, name in enumerate(ids, 1) if name.encode() in content}
    assert search.lines(pieces, short=False) == {
        n for n, name in enumerate(ids, 1) if name.encode() in content and len(name) >= check_ids.LONG
    }


def of_run(folder, ids):
    path = folder / "people.tsv"
    path.write_text("sex\tsample_id\n" + "".join(f"F\t{one}\n" for one in ids))
    return check_ids.of_run(path)


def test_a_run_does_not_look_for_words_that_every_release_has(tmp_path):
    found = of_run(tmp_path, ["Total", "chr20", "hwe_p", "PASS", "sample_id", "VKG7", "1.5e-05", "NA", "VKG8_total"])
    assert {name.decode(): line for name, line in found.lines.items()} == {"VKG7": 7, "VKG8_total": 10}
    assert found.left_out == 7
    assert of_run(tmp_path, ["Total", "7"]).lines == {}


@settings(max_examples=200, deadline=None)
@given(draw.data())
def test_a_run_finds_exactly_the_short_ids_that_are_words_of_their_own(tmp_path_factory, data):
    letters = draw.text("qz_-", min_size=4, max_size=18)
    ids = data.draw(draw.lists(letters, min_size=1, max_size=8, unique=True))
    content = data.draw(draw.lists(draw.one_of(letters, draw.sampled_from(ids)), max_size=8).map("".join))
    cuts = sorted(data.draw(draw.lists(draw.integers(0, len(content)), max_size=6)))
    pieces = [content[a:b].encode() for a, b in pairwise([0, *cuts, len(content)])]
    listed = replace(wanted(tmp_path_factory.getbasetemp(), ids), words=True)

    def there(name: str) -> bool:
        own = rf"(?<![0-9A-Za-z]){re.escape(name)}(?![0-9A-Za-z])"
        return name in content if len(name) >= 16 else re.search(own, content) is not None

    expected = {line for name, line in listed.lines.items() if there(name.decode())}
    assert check_ids.Search(listed).lines(pieces) == expected


def test_a_run_finds_an_id_in_a_filter_name_and_none_in_digests_and_base64(minimal, tmp_path):
    """Short ids of letters that digests and packed bytes are made of, and one that a caller left in a FILTER."""
    root = tmp_path / "release"
    shutil.copytree(minimal, root)
    digests = (root / manifest.NAME).read_text()
    packed = max(re.findall(r"[A-Za-z0-9+/]{64,}", (root / "report.html").read_text()), key=len)
    ids = [digests[10:14], digests[20:28], packed[30:34], packed[40:46], "VKG7"]
    listed = of_run(tmp_path, [one for one in ids if not one.isdigit()])
    there = manifest.files(root)
    assert check_ids.check(root, there, listed, "people.tsv") == []
    vcf = next((root / "sites").glob("*.pass.vcf.gz"))
    text = gzip.decompress(vcf.read_bytes()).replace(b"##contig", b"##FILTER=<ID=VKG7_low,Description=x>\n##contig", 1)
    vcf.write_bytes(gzip.compress(text))
    (problem,) = check_ids.check(root, there, listed, "people.tsv")
    assert problem.where == f"{vcf} (decompressed)" and "holds 1 of the ids of people.tsv: line" in problem.what
    assert "VKG7" not in str(problem)


# ---- paths, places and times


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("see /home/anna/run.sh", "an absolute path"),
        ('"ref": "/mnt/genomes"', "an absolute path"),
        ("/a/b/c.fa", "an absolute path"),
        ("~anna/x", "home folder"),
        (r"C:\Users\anna", "Windows"),
        (r"\\server\share", "Windows"),
        ("file:///x", "file address"),
        ("made 2026-03-01T09:30", "point in time"),
        ("Mon Mar  2 09:30:11", "point in time"),
        ("anna@cluster7", "user@host"),
        ('"pkg:pypi/anna@cluster7"', "user@host"),
        ('"pkg:pypi/anna@7.1/x"', "user@host"),
        ("ask anna@example.org", "user@host"),
    ],
)
def test_what_leads_to_a_machine_or_a_person_is_found(text, what):
    assert [n for n, found in check_private.faults(f"nothing\n{text}\n", ["data@example.org"]) if what in found] == [2]


@pytest.mark.parametrize(
    "text",
    [
        "ask Data@Example.org.",
        '{"purl": "pkg:pypi/numpy@2.3.4"}, "pkg:generic/bwa@0.7.17-r1188", "pkg:pypi/numba@0.62.1%2Bcpu"',
        "2026-03-01",
        "https://example.org/a/b/c/d",
        "frequencies-wide/chr20.parquet",
        "</script></div></p>",
        "AC / AN, either/or/both",
        "GOE-EE-EXAMPLE-20260301093000000",
    ],
)
def test_plain_words_are_not(text):
    assert list(check_private.faults(text, ["data@example.org"])) == []


@pytest.mark.parametrize("written", ["o'x@a.b", "mailto:o'x@a.b", '"O&#39;X@a.b"', "| Anna, o'x@a.b |", "<o'x@a.b>."])
def test_a_contact_with_an_apostrophe_is_a_contact(written):
    assert health_dcat.MAIL.fullmatch("o'x@a.b")
    assert list(check_private.faults(written, ["o'x@a.b"])) == []
    for other in ("ao'x@a.b", "x@a.b", "o'x@a.b.c", "o'x@a.bc"):
        assert list(check_private.faults(f"see {other}", ["o'x@a.b"])), other


@pytest.mark.parametrize("word", ["a", "a.", "/", "+/", "/a ", "~a", "\\\\", "a:", "Mon Jan ", "2026-01-01"])
def test_expressions_go_over_a_text_once(word):
    """400 kB in a moment, where some took minutes."""
    start = time.process_time()
    list(check_private.faults(word * (400_000 // len(word)) + " @"))
    assert time.process_time() - start < 2


def test_whole_blocks_without_names_and_times(tmp_path, minimal):
    (path,) = (minimal / "sites").glob("*.pass.vcf.gz")
    assert check_private.check_bgzf(path) == []
    data = path.read_bytes()
    out = io.BytesIO()
    with gzip.GzipFile("anna.vcf", "wb", fileobj=out, mtime=1) as file:
        file.write(b"x")
    timed = bytearray(data)
    timed[4:8] = b"\1\2\3\4"
    for content, what in (
        (b"", "is cut off"),
        (data[:-28], "is cut off"),
        (data[:-1], "is cut off"),
        (data + b"\0", "is cut off"),
        (data + data[:100], "is cut off"),
        (out.getvalue(), "no BGZF file"),
        (bytes(timed), "block at byte 0 holds a point in time"),
    ):
        (tmp_path / "x.vcf.gz").write_bytes(content)
        assert [what in p.what for p in check_private.check_bgzf(tmp_path / "x.vcf.gz")] == [True], what


# ---- look-up table


def test_the_page_and_the_files_beside_it_hold_the_same_table(tmp_path):
    """Both ways of packing hold the cells of the frequency table."""
    contigs = {"chr20": 1500, "chrX": 900}
    inside = rf.make(tmp_path / "a", contigs=contigs)
    beside = rf.make(tmp_path / "b", contigs=contigs, embed_up_to=0)
    strata = json.loads((inside / "disclosure/disclosure.json").read_text())["strata"]
    pages = [check_lookup.read(root) for root in (inside, beside)]
    tracks = [f"{contig}{of}" for of in ("", ".callable") for contig in contigs]
    assert not pages[0].files and [*pages[0].chunks] == [(track, 0) for track in tracks]
    assert pages[1].files == [f"report-data/{track}.000.js" for track in tracks] and not pages[1].chunks
    for contig in contigs:
        rows = pq.read_table(inside / f"frequencies/{contig}.parquet")
        for root, page in zip((inside, beside), pages, strict=True):
            got = pa.concat_tables(check_lookup.numbers(root, page, contig, strata))
            for name in ("pos", "ref", "alt", "stratum", "ac", "an", "ac_hom", "ac_het", "ac_hemi", "nhomalt"):
                assert got[name].to_pylist() == rows[name].to_pylist(), name


# ---- members of a TAR


def test_ids_are_found_in_the_names_and_texts_of_a_tar(tmp_path):
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, content, owner in (("a.txt", b"VKGEE0001", ""), ("VKGEE0002.txt", b"", ""), ("b", b"", "VKGEE0003")):
            entry = tarfile.TarInfo(name)
            entry.size, entry.uname = len(content), owner
            archive.addfile(entry, io.BytesIO(content))
    ids = wanted(tmp_path, [f"VKGEE000{n}" for n in range(1, 5)])
    found = check_ids.check(tmp_path, ["x.tar"], ids, "ids.txt")
    assert sorted((p.where.removeprefix(str(path)), p.what.partition(": ")[2]) for p in found) == [
        ("", "line 1, 2, 3"),
        ("/VKGEE0002.txt", "line 2"),
        ("/a.txt", "line 1"),
        ("/b", "line 3"),
    ]


# ---- disclosure


def test_the_audit_of_the_check_is_that_of_the_stage(minimal):
    """The audit that `goe check` makes of the files finds as many alleles and cells as the audit of their blocks."""
    data, rule = (
        json.loads((minimal / n).read_text()) for n in ("metadata/dataset.json", "disclosure/disclosure.json")
    )
    people = {s: data["strata"][s] for s in rule["strata"]}
    lengths = {c["name"]: c["length"] for c in data["contigs"]}
    build = disclosure_audit.public_build(data["build"], lengths, [tuple(r) for r in data["pseudo_autosomal_regions"]])
    stated = Stated(rule["min_carriers"], rule["protect"], rule["min_stratum_size"])
    blocks = [
        block
        for contig in lengths
        for block in release_blocks.read(
            minimal / f"frequencies/{contig}.parquet",
            minimal / f"frequencies-wide/{contig}.parquet",
            rule["strata"],
            contig,
        )
    ]
    problems, counted = disclosure_audit.audit(blocks, people, stated, build)
    (result,) = check.run(minimal, ["disclosure"])
    assert problems == [] and result.passed
    assert result.detail.startswith(f"{sum(map(len, blocks)):,} alleles, {counted['cells_withheld']:,} cells withheld")


@pytest.mark.parametrize("kind", KINDS)
def test_a_release_of_which_nothing_can_be_kept_is_checked_alike(releases, kind, monkeypatch):
    results = check.run(releases[kind])
    monkeypatch.setattr(check, "Kept", lambda: Kept(0))
    assert check.run(releases[kind]) == results and not any(result.passed is False for result in results)


def test_a_table_says_that_it_stands_beside_an_earlier_release_only_where_the_release_does(tmp_path):
    def asked(said, earlier, policy=Policy(3)):
        path = tmp_path / "chr20.parquet"
        pq.write_table(pa.table({"start": [0]}).replace_schema_metadata({"goe": json.dumps(said)}), path)
        facts = SimpleNamespace(policy=policy, said={"disclosure": {"previous_release": earlier}})
        return check_folder.beside_earlier(path, facts)

    named = {"dataset": "GOE-EE-EXAMPLE-20260101000000000"}
    assert asked({"earlier_release": "kept"}, named) == "kept"
    assert asked({"earlier_release": "lowered"}, named) == "lowered"
    open_ = Policy(1, name="open", legal_basis="test")
    for said in (
        asked({"earlier_release": "kept"}, None),
        asked({"earlier_release": "kept"}, named, open_),
        asked({"earlier_release": "as you like"}, named),
        asked({}, named),
    ):
        assert said == ""
