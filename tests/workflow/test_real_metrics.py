"""GA4GH WGS QC metrics of real genomes, from the reads to the JSON, against computations that share no code."""

import json
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pysam
import pytest
from goe.core import tables
from goe.sample_qc import ga4gh, tool_reports
from helpers import npm_sample_qc

pytestmark = pytest.mark.slow

# Made once with Picard 2.27.5 (the standard's reference implementation has 2.27.0) from the CRAMs of this run,
# CollectWgsMetrics over the same intervals and CollectQualityYieldMetrics: mean, MAD, % at 15x, bases of Q30.
PICARD = {
    "HG002": (14.234176, 0, 48.4332, 2_820_952),
    "HG001": (1.091834, 0, 4.4634, 254_813),
    "NA12891": (1.519366, 0, 4.9195, 361_282),
    "NA12892": (1.516966, 0, 4.9595, 347_739),
    "NA12878": (24.355185, 0, 48.5683, 4_902_420),
}
# Its slice holds some reads twice. Picard takes a name once at a position, samtools ends a pair at its second read.
READS_TWICE = "NA12878"


@pytest.fixture(scope="module")
def run(reads_run) -> Path:
    return reads_run


def metrics(run: Path, sample: str) -> dict[str, float]:
    said = json.loads((run / f"work/sample_qc/ga4gh/{sample}.metrics.json").read_text())
    assert said["biosample"] == {"id": sample}
    found = said["wgs_qc_metrics"]["aln_metrics"] | said["wgs_qc_metrics"]["variant_metrics"]
    assert set(found) == set(ga4gh.METRICS)
    assert {metric for metric, value in found.items() if value is None} == set(said["not_available"])
    assert "cross_contamination_rate" in said["not_available"]
    return found


def records(run: Path, sample: str):
    """Primary records that passed the sequencer's filter."""
    with pysam.AlignmentFile(run / f"work/align/{sample}.cram", reference_filename=str(run / "ref.fa")) as cram:
        yield from (r for r in cram.fetch(until_eof=True) if not r.flag & 0xB00)


@pytest.fixture(scope="module")
def known(run) -> np.ndarray:
    """Where the reference is not N."""
    sequence = pysam.FastaFile(str(run / "ref.fa")).fetch("chr20")
    return np.frombuffer(sequence.encode(), "S1") != b"N"


def depth(run: Path, sample: str, known: np.ndarray, quality: int = 20) -> np.ndarray:
    """Depth at every position that is not N, base by base: of a name, the first record counts where both lie."""
    found = np.zeros(len(known), np.int64)
    end_of: dict[str, int] = {}
    for r in records(run, sample):
        if r.is_unmapped or r.mate_is_unmapped or r.is_duplicate or r.mapping_quality < quality:
            continue
        after = end_of.pop(r.query_name, 0)
        if not after:
            end_of[r.query_name] = r.reference_end
        for at, position in r.get_aligned_pairs(matches_only=True):
            if position >= after and r.query_qualities[at] >= quality:
                found[position] += 1
    return found[known]


@pytest.mark.parametrize("sample", [s for s in PICARD if s != READS_TWICE])
def test_coverage_is_that_of_every_base_counted(run, known, sample):
    mine, values = depth(run, sample, known), metrics(run, sample)
    histogram = tool_reports.depth_histogram(run / f"work/align/reports/{sample}/coverage.tsv", len(mine))
    # Two bases of one pair of NA12891, where its mates overlap beside an insertion, are all that differs in 20 kb.
    assert np.abs(histogram.positions - np.bincount(mine)).sum() <= (4 if sample == "NA12891" else 0)
    capped = np.minimum(mine, 250)
    assert values["mean_autosome_coverage"] == round(capped.mean(), 2)
    assert values["pct_autosomes_15x"] == round(100 * (capped >= 15).mean(), 2)
    assert values["mad_autosome_coverage"] == np.median(np.abs(capped - np.median(capped)))
    # Half of the reference has no reads, so its MAD is 0: that of the positions with reads tells more.
    there = capped[capped > 0]
    spread = np.median(np.abs(there - np.median(there)))
    assert spread > 2
    covered = tool_reports.Depths(np.concatenate([[0], histogram.positions[1:]]))
    assert ga4gh.mad_autosome_coverage(covered) == spread


@pytest.mark.parametrize("sample", PICARD)
def test_coverage_and_yield_are_those_of_picard(run, sample):
    values, (mean, mad, at_15, yielded) = metrics(run, sample), PICARD[sample]
    assert values["mean_autosome_coverage"] == pytest.approx(mean, abs=0.05 if sample == READS_TWICE else 0.01)
    assert values["mad_autosome_coverage"] == mad
    assert values["pct_autosomes_15x"] == pytest.approx(at_15, abs=0.01)
    assert values["yield_bp_q30"] == yielded


