"""Tests between units against scipy, and the limit of false discoveries against the plain rule."""

import numpy as np
import pytest
from goe.collect.comparison import homogeneity as h
from scipy import stats


def tables(rng, units, alleles, low=20, high=400):
    an = rng.integers(low, high, (units, alleles)) * 2
    return rng.binomial(an, rng.beta(0.5, 2, alleles)), an


@pytest.mark.parametrize("units", [2, 3, 7])
def test_homogeneity_is_that_of_scipy_where_numbers_are_large_enough(units):
    rng = np.random.default_rng(units)
    ac, an = tables(rng, units, 200)
    known = rng.random(ac.shape) < 0.8
    k, chi2, p = h.homogeneity(ac, an, known)
    tested = 0
    for j in range(200):
        rows = [[ac[i, j], an[i, j] - ac[i, j]] for i in range(units) if known[i, j]]
        table = np.array(rows).reshape(-1, 2)
        assert k[j] == len(rows)
        if len(rows) < 2 or (table.sum(axis=0) == 0).any():
            assert np.isnan(p[j]) and np.isnan(chi2[j])
            continue
        expected = stats.contingency.expected_freq(table)
        if expected.min() < 1 or (expected < 5).mean() > 0.2:
            assert np.isnan(p[j])
            continue
        right = stats.chi2_contingency(table, correction=False)
        assert chi2[j] == pytest.approx(right.statistic) and p[j] == pytest.approx(right.pvalue)
        tested += 1
    assert tested > 20
    order = rng.permutation(units)
    for one, two in zip(h.homogeneity(ac[order], an[order], known[order]), (k, chi2, p), strict=True):
        assert np.allclose(one, two, equal_nan=True)


def test_cochran_mantel_haenszel_of_one_stratum_is_the_chi_squared_test_less_one():
    table = np.array([[30, 70], [55, 95]])
    right = stats.chi2_contingency(table, correction=False).statistic
    n = table.sum()
    a = [np.array([[v]]) for v in (30, 100, 55, 150)]
    chi2, p = h.cochran_mantel_haenszel(*a, np.array([[True]]))
    assert chi2[0] == pytest.approx(right * (n - 1) / n) and p[0] == pytest.approx(stats.chi2.sf(chi2[0], 1))


def test_cochran_mantel_haenszel_by_hand_of_two_strata():
    """Two strata whose own differences cancel give nothing; alike they add up. Sums by hand."""
    a, n1, c, n2 = (np.array(v)[:, None] for v in ([20, 30], [100, 100], [30, 20], [100, 100]))
    chi2, _ = h.cochran_mantel_haenszel(a, n1, c, n2, np.ones((2, 1), bool))
    assert chi2[0] == 0
    chi2, _ = h.cochran_mantel_haenszel(a[[0, 0]], n1, c[[0, 0]], n2, np.ones((2, 1), bool))
    # Expected 25 of 20 in both; variance of each 100 * 100 * 50 * 150 / (200^2 * 199).
    assert chi2[0] == pytest.approx(10**2 / (2 * 100 * 100 * 50 * 150 / (200**2 * 199)))
    # A stratum that one of them does not tell takes no part.
    alone, _ = h.cochran_mantel_haenszel(a, n1, c, n2, np.array([[True], [False]]))
    assert alone[0] == pytest.approx(5**2 / (100 * 100 * 50 * 150 / (200**2 * 199)))


def test_small_numbers_are_not_tested():
    some = [np.array([[v]]) for v in (1, 50, 0, 50)]
    assert np.isnan(h.cochran_mantel_haenszel(*some, np.array([[True]]))[1]).all()
    assert np.isnan(h.homogeneity(np.array([[1], [0]]), np.array([[50], [50]]), np.ones((2, 1), bool))[2]).all()


@pytest.mark.parametrize("seed", range(5))
def test_limit_is_that_of_benjamini_and_hochberg(seed):
    rng = np.random.default_rng(seed)
    p = np.concatenate((rng.random(900), 10 ** -rng.uniform(3, 20, 100)))
    bins = h.joined(*(h.binned(part) for part in np.array_split(p, 7)))
    limit = h.limit(bins, 0.05)
    right = stats.false_discovery_control(p) <= 0.05
    # A bin is 0.23 % wide: nothing is taken that the rule does not take, and hardly anything is missed.
    assert not (p[~right] <= limit).any() and h.up_to(bins, limit) == (p <= limit).sum() >= right.sum() - 1
    assert sum(bins.values()) == 1000


def test_nothing_is_taken_where_nothing_is_there():
    assert h.limit({}, 0.05) == 0 and h.up_to({}, 0) == 0
    assert h.limit(h.binned(np.array([0.5, 0.9, np.nan])), 0.05) == 0
    assert h.limit(h.binned(np.array([0.0])), 0.05) > 0
