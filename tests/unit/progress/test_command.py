"""`goe progress` at a terminal, and what a run says at its end."""

import pytest
from goe import cli
from goe.progress import command, run
from helpers.progress_folder import job, keep


@pytest.mark.parametrize(("well", "status"), [(True, 0), (None, 0), (False, 1)])
def test_the_status_says_whether_a_job_failed(tmp_path, capsys, well, status):
    keep(tmp_path, {"align_person": {"jobs": 2}})
    job(tmp_path, "align_person/SECRET", "of SECRET", well=well)
    assert cli.main(["progress", str(tmp_path)]) == status
    out = capsys.readouterr().out
    assert f"more, and the last lines of logs of failed jobs: {tmp_path}/work/summary.html" in out
    assert "SECRET" not in out
    assert ("of SECRET" in (tmp_path / "work/summary.html").read_text()) == (well is False)


def test_a_folder_that_is_none_of_a_run(tmp_path, capsys):
    assert cli.main(["progress", str(tmp_path / "none")]) == 2
    assert "is not there" in capsys.readouterr().err


def test_at_its_end_a_run_says_what_failed(tmp_path):
    run.begin(tmp_path, {"align_person": run.Rule(2)})
    job(tmp_path, "align_person/SECRET", at=1e9, well=False)
    first, second = command.ended(tmp_path, well=False)
    assert first.startswith("stopped after 0 s; what it took, and the last lines of logs of failed jobs: ")
    assert second == "failed: align_person 1"
    assert run.load(tmp_path).ended and (tmp_path / "work/summary.html").is_file()
