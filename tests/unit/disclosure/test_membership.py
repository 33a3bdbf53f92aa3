"""Power of the membership test: against theory, against an attack on people, and on what is public only."""

import json
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from goe.core.errors import GoeError
from goe.disclosure import membership
from goe.disclosure.plan import choose_strata
from goe.frequencies import strata as st
from goe.frequencies.block import Block
from goe.release import table as frequency_table
from scipy.stats import norm

DATASET = "GOE-EE-EXAMPLE-20260101000000000"


def cohort(n, m, seed, low=0.05, high=0.5):
    """Frequencies in the population, genotypes (sites, n) of the cohort, counts (sites, 4) as published."""
    rng = np.random.default_rng(seed)
    p = rng.uniform(low, high, m)
    g = rng.binomial(2, p[:, None], (m, n))
    het, hom = (g == 1).sum(axis=1), (g == 2).sum(axis=1)
    counts = np.stack([het + 2 * hom, np.full(m, 2 * n), het, hom], axis=1)
    use = (counts[:, 0] > 0) & (counts[:, 0] < 2 * n)
    return p[use], g[use], counts[use]


@pytest.mark.parametrize(("n", "m"), [(100, 100), (100, 300), (100, 600), (500, 500), (500, 1500)])
def test_simulation_agrees_with_the_formula(n, m):
    """Sankararaman et al. 2009: power is that of a normal shifted by sqrt(m / n)."""
    _, _, counts = cohort(n, m, 1)
    found = membership.power(counts, "seed")
    assert found["frequencies"] == pytest.approx(membership.theory(m / n), abs=0.04)
    assert membership.theory(m / n) == pytest.approx(norm.cdf(np.sqrt(m / n) - norm.ppf(0.95)))
    # Three classes in place of two are as good as twice the sites.
    assert found["genotype_counts"] == pytest.approx(membership.theory(2 * m / n), abs=0.05)
    # So does the part of the sites, and the larger cohort.
    assert found["a_tenth_of_the_sites"] == pytest.approx(membership.theory(m / 10 / n), abs=0.04)
    assert found["ten_times_the_people"] == pytest.approx(membership.theory(m / 10 / n), abs=0.04)


@pytest.mark.parametrize(("low", "high", "floor"), [(0.05, 0.5, 0), (0.0002, 0.5, 0), (0.0002, 0.5, 5)])
def test_figure_is_that_of_an_attack_on_people(low, high, floor):
    """The module sees counts only; here members and strangers are tested with the true frequencies.

    Fewer sites are published when there is a floor: the figure is for these.
    """
    n = 300
    rng = np.random.default_rng(5)
    # Rare alleles as in a population: density 1 / p, which the module assumes.
    m = 1200
    p = np.exp(rng.uniform(np.log(low), np.log(high), m))
    g = rng.binomial(2, p[:, None], (m, n))
    het, hom = (g == 1).sum(axis=1), (g == 2).sum(axis=1)
    use = het + hom >= max(1, floor)
    p, g, het, hom = p[use], g[use], het[use], hom[use]
    counts = np.stack([het + 2 * hom, np.full(len(p), 2 * n), het, hom], axis=1)
    f = counts[:, 0] / (2 * n)
    strangers = rng.binomial(2, p[:, None], (len(p), 4000))

    def ratio(genotypes):
        return np.log(f / p) @ genotypes + np.log((1 - f) / (1 - p)) @ (2 - genotypes)

    def ratio_of_genotypes(genotypes):
        have = np.stack([n - het - hom, het, hom]) / n
        expect = np.stack([(1 - p) ** 2, 2 * p * (1 - p), p**2])
        score = np.log(np.maximum(have, 0.5 / n) / expect)
        return sum(score[i] @ (genotypes == i) for i in range(3))

    found = membership.power(counts, "seed")
    for name, test in (("frequencies", ratio), ("genotype_counts", ratio_of_genotypes)):
        attack = (test(g) > np.quantile(test(strangers), 0.95)).mean()
        assert found[name] == pytest.approx(attack, abs=0.06), name
        assert attack > 0.3


