"""Statistics of a site allele from its counts of people (C4)."""

import numpy as np


def hwe_p(het: np.ndarray, hom_ref: np.ndarray, hom_alt: np.ndarray) -> np.ndarray:
    """float64 (sites,): two-sided exact p; counts are diploid people, int (sites,)."""
    # With numba, four tenths of a second to import.
    from goe.variant_qc import hwe

    out = np.empty(len(het))
    het, hom_ref, hom_alt = (np.ascontiguousarray(a, np.int64) for a in (het, hom_ref, hom_alt))
    hwe.each(het, hom_ref, hom_alt, out)
    return out


def more_heterozygotes(het: np.ndarray, hom_ref: np.ndarray, hom_alt: np.ndarray) -> np.ndarray:
    """bool (sites,): more heterozygotes than the exact test expects, n_ref * n_alt / (2n - 1) with n_ref and n_alt
    the copies of each allele in n diploid people (Levene 1949, Annals of Mathematical Statistics 20:91)."""
    het, hom_ref, hom_alt = (np.asarray(a, np.int64) for a in (het, hom_ref, hom_alt))
    n = het + hom_ref + hom_alt
    return het * (2 * n - 1) > (2 * hom_ref + het) * (2 * hom_alt + het)


def inbreeding_coefficient(het: np.ndarray, hom_ref: np.ndarray, hom_alt: np.ndarray) -> np.ndarray:
    """float64 (sites,): F = 1 - observed / expected heterozygotes, 2pqn expected; NaN where pq = 0."""
    n = het + hom_ref + hom_alt
    with np.errstate(divide="ignore", invalid="ignore"):
        p = (2 * hom_alt + het) / (2 * n)
        expected = 2 * p * (1 - p) * n
        return np.where(expected > 0, 1 - het / expected, np.nan)


def filtering_allele_frequency(ac: np.ndarray, an: np.ndarray, ci: float) -> np.ndarray:
    """float64 (sites,): lower bound of the one-sided Poisson interval of AC, over AN (C4.5).

    Whiffin et al. 2017 (doi 10.1038/gim.2017.26) as gnomAD computes it; 0 where AC <= 1, NaN where AN = 0.
    """
    # A quarter of a second to import, for those who ask for this alone.
    from scipy.special import gammaincinv

    ac, an = np.asarray(ac), np.asarray(an)
    bound = np.zeros(len(ac))
    seen = ac > 1
    bound[seen] = gammaincinv(ac[seen], 1 - ci)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(an > 0, bound / an, np.nan)


def divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """float64 a / b; NaN where b is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(b > 0, a / b, np.nan)
