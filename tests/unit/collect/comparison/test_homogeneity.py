"""Tests between units against scipy, and the limit of false discoveries against the plain rule."""

from collections import Counter
from itertools import combinations
from math import comb

import numpy as np
import pytest
from goe.collect.comparison import again
from goe.collect.comparison import homogeneity as h
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy import stats


def tables(rng, units, alleles, low=20, high=400):
    an = rng.integers(low, high, (units, alleles)) * 2
    return rng.binomial(an, rng.beta(0.5, 2, alleles)), an


@pytest.mark.parametrize("units", [2, 3, 7])
def test_homogeneity_is_that_of_scipy_where_numbers_are_large_enough(units):
    rng = np.random.default_rng(units)
    ac, an = tables(rng, units, 200)
    known = rng.random(ac.shape) < 0.8
    k, chi2, p = h.homogeneity(ac, an, known, 0.05)
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
            assert np.isnan(chi2[j])
            continue
        right = stats.chi2_contingency(table, correction=False)
        assert chi2[j] == pytest.approx(right.statistic) and p[j] == pytest.approx(right.pvalue)
        tested += 1
    assert tested > 20
    order = rng.permutation(units)
    for one, two in zip(h.homogeneity(ac[order], an[order], known[order], 0.05), (k, chi2, p), strict=True):
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
    few = [np.array([[v]]) for v in (1, 50, 0, 50)]
    assert np.isnan(h.cochran_mantel_haenszel(*few, np.array([[True]]))[1]).all()
    # One copy may be in either; nobody carries it; everybody does.
    for ac in ([1, 0], [0, 0], [50, 50]):
        assert np.isnan(h.homogeneity(np.array(ac)[:, None], np.full((2, 1), 50), np.ones((2, 1), bool), 0.05)[2]).all()


def alone(ac, an, fdr):
    return h.exact(*(np.array(values)[:, None] for values in (ac, an)), fdr)[0]


def brute(ac, an):
    """p of a table and the least of any, by placing every copy on every allele: no numbers of ways are computed."""
    owner = [unit for unit, n in enumerate(an) for _ in range(n)]
    seen = Counter(
        tuple(Counter(owner[i] for i in chosen)[unit] for unit in range(len(an)))
        for chosen in combinations(range(len(owner)), sum(ac))
    )
    whole = sum(seen.values())
    return [sum(n for n in seen.values() if n <= most) / whole for most in (seen[tuple(ac)], min(seen.values()))]


@settings(max_examples=60, deadline=None)
@given(some.lists(some.tuples(some.integers(0, 3), some.integers(1, 5)), min_size=2, max_size=4))
def test_the_exact_test_is_that_of_placing_every_copy(cells):
    ac, an = [min(a, n) for a, n in cells], [n for _, n in cells]
    if not 0 < sum(ac) < sum(an):
        return
    wanted, least = brute(ac, an)
    p = alone(ac, an, 1.0)
    assert p == pytest.approx(wanted, rel=1e-9)
    # By code that shares nothing with it, and whichever of the two alleles is counted.
    assert again._exact(tuple(zip(ac, an, strict=True)), 1.0) == pytest.approx(wanted, rel=1e-12)
    assert alone(np.array(an) - ac, an, 1.0) == pytest.approx(wanted, rel=1e-9)
    # Where none can be found, none is asked for.
    assert np.isnan(alone(ac, an, least * 0.999))
    assert not np.isnan(alone(ac, an, least * 1.001))


@pytest.mark.parametrize("seed", range(3))
def test_the_exact_test_of_two_units_is_that_of_fisher(seed):
    rng = np.random.default_rng(seed)
    an = rng.integers(100, 3000, (2, 60)) * 2
    ac = rng.binomial(an, 0.002)
    _, chi2, p = h.homogeneity(ac, an, np.ones(ac.shape, bool), 1.0)
    tested = 0
    for j in np.flatnonzero(np.isnan(chi2) & ~np.isnan(p)):
        assert p[j] == pytest.approx(stats.fisher_exact(np.array([ac[:, j], an[:, j] - ac[:, j]])).pvalue, rel=1e-7)
        tested += 1
    assert tested > 10


def test_tables_beyond_the_limit_are_not_gone_over():
    """2 copies in 30 units are 465 tables, 3 are 4,960."""
    for copies, tested in ((2, True), (3, False), (40, False)):
        assert np.isnan(alone([copies, *[0] * 29], [200] * 30, 1.0)) != tested


def test_small_numbers_that_differ_are_found():
    """Five copies in one of three countries of equal size: (1/3)^4 but for drawing without putting back."""
    ac, an = np.array([[5], [0], [0]]), np.full((3, 1), 1000)
    k, chi2, p = h.homogeneity(ac, an, np.ones((3, 1), bool), 0.05)
    assert k[0] == 3 and np.isnan(chi2[0]) and p[0] == pytest.approx(3 * comb(1000, 5) / comb(3000, 5))


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
