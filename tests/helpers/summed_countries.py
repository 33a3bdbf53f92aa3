"""Made-up countries with alleles at one position of an autosome: what is released, and whether a sum is told."""

from dataclasses import dataclass, replace

import numpy as np
from goe.disclosure import control, sums
from goe.disclosure.plan import choose_strata
from goe.frequencies import strata as st
from goe.rules.policy import Policy

from helpers.subtraction import Reader


@dataclass
class Country:
    """cells: leaf -> people. floor: of its release, 1 for an open one, 0 without any. genotypes: leaf -> list of
    genotypes (pairs of alleles, -1 for the reference) of people called."""

    name: str
    floor: int
    policy: str
    cells: dict[str, int]
    genotypes: dict[str, list[tuple[int, int]]]

    def people(self, alleles):
        """int32 (leaves, 5, alleles), as disclosure control takes them."""
        out = np.zeros((len(self.cells), 5, alleles), np.int32)
        for i, leaf in enumerate(self.cells):
            out[i, st.DIP] = len(self.genotypes[leaf])
            for pair in self.genotypes[leaf]:
                for a in set(pair) - {-1}:
                    out[i, st.HOM if pair.count(a) == 2 else st.HET, a] += 1
        return out

    def released(self, alleles):
        """Published strata, and bool (strata, alleles), which are given."""
        rule = Policy(max(1, self.floor), name=self.policy if self.floor > 1 else "open")
        plan = choose_strata(self.cells, rule.min_stratum_size)
        pos = np.full(alleles, 10)
        return plan.strata, control.apply(self.people(alleles), plan, rule, pos, pos).shown


def draw(rng, countries, alleles, people, floors, policies=("collapse", "minimal")):
    """Random countries. people: of a cell, about. floors: to choose from, 0 without a release, 1 open."""
    found = []
    for d in range(countries):
        cells = {f"A{'ABCDE'[d]}_{s}": int(rng.integers(people // 2, people + 1)) for s in "MF"}
        found.append(Country(f"D{d}", int(rng.choice(floors)), str(rng.choice(policies)), cells, {}))
    return at_a_position(rng, found, alleles)


def at_a_position(rng, countries, alleles):
    """The same countries with genotypes at another position."""
    rate = rng.choice([0.01, 0.03, 0.06, 0.4, 0.98], alleles)
    found = []
    for one in countries:
        near = rate * rng.choice([0.5, 1.0, 1.5])
        near = np.append(near, max(0.0, 1 - near.sum()))
        share, genotypes = rng.choice([0.7, 1.0, 1.0]), {}
        for leaf, n in one.cells.items():
            copies = rng.choice(alleles + 1, (int(rng.binomial(n, share)), 2), p=near / near.sum())
            genotypes[leaf] = [tuple(int(x) if x < alleles else -1 for x in pair) for pair in copies]
        found.append(replace(one, genotypes=genotypes))
    return found


def decided(countries, k, alleles, genotypes=False):
    """What is decided on the sum of each allele, and what is public of Total by country: bool (countries, alleles)."""
    numbers = np.array([one.people(alleles).sum(axis=0) for one in countries])
    carriers, called = numbers[:, st.HET :].sum(axis=1), numbers[:, st.DIP]
    nothing = np.zeros(alleles, bool)
    known = np.array([one.released(alleles)[1][0] if one.floor else nothing for one in countries])
    # Nobody who counts carries it: an open release lists what was thought of.
    rest = sums.Rest(
        known=known,
        apart=np.zeros(known.shape, bool),
        floor=np.array([one.floor for one in countries]),
        people=np.array([sum(one.cells.values()) for one in countries]),
        carriers=carriers,
        called=called,
        homozygous=numbers[:, st.HOM],
        room=called - carriers.sum(axis=1, keepdims=True),
        beside=np.full(alleles, alleles > 1),
        unlike=np.zeros(alleles, bool),
    )
    return sums.decide(rest, k, genotypes), known


def readers(countries, alleles, told, known, knows_called):
    """Readers without and with the sums of the alleles `told`."""
    cells, given, floors, called, at = [], [], [], [], {}
    for one in countries:
        at[one.name] = range(len(cells), len(cells) + len(one.cells))
        cells += [(one.name, n, 2) for n in one.cells.values()]
        called += [len(one.genotypes[leaf]) for leaf in one.cells]
    for one in countries:
        people = one.people(alleles)
        if one.floor:
            strata, shown = one.released(alleles)
            for s, a in zip(*np.nonzero(shown), strict=True):
                leaves = st.members(strata[s], list(one.cells))
                given.append(_equation([at[one.name][i] for i in leaves], a, people[leaves].sum(axis=0)))
        for a in range(alleles):
            n = people[:, :, a].sum(axis=0)
            few = min(n[st.HET] + n[st.HOM], n[st.DIP] - n[st.HET] - n[st.HOM])
            if one.floor > 1 and not known[countries.index(one), a] and few < one.floor:
                floors.append((list(at[one.name]), a, one.floor))
    whole = np.sum([one.people(alleles).sum(axis=0) for one in countries], axis=0)
    more = [_equation(list(range(len(cells))), a, whole) for a in told]
    known_called = called if knows_called else None
    return tuple(Reader(cells, alleles, found, floors, known_called) for found in (given, given + more))


def _equation(members, allele, people):
    dip, _, het, hom, _ = people[:, allele]
    return members, int(allele), int(hom), int(het), 0, int(2 * dip)
