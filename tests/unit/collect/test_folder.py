"""The folder of a collection, and its check."""

import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
from goe.check import readback
from goe.collect import check, folder
from goe.collect.sheet import Settings
from goe.core import manifest
from goe.core.errors import GoeError, Problem
from helpers import countries as made
from helpers import release_folder

ID = "GOE-EU-EXAMPLE-20260401000000000"
SETTINGS = Settings(ID, "Three <b>countries</b>", {"fn": "A", "email": "a@example.org"}, ".", "d.tsv")
TERMS = {
    "build": "toy",
    "contigs": [{"name": made.CONTIG, "length": made.LENGTH, "md5": "a" * 32}],
    "counting_rules": "1",
    "genotype_filter": {"min_gq": 20},
    "normalisation": "C3",
    "par": [],
}


def datasets(tmp_path, seed=1, floors=(1, 5, 1)):
    rng = np.random.default_rng(seed)
    alleles = made.alleles(rng, 40)
    some = [
        made.draw(rng, f"D{i}", origins, 30, alleles, k)
        for i, (origins, k) in enumerate(zip((["EE"], ["FI"], ["EE", "LV"]), floors, strict=True))
    ]
    found = [made.dataset(one, tmp_path / "data", i) for i, one in enumerate(some, 1)]
    for one in found:
        one.terms, one.digest = TERMS, "0" * 64
    return found


def collect(found, tmp_path, settings=SETTINGS):
    mine = folder.taken(found)
    parts = {contig: tmp_path / "work" / contig for contig in folder.contigs_of(mine)}
    told = [folder.sum_contig(mine, settings, contig, part) for contig, part in parts.items()]
    folder.finish(settings, found, parts, told, tmp_path / "out")
    return tmp_path / "out"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder_ = tmp_path_factory.mktemp("collection")
    found = datasets(folder_)
    refused = datasets(folder_)[0]
    refused.number, refused.name, refused.problems = 4, "LT (row 4)", [Problem("LT", "AC is above AN")]
    return collect([*found, refused], folder_)


def failed(root):
    return {r.part: "; ".join(p.what for p in r.problems) for r in check.run(root) if not r.passed}


def test_a_collection_passes_its_check_and_tells_who_is_in_it(whole):
    assert failed(whole) == {}
    about = json.loads((whole / folder.ABOUT).read_text())
    assert about["level"] == "public" and [s["number"] for s in about["sources"]] == [1, 2, 3]
    assert about["refused"] == [
        {"number": 4, "name": "LT (row 4)", "problems": [{"where": "LT", "what": "AC is above AN", "mend": ""}]}
    ]
    rows = pq.read_table(whole / "frequencies/chr20.parquet")
    assert about["number_of_records"] == rows.num_rows > 0
    for i, source in enumerate(about["sources"]):
        letters = "".join(status[i] for status in rows["status"].to_pylist())
        assert source["alleles"] == {n: letters.count(chr(s)) for n, s in check.STATES.items()}
    text = (whole / "README.md").read_text()
    assert "<b>" not in text and "LT (row 4)" in text and "floor of 5" in text
    assert str(whole) not in text + json.dumps(about)


def test_a_vcf_has_numbers_only_where_they_are_exact(whole):
    rows = pq.read_table(whole / "frequencies/chr20.parquet").to_pylist()
    (records, found), *_ = readback.vcf_records(whole / f"sites/{ID}.all.vcf.gz")
    assert records.num_rows == len(rows)
    for stratum in ("", "_EE", "_FI", "_M"):
        values = readback.numbers_of(found, f"AC{stratum}", len(rows))
        for row, ac in zip(rows, values, strict=True):
            low, high, an, most = (row[f"{key}{stratum}"] for key in ("ac_lo", "ac_hi", "an", "an_hi"))
            assert (ac == low) if low == high and an == most and an else np.isnan(ac)
    assert {row["filter"] for row in rows} == set(records["filter"].to_pylist()) == {"PASS", "Filtered", "AC0"}
    (passed, _), *_ = readback.vcf_records(whole / f"sites/{ID}.pass.vcf.gz")
    assert passed["pos"].to_pylist() == [row["pos"] for row in rows if row["filter"] == "PASS"]


def test_the_highest_group_is_that_of_the_countries(whole):
    for row in pq.read_table(whole / "frequencies/chr20.parquet").to_pylist():
        known = {c: row[f"faf95_{c}"] for c in ("EE", "FI", "LV") if row[f"faf95_{c}"] is not None}
        if known:
            assert row["faf95_max"] == max(known.values()) == known[row["faf95_max_group"]]


def test_the_same_datasets_give_the_same_bytes(whole, tmp_path):
    other = collect(datasets(tmp_path), tmp_path)
    for name in manifest.files(whole):
        if name.endswith((".parquet", ".gz")):
            assert (other / name).read_bytes() == (whole / name).read_bytes(), name


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


def test_a_sum_of_restricted_products_is_restricted_itself(tmp_path):
    found = datasets(tmp_path, floors=(1, 1, 1))
    found[1].kind = "restricted"
    settings = Settings(ID, "x", SETTINGS.contact, str(tmp_path), "d.tsv", "Agreement 7")
    assert folder.place(settings, found) == tmp_path / "restricted-collection"
    assert folder.place(settings, found[2:]) == tmp_path / "collection"
    root = collect(found, tmp_path, settings)
    assert failed(root) == {}
    about = json.loads((root / folder.ABOUT).read_text())
    assert (about["level"], about["legal_basis"]) == ("restricted", "Agreement 7")
    assert "RESTRICTED" in (root / "README.md").read_text()
    assert b"restricted" in (pq.read_schema(root / "frequencies/chr20.parquet").metadata[b"goe"])
    assert any("##disclosure=restricted" in line for line in readback._head(root / f"sites/{ID}.all.vcf.gz")[0])


def test_nothing_is_made_of_nothing(tmp_path):
    found = datasets(tmp_path)
    for one in found:
        one.problems.append(Problem(one.name, "failed"))
    with pytest.raises(GoeError, match="3 problems"):
        folder.taken(found)
