"""Headers and counts of SAM, BAM and CRAM files, and their contigs in the reference's names."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from goe.core.errors import GoeError, Problem
from goe.core.processes import said
from goe.hts import plain


def header_lines(path: str) -> list[str]:
    return said("samtools", "view", "-H", "--no-PG", plain.word(path)).splitlines()


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
    return int(said("samtools", "view", "-c", "-F", "0x900", *reference, plain.word(path)))


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
        kinds = json.loads(said("samtools", "flagstat", "-O", "json", plain.word(path)))
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
    rows = said("samtools", "head", "-h", 0, "-n", most, plain.word(path)).splitlines()
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
    return count_primary(path) - int(said("samtools", "view", "-c", "-F", "0x900", *known, plain.word(path)))


def by_contig(path: str) -> dict[str, int]:
    """Records by contig, `*` those on none."""
    rows = (line.split("\t") for line in said("samtools", "idxstats", plain.word(path)).splitlines())
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
