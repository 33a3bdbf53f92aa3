"""The configuration and the sheet of a collection: every mistake at once, each with its place."""

import pytest
from goe.collect import sheet
from goe.core.errors import GoeError

CONFIG = {
    "datasets": "datasets.tsv",
    "collection": {
        "id": "GOE-EU-EXAMPLE-20260401000000000",
        "title": "Three countries",
        "contact": {"fn": "A", "email": "a@example.org"},
    },
}


def write(path, *rows):
    path.write_text("".join("\t".join(row) + "\n" for row in rows))
    return path


def test_rows_with_their_kinds(tmp_path):
    (tmp_path / "ee").mkdir()
    (tmp_path / "fi").mkdir()
    (tmp_path / "fi/manifest.json").write_text("{}")
    rows = [
        ("path", "expect", "key", "counted_by"),
        (str(tmp_path / "ee"), "EE", "", ""),
        (str(tmp_path / "fi"), "FI", "", "goe 0.1"),
        ("x.restricted.tar.c4gh", "LV", "my.sec", ""),
        ("x.tar.c4gh", "LT", "my.sec", "goe 0.1"),
        ("x.sites.pass.vcf.gz", "PT", "", "pgx_pilot db63f17"),
        ("", "", "", ""),
    ]
    found = sheet.read(write(tmp_path / "d.tsv", *rows))
    assert [(e.number, e.kind, e.counted_by) for e in found] == [
        (1, "release", "goe"),
        (2, "gdi", "goe 0.1"),
        (3, "restricted", "goe"),
        (4, "gdi", "goe 0.1"),
        (5, "vcf", "pgx_pilot db63f17"),
    ]
    assert str(tmp_path) not in found[0].name


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("path", "expects")], ["no column expect", "did you mean expect?"]),
        ([("path", "expect"), ("a", "EE", "")], ["line 2: has 3 cells"]),
        ([("path", "expect"), ("a", "Estonia")], ["line 2: expect is 'Estonia'"]),
        ([("path", "expect"), ("", "EE"), ("b", "")], ["line 2: path is empty", "line 3: expect is empty"]),
        ([("path", "expect"), ("a", "EE"), ("./a", "EE")], ["line 3: ./a is on line 2 too"]),
        ([("path", "expect"), ("a.vcf.gz", "EE")], ["does not say who counted it"]),
        ([("path", "expect", "kind"), ("a", "EE", "relase")], ["kind is 'relase'"]),
        ([("path", "expect")], ["names no dataset"]),
        ([], ["no column path"]),
    ],
)
def test_mistakes_of_a_sheet(tmp_path, rows, words):
    with pytest.raises(GoeError) as error:
        sheet.read(write(tmp_path / "d.tsv", *rows))
    for word in words:
        assert word in str(error.value)


def test_the_configuration():
    found = sheet.settings(CONFIG)
    assert (found.id, found.outdir, found.open) == ("GOE-EU-EXAMPLE-20260401000000000", ".", True)
    assert not sheet.settings(CONFIG | {"restricted": {"legal_basis": "Agreement 7"}}).open


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dataset": "x"}, "'dataset' was unexpected"),
        ({"collection": {}}, "'id' is a required property"),
        ({"collection": CONFIG["collection"] | {"id": "EU"}}, "collection.id"),
        ({"restricted": {"legal_basis": ""}}, "restricted.legal_basis"),
    ],
)
def test_mistakes_of_a_configuration(change, words):
    with pytest.raises(GoeError, match=words):
        sheet.settings(CONFIG | change)


def test_another_dataset_in_its_place_has_another_identity(tmp_path):
    root = tmp_path / "a"
    root.mkdir()
    (root / "x").write_text("1")
    seen = {sheet.identity(root), sheet.identity(tmp_path / "none"), sheet.identity(root / "x")}
    (root / "x").write_text("12")
    seen.add(sheet.identity(root))
    (root / "y").symlink_to("/nowhere")
    seen.add(sheet.identity(root))
    assert len(seen) == 5


def test_a_public_sum_asks_each_row_for_its_public_release(tmp_path):
    path = tmp_path / "datasets.tsv"
    path.write_text(
        "path\texpect\tkey\tpublic\na.restricted.tar.c4gh\tEE\tk\trelease\nb.restricted.tar.c4gh\tLV\tk\tnone\n"
    )
    assert [entry.public for entry in sheet.read(path, public_sum=True)] == ["release", sheet.NONE]
    path.write_text("path\texpect\tkey\na.restricted.tar.c4gh\tEE\tk\n")
    assert sheet.read(path)[0].public == ""
    with pytest.raises(GoeError, match="does not say where its public release is"):
        sheet.read(path, public_sum=True)
    about = {"id": "GOE-EU-EXAMPLE-20260401000000000", "title": "A", "contact": {"fn": "A", "email": "a@b.org"}}
    given = {
        "datasets": "d.tsv",
        "collection": about,
        "restricted": {"legal_basis": "7", "public_sum": {"min_carriers": 5}},
    }
    found = sheet.settings(given)
    assert (found.sum_floor, found.sum_protect) == (5, "carriers")
    given["restricted"]["public_sum"] = {"min_carriers": 1}
    with pytest.raises(GoeError, match=r"restricted\.public_sum\.min_carriers"):
        sheet.settings(given)
