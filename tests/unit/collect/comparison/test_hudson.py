"""Fst, its error and the plane of units, against hand-computed numbers and plain formulas."""

import numpy as np
import pytest
from goe.collect.comparison import hudson


def test_parts_by_hand():
    # p 1/4 of 8, q 3/4 of 4: 1/4 - (3/16)/7 - (3/16)/3, and 1/4*1/4 + 3/4*3/4.
    above, below = hudson.parts(hudson.unit(2, 8), hudson.unit(3, 4))
    assert above == pytest.approx(0.25 - 3 / 112 - 1 / 16) and below == pytest.approx(10 / 16)


def test_fst_of_fixed_differences_is_one_and_of_one_people_is_near_nothing():
    assert np.divide(*hudson.parts(hudson.unit(10, 10), hudson.unit(0, 10))) == 1
    rng = np.random.default_rng(1)
    p = rng.uniform(0.05, 0.95, 20_000)
    above, below = hudson.parts_of(rng.binomial(40, p), np.full(p.size, 40), rng.binomial(60, p), np.full(p.size, 60))
    fst, error = hudson.jackknife(
        *(np.add.reduceat(v, np.arange(0, p.size, 100)) for v in (above, below, np.ones(p.size)))
    )
    assert abs(fst) < 3 * error and 0 < error < 0.002


def test_parts_do_not_mind_which_is_first():
    rng = np.random.default_rng(2)
    an1, an2 = rng.integers(2, 50, 100), rng.integers(2, 50, 100)
    ac1, ac2 = rng.integers(0, an1 + 1), rng.integers(0, an2 + 1)
    for one, two in zip(hudson.parts_of(ac1, an1, ac2, an2), hudson.parts_of(ac2, an2, ac1, an1), strict=True):
        assert np.allclose(one, two, rtol=1e-12)


def test_a_simulated_split_has_the_fst_that_it_should():
    """Balding-Nichols: frequencies of two peoples around one, of variance F p(1-p)."""
    rng = np.random.default_rng(3)
    f, p = 0.05, rng.uniform(0.2, 0.8, 40_000)
    both = rng.beta(p * (1 - f) / f, (1 - p) * (1 - f) / f, (2, p.size))
    an = np.full(p.size, 50)
    above, below = hudson.parts_of(rng.binomial(an, both[0]), an, rng.binomial(an, both[1]), an)
    fst, error = hudson.jackknife(
        *(np.add.reduceat(v, np.arange(0, p.size, 400)) for v in (above, below, np.ones(p.size)))
    )
    assert fst == pytest.approx(f, abs=4 * error) and error < 0.001


def test_jackknife_of_equal_blocks_is_the_plain_one():
    rng = np.random.default_rng(4)
    above, below = rng.normal(1, 0.1, 12), rng.uniform(8, 12, 12)
    fst, error = hudson.jackknife(above, below, np.full(12, 7))
    without = np.array([(above.sum() - a) / (below.sum() - b) for a, b in zip(above, below, strict=True)])
    assert fst == pytest.approx(above.sum() / below.sum())
    assert error == pytest.approx(np.sqrt(11 / 12 * ((without - without.mean()) ** 2).sum()))


def test_jackknife_of_unequal_blocks_leaves_empty_ones_out():
    above, below, size = np.array([1.0, 0, 2, 4]), np.array([10.0, 0, 15, 50]), np.array([5, 0, 8, 20])
    whole = hudson.jackknife(above, below, size)
    assert whole == hudson.jackknife(*(v[[0, 2, 3]] for v in (above, below, size)))
    assert whole == pytest.approx(hudson.jackknife(above[::-1], below[::-1], size[::-1]))
    assert np.isnan(hudson.jackknife(above[:1], below[:1], size[:1])[1])
    assert np.isnan(hudson.jackknife(np.zeros(3), np.zeros(3), np.zeros(3))).all()


def test_plane_gives_points_of_a_plane_back():
    rng = np.random.default_rng(5)
    points = rng.normal(size=(6, 2))
    distances = ((points[:, None] - points) ** 2).sum(axis=2)
    places, shares = hudson.plane(distances)
    assert places.shape == (6, 2) and shares.sum() == pytest.approx(1) and shares[0] >= shares[1]
    assert np.allclose(((places[:, None] - places) ** 2).sum(axis=2), distances)
    order = rng.permutation(6)
    other, _ = hudson.plane(distances[np.ix_(order, order)])
    assert np.allclose(other, places[order])


def test_plane_of_units_without_differences_has_no_axis():
    places, shares = hudson.plane(np.zeros((3, 3)))
    assert places.shape == (3, 0) and len(shares) == 0
