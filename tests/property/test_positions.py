"""Attack on several alleles of one position: all tables of people that fit what is public of them together.

People of a cell are of a genotype of the whole position. Every table of cells that fits the public numbers is listed;
what these have in common is what a reader knows.
"""

import dataclasses
import os
from functools import lru_cache
from itertools import combinations_with_replacement, count, product

import numpy as np
import pyarrow as pa
import pytest
from goe.disclosure import control, outcomes
from goe.disclosure.audit.audit import Audit
from goe.disclosure.audit.table import Stated
from goe.disclosure.outcomes import WITHHELD
from goe.disclosure.plan import choose_strata
from goe.frequencies import strata as st
from goe.frequencies.block import Block
from goe.genome.build import Build
from goe.rules.policy import POLICIES, PROTECT, Policy
from helpers import joint_attack
from hypothesis import example, given, settings
from hypothesis import strategies as some


def genotypes(alleles, ploidy):
    """Copies of each allele in each genotype: int (genotypes, alleles)."""
    each = list(combinations_with_replacement(range(alleles + 1), ploidy))
    return np.array([[g.count(a + 1) for a in range(alleles)] for g in each])


@lru_cache(maxsize=64)
def of_cell(n, classes):
    """Every way n people can be of so many genotypes: int (ways, classes)."""
    if classes == 1:
        return np.array([[n]])
    return np.concatenate([np.insert(of_cell(n - first, classes - 1), 0, first, axis=1) for first in range(n + 1)])


@lru_cache(maxsize=64)
def everything(people, alleles, ploidy):
    """Every table: for each cell, index of its way; int (tables, cells)."""
    classes = len(genotypes(alleles, ploidy))
    sizes = [len(of_cell(n, classes)) for n in people]
    return np.stack(np.meshgrid(*(np.arange(size) for size in sizes), indexing="ij"), axis=-1).reshape(-1, len(people))


def classes_of(people, alleles, ploidy):
    """For each cell, of each way: people (without it, with one copy, with two) by allele: int (ways, alleles, 3)."""
    copies = genotypes(alleles, ploidy)
    return [
        np.stack([np.stack([ways @ (copies[:, a] == n) for n in range(3)], axis=1) for a in range(alleles)], axis=1)
        for ways in (of_cell(n, len(copies)) for n in people)
    ]


def none_of(people, alleles, ploidy, public):
    """For each cell, of each way: people who carry none of the alleles `public`: int (ways,)."""
    copies = genotypes(alleles, ploidy)
    none = copies[:, public].sum(axis=1) == 0
    return [of_cell(n, len(copies)) @ none for n in people]


@some.composite
def positions(draw):
    """The rule, people by leaf, ploidy, and the people of each leaf by genotype of the position."""
    k = draw(some.integers(2, 3))
    ploidy, alleles, cells, most = draw(
        some.sampled_from([(2, 2, 3, 3), (2, 2, 2, 6), (1, 2, 3, 6), (1, 3, 3, 5), (2, 3, 2, 3), (1, 2, 4, 4)])
    )
    names = [("EE_U", "LV_U"), ("EE_U", "LV_U", "FI_U"), ("EE_F", "EE_M", "LV_F", "LV_M")][cells - 2]
    people = {leaf: draw(some.integers(k, max(k, most))) for leaf in names}
    tables = []
    likely = draw(some.permutations(range(len(genotypes(alleles, ploidy)))))
    for n in people.values():
        # Most people of few genotypes: the interesting tables are near the edges.
        drawn = [likely[draw(some.sampled_from([0, 0, 0, 1, 1, 2, 3])) % len(likely)] for _ in range(n)]
        tables.append(tuple(drawn.count(g) for g in range(len(likely))))
    name = draw(some.sampled_from(POLICIES))
    protect = draw(some.sampled_from(PROTECT))
    return Policy(k, name=name, protect=protect, least=k), people, ploidy, alleles, tuple(tables)


