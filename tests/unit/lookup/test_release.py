"""`goe lookup`: the numbers of the release, and what an allele that is not listed means."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from goe import cli
from goe.core.errors import GoeError
from goe.disclosure.silence import FLOOR, Silence
from goe.lookup import release as lookup
from helpers import release_folder as rf

WIDE = "frequencies-wide/chr20.parquet"


@pytest.fixture(scope="module")
def open_release(tmp_path_factory):
    return rf.make(tmp_path_factory.mktemp("open"), rule=rf.OPEN, gdi=False, contigs={"chr20": 1500})


def named(row):
    return "-".join(str(row[key]) for key in ("contig", "pos", "ref", "alt"))


def rows(root):
    return pq.read_table(root / WIDE).to_pylist()


def free(root, callable_an=True):
    """A position of chr20 at which no allele is listed."""
    taken = {pos for row in rows(root) for pos in range(row["pos"], row["pos"] + len(row["ref"]))}
    runs = pq.read_table(root / "callable_an/chr20.parquet").to_pylist()
    for pos in range(1, runs[-1]["end"]):
        run = next(run for run in runs if run["start"] < pos <= run["end"])
        if pos not in taken and (run["an_Total"] > 0) == callable_an:
            return pos, run
    raise AssertionError("no such position")


def test_every_listed_allele_has_its_numbers(released):
    asked = lookup.Release(released)
    there = rows(released)
    assert len(there) > 80
    for row in there[:: len(there) // 40]:
        (answer,) = asked.ask(named(row))
        assert answer.outcome == (lookup.PASS if row["filter"] == "PASS" else lookup.FILTERED)
        assert set(answer.filters) == set(() if row["filter"] == "PASS" else row["filter"].split(";"))
        for stratum, cell in answer.numbers.items():
            end = "" if stratum == "Total" else f"_{stratum}"
            assert (cell or {"an": None, "ac": None})["an"] == row[f"an{end}"]
            assert (cell or {"an": None, "ac": None})["ac"] == row[f"ac{end}"]
        text = "\n".join(answer.lines())
        assert f"{row['ac']:,}" in text and f"{row['an']:,}" in text
        assert ("withheld" in text) == any(cell is None for cell in answer.numbers.values())


def test_callable_and_not_listed_in_an_open_release_is_nobody(open_release):
    pos, run = free(open_release)
    (answer,) = lookup.Release(open_release).ask(f"chr20-{pos}-A-C")
    assert answer.outcome == lookup.NOBODY and f"AC 0 of AN {run['an_Total']:,}" in answer.words
    assert answer.callable_an["EE_M"] == run["an_EE_M"]


def change_an(root, target, an):
    copy = rf.copy(root, target)
    path = copy / "callable_an/chr20.parquet"
    table = pq.read_table(path)
    i = table.schema.get_field_index("an_Total")
    pq.write_table(table.set_column(i, table.schema.field(i), pa.array([an] * len(table), pa.int32())), path)
    return copy


def test_outside_of_the_callable_genome(open_release, tmp_path):
    pos, _ = free(open_release)
    copy = change_an(open_release, tmp_path / "copy", 0)
    (answer,) = lookup.Release(copy).ask(f"chr20-{pos}-A-C")
    assert answer.outcome == lookup.NOT_CALLABLE
    assert "nobody is called there" in answer.words
    asked = lookup.Release(copy)
    asked.silence = Silence(FLOOR, 5, 4)
    assert "fewer than may be told" in asked.ask(f"chr20-{pos}-A-C")[0].words


def test_under_a_floor_few_may_carry_it_and_no_number_is_made_up(released):
    pos, _ = free(released)
    asked = lookup.Release(released)
    asked.silence = Silence(FLOOR, 5, 4)
    (answer,) = asked.ask(f"chr20-{pos}-A-C")
    assert answer.outcome == lookup.FEW and "1 to 4 people carry it or all but 1 to 4" in answer.words
    assert not answer.numbers


@pytest.mark.parametrize(
    ("silence", "words"),
    [
        (Silence(FLOOR, 5, 5), "since it would tell its parts"),
        (Silence("unknown", 5), "more than the floor"),
    ],
)
def test_where_more_can_be_withheld_nothing_is_said(released, silence, words):
    pos, _ = free(released)
    asked = lookup.Release(released)
    asked.silence = silence
    (answer,) = asked.ask(f"chr20-{pos}-A-C")
    assert answer.outcome == lookup.NOT_SAID and words in answer.words


def test_beside_a_listed_allele_nothing_is_said_where_alleles_were_withheld_together(released):
    asked = lookup.Release(released)
    asked.silence = Silence(FLOOR, 5, 4, beside=False)
    row = max(rows(released), key=lambda one: len(one["ref"]))
    over = row["pos"] + len(row["ref"]) - 1
    alt = next(base for base in "ACGT" if base != "A")
    (answer,) = asked.ask(f"chr20-{over}-A-{alt}")
    assert answer.outcome in (lookup.NOT_SAID, lookup.PASS, lookup.FILTERED)
    pos, _ = free(released)
    assert asked.ask(f"chr20-{pos}-A-C")[0].outcome == lookup.FEW


def test_people_of_joint_files_alone_leave_it_open(open_release):
    pos, _ = free(open_release)
    asked = lookup.Release(open_release)
    asked.facts.said["dataset"]["callable_an"]["people"] = {}
    (answer,) = asked.ask(f"chr20-{pos}-A-C")
    assert answer.outcome == lookup.NOT_SAID and "nobody in this release came as gVCF or reads" in answer.words


def test_the_command(released, tmp_path, capsys):
    row = next(row for row in rows(released) if row["filter"] == "PASS")
    assert cli.main(["lookup", str(released), named(row), "--json", str(tmp_path / "a.json")]) == cli.PASSED
    assert capsys.readouterr().out.startswith(named(row))
    said = json.loads((tmp_path / "a.json").read_text())
    assert said["answers"][0]["numbers"]["Total"]["ac"] == row["ac"]
    pos, _ = free(released)
    assert cli.main(["lookup", str(released), f"chr20-{pos}-A-C"]) == cli.FAILED
    capsys.readouterr()
    # What can be read is answered, and what cannot is named.
    assert cli.main(["lookup", str(released), named(row), "rs1", "chr99-1-A-C"]) == cli.UNUSABLE
    out = capsys.readouterr()
    assert named(row) in out.out and "rs1: is an rs number" in out.err and "chr99" in out.err


def test_a_folder_that_is_no_release_and_a_reference_of_another_build(released, tmp_path):
    with pytest.raises(GoeError, match=r"dataset\.json"):
        lookup.Release(tmp_path)
    fasta = tmp_path / "r.fa"
    fasta.write_text(">chr20\nACGT\n")
    with pytest.raises(GoeError, match="chr20 has 4 bases, 600 in the release"):
        lookup.Release(released, fasta)


def test_an_allele_is_found_by_the_names_that_the_release_has(released, monkeypatch):
    asked = lookup.Release(released)
    rows = pq.read_table(released / "allele-names/chrX.parquet").to_pylist()
    assert len(rows) > 20
    for row in rows[::7]:
        (answer,) = asked.ask(f" {row['vrs_id']} ")
        assert str(answer.allele) == f"chrX-{row['pos']}-{row['ref']}-{row['alt']}"
        assert answer.vrs == row["vrs_id"] and answer.outcome in (lookup.PASS, lookup.FILTERED)
        assert row["vrs_id"] in answer.lines()[0]
    with pytest.raises(GoeError, match="none of an allele of this release"):
        asked.ask("ga4gh:VA." + "0" * 32)


def test_a_deletion_is_found_by_its_contextual_spdi_without_a_reference(released, tmp_path, monkeypatch):
    """Contigs of the test have no accession: one is given to them."""
    root = rf.copy(released, tmp_path)
    path = root / "allele-names/chr20.parquet"
    table = pq.read_table(path)
    row = next(i for i, ref in enumerate(table["ref"].to_pylist()) if len(ref) > 2)
    pos, ref, alt = (table[name][row].as_py() for name in ("pos", "ref", "alt"))
    spdi = f"NC_000020.11:{pos}:{ref[1:]}{ref[1:]}:{ref[1:]}"
    values = table["spdi"].to_pylist()
    values[row] = spdi
    pq.write_table(table.set_column(5, table.schema.field("spdi"), pa.array(values, pa.string())), path)
    monkeypatch.setattr(
        lookup.hgvs, "accession", lambda build, contig, length: "NC_000020.11" if contig == "chr20" else None
    )
    (answer,) = lookup.Release(root).ask(spdi)
    assert (answer.allele.pos, answer.allele.ref, answer.allele.alt) == (pos, ref, alt)
