"""Files of a release read back: what cannot be read is a problem of the file, by its name, and so is what is larger
than its bound (goe.release.bounds)."""

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from isal import igzip, igzip_lib

from goe.core.errors import GoeError, Problem
from goe.hts.vcf_header import VcfHeader, lines_of, parse
from goe.release import bounds

UNREADABLE: tuple[type[Exception], ...] = (
    *(pa.ArrowException, EOFError, OSError, UnicodeDecodeError),
    # Its stubs have it as an object.
    *(zlib.error, cast(type[Exception], igzip_lib.IsalError)),
)
"""What readers of the formats raise at a file that is none."""
_AGAIN = "get the file again"
_BUFFER = 1 << 15
_FEW_ROWS = 1 << 14


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """GoeError that names the file when it turns out not to be what it should be."""
    try:
        yield
    except UNREADABLE as error:
        words = " ".join(str(error).split())[:300] or type(error).__name__
        raise GoeError(Problem(str(path), f"cannot be read: {words}", _AGAIN)) from error


def mapped(path: Path) -> pa.Buffer:
    """The bytes of a file, which are read where they are looked at."""
    if not path.stat().st_size:
        return pa.py_buffer(b"")
    with pa.memory_map(str(path)) as file:
        return file.read_buffer()


def vcf_header(path: str | Path) -> VcfHeader:
    """Header of a compressed VCF, up to and with #CHROM. GoeError when there is none."""
    return parse(_head(path)[0], str(path))


def _head(path: str | Path) -> tuple[list[str], bool]:
    """Header lines, and whether a record follows."""
    with reading(path), gzip.open(path, "rb") as handle:
        lines, bcf = lines_of(handle, "strict", bounds.HEADER_BYTES)
        following = handle.read(1)
    if len(lines) > bounds.HEADER_LINES:
        what = f"has {len(lines):,} header lines: a release has at most {bounds.HEADER_LINES:,}"
        raise GoeError(Problem(str(path), what, _AGAIN))
    if bcf or not lines or not lines[-1].startswith("#CHROM\t") or following == b"#":
        raise GoeError(Problem(str(path), "no line of column names (#CHROM)", _AGAIN))
    return lines, bool(following)


def parsed(text: str, where: str) -> Any:
    """The content of a JSON text. GoeError when it is none, or has more values than `bounds.VALUES`, or more in each
    other than `bounds.NESTED`: an empty list is two bytes there and eighty in memory, and who goes down into lists
    goes as deep as they are."""
    if sum(map(text.count, "[{,")) > bounds.VALUES:
        raise GoeError(Problem(where, f"has more than {bounds.VALUES:,} values", _AGAIN))
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise GoeError(Problem(where, f"is no JSON: {error}", _AGAIN)) from None
    inner, depth = [content], 0
    while inner := [one for some in inner for one in _within(some)]:
        depth += 1
        if depth > bounds.NESTED:
            raise GoeError(Problem(where, f"has more than {bounds.NESTED} lists and objects in each other", _AGAIN))
    return content


def _within(value: Any) -> list[Any]:
    """Lists and objects of a JSON value."""
    held = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [one for one in held if isinstance(one, dict | list)]


def lines(path: str | Path) -> Iterator[bytes]:
    """Lines of a compressed text with their ends. GoeError at one that is longer than `bounds.LINE`."""
    with reading(path), igzip.open(path, "rb") as handle:
        row = 0
        while line := handle.readline(bounds.LINE + 1):
            row += 1
            if len(line) > bounds.LINE:
                raise GoeError(Problem(f"{path} line {row}", f"has more than {bounds.LINE:,} bytes", _AGAIN))
            yield line


def streamed(source: str | Path, text: Sequence[str] = ()) -> pq.ParquetFile:
    """A Parquet file to go along beside many others: its pages are read one by one, and no row group's column at once.
    text: columns that come as codes."""
    return pq.ParquetFile(source, read_dictionary=list(text), pre_buffer=False, buffer_size=_BUFFER)


def many(rows: int) -> bool:
    """Whether a Parquet file has so many rows that its columns are sooner read by threads, which take time to come."""
    return rows > _FEW_ROWS


def batches(
    source: str | Path | pa.BufferReader,
    where: str,
    text: Sequence[str],
    rows: int,
    columns: Sequence[str] | None,
    groups: Sequence[int] | None = None,
) -> Iterator[pa.Table]:
    """Rows of a Parquet file, so many at a time, as tables whose columns `text` are plain text. columns: None for all;
    groups: row groups, None for all.

    Text is read as codes of the distinct values, and GoeError is raised where writing them out would take more than
    `bounds.TEXT`: a file of a few bytes can hold one long value a million times.
    """
    with reading(where), pq.ParquetFile(source, read_dictionary=list(text), pre_buffer=False) as file:
        chosen = None if groups is None else list(groups)
        wanted = None if columns is None else list(columns)
        for batch in file.iter_batches(rows, chosen, wanted, use_threads=many(file.metadata.num_rows)):
            yield decoded(pa.table(batch), where)


def decoded(table: pa.Table, where: str) -> pa.Table:
    """A table with plain text in the place of codes; GoeError as in `batches`."""
    for i, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            check_text(table[field.name], field.name, where)
            table = table.set_column(i, field.with_type(field.type.value_type), table[field.name].cast(pa.string()))
    return table


def check_text(column: pa.ChunkedArray, name: str, where: str) -> None:
    """GoeError when coded text would take more than `bounds.TEXT`."""
    # As if each row had all words: what is too much then is counted.
    if sum(len(chunk) * chunk.dictionary.nbytes for chunk in column.chunks) <= bounds.TEXT:
        return
    size = 0
    for chunk in column.chunks:
        lengths = pc.fill_null(pc.binary_length(chunk.dictionary), 0).to_numpy(zero_copy_only=False)
        codes = chunk.indices.drop_null().to_numpy(zero_copy_only=False)
        size += int(lengths[codes].sum(dtype=np.int64)) if len(codes) else 0
    if size > bounds.TEXT:
        what = f"{len(column):,} rows have {size:,} bytes of text in {name}: at most {bounds.TEXT:,} are read"
        raise GoeError(Problem(where, what, _AGAIN))
