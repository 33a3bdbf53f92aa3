"""Parquet files between the stages: every page has a checksum, and every reader asks it.

A flipped bit in a page mostly gives other numbers, and no error. What a job reads in parts is held against its seal
(goe.core.seal) while it is read.

Every file is opened with `pre_buffer=False`: else Arrow holds all that it has read of a file until it is closed, and
who goes along a table needs memory for the whole of it.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from goe.core import seal
from goe.core.errors import GoeError, Problem, of_machine

_LEVEL = 3  # of zstd in released tables


def bits(values: np.ndarray) -> pa.Buffer:
    """bool (n,) as Arrow has it."""
    return pa.py_buffer(np.packbits(values, bitorder="little"))


def column(values: np.ndarray, valid: np.ndarray | None = None) -> pa.Array:
    """A NumPy array (n,) of numbers or bool as Arrow has it. valid: bool (n,), where there is a value; None for all.

    `pa.array` does the same, but imports pandas for it: 0.3 s and 40 MB of every job.
    """
    kind, data = pa.from_numpy_dtype(values.dtype), np.ascontiguousarray(values)
    buffer = bits(data) if data.dtype == np.bool_ else pa.py_buffer(data)
    return pa.Array.from_buffers(kind, len(data), [None if valid is None else bits(valid), buffer])


def writer(path: str | Path, schema: pa.Schema, rising: Collection[str] = ()) -> pq.ParquetWriter:
    """rising: integer columns that mostly go up a little from row to row, which are kept as these differences.

    Statistics of columns, which none of our readers asks, and words for fractions, which hardly pack, took a third of
    the time.
    """
    words = {field.name for field in schema if not pa.types.is_floating(field.type)}.difference(rising)
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        write_page_checksum=True,
        write_statistics=False,
        use_dictionary=[name for name in schema.names if name in words],
        column_encoding={name: "DELTA_BINARY_PACKED" for name in rising},
    )


def released(path: str | Path | IO[bytes], schema: pa.Schema, about: str, **layout: Any) -> pq.ParquetWriter:
    """Writer of a table for others. path: or what takes its bytes. about: its metadata `goe`, JSON; layout: further
    options of ParquetWriter.

    A table of alleles is sorted by pos, ref, alt. Arrow's own schema is not stored, which would turn text that goes in
    as codes into codes for its readers, and Parquet says the rest of it. A page index lets readers that know it (Trino,
    DataFusion, ClickHouse, parquet-java) read the pages of one position alone.
    """
    if "pos" in schema.names:
        layout["sorting_columns"] = [pq.SortingColumn(schema.names.index(name)) for name in ("pos", "ref", "alt")]
    file = pq.ParquetWriter(
        str(path) if isinstance(path, str | Path) else path,
        schema,
        compression="zstd",
        store_schema=False,
        write_page_index=True,
        **{"compression_level": _LEVEL, **layout},
    )
    file.add_key_value_metadata({"goe": about})
    return file


def write(table: pa.Table, path: str | Path) -> None:
    with writer(path, table.schema) as file:
        file.write_table(table)


@contextmanager
def opened(path: str | Path) -> Iterator[pq.ParquetFile]:
    """The open file; GoeError that names it where it, or a page that the body reads, is damaged."""
    try:
        with pq.ParquetFile(seal.source(path), page_checksum_verification=True, pre_buffer=False) as file:
            yield file
    except (pa.ArrowInvalid, OSError) as error:
        if lacking := of_machine(error, str(path)):
            raise GoeError(lacking) from error
        words = " ".join(str(error).split())[:300]
        raise GoeError(Problem(str(path), f"is damaged: {words}", "delete it and start again")) from error


def read(path: str | Path, columns: Sequence[str] | None = None) -> pa.Table:
    """The whole table, or some of its columns."""
    with opened(path) as file:
        return file.read(columns=None if columns is None else list(columns))
