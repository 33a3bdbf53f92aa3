"""The reference: its contigs, their classes, its pseudo-autosomal regions, and the regions of the scatter."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from goe.core.errors import GoeError, Problem, stop_on
from goe.core.resources import RESOURCES
from goe.genome.bed import read_bed
from goe.hts import bgzf

REGION_DIPLOID = 1
"""Autosomes and the pseudo-autosomal regions of X: two alleles in everybody."""
REGION_X = 2
"""X outside the pseudo-autosomal regions."""
REGION_Y = 3
"""Y outside the pseudo-autosomal regions."""
REGION_Y_PAR = 4
"""Pseudo-autosomal regions of Y: nobody counts there."""
REGION_M = 5
"""Mitochondrion: one allele in everybody."""

REGIONS_OF_BUILDS = RESOURCES / "regions"
"""Contigs and pseudo-autosomal regions of the named builds."""
NAMED_BUILDS = ("GRCh38", "GRCh37")
_SAME_BUILD = {"hg38": "GRCh38", "hg19": "GRCh37", "b37": "GRCh37", "hs37d5": "GRCh37", "grch38": "GRCh38"}
_PRIMARY = re.compile(r"^(?:chr)?([1-9]|1[0-9]|2[0-2]|X|Y|M|MT)$")


class Region(NamedTuple):
    """Part of a contig, 1-based, inclusive."""

    contig: str
    start: int
    end: int

    @property
    def name(self) -> str:
        """`contig_start_end`, of which files of the region have their names."""
        return f"{self.contig}_{self.start}_{self.end}"

    @classmethod
    def parse(cls, name: str) -> "Region":
        """The region of a name; a contig may have underscores of its own."""
        contig, start, end = name.rsplit("_", 2)
        return cls(contig, int(start), int(end))


@dataclass(frozen=True)
class Build:
    """A reference build.

    name: GRCh38, GRCh37 or any other.
    contigs: name -> length in bases of the primary contigs, in the order of the FASTA.
    par: pseudo-autosomal regions as (contig, start, end), 1-based, inclusive, contigs named as in the FASTA.
    all_contigs: name -> length of every contig of the FASTA.
    """

    name: str
    contigs: dict[str, int]
    par: list[tuple[str, int, int]]
    all_contigs: dict[str, int] = field(default_factory=dict)

    def region_class(self, contig: str, pos: int) -> int:
        """Ploidy class (REGION_*) of the 1-based `pos` of a primary contig; KeyError for any other contig."""
        kind = contig_class(contig)
        if kind == "autosome":
            return REGION_DIPLOID
        if kind == "M":
            return REGION_M
        if kind is None:
            raise KeyError(contig)
        in_par = any(c == contig and start <= pos <= end for c, start, end in self.par)
        if kind == "X":
            return REGION_DIPLOID if in_par else REGION_X
        return REGION_Y_PAR if in_par else REGION_Y


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns, as of file names, is the contig's."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def canonical(name: str) -> str | None:
    """`1`..`22`, `X`, `Y` or `M` of a primary human contig however it is written; None for any other."""
    match = _PRIMARY.match(name)
    if not match:
        return None
    return "M" if match[1] == "MT" else match[1]


def contig_class(name: str) -> str | None:
    """Class of a contig by its name, with or without `chr`: autosome, X, Y, M, or None when not primary."""
    short = canonical(name)
    if short is None:
        return None
    return short if short in ("X", "Y", "M") else "autosome"


def read_fai(path: str | Path) -> dict[str, int]:
    """Contig name -> length in bases, in file order, of a FASTA index."""
    contigs: dict[str, int] = {}
    problems = []
    for row, line in enumerate(Path(path).read_text().splitlines(), 1):
        cells = line.split("\t")
        if len(cells) < 5 or not cells[1].isdigit():
            problems.append(Problem(f"{path} line {row}", "not a line of a FASTA index", "samtools faidx"))
        elif cells[0] in contigs:
            problems.append(Problem(f"{path} line {row}", f"contig {cells[0]} twice", "mend the FASTA"))
        else:
            contigs[cells[0]] = int(cells[1])
    if not contigs and not problems:
        problems.append(Problem(str(path), "no contigs", "samtools faidx"))
    stop_on(problems)
    return contigs


def known_lengths(name: str) -> dict[str, set[int]]:
    """Canonical contig name -> lengths it may have in the named build (GRCh38 or GRCh37)."""
    lengths: dict[str, set[int]] = {}
    for line in (REGIONS_OF_BUILDS / f"{name}.contigs.tsv").read_text().splitlines():
        if not line.startswith(("#", "contig\t")):
            contig, length = line.split("\t")
            lengths.setdefault(canonical(contig) or contig, set()).add(int(length))
    return lengths


def recognise(contigs: dict[str, int]) -> str | None:
    """The named build whose lengths most of the primary `contigs` have, or None.

    M is left out: its length is the same in GRCh38 and GRCh37.
    """
    best, name = 0, None
    for build in NAMED_BUILDS:
        known = known_lengths(build)
        hits = 0
        for contig, length in contigs.items():
            short = canonical(contig)
            if short and short != "M" and length in known[short]:
                hits += 1
        if hits > best:
            best, name = hits, build
    return name


def _check_named(name: str, contigs: dict[str, int], where: str) -> list[Problem]:
    known = known_lengths(name)
    wrong = []
    for contig, length in contigs.items():
        short = canonical(contig)
        if short and length not in known[short]:
            wrong.append((contig, length, " or ".join(str(n) for n in sorted(known[short]))))
    if not wrong:
        return []
    looks = recognise(contigs)
    contig, length, right = wrong[0]
    more = f" (and {len(wrong) - 1} more contigs)" if len(wrong) > 1 else ""
    hint = f"; it looks like {looks}" if looks and looks != name else ""
    return [
        Problem(
            where,
            f"reference.build is {name}, but {contig} has {length} bases where {name} has {right}{more}{hint}",
            f"set reference.build to {looks}"
            if looks and looks != name
            else "give the right FASTA, or give the build another name and its own reference.par",
        )
    ]


def _check_par(regions: Sequence[tuple[str, int, int]], contigs: dict[str, int], where: str) -> list[Problem]:
    problems = []
    for contig, start, end in regions:
        if contig not in contigs:
            if canonical(contig) in {canonical(c) for c in contigs}:
                problems.append(Problem(where, f"contig {contig} is not in the reference", "use its contig names"))
        elif contig_class(contig) not in ("X", "Y"):
            problems.append(Problem(where, f"{contig}:{start}-{end} is not on X or Y", "take the line out"))
        elif end > contigs[contig]:
            problems.append(
                Problem(
                    where,
                    f"{contig}:{start}-{end} ends behind the contig ({contigs[contig]} bases)",
                    "give the BED of this build",
                )
            )
    ordered = sorted(regions)
    for one, two in pairwise(ordered):
        if one[0] == two[0] and two[1] <= one[2]:
            problems.append(
                Problem(where, f"{one[0]}:{one[1]}-{one[2]} and {two[1]}-{two[2]} overlap", "join the two lines")
            )
    for contig in contigs:
        kind = contig_class(contig)
        if kind in ("X", "Y") and not any(c == contig for c, _, _ in regions):
            problems.append(
                Problem(
                    where,
                    f"no pseudo-autosomal region for {contig}",
                    "add a line for it, or leave the contig out of reference.contigs",
                )
            )
    return problems


def load_build(
    reference: str | Path,
    name: str,
    par_bed: str | Path | None = None,
    wanted: Sequence[str] = (),
    ignored: Sequence[str] = (),
    left_out: Collection[str] = (),
) -> Build:
    """The build `name` of a FASTA, as the config's section `reference` tells it.

    Reads `<fasta>.fai` (and wants `<fasta>.gzi` beside a bgzip-compressed FASTA). Primary contigs are those
    of the FASTA that are named as human chromosomes, or those that are `wanted`, less those that are
    `left_out` or `ignored` by their name: nobody is counted there. The PAR (`par_bed`) is built in for
    GRCh38 and GRCh37 and is needed only where X or Y are primary contigs. Raises GoeError with every problem.
    """
    fasta = Path(reference)
    where = f"reference {fasta}"
    problems = []
    if not fasta.is_file():
        raise GoeError(Problem(where, "no such file", "set reference.fasta in the config"))
    with fasta.open("rb") as handle:
        start = handle.read(18)
    if bgzf.is_packed(start):
        if not bgzf.begins(start):
            problems.append(
                Problem(where, "compressed with gzip, not bgzip", f"gunzip it, or: gunzip -c {fasta} | bgzip")
            )
        elif not Path(f"{fasta}.gzi").is_file():
            problems.append(Problem(where, f"no index {fasta}.gzi", f"samtools faidx {fasta}"))
    elif start[:1] != b">":
        problems.append(Problem(where, "not a FASTA file (does not begin with >)", "set reference.fasta"))
    fai = Path(f"{fasta}.fai")
    if not fai.is_file():
        problems.append(Problem(where, f"no index {fai}", f"samtools faidx {fasta}"))
    stop_on(problems)
    everything = read_fai(fai)

    if wanted:
        for contig in wanted:
            if contig not in everything:
                near = [c for c in everything if canonical(c) and canonical(c) == canonical(contig)]
                problems.append(
                    Problem(
                        "config reference.contigs",
                        f"contig {contig} is not in {fasta}",
                        f"it is named {near[0]} there" if near else "name contigs as the FASTA does",
                    )
                )
            elif contig_class(contig) is None:
                problems.append(
                    Problem(
                        "config reference.contigs",
                        f"{contig} is not a primary human contig (1-22, X, Y, M, with or without chr)",
                        "its ploidy is not known: leave it out",
                    )
                )
        primary = {c: n for c, n in everything.items() if c in set(wanted)}
    else:
        primary = {c: n for c, n in everything.items() if contig_class(c)}
        if not primary:
            problems.append(
                Problem(
                    where,
                    f"no primary contig (1-22, X, Y, M, with or without chr): {', '.join([*everything][:5])}",
                    "give a human reference",
                )
            )
    for contig in left_out:
        if contig not in primary:
            what = f"{contig} is no primary contig that would be counted"
            mend = "name a contig of the reference as it does, or take it out; reference.ignore_contigs is for others"
            problems.append(Problem("config reference.leave_out", what, mend))
    primary = {c: n for c, n in primary.items() if c not in left_out and c not in ignored}
    if everything and not primary and not problems:
        problems.append(Problem("config reference.leave_out", "leaves no contig to count", "take some out"))
    seen: dict[str, str] = {}
    for contig in primary:
        short = canonical(contig) or contig
        if short in seen:
            problems.append(
                Problem(where, f"{seen[short]} and {contig} are the same chromosome", "set reference.contigs")
            )
        seen.setdefault(short, contig)

    if name in NAMED_BUILDS:
        problems += _check_named(name, primary, where)
    elif name in _SAME_BUILD:
        right = _SAME_BUILD[name]
        problems.append(Problem("config reference.build", f"{name} is not a build name here", f"write {right}"))

    par: list[tuple[str, int, int]] = []
    if any(contig_class(c) in ("X", "Y") for c in primary):
        if par_bed:
            if not Path(par_bed).is_file():
                problems.append(
                    Problem(
                        f"config reference.par {par_bed}",
                        "no such file",
                        "mend the path; it starts from the working directory",
                    )
                )
            else:
                try:
                    given = read_bed(par_bed)
                    problems += _check_par(given, primary, f"reference.par {par_bed}")
                    par = [r for r in given if r[0] in primary]
                except GoeError as error:
                    problems += error.problems
        elif name in NAMED_BUILDS:
            for contig, start_, end in read_bed(REGIONS_OF_BUILDS / f"{name}.par.bed"):
                mine = seen.get(canonical(contig) or "")
                if mine:
                    par.append((mine, start_, end))
        else:
            problems.append(
                Problem(
                    "config reference.par",
                    f"the build {name} has X or Y, and its pseudo-autosomal regions are not built in",
                    "give them as a BED file (0-based, half-open) for X and Y",
                )
            )
    stop_on(problems)
    return Build(name=name, contigs=primary, par=sorted(par), all_contigs=everything)


def regions(build: Build, size: int) -> dict[str, Region]:
    """Regions of about `size` bases (never more) that cover each primary contig exactly once.

    Keys are their names, in the order of the FASTA. The parts of one contig
    differ in length by at most one base.
    """
    if size < 1:
        raise ValueError("size must be at least 1")
    found: dict[str, Region] = {}
    for contig, length in build.contigs.items():
        parts = -(-length // size)
        for i in range(parts):
            region = Region(contig, length * i // parts + 1, length * (i + 1) // parts)
            found[region.name] = region
    return found


def region_class(build: Build, contig: str, pos: int) -> int:
    """Ploidy class (REGION_*) of `contig`:`pos` (1-based)."""
    return build.region_class(contig, pos)


def merged_class(classes: set[int]) -> int:
    """Region class of a site allele by those of its records: that of a sex chromosome outside the PARs, if one is."""
    return min(classes - {REGION_DIPLOID, REGION_Y_PAR} or classes)


def class_breaks(build: Build, contig: str) -> list[tuple[int, int, int]]:
    """The contig as runs of one ploidy class: (start, end, REGION_*), 1-based, inclusive, without gaps."""
    length = build.contigs[contig]
    starts = sorted(
        {1}
        | {start for c, start, _ in build.par if c == contig}
        | {end + 1 for c, _, end in build.par if c == contig and end < length}
    )
    ends = [s - 1 for s in starts[1:]] + [length]
    return [(s, e, build.region_class(contig, s)) for s, e in zip(starts, ends, strict=True)]
