"""Seals: what was made under another stamp, or is not what was made, is not read."""

import json
import os
import shutil
import subprocess
import sys
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
    held = seal.Held(seals, stamps)
    return [str(problem) for problem in held.problems or [fault for file in files for fault in held.faults(file)]]


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


def test_it_says_which_files_have_to_go(made):
    (made / "work/a.tsv").write_text("numberz\n")
    assert told({"counts": "s1"})[0].endswith("remove it and work/seals/a.json, and run again")


def test_files_that_are_not_read_are_not_asked_for(made):
    (made / "work/a.tsv").unlink()
    assert told({"counts": "s1"}, files=[]) == []


def test_a_file_in_no_seal_is_not_read(made):
    (problem,) = told({"counts": "s1"}, files=["work/b.tsv"])
    assert problem.startswith("work/b.tsv: is in no seal")


@pytest.fixture
def folder(made):
    """A folder of two files and its seal; Snakemake leaves a mark of its own in such a folder."""
    (made / "work/of/x").mkdir(parents=True)
    for name in ("1", "x/2"):
        (made / "work/of" / name).write_text(name)
    seal.write("work/seals/of.json", "counts", "s1", ["work/of"])
    (made / "work/of/.snakemake_timestamp").touch()
    return made / "work/of"


def of_folder():
    return told({"counts": "s1"}, ["work/of"], ["work/seals/of.json"])


def test_a_folder_is_its_files(folder):
    assert of_folder() == []
    (folder / "x/2").write_text("3")
    (folder / "new").touch()
    assert [problem.split(" -> ")[0] for problem in of_folder()] == [
        "work/of/x/2: is not what its job made: its digest differs",
        f"{folder}/new: is in no seal of the jobs that it should be from",
    ]


def test_a_folder_that_is_gone_stops(folder):
    shutil.rmtree(folder)
    assert len(of_folder()) == 1


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 128, 200])
def test_every_byte_of_every_piece_counts(made, monkeypatch, size):
    monkeypatch.setattr(seal, "PIECE", 64)
    path = made / "work/a.tsv"
    whole = bytes(i % 251 for i in range(size))
    path.write_bytes(whole)
    seal.write("work/seals/a.json", "counts", "s1", [path])
    assert told({"counts": "s1"}) == []
    for changed in [
        *(whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :] for i in range(size)),
        whole + b"x",
        whole[1:],
    ]:
        path.write_bytes(changed)
        assert (told({"counts": "s1"}) == []) == (changed == whole)


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


def test_a_job_reads_nothing_of_the_run_that_is_in_no_seal(made):
    work = job(made)
    work.input = Files(table="work/a.tsv", other="work/other.tsv", sheet="samples.tsv", seals="work/seals/a.json")
    for name in ("work/other.tsv", "samples.tsv"):
        (made / name).write_text("x")
    with pytest.raises(GoeError) as told, seal.job(work):
        pass
    (problem,) = told.value.problems
    assert problem.where == "work/other.tsv"


def test_a_person_may_be_called_as_a_folder_is(made):
    (made / "work/a.tsv").write_text("old\n")
    work = job(made)
    for name in ("seals", "work"):
        path = f"work/seals/align_unit/{name}/1.json"
        seal.write(path, "counts", "s1", [])
        work.input = Files(table="work/a.tsv", seals=path)
        with pytest.raises(GoeError, match="is in no seal"), seal.job(work):
            pass


def beside(made, **params):
    """A job whose input has waited for the one that made the table."""
    work = job(made, table="work/a.tsv", seals="work/seals/a.json", beside=["table"], **params)
    work.input = Files(sheet="samples.tsv")
    return work


def test_a_file_that_snakemake_is_not_told_of_is_asked_for_as_well(made):
    (made / "samples.tsv").write_text("x")
    with seal.job(beside(made)):
        (made / "work/b.tsv").write_text("x")
    assert list(json.loads((made / "work/seals/b.json").read_text())["read"]) == ["a.json"]
    (made / "work/a.tsv").write_text("old\n")
    with pytest.raises(GoeError, match="is not what its job made"), seal.job(beside(made)):
        pass
    in_parts = seal.job(beside(made, in_parts=["table"]))
    with in_parts, seal.source("work/a.tsv") as file, pytest.raises(GoeError, match="is not what its job made"):
        file.read()


