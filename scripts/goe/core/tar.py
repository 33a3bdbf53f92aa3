"""A TAR that is a function of the names and contents of its members: no clock, no owner, mode 0644; and its reader.

The reader knows regular files and nothing else. That of the standard library follows links, unpacks sparse members
whose size is what their header says, and asks regular expressions of extended headers.
"""

import hashlib
import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from goe.core.errors import GoeError, Problem

Style = Literal[1, 2]
POSIX: Style = tarfile.PAX_FORMAT
GNU: Style = tarfile.GNU_FORMAT
_PIECE = 1 << 20
_RECORDS = 1 << 12
"""Bytes of an extended header that are read."""
_AGAIN = "get the file again"
_TYPES = {
    **dict.fromkeys("1", "a hard link"),
    **dict.fromkeys("2", "a link"),
    **dict.fromkeys("34", "a device"),
    **dict.fromkeys("5D", "a folder"),
    **dict.fromkeys("6", "a pipe"),
    **dict.fromkeys("S", "a sparse file"),
    **dict.fromkeys("gxX", "an extended header"),
    **dict.fromkeys("KLMNV", "a header of GNU tar"),
}


@dataclass(frozen=True)
class Member:
    """A regular file of a TAR. at: of its header, in bytes; owner: mode, ids, names of owner and group, and time.
    plain: whether its header says nothing beside this, its name and its size, and zeros fill its last block."""

    name: str
    at: int
    size: int
    owner: tuple[int, int, int, str, str, int]
    plain: bool

    @property
    def content(self) -> int:
        """Where its content begins."""
        return self.at + tarfile.BLOCKSIZE

    @property
    def end(self) -> int:
        """Where the next header or the end of the TAR begins."""
        return self.content + self.size + -self.size % tarfile.BLOCKSIZE


def members(data: memoryview, where: str, most: int) -> list[Member]:
    """The members of an uncompressed TAR in order. data: all of it; where: its name.

    GoeError when it is none, and that names the first member that is no regular file within the folder, does not end
    in the TAR or has the name of another, or is one too many. What stands behind the last one is not looked at.
    """
    found: list[Member] = []
    names: set[str] = set()
    at = 0
    while at < len(data) and any(header := bytes(data[at : at + tarfile.BLOCKSIZE])):
        one = _member(header, at, where)
        if one.content + one.size > len(data):
            raise _none(where, f"unexpected end of data: {one.name} is cut off")
        if one.name in names:
            raise GoeError(Problem(f"{where}/{one.name}", "is there twice", _AGAIN))
        if len(found) == most:
            raise _none(where, f"it has more than {most:,} members")
        names.add(one.name)
        found.append(replace(one, plain=one.plain and not any(data[one.content + one.size : one.end])))
        at = one.end
    if not found:
        raise _none(where, "it is empty")
    return found


def written(data: memoryview, where: str, most: int) -> Iterator[tuple[str, int, int]]:
    """Name of each member of a TAR that `stream` wrote in the style POSIX, where its content begins, and its bytes.

    Long names and sizes stand in a header of their own. GoeError, where the reader gets there, at a member whose
    headers are not byte for byte as `stream` writes them, that does not end in the TAR, or that is one too many.
    """
    at = found = 0
    while at < len(data) and any(header := bytes(data[at : at + tarfile.BLOCKSIZE])):
        records: dict[bytes, bytes] = {}
        try:
            if header[156:157] == tarfile.XHDTYPE:
                size = int(header[124:135], 8)
                text = bytes(data[at + tarfile.BLOCKSIZE : at + tarfile.BLOCKSIZE + min(size, _RECORDS)])
                records = dict(re.findall(rb"[0-9]+ (path|size)=([^\n]*)\n", text))
                start = at + tarfile.BLOCKSIZE + size + -size % tarfile.BLOCKSIZE
                header = bytes(data[start : start + tarfile.BLOCKSIZE])
            name = records.get(b"path", header[:100].split(b"\0", 1)[0]).decode()
            size = int(records[b"size"]) if b"size" in records else int(header[124:135], 8)
            head = _head(name, size, POSIX)
        except (ValueError, OverflowError):
            raise _none(where, f"the header at byte {at} has a name or number that is none") from None
        if bytes(data[at : at + len(head)]) != head:
            raise GoeError(Problem(f"{where}/{name}", "is no plain file inside, as goe packs one", _AGAIN))
        at += len(head)
        if at + size > len(data):
            raise _none(where, f"unexpected end of data: {name} is cut off")
        found += 1
        if found > most:
            raise _none(where, f"it has more than {most:,} members")
        yield name, at, size
        at += size + -size % tarfile.BLOCKSIZE


