"""Releases and restricted products looked at, one by one."""

import shutil

import pyarrow.parquet as pq
import pytest
from crypt4gh.keys import c4gh
from goe.collect import take as looked
from goe.collect.dataset import Dataset
from goe.collect.sheet import RELEASE, RESTRICTED, Entry
from goe.core import manifest
from goe.disclosure.silence import FLOOR, UNKNOWN, ZERO, Silence
from goe.disclosure.silence import of as silence
from goe.release import bounds
from helpers import release_folder, three_releases
from helpers.three_releases import IDS


def take(path, expect, tmp_path, **more):
    entry = Entry(1, str(path), expect, **({"kind": RELEASE} | more))
    return looked.take(entry, tmp_path / "work")


def test_a_release_is_taken_with_what_it_says(releases, tmp_path):
    one = take(releases["EE"], "EE", tmp_path)
    assert one.problems == [] and (one.id, one.country, one.counted_by) == (IDS["EE"], "EE", "goe")
    assert one.silence == Silence(ZERO)
    assert list(one.people) == ["Total", "M", "F", "EE", "EE_M", "EE_F", "FI", "FI_M", "FI_F"]
    assert one.people["Total"] == 193 and one.people["FI_M"] == 20
    assert one.terms["build"] == "GRCh38" and one.terms["genotype_filter"]["min_gq"] == 20
    assert [c["name"] for c in one.terms["contigs"]] == list(release_folder.CONTIGS) == list(one.tables)
    assert one.tables["chr20"].sha256 == manifest.digest(releases["EE"] / "frequencies-wide/chr20.parquet")
    assert len(one.numbers) == 64 and list(one.callable_an) == list(one.tables)
    floored = take(releases["LV"], IDS["LV"], tmp_path)
    assert floored.problems == [] and floored.silence == Silence(FLOOR, 5, 5)


def test_a_dataset_comes_back_from_its_file(releases, tmp_path):
    one = take(releases["LV"], "LV", tmp_path)
    one.save(tmp_path / "one.json")
    assert Dataset.load(tmp_path / "one.json") == one


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"policy": "open", "min_carriers": None, "protect": None}, Silence(ZERO)),
        ({}, Silence(FLOOR, 5, 4)),
        ({"why": {"nobody who counts carries it": 5}}, Silence(FLOOR, 5, 4)),
        ({"why": {"carriers or non-carriers of Total are too few": 5}}, Silence(FLOOR, 5, 4)),
        # A genotype of few people is withheld whatever AC is.
        ({"protect": "genotypes"}, Silence(UNKNOWN, 5)),
        ({"why": {"Total alone would tell the numbers of a withheld stratum": 5}}, Silence(FLOOR, 5, 5)),
        (
            {"why": {"haploid and diploid calls that no region explains, of too few people": 5}},
            Silence(FLOOR, 5, 4, False),
        ),
        ({"why": {"the people are too few to publish anything": 5}}, Silence(UNKNOWN, 5)),
        ({"why": {"a reason of later": 5}}, Silence(UNKNOWN, 5)),
    ],
)
def test_what_silence_means(rule, expected):
    said = {"policy": "collapse", "min_carriers": 5, "protect": "carriers"} | rule
    assert silence(said | {"alleles_withheld_by_reason": said.pop("why", {})}) == expected


def test_another_dataset_than_expected_is_refused(releases, tmp_path):
    one = take(releases["LV"], "EE", tmp_path)
    assert "the sheet expects EE" in one.problems[0].what
    assert one.tables == {} and not (tmp_path / "work").exists()


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda root: (root / manifest.NAME).unlink(), "no such file"),
        (lambda root: (root / "sites/x").write_text("half"), "is not listed in the manifest"),
        (lambda root: (root / "LICENSE").write_text("other"), "differs from its digest"),
        (lambda root: (root / "frequencies/y").symlink_to("/etc/passwd"), "is a link"),
    ],
)
def test_a_release_that_fails_its_check_is_refused_with_the_reason(releases, tmp_path, harm, words):
    root = tmp_path / "copy"
    shutil.copytree(releases["LV"], root)
    harm(root)
    one = take(root, "LV", tmp_path)
    assert any(words in problem.what for problem in one.problems)
    assert not any(str(tmp_path) in str(problem) for problem in one.problems)


def test_a_release_that_is_written_while_it_is_looked_at_is_refused(releases, tmp_path, monkeypatch):
    root = tmp_path / "copy"
    shutil.copytree(releases["LV"], root)
    whole = {path: path.read_bytes() for path in (root / "frequencies-wide/chr20.parquet", root / manifest.NAME)}
    for path, content in whole.items():

        def checked(place, threads, path=path, content=content):
            path.write_bytes(content + b"\n")
            return []

        monkeypatch.setattr(looked.check, "run", checked)
        one = take(root, "LV", tmp_path)
        assert [p.what for p in one.problems] == ["changed while it was looked at"]
        assert one.tables == {}
        path.write_bytes(content)


def test_a_place_that_is_none(tmp_path, releases):
    assert "leads to nothing" in take(tmp_path / "none", "LV", tmp_path).problems[0].what
    (tmp_path / "link").symlink_to(releases["LV"])
    assert "is a link" in take(tmp_path / "link", "LV", tmp_path).problems[0].what


# ---- restricted products


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    c4gh.generate(str(folder / "a.sec"), str(folder / "a.pub"), None, None)
    return folder / "a.sec", folder / "a.pub"


