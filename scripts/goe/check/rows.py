"""Every row of the long frequency table of a contig against the rules that its readers rely on (docs/counting.md)."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from goe.check import blocks as rb
from goe.check.faults import Faults
from goe.check.readback import COUNTS
from goe.core.errors import GoeError, Problem
from goe.frequencies import strata as st
from goe.frequencies.block import Block
from goe.genome.build import contig_class
from goe.rules.stratum import parse

_ACGT = "^[ACGT]+$"
PARTS = ("ac", "an", "ac_hom", "ac_het", "ac_hemi")


def check(
    path: str | Path,
    contig: str,
    length: int,
    people: Mapping[str, int],
    each: Sequence[Callable[[Block], None]] = (),
) -> list[Problem]:
    """What is wrong with the rows of a long table.

    length: of the contig, in bases. people: published strata in the order of the release -> people. each: called with
    the blocks, without statistics, of pieces that can be read as blocks.
    """
    strata = tuple(people)
    faults = Faults(str(path))
    last = _Last()
    for table in rb.whole_alleles(path, len(strata)):
        first = rb.starts(table)
        _rows(table, first, strata, faults)
        _alleles(table, first, contig, length, last, faults)
        try:
            one = rb.block(table, first, strata, contig, str(path))
        except GoeError as error:
            return faults.problems + error.problems
        _cells(one, people, faults)
        for use in each:
            try:
                use(one)
            except Exception:
                # Numbers that cannot be cannot be counted either.
                if faults.problems:
                    return faults.problems
                raise
    return faults.problems


def _rows(table: pa.Table, first: np.ndarray, strata: Sequence[str], faults: Faults) -> None:
    """Numbers of each row, and the order of the strata within an allele."""
    index = rb.stratum_index(table, strata)
    word = rb.words(table, "stratum")
    code = rb.codes(table, "stratum")

    def name(row: int) -> str:
        return f"{rb.allele(table, row)} {word[code[row]] if code[row] >= 0 else 'without stratum'}:"

    n = {key: pc.fill_null(table[key], -1).to_numpy().astype(np.int64) for key in COUNTS}
    for key in COUNTS:
        faults.add(f"{key} is missing or below 0", n[key] < 0, name)
    faults.add("ac is not ac_hom + ac_het + ac_hemi", n["ac"] != n["ac_hom"] + n["ac_het"] + n["ac_hemi"], name)
    faults.add("ac_hom is not twice nhomalt", n["ac_hom"] != 2 * n["nhomalt"], name)
    faults.add("ac is above an", n["ac"] > n["an"], name)
    af = table["af"].to_numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        right = n["ac"] / n["an"]
    faults.add("af is not ac / an", (n["an"] > 0) & ~(af == right), name)
    faults.add("af is given though an is 0", (n["an"] == 0) & ~np.isnan(af), name)
    begins = np.zeros(table.num_rows, dtype=bool)
    begins[first] = True
    faults.add("is not where Total of the allele should be", begins & (index != 0), name)
    back = np.zeros(table.num_rows, dtype=bool)
    back[1:] = index[1:] <= index[:-1]
    faults.add("is out of order among the strata, or there twice", back & ~begins, name)
    number = np.repeat(np.arange(len(first)), np.diff(first, append=table.num_rows))
    filters = rb.codes(table, "filter")
    faults.add("has another filter than the allele's Total", filters != filters[first][number], name)


class _Last:
    """The allele before: position and bases."""

    def __init__(self) -> None:
        self.key = (0, "", "")


def _alleles(table: pa.Table, first: np.ndarray, contig: str, length: int, last: _Last, faults: Faults) -> None:
    """Bases, place and order of the alleles."""

    def name(allele: int) -> str:
        return rb.allele(table, int(first[allele]))

    heads = table.select(["contig", "pos", "ref", "alt", "filter"]).take(pa.array(first))
    texts = {key: heads[key].cast(pa.string()).combine_chunks() for key in ("contig", "ref", "alt", "filter")}
    ref, alt = texts["ref"], texts["alt"]
    pos = pc.fill_null(heads["pos"], 0).to_numpy().astype(np.int64)
    size, other = (pc.fill_null(pc.binary_length(bases), 0).to_numpy().astype(np.int64) for bases in (ref, alt))
    for key, bases in (("ref", ref), ("alt", alt)):
        faults.add(f"has letters other than A, C, G, T in {key}", ~_true(pc.match_substring_regex(bases, _ACGT)), name)
    faults.add("is no change: ref and alt are equal", _true(pc.equal(ref, alt)), name)
    longer = (size > 1) & (other > 1)
    ends = _true(
        pc.or_(
            pc.equal(pc.utf8_slice_codeunits(ref, 0, 1), pc.utf8_slice_codeunits(alt, 0, 1)),
            pc.equal(pc.utf8_slice_codeunits(ref, -1), pc.utf8_slice_codeunits(alt, -1)),
        )
    )
    faults.add("is not trimmed", longer & ends, name)
    faults.add("is several SNVs in one", longer & (size == other) & ~ends, name)
    faults.add(f"is not on {contig}", ~_true(pc.equal(texts["contig"], contig)), name)
    faults.add(f"is not within the {length} bases of {contig}", (pos < 1) | (pos + size - 1 > length), name)
    faults.add("is out of order or there twice", _unordered(pos, ref, alt, last), name)
    empty = ~_true(pc.match_substring_regex(texts["filter"], r"^[^\s;,]+(;[^\s;,]+)*$"))
    mixed = _true(pc.match_substring_regex(texts["filter"], r"(^|;)(PASS|0|\.)(;|$)"))
    mixed &= ~_true(pc.equal(texts["filter"], "PASS"))
    faults.add("has a filter that is neither PASS nor names joined by ';'", empty | mixed, name)


def _true(array: pa.Array) -> np.ndarray:
    return pc.fill_null(array, False).to_numpy(zero_copy_only=False)


def _unordered(pos: np.ndarray, ref: pa.Array, alt: pa.Array, last: _Last) -> np.ndarray:
    """bool (alleles,): not behind the allele before by (pos, ref, alt)."""
    before = np.concatenate(([last.key[0]], pos[:-1]))
    bad = pos < before
    for row in np.flatnonzero(pos == before):
        allele = (ref[int(row)].as_py() or "", alt[int(row)].as_py() or "")
        previous = (ref[int(row) - 1].as_py() or "", alt[int(row) - 1].as_py() or "") if row else last.key[1:]
        bad[row] = allele <= previous
    if len(pos):
        last.key = (int(pos[-1]), ref[-1].as_py() or "", alt[-1].as_py() or "")
    return bad


def _cells(one: Block, people: Mapping[str, int], faults: Faults) -> None:
    """What the numbers of an allele say of each other."""
    kind = contig_class(one.contig)
    index = {stratum: i for i, stratum in enumerate(one.strata)}
    shown = one.shown()
    n = one.numbers

    def name(allele: int) -> str:
        return f"{one.contig}:{one.pos[allele]}:{one.ref[allele]}:{one.alt[allele]}"

    total = index[st.TOTAL]
    passed = _true(pc.equal(one.filter, "PASS"))
    nobody = shown[total] & (n.ac[total] == 0)
    faults.add("is PASS though nobody carries it", passed & nobody, name)
    for parent, children in families(one.strata):
        rows = [index[child] for child in children]
        shown_parent = shown[index[parent]]
        for key in (*PARTS, "nhomalt"):
            values = getattr(n, key)
            sums = np.where(shown[rows], values[rows], 0).sum(axis=0)
            what = f"{parent}: {key} is below the sum of {', '.join(children)}"
            faults.add(what, shown_parent & (sums > values[index[parent]]), name)
        # Who is in no child that is given has the rest. With nobody left the sums are equal.
        size = np.array([people[child] for child in children])[:, None]
        others = people[parent] - np.where(shown[rows], size, 0).sum(axis=0)
        for key, values, most in (
            ("carriers are", n.nhomalt + n.ac_het + n.ac_hemi, others),
            ("an is", n.an, 2 * others),
        ):
            rest = values[index[parent]] - np.where(shown[rows], values[rows], 0).sum(axis=0)
            what = f"{parent}: {key} more than the sum of {', '.join(children)} and what other people can have"
            faults.add(what, shown_parent & (rest > most), name)
    for stratum, i in index.items():
        carriers = n.nhomalt[i] + n.ac_het[i] + n.ac_hemi[i]
        faults.add(f"{stratum}: more carriers than people", shown[i] & (carriers > people[stratum]), name)
        faults.add(f"{stratum}: an is above twice its people", shown[i] & (n.an[i] > 2 * people[stratum]), name)
        women = parse(stratum).sex == "F"
        if kind == "autosome" or (kind == "X" and women):
            faults.add(f"{stratum}: ac_hemi where everybody is diploid", shown[i] & (n.ac_hemi[i] > 0), name)
        if kind in ("Y", "M"):
            diploid = (n.ac_hom[i] > 0) | (n.ac_het[i] > 0)
            faults.add(f"{stratum}: ac_hom or ac_het where everybody is haploid", shown[i] & diploid, name)
        if kind == "Y" and women:
            faults.add(f"{stratum}: an on Y", shown[i] & (n.an[i] > 0), name)


def families(strata: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Strata with strata inside them that have no person in common: each with one set of parts."""
    countries = st.published_countries(strata)
    found = [(st.TOTAL, countries), (st.TOTAL, [s for s in strata if s in st.SEXES])]
    found += [(sex, [s for s in strata if s.endswith(f"_{sex}")]) for sex in st.SEXES if sex in strata]
    found += [(c, [s for s in strata if s.startswith(f"{c}_")]) for c in countries]
    return [(parent, children) for parent, children in found if children]


