"""The search behind the policy `minimal`, and the decision of both policies, allele by allele.

Why and against whom is told in `goe.disclosure.control`; here is how. People of an allele stand in a table: a row for
each published country and one for all that are not published (`rest`), in each row its men, women and people of
unknown sex (the atoms), or one atom where a country is not published by sex. Of an atom the search knows three
classes: reference, heterozygous, homozygous or hemizygous.

A mask says of each row whether the country (C), its men (M) and its women (F) are withheld, and of the release
whether M and F are. What remains derivable splits the withheld atoms into pools, sets of atoms whose sum is known:

* a country that is given, with parts withheld: these parts and its people of unknown sex;
* the countries that are withheld: all atoms withheld in them, and the rest;
* when M and F are given, the same by column: the men withheld in all rows, the women withheld in all rows.

Without the last, pools are independent of each other and each is a transportation problem (classes x atoms with
known sums), whose every integer between two bounds is taken, so the range of an atom is in closed form. With it,
a table of rows x 2 columns with known sums is a transportation problem again, row by row with the men of the row
as the variable. Where people of unknown sex are called in such a row the table has 3 columns, which is no
transportation problem: such masks are not considered. Of the others with parts of given countries withheld and M
and F given, those are taken whose numbers are hidden while all that moves are swaps with one class, which is
enough and not necessary: seldom a mask of fewer cells would do as well.

Everything here is relative to someone who knows how many people are called in every atom, which nobody does, so
what is found to be hidden from them is hidden. Alleles at which 1 to k-1 people of an atom are called are not given
at all: callable AN beside AN of Total may tell that these are few.
"""

from typing import NamedTuple

import numpy as np

from goe.disclosure.outcomes import (
    BELOW_FLOOR,
    FULL,
    NO_CARRIER,
    PLOIDY,
    REDUCED,
    SEARCH_ENDED,
    SHOWN,
    TOO_NARROW,
    WITHHELD,
)
from goe.hts.kernels import jit

# Masks that are tried for one allele before the search gives up and the allele is treated as under `collapse`.
MOST_TRIED = 4_000

# What is withheld of a row as bits, in the order in which masks of equal number are tried.
_C, _M, _F = 4, 2, 1
_BITS = (_M, _F, 0)
_STATES = np.array([0, _M | _F, _C | _M, _C | _F, _C | _M | _F, _M, _F, _C], dtype=np.int64)


# Numba compiles an assignment to a slice with the words of its error, and a sum or += of arrays for every shape that it
# could have: loops of our own are compiled in two thirds of the time, which everybody pays at the first job.


@jit
def _set(to: np.ndarray, values: np.ndarray) -> None:
    for i in range(len(values)):
        to[i] = values[i]


@jit
def _add(to: np.ndarray, values: np.ndarray) -> None:
    for i in range(len(values)):
        to[i] += values[i]


@jit
def _sum(values: np.ndarray, start: int, end: int) -> int:
    total = 0
    for i in range(start, end):
        total += values[i]
    return total


class Strata(NamedTuple):
    """The strata of a plan as rows, published countries and last all others, by sex.

    place: int64 (leaves, 2), row and sex of each leaf. n_published: rows before that of the others, if there is one.
    published: bool (rows, 3), whether country, men and women are strata. split: bool (rows,), whether a row has atoms
    by sex. size: int64 (rows, 3), people. order: int64 (1 + 2 + 3 rows), index in the release of Total, M, F and of the
    three strata of each row, -1 when not published. sexes: how many of M and F are strata.
    """

    place: np.ndarray
    n_published: int
    published: np.ndarray
    split: np.ndarray
    size: np.ndarray
    order: np.ndarray
    sexes: int


class Rule(NamedTuple):
    """k: fewest people but nobody. genotypes: whether each genotype is asked for. minimal: the policy."""

    k: int
    genotypes: bool
    minimal: bool


