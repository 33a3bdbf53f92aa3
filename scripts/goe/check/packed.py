"""Tables of a release written again from their own rows, and compared byte for byte.

What values there are other checks ask. How they are packed nothing else tells: a reader that trusts the statistics of
columns or the index of pages (DuckDB, Trino, `goe lookup`) skips the rows that these leave out.
"""

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from goe.core.errors import Problem
from goe.release import reading

ARROW = f"parquet-cpp-arrow version {pa.cpp_version}"
"""What a file says that was written with the Arrow that is here: another one packs otherwise."""
_TEXT = (pa.string(), pa.dictionary(pa.int32(), pa.string()))
"""Types of the text that a writer takes."""
_AGAIN = "the file was changed, or is not of this release: get it again"


class Writer(Protocol):
    """Writes a table of a release, a row group at a time."""

    file: pq.ParquetWriter

    def group(self, table: pa.Table) -> None: ...


class _Digest(io.RawIOBase):
    """Takes bytes, and keeps their SHA-256 alone."""

    def __init__(self) -> None:
        self.sha256, self.size = hashlib.sha256(), 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.sha256.update(data)
        self.size += len(data)
        return len(data)

    def tell(self) -> int:
        return self.size


def check(
    path: Path, writer: Callable[[IO[bytes]], Writer], sha256: str, coded: Mapping[str, Sequence[str]] | None = None
) -> list[Problem]:
    """Whether a file has the bytes that the writer of a release gives for its rows, in row groups as it has them.

    writer: opens one that writes into a stream. sha256: of the file. coded: where it takes text as codes, columns whose
    codes are of certain words, all of them; others are numbered as they appear. The columns of the file are those of
    the release, and its pages were looked at (`goe.check.pages`).
    """
    sink = _Digest()
    again = writer(sink)  # type: ignore[arg-type]
    text = [field.name for field in again.file.schema if field.type in _TEXT]
    with reading.reading(path), pq.ParquetFile(path, read_dictionary=text, pre_buffer=False) as file:
        for group in range(file.num_row_groups):
            threads = reading.many(file.metadata.row_group(group).num_rows)
            table = file.read_row_group(group, use_threads=threads).combine_chunks()
            again.group(reading.decoded(table, str(path)) if coded is None else _numbered(table, coded))
    again.file.close()
    if sink.sha256.hexdigest() == sha256:
        return []
    what = "its pages, statistics or indexes are not those that goe writes for its rows"
    return [Problem(str(path), what, _AGAIN)]


def _numbered(table: pa.Table, coded: Mapping[str, Sequence[str]]) -> pa.Table:
    """A table with its codes of text as a writer numbers them."""
    for i, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            column = table.column(i).combine_chunks()
            column = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
            codes, words = column.indices.to_numpy(), column.dictionary
            appear = words.take(pa.array(codes[np.sort(np.unique(codes, return_index=True)[1])])).unique()
            wanted = pa.array(coded[field.name], pa.string()) if field.name in coded else appear
            numbers = pc.index_in(words, value_set=wanted).fill_null(0).to_numpy()
            renumbered = pa.DictionaryArray.from_arrays(pa.array(numbers[codes].astype(np.int32)), wanted)
            table = table.set_column(i, field, renumbered)
    return table
