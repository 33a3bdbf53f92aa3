"""Per-person quality metrics from tool reports, from the genotype pass and from the harmonised cohort.

Ids of metrics that the GA4GH WGS QC standard v1 defines are its own, misspelling included; where a value here is
made in another way than the standard says, the docstring tells. A metric that cannot be had is None, with a reason.
"""

import csv
import gzip
import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from goe.bcf import MISSING
from goe.build import REGION_DIPLOID, REGION_X, REGION_Y, Build, contig_class
from goe.errors import GoeError, Problem
from goe.genotypes import CODE_HET, CODE_HOM, CODE_MISSING, CODE_REF2, codes_from_gt, widen

TOOL_METRICS = (
    "mean_autosome_coverage",
    "pct_autosomes_15x",
    "yield_bp_q30",
    "pct_reads_mapped",
    "pct_reads_properly_paired",
    "pct_duplicates",
    "mean_insert_size",
    "insert_size_std_deviation",
    "x_depth_ratio",
    "y_depth_ratio",
)
VARIANT_METRICS = (
    "call_rate",
    "pass_rate",
    "mean_dp",
    "n_snv",
    "n_insertion",
    "n_deletion",
    "n_singleton",
    "ratio_heterozygous_homzygous_snv",
    "ratio_heterozygous_homzygous_indel",
    "ratio_insertion_deletion",
    "ratio_transitions_transversions_snv",
    "charr",
)
DECIMALS = {
    "yield_bp_q30": 0,
    "mean_insert_size": 1,
    "insert_size_std_deviation": 1,
    "call_rate": 6,
    "pass_rate": 6,
    "charr": 4,
    "x_depth_ratio": 4,
    "y_depth_ratio": 4,
    "x_het_ratio": 4,
} | dict.fromkeys(("n_snv", "n_insertion", "n_deletion", "n_singleton"), 0)
"""Decimals written; 2 for every other metric, as in the standard."""

NO_READS = "no reads: the person came as {}"
NO_SITES = "no autosomal variant record"
VCF_ABSENT = "single-sample VCF: an absent site is no reference call"

_TRANSITIONS = {("A", "G"), ("G", "A"), ("C", "T"), ("T", "C")}
_ACGT = frozenset("ACGT")


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


# --- reports of tools ----------------------------------------------------------------------------------------


