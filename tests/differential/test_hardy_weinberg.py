"""Hardy-Weinberg, direction and inbreeding coefficient against plink2 --hardy and bcftools fill-tags.

plink2 has its own exact test (Christopher Chang's SNPHWE2, after Wigginton et al. 2005), bcftools another.
"""

import csv
import json
import subprocess

import cyvcf2
import numpy as np
import pytest
from goe.genome.build import Build
from goe.harmonise.genotypes import Filter
from goe.settings import config
from goe.variant_qc.filters import annotate
from goe.variant_qc.statistics import hwe_p, inbreeding_coefficient, more_heterozygotes
from helpers.counting import count_vcf

HEAD = "##fileformat=VCFv4.2\n##contig=<ID={contig},length={length}>\n" + (
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
)
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"


def write_vcf(path, contig, length, people, genotypes):
    """genotypes: rows of GT texts, one of each person; the alleles are A>C at 101, 102 and so on."""
    with path.open("w") as out:
        out.write(HEAD.format(contig=contig, length=length) + COLUMNS + "\t".join(people) + "\n")
        for i, row in enumerate(genotypes):
            out.write(f"{contig}\t{101 + i}\t.\tA\tC\t50\t.\t.\tGT\t" + "\t".join(row) + "\n")


def hardy(vcf, folder, *options):
    """Rows of plink2 --hardy by position."""
    out = folder / "plink"
    command = ["plink2", "--vcf", vcf, "--hardy", *options, "--threads", "1", "--memory", "640"]
    command += ["--set-all-var-ids", "@:#", "--output-chr", "chrM", "--out", out]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    [path] = folder.glob("plink.hardy*")
    with path.open() as handle:
        return {int(row["ID"].split(":")[1]): row for row in csv.DictReader(handle, delimiter="\t")}


