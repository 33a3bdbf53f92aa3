"""Published numbers: 1000 Genomes phase 3 sites with the genotypes of all 2,504 people."""

import subprocess

import cyvcf2
import pytest
from goe.genome.build import Build
from helpers.counting import count_vcf
from helpers.pseudo import write_reference

GROUPS = {"EAS": "JP", "AMR": "PE", "AFR": "NG", "EUR": "GB", "SAS": "IN"}
"""Superpopulations under the country codes that strata are made of."""


@pytest.fixture(scope="module")
def panel(shared):
    """sample -> (sex, country code)."""
    rows = (shared / "data/integrated_call_samples_v3.20130502.ALL.panel").read_text().splitlines()[1:]
    cells = [row.split() for row in rows]
    return {c[0]: ({"male": "M", "female": "F"}[c[3]], GROUPS[c[2]]) for c in cells}


def test_ac_an_and_superpopulation_frequencies(shared, panel, tmp_path):
    vcf = shared / "data/vcf/demo.header_fixed.vcf"
    fasta, lengths = write_reference(vcf, tmp_path)
    names = subprocess.run(["bcftools", "query", "-l", vcf], check=True, capture_output=True, text=True).stdout.split()
    sheet = {name: panel[name] for name in names}
    assert len(sheet) == 2504
    # GT alone: no test of the filter applies.
    absent = ("GQ", "DP", "AD")
    table, ledgers = count_vcf(vcf, fasta, Build("b37", lengths, []), sheet, 10**9, tmp_path, absent=absent)
    assert table.num_rows == 45 and len(ledgers) == 2
    rows = {(r["pos"], r["ref"], r["alt"]): r for r in table.to_pylist()}
    for record in cyvcf2.VCF(str(vcf)):
        row = rows[record.POS, record.REF, record.ALT[0]]

        def sums(measure, country="", row=row):
            return sum(v for k, v in row.items() if k.startswith(f"{measure}_{country}"))

        ac, an = sums("het") + 2 * sums("hom"), 2 * sums("dip")
        assert (ac, an, sums("hap")) == (record.INFO["AC"], record.INFO["AN"], 0)
        assert ac / an == pytest.approx(record.INFO["AF"], abs=5.1e-7)
        for group, country in GROUPS.items():
            af = (sums("het", country) + 2 * sums("hom", country)) / (2 * sums("dip", country))
            # Published to four digits; a float of 32 bits adds what is beyond half a unit.
            assert af == pytest.approx(record.INFO[f"{group}_AF"], abs=5.1e-5), (record.POS, group)