def _member(header: bytes, at: int, where: str) -> Member:
    """The member of a header (POSIX ustar interchange format; GNU has its names and numbers in the same places)."""

    def text(start: int, end: int) -> bytes:
        return header[start:end].split(b"\0", 1)[0]

    def number(start: int, end: int) -> int:
        digits = header[start:end].strip(b" \0")
        if set(digits) - set(b"01234567"):
            raise _none(where, f"the header at byte {at} has a number that is none")
        return int(digits or b"0", 8)

    if len(header) < tarfile.BLOCKSIZE:
        raise _none(where, f"unexpected end of data at byte {at}")
    if number(148, 156) != sum(header) - sum(header[148:156]) + 8 * ord(" "):
        raise _none(where, f"the header at byte {at} has another checksum")
    raw, kind = text(0, 100), chr(header[156])
    try:
        name, user, group = (part.decode() for part in (raw, text(265, 297), text(297, 329)))
    except UnicodeDecodeError:
        raise _none(where, f"the header at byte {at} has a name that is no text") from None
    if kind not in "0\0" or name.endswith("/"):
        what = _TYPES.get(kind, "a folder" if name.endswith("/") else "nothing that is known")
        raise GoeError(Problem(f"{where}/{name}", f"is no plain file: it is {what}", _AGAIN))
    if not name or name.startswith("/") or ".." in name.split("/"):
        raise GoeError(Problem(f"{where}/{name}", "is outside the folder", "do not unpack it"))
    # Name, magic, link name, owner, and what GNU and ustar have behind the device numbers.
    empty = header[len(raw) : 100] + header[157:257] + header[265 + len(text(265, 297)) : 297]
    empty += header[297 + len(text(297, 329)) : 329] + header[345:]
    plain = not any(empty) and not set(header[100:156] + header[329:345]) - set(b"01234567 \0")
    plain &= header[257:265] in (tarfile.POSIX_MAGIC, tarfile.GNU_MAGIC)
    owner = (number(100, 108), number(108, 116), number(116, 124), user, group, number(136, 148))
    return Member(name, at, number(124, 136), owner, plain)


def _none(where: str, why: str) -> GoeError:
    return GoeError(Problem(where, f"is no uncompressed TAR: {why}", _AGAIN))


def stream(
    members: Iterable[tuple[str, bytes | Path]], style: Style = POSIX, digests: Mapping[str, str] | None = None
) -> Iterator[bytes]:
    """The TAR in pieces, byte for byte as `tarfile` writes it, members in the order given.

    members: name -> content, or the file that holds it. style: POSIX or GNU. digests: name -> SHA-256 (hex).
    GoeError when a file has not its size, or not its digest, any more: what was written until then is no TAR.
    """
    size = 0
    for name, content in members:
        length = len(content) if isinstance(content, bytes) else content.stat().st_size
        head, padding = _head(name, length, style), bytes(-length % tarfile.BLOCKSIZE)
        yield head
        yield from [content] if isinstance(content, bytes) else _file(content, length, (digests or {}).get(name))
        yield padding
        size += len(head) + length + len(padding)
    # Two empty blocks, and what fills the last record.
    yield bytes(2 * tarfile.BLOCKSIZE + -(size + 2 * tarfile.BLOCKSIZE) % tarfile.RECORDSIZE)


def _head(name: str, size: int, style: Style) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    return info.tobuf(style)


def _file(path: Path, size: int, sha256: str | None) -> Iterator[bytes]:
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while size and (piece := handle.read(min(_PIECE, size))):
            if sha256:
                digest.update(piece)
            size -= len(piece)
            yield piece
    if size or (sha256 and digest.hexdigest() != sha256):
        raise GoeError(Problem(str(path), "changed while it was packed", "is another run writing it? run again"))
