"""Callable AN of a release: at every position of a contig the alleles that would be called there, by stratum (C4.6).

A contig is a Parquet table of runs, and a part of one BED file of all contigs: position 0-based and half-open, a column
for each published stratum, runs without gaps from the contig's first base to its last. Numbers are sums of those of the
smallest groups (goe.frequencies.callable_an), which say how far they may be below the truth.

What is callable by calls and what by coverage alone are two sets of such files, of other people (`CALLED`, `PROXY`),
with columns of other names: the second is an estimate, and nobody shall add it to the first without meaning to.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from goe.core.files import Closes
from goe.hts import parquet
from goe.rules.dataset import COVERAGE_PROXY

# Runs of a row group, and of a piece of text.
ROW_GROUP = 1 << 17
_PLACE = {
    "contig": ("name", "Contig", "as in the reference"),
    "start": ("position", "First base of the run", "0-based"),
    "end": ("position", "Base behind the last of the run", "0-based"),
}


class Track(NamedTuple):
    """What runs are of. name: their folder, and a word of the BED file's name; prefix: of columns; files, an, rule:
    what the dictionary says."""

    name: str
    prefix: str
    files: str
    an: str
    rule: str

    def table(self, contig: str) -> str:
        """Path in the release."""
        return f"{self.name}/{contig}.parquet"

    def bed(self, dataset: str) -> str:
        """Path in the release."""
        return f"{self.name}/{dataset}.{self.name}.bed.gz"

    def column(self, stratum: str) -> str:
        """Name of a column: `an_EE_M`."""
        return f"{self.prefix}{stratum}"


CALLED = Track(
    "callable_an",
    "an_",
    "callable AN Parquet and BED",
    "Callable alleles at each base of the run",
    "2 for each person who would count as diploid there without an allele, 1 for each haploid; people of gVCFs and of "
    "reads. With min_carriers a lower bound (docs/disclosure.md)",
)
PROXY = Track(
    COVERAGE_PROXY,
    "proxy_an_",
    "coverage proxy Parquet and BED",
    "Alleles at each base of the run that reads lie deep enough on: an estimate, and no count",
    "2 for each person with min_dp reads there, 1 for each of whom one allele is expected with min_dp_haploid; people "
    "of joint and single-sample VCFs who have reads too, and nobody of callable AN. With min_carriers a lower bound "
    "(docs/disclosure.md)",
)


def schema(
    about: Mapping, people: Mapping[str, int], contig: str, method: str, short: Mapping[str, int], track: Track = CALLED
) -> pa.Schema:
    """Schema of the table of a contig.

    about: further facts (dataset, build). people: published strata in the order of the release -> people, public.
    method: an_method of these numbers. short: `least`, 0 where numbers are exact.
    """
    columns = [track.column(stratum) for stratum in people]
    goe = {
        **about,
        "contig": contig,
        "an_method": method,
        "strata": [{"stratum": s, "people": n, "an_at_most_below": short[s]} for s, n in people.items()],
        "columns": {
            name: {"description": description, "unit": unit} | ({"stratum": stratum} if stratum else {})
            for _, name, _, _, unit, stratum, description, _ in dictionary(tuple(people), track)
            if name in (*_PLACE, *columns)
        },
    }
    fields = [("contig", pa.string()), ("start", pa.int32()), ("end", pa.int32())]
    fields += [(name, pa.int32()) for name in columns]
    return pa.schema(
        [pa.field(name, kind, nullable=False) for name, kind in fields],
        metadata={"goe": json.dumps(goe, sort_keys=True)},
    )


def dictionary(strata: Sequence[str], track: Track = CALLED) -> list[tuple[str, ...]]:
    """Rows for the dictionary of the release: file, name, type, number, unit, stratum, description, rule."""
    out: list[tuple[str, ...]] = []
    for name, (unit, description, rule) in _PLACE.items():
        kind = "string" if name == "contig" else "int32"
        out.append((track.files, name, kind, "", unit, "", description, rule))
    for s in strata:
        out.append((track.files, track.column(s), "int32", "", "alleles", s, track.an, track.rule))
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


def head(strata: Sequence[str], track: Track = CALLED) -> str:
    """The line of column names of the BED file."""
    return "\t".join(["#contig", "start", "end", *map(track.column, strata)]) + "\n"


def strata_of(path: str | Path) -> list[str]:
    """Strata of a table, in order."""
    return [entry["stratum"] for entry in json.loads(pq.read_schema(path).metadata[b"goe"])["strata"]]


class Writer(Closes):
    """Parquet file of a contig."""

    def __init__(self, path: str | Path | IO[bytes], wanted: pa.Schema):
        # Ends of runs as differences: in words, of which each is another one, they are two thirds of the file.
        ends = ("start", "end")
        self.file = parquet.released(
            path,
            wanted,
            wanted.metadata[b"goe"].decode(),
            use_dictionary=[name for name in wanted.names if name not in ends],
            column_encoding=dict.fromkeys(ends, "DELTA_BINARY_PACKED"),
        )

    def group(self, table: pa.Table) -> None:
        """Write a row group."""
        self.file.write_table(table, row_group_size=ROW_GROUP)

    def close(self) -> None:
        self.file.close()
