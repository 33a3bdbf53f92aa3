"""Random toy cohorts of people with files of their own, as five kinds of gVCF writers, a joint caller and single-sample
callers write them, made so that what goes wrong in counting happens often.

A cohort is drawn from a seed: the same seed gives the same bytes. Genotypes are no biology: everybody draws from one
list of variants (`World.variants`), so that alleles meet, and writes each in a way of their own (padded, moved within
a repeat, together with another one, twice). Depths and qualities often stand at the default thresholds of the filter.
"""

import random
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

DIALECTS = ("gatk", "deepvariant", "strelka", "bcftools", "vcf45")
SYMBOL = {"gatk": "<NON_REF>", "deepvariant": "<*>", "strelka": "", "bcftools": "", "vcf45": "<*>"}
CONTIGS = ("chr20", "chrX", "chrY", "chrM")
LENGTHS = {"chr20": (1000, 1600), "chrX": (900, 1400), "chrY": (700, 900), "chrM": (600, 700)}
BORDER_DEPTHS = (4, 5, 7, 8, 9, 10)
BORDER_QUALITIES = (14, 15, 19, 20)
LINES = {
    "END": '##INFO=<ID=END,Number=1,Type=Integer,Description="Last base of the block">',
    "MinDP": '##INFO=<ID=MinDP,Number=1,Type=Integer,Description="Least depth of the block">',
    "GT": '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    "DP": '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">',
    "GQ": '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Genotype quality">',
    "GQX": '##FORMAT=<ID=GQX,Number=1,Type=Integer,Description="Least of the genotype qualities">',
    "DPF": '##FORMAT=<ID=DPF,Number=1,Type=Integer,Description="Depth left out">',
    "MIN_DP": '##FORMAT=<ID=MIN_DP,Number=1,Type=Integer,Description="Least depth of the block">',
    "AD": '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Depth of each allele">',
    "PL": '##FORMAT=<ID=PL,Number=G,Type=Integer,Description="Genotype likelihoods">',
    "FT": '##FORMAT=<ID=FT,Number=1,Type=String,Description="Filters of the genotype">',
    "LEN": '##FORMAT=<ID=LEN,Number=1,Type=Integer,Description="Length of the block">',
    "<NON_REF>": '##ALT=<ID=NON_REF,Description="Any other allele">',
    "<*>": '##ALT=<ID=*,Description="Any other allele">',
}
FILTERS = ("LowQual", "RefCall", "LowGQX", "SiteQual")
CONFIG = """\
dataset:
  contact:
    email: t@example.org
    fn: t
  country: EE
  id: GOE-EE-BAR-20260101000000000
  org: BAR
  prefix: GOE
  title: t
disclosure:
  legal_basis: test data
  open: true
inputs: inputs.tsv
reference:
  build: toy
  fasta: ref.fa
  par: par.bed
sample_qc:
  exclude: false
samples: samples.tsv
"""


