"""A TAR that is a function of the names and contents of its members: no clock, no owner, mode 0644."""

import hashlib
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from goe.core.errors import GoeError, Problem

Style = Literal[1, 2]
POSIX: Style = tarfile.PAX_FORMAT
GNU: Style = tarfile.GNU_FORMAT
_PIECE = 1 << 20


def stream(
    members: Iterable[tuple[str, bytes | Path]], style: Style = POSIX, digests: Mapping[str, str] | None = None
) -> Iterator[bytes]:
    """The TAR in pieces, byte for byte as `tarfile` writes it, members in the order given.

    members: name -> content, or the file that holds it. style: POSIX or GNU. digests: name -> SHA-256 (hex).
    GoeError when a file has not its size, or not its digest, any more: what was written until then is no TAR.
    """
    size = 0
    for name, content in members:
        info = tarfile.TarInfo(name)
        info.size = len(content) if isinstance(content, bytes) else content.stat().st_size
        info.mode = 0o644
        head, padding = info.tobuf(style), bytes(-info.size % tarfile.BLOCKSIZE)
        yield head
        yield from [content] if isinstance(content, bytes) else _file(content, info.size, (digests or {}).get(name))
        yield padding
        size += len(head) + info.size + len(padding)
    # Two empty blocks, and what fills the last record.
    yield bytes(2 * tarfile.BLOCKSIZE + -(size + 2 * tarfile.BLOCKSIZE) % tarfile.RECORDSIZE)


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
