"""Config, sheets, reference and data files in one round, and files of the config as text."""

import copy
import json
import os
from pathlib import Path

import pytest
from goe.core.errors import GoeError
from goe.intake import kept
from goe.intake import load as intake
from goe.intake.stamps import Stamps
from goe.settings import config

DATASET = "GOE-EE-EXAMPLE-20260101000000000"
CONFIG = {
    "samples": "samples.tsv",
    "inputs": "inputs.tsv",
    "reference": {"fasta": "ref.fa", "build": "toy"},
    "dataset": {
        "prefix": "GOE",
        "country": "EE",
        "org": "EXAMPLE",
        "id": DATASET,
        "title": "A title",
        "contact": {"fn": "A name", "email": "a@example.org"},
    },
    "disclosure": {"open": True, "legal_basis": "a test"},
}


@pytest.fixture
def folder(tmp_path, monkeypatch) -> dict:
    """A folder in which all is well but that the data file is not there; the config to spoil."""
    monkeypatch.chdir(tmp_path)
    Path("ref.fa").write_text(">chr20\nACGT\n")
    Path("ref.fa.fai").write_text("chr20\t4\t7\t4\t5\n")
    Path("samples.tsv").write_text("sample_id\tsex\tcountry_code\nA\tF\tEE\n")
    Path("inputs.tsv").write_text("sample_id\tinput_type\tpath\nA\tbam\tgone.bam\n")
    return copy.deepcopy(CONFIG)


def told(raw: dict) -> list[str]:
    with pytest.raises(GoeError) as caught:
        intake.load(raw)
    return [str(p) for p in caught.value.problems]


def test_what_is_well_is_read_and_no_data_file_is_looked_at(folder):
    cfg, people, inputs, build, _ = intake.load(folder)
    assert cfg == config.load(folder)
    assert [*people] == ["A"] and inputs[0].path == "gone.bam" and build.contigs == {"chr20": 4}
    assert not Path("work").exists()


def test_config_sheets_reference_and_files_are_told_in_one_round(folder):
    """And in lint.tsv."""
    Path("samples.tsv").write_text("sample_id\tsex\tcountry_code\nA\tX\tEE\nB\tF\tUK\n")
    Path("inputs.tsv").write_text("sample_id\tinput_type\tpath\nA\tbam\tgone.bam\nB\tbum\tb.bam\n")
    folder["reference"]["fasta"] = "none.fa"
    folder["genotype_filter"] = {"min_gq": "5", "min_ab": "30%"}
    folder["annotations"] = {"regions": {"lcr": "lcr.bed"}}
    folder["restricted"] = {"recipients": ["k.pub"], "legal_basis": "x"}
    folder["sample_qc"] = {"contamination_panel": "panel", "guidelines": "no.tsv"}
    folder["previous_release"] = "old"
    problems = told(folder)
    for text in (
        "config genotype_filter.min_gq: '5' is not an integer -> write 5, without quotes",
        "config genotype_filter.min_ab: '30%' is not a number -> write 0.3, without quotes and %",
        "config sample_qc.guidelines no.tsv: no such file -> mend the path",
        "config sample_qc.contamination_panel panel.UD: no such file -> give the prefix",
        "config sample_qc.contamination_panel panel.mu: no such file",
        "config sample_qc.contamination_panel panel.bed: no such file",
        "samples.tsv row 2, sample A: sex code 'X'",
        "samples.tsv row 3, sample B: 'UK' is not a country code",
        "inputs.tsv row 3, sample B: input_type 'bum'",
        "reference none.fa: no such file",
        "inputs.tsv row 2, gone.bam: no such file",
        "config restricted.recipients k.pub: no such file",
        "config previous_release old: no such folder",
    ):
        assert sum(text in problem for problem in problems) == 1, (text, problems)
    assert len(problems) == 13
    rows = Path("work/intake/lint.tsv").read_text().splitlines()
    assert rows[0] == "level\twhere\twhat\tmend" and len(rows) == 14


def test_sheets_that_are_not_there_do_not_make_people_strangers(folder):
    Path("samples.tsv").unlink()
    folder["dataset"]["country"] = "FI"
    problems = told(folder)
    assert [p.split(":")[0] for p in problems] == ["config dataset.id", "samples.tsv", "inputs.tsv row 2, gone.bam"]


def test_a_config_without_anything_is_told_by_key(folder):
    assert len(told({})) == 5


def test_an_outdir_that_cannot_be_made(folder):
    folder["outdir"] = "ref.fa/out"
    (problem,) = (p for p in told(folder) if "outdir" in p)
    assert problem == "config outdir ref.fa/out: cannot be made: Not a directory -> name a folder where you may write"
    folder["outdir"] = "new/out"
    intake.load(folder)


@pytest.mark.parametrize("name", ["metadata/dataset.json", "sites/GOE-EE-EXAMPLE-20250101000000000.all.vcf.gz"])
def test_a_release_of_another_id_is_not_written_over(folder, name):
    """Whole, or what an interrupted run left of it."""
    path = Path("out/release") / name
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"id": "GOE-EE-EXAMPLE-20250101000000000"}))
    folder["outdir"] = "out"
    (problem,) = (p for p in told(folder) if "dataset.id" in p)
    assert problem.startswith(
        f"config dataset.id {DATASET}: out/release holds GOE-EE-EXAMPLE-20250101000000000 -> move"
    )
    assert "out/work/release/people.tsv and people.key" in problem and "previous_release" in problem
    folder["dataset"]["id"] = "GOE-EE-EXAMPLE-20250101000000000"
    intake.load(folder)


