"""The manifest lists exactly the folder and notices every change."""

import shutil
import subprocess

import pytest
from goe.core import manifest
from goe.core.errors import GoeError


@pytest.fixture
def folder(tmp_path):
    for name in ("b.txt", "sites/a b.vcf.gz", "sites/a.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    return tmp_path


NAMES = ["b.txt", "sites/a b.vcf.gz", "sites/a.txt"]


def test_written_in_the_format_of_sha256sum_and_sorted(folder):
    manifest.write(folder, reversed(NAMES))
    lines = (folder / manifest.NAME).read_text().splitlines()
    assert [line[66:] for line in lines] == NAMES
    assert manifest.verify(folder) == []
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "--strict", "-c", manifest.NAME], cwd=folder, check=True)


def test_strangers_missing_files_and_links_are_named_all_at_once(folder):
    (folder / ".notes").write_text("x")
    (folder / "b.txt").unlink()
    (folder / "b.txt").symlink_to(folder / "sites/a.txt")
    with pytest.raises(GoeError) as error:
        manifest.write(folder, [*NAMES, "ledger.json"])
    text = str(error.value)
    for name, what in ((".notes", "no file of this release"), ("ledger.json", "not made"), ("b.txt", "link")):
        assert any(name in line and what in line for line in text.splitlines())
    assert not (folder / manifest.NAME).exists()


def test_verify_finds_every_difference(folder):
    assert "not finished" in str(manifest.verify(folder)[0])
    manifest.write(folder, NAMES)
    (folder / "b.txt").write_text("changed")
    (folder / "sites/a.txt").unlink()
    (folder / "sites/new").write_text("x")
    text = [str(p) for p in manifest.verify(folder)]
    assert len(text) == 3
    assert any("b.txt" in t and "differs" in t for t in text)
    assert any("a.txt" in t and "not there" in t for t in text)
    assert any("new" in t and "not listed" in t for t in text)


def test_verify_does_not_follow_paths_out_of_the_folder(folder):
    manifest.write(folder, NAMES)
    with (folder / manifest.NAME).open("a") as handle:
        handle.write(f"{'0' * 64}  ../../etc/passwd\nnonsense\n")
    text = "\n".join(str(p) for p in manifest.verify(folder))
    assert "outside the folder" in text and "no line of sha256sum" in text


def test_a_list_that_is_no_text_is_told(folder):
    (folder / manifest.NAME).write_bytes(b"0" * 64 + b"  \xff\n")
    (problem,) = manifest.verify(folder)
    assert problem.what == "is no text in UTF-8 (byte 66)"


def test_lines_end_as_sha256sum_ends_them(folder):
    """It would look for names with a carriage return."""
    manifest.write(folder, NAMES)
    path = folder / manifest.NAME
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert {p.what for p in manifest.verify(folder)} >= {"is no line of sha256sum"}
