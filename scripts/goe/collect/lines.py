"""Lines of a VCF from columns of numbers: digits go straight into the text, in one pass over the alleles."""

from collections.abc import Sequence

import numba as nb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


class Info:
    """INFO of some alleles, tag by tag. names: of the tags, in the order in which they are put in."""

    def __init__(self, names: Sequence[str], alleles: int):
        self.names = pa.array([f"{name}=" for name in names], pa.string())
        self.values = np.zeros((len(names), alleles), np.int32)
        self.shown = np.zeros((len(names), alleles), bool)
        self.worded = np.zeros(len(names), bool)
        # Most frequencies are 0.
        self.words: list[pa.Array] = [pa.array(["0"])]

    def counts(self, tag: int, values: np.ndarray, shown: np.ndarray | bool) -> None:
        """Whole numbers, none below 0: int (alleles,). shown: bool, where the tag stands."""
        self.values[tag], self.shown[tag] = values, shown

    def numbers(self, tag: int, values: np.ndarray, shown: np.ndarray | bool) -> None:
        """float (alleles,), each as the shortest text that reads back as the same number of its precision."""
        self.shown[tag] = shown
        at = np.flatnonzero(self.shown[tag] & (values != 0))
        self._put(tag, at, pc.cast(pa.array(values[at]), pa.string()))

    def texts(self, tag: int, values: pa.Array) -> None:
        """Words; the tag stands where there is one."""
        valid = values.is_valid().to_numpy(zero_copy_only=False)
        self.shown[tag] = valid
        self._put(tag, np.flatnonzero(valid), values.drop_null())

    def _put(self, tag: int, at: np.ndarray, words: pa.Array) -> None:
        self.worded[tag] = True
        first = sum(map(len, self.words))
        self.values[tag, at] = np.arange(first, first + len(words))
        self.words.append(words)

    def lines(self, before: pa.Array) -> pa.Array:
        """The lines, each with its line end. before: text of each line up to INFO."""
        parts = tuple(_bytes(texts) for texts in (before, self.names, pa.concat_arrays(self.words)))
        longest = [int(np.diff(ends).max(initial=0)) for _, ends in parts]
        room = (longest[0] + 1 + len(self.names) * (longest[1] + 1 + max(10, longest[2]))) * len(before)
        out, ends = np.empty(room, np.uint8), np.zeros(len(before) + 1, np.int32)
        _join(parts, self.values, self.shown, self.worded, out, ends)
        return pa.StringArray.from_buffers(len(before), pa.py_buffer(ends), pa.py_buffer(out[: ends[-1]]))


def content(lines: pa.Array) -> memoryview:
    """The bytes of lines one behind the other."""
    data, ends = _bytes(lines)
    return data[ends[0] : ends[-1]].data


def _bytes(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Bytes of texts, and int32 (texts + 1,), where in them each begins."""
    ends = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return np.frombuffer(texts.buffers()[2] or b"", np.uint8), ends


@nb.njit(cache=True, nogil=True)
def _copy(part, i, out, at):  # type: ignore[no-untyped-def]
    data, ends = part
    for j in range(ends[i], ends[i + 1]):
        out[at] = data[j]
        at += 1
    return at


@nb.njit(cache=True, nogil=True)
def _join(parts, values, shown, worded, out, ends):  # type: ignore[no-untyped-def]
    """Fill in `out` with the lines and `ends` with where each ends. parts: texts before INFO, of tags, words."""
    before, names, words = parts
    digits = np.empty(10, np.uint8)
    at = 0
    for row in range(values.shape[1]):
        at = _copy(before, row, out, at)
        first = True
        for tag in range(values.shape[0]):
            if not shown[tag, row]:
                continue
            if not first:
                out[at] = 59
                at += 1
            first = False
            at = _copy(names, tag, out, at)
            value = values[tag, row]
            if worded[tag]:
                at = _copy(words, value, out, at)
                continue
            n = 0
            while True:
                digits[n] = 48 + value % 10
                value //= 10
                n += 1
                if value == 0:
                    break
            for j in range(n):
                out[at] = digits[n - 1 - j]
                at += 1
        out[at] = 10
        at += 1
        ends[row + 1] = at