class Table(NamedTuple):
    """People of one allele.

    g: int64 (rows, 3, 3), by row, sex and class; q: (rows, 3), called; people: (rows, 3). known: (3, 3), classes of all
    men, women and others. units: room for the atoms of a pool, see `_pool`. n_published: rows before the rest. mixed:
    whether Total counts haploid and diploid carriers apart.
    """

    g: np.ndarray
    q: np.ndarray
    people: np.ndarray
    known: np.ndarray
    units: np.ndarray
    n_rows: int
    n_published: int
    mixed: bool
    k: int
    genotypes: bool


@jit
def _small(n: int, k: int) -> bool:
    return 0 < n < k


@jit
def _fine(g: np.ndarray, k: int, genotypes: bool) -> bool:
    """Whether no protected class of g (3,) holds 1 to k-1 people."""
    if genotypes:
        return not (_small(g[0], k) or _small(g[1], k) or _small(g[2], k))
    return not (_small(g[0], k) or _small(g[1] + g[2], k))


@jit
def _fails(c: int, q: int, k: int) -> bool:
    return _small(c, k) or _small(q - c, k)


@jit
def _next_near_an_end(x: int, low: int, high: int, k: int) -> int:
    """The value after x of low..high, without those more than k from either end."""
    return high - k if x == low + k and high - k > x else x + 1


@jit
def _two_parts(low: int, high: int, total: int, q1: int, q2: int, k: int) -> bool:
    """Whether a sum of two parts leaves the first at least k values with which one of the two fails the rule.

    Where one of the two is a stratum of the release, they are withheld because one of them fails, so the other
    values are ruled out. low..high: the range of the first; q1, q2: people called. Only values near the ends can
    fail.
    """
    n = 0
    x = low
    while x <= high:
        y = total - x
        n += _fails(x, q1, k) or _fails(y, q2, k)
        x = _next_near_an_end(x, low, high, k)
    return n >= k


@jit
def _genotypes_left(g: np.ndarray, j: int, q1: int, q2: int, k: int) -> bool:
    """Whether two parts of g (3,) leave the first at least k values of class j with which one of the two fails in
    some class.

    q1, q2: people called. The values of j with which another class can fail reach to one end of the range, so they
    are looked for near the ends alone.
    """
    n = 0
    low, high = max(0, g[j] - q2), min(g[j], q1)
    x = low
    while x <= high:
        fails = False
        for i in range(3):
            least, most = (x, x) if i == j else (max(0, g[i] + g[j] - x - q2), min(g[i], q1 - x))
            fails = fails or max(1, least) <= min(k - 1, most) or max(1, g[i] - most) <= min(k - 1, g[i] - least)
        n += fails
        x = _next_near_an_end(x, low, high, k)
    return n >= k


@jit
def _put(t: Table, n: int, r: int, a: int) -> int:
    """Add an atom to the units of a pool; returns how many there are."""
    units = t.units
    _set(units[n], t.g[r, a])
    units[n, 3], units[n, 4], units[n, 5] = t.q[r, a], t.people[r, a], r < t.n_published and a < 2
    return n + 1


@jit
def _pool(t: Table, n: int) -> bool:
    """Whether n atoms of which only the sum is known are hidden, or are fine where they follow from it.

    t.units: int64 (>= n, 6), of each atom that somebody is called in the classes, people called, people, and 1 for
    those that are a stratum of the release.
    """
    units, k, genotypes = t.units, t.k, t.genotypes
    if n == 0:
        return True
    g = np.zeros(3, np.int64)
    q = people = 0
    smallest = units[0, 4]
    for i in range(n):
        for j in range(3):
            g[j] += units[i, j]
        q += units[i, 3]
        people += units[i, 4]
        smallest = min(smallest, units[i, 4])
    if not _fine(g, k, genotypes):
        return False
    if n == 1:
        return True
    if g[0] == q or (g[0] == 0 and not (genotypes and g[1] and g[2])):
        # One class holds everybody who is called. Nothing fails, but who is called is not known to everybody:
        # the range that this leaves must not reach below k.
        return people == q or smallest - (people - q) >= k
    if n == 2 and (units[0, 5] or units[1, 5]):
        q1, q2 = units[0, 3], units[1, 3]
        if genotypes:
            for j in range(3):
                if g[j] > 0 and not _genotypes_left(g, j, q1, q2, k):
                    return False
            return True
        c = g[1] + g[2]
        return _two_parts(max(0, c - q2), min(c, q1), c, q1, q2, k)
    return True