def test_a_restricted_product_is_taken_as_the_open_release_of_it_is(releases, tmp_path, keys):
    target = three_releases.packed(releases["EE"], keys, tmp_path / f"{IDS['EE']}.restricted.tar.c4gh")
    one = take(target, "EE", tmp_path, kind=RESTRICTED, key=str(keys[0]))
    assert one.problems == [] and one.silence == Silence(ZERO)
    other = take(releases["EE"], "EE", tmp_path / "other")
    assert one.numbers == other.numbers and one.people == other.people and one.terms == other.terms
    assert {c: f.sha256 for c, f in one.callable_an.items()} == {c: f.sha256 for c, f in other.callable_an.items()}
    for contig, file in one.tables.items():
        mine, wanted = (pq.read_table(f.path) for f in (file, other.tables[contig]))
        left = ("faf95", "faf99", "hwe_p", "inbreeding_coeff", "call_rate")
        names = [name for name in wanted.column_names if name not in left]
        assert mine.select(names).equals(wanted.select(names))


def more_ac(rows):
    rows[0]["ac"] += 1
    return rows


def exchanged(**pairs):
    """The numbers of each stratum under the name of the other one."""
    keys = ("ac", "an", "ac_hom", "ac_het", "ac_hemi", "nhomalt", "af")

    def edit(rows):
        place = {(row["pos"], row["ref"], row["alt"], row["stratum"]): i for i, row in enumerate(rows)}
        for (*allele, stratum), i in place.items():
            if stratum in pairs:
                other = place[*allele, pairs[stratum]]
                one, two = ({key: rows[j][key] for key in keys} for j in (i, other))
                rows[i] |= two
                rows[other] |= one
        return rows

    return edit


@pytest.mark.parametrize(
    ("change", "edit", "words"),
    [
        (lambda about: about.pop("contigs"), None, "'contigs' is a required property"),
        (lambda about: about.pop("genotype_filter"), None, "'genotype_filter' is a required property"),
        (lambda about: about["strata"].update(EE_M=3), None, "people"),
        (lambda about: about.update(number_of_records=1), None, "rows, and at most 9 belong to the release"),
        (lambda about: about.update(number_of_records=9999), None, "number_of_records is 9999"),
        (lambda about: about.update(number_of_records=10**12), None, "a release has at most 1,000,000,000"),
        (None, more_ac, "ac is not ac_hom + ac_het + ac_hemi"),
        (None, exchanged(EE="FI"), "ac is below the sum of EE_M"),
        (None, exchanged(EE="FI", EE_M="FI_M", EE_F="FI_F"), "FI: an is above twice its people"),
        (None, exchanged(M="F", EE_M="EE_F", FI_M="FI_F"), "F: an is above twice its people"),
    ],
)
def test_a_restricted_product_that_cannot_be_is_refused(releases, tmp_path, keys, change, edit, words):
    target = three_releases.packed(releases["EE"], keys, tmp_path / f"{IDS['EE']}.restricted.tar.c4gh", change, edit)
    one = take(target, "EE", tmp_path, kind=RESTRICTED, key=str(keys[0]))
    assert any(words in problem.what for problem in one.problems), one.problems
    assert not (tmp_path / "work").exists()


def longer(rows):
    rows[0]["end"] += 1
    return rows


def more_called(rows):
    rows[0]["an_Total"] = 2 * 193 + 2
    return rows


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        (longer, "does not begin where the run before ends"),
        (lambda rows: rows[:-1], "bases of chr20"),
        (more_called, "is no number of people"),
        (lambda rows: [row | {"contig": "chrX"} for row in rows], "is not on chr20"),
    ],
)
def test_callable_an_of_a_restricted_product_that_cannot_be_refuses_it_alone(releases, tmp_path, keys, runs, words):
    target = three_releases.packed(releases["EE"], keys, tmp_path / f"{IDS['EE']}.restricted.tar.c4gh", runs=runs)
    one = take(target, "EE", tmp_path, kind=RESTRICTED, key=str(keys[0]))
    assert any(words in problem.what for problem in one.problems), one.problems
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("part", ["edit", "runs"])
def test_a_table_that_unpacks_to_far_more_than_a_table_does_is_left(releases, tmp_path, keys, monkeypatch, part):
    monkeypatch.setattr(bounds, "GROUP", 1 << 22)
    target = tmp_path / f"{IDS['EE']}.restricted.tar.c4gh"
    bomb = {part: lambda rows: [rows[0] | {"contig": "0" * (1 << 23)}, *rows[1:]]}
    three_releases.packed(releases["EE"], keys, target, **bomb)
    one = take(target, "EE", tmp_path, kind=RESTRICTED, key=str(keys[0]))
    assert any("its pages unpack to more than" in problem.what for problem in one.problems), one.problems


def test_a_key_that_is_missing_or_does_not_fit(releases, tmp_path, keys):
    target = three_releases.packed(releases["EE"], keys, tmp_path / f"{IDS['EE']}.restricted.tar.c4gh")
    assert "names no key" in take(target, "EE", tmp_path, kind=RESTRICTED).problems[0].what
    c4gh.generate(str(tmp_path / "b.sec"), str(tmp_path / "b.pub"), None, None)
    one = take(target, "EE", tmp_path, kind=RESTRICTED, key=str(tmp_path / "b.sec"))
    assert "cannot be decrypted" in one.problems[0].what
