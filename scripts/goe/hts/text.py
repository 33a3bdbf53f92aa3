"""Text in kernels: separators found 64 bytes at a time, words and numbers read 8 at a time.

Whatever is given as `data` has `PAD` readable bytes behind the last that is asked about: see `padded`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from goe.hts.kernels import kernel

PAD = 64
_LANES, _WORD = 64, 8
# An index without a sign is used as it is: with one, numba asks each time whether it counts from the end.
_U = np.uint64
_ONE, _EIGHT = _U(1), _U(8)
_ZEROS, _TO_TEN, _HIGH = _U(0x3030303030303030), _U(0x7676767676767676), _U(0x8080808080808080)
_PAIRS, _HUNDREDS, _UNITS = _U(0x000000FF000000FF), _U(0x000F424000000064), _U(0x0000271000000001)


def padded(text: bytes) -> np.ndarray:
    """uint8 (n + PAD,): the text, and zeros."""
    return np.frombuffer(text + bytes(PAD), np.uint8)


def _intrinsic(made: Callable) -> Any:
    return intrinsic(made)


def _pointer(context: Any, builder: Any, array: Any, value: Any, at: Any) -> Any:
    data = context.make_array(array)(context, builder, value).data
    return cgutils.gep_inbounds(builder, data, at)


@_intrinsic
def _bits(typing_context: Any, data: Any, at: Any, byte: Any) -> tuple[Any, Callable]:
    """uint64: which of the 64 bytes from data[at] on are `byte`, the first of them the lowest bit."""

    def made(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = ir.VectorType(ir.IntType(8), _LANES)
        pointer = builder.bitcast(_pointer(context, builder, signature.args[0], args[0], args[1]), lanes.as_pointer())
        found = builder.load(pointer, align=1)
        one = builder.insert_element(ir.Constant(lanes, ir.Undefined), args[2], ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), _LANES), [0] * _LANES)
        same = builder.icmp_unsigned("==", found, builder.shuffle_vector(one, one, zeros))
        return builder.bitcast(same, ir.IntType(_LANES))

    return types.uint64(data, types.uint64, types.uint8), made


@_intrinsic
def outside(typing_context: Any, data: Any, at: Any, low: Any, high: Any, first: Any) -> tuple[Any, Callable]:
    """uint64: which of the 64 bytes from data[at] on are less than those of `low` or greater than those of `high`, both
    uint8 and from low[first] and high[first] on; the first of them the lowest bit."""

    def made(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = ir.VectorType(ir.IntType(8), _LANES).as_pointer()
        kinds, (given, at, least, most, first) = signature.args, args
        places = ((kinds[0], given, at), (kinds[2], least, first), (kinds[3], most, first))
        found, least, most = (
            builder.load(builder.bitcast(_pointer(context, builder, *place), lanes), align=1) for place in places
        )
        apart = builder.or_(builder.icmp_unsigned("<", found, least), builder.icmp_unsigned(">", found, most))
        return builder.bitcast(apart, ir.IntType(_LANES))

    return types.uint64(data, types.uint64, low, high, types.uint64), made


@_intrinsic
def _eight(typing_context: Any, data: Any, at: Any) -> tuple[Any, Callable]:
    """uint64: the eight bytes from data[at] on, the first of them the lowest."""

    def made(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = ir.IntType(64)
        pointer = builder.bitcast(_pointer(context, builder, signature.args[0], args[0], args[1]), word.as_pointer())
        return builder.load(pointer, align=1)

    return types.uint64(data, types.uint64), made


@_intrinsic
def _lowest(typing_context: Any, bits: Any) -> tuple[Any, Callable]:
    """uint64: the number of the lowest bit that is set, 64 for none."""

    def made(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), made


@kernel
def columns(data: np.ndarray, start: int, tabs: np.ndarray) -> Any:
    """Where the line that begins at `start` ends, -1 where it has another number of tabs than fit into int64 `tabs`, to
    which their places are written. The line has an end in `data`."""
    n, at, room = _U(0), _U(start), _U(tabs.size)
    while True:
        bits = _bits(data, at, np.uint8(9)) | _bits(data, at, np.uint8(10))
        while bits:
            here = at + _lowest(bits)
            if data[here] == 10:
                return np.int64(here) if n == room else -1
            if n == room:
                return -1
            tabs[n] = here
            n += _ONE
            bits &= bits - _ONE
        at += _U(_LANES)


@kernel
def line_end(data: np.ndarray, start: int) -> Any:
    """Where the line that data[start] is in ends, -1 where a tab comes first."""
    at = _U(start)
    while True:
        bits = _bits(data, at, np.uint8(9)) | _bits(data, at, np.uint8(10))
        if bits:
            here = at + _lowest(bits)
            return np.int64(here) if data[here] == 10 else -1
        at += _U(_LANES)


@kernel
def cell_end(data: np.ndarray, start: int) -> Any:
    """Where the cell of the sample column that data[start] is in ends, whatever ends it."""
    at = _U(start)
    while True:
        bits = _bits(data, at, np.uint8(9)) | _bits(data, at, np.uint8(10)) | _bits(data, at, np.uint8(58))
        if bits:
            return at + _lowest(bits)
        at += _U(_LANES)


@kernel
def find(data: np.ndarray, start: int, stop: int, byte: int) -> Any:
    """Where the byte is first in data[start:stop]; `stop` where it is not."""
    at, end = _U(start), _U(stop)
    while at < end:
        bits = _bits(data, at, np.uint8(byte))
        if bits:
            return np.int64(min(at + _lowest(bits), end))
        at += _U(_LANES)
    return stop


@kernel
def behind_last(data: np.ndarray, start: int, stop: int, byte: int) -> int:
    """Behind the last such byte of data[start:stop]; `start` where there is none."""
    while stop > start and data[stop - 1] != byte:
        stop -= 1
    return stop


@kernel
def alike(data: np.ndarray, start: int, word: np.ndarray, first: int, size: int) -> bool:
    """Whether `size` bytes from data[start] on are those from word[first] on, which is padded too."""
    at, i, left = _U(start), _U(first), _U(size)
    while left >= _EIGHT:
        if _eight(data, at) != _eight(word, i):
            return False
        at += _EIGHT
        i += _EIGHT
        left -= _EIGHT
    return left == 0 or (_eight(data, at) ^ _eight(word, i)) << (_EIGHT * (_EIGHT - left)) == 0


@kernel
def same(data: np.ndarray, start: int, stop: int, word: np.ndarray) -> bool:
    """Whether data[start:stop] is the word, which is padded."""
    size = word.size - PAD
    return stop - start == size and alike(data, start, word, 0, size)


@kernel
def _value(word: Any) -> Any:
    """The number that eight digits are, each less the letter 0."""
    word = word * _U(10) + (word >> _EIGHT)
    word = ((word & _PAIRS) * _HUNDREDS + ((word >> _U(16)) & _PAIRS) * _UNITS) >> _U(32)
    return np.int64(word & _U(0xFFFFFFFF))


@kernel
def _digits(data: np.ndarray, start: int, size: int) -> tuple[Any, Any]:
    """(number that one to eight digits are, whether they are digits)."""
    # Fewer digits than eight are those with zeros before them: the lowest byte is the first.
    value = (_eight(data, _U(start)) ^ _ZEROS) << _U(8 * (_WORD - size))
    return _value(value), ((value + _TO_TEN) | value) & _HIGH == 0


@kernel
def natural(data: np.ndarray, start: int, stop: int) -> Any:
    """The number of one to fifteen digits in data[start:stop]; -1 for anything else."""
    size = stop - start
    if 0 < size <= _WORD:
        value, good = _digits(data, start, size)
        return value if good else -1
    if size <= 0 or size > 15:
        return -1
    high, good = _digits(data, start, size - _WORD)
    low, too = _digits(data, stop - _WORD, _WORD)
    return high * 100_000_000 + low if good and too else -1


@kernel
def known(data: np.ndarray, start: Any, size: Any) -> Any:
    """The number of the one to fifteen digits from data[start] on, which they are known to be. start, size: uint64."""
    if size <= _EIGHT:
        return _value((_eight(data, start) ^ _ZEROS) << (_EIGHT * (_EIGHT - size)))
    more = size - _EIGHT
    high = _value((_eight(data, start) ^ _ZEROS) << (_EIGHT * (_EIGHT - more)))
    return high * 100_000_000 + _value(_eight(data, start + more) ^ _ZEROS)


@kernel
def digits(data: np.ndarray, start: int) -> tuple[Any, Any]:
    """(number of the digits from data[start] on, where they end); -1 where there are none, or more than fifteen."""
    at = _U(start)
    word = _eight(data, at) ^ _ZEROS
    # Of the bytes that are no digits the lowest is told for certain, which is the first.
    size = _lowest(((word + _TO_TEN) | word) & _HIGH) >> _U(3)
    if size == 0:
        return -1, at
    value = _value(word << (_EIGHT * (_EIGHT - size)))
    at += size
    if size == _EIGHT:
        while data[at] >= 48 and data[at] <= 57:
            value = value * 10 + (data[at] - 48)
            at += _ONE
            if at - _U(start) > _U(15):
                return -1, at
    return value, at


@kernel
def put(out: np.ndarray, at: int, data: np.ndarray, start: int, stop: int) -> int:
    """Copy data[start:stop] to out[at:], which has room for it; behind what was written."""
    for i in range(stop - start):
        out[at + i] = data[start + i]
    return at + stop - start


@kernel
def put_number(out: np.ndarray, at: int, value: int) -> int:
    """Write a number that is not negative in digits to out[at:], which has room for it; behind what was written."""
    size, rest = 1, value // 10
    while rest > 0:
        size, rest = size + 1, rest // 10
    for i in range(size - 1, -1, -1):
        out[at + i] = 48 + value % 10
        value //= 10
    return at + size
