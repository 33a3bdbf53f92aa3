"""Files that are small and unpack to any size."""

import struct
import tarfile
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


def sparse_tar(name: str) -> bytes:
    """A TAR of 10 kB, with one member of 8 GB: unpacked, it is that on the disk."""
    info = tarfile.TarInfo(name)
    info.type, info.size, info.mode = tarfile.GNUTYPE_SPARSE, 512, 0o644
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[386:398], block[398:410] = b"%011o\0" % 0, b"%011o\0" % 512
    block[483:495] = b"%011o\0" % (8 << 30)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + bytes(512) + bytes(9 * 1024)
