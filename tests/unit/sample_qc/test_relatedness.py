"""Kinship degrees and the people to leave out."""

from itertools import combinations

import numpy as np
import pytest
from goe.rules import sample_thresholds as sample_rules
from goe.sample_qc import relatedness
from goe.sample_qc.relatedness import Pair
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.fixture(scope="module")
def limits(repo):
    folder = repo / "resources/guidelines"
    return sample_rules.load([folder / "sample_qc.tsv", folder / "inference.tsv"]).parameters


LIMITS = {"kinship_duplicate": 0.354, "kinship_first_degree": 0.177, "kinship_second_degree": 0.0884}


def test_cut_offs_are_powers_of_two(limits):
    for key, power in (("duplicate", 1.5), ("first_degree", 2.5), ("second_degree", 3.5)):
        assert limits[f"kinship_{key}"] == pytest.approx(2**-power, abs=1e-8)


@pytest.mark.parametrize(
    ("kinship", "expected"),
    [(0.5, "duplicate"), (0.25, "first_degree"), (0.12, "second_degree"), (0.05, None), (-0.3, None)],
)
def test_degrees(limits, kinship, expected):
    assert relatedness.degree(kinship, limits) == expected


def test_better_person_of_a_pair_stays():
    ranks = relatedness.rank("ab", {"a": (0.97, 30.0), "b": (0.99, 12.0)})
    assert relatedness.removals([Pair("a", "b", 900, 0.5)], ranks, LIMITS) == {"a": "duplicate"}


def test_unknown_quality_is_the_worst():
    assert relatedness.rank("ab", {"a": (None, 30.0), "b": (0.5, None)}) == {"b": 0, "a": 1}


def test_ties_do_not_go_by_name():
    pairs = [[f"x{i}a", f"x{i}b"] for i in range(40)]
    first = sum(relatedness.rank(pair, {})[pair[0]] == 0 for pair in pairs)
    assert 8 < first < 32


def test_parents_stay_and_the_child_goes():
    pairs = [Pair("child", "mother", 900, 0.25), Pair("child", "father", 900, 0.25)]
    ranks = {"child": 0, "mother": 1, "father": 2}
    assert relatedness.removals(pairs, ranks, LIMITS) == {"child": "related"}


def test_duplicate_of_a_relative():
    pairs = [Pair("a", "b", 900, 0.5), Pair("a", "c", 900, 0.25), Pair("b", "c", 900, 0.25)]
    gone = relatedness.removals(pairs, {"a": 0, "b": 1, "c": 2}, LIMITS)
    assert gone == {"b": "duplicate", "c": "related"}


def test_relations(limits):
    """Table 1 of Manichaikul et al. 2010: of the first degree, k0 below 0.1 is a parent and a child."""
    for kinship, none, expected in (
        (0.5, 0.0, "duplicate"),
        (0.25, 0.0, "parent_child"),
        (0.25, 0.09, "parent_child"),
        (0.25, 0.1, "siblings"),
        (0.25, None, "first_degree"),
        (0.12, 0.5, "second_degree"),
        (0.05, 0.9, None),
    ):
        assert relatedness.relation(Pair("a", "b", 900, kinship, none), limits) == expected


def test_k0_is_the_share_without_an_allele_in_common(limits):
    """Against people made from haplotypes: unrelated, siblings, parent and child, twins."""
    rng = np.random.default_rng(3)
    p = rng.uniform(0.05, 0.95, 40_000)
    mother, father, other = ((rng.random((2, p.size)) < p).astype(int) for _ in range(3))

    def child():
        pick = rng.integers(0, 2, (2, p.size))
        return np.stack([mother[pick[0], np.arange(p.size)], father[pick[1], np.arange(p.size)]])

    one, two = child(), child()
    expected = relatedness.expected_ibs0(p)
    for a, b, share in ((one, other, 1.0), (one, two, 0.25), (one, mother, 0.0), (one, one, 0.0)):
        opposite = int((np.abs(a.sum(axis=0) - b.sum(axis=0)) == 2).sum())
        assert relatedness.k0(opposite, p.size, expected, limits) == pytest.approx(share, abs=0.03)


def test_k0_is_not_told_from_few_snvs(limits):
    assert relatedness.k0(0, 300, 0.07, limits) is None
    assert relatedness.k0(0, 900, 0.07, limits) == 0.0
    assert relatedness.k0(0, 900, relatedness.expected_ibs0(np.empty(0)), limits) is None


def test_row_and_back(limits):
    for pair in (Pair("a", "b", 900, 0.25, 0.0123), Pair("007", "1E5", 12, 0.5)):
        cells = dict(zip(relatedness.COLUMNS, relatedness.row(pair, limits), strict=True))
        assert relatedness.pair_of(cells) == pair


@st.composite
def graphs(draw):
    n = draw(st.integers(2, 8))
    names = [f"p{i}" for i in range(n)]
    edges = draw(st.lists(st.sampled_from(list(combinations(names, 2))), unique=True))
    ranks = dict(zip(names, draw(st.permutations(range(n))), strict=True))
    return names, [Pair(a, b, 900, 0.2) for a, b in edges], ranks


