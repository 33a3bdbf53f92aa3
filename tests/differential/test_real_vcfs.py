"""VCFs of other people's callers: they run through, their ledgers close, and a record of each is worked out by hand.

None has its reference here; helpers/pseudo.py makes one of the REF alleles.
"""

import subprocess

import cyvcf2
import pytest
from goe.core.ledger import total
from goe.genome.build import Build
from goe.sample_qc.metrics import sum_people
from helpers.counting import count_vcf
from helpers.pseudo import write_reference

PAR = [("chrX", 10001, 2781479), ("chrX", 155701383, 156030895)]


@pytest.fixture
def counted(shared, tmp_path):
    def run(name, sexes, declare="", **options):
        """Site allele -> its row, and the total of the ledgers.

        sexes: sample -> sex, or one for all; declare: header lines that the file lacks (bcftools writes no BCF then).
        """
        vcf = shared / "data/vcf" / f"{name}.vcf.gz"
        if declare:
            (tmp_path / "lines.txt").write_text(declare)
            command = ["bcftools", "annotate", "-h", tmp_path / "lines.txt", "-Oz", "-o", tmp_path / vcf.name, vcf]
            subprocess.run(command, check=True)
            vcf = tmp_path / vcf.name
        fasta, lengths = write_reference(vcf, tmp_path)
        if isinstance(sexes, str):
            sexes = dict.fromkeys(cyvcf2.VCF(str(vcf)).samples, sexes)
        sheet = {sample: (sex, "EE") for sample, sex in sexes.items()}
        build = Build("pseudo", lengths, PAR if "chrX" in lengths else [])
        table, ledgers = count_vcf(vcf, fasta, build, sheet, 10**9, tmp_path, **options)
        for i, ledger in enumerate(ledgers):
            ledger.write(tmp_path / f"{i}.json")
        whole = total(sorted(tmp_path.glob("*.json")), name)
        assert "non_acgt_after_aligning" not in whole.dropped.get("site_alleles", {})
        rows = {(r["pos"], r["ref"], r["alt"]): r for r in table.to_pylist()}
        assert len(rows) == table.num_rows
        return rows, whole

    return run


UNDECLARED = "".join(
    f'##INFO=<ID={name},Number=1,Type=String,Description="Not declared in the file">\n'
    for name in ("ClippingRankSum", "RAW_MQ")
)


def numbers(row):
    """(AC, AN, AC_Hom, AC_Het, AC_Hemi) of all people."""
    dip, hap, het, hom, hemi = (
        sum(v for k, v in row.items() if k.startswith(f"{m}_")) for m in ("dip", "hap", "het", "hom", "hemi")
    )
    return 2 * hom + het + hemi, 2 * dip + hap, 2 * hom, het, hemi


def test_mitochondrion_coded_diploid_with_spanning_deletions(counted):
    """1000 Genomes high coverage: 3 people, every call 0/0 with GQ 99."""
    rows, ledger = counted("1kg_2020_chrM", "F")
    assert (ledger.taken["records"], ledger.given["records"]) == (23, 23)
    # The records at 56, 57, 58 and 66 have `*` among their ALTs.
    assert ledger.dropped["alts"] == {"star": 4}
    # 56 ATT>*,ATTT,ACTT,A: an insertion of T, an insertion of C, a deletion; 0/0 on M is one allele each, so AN is 3.
    for allele in ((56, "A", "AT"), (56, "A", "AC"), (56, "ATT", "A")):
        assert numbers(rows[allele]) == (0, 3, 0, 0, 0)
    # 65 TG>T,CG,TGG,TCGG: CG is the SNV T>C once the shared G is gone, TGG and TCGG are insertions after the T.
    assert {alt for (pos, _, alt) in rows if pos == 65} == {"T", "C", "TG", "TCG"}
    assert all(numbers(row)[:2] == (0, 3) for row in rows.values())


def test_haploid_man_beside_diploid_woman_on_x(counted, tmp_path):
    """NA12891 was called with ploidy 1 on all of chrX, NA12892 with 2."""
    rows, ledger = counted("haploidPlusDiploid.expected", {"NA12891": "M", "NA12892": "F"})
    assert ledger.taken["records"] == 11343
    # 1000524 T>A,* in PAR1: the man's `1` is not a call of two alleles, so missing. The woman is 1|2 with AD 0,23,16:
    # 23/39 and 16/39 pass, a het for A; `*` is no row.
    assert numbers(rows[1000524, "T", "A"]) == (1, 2, 0, 1, 0)
    assert (1000524, "T", "*") not in rows
    # 2781514 C>A, outside PAR1: his `1` (DP 23) is hemizygous, she is 0/1 with AD 21,16 of 37.
    assert numbers(rows[2781514, "C", "A"]) == (2, 3, 0, 1, 1)
    # 2782572 A>G: his `1` (DP 26), her 0/0 (DP 68, GQ 99).
    assert numbers(rows[2782572, "A", "G"]) == (1, 3, 0, 0, 1)
    inside = [row for (pos, _, _), row in rows.items() if pos <= 2781479 - 100]
    assert inside and all(row["hap_EE_M"] == row["dip_EE_M"] == 0 for row in inside)
    # Of the 7443 records in PAR1 he has a call in 7382, each of one allele; she in 7363, none so.
    people = sum_people(tmp_path.glob("*.people.parquet"))
    in_par = {name: (row[1]["n_par_haploid"], row[1]["n_par"]) for name, row in people.items()}
    assert in_par == {"NA12891": (7382, 7382), "NA12892": (0, 7363)}


