"""Blocks of small contigs, kept while a release is checked: its formats are many, and each is held against the same
tables."""

from collections.abc import Callable, Hashable, Iterable
from threading import Lock

from goe.frequencies.block import Block
from goe.release import bounds


class Kept:
    """Blocks that were read, `most` bytes of them altogether; threads may share it."""

    def __init__(self, most: int = bounds.KEPT):
        self._left = most
        self._found: dict[Hashable, list[Block] | None] = {}
        self._lock = Lock()

    def blocks(self, key: Hashable, read: Callable[[], Iterable[Block]]) -> Iterable[Block]:
        """What `read` gives, which is always the same of a `key`: read once where there is room for it.

        Of what cannot be read to its end nothing is kept, so that everybody who asks is told where it ends.
        """
        found = self.whole(key, read)
        return read() if found is None else found

    def whole(self, key: Hashable, read: Callable[[], Iterable[Block]]) -> list[Block] | None:
        """As `blocks`, but None where nothing is kept."""
        with self._lock:
            if key not in self._found:
                self._found[key] = self._read(read)
            return self._found[key]

    def _read(self, read: Callable[[], Iterable[Block]]) -> list[Block] | None:
        blocks, size = [], 0
        try:
            for block in read():
                size += block.nbytes
                if size > self._left:
                    return None
                blocks.append(block)
        except Exception:
            return None
        self._left -= size
        return blocks
