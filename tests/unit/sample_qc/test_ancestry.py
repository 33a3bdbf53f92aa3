"""Principal components: who makes them, how far people lie from their country, and plink2's part of it."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from goe.rules import sample_thresholds as sample_rules
from goe.sample_qc import ancestry, plink
from goe.sample_qc.relatedness import Pair
from helpers import stages
from helpers.plink_files import write

COUNTRIES = ("EE", "FI", "MT")


@pytest.fixture(scope="module")
def files(repo):
    return [str(repo / "resources/guidelines" / name) for name in ("sample_qc.tsv", "inference.tsv")]


@pytest.fixture(scope="module")
def limits(files):
    return sample_rules.load(files).parameters


# --- who makes the components --------------------------------------------------------------------------------


def names(n):
    return [f"s{i:03d}" for i in range(n)]


def test_relatives_are_projected_and_the_withdrawn_have_no_place(limits):
    people = names(30)
    pairs = [Pair("s000", "s001", 900, 0.25), Pair("s002", "s003", 900, 0.5)]
    plan = ancestry.plan(people, ["s003", "s004"], pairs, 5000, "5000 common autosomal SNVs", limits)
    assert set(plan.used) | set(plan.projected) == {*people} - {"s003", "s004"}
    assert len(plan.projected) == 1 and set(plan.projected) < {"s000", "s001"}
    assert plan.components == 10 and not plan.approximate
    assert plan.statement == "10 components of 27 unrelated people (relatives projected: 1), 5000 common autosomal SNVs"


@pytest.mark.parametrize(
    ("people", "snvs", "components", "said"),
    [
        (30, 0, 0, "not assessed: 0 common autosomal SNVs, 500 are needed"),
        (30, 499, 0, "not assessed: 499 common autosomal SNVs, 500 are needed"),
        (0, 500, 0, "not assessed: 0 unrelated people, 10 are needed"),
        (9, 500, 0, "not assessed: 9 unrelated people, 10 are needed"),
        (10, 500, 9, "9 components of 10 unrelated people (10 would need 11), basis"),
        (11, 500, 10, "10 components of 11 unrelated people, basis"),
    ],
)
def test_what_cannot_be_done_is_said(limits, people, snvs, components, said):
    plan = ancestry.plan(names(people), [], [], snvs, "basis", limits)
    assert (plan.components, plan.statement) == (components, said)
    assert bool(plan.used) == bool(components)


def test_everybody_related_leaves_too_few(limits):
    people = names(12)
    pairs = [Pair(a, b, 900, 0.25) for i, a in enumerate(people) for b in people[i + 1 :]]
    plan = ancestry.plan(people, [], pairs, 5000, "basis", limits)
    assert plan.statement == "not assessed: 1 unrelated people, 10 are needed"


def test_thousands_of_people_are_approximated(limits):
    assert not ancestry.plan(names(5000), [], [], 5000, "", limits).approximate
    assert ancestry.plan(names(5001), [], [], 5000, "", limits).approximate


# --- distances -----------------------------------------------------------------------------------------------


def test_distance_is_in_scaled_mad_of_the_country(limits):
    """25 people at 0, 1, ... 24 on the first component: median 12, MAD 6."""
    one = np.column_stack([np.arange(25.0), np.zeros(25)])
    other = np.column_stack([1000 + np.arange(25.0), np.zeros(25)])
    countries = ["EE"] * 25 + ["FI"] * 25
    far, few = ancestry.distances(np.vstack([one, other]), countries, np.ones(50, bool), limits)
    assert few == []
    assert far == pytest.approx(np.tile(np.abs(np.arange(25) - 12) / (6 * 1.4826), 2))


def test_the_component_where_somebody_is_farthest_counts(limits):
    rng = np.random.default_rng(2)
    coordinates = rng.normal(size=(60, 4)) * [1, 10, 100, 1000]
    coordinates[7, 1] = 120.0
    far, _ = ancestry.distances(coordinates, ["EE"] * 60, np.ones(60, bool), limits)
    assert np.flatnonzero(far > limits["ancestry_max_distance"]).tolist() == [7]
    # Neither unit nor direction of a component matters.
    again, _ = ancestry.distances(coordinates * [-3, 1, 0.01, 7], ["EE"] * 60, np.ones(60, bool), limits)
    assert again == pytest.approx(far)


def test_outliers_do_not_hide_each_other(limits):
    """A third of a country far away: mean and SD would call nobody an outlier."""
    coordinates = np.concatenate([np.random.default_rng(4).normal(size=40), np.full(18, 60.0)])[:, None]
    far, _ = ancestry.distances(coordinates, ["EE"] * 58, np.ones(58, bool), limits)
    assert (far > limits["ancestry_max_distance"]).tolist() == [False] * 40 + [True] * 18
    assert np.abs(coordinates - coordinates.mean()).max() / coordinates.std() < limits["ancestry_max_distance"]


def test_projected_people_are_judged_and_move_no_centre(limits):
    coordinates = np.concatenate([np.arange(25.0), np.full(25, 900.0)])[:, None]
    far, _ = ancestry.distances(coordinates, ["EE"] * 50, np.arange(50) < 25, limits)
    assert far[:25] == pytest.approx(np.abs(np.arange(25) - 12) / (6 * 1.4826))
    assert (far[25:] > 90).all()


def test_small_countries_and_those_without_spread_are_not_judged(limits):
    coordinates = np.concatenate([np.arange(25.0), np.full(25, 3.0), [1.0, 2.0, 900.0]])[:, None]
    countries = ["EE"] * 25 + ["FI"] * 25 + ["MT"] * 3
    far, few = ancestry.distances(coordinates, countries, np.ones(53, bool), limits)
    assert few == ["FI", "MT"]
    assert np.isnan(far[25:]).all() and not np.isnan(far[:25]).any()
    assert ancestry.unassessed(few, limits).startswith("outliers not assessed in FI, MT: fewer than 20 unrelated")


def test_signs_are_settled():
    coordinates = np.array([[1.0, -5.0, 0.0], [-2.0, 4.0, 0.0]])
    expected = np.array([[-1.0, 5.0, 0.0], [2.0, -4.0, 0.0]])
    assert ancestry.oriented(coordinates) == pytest.approx(expected)
    assert ancestry.oriented(-coordinates) == pytest.approx(expected)


# --- plink2 --------------------------------------------------------------------------------------------------

N_SNVS = 3000
STRANGER, CHILD, GONE = "s005", "s088", "s010"


def genotypes():
    """int8[SNVs, 90]: two countries of 40 and 47, three people of a third, a stranger and a child of two others."""
    rng = np.random.default_rng(8)
    base = rng.uniform(0.1, 0.9, N_SNVS)
    of = [np.clip(base + rng.normal(0, 0.08, N_SNVS), 0.02, 0.98) for _ in COUNTRIES]
    haplotypes = np.stack([rng.random((2, N_SNVS)) < of[country_of(i)] for i in range(90)])
    haplotypes[5] = rng.random((2, N_SNVS)) < rng.uniform(0.1, 0.9, N_SNVS)
    haplotypes[88] = np.stack([haplotypes[86, 0], haplotypes[87, 1]])
    alleles = haplotypes.sum(axis=1).T.astype(np.int8)
    alleles[rng.random(alleles.shape) < 0.01] = -1
    return alleles


def country_of(i):
    return 0 if i < 40 else 1 if i < 80 or i >= 83 else 2


def run(folder: Path, files, name="ancestry", threads=1, memory=800, **changed):
    """sample_qc_ancestry.py on the files of `fileset`; its table and statement."""
    out = folder / name
    out.mkdir()
    stages.forked(
        out,
        "sample_qc_ancestry.py",
        input={
            "bed": folder / "snvs.bed",
            "about": folder / "snvs.json",
            "pairs": folder / "kinship.tsv",
            "people": folder / "people.tsv",
            "guidelines": files,
            **changed,
        },
        output={"people": out / "ancestry.tsv", "statement": out / "ancestry.json"},
        params={"thresholds": {}},
        threads=threads,
        resources={"mem_mb": memory},
    ).ok()
    with (out / "ancestry.tsv").open(newline="") as handle:
        rows = {r["sample_id"]: r for r in csv.DictReader(handle, delimiter="\t")}
    return rows, json.loads((out / "ancestry.json").read_text()), (out / "ancestry.tsv").read_bytes()


@pytest.fixture(scope="module")
def fileset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ancestry")
    people = names(90)
    write(folder / "snvs", genotypes())
    plink.Snvs(people, 1, N_SNVS, N_SNVS, False).write(folder / "snvs.json")
    parents = "".join(f"{a}\t{CHILD}\t2900\t0.25\t0\tparent_child\n" for a in ("s086", "s087"))
    (folder / "kinship.tsv").write_text("sample_a\tsample_b\tn_snvs\tkinship\tk0\trelation\n" + parents)
    rows = [f"{p}\t{COUNTRIES[country_of(i)]}\t{'yes' if p == GONE else 'no'}" for i, p in enumerate(people)]
    (folder / "people.tsv").write_text("sample_id\tcountry_code\twithdrawn\n" + "\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="module")
def found(fileset, files):
    return run(fileset, files)


def test_the_stranger_is_found_and_nobody_else(found, limits):
    rows, said, _ = found
    far = [s for s, r in rows.items() if r["ancestry_distance"] and float(r["ancestry_distance"]) > 6]
    assert far == [STRANGER]
    assert set(rows) == {*names(90)} - {GONE}
    assert {s for s, r in rows.items() if not r["ancestry_distance"]} == {"s080", "s081", "s082"}
    assert said["not_assessed"] == ["MT"]
    assert said["statement"] == (
        "10 components of 88 unrelated people (relatives projected: 1), 3000 common autosomal SNVs, not pruned for LD; "
        "outliers not assessed in MT: fewer than 20 unrelated people, or no spread"
    )


def test_the_relative_is_projected_between_the_parents(found):
    rows, _, _ = found
    assert [s for s, r in rows.items() if r["basis"] == "projected"] == [CHILD]
    assert float(rows[CHILD]["ancestry_distance"]) < 6


def test_components_agree_with_an_eigendecomposition(found):
    """Of the standardised genotypes, missing ones at the mean, by numpy."""
    rows, said, _ = found
    used = [i for i, p in enumerate(names(90)) if p in rows and rows[p]["basis"] == "computed"]
    data = np.where(genotypes() < 0, np.nan, genotypes()).astype(float)[:, used]
    p = np.nanmean(data, axis=1, keepdims=True) / 2
    seen = (p[:, 0] > 0) & (p[:, 0] < 1)
    data, p = data[seen], p[seen]
    standard = np.nan_to_num((data - 2 * p) / np.sqrt(2 * p * (1 - p)))
    values, vectors = np.linalg.eigh(standard.T @ standard / len(p))
    assert said["eigenvalues"][:2] == pytest.approx(values[::-1][:2], rel=0.03)
    for k in (1, 2):
        mine = np.array([float(rows[names(90)[i]][f"pc{k}"]) for i in used])
        assert abs(np.corrcoef(mine, vectors[:, -k])[0, 1]) > 0.999


def test_same_bytes_whatever_threads_and_memory(found, fileset, files):
    assert run(fileset, files, "again", threads=2, memory=3000)[2] == found[2]


def test_withdrawn_person_changes_nothing_of_the_others(found, fileset, files, tmp_path):
    """Their genotypes may be anything."""
    data = genotypes()
    data[:, 10] = 0
    write(tmp_path / "snvs", data)
    (tmp_path / "snvs.json").write_text((fileset / "snvs.json").read_text())
    assert run(fileset, files, "other", bed=str(tmp_path / "snvs.bed"))[2] == found[2]


def test_zero_snvs_give_an_empty_table_and_the_run_goes_on(fileset, files, tmp_path):
    write(tmp_path / "snvs", np.zeros((0, 90), np.int8))
    plink.Snvs(names(90), 0, 0, 0, False).write(tmp_path / "snvs.json")
    place = {"bed": str(tmp_path / "snvs.bed"), "about": str(tmp_path / "snvs.json")}
    rows, said, _ = run(fileset, files, "none", **place)
    assert rows == {}
    assert said["statement"] == "not assessed: 0 common autosomal SNVs, 500 are needed"


def test_ten_people_of_three_countries(fileset, files, tmp_path):
    people = names(10)
    write(tmp_path / "snvs", genotypes()[:, [0, 1, 2, 3, 40, 41, 42, 80, 81, 82]])
    plink.Snvs(people, 1, N_SNVS, N_SNVS, False).write(tmp_path / "snvs.json")
    place = {"bed": str(tmp_path / "snvs.bed"), "about": str(tmp_path / "snvs.json")}
    sheet = "".join(f"{p}\t{'EE' if i < 4 else 'FI' if i < 7 else 'MT'}\tno\n" for i, p in enumerate(people))
    (tmp_path / "people.tsv").write_text("sample_id\tcountry_code\twithdrawn\n" + sheet)
    rows, said, _ = run(fileset, files, "ten", people=str(tmp_path / "people.tsv"), **place)
    assert len(rows) == 10 and "pc9" in rows["s000"] and "pc10" not in rows["s000"]
    assert not any(r["ancestry_distance"] for r in rows.values())
    assert said["statement"].startswith("9 components of 10 unrelated people (10 would need 11)")
    assert "outliers not assessed in EE, FI, MT" in said["statement"]


def test_above_five_thousand_people_the_approximation_finds_the_same(files, tmp_path):
    """Two countries and a stranger among 5002 people; twice, with another number of threads."""
    rng = np.random.default_rng(9)
    n, snvs = 5002, 600
    base = rng.uniform(0.2, 0.8, snvs)
    of = np.clip(base + np.array([[-0.1], [0.1]]) * rng.choice([-1, 1], snvs), 0.02, 0.98)
    alleles = rng.binomial(2, of[np.arange(n) % 2]).T.astype(np.int8)
    alleles[:, 7] = rng.binomial(2, rng.uniform(0.05, 0.95, snvs))
    write(tmp_path / "snvs", alleles)
    people = [f"s{i:04d}" for i in range(n)]
    plink.Snvs(people, 1, snvs, snvs, True).write(tmp_path / "snvs.json")
    (tmp_path / "kinship.tsv").write_text("sample_a\tsample_b\tn_snvs\tkinship\tk0\trelation\n")
    rows = [f"{p}\t{COUNTRIES[i % 2]}\tno" for i, p in enumerate(people)]
    (tmp_path / "people.tsv").write_text("sample_id\tcountry_code\twithdrawn\n" + "\n".join(rows) + "\n")
    found, said, once = run(tmp_path, files, "once", threads=1)
    assert said["approximate"] and said["statement"].startswith("10 components of 5002 unrelated people")
    assert {s for s, r in found.items() if float(r["ancestry_distance"]) > 6} == {"s0007"}
    first = np.array([float(r["pc1"]) for r in found.values()])
    side = np.sign(first - first.mean())
    assert side[::2].mean() * side[1::2].mean() < -0.98, "the countries lie apart on the first component"
    assert run(tmp_path, files, "twice", threads=2, memory=2000)[2] == once
