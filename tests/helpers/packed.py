"""Chunks of goe.pages.packed read as its text says, by other code."""

import json
import struct
from itertools import accumulate


def unpacked(first: int, raw: bytes) -> list[tuple[int, int]]:
    """Rows of a chunk of two columns, of which the first are steps from `first`."""
    (length,) = struct.unpack_from("<I", raw)
    head, data = json.loads(raw[4 : 4 + length]), raw[4 + length :]
    values = []
    for base, width, at in head["columns"]:
        planes = [data[at + k * head["n"] : at + (k + 1) * head["n"]] for k in range(width)]
        values.append([base + sum(plane[i] << 8 * k for k, plane in enumerate(planes)) for i in range(head["n"])])
    return list(zip([first + step for step in accumulate(values[0])], values[1], strict=True))
