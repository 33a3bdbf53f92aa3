"""Per-person quality metrics from tool reports, from the genotype pass and from the harmonised cohort.

Those that the GA4GH WGS QC standard v1 defines are in goe.sample_qc.ga4gh; the others are here. A metric that cannot
be had is None, with a reason.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from goe.genome.build import REGION_DIPLOID, REGION_M, REGION_X, REGION_Y, contig_class
from goe.harmonise.schemas import PEOPLE_SCHEMA
from goe.hts import parquet
from goe.sample_qc import ga4gh
from goe.sample_qc.tool_reports import Depths, Reads

TOOL_METRICS = (
    "mean_autosome_coverage",
    "mad_autosome_coverage",
    "pct_autosomes_15x",
    "yield_bp_q30",
    "pct_reads_mapped",
    "pct_reads_properly_paired",
    "pct_duplicates",
    "pct_chimeras",
    "mean_insert_size",
    "insert_size_std_deviation",
    "cross_contamination_rate",
    "x_depth_ratio",
    "y_depth_ratio",
)
VARIANT_METRICS = (
    "call_rate",
    "pass_rate",
    "par_haploid_rate",
    "mean_dp",
    "n_singleton",
    *ga4gh.OF_VARIANTS,
    *(f"adj_{name}" for name in ga4gh.OF_VARIANTS),
    "charr",
)
"""Those that begin with adj_ are the standard's of the same name of the alleles that pass the genotype filter."""

DECIMALS = {name: metric.decimals for name, metric in ga4gh.METRICS.items()} | {
    **{f"adj_{name}": ga4gh.METRICS[name].decimals for name in ga4gh.OF_VARIANTS},
    "n_singleton": 0,
    "call_rate": 6,
    "pass_rate": 6,
    "par_haploid_rate": 6,
    "charr": 4,
    "x_depth_ratio": 4,
    "y_depth_ratio": 4,
    "x_het_ratio": 4,
}
"""Decimals written, those of the standard where it has the metric; 2 for every other."""

NO_READS = "no reads: the person came as {}"
NO_PANEL = "no reference panel: sample_qc.contamination_panel is not set"
NO_SITES = "no autosomal variant record"
OF_JOINT = "joint VCF: the standard counts the records of a person's own file"
VCF_ABSENT = "single-sample VCF: an absent site is no reference call"

_TRANSITIONS = {("A", "G"), ("G", "A"), ("C", "T"), ("T", "C")}
ACGT = frozenset("ACGT")


def rounded(metric: str, value: float | None) -> float | int | None:
    """`value` with the decimals of the metric; None stays None."""
    if value is None:
        return None
    decimals = DECIMALS.get(metric, 2)
    return round(value) if decimals == 0 else round(float(value), decimals)


def text(value: object) -> str:
    """A cell of our tables: empty for None, no exponent, no trailing zeros."""
    if value is None:
        return ""
    return f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def ratio(a: float, b: float) -> float | None:
    return a / b if b else None


# --- reads ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bases:
    """Bases of the reference that are not N, by contig and region class (goe.genome.build)."""

    by_contig: dict[str, dict[int, int]]
    par_masked: bool

    @property
    def autosomes(self) -> int:
        return sum(sum(c.values()) for n, c in self.by_contig.items() if contig_class(n) == "autosome")

    def of(self, kind: str) -> tuple[int, int]:
        """(bases outside, bases inside the pseudo-autosomal regions) of X or Y."""
        inner = REGION_X if kind == "X" else REGION_Y
        classes: dict[int, int] = {}
        for name, counts in self.by_contig.items():
            if contig_class(name) == kind:
                for number, n in counts.items():
                    classes[number] = classes.get(number, 0) + n
        return classes.get(inner, 0), sum(n for number, n in classes.items() if number != inner)

    @classmethod
    def read(cls, path: str | Path) -> "Bases":
        """From the table of `count_bases` written as TSV: contig, class, length, bases."""
        by_contig: dict[str, dict[int, int]] = {}
        par_length = par_bases = 0
        with Path(path).open(newline="") as handle:
            for row in csv.DictReader(handle, delimiter="\t"):
                number = int(row["class"])
                by_contig.setdefault(row["contig"], {})[number] = int(row["bases"])
                if contig_class(row["contig"]) == "Y" and number != REGION_Y:
                    par_length += int(row["length"])
                    par_bases += int(row["bases"])
        return cls(by_contig, par_bases * 2 < par_length or par_length == 0)


