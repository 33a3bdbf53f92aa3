"""Attack on the published table: whatever sums and differences of its rows give holds nobody or at least k people."""

from itertools import combinations

import numpy as np
import pyarrow as pa
from goe import disclosure, frequency_table, sites_vcf
from goe import strata as st
from hypothesis import given, settings
from hypothesis import strategies as some

LEAVES = ("EE_F", "EE_M", "EE_U", "LV_F", "LV_M", "LV_U")


@some.composite
def tables(draw):
    """People by leaf, k, and the counts of one allele; small numbers, so that floors matter."""
    k = draw(some.integers(2, 6))
    sizes = some.one_of(some.just(0), some.integers(1, 2 * k), some.integers(k, 8 * k))
    people = {leaf: draw(sizes) for leaf in LEAVES}
    counts = np.zeros((len(LEAVES), 5, 1), dtype=np.int32)
    kind = draw(some.sampled_from(["autosome", "X", "Y", "rare", "common"]))
    for i, (leaf, n) in enumerate(people.items()):
        haploid = kind == "Y" or (kind == "X" and leaf.endswith("M"))
        if (kind == "Y" and not leaf.endswith("M")) or (kind == "X" and leaf.endswith("U")):
            continue
        called = n if draw(some.booleans()) else draw(some.integers(0, n))
        edge = some.sampled_from([0, min(k, called), called, max(0, called - k)])
        carriers = draw(edge if kind in ("rare", "common") else some.one_of(edge, some.integers(0, called)))
        if haploid:
            counts[i, :, 0] = (0, called, 0, 0, carriers)
        else:
            hom = draw(some.one_of(some.sampled_from([0, carriers]), some.integers(0, carriers)))
            counts[i, :, 0] = (called, 0, carriers - hom, hom, 0)
    return people, k, counts


def published(people, k, counts, repo):
    """stratum -> row of the Parquet table, for one allele."""
    plan = disclosure.plan(people, k)
    visibility = disclosure.apply(counts, plan, disclosure.Policy(k))
    if visibility[0] == disclosure.WITHHELD:
        return {}
    block = frequency_table.Block(
        contig="chr1",
        pos=pa.array([1], pa.int32()),
        ref=pa.array(["A"]),
        alt=pa.array(["C"]),
        filter=pa.array(["PASS"]),
        visibility=visibility,
        strata=plan.strata,
        numbers=st.numbers(st.expand(counts, plan.leaves, plan.strata)),
        statistics={name: np.array([np.nan]) for name in frequency_table.STATISTICS},
    )
    fields = sites_vcf.read_fields(repo / "resources/dictionary/fields.tsv")
    table = frequency_table.rows(block, frequency_table.schema(fields, {}, plan, "chr1"))
    line = sites_vcf.lines(block, sites_vcf.tags(fields, plan.strata))[0].as_py()
    info = dict(entry.split("=") for entry in line.split("\t")[7].split(";"))
    rows = {row["stratum"]: row for row in table.to_pylist()}
    shown = {tag for stratum in rows for tag in (sites_vcf.tag_name("AC", stratum),)}
    assert {tag for tag in info if tag in {sites_vcf.tag_name("AC", s) for s in st.order(LEAVES)}} == shown
    return rows


def groups_in_reach(strata):
    """Every set of leaves whose sum is a linear combination of the strata."""
    vectors = np.array([np.isin(range(len(LEAVES)), st.members(s, LEAVES)) for s in strata], dtype=float)
    rank = np.linalg.matrix_rank(vectors)
    for size in range(1, len(LEAVES) + 1):
        for group in combinations(range(len(LEAVES)), size):
            target = np.isin(range(len(LEAVES)), group).astype(float)
            if np.linalg.matrix_rank(np.vstack([vectors, target])) == rank:
                yield list(group), np.linalg.lstsq(vectors.T, target, rcond=None)[0]


@settings(max_examples=400, deadline=None)
@given(tables())
def test_nothing_small_can_be_read_or_derived(repo, table):
    people, k, counts = table
    rows = published(people, k, counts, repo)
    for group, weights in groups_in_reach(list(rows)) if rows else ():
        truth = counts[group, :, 0].sum(axis=0)
        dip, hap, het, hom, hemi = truth.tolist()
        derived = {
            name: round(float(sum(w * row[name] for w, row in zip(weights, rows.values(), strict=True))))
            for name in ("ac", "an", "ac_hom", "ac_het", "ac_hemi", "nhomalt")
        }
        assert derived["an"] == 2 * dip + hap
        assert (derived["ac_hom"], derived["ac_het"], derived["ac_hemi"]) == (2 * hom, het, hemi)
        cells = {
            "het": het,
            "hom": hom,
            "hemi": hemi,
            "carriers": het + hom + hemi,
            "diploid non-carriers": dip - het - hom,
            "haploid non-carriers": hap - hemi,
            "non-carriers": dip + hap - het - hom - hemi,
        }
        small = {name: n for name, n in cells.items() if 0 < n < k}
        assert not small, f"{[LEAVES[i] for i in group]} of {list(rows)}: {small}, k = {k}"


@settings(max_examples=300, deadline=None)
@given(tables())
def test_the_plan_publishes_no_small_group_of_people(table):
    people, k, _ = table
    plan = disclosure.plan(people, k)
    reach = groups_in_reach(list(plan.strata)) if sum(people.values()) >= k else ()
    for group, _ in reach:
        n = sum(people[LEAVES[i]] for i in group)
        assert n == 0 or n >= k, f"{[LEAVES[i] for i in group]} of {plan.strata}"


@settings(max_examples=200, deadline=None)
@given(tables())
def test_collapse_gives_all_strata_or_total_or_nothing(repo, table):
    people, k, counts = table
    plan = disclosure.plan(people, k)
    rows = published(people, k, counts, repo)
    assert tuple(rows) in ((), ("Total",), plan.strata)
    open_rows = published(people, 1, counts, repo)
    assert set(rows) <= set(open_rows)
    assert all(open_rows[s] == row for s, row in rows.items())
