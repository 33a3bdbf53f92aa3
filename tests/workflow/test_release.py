"""Releases that follow a release, with a floor, and with a product for a trusted merge."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from crypt4gh.keys.c4gh import generate
from goe.core import manifest
from goe.disclosure import earlier_release
from goe.release import restricted
from helpers.workflow import goe, snakemake

pytestmark = pytest.mark.slow
FIRST, SECOND = "GOE-EE-EXAMPLE-20260101000000000", "GOE-EE-EXAMPLE-20270101000000000"


def configure(folder: Path, **sections) -> None:
    path = folder / "config/config.yaml"
    config = yaml.safe_load(path.read_text())
    config["dataset"]["id"] = SECOND
    path.write_text(yaml.safe_dump({**config, **sections}))


@pytest.fixture(scope="module")
def second(run, tmp_path_factory) -> Path:
    """The demo cohort a year later: nobody new, a floor of 3, and a key that may have everything."""
    folder = tmp_path_factory.mktemp("second")
    shutil.copytree(run, folder, symlinks=True, dirs_exist_ok=True)
    shutil.rmtree(folder / "release")
    (folder / "keys").mkdir()
    generate(str(folder / "keys/merge.sec"), str(folder / "keys/merge.pub"), passphrase=None, comment=None)
    configure(
        folder,
        disclosure={"min_carriers": 3, "policy": "minimal"},
        previous_release=str(run / "release"),
        previous_people=str(run / "work/release/people.tsv"),
        restricted={"recipients": ["keys/merge.pub"], "legal_basis": "agreement of the test"},
    )
    done = snakemake(folder).ok()
    # The configuration is the same in another order, and no person's file depends on what was changed.
    assert "rule release_contig:" in done.output and "rule harmonise_people:" not in done.output
    return folder


def test_a_release_with_a_floor_passes_every_check(second):
    checked = goe("check", second / "release", "--ids", second / "samples.tsv")
    assert checked.returncode == 0, checked.stdout
    said = json.loads((second / "release/disclosure/disclosure.json").read_text())
    assert (said["policy"], said["min_carriers"]) == ("minimal", 3)
    assert said["alleles_with_some_strata"] > 0 and said["alleles_withheld"] > 0
    assert said["previous_release"]["dataset"] == FIRST
    assert said["previous_release"]["callable_an"] == earlier_release.KEPT
    table = json.loads(pq.read_schema(second / "release/callable_an/chr20.parquet").metadata[b"goe"])
    assert table["earlier_release"] == "kept"
    assert said["membership_inference"]["strata"][0]["stratum"] == "Total"


def test_what_is_given_under_a_floor_is_the_truth_and_leaves_nothing_small(second):
    compared = goe("demo", "compare", second, second)
    assert compared.returncode == 0, compared.stdout
    assert "given numbers of 1 to 2 people" in compared.stdout and "by a subtraction" in compared.stdout


def test_the_restricted_product_opens_with_its_key_alone(second, run, tmp_path):
    package = second / "restricted" / f"{SECOND}.restricted.tar.c4gh"
    folder = restricted.unpack(package, tmp_path / "mine", second / "keys/merge.sec")
    assert manifest.verify(folder) == []
    everything = json.loads((folder / "metadata/dataset.json").read_text())
    public = json.loads((second / "release/metadata/dataset.json").read_text())
    assert everything["number_of_records"] > public["number_of_records"]
    # Callable AN is exact, as in the open release of the same people, and the floor's never above it.
    for contig in ("chr20", "chrX"):
        mine, first = (pq.read_table(root / f"callable_an/{contig}.parquet") for root in (folder, run / "release"))
        assert mine.equals(first)
        below = pq.read_table(second / f"release/callable_an/{contig}.parquet")
        assert summed(below) < summed(mine)
    generate(str(tmp_path / "other.sec"), str(tmp_path / "other.pub"), passphrase=None, comment=None)
    with pytest.raises(Exception, match=r"key|decrypt"):
        restricted.unpack(package, tmp_path / "theirs", tmp_path / "other.sec")


def summed(table):
    length = table["end"].to_numpy() - table["start"].to_numpy()
    return int((table["an_Total"].to_numpy() * length).sum())


def test_one_person_less_stops_the_run_and_names_the_strata(second, tmp_path):
    """Before anything is written over the release that stands, and, without it, by comparison with the earlier one."""
    shutil.copytree(second, tmp_path, symlinks=True, dirs_exist_ok=True)
    rows = (tmp_path / "samples.tsv").read_text().splitlines()
    gone = next(r.split("\t")[0] for r in rows if r.startswith("EE014"))
    lines = [f"{rows[0]}\twithdrawn"] + [f"{r}\t{'yes' if r.split(chr(9))[0] == gone else ''}" for r in rows[1:]]
    (tmp_path / "samples.tsv").write_text("\n".join(lines) + "\n")
    stopped = snakemake(tmp_path)
    assert stopped.status != 0
    assert f"is the whole release {SECOND}, and 1 person withdrew" in stopped.output, stopped.output[-3000:]
    assert manifest.verify(tmp_path / "release") == []
    shutil.rmtree(tmp_path / "release")
    stopped = snakemake(tmp_path)
    assert stopped.status != 0
    for words in ("stratum Total", "stratum EE", FIRST):
        assert words in stopped.output, stopped.output[-3000:]
    assert gone not in "\n".join(line for line in stopped.output.splitlines() if line.startswith("goe:"))
    assert manifest.verify(tmp_path / "release") != []


def test_another_dataset_is_not_written_over_a_release(second, tmp_path):
    shutil.copytree(second, tmp_path, symlinks=True, dirs_exist_ok=True)
    path = tmp_path / "config/config.yaml"
    path.write_text(path.read_text().replace(SECOND, "GOE-EE-EXAMPLE-20280101000000000"))
    stopped = snakemake(tmp_path)
    assert stopped.status != 0 and f"release holds {SECOND} -> move" in stopped.output
    assert manifest.verify(tmp_path / "release") == []


def test_a_number_that_was_changed_is_found(second, tmp_path):
    release = tmp_path / "release"
    shutil.copytree(second / "release", release)
    path = release / "metadata/dataset.json"
    path.write_text(path.read_text().replace('"number_of_records": ', '"number_of_records": 1'))
    checked = goe("check", release)
    assert checked.returncode == 1
    assert "metadata/dataset.json" in checked.stdout
