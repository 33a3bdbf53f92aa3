"""Metrics of the GA4GH WGS QC Standards v1, a function each; the name is the standard's id, misspelling included.

Definitions: ga4gh/quality-control-wgs:docs/metrics_definitions/*.md, texts of version 1; reference implementation
c-BIG/NPM-sample-qc (Picard 2.27.0, samtools, VerifyBamID2, bcftools). The number of decimals is that of the field
`Type` there. The standard is written for GRCh38 and paired short reads; here the reference is that of the config,
and its gaps are its bases N (the standard takes UCSC's table of gaps).

A function raises Unavailable where the input has no answer: the metric is then null, with the reason beside it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from goe.sample_qc.tool_reports import Depths, Reads

COVERAGE_CAP = 250
"""A deeper position counts as one of this depth: COVERAGE_CAP of Picard CollectWgsMetrics, its default."""


class Unavailable(Exception):
    """What the input cannot give; the message is the reason."""


def yield_bp_q30(reads: Reads) -> int:
    """Bases of base quality 30 or more in the primary records that passed the sequencer's filter, mapped or not.

    Duplicates and clipped bases count, and no mapping quality is asked for. bases-q30.md: Picard
    CollectQualityYieldMetrics, PF_Q30_BASES; here the FFQ and LFQ rows of samtools stats, which give the same number
    (and are the standard's own way in its drafts of version 2).
    """
    if reads.q30 is None:
        raise Unavailable("the reads have no base qualities")
    return reads.q30


def pct_reads_mapped(reads: Reads) -> float:
    """Percentage of the primary records that are mapped; duplicates count, no mapping quality is asked for.

    percent-reads-mapped.md: samtools stats, `reads mapped` of `sequences`.
    """
    return 100 * reads.mapped / _some(reads)


def pct_reads_properly_paired(reads: Reads) -> float:
    """Percentage of the primary records that the aligner flagged as a proper pair; duplicates count.

    percent-reads-properly-paired.md: samtools stats. The report's own percentage has one decimal; the standard
    asks for two, so it is made from the counts.
    """
    _some(reads)
    _pairs(reads)
    return 100 * reads.properly_paired / reads.total


def mean_insert_size(reads: Reads) -> float:
    """Mean insert size in bases of the primary records; duplicates and clipped bases count.

    mean-insert-size.md: samtools stats, `insert size average` (of the main 99 % of the inserts, its default).
    """
    return _inserts(reads).insert_mean


def insert_size_std_deviation(reads: Reads) -> float:
    """Standard deviation of the insert size in bases, of the same inserts as `mean_insert_size`.

    insert-size-standard-deviation.md: samtools stats, `insert size standard deviation`.
    """
    return _inserts(reads).insert_sd


def _some(reads: Reads) -> int:
    if not reads.total:
        raise Unavailable("no reads")
    return reads.total


def _pairs(reads: Reads) -> None:
    if not reads.paired:
        raise Unavailable("no paired reads")


def _inserts(reads: Reads) -> Reads:
    _some(reads)
    _pairs(reads)
    if not reads.insert_mean:
        raise Unavailable("no pair of mapped reads")
    return reads


def mean_autosome_coverage(depths: Depths) -> float:
    """Mean depth of the autosomes outside gaps, positions without reads included.

    mean-autosome-coverage.md: primary records without duplicates, mapping quality 20, base quality 20, overlapping
    mates once; Picard CollectWgsMetrics, MEAN_COVERAGE. Here samtools depth, the standard's own way in its drafts
    of version 2, with the same filters, Picard's cap of 250 and, as Picard, without reads whose mate is not mapped.
    Two differences are left, together about 0.02 %: of two overlapping mates Picard takes any base of quality 20,
    samtools that of the first read; Picard takes supplementary records and leaves out unpaired reads.
    """
    counts = _capped(depths)
    return float(counts @ np.arange(len(counts))) / depths.total


def mad_autosome_coverage(depths: Depths) -> float:
    """Median absolute deviation (not scaled) of the depth from its median, same positions and reads.

    genome-coverage-uniformity.md: Picard CollectWgsMetrics, MAD_COVERAGE. The standard writes it whole; a half,
    which an even number of positions can give, goes to the even number.
    """
    counts = _capped(depths)
    depth = np.arange(len(counts))
    return _median(np.abs(depth - _median(depth, counts)), counts)


def pct_autosomes_15x(depths: Depths) -> float:
    """Percentage of the positions with a depth of 15 or more, same positions and reads.

    percent-autosomes-covered-15-x.md: Picard CollectWgsMetrics, 100 x PCT_15X.
    """
    return 100 * int(_capped(depths)[15:].sum()) / depths.total


def _capped(depths: Depths) -> np.ndarray:
    if not depths.total:
        raise Unavailable("no autosome in the reference")
    counts = depths.positions[: COVERAGE_CAP + 1].copy()
    counts[-1] += int(depths.positions[COVERAGE_CAP + 1 :].sum())
    return counts


def _median(values: np.ndarray, counts: np.ndarray) -> float:
    """Median of `values`, each there `counts` times; of an even number the middle of the two middle ones."""
    order = np.argsort(values, kind="stable")
    until = np.cumsum(counts[order])
    total = int(until[-1])
    low, high = (values[order[np.searchsorted(until, k)]] for k in ((total + 1) // 2, total // 2 + 1))
    return (float(low) + float(high)) / 2


def cross_contamination_rate(freemix: float) -> float:
    """Share (0..1) of the reads that are of another person.

    cross-contamination.md: FREEMIX of VerifyBamID2 with four principal components and its 1000 Genomes panel,
    `1000g.phase3.100k.b38`.
    """
    return freemix


# Counts of variants are those of goe.harmonise.variant_records: records on the autosomes of a person's own file, FILTER
# PASS, as the standard counts them. The same functions are taken of sample_metrics.COUNTS, alleles of a person in the
# harmonised cohort after the genotype filter; these are no metrics of the standard, and have `adj_` before their names.

Counts = Mapping[str, int]


def count_snvs(counts: Counts) -> int:
    """Records with an SNV. count-snvs.md: bcftools view -v snps -f PASS."""
    return counts["n_snv"]


def count_insertions(counts: Counts) -> int:
    """Records with an insertion, multi-allelic ones too. count-insertions.md: bcftools view -v indels -i 'ILEN>0';
    decision_record.md, 2025-04-22.

    The text says less than 50 bases, as callers of short variants write; its program asks for no length, nor does this.
    """
    return counts["n_insertion"]


def count_deletions(counts: Counts) -> int:
    """The same of deletions. count-deletions.md: bcftools view -v indels -i 'ILEN<0'."""
    return counts["n_deletion"]


def ratio_heterozygous_homzygous_snv(counts: Counts) -> float:
    """Heterozygous over homozygous records. ratio-heterozygous-homozygous-snvs.md: bcftools view -g het, -g hom.

    A genotype of two different ALT alleles is heterozygous.
    """
    return _ratio(counts, "n_het_snv", "n_hom_snv", "no homozygous SNV")


def ratio_heterozygous_homzygous_indel(counts: Counts) -> float:
    """The same of insertions and deletions. ratio-heterozygous-homozygous-indels.md."""
    return _ratio(counts, "n_het_indel", "n_hom_indel", "no homozygous indel")


def ratio_insertion_deletion(counts: Counts) -> float:
    """`count_insertions` over `count_deletions`. ratio-insertions-deletions.md."""
    return _ratio(counts, "n_insertion", "n_deletion", "no deletion")


def ratio_transitions_transversions_snv(counts: Counts) -> float:
    """Transitions over transversions. ratio-transitions-transversions-ti-tv.md: bcftools stats -f PASS, TSTV.

    The text says biallelic SNVs; bcftools stats counts each SNV allele of a record, and so does this.
    """
    return _ratio(counts, "n_ti", "n_tv", "no transversion")


def _ratio(counts: Counts, over: str, under: str, reason: str) -> float:
    if not counts[under]:
        raise Unavailable(reason)
    return counts[over] / counts[under]


@dataclass(frozen=True)
class Metric:
    """A metric: what it is made from (`reads`, `depths`, `freemix`, `counts`), its decimals, its group in the JSON."""

    of: Callable[..., float]
    source: str
    decimals: int
    group: str

    @property
    def id(self) -> str:
        return self.of.__name__


METRICS = {
    metric.id: metric
    for metric in (
        Metric(yield_bp_q30, "reads", 0, "aln_metrics"),
        Metric(mean_autosome_coverage, "depths", 2, "aln_metrics"),
        Metric(mad_autosome_coverage, "depths", 0, "aln_metrics"),
        Metric(pct_autosomes_15x, "depths", 2, "aln_metrics"),
        Metric(pct_reads_mapped, "reads", 2, "aln_metrics"),
        Metric(pct_reads_properly_paired, "reads", 2, "aln_metrics"),
        Metric(mean_insert_size, "reads", 1, "aln_metrics"),
        Metric(insert_size_std_deviation, "reads", 1, "aln_metrics"),
        Metric(cross_contamination_rate, "freemix", 4, "aln_metrics"),
        Metric(count_snvs, "counts", 0, "variant_metrics"),
        Metric(count_insertions, "counts", 0, "variant_metrics"),
        Metric(count_deletions, "counts", 0, "variant_metrics"),
        Metric(ratio_heterozygous_homzygous_snv, "counts", 2, "variant_metrics"),
        Metric(ratio_heterozygous_homzygous_indel, "counts", 2, "variant_metrics"),
        Metric(ratio_insertion_deletion, "counts", 2, "variant_metrics"),
        Metric(ratio_transitions_transversions_snv, "counts", 2, "variant_metrics"),
    )
}


OF_VARIANTS = tuple(name for name, metric in METRICS.items() if metric.source == "counts")
"""Metrics of variants."""


def measure(sources: Mapping[str, object]) -> tuple[dict[str, float | int | None], dict[str, str]]:
    """(metric -> value or None, metric -> reason of None) of every metric made from one of `sources`.

    sources: by the name of Metric.source what the metrics are made from, or, as text, why it is not there.
    Values are not rounded.
    """
    values: dict[str, float | int | None] = {}
    why: dict[str, str] = {}
    for metric in METRICS.values():
        if metric.source not in sources:
            continue
        source = sources[metric.source]
        values[metric.id] = None
        if isinstance(source, str):
            why[metric.id] = source
            continue
        try:
            values[metric.id] = metric.of(source)
        except Unavailable as reason:
            why[metric.id] = str(reason)
    return values, why


def document(sample_id: str, values: Mapping[str, object], why: Mapping[str, str]) -> str:
    """One person's JSON: the layout of NPM-sample-qc 0.13.5 (the standard's benchmark results), all ids always there.

    values: metric -> rounded value or None, why: metric -> reason of None; other metrics are passed over. What is
    null has its reason in `not_available`, which the standard does not have.
    """
    groups: dict[str, dict[str, object]] = {}
    for metric in METRICS.values():
        groups.setdefault(metric.group, {})[metric.id] = values.get(metric.id)
    missing = {m: why.get(m, "not measured") for m in METRICS if values.get(m) is None}
    content = {"biosample": {"id": sample_id}, "wgs_qc_metrics": groups, "not_available": missing}
    return json.dumps(content, indent=4, sort_keys=True, ensure_ascii=False) + "\n"
