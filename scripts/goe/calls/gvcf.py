"""One person's calls as VCF text: from bcftools mpileup by bcftools call to a gVCF.

Kernels work on the bytes of the lines as they pass; nothing is held but the block and the call that are still open.
Lines with a variant, one of some hundred, are told in Python.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import IO, Any, NamedTuple, Protocol

import numpy as np

from goe.core.errors import GoeError, Problem
from goe.hts.kernels import kernel
from goe.hts.text import PAD, behind_last, columns, digits, find, natural, padded, put, put_number, same

# A block carries the smallest depth and quality of its positions. It ends where one of these edges is crossed, or one
# of the thresholds in force, so joining decides nothing (C6.5); and where the depth leaves 30 % or 3 reads above the
# smallest, the tolerance of Strelka's gVCF blocks, so mean depths stay near.
DP_EDGES = (1, 5, 10)
GQ_EDGES = (1, 10, 20, 30)
# Depths at which bcftools mpileup ends its own blocks, before that; about 20 % apart.
PILEUP_EDGES = (0, 1, 3, 5, 7, 10, 12, 15, 18, 22, 27, 33, 40, 50, 60, 75, 90, 110)
# bcftools call caps GQ here as well.
MAX_GQ = 127
# Bases before a gap of the reference in which a deletion may be one of the gap; no indel that is called is longer.
LONGEST = 300

_FIELD_LINES = {
    b"END": b'##INFO=<ID=END,Number=1,Type=Integer,Description="Last position of the block">',
    b"GT": b'##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    b"DP": b'##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Read depth; of a block the smallest">',
    b"GQ": b'##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Genotype quality; of a block the smallest">',
    b"AD": b'##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Reads of each allele">',
}
_RGQ_LINE = b'##FORMAT=<ID=RGQ,Number=1,Type=Integer,Description="Confidence in the reference">\n'

# Bytes read at a time: few, since bcftools waits while they are worked on.
_CHUNK = 1 << 18
_TABS = 9
_HASH, _COLON, _COMMA, _SEMICOLON, _DOT, _SLASH, _LINE_END = b"#:,;./\n"
# Why a kernel stopped: it is through, it has no room left to write to, or the line is one for Python.
_END, _FULL, _LINE = range(3)
# Bytes of a block's line at most, without its contig.
_MOST = 160
# Of a line of numbers: reading it failed.
_BAD = -1


class _Keys(NamedTuple):
    """Names in a line, padded."""

    gt: np.ndarray = padded(b"GT")
    dp: np.ndarray = padded(b"DP")
    pl: np.ndarray = padded(b"PL")
    rgq: np.ndarray = padded(b"RGQ")
    end: np.ndarray = padded(b"END=")
    indel: np.ndarray = padded(b"INDEL")
    # What stands between the cells of a line that is written.
    added: np.ndarray = padded(b":RGQ\t")
    behind_ref: np.ndarray = padded(b"\t<*>\t.\t.\tEND=")
    behind_end: np.ndarray = padded(b"\tGT:DP:GQ\t0/0:")


_KEYS = _Keys()


class Filter(Protocol):
    """What is made of lines as they pass."""

    def lines(self, data: np.ndarray, stop: int) -> Iterator[bytes | memoryview]:
        """What is made of the whole lines in data[:stop], uint8 (n,) with `PAD` bytes and more behind them; of each
        piece before the next is asked for."""

    def end(self) -> Iterator[bytes | memoryview]:
        """What is left when all lines have passed."""


def filter_stream(source: IO[bytes], sink: IO[bytes], change: Filter) -> None:
    """Read lines of the binary file `source`, write what `change` makes of them to `sink`."""
    data, held = np.zeros(_CHUNK + PAD, np.uint8), 0
    while got := source.readinto(data.data[held:-PAD]):  # type: ignore[attr-defined]
        held += got
        stop = behind_last(data, 0, held, _LINE_END)
        sink.writelines(change.lines(data, stop))
        held -= stop
        data[:held] = data[stop : stop + held]
        if held == data.size - PAD:
            data = np.concatenate([data[:held], np.zeros_like(data)])
    if held:
        data[held] = _LINE_END
        sink.writelines(change.lines(data, held + 1))
    sink.writelines(change.end())
    sink.flush()


def _line(data: np.ndarray, at: int, stop: int) -> tuple[bytes, int]:
    """(the line at data[at], without its end; where the next begins)."""
    end = int(find(data, at, stop, _LINE_END))
    return data[at:end].tobytes(), end + 1


def _damaged(line: bytes, what: str) -> GoeError:
    where = ":".join(line.decode(errors="replace").split("\t")[:2])[:100]
    return GoeError(Problem(where, f"bcftools wrote a line in which {what}", "look at the log of the job"))


@kernel
def _number_of(data: np.ndarray, start: int, stop: int, key: np.ndarray) -> int:
    """Which of the cells of data[start:stop], which `:` parts, is the key; -1 for none."""
    n = 0
    while start < stop:
        end = find(data, start, stop, _COLON)
        if same(data, start, end, key):
            return n
        start, n = end + 1, n + 1
    return -1


@kernel
def _cell(data: np.ndarray, start: int, stop: int, n: int) -> tuple[int, int]:
    """Where the cell of a number begins and ends in data[start:stop]; nothing where there are fewer, or it is -1."""
    while n > 0 and start < stop:
        start, n = find(data, start, stop, _COLON) + 1, n - 1
    return (start, find(data, start, stop, _COLON)) if n == 0 and start < stop else (stop, stop)


@kernel
def _confidence(data: np.ndarray, start: int, stop: int, haploid: bool) -> int:
    """How much less likely than the first the best other genotype of a list of likelihoods is; `_BAD` where it is no
    such list."""
    first, least, n, next_haploid, step = 0, -1, 0, 2, 3
    missing = False
    while start < stop:
        if data[start] == _DOT:
            missing, value, end = True, 0, np.uint64(start + 1)
        else:
            value, end = digits(data, start)
            if value < 0:
                return _BAD
        if n == 0:
            first = value
        elif not haploid or n == next_haploid:
            least = value if least < 0 else min(least, value)
        if n == next_haploid:
            # Of diploid genotypes in the order of the specification, j/j is the (j(j+3)/2)-th.
            next_haploid, step = next_haploid + step, step + 1
        start, n = int(end) + 1, n + 1
        if start <= stop and data[start - 1] != _COMMA:
            return _BAD
    return 0 if missing or least < 0 else min(max(0, least - first), MAX_GQ)


@kernel
def _with_confidence(
    data: np.ndarray, at: int, stop: int, haploid: bool, out: np.ndarray, tabs: np.ndarray, keys: Any
) -> Any:
    """(why it stopped, where, how much of `out` is written) of the lines in data[at:stop]."""
    n = 0
    while at < stop:
        if data[at] == _HASH:
            return _LINE, at, n
        end = columns(data, at, tabs)
        if end < 0:
            return _LINE, at, n
        form, values = tabs[7] + 1, tabs[8] + 1
        start, behind = _cell(data, values, end, _number_of(data, form, tabs[8], keys.pl))
        confidence = _confidence(data, start, behind, haploid) if start < behind else _BAD
        if confidence == _BAD:
            return _LINE, at, n
        if n + end - at + 16 > out.size:
            return _FULL, at, n
        n = put(out, n, data, at, tabs[8])
        n = put(out, n, keys.added, 0, keys.added.size - PAD)
        n = put(out, n, data, values, end)
        out[n] = _COLON
        n = put_number(out, n + 1, confidence)
        out[n] = _LINE_END
        at, n = end + 1, n + 1
    return _END, at, n


class Confidence:
    """Lines of `bcftools mpileup -g`, with FORMAT/RGQ added: how much less likely the best other genotype is
    than the reference, Phred-scaled (0 when it is not less likely). haploid: only genotypes of one allele are others.

    `bcftools call` gives no GQ to a reference call and drops its PL, so this is what becomes its GQ.
    """

    def __init__(self, haploid: bool = False):
        self._haploid = haploid
        self._out, self._tabs = np.empty(2 * _CHUNK, np.uint8), np.empty(_TABS, np.int64)

    def lines(self, data: np.ndarray, stop: int) -> Iterator[bytes | memoryview]:
        at, why = 0, _LINE
        while why != _END:
            why, at, n = _with_confidence(data, at, stop, self._haploid, self._out, self._tabs, _KEYS)
            if n:
                yield self._out.data[:n]
            elif why == _FULL:
                self._out = np.empty(2 * self._out.size, np.uint8)
            if why == _LINE:
                line, at = _line(data, at, stop)
                if not line.startswith(b"#"):
                    raise _damaged(line, "likelihoods of one person are expected")
                yield (_RGQ_LINE if line.startswith(b"#CHROM") else b"") + line + b"\n"

    def end(self) -> Iterator[bytes | memoryview]:
        yield from ()


# What is held between lines, int64 (_HELD,): the call that is still open, and the block before it. Of each the first
# and last position (1-based, inclusive; the first is 0 where there is none), how many alleles are called, smallest
# depth, smallest quality, greatest depth (of a block alone), and the first base.
_START, _STOP, _ALLELES, _DP, _GQ, _DEEPEST, _REF, _BLOCK = range(8)
_VARIANT = 2 * _BLOCK  # position of the last variant
_HELD = _VARIANT + 1


class _State(NamedTuple):
    """held: see above; contig: name of that whose lines pass, padded; edges at which blocks end, int64, sorted."""

    held: np.ndarray
    contig: np.ndarray
    dp_edges: np.ndarray
    gq_edges: np.ndarray


@kernel
def _edge(edges: np.ndarray, value: int) -> int:
    """Number of edges that are not above a value."""
    n = 0
    for edge in edges:
        n += edge <= value
    return n


@kernel
def _extends(held: np.ndarray, dp_edges: np.ndarray, gq_edges: np.ndarray) -> bool:
    """Join the open call to the block; False where it does not follow it without a gap, or differs."""
    if held[_BLOCK] == 0 or held[_START] != held[_BLOCK + _STOP] + 1 or held[_ALLELES] != held[_BLOCK + _ALLELES]:
        return False
    dp, gq = held[_BLOCK + _DP], held[_BLOCK + _GQ]
    if _edge(dp_edges, held[_DP]) != _edge(dp_edges, dp) or _edge(gq_edges, held[_GQ]) != _edge(gq_edges, gq):
        return False
    deepest, smallest = max(held[_BLOCK + _DEEPEST], dp, held[_DP]), min(dp, held[_DP])
    if deepest > max(smallest + 3, 1.3 * smallest):
        return False
    held[_BLOCK + _DEEPEST], held[_BLOCK + _DP] = deepest, smallest
    held[_BLOCK + _STOP], held[_BLOCK + _GQ] = held[_STOP], min(gq, held[_GQ])
    return True


@kernel
def _put_block(held: np.ndarray, contig: np.ndarray, out: np.ndarray, n: int, keys: Any) -> int:
    """Write the block, if there is one, and hold none."""
    if held[_BLOCK] == 0:
        return n
    n = put(out, n, contig, 0, contig.size - PAD)
    out[n] = 9
    n = put_number(out, n + 1, held[_BLOCK + _START])
    out[n], out[n + 1], out[n + 2], out[n + 3] = 9, _DOT, 9, held[_BLOCK + _REF]
    n = put(out, n + 4, keys.behind_ref, 0, keys.behind_ref.size - PAD)
    n = put_number(out, n, held[_BLOCK + _STOP])
    n = put(out, n, keys.behind_end, 0, keys.behind_end.size - PAD)
    if held[_BLOCK + _ALLELES] == 1:
        n -= 2
        out[n - 1] = _COLON
    n = put_number(out, n, held[_BLOCK + _DP])
    out[n] = _COLON
    n = put_number(out, n + 1, held[_BLOCK + _GQ])
    out[n] = _LINE_END
    held[_BLOCK] = 0
    return n + 1


@kernel
def _settle(state: Any, out: np.ndarray, n: int, keys: Any) -> int:
    """Make the open call, if there is one, part of the block, or the next block; there is room for a line in `out`."""
    held = state.held
    if held[_START] != 0 and not _extends(held, state.dp_edges, state.gq_edges):
        n = _put_block(held, state.contig, out, n, keys)
        for i in range(_BLOCK):
            held[_BLOCK + i] = held[i]
    held[_START] = 0
    return n


@kernel
def _open(
    state: Any, out: np.ndarray, n: int, keys: Any,
    start: int, stop: int, alleles: int, dp: int, gq: int, ref: int, indel: bool,
) -> int:  # fmt: skip
    """Hold a reference call; of an indel that was considered at the position of the open one, what it takes from it."""
    held = state.held
    if indel and held[_START] == start and held[_STOP] == start:
        held[_DP], held[_GQ] = min(held[_DP], dp), min(held[_GQ], gq)
        return n
    n = _settle(state, out, n, keys)
    held[_START], held[_STOP], held[_ALLELES], held[_DP], held[_GQ] = start, stop, alleles, dp, gq
    held[_DEEPEST], held[_REF] = 0, ref
    return n


@kernel
def _value(data: np.ndarray, start: int, stop: int) -> int:
    """The number of a cell, 0 where it is missing, `_BAD` where it is none."""
    if stop <= start or (stop - start == 1 and data[start] == _DOT):
        return 0
    return natural(data, start, stop)


@kernel
def _end_of(data: np.ndarray, start: int, stop: int, key: np.ndarray) -> int:
    """INFO END, 0 where there is none, `_BAD` where it is no number."""
    while start < stop:
        end, value = find(data, start, stop, _SEMICOLON), start + key.size - PAD
        if value <= end and same(data, start, value, key):
            return _value(data, value, end)
        start = end + 1
    return 0


@kernel
def _alleles(data: np.ndarray, start: int, stop: int) -> int:
    """How many alleles GT calls, 0 where one is missing."""
    n = 1
    for at in range(start, stop):
        if data[at] == _DOT:
            return 0
        n += data[at] == _SLASH
    return n


@kernel
def _blocks(data: np.ndarray, at: int, stop: int, state: Any, out: np.ndarray, tabs: np.ndarray, keys: Any) -> Any:
    """(why it stopped, where, how much of `out` is written) of the lines in data[at:stop]."""
    n = 0
    while at < stop:
        if data[at] == _HASH:
            at = find(data, at, stop, _LINE_END) + 1
            continue
        end = columns(data, at, tabs)
        if end < 0 or not same(data, at, tabs[0], state.contig):
            return _LINE, at, n
        ref, alt, info, form, values = tabs[2] + 1, tabs[3] + 1, tabs[6] + 1, tabs[7] + 1, tabs[8] + 1
        if data[alt] != _DOT or tabs[4] != alt + 1:
            return _LINE, at, n
        if n + state.contig.size - PAD + _MOST > out.size:
            return _FULL, at, n
        start = natural(data, tabs[0] + 1, tabs[1])
        first, behind = _cell(data, values, end, _number_of(data, form, tabs[8], keys.gt))
        alleles = _alleles(data, first, behind)
        dp_first, dp_behind = _cell(data, values, end, _number_of(data, form, tabs[8], keys.dp))
        gq_first, gq_behind = _cell(data, values, end, _number_of(data, form, tabs[8], keys.rgq))
        dp, gq = _value(data, dp_first, dp_behind), _value(data, gq_first, gq_behind)
        indel = tabs[7] - info >= 5 and same(data, info, info + 5, keys.indel)
        last = 0 if indel else _end_of(data, info, tabs[7], keys.end)
        if first == behind or ref == tabs[3] or start < 1 or min(dp, gq, last) < 0:
            return _LINE, at, n
        at = end + 1
        if state.held[_VARIANT] != start and dp > 0 and alleles > 0:
            last = last if last > 0 else start
            n = _open(state, out, n, keys, start, last, alleles, dp, gq, data[ref], indel)
    return _END, at, n


def with_thresholds(edges: Sequence[int], thresholds: Iterable[int]) -> tuple[int, ...]:
    """The edges and the thresholds in force, sorted."""
    return tuple(sorted({*edges, *thresholds}))


def gaps_of(sequence: str, start: int) -> list[tuple[int, str]]:
    """(position, bases before it) of the first base of each run of letters other than A, C, G and T, but for a run at
    the very start. sequence: of a reference, in upper case, from the 1-based position `start` on."""
    found = re.finditer("(?<=[ACGT])[^ACGT]+", sequence)
    return [(start + run.start(), sequence[max(0, run.start() - LONGEST) : run.start()]) for run in found]


def _may_be_of_a_gap(pos: int, ref: str, alt: str, gaps: Sequence[tuple[int, str]]) -> bool:
    """Whether a deletion may as well be of an unknown base behind it: shifted to the right it reaches one."""
    length = len(ref) - len(alt)
    kept = next((i for i, (a, b) in enumerate(zip(ref, alt, strict=False)) if a != b), len(alt))
    if length < 1 or ref[kept + length :] != alt[kept:]:
        return False
    deleted, after = ref[kept : kept + length], pos + kept + length
    at = bisect_left(gaps, after, key=itemgetter(0))
    if at == len(gaps):
        return False
    gap, before = gaps[at]
    between = before[len(before) - (gap - after) :]
    return gap - after <= len(before) and between == (deleted * (len(between) // length + 1))[: len(between)]


def _header(contigs: Mapping[str, int], sample: str) -> bytes:
    lines = [b"##fileformat=VCFv4.2", b'##ALT=<ID=*,Description="Any other allele">']
    lines += [f"##contig=<ID={name},length={length}>".encode() for name, length in contigs.items()]
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", sample]
    return b"\n".join([*lines, *_FIELD_LINES.values(), "\t".join(columns).encode(), b""])


class Blocks:
    """gVCF lines (GT:DP:GQ:AD, reference blocks with ALT <*> and END) of the lines of `bcftools call`.

    The lines are of one person, called from those of `Confidence`. contigs: name -> length, for the header; min_dp,
    min_gq: thresholds in force, at which blocks end too; gaps: `gaps_of` the reference where the lines are, sorted.
    A position without reads is in no block. An indel that was considered and not called lowers the quality of
    the reference call at its position; a position with a variant is in no block. A deletion that may as well be of an
    unknown base of the reference is told as a reference call of the base before it: aligners write one beside the
    unknown base, and the placeholder at 3107 of the rCRS, which nobody has, would be a deletion of everybody.
    """

    def __init__(
        self,
        contigs: Mapping[str, int],
        sample: str,
        min_dp: Sequence[int] = (),
        min_gq: Sequence[int] = (),
        gaps: Sequence[tuple[int, str]] = (),
    ):
        self._header = _header(contigs, sample)
        edges = (with_thresholds(*both) for both in ((DP_EDGES, min_dp), (GQ_EDGES, min_gq)))
        self._gaps, self._tabs = gaps, np.empty(_TABS, np.int64)
        self._state = _State(np.zeros(_HELD, np.int64), padded(b""), *(np.array(one, np.int64) for one in edges))
        self._on(b"")

    def lines(self, data: np.ndarray, stop: int) -> Iterator[bytes | memoryview]:
        yield self._begun()
        at, why = 0, _LINE
        while why != _END:
            why, at, n = _blocks(data, at, stop, self._state, self._out, self._tabs, _KEYS)
            yield self._out.data[:n]
            if why == _LINE:
                line, behind = _line(data, at, stop)
                contig = line.split(b"\t", 1)[0]
                if contig == self._state.contig[:-PAD].tobytes():
                    yield from self._called(line)
                    at = behind
                else:
                    yield from self._closed()
                    self._on(contig)

    def end(self) -> Iterator[bytes | memoryview]:
        yield self._begun()
        yield from self._closed()

    def _on(self, contig: bytes) -> None:
        self._state.held[_VARIANT] = 0
        self._state = self._state._replace(contig=padded(contig))
        self._out = np.empty(_CHUNK + _MOST + len(contig), np.uint8)

    def _begun(self) -> bytes:
        """The header, once."""
        header, self._header = self._header, b""
        return header

    def _closed(self) -> Iterator[memoryview]:
        """The open call and the block."""
        n = _settle(self._state, self._out, 0, _KEYS)
        yield self._out.data[: _put_block(self._state.held, self._state.contig, self._out, n, _KEYS)]

    def _called(self, line: bytes) -> Iterator[bytes | memoryview]:
        """What becomes of a line with a variant."""
        try:
            contig, place, _, ref, alt, qual, _, info, form, values = line.split(b"\t")
            call = dict(zip(form.split(b":"), values.split(b":"), strict=False))
            start, called = int(place), b"." not in call[b"GT"]
        except (ValueError, KeyError):
            raise _damaged(line, "a call of one person is expected") from None
        held = self._state.held
        if alt == b".":
            raise _damaged(line, "a number cannot be read")
        if any(_may_be_of_a_gap(start, ref.decode(), a.decode(), self._gaps) for a in alt.split(b",")):
            dp, gq = (int(call.get(key, b".").replace(b".", b"0")) for key in (b"DP", b"GQ"))
            if called and dp > 0 and held[_VARIANT] != start:
                alleles, indel = call[b"GT"].count(b"/") + 1, info.startswith(b"INDEL")
                row = start, start, alleles, dp, gq, ref[0], indel
                n = _open(self._state, self._out, 0, _KEYS, *row)
                yield self._out.data[:n]
            return
        if held[_START] and held[_STOP] >= start:
            held[_STOP] = start - 1
            if held[_STOP] < held[_START]:
                held[_START] = 0
        yield from self._closed()
        if called:
            fields = b":".join(call.get(k, b".") for k in (b"GT", b"DP", b"GQ", b"AD"))
            yield b"\t".join((contig, place, b".", ref, alt, qual, b".", b".", b"GT:DP:GQ:AD", fields)) + b"\n"
        held[_VARIANT] = start