def counted(people, ploidy, alleles, tables):
    """int (leaves, 5, alleles) as strata.CALLS."""
    counts = np.zeros((len(people), 5, alleles), dtype=np.int32)
    for i, (n, classes, way) in enumerate(
        zip(people.values(), classes_of(tuple(people.values()), alleles, ploidy), tables, strict=True)
    ):
        row = int(np.flatnonzero((of_cell(n, len(way)) == way).all(axis=1))[0])
        for a in range(alleles):
            _, het, hom = classes[row, a]
            counts[i, :, a] = (n, 0, het, hom, 0) if ploidy == 2 else (0, n, 0, 0, het)
    return counts


def left_open(rule, people, ploidy, alleles, counts, plan, shown):
    """Groups of which the public numbers leave fewer than k values, some of them small: what, and the values."""
    leaves, sizes = tuple(people), tuple(people.values())
    index, classes = everything(sizes, alleles, ploidy), classes_of(sizes, alleles, ploidy)
    truth = np.stack(
        [
            np.stack([counts[:, :2, a].sum(axis=1) - counts[:, 2:, a].sum(axis=1), het, counts[:, 3, a]], axis=1)
            for a in range(alleles)
            for het in [counts[:, 2, a] + counts[:, 4, a]]
        ],
        axis=1,
    )

    def sums(members, what):
        return sum(classes[i][index[:, i]][:, what] for i in members)

    for stratum, given_here in zip(plan.strata, shown, strict=True):
        members = st.members(stratum, leaves)
        for a in np.flatnonzero(given_here):
            index = index[(sums(members, a) == truth[members, a].sum(axis=0)).all(axis=1)]
    assert len(index)
    public = [a for a in range(alleles) if shown[:, a].any()]
    none = none_of(sizes, alleles, ploidy, public)
    found = []
    for group in {tuple(st.members(s, leaves)) for s in plan.strata} | set(plan.groups):
        asked = {}
        for a in public:
            of_allele = sums(group, a)
            asked[f"allele {a}, others"] = of_allele[:, 0]
            if rule.protect == "genotypes":
                asked[f"allele {a}, het"], asked[f"allele {a}, hom"] = of_allele[:, 1], of_allele[:, 2]
            else:
                asked[f"allele {a}, carriers"] = of_allele[:, 1:].sum(axis=1)
        if len(public) > 1:
            asked["none"] = sum(none[i][index[:, i]] for i in group)
        for name, of_class in asked.items():
            values = set(of_class.tolist())
            if len(values) < rule.k and any(0 < v < rule.k for v in values):
                found.append((group, name, values))
    return found


# One person of EE has the second allele: C>A is public in full, C>G as Total alone.
SMALLEST = (
    Policy(2, least=2),
    {"EE_U": 2, "LV_U": 4},
    2,
    2,
    ((0, 0, 0, 1, 1, 0), (0, 0, 0, 2, 2, 0)),
)
# One man has neither.
NEITHER = (Policy(2, least=2), {"EE_U": 5, "LV_U": 5, "FI_U": 5}, 1, 2, ((1, 2, 2), (0, 2, 3), (2, 3, 0)))


@settings(max_examples=50, deadline=None)
@given(positions())
@example(SMALLEST)
@example(NEITHER)
def test_alleles_of_a_position_tell_nothing_together(position):
    rule, people, ploidy, alleles, tables = position
    counts = counted(people, ploidy, alleles, tables)
    plan = choose_strata(people, rule.min_stratum_size)
    at = np.full(alleles, 100)
    decision = control.apply(counts, plan, rule, at, at)
    assert ((decision.outcome == WITHHELD) == ~decision.shown.any(axis=0)).all()
    assert not left_open(rule, people, ploidy, alleles, counts, plan, decision.shown)


