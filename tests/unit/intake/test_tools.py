"""Tools on PATH: which are needed, and which are too old."""

import json
from pathlib import Path

import pytest
from goe.core.errors import GoeError
from goe.intake import load as intake
from goe.intake import tools
from goe.settings.sheets import Input

# As the programs say it: what they print, and where.
SAID = {
    "samtools": "echo 'samtools {}'; echo 'Using htslib {}'",
    "bcftools": "echo 'bcftools {}'; echo 'Using htslib {}'",
    "bwa": "echo 'Program: bwa (alignment via Burrows-Wheeler transformation)' >&2; echo 'Version: {}' >&2; exit 1",
    "bwa-mem2": "echo 'Looking to launch executable \"/opt/2.0/bwa-mem2.avx2\", simd = .avx2' >&2; echo {}",
    "fastp": "echo 'fastp {}' >&2",
    "mosdepth": "echo 'mosdepth {}'",
    "plink2": "echo 'PLINK v{} 64-bit Intel (28 May 2022)'",
}
GOOD = {
    "samtools": "1.16.1",
    "bcftools": "1.24",
    "bwa": "0.7.17-r1188",
    "bwa-mem2": "2.2.1",
    "fastp": "0.23.2",
    "mosdepth": "0.3.8",
    "plink2": "2.00a3.5LM",
}


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Makes stand-ins, with nothing else on PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def make(**versions: str) -> None:
        for tool, version in versions.items():
            (folder / tool).write_text(f"#!/bin/sh\n{SAID[tool].replace('{}', version)}\n")
            (folder / tool).chmod(0o755)

    return make


def told(names=tuple(tools.OLDEST)) -> list[str]:
    problems, notes = tools.look(names)
    assert notes == []
    return [str(problem) for problem in problems]


def test_each_tool_of_the_table_has_its_stand_in():
    assert [*SAID] == [*GOOD] == [*tools.OLDEST]


def test_versions_that_were_run_are_well(programs):
    programs(**GOOD)
    assert told() == []
    programs(**{tool: oldest.version for tool, oldest in tools.OLDEST.items()})
    assert told() == []


@pytest.mark.parametrize(
    ("tool", "version"),
    [
        ("samtools", "1.7"),
        ("samtools", "1.15.1"),
        ("samtools", "0.1.19-44428cd"),
        ("bcftools", "1.9"),
        ("bwa", "0.7.12-r1039"),
        ("bwa-mem2", "2.1"),
        ("fastp", "0.12.4"),
        ("mosdepth", "0.2.9"),
        ("plink2", "2.00a2.3LM"),
    ],
)
def test_an_older_one_is_told_with_its_mend(programs, tool, version):
    programs(**GOOD | {tool: version})
    (problem,) = told()
    assert problem.startswith(f"{tool} {version}: older than {tools.OLDEST[tool].version}: ")
    assert problem.endswith("-> put a newer one first on PATH, or let Snakemake bring the tools: --sdm conda")


@pytest.mark.parametrize(
    ("tool", "version"),
    [
        ("samtools", "1.100"),
        ("bcftools", "2.0"),
        ("plink2", "2.00a5.10"),
        ("plink2", "2.00a10.1LM"),
        ("plink2", "2.0.0-a.6.9LM"),
        ("plink2", "2.0.0-b.1"),
        ("mosdepth", "0.10.0"),
        ("bcftools", "1.22-12-gdeadbee+htslib-1.7"),
    ],
)
def test_a_later_one_is_well(programs, tool, version):
    programs(**GOOD | {tool: version})
    assert told() == []


def test_one_that_does_not_start_is_a_problem_and_one_that_is_not_there_a_note(programs, tmp_path):
    programs(**GOOD)
    (tmp_path / "programs/samtools").write_text("#!/bin/sh\necho cannot open shared object file >&2; exit 127\n")
    (tmp_path / "programs/fastp").write_text("#!/nowhere\n")
    (tmp_path / "programs/plink2").unlink()
    problems, notes = tools.look(tools.OLDEST)
    assert [problem.where for problem in problems] == ["samtools", "fastp"]
    assert [(note.where, note.what) for note in notes] == [("plink2", "not on PATH: the jobs that call it will fail")]


@pytest.mark.parametrize(
    ("kinds", "more"),
    [
        ("joint_vcf gvcf vcf", ""),
        ("cram gvcf", "mosdepth"),
        ("ubam", "bwa mosdepth"),
        ("fastq bam", "bwa fastp mosdepth"),
    ],
)
def test_only_what_the_inputs_need_is_asked(kinds, more):
    inputs = [Input("", kind, "a") for kind in kinds.split()]
    for aligner in ("bwa", "bwa-mem2"):
        asked = {"samtools", "bcftools", "plink2", *more.replace("bwa", aligner).split()}
        assert set(tools.needed(inputs, aligner)) == asked


class StampsOfNothing:
    release = "stamp"

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)


def test_a_run_stops_before_its_first_job_also_when_no_input_has_changed(programs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cfg = type("Of", (), {"outdir": "."})()
    looked = Path("work/intake/looked.json")
    looked.parent.mkdir(parents=True)
    monkeypatch.setattr(intake, "of", lambda *_: "key")
    monkeypatch.setattr("goe.intake.lint.lint", lambda *_: ([], [], {}))
    looked.write_text(json.dumps("key"))
    programs(**GOOD)
    told = intake.Loaded(cfg, {}, [], None, None)
    intake.look(told, StampsOfNothing(), 1, ["samtools"])
    programs(samtools="1.7")
    with pytest.raises(GoeError, match=r"samtools 1\.7: older than 1\.16"):
        intake.look(told, StampsOfNothing(), 1, ["samtools"])
    assert "samtools 1.7" in Path("work/intake/lint.tsv").read_text()
