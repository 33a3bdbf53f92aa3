"""BAI, TBI and CSI indexes: which contigs have records, and how many (SAM specification, sections 5.1.1 and 5.2)."""

import gzip
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from goe.core.errors import GoeError, Problem
from goe.hts import bgzf, plain, vcf_header


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


class _Layout(NamedTuple):
    """An index as it is written. at: where its contigs begin; linear: whether they have the offset of each window of 16
    kb (BAI, TBI), and not one of each bin (CSI)."""

    data: bytes
    names: list[str]
    at: int
    contigs: int
    depth: int = 5
    shift: int = 14
    linear: bool = True

    @property
    def pseudo(self) -> int:
        """The bin after the last real one, which holds counts."""
        return ((1 << 3 * (self.depth + 1)) - 1) // 7 + 1

    def bins(self, at: int) -> tuple[list[tuple[int, int, int, int]], int]:
        """(number, offset of its first record, place of its chunks and how many there are, of each bin of the contig
        that begins there; where its bins end)."""
        data, head = self.data, struct.Struct("<Ii" if self.linear else "<IQi")
        found = []
        (n,) = struct.unpack_from("<i", data, at)
        at += 4
        for _ in range(n):
            number, *offset, chunks = head.unpack_from(data, at)
            at += head.size
            found.append((number, *(offset or [0]), at, chunks))
            at += 16 * chunks
        return found, at

    def windows(self, at: int) -> tuple[tuple[int, ...], int]:
        """(Offset of the first record of each window, behind the bins that end there; where they end)."""
        if not self.linear:
            return (), at
        (n,) = struct.unpack_from("<i", self.data, at)
        return struct.unpack_from(f"<{n}Q", self.data, at + 4), at + 4 + 8 * n


def _layout(path: str | Path) -> _Layout:
    with plain.opened(path) as file:
        data = file.read()
    if bgzf.is_packed(data):
        data = gzip.decompress(data)
    if data[:4] == b"BAI\1":
        return _Layout(data, [], 8, struct.unpack_from("<i", data, 4)[0])
    if data[:4] == b"TBI\1":
        contigs, length = struct.unpack_from("<i24xi", data, 4)
        return _Layout(data, _names(data, 36, length), 36 + length, contigs)
    if data[:4] == b"CSI\1":
        shift, depth, aux = struct.unpack_from("<iii", data, 4)
        names = _names(data, 44, struct.unpack_from("<i", data, 40)[0]) if aux >= 28 else []
        return _Layout(data, names, 20 + aux, struct.unpack_from("<i", data, 16 + aux)[0], depth, shift, False)
    raise ValueError("not a BAI, TBI or CSI index")


def read(path: str | Path) -> Index:
    """Read BAI, TBI or CSI. ValueError, OSError, EOFError, struct.error or zlib.error for others."""
    layout = _layout(path)
    data, at = layout.data, layout.at
    has: list[bool] = []
    mapped: list[int | None] = []
    unmapped: list[int | None] = []
    for _ in range(layout.contigs):
        bins, at = layout.bins(at)
        counts = next((place for number, _, place, n in bins if number == layout.pseudo and n == 2), None)
        numbers = struct.unpack_from("<QQ", data, counts + 16) if counts else (None, None)
        _, at = layout.windows(at)
        has.append(any(number != layout.pseudo for number, *_ in bins))
        mapped.append(numbers[0])
        unmapped.append(numbers[1])
    if at > len(data):
        raise ValueError("is cut off")
    # Which an index need not have.
    unplaced = struct.unpack_from("<Q", data, at)[0] if len(data) > at else None
    return Index(layout.names, has, mapped, unmapped, unplaced)


def offset(path: str | Path, contig: str, position: int, order: Sequence[str]) -> int | None:
    """The virtual offset (SAM specification, 4.1.1) from which on a file has every record that begins at a position
    (1-based) of a contig or behind it; None where there is none.

    order: contigs of the header by number, for an index that does not name them.
    """
    layout = _layout(path)
    names = layout.names or list(order)
    if contig not in names[: layout.contigs]:
        return None
    at = layout.at
    for _ in range(names.index(contig)):
        _, at = layout.windows(layout.bins(at)[1])
    bins, at = layout.bins(at)
    windows, _ = layout.windows(at)
    real = {number: (first, place) for number, first, place, n in bins if number != layout.pseudo and n}
    if not real:
        return None
    start = min(struct.unpack_from("<Q", layout.data, place)[0] for _, place in real.values())
    window = position - 1 >> layout.shift
    if layout.linear:
        return max(start, windows[window]) if window < len(windows) else None
    # The bin of the window, or that before it on its level, or the one above: the first that is there.
    number = ((1 << 3 * layout.depth) - 1) // 7 + window
    while number and number not in real:
        number = number - 1 if (number - 1) % 8 else (number - 1) >> 3
    return max(start, real[number][0]) if number in real else start


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
    return next((index for index in beside_vcf(path) if Path(index).is_file()), "")


def beside_vcf(path: str | Path, bcf: bool = False) -> list[str]:
    """Where the index of a VCF or BCF may stand, the one that is taken first."""
    name = plain.name(path)
    return _or_encrypted(path, [f"{name}.csi"] if bcf else [f"{name}.tbi", f"{name}.csi"])


def _or_encrypted(path: str | Path, names: list[str]) -> list[str]:
    """Names of indexes; of an encrypted file they may be encrypted too."""
    return [*names, *(f"{name}{plain.ENDING}" for name in names)] if plain.is_encrypted(path) else names


def contigs_of_vcf(path: str | Path) -> list[str] | None:
    """Contigs with records of a VCF or BCF, as the index beside it says; None where none tells."""
    try:
        index = read(of_vcf(path))
        names = index.names
        if not names:
            with plain.opened(path) as packed, gzip.open(packed, "rb") as file:
                numbers = vcf_header.parse(vcf_header.lines_of(file)[0]).contig_numbers()
            names = [numbers.get(number, "") for number in range(len(index.has))]
    except (OSError, ValueError, EOFError, struct.error, zlib.error, GoeError):
        return None
    return [name for name, has in zip(names, index.has, strict=True) if has and name]


def of_reads(path: str | Path, kind: str) -> list[str]:
    """Where the index of a file of reads, kind `bam` or `cram`, may stand, the one that is taken first."""
    name = plain.name(path)
    stem = str(Path(name).with_suffix(""))
    if kind == "cram":
        return _or_encrypted(path, [f"{name}.crai", f"{stem}.crai"])
    return _or_encrypted(path, [f"{name}.bai", f"{name}.csi", f"{stem}.bai"])


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
