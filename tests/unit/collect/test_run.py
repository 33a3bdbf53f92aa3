"""`goe merge`: releases in, a collection out."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from goe import cli
from goe.collect import folder, run
from goe.collect.sheet import Entry
from goe.core.errors import GoeError
from helpers import collection_folder
from helpers.three_releases import IDS


def rows(path):
    return {(row["pos"], row["ref"], row["alt"]): row for row in pq.read_table(path).to_pylist()}


def test_releases_are_added_up_and_a_broken_one_is_named(releases, tmp_path, capsys):
    broken = tmp_path / "broken"
    shutil.copytree(releases["FI"], broken)
    (broken / "LICENSE").write_text("other")
    out = tmp_path / "out"
    names = [f"{c}={releases[c]}" for c in ("EE", "LV")]
    assert cli.main(["merge", *names, f"FI={broken}", "-o", str(out)]) == cli.FAILED
    said = capsys.readouterr()
    assert "refused" in said.out and "LICENSE" in said.out and str(broken) not in said.out
    about = json.loads((out / folder.ABOUT).read_text())
    assert [s["id"] for s in about["sources"]] == [IDS["EE"], IDS["LV"]]
    assert [r["name"] for r in about["refused"]] == ["FI (row 3)"]
    assert cli.main(["check", str(out)]) == cli.PASSED
    sums = rows(out / "frequencies/chr20.parquet")
    parts = [rows(releases[c] / "frequencies-wide/chr20.parquet") for c in ("EE", "LV")]
    assert set(sums) == set(parts[0]) | set(parts[1])
    both = 0
    runs = [pq.read_table(releases[c] / "callable_an/chr20.parquet").to_pylist() for c in ("EE", "LV")]
    for key, row in sums.items():
        mine = [p[key] for p in parts if key in p and p[key]["filter"] in ("PASS", "AC0")]
        silent = [
            next((run["an_Total"] for run in of if run["start"] < key[0] <= run["end"]), 0)
            for of, part, letter in zip(runs, parts, row["status"], strict=True)
            if key not in part and letter in "AB"
        ]
        assert row["ac_lo"] == sum(r["ac"] for r in mine), key
        assert row["ac_lo"] == row["ac_hi"] or row["n_floor"], key
        assert row["an"] == sum(r["an"] for r in mine) + sum(silent), key
        assert row["nhomalt_lo"] == sum(r["nhomalt"] for r in mine)
        both += row["n_datasets"] == 2
    assert both


def test_nothing_is_left_of_a_collection_that_has_no_dataset(releases, tmp_path, capsys):
    out = tmp_path / "out"
    assert cli.main(["merge", f"LV={releases['EE']}", f"FI={tmp_path}", "-o", str(out)]) == cli.UNUSABLE
    assert "the sheet expects LV" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_dataset_that_changes_after_it_was_looked_at_leaves_no_half_of_a_collection(tmp_path, monkeypatch):
    found = collection_folder.datasets(tmp_path / "in")
    with Path(found[2].tables["chr20"].path).open("ab") as file:
        file.write(b"x")
    monkeypatch.setattr(run, "take", lambda entry, *_: found[entry.number - 1])
    with pytest.raises(GoeError, match="is not what it was when the dataset was looked at"):
        run.merge([Entry(i, "x", "EE", "release") for i in (1, 2, 3)], collection_folder.SETTINGS, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize("arguments", [["EE"], ["=x"], ["estonia=x"]])
def test_arguments_that_name_no_dataset(arguments, tmp_path, capsys):
    with pytest.raises(SystemExit):
        cli.main(["merge", *arguments, "-o", str(tmp_path / "out")])
    assert "DATASET" in capsys.readouterr().err
