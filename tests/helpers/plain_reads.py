"""SAM text on the contigs of another reference, line by line."""

from collections.abc import Iterable, Iterator


class Renamer:
    """What goe.hts.bam does to a BAM, done to SAM: contigs renamed, reads on those that are left out dropped.

    names: name in the file -> in the reference, for every contig kept. A read whose mate is on a dropped contig
    keeps its place, and its mate becomes unplaced. @PG lines go: they hold paths. M5 and UR of @SQ go: they
    are the other file's, and samtools sets M5 anew. `dropped` counts primary reads by contig, `kept` those that stay,
    `records` all lines that came, secondary and supplementary ones too.
    """

    def __init__(self, names: dict[str, str]):
        self._names = {old.encode(): new.encode() for old, new in names.items()} | {b"*": b"*", b"=": b"="}
        self.dropped: dict[str, int] = {}
        self.kept = 0
        self.records = 0

    def __call__(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        for line in lines:
            if line.startswith(b"@"):
                header = self._header(line)
                if header:
                    yield header
                continue
            self.records += 1
            cells = line.split(b"\t", 7)
            contig = self._names.get(cells[2])
            primary = not int(cells[1]) & 0x900
            if contig is None:
                if primary:
                    name = cells[2].decode()
                    self.dropped[name] = self.dropped.get(name, 0) + 1
                continue
            self.kept += primary
            cells[2] = contig
            mate = self._names.get(cells[6])
            if mate is None:
                cells[1] = b"%d" % ((int(cells[1]) | 0x8) & ~0x22)
                mate, rest = b"*", cells[7].split(b"\t", 2)
                cells[7] = b"\t".join([b"0", b"0", rest[2]])
            cells[6] = mate
            yield b"\t".join(cells)

    def _header(self, line: bytes) -> bytes | None:
        if line.startswith(b"@PG\t"):
            return None
        if not line.startswith(b"@SQ\t"):
            return line
        cells = line.split(b"\t")
        name = next(c[3:] for c in cells if c.startswith(b"SN:"))
        if name not in self._names:
            return None
        kept = [c for c in cells[1:] if not c.startswith((b"SN:", b"M5:", b"UR:"))]
        return b"\t".join([b"@SQ", b"SN:" + self._names[name], *kept])
