"""Parquet files between the stages: every page has a checksum, and every reader asks it.

A flipped bit in a page mostly gives other numbers, and no error. What a job reads in parts is held against its seal
(goe.core.seal) while it is read.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from goe.core import seal
from goe.core.errors import GoeError, Problem


def writer(path: str | Path, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(path, schema, compression="zstd", write_page_checksum=True)


def write(table: pa.Table, path: str | Path) -> None:
    with writer(path, table.schema) as file:
        file.write_table(table)


@contextmanager
def opened(path: str | Path) -> Iterator[pq.ParquetFile]:
    """The open file; GoeError that names it where it, or a page that the body reads, is damaged."""
    try:
        with pq.ParquetFile(seal.source(path), page_checksum_verification=True) as file:
            yield file
    except (pa.ArrowInvalid, OSError) as error:
        words = " ".join(str(error).split())[:300]
        raise GoeError(Problem(str(path), f"is damaged: {words}", "delete it and start again")) from error


def read(path: str | Path, columns: Sequence[str] | None = None) -> pa.Table:
    """The whole table, or some of its columns."""
    with opened(path) as file:
        return file.read(columns=None if columns is None else list(columns))