# A gVCF's only row, and what its person is for an allele at chr20:5 that the file does not list (C6.4).
ONE_BLOCK = [
    ("chr20 1 G <NON_REF> . END=5 GT:DP:GQ:MIN_DP 0/0:30:20:10", "ref2"),
    ("chr20 1 G <NON_REF> . END=4 GT:DP:GQ:MIN_DP 0/0:30:20:10", "missing"),
    ("chr20 5 A <NON_REF> . END=5 GT:DP:GQ:MIN_DP 0/0:30:20:10", "ref2"),
    ("chr20 5 A <NON_REF> . . GT:DP:GQ:MIN_DP 0/0:30:20:10", "ref2"),
    ("chr20 1 G <NON_REF> . END=5 GT:DP:GQ:MIN_DP 0/0:30:19:10", "missing"),
    ("chr20 1 G <NON_REF> . END=5 GT:DP:GQ:MIN_DP 0/0:30:20:9", "missing"),
    ("chr20 1 G <*> . END=5;MinDP=9 GT:DP:GQ 0/0:10:20", "ref2"),
    ("chr20 1 G . . END=5;MinDP=9 GT:GQ 0/0:20", "missing"),
    ("chr20 1 G . . END=5;MinDP=10 GT:GQ 0/0:20", "ref2"),
    ("chr20 1 G <*> . END=5 GT:GQ:AD 0/0:20:10,0", "ref2"),
    ("chr20 1 G <*> . END=5 GT:GQ 0/0:20", "missing"),
    ("chr20 1 G <*> . END=5 GT:GQ:DP ./.:20:30", "missing"),
    ("chr20 1 G <*> . END=5 GT:GQ:DP 0:20:30", "missing"),
    ("chr20 1 G <*> . . GT:GQ:DP:LEN 0/0:20:30:5", "ref2"),
    ("chr20 1 G <*> . . GT:GQ:DP:LEN 0/0:20:30:4", "missing"),
    ("chr20 1 G <X> . END=5 GT:DP:PL 0/0:30:0,20,300", "ref2"),
    ("chr20 1 G <*> . END=5 GT:GQ:DP 1/1:20:30", "missing"),
    ("chr20 1 G <*> LowQual END=5 GT:GQ:DP 0/0:20:30", "ref2"),
    ("chr20 1 G <*> . END=500 GT:GQ:DP 0/0:20:30", "ref2"),
]


@dataclass(frozen=True)
class Person:
    """kind: gvcf, vcf or joint_vcf; dialect: of DIALECTS, for a gVCF."""

    name: str
    sex: str
    country: str
    kind: str
    dialect: str = ""


@dataclass(frozen=True)
class World:
    """bases: contig -> sequence; par: (contig, start, end), 0-based; variants: contig -> [(pos, ref, alt)], 1-based."""

    bases: dict[str, str]
    par: list[tuple[str, int, int]]
    variants: dict[str, list[tuple[int, str, str]]]

    def haploid(self, contig: str, pos: int, sex: str) -> bool:
        """Whether one allele is expected there; on X and Y people of unknown sex are written as women are."""
        inside = any(c == contig and start < pos <= end for c, start, end in self.par)
        return contig == "chrM" or (contig in ("chrX", "chrY") and sex == "M" and not inside)


@dataclass
class Line:
    """A row before it is written. cell: FORMAT field -> value, in order."""

    pos: int
    ref: str
    alts: list[str]
    cells: list[dict[str, str]]
    filter: str = "."
    info: str = "."

    @property
    def end(self) -> int:
        return self.pos + len(self.ref) - 1

    def text(self, contig: str) -> str:
        form = list(dict.fromkeys(key for cell in self.cells for key in cell))
        columns = [":".join(cell.get(key, ".") for key in form[: _width(cell, form)]) for cell in self.cells]
        alts = ",".join(self.alts) or "."
        words = [contig, str(self.pos), ".", self.ref, alts, "50", self.filter, self.info, ":".join(form), *columns]
        return "\t".join(words)


def _width(cell: dict[str, str], form: list[str]) -> int:
    """Fields of FORMAT that stand in a column: what is missing at its end is dropped, as many callers do."""
    return max([1] + [i for i, key in enumerate(form, 1) if cell.get(key, ".") != "."])


def world(seed: int) -> World:
    """Reference, PARs and variants of a seed."""
    rng = random.Random(f"world {seed}")
    bases = {contig: _sequence(rng, rng.randint(*LENGTHS[contig])) for contig in CONTIGS}
    par = []
    for contig in ("chrX", "chrY"):
        n = len(bases[contig])
        par += [(contig, 100, 300), (contig, n - 300, n - 120)]
    borders = [(contig, at) for contig, start, end in par for at in (start, end)]
    for contig, at in borders:
        unit = rng.choice(["A", "CA", "GT", "TTC"])
        run = (unit * 16)[:16]
        bases[contig] = bases[contig][: at - 8] + run + bases[contig][at + 8 :]
    variants = {contig: _variants(rng, bases[contig]) for contig in CONTIGS}
    for contig, at in borders:
        # Written at the right end of the repeat, these left-align to the other side of the border.
        pos = at + rng.randint(1, 4)
        size = rng.choice([1, 2, 3, 6])
        anchor = bases[contig][pos - 1]
        variants[contig] += [
            (pos, bases[contig][pos - 1 : pos + size], anchor),
            (pos, anchor, anchor + bases[contig][pos : pos + size]),
            (at, bases[contig][at - 1], _other(rng, bases[contig][at - 1])),
        ]
        variants[contig].append((at + 1, bases[contig][at], _other(rng, bases[contig][at])))
    return World(bases, par, {contig: sorted(set(made)) for contig, made in variants.items()})


