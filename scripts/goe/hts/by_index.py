"""Records of one region of an encrypted VCF or BCF, by its index.

htslib seeks in a file, which nobody can in a pipe. Segments of Crypt4GH can be opened one by one (`goe.hts.plain`), so
the region is cut out here, and what a program gets is a VCF or BCF with the header and the records of the region.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, BinaryIO

from isal import igzip

from goe.hts import indexes, plain, vcf_header


@dataclass(frozen=True)
class Part:
    """Records that begin in a region of an encrypted VCF or BCF with BGZF blocks, as what is poured into a program
    (`goe.core.processes.Poured`). start, end: 1-based, inclusive. index: the path of its index.

    What an index leads to is told; whether that is all of the region, whoever has counted the file has to ask.
    """

    path: str
    index: str
    contig: str
    start: int
    end: int

    def __str__(self) -> str:
        return self.path

    def pour(self, sink: IO[bytes]) -> None:
        for piece in self.pieces():
            sink.write(piece)

    def pieces(self) -> Iterator[bytes]:
        """The header, and the records one by one; of a VCF they are lines."""
        with plain.opened(self.path) as file:
            with igzip.open(file, "rb") as stream:
                bcf = stream.read(3) == b"BCF"
                stream.seek(0)
                header = _binary_header(stream) if bcf else b"".join(_text_header(stream))
            yield header
            text = header[9:].rstrip(b"\0") if bcf else header
            contigs = vcf_header.parse(text.decode(errors="replace").split("\n"), self.path).contig_numbers()
            order = [contigs.get(number, "") for number in range(max(contigs, default=-1) + 1)]
            offset = indexes.offset(self.index, self.contig, self.start, order)
            if offset is None:
                return
            file.seek(offset >> 16)
            with igzip.open(file, "rb") as stream:
                stream.read(offset & 0xFFFF)
                yield from self._binary(stream, order.index(self.contig)) if bcf else self._text(stream)

    def _text(self, stream: BinaryIO) -> Iterator[bytes]:
        contig, seen = self.contig.encode(), False
        for line in stream:
            cells = line.split(b"\t", 2)
            if cells[0] != contig or line[:1] == b"#":
                if seen:
                    return
                continue
            seen, pos = True, int(cells[1])
            if pos > self.end:
                return
            if pos >= self.start:
                yield line

    def _binary(self, stream: BinaryIO, contig: int) -> Iterator[bytes]:
        seen = False
        while len(sizes := stream.read(8)) == 8:
            record = stream.read(sum(struct.unpack("<II", sizes)))
            number, pos = struct.unpack_from("<ii", record)
            if number != contig:
                if seen:
                    return
                continue
            seen = True
            if pos >= self.end:
                return
            if pos + 1 >= self.start:
                yield sizes + record


def _text_header(stream: BinaryIO) -> Iterator[bytes]:
    for line in stream:
        if not line.startswith(b"#"):
            return
        yield line


def _binary_header(stream: BinaryIO) -> bytes:
    start = stream.read(9)
    return start + stream.read(struct.unpack_from("<I", start, 5)[0])
