"""Real gVCFs of GATK: every count of everybody is that of the plain counter, which shares no code."""

import gzip
import subprocess

import pysam
import pytest
from goe.harmonise.genotypes import Filter
from helpers import plain_people as pp
from helpers.own_counting import Options, count_folder, leaf_counts
from helpers.pseudo import write_reference


@pytest.fixture
def cohort(tmp_path):
    """A folder, of files of one person each, as the plain counter reads it."""

    def write(files, fasta):
        people, inputs = ["sample_id\tsex\tcountry_code"], ["sample_id\tinput_type\tpath"]
        for path in files:
            text = subprocess.run(
                ["bcftools", "view", "--no-version", path], check=True, capture_output=True, text=True
            ).stdout
            name = next(line for line in text.splitlines() if line.startswith("#CHROM")).split("\t")[9]
            (tmp_path / f"{name}.vcf").write_text(text)
            packed = subprocess.run(["bgzip", "-c", tmp_path / f"{name}.vcf"], check=True, capture_output=True)
            (tmp_path / f"{name}.vcf.gz").write_bytes(packed.stdout)
            people.append(f"{name}\tF\tEE")
            inputs.append(f"{name}\tgvcf\t{name}.vcf.gz")
        (tmp_path / "ref.fa").write_text(fasta)
        pysam.faidx(str(tmp_path / "ref.fa"))
        (tmp_path / "par.bed").write_text("")
        (tmp_path / "samples.tsv").write_text("\n".join([*people, ""]))
        (tmp_path / "inputs.tsv").write_text("\n".join([*inputs, ""]))
        return tmp_path

    return write


def same(folder, **thresholds):
    """Number of site alleles, after the counts of all of them were found the same by both."""
    found = leaf_counts(count_folder(folder, folder / "work", Options(rule=Filter(**thresholds))))
    wanted = {s: {leaf: n for leaf, n in by.items() if any(n)} for s, by in pp.count(folder, **thresholds).items()}
    assert {s: (found.get(s), wanted.get(s)) for s in found | wanted if found.get(s) != wanted.get(s)} == {}
    return len(found)


def test_two_genomes_over_100_kb(shared, cohort):
    """NA12878 by GATK 3 and NA19240 by GATK 4, chr20:10.0-10.1 Mb."""
    source = shared / "data/gvcf/gatk_chr20"
    files = [source / "CEUTrio.20.21.gatk3.4.g.vcf.bgz", source / "YRIoffspring.chr20snippet.g.vcf.gz"]
    with gzip.open(shared / "data/reference/hs37d5.chr20.fa.gz", "rt") as lines:
        folder = cohort(files, lines.read())
    assert same(folder) == 386


@pytest.mark.parametrize("thresholds", [{}, {"min_gq": 3, "min_dp": 2, "min_ab": 0.1}])
def test_ten_people_of_the_1000_genomes(shared, cohort, tmp_path, thresholds):
    """chr22 at a median depth of 4: few calls pass by default. There is no reference of it; REF alleles make one."""
    files = sorted((shared / "data/gvcf/gatk_chr22_1000g").glob("*.g.vcf.gz"))[:10]
    fasta, _ = write_reference(files[0], tmp_path, *files[1:])
    assert same(cohort(files, fasta.read_text()), **thresholds) == 149
