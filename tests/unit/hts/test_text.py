"""Kernels that read 64 and 8 bytes at a time say what Python says."""

import numpy as np
import pytest
from goe.hts.text import find, natural, padded, same, separators
from hypothesis import given
from hypothesis import strategies as st

NUMBERS = st.integers(0, 10**17).map(str) | st.text("0123456789.-+ex:", max_size=18)
# Longer than what is looked at together, and with few letters, so that they meet.
TEXTS = st.text("ab\t\n\x7f", max_size=200)


@given(st.text("ab12", max_size=3), NUMBERS, st.text("9x\t", max_size=20))
def test_natural(before, text, after):
    data = padded((before + text + after).encode())
    expected = int(text) if 0 < len(text) < 16 and text.isdigit() else -1
    assert natural(data, len(before), len(before + text)) == expected


@pytest.mark.parametrize("text", [b"\xb1", b"1\xb12", b"\x00", b"3/", b"0:", b"\xff" * 8, b"\xb5" * 12])
def test_bytes_next_to_digits_are_none(text):
    assert natural(padded(text), 0, len(text)) == -1


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


@given(TEXTS, TEXTS)
def test_separators_of_whole_lines(text, after):
    found = np.full(len(text) + 1, -1, np.int32)
    n = separators(padded((text + after).encode()), len(text), found)
    whole = text[: text.rfind("\n") + 1]
    assert found[:n].tolist() == [i for i, letter in enumerate(whole) if letter in "\t\n"]
