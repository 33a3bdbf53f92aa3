"""Whether a Parquet file is one that can be read: its footer and the headers of its pages, before Arrow sees it.

Arrow takes from a footer how many columns there are, and from the header of a page how much it unpacks to, and makes
room for it. Both are a few bytes that say what they like, so they are held against `goe.release.bounds` here. Format:
parquet.thrift of apache/parquet-format, Thrift's compact protocol; flat columns only, as a release has them.
"""

import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from goe.core.errors import GoeError, Problem
from goe.release import bounds, reading

MADE_BY = re.compile(r"parquet-cpp-arrow version [0-9.]+")
"""What a file of a release says that it was made by."""
_MAGIC = b"PAR1"
_AGAIN = "get the file again"
# Types of the compact protocol, and how deep structs may stand in structs.
_BOOLS, _BYTE, _INTEGERS, _DOUBLE, _BINARY, _LISTS, _MAP, _STRUCT = (1, 2), 3, (4, 5, 6), 7, 8, (9, 10), 11, 12
_DEEPEST = 12
# Encodings of a release, of their numbers: plain, dictionaries, runs, differences of whole numbers. One that shares the
# beginnings of texts unpacks to any size.
_ENCODINGS = frozenset({0, 2, 3, 5, 8})
# Where the header of a page of a kind has its encoding.
_ENCODING = {5: 2, 7: 2, 8: 4}
# Lists of FileMetaData by their field ids: schema, row groups, metadata, column orders; columns of a row group.
_SCHEMA, _GROUPS, _ORDERS, _COLUMNS = (2,), (4,), (7,), (4, 1)
_OTHER_LISTS = 64
_ROWS = 1 << 14
_HEADER = 1 << 12
"""Bytes in which the header of a page is looked for; one with long statistics may have 16 times as many."""


class _Compact:
    """A reader of one struct. limits: path of field ids of a list -> its longest; `seen` has what was met."""

    def __init__(self, data: bytes, limits: dict[tuple[int, ...], int]):
        self.data, self.limits = data, limits
        self.integers: dict[tuple[int, ...], int] = {}
        self.seen: dict[tuple[int, ...], int] = {}

    def struct(self, at: int = 0, path: tuple[int, ...] = ()) -> int:
        """Goes over a struct that begins at a byte, and gives where it ends; integers that are in no list are kept by
        their path. ValueError when it is none, IndexError when it is cut off."""
        if len(path) > _DEEPEST:
            raise ValueError("structs stand too deep in each other")
        data, field = self.data, 0
        while head := data[at]:
            at += 1
            if head >> 4:
                field += head >> 4
            else:
                number, at = _varint(data, at)
                field = _signed(number)
            at = self._value(at, head & 0x0F, (*path, field))
        return at + 1

    def _value(self, at: int, kind: int, path: tuple[int, ...], inside: bool = False) -> int:
        """Goes over a value likewise. inside: whether it is one of a list."""
        data = self.data
        if kind in _INTEGERS:
            number, at = _varint(data, at)
            self.integers[path] = _signed(number)
        elif kind == _BINARY:
            size, at = _varint(data, at)
            at = self._behind(at + size)
        elif kind == _STRUCT:
            at = self.struct(at, path)
        elif kind in _LISTS:
            head = data[at]
            size, at = (head >> 4, at + 1) if head >> 4 < 15 else _varint(data, at + 1)
            self.seen[path] = self.seen.get(path, 0) + size
            if size > self.limits.get(path, _OTHER_LISTS):
                raise ValueError(f"a list of {size:,}")
            for _ in range(size):
                at = self._value(at, head & 0x0F, path, inside=True)
        elif kind in _BOOLS:
            at += inside
        elif kind == _BYTE:
            _, at = data[at], at + 1
        elif kind == _DOUBLE:
            at = self._behind(at + 8)
        else:
            # Maps are in no struct of the format.
            raise ValueError("no type of the format")
        return at

    def _behind(self, end: int) -> int:
        """Where a value ends, which is inside of the data."""
        if end > len(self.data):
            raise IndexError
        return end


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number that begins at a byte, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number without end")


def _signed(number: int) -> int:
    return (number >> 1) ^ -(number & 1)


def _why(error: Exception) -> str:
    """What is wrong with bytes: of those that end too soon Python tells an index."""
    return "cut off" if isinstance(error, IndexError) else str(error)


def footer(handle: IO[bytes], where: str, columns: int) -> pq.FileMetaData:
    """What a file says of itself, read after its footer was gone over. columns: at most.

    GoeError when it is no Parquet file, or larger in a way that no file of a release is.
    """
    size = handle.seek(0, 2)
    handle.seek(max(0, size - 8))
    tail = handle.read(8)
    length = int.from_bytes(tail[:4], "little")
    if size < 12 or tail[4:] != _MAGIC or length > size - 12:
        raise _no_parquet(where, "it does not end as one")
    if length > bounds.FOOTER:
        raise _no_parquet(where, f"its footer has {length:,} bytes")
    handle.seek(size - 8 - length)
    limits = {_SCHEMA: columns + 1, _GROUPS: bounds.CHUNKS, _ORDERS: columns, _COLUMNS: columns}
    about = _Compact(handle.read(length), limits)
    try:
        about.struct()
    except (ValueError, IndexError) as error:
        raise _no_parquet(where, f"its footer cannot be read: {_why(error)}") from None
    if about.seen.get(_COLUMNS, 0) > bounds.CHUNKS:
        raise _no_parquet(where, f"it has {about.seen[_COLUMNS]:,} column chunks")
    handle.seek(0)
    with reading.reading(where):
        found = pq.read_metadata(handle)
    goe = (found.metadata or {}).get(b"goe", b"")
    if len(goe) > bounds.METADATA:
        raise _no_parquet(where, f"its metadata goe have {len(goe):,} bytes")
    return found