@jit
def _not_told(total: int, rows: int, atoms: int, rest: bool, k: int) -> bool:
    """Whether the choice of the withheld countries does not tell their numbers.

    Somebody may take it that every atom withheld was withheld for itself, so it has 1 to k-1 people of the class.
    Either the sum contradicts this, or every number from 1 to k-1 has to be left for each. total: people of the
    class in the pool. rows, atoms: withheld countries and cells of them. rest: people that are never published by
    themselves (of small countries, of unknown sex) are in the pool too.
    """
    if total == 0 or rows == 0:
        return True
    if total < rows + k - 2:
        return False
    if rest:
        return total < atoms or total >= atoms + k - 2
    if total < atoms or total >= atoms * (k - 1) + 1:
        return True
    return atoms + k - 2 <= total <= (atoms - 1) * (k - 1) + 1


@jit
def _pool_not_told(t: Table, n: int, rows: int, atoms: int, rest: bool) -> bool:
    units, k, genotypes = t.units, t.k, t.genotypes
    g = np.zeros(3, np.int64)
    for i in range(n):
        for j in range(3):
            g[j] += units[i, j]
    if genotypes:
        for j in range(3):
            if not _not_told(g[j], rows, atoms, rest, k):
                return False
        return True
    return _not_told(g[0], rows, atoms, rest, k) and _not_told(g[1] + g[2], rows, atoms, rest, k)


@jit
def _width(inside: int, total: int, q: int) -> int:
    """How many values but one the people of a class have in `inside` of q called, `total` of whom have it."""
    return min(inside, total, q - inside, q - total)


@jit
def _sexes_hidden(t: Table, state: np.ndarray) -> bool:
    """Whether M and F stay hidden, or are fine where they follow, when the pools are those of rows."""
    g, q, n_rows, known, k, genotypes = t.g, t.q, t.n_rows, t.known, t.k, t.genotypes
    classes = 3 if genotypes else 1
    for sex in range(2):
        narrow = True
        for j in range(classes):
            width = 0
            inside = called = total = 0
            for r in range(n_rows + 1):
                # The last round closes the pool of the withheld rows.
                whole = last = r == n_rows
                if not last:
                    whole = not state[r] & _C
                    if whole:
                        p_inside = p_called = p_total = 0
                    for a in range(3):
                        hidden = state[r] & _BITS[a] or (a == 2 and state[r] != 0)
                        if hidden and q[r, a]:
                            value = g[r, a, j] if genotypes else g[r, a, 1] + g[r, a, 2]
                            if whole:
                                p_called += q[r, a]
                                p_total += value
                                p_inside += q[r, a] if a == sex else 0
                            else:
                                called += q[r, a]
                                total += value
                                inside += q[r, a] if a == sex else 0
                    if whole:
                        width += _width(p_inside, p_total, p_called)
                else:
                    width += _width(inside, total, called)
            if width >= k - 1:
                narrow = False
            elif width > 0 or (genotypes and _small(known[sex, j], k)):
                return False
        if not genotypes and narrow and not _fine(known[sex], k, False):
            return False
    return True


