"""The harmonised BCF of a region, which everything after it reads: its files, and the tools that make them.

`split` leaves two files for a region. In the first are the SNVs that are final as they are; in the second all that
left-alignment may move, and atoms of longer alleles, through `bcftools norm` and `bcftools sort`. `merge` brings them
together with what the neighbours' second files have for the region.
"""

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from goe.core.files import scratch as scratch_of
from goe.core.ledger import Ledger
from goe.core.processes import feeding, tool, whole_or_none
from goe.genome.build import Build, Region
from goe.harmonise import records as harmonise
from goe.hts.bcf import Header, Reader, open_bcf

# Levels of bgzip: of what is read once more, soon, and of what stays.
_FAST, _STAYS = "1", "4"
# Memory of the sort, which writes to disk what is more.
_SORT = "64M"


def open_harmonised(path: str | Path) -> open_bcf:
    """Reader over the files of this module."""
    return open_bcf(str(path), info=tuple(harmonise.INFO), formats=tuple(harmonise.FORMATS | harmonise.RAW_FORMAT))


def header_of(headers: Sequence[Header], samples: list[str]) -> Header:
    """A header with these samples, and the FILTERs of the others."""
    filters = {name: line for header in headers for name, line in header.filters.items()}
    return Header(samples, {}, {}, filters, set())


@contextlib.contextmanager
def bgzf(path: str | Path, level: str = _STAYS) -> Iterator[IO[bytes]]:
    with Path(path).open("wb") as file, feeding(["bgzip", "-c", "-l", level], stdout=file) as stream:
        yield stream


def split(reader: Reader, splitter: harmonise.Splitter, fasta: str | Path, snvs: str | Path, moved: str | Path) -> None:
    """Write the two files of the splitter's region."""
    with whole_or_none(snvs, moved), scratch_of(moved) as scratch:
        norm = ["bcftools", "norm", "--no-version", "-f", fasta, "--check-ref", "e", "-Ou", "-"]
        sort = ["bcftools", "sort", "-m", _SORT, "-T", f"{scratch}/sort", "-Ob", "-o", moved, "-"]
        with bgzf(snvs, _FAST) as final, feeding(norm, sort) as rest:
            out = {
                is_final: harmonise.writer(stream, reader.header, splitter.build, splitter.raw)
                for is_final, stream in ((True, final), (False, rest))
            }
            for record, is_final in splitter(reader):
                out[is_final].write(record)


def merge(
    snvs: str | Path,
    moved: Sequence[str | Path],
    build: Build,
    region: Region,
    raw: bool,
    target: str | Path,
    ledger: Ledger,
) -> None:
    """Write the region's harmonised BCF and its index.

    snvs: first file of the region; moved: second files of the region and of those beside it.
    """
    with whole_or_none(target, f"{target}.csi"):
        with ExitStack() as stack:
            readers = [stack.enter_context(open_harmonised(path)) for path in (snvs, *moved)]
            stream = stack.enter_context(bgzf(target))
            out = harmonise.writer(stream, [reader.header for reader in readers], build, raw)
            same = all(out.speaks_as(reader.header) for reader in readers)
            for record in harmonise.merge_records(readers, region, ledger, raw):
                if same and record.raw:
                    out.copy(record)
                else:
                    out.write(record)
        tool("bcftools", "index", "--csi", "--force", target)
