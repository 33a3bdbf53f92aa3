"""What is planted in a laboratory is flagged, and what is a fact of a people is not."""

import numpy as np
import pyarrow as pa
import pytest
from goe.collect.comparison import flags
from goe.collect.comparison.cells import Piece
from goe.collect.comparison.thresholds import Thresholds
from helpers import compared as made

PLANTED = (50, "A", "C")


def two(rng, more_one=None, more_two=None, **kind):
    """Two datasets of the same origins and frequencies; more: alleles of each alone."""
    sites = made.sites(rng)
    one = made.common(rng, sites) | (more_one or {})
    return [made.dataset("D1", one), made.dataset("D2", made.common(rng, sites) | (more_two or {}), **kind)]


def of(rng, p):
    return {leaf: made.hardy_weinberg(rng, p) for leaf in made.LEAVES}


def flagged(said, kind):
    return {(f["pos"], f["ref"], f["alt"]) for f in said["flags"]["listed"][kind]}


def test_datasets_without_a_fault_are_not_flagged(tmp_path):
    _, said = made.collect(two(np.random.default_rng(1)), tmp_path, block_size=5)
    assert said["flags"]["counts"] == dict.fromkeys(flags.FAULTS, 0)
    assert [(p["origin"], p["marked"]) for p in said["same_origin"]] == [("EE", False), ("FI", False)]
    assert not any(g["marked"] for g in said["genotypes"])


def test_one_origin_that_differs_between_two_datasets(tmp_path):
    rng = np.random.default_rng(2)
    some = two(rng, {PLANTED: of(rng, 0.1)}, {PLANTED: of(rng, 0.35)})
    _, said = made.collect(some, tmp_path)
    assert flagged(said, flags.ORIGIN) == {PLANTED} and said["flags"]["counts"][flags.ORIGIN] == 1
    (flag,) = said["flags"]["listed"][flags.ORIGIN]
    assert (flag["dataset"], flag["against"], flag["group"]) == ("D1", "D2", "EE FI")
    assert flag["ac"] == some[0].count(PLANTED, "Total")[0] and flag["p"] <= said["flags"]["origin_limit"]


def test_peoples_that_differ_are_no_fault(tmp_path):
    """EE and FI far apart, alike in both datasets: different countries, the same laboratory."""
    rng = np.random.default_rng(3)
    p = {leaf: 0.05 if leaf.startswith("EE") else 0.5 for leaf in made.LEAVES}
    drawn = [{PLANTED: {leaf: made.hardy_weinberg(rng, p[leaf]) for leaf in made.LEAVES}} for _ in range(2)]
    _, said = made.collect(two(rng, *drawn), tmp_path)
    assert flagged(said, flags.ORIGIN) == set()
    assert (PLANTED[0], "EE") in {(f["pos"], f["against"]) for f in said["most_different"]}


def test_common_in_one_and_absent_where_callable_in_the_other(tmp_path):
    rng = np.random.default_rng(4)
    _, said = made.collect(two(rng, {PLANTED: of(rng, 0.2)}), tmp_path / "a")
    assert flagged(said, flags.ONLY_HERE) == {PLANTED}
    (flag,) = said["flags"]["listed"][flags.ONLY_HERE]
    assert (flag["against_ac"], flag["against_an"]) == (0, 2 * 4 * made.PEOPLE)
    # Nobody callable there, or too few: nothing is said.
    _, said = made.collect(two(rng, {PLANTED: of(rng, 0.2)}, track=False), tmp_path / "b")
    assert flagged(said, flags.ONLY_HERE) == set()
    _, said = made.collect(two(rng, {PLANTED: of(rng, 0.2)}), tmp_path / "c", absent_an=8 * made.PEOPLE + 1)
    assert flagged(said, flags.ONLY_HERE) == set()
    # Rare: as any rare allele.
    _, said = made.collect(two(rng, {PLANTED: of(rng, 0.02)}), tmp_path / "d")
    assert flagged(said, flags.ONLY_HERE) == set()


def test_under_a_floor_a_few_may_carry_what_is_not_listed(tmp_path):
    rng = np.random.default_rng(5)
    _, said = made.collect(two(rng, {PLANTED: of(rng, 0.2)}, k=5), tmp_path)
    (flag,) = said["flags"]["listed"][flags.ONLY_HERE]
    assert flag["against_ac"] is None and flag["against_an"] > 0


def test_passed_in_one_and_filtered_in_the_other(tmp_path):
    rng = np.random.default_rng(6)
    p = of(rng, 0.3)
    some = two(rng, {PLANTED: p}, {PLANTED: p}, filtered=frozenset({PLANTED}))
    _, said = made.collect(some, tmp_path)
    (flag,) = said["flags"]["listed"][flags.FILTERED_THERE]
    assert (flag["pos"], flag["dataset"], flag["against"], flag["words"]) == (PLANTED[0], "D1", "D2", "HWE")
    assert flagged(said, flags.ONLY_HERE) == set()


