"""What the terminal is told: numbers, and no name of a person or of a person's file."""

import pytest
from goe.progress import state, words
from helpers.progress_folder import BEGAN, HOUR, job, keep


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0 s"), (59.4, "59 s"), (60, "1 min"), (3661, "1 h 1 min"), (93784, "1 d 2 h"), (86400, "1 d")],
)
def test_durations(seconds, told):
    assert words.duration(seconds) == told


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (15234567890, "15.2 GB"),
        (999.6e6, "1 GB"),
        (118e12, "118 TB"),
        (1.5e15, "1,500 TB"),
    ],
)
def test_sizes(number, told):
    assert words.size(number) == told


LEFT = "time left: about 5 h 54 min, without jobs of call of a kind of which none has ended"


def test_a_line_a_stage_without_anybody(tmp_path):
    keep(tmp_path, {"align_person": {"jobs": 4, "threads": 2}, "call_bcftools": {"jobs": 4}})
    job(tmp_path, "align_person/SECRET1", "SECRET1 has read 7", seconds=HOUR, cpu=2 * HOUR, mb=1500)
    job(tmp_path, "align_person/SECRET2", "SECRET2 is corrupt", well=False)
    job(tmp_path, "align_person/SECRET3", well=None)
    said = list(words.lines(state.look(tmp_path, BEGAN + 2 * HOUR)))
    assert said[0] == "at work for 2 h, unless it was killed"
    assert said[1].startswith("align  1 of 4 jobs done, 1 at work, 1 failed, 2 core-hours, 1.5 GB a job at most, ")
    assert said[2].startswith("call   0 of 4 jobs done, 0 core-hours, ")
    assert said[3].startswith("all    1 of 8 jobs done, ")
    assert said[4:] == [LEFT, "failed: align_person 1"]
    assert "SECRET" not in "\n".join(said)


@pytest.mark.parametrize(
    ("value", "told"), [(0, "0"), (0.002, "below 0.01"), (1.23, "1.2"), (9.99, "10"), (12345.6, "12,346")]
)
def test_core_hours(value, told):
    assert words.hours(value) == told


@pytest.mark.parametrize(("well", "told"), [(True, "done after 3 h"), (False, "stopped after 3 h")])
def test_the_end(tmp_path, well, told):
    keep(tmp_path, {"release_vcf": {"jobs": 3, "memory_mb": 2000, "minutes": 240}}, ended=BEGAN + 3 * HOUR, well=well)
    job(tmp_path, "release_vcf/a.b")
    said = list(words.lines(state.look(tmp_path, BEGAN + 9 * HOUR)))
    assert said[0] == told and not any(line.startswith("time left") for line in said)
    assert said[-1] == "rules that could ask for memory or time closer to what they take: 1"


def test_of_nothing(tmp_path):
    (tmp_path / "work").mkdir()
    seen = state.look(tmp_path, BEGAN)
    assert list(words.lines(seen)) == [
        "nothing is kept of a run that began here",
        "all  0 of 0 jobs done, 0 core-hours, 0 B",
    ]
