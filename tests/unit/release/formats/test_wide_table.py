"""The wide table holds what is public, exactly, and readers of Parquet can filter it."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from goe.check import readback
from goe.core.errors import GoeError
from goe.frequencies import strata as st
from goe.release import table as frequency_table
from goe.release.formats import annotations, sites_vcf, wide_table
from goe.rules.policy import Policy
from helpers import public_blocks
from helpers.blocks import random_block, sequence, with_other_hidden_numbers
from hypothesis import given, settings
from hypothesis import strategies as hs

TEXT = sequence(4000, seed=5)
ABOUT = {"dataset": "GOE-EE-X-1", "build": "GRCh38"}


@pytest.fixture(scope="module")
def fields(repo):
    return sites_vcf.read_fields(repo / "resources/dictionary/fields.tsv")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("wide")


def write(path, fields, *blocks):
    people = {stratum: 10 * i for i, stratum in enumerate(blocks[0].strata, 1)}
    wanted = wide_table.schema(fields, ABOUT, people, blocks[0].contig)
    with wide_table.Writer(path, wanted) as writer:
        for block in blocks:
            writer.write(block)
    return path


def sliced(block, start, end):
    counts = {name: getattr(block.numbers, name)[:, start:end] for name in wide_table.COUNTS}
    return replace(
        block,
        **{name: getattr(block, name).slice(start, end - start) for name in ("pos", "ref", "alt", "filter")},
        mask=block.mask[:, start:end],
        numbers=st.Numbers(**counts),
        statistics={name: values[start:end] for name, values in block.statistics.items()},
    )


def single(values):
    return values.astype(np.float32).astype(np.float64)


def assert_same(got, block):
    assert (got.contig, got.strata) == (block.contig, block.strata)
    for name in ("pos", "ref", "alt", "filter"):
        assert getattr(got, name).equals(getattr(block, name))
    assert (got.shown() == block.mask).all()
    for name in wide_table.COUNTS:
        assert (getattr(got.numbers, name) == np.where(block.mask, getattr(block.numbers, name), 0)).all()
    for name, values in block.statistics.items():
        wanted = values if name == "call_rate" else single(values)
        np.testing.assert_array_equal(got.statistics[name], wanted)
    assert set(got.statistics) == set(block.statistics)


@settings(max_examples=40, deadline=None)
@given(seed=hs.integers(0, 2**32 - 1), share=hs.sampled_from([0, 0.02, 0.5, 0.98, 1]))
def test_round_trip_for_every_mask(seed, share, fields, folder):
    rng = np.random.default_rng(seed)
    block = random_block("chr1", TEXT[:300], seed=seed)
    mask = rng.random(block.mask.shape) < share
    statistics = {name: np.where(rng.random(len(block)) < share, rng.random(len(block)), np.nan) for name in
                  block.statistics}  # fmt: skip
    block = replace(block, mask=mask, statistics=statistics)
    (got,) = wide_table.read(write(folder / "one.parquet", fields, block))
    assert_same(got, block)
    # What was read gives the same file again.
    assert write(folder / "two.parquet", fields, got).read_bytes() == (folder / "one.parquet").read_bytes()


def test_a_row_says_what_the_block_says(fields, folder):
    block = random_block("chr1", TEXT)
    assert not block.mask.all()
    assert (block.numbers.an == 0)[block.mask].any()
    found = pq.read_table(write(folder / "rows.parquet", fields, block)).to_pylist()
    assert len(found) == len(block)
    for i, row in enumerate(found):
        wanted = {"contig": "chr1"} | {n: getattr(block, n)[i].as_py() for n in ("pos", "ref", "alt", "filter")}
        for s, stratum in enumerate(block.strata):
            end = "" if stratum == "Total" else f"_{stratum}"
            numbers = {name: int(getattr(block.numbers, name)[s, i]) for name in wide_table.COUNTS}
            numbers["af"] = numbers["ac"] / numbers["an"] if numbers["an"] else None
            wanted |= {name + end: value if block.mask[s, i] else None for name, value in numbers.items()}
        for name, values in block.statistics.items():
            value = values[i] if name == "call_rate" else np.float32(values[i])
            wanted[name] = None if np.isnan(value) else value
        assert row == wanted


def test_other_formats_can_be_made_from_it(fields, folder):
    """Also their single precision statistics, F_MISSING and call_rate both."""
    rng = np.random.default_rng(1)
    blocks = []
    for i in range(4):
        block = random_block("chr1", TEXT, seed=i)
        an = rng.integers(1, 5000, len(block))
        blocks.append(replace(block, statistics=block.statistics | {"call_rate": an / 5000}))
    info = sites_vcf.tags(fields, blocks[0].strata)
    companion = annotations.tags(annotations.read_fields(), blocks[0].strata, ())
    for block in blocks:
        (got,) = wide_table.read(write(folder / "again.parquet", fields, block))
        assert sites_vcf.lines(got, info).equals(sites_vcf.lines(block, info))
        assert annotations.lines(got, companion, {}).equals(annotations.lines(block, companion, {}))


def test_withheld_numbers_change_no_byte(fields, folder):
    block = random_block("chr1", TEXT)
    other = with_other_hidden_numbers(block)
    assert (other.numbers.ac != block.numbers.ac).any()
    paths = [write(folder / f"{i}.parquet", fields, one) for i, one in enumerate((block, other))]
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_the_cut_of_blocks_changes_no_byte(fields, folder, monkeypatch):
    monkeypatch.setattr(wide_table, "ROW_GROUP", 100)
    block = random_block("chr1", TEXT)
    whole = write(folder / "whole.parquet", fields, block)
    ends = [0, 1, 99, 100, 101, 350, 350, len(block)]
    parts = [sliced(block, *pair) for pair in pairwise(ends)]
    assert write(folder / "parts.parquet", fields, *parts).read_bytes() == whole.read_bytes()
    about = pq.read_metadata(whole)
    sizes = [about.row_group(i).num_rows for i in range(about.num_row_groups)]
    assert sizes == [100] * (len(block) // 100) + [len(block) % 100]
    got = list(wide_table.read(whole, 77))
    assert all(len(one) <= 77 for one in got)
    start = 0
    for one in got:
        assert_same(one, sliced(block, start, start + len(one)))
        start += len(one)
    assert start == len(block)


def test_no_alleles(fields, folder):
    block = sliced(random_block("chr1", TEXT), 0, 0)
    path = write(folder / "none.parquet", fields, block)
    assert list(wide_table.read(path)) == []
    assert pq.read_table(path).num_rows == 0
    assert wide_table.facts(path)["contig"] == "chr1"


def test_columns_and_what_they_mean(fields, folder):
    block = random_block("chr1", TEXT)
    path = write(folder / "columns.parquet", fields, block)
    found = pq.read_schema(path)
    assert found.names[:5] == ["contig", "pos", "ref", "alt", "filter"]
    assert found.names[5:12] == ["ac", "an", "af", "ac_hom", "ac_het", "ac_hemi", "nhomalt"]
    assert found.names[-5:] == ["faf95", "faf99", "hwe_p", "inbreeding_coeff", "call_rate"]
    assert {"ac_EE_M", "an_EE_M", "af_EE_M", "ac_hom_EE_M", "ac_het_EE_M", "ac_hemi_EE_M", "nhomalt_EE_M"} <= set(
        found.names
    )
    assert len(found.names) == 5 + 7 * len(block.strata) + 5
    assert {str(found.field(n).type) for n in found.names if n.startswith(("ac", "an", "nhom"))} == {"int32"}
    assert {str(found.field(n).type) for n in found.names if n == "af" or n.startswith("af_")} == {"double"}
    about = json.loads(found.metadata[b"goe"])
    assert {**about, **ABOUT} == about
    assert about["contig"] == "chr1"
    assert [entry["stratum"] for entry in about["strata"]] == list(block.strata)
    assert about["strata"][1] == {"stratum": block.strata[1], "people": 20}
    assert list(about["columns"]) == sorted(found.names)
    assert about["columns"]["an_EE_M"] == {"description": "Called alleles", "unit": "alleles", "stratum": "EE_M"}
    assert about["columns"]["nhomalt"]["unit"] == "people"
    rows = wide_table.dictionary(fields, block.strata)
    assert [row[1] for row in rows] == found.names
    kinds = {"string": "string", "int32": "int32", "float": "float32", "double": "float64"}
    assert [row[2] for row in rows] == [kinds[str(kind)] for kind in found.types]
    assert all(row[4] and row[6] and row[7] for row in rows)
    # Where the long table has the column too, both say the same.
    long = {f["column"]: (f["column_type"], f["unit"], f["description"], f["rule"]) for f in fields if f["column"]}
    for _, name, kind, _, unit, stratum, description, rule in rows:
        base = name.removesuffix(f"_{stratum}")
        if base in long:
            assert long[base] == (kind, unit, description, rule)


def counted_file(path, n=300):
    """A variant_qc file in which cells are withheld."""
    people = {"EE_F": 40, "EE_M": 40, "EE_U": 10, "LV_F": 40, "LV_M": 40}
    rng = np.random.default_rng(7)
    columns = {
        "contig": pa.array(["chr1"] * n),
        "pos": pa.array(np.arange(n, dtype=np.int32) * 3 + 1),
        "ref": pa.array(["A"] * n),
        "alt": pa.array(["C"] * n),
        "filter": pa.array([[], ["HWE"]] * (n // 2), pa.list_(pa.string())),
    }
    share = rng.choice([0, 0.02, 0.1, 0.5], n)
    for leaf, size in people.items():
        dip = size - rng.integers(0, 3, n)
        hom = rng.binomial(dip, share**2)
        cells = {"dip": dip, "hap": 0 * dip, "het": rng.binomial(dip - hom, share), "hom": hom, "hemi": 0 * dip}
        columns |= {f"{call}_{leaf}": pa.array(values.astype(np.int32)) for call, values in cells.items()}
    columns |= {name: pa.array(rng.random(n)) for name in frequency_table.STATISTICS}
    about = {"goe": json.dumps({"leaves": list(people), "people": people, "class_expected": {}})}
    pq.write_table(pa.table(columns).replace_schema_metadata(about), path)
    return path


@pytest.mark.parametrize("name", ["collapse", "minimal", "open"])
def test_long_and_wide_agree(name, fields, folder):
    policy = Policy(1, legal_basis="x", name="open") if name == "open" else Policy(
        5, name=name
    )  # fmt: skip
    source = frequency_table.Source([counted_file(folder / "counted.parquet")], "chr1", 10_000, policy)
    people = {stratum: source.plan.people[stratum] for stratum in source.plan.strata}
    long, wide = (
        part.Writer(folder / f"{part.__name__}.parquet", part.schema(fields, ABOUT, people, "chr1"))
        for part in (frequency_table, wide_table)
    )
    with long, wide:
        for block in source:
            long.write(block)
            wide.write(block)
    names = (*readback.COUNTS, "af")
    cells = [
        readback.expected(block, names, np.ones(len(block), dtype=bool))
        for block in wide_table.read(folder / "goe.release.formats.wide_table.parquet", 100)
    ]
    assert sum(part.num_rows for part in cells)
    long_cells = list(readback.frequency_table(folder / "goe.release.table.parquet"))
    assert readback.compare(cells, long_cells, "wide", names) == []
    if name != "open":
        assert pq.read_table(folder / "goe.release.formats.wide_table.parquet")["ac_EE_M"].null_count


# Readers.


@pytest.fixture(scope="module")
def several_groups(fields, tmp_path_factory):
    """A file of three row groups, and its alleles as one block."""
    path = tmp_path_factory.mktemp("groups") / "chr20.parquet"
    blocks = list(public_blocks.blocks("chr20", 3 * wide_table.ROW_GROUP, k=1))
    write(path, fields, *blocks)
    assert pq.read_metadata(path).num_row_groups >= 3
    return path, blocks


def wanted_rows(blocks, start, end, most):
    """(pos, ref, alt) of PASS alleles from start to end with AF of EE at most `most`, by the blocks."""
    out = []
    for block in blocks:
        pos = block.pos.to_numpy()
        ee = block.strata.index("EE")
        af = block.numbers.af()[ee]
        good = (pos >= start) & (pos <= end) & block.mask[ee] & (af <= most)
        good &= pc.equal(block.filter, "PASS").to_numpy(zero_copy_only=False)
        for i in np.flatnonzero(good):
            out.append((int(pos[i]), block.ref[int(i)].as_py(), block.alt[int(i)].as_py()))
    assert out
    return out


@pytest.fixture(scope="module")
def question(several_groups):
    """A region within the second row group, and a frequency."""
    path, blocks = several_groups
    statistics = pq.read_metadata(path).row_group(1).column(1).statistics
    start = (statistics.min + statistics.max) // 2
    return path, start, start + 5000, wanted_rows(blocks, start, start + 5000, 0.01)


def test_statistics_of_row_groups(several_groups):
    path, blocks = several_groups
    about = pq.read_metadata(path)
    pos = np.concatenate([block.pos.to_numpy() for block in blocks])
    first = 0
    for i in range(about.num_row_groups):
        group = about.row_group(i)
        here = pos[first : first + group.num_rows]
        first += group.num_rows
        for at in range(group.num_columns):
            column = group.column(at)
            assert column.compression == "ZSTD"
            statistics = column.statistics
            assert statistics.null_count is not None
            assert statistics.has_min_max or statistics.null_count == group.num_rows
        assert (group.column(1).statistics.min, group.column(1).statistics.max) == (here[0], here[-1])
        assert [c.column_index for c in group.sorting_columns] == [1, 2, 3]


def test_pyarrow_reads_one_row_group_for_a_region(question):
    path, start, end, wanted = question
    region = (ds.field("pos") >= start) & (ds.field("pos") <= end)
    (fragment,) = ds.dataset(path).get_fragments(region)
    assert [group.id for group in fragment.subset(region).row_groups] == [1]
    rare = region & (ds.field("af_EE") <= 0.01) & (ds.field("filter") == "PASS")
    found = ds.dataset(path).to_table(columns=["pos", "ref", "alt"], filter=rare)
    assert [tuple(row.values()) for row in found.to_pylist()] == wanted


def test_pandas_filters(question):
    path, start, end, wanted = question
    rules = [("pos", ">=", start), ("pos", "<=", end), ("af_EE", "<=", 0.01), ("filter", "==", "PASS")]
    found = pd.read_parquet(path, columns=["pos", "ref", "alt"], filters=rules)
    assert list(found.itertuples(index=False, name=None)) == wanted


def test_polars_filters(question):
    pl = pytest.importorskip("polars")
    path, start, end, wanted = question
    rows = pl.scan_parquet(path).filter(
        pl.col("pos").is_between(start, end), pl.col("af_EE") <= 0.01, pl.col("filter") == "PASS"
    )
    assert rows.select("pos", "ref", "alt").collect().rows() == wanted
    assert dict(pl.scan_parquet(path).collect_schema())["an_EE"] == pl.Int32


def test_duckdb_filters(question):
    duckdb = pytest.importorskip("duckdb")
    path, start, end, wanted = question
    found = duckdb.sql(
        f"select pos, ref, alt from '{path}' where pos between {start} and {end} and af_EE <= 0.01 "
        "and filter = 'PASS' order by all"
    ).fetchall()
    assert found == sorted(wanted)
    assert duckdb.sql(f"select typeof(an_EE) from '{path}' limit 1").fetchall() == [("INTEGER",)]


# Faults.


def test_blocks_of_something_else_are_refused(fields, folder):
    block = random_block("chr1", TEXT)
    wanted = wide_table.schema(fields, ABOUT, dict.fromkeys(block.strata, 10), "chr1")
    with wide_table.Writer(folder / "refused.parquet", wanted) as writer:
        with pytest.raises(ValueError, match="chr2"):
            writer.write(replace(block, contig="chr2"))
        with pytest.raises(ValueError, match="LV_M"):
            writer.write(replace(block, strata=block.strata[:-1]))


@pytest.fixture
def good(fields, tmp_path):
    block = random_block("chr1", TEXT)
    return pq.read_table(write(tmp_path / "good.parquet", fields, block)), tmp_path / "bad.parquet"


def fault(table, path):
    pq.write_table(table, path)
    with pytest.raises(GoeError) as error:
        list(wide_table.read(path))
    assert str(path) in str(error.value)
    return str(error.value)


def changed(table, name, change):
    """The table with other values in a column; change(list of values)."""
    at = table.column_names.index(name)
    values = table[name].to_pylist()
    change(values)
    return table.set_column(at, table.schema.field(name), pa.array(values, table.schema.field(name).type))


def first(table, name, null):
    """First row at which a column is null, or is not."""
    return next(i for i, value in enumerate(table[name].to_pylist()) if (value is None) == null)


def allele(table, row):
    one = table.slice(row, 1).to_pylist()[0]
    return ":".join(str(one[name]) for name in ("contig", "pos", "ref", "alt"))


@pytest.mark.parametrize("name", ["ac", "ac_hom", "ac_het", "ac_hemi", "nhomalt"])
@pytest.mark.parametrize("null", [True, False])
def test_half_a_cell_is_a_fault(name, null, good):
    table, path = good
    row = first(table, f"{name}_EE_M", null)
    bad = changed(table, f"{name}_EE_M", lambda values: values.__setitem__(row, 4 if null else None))
    assert f"{allele(table, row)}: {name}_EE_M is withheld where" in fault(bad, path)


def test_an_that_is_missing_is_a_fault(good):
    table, path = good
    row = first(table, "an_EE_M", False)
    text = fault(changed(table, "an_EE_M", lambda values: values.__setitem__(row, None)), path)
    assert f"{allele(table, row)}: ac_EE_M is withheld where" in text


@pytest.mark.parametrize("value", [0.123, None, float("nan")])
def test_wrong_af_is_a_fault(value, good):
    table, path = good
    row = next(i for i, n in enumerate(table["an_LV"].to_pylist()) if n)
    bad = changed(table, "af_LV", lambda values: values.__setitem__(row, value))
    assert f"{allele(table, row)}: af_LV is not AC / AN" in fault(bad, path)


@pytest.mark.parametrize("value", [0.5, float("nan")])
def test_af_of_a_withheld_cell_is_a_fault(value, good):
    table, path = good
    row = first(table, "an_LV", True)
    bad = changed(table, "af_LV", lambda values: values.__setitem__(row, value))
    assert f"{allele(table, row)}: af_LV is not AC / AN" in fault(bad, path)


def test_another_contig_is_a_fault(good):
    table, path = good
    assert "has alleles of chr2, expected chr1" in fault(
        changed(table, "contig", lambda values: values.__setitem__(3, "chr2")), path
    )


def test_many_faults_are_cut(good):
    table, path = good
    text = fault(changed(table, "af", lambda values: values.__setitem__(slice(None), [2.0] * len(values))), path)
    assert text.count("af is not AC / AN") == 10


def test_wrong_columns_are_all_named(good):
    table, path = good
    bad = table.drop_columns(["nhomalt_EE"]).append_column("secret", table["pos"])
    at = bad.column_names.index("an_LV")
    bad = bad.set_column(at, "an_LV", bad["an_LV"].cast(pa.int64()))
    at = bad.column_names.index("ref")
    bad = bad.set_column(at, pa.field("ref", pa.string()), bad["ref"])
    text = fault(bad, path)
    assert "column secret is not expected" in text
    assert "column nhomalt_EE is missing" in text
    assert "column an_LV is int64, expected int32" in text
    assert "column ref is string, expected string without null" in text


def test_order_of_columns_is_a_fault(good):
    table, path = good
    names = table.column_names
    names[5], names[6] = names[6], names[5]
    bad = table.select(names)
    assert "their order is another" in fault(bad, path)


@pytest.mark.parametrize(
    "about", [None, "{", "[]", '"x"', "{}", '{"strata": [{}], "contig": "chr1"}', '{"strata": [], "contig": 1}']
)
def test_metadata_that_say_nothing_are_a_fault(about, good):
    table, path = good
    bad = table.replace_schema_metadata(about and {"goe": about})
    assert "its metadata do not say" in fault(bad, path)


@pytest.mark.parametrize("keep", [0, 10, 5000])
def test_a_broken_file_is_a_fault(keep, good, tmp_path):
    path = tmp_path / "cut.parquet"
    path.write_bytes((tmp_path / "good.parquet").read_bytes()[:keep])
    with pytest.raises(GoeError, match=r"cut\.parquet: cannot be read"):
        list(wide_table.read(path))