@jit
def _columns_and_parts(t: Table, state: np.ndarray) -> bool:
    """Whether the atoms stay hidden when M and F are given and parts of given countries are withheld.

    Carriers only. Rows: the countries with withheld parts, and the withheld countries together as one. The
    carriers among the men of a row are the variable; those among its women are the rest of the row.
    """
    g, q, people, k = t.g, t.q, t.people, t.k
    n_rows, n_published = t.n_rows, t.n_published
    n_t = hidden_rows = 0
    s = np.zeros((n_rows + 1, 3), np.int64)
    qm = np.zeros(n_rows + 1, np.int64)
    qf = np.zeros(n_rows + 1, np.int64)
    x = np.zeros(3, np.int64)
    n = men = 0
    for r in range(n_rows):
        if state[r] and q[r, 2]:
            return False
        if state[r] & _C:
            hidden_rows += 1
            for a in range(2):
                if state[r] & _BITS[a] and q[r, a]:
                    n = _put(t, n, r, a)
                    men += a == 0
        elif state[r]:
            if not (q[r, 0] and q[r, 1] and state[r] == _M | _F):
                return False
            _add(s[n_t], g[r, 0])
            _add(s[n_t], g[r, 1])
            _add(x, g[r, 0])
            qm[n_t], qf[n_t] = q[r, 0], q[r, 1]
            n_t += 1
    parts, merged, lone = n_t, 0 < men < n, -1
    if hidden_rows == 1 and state[n_rows - 1] & _C and n_rows > n_published and merged:
        # The rest alone: its sum is known, so it is a row as those of the countries given.
        last = n_rows - 1
        carriers, called = 0, _sum(q[last], 0, 3)
        for a in range(3):
            carriers += g[last, a, 1] + g[last, a, 2]
        if _fails(carriers, called, k):
            return False
        if q[last, 0] and q[last, 1] and carriers == 0:
            uncalled = _sum(people[last], 0, 3) - called
            if uncalled and min(people[last, 0], people[last, 1]) - uncalled < k:
                return False
        else:
            _add(s[n_t], g[last, 0])
            _add(s[n_t], g[last, 1])
            _add(x, g[last, 0])
            qm[n_t], qf[n_t] = q[last, 0], q[last, 1]
            n_t += 1
            parts = n_t
            lone = n_t - 1
        merged, n = False, 0
    elif hidden_rows == 1 and not (n_rows > n_published and state[n_rows - 1] & _C):
        # It follows from Total and the others.
        return False
    elif merged:
        for r in range(n_rows):
            if state[r] & _C:
                for a in range(2):
                    if state[r] & _BITS[a] and q[r, a]:
                        _add(s[n_t], g[r, a])
                        if a == 0:
                            _add(x, g[r, a])
                            qm[n_t] += q[r, a]
                        else:
                            qf[n_t] += q[r, a]
        n_t += 1
    elif not _pool(t, n):
        return False
    if n_t < 2:
        return False

    whole = np.zeros(3, np.int64)
    for i in range(n_t):
        _add(whole, s[i])
    c = x[1] + x[2]
    if _fails(c, _sum(qm, 0, n_t), k) or _fails(whole[1] + whole[2] - c, _sum(qf, 0, n_t), k):
        return False
    if merged and _fails(s[parts, 1] + s[parts, 2], qm[parts] + qf[parts], k):
        return False
    # Whoever moves swaps places with somebody of the largest class, so that the sums of all classes stay. What
    # moves are carriers when that is the reference, else people of the reference.
    largest = np.argmax(whole)
    used = 0
    for j in range(3):
        used += j != largest and whole[j] > 0
    for i in range(n_t):
        moving = _sum(s[i], 0, 3) - s[i, largest]
        if used > 1 and (moving > qm[i] or moving > qf[i]):
            return False
    first, end = (1, 3) if largest == 0 else (0, 1)
    low = np.zeros(n_t, np.int64)
    high = np.zeros(n_t, np.int64)
    for j in range(first, end):
        lows = highs = 0
        for i in range(n_t):
            lows += max(0, s[i, j] - qf[i])
            highs += min(s[i, j], qm[i])
        for i in range(n_t):
            lo, hi = max(0, s[i, j] - qf[i]), min(s[i, j], qm[i])
            low[i] += max(lo, x[j] - (highs - hi))
            high[i] += min(hi, x[j] - (lows - lo))
    for i in range(n_t):
        total = _sum(s[i], first, end)
        if i < parts or n == 2:
            if high[i] - low[i] < k - 1:
                return False
            if i != lone and not _two_parts(low[i], high[i], total, qm[i], qf[i], k):
                return False
            continue
        # Withheld countries: the men of one of them have any share of what the men of all have.
        for r in range(n_rows):
            for a in range(2):
                if state[r] & _C and state[r] & _BITS[a] and q[r, a]:
                    top = high[i] if a == 0 else total - low[i]
                    bottom = low[i] if a == 0 else total - high[i]
                    others = (qm[i] if a == 0 else qf[i]) - q[r, a]
                    if min(q[r, a], top) - max(0, bottom - others) < k - 1:
                        return False
    if n_t == 2:
        moving = _sum(x, first, end)
        total = _sum(s[0], first, end)
        if (not merged or men == 1) and not _two_parts(low[0], high[0], moving, qm[0], qm[1], k):
            return False
        women = _sum(whole, first, end) - moving
        if (not merged or n - men == 1) and not _two_parts(total - high[0], total - low[0], women, qf[0], qf[1], k):
            return False
    return True


