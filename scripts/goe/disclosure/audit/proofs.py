"""Quick proofs, allele by allele, that nothing small is given and everything withheld is hidden.

What is asked, and what the unknowns are, is told in goe.disclosure.audit.audit. An allele is proved here where the
numbers that fit are found by hand:

* Cells of one known sum: classes x cells with both margins known is a transportation problem. Its matrix is
  totally unimodular, so the whole numbers that fit are all of an interval: for a class of S people among N, in
  cells of n of these N, from max(0, S + n - N) to min(S, n). Exact.
* M, F and countries given, sexes within the countries not: a table of rows x 2 columns x classes. When the people
  called in each cell are fixed, a whole table is made of moves between the largest class and another, a
  transportation problem with bounds, and its intervals are exact for these calls. The audit picks calls that fit
  and so proves from below: at least these numbers are possible.

What is left (three columns with people of unknown sex, or a bound that binds) is UNPROVED.

Every function that is compiled stands in this file: numba keeps compiled code for as long as the file of a function
is the same, whatever it calls in another one.
"""

from typing import NamedTuple

import numpy as np

from goe.genome.build import REGION_DIPLOID, REGION_X, REGION_Y, REGION_Y_PAR
from goe.hts.kernels import jit

# What the quick proof says of an allele.
PROVED, SMALL, CONTRADICTION, UNPROVED, NO_TOTAL, NO_CARRIER = range(6)


class Strata(NamedTuple):
    """The published strata: order, size, by_sex and sexes as in `Table`; published: countries, the first rows."""

    order: np.ndarray
    size: np.ndarray
    by_sex: np.ndarray
    sexes: bool
    published: int


class Rule(NamedTuple):
    """k: fewest people but nobody. genotypes: whether this is asked of each genotype, or of carriers and others."""

    k: int
    genotypes: bool


class Counts(NamedTuple):
    """Numbers of strata, each int64 (strata,), of a block (strata, alleles)."""

    ac_hom: np.ndarray
    ac_het: np.ndarray
    ac_hemi: np.ndarray
    an: np.ndarray


class Known(NamedTuple):
    """What is known of one allele, in people by class (reference, het, hom or hemizygous, uncalled); 0 if unknown.

    cells: int64 (rows, 3, 4). rows: (rows, 4). columns: (3, 4). total: (4,). *_known: bool, which are known; cells
    without people are.
    """

    cells: np.ndarray
    cell_known: np.ndarray
    rows: np.ndarray
    row_known: np.ndarray
    columns: np.ndarray
    column_known: np.ndarray
    total: np.ndarray


# Numba compiles an assignment to a slice with the words of its error, and sum, all and += of arrays for whatever shape
# they could have: loops of our own are compiled in three quarters of the time, which everybody pays at the first job.
# Some stand in what chose the cells too: an audit that used those would share their faults.


@jit
def _set(to: np.ndarray, values: np.ndarray) -> None:
    for i in range(len(values)):
        to[i] = values[i]


@jit
def _copy(values: np.ndarray) -> np.ndarray:
    to = np.zeros(len(values), np.int64)
    _set(to, values)
    return to


@jit
def _add(to: np.ndarray, values: np.ndarray, times: int) -> None:
    for i in range(len(values)):
        to[i] += times * values[i]


@jit
def _sum(values: np.ndarray, start: int, end: int) -> int:
    total = 0
    for i in range(start, end):
        total += values[i]
    return total


@jit
def _called(v: np.ndarray) -> int:
    return int(v[0] + v[1] + v[2])


@jit
def _below_zero(v: np.ndarray) -> bool:
    for n in v:
        if n < 0:
            return True
    return False


@jit
def _all(known: np.ndarray) -> bool:
    for one in known:
        if not one:
            return False
    return True


@jit
def _of_sex(size: np.ndarray, a: int) -> int:
    """People of a sex in all rows (n, 3)."""
    people = 0
    for r in range(len(size)):
        people += size[r, a]
    return people


@jit
def small(n: int, k: int) -> bool:
    """Whether n is 1 to k-1."""
    return 0 < n < k


@jit
def _asked(v: np.ndarray, j: int, genotypes: bool) -> int:
    """People of the class j that the rule asks for: reference, het, hom or hemizygous; or others, carriers."""
    return int(v[j] if genotypes or j == 0 else v[1] + v[2])


@jit
def _asked_of(cells: np.ndarray, j: int, genotypes: bool) -> int:
    """The same of cells (n, 4) together."""
    people = 0
    for i in range(len(cells)):
        people += _asked(cells[i], j, genotypes)
    return people


@jit
def _classes(rule: Rule) -> int:
    return 3 if rule.genotypes else 2


@jit
def _fine(v: np.ndarray, rule: Rule) -> bool:
    """Whether no class of v (reference, het, hom or hemizygous, ...) is given with 1 to k-1 people."""
    if rule.genotypes:
        return not (small(v[0], rule.k) or small(v[1], rule.k) or small(v[2], rule.k))
    return not (small(v[0], rule.k) or small(v[1] + v[2], rule.k))


