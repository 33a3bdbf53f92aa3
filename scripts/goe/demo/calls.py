"""What each VCF-born person's file says at every locus, and what that must count as.

The counting rules are written out here once more, apart from the library, so that the two can disagree.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

import numpy as np

from goe.demo.genome import LENGTHS, PAR, Genome, N, is_par
from goe.demo.loci import ABSENT, Locus
from goe.demo.people import DemoPerson

NONE = -2
"""Second allele of a haploid genotype."""

MISSING = -1
"""A `.` in a file."""

MAX_ALLELES = 4

CALLS = ("missing", "ref1", "hemi", "ref2", "het", "hom")
"""Codes of an expected call, by index."""

FAULTS = {
    # kind: relative share among planted faults
    "low_gq": 4,
    "low_dp": 4,
    "bad_ab": 6,
    "nocall": 4,
    "half": 2,
    "zero_depth_ref": 4,
    "gq_missing": 1,
    "dp_missing": 2,
    "ad_missing": 2,
    "het_haploid": 3,
}

FAULT_RATE = {"joint_vcf": 0.03, "vcf": 0.03, "gvcf": 0.03}

CONTAMINATION = 0.08
"""Share of the contaminated person's reads that come from somebody else."""


@dataclass
class Segment:
    """One stretch of even coverage of a gVCF, 1-based inclusive; kind "gap" has no record at all."""

    start: int
    end: int
    kind: str
    dp: int
    min_dp: int
    gq: int


@dataclass
class Seen:
    """A person's file at every locus: arrays over loci.

    visible: the file has a record (or a reference block) there; explicit: with its own record; a, b: allele indexes
    (MISSING, NONE); dp, gq: int (MISSING); ad: int[loci, MAX_ALLELES], a row of MISSING where AD is `.`.
    """

    visible: np.ndarray
    explicit: np.ndarray
    a: np.ndarray
    b: np.ndarray
    dp: np.ndarray
    gq: np.ndarray
    ad: np.ndarray
    segments: dict[str, list[Segment]]


def diploid_coded(person: DemoPerson, contig: str) -> bool:
    """Whether the person's file writes two alleles where the person has one: callers differ, and so do the files."""
    if person.input_type == "joint_vcf":
        return contig != "chrY"
    return {
        "gatk4": contig == "chrM",
        "gatk3": False,
        "bcftools_new": False,
        "bcftools_old": contig != "chrY",
        "unnormalised": False,
        "mnv": True,
        "renamed": True,
    }[person.style]


def _segments(
    rng: np.random.Generator, genome: Genome, person: DemoPerson, contig: str, loci: list[Locus], who: int
) -> list[Segment]:
    """Coverage stretches of one gVCF on one contig; their borders stay out of the loci's reach."""
    seq = genome.seq[contig]
    if contig == "chrY" and person.true_sex == "XX":
        # GATK reports zero depth where there is no chromosome; bcftools has nothing to say there.
        kind = "zero" if person.style.startswith("gatk") else "gap"
        return [Segment(10_001, 45_000, kind, 0, 0, 0)]
    known = np.flatnonzero(seq != N)
    cuts = {int(k) for k in np.flatnonzero(np.diff(known) > 1)}
    # Ploidy changes at the PAR borders, so no block may cross them.
    cuts |= {int(np.searchsorted(known, e)) - 1 for c, _, e in PAR if c == contig}
    cuts |= {int(np.searchsorted(known, s - 1)) - 1 for c, s, _ in PAR if c == contig}
    breaks = sorted(c for c in cuts if 0 <= c < len(known) - 1)
    first_of = [0, *(b + 1 for b in breaks)]
    last_of = [*breaks, len(known) - 1]
    stretches = [(int(known[f]) + 1, int(known[e]) + 1) for f, e in zip(first_of, last_of, strict=True)]
    reach = [(x.lo, x.hi) for x in sorted(loci, key=lambda x: x.lo)]
    carried_at = sorted(x.lo for x in loci if x.carriers()[who])
    out = []
    for first, last in stretches:
        start = first
        while start <= last:
            kind = str(rng.choice(["even", "thin", "few", "unsure", "gap"], p=(0.97, 0.008, 0.008, 0.007, 0.007)))
            if contig == "chrM":
                kind = "even"
            # Bad stretches are short: together about 3 %, so that a gVCF person still passes the usual call rate.
            end = min(last, start + int(rng.integers(250, 2_500) if kind == "even" else rng.integers(100, 500)))
            for lo, hi in reach[max(0, bisect_left(reach, (end, 0)) - 4) :]:
                if lo > end + 2:
                    break
                if end - 2 <= hi:
                    end = min(last, hi + 3)
            carried = bisect_right(carried_at, end) > bisect_left(carried_at, start)
            half = 0.5 if person.true_sex == "XY" and contig in ("chrX", "chrY") and not is_par(contig, start) else 1
            mean = 150 if contig == "chrM" else 32 * half
            if kind == "gap" and carried:
                kind = "few"
            low = {"even": round(mean * rng.uniform(0.8, 1.0)), "thin": 6, "few": 3, "unsure": 20, "gap": 0}[kind]
            low = max(low, 12) if kind == "even" else low
            gq = 12 if kind == "unsure" else (21 if kind == "thin" else min(99, 3 * low))
            high = low + (1 if kind in ("thin", "few") else int(rng.integers(1, 4)))
            out.append(Segment(start, end, kind, high, low, gq))
            start = end + 1
    return out


