"""Which sums may be public beside the public releases of what they add up, against an attack by integer programs."""

import numpy as np
import pytest
from goe.disclosure import sums
from goe.disclosure.audit import sums as audit
from helpers import subtraction
from helpers import summed_countries as made

NONE = 0


def rest(rows, people=100, **more):
    """One allele of an autosome. rows: (floor, known, carriers) of each dataset, of which all are called."""
    floor, known, carriers = (np.array(values) for values in zip(*rows, strict=True))
    called = np.full((len(rows), 1), people)
    given = {
        "known": known.astype(bool)[:, None],
        "apart": np.zeros((len(rows), 1), bool),
        "floor": floor,
        "people": np.full(len(rows), people),
        "carriers": carriers[:, None],
        "called": called,
        "homozygous": np.zeros((len(rows), 1), int),
        "room": called,
        "beside": np.zeros(1, bool),
        "unlike": np.zeros(1, bool),
    }
    return sums.Rest(**given | more)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        # 12, where one country shows 10 and the other withholds 2.
        ([(5, 1, 10), (5, 0, 2)], sums.SMALL),
        ([(5, 1, 10), (5, 0, 0)], sums.SMALL),
        ([(5, 1, 10), (5, 1, 7)], sums.FOLLOWS),
        # Two that withhold have 1 to 4 each when five carry it.
        ([(5, 0, 3), (5, 0, 2)], sums.NARROW),
        ([(5, 0, 2), (5, 0, 2), (5, 0, 2)], sums.TOLD),
        ([(5, 0, 4), (5, 0, 1), (5, 0, 0)], sums.TOLD),
        ([(5, 0, 4), (5, 0, 3), (5, 0, 2)], sums.NARROW),
        ([(5, 1, 30), (5, 0, 2), (5, 0, 2), (5, 0, 2)], sums.TOLD),
        # Nearly everybody, in each that withholds.
        ([(5, 0, 98), (5, 0, 98), (5, 0, 98)], sums.TOLD),
        ([(5, 0, 98), (5, 0, 2), (5, 0, 2)], sums.NARROW),
        # Withheld there for what it tells.
        ([(5, 0, 40), (5, 0, 2), (5, 0, 2)], sums.NARROW),
        ([(NONE, 0, 5)], sums.TOLD),
        ([(NONE, 0, 4)], sums.SMALL),
        ([(NONE, 0, 96)], sums.SMALL),
        ([(NONE, 0, 4), (5, 0, 1)], sums.TOLD),
        ([(NONE, 0, 4), (5, 1, 9)], sums.SMALL),
        # The highest floor of all is asked.
        ([(9, 1, 50), (5, 0, 2), (5, 0, 2), (5, 0, 2)], sums.SMALL),
        ([(9, 1, 50), (5, 0, 4), (5, 0, 4), (5, 0, 2)], sums.NARROW),
        # An open release says that nobody carries it.
        ([(1, 1, 0), (5, 0, 3), (5, 0, 2), (5, 0, 2)], sums.TOLD),
    ],
)
def test_a_sum_is_told_where_what_is_left_without_the_known_ones_is_large_and_belongs_to_nobody(rows, told):
    assert sums.decide(rest(rows), 5)[0] == told
    assert sums.decide(rest(rows[::-1]), 5)[0] == told
    for nobody in (1, 5):
        nothing = {"called": np.array([[100]] * len(rows) + [[0]])}
        assert sums.decide(rest([*rows, (nobody, 1, 0)], **nothing), 5)[0] == told


def test_strata_that_are_decided_one_by_one_tell_what_is_between_them():
    """Why a public sum has no strata but Total: of 6 carriers 5 are men, and one woman follows."""
    carriers = {"Total": (2, 2, 2), "M": (2, 2, 1), "F": (0, 0, 1)}
    verdict = {s: sums.decide(rest([(5, 0, n) for n in mine]), 5)[0] for s, mine in carriers.items()}
    assert verdict == {"Total": sums.TOLD, "M": sums.TOLD, "F": sums.SMALL}


def test_alleles_that_overlap_leave_room_and_people_without_any():
    rows = [(5, 0, 2)] * 3
    for room, told in (([98, 98, 98], sums.TOLD), ([98, 98, 1], sums.NARROW), ([98, 98, -1], sums.NARROW)):
        beside = {"beside": np.ones(1, bool), "room": np.array(room)[:, None]}
        assert sums.decide(rest(rows, **beside), 5)[0] == told
    fixed = {"beside": np.ones(1, bool), "room": np.full((3, 1), 2)}
    assert sums.decide(rest([(5, 0, 98)] * 3, **fixed), 5)[0] == sums.NARROW


def test_with_genotypes_each_kind_of_carriers_is_nobody_or_enough():
    rows = [(5, 0, 4), (5, 0, 4), (5, 0, 2)]
    for hom, told in (([0, 0, 0], sums.TOLD), ([2, 0, 0], sums.SMALL), ([2, 2, 1], sums.TOLD), ([4, 4, 0], sums.SMALL)):
        there = rest([*rows, (5, 0, 0)], homozygous=np.array([*hom, 0])[:, None])
        assert sums.decide(there, 5, genotypes=True)[0] == told
        assert sums.decide(there, 5)[0] == sums.TOLD