def depth_ratios(summed: Mapping[str, int], bases: Bases) -> dict[str, float | None]:
    """Depth of X and Y over that of the autosomes, of one person, outside the pseudo-autosomal regions.

    summed: contig -> sum of depths (`reports.mosdepth_summary`). Depths are over the bases that are not N.
    Where the PAR of Y is masked in the reference, that of X has the autosomal depth, which is taken off; where it
    is not, a read of it maps to X and Y alike, with a mapping quality below 20, and neither has depth.
    """
    result: dict[str, float | None] = {"x_depth_ratio": None, "y_depth_ratio": None}
    on_autosomes = sum(n for c, n in summed.items() if c in bases.by_contig and contig_class(c) == "autosome")
    if not bases.autosomes or not on_autosomes:
        return result
    mean = on_autosomes / bases.autosomes
    for kind in "XY":
        outside, inside = bases.of(kind)
        if outside:
            total = sum(n for c, n in summed.items() if contig_class(c) == kind)
            par = inside if kind == "X" and bases.par_masked else 0
            result[f"{kind.lower()}_depth_ratio"] = max(0.0, (total / mean - par) / outside)
    return result


def read_metrics(
    reads: Reads, depths: Depths, freemix: float | None, summed: Mapping[str, int], bases: Bases
) -> tuple[dict[str, float | int | None], dict[str, str]]:
    """(TOOL_METRICS of one person who has reads, reason of each that is None).

    freemix: of VerifyBamID2, None when no panel is set; summed: as for `depth_ratios`.
    pct_duplicates: percentage of the primary records that are marked as duplicates.
    pct_chimeras: percentage of the pairs with both reads mapped whose reads are on different contigs, duplicates and
    mapping quality 0 included (samtools stats, `pairs on different chromosomes`). Picard's PCT_CHIMERAS, for which
    the limits of gnomAD and of GATK were made, is another number: it also takes pairs of more than 100 kb, of the
    wrong orientation and reads with SA, and looks at pairs of mapping quality 20 alone.
    """
    values, why = ga4gh.measure(
        {"reads": reads, "depths": depths, "freemix": NO_PANEL if freemix is None else freemix},
    )
    values["pct_duplicates"] = 100 * reads.duplicates / reads.total if reads.total else None
    values["pct_chimeras"] = 200 * reads.pairs_apart / reads.both_mapped if reads.both_mapped else None
    values |= depth_ratios(summed, bases)
    no_depth = "no such contig, or no depth on the autosomes"
    reasons = {"pct_duplicates": "no reads", "pct_chimeras": "no pair of mapped reads"}
    reasons |= dict.fromkeys(("x_depth_ratio", "y_depth_ratio"), no_depth)
    why |= {metric: reason for metric, reason in reasons.items() if values[metric] is None}
    return values, why


# --- the genotype pass (people.parquet of harmonise) ----------------------------------------------------------

PASS_COLUMNS = tuple(name for name in PEOPLE_SCHEMA.names if name not in ("sample_id", "class", "n_counted"))


class _Sums:
    """Counters of people summed over files, each of which may have them in any order.

    shape: of the counters of one person. After `add`, totals is int64[people, *shape] and place gives the row of a
    person. Files of a cohort have the same people in the same order as a rule, whose rows are then looked up once.
    """

    def __init__(self, shape: tuple[int, ...]):
        self.place: dict[str, int] = {}
        self.totals = np.zeros((0, *shape), np.int64)
        self.ids: pa.ChunkedArray | None = None
        self.at = np.zeros(0, np.int64)

    def add(self, ids: pa.ChunkedArray, values: np.ndarray, *inner: np.ndarray) -> None:
        """Add a row of values to each of `ids`, at the place `inner` in the counters of the person."""
        if self.ids is None or not self.ids.equals(ids):
            self.ids = ids
            self.at = np.array([self.place.setdefault(s, len(self.place)) for s in ids.to_pylist()], np.int64)
            new = len(self.place) - len(self.totals)
            self.totals = np.concatenate([self.totals, np.zeros((new, *self.totals.shape[1:]), np.int64)])
        np.add.at(self.totals, (self.at, *inner), values)


def sum_people(paths: Iterable[str | Path]) -> dict[str, dict[int, dict[str, int]]]:
    """sample_id -> region class -> counters summed over the files, one file at a time."""
    sums = _Sums((REGION_M + 1, len(PASS_COLUMNS)))
    for path in paths:
        table = parquet.read(path, ["sample_id", "class", *PASS_COLUMNS])
        columns = np.stack([table.column(c).to_numpy() for c in PASS_COLUMNS], axis=1)
        sums.add(table.column("sample_id"), columns, table.column("class").to_numpy())
    return {
        sample: {
            number: dict(zip(PASS_COLUMNS, counts.tolist(), strict=True))
            for number, counts in enumerate(sums.totals[i])
            if counts.any()
        }
        for sample, i in sums.place.items()
    }