def _planted(rng: np.random.Generator, seen: Seen, where: np.ndarray, haploid: np.ndarray, person: DemoPerson) -> None:
    """Spoil some genotypes at the loci `where`, in place, in the ways real files do."""
    names = list(FAULTS)
    share = np.array(list(FAULTS.values()), dtype=float)
    picks = np.flatnonzero(where & (rng.random(len(where)) < FAULT_RATE[person.input_type]))
    kinds = rng.choice(len(names), len(picks), p=share / share.sum())
    gvcf = person.input_type == "gvcf"
    for i, kind in zip(picks.tolist(), (names[k] for k in kinds), strict=True):
        a, b = int(seen.a[i]), int(seen.b[i])
        het = a >= 0 and b >= 0 and a != b
        reference = a == 0 and b in (0, NONE)
        depth = int(seen.ad[i].sum())
        if kind == "low_gq":
            seen.gq[i] = int(rng.integers(3, 20))
        elif kind == "low_dp":
            few = int(rng.integers(5, 10))
            seen.ad[i] = 0
            seen.ad[i, a] = few
            if het:
                seen.ad[i, a], seen.ad[i, b] = few - few // 2, few // 2
            seen.dp[i], seen.gq[i] = few, 30
        elif kind == "bad_ab" and het and depth >= 15:
            light = int(0.13 * depth)
            seen.ad[i] = 0
            seen.ad[i, a], seen.ad[i, b] = depth - light, light
            seen.dp[i] = depth
        elif gvcf:
            continue
        elif kind == "nocall" and person.input_type == "joint_vcf":
            seen.a[i], seen.b[i] = MISSING, b if b == NONE else MISSING
            seen.ad[i], seen.dp[i], seen.gq[i] = 0, 0, MISSING
        elif kind == "half" and b != NONE and (a > 0 or b > 0):
            seen.a[i], seen.b[i] = max(a, b), MISSING
        elif kind == "zero_depth_ref" and reference and person.input_type == "joint_vcf":
            seen.ad[i], seen.dp[i], seen.gq[i] = 0, 0, int(rng.choice([0, 30]))
        elif kind == "gq_missing":
            seen.gq[i] = MISSING
        elif kind == "dp_missing":
            seen.dp[i] = MISSING
        elif kind == "ad_missing" and het:
            seen.ad[i] = MISSING
        elif kind == "het_haploid" and haploid[i] and b == a and a > 0:
            seen.a[i] = 0
            seen.ad[i, 0], seen.ad[i, a] = depth // 2, depth - depth // 2


