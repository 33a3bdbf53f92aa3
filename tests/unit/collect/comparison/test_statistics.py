"""The statistics of small collections by hand, and that neither order nor pieces change them."""

import numpy as np
import pytest
from goe.collect.comparison import cells, statistics
from helpers import collection_folder as cf
from helpers import compared as made
from helpers import countries


def told(tmp_path, carriers, **more):
    """Of three open datasets of one country each: allele -> (AC of EE, FI and LV), all of 100 men."""
    some = []
    for i, country in enumerate(("EE", "FI", "LV")):
        leaf = f"{country}_M"
        mine = {a: {leaf: (ac[i] % 2, ac[i] // 2)} for a, ac in carriers.items()}
        called = {leaf: np.full(countries.LENGTH, 100)}
        some.append(countries.Country(f"D{country}", {leaf: 100}, called, mine, **more.get(country, {})))
    return made.collect(some, tmp_path)[1]


SNV, OTHER = (10, "A", "C"), (20, "A", "AC")


def test_spectrum_singletons_and_private_alleles(tmp_path):
    carriers = {SNV: (1, 0, 0), (12, "A", "G"): (1, 4, 0), OTHER: (30, 0, 0), (30, "C", "T"): (0, 0, 200)}
    said = told(tmp_path, carriers)["countries"]
    ee, fi, lv = said["units"]
    assert [u["name"] for u in (ee, fi, lv)] == ["EE", "FI", "LV"]
    assert ee["alleles"] == dict(seen=3, absent=1, seen_in_bounds=0, may_be_there=0, unknown=0)
    assert ee["by_ac"]["SNV"][0] == 2 and sum(ee["by_ac"]["SNV"]) == 2 and sum(ee["by_ac"]["other"]) == 1
    # 1 of 200 is 0.005, the end of a bin, and in it.
    edge = statistics.EDGES.index(0.005)
    assert ee["by_af"]["SNV"][edge] == 2 and lv["by_af"]["SNV"][-1] == 1
    assert ee["singletons"] == dict(all=2, private_at_least=1, private_at_most=1)
    assert ee["private"] == dict(at_least=2, at_most=2) and fi["private"] == dict(at_least=0, at_most=0)
    assert ee["smallest_ac_at_most"] == 1 and fi["smallest_ac_at_most"] == 4
    assert said["exact_in_all"] == 4


def test_alleles_of_two_copies_are_where_they_are(tmp_path):
    carriers = {SNV: (1, 1, 0), (12, "A", "G"): (2, 0, 0), (14, "A", "G"): (0, 1, 1), (16, "A", "G"): (1, 1, 1)}
    twos = told(tmp_path, carriers)["countries"]["doubletons"]
    found = {tuple(p["units"]): p["alleles"] for p in twos["pairs"]}
    assert twos["alleles"] == 3
    assert found == {
        ("EE", "EE"): 1,
        ("EE", "FI"): 1,
        ("EE", "LV"): 0,
        ("FI", "FI"): 0,
        ("FI", "LV"): 1,
        ("LV", "LV"): 0,
    }
    # 600 alleles of three equal parts: a pair within one 200 * 199, between two 2 * 200 * 200 of 600 * 599.
    expected = {tuple(p["units"]): p["expected"] for p in twos["pairs"]}
    assert expected["EE", "EE"] == pytest.approx(3 * 200 * 199 / (600 * 599))
    assert sum(expected.values()) == pytest.approx(3)


def test_sharing_tells_what_is_not_known(tmp_path):
    """FI does not say what it does not list; EE and LV do."""
    carriers = {SNV: (1, 1, 0), (12, "A", "G"): (50, 0, 0), (14, "A", "G"): (3, 0, 2)}
    part = told(tmp_path, carriers, FI={"silent": True})["datasets"]
    rows = {(r["of"], r["in"]): r for r in part["sharing"]}
    # FI has the other two with AC 0, which it says.
    assert rows["DEE", "DLV"]["all"] == dict(there=1, not_there=2, unknown=0)
    assert rows["DEE", "DLV"]["rare"] == dict(there=0, not_there=1, unknown=0)
    del carriers[SNV]
    some = [
        countries.Country(
            f"D{c}",
            {f"{c}_M": 100},
            {f"{c}_M": np.full(countries.LENGTH, 100)},
            {a: {f"{c}_M": (ac[i], 0)} for a, ac in carriers.items() if ac[i]},
            silent=c == "FI",
        )
        for i, c in enumerate(("EE", "FI", "LV"))
    ]
    some[1].carriers[40, "G", "T"] = {"FI_M": (5, 0)}
    part = made.collect(some, tmp_path / "b")[1]["datasets"]
    rows = {(r["of"], r["in"]): r for r in part["sharing"]}
    assert rows["DEE", "DFI"]["all"] == dict(there=0, not_there=0, unknown=2)
    ee = part["units"][0]
    assert ee["private"] == dict(at_least=0, at_most=1)


def test_a_floor_tells_what_it_hides(tmp_path):
    carriers = {(10 + i, "A", "C"): (ac, ac, ac) for i, ac in enumerate((1, 1, 2, 3, 60, 80))}
    said = told(tmp_path, carriers, FI={"k": 3})
    (floor,) = said["floors"]
    assert floor["name"] == "DFI" and floor["min_carriers"] == 3
    # AC 1, 1 and 2 in each of the two datasets without one: 6 of 12.
    assert floor["open_datasets"] == {"of": 12, "below": 6, "share": 0.5}
    assert floor["withheld_or_absent"] == sum(c < 3 for c in (1, 1, 1, 2, 30, 40))
    (fi,) = [u for u in said["countries"]["units"] if u["name"] == "FI"]
    assert fi["alleles"]["may_be_there"] == floor["withheld_or_absent"] and fi["alleles"]["seen"] == 2
    pairs = {tuple(p["units"]): p for p in said["countries"]["pairs"]}
    assert pairs["EE", "FI"]["snvs_in_bounds"] == 4 and pairs["EE", "LV"]["snvs_in_bounds"] == 0
    assert pairs["EE", "FI"]["fst_if_withheld_at_least"] != pairs["EE", "FI"]["fst"]


def test_alleles_that_are_no_statistic_of_peoples_are_told(tmp_path):
    _, said = made.collect([made.dataset("D", {SNV: {}})], tmp_path)
    assert said["not_compared"] == {"outside_autosomes": 0, "not_pass_anywhere": 1}
    assert said["countries"]["units"][0]["alleles"]["seen"] == 0


@pytest.mark.parametrize("seed", range(2))
def test_neither_order_nor_pieces_change_a_number(tmp_path, seed, monkeypatch):
    found = cf.datasets(tmp_path, seed)
    one = statistics_of(found, tmp_path / "a")
    monkeypatch.setattr(cells, "_ROWS", 7)
    again = cf.datasets(tmp_path, seed)[::-1]
    assert statistics_of(again, tmp_path / "b") == one


def statistics_of(found, root):
    from goe.collect.comparison import again

    said = again.read(cf.collect(found, root))
    # How the page is cut follows from the pieces.
    return {key: value for key, value in said.items() if key != "page"}
