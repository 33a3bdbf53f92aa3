"""The workflow on real genomes, against calls that are known."""

import json
import shutil
from pathlib import Path

import pytest
import yaml
from goe.hts import parquet
from helpers import real_genomes as real
from helpers.workflow import DATASET, goe, snakemake, write_config

pytestmark = pytest.mark.slow


def harmonised(shared, factory, name, cohort) -> Path:
    """Folder of a run of the workflow up to the harmonised cohort."""
    folder = factory.mktemp(name)
    write_config(folder, **cohort(shared, folder))
    snakemake(folder, "harmonised").ok()
    return folder


def called_by(run: Path, *samples: str) -> set[real.Allele]:
    """Normalised alleles that the people's own calls carry, before the genotype filter."""
    found = set()
    for name in samples:
        (path,) = run.glob(f"work/harmonise/people/*/{name}.alleles.parquet")
        table = parquet.read(path, ["pos", "ref", "alt", "made"])
        found |= {(row["pos"], row["ref"], row["alt"]) for row in table.to_pylist() if row["made"]}
    return found


def counted_in(run: Path, sample: str) -> dict[real.Allele, str]:
    """Alleles that the person counts for, with their genotypes."""
    return real.carried_anywhere(real.region_files(run, "harmonised"), run / "ref.fa", sample)


@pytest.fixture(scope="module")
def fastq_run(shared, tmp_path_factory) -> Path:
    return harmonised(shared, tmp_path_factory, "fastq", real.fastq_cohort)


@pytest.fixture(scope="module")
def gvcf_run(shared, tmp_path_factory) -> Path:
    return harmonised(shared, tmp_path_factory, "gvcfs", real.gvcf_cohort)


@pytest.fixture(scope="module")
def truth(shared, reads_run) -> dict[real.Allele, str]:
    return real.carried(shared / "data/truth/test_nist.b37_chr20_100kbp_at_10mb.vcf.gz", reads_run / "ref.fa")


def test_na12878_from_fastq_has_the_truth(fastq_run, truth, shared):
    """221 of 222 true alleles are called over the 100 kb; after the genotype filter none is missed and none is
    extra in the confident intervals, and their genotypes are right."""
    bed = shared / "data/truth/test_nist.b37_chr20_100kbp_at_10mb.bed"
    called = set(map(real.uncut, called_by(fastq_run, "NA12878")))
    counted = {real.uncut(allele): genotype for allele, genotype in counted_in(fastq_run, "NA12878").items()}
    assert len(truth) == 222
    assert len(truth.keys() & called) >= 221
    assert len(truth.keys() & counted.keys()) >= 215
    assert real.inside(counted, bed) == real.inside(truth, bed)
    wrong = [a for a in real.inside(truth, bed) if counted[a].count("1") != truth[a].count("1")]
    assert len(wrong) <= 2, wrong


def test_na12878_as_aligned_has_the_truth(reads_run, truth, shared):
    """The alignments of 2011 in the CRAM, called by default: 219 of 222 alleles, the same in the intervals."""
    bed = shared / "data/truth/test_nist.b37_chr20_100kbp_at_10mb.bed"
    for hers, least in ((called_by(reads_run, "NA12878"), 219), (set(counted_in(reads_run, "NA12878")), 215)):
        assert len(truth.keys() & hers) >= least
        assert real.inside(hers, bed) == real.inside(truth, bed)


def test_the_same_woman_in_two_files(reads_run, truth):
    """HG001 is NA12878: other reads of 10 kb, under a contig name that is renamed, give the same alleles."""
    hers, again = (called_by(reads_run, name) for name in ("NA12878", "HG001"))
    covered = {a for a in truth if min(p for p, _, _ in again) <= a[0] <= max(p for p, _, _ in again)}
    assert len(covered) >= 20
    assert len(covered & hers & again) >= len(covered) - 2


def test_daughter_has_what_her_parents_have(reads_run, truth):
    """No true allele that she carries in the trio's 10 kb is absent from both parents."""
    child, father, mother = (counted_in(reads_run, name) for name in ("HG001", "NA12891", "NA12892"))
    assert {a for a in child if a in truth and a not in father and a not in mother} == set()


def test_a_renamed_contig_is_told(reads_run):
    log = (reads_run / "work/logs/align_person/HG002.log").read_text()
    assert "contigs renamed {'20': 'chr20'}" in log
    assert "chr20" in (reads_run / "work/intake/lint.tsv").read_text() or "'20'" in log


def test_no_read_is_lost(reads_run):
    for name in ("NA12878", "HG002", "HG001"):
        ledger = json.loads((reads_run / f"work/align/reports/{name}/ledger.json").read_text())
        assert ledger["in"]["reads"] == ledger["out"]["reads"] > 1000


def test_gatk_gvcfs_give_the_joint_calls(gvcf_run, shared):
    """Every allele GATK calls jointly: 380 of 383, the other three being `*`."""
    expected = real.carried(shared / "data/truth/newMQcalc.combined.genotyped.vcf.gz", gvcf_run / "ref.fa")
    assert len(expected) == 380
    assert expected.keys() <= called_by(gvcf_run, "NA12878", "NA19240")


def test_a_release_of_real_genomes_with_a_gdi_package(reads_run, truth, tmp_path):
    """Only two of the five have reads beyond the trio's 10 kb, so what lies there is LowCallRate, and the rest has the
    true alleles of NA12878. Nobody is called again."""
    shutil.copytree(reads_run, tmp_path, symlinks=True, dirs_exist_ok=True)
    config = yaml.safe_load((tmp_path / "config/config.yaml").read_text())
    dataset = {**DATASET, "license": "CC-BY-4.0", "publisher": "Test biobank", "description": "Five genomes."}
    write_config(tmp_path, **config | {"dataset": dataset, "formats": {"gdi": {"catalog": "test-catalog"}}})
    assert "rule call_bcftools:" not in snakemake(tmp_path, "release/MANIFEST.sha256").ok().output
    release = tmp_path / "release"
    assert (release / "gdi" / f"{DATASET['id']}.tar").stat().st_size > 10_000
    checked = goe("check", release)
    assert checked.returncode == 0, checked.stdout
    passed = real.alleles(release / f"sites/{DATASET['id']}.pass.vcf.gz")
    assert json.loads((release / "metadata/dataset.json").read_text())["number_of_pass_records"] == len(passed)
    trio = range(9_999_000, 10_011_000)
    assert all(position in trio for position, _, _ in passed)
    hers = {allele for allele in truth if allele[0] in range(10_000_000, 10_010_000)}
    assert len(hers) >= 20
    assert len(hers & passed) >= 0.9 * len(hers)
