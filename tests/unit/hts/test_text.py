"""Kernels that read 64 and 8 bytes at a time say what Python says."""

import re

import numba as nb
import numpy as np
import pytest
from goe.hts.text import (
    behind_last,
    cell_end,
    columns,
    digits,
    find,
    known,
    line_end,
    natural,
    outside,
    padded,
    put,
    put_number,
    same,
)
from hypothesis import given
from hypothesis import strategies as st

NUMBERS = st.integers(0, 10**17).map(str) | st.text("0123456789.-+ex:", max_size=18)
# Longer than what is looked at together, and with few letters, so that they meet.
TEXTS = st.text("ab:\t\n\x7f", max_size=200)


@given(st.text("ab12", max_size=3), NUMBERS, st.text("9x\t", max_size=20))
def test_natural(before, text, after):
    data = padded((before + text + after).encode())
    expected = int(text) if 0 < len(text) < 16 and text.isdigit() else -1
    assert natural(data, len(before), len(before + text)) == expected


@given(st.text("ab12", max_size=3), st.text("0123456789", min_size=1, max_size=15), st.text("9x\t", max_size=20))
def test_known(before, text, after):
    data = padded((before + text + after).encode())
    assert known(data, np.uint64(len(before)), np.uint64(len(text))) == int(text)


@pytest.mark.parametrize("text", [b"\xb1", b"1\xb12", b"\x00", b"3/", b"0:", b"\xff" * 8, b"\xb5" * 12])
def test_bytes_next_to_digits_are_none(text):
    assert natural(padded(text), 0, len(text)) == -1


@nb.njit
def outside_of(data, at, low, high, first):
    return outside(data, np.uint64(at), low, high, np.uint64(first))


@given(st.integers(0, 2**32), st.integers(0, 40), st.integers(0, 40))
def test_outside(seed, at, first):
    """Bytes above 127 too, and at both edges."""
    data, low, more = np.random.default_rng(seed).integers(0, 256, (3, 104), np.uint8)
    high = np.maximum(low, more)
    data[at : at + 64 : 3], data[at : at + 64 : 5] = low[first : first + 64 : 3], high[first : first + 64 : 5]
    here, least, most = data[at : at + 64], low[first : first + 64], high[first : first + 64]
    expected = sum(1 << n for n in np.flatnonzero((here < least) | (here > most)).tolist())
    assert outside_of(data, at, low, high, first) == expected


@given(TEXTS, st.integers(0, 200), st.integers(0, 200), st.sampled_from("ab\t\n"))
def test_find(text, start, stop, letter):
    stop = min(stop, len(text))
    found = text.find(letter, start, stop) if start < stop else -1
    assert find(padded(text.encode()), start, stop, ord(letter)) == (stop if found < 0 else found)


@given(TEXTS, st.text("ab", max_size=20), st.integers(0, 200), st.booleans())
def test_same(text, word, start, there):
    text = text[:start] + word + text[start:] if there else text
    start = min(start, len(text))
    stop = min(start + len(word), len(text))
    assert same(padded(text.encode()), start, stop, padded(word.encode())) == (text[start:stop] == word)
    assert not same(padded(text.encode()), start, stop, padded((word + "a").encode()))


@given(st.text("ab12", max_size=3), NUMBERS, st.sampled_from("\t:;\n"))
def test_digits(before, text, after):
    """As far as they go."""
    found = re.match("[0-9]*", text)[0]
    value, end = digits(padded((before + text + after).encode()), len(before))
    assert value == (int(found) if 0 < len(found) < 16 else -1)
    assert value < 0 or end == len(before) + len(found)


@given(TEXTS, TEXTS, st.integers(0, 9))
def test_columns_of_a_line(before, text, n):
    tabs, start = np.zeros(n, np.int64), len(before)
    line = text.split("\n")[0]
    end = columns(padded(f"{before}{text}\n".encode()), start, tabs)
    assert end == (start + len(line) if line.count("\t") == n else -1)
    if end >= 0:
        assert tabs.tolist() == [start + i for i, letter in enumerate(line) if letter == "\t"]


@given(TEXTS, TEXTS)
def test_ends(before, text):
    data, start = padded(f"{before}{text}\n".encode()), len(before)
    first = next(i for i, letter in enumerate(f"{text}\n") if letter in "\t\n")
    assert line_end(data, start) == (start + first if f"{text}\n"[first] == "\n" else -1)
    first = next(i for i, letter in enumerate(f"{text}\n") if letter in "\t\n:")
    assert cell_end(data, start) == start + first


@given(TEXTS, st.integers(0, 200))
def test_behind_the_last_one(text, start):
    start = min(start, len(text))
    assert behind_last(padded(text.encode()), start, len(text), 10) == max(start, text.rfind("\n", start) + 1)


@given(st.integers(0, 10**18), st.text("ab", max_size=9))
def test_what_is_put_is_what_was_there(number, word):
    out = np.full(40, 46, np.uint8)
    n = put_number(out, 1, number)
    n = put(out, n, padded(word.encode()), 0, len(word))
    written = f".{number}{word}"
    assert n == len(written) and out.tobytes().decode() == written + "." * (40 - n)