@jit
def _enough(low: int, high: int, k: int) -> bool:
    """Whether low..high are at least k numbers, or all of them fine."""
    return high - low >= k - 1 or low >= k or high == 0


@jit
def _within(total: int, inside: int, people: int) -> tuple[int, int]:
    """Fewest and most people of a class of `total` among `inside` of `people`."""
    return max(0, total + inside - people), min(total, inside)


@jit
def _may_be_small(low: int, high: int, k: int) -> bool:
    return max(1, low) <= min(k - 1, high)


@jit
def _two(total: int, others: tuple[int, int], n1: int, n2: int, low: int, high: int, k: int) -> bool:
    """Whether the rule leaves the first of two withheld parts of a known sum k numbers of a class, low..high.

    total, others: people of the class and of the other classes that the rule asks for, in both parts. n1, n2: people
    of the parts. Numbers with which neither part can fail are ruled out, unless no number is left, when nothing fails
    and the parts are withheld for another reason. Parts can fail near the ends of the range only, or from one end on.
    """
    count = 0
    x = low
    while x <= high:
        fails = small(x, k) or small(total - x, k)
        for other in others:
            least, most = max(0, other + total - x - n2), min(other, n1 - x)
            fails = fails or _may_be_small(least, most, k) or _may_be_small(other - most, other - least, k)
        count += fails
        if x == low + k and high - k > x:
            x = high - k
        else:
            x += 1
    return count == 0 or count >= k


@jit
def _pool(sizes: np.ndarray, n: int, v: np.ndarray, rule: Rule, alone: bool) -> bool:
    """Whether n cells are hidden of which only the sum v (reference, het, hom, uncalled) is known.

    alone: whether one of two has to fail the rule for them to be withheld, because one is a stratum that was.
    """
    if not _fine(v, rule):
        return False
    people = 0
    for i in range(n):
        people += sizes[i]
    for j in range(_classes(rule)):
        total = _asked(v, j, rule.genotypes)
        other = v[0] if j else v[1] + v[2]
        others = (v[(j + 1) % 3], v[(j + 2) % 3]) if rule.genotypes else (other, 0)
        for i in range(n):
            low, high = _within(total, sizes[i], people)
            if not _enough(low, high, rule.k):
                return False
        low, high = _within(total, sizes[0], people)
        asked = n == 2 and high > low and alone
        if asked and not _two(total, others, sizes[0], sizes[1], low, high, rule.k):
            return False
    return True


@jit
def _own_reasons(total: int, rows: int, cells: int, others: bool, k: int) -> bool:
    """Whether a class of `total` people does not give away cells that are withheld for reasons of their own.

    rows, cells: withheld countries, and cells of them. others: whether groups that are never given are in the sum.
    """
    if total == 0 or rows == 0:
        return True
    if total < rows + k - 2:
        return False
    if total < cells or (total >= cells * (k - 1) + 1 and not others):
        return True
    return total >= cells + k - 2 and (others or total <= (cells - 1) * (k - 1) + 1)


@jit
def all_own_reasons(v: np.ndarray, rows: int, cells: int, others: bool, rule: Rule) -> bool:
    """The same of every class of v."""
    for j in range(_classes(rule)):
        if not _own_reasons(_asked(v, j, rule.genotypes), rows, cells, others, rule.k):
            return False
    return True


@jit
def _read(counts: Counts, s: int, ploidy: int, people: int, out: np.ndarray) -> bool:
    """Classes of a given stratum whose people are all of one ploidy; False when its numbers fit no such people."""
    hom, het, hemi, an = counts.ac_hom[s], counts.ac_het[s], counts.ac_hemi[s], counts.an[s]
    if (ploidy == 2 and (hemi or hom % 2 or an % 2)) or (ploidy == 1 and (hom or het)):
        return False
    called = an // ploidy
    out[1] = het
    out[2] = hom // 2 + hemi
    out[0] = called - out[1] - out[2]
    out[3] = people - called
    return not _below_zero(out)


@jit
def _follow(whole: np.ndarray, whole_known: bool, parts: np.ndarray, part_known: np.ndarray) -> bool:
    """Fill in the sum (4,) of parts (m, 4) that are known, or the one part that is not where the sum is.

    Returns whether there was any.
    """
    unknown, last = 0, 0
    for j in range(len(parts)):
        if not part_known[j]:
            unknown, last = unknown + 1, j
    if unknown != (1 if whole_known else 0):
        return False
    for c in range(4):
        known = 0
        for j in range(len(parts)):
            known += parts[j, c] if part_known[j] else 0
        if unknown:
            parts[last, c] = whole[c] - known
        else:
            whole[c] = known
    if unknown:
        part_known[last] = True
    return True


