"""Tables that harmonising leaves for who comes behind it, without the code that makes them."""

import pyarrow as pa

# Rows a group of a person's tables: those of this many bases.
WINDOW = 1 << 23


def always(name: str, kind: pa.DataType) -> pa.Field:
    """A column with a value in every row, which is read in two thirds of the time."""
    return pa.field(name, kind, nullable=False)


ALLELES = pa.schema(
    [
        ("pos", pa.int32()),
        ("ref", pa.string()),
        ("alt", pa.string()),
        *(always(name, pa.int8()) for name in ("code", "base", "raw", "raw_base", "region_class")),
        ("made", pa.bool_()),
        ("qual", pa.float32()),
        ("ft", pa.string()),
        ("gq", pa.float32()),
        ("dp", pa.float32()),
        ("ad_ref", pa.float32()),
        ("ad_alt", pa.float32()),
    ]
)
"""A site allele that the file lists, normalised, a row each. code: of the call (goe.harmonise.genotypes.CODES) by the
rows that list it; base: what the runs say at pos; raw, raw_base: the same without the filter; region_class: that of
the POS of its row as it came; made: whether it is a site allele of the cohort for this person's sake; qual; ft: reasons
of a carrier whose every row fails, joined by `;`; the last four of a call homozygous for an SNV alone, NaN where not
known."""

RUNS = pa.schema([("start", pa.int32()), ("end", pa.int32()), ("code", pa.int8()), ("raw", pa.bool_())])
"""Positions start..end (1-based, inclusive) at which the person counts as reference for what the file does not list: of
one ploidy class, with the code of that call; raw: without the filter. Runs of a kind do not overlap and are in
order."""

OF_VARIANTS = (
    *("n_snv", "n_het_snv", "n_hom_snv", "n_insertion", "n_deletion", "n_het_indel", "n_hom_indel"),
    *("n_ti", "n_tv"),
)
"""Records with an SNV (`view -v snps`), heterozygous (`-g het`), homozygous (`-g hom`: also of one allele); with an
indel and an ALT longer than REF (`-v indels -i 'ILEN>0'`), shorter (`ILEN<0`); with an indel, heterozygous, homozygous;
SNV alleles that are transitions, transversions (`stats`, TSTV)."""

OF_CALLS = (
    *("n_records", "n_called", "n_het", "n_hom_alt", "n_missing_in", "n_failed", "n_counted", "sum_dp", "n_dp"),
    *("n_par", "n_par_haploid"),
)
COUNTERS = (*OF_CALLS, *OF_VARIANTS)
"""Counters of a person's own file by region class, in bases of a gVCF and rows of a VCF: those it speaks of, with a
call that passes, without a call, with one that fails, and that count by ploidy; het and homozygous calls of ALT
alleles that pass; the sum of depths, over those with a depth; those of the pseudo-autosomal regions of X with a call,
and of these written with one allele, whatever the filter says; of autosomes, variants as the file has them."""

PEOPLE_SCHEMA = pa.schema(
    [("sample_id", pa.string()), ("class", pa.int8())]
    + [
        (name, pa.int64())
        for name in (
            "n_records",
            "n_called",
            "n_het",
            "n_hom_alt",
            "n_missing_in",
            "n_failed",
            "n_counted",
            "sum_dp",
            "n_dp",
            "n_said",
            "n_gq_pl",
            "n_gq_gqx",
            "n_par",
            "n_par_haploid",
            *OF_VARIANTS,
        )
    ]
)
