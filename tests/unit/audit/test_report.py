"""The auditor's report: faults that were planted are found, named, and said to be explained or not."""

import json

import pytest
from goe.audit import report
from goe.audit.provenance import Cause, Provenance
from goe.core import manifest
from helpers import release_folder as rf

WIDE = "frequencies-wide/chr20.parquet"
KEEP = [{"sample_id": "a", "keep": "yes", "country_code": "EE", "count_sex": "F"}]
PEOPLE = {"a": {"input_type": "fastq"}}
THRESHOLD = Cause("settings", "variant_qc.min_call_rate", 0.9, 0.8)
PERSON = Cause("people", "row 7 of the sheet", "as recorded", "changed")
DATA = Cause("inputs", "row 4 of the sheet", "as recorded", "changed")
BWA = Cause("versions", "bwa", "0.7.17", "0.7.18")


def made(released, copied, *causes, not_asked=None):
    return report.make(released, copied, Provenance(causes, not_asked or {}), KEEP, PEOPLE, 2)


def change_row(root, row, **values):
    rf.edit_parquet(root / WIDE, lambda rows: [one | (values if i == row else {}) for i, one in enumerate(rows)])
    rf.sign(root)


def flip(released, root):
    """One person of EE, a woman, from heterozygous to homozygous at an allele; its name."""
    import pyarrow.parquet as pq

    rows = pq.read_table(released / WIDE).to_pylist()
    i = next(i for i, row in enumerate(rows) if row["ac_het_EE"] and row["ac_EE"] < row["an_EE"])
    change_row(root, i, ac_EE=rows[i]["ac_EE"] + 1)
    return ":".join(str(rows[i][key]) for key in ("contig", "pos", "ref", "alt"))


def test_the_same_release_is_ready_to_be_signed(released, copied):
    found = made(released, copied)
    text = found.markdown()
    assert found.verdict == "same" and found.verdict in report.GOOD
    assert text.startswith(f"# Audit of {rf.ID}\n") and "**Same.** The second run gave the same release." in text
    assert text.count("| the same |") == 7 and "Signature: ___" in text
    assert manifest.digest(released / manifest.NAME) in text
    said = found.as_dict()
    assert (said["verdict"], said["explained"], said["unexplained"], said["problems"]) == ("same", {}, [], [])
    assert json.loads(json.dumps(said)) == said


def test_a_changed_byte_that_changes_no_number_is_named(released, copied):
    found = made(released, copied, DATA)
    assert found.verdict == "same"
    assert "| Data files | **1 differ** |" in found.markdown()
    assert "- inputs, row 4 of the sheet: as recorded \\| changed" in found.markdown()


def test_a_flipped_genotype_is_named_and_its_data_file_explains_it(released, copied):
    allele = flip(released, copied)
    found = made(released, copied, DATA)
    assert found.verdict == "different" and found.verdict not in report.GOOD
    assert found.explained["numbers"] == [str(DATA)] and found.as_dict()["unexplained"] == []
    assert f"- {allele} EE ac: " in found.markdown()
    assert "Can be explained by inputs, row 4 of the sheet: as recorded \\| changed." in found.markdown()


def test_what_nothing_explains_is_said(released, copied):
    flip(released, copied)
    found = made(released, copied, not_asked={"people": "no record", "inputs": "no record"})
    assert found.as_dict()["unexplained"] == ["numbers", "files"]
    assert report.NOTHING in found.markdown() and "not asked: no record" in found.markdown()
    assert any("which nothing explains" in line for line in found.told())


def test_a_threshold_of_sites_explains_filters_and_no_count(released, copied):
    change_row(copied, 0, filter="LowCallRate")
    assert made(released, copied, THRESHOLD).explained["filters"] == [str(THRESHOLD)]
    flip(released, copied)
    assert "numbers" in made(released, copied, THRESHOLD).as_dict()["unexplained"]


def test_a_person_is_named(released, copied):
    rf.edit_json(copied / "metadata/dataset.json", lambda said: said["strata"].update(EE=619))
    rf.sign(copied)
    found = made(released, copied, PERSON)
    assert found.verdict == "different" and found.explained["people"] == [str(PERSON)]
    assert "- EE people: 620 \\| 619" in found.markdown()


def test_a_tool_version_alone_gives_the_same_numbers(released, copied):
    path = copied / "ro-crate-metadata.json"
    path.write_text(path.read_text().replace('"softwareVersion": "1.21"', '"softwareVersion": "1.22"', 1))
    rf.sign(copied)
    cause = Cause("versions", "bcftools", "1.21", "1.22")
    found = made(released, copied, cause)
    assert found.verdict == "same numbers" and found.verdict in report.GOOD
    assert found.explained == {"versions": [str(cause)]}


def test_another_aligner_is_held_to_its_bounds(released, copied):
    flip(released, copied)
    found = made(released, copied, BWA)
    assert found.verdict == "same within bounds" and found.verdict in report.GOOD
    assert "## Bounds" in found.markdown() and "AC and AN of EE are at most 2 apart: 1" in found.markdown()
    change_row(copied, 5, an_EE=10)
    found = made(released, copied, BWA)
    assert found.verdict == "different" and "- **beyond**: AC and AN of EE are at most 2 apart: " in found.markdown()


def test_another_reference_is_not_compared_and_no_place_is_told(released, copied, tmp_path):
    rf.edit_json(copied / "metadata/dataset.json", lambda said: said["contigs"][0].update(md5="0" * 32))
    rf.sign(copied)
    found = made(released, copied, Cause("reference", "chr20", [600, "1" * 32], [600, "0" * 32]))
    assert found.verdict == "not comparable" and found.verdict not in report.GOOD
    for text in (found.markdown(), json.dumps(found.as_dict())):
        assert f"chr20 has 600 bases, MD5 {'0' * 32}" in text.replace("\\", "")
        assert str(tmp_path) not in text and str(released) not in text


def test_what_a_release_says_is_no_markup(released, copied):
    cause = Cause("settings", "dataset.title", "<b>x</b>", "[y](http://z)|*\n#")
    text = made(released, copied, cause).markdown()
    assert r"\<b\>x\</b\> \| \[y\](http://z)\|\*\\n#" in text


@pytest.mark.parametrize("section", ["genotype_filter", "sample_qc", "caller", "strata"])
def test_what_decides_genotypes_or_people_can_show_everywhere(section):
    assert {"numbers", "people", "alleles"} <= report.shows_in(Cause("settings", f"{section}.x", 1, 2))
