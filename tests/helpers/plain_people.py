"""The counting rules for people with files of their own again, slow and obvious, one person at a time.

What the workflow's numbers are checked against. Shares no code with goe; filter, ploidy and left-alignment of a single
call are those of helpers.plain. Rules are cited by their id in docs/counting.md and shared/COUNTING.md.

Where the words of the rules leave room, this is how they are read:

- "Rows that start there" (6.3) are rows whose POS, as the file writes it, is the site's and that are no reference
  blocks. A reference block is a row of a gVCF whose ALTs are none or only <NON_REF>, <*>, <X> and whose GT names no
  ALT. It covers POS to END (INFO/END, or POS + FORMAT/LEN - 1, else the length of its REF). A block that starts at the
  POS of such a row counts among the rows that start there.
- An own longer row covers POS + 1 to POS + len(REF) - 1: deleted, equal and substituted bases alike. Whether it is a
  call, and passes, is asked with the ploidy and the least depth of the position in question.
- Of several rows, or of several that cover, a call beats missing.
- People of a single-sample or joint VCF are called where own rows start, or where their file lists the allele; a row
  without ALT is a reference call there.
- A site allele arises from a gVCF if its GT names the ALT, whether or not the call passes; from other VCFs always.
- A row that lists the allele has the ploidy of its POS as written (2.4); for other alleles that of the position.
- GQ that is not there is the second smallest PL less the smallest, at most 99; else GQX, where a gVCF declares it and
  none of its blocks has GQ. The depth of a block is MIN_DP, else DP, else INFO/MinDP, else the sum of AD; of another
  row DP, else the sum of AD.
- FILTER of an own file stands for FORMAT/FT where there is none, on rows whose GT names an ALT. FT belongs to the
  filter: without a filter it is not asked.
"""

import csv
import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from helpers import plain

Site = tuple[str, int, str, str]

SYMBOLIC_REFERENCE = {"<NON_REF>", "<*>", "<X>"}
SEXES = {"M": "M", "XY": "M", "MALE": "M", "1": "M", "F": "F", "XX": "F", "FEMALE": "F", "2": "F"}
COUNTED = {str(n) for n in range(1, 23)} | {"X", "Y", "M", "MT"}


@dataclass(frozen=True)
class Settings:
    """Thresholds of the genotype filter. alt_only: the balance of ALT alleles alone is tested; on: False for no filter;
    keep: fields that a file does not declare are not tested for its people."""

    min_gq: float = 20
    min_dp: float = 10
    min_dp_haploid: float = 5
    min_ab: float = 0.2
    alt_only: bool = False
    on: bool = True
    respect_ft: bool = False
    keep: bool = False


@dataclass
class Call:
    """What one row says of one person. alleles: numbers of GT, None for a missing one; end: last base of a block;
    listed: (pos, ref, alt) -> numbers of the ALTs that hold it; reasons: FILTER without PASS; ft: FORMAT/FT or None;
    untested: fields of the filter that the file does not declare."""

    contig: str
    pos: int
    ref: str
    alleles: list[int | None]
    gq: float | None
    depth: float | None
    ad: list[float | None] | None
    block: bool
    end: int
    listed: dict[tuple[int, str, str], set[int]]
    reasons: set[str]
    ft: str | None
    untested: set[str] = field(default_factory=set)
    own: bool = True

    @property
    def carried(self) -> set[int]:
        """Numbers of the ALTs that GT names."""
        return {a for a in self.alleles if a}

    def code(self, wanted: int, holders: Iterable[int], settings: Settings) -> str:
        """The call for the site allele that the ALTs `holders` carry, by sections 1 and 2."""
        alleles = self.alleles if self._passes(wanted, settings) else None
        return plain.code(plain.call(alleles, wanted), holders)

    def _passes(self, wanted: int, settings: Settings) -> bool:
        called = [a for a in self.alleles if a is not None]
        if not called or (self.depth == 0 and not self.carried):
            return False
        if not settings.on:
            return True
        if settings.respect_ft and self._fails_ft():
            return False
        if "GQ" not in self.untested and (self.gq is None or self.gq < settings.min_gq):
            return False
        least = settings.min_dp_haploid if wanted == 1 else settings.min_dp
        if "DP" not in self.untested and (self.depth is None or self.depth < least):
            return False
        if len(set(called)) == 1 or "AD" in self.untested:
            return True
        tested = [a for a in called if a > 0 or not settings.alt_only]
        return all(self._share(a) is not None and self._share(a) >= settings.min_ab for a in tested)

    def _share(self, allele: int) -> float | None:
        reads = self.ad[allele] if self.ad else None
        return reads / self.depth if reads is not None and self.depth else None

    def _fails_ft(self) -> bool:
        if self.ft is not None:
            return self.ft != "PASS"
        return self.own and bool(self.carried and self.reasons)


