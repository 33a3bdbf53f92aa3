"""Files are described once, as they are, and every difference is found."""

import hashlib
import json

import pytest
from goe.core.errors import GoeError
from goe.release import layout
from goe.release.layout import File


@pytest.fixture
def folder(tmp_path):
    for name in ("b.txt", "sites/a b.vcf.gz", "gdi/x.tar.c4gh"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    return tmp_path


NAMES = ["sites/a b.vcf.gz", "gdi/x.tar.c4gh", "b.txt"]


def test_files_are_sorted_with_size_and_digest(folder):
    files = layout.describe(folder, NAMES)
    assert [f.path for f in files] == sorted(NAMES)
    digest = hashlib.sha256(b"b.txt").hexdigest()
    assert files[0] == File("b.txt", 5, digest)
    assert files[2].url == "sites/a%20b.vcf.gz"
    assert layout.describe(folder, ["b.txt"], {"b.txt": "0" * 64})[0].sha256 == "0" * 64


def test_encrypted_files_have_no_digest_for_no_second_run_repeats_it(folder):
    assert layout.describe(folder, ["gdi/x.tar.c4gh"])[0].sha256 is None


def test_what_is_no_file_of_the_folder_is_named_all_at_once(folder):
    (folder / "link").symlink_to(folder / "b.txt")
    with pytest.raises(GoeError) as error:
        layout.describe(folder, ["b.txt", "b.txt", "link", "gone", "../b.txt", "/etc/passwd", "./b.txt", "sites"])
    text = str(error.value)
    assert len(error.value.problems) == 7
    for words in ("b.txt: is listed twice", "link: is no file", "gone: is no file", "sites: is no file"):
        assert words in text
    assert text.count("no path within") == 3


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("sites/x.pass.vcf.gz", "application/gzip"),
        ("sites/x.pass.vcf.gz.tbi", "application/octet-stream"),
        ("frequencies/chr1.parquet", "application/vnd.apache.parquet"),
        ("metadata/healthdcat.jsonld", "application/ld+json"),
        ("metadata/dataset.json", "application/json"),
        ("ro-crate-metadata.json", "application/ld+json"),
        ("provenance/sbom.cdx.json", "application/vnd.cyclonedx+json"),
        ("dictionary/fields.tsv", "text/tab-separated-values"),
        ("provenance/Snakefile", "text/plain"),
        ("LICENSE", "text/plain"),
        ("README.md", "text/markdown"),
        ("report.html", "text/html"),
        ("gdi/x.tar.c4gh", "application/octet-stream"),
    ],
)
def test_media_types(path, media_type):
    assert File(path, 0, None).media_type == media_type


def test_the_readme_tells_of_every_file():
    kinds = {layout.DATA, layout.NOTE, layout.METADATA, layout.PAGE}
    every = layout.files("ID", ["<contig>"], kinds, True, True, proxy=True)
    told = [item.split("`")[1] for item in layout.told("ID", True, True)]
    assert len(set(told)) == len(told)
    indexes = {item.split("`")[1] + ".tbi" for item in layout.told("ID", True, True) if "and its `.tbi`" in item}
    for path in {*every, *(f"{folder}/" for folder in layout.FOLDERS)} - {"README.md", *indexes}:
        inside = [name for name in told if name == path or (name.endswith("/") and path.startswith(name))]
        around = [name for name in told if path.endswith("/") and name.startswith(path)]
        assert len(inside) == 1 or around, path
    for name in told:
        assert name in every or name[:-1] in layout.FOLDERS, name
    without = {item.split("`")[1] for item in layout.told("ID", False)}
    proxy = {"coverage_proxy/<contig>.parquet", "coverage_proxy/ID.coverage_proxy.bed.gz"}
    assert {*told} - without == {"gdi/ID.tar", "gdi/ID.tar.c4gh", *proxy}
    assert proxy <= {*every} - {*layout.files("ID", ["<contig>"], kinds, True, True)}


def test_titles_say_what_a_file_is():
    assert (
        File("sites/x.all.vcf.gz", 0, None).title
        == "sites/x.all.vcf.gz: site alleles, filtered ones with their reasons, VCF"
    )
    assert File("other/x", 0, None).title == "other/x"


def test_every_difference_is_found(folder):
    right = {f.path: f for f in layout.describe(folder, NAMES)}
    for file in right.values():
        assert layout.differences(folder, file, "m") == []
    wrong = [
        (File("b.txt", 6, right["b.txt"].sha256), "has 5 bytes, not 6"),
        (File("b.txt", 5, "0" * 64), "another SHA-256"),
        (File("b.txt", 5, None), "no SHA-256"),
        (File("gdi/x.tar.c4gh", 14, "0" * 64), "is encrypted and has a digest"),
        (File("gone", 5, None), "not there"),
        (File("../b.txt", 5, None), "outside"),
    ]
    for file, words in wrong:
        (problem,) = layout.differences(folder, file, "m")
        assert problem.where == "m" and file.path in problem.what and words in problem.what
    assert layout.differences(folder, right["b.txt"], "m", {"b.txt": "1" * 64})


def test_files_that_depend_on_the_data_are_in_the_lists_of_jobs(tmp_path):
    for name, files in (("one", ["mini-node/EE.yaml"]), ("two", ["report-data/a.js", "report.html"]), ("none", [])):
        (tmp_path / name).write_text(json.dumps(files))
    lists = [tmp_path / name for name in ("one", "two", "none")]
    found = layout.planned(["report.html", "README.md"], lists)
    assert found == ["README.md", "mini-node/EE.yaml", "report-data/a.js", "report.html"]
