"""One person's calls as VCF text lines (bytes, without the line end): from bcftools to a gVCF, and any gVCF or
single-sample VCF to the uniform form that is merged.

Lines are worked on as text, one at a time; nothing is held but the block and the variant that are still open.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from goe.core.errors import GoeError, Problem
from goe.core.ledger import Ledger

# A block carries the smallest depth and quality of its positions. It ends where one of these edges is crossed, the
# thresholds of C1.1 (GQ 20, DP 10, haploid DP 5) among them, so joining decides nothing; and where the depth
# leaves 30 % or 3 reads above the smallest, the tolerance of Strelka's gVCF blocks, so mean depths stay near.
DP_EDGES = (1, 5, 10)
GQ_EDGES = (1, 10, 20, 30)
# Depths at which bcftools mpileup ends its own blocks, before that; about 20 % apart.
PILEUP_EDGES = (0, 1, 3, 5, 7, 10, 12, 15, 18, 22, 27, 33, 40, 50, 60, 75, 90, 110)
# bcftools call caps GQ here as well.
MAX_GQ = 127

_PLAIN = re.compile(rb"[ACGTNacgtn]+")
_UNSEEN = (b"<NON_REF>", b"<*>", b"<X>")
_FIELD_LINES = {
    b"END": b'##INFO=<ID=END,Number=1,Type=Integer,Description="Last position of the block">',
    b"GT": b'##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    b"DP": b'##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Read depth; of a block the smallest">',
    b"GQ": b'##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Genotype quality; of a block the smallest">',
    b"AD": b'##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Reads of each allele">',
    b"FT": b'##FORMAT=<ID=FT,Number=1,Type=String,Description="Filters of the genotype">',
}


def _header(
    contigs: dict[str, int], sample: str, filters: Iterable[bytes], alts: Iterable[bytes], ft: bool
) -> list[bytes]:
    lines = [b"##fileformat=VCFv4.2", *filters, *alts]
    lines += [f"##contig=<ID={name},length={length}>".encode() for name, length in contigs.items()]
    lines += [text for key, text in _FIELD_LINES.items() if ft or key != b"FT"]
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", sample]
    return [*lines, "\t".join(columns).encode()]


def _info(text: bytes, key: bytes) -> int | None:
    """Integer value of an INFO key, None when it is absent or missing."""
    for item in text.split(b";"):
        if item.startswith(key) and item[len(key) : len(key) + 1] == b"=":
            value = item[len(key) + 1 :]
            return None if value == b"." else int(value)
    return None


def _integer(text: bytes | None) -> int | None:
    return None if text is None or text == b"." or text == b"" else int(text)


def _text(value: int | None) -> bytes:
    return b"." if value is None else b"%d" % value


def _failing(status: bytes) -> bytes:
    """FILTER or FT as it is where it names a reason, `.` where it passes or says nothing."""
    # A FILTER may have a colon in its name, which would end the value of FT (VCF 4.3, section 1.2).
    return b"." if status in (b"", b"PASS") else status.replace(b":", b"%3A")


def _values(form: bytes, ft: bytes, *values: bytes) -> tuple[bytes, bytes]:
    """FORMAT and the person's values, with FT only where it fails: most records are without."""
    return (form, b":".join(values)) if ft == b"." else (form + b":FT", b":".join((*values, ft)))


def quality_of_likelihoods(pl: bytes | None) -> int | None:
    """GQ = second smallest PL minus the smallest (VCF specification, FORMAT/PL and GQ); None when there are none."""
    if pl is None or b"." in pl:
        return None
    values = sorted(map(int, pl.split(b",")))
    return min(values[1] - values[0], MAX_GQ) if len(values) > 1 else None


