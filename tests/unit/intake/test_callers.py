"""Programs that are told by their headers, and rows that stop a file."""

import pytest
from goe.intake import callers

BLOCK = "chr1\t5\t.\tA\t{alt}\t.\t.\t{info}\t{form}\t0/0:30\t0/0:30"


@pytest.mark.parametrize(
    ("line", "program"),
    [
        ("##DRAGENCommandLine=<ID=dragen,Version=1>", "DRAGEN"),
        ("##source=strelka", "Strelka"),
        ("##DeepVariant_version=1.6.0", "DeepVariant"),
        ("##GLnexusVersion=v1.4.1", "GLnexus"),
        ("##GATKCommandLine=<ID=HaplotypeCaller>", "GATK"),
        ("##source=freeBayes v1.3.6", "freebayes"),
        ("##bcftools_callVersion=1.16+htslib-1.16", "bcftools"),
        ("##source=PLINKv2.00", "PLINK"),
        ("##INFO=<ID=DRAGEN,Number=0,Type=Flag,Description=a>", ""),
    ],
)
def test_a_program_is_told_by_its_header(line, program):
    assert callers.recognised(["##fileformat=VCFv4.2", line]) == program


@pytest.mark.parametrize(
    ("alt", "info", "form", "stops"),
    [
        ("<*>", ".", "GT:DP:LEN", True),
        ("<NON_REF>", "END=9", "GT:DP", True),
        (".", "DP=3;END=9", "GT:DP", True),
        (".", ".", "GT:DP", False),
        ("<DEL>", "SVTYPE=DEL;END=99", "GT:DP", False),
        ("C", "END=5", "GT:DP", False),
        (".", "BEND=9", "GT:DP", False),
    ],
)
def test_blocks_of_a_joint_file_stop_it_and_structural_variants_do_not(alt, info, form, stops):
    row = BLOCK.format(alt=alt, info=info, form=form)
    found = callers.traps("", "joint_vcf", [row])
    assert bool(found) == stops and not callers.traps("", "gvcf", [row])
    assert all("chr1:5" in problem.what and problem.mend for problem in found)


def test_a_stray_block_among_many_rows_stops_nothing():
    row = "chr1\t5\t.\tA\tC\t.\t.\t.\tGT\t0/0"
    block = BLOCK.format(alt="<NON_REF>", info="END=9", form="GT:DP")
    assert not callers.traps("", "joint_vcf", [*[row] * 20, block])
    assert callers.traps("", "joint_vcf", [*[row] * 5, block])


def test_cells_that_repeat_the_row_above_are_spvcf():
    assert "spvcf decode" in callers.traps("", "joint_vcf", ['chr1\t5\t.\tA\tC\t.\t.\t.\tGT\t0/0\t"3'])[0].mend
    assert callers.traps("spVCF", "joint_vcf", [])


def test_rows_of_m_without_a_quality_are_told():
    said = callers.silent_on_m("chrM\t1\t.\tC\t<NON_REF>\t.\tPASS\tEND=99\tGT:AD:DP:SQ:MIN_DP\t0/0:9,1:10:3:9")
    assert "SQ" in said.what and 'leave_out: {"chrM": "no GQ"}' in said.mend
    assert callers.silent_on_m("chrM\t1\t.\tC\tT\t.\t.\t.\tGT:DP:PL\t0/0:9:0,9,90") is None
    assert callers.silent_on_m("") is None


def test_notes_are_of_program_and_kind():
    assert "made by GLnexus" in callers.notes("GLnexus", "joint_vcf")[0].what
    assert callers.notes("GLnexus", "gvcf") == callers.notes("", "joint_vcf") == []


def test_calls_of_one_allele_in_a_par_are_told():
    def rows(*cells):
        return [f"chrX\t{n}\t.\tA\tC\t.\t.\t.\tGT:DP\t{row}\n" for n, row in enumerate(cells, 1)]

    said = callers.haploid_in_par(rows("1:30", "0:30", ".:0", "0/1:30", "/1:30")).what
    assert said.startswith("3 of 4 calls in the first 5 records ") and said.endswith("one allele: missing there (C2.2)")
    said = callers.haploid_in_par(rows("1\t0/1\t./.", "0\t0|1\t0/0"))
    assert "2 of 5 calls in the first 2 records" in said.what and "those of 1 of 3 people" in said.what
    assert "--par_regions_bed" in said.mend and "fixploidy" not in said.mend
    assert callers.haploid_in_par(rows("0/1:30", "./.", ".", "0|0", "1/.")) is None
    assert callers.haploid_in_par([]) is None
    assert callers.haploid_in_par(["chrX\t1\t.\tA\tC\t.\t.\t.\tDP\t30"]) is None
