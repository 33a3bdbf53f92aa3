"""Contigs without a record: of a person whose like have them, and of everybody."""

import pytest
from goe.genome.build import Build
from goe.intake.whole_genomes import Used, look
from goe.settings.sheets import Input

BUILD = Build("toy", {"chr1": 10, "chr2": 10, "chrX": 10, "chrY": 10, "chrM": 10}, [])
ALL = tuple(BUILD.contigs)


def told(*files):
    """Problems and notes; files are (kind, contigs)."""
    used = [Used(Input("", kind, f"{row}.x", row=row), contigs) for row, (kind, contigs) in enumerate(files, 2)]
    problems, notes = look(used, BUILD, "inputs.tsv")
    return [str(p) for p in problems], [str(n) for n in notes]


@pytest.mark.parametrize("kind", ["gvcf", "bam", "cram"])
def test_a_chromosome_that_others_of_the_kind_have(kind):
    problems, notes = told((kind, ALL), (kind, ("chr1", "chrX")), (kind, ("chr1", "chr2", "chrX")))
    assert notes == []
    assert len(problems) == 1 and problems[0].startswith(
        f"inputs.tsv row 3, 3.x: has no record on chr2, where other inputs of type {kind} have them -> give the whole"
    )


def test_another_kind_and_y_and_m_prove_nothing():
    assert told(("gvcf", ALL), ("bam", ("chr1",)), ("gvcf", ("chr1", "chr2", "chrX")), ("bam", ())) == ([], [])


def test_of_a_vcf_of_one_person_it_is_a_note():
    problems, notes = told(("vcf", ALL), ("vcf", ("chr1", "chrX")))
    assert problems == [] and "row 3, 3.x: has no record on chr2" in notes[0]


def test_contigs_of_which_no_input_speaks():
    joint = [("joint_vcf", ("chr1",)), ("joint_vcf", ("chrX",))]
    problems, notes = told(*joint)
    assert problems == []
    assert notes == [
        "inputs.tsv: no input has a record on chr2, chrY, chrM: nobody is counted there -> add the file that was "
        "forgotten, or say why there is none: reference.leave_out"
    ]
    assert told(*joint, ("fastq", None)) == told(*joint, ("joint_vcf", None)) == told() == ([], [])
