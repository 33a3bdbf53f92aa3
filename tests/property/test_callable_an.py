"""Callable AN of random cohorts: base by base, and what a reader of it can and cannot tell."""

import json
from contextlib import ExitStack

import numpy as np
import pyarrow.parquet as pq
import pytest
from goe.disclosure.plan import choose_strata
from goe.frequencies.counts import Leaves
from goe.genome.bed import read_bed
from goe.genome.build import Build, read_fai
from goe.harmonise.batch import Called
from goe.rules.policy import Policy
from helpers import callable_runs as cr
from helpers import own_files
from helpers import plain_people as pp
from helpers.own_counting import SEX, Options, count_folder, sheet

OPEN = Policy(1, name="open", legal_basis="test")
SIZES = {"EE_F": 14, "EE_M": 16, "EE_U": 2, "FI_F": 11, "FI_M": 12, "LV_F": 3, "LV_M": 4}
# Countries by sex; one that is not split, since two people are of unknown sex; one that is too small.
FLOORS = [Policy(2), Policy(5, least=5), Policy(4, least=10)]


def groups(cohort, policy):
    """Ids of the people of each smallest group that published strata tell apart."""
    leaves = Leaves.of_keep(list(cohort.keep), cohort.keep, "test")
    plan = choose_strata(leaves.people, policy.min_stratum_size)
    for group in plan.groups:
        of = {plan.leaves[i] for i in group}
        yield [i for i, (country, sex, _) in cohort.people.items() if f"{country}_{sex}" in of and i not in cohort.out]


@pytest.mark.parametrize("seed", range(2))
def test_open_numbers_are_exact_at_every_base(tmp_path, seed):
    cohort = cr.drawn(seed, SIZES)
    folder = cr.write(tmp_path / "made", cohort, OPEN, size=170, stretch=32)
    for contig in cr.BUILD.contigs:
        found = cr.bases(folder / f"{contig}.parquet")
        assert len(found) > 8
        for stratum, an in found.items():
            assert (an == cohort.an(contig, stratum)).all(), (contig, stratum)


@pytest.mark.parametrize("seed", range(2))
def test_gvcfs_count_base_by_base_as_the_plain_counter_says(tmp_path, seed):
    """People with single VCFs and of the joint VCF add nothing; everybody with a gVCF is asked for every base."""
    folder, work = tmp_path / "cohort", tmp_path / "work"
    own_files.write(folder, seed, people=5)
    count_folder(folder, work, Options(people_per_batch=3))
    contigs = read_fai(folder / "ref.fa.fai")
    build = Build("toy", contigs, [tuple(row[:3]) for row in read_bed(folder / "par.bed")])
    sexes = {row["sample_id"]: SEX.get(row["sex"], "U") for row in sheet(folder, "samples.tsv")}
    countries = {row["sample_id"]: row["country_code"] for row in sheet(folder, "samples.tsv")}
    keep = {i: {"country_code": countries[i], "count_sex": sexes[i], "keep": "yes"} for i in sexes}
    kinds = {i: "joint_vcf" for i in sexes} | {r["sample_id"]: r["input_type"] for r in sheet(folder, "inputs.tsv")}
    with ExitStack() as stack:
        batches = [stack.enter_context(Called.opened(path)) for path in sorted(work.glob("b*.runs.parquet"))]
        assert len(batches) > 1
        made = cr.write_from(tmp_path / "made", batches, keep, kinds, OPEN, build, 300, 256)
    people, par = pp.read(folder, pp.Settings())
    people = [p for p in people if p.kind == "gvcf"]
    assert len(people) == 5
    for contig, length in contigs.items():
        codes = np.array(
            [
                [{"ref2": 2, "ref1": 1}.get(p.code((contig, pos, "", ""), par, pp.Settings()), 0) for p in people]
                for pos in range(1, length + 1)
            ]
        )
        for stratum, an in cr.bases(made / f"{contig}.parquet").items():
            mine = [cr.is_of(stratum, p.country, p.sex) for p in people]
            assert (an == codes[:, mine].sum(axis=1)).all(), (contig, stratum)
    assert codes.any()


