"""Callable AN by coverage beside callable AN: base by base, and what a reader of both can and cannot tell."""

import json
import random
from collections import defaultdict
from itertools import product

import numpy as np
import pyarrow.parquet as pq
import pytest
from goe.check import callable_an as check
from goe.disclosure.audit.callable_an import Runs
from goe.disclosure.audit.table import Stated
from goe.disclosure.plan import choose_strata
from goe.frequencies import strata
from goe.frequencies.counts import Leaves
from goe.release import notes
from goe.release.formats.callable_an import PROXY
from goe.rules.policy import Policy
from helpers import callable_runs as cr

OPEN = Policy(1, name="open", legal_basis="test")
SIZES = {"EE_F": 16, "EE_M": 18, "EE_U": 2, "FI_F": 12, "FI_M": 14, "LV_F": 3, "LV_M": 4}
POLICIES = [OPEN, Policy(2), Policy(5, least=5), Policy(4, least=10)]


@pytest.mark.parametrize("k", [2, 3, 4])
def test_of_nobody_can_be_told_from_both_together_what_a_floor_hides_of_each(k):
    """Every group of up to 3 k people, of whom some can be callable and of others reads tell: of whatever is shown, at
    least k numbers of people who are, and who are deep enough, and of both, would show the same."""
    for size in range(1, 3 * k + 1):
        seen = defaultdict(lambda: (set(), set(), set()))
        for can, of_reads in product(range(size + 1), repeat=2):
            if can + of_reads > size:
                continue
            told = int(strata.shown(np.array(can), size, k))
            people = int(strata.shown(np.array(of_reads), size - told, k))
            called = strata.shown(np.arange(can + 1), size, k).tolist()
            deep = strata.shown(np.arange(of_reads + 1), size - told, k).tolist()
            for a, b in product(range(can + 1), range(of_reads + 1)):
                for found, n in zip(seen[told, people, called[a], deep[b]], (a, b, a + b), strict=True):
                    found.add(n)
        assert min(len(one) for found in seen.values() for one in found) >= min(k, size + 1)
        assert all(a + b + k - 1 <= max(size, k - 1) for _, _, a, b in seen)


def drawn(seed):
    """People half of whom have gVCFs, and reads of most of the others; ids of the latter."""
    chance = random.Random(seed)
    cohort = cr.drawn(seed, SIZES)
    cohort.people = {
        i: (country, sex, chance.choice(["gvcf", "vcf"])) for i, (country, sex, _) in cohort.people.items()
    }
    return cohort, [i for i, (*_, kind) in cohort.people.items() if kind == "vcf" and chance.random() < 0.9]


@pytest.mark.parametrize("policy", POLICIES, ids=lambda p: f"{p.k} {p.min_stratum_size}")
def test_numbers_are_of_these_people_alone_and_as_near_as_they_say(tmp_path, policy):
    cohort, covered = drawn(policy.k)
    # What the files of the others hold is none of it.
    made = {
        "called": cr.write(tmp_path / "called", cohort, policy),
        "deep": cr.write(tmp_path / "deep", cohort, policy, size=333, people_per_batch=9, covered=covered),
    }
    keep = [{"sample_id": i, **row} for i, row in cohort.keep.items()]
    people = [{"sample_id": i, "input_type": kind} for i, (*_, kind) in cohort.people.items()]
    plan = choose_strata(Leaves.of_keep(list(cohort.keep), cohort.keep, "test").people, policy.min_stratum_size)
    told = notes.callable_people(keep, people, plan, policy)["people"]
    kinds, most = notes.covered_people(keep, people, covered, plan, policy)
    assert kinds == ["vcf"]
    counted = [i for i in covered if i not in cohort.out]
    rows = [[*cohort.people].index(i) for i in counted]
    for contig in cr.BUILD.contigs:
        path = made["deep"] / f"{contig}.parquet"
        about = json.loads(pq.read_schema(path).metadata[b"goe"])
        assert about["an_method"] == "coverage_proxy" and about["coverage"]["min_dp"] == 10
        within = {entry["stratum"]: entry["an_at_most_below"] for entry in about["strata"]}
        found, others = cr.bases(path), cr.bases(made["called"] / f"{contig}.parquet")
        for stratum, an in found.items():
            mine = [cr.is_of(stratum, *cohort.people[i][:2]) for i in counted]
            truth = cohort.ploidy[contig][rows][mine].sum(axis=0, dtype=int)
            assert (an <= truth).all() and (truth - an <= within[stratum]).all(), (contig, stratum)
            size = 2 * sum(cr.is_of(stratum, *cohort.people[i][:2]) for i in cohort.people if i not in cohort.out)
            assert (an + others[stratum]).max() <= size
            if contig == "chr20":
                assert an.max() <= 2 * most[stratum]
        # The audit of the files sees nothing wrong, and that of one more person shown it does.
        strata_of, sizes = tuple(found), notes.public_people(plan, policy.k)
        stated = Stated(policy.k, policy.protect, policy.min_stratum_size)
        audit = Runs(strata_of, sizes, stated, cr.BUILD, contig, "deep", others=told)
        assert check.check(path, contig, cr.BUILD.contigs[contig], strata_of, audit, PROXY.prefix) == []
        assert audit.finish() == []
    assert policy.k > 4 or cr.bases(made["deep"] / "chr20.parquet")["Total"].max() > 0


@pytest.mark.parametrize("policy", POLICIES[1:], ids=lambda p: f"{p.k} {p.min_stratum_size}")
def test_the_audit_finds_more_than_both_may_show(policy):
    """Of a group of 20, of whom 10 are told as callable."""
    k, sizes = policy.k, {"Total": 40, "M": 20, "F": 20}
    told = {name: n // 2 for name, n in sizes.items()}
    stated = Stated(k, policy.protect, policy.min_stratum_size)
    for men in range(0, 2 * 20 + 1):
        audit = Runs(tuple(sizes), sizes, stated, cr.BUILD, "chr20", "deep", others=told)
        audit.look(np.array([200]), np.array([210]), np.array([[men], [men], [0]]))
        assert (audit.finish() == []) == (men % (2 * k) == 0 and men // 2 <= 10 - k + 1), men