@pytest.mark.parametrize(("het", "hom", "words"), [(0, 50, "more homozygotes"), (150, 0, "more heterozygotes")])
def test_genotypes_out_of_balance_in_one_alone(tmp_path, het, hom, words):
    rng = np.random.default_rng(7)
    odd = {PLANTED: {leaf: (het, hom) for leaf in made.LEAVES}}
    p = (het + 2 * hom) / (2 * made.PEOPLE)
    _, said = made.collect(two(rng, odd, {PLANTED: of(rng, p)}), tmp_path / "a")
    found = said["flags"]["listed"][flags.GENOTYPES]
    assert {(f["pos"], f["dataset"], f["words"]) for f in found} == {(PLANTED[0], "D1", words)}
    assert {f["group"] for f in found} == {"EE", "FI"}
    # In both: not of one laboratory.
    _, said = made.collect(two(rng, odd, odd), tmp_path / "b")
    assert flagged(said, flags.GENOTYPES) == set()


def test_a_dataset_with_too_many_homozygotes_everywhere_is_marked(tmp_path):
    rng = np.random.default_rng(8)
    sites = made.sites(rng)
    bad = {}
    for allele, p in sites.items():
        bad[allele] = {}
        for leaf in made.LEAVES:
            het, hom = made.hardy_weinberg(rng, p[leaf])
            bad[allele][leaf] = (het - 2 * (het // 5), hom + het // 5)
    some = [made.dataset("D1", made.common(rng, sites)), made.dataset("D2", bad)]
    _, said = made.collect(some, tmp_path, block_size=5)
    assert {(g["dataset"], g["marked"]) for g in said["genotypes"]} == {("D1", False), ("D2", True)}
    assert all(g["inbreeding"] > 0.2 for g in said["genotypes"] if g["dataset"] == "D2")


def test_a_laboratory_that_differs_over_the_genome_is_marked(tmp_path):
    rng = np.random.default_rng(9)
    sites = made.sites(rng)
    other = {a: {leaf: min(0.9, x + (0.15 if a[0] % 2 else 0)) for leaf, x in p.items()} for a, p in sites.items()}
    some = [made.dataset("D1", made.common(rng, sites)), made.dataset("D2", made.common(rng, other))]
    _, said = made.collect(some, tmp_path, block_size=5)
    assert said["flags"]["counts"][flags.ORIGIN] >= 15
    assert all(p["fst"] > 0.005 and p["marked"] for p in said["same_origin"])


@pytest.mark.parametrize("step", [1, 3, 50])
def test_the_strongest_are_listed_however_they_come(step):
    """What is below all that are listed is counted and never made."""
    rng = np.random.default_rng(5)
    strength = rng.choice(40, 200).astype(float)
    look = flags.Look([], [], Thresholds(listed=7))
    for start in range(0, len(strength), step):
        pos = np.arange(start, min(start + step, len(strength)))
        bases = pa.array(["A"] * len(pos))
        piece = Piece("chr1", pos, bases, bases, pos > 0, pos > 0, None, None)
        more = dict.fromkeys(("against", "group", "words"), "") | dict.fromkeys(("ac", "an"), 1)
        more |= dict.fromkeys(("against_ac", "against_an", "p"), None)
        look._put(flags.ONLY_HERE, piece, np.arange(len(pos)), None, dataset="D", strength=strength[pos], **more)
    look.found.cut(7)
    assert look.found.counts[flags.ONLY_HERE] == 200
    wanted = np.lexsort((np.arange(200), -strength))[:7]
    assert [f.pos for f in look.found.listed[flags.ONLY_HERE]] == wanted.tolist()
    assert look.found.least[flags.ONLY_HERE] == strength[wanted[-1]]


def test_more_flags_than_are_listed_are_counted(tmp_path):
    rng = np.random.default_rng(10)
    more = {(pos, "G", "T"): of(rng, 0.1 + pos / 200) for pos in range(5, 30)}
    _, said = made.collect(two(rng, more), tmp_path, listed=4)
    assert said["flags"]["counts"][flags.ONLY_HERE] == 25
    listed = said["flags"]["listed"][flags.ONLY_HERE]
    shares = [f["ac"] / f["an"] for f in listed]
    assert len(listed) == 4 and shares == sorted(shares, reverse=True)
    every = sorted((sum(h + 2 * g for h, g in c.values()) / (8 * made.PEOPLE) for c in more.values()), reverse=True)
    assert shares == pytest.approx(every[:4])
