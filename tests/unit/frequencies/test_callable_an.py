"""Callable people of groups, in blocks by halves."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from goe.core.errors import GoeError
from goe.frequencies import callable_an
from goe.frequencies.counts import Leaves
from goe.frequencies.strata import shown
from goe.genome.build import REGION_DIPLOID, REGION_X, Region
from goe.rules.policy import Policy
from helpers import callable_runs as cr


def cut(counts, k):
    counts = np.array(counts, np.int32)
    start, least, most = (np.empty(len(counts), np.int32) for _ in range(3))
    n = callable_an.cut(counts, counts, k, start, least, most)
    return list(zip(start[:n].tolist(), least[:n].tolist(), most[:n].tolist(), strict=True))


def test_a_block_is_cut_only_where_k_people_differ():
    assert cut([9, 9, 8, 9], 2) == [(0, 8, 9)]
    assert cut([9, 9, 7, 9], 2) == [(0, 9, 9), (2, 7, 7), (3, 9, 9)]
    # One is not like its neighbour, and k people are not, further on: the cut is in the middle of both.
    assert cut([9, 8, 8, 8, 7, 7, 7, 7], 2) == [(0, 8, 9), (4, 7, 7)]
    assert cut([], 2) == []


def test_what_is_behind_the_end_differs_from_nothing():
    assert cut([5] * 6, 3) == [(0, 5, 5)]
    assert cut([5, 5, 5, 5, 1], 3) == [(0, 5, 5), (4, 1, 1)]
    assert cut([5, 5, 5, 5, 3], 3) == [(0, 3, 5)]


def test_units_are_not_cut_themselves_and_join_nobody():
    low, high = np.array([5, 1, 5, 5], np.int32), np.array([5, 9, 5, 6], np.int32)
    start, least, most = (np.empty(4, np.int32) for _ in range(3))
    n = callable_an.cut(low, high, 3, start, least, most)
    assert (start[:n].tolist(), least[:n].tolist(), most[:n].tolist()) == ([0, 1, 2], [5, 1, 5], [5, 9, 6])


@pytest.mark.parametrize("seed", range(5))
def test_blocks_are_those_of_the_rule(seed):
    chance = np.random.default_rng(seed)
    for _ in range(100):
        k = int(chance.integers(1, 6))
        counts = np.maximum(0, 9 + np.cumsum(chance.integers(-2, 3, int(chance.integers(1, 70)))))

        def halves(start, end, counts=counts, k=k):
            here = counts[start:end]
            if not len(here):
                return []
            if end - start == 1 or here.max() - here.min() < k:
                return [(start, int(here.min()), int(here.max()))]
            half = (start + end) // 2
            return halves(start, half) + halves(half, end)

        assert cut(counts, k) == halves(0, 128)


def test_numbers_shown():
    assert shown(np.arange(13), 12, 1).tolist() == list(range(13))
    # 5 to 12 are one number: 10 alone would say that at most two are not callable.
    assert shown(np.arange(13), 12, 5).tolist() == [0] * 5 + [5] * 8
    assert shown(np.arange(15), 14, 5).tolist() == [0] * 5 + [5] * 5 + [10] * 5
    assert shown(np.arange(9), 8, 5).tolist() == [0] * 9


@pytest.mark.parametrize("size", [7, 64, 100, 1000])
def test_every_stretch_belongs_to_one_region(size):
    length = 1000
    found = []
    for start in range(1, length + 1, size):
        region = Region("c", start, min(start + size - 1, length))
        found += callable_an.stretches(region, length, 64)
    assert found == [(s, min(s + 63, length)) for s in range(1, length + 1, 64)]


PEOPLE = {"EE_F": 3, "EE_M": 2, "EE_U": 1, "FI_M": 2}


def test_parts_are_apart_by_sex_where_ploidy_is():
    groups = [("EE_F", "EE_M", "EE_U"), ("FI_F", "FI_M")]
    assert [(p.people, p.sex) for p in callable_an.parts(groups, PEOPLE | {"FI_F": 0}, "chr1")] == [(6, ""), (2, "")]
    parts = callable_an.parts(groups, PEOPLE | {"FI_F": 0}, "chrX")
    assert [(p.leaves, p.people) for p in parts] == [(("EE_M",), 2), (("EE_F",), 3), (("EE_U",), 1), (("FI_M",), 2)]
    assert [int(p.ploidy[REGION_X]) for p in parts] == [1, 2, 0, 1]
    assert [int(p.ploidy[REGION_DIPLOID]) for p in parts] == [2] * 4


def test_whoever_has_no_gvcf_or_does_not_count_is_in_no_part():
    keep = {
        name: {"country_code": "EE", "count_sex": "FMU"[i % 3], "keep": "no" if name == "d" else "yes"}
        for i, name in enumerate("abcdef")
    }
    leaves = Leaves.of_keep(list(keep), keep, "test")
    kinds = dict(zip("abcdef", ("gvcf", "cram", "fastq", "gvcf", "vcf", "joint_vcf"), strict=True))
    them = callable_an.People(leaves, list(keep), kinds, [("EE_F", "EE_M", "EE_U")], "chrX")
    assert [p.sex for p in them.parts] == ["M", "F", "U"]
    part = them.part(["f", "e", "d", "c", "b", "a"])
    assert part[REGION_DIPLOID].tolist() == [-1, -1, -1, 2, 0, 1]
    assert part[REGION_X].tolist() == [-1, -1, -1, -1, 0, 1]
    assert them.anybody and not callable_an.People(leaves, list(keep), dict.fromkeys("abcdef", "vcf"), [], "1").anybody


def test_regions_of_other_people_stop(tmp_path):
    cohort = cr.drawn(1, {"EE_F": 12, "EE_M": 12})
    one = cr.write(tmp_path / "one", cohort, Policy(2), size=500)
    cohort.out = frozenset([*cohort.out, next(i for i in cohort.people if i not in cohort.out)])
    two = cr.write(tmp_path / "two", cohort, Policy(2), size=500)
    first, second = "chr20_1_500.blocks.parquet", "chr20_501_1000.blocks.parquet"
    with pytest.raises(GoeError, match="is of other people or of another floor"):
        list(callable_an.Contig([one / first, two / second], "chr20"))


def test_stored_numbers_are_what_may_be_shown_of_a_stretch_and_its_range(tmp_path):
    """What is left of a stretch that is cut are runs of numbers shown, not of people."""
    cohort = cr.drawn(3, {"EE_F": 20, "EE_M": 20})
    folder = cr.write(tmp_path / "made", cohort, Policy(4), stretch=1024)
    for path in folder.glob("*.blocks.parquet"):
        table = pq.read_table(path)
        for part in set(table["part"].to_pylist()):
            rows = table.filter(np.array(table["part"].to_pylist()) == part)
            values = shown(rows["low"].to_numpy(), 20, 4)
            assert (np.diff(values) != 0).all()