def _lines(path: str | Path) -> list[str]:
    data = Path(path).read_bytes()
    return (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode().splitlines()


def _damaged(path: str | Path, what: str) -> GoeError:
    return GoeError(Problem(str(path), what, "remove the file and run again; its log says what the tool met"))


def mosdepth_summary(path: str | Path) -> dict[str, int]:
    """contig -> sum of per-base depths, from `*.mosdepth.summary.txt` (`total` and `_region` rows left out)."""
    lines = _lines(path)
    if not lines or not lines[0].startswith("chrom\tlength\tbases"):
        raise _damaged(path, "is not a mosdepth summary")
    rows = (line.split("\t") for line in lines[1:])
    return {row[0]: int(row[2]) for row in rows if row[0] != "total" and not row[0].endswith("_region")}


def mosdepth_covered(path: str | Path, depth: int = 15) -> dict[str, float]:
    """contig -> share of its bases (0..1) with at least `depth`, from `*.mosdepth.global.dist.txt`.

    mosdepth leaves out depths that nothing reaches, so an absent row is 0. It writes two decimals unless
    MOSDEPTH_PRECISION says otherwise.
    """
    covered: dict[str, float] = {}
    for number, line in enumerate(_lines(path), 1):
        row = line.split("\t")
        if len(row) != 3:
            raise _damaged(path, f"line {number} has {len(row)} columns where 3 were expected")
        covered.setdefault(row[0], 0.0)
        if int(row[1]) >= depth:
            # Rows go down from the greatest depth: the last one at or above `depth` is the one wanted.
            covered[row[0]] = max(covered[row[0]], float(row[2]))
    covered.pop("total", None)
    return covered


@dataclass(frozen=True)
class Bases:
    """Bases of the reference that are not N, by contig and region class (goe.build)."""

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


def count_bases(build: Build, fetch) -> list[tuple[str, int, int, int]]:
    """(contig, region class, length, bases that are not N) of every primary contig.

    fetch(contig, start, end) gives the sequence, 0-based half-open.
    """
    rows = []
    for contig, length in build.contigs.items():
        edges = {0, length}
        for name, start, end in build.par:
            if name == contig:
                edges |= {start - 1, min(end, length)}
        edges |= set(range(0, length, 10_000_000))
        counts: dict[int, list[int]] = {}
        borders = sorted(edges)
        for start, end in itertools.pairwise(borders):
            sequence = fetch(contig, start, end)
            total = counts.setdefault(build.region_class(contig, start + 1), [0, 0])
            total[0] += end - start
            total[1] += end - start - sequence.count("N") - sequence.count("n")
        rows += [(contig, number, *counts[number]) for number in sorted(counts)]
    return rows


def depth_metrics(
    summed: Mapping[str, int], covered: Mapping[str, float], bases: Bases, lengths: Mapping[str, int]
) -> dict[str, float | None]:
    """Coverage and the depth of X and Y over that of the autosomes, of one person.

    summed: contig -> sum of depths (`mosdepth_summary`); covered: contig -> share of the contig at 15x;
    lengths: contig -> length in bases. Depths are over the bases that are not N.

    mean_autosome_coverage and pct_autosomes_15x follow GA4GH WGS QC v1 (no duplicates, MAPQ >= 20, overlaps once)
    but for its base quality of 20, which mosdepth does not look at.
    x_depth_ratio and y_depth_ratio are outside the pseudo-autosomal regions. Where the PAR of Y is masked in the
    reference, that of X has the autosomal depth, which is taken off; where it is not, a read of it maps to X and
    Y alike, with a mapping quality below 20, and neither has depth.
    """
    autosomes = [c for c in bases.by_contig if contig_class(c) == "autosome"]
    result: dict[str, float | None] = dict.fromkeys(TOOL_METRICS)
    if not bases.autosomes:
        return result
    mean = sum(summed.get(c, 0) for c in autosomes) / bases.autosomes
    result["mean_autosome_coverage"] = mean
    at_15 = sum(covered.get(c, 0.0) * lengths[c] for c in autosomes)
    result["pct_autosomes_15x"] = min(100.0, 100 * at_15 / bases.autosomes)
    if mean > 0:
        for kind in "XY":
            outside, inside = bases.of(kind)
            if outside:
                total = sum(n for c, n in summed.items() if contig_class(c) == kind)
                par = inside if kind == "X" and bases.par_masked else 0
                result[f"{kind.lower()}_depth_ratio"] = max(0.0, (total / mean - par) / outside)
    return result


def samtools_stats(path: str | Path) -> dict[str, float | None]:
    """Read metrics from a `samtools stats` report.

    pct_reads_mapped, pct_reads_properly_paired and pct_duplicates are of the primary reads (GA4GH WGS QC v1 for
    the first two); insert sizes in bases; yield_bp_q30 is the number of bases of quality 30 or more in them.
    """
    numbers: dict[str, float] = {}
    q30 = 0
    seen_quality = False
    for line in _lines(path):
        row = line.split("\t")
        if row[0] == "SN":
            numbers[row[1].rstrip(":")] = float(row[2])
        elif row[0] in ("FFQ", "LFQ"):
            seen_quality = True
            q30 += sum(map(int, row[2 + 30 :]))
    if "sequences" not in numbers:
        raise _damaged(path, "is not a report of samtools stats")
    reads = numbers["sequences"]
    pairs = numbers.get("reads properly paired", 0) > 0 or numbers.get("reads paired", 0) > 0

    def percent(key: str) -> float | None:
        value = ratio(numbers.get(key, 0), reads)
        return None if value is None else 100 * value

    return {
        "yield_bp_q30": q30 if seen_quality else None,
        "pct_reads_mapped": percent("reads mapped"),
        "pct_reads_properly_paired": percent("reads properly paired") if pairs else None,
        "pct_duplicates": percent("reads duplicated"),
        "mean_insert_size": numbers.get("insert size average") if pairs else None,
        "insert_size_std_deviation": numbers.get("insert size standard deviation") if pairs else None,
    }


def fastp_q30(paths: Iterable[str | Path]) -> int | None:
    """Bases of quality 30 or more before any trimming, summed over the fastp JSON reports of a person's units."""
    total = None
    for path in paths:
        try:
            report = json.loads("\n".join(_lines(path)))
            total = (total or 0) + int(report["summary"]["before_filtering"]["q30_bases"])
        except (KeyError, ValueError) as error:
            raise _damaged(path, f"is not a fastp report ({error})") from error
    return total


# --- the genotype pass (people.parquet of harmonise) ----------------------------------------------------------

PASS_COLUMNS = ("n_records", "n_called", "n_het", "n_hom_alt", "n_missing_in", "n_failed", "sum_dp", "n_dp")


def sum_people(paths: Iterable[str | Path]) -> dict[str, dict[int, dict[str, int]]]:
    """sample_id -> region class -> counters summed over the files, one file at a time."""
    totals: dict[str, np.ndarray] = {}
    for path in paths:
        table = pq.read_table(path)
        columns = np.stack([table.column(c).to_numpy() for c in PASS_COLUMNS], axis=1)
        for sample, number, row in zip(
            table.column("sample_id").to_pylist(), table.column("class").to_pylist(), columns, strict=True
        ):
            mine = totals.setdefault(sample, np.zeros((8, len(PASS_COLUMNS)), np.int64))
            mine[number] += row
    return {
        sample: {
            number: dict(zip(PASS_COLUMNS, map(int, counts[number]), strict=True))
            for number in range(len(counts))
            if counts[number].any()
        }
        for sample, counts in totals.items()
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
)
_AT = {name: i for i, name in enumerate(COUNTS)}
CHARR_UNIT = 1 << 30
"""CHARR terms are summed as integers of this fraction: the sum is the same in any order and scatter."""

REGION_SCHEMA = pa.schema([("sample_id", pa.string())] + [(name, pa.int64()) for name in COUNTS])

# Value of a PLINK 1 .bed genotype (A1 = ALT) by genotype code; haploid calls do not come up on autosomes.
_BED = np.array([1, 1, 3, 2, 0, 1], np.uint8)


def allele_kind(ref: str, alt: str) -> str:
    """snv, insertion, deletion or other (equal lengths above 1) of a normalised site allele."""
    if len(ref) == len(alt):
        return "snv" if len(ref) == 1 else "other"
    return "insertion" if len(alt) > len(ref) else "deletion"


@dataclass
class CommonSnvs:
    """Candidates for relatedness: PLINK 1 .bed rows (SNP-major) and their positions, one for each bin."""

    spacing: int
    min_maf: float
    min_call_rate: float
    absent_is_reference: np.ndarray
    rows: list[bytes] = field(default_factory=list)
    sites: list[tuple[str, int, str, str]] = field(default_factory=list)

    def offer(self, contig: str, pos: int, ref: str, alt: str, codes: np.ndarray) -> None:
        """Take the site when it is common, well called and the first of its bin.

        A missing genotype of a single-sample VCF is taken as reference, here only: the sites that such a
        person shares with others would else be those where both carry ALT, and everybody their kin.
        """
        bin_number = pos // self.spacing
        if self.sites and self.sites[-1][0] == contig and self.sites[-1][1] // self.spacing == bin_number:
            return
        codes = np.where(self.absent_is_reference & (codes == CODE_MISSING), CODE_REF2, codes)
        called = int((codes >= CODE_REF2).sum())
        alleles = int((codes == CODE_HET).sum() + 2 * (codes == CODE_HOM).sum())
        if called < self.min_call_rate * len(codes) or called == 0:
            return
        frequency = alleles / (2 * called)
        if min(frequency, 1 - frequency) < self.min_maf:
            return
        values = np.zeros(-(-len(codes) // 4) * 4, np.uint8)
        values[: len(codes)] = _BED[codes]
        four = values.reshape(-1, 4)
        self.rows.append((four[:, 0] | four[:, 1] << 2 | four[:, 2] << 4 | four[:, 3] << 6).tobytes())
        self.sites.append((contig, pos, ref, alt))


def count_variants(reader, samples: int, accept: Iterable[str] = (), common: CommonSnvs | None = None) -> np.ndarray:
    """int64 (people, len(COUNTS)) of one autosomal region of the harmonised BCF.

    Counted are site alleles whose input FILTER is PASS, absent or named in `accept` (GA4GH WGS QC v1 counts PASS):
    a person counts an allele once, het or hom. Transitions and transversions are of all SNV alleles carried.
    A singleton is an allele with one copy in everybody of the file. `common` collects SNVs at positions with a
    single site allele. One pass; the vectors of a record are looked at whole, its carriers alone after that.
    """
    counts = np.zeros((samples, len(COUNTS)), np.int64)
    accepted = {"PASS", *accept}
    held = None  # an SNV that may yet turn out to share its position with another allele
    last = ("", 0)
    for record in reader:
        place = (record.contig, record.pos)
        if held is not None and place != last:
            common.offer(*held)
            held = None
        codes = codes_from_gt(record.formats["GT"])
        alt = record.alts[0]
        kind = allele_kind(record.ref, alt)
        if accepted.issuperset(record.filters):
            if kind == "snv" and common is not None and place != last:
                held = (record.contig, record.pos, record.ref, alt, codes)
            else:
                held = None
            carriers = np.flatnonzero((codes == CODE_HET) | (codes == CODE_HOM))
            if carriers.size:
                _add(counts, carriers, codes[carriers] == CODE_HOM, record.ref, alt, kind)
        else:
            held = None
        last = place
    if held is not None:
        common.offer(*held)
    return counts


def _add(counts: np.ndarray, carriers: np.ndarray, hom: np.ndarray, ref: str, alt: str, kind: str) -> None:
    if kind == "other":
        return
    counts[carriers, _AT[f"n_{kind}"]] += 1
    group = "snv" if kind == "snv" else "indel"
    counts[carriers[hom], _AT[f"n_hom_{group}"]] += 1
    counts[carriers[~hom], _AT[f"n_het_{group}"]] += 1
    if kind == "snv":
        counts[carriers, _AT["n_ti" if (ref, alt) in _TRANSITIONS else "n_tv"]] += 1
    if carriers.size == 1 and not hom[0]:
        counts[carriers, _AT["n_singleton"]] += 1


def add_charr(reader, counts: np.ndarray, limits: Mapping[str, float]) -> None:
    """Add the CHARR terms of one autosomal region of the cohort BCF (with AD) to `counts`.

    CHARR (Lu et al. 2023, as in atgu/CHARR): the mean, over a person's hom-alt calls at biallelic autosomal SNVs
    with GQ and DP within limits, of (AD_ref / (AD_ref + AD_alt)) / reference allele frequency. That frequency is
    of the other people of this cohort (the person's own two alleles are taken off), and has to lie within
    limits; the authors take gnomAD's below 10,000 people. Records without AD, GQ or DP add nothing.
    """
    for record in reader:
        real = [i for i, a in enumerate(record.alts, 1) if _ACGT.issuperset(a.upper())]
        if len(real) != 1 or len(record.ref) != 1 or len(record.alts[real[0] - 1]) != 1:
            continue
        if any(a == "*" for a in record.alts) or not {"GT", "AD", "GQ", "DP"} <= record.formats.keys():
            continue
        alt = real[0]
        gt = record.formats["GT"]
        ad = widen(record.formats["AD"])
        if gt.shape[1] != 2 or ad.shape[1] <= alt:
            continue
        alleles = (gt >> 1) - 1
        diploid = (alleles >= 0).all(axis=1) & (gt >= 0).all(axis=1)
        n_ref = int((alleles[diploid] == 0).sum())
        others = 2 * int(diploid.sum()) - 2
        if others < limits["charr_min_alleles"] or n_ref == 0:
            continue
        frequency = n_ref / others
        if not limits["charr_min_ref_af"] < frequency < limits["charr_max_ref_af"]:
            continue
        gq, dp = widen(record.formats["GQ"][:, 0]), widen(record.formats["DP"][:, 0])
        take = diploid & (alleles == alt).all(axis=1)
        take &= (gq >= limits["charr_min_gq"]) & (dp >= limits["charr_min_dp"]) & (dp <= limits["charr_max_dp"])
        take &= (ad[:, 0] > MISSING + 1) & (ad[:, alt] > MISSING + 1)
        people = np.flatnonzero(take)
        depth = ad[people, 0] + ad[people, alt]
        people, depth = people[depth > 0], depth[depth > 0]
        terms = ad[people, 0] / depth / frequency
        counts[people, _AT["charr_sum"]] += np.rint(terms * CHARR_UNIT).astype(np.int64)
        counts[people, _AT["charr_n"]] += 1


def sum_regions(paths: Iterable[str | Path]) -> dict[str, dict[str, int]]:
    """sample_id -> COUNTS summed over the region files, one file at a time."""
    totals: dict[str, np.ndarray] = {}
    for path in paths:
        table = pq.read_table(path)
        columns = np.stack([table.column(c).to_numpy() for c in COUNTS], axis=1)
        for sample, row in zip(table.column("sample_id").to_pylist(), columns, strict=True):
            if sample in totals:
                totals[sample] += row
            else:
                totals[sample] = row.copy()
    return {s: dict(zip(COUNTS, map(int, row), strict=True)) for s, row in totals.items()}


def variant_metrics(
    classes: Mapping[int, Mapping[str, int]],
    counts: Mapping[str, int],
    input_type: str,
    limits: Mapping[str, float],
) -> tuple[dict[str, float | int | None], dict[str, str]]:
    """(VARIANT_METRICS of one person, reason of each that is None).

    classes: region class -> counters of the genotype pass; counts: COUNTS over the autosomes.
    call_rate: share of the diploid records (autosomes, PAR of X) of the person's own source where the person has a
    call that passes the genotype filter; records that only other joint VCFs or people have do not count.
    pass_rate: the same among the records where the input had a call. mean_dp: mean depth of the calls that pass.
    """
    result: dict[str, float | int | None] = dict.fromkeys(VARIANT_METRICS)
    why: dict[str, str] = {}
    diploid = classes.get(REGION_DIPLOID, {})
    records = diploid.get("n_records", 0)
    if not records:
        why |= dict.fromkeys(("call_rate", "pass_rate", "mean_dp"), NO_SITES)
    else:
        present = records - diploid["n_missing_in"]
        if input_type == "vcf":
            why["call_rate"] = VCF_ABSENT
        else:
            result["call_rate"] = diploid["n_called"] / records
        result["pass_rate"] = ratio(diploid["n_called"], present)
        result["mean_dp"] = ratio(diploid["sum_dp"], diploid["n_dp"])
        if result["pass_rate"] is None:
            why["pass_rate"] = "no call at any record"
        if result["mean_dp"] is None:
            why["mean_dp"] = "no depth in the input"
    if not counts:
        why |= dict.fromkeys((m for m in VARIANT_METRICS if m not in why and result[m] is None), NO_SITES)
        return result, why
    for name in ("n_snv", "n_insertion", "n_deletion", "n_singleton"):
        result[name] = counts[name]
    for name, a, b in (
        ("ratio_heterozygous_homzygous_snv", "n_het_snv", "n_hom_snv"),
        ("ratio_heterozygous_homzygous_indel", "n_het_indel", "n_hom_indel"),
        ("ratio_insertion_deletion", "n_insertion", "n_deletion"),
        ("ratio_transitions_transversions_snv", "n_ti", "n_tv"),
    ):
        result[name] = ratio(counts[a], counts[b])
        if result[name] is None:
            why[name] = f"{b} is 0"
    if counts["charr_n"] >= limits["charr_min_sites"]:
        result["charr"] = counts["charr_sum"] / CHARR_UNIT / counts["charr_n"]
    else:
        why["charr"] = (
            f"{counts['charr_n']} hom-alt sites with AD, GQ, DP and a reference allele frequency within limits, "
            f"{limits['charr_min_sites']:g} are needed"
        )
    return result, why
