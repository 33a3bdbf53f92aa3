"""BAI, TBI and CSI indexes: which contigs have records, and how many (SAM specification, sections 5.1.1 and 5.2)."""

import gzip
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from goe.core.errors import GoeError, Problem
from goe.hts import vcf_header


@dataclass(frozen=True)
class Index:
    """names: of the contigs, none in the index of a BAM or BCF; by number of the contig: has, whether it has records;
    mapped, unmapped: how many, None where the index does not say. unplaced: records on no contig, None likewise."""

    names: list[str]
    has: list[bool]
    mapped: list[int | None]
    unmapped: list[int | None]
    unplaced: int | None

    def total(self) -> int | None:
        """Records of the whole file; None where the index does not tell."""
        known = [n for has, n in zip(self.has, self.mapped, strict=True) if has]
        if None in known or self.unplaced is None:
            return None
        return sum(n or 0 for n in (*self.mapped, *self.unmapped, self.unplaced))


def _body(data: bytes, at: int, references: int, depth: int, linear: bool, names: list[str]) -> Index:
    # The bin after the last real one holds counts.
    pseudo = ((1 << 3 * (depth + 1)) - 1) // 7 + 1
    head = struct.Struct("<Ii" if linear else "<I8xi")
    has: list[bool] = []
    mapped: list[int | None] = []
    unmapped: list[int | None] = []
    for _ in range(references):
        (bins,) = struct.unpack_from("<i", data, at)
        at += 4
        found, counts = False, (None, None)
        for _ in range(bins):
            number, chunks = head.unpack_from(data, at)
            at += head.size
            if number == pseudo and chunks == 2:
                counts = struct.unpack_from("<QQ", data, at + 16)
            found |= number != pseudo
            at += 16 * chunks
        if linear:
            at += 4 + 8 * struct.unpack_from("<i", data, at)[0]
        has.append(found)
        mapped.append(counts[0])
        unmapped.append(counts[1])
    if at > len(data):
        raise ValueError("is cut off")
    # Which an index need not have.
    unplaced = struct.unpack_from("<Q", data, at)[0] if len(data) > at else None
    return Index(names, has, mapped, unmapped, unplaced)


def read(path: str | Path) -> Index:
    """Read BAI, TBI or CSI. ValueError, OSError, EOFError, struct.error or zlib.error for others."""
    data = Path(path).read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    if data[:4] == b"BAI\1":
        return _body(data, 8, struct.unpack_from("<i", data, 4)[0], 5, True, [])
    if data[:4] == b"TBI\1":
        references, length = struct.unpack_from("<i24xi", data, 4)
        return _body(data, 36 + length, references, 5, True, _names(data, 36, length))
    if data[:4] == b"CSI\1":
        depth, aux = struct.unpack_from("<ii", data, 8)
        names = _names(data, 44, struct.unpack_from("<i", data, 40)[0]) if aux >= 28 else []
        return _body(data, 20 + aux, struct.unpack_from("<i", data, 16 + aux)[0], depth, False, names)
    raise ValueError("not a BAI, TBI or CSI index")


def is_damaged(path: str | Path) -> bool:
    """Whether a BAI, TBI or CSI cannot be read."""
    try:
        read(path)
    except (OSError, ValueError, EOFError, struct.error, zlib.error):
        return True
    return False


def _names(data: bytes, at: int, length: int) -> list[str]:
    return data[at : at + length].rstrip(b"\0").decode().split("\0") if length else []


def of_vcf(path: str | Path) -> str:
    """The index beside a VCF or BCF: the one that the lint looks at. Empty where there is none.

    Left to itself htslib takes a .csi before a .tbi, however old.
    """
    return next((f"{path}{end}" for end in (".tbi", ".csi") if Path(f"{path}{end}").is_file()), "")


def contigs_of_vcf(path: str | Path) -> list[str] | None:
    """Contigs with records of a VCF or BCF, as the index beside it says; None where none tells."""
    try:
        index = read(of_vcf(path))
        names = index.names
        if not names:
            with gzip.open(path, "rb") as file:
                numbers = vcf_header.parse(vcf_header.lines_of(file)[0]).contig_numbers()
            names = [numbers.get(number, "") for number in range(len(index.has))]
    except (OSError, ValueError, EOFError, struct.error, zlib.error):
        return None
    return [name for name, has in zip(names, index.has, strict=True) if has and name]


def of_reads(path: str | Path, kind: str) -> list[str]:
    """Where the index of a file of reads, kind `bam` or `cram`, may stand, the one that is taken first."""
    stem = str(Path(path).with_suffix(""))
    if kind == "cram":
        return [f"{path}.crai", f"{stem}.crai"]
    return [f"{path}.bai", f"{path}.csi", f"{stem}.bai"]


def deadly(path: str | Path) -> str:
    """An index of a BAM that cannot be read; empty where there is none. htslib opens it with the file, whatever it is
    asked, and dies of one that is cut off."""
    return next((index for index in of_reads(path, "bam") if Path(index).is_file() and is_damaged(index)), "")


def hold(path: str | Path, index: str | Path, held: int) -> None:
    """GoeError when the index tells of another number of records than the file holds: a part of it is missing, or
    the index is of another file, or damaged. Nothing is asked of an index that has no counts."""
    if is_damaged(index):
        raise GoeError(Problem(str(index), "is damaged", f"make the index of {path} again"))
    total = read(index).total()
    if total is not None and total != held:
        what = f"holds {held} records, and its index {index} tells of {total}"
        mend = "copy the file again and compare checksums; if it is whole, the index is of another file: make it again"
        raise GoeError(Problem(str(path), what, mend))