def attack(alleles, enough, countries=4, people=16):
    """(alleles that were told and do not follow, what the attack found), of random countries until there are enough."""
    attacked, found, seed = 0, [], 0
    while attacked < enough:
        rng = np.random.default_rng(seed)
        seed += 1
        k = int(rng.integers(2, 6))
        floors = [k] if rng.random() < 0.5 else [NONE, 1, 2, 3, 4, 5]
        them = made.draw(rng, countries, alleles, people, floors)
        out, known = made.decided(them, k, alleles)
        new = out == sums.TOLD
        if not new.any():
            continue
        attacked += int(new.sum())
        told = np.flatnonzero(new | (out == sums.FOLLOWS)).tolist()
        kinds = ("carriers", "others", "none")[: 3 if alleles > 1 else 2]
        alone, more = made.readers(them, alleles, told, known, knows_called=True)
        given = [[one.name for one, seen in zip(them, row, strict=True) if seen] for row in known.T]
        found += subtraction.told(alone, more, k, {one.name: one.floor for one in them}, kinds, given)
    return attacked, found


@pytest.mark.parametrize(("alleles", "enough"), [(1, 3), (2, 1)])
def test_nobody_who_subtracts_the_releases_learns_of_fewer_people_than_the_floor(alleles, enough):
    assert attack(alleles, enough)[1] == []


@pytest.mark.parametrize(
    ("carriers", "reason", "leak"),
    [
        # 12, where one country shows 10 and the other withholds 2.
        ((10, 2), sums.SMALL, (("D1",), 0, "carriers", [2])),
        ((3, 2), sums.NARROW, (("D0",), 0, "carriers", [1, 2, 3, 4])),
        ((4, 3, 4), sums.NARROW, (("D1",), 0, "carriers", [3, 4])),
    ],
)
def test_the_attack_finds_what_is_not_told(carriers, reason, leak):
    them = [
        made.Country(f"D{d}", 5, "collapse", {"AA_M": 20}, {"AA_M": [(0, -1)] * n + [(-1, -1)] * (20 - n)})
        for d, n in enumerate(carriers)
    ]
    out, known = made.decided(them, 5, 1)
    assert out[0] == reason
    alone, more = made.readers(them, 1, [0], known, True)
    given = [[one.name for one, seen in zip(them, known[:, 0], strict=True) if seen]]
    assert leak in subtraction.told(alone, more, 5, dict.fromkeys(("D0", "D1", "D2"), 5), ["carriers"], given)


def public_of(rest_, alleles):
    """What the audit sees, all alleles told and none with others beside."""
    carriers, called = rest_.carriers, rest_.called
    released = rest_.floor > 0
    seen = np.where(rest_.known, carriers, 0)[released]
    whole = np.zeros(alleles, int)
    return audit.Public(
        rest_.known[released],
        rest_.apart[released],
        seen,
        0 * seen,
        np.where(rest_.known, called, 0)[released],
        carriers.sum(axis=0),
        whole,
        called.sum(axis=0),
        whole > 0,
        np.full(seen.shape, 10**6),
        whole,
        whole > 0,
    )


def random_rest(rng, alleles):
    n = int(rng.integers(1, 7))
    floor = rng.choice([int(rng.integers(2, 6)), *([NONE, 1, 2, 5, 8] if rng.random() < 0.6 else [])], n)
    called = rng.integers(0, 40, (n, alleles))
    p = rng.choice([0.0, 0.01, 0.04, 0.1, 0.5, 0.97, 1.0], alleles)
    carriers = rng.binomial(called, p)
    k = np.maximum(floor, 1)[:, None]
    fine = (carriers >= k) & (called - carriers >= k)
    known = (fine | (floor == 1)[:, None]) & (floor > 0)[:, None]
    nothing = np.zeros((n, alleles), int)
    flags = np.zeros(alleles, bool)
    return sums.Rest(known, nothing > 0, floor, np.full(n, 40), carriers, called, nothing, called, flags, flags)


def test_the_audit_proves_from_public_numbers_what_is_told_and_nothing_else():
    rng = np.random.default_rng(5)
    proved = {reason: [0, 0] for reason in range(len(sums.REASONS))}
    for _ in range(400):
        alleles = 60
        there = random_rest(rng, alleles)
        out = sums.decide(there, 3)
        stated = audit.Stated(
            there.floor[there.floor > 0].tolist(),
            there.people[there.floor > 0].tolist(),
            3,
            int(there.people[there.floor == 0].sum()),
            False,
        )
        bad = {i for i, _ in audit.faults(public_of(there, alleles), stated)}
        for i, reason in enumerate(out.tolist()):
            proved[reason][i in bad] += 1
    assert proved[sums.TOLD][0] > 500 and not proved[sums.TOLD][1]
    assert proved[sums.FOLLOWS][0] > 50 and not proved[sums.FOLLOWS][1]
    assert proved[sums.SMALL][1] > 1000 and not proved[sums.SMALL][0]
    # The audit does not know why a release withholds an allele.
    assert proved[sums.NARROW][1] > 100