@dataclass
class Person:
    """kind: gvcf, vcf or joint_vcf; calls: of all rows of their files."""

    name: str
    sex: str
    country: str
    kind: str = ""
    calls: list[Call] = field(default_factory=list)

    @property
    def leaf(self) -> str:
        return f"{self.country}_{self.sex}"

    def sites(self) -> set[Site]:
        """Site alleles that arise from this person's rows (6.1)."""
        return {
            (c.contig, *allele)
            for c in self.calls
            for allele, holders in c.listed.items()
            if self.kind != "gvcf" or holders & c.carried
        }

    def listing(self, site: Site) -> list[Call]:
        return [c for c in self.calls if c.contig == site[0] and site[1:] in c.listed]

    def code(self, site: Site, par: list[tuple[str, int, int]], settings: Settings) -> str:
        """missing, ref1, ref2, het, hom or hemi (6.2 to 6.4, 6.6)."""
        contig, pos = site[:2]
        listing = self.listing(site)
        if listing:
            wanted = [ploidy(contig, c.pos, self.sex, par) for c in listing]
            pairs = zip(listing, wanted, strict=True)
            return plain.merged([c.code(n, c.listed[site[1:]], settings) for c, n in pairs])
        here = [c for c in self.calls if c.contig == contig]
        judges = [c for c in here if c.pos == pos and not c.block]
        if judges:
            judges += [c for c in here if c.pos == pos and c.block]
        elif self.kind == "gvcf":
            judges = [c for c in here if c.pos <= pos <= c.end]
        wanted = ploidy(contig, pos, self.sex, par)
        return plain.merged([c.code(wanted, (), settings) for c in judges])


def ploidy(contig: str, pos: int, sex: str, par: list[tuple[str, int, int]]) -> int:
    """The table of section 2. par: contigs as they are named in the data, 1-based, inclusive."""
    name = contig.removeprefix("chr")
    table = [("chr" + c.removeprefix("chr"), start, end) for c, start, end in par]
    return plain.ploidy("chrM" if name in ("M", "MT") else f"chr{name}", pos, sex, table)


def count(folder: Path, **settings) -> dict[Site, dict[str, list[int]]]:
    """(contig, pos, ref, alt) -> leaf (`EE_M`) -> people called diploid, haploid, heterozygous, homozygous for ALT,
    hemizygous for ALT.

    folder: samples.tsv, inputs.tsv (gvcf, vcf, joint_vcf), ref.fa, par.bed (0-based) and the files that inputs.tsv
    names, each with its plain text beside it or gzipped. settings: those of `Settings`. ValueError where the rules say
    that the run stops.
    """
    rule = Settings(**settings)
    people, par = read(folder, rule)
    leaves = sorted({p.leaf for p in people})
    return {
        site: {leaf: _tally(p.code(site, par, rule) for p in people if p.leaf == leaf) for leaf in leaves}
        for site in sites(people)
    }


def filters(folder: Path, accept: Iterable[str] = (), **settings) -> dict[Site, list[str]]:
    """FILTER reasons of each site allele by 3.6, sorted; empty where it passes. accept: reasons that count as PASS when
    a person's own file is judged."""
    rule = Settings(**settings)
    people, par = read(folder, rule)
    return {site: sorted(_reasons(people, site, par, rule, set(accept))) for site in sites(people)}


def sites(people: Iterable[Person]) -> list[Site]:
    """Every site allele of these people, sorted."""
    return sorted({site for person in people for site in person.sites()})


