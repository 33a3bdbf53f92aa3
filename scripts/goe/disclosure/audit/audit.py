"""Audit of disclosure control from the finished public files alone: nothing small is given, nothing withheld is told.

The audit takes the public numbers of each site allele, which cells are given, the people of the published strata
and the rule as the release states it, and asks what someone can say of each cell that is withheld, and of each
group that follows from published strata by subtraction (people of unknown sex of a country, people of countries
that are not published). It knows nothing of how cells were chosen and shares no code with what chose them.

A group is hidden when at least k numbers of carriers and of non-carriers are possible for it (with
`protect: genotypes`, of people of each genotype), or when each that is possible is 0 or at least k, so that it
could have been given. Where two groups of a known sum are withheld, one of the two fails the rule, which rules out
the numbers with which neither does. Where some countries are withheld and others are not, those withheld may be
taken to fail each for itself; the sum must contradict this or leave each of their cells any number from 1 to k-1.

What is possible is what fits the equations: people of a cell are diploid or haploid by the region and their sex,
Total is the sum of its countries and of M, F and unknown, a country that of its own, AC_Het = het, AC_Hom = 2 hom,
AC_Hemi = hemi, AN = 2 diploid + haploid calls, all numbers whole and from 0, no more calls than people. The
unknowns are people by genotype, or without a call, of the cells that are not given, one table of
classes x cells for each sum that is known and not split further.

Most alleles are proved by equations (goe.disclosure.audit.proofs), what is left by integer programs
(goe.disclosure.audit.exact). What alleles that cover one base tell together is proved in
goe.disclosure.audit.positions.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from goe.core.errors import GoeError, Problem
from goe.disclosure.audit import proofs
from goe.disclosure.audit.exact import QUANTITIES, Exact, Sums
from goe.disclosure.audit.positions import Alleles, Positions
from goe.disclosure.audit.table import Stated, Table
from goe.frequencies.block import Block
from goe.genome.bed import read_bed
from goe.genome.build import (
    REGION_DIPLOID,
    REGION_X,
    REGION_Y,
    REGION_Y_PAR,
    REGIONS_OF_BUILDS,
    Build,
    canonical,
    class_breaks,
    contig_class,
)

_REPORTED = 20
_FAULT = "withhold more of this allele, or the allele: a fault in disclosure control, please report it"


def public_build(name: str, contigs: Mapping[str, int], par: Sequence[tuple[str, int, int]] = ()) -> Build:
    """The build as the release names it: its contigs with their lengths, and the pseudo-autosomal regions.

    par: needed for X and Y of a build whose regions are not built in. GoeError when they are not known.
    """
    name_of = {canonical(contig): contig for contig in contigs}
    known = REGIONS_OF_BUILDS / f"{name}.par.bed"
    if not par and known.is_file():
        par = [(name_of[canonical(c)], start, end) for c, start, end in read_bed(known) if canonical(c) in name_of]
    linked = [c for c in contigs if contig_class(c) in ("X", "Y")]
    if linked and not par:
        raise GoeError(
            Problem(
                f"build {name}",
                f"the pseudo-autosomal regions of {' and '.join(linked)} are not known",
                "give them",
            )
        )
    return Build(name=name, contigs=dict(contigs), par=sorted(par))


class Audit:
    """The audit of one release, block after block.

    strata, people: published strata in their order, and the people of each. build: see `public_build`. `problems`
    grows with every block: at most a score of alleles is told in full, the others are counted.
    """

    def __init__(self, strata: Sequence[str], people: Mapping[str, int], stated: Stated, build: Build):
        self.table = t = Table(strata, people)
        self._strata = proofs.Strata(t.order, t.size, t.by_sex, t.sexes, len(t.countries))
        self._rule = proofs.Rule(stated.k, stated.protect == "genotypes")
        self.stated, self.build = stated, build
        self.problems = self.table.problems(stated)
        self._unfit = bool(self.problems)
        self.alleles = self.cells = self.proved = self.programs = self.failed = 0
        self._positions = Positions(self.table, stated)
        self._contig = ""

    def look(self, block: Block) -> None:
        """Audit a block of alleles."""
        if tuple(block.strata) != self.table.strata:
            raise ValueError(f"a block has the strata {block.strata}, the audit {self.table.strata}")
        n = len(block)
        if block.contig != self._contig:
            self._tell_positions(self._positions.finish())
            self._contig = block.contig
        shown = np.ascontiguousarray(block.shown())
        self.alleles += n
        self.cells += int((~shown).sum())
        if self.stated.k <= 1 or self._unfit or not n:
            return
        kind, other = self._regions(block)
        verdict = np.zeros(n, dtype=np.uint8)
        numbers = proofs.Counts(*(np.ascontiguousarray(getattr(block.numbers, name)) for name in proofs.Counts._fields))
        proofs.prove(kind, other, shown, numbers, self._strata, self._rule, verdict)
        self.proved += int((verdict == proofs.PROVED).sum())
        for i in np.flatnonzero(verdict != proofs.PROVED):
            self._tell(block, int(i), int(kind[i]), int(verdict[i]), shown[:, i])
        first = block.pos.to_numpy().astype(np.int64)
        last = first + pc.binary_length(block.ref).to_numpy() - 1
        self._tell_positions(self._positions.look(Alleles(_names(block), first, last, kind, shown, numbers)))

    def summary(self) -> dict[str, int]:
        """Alleles and withheld cells seen, and how many alleles were proved in which way or not at all."""
        return {
            "alleles": self.alleles,
            "cells_withheld": self.cells,
            "alleles_proved_by_equations": self.proved,
            "alleles_proved_by_integer_programs": self.programs,
            "alleles_not_proved": self.failed,
        }

    def finish(self) -> list[Problem]:
        """All problems, with the number of those that were not told one by one."""
        self._tell_positions(self._positions.finish())
        more = self.failed - _REPORTED
        if more > 0:
            return [*self.problems, Problem("disclosure audit", f"{more} more alleles are not hidden", _FAULT)]
        return self.problems

    def _regions(self, block: Block) -> tuple[np.ndarray, np.ndarray]:
        pos = block.pos.to_numpy()
        breaks = class_breaks(self.build, block.contig)
        at = np.searchsorted([start for start, _, _ in breaks], pos, side="right") - 1
        kind = np.array([region for _, _, region in breaks], dtype=np.uint8)[at]
        others = {
            "X": {REGION_X: REGION_DIPLOID, REGION_DIPLOID: REGION_X},
            "Y": {REGION_Y: REGION_Y_PAR, REGION_Y_PAR: REGION_Y},
        }.get(contig_class(block.contig) or "", {})
        return kind, np.array([others.get(int(region), 0) for region in kind], dtype=np.uint8)

    def _tell_positions(self, found: Iterable[tuple[str, str]]) -> None:
        for where, what in found:
            self.failed += 1
            if self.failed <= _REPORTED:
                self.problems.append(Problem(where, what, _FAULT))

    def _tell(self, block: Block, i: int, region: int, verdict: int, shown: np.ndarray) -> None:
        where = str(_names(block)[i])
        if self.failed >= _REPORTED and verdict != proofs.UNPROVED:
            self.failed += 1
            return
        given = {
            s: tuple(int(getattr(block.numbers, x)[j, i]) for x in ("ac_hom", "ac_het", "ac_hemi", "an"))
            for j, s in enumerate(self.table.strata)
            if shown[j]
        }
        if verdict == proofs.NO_TOTAL:
            found = [Problem(where, "has no Total", "an allele whose Total is withheld is in no public file")]
        elif verdict == proofs.NO_CARRIER:
            found = [Problem(where, "is given, and nobody who counts carries it", "leave it out: min_carriers is on")]
        else:
            found = self.exact(where, region, given)
        if not found and verdict == proofs.UNPROVED:
            self.programs += 1
            return
        if not found:
            found = [Problem(where, "the numbers of its strata contradict each other", "make the release again")]
        self.failed += 1
        if self.failed <= _REPORTED:
            self.problems += found

    def exact(self, where: str, region: int, given: Mapping[str, Sequence[int]]) -> list[Problem]:
        """What is wrong with one allele, by integer programs.

        given: stratum -> (ac_hom, ac_het, ac_hemi, an). Each problem names the group and the numbers possible.
        """
        table, k = self.table, self.stated.k
        exact = Exact(table, region, given)
        if exact.impossible:
            if len(given) == len(table.strata) and self._odd(given):
                return []
            return [Problem(where, "the numbers of its strata contradict each other", "make the release again")]
        sums = Sums(table, region, given)
        remainders = sums.remainders()
        groups = list(dict.fromkeys([*map(tuple, table.groups), *map(tuple, remainders)]))
        found, seen = [], set()
        if region == REGION_X:
            apart = ((0,), (1,), (2,)) if self.stated.protect == "genotypes" else ((0, 1), (2,))
            for stratum, (hom, het, hemi, _) in given.items():
                for classes in apart:
                    n = sum((hom // 2, het, hemi)[i] for i in classes)
                    if proofs.small(n, k):
                        who = "men" if classes == (2,) else "women"
                        found.append(Problem(where, f"stratum {stratum}: {n} {who} who carry it are told", _FAULT))
            # What X tells of the men and of the women of a given stratum is fine, or it would not be given.
            exact.rule_holds([table.cells(s) for s in given][:3], k)
            if not exact.cases:
                found.append(Problem(where, "men or women without the allele are too few in a given stratum", _FAULT))
            if found:
                return found
        for group in groups:
            for name, kinds in QUANTITIES[self.stated.protect].items():
                low, high, values = exact.possible(group, kinds, k)
                if high - low >= k or len(values) >= k or not any(proofs.small(v, k) for v in values):
                    continue
                what = f"{table.name(group)}: {name}: {_listed(values)}"
                if what not in seen:
                    seen.add(what)
                    found.append(Problem(where, f"{what} possible, the rule asks for {k} numbers or none", _FAULT))
        return found or self._rule_known(where, region, sums, exact, remainders)

    def _odd(self, given: Mapping[str, Sequence[int]]) -> bool:
        """Whether nothing small is given of an allele whose numbers fit no region, all of them given."""
        of_all = np.array([given[s] for s in self.table.strata], dtype=np.int64)
        counts = proofs.Counts(*np.ascontiguousarray(of_all.T))
        return proofs.all_given(counts, self._strata, self._rule) == proofs.PROVED

    def _rule_known(
        self, where: str, region: int, sums: Sums, exact: Exact, remainders: Sequence[Sequence[tuple[Any, ...]]]
    ) -> list[Problem]:
        """What the knowledge of the rule gives away when the equations alone do not."""
        table, k = self.table, self.stated.k
        found = []
        for cells in remainders:
            others = [c for c in sums.all if c not in cells and c[1] != cells[0][1] and sums.known([c]) is None]
            strata = [c for c in cells if c[0] < len(table.countries) and c[1] < 2]
            if len(cells) != 2 or not strata or (region == REGION_X and others):
                continue
            for name, kinds in QUANTITIES[self.stated.protect].items():
                if not self._left_by_the_rule(exact, cells, kinds):
                    first, second = (table.name([c]) for c in cells)
                    found.append(
                        Problem(
                            where,
                            f"{first} and {second}: {name}: one of the two fails the rule, which leaves fewer than "
                            f"{k} numbers",
                            _FAULT,
                        )
                    )
        countries = range(len(table.countries))
        known = {r: sums.known([c for c in sums.all if c[0] == r]) is not None for r in {r for r, _ in sums.all}}
        columns = region == REGION_X or (
            table.sexes and all(sums.known([c for c in sums.all if c[1] == a]) is not None for a in range(3))
        )
        parts = region != REGION_X and any(known[r] for cells in remainders for r, _ in cells)
        for cells in remainders:
            one_sex = len({a for _, a in cells}) == 1
            if (columns and not parts and not one_sex) or ((parts or not columns) and any(known[r] for r, _ in cells)):
                continue
            if parts and not all(c in cells for c in sums.all if not known[c[0]] and sums.known([c]) is None):
                continue
            v = sums.known(cells)
            hidden = [c for c in cells if c[0] in countries and c[1] < 2]
            more = len(hidden) < len(cells)
            shown = [c for c in sums.all if c[0] in countries and c not in cells and sums.known([c]) is not None]
            if not shown or not hidden or v is None:
                continue
            if not proofs.all_own_reasons(v, len({r for r, _ in hidden}), len(hidden), more, self._rule):
                names = " and ".join(table.name([c]) for c in hidden)
                found.append(
                    Problem(
                        where,
                        f"{names}: {v[1] + v[2]} carriers together. If each is withheld for itself, fewer numbers than "
                        f"1 to {k - 1} are left for one",
                        _FAULT,
                    )
                )
        return found

    def _left_by_the_rule(self, exact: Exact, cells: Sequence[tuple[int, int]], kinds: Sequence[str]) -> bool:
        """Whether the first of two withheld cells has k numbers left with which one of the two fails."""
        k = self.stated.k
        low, high, _ = exact.possible(cells[:1], kinds, 0)
        asked = QUANTITIES[self.stated.protect].values()
        left = 0
        for value in range(low, high + 1) if high > low else ():
            is_so = (cells[:1], kinds, value, value)
            left += any(exact.fits(is_so, ([cell], other, 1, k - 1)) for cell in cells for other in asked)
            if left >= k:
                break
        return left == 0 or left >= k


def _names(block: Block) -> pa.Array:
    """contig:pos:ref:alt of each allele."""
    return pc.binary_join_element_wise(block.contig, pc.cast(block.pos, pa.string()), block.ref, block.alt, ":")


def _listed(values: Sequence[int]) -> str:
    if len(values) == 1:
        return f"only {values[0]} is"
    if list(values) == list(range(values[0], values[-1] + 1)):
        return f"only {values[0]} to {values[-1]} are"
    return f"only {', '.join(map(str, values))} are"


def audit(
    blocks: Iterable[Block], people: Mapping[str, int], stated: Stated, build: Build
) -> tuple[list[Problem], dict[str, int]]:
    """Audit the blocks of a release, read back from its finished files, and say what was looked at.

    people: published strata in the order of the release -> people.
    """
    one = Audit(tuple(people), people, stated, build)
    for block in blocks:
        one.look(block)
    return one.finish(), one.summary()
