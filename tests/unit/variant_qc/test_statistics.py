"""Site statistics against hand-made numbers and a direct enumeration."""

from fractions import Fraction
from math import comb, factorial

import numpy as np
import pytest
from goe.variant_qc import statistics as stats
from scipy.stats import gamma


def exact(het, hom_ref, hom_alt):
    """HWE p in rational numbers, straight from the definition."""
    n = het + hom_ref + hom_alt
    rare = 2 * min(hom_ref, hom_alt) + het

    def weight(h):
        r = (rare - h) // 2
        return Fraction(2**h * factorial(n), factorial(r) * factorial(h) * factorial(n - r - h)) / comb(2 * n, rare)

    weights = {h: weight(h) for h in range(rare % 2, rare + 1, 2)}
    assert sum(weights.values()) == 1
    return float(sum(w for w in weights.values() if w <= weights[het]))


@pytest.mark.parametrize(
    "counts",
    [
        (0, 0, 0),
        (0, 10, 0),
        (1, 9, 0),
        (5, 5, 5),
        (10, 0, 0),
        (0, 5, 5),
        (57, 78, 14),
        (3, 100, 0),
        (4, 2, 30),
        (2, 0, 0),
    ],
)
def test_hwe_equals_enumeration(counts):
    p = stats.hwe_p(*(np.array([c]) for c in counts))[0]
    assert p == pytest.approx(exact(*counts) if sum(counts) else 1.0, rel=1e-12)


def test_hwe_of_a_large_sample_neither_underflows_nor_exceeds_one():
    p = stats.hwe_p(np.array([40000, 0, 49990]), np.array([35000, 50000, 25005]), np.array([25000, 50000, 25005]))
    assert 0 <= p[1] < 1e-300 and p[0] < 1e-100 and p[2] > 0.9


def test_inbreeding():
    f = stats.inbreeding_coefficient(np.array([50, 0, 100, 0]), np.array([25, 50, 0, 7]), np.array([25, 50, 0, 0]))
    assert f[:3] == pytest.approx([0, 1, -1]) and np.isnan(f[3])


def test_faf():
    faf = stats.filtering_allele_frequency(np.array([0, 1, 2, 100, 0]), np.array([100, 100, 100, 1000, 0]), 0.95)
    assert faf[:2].tolist() == [0, 0]
    assert faf[2:4] == pytest.approx([gamma.ppf(0.05, 2) / 100, gamma.ppf(0.05, 100) / 1000])
    assert np.isnan(faf[4])


def test_hwe_of_the_most_likely_count_is_1():
    """The counts that were found to give 1 - 2e-16: no other count of heterozygotes is more likely."""
    assert stats.hwe_p(np.array([89]), np.array([56]), np.array([35])).tolist() == [1.0]
    for n in range(1, 60):
        for rare in range(2 * n + 1):
            hets = np.arange(rare & 1, min(rare, 2 * n - rare) + 1, 2)
            p = stats.hwe_p(hets, (2 * n - rare - hets) // 2, (rare - hets) // 2)
            assert p.max() == 1.0