def test_hundred_people_and_many_multiallelic_sites(counted):
    """Chromosome 22 of 100 people at low depth: most calls fail the filter."""
    rows, ledger = counted("sample2", "F", "##contig=<ID=22,length=51304566>\n")
    assert ledger.taken["records"] == 735
    # 16387187 CT>C,CTT. With DP >= 10 and GQ >= 20: 8 of 0/0; 0/1 with AD 10,3,0 of 13 and 11,4,0 of 15;
    # 0/2 with 6,0,5 of 11, 8,0,6 of 14, 11,1,3 of 15 (exactly 0.2), 6,3,5 of 14, 9,1,3 of 13. That is 15 people.
    assert numbers(rows[16387187, "CT", "C"]) == (2, 30, 0, 2, 0)
    assert numbers(rows[16387187, "C", "CT"]) == (5, 30, 0, 5, 0)
    # 17415718 T>TAA,*: 4 of 2/2, 11 of 0/2 and one 0/0 pass; whoever has TAA does not. All 16 are called.
    assert numbers(rows[17415718, "T", "TAA"]) == (0, 32, 0, 0, 0)
    assert {rows[a]["n_records"] for a in ((16387187, "CT", "C"), (16387187, "C", "CT"), (17415718, "T", "TAA"))} == {1}


def test_mutect_style_mitochondrion(counted):
    """Calls such as 0/1/2/3, one allele for each that was seen, and no GQ in any record."""
    rows, ledger = counted("threeSamples.MT", "F", absent=("GQ",))
    assert (ledger.taken["records"], ledger.given["records"]) == (86, 86)
    # 152 T>C: 1 (DP 6432), 0 (7157), 1 (5514).
    assert numbers(rows[152, "T", "C"]) == (2, 3, 0, 0, 2)
    # 73 A>G: 0, 0 and 0/1 with AD 8,2682: two alleles where one is expected, so missing, however one-sided the reads.
    assert numbers(rows[73, "A", "G"]) == (0, 2, 0, 0, 0)
    # 310 T>TC,C: 1/2, 1/2 and 0/1: everybody is missing.
    assert numbers(rows[310, "T", "TC"]) == numbers(rows[310, "T", "C"]) == (0, 0, 0, 0, 0)
    # 6233 A>C,T: 0, 0/1/2 and 0: three alleles are no call.
    assert numbers(rows[6233, "A", "T"]) == (0, 2, 0, 0, 0)


def test_mutect_style_without_leave_to_lack_gq(counted):
    """The same, GQ asked for: its header declares GQ, no genotype has it, nobody passes."""
    rows, _ = counted("threeSamples.MT", "F")
    assert {numbers(row) for row in rows.values()} == {(0, 0, 0, 0, 0)}


def test_up_to_nine_alts_with_non_ref(counted):
    """65 people, indel-rich sites of a GenomicsDB export; every record ends in <NON_REF>."""
    rows, ledger = counted("multiallelicQualRegression", "F", UNDECLARED)
    assert ledger.taken["records"] == 24
    assert ledger.dropped["alts"]["non_ref"] == 24
    # 19254948 GAA>GAAAAA,GAAAAAA,AAA,GAAAA,GA,G,GAAA. Eleven people pass (DP >= 10, GQ >= 20, each called allele at
    # least 0.2): five of 0/0; 0/4 with 5 and 5 of 10; 0/5 with 12 and 4 of 16, 9 and 3 of 12 (two people), 6 and 3 of
    # 11; 0/7 with 4 and 6 of 10. 0/6 with 2 of 16 and 0/5 with 2 of 11 fail.
    assert numbers(rows[19254948, "G", "GAA"]) == (1, 22, 0, 1, 0)
    assert numbers(rows[19254948, "GA", "G"]) == (4, 22, 0, 4, 0)
    assert numbers(rows[19254948, "G", "GA"]) == (1, 22, 0, 1, 0)
    for alt in ("GAAA", "GAAAA"):
        assert numbers(rows[19254948, "G", alt]) == (0, 22, 0, 0, 0)
    assert numbers(rows[19254948, "GAA", "G"]) == (0, 22, 0, 0, 0)
    # AAA is an SNV of the first base.
    assert numbers(rows[19254948, "G", "A"]) == (0, 22, 0, 0, 0)
