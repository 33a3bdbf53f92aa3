"""The digest of the code is that of what decides a release, by a command anybody can give."""

import shutil
import subprocess

import pytest
from goe import cli
from goe.core import code_digest
from goe.core.errors import GoeError


def checkout(folder):
    for name in (
        "Snakefile",
        "workflow/rules/a.smk",
        "scripts/goe/a.py",
        "resources/a b.tsv",
        "envs/goe.yaml",
        "requirements.lock",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{name}\n")
    return folder


def fresh(folder):
    code_digest._listing.cache_clear()
    return code_digest.digest(folder)


def test_it_is_what_the_documented_command_gives(repo):
    words = (repo / "docs/release.md").read_text()
    command = next(line.strip() for line in words.splitlines() if "| LC_ALL=C sort -z |" in line)
    there = subprocess.run(["bash", "-c", command], cwd=repo, capture_output=True, text=True, check=True).stdout
    assert there.split()[0] == fresh(repo)
    assert "workflow/schemas/config.schema.yaml" in code_digest.files(repo)


@pytest.mark.parametrize(
    "name", ["scripts/goe/a.py", "envs/goe.yaml", "resources/a b.tsv", "Snakefile", "requirements.lock"]
)
def test_every_file_counts_with_its_name(tmp_path, name):
    folder = checkout(tmp_path)
    before = fresh(folder)
    (folder / name).write_text("other\n")
    assert fresh(folder) != before
    (folder / name).write_text(f"{name}\n")
    assert fresh(folder) == before
    (folder / name).rename(folder / f"{name}x")
    if name not in code_digest.PARTS:
        assert fresh(folder) != before


def test_what_a_run_leaves_and_where_jobs_run_do_not_count(tmp_path):
    folder = checkout(tmp_path)
    before = fresh(folder)
    for name in ("scripts/goe/__pycache__/a.pyc", "workflow/profiles/slurm/config.yaml", "scripts/.a.swp", "docs/a.md"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    assert fresh(folder) == before


def test_what_is_no_checkout_is_refused(tmp_path):
    folder = checkout(tmp_path)
    shutil.rmtree(folder / "envs")
    with pytest.raises(GoeError, match="is no checkout of goe: it has no envs"):
        fresh(folder)


def test_the_command_tells_it_of_this_clone_and_of_another(tmp_path, repo, capsys):
    assert cli.main(["code"]) == 0 and capsys.readouterr().out.strip() == code_digest.digest(repo)
    assert cli.main(["code", str(checkout(tmp_path))]) == 0
    assert capsys.readouterr().out.strip() == code_digest.digest(tmp_path) != code_digest.digest(repo)
    assert cli.main(["code", str(tmp_path / "nothing")]) == 2
    assert "is no checkout of goe" in capsys.readouterr().err