# --- the harmonised cohort ------------------------------------------------------------------------------------

COUNTS = (
    "n_snv",
    "n_insertion",
    "n_deletion",
    "n_ti",
    "n_tv",
    "n_het_snv",
    "n_hom_snv",
    "n_het_indel",
    "n_hom_indel",
    "n_singleton",
    "charr_sum",
    "charr_n",
    "charr_sites",
    "charr_no_ad",
    "n_sites",
    "n_sites_called",
)
AT = {name: i for i, name in enumerate(COUNTS)}
CHARR_UNIT = 1 << 30
"""CHARR terms are summed as integers of this fraction: the sum is the same in any order and scatter."""

REGION_SCHEMA = pa.schema([("sample_id", pa.string())] + [(name, pa.int64()) for name in COUNTS])

# Value of a PLINK 1 .bed genotype (A1 = ALT) by genotype code; haploid calls do not come up on autosomes.
_BED = np.array([1, 1, 3, 2, 0, 1], np.uint8)


INDEL_BELOW = 50
"""Bases of difference from which an insertion or deletion is none of the short ones that GA4GH WGS QC v1 counts."""


def allele_kind(ref: str, alt: str) -> str:
    """snv, insertion, deletion or other (equal lengths above 1, 50 bases or more) of a normalised site allele."""
    if len(ref) == len(alt):
        return "snv" if len(ref) == 1 else "other"
    if abs(len(alt) - len(ref)) >= INDEL_BELOW:
        return "other"
    return "insertion" if len(alt) > len(ref) else "deletion"


