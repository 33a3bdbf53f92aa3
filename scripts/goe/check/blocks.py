"""A release read back as the blocks it was written from, from its frequency tables alone.

Numbers, FILTER and which cells are public come from the long table, statistics of the site from the wide one; a
number that is withheld is 0 and its cell is not shown. This is what the other formats are compared with, and what the
disclosure audit is given.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from goe.check.readback import COUNTS
from goe.core.errors import GoeError, Problem, short
from goe.frequencies import strata as st
from goe.frequencies.block import Block
from goe.release import bounds, reading
from goe.release.formats import wide_table
from goe.release.formats.allele_names import NAMES
from goe.release.table import BLOCK

_ALLELE = ("contig", "pos", "ref", "alt")
_TEXT = ("contig", "ref", "alt", "filter", "stratum")
_AGAIN = "the file was changed, or is no frequency table of goe: get it again"
_FEW = 8


def whole_alleles(path: str | Path, strata: int, rows: int = 1 << 18) -> Iterator[pa.Table]:
    """Rows of a long table with text as codes, in pieces that end with the last row of an allele.

    strata: of the release; rows: of a piece, about, which also has at most as many alleles as make `bounds.CELLS`. An
    allele begins where its position or bases differ from the row before; GoeError when one has more rows than there
    are strata, or more text stands in a piece than `bounds.TEXT`.
    """
    most = max(1, bounds.CELLS // max(1, strata))
    columns = [*_ALLELE, "filter", "stratum", "af", *COUNTS]
    rest: pa.Table | None = None
    with reading.reading(path), pq.ParquetFile(path, read_dictionary=list(_TEXT), pre_buffer=False) as file:
        for batch in file.iter_batches(rows, columns=columns, use_threads=reading.many(file.metadata.num_rows)):
            table = pa.table(batch)
            if rest is not None:
                table = pa.concat_tables([rest, table])
            table = table.unify_dictionaries().combine_chunks()
            first = starts(table)
            for name in ("ref", "alt", "filter"):
                reading.check_text(table[name].take(pa.array(first)), name, str(path))
            start = int(first[-1]) if table.num_rows else 0
            rest = table.slice(start)
            # A few too many are told by `block`, which names them.
            if rest.num_rows > _FEW * strata:
                what = f"{allele(rest, 0)} has more rows than the release has strata"
                raise GoeError(Problem(str(path), what, _AGAIN))
            for begin in range(0, len(first) - 1, most):
                end = int(first[min(begin + most, len(first) - 1)])
                yield table.slice(int(first[begin]), end - int(first[begin]))
    if rest is not None and rest.num_rows:
        yield rest


def starts(table: pa.Table) -> np.ndarray:
    """Index of the first row of each allele of a piece, int64 (alleles,)."""
    change = np.zeros(table.num_rows, dtype=bool)
    change[:1] = True
    for name in ("pos", "ref", "alt"):
        values = codes(table, name) if name != "pos" else table["pos"].to_numpy()
        change[1:] |= values[1:] != values[:-1]
    return np.flatnonzero(change)


def codes(table: pa.Table, name: str) -> np.ndarray:
    """Codes of a text column of a piece, int32 (rows,), -1 for null; equal codes are equal text."""
    return pc.fill_null(_chunk(table[name]).indices, -1).to_numpy()


def words(table: pa.Table, name: str) -> list[str]:
    """What the codes of a text column of a piece stand for."""
    return _chunk(table[name]).dictionary.to_pylist()


def _chunk(column: pa.ChunkedArray) -> pa.DictionaryArray:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def stratum_index(table: pa.Table, strata: Sequence[str]) -> np.ndarray:
    """Index in `strata` of the stratum of each row, int64 (rows,); -1 for one that is not among them."""
    index = {name: i for i, name in enumerate(strata)}
    known = np.array([index.get(word, -1) for word in words(table, "stratum")] + [-1], dtype=np.int64)
    return known[codes(table, "stratum")]


def allele(table: pa.Table, row: int) -> str:
    """contig:pos:ref:alt of a row."""
    one = table.slice(int(row), 1).select(_ALLELE).to_pylist()[0]
    return short(":".join(str(one[name]) for name in _ALLELE))


def block(table: pa.Table, first: np.ndarray, strata: Sequence[str], contig: str, where: str) -> Block:
    """A piece of whole alleles as a Block without statistics. first: `starts` of the piece.

    GoeError when a row has no place in it: a stratum of another release, a cell that is there twice, a number or name
    that is missing.
    """
    alleles, s = len(first), len(strata)

    def stop(row: int, what: str) -> None:
        raise GoeError(Problem(where, f"{allele(table, row)} {what}", _AGAIN))

    for name in (*_ALLELE, "filter", "stratum", *COUNTS):
        if table[name].null_count:
            stop(int(np.argmax(pc.is_null(_flat(table[name])).to_numpy(zero_copy_only=False))), f"has no {name}")
    stratum = stratum_index(table, strata)
    if (stratum < 0).any():
        row = int(np.argmax(stratum < 0))
        stop(row, f"has the stratum {_chunk(table['stratum'])[row].as_py()}, which is none of this release")
    number = np.repeat(np.arange(alleles), np.diff(first, append=table.num_rows))
    place = stratum * alleles + number
    mask = np.zeros(s * alleles, dtype=bool)
    mask[place] = True
    if mask.sum() != len(place):
        order = np.argsort(place, kind="stable")
        row = int(order[1:][np.diff(place[order]) == 0][0])
        stop(row, f"has the stratum {strata[stratum[row]]} twice")
    values = {}
    for name in COUNTS:
        flat = np.zeros(s * alleles, dtype=np.int32)
        flat[place] = table[name].to_numpy()
        values[name] = flat.reshape(s, alleles)
    heads = table.take(pa.array(first))
    return Block(
        contig=contig,
        pos=_flat(heads["pos"]),
        ref=_flat(heads["ref"]).dictionary_decode(),
        alt=_flat(heads["alt"]).dictionary_decode(),
        filter=_flat(heads["filter"]).dictionary_decode(),
        mask=mask.reshape(s, alleles),
        strata=tuple(strata),
        numbers=st.Numbers(**values),
        statistics={},
    )


def _flat(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)


def read(
    long: str | Path,
    wide: str | Path,
    strata: Sequence[str],
    contig: str,
    size: int = BLOCK,
) -> Iterator[Block]:
    """Blocks of one contig, without names. strata: published, in the order of the release. size: alleles of a block,
    about.

    GoeError when the long table cannot be read as one of these strata, or the wide one has not the same alleles.
    """
    statistics = _Beside(wide, tuple(wide_table.STATISTICS), ("ref", "alt"))
    for table in whole_alleles(long, len(strata), size * max(1, len(strata))):
        one = block(table, starts(table), strata, contig, str(long))
        found = {
            name: column.to_numpy(zero_copy_only=False).astype(np.float64)
            for name, column in statistics.of(one).items()
        }
        yield replace(one, statistics=found)
    statistics.finish()


def named(blocks: Iterable[Block], names: str | Path) -> Iterator[Block]:
    """All blocks of a contig with the names that its table of names has for them. GoeError when that has other
    alleles."""
    beside = _Beside(names, NAMES, ("ref", "alt", *NAMES))
    for one in blocks:
        yield replace(one, names=beside.of(one))
    beside.finish()


class _Beside:
    """Columns of a table with a row an allele, handed out in the order of the long one. text: those read as codes."""

    def __init__(self, path: str | Path, columns: Sequence[str], text: Sequence[str]):
        self.path, self.columns = path, columns
        self.pieces = reading.batches(str(path), str(path), text, BLOCK, ["pos", "ref", "alt", *columns])
        self.left: pa.Table | None = None

    def of(self, one: Block) -> dict[str, pa.Array]:
        while self.left is None or self.left.num_rows < len(one):
            more = next(self.pieces, None)
            if more is None:
                break
            self.left = more if self.left is None else pa.concat_tables([self.left, more])
        if self.left is None or self.left.num_rows < len(one):
            raise self._other()
        table = self.left.slice(0, len(one)).combine_chunks()
        self.left = self.left.slice(len(one))
        for name in ("pos", "ref", "alt"):
            if not _flat(table[name]).equals(getattr(one, name)):
                raise self._other()
        return {name: _flat(table[name]) for name in self.columns}

    def finish(self) -> None:
        if (self.left is not None and self.left.num_rows) or next(self.pieces, None) is not None:
            raise self._other()

    def _other(self) -> GoeError:
        what = "has not the alleles of the long table, so what it says of them cannot be compared"
        return GoeError(Problem(str(self.path), what, _AGAIN))
