"""BGZF files that are small and unpack to any size."""

import struct
import zlib


def block(data):
    """A BGZF block of at most 64 KiB."""
    body = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = body.compress(data) + body.flush()
    head = b"\x1f\x8b\x08\4\0\0\0\0\0\xff\6\0BC\2\0" + struct.pack("<H", len(packed) + 25)
    return head + packed + struct.pack("<II", zlib.crc32(data), len(data))


def bgzf(path, start, repeated, size):
    """A BGZF file of `start`, then the same text over and over until there are `size` bytes of it."""
    times = max(1, 60_000 // len(repeated))
    again = block(repeated * times)
    with path.open("wb") as out:
        for at in range(0, len(start), 60_000):
            out.write(block(start[at : at + 60_000]))
        out.write(again * (size // (len(repeated) * times)) + block(b""))
