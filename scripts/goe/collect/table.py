"""What a collection tells of each allele: one table of the sums, one of what each dataset says, and the lines of a VCF.

In the VCF, AC, AN and AF of a stratum stand as in a release, and only where they are exact: where bounds are apart, the
number is not there. The bounds of everybody are under names of their own, which no reader takes for a population.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from goe.collect.dataset import Dataset
from goe.collect.lines import Info, content
from goe.collect.merge import Told, Window, says_absent
from goe.core import tables
from goe.core.resources import RESOURCES
from goe.hts import parquet
from goe.release.formats.sites_vcf import Tag, tag_name
from goe.release.formats.wide_table import column
from goe.rules.stratum import TOTAL, parse
from goe.variant_qc.statistics import filtering_allele_frequency

DICTIONARY = RESOURCES / "dictionary" / "collection.tsv"
PASS, FILTERED, NOBODY = "PASS", "Filtered", "AC0"
FILTERS = {
    FILTERED: "No dataset lists the allele as PASS, and one has it filtered",
    NOBODY: "Nobody who counts carries the allele",
}
_TYPES = {"string": pa.string(), "int16": pa.int16(), "int32": pa.int32(), "float32": pa.float32()}
_TYPES |= {"float64": pa.float64()}
_ROW_GROUP = 1 << 15
"""Alleles of a row group: each chunk of its hundreds of columns takes time, and memory until the file is whole."""
_LEVEL = 1
"""Of zstd: quicker than 3, and of numbers like these no larger."""
_OF_LEAVES = ("ac_lo", "ac_hi", "an", "an_hi", "n_not_counted")
"""Columns of men and of women of a country: the others follow, or are of interest for larger groups."""
_EXACT = {"AC": "ac_lo", "AN": "an", "AF": "af_lo"}
EXACT = ("ac_lo", "ac_hi", "an", "an_hi")
"""Columns of a stratum that say whether it is known exactly."""


@cache
def _rows() -> tuple[dict[str, str], ...]:
    return tuple(tables.read(DICTIONARY))


def groups(strata: Sequence[str]) -> list[str]:
    """Strata that have a filtering allele frequency: everybody and the countries."""
    return [s for s in strata if s == TOTAL or parse(s).is_country]


def fields(strata: Sequence[str]) -> list[tuple[pa.Field, dict[str, str], str]]:
    """Columns in their order, each with its row of the dictionary and its stratum, empty for those of the allele."""
    out = [(_field(r["column"], r), r, "") for r in _rows() if r["scope"] == "allele"]
    with_faf = set(groups(strata))
    for s in strata:
        for r in _rows():
            if parse(s).is_leaf and r["column"] not in _OF_LEAVES:
                continue
            if r["scope"] == "stratum" or (r["scope"] == "group" and s in with_faf):
                out.append((_field(column(r["column"], s), r), r, s))
    return out


def _field(name: str, r: Mapping[str, str]) -> pa.Field:
    """A column by its row of the dictionary. What is never null is said to be so, which is written in less time."""
    kind = _TYPES[r["type"]]
    return pa.field(name, kind, nullable=pa.types.is_floating(kind) or r["column"] == "faf95_max_group")


def schema(strata: Sequence[str], about: Mapping) -> pa.Schema:
    """Schema of the table of sums; about: facts of the collection, for the metadata `goe`."""
    goe = {**about, "strata": list(strata)}
    return pa.schema([f for f, _, _ in fields(strata)], {"goe": json.dumps(goe, sort_keys=True)})


def dictionary(strata: Sequence[str]) -> str:
    """Table of every column and tag: file, name, type, unit, stratum, description."""
    rows: list[tuple[str, ...]] = [("file", "name", "type", "unit", "stratum", "description")]
    for field, r, stratum in fields(strata):
        rows.append(("frequencies Parquet", field.name, r["type"], r["unit"], stratum, r["description"]))
    for name, kind, words in (
        ("status_<n>", "string", "what dataset n says: see status of frequencies Parquet"),
        ("ac_<n>", "int32", "AC of everybody in dataset n; null where it is not told"),
        ("an_<n>", "int32", "AN of everybody in dataset n, callable AN where it does not list it; null likewise"),
    ):
        rows.append(("datasets Parquet", name, kind, "", "", words))
    rows += [("sites VCF", tag.id, tag.type, "", tag.stratum, tag.description) for tag in tags(strata)]
    return "".join("\t".join(row) + "\n" for row in rows)


def tags(strata: Sequence[str]) -> list[Tag]:
    """INFO tags; `key` is the column of the table, of which AC, AN and AF stand where they are exact.

    Of men and women of a country the table tells alone."""
    out = []
    for s in (s for s in strata if not parse(s).is_leaf):
        words = "of everybody" if s == TOTAL else f"of {s}"
        for metric, key in _EXACT.items():
            number, kind = ("1" if metric == "AN" else "A"), ("Float" if metric == "AF" else "Integer")
            text = f"{metric} {words}, where it is known exactly"
            out.append(Tag(tag_name(metric, s), number, kind, text, column(key, s), s))
    for field, r, stratum in fields([TOTAL]):
        if r["vcf"]:
            text = f"{r['description']}{' (everybody)' if stratum else ''}"
            out.append(Tag(r["vcf"], "1", r["vcf_type"], text, field.name))
    return out


@cache
def _poisson(size: int) -> np.ndarray:
    """faf95 of AC 0 to size - 1 at AN 1."""
    return filtering_allele_frequency(np.arange(size), np.ones(size, np.int64), 0.95)


def faf95(ac: np.ndarray, an: np.ndarray) -> np.ndarray:
    """float64 (alleles,): filtering allele frequency, NaN where AN is 0; a table, since AC are few whole numbers."""
    size = 1 << max(10, int(ac.max(initial=0)).bit_length())
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(an > 0, _poisson(size)[ac] / an, np.nan)


def filters(listed: np.ndarray, filtered: np.ndarray) -> pa.Array:
    """FILTER of alleles that any dataset lists as PASS, or has filtered: bool (alleles,)."""
    return pa.array([PASS, FILTERED, NOBODY]).take(pa.array(np.where(listed, 0, np.where(filtered, 1, 2))))


def of_window(window: Window, bounds: Told, contig: str, strata: Sequence[str], wanted: pa.Schema) -> pa.Table:
    """The table of a window."""
    n, counts = len(window), window.counts()
    listed, filtered = counts["n_datasets"] > 0, counts["n_filtered"] > 0
    total, with_faf = strata.index(TOTAL), set(groups(strata))
    values: dict[str, pa.Array | np.ndarray] = {
        "contig": pa.repeat(pa.scalar(contig), n),
        "pos": window.pos.astype(np.int32),
        "ref": window.ref,
        "alt": window.alt,
        "filter": filters(listed, filtered),
        **counts,
        "status": _letters(window.status),
        "an_floor": window.sums.floor[total],
    }
    best, group = np.full(n, np.nan), np.full(n, -1)
    countries = [s for s in strata if parse(s).is_country]
    for i, s in enumerate(strata):
        for name, numbers in vars(bounds).items():
            values[column(name, s)] = numbers[i]
        if parse(s).is_leaf:
            continue
        # Where nobody is counted there is no frequency.
        known = None if bounds.an[i].all() else bounds.an[i] > 0
        for name, frequencies in zip(("af_lo", "af_hi"), bounds.af(i), strict=True):
            values[column(name, s)] = parquet.column(frequencies, known)
        if s in with_faf:
            faf = faf95(bounds.ac_lo[i], bounds.an_hi[i])
            if known is not None:
                faf[~known] = np.nan
            values[column("faf95", s)] = parquet.column(faf.astype(np.float32), known)
            if s in countries:
                more = faf > np.where(group < 0, -1, best)
                best[more], group[more] = faf[more], countries.index(s)
    values["faf95_max"] = best
    names = pa.array(countries, pa.string())
    values["faf95_max_group"] = names.take(pa.array(group, mask=group < 0)) if countries else pa.nulls(n, pa.string())
    return pa.table([_column(values[f.name], f.type) for f in wanted], schema=wanted)


def _column(values: pa.Array | np.ndarray, kind: pa.DataType) -> pa.Array:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values if values.type == kind else values.cast(kind)
    there = ~np.isnan(values) if pa.types.is_floating(kind) else None
    return parquet.column(values.astype(kind.to_pandas_dtype(), copy=False), there)


def _letters(status: np.ndarray) -> pa.Array:
    """Text of the letters of each allele. status: uint8 (datasets, alleles)."""
    n, alleles = status.shape
    ends = np.arange(alleles + 1, dtype=np.int32) * n
    return pa.StringArray.from_buffers(alleles, pa.py_buffer(ends), pa.py_buffer(np.ascontiguousarray(status.T)))


def letters(texts: pa.ChunkedArray, n: int) -> np.ndarray:
    """uint8 (n, alleles): letters of texts of n letters each, 0 where there are more or fewer."""
    whole = pc.fill_null(pc.equal(pc.binary_length(texts), n), False)
    if not pc.all(whole).as_py():
        texts = pc.if_else(whole, texts, "\0" * n)
    return np.frombuffer(content(texts.combine_chunks()), np.uint8).reshape(-1, n).T


def datasets_schema(numbers: Sequence[int], about: Mapping) -> pa.Schema:
    """Schema of the table of what each dataset says."""
    said = [("contig", pa.string()), ("pos", pa.int32()), ("ref", pa.string()), ("alt", pa.string())]
    columns = [pa.field(*field, nullable=False) for field in said]
    for n in numbers:
        columns.append(pa.field(f"status_{n}", pa.string(), nullable=False))
        columns += [pa.field(f"{count}_{n}", pa.int32()) for count in ("ac", "an")]
    return pa.schema(columns, {"goe": json.dumps(dict(about), sort_keys=True)})


def of_datasets(window: Window, contig: str, numbers: Sequence[int], wanted: pa.Schema) -> pa.Table:
    """What each dataset says of a window; numbers: of the datasets."""
    values = [pa.repeat(pa.scalar(contig), len(window)), pa.array(window.pos.astype(np.int32)), window.ref, window.alt]
    for i in range(len(numbers)):
        values.append(_letters(window.status[i : i + 1]))
        for counts in (window.ac[i], window.an[i]):
            values.append(parquet.column(counts.astype(np.int32), counts >= 0))
    return pa.table(values, schema=wanted)


def absent_schema(datasets: Sequence[Dataset], contig: str) -> pa.Schema:
    """Columns of `of_absent`: pos, and of each origin of a dataset."""
    origins = [(one.number, s) for one in datasets if says_absent(one, contig) for s in one.origins]
    columns = ["pos", *(absent(number, s) for number, s in origins)]
    return pa.schema([pa.field(name, pa.int32(), nullable=False) for name in columns])


def absent(number: int, origin: str) -> str:
    """Name of a column of `of_absent`."""
    return f"an_{number}_{origin}"


def of_absent(window: Window, wanted: pa.Schema) -> pa.Table:
    """`Window.absent`, which the comparison takes instead of reading callable AN again; for the work folder."""
    rows = [row for of_dataset in window.absent if of_dataset is not None for row in of_dataset]
    return pa.table([pa.array(values) for values in (window.pos.astype(np.int32), *rows)], schema=wanted)


class Writer:
    """Parquet file of one contig; how its tables are cut does not change a byte."""

    def __init__(self, path: str | Path, wanted: pa.Schema):
        self.file = parquet.released(
            path,
            wanted,
            wanted.metadata[b"goe"].decode(),
            compression_level=_LEVEL,
            write_page_checksum=True,
            # Numbers of hundreds of strata: plain ones are written in half the time, and are smaller.
            use_dictionary=[field.name for field in wanted if field.type == pa.string()],
            write_statistics=["pos"],
        )
        self.waiting: list[pa.Table] = []

    def write(self, table: pa.Table) -> None:
        self.waiting.append(table)
        while sum(part.num_rows for part in self.waiting) >= _ROW_GROUP:
            whole = pa.concat_tables(self.waiting)
            self._write(whole.slice(0, _ROW_GROUP))
            self.waiting = [whole.slice(_ROW_GROUP)]

    def _write(self, table: pa.Table) -> None:
        # Where text is cut decides when a dictionary is full; a page of numbers holds the whole row group.
        texts = {i: field for i, field in enumerate(table.schema) if field.type == pa.string()}
        for i, field in texts.items():
            table = table.set_column(i, field, table.column(i).combine_chunks())
        self.file.write_table(table, row_group_size=_ROW_GROUP)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        if kind is None and any(part.num_rows for part in self.waiting):
            self._write(pa.concat_tables(self.waiting))
        self.file.close()


class WorkWriter(Writer):
    """The same of a table that stays in the work folder."""

    def __init__(self, path: str | Path, wanted: pa.Schema):
        self.file, self.waiting = parquet.writer(path, wanted, rising=("pos",)), []


def shown(sums: pa.Table, tag: Tag) -> pa.ChunkedArray:
    """What a VCF has of a tag: null where there is no number, or it is not known exactly."""
    values = sums[tag.key]
    if not tag.stratum:
        return values
    return pc.if_else(pa.array(_exact(sums, tag.stratum)), values, pa.scalar(None, values.type))


def _exact(sums: pa.Table, stratum: str) -> np.ndarray:
    """bool (alleles,): where the numbers of a stratum are known exactly; nowhere that nobody is counted."""
    low, high, an, an_hi = (sums[column(key, stratum)].to_numpy() for key in EXACT)
    return np.asarray((low == high) & (an == an_hi) & (an > 0))


def lines(sums: pa.Table, info: Sequence[Tag]) -> pa.Array:
    """The VCF lines of a table of sums, each with its line end."""
    sums = sums.combine_chunks()
    put = Info([tag.id for tag in info], sums.num_rows)
    exact = {s: _exact(sums, s) for s in {tag.stratum for tag in info if tag.stratum}}
    for i, tag in enumerate(info):
        values = sums[tag.key].combine_chunks()
        if tag.type == "String":
            put.texts(i, values)
            continue
        given = exact[tag.stratum] if tag.stratum else values.is_valid().to_numpy(zero_copy_only=False)
        add = put.numbers if tag.type == "Float" else put.counts
        add(i, values.to_numpy(zero_copy_only=False), given)
    contig = sums["contig"][0].as_py() if len(sums) else ""
    texts = [sums[name].combine_chunks() for name in ("ref", "alt", "filter")]
    return put.lines(contig, sums["pos"].to_numpy(), texts)
