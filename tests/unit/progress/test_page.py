"""The page of a run: whatever stands in a log is text in it, and it asks nothing of a network."""

import stat

import pytest
from goe.progress import page, state
from helpers import browser
from helpers.progress_folder import BEGAN, HOUR, job, keep

EVIL = "</pre></style></title>\"'><script>window.hacked=1</script><img src=x onerror='window.hacked=1'>{{7*7}}"
RULES = {
    "intake_lint": {"jobs": 1, "there": 0, "memory_mb": 2000, "minutes": 120},
    "align_person": {"jobs": 600, "there": 400, "threads": 8, "memory_mb": 16000, "minutes": 2160},
    "call_bcftools": {"jobs": 1000, "there": 0, "threads": 4, "memory_mb": 4000, "minutes": 1440},
    "release_manifest": {"jobs": 1, "there": 0, "memory_mb": 2000, "minutes": 240},
}


@pytest.fixture
def folder(tmp_path):
    keep(tmp_path, RULES)
    job(tmp_path, "intake_lint", seconds=80, mb=400)
    for number in range(40):
        job(tmp_path, f"align_person/P{number}", seconds=20 * HOUR, cpu=120 * HOUR, mb=3100 + number)
    for number in range(25):
        job(tmp_path, f"align_person/F{number:02}", f"reads of F{number:02}", EVIL, well=False)
    job(tmp_path, f"align_person/{EVIL.replace('/', '!')}", well=False)
    job(tmp_path, "call_bcftools/P1", well=None)
    (tmp_path / "work/align").mkdir()
    (tmp_path / "work/align" / "P1.cram").write_bytes(b"x" * 300_000)
    return tmp_path


def seen(folder):
    return state.look(folder, BEGAN + 48 * HOUR)


def test_the_page_is_its_owners_alone(folder):
    place = page.write(seen(folder))
    assert place == folder / "work/summary.html" and stat.S_IMODE(place.stat().st_mode) == 0o600


def test_it_is_read_again_only_while_the_run_is_at_work(folder):
    assert 'http-equiv="refresh"' in page.page(seen(folder))
    keep(folder, RULES, ended=BEGAN + 48 * HOUR)
    assert 'http-equiv="refresh"' not in page.page(seen(folder))


def test_what_to_ask_for_next_is_as_a_profile_has_it(folder):
    text = page.page(seen(folder))
    assert "align_person: {mem_mb: &#34;4500 * attempt&#34;, runtime: &#34;2400 * attempt&#34;}" in text
    assert "release_manifest: {" not in text


def test_of_many_failed_jobs_some_are_shown(folder):
    text = page.page(seen(folder))
    assert text.count("<pre>") == 19 + 1 and "And 6 more." in text


def test_a_run_of_nothing_has_a_page(tmp_path):
    (tmp_path / "work").mkdir()
    assert "No job has ended yet." in page.page(state.look(tmp_path, BEGAN))


@browser.needed
def test_every_word_of_a_log_is_text(folder):
    keep(folder, RULES, ended=BEGAN + 48 * HOUR)
    place = page.write(seen(folder))
    text = place.read_text()
    policy, _, rest = text.partition('<meta name="viewport"')
    place.write_text(policy.partition("<meta http-equiv")[0] + '<meta name="viewport"' + rest)
    with browser.Browser() as there:
        there.open(place)
        assert there.run("window.hacked ?? null") is None
        assert there.run("document.querySelectorAll('img').length") == 0
        assert there.run("document.body.textContent").count(EVIL) >= 19
        assert "{{7*7}}" in there.run("document.body.textContent")
        assert not [one for one in there.requests if one.startswith("http")]


@browser.needed
def test_it_stands_on_a_desk_and_on_a_telephone(folder):
    place = page.write(seen(folder))
    for width in (1280, 390):
        with browser.Browser(width=width) as there:
            there.open(place)
            assert there.run("document.documentElement.scrollWidth") <= width
            assert there.run("document.querySelectorAll('svg.plot rect').length") > 4
            assert there.troubles == [] and not [one for one in there.requests if one.startswith("http")]
