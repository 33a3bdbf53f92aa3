from pathlib import Path

import pytest
from goe.core import cleaning, seal
from goe.core.cleaning import Finished


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """Two groups of people: each has a file of its own, of 10 bytes, and what was made of it, sealed."""
    monkeypatch.chdir(tmp_path)
    found = []
    for name in "ab":
        for path in (f"{name}.cram", f"{name}.made"):
            Path(path).write_text("x" * 10)
        seal.write(f"seals/{name}.json", "gathered", f"stamp {name}", [f"{name}.made"])
        found.append(Finished([f"{name}.cram", f"{name}.crai"], [f"seals/{name}.json"]))
    return found


def left() -> set[str]:
    return {path.name for path in Path().iterdir() if path.is_file()}


def test_what_was_read_goes_and_what_was_made_of_it_stays(groups):
    assert cleaning.remove(groups, {"gathered": ["stamp a", "stamp b"]}) == (2, 20, 0)
    assert left() == {"a.made", "b.made"}
    assert cleaning.remove(groups, {"gathered": ["stamp a", "stamp b"]}) == (0, 0, 0)


@pytest.mark.parametrize("fault", ["another stamp", "no seal", "a damaged seal"])
def test_what_is_not_finished_stays(groups, fault):
    if fault == "no seal":
        Path("seals/b.json").unlink()
    if fault == "a damaged seal":
        Path("seals/b.json").write_text("{}")
    stamps = {"gathered": ["stamp a"] if fault == "another stamp" else ["stamp a", "stamp b"]}
    assert cleaning.remove(groups, stamps) == (1, 10, 1)
    assert left() == {"a.made", "b.made", "b.cram"}


def test_a_file_that_was_given_stays_where_it_is(groups):
    Path("given").mkdir()
    Path("given/c.cram").write_text("x")
    Path("a.cram").unlink()
    Path("a.cram").symlink_to(Path("given/c.cram").absolute())
    assert cleaning.remove(groups[:1], {"gathered": "stamp a"}).files == 1
    assert Path("given/c.cram").read_text() == "x" and "a.cram" not in left()
