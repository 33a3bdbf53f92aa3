"""Terms of CHARR, a measure of contamination, from the genotypes of a joint VCF."""

from collections.abc import Iterable, Mapping

import numpy as np

from goe.harmonise.genotypes import widen
from goe.hts.bcf import MISSING, Record
from goe.hts.kernels import jit
from goe.sample_qc.metrics import ACGT, AT, CHARR_UNIT


@jit
def _hom_alt(gt: np.ndarray, alt: int, absent_is_reference: np.ndarray, people: np.ndarray) -> tuple[int, int, int]:
    """(people with a diploid call, their REF alleles, how many are homozygous for ALT number `alt`: in `people`).

    gt: raw BCF genotypes, signed integers of any width, (people, 2); a missing allele is below 2, the end of a vector
    negative. absent_is_reference: bool (people,), whose genotype counts as 0/0 where both alleles are missing.
    """
    called, n_ref, found = 0, 0, 0
    for i in range(gt.shape[0]):
        first, second = gt[i, 0], gt[i, 1]
        if first < 2 or second < 2:
            if absent_is_reference[i] and 0 <= first < 2 and 0 <= second < 2:
                called += 1
                n_ref += 2
            continue
        called += 1
        first, second = (first >> 1) - 1, (second >> 1) - 1
        n_ref += (first == 0) + (second == 0)
        if first == alt and second == alt:
            people[found] = i
            found += 1
    return called, n_ref, found


def _of(formats: Mapping[str, np.ndarray], key: str, people: np.ndarray) -> np.ndarray:
    """int32 (people,): the value of a FORMAT field of one value; negative where it is not there."""
    field = formats.get(key)
    return np.full(len(people), MISSING, np.int32) if field is None else widen(field[people, 0])


def add_charr(
    reader: Iterable[Record],
    counts: np.ndarray,
    limits: Mapping[str, float],
    absent_is_reference: np.ndarray | None = None,
    frequencies: Mapping[tuple[int, str, str], float] | None = None,
) -> None:
    """Add the CHARR terms of one autosomal region of a joint VCF (with AD) to `counts`.

    CHARR (Lu et al. 2023, as in atgu/CHARR): the mean, over a person's hom-alt calls at biallelic autosomal SNVs
    with GQ and DP within limits, of (AD_ref / (AD_ref + AD_alt)) / reference allele frequency. That frequency is
    of the other people of this cohort (the person's own two alleles are taken off), and has to lie within
    limits; the authors take gnomAD's below 10,000 people. absent_is_reference: bool (people,), who came as a
    single-sample VCF: such a person has a call only where it carries ALT, and REF alleles would be too few, so a
    missing genotype is two of them here (the authors' code takes every missing genotype so). frequencies: that of the
    whole cohort by (POS, REF, ALT) instead, of the SNVs that have one within limits.

    Beyond the definition: GQ is not tested where it is missing, and a missing DP is the sum of AD. `charr_sites`
    counts the hom-alt calls at sites with such a frequency, `charr_no_ad` those of them without AD.
    """
    hom_alt = np.empty(len(counts), np.int32)
    if absent_is_reference is None:
        absent_is_reference = np.zeros(len(counts), np.bool_)
    for record in reader:
        real = [i for i, a in enumerate(record.alts, 1) if ACGT.issuperset(a.upper())]
        if len(real) != 1 or len(record.ref) != 1 or len(record.alts[real[0] - 1]) != 1:
            continue
        if any(a == "*" for a in record.alts) or "GT" not in record.formats:
            continue
        alt, gt = real[0], record.formats["GT"]
        if gt.shape[1] != 2:
            continue
        frequency = 0.0
        if frequencies is not None:
            frequency = frequencies.get((record.pos, record.ref.upper(), record.alts[alt - 1].upper()), 0.0)
            if not frequency:
                continue
        called, n_ref, found = _hom_alt(gt, alt, absent_is_reference, hom_alt)
        if not found:
            continue
        if frequencies is None:
            others = 2 * called - 2
            if others < limits["charr_min_alleles"]:
                continue
            frequency = n_ref / others
            if n_ref == 0 or not limits["charr_min_ref_af"] < frequency < limits["charr_max_ref_af"]:
                continue
        people = hom_alt[:found]
        counts[people, AT["charr_sites"]] += 1
        ad = record.formats.get("AD")
        if ad is None or ad.shape[1] <= alt:
            counts[people, AT["charr_no_ad"]] += 1
            continue
        ad = widen(ad[people])
        both_depths = (ad[:, 0] > MISSING + 1) & (ad[:, alt] > MISSING + 1)
        counts[people[~both_depths], AT["charr_no_ad"]] += 1
        people, ad = people[both_depths], ad[both_depths]
        gq, dp = _of(record.formats, "GQ", people), _of(record.formats, "DP", people)
        dp = np.where(dp < 0, np.maximum(ad, 0).sum(axis=1), dp)
        depth = ad[:, 0] + ad[:, alt]
        take = ((gq < 0) | (gq >= limits["charr_min_gq"])) & (depth > 0)
        take &= (dp >= limits["charr_min_dp"]) & (dp <= limits["charr_max_dp"])
        people = people[take]
        terms = ad[take, 0] / depth[take] / frequency
        counts[people, AT["charr_sum"]] += np.rint(terms * CHARR_UNIT).astype(np.int64)
        counts[people, AT["charr_n"]] += 1
