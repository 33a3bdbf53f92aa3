"""Parquet files between the stages: damage is seen by their reader, whatever part of a page it hits."""

import random
import subprocess
import sys
from pathlib import Path

import goe
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from goe.core.errors import GoeError
from goe.hts import parquet
from helpers.stages import ENVIRONMENT

TABLE = pa.table({"ac": np.arange(20_000) % 97, "ref": ["A", "C"] * 10_000, "af": np.linspace(0, 1, 20_000)})


def test_what_is_written_is_read(tmp_path):
    parquet.write(TABLE, tmp_path / "a.parquet")
    assert parquet.read(tmp_path / "a.parquet").equals(TABLE)
    assert parquet.read(tmp_path / "a.parquet", ["ac"]).column_names == ["ac"]
    with parquet.opened(tmp_path / "a.parquet") as file:
        assert file.read_row_group(0).num_rows == 20_000


def test_what_was_read_of_a_file_is_let_go(tmp_path):
    path, rng = tmp_path / "a.parquet", np.random.default_rng(1)
    with parquet.writer(path, pa.schema([("ac", pa.int64())])) as file:
        for _ in range(20):
            file.write_table(pa.table({"ac": rng.integers(0, 1 << 62, 1 << 16)}))
    assert path.stat().st_size > 9 << 20
    before, held = pa.total_allocated_bytes(), 0
    with parquet.opened(path) as file:
        for _ in file.iter_batches(1 << 16):
            held = max(held, pa.total_allocated_bytes() - before)
    assert held < 4 << 20


def test_every_reader_lets_go_of_what_it_has_read():
    calls = {path: path.read_text().split("pq.ParquetFile(")[1:] for path in Path(goe.__file__).parent.rglob("*.py")}
    assert sum(map(len, calls.values())) > 10
    assert [path.name for path, texts in calls.items() for text in texts if "pre_buffer=False" not in text[:200]] == []


def test_no_flipped_bit_gives_other_values(tmp_path):
    path, chance = tmp_path / "a.parquet", random.Random(2)
    parquet.write(TABLE, path)
    whole = path.read_bytes()
    stopped = 0
    for _ in range(300):
        data = bytearray(whole)
        data[chance.randrange(4, len(data) - 8)] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        try:
            values = parquet.read(path)
        except GoeError as error:
            assert "a.parquet" in str(error)
            stopped += 1
        else:  # statistics, or words of the footer that decide no value
            assert values.equals(TABLE)
    assert stopped > 250


@pytest.mark.parametrize("part", [0, 100, 20_000])
def test_a_file_that_is_cut_off(tmp_path, part):
    parquet.write(TABLE, tmp_path / "a.parquet")
    (tmp_path / "a.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:part])
    with pytest.raises(GoeError, match=r"a\.parquet is damaged|a\.parquet"):
        parquet.read(tmp_path / "a.parquet")


@pytest.mark.parametrize("kind", ["int8", "int32", "int64", "float32", "float64", "bool"])
@pytest.mark.parametrize("n", [0, 1, 8, 13])
def test_columns_are_those_of_arrow(kind, n):
    values = (np.arange(2 * n) % 3).astype(kind)[::2]
    valid = np.arange(n) % 4 != 1
    assert parquet.column(values).equals(pa.array(values))
    assert parquet.column(values, valid).equals(pa.array(values, mask=~valid))


def test_columns_do_not_load_pandas():
    code = (
        "import sys, numpy; from goe.hts import parquet; parquet.column(numpy.ones(3)); print('pandas' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    assert run.stdout == "False\n"


def test_columns_that_rise_are_kept_as_differences(tmp_path):
    rising = pa.table({"pos": np.cumsum(np.arange(20_000) % 90).astype(np.int32), "ref": TABLE["ref"]})
    sizes = []
    for columns in ((), ("pos",)):
        with parquet.writer(tmp_path / "a.parquet", rising.schema, columns) as file:
            file.write_table(rising)
        assert parquet.read(tmp_path / "a.parquet").equals(rising)
        sizes.append((tmp_path / "a.parquet").stat().st_size)
    assert sizes[1] < sizes[0] / 4


def test_released_tables_have_a_page_index(tmp_path):
    schema = pa.schema([("pos", pa.int32()), ("ref", pa.string()), ("alt", pa.string())])
    with parquet.released(tmp_path / "x.parquet", schema, "{}") as file:
        file.write_table(pa.table([[1], ["A"], ["C"]], schema=schema))
    column = pq.ParquetFile(tmp_path / "x.parquet").metadata.row_group(0).column(0)
    assert column.has_offset_index and column.has_column_index
