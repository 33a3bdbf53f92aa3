"""Tests of one allele between units, and the limit that holds the false discoveries of all of them.

Alleles are counted as if drawn one by one, which relatives and inbreeding make a little too sure. Where numbers are too
small for the approximation the test of one frequency is exact. An allele that cannot be found different whatever its
carriers are, or whose tables are too many, is not tested, and told as such.
"""

from collections.abc import Mapping
from math import lgamma
from typing import NamedTuple

import numpy as np
from scipy.special import chdtrc

from goe.hts.kernels import jit

_LEAST, _MOST_BELOW, _ENOUGH = 1, 0.2, 5
"""Cochran 1954 (doi 10.2307/3001616): no expected number below 1, at most a fifth of them below 5."""
TABLES = 2000
"""Tables of an exact test at most: 8 copies in 6 countries, 2 in 30."""
TIE = 1e-7
"""Relative difference of two probabilities that is none, as R's fisher.test has it."""
STEPS = 1000
"""Bins of a power of ten of p, so that no genome of them is held; a limit is rounded down to one, by 0.23 % at most."""
_LOWEST = 320


class Tests(NamedTuple):
    """Of one frequency in all units, (alleles,): units compared int64, chi2 and p float64, NaN where there is none."""

    units: np.ndarray
    chi2: np.ndarray
    p: np.ndarray


def homogeneity(ac: np.ndarray, an: np.ndarray, known: np.ndarray, fdr: float) -> Tests:
    """Test of one frequency in all units.

    Chi-squared where numbers allow it, else the exact test of Freeman and Halton (Biometrika 1951, doi
    10.1093/biomet/38.1-2.141), of up to TABLES tables with the same AN and AC in all, and chi2 is NaN. ac, an: (units,
    alleles); known: bool, of those that take part. p is NaN where an allele is not tested; that is so where no table
    has a p of `fdr` or less, since what can never be found would make the limit of all the others stricter (Tarone,
    Biometrics 1990, doi 10.2307/2531456): it depends on the sums alone.
    """
    k, chi2 = np.zeros(ac.shape[1], np.int64), np.full(ac.shape[1], np.nan)
    varies = np.zeros(len(k), bool)
    _chi2(ac.astype(np.int64, copy=False), an.astype(np.int64, copy=False), known, k, chi2, varies)
    good = ~np.isnan(chi2)
    p = np.full(len(k), np.nan)
    p[good] = chdtrc(k[good] - 1, chi2[good])
    rows = np.flatnonzero(~good & (k >= 2) & varies)
    p[rows] = exact(np.where(known[:, rows], ac[:, rows], 0), np.where(known[:, rows], an[:, rows], 0), fdr)
    return Tests(k, chi2, p)


@jit
def _chi2(ac, an, known, units, chi2, varies):  # type: ignore[no-untyped-def]
    """Fill in units compared, chi2 where numbers allow it, and whether some alleles, but not all, are carried."""
    for j in range(ac.shape[1]):
        whole, carried = 0, 0
        for i in range(ac.shape[0]):
            if known[i, j] and an[i, j] > 0:
                units[j] += 1
                whole += an[i, j]
                carried += ac[i, j]
        varies[j] = 0 < carried < whole
        if units[j] < 2 or not varies[j]:
            continue
        share, smallest, small, found = carried / whole, np.inf, 0, 0.0
        for i in range(ac.shape[0]):
            if known[i, j] and an[i, j] > 0:
                n = float(an[i, j])
                here, rest = n * share, n * (1 - share)
                smallest = min(smallest, here, rest)
                small += (here < _ENOUGH) + (rest < _ENOUGH)
                found += (ac[i, j] - here) ** 2 / (here * (1 - share))
        if smallest >= _LEAST and small <= _MOST_BELOW * 2 * units[j]:
            chi2[j] = found


def exact(ac: np.ndarray, an: np.ndarray, fdr: float) -> np.ndarray:
    """p of the exact test, float64 (alleles,); NaN where there are too many tables, or none has a p of `fdr` or less.

    ac, an: (units, alleles), an 0 where a unit takes no part.
    """
    p, least = np.full((2, ac.shape[1]), np.nan)
    _every(ac.astype(np.int64), an.astype(np.int64), TABLES, TIE, p, least)
    return np.where(least <= fdr, p, np.nan)


@jit
def _every(ac, an, most, tie, p, least):  # type: ignore[no-untyped-def]
    """`_exact` of each allele, of the rarer of its two sides. p, least: filled in where there are `most` tables or
    fewer: C(copies + units - 1, copies), if no unit is smaller."""
    for j in range(ac.shape[1]):
        there = an[:, j] > 0
        size, mine = an[there, j], ac[there, j]
        if 2 * mine.sum() > size.sum():
            mine = size - mine
        copies, n = mine.sum(), 1
        for i in range(1, min(copies, size.size - 1) + 1):
            n = n * (copies + size.size - i) // i
            if n > most:
                break
        if n <= most:
            p[j], least[j] = _exact(mine, size, tie, n)


@jit
def _choose(n, k):  # type: ignore[no-untyped-def]
    return lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0)


@jit
def _exact(ac, an, tie, most):  # type: ignore[no-untyped-def]
    """Sum of the probabilities of all tables that are no likelier than this one, and of those no likelier than any.

    most: tables at most. They are gone over in order of their last units; `left` is what units from one on hold
    together, and `ways` the logarithms of those to have so many copies in a unit.
    """
    units = an.size
    mine, left = np.zeros(units, np.int64), np.zeros(units + 1, np.int64)
    sofar = np.zeros(units + 1)
    room = np.zeros(units + 1, np.int64)
    for i in range(units - 1, -1, -1):
        room[i] = room[i + 1] + an[i]
    left[0] = ac.sum()
    whole, here = _choose(room[0], left[0]), 0.0
    for i in range(units):
        here += _choose(an[i], ac[i])
    ways = np.empty((units, left[0] + 1))
    for i in range(units):
        for copies in range(min(an[i], left[0]) + 1):
            ways[i, copies] = _choose(an[i], copies)
    found = np.empty(most)
    n, i, down = 0, 0, True
    while i >= 0:
        if i == units:
            found[n] = sofar[i]
            n, i, down = n + 1, i - 1, False
            continue
        if down:
            # As few as the units behind leave.
            mine[i] = max(0, left[i] - room[i + 1])
        else:
            mine[i] += 1
        if mine[i] > min(an[i], left[i]):
            i, down = i - 1, False
            continue
        left[i + 1] = left[i] - mine[i]
        sofar[i + 1] = sofar[i] + ways[i, mine[i]]
        i, down = i + 1, True
    found = found[:n]
    lowest, p, least = found.min(), 0.0, 0.0
    for value in found:
        if value <= here + tie:
            p += np.exp(value - whole)
        if value <= lowest + tie:
            least += np.exp(value - whole)
    return min(p, 1.0), min(least, 1.0)


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
