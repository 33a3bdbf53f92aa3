"""Bounds hold where another aligner or caller can explain what differs, and nowhere else."""

import pytest
from goe.audit import bounds
from goe.audit.provenance import Cause, Provenance
from goe.compare import run
from helpers import release_folder as rf

WIDE = "frequencies-wide/chr20.parquet"
BWA = Cause("versions", "bwa", "0.7.17", "0.7.18")
READS = {"EE_F": 3, "LV_M": 1}


def moved(root, by, rows=1, column="ac_EE"):
    """A number of a stratum in a copy of a release, at the first alleles that have it."""

    def change(table):
        for row in [row for row in table if row[column] is not None][:rows]:
            row[column] += by
        return table

    rf.edit_parquet(root / WIDE, change)
    rf.sign(root)


def look(released, copied, *causes, reads=READS):
    return bounds.look(run.compare(released, copied), Provenance(causes), reads)


@pytest.mark.parametrize(("by", "holds"), [(6, True), (-6, True), (7, False)])
def test_a_stratum_moves_by_two_alleles_a_person_who_came_as_reads(released, copied, by, holds):
    moved(copied, by)
    found = look(released, copied, BWA)
    assert found.hold is holds and found.tools == ("bwa",)
    assert f"AC and AN of EE are at most 6 apart: {abs(by)}" in found.stated
    assert found.beyond == (() if holds else ("AC and AN of EE are at most 6 apart: 7",))


def test_a_stratum_without_reads_moves_by_nothing(released, copied):
    moved(copied, 1, column="ac_EE_M")
    assert look(released, copied, BWA).beyond == ("AC and AN of EE_M are at most 0 apart: 1",)


def test_few_alleles_may_differ(released, copied):
    moved(copied, 1, rows=5)
    (beyond,) = look(released, copied, BWA).beyond
    assert beyond.startswith("of ") and beyond.endswith(" at most 1% differ in anything: 5 do")


def test_people_are_no_matter_of_a_version(released, copied):
    rf.edit_json(copied / "metadata/dataset.json", lambda said: said["strata"].update(EE=619))
    rf.sign(copied)
    assert look(released, copied, BWA).beyond == ("no genotype explains another number of people",)


@pytest.mark.parametrize(
    ("causes", "reads", "words"),
    [
        ((), READS, "no tool that aligns or calls had another version"),
        ((Cause("versions", "plink2", "1", "2"),), READS, "no tool that aligns or calls had another version"),
        ((BWA, Cause("settings", "genotype_filter.min_gq", 20, 30)), READS, "more than versions differs: settings"),
        ((BWA,), {}, "nobody came as reads"),
    ],
)
def test_where_no_bounds_apply(released, copied, causes, reads, words):
    moved(copied, 1)
    found = look(released, copied, *causes, reads=reads)
    assert (found.hold, found.why_not) == (False, words)


def test_people_who_count_and_came_as_reads():
    keep = [
        {"sample_id": name, "keep": kept, "country_code": "EE", "count_sex": sex}
        for name, kept, sex in (("a", "yes", "F"), ("b", "no", "F"), ("c", "yes", "M"), ("d", "yes", "F"))
    ]
    people = {name: {"input_type": kind} for name, kind in zip("abcd", ("fastq", "cram", "gvcf", "bam"), strict=True)}
    assert bounds.from_reads(keep, people) == {"EE_F": 2}
