"""Where the people differ: simulated sites become SNVs, indels, MNVs and multiallelic records on the mini genome."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from goe.demo.genome import BORDER_MNV, BORDER_RUN, LENGTHS, Genome, N, homopolymers, is_par
from goe.demo.people import DemoPerson, Sites

ABSENT = 255
"""Allele index of a haplotype the person does not have (the second X of an XY person, the Y of an XX person)."""

GAP = 12
"""Least distance between two loci, bp, so that no tool joins what was meant to be apart."""

EDGE = 150
"""No locus nearer than this to a contig's end, bp: reads thin out there."""

SHARES = {"run": 0.1, "ins": 0.03, "del": 0.05, "mnv": 0.02}
"""Share of simulated sites that become an indel in a homopolymer, a plain insertion or deletion, an MNV; the others
are SNVs."""

TRANSITION = {"A": "G", "G": "A", "C": "T", "T": "C"}

Allele = tuple[int, str, str]
"""(pos, ref, alt)"""


@dataclass
class Locus:
    """One place of variation, which files may write in different ways.

    pos, ref, alts: the record as a careful caller writes it (left-aligned; MNV whole); hap: uint8[people, 2] of
    allele indexes (0 = REF, ABSENT = no such haplotype); lo, hi: the stretch that no other locus may touch, with the
    whole homopolymer; site: for each ALT its normalised site alleles (MNV: its SNVs; `*`: none); shifted: the same
    indel at the right end of its homopolymer; padded: some file writes the SNV with the base before it;
    joint_shifted, twice: how the joint VCF writes it; listed: ALTs the joint VCF names although nobody carries them.
    """

    contig: str
    pos: int
    ref: str
    alts: list[str]
    kind: str
    hap: np.ndarray
    lo: int
    hi: int
    site: list[list[Allele]]
    shifted: Allele | None = None
    padded: bool = False
    joint_shifted: bool = False
    twice: bool = False
    listed: tuple[int, ...] = ()
    run: tuple[int, int] | None = None
    index: int = field(default=-1)

    def carriers(self, allele: int | None = None) -> np.ndarray:
        """bool[people]: who has the ALT of that index, or any ALT."""
        hit = (self.hap > 0) & (self.hap != ABSENT) if allele is None else self.hap == allele
        return hit.any(axis=1)

    @property
    def one_form(self) -> bool:
        """A plain biallelic SNV that every file writes alike."""
        return self.kind == "snv" and len(self.alts) == 1 and not self.padded


def present(people: list[DemoPerson], contig: str, pos: int) -> np.ndarray:
    """bool[people, 2]: which haplotypes of chrom `contig` exist at `pos`."""
    sex = np.array([p.true_sex for p in people])
    first = np.ones(len(people), dtype=bool)
    second = np.ones(len(people), dtype=bool)
    if contig == "chrX" and not is_par(contig, pos):
        second = sex != "XY"
    elif contig == "chrY":
        first, second = sex != "XX", np.zeros(len(people), dtype=bool)
    elif contig == "chrM":
        second = np.zeros(len(people), dtype=bool)
    return np.column_stack((first, second))


