"""Jobs are counted by what their logs say, and by nothing else."""

import pytest
from goe.core.errors import GoeError
from goe.progress import state
from helpers.progress_folder import BEGAN, HOUR, job, keep

ALIGN = {"jobs": 10, "there": 5, "threads": 8, "memory_mb": 16000, "minutes": 2160}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "work").mkdir()
    return tmp_path


def look(folder, after=2 * HOUR):
    return state.look(folder, BEGAN + after)


def rule(seen, name):
    return next(one for one in seen.rules if one.name == name)


def test_jobs_are_done_at_work_failed_and_to_come(folder):
    keep(folder, {"align_person": ALIGN})
    job(folder, "align_person/A", "words")
    job(folder, "align_person/B", well=False)
    job(folder, "align_person/C", well=None)
    job(folder, "align_person/D", at=-HOUR)
    job(folder, "align_person/E", at=-HOUR, well=None)
    align = rule(look(folder), "align_person")
    assert (align.done, align.jobs, align.left, align.at_work) == (6, 15, 9, 1)
    assert [path.stem for path in align.failed] == ["B"]
    assert len(align.taken) == 2 and align.stage == "align"


def test_at_the_end_what_has_no_last_line_was_killed(folder):
    keep(folder, {"align_person": ALIGN}, ended=BEGAN + 2 * HOUR)
    job(folder, "align_person/C", "goe: took ", well=None)
    align = rule(look(folder, 9 * HOUR), "align_person")
    assert align.at_work == 0 and [path.stem for path in align.failed] == ["C"]
    assert look(folder, 9 * HOUR).seconds == 2 * HOUR


def test_a_job_more_than_was_planned_makes_no_more_than_all(folder):
    keep(folder, {"release_manifest": {"jobs": 1}})
    job(folder, "release_manifest")
    job(folder, "release_manifest/again")
    assert rule(look(folder), "release_manifest").done == 1


def test_rules_that_the_run_does_not_have_cost_what_they_took(folder):
    """People of an earlier wave; not what only looks or removes."""
    keep(folder, {"call_bcftools": {"jobs": 1}})
    job(folder, "align_person/A", at=-HOUR, cpu=7200)
    job(folder, "lint")
    seen = look(folder)
    assert [one.name for one in seen.rules] == ["call_bcftools", "align_person"]
    assert list(seen.stages) == ["align", "call"]
    assert state.core_hours(rule(seen, "align_person").taken) == 2
    assert rule(seen, "align_person").now == []


def test_time_left_is_by_the_cores_that_were_busy(folder):
    """2 jobs of 8 threads and an hour in 2 hours are 8 cores; 8 more of them, and 4 of one thread and an hour."""
    keep(folder, {"align_person": {**ALIGN, "there": 0}, "call_bcftools": {"jobs": 4}, "release_vcf": {"jobs": 3}})
    for name in "AB":
        job(folder, f"align_person/{name}", seconds=HOUR)
    job(folder, "call_bcftools/X", at=-HOUR, seconds=HOUR)
    seconds, unknown = look(folder).left
    assert seconds == pytest.approx((8 * 8 + 4) * HOUR / 8)
    assert unknown == ["release"]
    assert look(folder, 0).left[0] is None


def test_nothing_is_known_before_a_job_has_ended(folder):
    keep(folder, {"align_person": ALIGN, "intake_lint": {"jobs": 1}})
    assert look(folder).left == (None, ["intake", "align"])
    job(folder, "intake_lint")
    assert look(folder).left == (None, ["align"])


def test_requests_are_held_against_the_largest_job(folder):
    keep(
        folder,
        {"align_person": ALIGN, "call_bcftools": {"jobs": 1, "memory_mb": 1000, "minutes": 60}, "joint_file": {}},
    )
    job(folder, "align_person/A", seconds=36000, cpu=144000, mb=3100)
    job(folder, "align_person/B", seconds=18000, cpu=108000, mb=2900)
    job(folder, "align_person/C", seconds=90000, mb=9000, well=False)
    job(folder, "call_bcftools/A", seconds=2400, mb=200)
    job(folder, "joint_file/0")
    align, call, joint = look(folder).requests
    assert (align.jobs, align.most_mb, align.longest) == (2, 3100, 600)
    assert align.cores == pytest.approx(252000 / 54000) and align.told
    assert (align.next_mb, align.next_minutes) == (4500, 1200)
    assert not call.told and not joint.told and joint.memory_mb is None


def test_disk_is_by_folder_and_follows_no_link(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "own.cram"
    elsewhere.write_bytes(b"x" * 10_000_000)
    for name in ("align/A.cram", "reference/bwa/reference.bwt", "release/table"):
        path = folder / "work" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x" * 100_000)
    (folder / "work/align/B.cram").symlink_to(elsewhere)
    (folder / "release").mkdir()
    (folder / "release/MANIFEST.sha256").write_bytes(b"x" * 100_000)
    seen = look(folder)
    assert {name: files for name, (_, files) in seen.disk.items()} == {"align": 1, "reference": 1, "release": 2}
    assert 200_000 <= seen.disk_of("align") < 1_000_000


def test_what_is_no_run_is_said(tmp_path):
    with pytest.raises(GoeError, match="is not there"):
        look(tmp_path)


def test_a_folder_without_a_kept_run_still_has_its_costs(folder):
    job(folder, "align_person/A")
    align = rule(look(folder), "align_person")
    assert len(align.taken) == 1 and align.now == [] and align.jobs == 0


def test_last_lines_are_the_last_and_printable(folder):
    job(folder, "align_person/A", *(f"line {n}" for n in range(40)), "\x1b[31mred\x00\x07", well=False)
    (log,) = (folder / "work/logs/align_person").iterdir()
    log.write_bytes(b"\xff\xfe" + log.read_bytes())
    assert state.last_lines(log) == [*(f"line {n}" for n in range(26, 40)), "\\x1b[31mred\\x00\\x07"]
    assert state.last_lines(folder / "none") == []
