"""Seals: what was made under another stamp, or is not what was made, is not read."""

import json
import shutil
from types import SimpleNamespace

import pytest
from goe.core import seal
from goe.core.errors import GoeError


class Files(list):
    """Named files, as Snakemake hands them over."""

    def __init__(self, **named):
        super().__init__(named.values())
        self.__dict__.update(named)


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A file and its seal, of the stage counts under the stamp s1."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "work").mkdir()
    (tmp_path / "work/a.tsv").write_text("numbers\n")
    seal.write("work/seals/a.json", "counts", "s1", ["work/a.tsv"])
    return tmp_path


def told(stamps, files=("work/a.tsv",), seals=("work/seals/a.json",)):
    return [str(problem) for problem in seal.problems(seals, stamps, files)]


def test_what_was_made_under_this_stamp_is_read(made):
    assert told({"counts": "s1"}) == []
    assert told({"counts": ["s0", "s1"]}) == []


@pytest.mark.parametrize("stamps", [{"counts": "s2"}, {"counts": []}, {}, {"other": "s1"}])
def test_another_stamp_stops(made, stamps):
    (problem,) = told(stamps)
    assert problem.startswith("work/seals/a.json: made by the stage counts under other settings")


@pytest.mark.parametrize("content", ["numberz\n", "numbers\n\n", ""])
def test_another_content_stops(made, content):
    (made / "work/a.tsv").write_text(content)
    (problem,) = told({"counts": "s1"})
    assert problem.startswith("work/a.tsv: is not what its job made")


def test_a_file_that_is_gone_stops(made):
    (made / "work/a.tsv").unlink()
    assert len(told({"counts": "s1"})) == 1


def test_files_that_are_not_read_are_not_asked_for(made):
    (made / "work/a.tsv").unlink()
    assert told({"counts": "s1"}, files=["work/b.tsv"]) == []


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"stage": 1}', "\0"])
def test_a_damaged_seal_stops(made, text):
    (made / "work/seals/a.json").write_text(text)
    (problem,) = told({"counts": "s1"})
    assert "is no seal of a job" in problem


def test_a_run_that_was_moved_keeps_its_seals(made, tmp_path_factory, monkeypatch):
    elsewhere = tmp_path_factory.mktemp("moved") / "run"
    shutil.copytree(made, elsewhere)
    monkeypatch.chdir(elsewhere)
    assert told({"counts": "s1"}) == []
    (elsewhere / "work/a.tsv").write_text("x")
    assert len(told({"counts": "s1"})) == 1


def job(made, **params):
    return SimpleNamespace(
        input=Files(table="work/a.tsv", seals="work/seals/a.json"),
        output=Files(out="work/b.tsv", seal="work/seals/b.json"),
        params=SimpleNamespace(stage="filters", stamp="f1", trusts={"counts": "s1"}, **params),
    )


def test_a_job_asks_first_and_seals_last(made):
    with seal.job(job(made)):
        assert not (made / "work/seals/b.json").exists()
        (made / "work/b.tsv").write_text("x")
    said = json.loads((made / "work/seals/b.json").read_text())
    assert (said["stage"], said["stamp"], list(said["files"])) == ("filters", "f1", ["../b.tsv"])


def test_a_job_does_not_begin_on_stale_input(made):
    (made / "work/a.tsv").write_text("old\n")
    began = False
    with pytest.raises(GoeError, match="is not what its job made"), seal.job(job(made)):
        began = True
    assert not began and not (made / "work/seals/b.json").exists()


def test_a_job_that_fails_seals_nothing(made):
    with pytest.raises(ZeroDivisionError), seal.job(job(made)):
        raise ZeroDivisionError
    assert not (made / "work/seals/b.json").exists()


def test_files_as_large_as_a_genome_are_not_hashed(made):
    (made / "work/a.tsv").write_text("another\n")
    with seal.job(job(made, unread="work/a.tsv")):
        (made / "work/b.tsv").write_text("x")
