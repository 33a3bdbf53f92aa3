"""Lines of a VCF from columns of numbers: digits go straight into the text, in one pass over the alleles."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from goe.hts.kernels import jit

_DIGITS = 10
"""Of an int32."""


class Info:
    """INFO of some alleles, tag by tag. names: of the tags, in the order in which they are put in."""

    def __init__(self, names: Sequence[str], alleles: int):
        self.names = pa.array([f";{name}=" for name in names], pa.string())
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

    def lines(self, contig: str, pos: np.ndarray, columns: Sequence[pa.Array]) -> pa.Array:
        """The lines, each with its line end. pos: int32 (alleles,); columns: texts of REF, ALT and FILTER."""
        parts = tuple(bytes_of(texts) for texts in (*columns, self.names, pa.concat_arrays(self.words)))
        start = np.frombuffer(f"{contig}\t".encode(), np.uint8)
        *texts_of, (_, names), words = parts
        tags = len(self.names) * (int(np.diff(names).max(initial=0)) + _DIGITS)
        # Every word but the 0 stands once.
        texts = sum(int(ends[-1] - ends[0]) for _, ends in (*texts_of, words))
        room = len(pos) * (len(start) + _DIGITS + len("\t.\t\t\t.\t\t\n") + tags) + texts
        out, ends = np.empty(room, np.uint8), np.zeros(len(pos) + 1, np.int32)
        _join(start, pos, parts, self.values, self.shown, self.worded, out, ends)
        return pa.StringArray.from_buffers(len(pos), pa.py_buffer(ends), pa.py_buffer(out[: ends[-1]]))


def content(lines: pa.Array) -> memoryview:
    """The bytes of lines one behind the other."""
    data, ends = bytes_of(lines)
    return data[ends[0] : ends[-1]].data


def bytes_of(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Bytes of texts, and int32 (texts + 1,), where in them each begins."""
    ends = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return np.frombuffer(texts.buffers()[2] or b"", np.uint8), ends


@jit
def _copy(part, i, out, at):  # type: ignore[no-untyped-def]
    data, ends = part
    for j in range(ends[i], ends[i + 1]):
        out[at] = data[j]
        at += 1
    return at


@jit
def _number(value, out, at):  # type: ignore[no-untyped-def]
    """Digits of a number, none below 0, into `out` from `at`; where they end."""
    end, power = at + 1, 10
    while value >= power:
        end += 1
        power *= 10
    for j in range(end - 1, at - 1, -1):
        out[j] = 48 + value % 10
        value //= 10
    return end


@jit
def _text(text, out, at):  # type: ignore[no-untyped-def]
    for byte in text:
        out[at] = byte
        at += 1
    return at


@jit
def _join(start, pos, parts, values, shown, worded, out, ends):  # type: ignore[no-untyped-def]
    """Fill in `out` with the lines and `ends` with where each ends. parts: REF, ALT, FILTER, names of tags, words."""
    ref, alt, verdict, names, words = parts
    at = 0
    for row in range(values.shape[1]):
        at = _number(pos[row], out, _text(start, out, at))
        at = _copy(ref, row, out, _text(b"\t.\t", out, at))
        at = _copy(alt, row, out, _text(b"\t", out, at))
        at = _copy(verdict, row, out, _text(b"\t.\t", out, at))
        out[at] = 9
        info = at
        for tag in range(values.shape[0]):
            if not shown[tag, row]:
                continue
            at = _copy(names, tag, out, at)
            if worded[tag]:
                at = _copy(words, values[tag, row], out, at)
            else:
                at = _number(values[tag, row], out, at)
        if at == info:
            at += 1
        # What stands before the first tag is the tab, and no semicolon.
        out[info] = 9
        out[at] = 10
        at += 1
        ends[row + 1] = at
