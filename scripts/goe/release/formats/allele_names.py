"""Names of the alleles of a release that other systems know: a Parquet table a contig, in the order of the wide table.

They follow from the sequence and stand apart from the numbers, since 32 letters of an identifier are as many as most of
an allele's numbers and nothing packs them. `goe.genome.vrs` says what they are.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from goe.core import tables
from goe.core.errors import GoeError, Problem
from goe.core.files import Closes
from goe.core.resources import RESOURCES
from goe.frequencies.block import Block
from goe.genome import vrs
from goe.genome.dbsnp import RsNumbers
from goe.hts import parquet
from goe.release.reading import reading

DICTIONARY = RESOURCES / "dictionary" / "names.tsv"
REFGET = re.compile(r"SQ\.[0-9A-Za-z_-]{32}")
KEYS = ("contig", "pos", "ref", "alt")
NAMES = ("vrs_id", "spdi", "rsid")
DBSNP = re.compile(r"[0-9]{1,4}")
TEXT = ("contig", "ref", "alt", *NAMES)
_TYPES = {"string": pa.string(), "int32": pa.int32()}


def schema(about: Mapping, contig: str, refget: str, dbsnp: str | None = None) -> pa.Schema:
    """Schema of the table of a contig. about: further facts (dataset, build). refget: of its sequence. dbsnp: build of
    dbSNP, where rs numbers are of one that says its own."""
    rows = tables.read(DICTIONARY)
    goe = {
        **about,
        "contig": contig,
        "refget": refget,
        "vrs": vrs.VERSION,
        **({"dbsnp": dbsnp} if dbsnp else {}),
        "columns": {row["column"]: {"description": row["description"], "unit": row["unit"]} for row in rows},
    }
    return pa.schema(
        [pa.field(row["column"], _TYPES[row["type"]], nullable=row["column"] in ("spdi", "rsid")) for row in rows],
        metadata={"goe": json.dumps(goe, sort_keys=True)},
    )


def dictionary() -> list[tuple[str, ...]]:
    """Rows for the dictionary of the release: file, name, type, number, unit, stratum, description, rule."""
    return [
        ("names Parquet", row["column"], row["type"], "", row["unit"], "", row["description"], row["rule"])
        for row in tables.read(DICTIONARY)
    ]


def of(block: Block, names: vrs.Names, numbers: RsNumbers | None = None) -> dict[str, pa.Array]:
    """Name of each of NAMES -> text of the alleles of a block, null where there is none. numbers: of dbSNP."""
    alleles = [getattr(block, key).to_pylist() for key in KEYS[1:]]
    found = [names.of(*allele) for allele in zip(*alleles, strict=True)]
    ids, spdi = ([one[i] for one in found] for i in range(2))
    columns = (ids, spdi, numbers.of(*alleles) if numbers else [None] * len(block))
    return {name: pa.array(column, pa.string()) for name, column in zip(NAMES, columns, strict=True)}


class Writer(Closes):
    """Table of one contig, a row group per block; blocks have their names."""

    def __init__(self, path: str | Path | IO[bytes], wanted: pa.Schema):
        self.wanted = wanted
        text = {"use_dictionary": ["contig"], "column_encoding": {"pos": "DELTA_BINARY_PACKED"}}
        self.file = parquet.released(path, wanted, wanted.metadata[b"goe"].decode(), **text)

    def write(self, block: Block) -> None:
        contig = pa.repeat(pa.scalar(block.contig, pa.string()), len(block))
        columns = [contig, block.pos, block.ref, block.alt, *(block.names[name] for name in NAMES)]
        self.group(pa.Table.from_arrays(columns, schema=self.wanted))

    def group(self, table: pa.Table) -> None:
        """Write a row group."""
        self.file.write_table(table, row_group_size=max(1, len(table)))

    def close(self) -> None:
        self.file.close()


def origin(path: str | Path) -> tuple[str, str | None]:
    """The sequence that a table names, and the build of dbSNP; GoeError when it names no sequence or no build."""
    with reading(path):
        found = pq.read_schema(path)
    try:
        about = json.loads((found.metadata or {})[b"goe"])
        refget, dbsnp = about["refget"], about.get("dbsnp")
        if REFGET.fullmatch(refget) and (dbsnp is None or DBSNP.fullmatch(dbsnp)):
            return refget, dbsnp
    except (AttributeError, KeyError, TypeError, ValueError):
        pass
    raise GoeError(Problem(str(path), "its metadata do not say of which sequence it is", "get the file again"))
