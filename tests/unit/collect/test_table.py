"""What a collection tells of each allele."""

import re

import numpy as np
import pyarrow.parquet as pq
from goe.collect import table
from goe.release.gdi.format import header_populations
from goe.variant_qc.statistics import filtering_allele_frequency

STRATA = ("Total", "M", "F", "EE", "EE_M", "EE_F", "FI")


def test_filtering_frequencies_by_table_are_those_that_are_computed():
    ac = np.array([0, 1, 2, 5, 100, 1023, 1024, 5000])
    an = np.array([0, 10, 10000, 4000, 4000, 5000, 5000, 9000])
    assert np.array_equal(table.faf95(ac, an), filtering_allele_frequency(ac, an, 0.95), equal_nan=True)
    # Whiffin et al. 2017 as gnomAD computes it.
    assert table.faf95(np.array([2]), np.array([10000]))[0].round(9) == 3.5536e-5


def test_men_and_women_of_a_country_have_counts_alone():
    names = [field.name for field, _, _ in table.fields(STRATA)]
    assert len(set(names)) == len(names)
    assert {n for n in names if n.endswith("_EE_M")} == {f"{n}_EE_M" for n in table._OF_LEAVES}
    assert {n for n in names if n.startswith("faf95")} == {
        "faf95",
        "faf95_EE",
        "faf95_FI",
        "faf95_max",
        "faf95_max_group",
    }


def test_every_column_and_tag_is_told():
    rows = [line.split("\t") for line in table.dictionary(STRATA).splitlines()[1:]]
    told = {(file, name) for file, name, *_ in rows}
    assert {("frequencies Parquet", field.name) for field, _, _ in table.fields(STRATA)} <= told
    assert {("sites VCF", tag.id) for tag in table.tags(STRATA)} <= told
    assert all(row[-1] and len(row) == 6 for row in rows)


def test_no_tag_of_bounds_reads_like_a_population():
    tags = table.tags(STRATA)
    lines = [f'##INFO=<ID={tag.id},Number={tag.number},Type={tag.type},Description="x">' for tag in tags]
    found, strange = header_populations(lines)
    assert strange == [] and found == sorted({"Total", "M", "F", "EE", "FI"})
    assert not any(re.match("A[CNF]_", tag.id) for tag in tags if not tag.stratum)


def test_how_tables_are_cut_changes_no_byte(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "_ROW_GROUP", 7)
    wanted = table.datasets_schema([1], {})
    whole = table.pa.table(
        [["c"] * 30, range(30), ["A"] * 30, ["C"] * 30, ["P"] * 30, [None, 1, 2] * 10, range(30)], schema=wanted
    )
    for size in (1, 6, 7, 30):
        with table.Writer(tmp_path / f"{size}.parquet", wanted) as out:
            for start in range(0, 30, size):
                out.write(whole.slice(start, size))
        assert (tmp_path / f"{size}.parquet").read_bytes() == (tmp_path / "1.parquet").read_bytes()
    assert pq.ParquetFile(tmp_path / "1.parquet").num_row_groups == 5
