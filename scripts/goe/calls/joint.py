"""Joint VCFs, read straight from the file, region by region."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from goe.core.errors import GoeError, Problem
from goe.core.processes import Poured, said
from goe.genome.build import Region
from goe.hts import indexes, plain, vcf_header
from goe.hts.bcf import Reader, open_bcf
from goe.hts.by_index import Part


@dataclass(frozen=True)
class JointFile:
    """A joint VCF or BCF. rename: names in the file -> names in the reference; records: by contig and region (first and
    last position), as a pass over the whole file counted them (goe.calls.scan)."""

    path: str
    rename: dict[str, str]
    records: dict[Region, int]

    @classmethod
    def counted(cls, path: str | Path, rename: Mapping[str, str]) -> "JointFile":
        """From what rule joint_file left of it; rename: names in the file -> names in the reference."""
        document = json.loads(Path(path).read_text())
        return cls(document["path"], dict(rename), {Region.parse(name): n for name, n in document["regions"].items()})

    def has(self, contig: str) -> bool:
        """Whether the file has a record on a contig that is counted."""
        return any(n for (name, _, _), n in self.records.items() if name == contig)


def header_of(path: str) -> list[str]:
    """Lines of the header. Bytes that are no UTF-8 (old descriptions in Latin-1) are nobody's genotype."""
    return said("bcftools", "view", "-h", "--no-version", plain.word(path)).splitlines()


def with_index(path: str) -> str:
    """The file as htslib is told it together with its index."""
    index = indexes.of_vcf(path)
    return f"{path}##idx##{index}" if index else path


@contextmanager
def opened(file: JointFile, region: Region, info: tuple[str, ...], formats: tuple[str, ...]) -> Iterator[Reader]:
    """Records of a joint file with POS in the region, straight from it; contigs have the reference's names.

    info, formats: keys wanted (goe.hts.bcf.Reader). After the last record: GoeError when the file holds another number
    of records there than its index led to.
    """
    known = vcf_header.parse(header_of(file.path)).of("contig")
    old = next((name for name, new in file.rename.items() if new == region.contig and name in known), region.contig)
    where = f"{old}:{region.start}-{region.end}"
    source: str | Poured = with_index(file.path)
    arguments = ["--regions", where, "--regions-overlap", "pos"]
    if not file.has(region.contig):
        source, arguments = plain.word(file.path), ["--header-only"]
    elif plain.is_encrypted(file.path):
        source, arguments = Part(file.path, indexes.of_vcf(file.path), old, region.start, region.end), []
    with open_bcf(source, *arguments, info=info, formats=formats) as reader:
        reader.header.contigs = {n: file.rename.get(name, name) for n, name in reader.header.contigs.items()}
        reader.name = file.path
        stream_is_whole = reader.finish

        def finish() -> None:
            stream_is_whole()
            held = file.records.get(region, 0)
            if reader.records != held:
                what = f"holds {held} records in {region.name}, and by its index there are {reader.records}"
                raise GoeError(Problem(file.path, what, "the index is of another file or cut off: make it again"))

        # Before whoever reads it calls what they wrote whole.
        reader.finish = finish
        yield reader