def test_what_lowers_it_and_what_does_not():
    _, _, common = cohort(500, 3000, 1, 0.2, 0.5)
    found = membership.power(common, "seed")
    assert found["only_af_from_5_to_95_percent"] == found["frequencies"] == found["only_af_from_1_to_99_percent"]
    assert found["a_hundredth_of_the_sites"] < found["a_tenth_of_the_sites"] < found["frequencies"]
    # An error of rounding as large as that of the sample takes power away, a small one does not.
    assert found["af_rounded_to_3_decimals"] == pytest.approx(found["frequencies"], abs=0.02)
    rng = np.random.default_rng(1)
    p = rng.uniform(0.2, 0.5, 8000)
    g = rng.multinomial(10_000, np.stack([(1 - p) ** 2, 2 * p * (1 - p), p**2], axis=1))
    many = np.stack([g[:, 1] + 2 * g[:, 2], np.full(len(p), 20_000), g[:, 1], g[:, 2]], axis=1)
    found = membership.power(many, "seed")
    assert found["af_rounded_to_2_decimals"] < found["frequencies"] - 0.03
    _, _, rare = cohort(1000, 3000, 1, 0.001, 0.009)
    found = membership.power(rare, "seed")
    # No site is left: the test is a guess, right as often as it is wrong.
    assert found["only_af_from_5_to_95_percent"] == pytest.approx(0.05)
    assert found["only_af_from_1_to_99_percent"] < found["frequencies"] - 0.1


def test_same_seed_same_figure_and_all_are_chances():
    _, _, counts = cohort(50, 700, 3, 0.01)
    one, two, three = (membership.power(counts, seed) for seed in ("a", "a", "b"))
    assert one == two != three
    assert list(one) == ["frequencies", "genotype_counts", *(key for key, _ in membership.CHANGES)]
    assert all(0 <= value <= 1 for value in one.values())
    single = membership.power(np.array([[3, 100, 3, 0]]), "a")
    assert 0.04 < single["frequencies"] < 0.2


# Sites from blocks.

PEOPLE = {"EE_F": 60, "EE_M": 40, "LV_F": 60, "LV_M": 60}
PLAN = choose_strata(PEOPLE, 5)


def block(pos, het, contig="chr1", filters=None, only_total=()):
    """het: carriers in every leaf, by allele. only_total: alleles of which all other strata are withheld."""
    n = len(pos)
    counts = np.zeros((len(PEOPLE), 5, n), dtype=np.int32)
    counts[:, st.DIP] = np.array(list(PEOPLE.values()))[:, None]
    counts[:, st.HET] = het
    mask = np.ones((len(PLAN.strata), n), dtype=bool)
    mask[1:, list(only_total)] = False
    return Block(
        contig=contig,
        pos=pa.array(pos, pa.int32()),
        ref=pa.array(["A"] * n),
        alt=pa.array(["C"] * n),
        filter=pa.array(filters or ["PASS"] * n),
        mask=mask,
        strata=PLAN.strata,
        numbers=st.numbers(st.expand(counts, PLAN.leaves, PLAN.strata)),
        statistics={name: np.full(n, np.nan) for name in frequency_table.STATISTICS},
    )


def collect(path, blocks, strata=("Total", "EE_M"), contig="chr1"):
    sites = membership.Sites(contig, strata)
    for part in blocks:
        sites.write(part)
    sites.save(path)
    return pq.read_table(path)


def rows(table, stratum):
    return [
        tuple(r[k] for k in ("pos", "ac", "an", "het", "hom")) for r in table.to_pylist() if r["stratum"] == stratum
    ]


def test_smallest_stratum_is_asked_beside_total():
    assert membership.strata_to_ask({"Total": 220, "EE": 100, "EE_M": 40, "EE_F": 60}) == ("Total", "EE_M")
    assert membership.strata_to_ask({"Total": 220, "EE": 110, "LV": 110}) == ("Total", "EE")
    assert membership.strata_to_ask({"Total": 220}) == ("Total",)


def test_the_most_common_allele_of_each_window_far_enough_apart(tmp_path):
    pos = [10, 20, 99_000, 130_000, 160_000, 210_000, 290_000, 1_000_000]
    het = [10, 12, 12, 25, 12, 20, 25, 6]
    table = collect(tmp_path / "t", [block(pos, het)])
    # 20 is the first of the two best of its window. Of 130,000 and 290,000 each is the best of its own.
    assert rows(table, "Total") == [
        (20, 48, 440, 48, 0),
        (130_000, 100, 440, 100, 0),
        (290_000, 100, 440, 100, 0),
        (1_000_000, 24, 440, 24, 0),
    ]
    assert rows(table, "EE_M")[1] == (130_000, 25, 80, 25, 0)
    close = collect(tmp_path / "t", [block([95_000, 101_000, 152_000, 201_500], [9, 9, 8, 9])])
    assert [r[0] for r in rows(close, "Total")] == [95_000, 201_500]
    totals = json.loads(table.schema.metadata[b"goe"])["totals"]
    assert totals["EE_M"] == {"sites": 8, "information": pytest.approx(8 * 2 / 80)}


