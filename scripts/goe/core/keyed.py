"""Keyed digests (HMAC with SHA-256, RFC 2104) of what a private record must not tell, and their keys.

Whoever knows an id or has a file could look for its plain digest in a record. Without the key they cannot, so record
and key are two files, which can be stored apart.
"""

import hmac
import os
from collections.abc import Iterable
from pathlib import Path

from goe.core.errors import Problem

KEY_BYTES = 32


def new_key() -> bytes:
    """A key that nobody has."""
    return os.urandom(KEY_BYTES)


def digest(key: bytes, text: str) -> str:
    """The keyed digest of a text, hexadecimal."""
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def write(record: str | Path, rows: Iterable[Iterable[str]], key: bytes, key_file: str | Path) -> None:
    """Write a record, tab-separated, and its key, for their owner only."""
    for place, text in ((record, "\n".join("\t".join(row) for row in rows)), (key_file, key.hex())):
        handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as out:
            out.write(f"{text}\n")


def read_key(path: str | Path) -> tuple[bytes, list[Problem]]:
    """The key of a file, and what is wrong with it."""
    try:
        key = bytes.fromhex(Path(path).read_text().strip())
    except ValueError:
        key = b""
    if len(key) == KEY_BYTES:
        return key, []
    return b"", [Problem(str(path), "is no key of a record", "give the file written beside the record")]