@jit
def safe(t: Table, state: np.ndarray, columns: bool) -> bool:
    """Whether a mask hides what it withholds.

    state: (rows,) bits withheld. columns: whether M and F are given (or, with `mixed`, follow from Total).
    """
    q, n_rows, n_published, k, genotypes = t.q, t.n_rows, t.n_published, t.k, t.genotypes
    known, mixed = t.known, t.mixed
    hidden = given = 0
    parts = rest = False
    for r in range(n_rows):
        if r >= n_published:
            rest = rest or _sum(q[r], 0, 3) > 0
            continue
        hidden += state[r] & _C > 0
        parts = parts or 0 < state[r] < _C
        for a in range(3):
            given += q[r, a] > 0 and not (state[r] & _C and (a == 2 or state[r] & _BITS[a]))
    if columns and not mixed:
        for a in range(3):
            if not _fine(known[a], k, genotypes):
                return False
    if columns and parts:
        if genotypes or not _columns_and_parts(t, state):
            return False
        if hidden and given:
            n = atoms = 0
            for r in range(n_rows):
                if state[r] & _C:
                    for a in range(3):
                        if (state[r] & _BITS[a] or a == 2) and q[r, a]:
                            n = _put(t, n, r, a)
                            atoms += r < n_published
            return _pool_not_told(t, n, hidden, atoms, rest)
        return True
    if columns:
        for a in range(3):
            n = atoms = given = 0
            rest = False
            for r in range(n_rows):
                if not q[r, a]:
                    continue
                if state[r] & _C and (a == 2 or state[r] & _BITS[a]):
                    n = _put(t, n, r, a)
                    atoms += r < n_published
                    rest = rest or r >= n_published
                elif r < n_published:
                    given += 1
            if not _pool(t, n):
                return False
            if a < 2 and atoms and given and not _pool_not_told(t, n, atoms, atoms, rest):
                return False
        return True
    n = atoms = 0
    for r in range(n_rows):
        if state[r] & _C:
            for a in range(3):
                if (state[r] & _BITS[a] or a == 2) and q[r, a]:
                    n = _put(t, n, r, a)
                    atoms += r < n_published and a < 2
                    rest = rest or a == 2
    if not _pool(t, n):
        return False
    if hidden and given and not _pool_not_told(t, n, hidden, atoms, rest):
        return False
    for r in range(n_rows):
        if state[r] and not state[r] & _C:
            n = 0
            for a in range(3):
                if (state[r] & _BITS[a] or a == 2) and q[r, a]:
                    n = _put(t, n, r, a)
            if n < 2 or not _pool(t, n):
                return False
    return True


@jit
def _alone(t: Table) -> bool:
    """Whether Total alone hides all atoms, for somebody who does not know how many people of an atom are called, nobody
    or at least k.

    Total is fine. Haploid and diploid people, men and women, are pools of their own.
    """
    g, q, units, k, genotypes, mixed, n_rows = t.g, t.q, t.units, t.k, t.genotypes, t.mixed, t.n_rows
    for pool in range(2 if mixed else 1):
        n = 0
        total = np.zeros(3, np.int64)
        for r in range(n_rows):
            for a in range(3):
                if q[r, a] and (not mixed or a == pool):
                    n = _put(t, n, r, a)
                    _add(total, g[r, a])
        for j in range(3 if genotypes else 2):
            some = total[j] if genotypes or j == 0 else total[1] + total[2]
            whole = 0
            for i in range(n):
                whole += units[i, 4]
            for i in range(n if n > 1 else 0):
                low, high = max(0, some + units[i, 4] - whole), min(some, units[i, 4])
                if high - low < k - 1 and low < k and high > 0:
                    return False
        if n == 2 and (units[0, 5] or units[1, 5]) and not _pool(t, n):
            return False
    return True


