"""Released files read back as one long table of cells, and compared with each other.

Every reader gives tables of the columns `COLUMNS`: one row per site allele and stratum, alleles in the order of
the file, strata in the order of the release. A number that a format does not carry is null. Two formats agree
when `compare` finds nothing: the same cells in the same order, and the same number in every column both have.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from goe.core.errors import GoeError, Problem, short
from goe.frequencies.block import Block
from goe.hts.kernels import jit
from goe.release import bounds
from goe.release.reading import _head, batches, reading

KEYS = ("contig", "pos", "ref", "alt", "stratum")
COUNTS = ("ac", "an", "ac_hom", "ac_het", "ac_hemi", "nhomalt")
COLUMNS = pa.schema(
    [(name, pa.int32() if name == "pos" else pa.string()) for name in KEYS]
    + [(name, pa.int64()) for name in COUNTS]
    + [("af", pa.float64())]
)
_VCF = ("contig", "pos", "id", "ref", "alt", "qual", "filter", "info")
_PIECE = 4 << 20
_SHOWN = 10
_KEYS = 4096


def cells(
    alleles: Mapping[str, pa.Array], strata: Sequence[str], values: Mapping[str, np.ndarray], present: np.ndarray
) -> pa.Table:
    """Long table of the cells that are `present`.

    alleles: contig, pos, ref, alt, each (alleles,). values: column -> numbers (strata, alleles), NaN is null. present:
    bool (strata, alleles).
    """
    s = len(strata)
    rows = np.flatnonzero(present.T.ravel())
    allele = pa.array(rows // s)
    columns: dict[str, pa.Array] = {name: alleles[name].take(allele) for name in KEYS[:4]}
    columns["stratum"] = pa.array(strata, pa.string()).take(pa.array(rows % s))
    for name in (*COUNTS, "af"):
        kind = COLUMNS.field(name).type
        if name in values:
            column = values[name].T.ravel()[rows]
            absent = np.isnan(column) if column.dtype.kind == "f" else np.zeros(len(column), dtype=bool)
            if absent.any():
                columns[name] = pa.array(np.where(absent, 0, column).astype(kind.to_pandas_dtype()), kind, mask=absent)
            else:
                columns[name] = pa.array(column.astype(kind.to_pandas_dtype()), kind)
        else:
            columns[name] = pa.nulls(len(rows), kind)
    return pa.table([columns[name] for name in COLUMNS.names], schema=COLUMNS)


def expected(block: Block, columns: Iterable[str], wanted: np.ndarray) -> pa.Table:
    """The cells of a block that are public and `wanted` (bool, (strata, alleles) or (alleles,)), with these
    columns."""
    names = set(columns)
    values = {name: getattr(block.numbers, name) for name in COUNTS if name in names}
    if "af" in names:
        values["af"] = block.numbers.af()
    contig = pa.array([block.contig]).take(pa.array(np.zeros(len(block), dtype=np.int64)))
    alleles = {"contig": contig, "pos": block.pos, "ref": block.ref, "alt": block.alt}
    return cells(alleles, block.strata, values, block.shown() & wanted)


def frequency_table(path: str | Path, only_passed: bool = False, only_with_af: bool = False) -> Iterator[pa.Table]:
    """Cells of a long Parquet table of frequencies (goe.release.table)."""
    text = [field.name for field in COLUMNS if field.type == pa.string()]
    for table in batches(str(path), str(path), [*text, "filter"], 1 << 17, [*COLUMNS.names, "filter"]):
        if only_passed:
            table = table.filter(pc.equal(table["filter"], "PASS"))
        if only_with_af:
            table = table.filter(pc.is_valid(table["af"]))
        yield table.select(COLUMNS.names).cast(COLUMNS)


def vcf_records(
    path: str | Path, rows: int = bounds.CELLS
) -> Iterator[tuple[pa.Table, dict[str, tuple[np.ndarray, pa.Array]]]]:
    """Records of a compressed sites-only VCF, piece by piece. rows: of a piece, at most.

    Each piece is a table (contig, pos, ref, alt, filter) and, for every INFO key in it, the rows that have it
    (ascending) and their values as text, null for a flag. GoeError when a key stands twice in a record.
    """
    header, more = _head(path)
    if not more:
        return
    with reading(path), pa.input_stream(str(path), compression="gzip") as handle:
        reader = pacsv.open_csv(
            handle,
            pacsv.ReadOptions(column_names=_VCF, skip_rows=len(header), block_size=_PIECE, use_threads=False),
            pacsv.ParseOptions(delimiter="\t", quote_char=False),
            pacsv.ConvertOptions(
                column_types={name: pa.int32() if name == "pos" else pa.string() for name in _VCF},
                strings_can_be_null=False,
            ),
        )
        # A line that is longer than a piece stops Arrow.
        for batch in reader:
            for start in range(0, batch.num_rows, rows):
                table = pa.table(batch.slice(start, rows))
                yield table.select(["contig", "pos", "ref", "alt", "filter"]), _info(table, str(path))


def _info(table: pa.Table, where: str) -> dict[str, tuple[np.ndarray, pa.Array]]:
    column = table["info"].combine_chunks()
    column = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
    n = len(column)
    ends = np.frombuffer(column.buffers()[1], np.int32)[column.offset : column.offset + n + 1]
    data = np.frombuffer(column.buffers()[2] or b"", np.uint8)
    entries = n + int(np.count_nonzero(data[ends[0] : ends[-1]] == ord(";")))
    keys, code, row, start, length = _entries(data, ends, entries)
    if keys[0, 0] < 0:
        raise GoeError(Problem(where, f"has more than {_KEYS} INFO keys", "get the file again"))
    last = np.cumsum(np.bincount(code, minlength=len(keys)))
    order = _sorted(code, last)
    rows, length = row[order], length[order]
    offsets = np.concatenate(([0], np.cumsum(np.maximum(length, 0)))).astype(np.int32)
    valid = pa.py_buffer(np.packbits(length >= 0, bitorder="little"))
    packed = _packed(data, start[order], offsets)
    texts = pa.StringArray.from_buffers(len(rows), pa.py_buffer(offsets), pa.py_buffer(packed), valid)
    found = {}
    for (key, size), first, end in zip(keys, [0, *last[:-1]], last, strict=True):
        name = data[key : key + size].tobytes().decode()
        rows_of_tag = rows[first:end]
        if twice := np.flatnonzero(np.diff(rows_of_tag) == 0).tolist():
            one = table.slice(int(rows_of_tag[twice[0]]), 1).to_pylist()[0]
            place = f"{one['contig']}:{one['pos']}:{one['ref']}:{one['alt']}"
            raise GoeError(Problem(where, f"{place} has INFO {name} twice", "get the file again"))
        found[name] = (rows_of_tag, texts.slice(first, end - first))
    return found


@jit
def _same(data: np.ndarray, one: int, two: int, n: int) -> bool:
    i = 0
    while i < n and data[one + i] == data[two + i]:
        i += 1
    return i == n


@jit
def _entries(data: np.ndarray, ends: np.ndarray, entries: int) -> tuple[np.ndarray, ...]:
    """KEY=VALUE of every record: keys (start, length) in the order they are met; of each entry the number of its key,
    its row, and where its value starts and how long it is, -1 for a key alone. With too many keys, the first is -1.

    data: bytes of INFO of all records; ends: int32 (records + 1,), where each begins. Records have nearly the same
    keys in the same order, so the key after the one before is looked at first.
    """
    keys = np.zeros((_KEYS, 2), np.int32)
    after = np.zeros(_KEYS + 1, np.int32)
    n_keys = 0
    code = np.empty(entries, np.int16)
    row, start, length = np.empty(entries, np.int64), np.empty(entries, np.int32), np.empty(entries, np.int32)
    entry = 0
    for record in range(len(ends) - 1):
        at, end = ends[record], ends[record + 1]
        before = _KEYS
        while True:
            stop = at
            while stop < end and data[stop] != 59:
                stop += 1
            equals = at
            while equals < stop and data[equals] != 61:
                equals += 1
            size = equals - at
            key = after[before]
            if not (key < n_keys and keys[key, 1] == size and _same(data, keys[key, 0], at, size)):
                key = 0
                while key < n_keys and not (keys[key, 1] == size and _same(data, keys[key, 0], at, size)):
                    key += 1
                if key == n_keys:
                    if n_keys == _KEYS:
                        keys[0, 0] = -1
                        return keys[:1], code, row, start, length
                    keys[key, 0], keys[key, 1] = at, size
                    n_keys += 1
                after[before] = key
            code[entry], row[entry] = key, record
            start[entry] = equals + 1
            length[entry] = stop - equals - 1 if equals < stop else -1
            entry += 1
            before = key
            if stop == end:
                break
            at = stop + 1
    return keys[:n_keys], code, row, start, length


@jit
def _sorted(code: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Order of the entries by key, within a key as they are. last: of each key, where those up to it end."""
    at = last.copy()
    order = np.empty(len(code), np.int64)
    for entry in range(len(code) - 1, -1, -1):
        at[code[entry]] -= 1
        order[at[code[entry]]] = entry
    return order


