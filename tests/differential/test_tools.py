"""Counts against two tools that others count with, where they mean the same: biallelic, diploid, autosomal calls."""

import csv
import subprocess

import cyvcf2
import numpy as np
import pytest
from goe.genome.build import Build
from goe.harmonise.genotypes import Filter
from goe.variant_qc.statistics import hwe_p
from helpers import simulate
from helpers.counting import count_vcf

PEOPLE, SITES = 300, 400
GROUPS = ("EE_F", "FI_M", "PT_F")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return simulate.cohort(tmp_path_factory.mktemp("cohort"), PEOPLE, SITES, 150_000, seed=3, plain=True)


@pytest.fixture(scope="module")
def counted(cohort, tmp_path_factory):
    """Rows of goe with filter and, as `raw_`, without."""
    build = Build("toy", {simulate.CONTIG: cohort.length}, [])
    folder = tmp_path_factory.mktemp("counted")
    table, _ = count_vcf(cohort.bcf, cohort.fasta, build, cohort.sheet, 10**9, folder, raw=True)
    assert table.num_rows == cohort.sites > 300
    return {(r["pos"], r["ref"], r["alt"]): r for r in table.to_pylist()}


def people(row, prefix, leaves=None):
    """(diploid, het, hom) people of the leaves, or of all."""
    leaves = leaves or [name.removeprefix("dip_") for name in row if name.startswith("dip_")]
    return tuple(sum(row[f"{prefix}{m}_{leaf}"] for leaf in leaves) for m in ("dip", "het", "hom"))


MASK = 'GQ<20 | GQ="." | DP<10 | (GT="het" & (AD[*:0]/DP<0.2 | AD[*:1]/DP<0.2))'


@pytest.mark.parametrize("prefix", ["raw_", ""])
def test_fill_tags(cohort, counted, prefix, tmp_path):
    """AC, AN, AC_Het, AC_Hom of all and of leaf strata, and HWE; with the filter written as a setGT expression."""
    groups = tmp_path / "groups.txt"
    groups.write_text("".join(f"{n}\t{c}_{s}\n" for n, (s, c) in cohort.sheet.items()))
    source = cohort.bcf
    if not prefix:
        source = tmp_path / "masked.bcf"
        command = ["bcftools", "+setGT", cohort.bcf, "-Ob", "-o", source, "--", "-t", "q", "-n", ".", "-i", MASK]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    tagged = tmp_path / "tagged.bcf"
    tags = ["-S", groups, "-t", "AC,AN,AC_Het,AC_Hom,HWE"]
    subprocess.run(["bcftools", "+fill-tags", source, "-Ob", "-o", tagged, "--", *tags], check=True)
    seen = 0
    for record in cyvcf2.VCF(str(tagged)):
        row = counted[record.POS, record.REF, record.ALT[0]]
        for suffix, leaves in [("", None), *((f"_{g}", [g]) for g in GROUPS)]:
            dip, het, hom = people(row, prefix, leaves)
            theirs = [record.INFO.get(f"{tag}{suffix}") for tag in ("AN", "AC_Het", "AC_Hom", "AC")]
            assert theirs == [2 * dip, het, 2 * hom, het + 2 * hom], (record.POS, suffix)
            if het + hom and het + 2 * hom < 2 * dip:
                p = hwe_p(*(np.array([n]) for n in (het, dip - het - hom, hom)))[0]
                # The tag is a 32-bit float.
                assert record.INFO.get(f"HWE{suffix}") == pytest.approx(p, rel=1e-6, abs=1e-40)
        seen += 1
    assert seen == len(counted)


def test_plink_genotype_counts(cohort, counted, tmp_path):
    """plink2 names variants itself and drops the prefix of contigs, so both are asked for."""
    out = tmp_path / "counts"
    command = ["plink2", "--bcf", cohort.bcf, "--set-all-var-ids", "@:#:$r:$a", "--output-chr", "chrM"]
    command += ["--geno-counts", "--threads", "1", "--memory", "640", "--out", out]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with (tmp_path / "counts.gcount").open() as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    assert len(rows) == len(counted)
    for theirs in rows:
        pos = int(theirs["ID"].split(":")[1])
        dip, het, hom = people(counted[pos, theirs["REF"], theirs["ALT"]], "raw_")
        mine = {
            "HOM_REF_CT": dip - het - hom,
            "HET_REF_ALT_CTS": het,
            "TWO_ALT_GENO_CTS": hom,
            "MISSING_CT": PEOPLE - dip,
            "HAP_REF_CT": 0,
            "HAP_ALT_CTS": 0,
        }
        assert {k: int(theirs[k]) for k in mine} == mine


def test_no_filter_is_raw(cohort, counted, tmp_path):
    """A filter of no tests gives the raw counts."""
    build = Build("toy", {simulate.CONTIG: cohort.length}, [])
    table, _ = count_vcf(cohort.bcf, cohort.fasta, build, cohort.sheet, 10**9, tmp_path, rule=Filter(0, 0, 0, 0.0))
    for row in table.to_pylist():
        assert people(row, "") == people(counted[row["pos"], row["ref"], row["alt"]], "raw_")
