"""Page index of a Parquet file, read from its bytes (parquet.thrift of apache/parquet-format, compact protocol).

pyarrow writes the index but does not show it; readers such as the GDI node ask more of it than it being there.
"""

import struct


def footer(data: bytes) -> dict:
    """FileMetaData as {field id: value}; structs are such dicts, lists are lists."""
    assert data[:4] == data[-4:] == b"PAR1"
    length = struct.unpack("<I", data[-8:-4])[0]
    return _struct(data, len(data) - 8 - length)[0]


def chunks(data: bytes) -> list[list[dict]]:
    """For each row group its columns: {start, end, first_data, rows, offsets, index} of the column chunk.

    offsets: (offset, size with header, first row) of each page. index: (null_pages, mins, maxs) or None. end is
    that of the bytes the chunk claims.
    """
    out = []
    for group in footer(data)[4]:
        columns = []
        for column in group[1]:
            about = column[3]
            start = about.get(11, about[9])
            pages = [(p[1], p[2], p[3]) for p in _struct(data, column[4])[0][1]] if 4 in column else None
            index = _struct(data, column[6])[0] if 6 in column else None
            columns.append(
                {
                    "start": start,
                    "end": start + about[7],
                    "first_data": about[9],
                    "rows": group[3],
                    "offsets": pages,
                    "index": (index[1], index[2], index[3]) if index else None,
                }
            )
        out.append(columns)
    return out


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _zigzag(data: bytes, at: int) -> tuple[int, int]:
    value, at = _varint(data, at)
    return (value >> 1) ^ -(value & 1), at


def _value(data: bytes, at: int, kind: int):
    if kind in (1, 2):
        return kind == 1, at
    if kind == 3:
        return data[at], at + 1
    if kind in (4, 5, 6):
        return _zigzag(data, at)
    if kind == 7:
        return struct.unpack("<d", data[at : at + 8])[0], at + 8
    if kind == 8:
        length, at = _varint(data, at)
        return data[at : at + length], at + length
    if kind in (9, 10):
        size, item = data[at] >> 4, data[at] & 15
        at += 1
        if size == 15:
            size, at = _varint(data, at)
        values = []
        for _ in range(size):
            if item in (1, 2):
                values.append(data[at] == 1)
                at += 1
            else:
                value, at = _value(data, at, item)
                values.append(value)
        return values, at
    assert kind == 12, kind
    return _struct(data, at)


def _struct(data: bytes, at: int) -> tuple[dict, int]:
    fields, last = {}, 0
    while data[at]:
        delta, kind = data[at] >> 4, data[at] & 15
        at += 1
        if delta:
            last += delta
        else:
            last, at = _zigzag(data, at)
        fields[last], at = _value(data, at, kind)
    return fields, at + 1
