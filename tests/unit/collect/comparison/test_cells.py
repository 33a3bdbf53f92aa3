"""A number that is withheld is not zero."""

import numpy as np
import pyarrow as pa
from goe.collect.comparison import cells
from goe.collect.comparison.cells import BOUNDED, EXACT, UNKNOWN


def test_countries_are_exact_only_where_both_ends_agree():
    sums = pa.table({"ac_lo_EE": [3, 0, 2, 0, 0], "ac_hi_EE": [3, 0, 6, 8, 0], "an_EE": [20, 20, 20, 18, 0]})
    sums = sums.append_column("an_hi_EE", pa.array([20, 20, 20, 20, 0]))
    found = cells.of_countries(sums, ["EE"])
    assert found.state[0].tolist() == [EXACT, EXACT, BOUNDED, BOUNDED, UNKNOWN]
    assert found.seen[0].tolist() == [True, False, True, False, False]
    assert found.absent[0].tolist() == [False, True, False, False, False]
    assert cells.of_countries(sums, []).state.shape == (0, 5)


def test_datasets_are_known_by_what_they_say():
    words = list("PABFNU")
    apart = pa.table({"status_1": words, "ac_1": pa.array([3, 0, None, None, None, None], pa.int32())})
    apart = apart.append_column("an_1", pa.array([20, 20, 20, None, None, None], pa.int32()))
    found = cells.of_datasets(apart, [cells.Source(1, "D", "EE", k=5)])
    assert found.state[0].tolist() == [EXACT, EXACT, BOUNDED, UNKNOWN, UNKNOWN, UNKNOWN]
    assert found.hi[0].tolist() == [3, 0, 10, 0, 0, 0] and found.an[0].tolist() == [20, 20, 20, 0, 0, 0]


def test_a_floor_hides_no_more_than_there_are():
    apart = pa.table({"status_1": ["B"], "ac_1": pa.array([None], pa.int32()), "an_1": pa.array([6], pa.int32())})
    assert cells.of_datasets(apart, [cells.Source(1, "D", "EE", k=5)]).hi.tolist() == [[6]]


def test_datasets_stand_in_an_order_of_their_own():
    said = [
        {"number": n, "name": name, "country": c, "silence": {"min_carriers": None}}
        for n, name, c in ((1, "b", "LV"), (2, "a", "LV"), (3, "c", "EE"))
    ]
    assert [s.name for s in cells.sources_of(said)] == ["c", "a", "b"]
    assert cells.sources_of(said[::-1]) == cells.sources_of(said)


def test_taking_alleles_takes_all_numbers():
    values = np.arange(8).reshape(2, 4)
    found = cells.Cells.of(values, values, values + 10, values + 10).take(np.array([1, 3]))
    assert found.lo.tolist() == [[1, 3], [5, 7]] and found.an_hi.tolist() == [[11, 13], [15, 17]]
