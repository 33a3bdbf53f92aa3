"""Callable AN of a release: at every position of a contig the alleles that would be called there, by stratum (C4.6).

A contig is a Parquet table of runs, and a part of one BED file of all contigs: position 0-based and half-open, a column
for each published stratum, runs without gaps from the contig's first base to its last. Numbers are sums of those of the
smallest groups (goe.frequencies.callable_an), which say how far they may be below the truth.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from goe.core.files import Closes
from goe.hts import parquet

# Runs of a row group, and of a piece of text.
ROW_GROUP = 1 << 17
_PLACE = {
    "contig": ("name", "Contig", "as in the reference"),
    "start": ("position", "First base of the run", "0-based"),
    "end": ("position", "Base behind the last of the run", "0-based"),
}
_AN = "Callable alleles at each base of the run"
_RULE = (
    "2 for each person who would count as diploid there without an allele, 1 for each haploid; people of gVCFs and of "
    "reads. With min_carriers a lower bound (docs/disclosure.md)"
)


def column(stratum: str) -> str:
    """Name of a column: `an_EE_M`."""
    return f"an_{stratum}"


def schema(about: Mapping, people: Mapping[str, int], contig: str, method: str, short: Mapping[str, int]) -> pa.Schema:
    """Schema of the table of a contig.

    about: further facts (dataset, build). people: published strata in the order of the release -> people, public.
    method: an_method of these numbers. short: `least`, 0 where numbers are exact.
    """
    goe = {
        **about,
        "contig": contig,
        "an_method": method,
        "strata": [{"stratum": s, "people": n, "an_at_most_below": short[s]} for s, n in people.items()],
        "columns": {
            name: {"description": description, "unit": unit} | ({"stratum": stratum} if stratum else {})
            for _, name, _, _, unit, stratum, description, _ in dictionary(tuple(people))
            if name in (*_PLACE, *map(column, people))
        },
    }
    fields = [("contig", pa.string()), ("start", pa.int32()), ("end", pa.int32())]
    fields += [(column(stratum), pa.int32()) for stratum in people]
    return pa.schema(
        [pa.field(name, kind, nullable=False) for name, kind in fields],
        metadata={"goe": json.dumps(goe, sort_keys=True)},
    )


def dictionary(strata: Sequence[str]) -> list[tuple[str, ...]]:
    """Rows for the dictionary of the release: file, name, type, number, unit, stratum, description, rule."""
    out: list[tuple[str, ...]] = []
    for name, (unit, description, rule) in _PLACE.items():
        kind = "string" if name == "contig" else "int32"
        out.append(("callable AN Parquet and BED", name, kind, "", unit, "", description, rule))
    for s in strata:
        out.append(("callable AN Parquet and BED", column(s), "int32", "", "alleles", s, _AN, _RULE))
    return out


def tables(found: Iterable, wanted: pa.Schema) -> Iterator[pa.Table]:
    """Tables of `wanted`, of ROW_GROUP runs each.

    found: (start, end, an) of runs in order, 1-based, inclusive; an: int64 (strata, runs).
    """
    contig = json.loads(wanted.metadata[b"goe"])["contig"]
    waiting: list[pa.Table] = []
    n = 0
    for start, end, an in found:
        columns = [pa.repeat(pa.scalar(contig), len(start)), start - 1, end, *an]
        arrays = [pa.array(c, f.type) for c, f in zip(columns, wanted, strict=True)]
        waiting.append(pa.Table.from_arrays(arrays, schema=wanted))
        n += len(start)
        while n >= ROW_GROUP:
            table = pa.concat_tables(waiting)
            yield table.slice(0, ROW_GROUP)
            waiting, n = [table.slice(ROW_GROUP)], n - ROW_GROUP
    if n:
        yield pa.concat_tables(waiting)


def lines(table: pa.Table) -> pa.Array:
    """BED lines, without ends."""
    cells = [pc.cast(column.combine_chunks(), pa.string()) for column in table.columns]
    return pc.binary_join_element_wise(*cells, "\t")


def head(strata: Sequence[str]) -> str:
    """The line of column names of the BED file."""
    return "\t".join(["#contig", "start", "end", *map(column, strata)]) + "\n"


def strata_of(path: str | Path) -> list[str]:
    """Strata of a table, in order."""
    return [entry["stratum"] for entry in json.loads(pq.read_schema(path).metadata[b"goe"])["strata"]]


class Writer(Closes):
    """Parquet file of a contig."""

    def __init__(self, path: str | Path | IO[bytes], wanted: pa.Schema):
        self.file = parquet.released(path, wanted, wanted.metadata[b"goe"].decode())

    def group(self, table: pa.Table) -> None:
        """Write a row group."""
        self.file.write_table(table, row_group_size=ROW_GROUP)

    def close(self) -> None:
        self.file.close()
