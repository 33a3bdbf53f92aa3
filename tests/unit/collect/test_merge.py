"""The sum over datasets against a plain dictionary of each allele, on random countries."""

import dataclasses
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from goe.collect import merge
from goe.core.errors import GoeError
from goe.disclosure.silence import ZERO
from helpers import countries as made
from helpers.countries import BUILD, CONTIG


def told(datasets, cells=1 << 21):
    """Allele -> (numbers of STATES, status, stratum -> name -> number)."""
    run = merge.Merge(datasets, BUILD, CONTIG, cells)
    out = {}
    for window in run:
        numbers = merge.tell(window.sums, run.strata.index("Total"))
        numbers_of = {name: list(values) for name, values in vars(numbers).items()}
        numbers_of["af_lo"], numbers_of["af_hi"] = zip(*map(numbers.af, range(len(run.strata))), strict=True)
        counts = window.counts()
        for j in range(len(window)):
            allele = (int(window.pos[j]), window.ref[j].as_py(), window.alt[j].as_py())
            cells = {s: {n: v[i][j].item() for n, v in numbers_of.items()} for i, s in enumerate(run.strata)}
            out[allele] = ({n: int(v[j]) for n, v in counts.items()}, bytes(window.status[:, j]).decode(), cells)
    return out


def plain(some, everything):
    """The same by hand, for datasets without a floor: a dictionary a stratum."""
    strata = sorted({s for one in some for s in one.strata})
    out = {}
    for allele in sorted({a for one in everything for a in one.carriers if one.listed(a)}):
        status, cells = "", {s: dict(ac=0, an=0, hom=0, away=0) for s in strata}
        for one in some:
            if one.listed(allele):
                word = {"PASS": "P", "AC0": "A"}.get(one.filter(allele), "F")
            elif not one.track or one.silent:
                word = "U"
            else:
                word = "A" if one.an(allele, "Total") else "N"
            status += word
            for s in strata:
                if s not in one.strata:
                    continue
                cell = cells[s]
                if word in "PA":
                    ac, hom = one.count(allele, s)
                    cell["ac"] += ac
                    cell["hom"] += hom
                    cell["an"] += one.an(allele, s)
                else:
                    cell["away"] += 1
        out[allele] = (status, cells)
    return out


def world(seed, n=3, people=30, floors=(1,), **more):
    rng = np.random.default_rng(seed)
    alleles = made.alleles(rng, 40)
    origins = [["EE"], ["EE", "FI"], ["LV"], ["FI"]]
    return [made.draw(rng, f"D{i}", origins[i % 4], people, alleles, floors[i % len(floors)], **more) for i in range(n)]


@pytest.mark.parametrize("seed", range(6))
def test_datasets_without_a_floor_are_a_plain_sum(tmp_path, seed):
    some = world(seed, n=4)
    some[1].track = seed % 3 != 0
    some[2].silent = seed % 4 == 0
    datasets = [made.dataset(one, tmp_path, i) for i, one in enumerate(some, 1)]
    got, wanted = told(datasets), plain(some, some)
    assert list(got) == list(wanted)
    for allele, (counts, status, cells) in got.items():
        right, plain_cells = wanted[allele]
        assert status == right, allele
        assert counts == {name: right.count(chr(state)) for name, state in merge.STATES.items()}
        for s, cell in plain_cells.items():
            mine = cells[s]
            assert (mine["ac_lo"], mine["ac_hi"]) == (cell["ac"], cell["ac"]), (allele, s)
            assert (mine["an"], mine["an_hi"]) == (cell["an"], cell["an"]), (allele, s)
            assert (mine["nhomalt_lo"], mine["nhomalt_hi"]) == (cell["hom"], cell["hom"]), (allele, s)
            assert mine["n_not_counted"] == cell["away"], (allele, s)
            if cell["an"]:
                assert mine["af_lo"] == mine["af_hi"] == cell["ac"] / cell["an"]
            else:
                assert np.isnan(mine["af_lo"]) and np.isnan(mine["af_hi"])