@pytest.mark.parametrize("policy", FLOORS, ids=lambda p: f"{p.k} {p.min_stratum_size}")
@pytest.mark.parametrize("seed", range(2))
def test_under_a_floor_numbers_are_a_lower_bound_as_near_as_they_say(tmp_path, seed, policy):
    cohort = cr.drawn(seed, SIZES)
    folder = cr.write(tmp_path / "made", cohort, policy, size=333)
    for contig in cr.BUILD.contigs:
        path = folder / f"{contig}.parquet"
        about = json.loads(pq.read_schema(path).metadata[b"goe"])
        within = {entry["stratum"]: entry["an_at_most_below"] for entry in about["strata"]}
        for stratum, an in cr.bases(path).items():
            truth = cohort.an(contig, stratum)
            assert (an <= truth).all() and (truth - an <= within[stratum]).all(), (contig, stratum)
    assert cr.bases(folder / "chr20.parquet")["Total"].max() > 0


def halves(counts, k):
    """The blocks that a floor leaves, by the words of the rule: (first, behind the last)."""
    size = 1 << (len(counts) - 1).bit_length()

    def of(start, end):
        here = counts[start:end]
        if not len(here):
            return []
        if len(here) == 1 or here.max() - here.min() < k:
            return [(start, min(end, len(counts)))]
        half = (start + end) // 2
        return of(start, half) + of(half, end)

    return of(0, size)


@pytest.mark.parametrize("policy", FLOORS, ids=lambda p: f"{p.k} {p.min_stratum_size}")
@pytest.mark.parametrize("seed", range(2))
def test_what_is_shown_of_a_group_comes_from_k_people(tmp_path, seed, policy):
    """Of each smallest group by itself, from strata and their differences: steps where at least k people are different
    ones, numbers that at least k numbers of people stand behind."""
    k, cohort = policy.k, cr.drawn(seed, SIZES)
    folder = cr.write(tmp_path / "made", cohort, policy, stretch=128)
    steps = 0
    for contig, length in cr.BUILD.contigs.items():
        found = cr.bases(folder / f"{contig}.parquet")
        parts = {}
        for ids in groups(cohort, policy):
            for sex in "MFU" if contig in ("chrX", "chrY") else ("",):
                mine = frozenset(i for i in ids if not sex or cohort.people[i][1] == sex)
                if mine:
                    parts[mine] = sex
        sums = {stratum: np.zeros(length, int) for stratum in found}
        for mine, sex in parts.items():
            n = len(mine)
            called = cohort.of(contig, mine.__contains__) > 0
            truth = called.sum(axis=0)
            ploidy = np.array([pp.ploidy(contig, pos, sex or "F", cr.BUILD.par) for pos in range(1, length + 1)])
            shown = np.zeros(length, int)
            for start, end in halves(truth, k):
                low = truth[start:end].min()
                shown[start:end] = max(0, min(low, n - k + 1)) // k * k
            for x in np.flatnonzero(np.diff(shown)) + 1:
                # The smallest block by halves that has both sides of the step.
                half = int(x) & -int(x)
                here = called[:, int(x) - half : int(x) + half]
                low, high = here[:, here.sum(axis=0).argmin()], here[:, here.sum(axis=0).argmax()]
                assert (low != high).sum() >= k
                steps += 1
            for value in set(shown.tolist()):
                stands = {m for m in range(n + 1) if max(0, min(m, n - k + 1)) // k * k == value}
                assert len(stands) >= min(k, n + 1)
            for stratum in sums:
                if all(cr.is_of(stratum, *cohort.people[i][:2]) for i in mine):
                    sums[stratum] += shown * ploidy
        for stratum, an in found.items():
            assert (an == sums[stratum]).all(), (contig, stratum)
    assert steps > 3


@pytest.mark.parametrize("policy", [OPEN, Policy(3)], ids=["open", "floor"])
def test_regions_and_batches_change_no_byte(tmp_path, policy):
    cohort = cr.drawn(7, SIZES)
    one = cr.write(tmp_path / "one", cohort, policy)
    for size, people, stretch in ((99, 7, 64), (250, 40, 16), (64, 1000, 256)):
        two = cr.write(tmp_path / f"{size}", cohort, policy, size=size, people_per_batch=people, stretch=stretch)
        for name in ("all.bed.gz", "all.bed.gz.tbi", *(f"{contig}.parquet" for contig in cr.BUILD.contigs)):
            assert (one / name).read_bytes() == (two / name).read_bytes(), (name, size)