def test_only_what_is_public_passes_and_differs(tmp_path):
    pos = [1_000_000 * (i + 1) for i in range(5)]
    table = collect(
        tmp_path / "t",
        [
            block(
                pos,
                [10, 11, 0, 12, 13],
                filters=["PASS", "HWE", "PASS", "PASS", "PASS"],
                only_total=[3],
            )
        ],
    )
    assert [r[0] for r in rows(table, "Total")] == [pos[0], pos[3], pos[4]]
    assert [r[0] for r in rows(table, "EE_M")] == [pos[0], pos[4]]
    for contig in ("chrX", "chrM", "chrY"):
        table = collect(tmp_path / "t", [block(pos, [10] * 5, contig)], contig=contig)
        assert table.num_rows == 0


def test_blocks_cut_anywhere_give_the_same_file(tmp_path):
    rng = np.random.default_rng(1)
    pos = np.sort(rng.choice(3_000_000, 400, replace=False) + 1).tolist()
    het = rng.integers(0, 40, 400).tolist()
    whole = collect(tmp_path / "whole", [block(pos, het)])
    for cuts in ([0, 1, 2, 399, 400], [0, 133, 134, 250, 400]):
        parts = [block(pos[a:b], het[a:b]) for a, b in pairwise(cuts)]
        assert collect(tmp_path / "parts", parts).equals(whole)
    assert all(b - a >= 50_000 for a, b in pairwise(r[0] for r in rows(whole, "Total")))


def test_cells_that_are_not_public_change_nothing(tmp_path):
    """The same bytes whatever stands in a cell that is not shown."""
    pos = [1_000_000 * (i + 1) for i in range(5)]
    one, two = (block(pos, [10] * 5, only_total=range(5)) for _ in range(2))
    s = [i for i, name in enumerate(PLAN.strata) if name != "Total"]
    for name in ("ac", "an", "ac_het", "nhomalt"):
        getattr(two.numbers, name)[s] = 7
    collect(tmp_path / "1", [one])
    collect(tmp_path / "2", [two])
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_report_has_figure_and_words_and_does_not_depend_on_the_order_of_files(tmp_path):
    rng = np.random.default_rng(2)
    paths = []
    for contig in ("chr1", "chr2", "chrX"):
        pos = list(range(1_000, 30_000_000, 60_000))
        het = rng.integers(5, 30, len(pos)).tolist()
        path = tmp_path / contig
        collect(path, [block(pos, het, contig)], contig=contig)
        paths.append(path)
    people = {s: PLAN.people[s] for s in PLAN.strata}
    said = membership.figure(paths, people, DATASET)
    assert said == membership.figure(paths[::-1], people, DATASET)
    assert said != membership.figure(paths, people, DATASET.replace("2026", "2027"))
    total, smallest = said["strata"]
    assert (total["stratum"], total["people"]) == ("Total", 220)
    assert (smallest["stratum"], smallest["people"]) == ("EE_M", 40)
    assert total["sites_published"] == 1000 and 500 <= total["sites_used"] <= 600
    # 600 sites of 220 and of 40 people: many, and nearly all, of the members are found.
    assert total["power"] == pytest.approx(total["power_by_formula"], abs=0.06)
    assert total["power"] < smallest["power"]
    assert total["power"] < total["power_with_genotype_counts"]
    assert total["power"] < total["power_if_all_sites_were_independent"]
    text = " ".join(said["in_words"])
    for part in (
        "220 people",
        "EE_M",
        "5 %",
        "A floor on counts does not stop",
        "a tenth of the sites",
        "596 for Total",
    ):
        assert part in text
    json.dumps(said, allow_nan=False)


def test_no_autosome_no_figure(tmp_path):
    collect(tmp_path / "x", [block([5], [9], "chrX")], contig="chrX")
    said = membership.figure([tmp_path / "x"], PLAN.people, DATASET)
    assert [s["power"] for s in said["strata"]] == [None, None]
    assert "no autosomal allele" in said["in_words"][1]
    json.dumps(said, allow_nan=False)


def test_files_of_other_strata_are_noticed(tmp_path):
    collect(tmp_path / "1", [block([5], [9])])
    collect(tmp_path / "2", [block([5], [9], "chr2")], strata=("Total",), contig="chr2")
    with pytest.raises(GoeError, match="strata differ"):
        membership.figure([tmp_path / "1", tmp_path / "2"], PLAN.people, DATASET)
