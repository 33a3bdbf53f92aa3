"""Callable AN of two releases of one cohort: what both tell together, of random cohorts and of all small tables."""

import dataclasses
import json
from collections import Counter
from functools import cache
from itertools import product

import numpy as np
import pyarrow.parquet as pq
import pytest
from goe.core.errors import GoeError
from goe.disclosure import earlier_callable
from goe.disclosure.audit import earlier as audit
from goe.frequencies.callable_an import cut
from goe.frequencies.callable_before import Before
from goe.frequencies.strata import shown
from goe.rules.policy import Policy
from helpers import callable_runs as cr

SIZES = {"EE_F": 24, "EE_M": 26, "EE_U": 3, "FI_F": 20, "FI_M": 22, "LV_F": 8, "LV_M": 9}
OPEN = Policy(1, name="open", legal_basis="test")
FLOORS = [
    # By sex; nothing by sex, since three people are of unknown sex; another floor, and none, of the earlier release.
    (Policy(3, least=3), Policy(3, least=3)),
    (Policy(4, least=5), Policy(4, least=5)),
    (Policy(4, least=5), Policy(4, least=4)),
    (Policy(5, least=5), Policy(3, least=3)),
    (OPEN, Policy(3, least=3)),
]


def two(seed, k):
    """The same people in two releases: (cohort then, cohort now), k or more, or nobody, of a leaf joined and left."""
    one = cr.drawn(seed, SIZES)
    chance = np.random.default_rng(seed)
    out = [set(), set()]
    for leaf, n in SIZES.items():
        ids = [i for i, (country, sex, _) in one.people.items() if f"{country}_{sex}" == leaf]
        chance.shuffle(ids)
        for side, gone in enumerate(chance.choice([0, 0, k, k + 2], 2)):
            if n > 2 * (k + 2):
                out[side] |= set(ids[:gone])
                ids = ids[gone:]
    return [dataclasses.replace(one, out=frozenset(gone)) for gone in out]


def leaf(cohort, i):
    country, sex, _ = cohort.people[i]
    return None if i in cohort.out else f"{country}_{sex}"


def moved(then, now):
    pairs = Counter((leaf(then, i), leaf(now, i)) for i in then.people)
    return Counter({pair: n for pair, n in pairs.items() if any(pair)})


def strata_of(path):
    return {s["stratum"]: s["people"] for s in json.loads(pq.read_schema(path).metadata[b"goe"])["strata"]}


def before(then, now, folder):
    """What to keep of the release in a folder, by contig."""

    def of(contig):
        path = folder / f"{contig}.parquet"
        stay = {i: leaf(then, i) for i in then.people if leaf(then, i) and leaf(now, i)}
        people = Counter(leaf(then, i) for i in then.people if leaf(then, i))
        return Before(stay, people, strata_of(path), path)

    return of


def asked(then, now, ks, who):
    """What the audit says of two folders."""
    said = []
    for contig in cr.BUILD.contigs:
        paths = [folder / f"{contig}.parquet" for folder in (then, now)]
        sides = [
            audit.Side(strata_of(path), k, earlier_callable._pieces(path, list(strata_of(path))))
            for path, k in zip(paths, ks, strict=True)
        ]
        about = json.loads(pq.read_schema(paths[1]).metadata[b"goe"])
        lowered = about.get("earlier_release") == earlier_callable.LOWERED
        assert not lowered
        said += audit.problems(*sides, who, cr.BUILD, contig, "test", lowered)
    return [str(problem) for problem in said]


@pytest.mark.parametrize(("first", "second"), FLOORS, ids=lambda p: f"{p.k} {p.min_stratum_size}")
@pytest.mark.parametrize("seed", range(2))
def test_two_releases_pass_the_audit_and_are_below_the_truth(tmp_path, seed, first, second):
    then, now = two(seed, max(first.k, second.k))
    old = cr.write(tmp_path / "then", then, first, stretch=128)
    new = cr.write(tmp_path / "now", now, second, size=333, stretch=128, before=before(then, now, old))
    assert not asked(old, new, (first.k, second.k), moved(then, now))
    joined = sum(n for (was, _), n in moved(then, now).items() if was is None)
    for contig in cr.BUILD.contigs:
        for stratum, an in cr.bases(new / f"{contig}.parquet").items():
            assert (an <= now.an(contig, stratum)).all()
    assert cr.bases(new / "chr20.parquet")["Total"].max() > 0 and joined
    # Other regions and stretches say the same.
    again = cr.write(tmp_path / "again", now, second, size=200, stretch=64, before=before(then, now, old))
    for contig in cr.BUILD.contigs:
        name = f"{contig}.parquet"
        assert (again / name).read_bytes() == (new / name).read_bytes()


def test_the_same_people_show_the_same_with_and_without_a_record(tmp_path):
    policy = Policy(3, least=3)
    then, _ = two(1, 3)
    old = cr.write(tmp_path / "then", then, policy)
    new = cr.write(tmp_path / "now", then, policy, before=before(then, then, old))
    for contig in cr.BUILD.contigs:
        one, other = cr.bases(old / f"{contig}.parquet"), cr.bases(new / f"{contig}.parquet")
        assert all((one[s] == other[s]).all() for s in one)
    assert not asked(old, new, (3, 3), None)


@pytest.mark.parametrize("seed", range(2))
def test_the_audit_finds_a_release_that_was_made_by_itself(tmp_path, seed):
    policy = Policy(3, least=3)
    then, now = two(seed, 3)
    old, new = (cr.write(tmp_path / name, one, policy) for name, one in (("then", then), ("now", now)))
    assert "beside the earlier release" in asked(old, new, (3, 3), moved(then, now))[0]
    assert "who moved is not known" in asked(old, new, (3, 3), None)[0]


