"""Callable AN of a contig: strata from groups, runs without gaps."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from goe.disclosure.audit.callable_an import at_most_below
from goe.disclosure.audit.table import Table
from goe.disclosure.control import published_groups
from goe.disclosure.plan import choose_strata
from goe.frequencies.callable_an import Rows, parts
from goe.genome.build import Build
from goe.release import callable_an
from goe.release.formats import callable_an as tables
from goe.rules.policy import Policy

BUILD = Build("toy", {"chr1": 100, "chrX": 100, "chrY": 50, "chrM": 10}, [("chrX", 1, 10), ("chrY", 1, 5)])
PEOPLE = {"EE_F": 9, "EE_M": 8, "EE_U": 2, "FI_F": 7, "FI_M": 6, "LV_M": 1}


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("contig", BUILD.contigs)
def test_how_far_below_is_what_the_audit_works_out_from_the_strata(seed, contig):
    """By the strata alone: it must not tell who is in a group that is not given by sex."""
    chance = np.random.default_rng(seed)
    sizes = [0, 1, 3, 12, 40]
    people = {f"{c}_{sex}": int(chance.choice(sizes)) for c in ("EE", "FI", "LV") for sex in "FMU"}
    people = {leaf: n for leaf, n in people.items() if n} or {"EE_F": 12}
    policy = Policy(int(chance.integers(1, 7)), name="collapse")
    plan = choose_strata(people, policy.min_stratum_size)
    table = Table(plan.strata, plan.people)
    mine = callable_an.least(plan.strata, [[plan.leaves[i] for i in g] for g in plan.groups], BUILD, contig, policy.k)
    assert mine == at_most_below(table, policy.k, BUILD, contig)


def made(found, contig="chr1", people=PEOPLE, policy=Policy(1)):
    plan = choose_strata(people, policy.min_stratum_size)
    groups = parts(published_groups(plan, policy), people, contig)
    runs = list(callable_an.runs(found(groups), groups, plan.strata, BUILD, contig))
    start, end, an = (np.concatenate([run[i] for run in runs], axis=-1) for i in range(3))
    return start.tolist(), end.tolist(), dict(zip(plan.strata, an.tolist(), strict=True))


def stretches(*pieces):
    """Runs in which every part has as many people; pieces: lists of (start, end, people)."""

    def found(groups):
        for piece in pieces:
            start, end, people = (np.array(column, np.int64) for column in zip(*piece, strict=True))
            yield Rows(start, end, np.repeat(people[None, :], len(groups), axis=0))

    return found


def test_runs_of_stretches_are_joined_where_nothing_changes():
    start, end, an = made(stretches([(1, 20, 1), (21, 64, 0)], [(65, 70, 0), (71, 100, 1)]))
    assert (start, end) == ([1, 21, 71], [20, 70, 100])
    assert an["Total"] == [12, 0, 12] and an["EE"] == [6, 0, 6] and an["EE_M"] == [2, 0, 2]


def test_ploidy_changes_at_the_borders_of_the_pars():
    start, end, an = made(stretches([(1, 100, 1)]), "chrX")
    assert (start, end) == ([1, 11], [10, 100])
    assert an["Total"] == [12, 7] and an["M"] == [6, 3] and an["F"] == [4, 4] and an["EE"] == [6, 3]
    assert made(stretches([(1, 50, 1)]), "chrY")[2]["Total"] == [0, 3]


def test_nobody_is_a_run_of_0():
    start, end, an = made(stretches(), "chrM")
    assert (start, end) == ([1], [10]) and all(numbers == [0] for numbers in an.values())
    start, end, an = made(stretches(), policy=Policy(30))
    assert (start, end, an) == ([1], [100], {"Total": [0]})


def test_ends_of_runs_are_kept_as_differences(tmp_path):
    """As words, of which each is another one, they were two thirds of the file."""
    wanted = tables.schema({}, {"Total": 100}, "chr1", "gvcf_adj", {"Total": 0})
    start = np.cumsum(np.random.default_rng(0).integers(1, 60, 10_000))
    found = [(start, np.append(start[1:] - 1, start[-1]), [start % 7])]
    with tables.Writer(tmp_path / "a.parquet", wanted) as out:
        for some in tables.tables(found, wanted):
            out.group(some)
    assert (tmp_path / "a.parquet").stat().st_size < 4 * len(start)
    assert pq.read_table(tmp_path / "a.parquet")["end"].to_pylist() == found[0][1].tolist()