@jit
def _packed(data: np.ndarray, start: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """The bytes of values one behind the other. start: of each in `data`; offsets: (values + 1,), of each in these."""
    out = np.empty(offsets[-1], np.uint8)
    for i in range(len(start)):
        for j in range(offsets[i + 1] - offsets[i]):
            out[offsets[i] + j] = data[start[i] + j]
    return out


def numbers(found: Mapping[str, tuple[np.ndarray, pa.Array]], keys: Sequence[str], rows: int) -> np.ndarray:
    """float64 (keys, rows): `numbers_of` every key, which are read together where nothing is wrong with them."""
    out = np.full((len(keys), rows), np.nan)
    here = [i for i, key in enumerate(keys) if key in found]
    places, texts = [found[keys[i]][0] for i in here], [found[keys[i]][1] for i in here]
    try:
        values = pc.cast(pa.chunked_array(texts, pa.string()), pa.float64()).to_numpy()
        wrong = bool(np.isnan(values).any())
    except pa.ArrowInvalid:
        wrong = True
    if wrong:
        return np.array([numbers_of(found, key, rows) for key in keys])
    if here:
        out[np.repeat(here, [len(rows_of_key) for rows_of_key in places]), np.concatenate(places)] = values
    return out


def numbers_of(found: Mapping[str, tuple[np.ndarray, pa.Array]], key: str, rows: int) -> np.ndarray:
    """float64 (rows,): values of an INFO key of one number, NaN where it is absent. ArrowInvalid when a record has
    the key and no number."""
    out = np.full(rows, np.nan)
    if key in found:
        at, text = found[key]
        values = pc.cast(text, pa.float64()).to_numpy(zero_copy_only=False)
        if np.isnan(values).any():
            raise pa.ArrowInvalid(f"INFO {key} is given without a number")
        out[at] = values
    return out


def compare(
    got: Iterable[pa.Table], wanted: Iterable[pa.Table], where: str, columns: Sequence[str], keys: Sequence[str] = KEYS
) -> list[Problem]:
    """Differences of two streams of tables with the same rows in the same order, however they are cut.

    columns: those to compare beside the keys. Ends at the first row whose keys differ, since what follows
    cannot be paired. At most 10 problems per stream.
    """
    problems: list[Problem] = []
    mend = "the file was changed, or is not of this release: get it again"
    names = [*keys, *columns]
    for one, two in _paired(_cut(got, names), _cut(wanted, names)):
        if one is None or two is None:
            table, what = (one, "is not expected here") if two is None else (two, "is missing")
            problems.append(Problem(where, f"{place(table, 0, keys)} {what}", mend))
            return problems
        if one.equals(two):
            continue
        same = np.ones(one.num_rows, dtype=bool)
        for name in keys:
            same &= equal(one[name], two[name])
        end = int(np.argmin(same)) if not same.all() else one.num_rows
        for name in columns:
            for row in np.flatnonzero(~equal(one[name], two[name])[:end]):
                if len(problems) == _SHOWN:
                    return problems
                values = short(f"{name} is {one[name][row].as_py()}, expected {two[name][row].as_py()}", 500)
                problems.append(Problem(where, f"{place(one, int(row), keys)}: {values}", mend))
        if end < one.num_rows:
            text = f"{place(one, end, keys)} stands where {place(two, end, keys)} is expected"
            problems.append(Problem(where, text, mend))
            return problems
    return problems


def place(table: pa.Table, row: int = 0, keys: Sequence[str] = KEYS[:4]) -> str:
    """contig:pos:ref:alt of a row, and its stratum where that is a key."""
    one = table.slice(row, 1).to_pylist()[0]
    allele = short(":".join(str(one[name]) for name in KEYS[:4]))
    return f"{allele} {one['stratum']}" if "stratum" in keys else allele


def equal(one: pa.ChunkedArray, two: pa.ChunkedArray) -> np.ndarray:
    """bool (rows,): equal values, or both null."""
    if one.equals(two):
        return np.ones(len(one), dtype=bool)
    same = pc.fill_null(pc.equal(one, two), False)
    both = pc.and_(pc.is_null(one), pc.is_null(two))
    return pc.or_(same, both).to_numpy()


def _cut(tables: Iterable[pa.Table], names: Sequence[str]) -> Iterator[pa.Table]:
    for table in tables:
        if table.num_rows:
            yield table.select(names)


def _paired(one: Iterator[pa.Table], two: Iterator[pa.Table]) -> Iterator[tuple[pa.Table | None, pa.Table | None]]:
    """Pieces of equal length of both streams; None for the one that ends before."""
    left, right = next(one, None), next(two, None)
    while left is not None and right is not None:
        n = min(left.num_rows, right.num_rows)
        yield left.slice(0, n), right.slice(0, n)
        left = left.slice(n) if n < left.num_rows else next(one, None)
        right = right.slice(n) if n < right.num_rows else next(two, None)
    if left is not None or right is not None:
        yield left, right