def test_people_whose_data_are_others_lower_the_number(tmp_path):
    policy = Policy(3, least=3)
    then, now = two(1, 3)
    old = cr.write(tmp_path / "then", then, policy)
    now.ploidy["chr20"] = now.ploidy["chr20"].copy()
    now.ploidy["chr20"][:, 100:130] = 0
    new = cr.write(tmp_path / "now", now, policy, before=before(then, now, old))
    said = {c: json.loads(pq.read_schema(new / f"{c}.parquet").metadata[b"goe"]) for c in cr.BUILD.contigs}
    assert {c: s["earlier_release"] for c, s in said.items()} == {
        "chr20": "lowered",
        **dict.fromkeys(("chrX", "chrY", "chrM"), "kept"),
    }
    assert (cr.bases(new / "chr20.parquet")["Total"][100:130] == 0).all()
    people = said["chr20"]["strata"][0]
    assert people["an_at_most_below"] == 2 * people["people"]


# All tables of a group of few people at two bases.


@cache
def rule(counts, people, k):
    """What is shown of these counts at the bases of a contig, by the code."""
    here = np.array(counts, np.int32)
    start, least, most = (np.empty(len(here), np.int32) for _ in range(3))
    n = cut(here, here, k, start, least, most)
    values = shown(least[:n], people, k)
    return tuple(np.repeat(values, np.diff(start[:n], append=len(here))).tolist())


def kept(then, now, k):
    """The rule of the two releases. then, now: people who stayed, left (of them) and joined: (counts, people)."""
    (stayed, s), (left, gone), (joined, new) = then, *now
    of_then = rule(tuple(a + b for a, b in zip(stayed, left, strict=True)), s + gone, k)
    of_stayed = rule(tuple(max(0, n - gone) for n in of_then), s, k)
    return of_then, tuple(a + b for a, b in zip(of_stayed, rule(joined, new, k), strict=True))


def by_itself(then, now, k):
    (stayed, s), (left, gone), (joined, new) = then, *now
    return (
        rule(tuple(a + b for a, b in zip(stayed, left, strict=True)), s + gone, k),
        rule(tuple(a + b for a, b in zip(stayed, joined, strict=True)), s + new, k),
    )


def left_open(publish, sizes, k, bases=2):
    """What is told of those who joined or left, of both releases and not of the earlier one alone: fewer than k values
    left, some of them 1 to k - 1 people who are, or who are not, callable at a base."""
    stay, left, new = sizes
    tables = [list(product(range(n + 1), repeat=bases)) for n in sizes]
    groups, alone = {}, {}
    for s, gone, j in product(*tables):
        old, now = publish((s, stay), ((gone, left), (j, new)), k)
        alone.setdefault(old, set()).add(gone)
        groups.setdefault((old, now), []).append((gone, j))
    found = []
    for (old, now), members in groups.items():
        for base in range(bases):
            before = {gone[base] for gone in alone[old]}
            for who, values, n in (
                ("left", {gone[base] for gone, _ in members}, left),
                ("joined", {j[base] for _, j in members}, new),
            ):
                told = values != before if who == "left" else True
                few = any(0 < v < k or 0 < n - v < k for v in values)
                if told and len(values) < k and few:
                    found.append((who, old, now, base, sorted(values)))
    return found


@pytest.mark.parametrize(
    ("k", "sizes", "bases"),
    [(2, (3, 0, 3), 3), (2, (3, 2, 3), 2), (2, (0, 4, 3), 2), (3, (5, 0, 5), 2), (3, (6, 3, 0), 2), (3, (5, 3, 5), 2)],
    ids=str,
)
def test_nothing_follows_of_those_who_joined_or_left(k, sizes, bases):
    assert not left_open(kept, sizes, k, bases)


def test_the_attack_finds_a_release_that_is_made_by_itself():
    """The example of docs/disclosure.md: five people, four join, and a cut is gone."""
    found = left_open(by_itself, (5, 0, 4), 3)
    assert ("joined", (0, 3), (0, 0), 0, [1, 2]) in found
    assert any(who == "left" for who, *_ in left_open(by_itself, (5, 3, 0), 3))
    # The rule shows what was shown.
    assert kept(((0, 3), 5), (((0, 0), 0), ((2, 0), 4)), 3) == ((0, 3), (0, 3))


def test_the_audit_finds_the_example():
    strata = [{"Total": 5}, {"Total": 9}]
    people = Counter({("EE_F", "EE_F"): 5, (None, "EE_F"): 4})

    def side(i, *numbers):
        ends = np.array([1, cr.BUILD.contigs["chr20"]]) if len(numbers) > 1 else np.array([1000])
        starts = np.append(1, ends[:-1] + 1)
        return audit.Side(strata[i], 3, [(starts, ends, np.array([numbers], np.int64))])

    def said(*now):
        return audit.problems(side(0, 0, 6), side(1, *now), people, cr.BUILD, "chr20", "test")

    (problem,) = said(0)
    assert "chr20:2 callable AN of other countries is 0, which tells of 1 to 2 people" in str(problem)
    assert not said(0, 6)
    # Of four people who joined none can be shown: three would be more than k - 1 less.
    assert len(said(6)) == 1


def test_a_release_of_other_people_is_not_taken(tmp_path):
    then, now = two(1, 3)
    old = cr.write(tmp_path / "then", then, Policy(3, least=3))
    one = before(then, now, old)("chr20")
    other = dataclasses.replace(one, people=one.people + Counter({"EE_F": 1}))
    with pytest.raises(GoeError, match="has other people of EE_F than the record"):
        _ = other.sums