@jit
def _derive(known: Known, sexes: bool) -> None:
    """Everything that follows by one subtraction after the other."""
    cells, cell_known, rows, row_known, columns, column_known, total = known
    again = True
    while again:
        again = False
        for r in range(len(rows)):
            if _follow(rows[r], row_known[r], cells[r], cell_known[r]):
                again = row_known[r] = True
        again |= _follow(total, True, rows, row_known)
        if sexes:
            for a in range(3):
                if _follow(columns[a], column_known[a], cells[:, a], cell_known[:, a]):
                    again = column_known[a] = True
            again |= _follow(total, True, columns, column_known)


@jit
def _one_ploidy(
    shown: np.ndarray, counts: Counts, ploidy: int, who: int, strata: Strata
) -> tuple[int, Known, np.ndarray]:
    """What is known of an allele at which everybody has the same ploidy: UNPROVED, for `_judge` to prove, or why it
    need not; the numbers; people, int64 (rows, 3). who: 0 everybody, 1 men, 2 nobody."""
    order, n = strata.order, len(strata.size)
    size = np.zeros((n, 3), np.int64)
    nobody = np.ones((n, 3), np.bool_)
    people = 0
    for r in range(n):
        for a in range(3):
            if who == 0 or (who == 1 and (a == 0 or not strata.by_sex[r])):
                size[r, a] = strata.size[r, a]
                people += size[r, a]
                nobody[r, a] = size[r, a] == 0
    known = Known(
        np.zeros((n, 3, 4), np.int64),
        nobody,
        np.zeros((n, 4), np.int64),
        np.zeros(n, np.bool_),
        np.zeros((3, 4), np.int64),
        np.zeros(3, np.bool_),
        np.zeros(4, np.int64),
    )
    if not _read(counts, order[0], ploidy, people, known.total):
        return CONTRADICTION, known, size
    if known.total[1] + known.total[2] == 0:
        return NO_CARRIER, known, size
    for a in range(2):
        s = order[1 + a]
        if s >= 0 and shown[s]:
            known.column_known[a] = True
            if not _read(counts, s, ploidy, _of_sex(size, a), known.columns[a]):
                return CONTRADICTION, known, size
    for r in range(strata.published):
        s = order[3 + 3 * r]
        if s >= 0 and shown[s]:
            known.row_known[r] = True
            if not _read(counts, s, ploidy, _sum(size[r], 0, 3), known.rows[r]):
                return CONTRADICTION, known, size
        for a in range(2):
            s = order[3 + 3 * r + 1 + a]
            if s >= 0 and shown[s]:
                known.cell_known[r, a] = True
                if not _read(counts, s, ploidy, size[r, a], known.cells[r, a]):
                    return CONTRADICTION, known, size
    _derive(known, strata.sexes)
    return UNPROVED, known, size


@jit
def _sums(sums: np.ndarray, known: np.ndarray, total: np.ndarray, rule: Rule) -> int:
    """What rows, or columns, (n, 4) say: CONTRADICTION to the total, SMALL or PROVED."""
    verdict = PROVED
    left = _copy(total)
    every = True
    for i in range(len(sums)):
        every = every and known[i]
        if known[i]:
            if not _fine(sums[i], rule):
                verdict = SMALL
            _add(left, sums[i], -1)
    for c in range(4):
        if left[c] < 0 or (every and left[c]):
            return CONTRADICTION
    return verdict


@jit
def _fit(whole: np.ndarray, parts: np.ndarray, known: np.ndarray) -> bool:
    """Whether a sum (4,) can be that of parts (m, 4), and is where all of these are known."""
    every = _all(known)
    for c in range(4):
        together = 0
        for j in range(len(parts)):
            together += parts[j, c]
        if whole[c] < 0 or (every and together != whole[c]):
            return False
    return True


@jit
def _judge(known: Known, strata: Strata, rule: Rule) -> int:
    """Whether what is given or follows fits and is fine, and what is left is hidden."""
    cells, cell_known, column_known = known.cells, known.cell_known, known.column_known
    n = len(cells)
    verdict = PROVED if _fine(known.total, rule) else SMALL
    every = True
    for r in range(n):
        for a in range(3):
            every = every and cell_known[r, a]
            if cell_known[r, a]:
                if _below_zero(cells[r, a]):
                    return CONTRADICTION
                if not _fine(cells[r, a], rule):
                    verdict = SMALL
    for r in range(n):
        if known.row_known[r] and not _fit(known.rows[r], cells[r], cell_known[r]):
            return CONTRADICTION
    for a in range(3 if strata.sexes else 0):
        if column_known[a] and not _fit(known.columns[a], cells[:, a], cell_known[:, a]):
            return CONTRADICTION
    by_row = _sums(known.rows, known.row_known, known.total, rule)
    by_column = _sums(known.columns, column_known, known.total, rule) if strata.sexes else PROVED
    if by_row == CONTRADICTION or by_column == CONTRADICTION:
        return CONTRADICTION
    if verdict == SMALL or by_row == SMALL or by_column == SMALL:
        return SMALL
    if every:
        return PROVED

    unknown_columns = 0
    for a in range(3):
        unknown_columns += not column_known[a] and _of_sex(strata.size, a) > 0
    if strata.sexes and unknown_columns == 0:
        for r in range(n):
            if known.row_known[r] and not _all(cell_known[r]):
                return _rows_by_columns(known, strata, rule)
        return _by_columns(known, strata, rule)
    if strata.sexes and unknown_columns < 3:
        for a in range(3):
            if column_known[a] and not _all(cell_known[:, a]):
                return UNPROVED
    return _by_rows(known, strata, rule)