def test_a_panel_that_is_there(folder):
    for suffix in intake.PANEL:
        Path(f"panel{suffix}").touch()
    folder["sample_qc"] = {"contamination_panel": "panel"}
    intake.load(folder)


# Files of the config as text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\nb: {c: 1, d: 2}\n", []),
        ('{"a": 1,\n\t"b": [1, 2]}', []),
        ("a: 1\nb: 2\na: 3\n", ["config.yaml line 3: a is already on line 1"]),
        ("a:\n  b: 1\n  c: 2\n  b: 3\na: 1\n", ["line 4: a.b is already on line 2", "line 5: a is already on line 1"]),
        ("a:\n- {b: 1, b: 2}\n", ["config.yaml line 2: a[0].b is already on line 2"]),
        ('{"a": 1,\n"a": 2}', ["line 2: a is already on line 1"]),
        ("a: 1\n  b: 2\n", ["config.yaml line 2: is no YAML: mapping values are not allowed here -> mend the line"]),
        ("a:\n\tb: 2\n", ["config.yaml line 2: is no YAML", "use spaces"]),
        ("a: [1,\nb: 2\n", ["config.yaml line 3: is no YAML: while parsing a flow sequence, from line 1 on, expected"]),
        ("# nothing\n", ["config.yaml: is empty -> copy config/config.yaml of the clone"]),
        ("- a\n", ["config.yaml: has no keys at its top level"]),
        ("a: \0\n", ["config.yaml: is no YAML"]),
    ],
)
def test_config_file_as_text(tmp_path, monkeypatch, text, says):
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(text)
    found = "\n".join(map(str, config.file_problems("config.yaml")))
    assert bool(found) == bool(says)
    for part in says:
        assert part in found


def test_config_file_that_cannot_be_read(tmp_path):
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9\n")
    assert "not text in UTF-8 (byte 3)" in str(config.file_problems(tmp_path / "latin.yaml")[0])
    assert "cannot be read" in str(config.file_problems(tmp_path)[0])


def test_the_template_has_no_key_twice(repo):
    assert config.file_problems(repo / "config/config.yaml") == []


def test_what_cannot_be_audited_is_told(folder):
    Path("some").mkdir()
    told_of = "config audit some: has no MANIFEST.sha256, so it is no whole release -> give the folder of a release"
    assert told_of in told(folder | {"audit": "some"})
    second = Path("work/audit/release")
    second.mkdir(parents=True)
    (second / "MANIFEST.sha256").touch()
    assert (
        f"config audit {second}: is the folder that this run writes -> move it elsewhere, and name its new place"
        in (told(folder | {"audit": str(second)}))
    )


def test_a_job_takes_the_sheets_that_the_run_has_kept_and_no_others(folder, monkeypatch):
    told = intake.load(folder)
    monkeypatch.setattr(intake.Stamps, "save", lambda *_: None)
    stamps = Stamps(told.cfg, told.people, told.inputs, told.build, sheets=told.sheets)
    with pytest.raises(GoeError, match="no such file"):
        intake.look(told, stamps, 1)
    monkeypatch.setattr(intake.sheets, "read_people", lambda *_: pytest.fail("the sheet was read again"))
    assert intake.load(folder, job=True) == told
    with pytest.raises(pytest.fail.Exception):
        intake.load(folder)


@pytest.mark.parametrize("sheet", ["samples.tsv", "inputs.tsv"])
def test_a_sheet_changed_under_the_same_time_and_size_is_read_again(folder, sheet):
    told = intake.load(folder)
    kept.save("work/intake/sheets.json", told.sheets, told.people, told.inputs)
    path = Path(sheet)
    status = path.stat()
    path.write_text(path.read_text().replace("\tF\t", "\tM\t").replace("gone", "here"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_size == status.st_size
    now = intake.load(folder, job=True)
    assert (now.people["A"].sex, now.inputs[0].path) == {
        "samples.tsv": ("M", "gone.bam"),
        "inputs.tsv": ("F", "here.bam"),
    }[sheet]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"key": 1}', "null"])
def test_what_is_no_kept_sheet_is_not_taken(folder, text):
    Path("work/intake").mkdir(parents=True)
    Path("work/intake/sheets.json").write_text(text)
    assert [*intake.load(folder, job=True).people] == ["A"]


def test_every_cell_is_kept(folder):
    Path("samples.tsv").write_text(
        "sample_id\tsex\tcountry_code\twithdrawn\tplatform\nA\tF\tEE\tyes\té\nNA\tM\tFI\t\t\n"
    )
    Path("inputs.tsv").write_text(
        "sample_id\tinput_type\tpath\tpath2\tlibrary\tunit\nA\tfastq\ta\tb\tl\tL1\nNA\tfastq\tc\td\t\t\n"
    )
    told = intake.load(folder)
    kept.save("work/intake/sheets.json", told.sheets, told.people, told.inputs)
    assert kept.load("work/intake/sheets.json", told.sheets) == (told.people, told.inputs)
