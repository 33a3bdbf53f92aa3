"""The table that a release is written from: alleles that overlap are decided together, however they come in."""

import numpy as np
import pyarrow as pa
from goe.release import table as frequency_table
from hypothesis import given
from hypothesis import strategies as some


@given(some.lists(some.tuples(some.integers(1, 60), some.integers(1, 6)), max_size=30), some.data())
def test_alleles_that_overlap_are_in_one_table_and_others_in_as_many_as_can_be(alleles, data):
    alleles.sort()
    pos, lengths = np.array(alleles, dtype=np.int32).reshape(-1, 2).T
    whole = pa.table({"pos": pa.array(pos), "ref": pa.array(["A" * n for n in lengths], pa.string())})
    cuts = sorted(data.draw(some.lists(some.integers(0, len(alleles)), max_size=6)))
    pieces = [whole.slice(a, b - a) for a, b in zip([0, *cuts], [*cuts, len(alleles)], strict=True)]
    found = list(frequency_table.whole_positions(pieces))
    assert [row for table in found for row in table.to_pylist()] == whole.to_pylist()
    assert all(table.num_rows for table in found)
    covered = np.maximum.accumulate(pos + lengths - 1)
    joins = {i for i in range(1, len(alleles)) if pos[i] <= covered[i - 1]}
    borders = np.cumsum([table.num_rows for table in found])[:-1]
    assert joins.isdisjoint(borders.tolist())