@jit
def _options(t: Table, row: int, strata: Strata, states: np.ndarray, costs: np.ndarray) -> int:
    """States a row may have by itself, the cheapest first; returns how many."""
    g, q, mixed, k, genotypes = t.g, t.q, t.mixed, t.k, t.genotypes
    published, split = strata.published[row], strata.split[row]
    whole = np.zeros(3, np.int64)
    fine = np.ones(3, np.bool_)
    for a in range(3):
        _add(whole, g[row, a])
        fine[a] = _fine(g[row, a], k, genotypes)
    fine_row = (fine[0] and fine[1] and fine[2]) if mixed else _fine(whole, k, genotypes)
    n = 0
    for wanted in range(4):
        for state in _STATES:
            cost = (state & _C > 0) + (state & _M > 0 and published[1]) + (state & _F > 0 and published[2])
            if cost != wanted:
                continue
            if not split:
                all_hidden = _C | (_M if q[row, 0] else 0) | (_F if q[row, 1] else 0)
                if state and (state != all_hidden or state == _C):
                    continue
                if not state and not fine_row:
                    continue
            else:
                useless = (state & _M and not q[row, 0]) or (state & _F and not q[row, 1])
                atoms = (state & _M > 0) + (state & _F > 0) + (state > 0 and q[row, 2] > 0)
                if useless or (state and (atoms < 1 if state & _C else atoms < 2 or mixed)):
                    continue
                if (
                    (not state & _C and not fine_row)
                    or (not state & _M and not fine[0])
                    or (not state & _F and not fine[1])
                ):
                    continue
                if state == 0 and not fine[2]:
                    continue
                if 0 < state < _C:
                    # The country is given: what its parts may be is at most what its sum leaves.
                    parts = 0
                    for a in range(3):
                        if (state & _BITS[a] or a == 2) and q[row, a]:
                            parts = _put(t, parts, row, a)
                    if not _pool(t, parts):
                        continue
            states[n], costs[n] = state, cost
            n += 1
    return n


