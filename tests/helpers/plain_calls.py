"""What goe.calls.gvcf makes of the lines of bcftools, told line by line in plain Python.

Shares nothing with it but the edges and what a gap of the reference is.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter

from goe.calls.gvcf import DP_EDGES, GQ_EDGES, MAX_GQ


def _info(text: bytes, key: bytes) -> int | None:
    """Integer value of an INFO key, None when it is absent or missing."""
    for item in text.split(b";"):
        if item.startswith(key) and item[len(key) : len(key) + 1] == b"=":
            value = item[len(key) + 1 :]
            return None if value == b"." else int(value)
    return None


def _integer(text: bytes | None) -> int | None:
    return None if text is None or text == b"." or text == b"" else int(text)


def with_confidence(lines: Iterable[bytes], haploid: bool = False) -> Iterator[bytes]:
    """Lines of `bcftools mpileup -g`, with FORMAT/RGQ added: how much less likely the best other genotype is
    than the reference, Phred-scaled (0 when it is not less likely). haploid: only genotypes of one allele are others.

    `bcftools call` gives no GQ to a reference call and drops its PL, so this is what becomes its GQ.
    """
    for line in lines:
        if line.startswith(b"#"):
            if line.startswith(b"#CHROM"):
                yield b'##FORMAT=<ID=RGQ,Number=1,Type=Integer,Description="Confidence in the reference">'
            yield line
            continue
        cells = line.split(b"\t")
        values = cells[9].split(b":")
        pl = values[cells[8].split(b":").index(b"PL")]
        best = 0
        if b"." not in pl:
            first, *others = map(int, pl.split(b","))
            if haploid:
                # Of diploid genotypes in the order of the specification, j/j is the (j(j+3)/2)-th.
                others = [
                    others[j * (j + 3) // 2 - 1] for j in range(1, len(others)) if j * (j + 3) // 2 <= len(others)
                ]
            best = min(max(0, min(others) - first), MAX_GQ) if others else 0
        yield b"%b:RGQ\t%b:%d" % (b"\t".join(cells[:9]), cells[9], best)


@dataclass(slots=True)
class _Block:
    """Reference call over start..end (1-based, inclusive)."""

    contig: bytes
    start: int
    end: int
    ref: bytes
    gt: bytes
    dp: int
    gq: int
    deepest: int = 0

    def extend(self, other: "_Block", edges: "_Edges") -> bool:
        """Join the block that follows this one without a gap; False when it differs."""
        if (other.contig, other.start, other.gt) != (self.contig, self.end + 1, self.gt):
            return False
        if edges.key(other.dp, other.gq) != edges.key(self.dp, self.gq):
            return False
        deepest = max(self.deepest, self.dp, other.dp)
        smallest = min(self.dp, other.dp)
        if deepest > max(smallest + 3, 1.3 * smallest):
            return False
        self.deepest, self.dp = deepest, smallest
        self.end, self.gq = other.end, min(self.gq, other.gq)
        return True

    def line(self) -> bytes:
        cells = [self.contig, b"%d" % self.start, b".", self.ref, b"<*>", b".", b".", b"END=%d" % self.end, b"GT:DP:GQ"]
        return b"\t".join([*cells, b"%b:%d:%d" % (self.gt, self.dp, self.gq)])


@dataclass(frozen=True)
class _Edges:
    """Depths and qualities at which a block ends, sorted."""

    dp: tuple[int, ...]
    gq: tuple[int, ...]

    def key(self, dp: int, gq: int) -> tuple[int, int]:
        return bisect_right(self.dp, dp), bisect_right(self.gq, gq)


def with_thresholds(edges: Sequence[int], thresholds: Iterable[int]) -> tuple[int, ...]:
    """The edges and the thresholds in force, sorted."""
    return tuple(sorted({*edges, *thresholds}))


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


def from_bcftools(
    lines: Iterable[bytes],
    min_dp: Sequence[int] = (),
    min_gq: Sequence[int] = (),
    gaps: Sequence[tuple[int, str]] = (),
) -> Iterator[bytes]:
    """gVCF lines (GT:DP:GQ:AD, reference blocks with ALT <*> and END) of the lines of `bcftools call`.

    No header. lines: of one person, called from `with_confidence`; min_dp, min_gq: thresholds in force, at which blocks
    end too; gaps: `gaps_of` the reference where the lines are, sorted.
    A position without reads is in no block. An indel that was considered and not called lowers the quality of
    the reference call at its position; a position with a variant is in no block. A deletion that may as well be of an
    unknown base of the reference is told as a reference call of the base before it: aligners write one beside the
    unknown base, and the placeholder at 3107 of the rCRS, which nobody has, would be a deletion of everybody.
    """
    edges = _Edges(with_thresholds(DP_EDGES, min_dp), with_thresholds(GQ_EDGES, min_gq))
    block: _Block | None = None
    site: _Block | None = None
    variant = (b"", 0)

    def settled() -> Iterator[bytes]:
        nonlocal block
        if site is not None and (block is None or not block.extend(site, edges)):
            if block is not None:
                yield block.line()
            block = site

    for line in lines:
        if line.startswith(b"#"):
            continue
        contig, pos, _, ref, alt, qual, _, info, form, values = line.split(b"\t")
        start = int(pos)
        call = dict(zip(form.split(b":"), values.split(b":"), strict=False))
        of_a_gap = alt != b"." and any(_may_be_of_a_gap(start, ref.decode(), a.decode(), gaps) for a in alt.split(b","))
        if alt != b"." and not of_a_gap:
            if site is not None and site.contig == contig and site.end >= start:
                site.end = start - 1
                if site.end < site.start:
                    site = None
            yield from settled()
            site = None
            if block is not None:
                yield block.line()
                block = None
            if b"." not in call[b"GT"]:
                fields = b":".join(call.get(k, b".") for k in (b"GT", b"DP", b"GQ", b"AD"))
                yield b"\t".join((contig, pos, b".", ref, alt, qual, b".", b".", b"GT:DP:GQ:AD", fields))
            variant = (contig, start)
            continue
        indel = info.startswith(b"INDEL")
        dp = _integer(call.get(b"DP")) or 0
        if variant == (contig, start) or dp == 0 or b"." in call[b"GT"]:
            continue
        end = start if indel else _info(info, b"END") or start
        genotype = b"0/0" if b"/" in call[b"GT"] else b"0"
        confidence = _integer(call.get(b"GQ" if of_a_gap else b"RGQ")) or 0
        new = _Block(contig, start, end, ref[:1], genotype, dp, confidence)
        if indel and site is not None and (site.contig, site.start, site.end) == (contig, start, start):
            site.dp, site.gq = min(site.dp, new.dp), min(site.gq, new.gq)
            continue
        yield from settled()
        site = new
    yield from settled()
    if block is not None:
        yield block.line()