@pytest.fixture
def in_parts(made, monkeypatch):
    """A job that reads a file in parts, of 64 bytes each."""
    monkeypatch.setattr(seal, "PIECE", 64)
    (made / "work/a.tsv").write_bytes(bytes(200))
    seal.write("work/seals/a.json", "counts", "s1", ["work/a.tsv"])
    return job(made, in_parts=["table"])


def test_what_is_read_in_parts_is_verified_where_it_is_read(made, in_parts):
    data = bytearray(200)
    data[130] = 1
    (made / "work/a.tsv").write_bytes(data)
    with seal.job(in_parts), seal.source("work/a.tsv") as file:
        assert file.read(128) == bytes(128)
        with pytest.raises(GoeError, match="is not what its job made"):
            file.read(1)
        file.seek(192)
        assert file.read() == bytes(8)


@pytest.mark.parametrize("size", [0, 199, 201, 64, 300])
def test_a_file_of_another_size_that_is_read_in_parts(made, in_parts, size):
    (made / "work/a.tsv").write_bytes(bytes(size))
    with pytest.raises(GoeError), seal.job(in_parts), seal.source("work/a.tsv") as file:
        file.read()
    assert not (made / "work/seals/b.json").exists()


def test_outside_of_its_job_a_file_is_opened_as_it_is(made, in_parts):
    with seal.job(in_parts):
        (made / "work/b.tsv").write_text("x")
    assert seal.source("work/a.tsv") == "work/a.tsv"


@pytest.fixture
def three(made):
    """a, b made of a, c made of b: the seal of c."""
    for name, before in (("b", "a"), ("c", "b")):
        (made / f"work/{name}.tsv").write_text(name)
        seal.write(f"work/seals/{name}.json", "counts", "s1", [f"work/{name}.tsv"], [f"work/seals/{before}.json"])
    return "work/seals/c.json"


def test_a_chain_of_seals_is_whole(three):
    assert seal.chain([three]) == []


@pytest.mark.parametrize("gone", [True, False])
def test_content_that_was_sealed_again_behind_those_who_read_it(made, three, gone):
    """The file and its seal agree, and nobody downstream was made of them."""
    (made / "work/a.tsv").write_text("others\n")
    if gone:
        (made / "work/seals/a.json").unlink()
    else:
        seal.write("work/seals/a.json", "counts", "s1", ["work/a.tsv"])
        assert told({"counts": "s1"}) == []
    (problem,) = seal.chain([three])
    assert problem.where.endswith("work/seals/a.json") and "work/seals/b.json" in problem.what


def test_a_job_does_without_what_others_import_because_it_is_there(repo):
    """A third of a second and 40 MB of each for lists that become columns, a quarter for its first kernel, a tenth for
    the search for garbage among all that was imported."""
    code = """
import gc
import sys
from types import SimpleNamespace as Names
import numpy
from goe.core import imports, seal
from goe.release.report import spectrum
from goe.variant_qc import statistics
with seal.job(Names(params=Names(), input=Names(), output=Names())):
    import pyarrow
    one = numpy.array([1])
    print(pyarrow.array(["A", None]).to_pylist(), statistics.hwe_p(one, one, one).tolist())
    print(gc.get_freeze_count() > len(sys.modules))
print([name for name in (*imports.UNUSED, "scipy.special") if name in sys.modules])
"""
    env = {**os.environ, "PYTHONPATH": str(repo / "scripts")}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert run.stdout == "['A', None] [1.0]\nTrue\n[]\n"


def test_the_stamp_of_a_seal(tmp_path):
    seal.write(tmp_path / "s.json", "counts", "abc", [])
    (tmp_path / "no.json").write_text("[]")
    assert [seal.stamp(tmp_path / name) for name in ("s.json", "no.json", "none.json")] == ["abc", "", ""]
