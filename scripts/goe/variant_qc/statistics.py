"""Statistics of a site allele from its counts of people (C4)."""

import numba as nb
import numpy as np


@nb.njit(cache=True, nogil=True)
def _hwe(het: int, hom_ref: int, hom_alt: int) -> float:
    """Exact test of Hardy-Weinberg equilibrium: sum of the probabilities of all heterozygote counts that are
    as likely as the observed one or less. Wigginton, Cutler, Abecasis 2005 (doi 10.1086/429864), with the
    probabilities relative to the most likely count, so that nothing underflows."""
    n = het + hom_ref + hom_alt
    rare = 2 * min(hom_ref, hom_alt) + het
    if n == 0 or rare == 0:
        return 1.0
    middle = rare * (2 * n - rare) // (2 * n)
    if (middle ^ rare) & 1:
        middle += 1
    weights = np.zeros(rare + 1)
    weights[middle] = total = 1.0
    p, homr = 1.0, (rare - middle) // 2
    homc = n - middle - homr
    for h in range(middle, 1, -2):
        p *= h * (h - 1.0) / (4.0 * (homr + 1.0) * (homc + 1.0))
        homr += 1
        homc += 1
        weights[h - 2] = p
        total += p
    p, homr = 1.0, (rare - middle) // 2
    homc = n - middle - homr
    for h in range(middle, rare - 1, 2):
        p *= 4.0 * homr * homc / ((h + 2.0) * (h + 1.0))
        homr -= 1
        homc -= 1
        weights[h + 2] = p
        total += p
    # The observed count itself must pass the comparison whatever the rounding on its way here.
    limit = weights[het] * (1.0 + 1e-9)
    tail, all_of_them = 0.0, True
    for h in range(rare & 1, rare + 1, 2):
        if weights[h] <= limit:
            tail += weights[h]
        else:
            all_of_them = False
    # Summed in two orders the whole may differ from itself in the last digit.
    return 1.0 if all_of_them else min(1.0, tail / total)


@nb.njit(cache=True, nogil=True)
def _hwe_all(het: np.ndarray, hom_ref: np.ndarray, hom_alt: np.ndarray, out: np.ndarray) -> None:
    for i in range(het.size):
        out[i] = _hwe(het[i], hom_ref[i], hom_alt[i])


def hwe_p(het: np.ndarray, hom_ref: np.ndarray, hom_alt: np.ndarray) -> np.ndarray:
    """float64 (sites,): two-sided exact p; counts are diploid people, int (sites,)."""
    out = np.empty(len(het))
    het, hom_ref, hom_alt = (np.ascontiguousarray(a, np.int64) for a in (het, hom_ref, hom_alt))
    _hwe_all(het, hom_ref, hom_alt, out)
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