@jit
def _search(t: Table, strata: Strata, state: np.ndarray, options: np.ndarray) -> tuple[int, bool]:
    """The mask that withholds the fewest strata and is safe. Returns whether M and F are given, 0 or 1, or -1 when
    none was found, and whether the search was ended before it was through. The mask is left in `state`.

    options: room for the states and costs of each row, int64 (2, rows, 8).
    """
    g, q, known, mixed, k, genotypes = t.g, t.q, t.known, t.mixed, t.k, t.genotypes
    n_rows, n_published, published, sexes = t.n_rows, t.n_published, strata.published, strata.sexes
    states, costs = options[0], options[1]
    count = np.zeros(n_rows, np.int64)
    least = failing = 0
    total = np.zeros(3, np.int64)
    for r in range(n_published):
        count[r] = _options(t, r, strata, states[r], costs[r])
        if count[r] == 0:
            return -1, False
        least += costs[r, 0]
        given = False
        for i in range(count[r]):
            given = given or not states[r, i] & _C
        failing += not given
    for r in range(n_rows):
        for a in range(3):
            _add(total, g[r, a])
    for r in range(n_published, n_rows):
        state[r] = _C | (_M if q[r, 0] else 0) | (_F if q[r, 1] else 0)
    can_columns = mixed or (sexes > 0 and _fine(known[0], k, genotypes) and _fine(known[1], k, genotypes))
    can_columns = can_columns and (mixed or _fine(known[2], k, genotypes))
    most = sexes
    for r in range(len(published)):
        most += published[r, 0] + published[r, 1] + published[r, 2]
    tried = 0
    # More countries have to be withheld than there are carriers to share among them without telling who has them.
    carriers = total[1] + total[2]
    hopeless = failing > 0 and (0 < carriers < failing + k - 2 or 0 < total[0] < failing + k - 2)
    place = np.zeros(n_published + 1, np.int64)
    left = np.zeros(n_published + 1, np.int64)
    for extra in range(0 if hopeless else most - least + 1):
        for hide in range(2):
            if (hide and mixed) or (not hide and not can_columns):
                continue
            budget = extra - (sexes if hide else 0)
            if budget < 0:
                continue
            r = 0
            place[0], left[0] = -1, budget
            while r >= 0:
                if r == n_published:
                    r -= 1
                    if left[n_published] == 0:
                        tried += 1
                        if _accept(t, strata, state, not hide):
                            return 1 - hide, False
                        if tried == MOST_TRIED:
                            break
                    continue
                place[r] += 1
                if place[r] == count[r]:
                    r -= 1
                    continue
                more = costs[r, place[r]] - costs[r, 0]
                if more > left[r]:
                    place[r] = count[r] - 1
                    continue
                state[r] = states[r, place[r]]
                if 0 < state[r] < _C and not hide and (genotypes or q[r, 2]):
                    continue
                left[r + 1] = left[r] - more
                r += 1
                if r < n_published:
                    place[r] = -1
            if tried == MOST_TRIED:
                break
        if tried == MOST_TRIED:
            break
    # All countries treated alike: which of them fail is not told.
    for kind in range(2):
        alike = True
        for r in range(n_published):
            wanted = (_M if q[r, 0] else 0) | (_F if q[r, 1] else 0) | (_C if kind else 0)
            some_wanted = False
            for i in range(count[r]):
                some_wanted = some_wanted or states[r, i] == wanted
            alike = alike and some_wanted
            state[r] = wanted
        for hide in range(1 if kind else 2):
            possible = alike and (can_columns or hide) and not (hide and mixed)
            if possible and _accept(t, strata, state, not hide):
                return 1 - hide, tried == MOST_TRIED
    return -1, tried == MOST_TRIED


@jit
def _accept(t: Table, strata: Strata, state: np.ndarray, columns: bool) -> bool:
    if not safe(t, state, columns):
        return False
    return columns or not strata.sexes or _sexes_hidden(t, state)