def with_confidence(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Lines of `bcftools mpileup -g`, with FORMAT/RGQ added: how much less likely the best other genotype is
    than the reference, Phred-scaled (0 when it is not less likely).

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
    dp: int | None
    gq: int | None
    ft: bytes = b"."
    deepest: int = 0

    def key(self) -> tuple:
        return (
            self.gt,
            self.ft,
            -1 if self.dp is None else bisect_right(DP_EDGES, self.dp),
            -1 if self.gq is None else bisect_right(GQ_EDGES, self.gq),
        )

    def extend(self, other: "_Block") -> bool:
        """Join the block that follows this one without a gap; False when it differs."""
        if other.contig != self.contig or other.start != self.end + 1 or other.key() != self.key():
            return False
        if self.dp is not None:
            deepest = max(self.deepest, self.dp, other.dp)
            smallest = min(self.dp, other.dp)
            if deepest > max(smallest + 3, 1.3 * smallest):
                return False
            self.deepest, self.dp = deepest, smallest
        self.end = other.end
        self.gq = None if self.gq is None else min(self.gq, other.gq)
        return True

    def line(self, alt: bytes) -> bytes:
        cells = [self.contig, b"%d" % self.start, b".", self.ref, alt, b".", b".", b"END=%d" % self.end]
        return b"\t".join([*cells, *_values(b"GT:DP:GQ", self.ft, self.gt, _text(self.dp), _text(self.gq))])


def from_bcftools(lines: Iterable[bytes], contigs: dict[str, int], sample: str) -> Iterator[bytes]:
    """gVCF lines (GT:DP:GQ:AD, reference blocks with ALT <*> and END) of the lines of `bcftools call`.

    lines: of one person, called from `with_confidence`; contigs: name -> length, for the header.
    A position without reads is in no block. An indel that was considered and not called lowers the quality of
    the reference call at its position; a position with a variant is in no block.
    """
    alts = [b'##ALT=<ID=*,Description="Any other allele">']
    yield from _header(contigs, sample, [], alts, ft=False)
    block: _Block | None = None
    site: _Block | None = None
    variant = (b"", 0)

    def settled() -> Iterator[bytes]:
        nonlocal block
        if site is not None and (block is None or not block.extend(site)):
            if block is not None:
                yield block.line(b"<*>")
            block = site

    for line in lines:
        if line.startswith(b"#"):
            continue
        contig, pos, _, ref, alt, qual, _, info, form, values = line.split(b"\t")
        start = int(pos)
        call = dict(zip(form.split(b":"), values.split(b":"), strict=False))
        if alt != b".":
            if site is not None and site.contig == contig and site.end >= start:
                site.end = start - 1
                if site.end < site.start:
                    site = None
            yield from settled()
            site = None
            if block is not None:
                yield block.line(b"<*>")
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
        new = _Block(contig, start, end, ref[:1], b"0/0", dp, _integer(call.get(b"RGQ")) or 0)
        if indel and site is not None and (site.contig, site.start, site.end) == (contig, start, start):
            site.dp, site.gq = min(site.dp, new.dp), min(site.gq, new.gq)
            continue
        yield from settled()
        site = new
    yield from settled()
    if block is not None:
        yield block.line(b"<*>")


@dataclass(slots=True)
class _Variant:
    """A record that is no block. gt: allele numbers, None for a missing one; filter: `.` or the reasons it fails."""

    contig: bytes
    pos: int
    ref: bytes
    alts: list[bytes]
    qual: bytes
    filter: bytes
    gt: list[int | None]
    dp: int | None
    gq: int | None
    ad: list[int | None] | None
    ft: bytes = b"."

    def line(self) -> bytes:
        gt = b"/".join(b"." if a is None else b"%d" % a for a in self.gt)
        ad = b"." if self.ad is None else b",".join(map(_text, self.ad))
        cells = [self.contig, b"%d" % self.pos, b".", self.ref, b",".join(self.alts) or b".", self.qual, b".", b"."]
        # The FILTER of a reference call (RefCall of DeepVariant) says nothing of an ALT.
        ft = self.filter if self.ft == b"." and any(self.gt) else self.ft
        return b"\t".join([*cells, *_values(b"GT:DP:GQ:AD", ft, gt, _text(self.dp), _text(self.gq), ad)])


def _select(record: _Variant, keep: list[int]) -> None:
    """Reduce the ALT alleles to those numbered in `keep` (from 1), which hold every called allele."""
    number = {0: 0} | {old: new for new, old in enumerate(keep, 1)}
    record.alts = [record.alts[old - 1] for old in keep]
    record.gt = [None if a is None else number[a] for a in record.gt]
    if record.ad is not None:
        record.ad = [record.ad[old] for old in number]


def _on(record: _Variant, ref: bytes, alts: list[bytes]) -> None:
    """Rewrite the record on the longer `ref` with the alleles `alts`, which hold its own."""
    tail = ref[len(record.ref) :]
    number = [0] + [alts.index(a + tail if _PLAIN.fullmatch(a) else a) + 1 for a in record.alts]
    if record.ad is not None:
        ad: list[int | None] = [None] * (len(alts) + 1)
        for old, new in enumerate(number):
            ad[new] = record.ad[old]
        record.ad = ad
    record.gt = [None if a is None else number[a] for a in record.gt]
    record.ref, record.alts = ref, alts


def _smallest(one: int | None, two: int | None) -> int | None:
    return None if one is None or two is None else min(one, two)


def together(one: _Variant, two: _Variant) -> tuple[_Variant, str]:
    """One record for two of a person at one position, and what was done, for the ledger.

    By C3.4 a call beats missing and a non-reference call beats a reference call; two non-reference calls of
    one allele that differ are missing. Alleles that do not all fit the ploidy cannot be one genotype: the record
    with more copies is taken.
    """
    ref = max(one.ref, two.ref, key=len)
    alts: list[bytes] = []
    for record in (one, two):
        tail = ref[len(record.ref) :]
        alts += [b for a in record.alts if (b := a + tail if _PLAIN.fullmatch(a) else a) not in alts]
    _on(one, ref, alts)
    _on(two, ref, alts)
    reasons = [r for record in (one, two) if any(record.gt) for r in record.filter.split(b";") if r != b"."]
    one.filter = two.filter = b";".join(dict.fromkeys(reasons)) or b"."
    copies = [[r.gt.count(a) for a in range(1, len(alts) + 1)] for r in (one, two)]
    called = [None not in r.gt for r in (one, two)]
    if called[0] != called[1]:
        return (one if called[0] else two), "same_position"
    carried = [sum(c) for c in copies]
    if not (carried[0] and carried[1]) or not called[0]:
        if not carried[0] and not carried[1]:
            one.dp, one.gq = _smallest(one.dp, two.dp), _smallest(one.gq, two.gq)
        return (two if carried[1] > carried[0] else one), "same_position"
    if any(a and b and a != b for a, b in zip(*copies, strict=True)):
        one.gt = [None] * len(one.gt)
        return one, "same_position_contradicts"
    union = [max(pair) for pair in zip(*copies, strict=True)]
    if len(one.gt) != len(two.gt) or sum(union) > len(one.gt):
        return (two if carried[1] > carried[0] else one), "same_position_exceeds_ploidy"
    one.gt = [0] * (len(one.gt) - sum(union)) + [a for a, n in enumerate(union, 1) for _ in range(n)]
    one.dp = two.dp if one.dp is None else one.dp if two.dp is None else max(one.dp, two.dp)
    one.gq = _smallest(one.gq, two.gq)
    if one.ad is not None and two.ad is not None:
        one.ad = [_smallest(one.ad[0], two.ad[0])] + [
            a if b is None else b if a is None else max(a, b) for a, b in zip(one.ad[1:], two.ad[1:], strict=True)
        ]
    return one, "same_position"


class Uniform:
    """Any gVCF or single-sample VCF in the form that is merged: contigs of the reference, INFO/END, FORMAT GT, DP,
    GQ, AD (Number=R) and FT where it fails.

    FILTER of the file is about this person's call, and merging would make it one of everybody's: it becomes FT where
    the person carries an ALT, and goes elsewhere. When FT is asked for, one of the file that fails stands in its place.

    blocks: True for a gVCF. There, a record whose person carries no ALT becomes a block (ALT `.`, END), blocks do
    not overlap and are joined as `DP_EDGES` says, and ALT alleles the person does not carry go. A
    block's DP is MIN_DP where the file has it: its smallest depth, which GenotypeGVCFs gives too. A GQ that is
    absent comes from PL. In a VCF every record stays. In both, records of one position become one (`together`).

    contigs: those to keep, name -> length; rename: names in the file -> names in the reference.
    join: False for blocks of `from_bcftools`, which are joined as far as the tolerance goes.
    base: the reference's letter at (contig, position); asked for where a block has to start later than in the file.
    ledger: what came of the records.
    """

    def __init__(
        self,
        name: str,
        sample: str,
        contigs: dict[str, int],
        rename: dict[str, str],
        blocks: bool,
        base: Callable[[str, int], bytes],
        respect_ft: bool = False,
        join: bool = True,
    ):
        self.name = name
        self.sample = sample
        self.contigs = contigs
        self.blocks = blocks
        self._base = base
        self.ft = respect_ft
        self._join = join
        self.ledger = Ledger("joint_person")
        self._rename = {a.encode(): b.encode() for a, b in rename.items()}
        self._known = {c.encode() for c in contigs}
        self._block: _Block | None = None
        self._variant: _Variant | None = None
        self._last = (b"", 0)
        self._covered = 0

    def __call__(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        kept: list[bytes] = []
        alts: list[bytes] = []
        for line in lines:
            if not line.startswith(b"#"):
                try:
                    yield from self._record(line)
                except ValueError as error:
                    where = ":".join(line.decode(errors="replace").split("\t", 2)[:2])
                    what = f"a number cannot be read: {error}"
                    mend = "GQ, DP, MIN_DP, PL, END are whole numbers, AD a list of them: make the file again"
                    raise GoeError(Problem(f"{self.name}, {where}", what, mend)) from error
            elif line.startswith(b"##FILTER="):
                kept.append(line)
            elif line.startswith(b"##ALT=") and not any(b"ID=" + u[1:-1] + b"," in line for u in _UNSEEN):
                alts.append(line)
            elif line.startswith(b"#CHROM"):
                self._check_sample(line)
                yield from _header(self.contigs, self.sample, kept, alts, ft=True)
        yield from self._flush_variant()
        yield from self._flush_block()

    def _check_sample(self, line: bytes) -> None:
        samples = line.decode().split("\t")[9:]
        if samples != [self.sample]:
            found = ", ".join(samples) or "nobody"
            raise GoeError(
                Problem(
                    self.name,
                    f"holds {found} where the sheet says {self.sample}",
                    "mend the sheet, or rename the sample with bcftools reheader --samples",
                )
            )

    def _ft(self, call: dict[bytes, bytes]) -> bytes:
        return _failing(call.get(b"FT", b".")) if self.ft else b"."

    def _record(self, line: bytes) -> Iterator[bytes]:
        self.ledger.take("records")
        contig, pos, _, ref, alt, qual, filters, info, form, values = line.split(b"\t")
        contig = self._rename.get(contig, contig)
        if contig not in self._known:
            self.ledger.drop("records", "contig_not_counted")
            return
        start = int(pos)
        if contig == self._last[0] and start < self._last[1]:
            raise GoeError(
                Problem(
                    f"{self.name}, {contig.decode()}:{start}",
                    f"stands after position {self._last[1]}: the file is not sorted",
                    "bcftools sort",
                )
            )
        if contig != self._last[0]:
            yield from self._flush_variant()
            yield from self._flush_block()
            self._covered = 0
        self._last = (contig, start)
        call = dict(zip(form.split(b":"), values.split(b":"), strict=False))
        ref = ref.upper()
        alts = [] if alt == b"." else [a.upper() if _PLAIN.fullmatch(a) else a for a in alt.split(b",")]
        try:
            gt = [None if a == b"." else int(a) for a in call[b"GT"].replace(b"|", b"/").split(b"/")]
        except (KeyError, ValueError):
            gt = [None]
        if any(a is not None and a > len(alts) for a in gt):
            raise GoeError(
                Problem(
                    f"{self.name}, {contig.decode()}:{start}",
                    f"genotype {call[b'GT'].decode()} calls an allele the record does not have",
                    "make the file again",
                )
            )
        if self.blocks and not any(gt):
            yield from self._reference(contig, start, ref, alts, info, call, gt)
            return
        gq = _integer(call.get(b"GQ"))
        if self.blocks and gq is None:
            gq = quality_of_likelihoods(call.get(b"PL"))
        ad = None
        if call.get(b"AD", b".") != b".":
            ad = [_integer(a) for a in call[b"AD"].split(b",")]
            if len(ad) != len(alts) + 1:
                ad = None
                self.ledger.take("odd_ad")
                self.ledger.drop("odd_ad", "not_one_value_an_allele")
        dp = _integer(call.get(b"DP"))
        record = _Variant(contig, start, ref, alts, qual, _failing(filters), gt, dp, gq, ad, self._ft(call))
        called = {a for a in gt if a}
        if self.blocks:
            _select(record, sorted(called))
        elif any(a in _UNSEEN for a in alts):
            _select(record, [n for n, a in enumerate(alts, 1) if n in called or a not in _UNSEEN])
        if self._variant is not None and self._variant.pos == start:
            self._variant, reason = together(self._variant, record)
            self.ledger.drop("records", reason)
            return
        yield from self._flush_variant()
        if self._block is not None and self._block.end >= start:
            self._block.end = start - 1
            if self._block.end < self._block.start:
                self._block = None
                self.ledger.drop("records", "covered_by_variant")
        yield from self._flush_block()
        self._variant = record
        self._covered = max(self._covered, start)

    def _reference(
        self,
        contig: bytes,
        start: int,
        ref: bytes,
        alts: list[bytes],
        info: bytes,
        call: dict[bytes, bytes],
        gt: list[int | None],
    ) -> Iterator[bytes]:
        if None in gt:
            self.ledger.drop("records", "no_call")
            return
        end = _info(info, b"END") or start + (len(ref) - 1 if alts else 0)
        dp = _integer(call.get(b"MIN_DP"))
        if dp is None:
            dp = _integer(call.get(b"DP"))
        if dp is None:
            dp = _info(info, b"MIN_DP") if b"MIN_DP=" in info else _info(info, b"MinDP")
        gq = _integer(call.get(b"GQ"))
        if gq is None:
            gq = quality_of_likelihoods(call.get(b"PL"))
        first = max(start, self._covered + 1)
        if first > end:
            self.ledger.drop("records", "covered")
            return
        self._covered = end
        base = ref[first - start : first - start + 1] or self._base(contig.decode(), first)
        genotype = b"/".join([b"0"] * len(gt))
        new = _Block(contig, first, end, base, genotype, dp, gq, self._ft(call))
        yield from self._flush_variant()
        if self._join and self._block is not None and self._block.extend(new):
            self.ledger.drop("records", "joined")
            return
        yield from self._flush_block()
        self._block = new

    def _flush_block(self) -> Iterator[bytes]:
        if self._block is not None:
            self.ledger.give("records")
            yield self._block.line(b".")
            self._block = None

    def _flush_variant(self) -> Iterator[bytes]:
        if self._variant is not None:
            self.ledger.give("records")
            yield self._variant.line()
            self._variant = None


def filter_stream(source, sink, change: Callable[[Iterable[bytes]], Iterable[bytes]]) -> None:
    """Read lines of the binary file `source`, write those that `change` makes of them to `sink`."""
    write = sink.write
    for line in change(line.rstrip(b"\n") for line in source):
        write(line + b"\n")
    sink.flush()
