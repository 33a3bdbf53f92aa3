"""The comparison of a finished collection is held against its tables, by plain code and by the same sums."""

import shutil

import pyarrow.parquet as pq
import pytest
from goe.collect.comparison import again, files, lookup
from helpers import collection_folder, release_folder
from helpers.collection_folder import failed


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return collection_folder.whole(tmp_path_factory.mktemp("collection"))


@pytest.fixture(params=["plain", "summed"])
def way(request, monkeypatch):
    if request.param == "summed":
        monkeypatch.setattr(again, "_PLAIN", 0)
    return request.param


@pytest.mark.parametrize("seed", range(4))
def test_plain_code_gives_the_same_statistics(tmp_path, seed, way):
    root = collection_folder.collect(collection_folder.datasets(tmp_path, seed, (1, 5, 3)), tmp_path)
    assert failed(root) == {}


def at(path, value):
    def edit(said):
        place = said
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value(place[path[-1]])

    return edit


def more(n):
    return (n or 0) + 1


@pytest.mark.parametrize(
    "edit",
    [
        at(("countries", "units", 0, "alleles", "seen"), more),
        at(("countries", "units", 0, "by_ac", "SNV", 3), more),
        at(("datasets", "units", 1, "by_af", "other", 3), more),
        at(("countries", "units", 1, "private", "at_least"), more),
        at(("countries", "pairs", 0, "fst"), lambda x: (x or 0) + 0.001),
        at(("datasets", "pairs", 0, "snvs"), more),
        at(("countries", "sharing", 0, "all", "there"), more),
        at(("countries", "doubletons", "pairs", 0, "alleles"), more),
        at(("countries", "heterogeneity", "tested"), more),
        at(("countries", "heterogeneity", "limit"), lambda x: x * 2 + 0.1),
        at(("datasets", "pca", "snvs"), more),
        at(("not_compared", "not_pass_anywhere"), more),
    ],
)
def test_a_changed_statistic_is_found(whole, tmp_path, edit, way):
    root = tmp_path / "copy"
    shutil.copytree(whole, root)
    release_folder.edit_json(root / files.STATISTICS, edit)
    release_folder.sign(root)
    assert "comparison" in failed(root)


def test_flags_say_what_their_numbers_do(whole, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(whole, root)
    said = again.read(root)
    kind = next(kind for kind, listed in said["flags"]["listed"].items() if listed)
    release_folder.edit_json(root / files.STATISTICS, at(("flags", "listed", kind, 0, "ac"), lambda n: 0))
    release_folder.sign(root)
    assert "is not what its numbers say" in failed(root)["comparison"]


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("comparison/fst.tsv", "comparison"),
        ("comparison/chr20.parquet", "comparison"),
        ("collection.html", "page"),
        ("collection-data/chr20.000.js", "page"),
    ],
)
def test_another_file_is_found(whole, tmp_path, name, part):
    root = tmp_path / "copy"
    shutil.copytree(whole, root)
    path = root / name
    if name.endswith(".parquet"):
        rows = pq.read_table(path)
        pq.write_table(rows.slice(1), path)
    else:
        path.write_text(path.read_text() + " ")
    release_folder.sign(root)
    assert part in failed(root)


def test_numbers_of_the_page_are_those_of_the_table(whole, tmp_path, monkeypatch):
    """Another allele's numbers in a chunk that agrees with its checksum."""
    root = tmp_path / "copy"
    shutil.copytree(whole, root)
    release_folder.edit_parquet(root / "frequencies/chr20.parquet", lambda rows: [*rows[1:], rows[0]])
    path = root / "frequencies/chr20.parquet"
    rows = pq.read_table(path)
    writer = lookup.Writer(root, collection_folder.ID, "chr20", lookup.strata(["Total", "EE", "FI", "LV"]))
    writer.write(rows)
    index = writer.close()
    shutil.copyfile(whole / "frequencies/chr20.parquet", path)
    release_folder.edit_json(root / files.STATISTICS, lambda said: said.update(page=[index]))
    release_folder.sign(root)
    assert "are not those of the table" in failed(root)["page"]


def test_thresholds_that_ask_for_too_much_are_refused(whole, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(whole, root)
    release_folder.edit_json(root / files.STATISTICS, at(("thresholds", "block_size"), lambda n: 1))
    release_folder.sign(root)
    assert "thresholds" in failed(root)["comparison"]