def look(rng: np.random.Generator, genome: Genome, people: list[DemoPerson], loci: list[Locus], who: int) -> Seen:
    """What the file of person number `who` says."""
    person = people[who]
    n = len(loci)
    rows = np.arange(n)
    hap = np.stack([x.hap[who] for x in loci])
    contig = np.array([x.contig for x in loci])
    no_chromosome = (hap == ABSENT).all(axis=1)
    haploid = (hap[:, 1] == ABSENT) & ~no_chromosome
    as_diploid = np.array([diploid_coded(person, c) for c in LENGTHS])[np.searchsorted(sorted(LENGTHS), contig)]
    a = hap[:, 0].astype(np.int64)
    b = np.where(haploid, np.where(as_diploid, a, NONE), hap[:, 1]).astype(np.int64)
    a[no_chromosome] = b[no_chromosome] = 0

    low_coverage = "low_coverage" in person.planted
    mean = np.full(n, 9.0 if low_coverage else rng.uniform(29, 35))
    mean[haploid] /= 2
    mean[contig == "chrM"] = 150
    depth = rng.poisson(mean)
    carries = (hap > 0).any(axis=1) & ((hap != ABSENT) & (hap > 0)).any(axis=1)
    segments: dict[str, list[Segment]] = {}
    state: list[Segment] = []
    around: dict[int, Segment] = {}
    if person.input_type == "gvcf":
        for c in LENGTHS:
            own_loci = [x for x in loci if x.contig == c]
            segments[c] = _segments(rng, genome, person, c, own_loci, who)
            starts = np.array([s.start for s in segments[c]])
            for x in own_loci:
                around[x.index] = segments[c][int(np.searchsorted(starts, x.lo, side="right")) - 1]
        state = [around[i] for i in range(n)]
        even = np.array([s.kind == "even" for s in state])
        depth = np.where(even, np.maximum(depth, 12), [s.dp for s in state])
    elif not low_coverage:
        depth = np.maximum(depth, 6)

    ad = np.zeros((n, MAX_ALLELES), dtype=np.int64)
    foreign = np.zeros(n, dtype=np.int64)
    for fault in person.planted:
        if fault.startswith("contaminated"):
            source = next(i for i, p in enumerate(people) if p.sample_id == fault.partition(":")[2])
            foreign = rng.binomial(depth, CONTAMINATION)
            haplotypes = np.stack([x.hap[source] for x in loci])
            strand = np.where(haplotypes[:, 1] == ABSENT, 0, rng.integers(0, 2, n))
            allele = haplotypes[rows, strand]
            foreign[allele == ABSENT] = 0
            np.add.at(ad, (rows, np.where(allele == ABSENT, 0, allele)), foreign)
    own = depth - foreign
    het = (b >= 0) & (a != b)
    steady = np.array([not x.one_form for x in loci])
    first = np.where(het, rng.binomial(own, 0.5), own)
    least = np.ceil(0.3 * own).astype(np.int64)
    first = np.where(het & steady, np.clip(first, least, own - least), first)
    np.add.at(ad, (rows, a), first)
    np.add.at(ad, (rows, np.where(het, b, a)), own - first)
    stray = np.where((a > 0) & ~het & ~steady, rng.binomial(own, 0.003), 0)
    ad[rows, 0] += stray
    ad[rows, a] -= stray
    smaller = np.minimum(ad[rows, a], ad[rows, np.where(het, b, a)])
    gq = np.minimum(99, np.where(het, 12 * smaller, 3 * depth)).astype(np.int64)
    dp = depth + (rng.random(n) < 0.1) * ~steady
    seen = Seen(np.ones(n, dtype=bool), carries.copy(), a, b, dp.astype(np.int64), gq, ad, segments)

    spoil = np.array([not x.twice for x in loci])
    if person.input_type == "gvcf":
        kind = np.array([s.kind for s in state])
        one_form = np.array([x.one_form for x in loci])
        seen.gq = np.where(kind == "even", seen.gq, [s.gq for s in state])
        # A caller sometimes writes a record of its own where it then decides for the reference.
        weighed = ~carries & one_form & (kind == "even") & (rng.random(n) < 0.03) & ~no_chromosome
        seen.explicit |= weighed
        ad[weighed, 0] -= 1
        ad[weighed, 1] += 1
        seen.gq[weighed] = rng.integers(8, 60, int(weighed.sum()))
        block = ~seen.explicit
        seen.a[block], seen.b[block] = 0, np.where(seen.b[block] == NONE, NONE, 0)
        seen.dp[block] = np.array([s.dp for s in state])[block]
        seen.gq[block] = np.array([s.gq for s in state])[block]
        seen.visible = seen.explicit | (kind != "gap")
        spoil = one_form & (kind == "even") & carries
    elif person.input_type == "vcf":
        seen.visible = carries.copy()
        spoil &= carries
    else:
        seen.visible = np.array([bool(joint_alts(x, people)) for x in loci])
        seen.explicit = seen.visible
        nothing = no_chromosome & (rng.random(n) < 0.5)
        seen.ad[no_chromosome], seen.dp[no_chromosome], seen.gq[no_chromosome] = 0, 0, 0
        seen.b[no_chromosome] = NONE
        seen.a[nothing] = MISSING
        spoil &= ~no_chromosome
    _planted(rng, seen, spoil, haploid, person)
    return seen


