"""The project's own hazards file: made-up records, one hazard of counting a case, with numbers worked out by hand.

Nothing is random: the same call writes the same bytes. A case is clean but for its hazard, so a wrong number points at
one rule. Everybody is `0/0` with good depth and quality, except HET (`0/1`) and HOM (`1/1`) in the first record of a
case; that baseline gives AC 3 of 18 on autosomes and PARs, 2 of 12 on X, 1 of 4 on Y, 2 of 9 on M.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice, product
from pathlib import Path

import pysam

from helpers import plain

# Order of the columns. Ids are text, however they look; `sheet` lists them in another order.
SAMPLES = ("2", "fin-ann", "1e3", "m.one", "00", "None", "true", "M", "ullr")
SEX = dict(zip(SAMPLES, "MFFMFMFMU", strict=True))
COUNTRY = dict(zip(SAMPLES, ("LV", "LV", "EE", "EE", "EE", "EE", "LV", "LV", "EE"), strict=True))
FA, FB, FC, FD = "1e3", "00", "true", "fin-ann"
MA, MB, MC, MD = "m.one", "None", "2", "M"
U = "ullr"
HET, HOM = FB, MD

LENGTHS = {"chr1": 4200, "chrX": 1500, "chrY": 800, "chrM": 700, "chr1_alt": 120}
PAR = [("chrX", 101, 300), ("chrX", 1201, 1400), ("chrY", 101, 300), ("chrY", 601, 700)]
TABLE = {name: n for name, n in LENGTHS.items() if name != "chr1_alt"}
SWAP = {"A": "G", "G": "A", "C": "T", "T": "C"}
FIRST_SLOT, SLOT = 41, 40


def filler(n: int) -> str:
    """n bases without a run or a repeat of two, so that no indel in it can move."""
    made, state = "AC", 7
    while len(made) < n:
        state = (state * 75 + 74) % 65537
        made += [base for base in "ACGT" if base not in made[-2:]][state >> 4 & 1]
    return made[:n]


@dataclass
class Line:
    """A record. calls: person -> sample column; those not named have `others`, or clean reference calls."""

    pos: int
    ref: str
    alt: str
    calls: dict[str, str]
    others: str | None = None
    form: str = "GT:DP:GQ:AD"
    status: str = "PASS"


@dataclass
class Case:
    """A hazard. rule: section of docs/counting.md; adj, raw: (pos, ref, alt) -> (AC, AN, AC_Hom, AC_Het, AC_Hemi)
    of all people, by hand; dropped: reason -> ALTs that give no site allele (`after_aligning`: not before that)."""

    name: str
    rule: str
    what: str
    contig: str
    lines: list[Line]
    adj: dict[tuple[int, str, str], tuple[int, ...]]
    raw: dict[tuple[int, str, str], tuple[int, ...]]
    dropped: dict[str, int] = field(default_factory=dict)


def numbers(text: str) -> tuple[int, ...]:
    """`4/18=2+2+0` is AC 4 of AN 18: AC_Hom 2, AC_Het 2, AC_Hemi 0."""
    total, parts = text.split("=")
    ac, an = map(int, total.split("/"))
    hom, het, hemi = map(int, parts.split("+"))
    assert ac == hom + het + hemi, text
    return ac, an, hom, het, hemi


def clean(genotype: str, n_alleles: int, depth: int = 30, quality: int = 90) -> str:
    """Sample column of a good call: every called allele has its share of the reads."""
    called = [int(a) for a in genotype.replace("|", "/").split("/") if a != "."]
    depths = [0] * n_alleles
    for allele in called:
        depths[allele] += depth // len(called)
    return f"{genotype}:{depth}:{quality}:{','.join(map(str, depths))}"


class Book:
    """Cases as they are added, and the reference that they write themselves into."""

    def __init__(self):
        self.bases = {name: list(filler(n)) for name, n in LENGTHS.items()}
        self.cases: list[Case] = []
        self._next = FIRST_SLOT

    def add(
        self, name, rule, what, adj, *lines, raw=None, contig="chr1", at=None, seq="", dropped=None, **calls
    ) -> None:
        """A case at 1-based `at`, or in the next free slot of chr1.

        seq: bases put there; lines: from `line`, else one SNV with `calls`; adj, raw: `numbers` of the SNV, or a dict
        of `offset REF>ALT` -> numbers (raw: those that differ from adj).
        """
        if at is None:
            at, self._next = self._next, self._next + SLOT
        self.bases[contig][at - 1 : at - 1 + len(seq)] = seq
        base = self.bases[contig][at - 1].upper()
        made = []
        for i, (offset, ref, alt, theirs, options) in enumerate(lines or [line(0, "", "", **calls)]):
            ref, alt = (ref, alt) if ref else (base, alt or SWAP[base])
            n_alleles = 1 + len(alt.split(","))
            first = {HET: "0/1", HOM: "1/1"} if i == 0 and "others" not in options else {}
            haploid = self.haploid(contig, at + offset)
            columns = {p: (c[-1] if p in haploid else c) for p, c in first.items() if contig != "chrY" or SEX[p] == "M"}
            columns |= {ID[p]: c for p, c in theirs.items()}
            form = options.get("form", "GT:DP:GQ:AD")
            whole = {p: c if ":" in c or form != "GT:DP:GQ:AD" else clean(c, n_alleles) for p, c in columns.items()}
            made.append(Line(at + offset, ref, alt, whole, **options))
        key = f"0 {base}>{made[0].alt}"
        hand = {"adj": {key: adj} if isinstance(adj, str) else adj, "raw": {key: raw} if isinstance(raw, str) else raw}
        known = {kind: {self._key(at, k): numbers(v) for k, v in (d or {}).items()} for kind, d in hand.items()}
        self.cases.append(
            Case(name, rule, what, contig, made, known["adj"], known["adj"] | known["raw"], dropped or {})
        )

    @staticmethod
    def _key(at: int, text: str) -> tuple[int, str, str]:
        offset, alleles = text.split(" ")
        ref, alt = alleles.split(">")
        return at + int(offset), ref, alt

    @staticmethod
    def haploid(contig: str, pos: int) -> set[str]:
        """People who are written with one allele there: men outside the PARs of X and Y, all on M."""
        if contig == "chrM":
            return set(SAMPLES)
        inside = any(c == contig and s <= pos <= e for c, s, e in PAR)
        return {p for p in SAMPLES if SEX[p] == "M"} if contig in ("chrX", "chrY") and not inside else set()


ID = {"fa": FA, "fb": FB, "fc": FC, "fd": FD, "ma": MA, "mb": MB, "mc": MC, "md": MD, "u": U}


def line(offset: int, ref: str, alt: str, *, others=None, form=None, status=None, **calls):
    """A record `offset` bases into its case; calls by short name (fa..fd women, ma..md men, u unknown)."""
    options = {"others": others, "form": form, "status": status}
    return offset, ref, alt, calls, {k: v for k, v in options.items() if v is not None}


def _filter_cases(add) -> None:
    add("CLEAN", "1", "one more clean heterozygote", "4/18=2+2+0", fa="0/1")
    add("GQ_20", "1", "heterozygote with GQ 20", "4/18=2+2+0", fa="0/1:30:20:15,15")
    add("GQ_19", "1", "het and reference call with GQ 19: both missing", "3/14=2+1+0", raw="4/18=2+2+0",
        fa="0/1:30:19:15,15", ma="0/0:30:19:30,0")  # fmt: skip
    add("GQ_ABSENT", "1", "GQ `.` in a het and a reference call", "3/14=2+1+0", raw="4/18=2+2+0",
        fa="0/1:30:.:15,15", ma="0/0:30:.:30,0")  # fmt: skip
    add("DP_10", "1", "heterozygote with DP 10", "4/18=2+2+0", fa="0/1:10:90:5,5")
    add("DP_9", "1", "heterozygote with DP 9", "3/16=2+1+0", raw="4/18=2+2+0", fa="0/1:9:90:5,4")
    add("DP_FROM_AD", "1", "DP `.`: AD 5,5 sums to 10 and passes, 5,4 does not", "4/16=2+2+0", raw="5/18=2+3+0",
        fa="0/1:.:90:5,5", fc="0/1:.:90:5,4")  # fmt: skip
    add("DP_AND_AD_ABSENT", "1", "neither DP nor AD in a het and a reference call", "3/14=2+1+0", raw="4/18=2+2+0",
        fa="0/1:.:90:.", ma="0/0:.:90:.")  # fmt: skip
    add("AD_ABSENT", "1", "AD `.`: asked of the het only", "5/16=4+1+0", raw="6/18=4+2+0",
        fa="0/1:30:90:.", ma="1/1:30:90:.", mb="0/0:30:90:.")  # fmt: skip
    add("BALANCE_AT", "1", "AD 28,7 of 35: exactly a fifth, which 0.2 * 35 in floating point is not", "4/18=2+2+0",
        fa="0/1:35:90:28,7")  # fmt: skip
    add("BALANCE_BELOW", "1", "AD 29,6 of 35", "3/16=2+1+0", raw="4/18=2+2+0", fa="0/1:35:90:29,6")
    add("BALANCE_OF_REF", "1", "AD 6,29 of 35: REF is tested as well", "3/16=2+1+0", raw="4/18=2+2+0",
        fa="0/1:35:90:6,29")  # fmt: skip
    add("BALANCE_OVER_DP", "1", "AD 7,9 of DP 50: 7/50 fails though 7/16 would pass", "3/16=2+1+0", raw="4/18=2+2+0",
        fa="0/1:50:90:7,9")  # fmt: skip
    add("BALANCE_THIRD_ALLELE", "1", "reads of an allele that was not called leave 5/30 to each",
        {"0 A>G": "3/16=2+1+0", "0 A>T": "1/16=0+1+0"},
        line(0, "A", "G,T", fa="0/1:30:90:5,5,20", mc="0/2"), seq="A",
        raw={"0 A>G": "4/18=2+2+0", "0 A>T": "1/18=0+1+0"})  # fmt: skip
    add("HET_ALT_ALT", "1", "1/2 with AD 0,15,15: a het for both ALTs",
        {"0 C>A": "4/18=2+2+0", "0 C>G": "1/18=0+1+0"},
        line(0, "C", "A,G", fa="1/2:30:90:0,15,15"), seq="C")  # fmt: skip
    add("HET_ALT_ALT_LOW", "1", "1/2 with AD 0,25,5: missing for both ALTs",
        {"0 C>A": "3/16=2+1+0", "0 C>G": "0/16=0+0+0"}, line(0, "C", "A,G", fa="1/2:30:90:0,25,5"), seq="C",
        raw={"0 C>A": "4/18=2+2+0", "0 C>G": "1/18=0+1+0"})  # fmt: skip
    add("AD_IN_PART", "1", "AD `15,15,.` as merged files have it: only called alleles are asked",
        {"0 C>A": "4/16=2+2+0", "0 C>G": "0/16=0+0+0"},
        line(0, "C", "A,G", fa="0/1:30:90:15,15,.", fc="0/2:30:90:15,15,."), seq="C",
        raw={"0 C>A": "4/18=2+2+0", "0 C>G": "1/18=0+1+0"})  # fmt: skip
    add("REF_WITHOUT_READS", "1", "0/0 with DP 0 and GQ 90 (no data, as a joint caller writes it): missing, raw too",
        "3/16=2+1+0", ma="0/0:0:90:0,0")  # fmt: skip
    add("REF_AD_ZERO", "1", "0/0 with DP `.` and AD 0,0: the same", "3/16=2+1+0", ma="0/0:.:90:0,0")
    add("HET_WITHOUT_READS", "1", "0/1 with DP 0 fails, and stays in raw", "3/16=2+1+0", raw="4/18=2+2+0",
        fa="0/1:0:90:0,0")  # fmt: skip
    add("FT_NOT_ASKED", "1", "FT says LowQ; it is not looked at unless asked for", "4/18=2+2+0",
        line(0, "", "", form="GT:DP:GQ:AD:FT", others="0/0:30:90:30,0:PASS", fa="0/1:30:90:15,15:LowQ",
             fb="0/1:30:90:15,15:PASS", md="1/1:30:90:0,30:PASS"))  # fmt: skip
    add("NO_CARRIER_PASSES", "3", "the only carrier has GQ 5: the allele stays, AC 0", "0/16=0+0+0", raw="1/18=0+1+0",
        fa="0/1:30:5:15,15", fb="0/0", md="0/0")  # fmt: skip
    add("NOBODY_PASSES", "4", "GQ 5 for everybody: 0 of 0", "0/0=0+0+0", line(0, "", "", others="0/1:30:5:15,15"),
        raw="9/18=0+9+0")  # fmt: skip


def _field_cases(add) -> None:
    add("GT_ALONE", "1", "FORMAT is GT alone in this record: nobody has GQ", "0/0=0+0+0",
        line(0, "", "", form="GT", others="0/0", fb="0/1", md="1/1"), raw="3/18=2+1+0")  # fmt: skip
    add("WITHOUT_GT", "1", "a record without GT: nobody is called", "0/0=0+0+0",
        line(0, "", "", form="DP:GQ", others="30:90"))  # fmt: skip
    add("OTHER_ORDER", "1", "FORMAT GT:AD:GQ:PL:DP: fields go by name", "3/16=2+1+0",
        line(0, "", "", form="GT:AD:GQ:PL:DP", others="0/0:30,0:90:0,90,900:30", fa="0/1:5,4:90:90,0,90:9",
             fb="0/1:15,15:90:90,0,90:30", md="1/1:0,30:90:900,90,0:30"), raw="4/18=2+2+0")  # fmt: skip
    add("TRAILING_DROPPED", "1", "0/1:30:90 and 1/1:30:90 without AD, `./.` alone", "5/14=4+1+0", raw="6/16=4+2+0",
        fa="0/1:30:90", mb="1/1:30:90", mc="./.:.:.:.", fc="0/0:30:90")  # fmt: skip
    add("DEPTH_INT16", "1", "depth 200: integers of two bytes; AD 39 of 200 fails", "4/16=2+2+0", raw="5/18=2+3+0",
        fa="0/1:200:90:100,100", fc="0/1:200:90:161,39")  # fmt: skip
    add("DEPTH_INT32", "1", "depth 70000: integers of four bytes; AD 13999 fails, DP `.` is its sum", "5/16=2+3+0",
        raw="6/18=2+4+0", fa="0/1:70000:90:56000,14000", fc="0/1:70000:90:56001,13999",
        ma="0/1:.:90:35000,35000")  # fmt: skip
    add("AD_WIDER_THAN_DP", "1", "AD of four bytes beside DP of one", "4/18=2+2+0", fa="0/1:100:90:40000,40")
    words = ["".join(w) for w in islice(product("GT", "ACGT", "ACGT", "CGT"), 70)]
    alts = [f"A{w}" for w in words]
    hand = {f"0 A>{alt}": "0/18=0+0+0" for alt in alts}
    hand |= {f"0 A>{alts[0]}": "3/18=2+1+0", f"0 A>{alts[68]}": "3/18=2+1+0"}
    hand |= {f"0 A>{alts[i]}": "1/18=0+1+0" for i in (66, 67, 69)}
    add("SEVENTY_ALTS", "3", "70 ALTs: allele numbers need two bytes, vectors a length of their own",
        hand, line(0, "A", ",".join(alts), fa="67/68", fc="0/70", ma="69/69", mc="0/69"), seq="A")  # fmt: skip


def _call_cases(add) -> None:
    add("HALF_CALLS", "2", "./1, 1/. and 0/. on an autosome: missing, raw too", "3/12=2+1+0",
        fa="./1:30:90:0,30", fc="1/.:30:90:0,30", ma="0/.:30:90:30,0")  # fmt: skip
    add("HAPLOID_AUTOSOME", "2", "1 and 0 on an autosome: missing, raw too", "3/14=2+1+0", fa="1", ma="0")
    add("TRIPLOID", "2", "0/0/1 and 1/1/1: missing, raw too", "3/14=2+1+0",
        fa="0/0/1:30:90:20,10", ma="1/1/1:30:90:0,30")  # fmt: skip
    add("TETRAPLOID", "2", "0/0/0/1 and, half called, ./././1", "3/14=2+1+0",
        fa="0/0/0/1:30:90:20,10", ma="./././1:30:90:0,30")  # fmt: skip
    add("PHASED", "2", "0|1, 1|0 and 1|1: phase has no meaning", "7/18=4+3+0", fa="0|1", fc="1|0", ma="1|1")
    add("ALL_MISSING", "3", "./. for everybody", "0/0=0+0+0", line(0, "", "", others="./.:.:.:."))
    add("UNKNOWN_SEX", "2", "the person of unknown sex counts in Total and the country", "5/18=4+1+0", u="1/1")
    add("FILTERED_RECORD", "3", "FILTER LowQ of the input: kept, changes no number", "3/18=2+1+0",
        line(0, "", "", status="LowQ"))  # fmt: skip


def _allele_cases(add) -> None:
    star = {"star": 1}
    add("STAR_AFTER", "3", "C>A,*: `*` is a called allele that is not A", {"0 C>A": "4/18=2+2+0"},
        line(0, "C", "A,*", fa="1/2", fc="0/2", ma="2/2"), seq="C", dropped=star)  # fmt: skip
    add("STAR_BEFORE", "3", "C>*,A: the allele is number 2", {"0 C>A": "3/18=2+1+0"},
        line(0, "C", "*,A", fb="0/2", md="2/2", ma="1/1"), seq="C", dropped=star)  # fmt: skip
    add("STAR_ALONE", "3", "C>*: no site allele", {}, line(0, "C", "*"), seq="C", dropped=star)
    add("SYMBOLIC", "3", "C><DEL>,A: A stays", {"0 C>A": "2/18=2+0+0"},
        line(0, "C", "<DEL>,A", fb="0/1", md="2/2"), seq="C", dropped={"symbolic": 1})  # fmt: skip
    add("NON_REF", "3", "C>A,<NON_REF>", {"0 C>A": "3/18=2+1+0"}, line(0, "C", "A,<NON_REF>", fa="0/2"), seq="C",
        dropped={"non_ref": 1})  # fmt: skip
    add("UNSPECIFIED", "3", "C>A,<*>", {"0 C>A": "3/18=2+1+0"}, line(0, "C", "A,<*>"), seq="C",
        dropped={"non_ref": 1})  # fmt: skip
    add("BREAKEND", "3", "C>A,C[chr1:4000[ and a single breakend C.", {"0 C>A": "3/18=2+1+0"},
        line(0, "C", "A,C[chr1:4000[,C.", ma="0/2", fa="0/3"), seq="C", dropped={"breakend": 2})  # fmt: skip
    add("ALT_N", "3", "C>CN,A: N in an ALT", {"0 C>A": "2/18=2+0+0"}, line(0, "C", "CN,A", fb="0/1", md="2/2"),
        seq="C", dropped={"non_acgt_alt": 1})  # fmt: skip
    add("REF_N", "3", "N>A where the reference has N", {}, line(0, "N", "A"), seq="N", dropped={"non_acgt_ref": 1})
    add("REF_OVER_N", "3", "a deletion with an N in it", {}, line(0, "CN", "C"), seq="CN", dropped={"non_acgt_ref": 1})
    add("REF_IUPAC", "3", "G>A where the reference has R: no mismatch, left out", {}, line(0, "G", "A"), seq="R",
        dropped={"ref_iupac": 1})  # fmt: skip
    add("ALT_IUPAC", "3", "C>R: an ambiguous ALT", {"0 C>A": "2/18=2+0+0"}, line(0, "C", "R,A", fb="0/1", md="2/2"),
        seq="C", dropped={"non_acgt_alt": 1})  # fmt: skip
    add("NO_ALT", "3", "ALT `.`: dropped as no_alt", {}, line(0, "C", ".", others="0/0:30:90:30"), seq="C")
    add("CASE_OF_RECORD", "3", "c>a in the record", {"0 C>A": "3/18=2+1+0"}, line(0, "c", "a"), seq="C")
    add("CASE_OF_REFERENCE", "3", "C>A where the reference is lower case", {"0 C>A": "3/18=2+1+0"},
        line(0, "C", "A"), seq="c")  # fmt: skip
    add("MULTIALLELIC", "3", "five ALTs of different kinds in one record",
        {"0 A>C": "4/18=2+2+0", "0 A>G": "2/18=0+2+0", "0 A>T": "2/18=2+0+0", "0 A>AC": "1/18=0+1+0",
         "0 A>ACG": "1/18=0+1+0"},
        line(0, "A", "C,G,T,AC,ACG", fa="1/2", fc="3/3", ma="4/5", mc="0/2"), seq="A")  # fmt: skip
    add("CONTIG_OUTSIDE", "2", "an alternate contig: no row", {}, contig="chr1_alt", at=50)


def _form_cases(add) -> None:
    same = "4/18=2+2+0"
    add("MNV", "3", "AC>GT: two SNVs", {"0 A>G": same, "1 C>T": same}, line(0, "AC", "GT", fa="0/1"), seq="ACG")
    add("MNV_WITH_EQUAL_BASE", "3", "ACT>GCA: nothing at the middle base", {"0 A>G": same, "2 T>A": same},
        line(0, "ACT", "GCA", fa="0/1"), seq="ACTG")  # fmt: skip
    add("MNV_SHARED_ATOM", "3", "AC>GT,GC: 1/2 is homozygous for A>G", {"0 A>G": "5/18=4+1+0", "1 C>T": same},
        line(0, "AC", "GT,GC", fa="1/2"), seq="ACG")  # fmt: skip
    add("MNV_BESIDE_SNV", "3", "AC>GT and C>T of its own: the second base is merged",
        {"0 A>G": "4/18=2+2+0", "1 C>T": "5/18=2+3+0"},
        line(0, "AC", "GT", fa="0/1"), line(1, "C", "T", fc="0/1"), seq="ACG")  # fmt: skip
    add("LONG_TAIL", "3", "ACTG>GCTG: the shared bases go", {"0 A>G": same}, line(0, "ACTG", "GCTG", fa="0/1"),
        seq="ACTG")  # fmt: skip
    add("LONG_HEAD", "3", "ACT>ACA: the SNV is two bases on", {"2 T>A": same}, line(0, "ACT", "ACA", fa="0/1"),
        seq="ACTG")  # fmt: skip
    add("MIXED_KINDS", "3", "ACT>A,GCT: a deletion and an SNV", {"0 ACT>A": "3/18=2+1+0", "0 A>G": "1/18=0+1+0"},
        line(0, "ACT", "A,GCT", fa="0/2"), seq="ACTGC")  # fmt: skip
    add("COMPLEX", "3", "AC>GTT stays whole", {"0 AC>GTT": same}, line(0, "AC", "GTT", fa="0/1"), seq="ACG")
    add("DELETION_RIGHT", "3", "a deletion at the right end of a run", {"0 GT>G": same}, line(5, "TT", "T", fa="0/1"),
        seq="GTTTTTTC")  # fmt: skip
    add("INSERTION_RIGHT", "3", "an insertion at the right end of (GA)x4", {"0 C>CGA": same},
        line(8, "A", "AGA", fa="0/1"), seq="CGAGAGAGAT")  # fmt: skip
    add("INSERTION_ROLLED", "3", "TACG>TACGACG... written after its copy", {"0 T>TACG": same},
        line(3, "G", "GACG", fa="0/1"), seq="TACGTC")  # fmt: skip
    add("SOFT_MASKED_RUN", "3", "a deletion left-aligned in lower case", {"0 GT>G": same}, line(4, "TT", "T", fa="0/1"),
        seq="gtttttC")  # fmt: skip
    gap = {"after_aligning": 1}
    add("ALIGNED_TO_A_GAP", "3", "a deletion in a run that begins at an N: its anchor would be the N", {},
        line(4, "AA", "A", fa="0/1"), seq="NAAAAAC", dropped=gap)  # fmt: skip
    add("ALIGNED_TO_IUPAC", "3", "an insertion in a run that begins at an R of the reference", {},
        line(3, "A", "AA", fa="0/1"), seq="RAAAC", dropped=gap)  # fmt: skip
    add("FIRST_BASE", "3", "an SNV on the first base of a contig", {"0 A>G": same}, at=1, fa="0/1")
    add("LAST_BASE", "3", "an SNV on the last base", {"0 C>T": same}, at=LENGTHS["chr1"], seq="C", fa="0/1")


def _duplicate_cases(add) -> None:
    good = clean("0/0", 2)
    add("TWICE", "3", "the same line twice counts once", {"0 C>T": "4/18=2+2+0"},
        line(0, "C", "T", fa="0/1"), line(0, "C", "T", fa="0/1", fb="0/1", md="1/1"), seq="C")  # fmt: skip
    add("CARRIERS_APART", "3", "two records, each with its own carriers", {"0 C>T": "6/18=4+2+0"},
        line(0, "C", "T", fa="0/0"), line(0, "C", "T", fa="0/1", ma="1/1"), seq="C")  # fmt: skip
    add("CALL_BEATS_MISSING", "3", "missing in one record, called in the other", {"0 C>T": "4/18=2+2+0"},
        line(0, "C", "T", fa="./.:.:.:.", mc="0/0"), line(0, "C", "T", fa="0/1", mc="./.:.:.:."), seq="C")  # fmt: skip
    add("CARRIERS_DISAGREE", "3", "0/1 in one, 1/1 in the other: missing", {"0 C>T": "3/16=2+1+0"},
        line(0, "C", "T", fa="0/1"), line(0, "C", "T", fa="1/1"), seq="C")  # fmt: skip
    add("THREE_RECORDS", "3", "0/1, 1/1, 0/1: still missing, whatever the order", {"0 C>T": "4/16=2+2+0"},
        line(0, "C", "T", fa="0/1", fc="0/1"), line(0, "C", "T", fa="1/1"), line(0, "C", "T", fa="0/1"),
        seq="C")  # fmt: skip
    add("FAILED_CARRIER", "3", "0/1 with GQ 5 in one, clean 0/0 in the other", {"0 C>T": "3/18=2+1+0"},
        line(0, "C", "T", fa="0/1:30:5:15,15"), line(0, "C", "T", fa=good), seq="C",
        raw={"0 C>T": "4/18=2+2+0"})  # fmt: skip
    add("OTHER_PHASE", "3", "0|1 and 1|0 are the same call", {"0 C>T": "4/18=2+2+0"},
        line(0, "C", "T", fa="0|1"), line(0, "C", "T", fa="1|0"), seq="C")  # fmt: skip
    add("AGAIN_IN_MULTIALLELIC", "3", "C>T, and again in C>T,G: 0/2 there is no T", {
        "0 C>T": "5/18=2+3+0", "0 C>G": "1/18=0+1+0"},
        line(0, "C", "T", fa="0/1"), line(0, "C", "T,G", fa="0/2", fc="0/1"), seq="C")  # fmt: skip
    add("OTHER_ALT_APART", "3", "C>T and C>G as two records: nothing to merge",
        {"0 C>T": "4/18=2+2+0", "0 C>G": "1/18=0+1+0"},
        line(0, "C", "T", fa="0/1"), line(0, "C", "G", fc="0/1"), seq="C")  # fmt: skip
    add("EQUAL_AFTER_ALIGNING", "3", "one deletion, written at both ends of a run", {"0 GA>G": "5/18=2+3+0"},
        line(0, "GA", "G", fa="0/1"), line(5, "AA", "A", fa="0/1", fc="0/1"), seq="GAAAAAAC")  # fmt: skip
    add("FILTERS_UNITE", "3", "PASS in one record, LowQ in the other: LowQ stays", {"0 C>T": "4/18=2+2+0"},
        line(0, "C", "T", fa="0/1"), line(0, "C", "T", status="LowQ"), seq="C")  # fmt: skip


def _x_cases(add) -> None:
    def x(name, at, what, adj, *lines, **more):
        add(name, "2", what, adj, *lines, contig="chrX", at=at, **more)

    base = "2/12=0+1+1"
    x("X_BEFORE_PAR1", 100, "last base before PAR1: men have one allele", "3/12=0+1+2", ma="1", u="0/1")
    x("X_PAR1_FIRST", 101, "first base of PAR1: two alleles in everybody", "5/18=2+3+0", ma="0/1", u="0/1")
    x("X_PAR1_MAN_HAPLOID", 200, "men written 1 and 0 in the PAR: missing", "3/14=2+1+0", ma="1", mb="0")
    x("X_PAR1_LAST", 300, "last base of PAR1", "5/18=2+3+0", ma="0/1", u="0/1")
    x("X_AFTER_PAR1", 301, "first base after PAR1", "3/12=0+1+2", ma="1", u="0/1")
    x("X_MOVES_INTO_PAR1", 330, "a deletion after PAR1 that left-aligns into it: its own POS decides",
      {"-34 CA>C": "3/12=0+1+2"}, line(-29, "AA", "A", ma="1"))  # fmt: skip
    x("X_PLAIN", 400, "one clean carrier of each kind", "6/12=2+1+3", ma="1", mb="1", fa="1/1")
    x("X_MAN_0_1", 430, "a man 0/1: missing, not reference", "2/11=0+1+1", ma="0/1")
    x("X_MAN_1_0", 460, "men 1/0 and 1|0: missing, not hemizygous", "2/10=0+1+1", ma="1/0", mb="1|0")
    x("X_MAN_1_1", 490, "men 1/1 and 0/0: one allele each", "3/12=0+1+2", ma="1/1", mb="0/0")
    x("X_MAN_HALF", 520, "men 1/., ./1 and 0/.: the called allele", "4/12=0+1+3",
      ma="1/.:30:90:0,30", mb="./1:30:90:0,30", mc="0/.:30:90:30,0")  # fmt: skip
    x("X_MAN_MISSING", 550, "men ./. and .", "2/10=0+1+1", ma="./.:.:.:.", mb=".:.:.:.")
    x("X_MAN_TRIPLOID", 580, "a man 1/1/1", "2/11=0+1+1", ma="1/1/1:30:90:0,30")
    x("X_WOMAN_HAPLOID", 610, "women 1 and 0: missing", "2/8=0+1+1", fa="1", fc="0")
    x("X_WOMAN_HALF", 640, "women 1/. and ./0: missing", "2/8=0+1+1", fa="1/.:30:90:0,30", fc="./0:30:90:30,0")
    x("X_UNKNOWN_SEX", 670, "unknown sex 1/1: not counted", base, u="1/1")
    x("X_DEPTH_5", 700, "a man 1 with DP 5, one with DP 4", "3/11=0+1+2", raw="4/12=0+1+3", ma="1:5:90:0,5",
      mb="1:4:90:0,4")  # fmt: skip
    x("X_DEPTH_7_AS_DIPLOID", 730, "a man 1/1 with DP 7: one allele is expected, 5 is enough", "3/12=0+1+2",
      ma="1/1:7:90:0,7")  # fmt: skip
    x("X_WOMAN_DEPTH_7", 760, "a woman 0/1 with DP 7: ten are needed", "2/10=0+1+1", raw="3/12=0+2+1",
      fa="0/1:7:90:4,3")  # fmt: skip
    x("X_MAN_1_2", 790, "men 1/2 and 2", {"0 C>A": "2/11=0+1+1", "0 C>G": "1/11=0+0+1"},
      line(0, "C", "A,G", ma="1/2", mb="2"), seq="C")  # fmt: skip
    x("X_MAN_STAR", 820, "men 2, 2/2 and 1/2 of C>A,*", {"0 C>A": "2/11=0+1+1"},
      line(0, "C", "A,*", ma="2", mb="2/2", mc="1/2"), seq="C", dropped={"star": 1})  # fmt: skip
    x("X_MAN_NO_READS", 850, "a man 0 and a man 0/. with DP 0: no data", "2/10=0+1+1", ma="0:0:90:0,0",
      mb="0/.:0:90:0,0")  # fmt: skip
    x("X_TWO_CODINGS", 880, "1 in one record and 1/1 in the other: the same; 0/1 and 1: the 1 counts",
      {"0 C>A": "4/12=0+1+3"}, line(0, "C", "A", ma="1", mb="0/1"), line(0, "C", "A", ma="1/1", mb="1"),
      seq="C")  # fmt: skip
    x("X_MNV", 910, "AC>GT in a man: two hemizygous SNVs", {"0 A>G": "3/12=0+1+2", "1 C>T": "3/12=0+1+2"},
      line(0, "AC", "GT", ma="1"), seq="ACG")  # fmt: skip
    x("X_BEFORE_PAR2", 1200, "last base before PAR2", "3/12=0+1+2", ma="1")
    x("X_PAR2_FIRST", 1201, "first base of PAR2", "4/18=2+2+0", ma="0/1")
    x("X_PAR2_LAST", 1400, "last base of PAR2", "4/18=2+2+0", ma="0/1")
    x("X_AFTER_PAR2", 1401, "first base after PAR2", "3/12=0+1+2", ma="1")


def _ym_cases(add) -> None:
    def y(name, at, what, adj, **more):
        add(name, "2", what, adj, contig="chrY", at=at, **more)

    def m(name, at, what, adj, *lines, **more):
        add(name, "2", what, adj, *lines, contig="chrM", at=at, **more)

    y("Y_PAR1_LAST", 300, "last base of PAR1 on Y: nobody counts, the row stays", "0/0=0+0+0", ma="1/1", md="0/1")
    y("Y_AFTER_PAR1", 301, "first base after PAR1", "2/4=0+0+2", ma="1")
    y("Y_WOMEN", 340, "good calls in women and in unknown sex: not counted", "1/4=0+0+1", fa="1/1", fc="1", fd="0/0",
      u="1")  # fmt: skip
    y("Y_DIPLOID", 370, "men 1/1 and 0/1", "2/3=0+0+2", ma="1/1", mb="0/1")
    y("Y_DEPTH", 400, "men 1 with DP 5 and with DP 4", "2/3=0+0+2", raw="3/4=0+0+3", ma="1:5:90:0,5", mb="1:4:90:0,4")
    y("Y_BEFORE_PAR2", 600, "last base before PAR2", "2/4=0+0+2", ma="1")
    y("Y_PAR2_FIRST", 601, "first base of PAR2 on Y", "0/0=0+0+0", ma="1/1", md="0/1")
    m("M_HAPLOID", 60, "one more carrier, written 1", "3/9=0+0+3", ma="1")
    m("M_DIPLOID", 110, "1/1 in a woman and a man, 0/0 in a man", "4/9=0+0+4", fa="1/1", ma="1/1", mb="0/0")
    m("M_HETEROPLASMY", 160, "0/1 and, with three alleles called, 0/1/1: missing", "2/7=0+0+2",
      fa="0/1:500:90:250,250", ma="0/1/1:500:90:250,250")  # fmt: skip
    m("M_UNKNOWN_SEX", 210, "unknown sex counts on M", "3/9=0+0+3", u="1")
    m("M_DEPTH", 260, "1 with DP 5, 1/1 with DP 7, 1 with DP 4", "4/8=0+0+4", raw="5/9=0+0+5", ma="1:5:90:0,5",
      mb="1/1:7:90:0,7", fa="1:4:90:0,4")  # fmt: skip
    m("M_STAR", 310, "C>A,* coded diploid: 2/2 is a called allele, 1/2 is missing", {"0 C>A": "2/8=0+0+2"},
      line(0, "C", "A,*", fa="2/2", ma="1/2"), seq="C", dropped={"star": 1})  # fmt: skip


def book() -> Book:
    made = Book()
    made.bases["chrX"][296 - 1 : 304 - 1] = "CAAAAAAT"
    parts = (
        _filter_cases, _field_cases, _call_cases, _allele_cases, _form_cases, _duplicate_cases, _x_cases, _ym_cases,
    )  # fmt: skip
    for part in parts:
        part(made.add)
    assert len({case.name for case in made.cases}) == len(made.cases)
    return made


HEADER = (
    "##fileformat=VCFv4.3",
    '##FILTER=<ID=LowQ,Description="Low quality">',
    '##ALT=<ID=DEL,Description="Deletion">',
    '##INFO=<ID=CASE,Number=1,Type=String,Description="Name of the case">',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">',
    '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Genotype quality">',
    '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Depth of each allele">',
    '##FORMAT=<ID=PL,Number=G,Type=Integer,Description="Likelihoods">',
    '##FORMAT=<ID=FT,Number=1,Type=String,Description="Filter of the genotype">',
    *(f"##contig=<ID={name},length={n}>" for name, n in LENGTHS.items()),
)


def column(case: Case, record: Line, person: str) -> str:
    """Sample column of a person in a record."""
    if person in record.calls:
        return record.calls[person]
    if record.others is not None:
        return record.others
    haploid = person in Book.haploid(case.contig, record.pos)
    absent = case.contig == "chrY" and SEX[person] != "M"
    return ".:.:.:." if absent else clean("0" if haploid else "0/0", 1 + len(record.alt.split(",")))


def vcf_text(cases: list[Case], samples=SAMPLES, names=None) -> str:
    """The VCF of some cases for the people `samples`, whose columns are called `names[sample]`."""
    names = names or {}
    lines = ["\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"])]
    lines[0] += "".join(f"\t{names.get(s, s)}" for s in samples)
    order = list(LENGTHS)
    records = [(order.index(c.contig), r.pos, i, c, r) for i, c in enumerate(cases) for r in c.lines]
    for _, pos, _, case, r in sorted(records, key=lambda item: item[:3]):
        cells = [case.contig, str(pos), ".", r.ref, r.alt, "50", r.status, f"CASE={case.name}", r.form]
        lines.append("\t".join(cells + [column(case, r, s) for s in samples]))
    return "\n".join([*HEADER, *lines]) + "\n"


def write_fasta(path: Path, made: Book) -> None:
    """The toy reference and its index."""
    with path.open("w") as out:
        for name, bases in made.bases.items():
            out.write(f">{name}\n" + "".join(f"{''.join(bases[i : i + 60])}\n" for i in range(0, len(bases), 60)))
    pysam.faidx(str(path))


def _integer(text: str) -> int | None:
    return None if text == "." else int(text)


def parsed(cases: list[Case], samples=SAMPLES) -> Iterator[tuple]:
    """Records as `plain.count` takes them."""
    for case in cases:
        for r in case.lines:
            people = {}
            for sample in samples:
                cells = dict(zip(r.form.split(":"), column(case, r, sample).split(":"), strict=False))
                alleles = [_integer(a) for a in cells.get("GT", ".").replace("|", "/").split("/")]
                depths = cells.get("AD", ".")
                ad = None if depths == "." else [_integer(d) for d in depths.split(",")]
                people[sample] = (alleles, _integer(cells.get("DP", ".")), _integer(cells.get("GQ", ".")), ad)
            alts = [] if r.alt == "." else r.alt.split(",")
            yield case.contig, r.pos, r.ref.upper(), [a if "<" in a else a.upper() for a in alts], people


STRATA = ("Total", "M", "F", "EE", "EE_M", "EE_F", "LV", "LV_M", "LV_F")


def in_stratum(stratum: str, sample: str) -> bool:
    """Whether a person counts in a stratum: unknown sex in Total and the country only."""
    sex, country = SEX[sample], COUNTRY[sample]
    return stratum in ("Total", country, sex if sex != "U" else "", f"{country}_{sex}" if sex != "U" else "")


def expected(cases: list[Case], made: Book, samples=SAMPLES, on=True) -> dict[tuple, dict[str, tuple[int, ...]]]:
    """(contig, pos, ref, alt) -> stratum -> (AC, AN, AC_Hom, AC_Het, AC_Hemi), by the plain rules.

    on: with the genotype filter.
    """
    bases = {name: "".join(b).upper() for name, b in made.bases.items()}
    inside = [r for r in parsed(cases, samples) if r[0] in TABLE]
    table = {}
    for key, codes in plain.count(inside, bases, PAR, {s: SEX[s] for s in samples}, on=on).items():
        table[key] = {}
        for stratum in STRATA:
            met = [code for sample, code in codes.items() if in_stratum(stratum, sample)]
            hom, het, hemi = (met.count(code) for code in ("hom", "het", "hemi"))
            an = 2 * (met.count("ref2") + het + hom) + met.count("ref1") + hemi
            table[key][stratum] = (2 * hom + het + hemi, an, 2 * hom, het, hemi)
    return table