@jit
def decide(
    leaves: np.ndarray,
    strata: Strata,
    rule: Rule,
    shown: np.ndarray,
    outcome: np.ndarray,
    reason: np.ndarray,
    alone: np.ndarray,
) -> None:
    """What of each allele is public.

    leaves: int32 (leaves, 5, alleles) as strata.CALLS. Fills shown, bool (strata, alleles), outcome and reason, uint8
    (alleles,), and alone, bool (alleles,), whether Total could be public and nothing else.
    """
    place, split, size, order = strata.place, strata.split, strata.size, strata.order
    n_rows, n_published = len(size), strata.n_published
    k, genotypes = rule.k, rule.genotypes
    n_leaves, _, alleles = leaves.shape
    by_sex = np.zeros((n_rows, 3, 3), np.int64)
    called = np.zeros((n_rows, 3), np.int64)
    g = np.zeros((n_rows, 3, 3), np.int64)
    q = np.zeros((n_rows, 3), np.int64)
    people = np.zeros((n_rows, 3), np.int64)
    known = np.zeros((3, 3), np.int64)
    state = np.zeros(n_rows + 1, np.int64)
    options = np.zeros((2, n_rows + 1, 8), np.int64)
    units = np.zeros((3 * n_rows + 1, 6), np.int64)
    total = np.zeros(3, np.int64)
    for v in range(alleles):
        by_sex.fill(0)
        called.fill(0)
        known.fill(0)
        total.fill(0)
        diploid = haploid = carriers = 0
        odd = False
        for i in range(n_leaves):
            dip, hap = leaves[i, 0, v], leaves[i, 1, v]
            r, a = place[i, 0], place[i, 1]
            by_sex[r, a, 0] += dip + hap - leaves[i, 2, v] - leaves[i, 3, v] - leaves[i, 4, v]
            by_sex[r, a, 1] += leaves[i, 2, v]
            by_sex[r, a, 2] += leaves[i, 3, v] + leaves[i, 4, v]
            called[r, a] += dip + hap
            diploid += dip
            haploid += hap
            carriers += leaves[i, 2, v] + leaves[i, 3, v] + leaves[i, 4, v]
            odd = odd or (dip > 0 and hap > 0)
        mixed = bool(diploid > 0 and haploid > 0)
        if mixed:
            for i in range(n_leaves):
                a = place[i, 1]
                wrong = leaves[i, 0, v] if a == 0 else leaves[i, 1, v] if a == 1 else leaves[i, 0, v] + leaves[i, 1, v]
                odd = odd or wrong > 0
        if carriers == 0:
            outcome[v], reason[v] = WITHHELD, NO_CARRIER
            continue
        # Rows that are not published by sex have one atom, but on X Total counts men and women apart.
        for r in range(n_rows):
            for a in range(3):
                g[r, a, 0] = g[r, a, 1] = g[r, a, 2] = q[r, a] = people[r, a] = 0
            for a in range(3):
                atom = a if split[r] or mixed else 0
                _add(g[r, atom], by_sex[r, a])
                q[r, atom] += called[r, a]
                people[r, atom] += size[r, a]
                _add(known[a], by_sex[r, a])
                _add(total, by_sex[r, a])
        every = fine = True
        few = False
        for r in range(n_rows):
            for a in range(3):
                every = every and _fine(g[r, a], k, genotypes)
                few = few or _small(q[r, a], k)
        if odd:
            # Ploidies that no region explains: by each of the two, or not at all.
            every = every and _fine_by_ploidy(leaves, strata, v, k, genotypes)
        fine = _fine(known[0], k, genotypes) and _fine(known[1], k, genotypes) if mixed else _fine(total, k, genotypes)
        t = Table(g, q, people, known, units, n_rows, n_published, mixed, k, genotypes)
        # Callable AN may tell that an atom has few people who are called, and so at most as many carriers.
        if fine and not odd and not few:
            alone[v] = _alone(t)
        if every:
            outcome[v], reason[v] = FULL, SHOWN
            for i in range(len(shown)):
                shown[i, v] = True
            continue
        if odd:
            outcome[v], reason[v] = WITHHELD, PLOIDY
            continue
        if not fine:
            outcome[v], reason[v] = WITHHELD, BELOW_FLOOR
            continue
        columns, ended = -1, False
        if rule.minimal and not few:
            columns, ended = _search(t, strata, state, options)
        if columns < 0 and not alone[v]:
            outcome[v], reason[v] = WITHHELD, TOO_NARROW
            continue
        outcome[v], reason[v] = REDUCED, SEARCH_ENDED if ended else SHOWN
        shown[order[0], v] = True
        if columns < 0:
            continue
        for a in range(2):
            if columns and order[1 + a] >= 0:
                shown[order[1 + a], v] = True
        for r in range(n_published):
            for i, bit in enumerate((_C, _M, _F)):
                if order[3 + 3 * r + i] >= 0 and not state[r] & bit:
                    shown[order[3 + 3 * r + i], v] = True


@jit
def _fine_by_ploidy(leaves: np.ndarray, strata: Strata, v: int, k: int, genotypes: bool) -> bool:
    """Whether every atom of allele v is fine among its diploid and among its haploid people."""
    place, split, n_rows = strata.place, strata.split, len(strata.size)
    g = np.zeros((2, n_rows, 3, 3), np.int64)
    for i in range(leaves.shape[0]):
        r, a = place[i, 0], place[i, 1] if split[place[i, 0]] else 0
        dip, hap, het = leaves[i, 0, v], leaves[i, 1, v], leaves[i, 2, v]
        hom, hemi = leaves[i, 3, v], leaves[i, 4, v]
        g[0, r, a, 0] += dip - het - hom
        g[0, r, a, 1] += het
        g[0, r, a, 2] += hom
        g[1, r, a, 0] += hap - hemi
        g[1, r, a, 2] += hemi
    for p in range(2):
        for r in range(n_rows):
            for a in range(3):
                if not _fine(g[p, r, a], k, genotypes):
                    return False
    return True
