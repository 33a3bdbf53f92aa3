"""The folder of a collection, and its check."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from goe.check import readback
from goe.collect import check, folder
from goe.collect.sheet import Settings
from goe.core import manifest
from goe.core.errors import GoeError, Problem
from helpers import collection_folder
from helpers.collection_folder import ID, SETTINGS, collect, datasets, failed


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return collection_folder.whole(tmp_path_factory.mktemp("collection"))


def test_the_comparison_needs_no_callable_an_again(tmp_path):
    """What the sum read of it is beside the sums."""
    found = datasets(tmp_path)
    folder.sum_contig(found, SETTINGS, "chr20", tmp_path / "sum")
    folder.compare_contig(found, SETTINGS, "chr20", tmp_path / "sum", tmp_path / "before")
    for one in found:
        Path(one.callable_an["chr20"].path).unlink()
    folder.compare_contig(found, SETTINGS, "chr20", tmp_path / "sum", tmp_path / "after")
    assert (tmp_path / "before/compared.json").read_bytes() == (tmp_path / "after/compared.json").read_bytes()


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
