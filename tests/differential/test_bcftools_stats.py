"""Counts, het/hom and Ti/Tv of people and of a release against `bcftools stats`."""

import json
import re
import subprocess

import pytest
from goe.core.resources import ROOT
from goe.frequencies.cohort import Cohort
from goe.genome.build import Build, Region
from goe.harmonise import files as spine
from goe.harmonise.genotypes import Filter
from goe.rules import sample_thresholds as sample_rules
from goe.sample_qc.metrics import COUNTS
from goe.sample_qc.region import RegionCounts
from helpers import release_folder, simulate
from helpers.counting import count_vcf
from helpers.pseudo import write_reference

EVERYTHING = Filter(0, 0, 0, 0.0)
GUIDELINES = [ROOT / "resources/guidelines" / name for name in ("sample_qc.tsv", "inference.tsv")]


def stats(*command_line) -> dict[str, list[list[str]]]:
    """Sections of a report of bcftools stats: SN, TSTV, PSC and so on -> their rows, without the section's name."""
    text = subprocess.run(["bcftools", "stats", *command_line], check=True, capture_output=True, text=True).stdout
    sections: dict[str, list[list[str]]] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, *cells = line.split("\t")
            sections.setdefault(name, []).append(cells)
    return sections


def split(vcf, fasta, folder, *more):
    """Biallelic, atomised and aligned by bcftools. Left out are alleles that are no sequence, and indels of 50 bases
    or more, which goe counts as neither insertion nor deletion."""
    target = folder / "split.bcf"
    one = ["bcftools", "norm", "-a", "-m-any", "-f", fasta, "-Ou", vcf]
    no = 'ALT="*" || ALT~"<" || STRLEN(ALT)-STRLEN(REF)>=50 || STRLEN(REF)-STRLEN(ALT)>=50'
    two = ["bcftools", "view", "-e", no, *more, "-Ob", "-o", target]
    with subprocess.Popen(one, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as first:
        subprocess.run(two, stdin=first.stdout, check=True)
    assert first.returncode == 0
    return target


def agree(folder, build, theirs, people):
    """goe's counts of each person against PSC and PSI, of a joint file harmonised in `folder` as one region. Returns
    goe's, (people, COUNTS)."""
    [contig] = build.contigs
    region = Region(contig, 1, build.contigs[contig])
    path, limits = folder / f"{region.name}.bcf", sample_rules.load(GUIDELINES).parameters
    with spine.open_harmonised(path) as reader, spine.open_harmonised(path) as beside:
        assert reader.header.samples == people
        counts = RegionCounts(Cohort([reader], [], build, region), [beside], [False] * len(people), limits, 10**6)
        counts.run()
        mine = counts.counts
    report = stats("-s", "-", theirs)
    # bcftools takes a person who alone is homozygous for a singleton too; goe asks for one copy.
    alone = {row[1]: row[9] for row in stats("-s", "-", "-i", 'COUNT(GT="AA")=0', theirs)["PSC"]}
    snvs = {row[1]: row for row in report["PSC"]}
    indels = {row[1]: row for row in report["PSI"]}
    at = {name: mine[:, i] for i, name in enumerate(COUNTS)}
    for i, person in enumerate(people):
        # id, sample, nRefHom, nNonRefHom, nHets, nTransitions, nTransversions, nIndels, ...
        hom, het, ti, tv, indel = snvs[person][3:8]
        # ... nInsHets, nDelHets, nInsAltHoms, nDelAltHoms
        ins_het, del_het, ins_hom, del_hom = map(int, indels[person][-4:])
        assert [at[k][i] for k in ("n_hom_snv", "n_het_snv", "n_ti", "n_tv")] == [int(x) for x in (hom, het, ti, tv)]
        assert (at["n_het_indel"][i], at["n_hom_indel"][i]) == (ins_het + del_het, ins_hom + del_hom)
        assert (at["n_insertion"][i], at["n_deletion"][i]) == (ins_het + ins_hom, del_het + del_hom)
        assert at["n_insertion"][i] + at["n_deletion"][i] == int(indel)
        assert at["n_singleton"][i] == int(alone[person])
    return mine


MASK = 'GQ<20 | GQ="." | DP<10 | (GT="het" & (AD[*:0]/DP<0.2 | AD[*:1]/DP<0.2))'


@pytest.mark.parametrize("plain", [True, False])
def test_people_of_a_simulated_cohort(plain, tmp_path):
    """SNVs alone with the genotype filter, written for bcftools as an expression; and with indels and second ALTs."""
    cohort = simulate.cohort(tmp_path / "cohort", 60, 500, 200_000, seed=5, plain=plain)
    build = Build("toy", {simulate.CONTIG: cohort.length}, [])
    (tmp_path / "counted").mkdir()
    rule = Filter() if plain else EVERYTHING
    count_vcf(cohort.bcf, cohort.fasta, build, cohort.sheet, 10**9, tmp_path / "counted", rule=rule)
    source = cohort.bcf
    if plain:
        source = tmp_path / "masked.bcf"
        command = ["bcftools", "+setGT", cohort.bcf, "-Ob", "-o", source, "--", "-t", "q", "-n", ".", "-i", MASK]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    mine = agree(tmp_path / "counted", build, split(source, cohort.fasta, tmp_path), list(cohort.sheet))
    sums = dict(zip(COUNTS, mine.sum(axis=0), strict=True))
    assert sums["n_snv"] > 2000 and min(sums["n_ti"], sums["n_tv"], sums["n_singleton"]) > 50
    assert plain or min(sums["n_insertion"], sums["n_deletion"]) > 100


def test_people_of_a_real_cohort(shared, tmp_path):
    """100 people of a GATK joint call, chromosome 22, with indels and several ALTs."""
    vcf = shared / "data/vcf/sample2.vcf.gz"
    fasta, lengths = write_reference(vcf, tmp_path)
    (tmp_path / "lines.txt").write_text("##contig=<ID=22,length=51304566>\n")
    declared = tmp_path / "declared.vcf.gz"
    command = ["bcftools", "annotate", "-h", tmp_path / "lines.txt", "-Oz", "-o", declared, vcf]
    subprocess.run(command, check=True)
    people = subprocess.run(["bcftools", "query", "-l", vcf], check=True, capture_output=True, text=True).stdout.split()
    (tmp_path / "counted").mkdir()
    build = Build("pseudo", lengths, [])
    sheet = dict.fromkeys(people, ("F", "EE"))
    count_vcf(declared, fasta, build, sheet, 10**9, tmp_path / "counted", rule=EVERYTHING)
    mine = agree(tmp_path / "counted", build, split(declared, fasta, tmp_path, "-f", "PASS,."), people)
    assert mine[:, COUNTS.index("n_snv")].sum() > 1000


def test_alleles_of_a_release(tmp_path):
    """Alleles by class of qc/summary.json, and Ti/Tv of the page, are what bcftools counts in the sites VCF."""
    root = release_folder.make(tmp_path, rule=release_folder.OPEN, contigs={"chr20": 6000})
    classes = json.loads((root / "qc/summary.json").read_text())["alleles_by_class"]
    [every], [passed] = (sorted((root / "sites").glob(f"*.{which}.vcf.gz")) for which in ("all", "pass"))
    for path, kinds in ((every, ("PASS", "filtered")), (passed, ("PASS",))):
        numbers = {row[1].removeprefix("number of ").rstrip(":"): int(row[2]) for row in stats(path)["SN"]}
        ours = {name: sum(count[kind] for kind in kinds) for name, count in classes.items()}
        assert numbers["records"] == sum(ours.values())
        assert numbers["SNPs"] == ours["SNV"] > 300
        assert numbers["records"] - numbers["SNPs"] == ours["insertion"] + ours["deletion"] + ours["complex"]
    [told] = re.findall(
        r"Transitions over transversions among PASS SNVs: <b>([0-9.]+)</b>", (root / "report.html").read_text()
    )
    assert told == stats(passed)["TSTV"][0][3]