def totals(leaves: dict[str, list[int]]) -> tuple[int, int]:
    """AC and AN over all leaves."""
    dip, hap, het, hom, hemi = (sum(column) for column in zip(*leaves.values(), strict=True))
    return het + 2 * hom + hemi, 2 * dip + hap


def _tally(codes: Iterable[str]) -> list[int]:
    codes = list(codes)
    groups = [("ref2", "het", "hom"), ("ref1", "hemi"), ("het",), ("hom",), ("hemi",)]
    return [sum(code in group for code in codes) for group in groups]


def _reasons(
    people: list[Person], site: Site, par: list[tuple[str, int, int]], rule: Settings, accepted: set[str]
) -> set[str]:
    of_site: set[str] = set()
    of_carriers: set[str] = set()
    someone_passes = False
    for person in people:
        code = person.code(site, par, rule)
        listing = person.listing(site)
        if person.kind == "joint_vcf":
            of_site |= {r for c in listing for r in c.reasons}
            someone_passes |= code in ("het", "hom", "hemi")
        elif code in ("het", "hom", "hemi"):
            rows = [
                c.reasons
                for c in listing
                if c.code(ploidy(site[0], c.pos, person.sex, par), c.listed[site[1:]], rule) == code
            ]
            someone_passes |= any(reasons <= accepted for reasons in rows)
            of_carriers |= set().union(*rows)
    return of_site if someone_passes else of_site | of_carriers


def read(folder: Path, rule: Settings) -> tuple[list[Person], list[tuple[str, int, int]]]:
    """The people of a folder with their calls, and the PARs (1-based, inclusive)."""
    folder = Path(folder)
    people = {}
    for row in _table(folder / "samples.tsv"):
        sex = SEXES.get(row["sex"].upper(), "U")
        people[row["sample_id"]] = Person(row["sample_id"], sex, row["country_code"])
    bases = fasta((folder / "ref.fa").read_text())
    for row in _table(folder / "inputs.tsv"):
        for name, calls in calls_of(_text(folder / row["path"]), row["input_type"], bases, rule.keep).items():
            people[name].kind = row["input_type"]
            people[name].calls += calls
    bed = [line.split("\t") for line in (folder / "par.bed").read_text().splitlines() if line]
    return list(people.values()), [(contig, int(start) + 1, int(end)) for contig, start, end, *_ in bed]


def fasta(text: str) -> dict[str, str]:
    """Contig -> bases, upper case."""
    parts = (part.split("\n", 1) for part in text.split(">")[1:])
    return {name.split()[0]: bases.replace("\n", "").upper() for name, bases in parts}


def calls_of(text: str, kind: str, bases: dict[str, str], keep: bool = False) -> dict[str, list[Call]]:
    """Sample name -> calls of the rows of a VCF's text. kind: gvcf, vcf or joint_vcf."""
    lines = [line for line in text.splitlines() if line]
    declared = {line.split("ID=")[1].split(",")[0] for line in lines if line.startswith("##FORMAT=")}
    enough = {"GQ": {"GQ", "PL", "LPL"}, "DP": {"DP"}, "AD": {"AD", "LAD"}}
    if kind == "gvcf":
        enough["GQ"].add("GQX")
    absent = {name for name, fields in enough.items() if not fields & declared}
    if absent and not keep:
        raise ValueError(f"FORMAT {', '.join(sorted(absent))} not declared")
    names = next(line for line in lines if line.startswith("#CHROM")).split("\t")[9:]
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    rows = [r for r in rows if r[0].removeprefix("chr") in COUNTED and r[0] in bases and int(r[1]) > 0]
    gqx = kind == "gvcf" and "GQX" in declared and not _blocks_have_gq(rows)
    found: dict[str, list[Call]] = {name: [] for name in names}
    for row in rows:
        for name, cell in zip(names, row[9:], strict=True):
            found[name].append(_call(row, cell, kind, bases[row[0]], gqx, absent))
    return found


