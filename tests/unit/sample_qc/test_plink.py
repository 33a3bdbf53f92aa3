"""The fileset of common SNVs: put together from the regions, and pruned by plink2."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from goe.core.errors import GoeError
from goe.rules import sample_thresholds as sample_rules
from goe.sample_qc import plink
from helpers.plink_files import write

REPO = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def limits():
    return sample_rules.load(
        [REPO / "resources/guidelines" / name for name in ("sample_qc.tsv", "inference.tsv")]
    ).parameters


def region(path, sites, samples=("007", "1E5"), spacing=100):
    contigs, positions = zip(*sites, strict=True) if sites else ((), ())
    table = pa.table(
        {
            "contig": pa.array(contigs, pa.string()),
            "pos": pa.array(positions, pa.int32()),
            "ref": pa.array(["A"] * len(sites), pa.string()),
            "alt": pa.array(["C"] * len(sites), pa.string()),
            "bed": pa.array([bytes([i]) for i in range(len(sites))], pa.binary()),
        }
    ).replace_schema_metadata({"goe": json.dumps({"samples": samples, "spacing": spacing})})
    pq.write_table(table, path)
    return path


def test_regions_become_one_fileset_without_ids_and_contig_names(tmp_path):
    parts = [
        region(tmp_path / "a", [("chr1", 10), ("chr1", 190)]),
        region(tmp_path / "b", [("chr1", 195), ("chr1", 201)]),  # the first lies in a bin that is taken
        region(tmp_path / "c", [("scaffold_X", 199)]),
    ]
    found = plink.collect(parts, tmp_path / "all")
    assert found == plink.Snvs(["007", "1E5"], 2, 4, 4, False)
    rows = [line.split() for line in (tmp_path / "all.bim").read_text().splitlines()]
    assert [(r[0], r[1], r[3]) for r in rows] == [
        ("1", "s0", "10"), ("1", "s1", "190"), ("1", "s2", "201"), ("2", "s3", "199"),
    ]  # fmt: skip
    assert (tmp_path / "all.bed").read_bytes() == b"\x6c\x1b\x01\x00\x01\x01\x00"
    assert [line.split()[1] for line in (tmp_path / "all.fam").read_text().splitlines()] == ["p0", "p1"]
    found.write(tmp_path / "all.json")
    assert plink.Snvs.read(tmp_path / "all.json") == found


def test_no_region_gives_an_empty_fileset(tmp_path):
    assert plink.collect([], tmp_path / "all") == plink.Snvs([], 0, 0, 0, False)


def test_other_people_in_a_region_stop(tmp_path):
    parts = [region(tmp_path / "a", [("chr1", 10)]), region(tmp_path / "b", [("chr1", 900)], ("1E5", "007"))]
    with pytest.raises(GoeError, match="b: other people, or another order"):
        plink.collect(parts, tmp_path / "all")


@pytest.mark.parametrize(("people", "pruned"), [(49, False), (50, True)])
def test_snvs_in_ld_are_pruned_with_enough_people(tmp_path, limits, people, pruned):
    """Every SNV is there twice: one of each stays."""
    rng = np.random.default_rng(6)
    alleles = np.repeat(rng.binomial(2, rng.uniform(0.2, 0.8, 150), (people, 150)).T, 2, axis=0).astype(np.int8)
    write(tmp_path / "all", alleles)
    before = plink.Snvs([f"s{i}" for i in range(people)], 1, 300, 300, False)
    after = plink.prune(tmp_path / "all", tmp_path / "some", before, limits, 1, 640)
    kept = [int(line.split()[1][1:]) // 2 for line in (tmp_path / "some.bim").read_text().splitlines()]
    assert after.pruned == pruned and after.used == len(kept) and after.candidates == 300
    assert len(set(kept)) == len(kept) if pruned else len(kept) == 300
    # By chance a few more lie above the limit of r2 with so few people.
    assert not pruned or len(kept) > 75
    assert (tmp_path / "some.bed").stat().st_size == 3 + len(kept) * -(-people // 4)


def test_few_snvs_are_not_pruned(tmp_path, limits):
    write(tmp_path / "all", np.ones((199, 60), np.int8))
    before = plink.Snvs([f"s{i}" for i in range(60)], 1, 199, 199, False)
    assert plink.prune(tmp_path / "all", tmp_path / "some", before, limits, 1, 640) == before
    assert "not pruned" in before.basis
