"""Frequencies by country for `collection.html`, in files beside it, `collection-data/<contig>.<number>.js`.

Chunks are those of `goe.pages.packed`. Words: the distinct `pairs` ("A>G"), `filters` and `status`. Columns: step of
pos from the allele before (the first from its own pos: 0), index in pairs, in filters, in status, then for each
stratum AC at least, what AC is more at most, AN, and what AN is more at most.
"""

import base64
import json
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from goe.collect import form
from goe.core.files import write_whole
from goe.pages import packed
from goe.release import bounds
from goe.release.formats.wide_table import column
from goe.rules.stratum import TOTAL, parse

FOLDER = "collection-data"
NUMBERS = ("ac_lo", "ac_hi", "an", "an_hi")


def strata(every: Iterable[str]) -> list[str]:
    """Strata of the page: everybody and the countries of origin."""
    return [s for s in form.ordered(every) if s == TOTAL or parse(s).is_country]


def pack(sums: pa.Table, every: Sequence[str]) -> bytes:
    """The chunk of a piece of the table of sums that is not empty, before zlib. every: strata of the page."""
    pos = sums["pos"].to_numpy().astype(np.int64)
    pairs = pc.binary_join_element_wise(sums["ref"], sums["alt"], ">").combine_chunks().dictionary_encode()
    words = [pairs, *(sums[name].combine_chunks().dictionary_encode() for name in ("filter", "status"))]
    columns = [packed.column(np.diff(pos, prepend=pos[:1])), *(packed.column(w.indices.to_numpy()) for w in words)]
    for s in every:
        lo, hi, an, an_hi = (sums[column(name, s)].to_numpy().astype(np.int64) for name in NUMBERS)
        columns += [packed.column(values) for values in (lo, hi - lo, an, an_hi - an)]
    names = dict(zip(("pairs", "filters", "status"), (w.dictionary.to_pylist() for w in words), strict=True))
    return packed.chunk(sums.num_rows, names, columns)


def names(index: dict) -> list[str]:
    """Files of a contig, by its index."""
    return packed.names(FOLDER, index["contig"], len(index["chunks"]))


class Writer:
    """Files of one contig, below `root`; pieces come in order. `index`: {contig, chunks: [[first pos, last pos, last
    base that an allele reaches, alleles, Adler-32], ...]}."""

    def __init__(self, root: str | Path, collection: str, contig: str, every: Sequence[str]):
        self.root, self.collection, self.contig, self.every = Path(root), collection, contig, list(every)
        self.waiting: list[str] = []
        self.chunks: list[list[int]] = []
        self.files = 0
        (self.root / FOLDER).mkdir(parents=True, exist_ok=True)

    def write(self, sums: pa.Table) -> None:
        raw = pack(sums, self.every)
        pos = sums["pos"].to_numpy().astype(np.int64)
        reach = int((pos + pc.binary_length(sums["ref"]).to_numpy() - 1).max())
        self.chunks.append([int(pos[0]), int(pos[-1]), reach, sums.num_rows, zlib.adler32(raw)])
        self.waiting.append(packed.text(raw))
        if len(self.waiting) == packed.CHUNKS_PER_FILE:
            self._flush()

    def _flush(self) -> None:
        content = packed.call(self.collection, self.contig, self.files, self.waiting)
        write_whole(self.root / packed.name(FOLDER, self.contig, self.files), content)
        self.waiting, self.files = [], self.files + 1

    def close(self) -> dict:
        if self.waiting:
            self._flush()
        return {"contig": self.contig, "chunks": self.chunks}


def read(root: str | Path, collection: str, index: dict, many: int) -> Iterator[bytes]:
    """The chunks of a contig, unpacked. many: strata. ValueError when a file is not what the index says."""
    number = 0
    for file, where in enumerate(names(index)):
        content = (Path(root) / where).read_text(encoding="ascii")
        body = content.removeprefix("goeLookup(").removesuffix(");\n")
        *about, chunks = json.loads(f"[{body}]")
        if about != [collection, index["contig"], file] or content != f"goeLookup({body});\n":
            raise ValueError(f"{where} is of another collection")
        for text in chunks:
            inflated = zlib.decompressobj()
            raw = inflated.decompress(base64.b64decode(text, validate=True), bounds.lookup_chunk(many))
            if not inflated.eof or inflated.unused_data:
                raise ValueError(f"{where} has a chunk that is none")
            if number >= len(index["chunks"]) or zlib.adler32(raw) != index["chunks"][number][4]:
                raise ValueError(f"{where} is not what the page says of it")
            number += 1
            yield raw
    if number != len(index["chunks"]):
        raise ValueError(f"{index['contig']} has not all its chunks")


class Chunk:
    """A chunk unpacked, by other code than packs it. numbers: (stratum, number of NUMBERS) -> int64 (alleles,)."""

    def __init__(self, raw: bytes, first: int, every: Sequence[str]):
        (size,) = struct.unpack_from("<I", raw)
        head = json.loads(raw[4 : 4 + size])
        data, n = np.frombuffer(raw, np.uint8, offset=4 + size), head["n"]
        if not 0 < n <= bounds.CHUNK_ALLELES or any(not 0 <= width <= 4 for _, width, _ in head["columns"]):
            raise ValueError("no size of a chunk")

        def column_(i: int) -> np.ndarray:
            base, width, at = head["columns"][i]
            planes = data[at : at + width * n].reshape(width, n).astype(np.int64)
            return base + sum((plane << 8 * k for k, plane in enumerate(planes)), np.zeros(n, np.int64))

        self.pos = first + np.cumsum(column_(0))
        self.pair, self.filter, self.status = (
            [head[name][i] for i in column_(k)] for k, name in enumerate(("pairs", "filters", "status"), 1)
        )
        self.numbers: dict[tuple[str, str], np.ndarray] = {}
        for k, s in enumerate(every):
            lo, more, an, an_more = (column_(4 + 4 * k + i) for i in range(4))
            parts = (lo, lo + more, an, an + an_more)
            self.numbers |= {(s, number): values for number, values in zip(NUMBERS, parts, strict=True)}