def statistics(one: Block, people: Mapping[str, int], faults: Faults) -> None:
    """Statistics of the site that cannot be, or from which a withheld number follows.

    HWE and inbreeding coefficient are those of one of the countries, on X of its women; the call rate is AN over that
    of everybody, which on X and Y tells how many are men.
    """
    kind = contig_class(one.contig)
    index = {stratum: i for i, stratum in enumerate(one.strata)}
    shown = one.shown()
    countries = st.published_countries(one.strata)
    needed = [*countries]
    for country in countries if kind == "X" else ():
        # A country that is given by sex and has no stratum of women has none.
        needed += [f"{country}_F"] if f"{country}_F" in index or f"{country}_M" not in index else []
    public = np.ones(len(one), dtype=bool)
    for stratum in needed:
        public &= shown[index[stratum]] if stratum in index else False
    if sum(people[country] for country in countries) != people[st.TOTAL]:
        public[:] = False
    given = {key: ~np.isnan(values) for key, values in one.statistics.items()}

    def name(allele: int) -> str:
        return f"{one.contig}:{one.pos[allele]}:{one.ref[allele]}:{one.alt[allele]}"

    for key in ("hwe_p", "inbreeding_coeff"):
        faults.add(f"{key} is given though a country it follows from is withheld", given[key] & ~public, name)
    if kind in ("X", "Y") and not {"M", "F"} & set(index):
        faults.add("call_rate is given though it tells how many are men", given["call_rate"], name)
    for key, (low, high) in {
        "call_rate": (0, 1),
        "hwe_p": (0, 1),
        "inbreeding_coeff": (-1, 1),
        "faf95": (0, 1),
        "faf99": (0, 1),
    }.items():
        values = one.statistics[key]
        with np.errstate(invalid="ignore"):
            faults.add(
                f"{key} is not between {low} and {high}", given[key] & ~((values >= low) & (values <= high)), name
            )
    with np.errstate(invalid="ignore"):
        faults.add("faf99 is above faf95", one.statistics["faf99"] > one.statistics["faf95"], name)
