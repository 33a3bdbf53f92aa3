"""The record of what a release was made from: it finds what changed, and tells nothing without its key."""

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pytest
from goe.core.errors import GoeError
from goe.intake import inputs
from goe.intake.inputs import FILE, PERSON, PIECES, Changes
from goe.settings.sheets import Input, Person

PEOPLE = [Person("Jaan", "M", "EE", row=2, extra={"batch": "1"}), Person("Mari", "F", "EE", row=3)]


@pytest.fixture
def sheet(tmp_path, monkeypatch):
    """Rows of the sheet of inputs, with their files."""
    monkeypatch.chdir(tmp_path)
    rows = [
        Input("Jaan", "fastq", "r1.fq", "r2.fq", unit="L1", row=2),
        Input("Mari", "gvcf", "m.vcf", row=3),
        Input("", "joint_vcf", "j1.vcf", row=4),
        Input("", "joint_vcf", "j2.vcf", row=5),
    ]
    for row in rows:
        for path in filter(None, (row.path, row.path2)):
            Path(path).write_text(path)
    return rows


def entries(rows, people=PEOPLE, what=FILE):
    head, *table = inputs.digests(rows, 2, what)
    return inputs.entries(people, [dict(zip(head, row, strict=True)) for row in table])


@pytest.fixture
def compared(sheet):
    """What differs from the record of the sheet as it was."""
    inputs.write_record(entries(sheet), "inputs.tsv", "inputs.key")
    return lambda rows=sheet, people=PEOPLE: inputs.compare(entries(rows, people), "inputs.tsv", "inputs.key")


SAME = {PERSON: Changes(), FILE: Changes()}


def test_a_digest_is_that_of_the_whole_file(sheet):
    assert inputs.digests(sheet[1:2])[1][2:] == (FILE, hashlib.sha256(b"m.vcf").hexdigest())


def test_pieces_are_of_a_file_from_end_to_end(tmp_path):
    """All of a file of up to 1 MiB; of a larger one its size, first and last bytes, and nothing between two pieces."""

    def found(content):
        (tmp_path / "f").write_bytes(content)
        return inputs.pieces(tmp_path / "f")

    for size in (0, 1, 70_000, 1 << 20):
        one = bytes(size)
        places = {0, size // 2, size // 3, size - 1} if size else set()
        others = {found(one[:at] + b"x" + one[at + 1 :]) for at in places}
        assert len({found(one), found(one + b"\0"), *others}) == 2 + len(places)
    large = bytes(4 << 20)
    assert found(large) not in {found(large[:-1] + b"x"), found(b"x" + large[1:]), found(large[1:])}
    assert found(large) == found(large[: 1 << 17] + b"x" + large[(1 << 17) + 1 :])


def test_a_record_of_pieces_is_held_against_pieces_alone(sheet):
    inputs.write_record(entries(sheet, what=PIECES), "inputs.tsv", "inputs.key")
    compare = lambda listed: inputs.compare(listed, "inputs.tsv", "inputs.key")  # noqa: E731
    assert compare(entries(sheet, what=PIECES)) == {PERSON: Changes(), PIECES: Changes()}
    Path("m.vcf").write_text("M.vcf")
    assert compare(entries(sheet, what=PIECES))[PIECES] == Changes(changed=[3])
    # Of files the one says nothing to the other; of people it does.
    assert compare(entries(sheet, PEOPLE[:1])) == {PERSON: Changes(gone=1)}


def test_nothing_differs_wherever_the_files_lie_and_however_the_sheets_are_sorted(compared, sheet):
    assert compared() == SAME
    Path("moved.vcf").write_text("m.vcf")
    moved = [replace(row, path="moved.vcf") if row.sample_id == "Mari" else row for row in sheet]
    assert compared(moved[::-1], PEOPLE[::-1]) == SAME


@pytest.mark.parametrize(("name", "row"), [("r2.fq", 2), ("m.vcf", 3), ("j2.vcf", 5)])
def test_one_changed_byte_is_named_by_the_row_of_the_sheet(compared, name, row):
    path = Path(name)
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])
    assert compared() == {PERSON: Changes(), FILE: Changes(changed=[row])}


def test_a_person_withdrawn_added_or_gone(compared, sheet):
    gone = [PEOPLE[0], replace(PEOPLE[1], withdrawn=True)]
    assert compared(people=gone) == {PERSON: Changes(changed=[3]), FILE: Changes()}
    more = [*PEOPLE, Person("Liis", "F", "EE", row=4)]
    assert compared(people=more) == {PERSON: Changes(new=[4]), FILE: Changes()}
    assert compared(sheet[1:], PEOPLE[1:]) == {PERSON: Changes(gone=1), FILE: Changes(gone=2)}


@pytest.mark.parametrize("change", [{"sex": "F"}, {"country": "LV"}, {"extra": {"batch": "2"}}])
def test_every_cell_of_a_person_counts(compared, change):
    assert compared(people=[replace(PEOPLE[0], **change), PEOPLE[1]])[PERSON] == Changes(changed=[2])


def test_the_record_tells_no_id_no_digest_of_a_file_and_no_order(compared, sheet):
    text = Path("inputs.tsv").read_text()
    for word in ("Jaan", "Mari", "EE", "gvcf", hashlib.sha256(b"m.vcf").hexdigest()):
        assert word not in text
    lines = text.splitlines()
    assert lines[0] == "what\tname\tcontent" and lines[1:] == sorted(lines[1:]) and len(lines) == 8
    assert all(re.fullmatch("(person|file)(\t[0-9a-f]{64}){2}", line) for line in lines[1:])
    inputs.write_record(entries(sheet), "again.tsv", "again.key")
    assert not set(Path("again.tsv").read_text().splitlines()[1:]) & set(lines), "another key, other digests"


def test_what_is_no_record_is_refused(compared):
    def refused(words):
        with pytest.raises(GoeError, match=words):
            compared()

    Path("inputs.key").rename("away.key")
    refused(r"inputs.key: no such file")
    Path("inputs.key").write_text("00")
    Path("inputs.tsv").write_text("person\tstratum\n")
    refused(r"(?s)is no key of a record.*is no record of inputs")


def test_with_another_key_everything_is_new(compared, sheet):
    inputs.write_record(entries(sheet), "other.tsv", "inputs.key")
    found = compared()
    assert (len(found[FILE].new), found[FILE].gone, len(found[PERSON].new), found[PERSON].gone) == (5, 5, 2, 2)