@settings(max_examples=80, deadline=None)
@given(graphs())
def test_no_pair_is_left_and_the_set_is_smallest(graph):
    names, pairs, ranks = graph
    gone = set(relatedness.removals(pairs, ranks, LIMITS))
    assert all(p.a in gone or p.b in gone for p in pairs)
    smallest = next(
        size
        for size in range(len(names) + 1)
        if any(all(p.a in some or p.b in some for p in pairs) for some in map(set, combinations(names, size)))
    )
    assert len(gone) == smallest
    every = [set(some) for some in combinations(names, smallest) if all(p.a in some or p.b in some for p in pairs)]
    assert gone == min(every, key=lambda some: sorted(ranks[n] for n in names if n not in some))
    assert relatedness.removals(pairs[::-1], ranks, LIMITS).keys() == gone


@settings(max_examples=30, deadline=None)
@given(graphs(), st.randoms())
def test_other_names_and_orders_remove_the_same_people(graph, random):
    """The people left out depend on who is related and who is better, on no name and on no order."""
    names, pairs, ranks = graph
    new = names[:]
    random.shuffle(new)
    name = dict(zip(names, (f"q{n}" for n in new), strict=True))
    other = [Pair(*sorted((name[p.a], name[p.b])), p.n_snvs, p.kinship) for p in pairs]
    random.shuffle(other)
    gone = relatedness.removals(other, {name[n]: r for n, r in ranks.items()}, LIMITS)
    assert gone.keys() == {name[n] for n in relatedness.removals(pairs, ranks, LIMITS)}


@settings(max_examples=40, deadline=None)
@given(graphs())
def test_greedy_leaves_no_pair_and_needs_everybody_it_removes(graph):
    _, pairs, ranks = graph
    for family in relatedness.families(pairs):
        gone = relatedness._greedy(family, ranks)
        assert all(n <= gone for p, n in family.items() if p not in gone)
        assert all(family[p] - gone for p in gone)


def test_trios_and_quartets_lose_the_children_alone():
    """Parents with one, two and three children, siblings of each other: the parents are counted, no child is."""
    for children in (1, 2, 3):
        names = [f"c{i}" for i in range(children)]
        pairs = [Pair(*sorted((c, p)), 900, 0.25) for c in names for p in ("mother", "father")]
        pairs += [Pair(a, b, 900, 0.25) for a, b in combinations(names, 2)]
        ranks = {n: i for i, n in enumerate([*names, "mother", "father"])}
        assert set(relatedness.removals(pairs, ranks, LIMITS)) == set(names)


def test_large_family_is_solved_and_no_removal_is_needless():
    names = [f"p{i:02d}" for i in range(40)]
    pairs = [Pair(a, b, 900, 0.2) for a, b in combinations(names, 2) if (int(a[1:]) * 7 + int(b[1:])) % 5 == 0]
    gone = set(relatedness.removals(pairs, relatedness.rank(names, {}), LIMITS))
    assert all(p.a in gone or p.b in gone for p in pairs)
    for person in gone:
        rest = gone - {person}
        assert not all(p.a in rest or p.b in rest for p in pairs)


def test_too_few_snvs_say_so(limits):
    lowest, statement = relatedness.assess(30, 12, False, np.zeros((3, 435)), limits)
    assert lowest is None
    assert statement.startswith("not assessed: 12 common autosomal SNVs, 200 are needed")
    assert relatedness.assess(1, 50_000, True, np.empty((3, 0)), limits)[0] is None


def kinships(rng, error, kin=0.0, recombination=0.0):
    """Kinship of 780 pairs by all SNVs and by either half, of which the noise is wider by the root of two."""
    halves = kin + rng.normal(0, recombination, (2, 780)) + rng.normal(0, error * 2**0.5, (2, 780))
    return np.stack([halves.mean(axis=0), *halves])


def test_standard_error_limits_the_degree(limits):
    rng = np.random.default_rng(1)
    for error, expected in ((0.01, "second_degree"), (0.045, "first_degree"), (0.2, "duplicate")):
        lowest, said = relatedness.assess(40, 1500, False, kinships(rng, error), limits)
        assert lowest == limits[f"kinship_{expected}"]
        assert ("standard error of kinship 0.0" in said) == (expected == "first_degree")


def test_neither_relatives_nor_structure_widen_the_standard_error(limits):
    rng = np.random.default_rng(2)
    assert relatedness.spread(kinships(rng, 0.02)) == pytest.approx(0.02, rel=0.15)
    for kin in (np.full(780, 0.25), np.where(np.arange(780) < 400, -0.4, 0.0), rng.choice([-0.3, 0.25], 780)):
        assert relatedness.spread(kinships(rng, 0.02, kin)) <= 0.022
    # Siblings on one chromosome share one half of it and not the other; nobody of them is unrelated.
    assert relatedness.spread(kinships(rng, 0.02, 0.25, 0.15)) == 0
    for kin in (0.25, 0.1):
        lowest, _ = relatedness.assess(40, 1500, False, kinships(rng, 0.02, kin), limits)
        assert lowest == limits["kinship_second_degree"]


def test_few_pairs_are_judged_by_the_number_of_snvs(limits):
    for snvs, expected in ((1999, "first_degree"), (2000, "second_degree")):
        assert relatedness.assess(4, snvs, False, np.zeros((3, 6)), limits)[0] == limits[f"kinship_{expected}"]


def test_whole_genomes_are_assessed_whatever_the_kin(limits):
    lowest, _ = relatedness.assess(60, 120_000, True, None, limits)
    assert lowest == limits["kinship_second_degree"]