def counts(rng):
    """(het, hom_ref, hom_alt): all of ten people, then random ones and the ends of what there can be, to 4,000."""
    found = {(h, 10 - h - a, a) for h in range(11) for a in range(11 - h)}
    for n in (100, 997, 4000):
        for _ in range(60):
            copies = int(rng.integers(1, 2 * n))
            het = int(rng.integers(0, min(copies, 2 * n - copies) + 1))
            het += (het ^ copies) & 1 if het < min(copies, 2 * n - copies) else -((het ^ copies) & 1)
            found.add((het, n - het - (copies - het) // 2, (copies - het) // 2))
        for p in np.linspace(0.02, 0.98, 30):
            for f in (0, -0.15, -0.6):  # in equilibrium, where p is in the middle, and with too many heterozygotes
                het = rng.binomial(n, min(1, 2 * p * (1 - p) * (1 - f)))
                hom = rng.binomial(n - het, p)
                found.add((int(het), int(n - het - hom), int(hom)))
        found |= {(n, 0, 0), (0, n // 2, n - n // 2), (1, n - 1, 0), (2, n - 2, 0), (0, n - 1, 1), (0, 1, n - 1)}
    return sorted(found)


def test_p_is_that_of_plink2_from_one_to_the_smallest(tmp_path):
    rows = counts(np.random.default_rng(7))
    size = max(map(sum, rows))
    people = [f"P{i}" for i in range(size)]

    def texts(het, ref, alt):
        return ["0/1"] * het + ["0/0"] * ref + ["1/1"] * alt + ["./."] * (size - het - ref - alt)

    write_vcf(tmp_path / "a.vcf", "chr20", 10**6, people, (texts(*row) for row in rows))
    theirs = hardy(tmp_path / "a.vcf", tmp_path)
    arrays = tuple(np.array(column) for column in zip(*rows, strict=True))
    mine, coefficient = hwe_p(*arrays), inbreeding_coefficient(*arrays)
    assert len(theirs) == len(rows) > 500
    middle = smallest = 0
    for i, p in enumerate(mine):
        row = theirs[101 + i]
        told = float(row["P"])
        if p > 1e-290:
            assert p == pytest.approx(told, rel=2e-5), rows[i]
        else:  # below what a double holds well: as far down in both
            assert told < 1e-280, rows[i]
        middle += 0.01 < p < 0.99
        smallest += p < 1e-100
        if float(row["E(HET_A1)"]):
            ratio = float(row["O(HET_A1)"]) / float(row["E(HET_A1)"])
            assert coefficient[i] == pytest.approx(1 - ratio, abs=3e-5 * max(1, ratio)), rows[i]
    assert middle > 100 and smallest > 50


def test_direction_is_the_smaller_tail_of_bcftools(tmp_path):
    """ExcHet of fill-tags is the one-sided p of as many heterozygotes or more."""
    rows = [row for row in counts(np.random.default_rng(8)) if sum(row) < 1000]
    size = max(map(sum, rows))
    people = [f"P{i}" for i in range(size)]
    genotypes = (
        ["0/1"] * het + ["0/0"] * ref + ["1/1"] * alt + ["./."] * (size - het - ref - alt) for het, ref, alt in rows
    )
    write_vcf(tmp_path / "a.vcf", "chr20", 10**6, people, genotypes)
    tags = ["bcftools", "+fill-tags", tmp_path / "a.vcf", "-Ob", "-o", tmp_path / "a.bcf", "--", "-t", "ExcHet,HWE"]
    subprocess.run(tags, check=True)
    arrays = tuple(np.array(column) for column in zip(*rows, strict=True))
    p, more = hwe_p(*arrays), more_heterozygotes(*arrays)
    seen = {True: 0, False: 0}
    for i, record in enumerate(cyvcf2.VCF(str(tmp_path / "a.bcf"))):
        if p[i] < 0.01:
            assert (record.INFO["ExcHet"] < 0.5) == more[i], rows[i]
            seen[bool(more[i])] += 1
    assert min(seen.values()) > 50


def test_x_is_tested_on_the_women_of_each_country(tmp_path):
    """Through counting and FILTER: the smaller p of two countries, men left out, as plink2's FEMALE_ONLY p."""
    rng = np.random.default_rng(9)
    length, sites = 4000, 120
    bases = "A" * length
    fasta = tmp_path / "ref.fa"
    fasta.write_text(f">chrX\n{bases}\n")
    subprocess.run(["samtools", "faidx", fasta], check=True)
    sheet = {f"P{i}": ("FM"[i % 2], ("EE", "FI")[i // 2 % 2]) for i in range(480)}
    genotypes = []
    for i in range(sites):
        p, f = rng.uniform(0.05, 0.95), (0, 0, 0.9, -0.9)[i % 4]
        het = max(0.0, 2 * p * (1 - p) * (1 - f))
        weights = np.array([max(0, p * p + f * p * (1 - p)), het, max(0, (1 - p) ** 2 + f * p * (1 - p))])
        women = rng.choice(["1/1", "0/1", "0/0"], len(sheet), p=weights / weights.sum())
        men = rng.choice(["1", "0"], len(sheet), p=[0.95 - 0.9 * p, 0.05 + 0.9 * p])
        missing = rng.random(len(sheet)) < 0.03
        row = np.where([s == "F" for s, _ in sheet.values()], women, men)
        genotypes.append(np.where(missing, ".", row))
    vcf = tmp_path / "x.vcf"
    write_vcf(vcf, "chrX", length, list(sheet), genotypes)
    (tmp_path / "counted").mkdir()
    build = Build("toy", {"chrX": length}, [("chrX", 1, 50)])
    keep = {"rule": Filter(0, 0, 0, 0.0), "absent": ("GQ", "DP", "AD")}
    table, _ = count_vcf(vcf, fasta, build, sheet, 10**6, tmp_path / "counted", **keep)
    rules = {key: rule["default"] for key, rule in config.schema()["properties"]["variant_qc"]["properties"].items()}
    found = {row["pos"]: row for row in annotate(table, rules).to_pylist()}
    assert len(found) == sites and json.loads(table.schema.metadata[b"goe"])["leaves"] == [
        "EE_F",
        "EE_M",
        "FI_F",
        "FI_M",
    ]
    sexes = tmp_path / "sexes.txt"
    sexes.write_text("#IID\tSEX\n" + "".join(f"{i}\t{s}\n" for i, (s, _) in sheet.items()))
    smallest = dict.fromkeys(found, 1.0)
    most = dict.fromkeys(found, -9.0)
    for country in ("EE", "FI"):
        folder = tmp_path / country
        folder.mkdir()
        names = folder / "keep.txt"
        names.write_text("".join(f"{i}\n" for i, (_, c) in sheet.items() if c == country))
        rows = hardy(vcf, folder, "cols=+femalep", "--update-sex", sexes, "--keep", names)
        for pos, row in rows.items():
            smallest[pos] = min(smallest[pos], float(row["FEMALE_ONLY_P"]))
            most[pos] = max(most[pos], float(row["O(FEMALE_HET_A1)"]) / float(row["E(FEMALE_HET_A1)"]))
    failed = 0
    for pos, row in found.items():
        assert row["hwe_p"] == pytest.approx(smallest[pos], rel=2e-5), pos
        assert row["inbreeding_coeff"] == pytest.approx(1 - most[pos], abs=1e-4), pos
        assert ("HWE" in row["filter"]) == (smallest[pos] < 1e-6)
        failed += "HWE" in row["filter"]
    assert 30 < failed < 90
    assert sum("HetExcess" in row["filter"] for row in found.values()) > 15
