"""What a run has to do is kept when it begins, and is nothing where it is not kept whole."""

import pytest
from goe.progress import run
from goe.progress.run import Rule, Run


def test_a_run_is_kept_from_its_beginning_to_its_end(tmp_path):
    rules = {"align_person": Rule(12, 3, 8, 16000, 2160), "release_manifest": Rule(1)}
    run.begin(tmp_path, rules)
    begun = run.load(tmp_path)
    assert begun.rules == rules and begun.began > 1e9 and begun.ended is None
    run.end(tmp_path, well=True)
    ended = run.load(tmp_path)
    assert ended.rules == rules and ended.well and ended.ended >= ended.began == begun.began


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"rules": []}', '{"rules": {"a": {"more": 1}}}', '{"rules": {}, "x": 1}']
)
def test_what_is_cut_off_or_of_another_version_is_no_run(tmp_path, text):
    (tmp_path / "work/progress").mkdir(parents=True)
    (tmp_path / "work/progress/run.json").write_text(text)
    assert run.load(tmp_path) == Run()
