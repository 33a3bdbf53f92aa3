"""The wide Parquet table of a release: one row per site allele, a column for every number of every stratum.

It holds the numbers of the long table (goe.release.table) and the statistics of the site. `ac`, `an`, `af`, `ac_hom`,
`ac_het`, `ac_hemi` and `nhomalt` are those of Total; with the name of another stratum behind (`an_EE_M`) they are of
that one. A null is withheld; `af` is null as well where AN is 0. Everything that is public of an allele is here, so
`read` gives the blocks back that the other formats of the release can be made from again, or be compared with.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from goe.core import tables
from goe.core.errors import GoeError, Problem, short, stop_on
from goe.core.resources import RESOURCES
from goe.frequencies import strata as st
from goe.frequencies.block import Block
from goe.hts import parquet
from goe.release.reading import batches, reading
from goe.release.table import BLOCK

DICTIONARY = RESOURCES / "dictionary" / "wide.tsv"
# Alleles of a row group: 145 columns need few of them, and a region of a contig must not need all.
ROW_GROUP = BLOCK

_ALLELE = {"contig": pa.string(), "pos": pa.int32(), "ref": pa.string(), "alt": pa.string(), "filter": pa.string()}
TEXT = tuple(name for name, kind in _ALLELE.items() if kind == pa.string())
COUNTS = ("ac", "an", "ac_hom", "ac_het", "ac_hemi", "nhomalt")
NUMBERS = ("ac", "an", "af", "ac_hom", "ac_het", "ac_hemi", "nhomalt")
# As in the sites VCF, but for the call rate: both 1 - F_MISSING there and its own single precision elsewhere follow
# from it only while it is not rounded.
STATISTICS = {
    "faf95": pa.float32(),
    "faf99": pa.float32(),
    "hwe_p": pa.float32(),
    "inbreeding_coeff": pa.float32(),
    "call_rate": pa.float64(),
}
_TYPES = {pa.string(): "string", pa.int32(): "int32", pa.float32(): "float32", pa.float64(): "float64"}
_NULL = "withheld, or not there; af also where an is 0"
_SHOWN = 10
_AGAIN = "the file was changed, or is no wide table of goe: get it again"


def column(number: str, stratum: str) -> str:
    """Name of a column: `an` of EE_M -> `an_EE_M`; Total has the bare names."""
    return number if stratum == st.TOTAL else f"{number}_{stratum}"


def columns(strata: Sequence[str]) -> list[pa.Field]:
    """Columns of the table, in their order: allele, numbers of each stratum, statistics of the site."""
    numbers = [
        pa.field(column(name, stratum), pa.float64() if name == "af" else pa.int32())
        for stratum in strata
        for name in NUMBERS
    ]
    return [
        *(pa.field(name, kind, nullable=False) for name, kind in _ALLELE.items()),
        *numbers,
        *(pa.field(name, kind) for name, kind in STATISTICS.items()),
    ]


def dictionary(fields: Sequence[Mapping[str, str]], strata: Sequence[str]) -> list[tuple[str, ...]]:
    """Rows for the dictionary of the release: file, name, type, number, unit, stratum, description, rule.

    fields: rows of the dictionary of published fields, as for the sites VCF.
    """
    about = {f["column"]: f for f in fields if f["column"]} | {f["column"]: f for f in tables.read(DICTIONARY)}
    origin = {column(name, stratum): (name, stratum) for stratum in strata for name in NUMBERS}
    out: list[tuple[str, ...]] = []
    for field in columns(strata):
        name, stratum = origin.get(field.name, (field.name, ""))
        f = about[name]
        row = (field.name, _TYPES[field.type], "", f["unit"], stratum, f["description"], f["rule"])
        out.append(("wide frequencies Parquet", *row))
    return out


def schema(fields: Sequence[Mapping[str, str]], about: Mapping, people: Mapping[str, int], contig: str) -> pa.Schema:
    """Schema of the wide table of one contig.

    fields: rows of the dictionary of published fields. about: further facts (dataset, build). people: published
    strata in the order of the release -> the number of people that the release states, which may be rounded.
    Metadata `goe` is JSON: the facts, contig, strata with their people, what the columns hold in which unit, and what
    a null is.
    """
    goe = {
        **about,
        "contig": contig,
        "strata": [{"stratum": stratum, "people": n} for stratum, n in people.items()],
        "columns": {
            name: {"description": description, "unit": unit} | ({"stratum": stratum} if stratum else {})
            for _, name, _, _, unit, stratum, description, _ in dictionary(fields, tuple(people))
        },
        "null": _NULL,
    }
    return pa.schema(columns(tuple(people)), metadata={"goe": json.dumps(goe, sort_keys=True)})


def rows(block: Block, wanted: pa.Schema) -> pa.Table:
    """The wide table of a block."""
    shown = block.shown()
    af = block.numbers.af()
    found: dict[str, pa.Array] = {
        "contig": pa.repeat(pa.scalar(block.contig, pa.string()), len(block)),
        **{name: getattr(block, name) for name in ("pos", "ref", "alt", "filter")},
    }
    for s, stratum in enumerate(block.strata):
        hidden = None if shown[s].all() else ~shown[s]
        for name in COUNTS:
            values = getattr(block.numbers, name)[s]
            found[column(name, stratum)] = pa.array(np.ascontiguousarray(values), pa.int32(), mask=hidden)
        found[column("af", stratum)] = pa.array(af[s], pa.float64(), mask=~shown[s] | np.isnan(af[s]))
    for name, kind in STATISTICS.items():
        values = block.statistics[name]
        found[name] = pa.array(values.astype(kind.to_pandas_dtype()), kind, mask=np.isnan(values))
    return pa.table([found[name] for name in wanted.names], schema=wanted)


class Writer:
    """Wide table of one contig. Blocks come in order; how they are cut does not change a byte.

    wanted: `schema`. ValueError for a block of another contig or of other strata.
    """

    def __init__(self, path: str | Path | IO[bytes], wanted: pa.Schema):
        about = json.loads(wanted.metadata[b"goe"])
        self.contig, self.strata = about["contig"], tuple(entry["stratum"] for entry in about["strata"])
        self.wanted = wanted
        self._waiting: list[pa.Table] = []
        self.file = parquet.released(
            path,
            wanted,
            wanted.metadata[b"goe"].decode(),
            use_dictionary=[name for name in wanted.names if name != "pos"],
            column_encoding={"pos": "DELTA_BINARY_PACKED"},
            write_statistics=True,
        )

    def write(self, block: Block) -> None:
        if (block.contig, block.strata) != (self.contig, self.strata):
            raise ValueError(f"block of {block.contig} {block.strata}, expected {self.contig} {self.strata}")
        self._waiting.append(rows(block, self.wanted))
        n = sum(table.num_rows for table in self._waiting)
        while n >= ROW_GROUP:
            table = pa.concat_tables(self._waiting)
            self.group(table.slice(0, ROW_GROUP))
            self._waiting = [table.slice(ROW_GROUP)]
            n -= ROW_GROUP

    def group(self, table: pa.Table) -> None:
        """Write a row group, or nothing."""
        if table.num_rows:
            self.file.write_table(table.combine_chunks(), row_group_size=ROW_GROUP)

    def close(self) -> None:
        if self._waiting:
            self.group(pa.concat_tables(self._waiting))
            self._waiting = []
        self.file.close()

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        if kind is None:
            self.close()
        else:
            self.file.close()


def facts(path: str | Path) -> dict:
    """What the file says of itself: metadata `goe` of `schema`. GoeError when it is not the wide table that it says,
    with every column that is missing, not known or of another type."""
    with reading(path):
        found = pq.read_schema(path)
    try:
        about = json.loads((found.metadata or {})[b"goe"])
        wanted = columns([entry["stratum"] for entry in about["strata"]])
        about["contig"].encode()
    except (AttributeError, KeyError, TypeError, ValueError):
        what = "its metadata do not say which contig and strata it holds"
        raise GoeError(Problem(str(path), what, _AGAIN)) from None
    names, fields = [field.name for field in wanted], {field.name: field for field in found}
    faults = [f"column {name} is not expected" for name in fields if name not in names]
    for field in wanted:
        if field.name not in fields:
            faults.append(f"column {field.name} is missing")
        elif not fields[field.name].equals(field):
            faults.append(f"column {field.name} is {_kind(fields[field.name])}, expected {_kind(field)}")
    if not faults and found.names != names:
        faults.append("a column is there twice, or their order is another")
    stop_on([Problem(str(path), fault, _AGAIN) for fault in faults])
    return about


def _kind(field: pa.Field) -> str:
    return f"{field.type}{'' if field.nullable else ' without null'}"


def read(path: str | Path, block: int = BLOCK) -> Iterator[Block]:
    """The blocks of a file, as far as they are public: a number that is withheld is 0, its cell is not shown.

    block: alleles of a block, at most. GoeError when the file is no wide table, when the columns of a cell disagree
    about whether it is there, or when AF is not AC / AN.
    """
    about = facts(path)
    strata = tuple(entry["stratum"] for entry in about["strata"])
    for table in batches(str(path), str(path), TEXT, block, None):
        for batch in table.to_batches():
            yield _block(batch, about["contig"], strata, str(path))


def alone(path: str | Path, stratum: str, block: int = BLOCK, contig: str | None = None) -> Iterator[Block]:
    """As `read`, with the numbers of one stratum, which stands as everybody, and no statistics of the site: of a table
    with many strata this reads a few columns. contig: of a file whose columns and metadata were looked at before."""
    contig = contig or facts(path)["contig"]
    names = [*_ALLELE, *(column(name, stratum) for name in NUMBERS)]
    for table in batches(str(path), str(path), TEXT, block, names):
        for batch in table.to_batches():
            yield replace(_block(batch, contig, (stratum,), str(path)), strata=(st.TOTAL,))


def _block(batch: pa.RecordBatch, contig: str, strata: tuple[str, ...], where: str) -> Block:
    n = batch.num_rows
    values = {name: np.zeros((len(strata), n), dtype=np.int32) for name in COUNTS}
    af = np.full((len(strata), n), np.nan)
    given = {name: np.zeros((len(strata), n), dtype=bool) for name in NUMBERS}
    for s, stratum in enumerate(strata):
        for name in NUMBERS:
            cells = batch.column(column(name, stratum))
            given[name][s] = cells.is_valid().to_numpy(zero_copy_only=False) if cells.null_count else True
            if name == "af":
                af[s] = cells.to_numpy(zero_copy_only=False)
            else:
                values[name][s] = (cells.fill_null(0) if cells.null_count else cells).to_numpy()
    statistics = {
        name: batch.column(name).to_numpy(zero_copy_only=False).astype(np.float64)
        for name in STATISTICS
        if name in batch.schema.names
    }
    numbers = st.Numbers(**values)
    mask = given["an"]
    problems: list[Problem] = []

    def fail(bad: np.ndarray, name: str, what: str) -> None:
        for s, row in np.argwhere(bad)[: _SHOWN - len(problems)]:
            allele = short(
                ":".join(str(batch.column(key)[int(row)].as_py()) for key in ("contig", "pos", "ref", "alt"))
            )
            problems.append(Problem(where, f"{allele}: {column(name, strata[s])} {what}", _AGAIN))

    for name in COUNTS:
        fail(given[name] != mask, name, "is withheld where the rest of its stratum is not, or the other way round")
    with np.errstate(divide="ignore"):
        right = numbers.af()
    # Where the cell is withheld AN reads as 0, and there is no AF either.
    fail(~((af == right) | (~given["af"] & np.isnan(right))), "af", "is not AC / AN")
    elsewhere = set(pc.unique(batch.column("contig")).to_pylist()) - {contig}
    problems += [Problem(where, f"has alleles of {name}, expected {contig}", _AGAIN) for name in sorted(elsewhere)]
    stop_on(problems)
    pos, ref, alt, verdict = (batch.column(name) for name in ("pos", "ref", "alt", "filter"))
    return Block(contig, pos, ref, alt, verdict, mask=mask, strata=strata, numbers=numbers, statistics=statistics)
