"""Numbers of a look-up, packed so that a page opened from a folder can search them.

A browser gives a page that was opened from disk no way to read a neighbouring file but a script tag. So numbers are
in chunks, inside the page or in files beside it, `<folder>/<track>.<number>.js`, each a call of `goeLookup` with some
of them; a track is a contig, or something else along it. `resources/report/lookup.js` reads both.

A chunk is base64 of zlib of: length of a header (uint32), the header (JSON), the columns. The header has `n` rows,
lists of words that columns are indices of, and for each of the `columns` [base, width, at]: its value is base plus an
unsigned integer of `width` bytes, kept as one plane of n bytes after the other (low bytes first) from byte `at`
behind the header on.
"""

import base64
import json
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from goe.core.errors import GoeError, Problem

CHUNKS_PER_FILE = 4
_LEVEL = 6

Column = tuple[int, int, bytes]


def column(values: np.ndarray, public: np.ndarray | None = None) -> Column:
    """Base, width and planes of an integer column (rows,); base where it is not `public`."""
    seen = values if public is None else values[public]
    base = int(seen.min()) if seen.size else 0
    left = values.astype(np.int64) - base
    if public is not None:
        left = np.where(public, left, 0)
    width = (int(left.max(initial=0)).bit_length() + 7) // 8
    return base, width, np.ascontiguousarray(left.astype("<u4")).view(np.uint8).reshape(-1, 4).T[:width].tobytes()


def chunk(rows: int, words: Mapping[str, Sequence[str]], columns: Sequence[Column]) -> bytes:
    """A chunk before zlib."""
    places = np.cumsum([0] + [len(planes) for _, _, planes in columns]).tolist()
    about = [[base, width, at] for (base, width, _), at in zip(columns, places, strict=False)]
    head = json.dumps({"n": rows, **words, "columns": about}, separators=(",", ":")).encode()
    return struct.pack("<I", len(head)) + head + b"".join(planes for _, _, planes in columns)


def text(raw: bytes) -> str:
    """A chunk as it stands in a page or file."""
    return base64.b64encode(zlib.compress(raw, _LEVEL)).decode("ascii")


def name(folder: str, track: str, number: int) -> str:
    """Relative path of a file of a track, such as `report-data/chr20.003.js`."""
    return f"{folder}/{track}.{number:03d}.js"


def names(folder: str, track: str, chunks: int) -> list[str]:
    """Relative paths of all files of a track."""
    return [name(folder, track, number) for number in range(-(-chunks // CHUNKS_PER_FILE))]


def call(owner: str, track: str, number: int, chunks: Sequence[str]) -> str:
    """Content of a file. owner: id of what the numbers are of; number: of the file in its track."""
    return f"goeLookup({','.join(json.dumps(x) for x in (owner, track, number, list(chunks)))});\n"


class Track:
    """A file of the chunks of one track, until it is known whether they stand in the page: a line each, then a line of
    JSON, the index. Index: {track, characters, chunks: what `add` was told of each, and its Adler-32}, and more."""

    def __init__(self, path: str | Path, track: str):
        self.index: dict[str, Any] = {"track": track, "characters": 0, "chunks": []}
        self._file = Path(path).open("wb")  # noqa: SIM115

    def add(self, raw: bytes, *about: int) -> None:
        line = text(raw)
        self._file.write(line.encode() + b"\n")
        self.index["characters"] += len(line)
        self.index["chunks"].append([*about, zlib.adler32(raw)])

    def close(self, whole: bool = True, **more: Any) -> None:
        """whole: else the file gets no index, by which it is known as cut off."""
        if whole:
            self._file.write(json.dumps(self.index | more, sort_keys=True).encode() + b"\n")
        self._file.close()


def read_index(path: str | Path) -> dict:
    """The index of a track's file; GoeError when it has none."""
    last = b""
    with Path(path).open("rb") as file:
        for line in file:
            last = line
    try:
        return json.loads(last)
    except ValueError:
        raise GoeError(Problem(str(path), "has no index: cut off", "delete the file and run again")) from None


def read_chunks(path: str | Path) -> Iterator[str]:
    """The chunks of a track's file, base64, in order."""
    with Path(path).open("rb") as file:
        for line in file:
            if not line.startswith(b"{"):
                yield line.rstrip(b"\n").decode("ascii")
