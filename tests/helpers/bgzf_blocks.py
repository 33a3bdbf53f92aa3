"""BGZF files taken apart, for tests that damage them."""


def starts(data: bytes) -> list[int]:
    """Where each block starts, that of the end block last (SAM specification, section 4.1: BSIZE)."""
    found, at = [], 0
    while at < len(data):
        found.append(at)
        at += int.from_bytes(data[at + 16 : at + 18], "little") + 1
    return found
