"""What stands in a folder, looked at before anything is opened. tests/faults/test_hostile.py has folders of bombs."""

import os
from pathlib import Path

from goe.check import tree
from goe.release import bounds


def test_what_a_walk_sees_of_a_folder(tmp_path):
    assert tree.faults(tmp_path) == []
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b").write_text("x")
    (tmp_path / "a/c").symlink_to("b")
    (tmp_path / "d").symlink_to("a")
    (tmp_path / "README.md").write_bytes(bytes(bounds.TEXT_FILE + 1))
    (tmp_path / "x.vcf.gz").write_bytes(bytes(1))
    os.truncate(tmp_path / "x.vcf.gz", 1 << 40)
    found = {Path(p.where).relative_to(tmp_path).as_posix(): p.what.split(":")[0] for p in tree.faults(tmp_path)}
    assert set(found) == {"a/c", "d", "README.md", "x.vcf.gz"} and found["a/c"] == found["d"] == "is a link"
    assert found["README.md"] == f"has {bounds.TEXT_FILE + 1:,} bytes" and "never written" in found["x.vcf.gz"]


def test_a_file_that_cannot_be_read_is_told(tmp_path, monkeypatch):
    """Whoever is root can read all."""
    (tmp_path / "a").write_text("x")
    monkeypatch.setattr(tree.os, "access", lambda path, mode: False)
    assert [p.what for p in tree.faults(tmp_path)] == ["cannot be read"]