@pytest.mark.parametrize("seed", range(10))
def test_bounds_hold_the_truth_of_the_datasets_that_are_counted(tmp_path, seed):
    some = world(seed, n=4, floors=(5, 1, 3, 5))
    datasets = [made.dataset(one, tmp_path, i) for i, one in enumerate(some, 1)]
    got = told(datasets)
    narrow = 0
    for allele, (_, status, cells) in got.items():
        counted = [one for one, word in zip(some, status, strict=True) if word in "PAB"]
        few = [one for one, word in zip(some, status, strict=True) if word == "B"]
        nearly_all = any(0 < one.an(allele, "Total") // 2 - _carriers(one, allele) < one.k for one in few)
        for s, cell in cells.items():
            if s != "Total" and cell["n_not_counted"]:
                continue
            truth = [sum(x) for x in zip(*(one.count(allele, s) for one in counted), strict=True)] or [0, 0]
            an = sum(one.an(allele, s) for one in counted)
            assert cell["an"] <= an <= cell["an_hi"], (allele, s, status)
            assert cell["ac_lo"] <= truth[0] <= cell["ac_hi"] + (sum(2 * o.size(s) for o in few) if nearly_all else 0)
            if not nearly_all:
                assert truth[0] <= cell["ac_hi"] and cell["nhomalt_lo"] <= truth[1] <= cell["nhomalt_hi"], (allele, s)
                if an and cell["an"]:
                    assert cell["af_lo"] <= truth[0] / an <= cell["af_hi"]
            exact = sum(one.an(allele, s) for one, word in zip(some, status, strict=True) if word in "PA")
            if s == "Total" and 2 * cell["ac_lo"] < exact and few:
                narrow += 1
                assert cell["ac_hi"] - cell["ac_lo"] <= sum(2 * (one.k - 1) for one in few)
    assert narrow


def _carriers(one, allele):
    return sum(het + hom for het, hom in one.carriers.get(allele, {}).values())


def test_an_allele_that_is_common_elsewhere_may_be_fixed_where_it_is_withheld(tmp_path):
    """9 of 10 people of the second country carry it, and 1 does not: it is withheld there."""
    allele = (5, "A", "C")
    called = {"EE_M": np.full(made.LENGTH, 50), "EE_F": np.full(made.LENGTH, 50)}
    common = made.Country("A", {"EE_M": 50, "EE_F": 50}, called, {allele: {"EE_M": (0, 49), "EE_F": (0, 50)}})
    for carriers in (0, 49):
        other = {allele: {"EE_M": (0, 50), "EE_F": (0, carriers)}}
        floored = made.Country("B", {"EE_M": 50, "EE_F": 50}, called, other, k=5, track=True)
        if floored.listed(allele):
            continue
        (_, status, cells) = told([made.dataset(o, tmp_path, i) for i, o in enumerate((common, floored), 1)])[allele]
        assert status == "PB"
        assert cells["Total"]["ac_lo"] == 198 and cells["Total"]["ac_hi"] == 198 + 200
        assert cells["Total"]["nhomalt_hi"] == 99 + 100


@pytest.mark.parametrize("seed", range(3))
def test_order_and_size_of_windows_change_nothing(tmp_path, seed):
    some = world(seed, n=3, floors=(1, 4, 3))
    datasets = [made.dataset(one, tmp_path, i) for i, one in enumerate(some, 1)]
    whole = told(datasets)
    for order in permutations(range(3)):
        other = told([datasets[i] for i in order])
        assert list(other) == list(whole)
        for allele, (counts, status, cells) in other.items():
            assert counts == whole[allele][0] and str(cells) == str(whole[allele][2])
            assert "".join(status[order.index(i)] for i in range(3)) == whole[allele][1]
    assert str(told(datasets, 1)) == str(whole)


def test_a_window_has_no_more_alleles_than_it_may(tmp_path):
    rng = np.random.default_rng(5)
    alleles = made.alleles(rng, 80)
    found = [made.dataset(made.draw(rng, f"D{i}", ["EE"], 30, alleles), tmp_path, i) for i in (1, 2, 3)]
    run = merge.Merge(found, BUILD, CONTIG, 1)
    sizes = [len(np.unique(window.pos)) for window in run]
    assert len(sizes) > 1 and max(sizes) <= run.most == 16


@pytest.mark.parametrize("seed", range(3))
def test_sums_of_sums_are_the_sum(tmp_path, seed):
    """Associative: what is told of two groups added is told of all."""
    some = world(seed, n=4, floors=(1, 4, 3))
    datasets = [made.dataset(one, tmp_path, i) for i, one in enumerate(some, 1)]
    run = merge.Merge(datasets, BUILD, CONTIG)
    (window,) = list(run)
    parts = []
    for group in (slice(0, 1), slice(1, 4)):
        mine = merge.Merge(datasets, BUILD, CONTIG)
        sums = mine.begin(mine.parts[group], len(window))
        pieces = []
        for part in mine.parts:
            while not part.finished:
                part.fill()
                if not part.finished:
                    part.left = part.left.follow(next(part.pieces, merge._nothing(len(part.own))))
            pieces.append(part.take(1 << 40))
        keys = zip(window.pos.tolist(), window.ref.to_pylist(), window.alt.to_pylist(), strict=True)
        index = {key: j for j, key in enumerate(keys)}
        places = mine.places(window.pos, window.pos + np.array([len(ref) for ref in window.ref.to_pylist()]) - 1)
        for part, piece in list(zip(mine.parts, pieces, strict=True))[group]:
            at = [index[int(p), *piece.pairs[q]] for p, q in zip(piece.pos, piece.pair, strict=True)]
            part.add(sums, piece, np.array(at, np.int64), places)
        parts.append(sums)
    for joined in (parts[0].join(parts[1]), parts[1].join(parts[0])):
        for name, values in vars(joined).items():
            assert np.array_equal(values, getattr(window.sums, name)), name


def test_a_dataset_of_nobody_changes_nothing(tmp_path):
    some = world(3, n=3, floors=(1, 3))
    nobody = made.Country("none", {"EE_M": 0, "EE_F": 0}, {f"EE_{s}": np.zeros(made.LENGTH, int) for s in "MF"}, {})
    datasets = [made.dataset(one, tmp_path, i) for i, one in enumerate(some, 1)]
    with_it = told([*datasets, made.dataset(nobody, tmp_path, 4)])
    for allele, (counts, _, cells) in told(datasets).items():
        more, status, others = with_it[allele]
        assert status[-1] == "N" and more == counts | {"n_not_callable": counts["n_not_callable"] + 1}
        for s, cell in cells.items():
            assert str({k: v for k, v in others[s].items() if k != "n_not_counted"}) == str(
                {k: v for k, v in cell.items() if k != "n_not_counted"}
            )


def test_a_file_that_changed_after_it_was_looked_at_is_not_added(tmp_path):
    one = made.dataset(world(1)[0], tmp_path, 1)
    table = Path(one.tables[CONTIG].path)
    table.write_bytes(table.read_bytes() + b"x")
    with pytest.raises(GoeError, match=r"D0: .*is not what it was"):
        told([one])


def test_silence_of_a_contig_that_a_dataset_does_not_have_is_no_zero(tmp_path):
    some = world(2, n=2)
    datasets = [made.dataset(one, tmp_path, i) for i, one in enumerate(some, 1)]
    assert datasets[1].silence.means == ZERO
    datasets[1].tables = {}
    assert {status[1] for _, status, _ in told(datasets).values()} == {"U"}


def test_an_under_a_floor_is_at_most_what_the_file_says_and_who_is_called_at_rows_alone(tmp_path):
    allele = (5, "A", "C")
    called = {f"EE_{s}": np.full(made.LENGTH, 40) for s in "MF"}
    lists = made.Country("A", {"EE_M": 50, "EE_F": 50}, called, {allele: {"EE_M": (9, 0), "EE_F": (9, 0)}})
    few = made.Country("B", lists.people, called, {allele: {"EE_M": (1, 0), "EE_F": (1, 0)}}, k=5)
    track = 160 - 2 * (4 % 5)
    for below, callable_people, most in (
        (None, {}, track + 8),
        (16, {}, track + 16),
        (None, {"Total": 90}, track + 28),
    ):
        few.below = below
        datasets = [made.dataset(one, tmp_path / str(most), i) for i, one in enumerate((lists, few), 1)]
        datasets[1].callable_people = callable_people
        cell = told(datasets)[allele][2]["Total"]
        assert (cell["an"], cell["an_hi"]) == (160 + track, 160 + most)
        assert (cell["ac_lo"], cell["ac_hi"]) == (18, 26)
    few.people = {"EE_M": 40, "EE_F": 40}
    cell = told([made.dataset(one, tmp_path / "all", i) for i, one in enumerate((lists, few), 1)])[allele][2]["Total"]
    assert cell["an_hi"] == 160 + 160


@pytest.mark.parametrize("cells", [1, 1 << 21])
def test_beside_a_listed_allele_silence_says_nothing_where_alleles_were_withheld_for_what_they_tell_together(
    tmp_path, cells
):
    some = world(3, n=4, floors=(5, 1, 3, 5))
    datasets = [made.dataset(one, tmp_path, i) for i, one in enumerate(some, 1)]
    before = told(datasets, cells)
    for one in datasets:
        one.silence = dataclasses.replace(one.silence, beside=False)
    after = told(datasets, cells)
    seen = set()
    for allele, (_, status, _) in before.items():
        first, last = allele[0], allele[0] + len(allele[1]) - 1
        for i, one in enumerate(some):
            others = [a for a in one.carriers if a != allele and one.listed(a)]
            beside = any(a[0] <= last and a[0] + len(a[1]) - 1 >= first for a in others)
            word = after[allele][1][i]
            assert word == ("U" if status[i] == "B" and beside else status[i]), (allele, one.name)
            seen.add((status[i], word))
    assert {("B", "U"), ("B", "B"), ("A", "A")} <= seen


def test_what_is_told_follows_from_the_sums():
    """`tell` as formulas of whole arrays."""
    rng = np.random.default_rng(1)
    shape = (3, 500)
    names = [f.name for f in dataclasses.fields(merge.Sums)]
    sums = merge.Sums(**{name: rng.integers(0, rng.choice([1, 3, 2000], shape)).astype(np.int32) for name in names})
    sums.high += sums.low
    told = merge.tell(sums, 0)
    common = 2 * sums.ac[0] >= sums.an[0]
    assert 0 < common.sum() < 500
    an, an_hi = sums.an + sums.low, sums.an + sums.high
    ac_hi = np.minimum(sums.ac + sums.bound + np.where(common, sums.floor, sums.rare), an_hi)
    hom = np.minimum(sums.hom + sums.hom_hi + np.where(common, sums.floor_hom, sums.rare_hom), ac_hi // 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        af = [np.where(an > 0, x, np.nan) for x in (sums.ac / an_hi, np.minimum(ac_hi / an, 1))]
    pairs = [
        (told.ac_lo, sums.ac),
        (told.ac_hi, ac_hi),
        (told.an, an),
        (told.an_hi, an_hi),
        (told.nhomalt_lo, sums.hom),
    ]
    for one, two in [*pairs, (told.nhomalt_hi, hom), (told.n_not_counted, sums.uncounted)]:
        assert one.dtype == np.int32 and np.array_equal(one, two)
    for i in range(3):
        for mine, wanted in zip(told.af(i), af, strict=True):
            assert np.array_equal(mine, wanted[i], equal_nan=True)
