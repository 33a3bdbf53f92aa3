"""What every reader and writer of BGZF files needs to know of them."""

import os
from typing import BinaryIO

# SAM specification, section 4.1.2: the empty block that ends a BGZF file.
EOF = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def begins(start: bytes) -> bool:
    """Whether a file begins so, by its first 18 bytes."""
    return start[:4] == b"\x1f\x8b\x08\x04" and start[12:14] == b"BC"


def is_ended(file: BinaryIO) -> bool:
    """Whether a file ends with the empty block; leaves it at its end."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - len(EOF)))
    return file.read() == EOF
