"""One pass over a whole joint VCF or BCF: what the file holds, before any index is believed (C5).

Regions are cut out of joint files by their index, and htslib ends well with an index that is of another file, or that
does not reach the end of its own. So the records are counted here, by region, and each cut is held against its count.
Every block is inflated, so its checksum is asked too.
"""

import gzip
import io
import struct
import zlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import BinaryIO

from isal import igzip, isal_zlib

from goe.core.errors import GoeError, Problem
from goe.core.ledger import Ledger
from goe.genome.build import Region
from goe.hts import bgzf, plain

_PIECE = 1 << 22
# Of a line the cells up to FORMAT are looked at; those of people stay one piece.
_CELLS = 9


class _Scan:
    """Counters of one file, and what is wrong with its lines."""

    def __init__(self, path: str, rename: Mapping[str, str], contigs: Mapping[str, int], regions: Mapping[str, Region]):
        self.path, self.rename, self.contigs = path, rename, contigs
        self.names: dict[str, list[str]] = {}
        self.ends: dict[str, list[int]] = {}
        for name, region in regions.items():
            self.names.setdefault(region.contig, []).append(name)
            self.ends.setdefault(region.contig, []).append(region.end)
        self.found: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self.records = 0
        self._seen: set[str] = set()
        self._last = ("", 0)

    def problem(self, where: str, what: str, mend: str) -> GoeError:
        return GoeError(Problem(f"{self.path}, {where}" if where else self.path, what, mend))

    def add(self, contig: str, pos: int) -> None:
        """A record with its contig as the file names it."""
        last, before = self._last
        if contig != last:
            if contig in self._seen:
                what = f"{contig} comes a second time, after {last}: not sorted"
                raise self.problem(f"record {self.records + 1}", what, "bcftools sort, and index it again")
            self._seen.add(contig)
        elif pos < before:
            what = f"{contig}:{pos} comes after {contig}:{before}: not sorted"
            raise self.problem(f"record {self.records + 1}", what, "bcftools sort, and index it again")
        self._last = (contig, pos)
        self.records += 1
        target = self.rename.get(contig, contig)
        if target not in self.contigs:
            self.left_out["contig_not_counted"] += 1
        elif pos < 1:
            self.left_out["position_0"] += 1
        elif pos > self.contigs[target]:
            self.left_out["behind_contig_end"] += 1
        else:
            self.found[self.names[target][bisect_left(self.ends[target], pos)]] += 1


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines without their end; those that are many megabytes long are put together once."""
    rest: list[bytes] = []
    while piece := stream.read(_PIECE):
        start = 0
        while (end := piece.find(b"\n", start)) >= 0:
            if rest:
                rest.append(piece[start:end])
                yield b"".join(rest)
                rest = []
            else:
                yield piece[start:end]
            start = end + 1
        if start < len(piece):
            rest.append(piece[start:])
    if rest:
        yield b"".join(rest)


def _text(scan: _Scan, lines: Iterable[bytes]) -> None:
    declared: dict[bytes, set[bytes]] = {b"FILTER": {b"PASS", b".", b""}, b"FORMAT": {b".", b""}}
    known: dict[bytes, set[bytes]] = {b"FILTER": set(), b"FORMAT": set()}
    columns = 0
    for number, line in enumerate(lines, 1):
        where = f"line {number}"
        if line.startswith(b"#"):
            if columns:
                what = "is a header line behind the first record: several files were put together as they are"
                raise scan.problem(where, what, "bcftools concat them, and index the new file")
            kind, _, rest = line[2:].partition(b"=<ID=")
            if kind in declared:
                declared[kind].add(rest.rstrip(b">").split(b",")[0])
            columns = line.count(b"\t") + 1 if line.startswith(b"#CHROM") else 0
            continue
        if not line.strip():
            raise scan.problem(where, "is empty, and htslib stops there without an error", "take the line out")
        if line.count(b"\t") + 1 != columns:
            what = f"has {line.count(chr(9).encode()) + 1} columns where the header has {columns}"
            raise scan.problem(where, what, "make the file again")
        cells = line.split(b"\t", _CELLS)
        for kind, cell, mark in ((b"FILTER", cells[6], b";"), (b"FORMAT", cells[8] if columns > 8 else b"", b":")):
            if cell not in known[kind]:
                parts = cell.split(mark)
                if kind == b"FORMAT" and len(set(parts)) != len(parts):
                    what = f"FORMAT {cell.decode(errors='replace')} names a field twice"
                    raise scan.problem(where, what, "make the file again")
                if unknown := sorted(set(parts) - declared[kind]):
                    names = b", ".join(unknown[:5]).decode(errors="replace")
                    what = f"{kind.decode()} {names} has no ##{kind.decode()} line in the header"
                    raise scan.problem(where, what, "add the line with bcftools annotate --header-lines")
                known[kind].add(cell)
        if not cells[1].isdigit():
            position = cells[1][:20].decode(errors="replace")
            raise scan.problem(where, f"{position!r} is no position", "make the file again")
        scan.add(cells[0].decode(errors="replace"), int(cells[1]))


def _binary(scan: _Scan, stream: BinaryIO) -> None:
    # Not at the top: numba takes half a second, and a VCF needs none of it.
    from goe.hts.bcf import Header

    damaged = "is damaged or cut off"

    def exactly(n: int, where: str) -> bytes:
        data = stream.read(n)
        if len(data) != n:
            raise scan.problem(where, damaged, "copy or make the file again")
        return data

    (length,) = struct.unpack("<I", exactly(9, "header")[5:])
    contigs = Header.parse(exactly(length, "header").decode(errors="replace")).contigs
    while start := stream.read(8):
        where = f"record {scan.records + 1}"
        if len(start) < 8:
            raise scan.problem(where, damaged, "copy or make the file again")
        shared, single = struct.unpack("<II", start)
        if shared < 24:
            raise scan.problem(where, damaged, "copy or make the file again")
        rid, pos = struct.unpack("<ii", exactly(8, where))
        if rid not in contigs:
            what = f"lies on the contig of number {rid}, which the header does not have"
            raise scan.problem(where, what, "make the file again, with all ##contig lines")
        rest = shared - 8 + single
        while rest:
            rest -= len(exactly(min(rest, _PIECE), where))
        scan.add(contigs[rid], pos + 1)


def scan(
    path: str, rename: Mapping[str, str], contigs: Mapping[str, int], regions: Mapping[str, Region]
) -> tuple[Counter[str], Ledger]:
    """Records of a BGZF-compressed VCF or BCF by region, and the account of the file: `in` is what it holds.

    rename: contig in the file -> in the reference; contigs: those counted, name -> length; regions: as
    `goe.genome.build.regions` gives them. GoeError names the line or record that cannot be read or is out of order.
    """
    found = _Scan(path, rename, contigs, regions)
    try:
        with plain.opened(path) as packed, igzip.open(packed, "rb") as file:
            stream = io.BufferedReader(file, _PIECE)
            if stream.peek(3)[:3] == b"BCF":
                _binary(found, stream)
            else:
                _text(found, _lines(stream))
    except (EOFError, OSError, zlib.error, isal_zlib.error, gzip.BadGzipFile) as error:  # type: ignore[misc]
        what = f"is damaged or cut off behind its record {found.records}: {error}"
        raise found.problem("", what, "copy or make the file again") from error
    with plain.opened(path) as packed:
        if not bgzf.is_ended(packed):
            raise found.problem("", *bgzf.UNENDED)
    ledger = Ledger("joint_file")
    ledger.take("records", found.records)
    ledger.give("records", found.found.total())
    for reason, n in sorted(found.left_out.items()):
        ledger.drop("records", reason, n)
    ledger.check()
    return found.found, ledger


def hold_contigs(path: str, found: Mapping[str, int], planned: Collection[str]) -> None:
    """GoeError when the file has records on contigs that the run was not planned for, by its index.

    found: records by region, as `scan` gives them; planned: contigs.
    """
    missed = sorted({Region.parse(name).contig for name, n in found.items() if n} - set(planned))
    if missed:
        what = f"holds records on {', '.join(missed)}, of which its index knows nothing"
        raise GoeError(Problem(path, what, "the index is of another file or cut off: make it again"))
