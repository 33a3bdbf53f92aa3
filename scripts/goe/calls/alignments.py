"""Headers and counts of SAM, BAM and CRAM files, and their contigs in the reference's names."""

import json
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from goe.core.errors import GoeError, Problem
from goe.core.processes import said


def header_lines(path: str) -> list[str]:
    return said("samtools", "view", "-H", "--no-PG", path).splitlines()


def read_groups(path: str) -> list[str]:
    """@RG lines of a file."""
    return [line for line in header_lines(path) if line.startswith("@RG\t")]


def read_group_line(fields: dict[str, str]) -> str:
    """@RG line for `bwa mem -R`: fields as `ID`, `SM`, ..., with what SAM cannot hold replaced by `_`."""
    clean = {key: re.sub(r"[^ -~]|\\", "_", value) for key, value in fields.items()}
    return "\\t".join(["@RG", *(f"{key}:{value}" for key, value in clean.items())])


def count_primary(path: str, fasta: str = "") -> int:
    """Number of reads, each counted once: records that are neither secondary nor supplementary."""
    reference = ["-T", fasta] if fasta else []
    return int(said("samtools", "view", "-c", "-F", "0x900", *reference, path))


def count_pairs(path: str) -> int:
    """Number of reads of an unaligned BAM; GoeError when a first read of a pair has no second, or the reverse.

    A block that is missing from such a file, which has no index, shows in nothing else.
    """
    kinds = json.loads(said("samtools", "flagstat", "-O", "json", path)).values()
    primary, first, second = (sum(kind[name] or 0 for kind in kinds) for name in ("primary", "read1", "read2"))
    if first != second:
        what = f"has {first} first reads of pairs and {second} second ones"
        raise GoeError(Problem(path, what, "copy the file again and compare checksums, or take out reads without mate"))
    return primary


def by_contig(path: str) -> dict[str, int]:
    """Records by contig, `*` those on none."""
    rows = (line.split("\t") for line in said("samtools", "idxstats", path).splitlines())
    return {contig: int(mapped) + int(unmapped) for contig, _, mapped, unmapped in rows}


def contig_names(lines: Iterable[str]) -> dict[str, int]:
    """Contig -> length of the @SQ lines."""
    found = {}
    for line in lines:
        if line.startswith("@SQ\t"):
            tags = dict(cell.split(":", 1) for cell in line.split("\t")[1:])
            found[tags["SN"]] = int(tags["LN"])
    return found


def contig_map(
    contigs: Iterable[str], reference: Iterable[str], rename: dict[str, str], ignore: Iterable[str], name: str
) -> tuple[dict[str, str], list[str]]:
    """(name in the file -> name in the reference, contigs to leave out).

    GoeError names contigs that are neither in the reference nor renamed nor matched by a pattern of `ignore`.
    """
    known, patterns = set(reference), list(ignore)
    kept: dict[str, str] = {}
    dropped: list[str] = []
    strange = []
    for contig in contigs:
        target = rename.get(contig, contig)
        if target in known:
            kept[contig] = target
        elif any(fnmatchcase(contig, p) or fnmatchcase(target, p) for p in patterns):
            dropped.append(contig)
        else:
            strange.append(contig)
    if strange:
        shown = ", ".join(strange[:5]) + (f" and {len(strange) - 5} more" if len(strange) > 5 else "")
        raise GoeError(
            Problem(name, f"contigs {shown} are not in the reference", "reference.rename or reference.ignore_contigs")
        )
    return kept, dropped


class Renamer:
    """SAM text lines with contigs renamed, and reads on contigs that are left out dropped.

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