def joint_alts(locus: Locus, people: list[DemoPerson]) -> list[int]:
    """Indexes of the ALTs that the joint VCF lists at the locus: those its people carry, and those named for nobody."""
    joint = np.array([p.input_type == "joint_vcf" for p in people])
    found = [k for k in range(1, len(locus.alts) + 1) if (locus.carriers(k) & joint).any() or k in locus.listed]
    return found if any(k not in locus.listed for k in found) else []


def wanted_ploidy(contig: str, pos: int, sex: str) -> int:
    """Ploidy to count at, C2; sex M, F or U."""
    if contig == "chrM":
        return 1
    if contig == "chrX" and not is_par(contig, pos):
        return {"F": 2, "M": 1, "U": 0}[sex]
    if contig == "chrY":
        return 1 if sex == "M" and not is_par(contig, pos) else 0
    return 2


def genotype_counts(seen: Seen, i: int, want: int) -> tuple[int, ...]:
    """The alleles of locus `i` that count: () for missing, else `want` allele indexes. C1 and C2."""
    if want == 0 or not seen.visible[i]:
        return ()
    written = [int(x) for x in (seen.a[i], seen.b[i]) if x != NONE]
    called = [x for x in written if x != MISSING]
    ad = [int(x) for x in seen.ad[i] if x != MISSING]
    depth = int(seen.dp[i])
    if depth == MISSING and ad:
        depth = sum(ad)
    if not called or depth == MISSING or seen.gq[i] == MISSING:
        return ()
    if seen.gq[i] < 20 or depth < (5 if want == 1 else 10):
        return ()
    if len(set(called)) > 1 and (not ad or any(ad[x] / depth < 0.2 for x in called)):
        return ()
    if want == 2:
        return tuple(called) if len(written) == len(called) == 2 else ()
    return (called[0],) if len(set(called)) == 1 else ()


def expected(people: list[DemoPerson], loci: list[Locus], seen: dict[int, Seen]) -> dict[tuple[int, int], np.ndarray]:
    """Call code (index into CALLS) of each VCF-born person at each ALT: {(locus, alt index): uint8[people]}.

    People who are not VCF-born stay 0.
    """
    out = {(x.index, k): np.zeros(len(people), dtype=np.uint8) for x in loci for k in range(1, len(x.alts) + 1)}
    for who, s in seen.items():
        for x in loci:
            alleles = genotype_counts(s, x.index, wanted_ploidy(x.contig, x.pos, people[who].count_sex))
            if alleles:
                for k in range(1, len(x.alts) + 1):
                    out[x.index, k][who] = 1 + 2 * (len(alleles) == 2) + sum(v == k for v in alleles)
    return out