class _Maker:
    """Makes loci of one contig from its simulated sites."""

    def __init__(self, genome: Genome, people: list[DemoPerson], contig: str, sites: Sites, seed: int):
        self.seq = genome.seq[contig]
        self.letters = self.seq.tobytes().decode()
        self.people = people
        self.contig = contig
        self.sites = sites
        self.rng = np.random.default_rng([seed, 3, list(LENGTHS).index(contig)])
        self.runs = homopolymers(self.seq)
        self.run_starts = np.array([r[0] for r in self.runs])
        self.used_runs: set[int] = set()

    def base(self, pos: int) -> str:
        return self.letters[pos - 1]

    def text(self, start: int, end: int) -> str:
        return self.letters[start - 1 : end]

    def other(self, letter: str) -> str:
        """A letter to mutate to: transitions twice as often as both transversions together."""
        if self.rng.random() < 2 / 3:
            return TRANSITION[letter]
        return str(self.rng.choice([b for b in "ACGT" if b not in (letter, TRANSITION[letter])]))

    def hap(self, column: np.ndarray, pos: int) -> np.ndarray:
        return np.where(present(self.people, self.contig, pos), column, ABSENT).astype(np.uint8)

    def locus(self, column: np.ndarray, pos: int, ref: str, alt: str, kind: str, **more: Any) -> Locus:
        lo, hi = more.pop("lo", pos), more.pop("hi", pos + len(ref) - 1)
        site = more.pop("site", [[(pos, ref, alt)]])
        return Locus(self.contig, pos, ref, [alt], kind, self.hap(column, pos), lo, hi, site, **more)

    def snv(self, column: np.ndarray, pos: int) -> Locus:
        ref = self.base(pos)
        return self.locus(column, pos, ref, self.other(ref), "snv")

    def mnv(self, column: np.ndarray, pos: int, size: int) -> Locus:
        ref = self.text(pos, pos + size - 1)
        alt = "".join(self.other(b) if i in (0, size - 1) or self.rng.random() < 0.5 else b for i, b in enumerate(ref))
        atoms = [(pos + i, r, a) for i, (r, a) in enumerate(zip(ref, alt, strict=True)) if r != a]
        return self.locus(column, pos, ref, alt, "mnv", site=[atoms])

    def insertion(self, column: np.ndarray, pos: int) -> Locus:
        """Inserted letters that fit in one place only, after `pos`."""
        size = int(min(self.rng.geometric(0.4), 8))
        new = [str(b) for b in self.rng.choice(list("ACGT"), size)]
        for i, taken in ((-1, {self.base(pos)}), (0, {self.base(pos + 1)})):
            if size == 1:
                taken = {self.base(pos), self.base(pos + 1)}
            if new[i] in taken:
                new[i] = next(b for b in "ACGT" if b not in taken)
        ref = self.base(pos)
        return self.locus(column, pos, ref, ref + "".join(new), "ins", hi=pos + 1)

    def deletion(self, column: np.ndarray, pos: int) -> Locus:
        """Deleted letters that could be taken from one place only; an SNV where the reference does not let it."""
        for size in (int(min(self.rng.geometric(0.3), 8)), 4, 2, 5, 3, 1):
            if self.base(pos) != self.base(pos + size) and self.base(pos + 1) != self.base(pos + size + 1):
                ref = self.text(pos, pos + size)
                return self.locus(column, pos, ref, ref[0], "del", hi=pos + size + 1)
        return self.snv(column, pos)

    def run_indel(self, column: np.ndarray, run: tuple[int, int], loss: bool, size: int) -> Locus:
        start, end = run
        pos, letter = start - 1, self.base(start)
        anchor = self.base(pos)
        if loss:
            ref, alt, shifted = anchor + letter * size, anchor, (end - size, letter * (size + 1), letter)
        else:
            ref, alt, shifted = anchor, anchor + letter * size, (end, letter, letter * (size + 1))
        return self.locus(column, pos, ref, alt, "run", lo=pos, hi=end + 1, shifted=shifted, run=run)

    def near_run(self, pos: int) -> tuple[int, int] | None:
        """The next unused homopolymer within 400 bp after `pos`."""
        i = int(np.searchsorted(self.run_starts, pos))
        while i < len(self.runs) and self.runs[i][0] < pos + 400:
            if i not in self.used_runs and self.runs[i] != BORDER_RUN[1:]:
                self.used_runs.add(i)
                return self.runs[i]
            i += 1
        return None

    def allowed(self, locus: Locus) -> bool:
        inside = locus.lo > EDGE and locus.hi < len(self.seq) - EDGE
        # Ploidy changes at the PAR borders: a locus across one would be two things at once.
        inside &= len({bool(is_par(self.contig, p)) for p in (locus.lo - 5, locus.hi + 5)}) == 1
        return inside and not (self.seq[locus.lo - 21 : locus.hi + 20] == N).any()

    def usable(self, pos: int) -> bool:
        return EDGE < pos < len(self.seq) - EDGE - 20 and not (self.seq[pos - 21 : pos + 30] == N).any()

    def common_column(self, pos: int) -> np.ndarray:
        """Carriers of the simulated site nearest to `pos` whose frequency lies between 20 and 50 %."""
        frequency = self.sites.carried.mean(axis=(1, 2))
        good = np.flatnonzero((frequency > 0.2) & (frequency < 0.5))
        return self.sites.carried[good[np.argmin(np.abs(self.sites.pos[good] - pos))]]

    def proposals(self) -> list[Locus]:
        out = []
        for pos, column in zip(self.sites.pos.tolist(), self.sites.carried, strict=True):
            if not self.usable(pos):
                continue
            u = self.rng.random() + (0.15 if self.contig == "chrM" else 0)
            run = self.near_run(pos) if u < SHARES["run"] else None
            if run:
                size = 1 if self.rng.random() < 0.75 else 2
                out.append(self.run_indel(column, run, bool(self.rng.random() < 0.6), size))
            elif u < SHARES["run"]:
                out.append(self.snv(column, pos))
            elif u < SHARES["run"] + SHARES["ins"]:
                out.append(self.insertion(column, pos))
            elif u < SHARES["run"] + SHARES["ins"] + SHARES["del"]:
                out.append(self.deletion(column, pos))
            elif u < sum(SHARES.values()):
                out.append(self.mnv(column, pos, 2 if self.rng.random() < 0.7 else 3))
            else:
                out.append(self.snv(column, pos))
        return out

    def forced(self) -> list[Locus]:
        if self.contig != BORDER_MNV[0]:
            return []
        pos = BORDER_MNV[1]
        run = BORDER_RUN[1:]
        border = self.run_indel(self.common_column(run[0]), run, True, 1)
        border.joint_shifted = True
        return [self.mnv(self.common_column(pos), pos, 2), border]

    def second_allele(self, old: Locus, new: Locus) -> bool:
        """Make `old` multiallelic with the carriers of `new`, for the haplotypes that have no allele of `old`."""
        take = (new.hap == 1) & (old.hap == 0)
        if len(old.alts) > 1 or not take.any():
            return False
        if old.kind == "snv" and new.kind == "snv" and self.rng.random() < 0.3:
            alt = str(self.rng.choice([b for b in "ACGT" if b not in (old.ref, old.alts[0])]))
            old.alts.append(alt)
            old.site.append([(old.pos, old.ref, alt)])
        elif old.kind == "run" and self.rng.random() < 0.5:
            assert old.run is not None
            letter, anchor = self.base(old.run[0]), self.base(old.pos)
            gained = len(old.alts[0]) > len(old.ref)
            old.site.append([(old.pos, anchor + letter, anchor) if gained else (old.pos, anchor, anchor + letter)])
            alleles = [s[0] for s in old.site]
            old.ref = max((ref for _, ref, _ in alleles), key=len)
            old.alts = [alt + old.ref[len(ref) :] for _, ref, alt in alleles]
            old.shifted = None
        else:
            return False
        old.hap[take] = 2
        return True

    def make(self) -> list[Locus]:
        kept: list[Locus] = []
        forced = self.forced()
        for locus in sorted(forced + self.proposals(), key=lambda x: (x.lo, x.hi)):
            if not self.allowed(locus) or not locus.carriers().any():
                continue
            is_forced = any(locus is f for f in forced)
            clash = [f for f in forced if f is not locus and locus.lo < f.hi + GAP and f.lo < locus.hi + GAP]
            if clash:
                continue
            if kept and locus.lo < kept[-1].hi + GAP:
                if is_forced:
                    raise AssertionError("a forced locus met another")
                self.second_allele(kept[-1], locus)
                continue
            kept.append(locus)
        return kept


