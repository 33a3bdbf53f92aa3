"""What every reader and writer of BGZF files needs to know of them."""

import os
from typing import BinaryIO

# SAM specification, section 4.1.2: the empty block that ends a BGZF file.
EOF = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
# What is said of a file without it, and the mend.
UNENDED = ("has no BGZF end block: it was cut off", "copy or make the file again")


def begins(start: bytes) -> bool:
    """Whether a file begins so, by its first 18 bytes."""
    return start[:4] == b"\x1f\x8b\x08\x04" and start[12:14] == b"BC"


def is_packed(start: bytes) -> bool:
    """Whether a file that begins so is compressed, by gzip or bgzip."""
    return start[:2] == b"\x1f\x8b"


def is_ended(file: BinaryIO) -> bool:
    """Whether a file ends with the empty block; leaves it at its end."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - len(EOF)))
    return file.read() == EOF