@settings(max_examples=40, deadline=None)
@given(positions())
@example(SMALLEST)
def test_alleles_within_a_longer_one_tell_nothing_of_each_other(position):
    rule, people, ploidy, alleles, tables = position
    counts = counted(people, ploidy, alleles, tables)
    plan = choose_strata(people, rule.min_stratum_size)
    first = 100 + np.arange(alleles)
    shown = control.apply(counts, plan, rule, first, np.full(alleles, 100 + alleles)).shown
    assert not left_open(rule, people, ploidy, alleles, counts, plan, shown)


@settings(max_examples=50, deadline=None)
@given(positions())
def test_no_more_is_public_of_an_allele_for_the_others_of_its_position(position):
    rule, people, ploidy, alleles, tables = position
    counts = counted(people, ploidy, alleles, tables)
    plan = choose_strata(people, rule.min_stratum_size)
    at = np.full(alleles, 100)
    together, apart = control.apply(counts, plan, rule, at, at), control.apply(counts, plan, rule)
    assert (together.shown <= apart.shown).all()
    far = control.apply(counts, plan, rule, at + 10 * np.arange(alleles), at + 10 * np.arange(alleles))
    assert (far.shown == apart.shown).all()
    # Whatever is there in the last base of a longer allele is as if it began there.
    longer = control.apply(counts, plan, rule, at + np.arange(alleles), at + alleles)
    if apart.shown.all(axis=0).all():
        assert longer.shown.all()


def test_the_attack_finds_what_the_alleles_tell_when_each_is_decided_by_itself():
    found = 0
    for rule, people, ploidy, alleles, tables in (SMALLEST, NEITHER):
        counts = counted(people, ploidy, alleles, tables)
        plan = choose_strata(people, rule.min_stratum_size)
        shown = control.apply(counts, plan, rule).shown
        found += bool(left_open(rule, people, ploidy, alleles, counts, plan, shown))
    assert found == 2


def block_of(contig, plan, counts, shown, pos, ref):
    """Of all these alleles those of which a release shows something, with the cells that it shows."""
    public = np.flatnonzero(shown.any(axis=0))
    counts, shown, pos, ref = counts[:, :, public], shown[:, public], pos[public], [ref[a] for a in public]
    return Block(
        contig=contig,
        pos=pa.array(pos, pa.int32()),
        ref=pa.array(ref),
        alt=pa.array(["C" + r[1:] for r in ref]),
        filter=pa.array(["PASS"] * len(ref)),
        mask=shown,
        strata=plan.strata,
        numbers=st.numbers(st.expand(counts, plan.leaves, plan.strata)),
        statistics={},
    )


def slice_of(block, part):
    fields = dataclasses.fields(block.numbers)
    numbers = st.Numbers(**{field.name: getattr(block.numbers, field.name)[:, part] for field in fields})
    texts = {name: getattr(block, name)[part] for name in ("pos", "ref", "alt", "filter")}
    return dataclasses.replace(block, mask=block.mask[:, part], numbers=numbers, **texts)


BUILD = Build(
    name="small",
    contigs=dict.fromkeys(("chr1", "chrX", "chrY", "chrM"), 10_000),
    par=[("chrX", 0, 10), ("chrY", 0, 10)],
)