def _call(row: list[str], cell: str, kind: str, bases: str, gqx: bool, absent: set[str]) -> Call:
    contig, pos, ref = row[0], int(row[1]), row[3].upper()
    alts = [] if row[4] == "." else [a.upper() for a in row[4].split(",")]
    where = f"{contig}:{pos}"
    there = bases[pos - 1 : pos - 1 + len(ref)]
    if any(r != b and {r, b} <= set("ACGT") for r, b in zip(ref, there, strict=True)):
        raise ValueError(f"{where}: REF does not match the reference")
    values = _values(row, cell)
    alleles = _alleles(values)
    if any(a is not None and a > len(alts) for a in alleles):
        raise ValueError(f"{where}: calls an allele that the record does not have")
    ad = _depths(values, alts, where)
    info = dict(item.partition("=")[::2] for item in row[7].split(";"))
    block = kind == "gvcf" and set(alts) <= SYMBOLIC_REFERENCE and not any(alleles)
    depths = [values.get("MIN_DP"), values.get("DP"), info.get("MinDP")] if block else [values.get("DP")]
    depth = next((float(d) for d in depths if d not in (None, ".")), None)
    if depth is None and ad and any(d is not None for d in ad):
        depth = sum(d for d in ad if d is not None)
    end = pos + len(ref) - 1
    if block and info.get("END", ".") != ".":
        end = int(info["END"])
    elif block and values.get("LEN", ".") != ".":
        end = pos + int(values["LEN"]) - 1
    listed = plain.site_alleles(bases, pos, ref, alts)
    reasons = set(row[6].split(";")) - {"PASS", "."}
    ft = values.get("FT", ".")
    return Call(
        contig, pos, ref, alleles, _quality(values, gqx), depth, ad, block, end, listed, reasons,
        None if ft == "." else ft, absent, kind != "joint_vcf",
    )  # fmt: skip


def _values(row: list[str], cell: str) -> dict[str, str]:
    return dict(zip(row[8].split(":"), cell.split(":"), strict=False))


def _alleles(values: dict[str, str]) -> list[int | None]:
    """GT, or LGT by LAA. VCF 4.4 allows a phase before the first allele."""
    text = values.get("GT", values.get("LGT", ".")).lstrip("/|").replace("|", "/")
    numbers = [None if a == "." else int(a) for a in text.split("/")]
    if "GT" in values or "LGT" not in values:
        return numbers
    local = [0, *(int(a) for a in values.get("LAA", ".").split(",") if a != ".")]
    return [None if a is None else local[a] for a in numbers]


def _depths(values: dict[str, str], alts: list[str], where: str) -> list[float | None] | None:
    """AD by allele number; from LAD by LAA; None where there is none."""
    if values.get("AD", ".") != ".":
        given = [None if d == "." else float(d) for d in values["AD"].split(",")]
        lacking = 1 + len(alts) - len(given)
        if lacking and not (lacking == 1 and alts[-1] in SYMBOLIC_REFERENCE):
            raise ValueError(f"{where}: AD has {len(given)} values for {1 + len(alts)} alleles")
        return given + [None] * lacking
    if values.get("LAD", ".") != ".":
        local = [0, *(int(a) for a in values.get("LAA", ".").split(",") if a != ".")]
        made: list[float | None] = [None] * (1 + len(alts))
        for allele, reads in zip(local, values["LAD"].split(","), strict=True):
            made[allele] = None if reads == "." else float(reads)
        return made
    return None


def _quality(values: dict[str, str], gqx: bool) -> float | None:
    if values.get("GQ", ".") != ".":
        return float(values["GQ"])
    for name in ("PL", "LPL"):
        likelihoods = sorted(float(v) for v in values.get(name, ".").split(",") if v != ".")
        if len(likelihoods) > 1:
            return min(99.0, likelihoods[1] - likelihoods[0])
    text = values.get("GQX", ".") if gqx else "."
    return None if text == "." else float(text)


def _blocks_have_gq(rows: list[list[str]]) -> bool:
    for row in rows:
        values = _values(row, row[9])
        block = set(row[4].upper().split(",")) <= SYMBOLIC_REFERENCE | {"."} and not any(_alleles(values))
        if block and values.get("GQ", ".") != ".":
            return True
    return False


def _table(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a table with a header."""
    with path.open(newline="") as handle:
        yield from csv.DictReader(handle, delimiter="\t")


def _text(path: Path) -> str:
    twin = path.with_name(path.name.removesuffix(".gz"))
    return twin.read_text() if twin.exists() else gzip.decompress(path.read_bytes()).decode()