@pytest.mark.parametrize("sample", PICARD)
def test_mapped_paired_and_insert_size_are_those_of_the_records(run, sample):
    mine, values = list(records(run, sample)), metrics(run, sample)
    assert len(mine) > 1500
    assert values["pct_reads_mapped"] == round(100 * sum(not r.is_unmapped for r in mine) / len(mine), 2)
    assert values["pct_reads_properly_paired"] == round(100 * sum(r.is_proper_pair for r in mine) / len(mine), 2)
    assert values["yield_bp_q30"] == sum((np.array(r.query_qualities) >= 30).sum() for r in mine)
    # samtools counts whole pairs of a size and orientation, leaves out the longest 1 %, takes those above 8000 as 8000.
    pairs = (r for r in mine if r.is_paired and not r.is_unmapped and not r.mate_is_unmapped)
    sizes = Counter(min(abs(r.template_length), 8000) for r in pairs if r.template_length)
    total, main = sum(n // 2 for n in sizes.values()), []
    for size, n in sorted(sizes.items()):
        main += [size] * (n // 2)
        if len(main) > 0.99 * total:
            break
    assert values["mean_insert_size"] == pytest.approx(np.mean(main), abs=0.2)
    assert values["insert_size_std_deviation"] == pytest.approx(np.std(main), abs=0.2)


def per_sample(run: Path, kind: str, table: str) -> dict[str, list[int]]:
    """Columns of a table of `bcftools stats` by person, over the harmonised cohort, variants of `kind` only."""
    files = sorted(map(str, (run / "work/harmonised").glob("chr20_*[0-9].bcf")), key=lambda f: int(f.split("_")[-2]))
    every = subprocess.run(["bcftools", "concat", "-Ou", *files], check=True, capture_output=True).stdout
    short = ["bcftools", "view", "-v", kind, "-f", ".,PASS", "-e", "ILEN>=50 || ILEN<=-50", "-Ou", "-"]
    some = subprocess.run(short, input=every, check=True, capture_output=True).stdout
    said = subprocess.run(["bcftools", "stats", "-s", "-", "-"], input=some, check=True, capture_output=True).stdout
    rows = (line.split("\t") for line in said.decode().splitlines())
    return {row[2]: [int(float(v)) for v in row[3:]] for row in rows if row[0] == table}


def ratio(over: int, under: int) -> float | None:
    return round(over / under, 2) if under else None


def test_variants_after_the_filter_are_those_of_bcftools_stats(run):
    snvs, indels = per_sample(run, "snps", "PSC"), per_sample(run, "indels", "PSI")
    assert set(snvs) == set(indels) == set(PICARD)
    table = {row["sample_id"]: row for row in tables.read(run / "work/sample_qc/metrics.tsv")}
    for sample in PICARD:
        _, hom, het, transitions, transversions = snvs[sample][:5]
        ins_het, del_het, ins_hom, del_hom = indels[sample][4:8]
        expected = {
            "count_snvs": hom + het,
            "ratio_heterozygous_homzygous_snv": ratio(het, hom),
            "ratio_transitions_transversions_snv": ratio(transitions, transversions),
            "count_insertions": ins_het + ins_hom,
            "count_deletions": del_het + del_hom,
            "ratio_insertion_deletion": ratio(ins_het + ins_hom, del_het + del_hom),
            "ratio_heterozygous_homzygous_indel": ratio(ins_het + del_het, ins_hom + del_hom),
        }
        found = {name: float(text) if (text := table[sample][f"adj_{name}"]) else None for name in expected}
        assert found == expected
        assert found["count_snvs"] > 40 and found["count_insertions"] and found["count_deletions"]


def test_variants_of_the_standard_are_those_of_its_program(run):
    """Of the person's calls as they came, where FILTER is `.`: the genotype filter takes some of them away."""
    table = {row["sample_id"]: row for row in tables.read(run / "work/sample_qc/metrics.tsv")}
    for sample in PICARD:
        taken, changes = npm_sample_qc.records(run / f"work/call/{sample}.g.vcf.gz", ".,PASS")
        n = {name: len(ids) for name, ids in taken.items()}
        values = metrics(run, sample)
        assert {name: values[name] for name in ga4gh.OF_VARIANTS} == {
            "count_snvs": n["n_snv"],
            "count_insertions": n["n_insertion"],
            "count_deletions": n["n_deletion"],
            "ratio_heterozygous_homzygous_snv": ratio(n["n_het_snv"], n["n_hom_snv"]),
            "ratio_heterozygous_homzygous_indel": ratio(n["n_het_indel"], n["n_hom_indel"]),
            "ratio_insertion_deletion": ratio(n["n_insertion"], n["n_deletion"]),
            "ratio_transitions_transversions_snv": ratio(changes["n_ti"], changes["n_tv"]),
        }
        assert n["n_snv"] > int(table[sample]["adj_count_snvs"])
