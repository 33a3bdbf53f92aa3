"""The check of a collection: whatever was changed is found."""

import shutil

import pytest
from goe.collect import folder
from helpers import collection_folder, release_folder
from helpers.collection_folder import ID, failed


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return collection_folder.whole(tmp_path_factory.mktemp("collection"))


def change(name, value):
    def edit(rows):
        row = next(r for r in rows if r["n_datasets"] > 1 and r["an"])
        row[name] = value(row[name]) if callable(value) else value
        return rows

    return edit


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (change("ac_lo", lambda n: n + 1), "ac_lo is not the sum of the datasets"),
        (change("an", lambda n: n - 2), "an is not the sum of the datasets"),
        (change("n_datasets", 0), "n_datasets is not the number"),
        (change("ac_hi", 1 << 20), "ac_hi is above an_hi"),
        (change("af_lo", 0.123), "af_lo does not follow"),
        (change("faf95", 0.9), "faf95 does not follow"),
        (change("nhomalt_hi", 1 << 20), "more homozygotes than AC allows"),
        (change("filter", "AC0"), "filter is not what the datasets say"),
        (change("status", lambda s: "U" * len(s)), "status is not what the datasets say"),
        (lambda rows: [rows[1], rows[0], *rows[2:]], "out of order"),
        (lambda rows: rows[1:], "have not the same alleles"),
    ],
)
def test_a_changed_sum_is_found(whole, tmp_path, edit, words):
    root = tmp_path / "copy"
    shutil.copytree(whole, root)
    release_folder.edit_parquet(root / "frequencies/chr20.parquet", edit)
    release_folder.sign(root)
    assert any(words in text for text in failed(root).values()), failed(root)


def said(root, **more):
    release_folder.edit_json(root / folder.ABOUT, lambda about: about.update(more))


def fewer(lines):
    return [line.replace("n_datasets=2", "n_datasets=1") for line in lines]


@pytest.mark.parametrize(
    ("harm", "part"),
    [
        (lambda root: (root / "more.txt").write_text("x"), "description"),
        (lambda root: (root / f"sites/{ID}.all.vcf.gz").unlink(), "description"),
        (lambda root: (root / "README.md").write_text("x"), "description"),
        (lambda root: (root / "link").symlink_to("/etc/passwd"), "files"),
        (
            lambda root: release_folder.edit_json(root / folder.ABOUT, lambda a: a.update(level="restricted")),
            "description",
        ),
        (lambda root: release_folder.edit_json(root / folder.ABOUT, lambda a: a.update(more=1)), "description"),
        (lambda root: release_folder.edit_vcf(root / f"sites/{ID}.all.vcf.gz", fewer), "sites"),
    ],
)
def test_a_changed_folder_is_found(whole, tmp_path, harm, part):
    root = tmp_path / "copy"
    shutil.copytree(whole, root)
    harm(root)
    if part != "files":
        release_folder.sign(root)
    assert part in failed(root)


def test_a_file_changed_behind_the_manifest_is_found(whole, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(whole, root)
    (root / "dictionary/fields.tsv").write_text("x")
    assert "manifest" in failed(root)