@jit
def _by_rows(known: Known, strata: Strata, rule: Rule) -> int:
    """Sums are known of countries and of the withheld countries together; each is a table of its own."""
    cells, cell_known, rows, row_known = known.cells, known.cell_known, known.rows, known.row_known
    size, n = strata.size, len(strata.size)
    sizes = np.zeros(3 * n, np.int64)
    low = np.zeros((3, 3), np.int64)
    high = np.zeros((3, 3), np.int64)
    classes = _classes(rule)
    withheld = _copy(known.total)
    for r in range(n):
        if row_known[r]:
            _add(withheld, rows[r], -1)
        else:
            for a in range(3):
                _add(withheld, cells[r, a], -1)
    hidden_rows = cells_hidden = given = 0
    others = False
    for r in range(n):
        if row_known[r]:
            if r < strata.published:
                given += _called(rows[r]) > 0
            continue
        hidden_rows += r < strata.published
        others = others or r >= strata.published
        for a in range(3):
            if cell_known[r, a]:
                given += _called(cells[r, a]) > 0
            elif r < strata.published:
                cells_hidden += a < 2
                others = others or a == 2
    for pool in range(-1, n):
        if pool >= 0 and (not row_known[pool] or _all(cell_known[pool])):
            continue
        m = 0
        v = _copy(withheld if pool < 0 else rows[pool])
        people = 0
        stratum = False
        for r in range(n):
            if r == pool or (pool < 0 and not row_known[r]):
                for a in range(3):
                    if not cell_known[r, a]:
                        sizes[m] = size[r, a]
                        people += size[r, a]
                        stratum = stratum or (r < strata.published and a < 2)
                        m += 1
                    elif pool >= 0:
                        _add(v, cells[r, a], -1)
        if m == 0:
            continue
        if _below_zero(v):
            return CONTRADICTION
        if not _pool(sizes, m, v, rule, stratum):
            return UNPROVED
        if pool < 0:
            if given and not all_own_reasons(v, hidden_rows, cells_hidden, others, rule):
                return UNPROVED
            for r in range(n):
                if not row_known[r]:
                    inside = 0
                    for a in range(3):
                        inside += 0 if cell_known[r, a] else size[r, a]
                    for j in range(classes):
                        fixed = _asked_of(cells[r], j, rule.genotypes)
                        some = _asked(v, j, rule.genotypes)
                        lo, hi = _within(some, inside, people)
                        if not _enough(lo + fixed, hi + fixed, rule.k):
                            return UNPROVED
        for a in range(3):
            inside = 0
            for r in range(n):
                if (r == pool or (pool < 0 and not row_known[r])) and not cell_known[r, a]:
                    inside += size[r, a]
            for j in range(classes):
                some = _asked(v, j, rule.genotypes)
                lo, hi = _within(some, inside, people)
                low[a, j] += lo
                high[a, j] += hi
    if strata.sexes:
        for a in range(3):
            if not known.column_known[a]:
                for j in range(classes):
                    fixed = _asked_of(cells[:, a], j, rule.genotypes)
                    if not _enough(low[a, j] + fixed, high[a, j] + fixed, rule.k):
                        return UNPROVED
    return PROVED


@jit
def _by_columns(known: Known, strata: Strata, rule: Rule) -> int:
    """Sums are known of men, of women and of others in the withheld countries; each is a table of its own."""
    cells, cell_known = known.cells, known.cell_known
    size, n = strata.size, len(strata.size)
    sizes = np.zeros(n, np.int64)
    low = np.zeros((n, 3), np.int64)
    high = np.zeros((n, 3), np.int64)
    classes = _classes(rule)
    for a in range(3):
        m = hidden = given = 0
        others = False
        people = 0
        v = _copy(known.columns[a])
        for r in range(n):
            if cell_known[r, a]:
                _add(v, cells[r, a], -1)
                given += r < strata.published and _called(cells[r, a]) > 0
            else:
                sizes[m] = size[r, a]
                people += size[r, a]
                m += 1
                hidden += r < strata.published
                others = others or r >= strata.published
        if _below_zero(v):
            return CONTRADICTION
        if m == 0:
            continue
        if not _pool(sizes, m, v, rule, a < 2 and hidden > 0):
            return UNPROVED
        if a < 2 and given and not all_own_reasons(v, hidden, hidden, others, rule):
            return UNPROVED
        for r in range(n):
            for j in range(classes):
                if not cell_known[r, a]:
                    some = _asked(v, j, rule.genotypes)
                    lo, hi = _within(some, size[r, a], people)
                    low[r, j] += lo
                    high[r, j] += hi
    for r in range(n):
        for j in range(classes):
            fixed = _asked_of(cells[r], j, rule.genotypes)
            if not _all(cell_known[r]) and not _enough(low[r, j] + fixed, high[r, j] + fixed, rule.k):
                return UNPROVED
    return PROVED


