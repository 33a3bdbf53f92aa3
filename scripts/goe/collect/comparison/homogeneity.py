"""Tests of one allele between units, and the limit that holds the false discoveries of all of them.

Alleles are counted as if drawn one by one, which relatives and inbreeding make a little too sure. Where numbers are too
small for the approximation an allele is not tested, and told as such.
"""

from collections.abc import Mapping

import numpy as np
from scipy.special import chdtrc

_LEAST, _MOST_BELOW, _ENOUGH = 1, 0.2, 5
"""Cochran 1954 (doi 10.2307/3001616): no expected number below 1, at most a fifth of them below 5."""
STEPS = 1000
"""Bins of a power of ten of p, so that no genome of them is held; a limit is rounded down to one, by 0.23 % at most."""
_LOWEST = 320


def homogeneity(ac: np.ndarray, an: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Chi-squared test of one frequency in all units: units compared int64, chi2 and p float64, each (alleles,).

    ac, an: (units, alleles); known: bool, of those that take part. chi2 and p are NaN where an allele is not tested.
    """
    n = np.where(known, an, 0).astype(float)
    k = (n > 0).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(known, ac, 0).sum(axis=0) / n.sum(axis=0)
        expected = np.stack((n * share, n * (1 - share)))
        chi2 = (np.where(n > 0, (ac - expected[0]) ** 2 / (n * share * (1 - share)), 0)).sum(axis=0)
    there = n > 0
    smallest = np.where(there, expected.min(axis=0), np.inf).min(axis=0, initial=np.inf)
    small = ((expected < _ENOUGH) & there).sum(axis=(0, 1))
    good = (k >= 2) & (smallest >= _LEAST) & (small <= _MOST_BELOW * 2 * k)
    chi2 = np.where(good, chi2, np.nan)
    return k, chi2, np.where(good, chdtrc(np.maximum(k - 1, 1), np.where(good, chi2, 0.0)), np.nan)


def cochran_mantel_haenszel(
    ac1: np.ndarray, an1: np.ndarray, ac2: np.ndarray, an2: np.ndarray, known: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Whether two datasets differ at an allele beyond what their people's origins tell: chi2 and p, (alleles,).

    A 2 x 2 table of alleles a stratum, without correction for continuity (Mantel 1963, doi 10.1080/01621459.1963.
    10500879). All: (strata, alleles); known: strata that both have. NaN where an allele is not tested: unless the sum
    of expected numbers is 5 or more away from both of its ends (Mantel, Fleiss 1980, doi
    10.1093/oxfordjournals.aje.a112941).
    """
    good = known & (an1 > 0) & (an2 > 0)
    a, n1, c, n2 = (np.where(good, v, 0).astype(float) for v in (ac1, an1, ac2, an2))
    n, carried = n1 + n2, a + c
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(good, n1 * carried / n, 0)
        variance = np.where(good, n1 * n2 * carried * (n - carried) / (n**2 * (n - 1)), 0).sum(axis=0)
        chi2 = (a.sum(axis=0) - mean.sum(axis=0)) ** 2 / variance
    low = np.where(good, np.maximum(0, carried - n2), 0).sum(axis=0)
    high = np.where(good, np.minimum(n1, carried), 0).sum(axis=0)
    middle = mean.sum(axis=0)
    tested = (variance > 0) & (np.minimum(middle - low, high - middle) >= _ENOUGH)
    chi2 = np.where(tested, chi2, np.nan)
    return chi2, np.where(tested, chdtrc(1, np.where(tested, chi2, 0.0)), np.nan)


def binned(p: np.ndarray) -> dict[int, int]:
    """Bin -> tests, of p that are not NaN: bin b holds p from 10^-((b+1)/STEPS) to 10^-(b/STEPS)."""
    values = p[~np.isnan(p)]
    with np.errstate(divide="ignore"):
        bins = np.minimum(-np.log10(values) * STEPS, _LOWEST * STEPS).astype(np.int64)
    found, counts = np.unique(bins, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def joined(*parts: Mapping[int, int]) -> dict[int, int]:
    out: dict[int, int] = {}
    for part in parts:
        for key, n in part.items():
            out[key] = out.get(key, 0) + n
    return dict(sorted(out.items()))


def limit(bins: Mapping[int, int], fdr: float) -> float:
    """Largest p that may be taken for a difference so that of all that are, a share of `fdr` is expected to be none:
    Benjamini, Hochberg 1995 (doi 10.1111/j.2517-6161.1995.tb02031.x). 0 where there is none."""
    tests, found, best = sum(bins.values()), 0, 0.0
    for key in sorted(bins, reverse=True):
        found += bins[key]
        # All of the bin are at most its upper edge.
        edge = edge_of(key)
        if tests * edge <= fdr * found:
            best = edge
    return best


def edge_of(key: int) -> float:
    """Largest p of a bin."""
    return float(10.0 ** (-key / STEPS))


def up_to(bins: Mapping[int, int], p: float) -> int:
    """Tests at most at `p`, which `limit` gave."""
    return sum(n for key, n in bins.items() if edge_of(key) <= p)