@dataclass
class CommonSnvs:
    """Candidates for relatedness: PLINK 1 .bed rows (SNP-major) and their positions, one for each bin."""

    spacing: int
    min_maf: float
    min_call_rate: float
    rows: list[bytes] = field(default_factory=list)
    sites: list[tuple[str, int, str, str]] = field(default_factory=list)

    def wants(self, contig: str, pos: int, people: int, called: int, alleles: int) -> bool:
        """Whether an SNV that is alone at its position is common, well called and the first of its bin.

        people, called: people and those with a call, alleles: copies of ALT among them.
        """
        last = self.sites[-1] if self.sites else ("", 0, "", "")
        if last[0] == contig and last[1] // self.spacing == pos // self.spacing:
            return False
        if called == 0 or called < self.min_call_rate * people:
            return False
        frequency = alleles / (2 * called)
        return min(frequency, 1 - frequency) >= self.min_maf

    def add(self, codes: np.ndarray) -> None:
        """The genotypes of the next of `sites`. codes: int8 (people,) of everybody."""
        values = np.zeros(-(-len(codes) // 4) * 4, np.uint8)
        values[: len(codes)] = _BED[codes]
        four = values.reshape(-1, 4)
        self.rows.append((four[:, 0] | four[:, 1] << 2 | four[:, 2] << 4 | four[:, 3] << 6).tobytes())


def add_carriers(
    counts: np.ndarray, carriers: np.ndarray, hom: np.ndarray, ref: str, alt: str, singleton: bool
) -> None:
    """Add one site allele to the counters of its carriers. carriers: their numbers; hom: bool, whether each has two
    copies; singleton: whether there is one copy in the whole cohort."""
    kind = allele_kind(ref, alt)
    if kind == "other":
        return
    counts[carriers, AT[f"n_{kind}"]] += 1
    group = "snv" if kind == "snv" else "indel"
    counts[carriers[hom], AT[f"n_hom_{group}"]] += 1
    counts[carriers[~hom], AT[f"n_het_{group}"]] += 1
    if kind == "snv":
        counts[carriers, AT["n_ti" if (ref, alt) in _TRANSITIONS else "n_tv"]] += 1
    if singleton:
        counts[carriers, AT["n_singleton"]] += 1


def charr(counts: Mapping[str, int], people: int, limits: Mapping[str, float]) -> float:
    """CHARR of one person (share, 0..1) from COUNTS; `ga4gh.Unavailable` with the reason where it cannot be had.

    people: number of people of the cohort. Of a reason, what stands before the colon is the same for everybody.
    """
    n, sites, without = (counts[name] for name in ("charr_n", "charr_sites", "charr_no_ad"))
    if n >= limits["charr_min_sites"]:
        return counts["charr_sum"] / CHARR_UNIT / n
    needed = f"{limits['charr_min_sites']:g} are needed"
    if 2 * people - 2 < limits["charr_min_alleles"]:
        enough = f"{limits['charr_min_alleles'] / 2 + 1:g} are needed"
        raise ga4gh.Unavailable(f"too few people for a reference allele frequency: {people}, {enough}")
    if without * 2 > sites:
        raise ga4gh.Unavailable(f"no AD: at {without} of {sites} hom-alt sites")
    if sites < limits["charr_min_sites"]:
        few = "too few hom-alt sites with a reference allele frequency within limits"
        raise ga4gh.Unavailable(f"{few}: {sites}, {needed}")
    raise ga4gh.Unavailable(f"too few hom-alt sites with AD, and GQ and DP within limits: {n} of {sites}, {needed}")


def sum_regions(paths: Iterable[str | Path]) -> dict[str, dict[str, int]]:
    """sample_id -> COUNTS summed over the region files, one file at a time."""
    sums = _Sums((len(COUNTS),))
    for path in paths:
        table = parquet.read(path)
        sums.add(table.column("sample_id"), np.stack([table.column(c).to_numpy() for c in COUNTS], axis=1))
    return {s: dict(zip(COUNTS, sums.totals[i].tolist(), strict=True)) for s, i in sums.place.items()}


def variant_metrics(
    classes: Mapping[int, Mapping[str, int]],
    counts: Mapping[str, int],
    input_type: str,
    limits: Mapping[str, float],
    people: int,
) -> tuple[dict[str, float | int | None], dict[str, str]]:
    """(VARIANT_METRICS of one person, reason of each that is None).

    classes: region class -> counters of the genotype pass; counts: COUNTS over the autosomes; people: of the cohort.
    call_rate: share of the diploid records (autosomes, PAR of X) of a joint VCF where the person has a call that passes
    the genotype filter; of somebody with a gVCF or reads, share of the cohort's autosomal site alleles.
    pass_rate: share of the calls that pass, of a joint VCF's diploid records, of the bases of a gVCF, of the rows of a
    single-sample VCF. par_haploid_rate: share of the calls in the pseudo-autosomal regions of X, over the same, that
    are written with one allele and so are missing (C2.2). mean_dp: mean depth, over the calls of a joint VCF that pass;
    over the bases of a gVCF. The metrics of the standard are of the records of a person's own file
    (goe.harmonise.variant_records), with adj_ before them of the alleles that pass in the cohort.
    """
    result: dict[str, float | int | None] = dict.fromkeys(VARIANT_METRICS)
    why: dict[str, str] = {}
    diploid = classes.get(REGION_DIPLOID, {})
    result["par_haploid_rate"] = ratio(diploid.get("n_par_haploid", 0), diploid.get("n_par", 0))
    if result["par_haploid_rate"] is None:
        why["par_haploid_rate"] = "no call in the pseudo-autosomal regions of X"
    records = diploid.get("n_records", 0)
    if not records:
        why |= dict.fromkeys(("call_rate", "pass_rate", "mean_dp"), NO_SITES)
    else:
        present = records - diploid["n_missing_in"]
        if input_type == "vcf":
            why["call_rate"] = VCF_ABSENT
        elif input_type == "joint_vcf":
            result["call_rate"] = diploid["n_called"] / records
        else:
            result["call_rate"] = ratio(counts.get("n_sites_called", 0), counts.get("n_sites", 0))
            if result["call_rate"] is None:
                why["call_rate"] = NO_SITES
        result["pass_rate"] = ratio(diploid["n_called"], present)
        result["mean_dp"] = ratio(diploid["sum_dp"], diploid["n_dp"])
        if result["pass_rate"] is None:
            why["pass_rate"] = "no call at any record"
        if result["mean_dp"] is None:
            why["mean_dp"] = "no depth in the input"
    # Zero SNVs is a count only where the person's own input has records to find them in.
    if not counts or not diploid.get("n_said"):
        why |= dict.fromkeys((m for m in VARIANT_METRICS if m not in why and result[m] is None), NO_SITES)
        return result, why
    found, reasons = ga4gh.measure({"counts": OF_JOINT if input_type == "joint_vcf" else diploid})
    adj, adj_reasons = ga4gh.measure({"counts": counts})
    result |= found | {f"adj_{name}": value for name, value in adj.items()} | {"n_singleton": counts["n_singleton"]}
    why |= reasons | {f"adj_{name}": reason for name, reason in adj_reasons.items()}
    try:
        result["charr"] = charr(counts, people, limits)
    except ga4gh.Unavailable as reason:
        why["charr"] = str(reason)
    return result, why