def _specials(maker: _Maker, loci: list[Locus], joint: np.ndarray, people: list[DemoPerson]) -> list[Locus]:
    """Records only a joint VCF has: a spanning deletion, an SNV with a deletion at the same POS, an ALT that nobody
    carries, one indel in two records. Their carriers are in the joint VCF alone where another file's way of writing
    would change what can be seen.
    """
    rng = maker.rng
    plain = np.array([not p.planted and p.true_sex == "XX" for p in people]) & joint
    alone = [x for x in loci if not (x.carriers() & ~joint).any()]
    for old in (x for x in alone if x.kind == "del" and len(x.ref) >= 5):
        free = np.flatnonzero(plain & (old.hap[:, 0] == 0))
        if not len(free):
            continue
        pos = old.pos + 2
        ref = maker.base(pos)
        hap = np.where(old.hap == 1, 2, old.hap).astype(np.uint8)
        hap[free[0], 0] = 1
        alt = maker.other(ref)
        loci.append(Locus("chr20", pos, ref, [alt, "*"], "star", hap, pos, pos, [[(pos, ref, alt)], []]))
        break
    n_mixed = 0
    for old in (x for x in alone if x.one_form):
        two = maker.text(old.pos, old.pos + 2)
        free = np.flatnonzero(plain & (old.hap == 0).all(axis=1))
        if two[0] == two[1] or two[1] == two[2] or not len(free):
            continue
        old.kind = "mixed"
        old.site.append([(old.pos, two[:2], two[0])])
        old.ref, old.alts = two[:2], [old.alts[0] + two[1], two[0]]
        old.hap[free[0], 1] = 2
        old.hi = old.pos + 2
        n_mixed += 1
        if n_mixed == 3:
            break
    common = [x for x in loci if x.one_form and (x.carriers() & joint).sum() >= 3]
    for i in rng.choice(len(common), 3, replace=False):
        old = common[i]
        alt = next(b for b in "ACGT" if b not in (old.ref, *old.alts))
        old.alts.append(alt)
        old.site.append([(old.pos, old.ref, alt)])
        old.listed = (2,)
    runs = [x for x in loci if x.shifted and (x.carriers() & joint).sum() >= 4 and not x.joint_shifted]
    for i in rng.choice(len(runs), min(2, len(runs)), replace=False):
        runs[i].twice = True
    return loci


def make(genome: Genome, people: list[DemoPerson], sites: dict[str, Sites], seed: int) -> list[Locus]:
    """All loci, sorted by contig and position, numbered by `index`."""
    joint = np.array([p.input_type == "joint_vcf" for p in people])
    out: list[Locus] = []
    for contig in LENGTHS:
        maker = _Maker(genome, people, contig, sites[contig], seed)
        loci = maker.make()
        if contig == "chr20" and joint.any():
            loci = _specials(maker, loci, joint, people)
        for x in loci:
            if x.shifted and not x.twice and (contig == "chrX" or maker.rng.random() < 0.25):
                x.joint_shifted = True
            if x.one_form and maker.rng.random() < 0.1:
                x.padded = True
        out += sorted(loci, key=lambda x: (x.pos, x.ref))
    for i, x in enumerate(out):
        x.index = i
    return out


def trimmed(ref: str, alts: list[str]) -> tuple[str, list[str]]:
    """REF and ALTs without the letters all share at their right end (one letter stays)."""
    while len(ref) > 1 and all(len(a) > 1 and a[-1] == ref[-1] for a in alts):
        ref, alts = ref[:-1], [a[:-1] for a in alts]
    return ref, alts