def _sequence(rng: random.Random, n: int) -> str:
    """n bases with homopolymers and short repeats."""
    made = ""
    while len(made) < n:
        kind = rng.random()
        if kind < 0.2:
            made += rng.choice("ACGT") * rng.randint(3, 9)
        elif kind < 0.35:
            made += "".join(rng.choices("ACGT", k=rng.randint(2, 4))) * rng.randint(2, 5)
        else:
            made += "".join(rng.choices("ACGT", k=rng.randint(5, 25)))
    return made[:n]


def _variants(rng: random.Random, bases: str) -> list[tuple[int, str, str]]:
    """Clusters of variants, about one in 40 bases: several at one POS, and SNVs inside deletions."""
    made = []
    pos = rng.randint(20, 40)
    while pos < len(bases) - 40:
        kinds = rng.choices(["snv", "ins", "del", "mnv", "delins"], [5, 3, 4, 2, 1], k=rng.choice([1, 1, 2, 3]))
        for kind in kinds:
            made.append(_variant(rng, bases, pos, kind))
            _, ref, alt = made[-1]
            if len(ref) > 1:
                # A SNV within, of a base that a MNV changes too.
                at = pos + rng.randrange(1, len(ref))
                same = len(ref) == len(alt) and rng.random() < 0.5
                made.append((at, bases[at - 1], alt[at - pos] if same else _other(rng, bases[at - 1])))
        pos += rng.randint(20, 55)
    return made


def _variant(rng: random.Random, bases: str, pos: int, kind: str) -> tuple[int, str, str]:
    anchor = bases[pos - 1]
    if kind == "snv":
        return pos, anchor, _other(rng, anchor)
    if kind == "ins":
        size = rng.randint(1, 5)
        new = bases[pos : pos + size] if rng.random() < 0.6 else "".join(rng.choices("ACGT", k=size))
        return pos, anchor, anchor + new
    ref = bases[pos - 1 : pos + rng.choice([1, 1, 2, 3, 5, 12])]
    if kind == "del":
        return pos, ref, anchor
    if kind == "mnv":
        ref = ref[:3]
        return pos, ref, "".join(_other(rng, b) for b in ref)
    return pos, ref, _other(rng, anchor) + "".join(rng.choices("ACGT", k=len(ref)))


def _other(rng: random.Random, base: str) -> str:
    return rng.choice([b for b in "ACGT" if b != base])


def rewritten(rng: random.Random, bases: str, pos: int, ref: str, alt: str) -> tuple[int, str, str]:
    """The same change: an indel moved to the right within its repeat, or an allele with equal bases around."""
    steps = rng.choice([0, 0, 1, 2, 20])
    while steps and min(len(ref), len(alt)) == 1 and len(ref) != len(alt) and pos + len(ref) < len(bases) - 20:
        after = bases[pos - 1 + len(ref)]
        moved = max(ref, alt, key=len)[1:]
        if moved[0] != after or ref[0] != alt[0]:
            break
        turned = moved[1:] + moved[0]
        pos, steps = pos + 1, steps - 1
        anchor = bases[pos - 1]
        ref, alt = (anchor + turned, anchor) if len(ref) > len(alt) else (anchor, anchor + turned)
    left, right = (rng.randint(0, 3), rng.randint(0, 3)) if rng.random() < 0.15 else (0, 0)
    start, end = pos - 1 - left, pos - 1 + len(ref)
    before, after = bases[start : pos - 1], bases[end : end + right]
    return pos - left, before + ref + after, before + alt + after