def audited(rule, plan, block):
    """What the audit says of the alleles of a release, as from two blocks."""
    stated = Stated(rule.k, rule.protect, rule.min_stratum_size)
    audit = Audit(plan.strata, {s: plan.people[s] for s in plan.strata}, stated, BUILD)
    half = max(1, len(block) // 2)
    for part in (slice(0, half), slice(half, None)):
        audit.look(slice_of(block, part))
    return [str(problem) for problem in audit.finish()]


@settings(max_examples=100, deadline=None)
@given(positions(), some.booleans())
@example(SMALLEST, False)
@example(NEITHER, False)
def test_the_audit_accepts_what_is_published_of_a_position(position, longer):
    rule, people, ploidy, alleles, tables = position
    counts = counted(people, ploidy, alleles, tables)
    plan = choose_strata(people, rule.min_stratum_size)
    pos = 100 + np.arange(alleles) * longer
    ref = ["A" * (alleles - a if longer else 1) for a in range(alleles)]
    end = pos + [len(r) - 1 for r in ref]
    shown = control.apply(counts, plan, rule, pos, end).shown
    assert not audited(rule, plan, block_of("chr1" if ploidy == 2 else "chrM", plan, counts, shown, pos, ref))


@settings(max_examples=100, deadline=None)
@given(positions(), some.data())
@example(SMALLEST, None)
@example(NEITHER, None)
def test_the_audit_finds_what_alleles_of_a_position_tell(position, data):
    rule, people, ploidy, alleles, tables = position
    counts = counted(people, ploidy, alleles, tables)
    plan = choose_strata(people, rule.min_stratum_size)
    shown = control.apply(counts, plan, rule).shown
    if data is not None and data.draw(some.booleans()):
        # Some in full, some with Total alone, whatever they are.
        full = np.array([data.draw(some.booleans()) for _ in range(alleles)])
        shown = np.array([[s == st.TOTAL or bool(f) for f in full] for s in plan.strata])
        shown &= counts[:, 2:].any(axis=(0, 1))
    if shown.any() and left_open(rule, people, ploidy, alleles, counts, plan, shown):
        at, contig = np.full(alleles, 100), "chr1" if ploidy == 2 else "chrM"
        assert audited(rule, plan, block_of(contig, plan, counts, shown, at, ["A"] * alleles))


CONTIGS = {"chr1": (2, 2, 2), "chrX": (1, 2, 0), "chrY": (1, 0, 0), "chrM": (1, 1, 1)}


def cohort(seed, contig, positions, sizes, missing):
    """Counts (leaves, 5, alleles) and first and last base of the alleles of many positions of a made-up cohort.

    sizes: leaf -> people. Alleles of a position share called people; some are longer, so that the next overlaps.
    """
    rng = np.random.default_rng(seed)
    counts, first, last = [], [], []
    for position in range(positions):
        n = int(rng.integers(1, 4))
        # One frequent allele and rare others, or a few rare ones.
        rest = rng.dirichlet([0.4] * n) * rng.choice([0.02, 0.1, 0.5, 0.9, 0.99, 1.0])
        frequency = np.append(1 - rest.sum(), rest)
        here = np.zeros((len(sizes), 5, n), dtype=np.int32)
        for i, (leaf, people) in enumerate(sizes.items()):
            ploidy = CONTIGS[contig]["MFU".index(leaf[-1])]
            called = rng.binomial(people, 1 - missing) if ploidy else 0
            copies = rng.multinomial(ploidy, np.clip(frequency, 0, None) / frequency.sum(), size=called)[:, 1:]
            here[i, 0 if ploidy == 2 else 1] = called
            here[i, 2] = ((copies == 1).sum(axis=0)) * (ploidy == 2)
            here[i, 3] = (copies == 2).sum(axis=0)
            here[i, 4] = ((copies == 1).sum(axis=0)) * (ploidy == 1)
        counts.append(here)
        at = 1000 + 10 * position
        first += [at] * n
        last += [at + int(x) for x in np.sort(rng.choice([0, 0, 0, 3, 12], size=n))]
    return np.concatenate(counts, axis=2), np.array(first), np.array(last)


SIZES = (
    {"EE_F": 30, "EE_M": 25, "FI_F": 20, "FI_M": 22, "LV_F": 40, "LV_M": 35},
    {"EE_F": 30, "EE_M": 25, "EE_U": 12, "FI_F": 60, "FI_M": 52, "FI_U": 0, "LV_F": 14, "LV_M": 16, "LV_U": 3},
    {"EE_U": 12, "FI_U": 15, "LV_U": 40},
    {"EE_F": 300, "EE_M": 250, "FI_F": 200, "FI_M": 220},
)


def decided(seed, contig, positions, sizes, missing, rule):
    counts, first, last = cohort(seed, contig, positions, sizes, missing)
    plan = choose_strata(sizes, rule.min_stratum_size)
    return counts, first, last, plan, control.apply(counts, plan, rule, first, last)


@pytest.mark.parametrize("contig", CONTIGS)
@pytest.mark.parametrize("protect", PROTECT)
@pytest.mark.parametrize("name", POLICIES)
def test_thousands_of_positions_pass_the_audit(contig, protect, name):
    seen = set()
    for seed, (sizes, k, missing) in enumerate(product(SIZES, (2, 3, 5), (0, 0.02))):
        rule = Policy(k, name=name, protect=protect)
        counts, first, last, plan, decision = decided(seed, contig, 100, sizes, missing, rule)
        seen |= set(decision.reason.tolist())
        ref = ["A" * (b - a + 1) for a, b in zip(first, last, strict=True)]
        block = block_of(contig, plan, counts, decision.shown, first, ref)
        assert not audited(rule, plan, block), (seed, sizes, k, missing)
    assert {outcomes.SHOWN, outcomes.SHARED, outcomes.TOGETHER, outcomes.BELOW_FLOOR} <= seen


def spans_of(rng, n):
    """First and last base of n alleles that overlap, in order: at one position, within a longer one, or in turn."""
    shape = rng.integers(4)
    if shape < 2:
        return [(100, 100 + int(longer)) for longer in np.sort(rng.choice([0, 0, 0, 2, 5], n))]
    if shape == 2:
        inside = np.sort(rng.integers(100, 112, n - 1)).tolist()
        return [(100, 111)] + [(at, min(111, at + int(rng.choice([0, 0, 0, 3])))) for at in inside]
    starts = np.cumsum(np.append(100, rng.integers(0, 5, n - 1))).tolist()
    return [(at, at + int(rng.choice([4, 6, 9]))) for at in starts]


def chain(rng, contig, sizes, missing, most=4):
    """Alleles that overlap, most of them near an edge: their spans, and counts (leaves, 5, alleles).

    Haplotypes are drawn, not alleles: one of them is frequent, people without any are from nobody to nearly all.
    """
    spans = spans_of(rng, int(rng.integers(2, most + 1)))
    sets = joint_attack.haplotypes(spans)
    alleles = np.array([[a in one for a in range(len(spans))] for one in sets], dtype=int)
    frequency = rng.dirichlet([rng.choice([0.15, 0.4, 1.0])] * len(sets))
    if rng.random() < 0.7:
        frequency *= 1 - (most_of := rng.choice([0.5, 0.9, 0.97]))
        frequency[1 + rng.integers(len(sets) - 1)] += most_of
    frequency[0] = 0
    none = rng.choice([0, 0.003, 0.02, 0.1, 0.5, 0.9, 0.98])
    frequency *= (1 - none) / frequency.sum()
    frequency[0] = none
    unlike = rng.choice([0, 0, 0.5, 2])
    counts = np.zeros((len(sizes), 5, len(spans)), dtype=np.int32)
    for i, (leaf, people) in enumerate(sizes.items()):
        ploidy = CONTIGS[contig]["MFU".index(leaf[-1])]
        if not ploidy:
            continue
        called = rng.binomial(people, 1 - missing)
        here = frequency * rng.lognormal(0, unlike, len(sets))
        here /= here.sum()
        # Now and then nobody is heterozygous.
        twice = ploidy == 2 and rng.random() < 0.2
        copies = rng.multinomial(1 if twice else ploidy, here, size=called) @ alleles * (1 + twice)
        counts[i, 0 if ploidy == 2 else 1] = called
        counts[i, 2] = (copies == 1).sum(axis=0) * (ploidy == 2)
        counts[i, 3] = (copies == 2).sum(axis=0)
        counts[i, 4] = (copies == 1).sum(axis=0) * (ploidy == 1)
    return spans, counts


def drawn(seed, contig=None):
    """A rule, people, contig, and the alleles of a chain with their counts."""
    rng = np.random.default_rng([seed, 7])
    contig = contig or str(rng.choice(list(CONTIGS)))
    k = int(rng.choice([2, 3, 5, 10]))
    sizes = {leaf: n * (2 if k == 10 else 1) for leaf, n in SIZES[rng.integers(3)].items()}
    name, protect = (str(rng.choice(some)) for some in (POLICIES, PROTECT))
    rule = Policy(k, name=name, protect=protect, least=int(rng.choice([k, 2 * k])))
    return rule, choose_strata(sizes, rule.min_stratum_size), contig, *chain(rng, contig, sizes, 0)


def attacked(rule, plan, contig, spans, counts, shown, apart=False):
    """What the integer programs find in what is public."""
    ploidy = [CONTIGS[contig]["MFU".index(leaf[-1])] for leaf in plan.leaves]
    public = np.flatnonzero(shown.any(axis=0))
    given = []
    for stratum, of_stratum in zip(plan.strata, shown, strict=True):
        members = st.members(stratum, plan.leaves)
        for i, a in enumerate(public):
            if of_stratum[a]:
                dip, hap, het, hom, hemi = counts[members, :, a].sum(axis=0).tolist()
                given.append(joint_attack.Given(members, i, hom, het, hemi, 2 * dip + hap))
    tables = joint_attack.Tables([plan.people[leaf] for leaf in plan.leaves], ploidy, [spans[a] for a in public], given)
    groups = sorted({tuple(st.members(s, plan.leaves)) for s in plan.strata} | set(plan.groups))
    whole = {i for i, a in enumerate(public) if shown[:, a].all()}
    return tables.few(groups, whole, rule.k, rule.protect == "genotypes", apart)


def overlapping(rule, plan, spans, counts):
    """Which cells are public when the alleles are decided together."""
    first, last = np.array(spans).T
    return control.apply(counts, plan, rule, first, last).shown


@pytest.mark.parametrize("contig", CONTIGS)
def test_a_solver_finds_nothing_in_what_is_public_of_a_position(contig):
    """GOE_ATTACK, chains with several public alleles, makes it a longer one."""
    left = int(os.environ.get("GOE_ATTACK", "2"))
    for seed in count():
        rule, plan, _, spans, counts = drawn(seed, contig)
        shown = overlapping(rule, plan, spans, counts)
        if shown.any(axis=0).sum() > 1:
            assert not attacked(rule, plan, contig, spans, counts, shown, apart=True), (seed, rule, spans)
            left -= 1
        if not left:
            break


def test_the_solver_and_the_audit_find_what_is_told_when_each_allele_is_decided_by_itself():
    found = 0
    for seed in range(60):
        rule, plan, contig, spans, counts = drawn(seed)
        shown = control.apply(counts, plan, rule).shown
        if (shown == overlapping(rule, plan, spans, counts)).all() or found > 2:
            continue
        if attacked(rule, plan, contig, spans, counts, shown):
            found += 1
            ref = ["A" * (last - first + 1) for first, last in spans]
            block = block_of(contig, plan, counts, shown, np.array(spans)[:, 0], ref)
            assert audited(rule, plan, block), (seed, rule, spans)
    assert found


def test_chains_of_alleles_pass_the_audit():
    kept = 0
    for seed in range(100):
        rng = np.random.default_rng([seed, 9])
        rule, plan, contig, _, _ = drawn(seed)
        sizes = {leaf: plan.people[leaf] for leaf in plan.leaves}
        chains = [chain(rng, contig, sizes, rng.choice([0, 0, 0.03, 0.3]), 5) for _ in range(10)]
        first, last = np.concatenate([np.array(spans) + 40 * i for i, (spans, _) in enumerate(chains)]).T
        counts = np.concatenate([of_chain for _, of_chain in chains], axis=2)
        decision = control.apply(counts, plan, rule, first, last)
        ref = ["A" * (b - a + 1) for a, b in zip(first, last, strict=True)]
        if decision.shown.any():
            kept += int((decision.outcome == outcomes.FULL).sum())
            assert not audited(rule, plan, block_of(contig, plan, counts, decision.shown, first, ref)), (seed, rule)
    assert kept > 50
