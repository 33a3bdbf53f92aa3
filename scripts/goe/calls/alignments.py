"""Headers and counts of SAM, BAM and CRAM files, and their contigs in the reference's names."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Flags:
    """Reads of a file by their flags, each counted once. paired: of a pair; first, second: reads of pairs, of which
    failed_first and failed_second failed the sequencer's filter (0x200); failed: all that did."""

    primary: int
    paired: int
    first: int
    second: int
    failed: int
    failed_first: int
    failed_second: int

    @classmethod
    def of(cls, path: str) -> "Flags":
        kinds = json.loads(said("samtools", "flagstat", "-O", "json", path))
        failed = kinds["QC-failed reads"]

        def both(name: str) -> int:
            return sum(kind[name] or 0 for kind in kinds.values())

        names = ("primary", "paired in sequencing", "read1", "read2")
        primary, paired, first, second = map(both, names)
        bad = (failed[name] or 0 for name in ("primary", "read1", "read2"))
        return cls(primary, paired, first, second, *bad)


def pairs_of(path: str) -> Flags:
    """Reads of an unaligned BAM, all of them of pairs.

    GoeError when there are others, or when a first read of a pair has no second, or the reverse: a block that is
    missing from such a file, which has no index, shows in nothing else.
    """
    flags = Flags.of(path)
    if single := flags.primary - flags.paired:
        mend = "give read pairs; single-end reads are not taken"
        raise GoeError(Problem(path, f"{single} of its {flags.primary} reads are of no pair", mend))
    for of, first, second in (
        ("", flags.first, flags.second),
        (" that failed the sequencer's filter", flags.failed_first, flags.failed_second),
    ):
        if first != second:
            what = f"has {first} first reads of pairs{of} and {second} second ones"
            mend = "copy the file again and compare checksums, or take out reads without mate"
            raise GoeError(Problem(path, what, mend))
    return flags


def names_tell_ends(path: str, most: int) -> bool:
    """Whether a name among the first `most` records ends in /1 or /2, which SAM does not know."""
    rows = said("samtools", "head", "-h", 0, "-n", most, path).splitlines()
    return any(row.split("\t", 1)[0][-2:] in ("/1", "/2") for row in rows)


def _cells(line: str) -> dict[str, str]:
    """Tag -> value of a header line."""
    return dict(cell.split(":", 1) for cell in line.split("\t")[1:])


def read_groups_of_unit(path: str, unit: str, library: str) -> list[str]:
    """@RG lines of an unaligned BAM, their IDs after the unit's number, since two files of a person may have the same;
    library: of those that give none (LB)."""
    lines = []
    for line in read_groups(path):
        cells = _cells(line)
        cells["ID"] = f"{unit}.{cells['ID']}"
        cells["LB"] = cells.get("LB") or library
        lines.append("\t".join(["@RG", *(f"{tag}:{value}" for tag, value in cells.items())]))
    return lines


def libraries(path: str) -> list[str]:
    """Libraries (LB) of the read groups of a file, in order."""
    return list(dict.fromkeys(_cells(line).get("LB", "") for line in read_groups(path)))


def without_group(path: str, groups: Sequence[str]) -> int:
    """Reads that are of none of several @RG lines."""
    if len(groups) < 2:
        return 0
    known = [word for line in groups for word in ("-d", f"RG:{_cells(line)['ID']}")]
    return count_primary(path) - int(said("samtools", "view", "-c", "-F", "0x900", *known, path))


def by_contig(path: str) -> dict[str, int]:
    """Records by contig, `*` those on none."""
    rows = (line.split("\t") for line in said("samtools", "idxstats", path).splitlines())
    return {contig: int(mapped) + int(unmapped) for contig, _, mapped, unmapped in rows}


def contig_names(lines: Iterable[str]) -> dict[str, int]:
    """Contig -> length of the @SQ lines."""
    found = {}
    for line in lines:
        if line.startswith("@SQ\t"):
            tags = _cells(line)
            found[tags["SN"]] = int(tags["LN"])
    return found


def contig_map(
    contigs: Iterable[str], reference: Iterable[str], rename: dict[str, str], ignore: Iterable[str]
) -> tuple[dict[str, str], list[str], list[str]]:
    """(name in the file -> name in the reference, contigs to leave out, contigs that nothing says anything of).

    The last are neither in the reference nor renamed nor matched by a pattern of `ignore`.
    """
    known, patterns = set(reference), list(ignore)
    kept: dict[str, str] = {}
    dropped: list[str] = []
    strange: list[str] = []
    for contig in contigs:
        target = rename.get(contig, contig)
        if target in known:
            kept[contig] = target
        elif any(fnmatchcase(contig, p) or fnmatchcase(target, p) for p in patterns):
            dropped.append(contig)
        else:
            strange.append(contig)
    return kept, dropped, strange


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