@jit
def _rows_by_columns(known: Known, strata: Strata, rule: Rule) -> int:
    """Sums are known of men, of women and of countries, not of the men and women of each: rows x 2 columns.

    The withheld countries together are one more row, unless all their unknown cells are of one sex: then their sum
    is known and they are a table of their own.
    """
    cells, cell_known, rows, row_known = known.cells, known.cell_known, known.rows, known.row_known
    size, n = strata.size, len(strata.size)
    sizes = np.zeros(2 * n, np.int64)
    if rule.genotypes:
        return UNPROVED
    for r in range(n):
        if not cell_known[r, 2]:
            return UNPROVED
    s = np.zeros((n + 1, 4), np.int64)
    people = np.zeros((n + 1, 2), np.int64)
    column, withheld = _copy(known.columns[0]), _copy(known.total)
    m = unknown = hidden_rows = hidden_cells = given = 0
    lone = -1
    men = 0
    others = False
    for r in range(n):
        for a in range(2):
            if cell_known[r, a]:
                given += r < strata.published and not row_known[r] and _called(cells[r, a]) > 0
        _add(column, cells[r, 0], -1)
        if row_known[r]:
            _add(withheld, rows[r], -1)
            given += r < strata.published and _called(rows[r]) > 0
            if not _all(cell_known[r]):
                # Both sexes are unknown: one alone would follow.
                lone = m if r >= strata.published else lone
                _set(s[m], rows[r])
                _add(s[m], cells[r, 2], -1)
                people[m, 0], people[m, 1] = size[r, 0], size[r, 1]
                m += 1
        else:
            for a in range(3):
                _add(withheld, cells[r, a], -1)
            hidden_rows += r < strata.published
            others = others or r >= strata.published
            for a in range(2):
                if not cell_known[r, a]:
                    sizes[unknown] = size[r, a]
                    people[n, a] += size[r, a]
                    unknown += 1
                    men += a == 0
                    hidden_cells += r < strata.published
    parts = m
    if unknown:
        if _below_zero(withheld):
            return CONTRADICTION
        if given and not all_own_reasons(withheld, hidden_rows, hidden_cells, others, rule):
            return UNPROVED
        if not _fine(withheld, rule):
            return UNPROVED
        if 0 < men < unknown:
            _set(s[m], withheld)
            _set(people[m], people[n])
            m += 1
        else:
            if not _pool(sizes, unknown, withheld, rule, hidden_cells > 0):
                return UNPROVED
            if men:
                _add(column, withheld, -1)
    merged = m > parts
    whole = np.zeros(4, np.int64)
    for i in range(m):
        _add(whole, s[i], 1)
    rest = _copy(whole)
    _add(rest, column, -1)
    if _below_zero(column) or _below_zero(rest):
        return CONTRADICTION
    if not _fine(column, rule) or not _fine(rest, rule) or m < 2:
        return UNPROVED
    # People without a call, shared among men and women of the rows by their numbers, as the columns have it.
    q = np.zeros((m, 2), np.int64)
    short = column[3]
    for i in range(m):
        least, most = max(0, s[i, 3] - people[i, 1]), min(s[i, 3], people[i, 0])
        share = min(most, max(least, s[i, 3] * people[i, 0] // max(1, people[i, 0] + people[i, 1])))
        q[i, 0] = share
        short -= share
    for i in range(m):
        least, most = max(0, s[i, 3] - people[i, 1]), min(s[i, 3], people[i, 0])
        step = min(most, max(least, q[i, 0] + short)) - q[i, 0]
        q[i, 0] += step
        short -= step
    if short:
        return CONTRADICTION
    for i in range(m):
        q[i, 0], q[i, 1] = people[i, 0] - q[i, 0], people[i, 1] - (s[i, 3] - q[i, 0])
    largest = 0
    for j in range(1, 3):
        largest = j if whole[j] > whole[largest] else largest
    used = 0
    for j in range(3):
        used += j != largest and whole[j] > 0
    for i in range(m):
        moving = _called(s[i]) - s[i, largest]
        if used > 1 and (moving > q[i, 0] or moving > q[i, 1]):
            return UNPROVED
    first, end = (1, 3) if largest == 0 else (0, 1)
    low = np.zeros(m, np.int64)
    high = np.zeros(m, np.int64)
    for j in range(first, end):
        lows = highs = 0
        for i in range(m):
            lows += max(0, s[i, j] - q[i, 1])
            highs += min(s[i, j], q[i, 0])
        if column[j] < lows or column[j] > highs:
            return UNPROVED
        for i in range(m):
            lo, hi = max(0, s[i, j] - q[i, 1]), min(s[i, j], q[i, 0])
            low[i] += max(lo, column[j] - (highs - hi))
            high[i] += min(hi, column[j] - (lows - lo))
    for i in range(m):
        moving = _sum(s[i], first, end)
        still = _called(s[i]) - moving
        if i < parts:
            if moving == 0 and rest[3] + column[3] == 0:
                continue
            if moving == 0:
                # Nobody has what moves; who is called may still be asked.
                if min(people[i, 0], people[i, 1]) - s[i, 3] < rule.k:
                    return UNPROVED
                continue
            if high[i] - low[i] < rule.k - 1:
                return UNPROVED
            if i != lone and not _two(moving, (still, 0), q[i, 0], q[i, 1], low[i], high[i], rule.k):
                return UNPROVED
            continue
        for r in range(n):
            for a in range(2):
                if not row_known[r] and not cell_known[r, a]:
                    # With as many of the calls of its sex as the cell has people.
                    top = high[i] if a == 0 else moving - low[i]
                    bottom = low[i] if a == 0 else moving - high[i]
                    called = min(size[r, a], q[i, a])
                    if min(called, top) - max(0, bottom - (q[i, a] - called)) < rule.k - 1:
                        return UNPROVED
        if unknown == 2 and not _two(moving, (still, 0), q[i, 0], q[i, 1], low[i], high[i], rule.k):
            return UNPROVED
        if hidden_rows == 1 and not others:
            return UNPROVED
    if m == 2:
        moving = _sum(column, first, end)
        still = _called(column) - moving
        if (
            (not merged or men == 1)
            and high[0] > low[0]
            and not _two(moving, (still, 0), q[0, 0], q[1, 0], low[0], high[0], rule.k)
        ):
            return UNPROVED
        total_first = _sum(s[0], first, end)
        moving = _sum(rest, first, end)
        still = _called(rest) - moving
        if (
            (not merged or unknown - men == 1)
            and high[0] > low[0]
            and not _two(moving, (still, 0), q[0, 1], q[1, 1], total_first - high[0], total_first - low[0], rule.k)
        ):
            return UNPROVED
    return PROVED


@jit
def _may_be_fine(twice: int, k: int) -> bool:
    """Whether twice = a + 2 b for some a and b that are each 0 or at least k."""
    for a in range(twice % 2, min(twice, 2 * k) + 1, 2):
        if not small(a, k) and not small((twice - a) // 2, k):
            return True
    return False


@jit
def _shared(twice: int, carriers: tuple[int, int], places: tuple[int, int, int], first: int, k: int) -> tuple[int, int]:
    """People without the allele, (men, women) with men + 2 women = twice, each 0 or at least k, that fit.

    carriers: men and women. places: people of each sex, and people of which the sex is not told. first: with as many
    as can be of men (0) or of women (1). (-1, -1) when there are none.
    """
    (men, women), (places_men, places_women, free) = carriers, places
    a = min(twice, places_men + free - men) if first == 0 else max(0, twice - 2 * (places_women + free - women))
    a += (twice - a) % 2 if first else -((twice - a) % 2)
    while 0 <= a <= twice:
        b = (twice - a) // 2
        over = max(0, men + a - places_men) + max(0, women + b - places_women)
        if over <= free and not small(a, k) and not small(b, k):
            return a, b
        a += 2 if first else -2
    return -1, -1


@jit
def _x(shown: np.ndarray, counts: Counts, strata: Strata, rule: Rule) -> int:
    """Quick proof for an allele of X outside the pseudo-autosomal regions: men are haploid, women diploid.

    Each given sum tells the carriers among its men (AC_Hemi) and among its women; of those without the allele it
    tells men + 2 women. Men and women are tables of their own.
    """
    ac_hom, ac_het, ac_hemi, an = counts
    order, size, by_sex, k = strata.order, strata.size, strata.by_sex, rule.k
    n = len(size)
    classes = np.zeros((n, 2, 4), np.int64)
    carriers_known = np.zeros((n, 2), np.bool_)
    rest_known = np.zeros((n, 2), np.bool_)
    top = np.zeros((2, 4), np.int64)
    top_known = np.zeros(2, np.bool_)
    twice = an[order[0]] - 2 * ac_het[order[0]] - ac_hom[order[0]] - ac_hemi[order[0]]
    left_twice = twice
    if twice < 0 or ac_hom[order[0]] % 2:
        return CONTRADICTION
    top[0, 2] = ac_hemi[order[0]]
    top[1, 1], top[1, 2] = ac_het[order[0]], ac_hom[order[0]] // 2
    if top[0, 2] + top[1, 1] + top[1, 2] == 0:
        return NO_CARRIER
    for a in range(2):
        top[a, 3] = _of_sex(size, a) - top[a, 1] - top[a, 2]
        s = order[1 + a]
        if s >= 0 and shown[s]:
            top_known[a] = True
            if not _read(counts, s, 1 + a, _of_sex(size, a), top[a]):
                return CONTRADICTION
            if top[a, 2] != (ac_hemi[order[0]] if a == 0 else ac_hom[order[0]] // 2):
                return CONTRADICTION
    for a in range(2):
        if strata.sexes and (top_known[1 - a] or _of_sex(size, 1 - a) == 0) and not top_known[a]:
            reference = twice - top[1 - a, 0] * (2 - a)
            if reference < 0 or (a and reference % 2):
                return CONTRADICTION
            top[a, 0] = reference // (1 + a)
            top[a, 3] -= top[a, 0]
            top_known[a] = True
    verdict = PROVED
    for r in range(n):
        row_twice = 0
        given = r < strata.published and shown[order[3 + 3 * r]]
        if given:
            s = order[3 + 3 * r]
            row_twice = an[s] - 2 * ac_het[s] - ac_hom[s] - ac_hemi[s]
            if row_twice < 0 or ac_hom[s] % 2:
                return CONTRADICTION
            classes[r, 0, 2] = ac_hemi[s]
            classes[r, 1, 1], classes[r, 1, 2] = ac_het[s], ac_hom[s] // 2
            carriers_known[r, 0] = carriers_known[r, 1] = True
        for a in range(2):
            if by_sex[r] and size[r, a] == 0:
                carriers_known[r, a] = True
                rest_known[r, a] = True
            s = order[3 + 3 * r + 1 + a] if r < strata.published else -1
            if s >= 0 and shown[s]:
                before = _copy(classes[r, a])
                if not _read(counts, s, 1 + a, size[r, a], classes[r, a]):
                    return CONTRADICTION
                if given and (before[1] != classes[r, a, 1] or before[2] != classes[r, a, 2]):
                    return CONTRADICTION
                carriers_known[r, a] = True
                rest_known[r, a] = True
        if given and by_sex[r]:
            for a in range(2):
                if rest_known[r, 1 - a] and not rest_known[r, a]:
                    reference = row_twice - classes[r, 1 - a, 0] * (2 - a)
                    if reference < 0 or (a and reference % 2):
                        return CONTRADICTION
                    classes[r, a, 0] = reference // (1 + a)
                    classes[r, a, 3] = size[r, a] - _called(classes[r, a])
                    rest_known[r, a] = True
            if not _all(rest_known[r]):
                return UNPROVED
            if classes[r, 0, 0] + 2 * classes[r, 1, 0] != row_twice:
                return CONTRADICTION
        elif given:
            carrying = classes[r, 0, 2], classes[r, 1, 1] + classes[r, 1, 2]
            if _shared(row_twice, carrying, (0, 0, size[r, 0]), 0, k)[0] < 0:
                return UNPROVED
        for a in range(2):
            if rest_known[r, a]:
                if _below_zero(classes[r, a]):
                    return CONTRADICTION
                if not given:
                    left_twice -= classes[r, a, 0] * (1 + a)
            if carriers_known[r, a] and not _fine(classes[r, a], rule):
                verdict = SMALL
        left_twice -= row_twice
    for a in range(2):
        if not _fine(top[a], rule):
            verdict = SMALL
        if top_known[a] and _below_zero(top[a]):
            return CONTRADICTION
    if verdict != PROVED:
        return verdict
    if left_twice < 0:
        return CONTRADICTION

    sizes = np.zeros(n, np.int64)
    places = np.zeros(3, np.int64)
    pools = np.zeros((2, 4), np.int64)
    for r in range(n):
        for a in range(2):
            if not carriers_known[r, a]:
                places[a if by_sex[r] else 2] += size[r, a] if by_sex[r] else size[r, 0] * (a == 0)
    for a in range(2):
        _set(pools[a], top[a])
        for r in range(n):
            if carriers_known[r, a]:
                for c in range(3):
                    pools[a, c] -= classes[r, a, c]
        if pools[a, 1] < 0 or pools[a, 2] < 0:
            return CONTRADICTION
    carriers = pools[0, 1] + pools[0, 2], pools[1, 1] + pools[1, 2]
    for a in range(2):
        m = hidden = given_cells = 0
        others = False
        exact = top_known[a]
        for r in range(n):
            if carriers_known[r, a]:
                exact = exact and rest_known[r, a]
                given_cells += r < strata.published and _called(classes[r, a]) > 0
            else:
                sizes[m] = size[r, a] if by_sex[r] else size[r, 0]
                m += 1
                hidden += r < strata.published
                others = others or r >= strata.published
        v = _copy(pools[a])
        if m == 0:
            if v[1] or v[2]:
                return CONTRADICTION
            continue
        if not exact:
            # Those without the allele are known with those of the other sex: as many as can be of this one.
            v[0] = _shared(left_twice, carriers, (places[0], places[1], places[2]), a, k)[a]
            if v[0] < 0:
                return UNPROVED
            if m == 1:
                # The whole of a sex, as in Total.
                v[0] = 0
                if not _fine(v, rule):
                    return UNPROVED
                continue
        v[3] = _sum(sizes, 0, m) - _called(v)
        if _below_zero(v):
            return CONTRADICTION
        if m > 1 and not _pool(sizes, m, v, rule, hidden > 0 and _all(carriers_known[:, 1 - a])):
            return UNPROVED
        if m == 1 and not _fine(v, rule):
            return SMALL
        if given_cells and not all_own_reasons(v, hidden, hidden, others, rule):
            return UNPROVED
    return PROVED


@jit
def _numbers(counts: Counts, s: int, out: np.ndarray) -> None:
    """Those of a stratum; none of one that is not there."""
    if s >= 0:
        out[0], out[1], out[2], out[3] = counts.ac_hom[s], counts.ac_het[s], counts.ac_hemi[s], counts.an[s]


@jit
def _others(by_sex: np.ndarray) -> None:
    """The last of (4, 4): what men and women leave of all."""
    for c in range(4):
        by_sex[3, c] = by_sex[0, c] - by_sex[1, c] - by_sex[2, c]


@jit
def all_given(counts: Counts, strata: Strata, rule: Rule) -> int:
    """Quick proof for an allele of which every stratum is given, whatever the ploidies of its people.

    An allele that was moved over the border of a pseudo-autosomal region is counted by the region its record had.
    """
    order, k, n = strata.order, rule.k, len(strata.size)
    found = np.zeros((4 * n + 8, 4), np.int64)
    m = 0
    rest = np.zeros((4, 4), np.int64)
    for a in range(3):
        _numbers(counts, order[a], rest[a])
    _others(rest)
    for r in range(strata.published):
        row = np.zeros((4, 4), np.int64)
        for a in range(3):
            _numbers(counts, order[3 + 3 * r + a], row[a])
        _others(row)
        for a in range(4):
            _add(rest[a], row[a], -1)
            if a == 0 or strata.by_sex[r]:
                _set(found[m], row[a])
                m += 1
    for a in range(4):
        if a == 0 or strata.sexes:
            _set(found[m], rest[a])
            _numbers(counts, order[a if 0 < a < 3 and order[a] >= 0 else 0], found[m + 1])
            m += 2
    for i in range(m):
        hom, het, hemi, alleles = found[i]
        twice = alleles - hom - 2 * het - hemi
        if _below_zero(found[i]) or twice < 0 or hom % 2:
            return CONTRADICTION
        if small(hemi, k) or small(het + hom // 2, k) or (rule.genotypes and (small(het, k) or small(hom // 2, k))):
            return SMALL
        if not _may_be_fine(twice, k):
            return SMALL
    return PROVED


@jit
def prove(
    kind: np.ndarray,
    other: np.ndarray,
    shown: np.ndarray,
    block: Counts,
    strata: Strata,
    rule: Rule,
    verdict: np.ndarray,
) -> None:
    """Quick proof for each allele.

    kind: uint8 (alleles,), REGION_* of the position. other: the one a record may have had that was moved to there
    by alignment, 0 when there is none. shown: bool (strata, alleles). block: (strata, alleles). On return kind is the
    region that the numbers fit, verdict is filled.
    """
    n, alleles = shown.shape
    see = np.zeros(n, np.bool_)
    counts = Counts(np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64))
    for i in range(alleles):
        if not shown[strata.order[0], i]:
            verdict[i] = NO_TOTAL
            continue
        for s in range(n):
            see[s] = shown[s, i]
            # Nothing that is not given is read.
            counts.ac_hom[s] = block.ac_hom[s, i] if see[s] else 0
            counts.ac_het[s] = block.ac_het[s, i] if see[s] else 0
            counts.ac_hemi[s] = block.ac_hemi[s, i] if see[s] else 0
            counts.an[s] = block.an[s, i] if see[s] else 0
        first = CONTRADICTION
        for region in (kind[i], other[i]):
            if region == 0 or first != CONTRADICTION:
                continue
            if region == REGION_X:
                first = _x(see, counts, strata, rule)
            else:
                ploidy = 2 if region == REGION_DIPLOID else 1
                who = 1 if region == REGION_Y else 2 if region == REGION_Y_PAR else 0
                first, known, size = _one_ploidy(see, counts, ploidy, who, strata)
                if first == UNPROVED:
                    of_size = Strata(strata.order, size, strata.by_sex, strata.sexes, strata.published)
                    first = _judge(known, of_size, rule)
            if first != CONTRADICTION:
                kind[i] = region
        if first == CONTRADICTION and _all(see):
            first = all_given(counts, strata, rule)
        verdict[i] = first