def joined(one: tuple[int, str, list[str]], two: tuple[int, str, list[str]]) -> tuple[int, str, list[str]]:
    """Two rows of one POS as one with the longer REF."""
    (pos, ref, alts), (_, other, others) = sorted([one, two], key=lambda row: -len(row[1]))
    alts = alts + [a + ref[len(other) :] for a in others]
    return pos, ref, list(dict.fromkeys(alts))


def person_lines(seed: int, person: Person) -> list[str]:
    """The lines of this person's gVCF, header included, in the world of the seed."""
    return gvcf_lines(world(seed), random.Random(f"{seed} {person.name}"), person)


@dataclass
class Writer:
    """How one gVCF is written. gq, pl: whether variants have the field; depth: the field with a block's depth."""

    world: World
    rng: random.Random
    person: Person
    gq: bool = True
    pl: bool = False
    ft: bool = False
    depth: str = "DP"
    symbol: str = ""
    float_gq: bool = False
    dialect: str = field(init=False)

    def __post_init__(self):
        self.dialect = self.person.dialect

    def header(self) -> list[str]:
        fields = {
            "gatk": ["END", "DP", "MIN_DP", "<NON_REF>"],
            "deepvariant": ["END", "DP", "MIN_DP", "<*>"],
            "strelka": ["END", "DP", "MIN_DP", "GQX", "DPF"],
            "bcftools": ["END", "MinDP", "DP", "<*>"],
            "vcf45": ["DP", "LEN", "<*>"],
            "": ["DP"],
        }[self.dialect]
        fields = ["GT", "AD", *fields, *(k for k in ("GQ", "PL", "FT") if getattr(self, k.lower()))]
        lines = ["##fileformat=VCFv4.5" if self.dialect == "vcf45" else "##fileformat=VCFv4.2"]
        lines += [f'##FILTER=<ID={name},Description="{name}">' for name in ("PASS", *FILTERS)]
        lines += [text.replace("Integer", "Float") if key == "GQ" and self.float_gq else text
                  for key, text in LINES.items() if key in fields]  # fmt: skip
        lines += [f"##contig=<ID={c},length={len(b)}>" for c, b in self.world.bases.items()]
        return lines

    def genotype(self, contig: str, pos: int, n_alts: int, carries: bool) -> str:
        """GT of one call in one of the codings in use."""
        rng = self.rng
        if not carries:
            words = ["0/0", "0/0", "0/0", "./."]
            if self.world.haploid(contig, pos, self.person.sex):
                words += ["0", "0", "0/.", "."]
        elif self.world.haploid(contig, pos, self.person.sex):
            words = ["1", "1", "1/1", "0/1", "1/.", "0/.", "0", "./1"]
            if self.dialect == "strelka":
                words = ["1", "1", "1", "0", "0/1"]
        else:
            words = ["0/1"] * 8 + ["1/1"] * 5 + ["0|1", "1|0", "1|1", "./1", "0/.", "1"]
            words += ["1/2"] * 8 if n_alts > 1 else []
        word = rng.choice(words)
        alt = rng.randint(1, n_alts) if n_alts else 0
        other = rng.choice([n for n in range(1, n_alts + 1) if n != alt] or [0])
        return "".join({"1": str(alt), "2": str(other)}.get(letter, letter) for letter in word)

    def call(self, contig: str, pos: int, n_alts: int, carries: bool) -> dict[str, str]:
        """Cell of a row that is no block: n_alts without the symbolic one."""
        rng = self.rng
        gt = self.genotype(contig, pos, n_alts, carries)
        called = sorted({int(a) for a in gt.replace("|", "/").split("/") if a != "."})
        n = 1 + n_alts + bool(self.symbol and n_alts)
        depth, quality = rng.randint(20, 45), rng.randint(30, 99)
        share = "half"
        kind = rng.random()
        if kind < 0.14:
            depth = rng.choice(BORDER_DEPTHS)
        elif kind < 0.26:
            quality = rng.choice(BORDER_QUALITIES)
        elif kind < 0.38:
            share = rng.choice(["least", "less", "third"])
        elif kind < 0.41:
            depth = 0
        reads = self._reads(depth, called, n, share)
        ad = ",".join(map(str, reads))
        if self.symbol and n_alts and rng.random() < 0.2:
            ad = ad.rpartition(",")[0] + ",."
        odd = rng.random()
        dp = "." if odd < 0.06 or 0.09 < odd < 0.11 else str(depth)
        ad = "." if 0.06 < odd < 0.11 else ad
        gq = "." if odd > 0.94 else f"{quality - 0.1:.1f}" if self.float_gq and rng.random() < 0.5 else str(quality)
        cell = {"GT": gt}
        if self.gq and not (self.pl and gq == "." and rng.random() < 0.5):
            cell["GQ"] = gq
        cell |= {"GQX": str(quality - 3), "DPF": "0"} if self.dialect == "strelka" else {}
        cell |= {"DP": dp, "AD": ad}
        if self.pl:
            cell["PL"] = self._likelihoods(quality, gt, n)
        if self.ft and any(called) and rng.random() < 0.2:
            cell["FT"] = "LowQual"
        return cell

    def _reads(self, depth: int, called: list[int], n: int, share: str) -> list[int]:
        reads = [0] * n
        if len(called) < 2:
            reads[called[0] if called else 0] = depth
            return reads
        fifth = -(-depth // 5)
        first = {"half": depth // 2, "least": fifth, "less": max(0, fifth - 1), "third": depth // 2}[share]
        one, two = self.rng.sample(called, 2)
        reads[one], reads[two] = first, depth - first
        spare = [i for i in range(n) if i not in (one, two)]
        if share == "third" and spare:
            # Reads of an allele that is not called.
            moved = self.rng.randint(0, reads[two])
            reads[two] -= moved
            reads[spare[0]] += moved
        return reads

    def _likelihoods(self, quality: int, gt: str, n: int) -> str:
        """PL whose two smallest differ by the quality, or by more than 99 where the quality is 99."""
        haploid = not set(gt) & set("/|")
        size = n if haploid else n * (n + 1) // 2
        offset = self.rng.choice([0, 0, 7])
        second = quality + (self.rng.choice([0, 60]) if quality == 99 else 0)
        values = [offset, offset + second] + [offset + second + 40 + 10 * i for i in range(size - 2)]
        self.rng.shuffle(values)
        return ",".join(map(str, values[:size]))

    def status(self, carries: bool, missing: bool) -> str:
        if self.dialect == "deepvariant" and (missing or not carries):
            return "RefCall"
        if self.dialect == "strelka":
            return self.rng.choice(["PASS", "PASS", "PASS", "LowGQX"])
        return self.rng.choice(["PASS", "PASS", ".", "LowQual", "LowQual;SiteQual"])

    def line(self, contig: str, pos: int, ref: str, alts: list[str], carries: bool) -> Line:
        cell = self.call(contig, pos, len(alts), carries)
        status = self.status(carries and any(a in "123456789" for a in cell["GT"]), "." in cell["GT"])
        if self.rng.random() < 0.03:
            ref, alts = ref.lower(), [alt.lower() for alt in alts]
        written = [*alts, self.symbol] if self.symbol and alts else alts
        return Line(pos, ref, written, [cell], status)

    def rows(self, contig: str, carried: float, listed: float) -> list[Line]:
        """The rows of this person that are no blocks. carried, listed: the chance of a variant to be in the GT, or only
        in ALT."""
        rng, bases = self.rng, self.world.bases[contig]
        rows: list[tuple[int, str, list[str], bool]] = []
        inside_of: tuple[int, int] | None = None
        for pos, ref, alt in self.world.variants[contig]:
            chance = rng.random()
            within = inside_of is not None and inside_of[0] < pos <= inside_of[1]
            if within and len(ref) == 1:
                chance = chance / 2
            if chance >= carried + listed:
                continue
            carries = chance < carried
            at, r, a = rewritten(rng, bases, pos, ref, alt)
            alts = [a]
            if within and len(r) == len(a) == 1 and rng.random() < 0.5:
                alts = rng.choice([[a, "*"], [a, "*"], ["*"]])
            if len(r) > len(a):
                inside_of = (at, at + len(r) - 1)
            same = [row for row in rows if row[0] == at and "*" not in (*row[2], *alts)]
            if same and rng.random() < 0.5:
                rows.remove(same[0])
                rows.append((*joined(same[0][:3], (at, r, alts)), same[0][3] or carries))
            else:
                rows.append((at, r, alts, carries))
        made = [self.line(contig, *row) for row in rows]
        for line, row in zip(list(made), rows, strict=True):
            if rng.random() < 0.06:
                # A row twice: word for word, or with another call.
                twin = Line(line.pos, line.ref, line.alts, [dict(line.cells[0])], line.filter)
                made.append(twin if rng.random() < 0.3 else self.line(contig, *row))
            if self.symbol and rng.random() < 0.04:
                # What `bcftools norm -m-` makes of a gVCF's row: the symbolic allele in a row of its own.
                made.append(self.block(contig, line.pos, line.pos))
        rng.shuffle(made)
        return made

    def block(self, contig: str, start: int, end: int) -> Line:
        rng = self.rng
        depth, quality = rng.randint(20, 45), rng.randint(30, 99)
        kind = rng.random()
        if kind < 0.2:
            depth = rng.choice(BORDER_DEPTHS)
        elif kind < 0.4:
            quality = rng.choice(BORDER_QUALITIES)
        elif kind < 0.44:
            depth = quality = 0
        haploid = self.world.haploid(contig, start, self.person.sex)
        gt = "0" if haploid and self.dialect == "strelka" else "0/0"
        if rng.random() < 0.06:
            gt = rng.choice(["./.", "0/.", "0"])
        cell = {"GT": gt}
        info = f"END={end}"
        more = str(depth + rng.choice([0, 3, 12]))
        if self.dialect == "gatk":
            cell |= {"DP": more, "GQ": str(quality), "MIN_DP": str(depth)}
        elif self.dialect == "deepvariant":
            cell |= {"GQ": str(quality), "MIN_DP": str(depth)}
        elif self.dialect == "strelka":
            cell |= {"GQX": str(quality), "DP": more, "DPF": "0", "MIN_DP": str(depth)}
        elif self.dialect == "bcftools":
            cell |= {"PL": self._likelihoods(quality, gt, 2)}
            if self.depth == "DP":
                cell["DP"] = str(depth)
            info += f";MinDP={depth}"
        else:
            cell |= {"GQ": str(quality), "LEN": str(end - start + 1)}
            cell |= {"AD": f"{depth},0"} if rng.random() < 0.3 else {"DP": str(depth)}
            info = "."
        if "GQ" in cell and self.pl:
            cell["PL"] = self._likelihoods(quality, gt, 2)
            if rng.random() < 0.1:
                cell["GQ"] = "."
        status = "PASS" if self.dialect in ("deepvariant", "strelka") else "."
        ref = self.world.bases[contig][start - 1]
        return Line(start, ref, [SYMBOL[self.dialect] or self.symbol] if self.symbol else [], [cell], status, info)

    def blocks(self, contig: str, rows: list[Line]) -> list[Line]:
        """Blocks between the rows, some of them with gaps, beneath rows, over each other, over a PAR border."""
        rng, n = self.rng, len(self.world.bases[contig])
        borders = [at for c, start, end in self.world.par if c == contig for at in (start, end)]
        made = []
        pos = 1
        while pos <= n:
            if rng.random() < 0.07:
                pos += rng.randint(1, 12)
            end = min(n, pos + rng.choice([0, 2, 10, 25, 60, 120]))
            border = next((b for b in borders if pos <= b < end), None)
            if border is not None and rng.random() < 0.5:
                end = border
            row = next((r for r in sorted(rows, key=lambda r: r.pos) if pos <= r.pos <= end), None)
            after = end + 1
            if row is not None and rng.random() < 0.7:
                end = row.pos - 1
                after = rng.choice([row.end + 1] * 6 + [row.pos + 1, row.pos])
                if after == row.pos and after <= pos:
                    after += 1
                    end = max(end, row.pos)
            elif row is not None and rng.random() < 0.3:
                after = row.pos + 1
            if pos <= min(end, n):
                made.append(self.block(contig, pos, end))
            pos = max(after, pos + 1)
        return made


def gvcf_lines(made: World, rng: random.Random, person: Person) -> list[str]:
    """Lines of one person's gVCF, header included."""
    writer = Writer(made, rng, person, symbol=SYMBOL[person.dialect])
    writer.pl = person.dialect in ("gatk", "deepvariant", "bcftools")
    writer.ft = rng.random() < 0.3
    if person.dialect == "bcftools":
        writer.gq = rng.random() < 0.5
        writer.depth = rng.choice(["DP", "MinDP"])
        writer.symbol = rng.choice(["", "<*>"])
    lines = [*writer.header(), _columns([person])]
    for contig in CONTIGS:
        if contig == "chrY" and person.sex != "M" and rng.random() < 0.5:
            continue
        rows = writer.rows(contig, 0.3, 0.12)
        if person.dialect == "bcftools" and writer.symbol:
            # `bcftools call` takes the symbolic allele out of rows with an ALT.
            rows = [_without_symbol(row) if len(row.alts) > 1 else row for row in rows]
        lines += _sorted(contig, writer.blocks(contig, rows) + rows)
    return lines


def _without_symbol(row: Line) -> Line:
    cell = row.cells[0]
    if cell.get("AD", ".") != ".":
        cell["AD"] = cell["AD"].rpartition(",")[0]
    n, haploid = len(row.alts), not set(cell["GT"]) & set("/|")
    values = cell["PL"].split(",")
    lowest = sorted(values, key=int)[:2]
    size = n if haploid else n * (n + 1) // 2
    cell["PL"] = ",".join((lowest + [v for v in values if v not in lowest])[:size])
    return Line(row.pos, row.ref, row.alts[:-1], [cell], row.filter)


def vcf_lines(made: World, rng: random.Random, person: Person) -> list[str]:
    """Lines of a single-sample VCF: rows with a variant, and a few without; GQ with decimals in some files."""
    writer = Writer(made, rng, person, pl=rng.random() < 0.5, float_gq=rng.random() < 0.5)
    lines = [*writer.header(), _columns([person])]
    for contig in CONTIGS:
        if contig == "chrY" and person.sex != "M":
            continue
        rows = writer.rows(contig, 0.3, 0.03)
        for _ in range(4):
            pos = rng.randint(1, len(made.bases[contig]))
            rows.append(writer.line(contig, pos, made.bases[contig][pos - 1], [], False))
        lines += _sorted(contig, rows)
    return lines


def joint_lines(made: World, rng: random.Random, people: list[Person]) -> list[str]:
    """Lines of a joint VCF of these people: rows split at one POS or multiallelic, with `*`, some without ALT."""
    writers = [Writer(made, rng, person) for person in people]
    ft = rng.random() < 0.3
    for writer in writers:
        writer.ft = ft
    lines = [*writers[0].header(), _columns(people)]
    for contig in CONTIGS:
        bases = made.bases[contig]
        rows: list[tuple[int, str, list[str]]] = []
        for pos, ref, alt in made.variants[contig]:
            if rng.random() < 0.5:
                at, r, a = rewritten(rng, bases, pos, ref, alt)
                same = [row for row in rows if row[0] == at]
                if same and rng.random() < 0.5:
                    rows.remove(same[0])
                    rows.append(joined(same[0], (at, r, [a])))
                else:
                    rows.append((at, r, [a]))
        rows = [(p, r, [*a, "*"] if rng.random() < 0.1 else a) for p, r, a in rows]
        for _ in range(len(rows) // 4):
            pos = rng.choice(made.variants[contig])[0]
            rows.append((pos, bases[pos - 1], []))
        rows += rng.sample(rows, min(2, len(rows)))
        lines_of = []
        for pos, ref, alts in rows:
            cells = [w.call(contig, pos, len(alts), bool(alts) and rng.random() < 0.4) for w in writers]
            status = rng.choice(["PASS", "PASS", ".", "LowQual", "SiteQual"])
            lines_of.append(Line(pos, ref, alts, cells, status))
        lines += _sorted(contig, lines_of)
    return lines


def _columns(people: Iterable[Person]) -> str:
    names = [person.name for person in people]
    return "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *names])


def _sorted(contig: str, lines: list[Line]) -> list[str]:
    return [line.text(contig) for line in sorted(lines, key=lambda line: line.pos)]


def cohort(seed: int, people: int = 7, joint: bool = True, vcf: bool = True) -> list[Person]:
    """`people` with gVCFs, the dialects in turn, then three of a joint VCF and two with single-sample VCFs."""
    rng = random.Random(f"people {seed}")
    kinds = ["gvcf"] * people + ["joint_vcf"] * (3 * joint) + ["vcf"] * (2 * vcf)
    first = rng.randrange(len(DIALECTS))
    made = []
    for i, kind in enumerate(kinds):
        sex = "U" if i == people - 1 or rng.random() < 0.05 else "FM"[(i + first) % 2]
        dialect = DIALECTS[(i + first) % len(DIALECTS)] if kind == "gvcf" else ""
        made.append(Person(f"p{i:02d}", sex, rng.choice(["EE", "FI"]), kind, dialect))
    return made


def write(folder: Path, seed: int, people: int = 7, joint: bool = True, vcf: bool = True) -> World:
    """A cohort in `folder`: ref.fa, par.bed, samples.tsv, inputs.tsv, config.yaml, and each VCF as text, bgzipped and
    indexed."""
    folder.mkdir(parents=True, exist_ok=True)
    made, persons = world(seed), cohort(seed, people, joint, vcf)
    files = {}
    inputs = ["sample_id\tinput_type\tpath"]
    for person in persons:
        if person.kind == "joint_vcf":
            continue
        lines_of = gvcf_lines if person.kind == "gvcf" else vcf_lines
        files[f"{person.name}.vcf"] = lines_of(made, random.Random(f"{seed} {person.name}"), person)
        inputs.append(f"{person.name}\t{person.kind}\t{person.name}.vcf.gz")
    together = [person for person in persons if person.kind == "joint_vcf"]
    if together:
        files["cohort.vcf"] = joint_lines(made, random.Random(f"{seed} joint"), together)
        inputs.append("\tjoint_vcf\tcohort.vcf.gz")
    for name, lines in files.items():
        path = folder / name
        path.write_text("".join(f"{line}\n" for line in lines))
        packed = folder / f"{name}.gz"
        packed.write_bytes(subprocess.run(["bgzip", "-c", path], check=True, capture_output=True).stdout)
        subprocess.run(["tabix", "-f", "-p", "vcf", packed], check=True)
    fasta, index, at = "", "", 0
    for contig, bases in made.bases.items():
        at += len(contig) + 2
        index += f"{contig}\t{len(bases)}\t{at}\t60\t61\n"
        # Lower case as a reference has it where repeats are masked.
        rows = [bases[i : i + 60].lower() if i % 300 == 240 else bases[i : i + 60] for i in range(0, len(bases), 60)]
        fasta += f">{contig}\n" + "".join(f"{row}\n" for row in rows)
        at += len(bases) + len(rows)
    (folder / "ref.fa").write_text(fasta)
    (folder / "ref.fa.fai").write_text(index)
    bed = [f"{c}\t{start}\t{end}\tPAR{1 + i % 2}\n" for i, (c, start, end) in enumerate(made.par)]
    (folder / "par.bed").write_text("".join(bed))
    sheet = ["sample_id\tsex\tcountry_code"] + [f"{p.name}\t{p.sex}\t{p.country}" for p in persons]
    (folder / "samples.tsv").write_text("".join(f"{row}\n" for row in sheet))
    (folder / "inputs.tsv").write_text("".join(f"{row}\n" for row in inputs))
    (folder / "config.yaml").write_text(CONFIG)
    return made
