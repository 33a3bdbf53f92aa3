"""A release with callable AN by coverage is whole, and what is wrong with that is found."""

import json
from functools import partial

import numpy as np
import pyarrow.parquet as pq
import pytest
from goe.check import run as check
from goe.collect import take
from goe.collect.callable_an import NOT_SAID, Runs
from goe.collect.sheet import RELEASE, Entry
from goe.compare import run as compare
from goe.release.formats import callable_an
from helpers import release_folder as rf

FOLDER, BED = "coverage_proxy", f"coverage_proxy/{rf.ID}.coverage_proxy.bed.gz"
TABLE, DATASET = "coverage_proxy/chr20.parquet", "metadata/dataset.json"
HOW = {"contigs": {"chr20": 600, "chrX": 400}, "gdi": False, "proxy": True}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Nobody may change it."""
    return rf.make(tmp_path_factory.mktemp("release"), **HOW)


@pytest.fixture
def root(whole, tmp_path):
    return rf.copy(whole, tmp_path)


def found(folder, parts=check.ALL):
    return {r.part: [str(p) for p in r.problems] for r in check.run(folder, parts) if r.passed is False}


def test_it_is_whole_and_says_whose_numbers_these_are(whole):
    assert found(whole) == {}
    data = json.loads((whole / DATASET).read_text())["callable_an"]
    assert data["an_method"] == {
        "gvcf_adj": ["gvcf"], "coverage_proxy": ["joint_vcf"], "variant_sites_only": ["joint_vcf"]
    }  # fmt: skip
    assert (data["coverage_proxy"]["min_dp"], data["coverage_proxy"]["min_mapq"]) == (10, 20)
    proxy, strata = data["coverage_proxy"]["people"], json.loads((whole / DATASET).read_text())["strata"]
    assert 0 < proxy["EE_M"] < strata["EE_M"] / 2 + 5
    about = json.loads(pq.read_schema(whole / TABLE).metadata[b"goe"])
    assert about["an_method"] == "coverage_proxy" and about["contig"] == "chr20"
    assert about["coverage"] == {"min_dp": 10, "min_dp_haploid": 5, "min_mapq": 20}
    assert pq.read_table(whole / TABLE)["proxy_an_EE_M"].to_pylist() == [0, 2 * proxy["EE_M"]]
    words = " ".join((whole / "README.md").read_text().split())
    assert f"EE_M {proxy['EE_M']:,} of {strata['EE_M']:,}" in words and "not to be added to AN" in words
    assert "are a lower bound as those of `callable_an/` are" in words
    assert "`coverage_proxy/<contig>.parquet`" in words and "(coverage_proxy)" in (whole / "report.html").read_text()
    config = json.loads((whole / "provenance/config.json").read_text())
    assert config["callable_an"] == {"coverage_proxy": True}


def test_who_did_not_ask_for_it_is_told_nothing_of_it(released):
    ends = (".json", ".md", ".tsv", ".html", ".jsonld", ".ttl")
    texts = {path: path.read_text() for path in released.rglob("*") if path.suffix in ends and path.name != "code.json"}
    assert len(texts) > 10
    assert not [path for path, text in texts.items() if "coverage_proxy" in text or "coverage proxy" in text]
    assert not (released / FOLDER).exists()


def number(root):
    rf.edit_parquet(root / TABLE, lambda rows: [rows[0], {**rows[1], "proxy_an_EE_M": rows[1]["proxy_an_EE_M"] + 2}])


def more_than_both_may_show(root):
    """All of EE's men in one of both tables, where the other has half of them."""
    names = [f"proxy_an_{s}" for s in ("Total", "M", "EE", "EE_M")]
    rf.edit_parquet(root / TABLE, lambda rows: [rows[0], rows[1] | {name: rows[1][name] + 200 for name in names}])


def bed(root):
    rf.edit_bed(root / BED, lambda lines: [*lines[:-1], lines[-1].rpartition("\t")[0] + "\t0"])


def people(change, root):
    rf.edit_json(root / DATASET, lambda data: change(data["callable_an"]))


def exact(said):
    said["coverage_proxy"]["people"]["EE_M"] -= 1


def too_many(said):
    for s in ("Total", "M", "EE", "EE_M"):
        said["coverage_proxy"]["people"][s] += 5


def untold(said):
    del said["coverage_proxy"]


def other_depth(said):
    said["coverage_proxy"]["min_dp"] = 8


@pytest.mark.parametrize(
    ("change", "part", "words"),
    [
        (number, "callable-an", (TABLE, "EE, M: is no number of people that may be shown")),
        (more_than_both_may_show, "callable-an", (TABLE, "EE, M: is no number of people that may be shown")),
        (bed, "callable-an", (BED, "differs from the tables")),
        (partial(people, exact), "descriptions", ("no multiple of min_carriers",)),
        (partial(people, too_many), "descriptions", ("more than may be shown",)),
        (partial(people, untold), "descriptions", ("is told of in some of",)),
        (partial(people, other_depth), "descriptions", ("min_dp is 8", "gives 10")),
        (lambda root: (root / TABLE).unlink(), "files", (TABLE, "is missing")),
    ],
)
def test_what_is_wrong_is_found(root, change, part, words):
    change(root)
    rf.remake(root, rf.config(gdi=False, proxy=True))
    told = found(root, {part})[part]
    assert any(all(word in text for word in words) for text in told), told


def test_files_that_nobody_is_told_of_do_not_belong_there(released, whole, tmp_path):
    root = rf.copy(released, tmp_path)
    (root / FOLDER).mkdir()
    (root / TABLE).write_bytes((whole / TABLE).read_bytes())
    rf.sign(root)
    assert any(TABLE in text for text in found(root, {"files"})["files"])


def test_goe_diff_tells_its_numbers_apart_from_callable_an(whole, tmp_path):
    root = rf.copy(whole, tmp_path)
    rf.edit_parquet(root / TABLE, lambda rows: [rows[0], {**rows[1], "proxy_an_EE_M": 10}])
    rf.sign(root)
    found = compare.compare(whole, root).differences
    assert dict(found.found["callable_an"].by) == {"proxy_EE_M": 300} and found.kinds == ["callable_an", "files"]
    assert found.found["callable_an"].examples[0].what == "proxy_an"


def test_a_sum_of_countries_has_no_estimate_in_it(whole, tmp_path):
    """Its note says so; and its table given as callable AN tells nothing, whatever its metadata say."""
    one = take.take(Entry(1, str(whole), "EE", kind=RELEASE), tmp_path / "work")
    assert one.problems == []
    assert [file.path for file in one.callable_an.values()] == [
        str(whole / callable_an.CALLED.table(contig)) for contig in HOW["contigs"]
    ]
    # Of those who are in neither table bounds of AN go up to everybody, as without it.
    said = json.loads((whole / DATASET).read_text())["callable_an"]
    assert one.callable_people == said["people"]
    (note,) = [note for note in one.notes if "coverage_proxy" in note]
    assert f"{said['coverage_proxy']['people']['Total']:,} people" in note and "is not added" in note
    runs = Runs(whole / TABLE, "chr20", ("Total", "EE_M"))
    assert (runs.at(np.array([400, 500])) == NOT_SAID).all()