def check(
    source: str | Path | pa.Buffer, where: str, columns: int, rows: int, groups: Iterable[int] | None = None
) -> pq.FileMetaData:
    """`footer`, and every page of every column: none unpacks to more than a row group has, and they have as many
    values as the file says that it has rows. columns, rows: at most. groups: row groups whose pages are looked at,
    None for all. GoeError likewise."""
    with reading.reading(where), _opened(source) as handle:
        about = footer(handle, where, columns)
        if about.num_rows > rows:
            raise _no_parquet(where, f"it has {about.num_rows:,} rows, and at most {rows:,} belong to the release")
        for column in range(about.num_columns):
            if about.schema.column(column).physical_type == "FIXED_LEN_BYTE_ARRAY":
                raise _no_parquet(where, "a column has texts of one length, which no release has")
        for group in range(about.num_row_groups) if groups is None else groups:
            row_group = about.row_group(group)
            packed = unpacked = 0
            for column in range(row_group.num_columns):
                try:
                    for more_packed, more in _pages(handle, row_group.column(column), row_group.num_rows):
                        packed, unpacked = packed + more_packed, unpacked + more
                        if max(packed, unpacked) > bounds.GROUP:
                            raise ValueError(f"its pages unpack to more than {bounds.GROUP:,} bytes")
                except (ValueError, IndexError, struct.error) as error:
                    what = f"row group {group}, column {column}: {_why(error)}"
                    raise _no_parquet(where, what) from None
    return about


def table(path: Path, kinds: Mapping[str, pa.DataType], rows: int) -> None:
    """`check` of a file with the columns `kinds` (name -> type), whose texts can be held as such: who reads it need not
    take them as codes. rows: at most. GoeError where it has others."""
    where = str(path)
    found = check(path, where, len(kinds) + 100, rows)
    with reading.reading(path):
        schema = found.schema.to_arrow_schema()
    if [(field.name, field.type) for field in schema] != list(kinds.items()):
        raise GoeError(Problem(where, "has not the columns that it should have", _AGAIN))
    text = [name for name, kind in kinds.items() if kind == pa.string()]
    for _ in reading.batches(path, where, text, _ROWS, text):
        pass


def _opened(source: str | Path | pa.Buffer) -> IO[bytes]:
    return pa.BufferReader(source) if isinstance(source, pa.Buffer) else Path(source).open("rb")


def _pages(handle: IO[bytes], column: pq.ColumnChunkMetaData, rows: int) -> Iterator[tuple[int, int]]:
    """Bytes of each page, packed and not. ValueError when they are not those of one flat column of so many rows."""
    if not rows and not column.num_values:
        # Nothing of it is read, whatever stands there.
        return
    at = column.data_page_offset
    if column.has_dictionary_page and column.dictionary_page_offset:
        at = min(at, column.dictionary_page_offset)
    end = at + column.total_compressed_size
    values = 0
    while at < end:
        head, length = _page_header(handle, at)
        # Fields of PageHeader: 1 type, 2 size unpacked, 3 size packed; 5, 7, 8 headers by type, 1 their values.
        unpacked, packed = head.get((2,), -1), head.get((3,), -1)
        kind = {0: 5, 2: 7, 3: 8}.get(head.get((1,), -1))
        if kind is None or (kind, 1) not in head:
            raise ValueError("a page of no kind that a release has")
        if head.get((kind, _ENCODING[kind])) not in _ENCODINGS:
            raise ValueError("a page of an encoding that no release has")
        if packed < 0 or unpacked < 0 or at + length + packed > end:
            raise ValueError("a page reaches beyond its column")
        if kind != 7:
            values += head[kind, 1]
        elif head[kind, 1] < 0 or head[kind, 1] > bounds.GROUP:
            raise ValueError("a dictionary of no size")
        at += length + packed
        yield length + packed, unpacked
    if values != rows or column.num_values != rows:
        raise ValueError(f"its pages have {values:,} values, the row group has {rows:,} rows")


def _page_header(handle: IO[bytes], at: int) -> tuple[dict[tuple[int, ...], int], int]:
    """Integers of the header of a page by their field ids, and its bytes."""
    if at < len(_MAGIC):
        raise ValueError("a page before the file's begin")
    for size in (_HEADER, 16 * _HEADER):
        handle.seek(at)
        data = handle.read(size)
        about = _Compact(data, {})
        try:
            return about.integers, about.struct()
        except IndexError:
            if len(data) < size:
                raise
    raise ValueError("a header of a page without end")


def _no_parquet(where: str, what: str) -> GoeError:
    return GoeError(Problem(where, f"cannot be read as Parquet: {what}", _AGAIN))
