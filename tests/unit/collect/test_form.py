"""The one form in which the sum reads every dataset."""

import pyarrow.parquet as pq
from goe.collect import form


def test_strata_in_the_order_of_a_release():
    names = ["LV_F", "F", "EE_M", "LV", "Total", "EE", "M", "EE_F", "EE_U", "XX"]
    assert form.ordered(names) == ["Total", "M", "F", "EE", "EE_M", "EE_F", "LV", "LV_F"]
    assert form.ordered(reversed(names)) == form.ordered(names)


def test_a_contig_without_alleles_is_a_table_all_the_same(tmp_path):
    with form.Table(tmp_path / "a.parquet", "chr1", {"Total": 3, "M": 3}) as out:
        pass
    assert out.alleles == 0 and pq.read_table(tmp_path / "a.parquet").num_rows == 0
