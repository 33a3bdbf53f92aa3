"""Differences of allele frequencies between pairs of units: Hudson's Fst with its error, and the plane they span.

Fst is the ratio of averages of Bhatia, Patterson, Sankararaman, Price 2013 (doi 10.1101/gr.154831.113), eq. 10. Each
allele is held against all others of its position, and on its own: alleles of one position stand in one block.
"""

import numpy as np

from goe.collect.comparison.cells import EXACT, UNKNOWN
from goe.hts.kernels import jit


@jit
def unit(ac: float, an: float) -> tuple[float, float]:
    """AF of a unit and the noise of its square; AN at least 2."""
    p = ac / an
    return p, p * (1 - p) / (an - 1)


@jit
def parts(one: tuple[float, float], two: tuple[float, float]) -> tuple[float, float]:
    """Numerator and denominator of Hudson's Fst at one allele, of two units."""
    (p, noise), (q, other) = one, two
    return (p - q) ** 2 - noise - other, p * (1 - q) + q * (1 - p)


@jit
def parts_of(ac1, an1, ac2, an2):  # type: ignore[no-untyped-def]
    """`parts` of every allele: float64 (alleles,), twice."""
    above, below = np.zeros(ac1.size), np.zeros(ac1.size)
    for j in range(ac1.size):
        above[j], below[j] = parts(unit(ac1[j], an1[j]), unit(ac2[j], an2[j]))
    return above, below


@jit
def add_pairs(state, lo, hi, an, block, weight, sums, used, ends, ended, spread, alike):  # type: ignore
    """Add SNVs to the sums of pairs, plainly and in order, so that the same alleles give the same bytes.

    state, lo, hi, an: of Cells, (units, alleles). block: int64 (alleles,). weight: float64 (alleles,), 1 / p(1-p)
    of an allele that PCA takes, else 0. sums: float64 (blocks, units, units, 2), numerator and denominator; used: int64
    (blocks, units, units), alleles that vary in the pair. ends: float64 (units, units, 2, 2): the same of alleles that
    are bounded in the pair, with AC at its lowest and at its highest; ended: int64 (units, units), how many. spread:
    float64 (units, units), weighted numerators; alike: int64 (1,), alleles in it. Filled where first < second.
    """
    units, alleles = state.shape
    order, exact = np.empty(units, np.int64), np.empty(units, np.bool_)
    p, noise = np.empty((2, units)), np.empty((2, units))
    for j in range(alleles):
        if weight[j] > 0:
            alike[0] += 1
        n = 0
        for a in range(units):
            if state[a, j] != UNKNOWN and an[a, j] >= 2:
                order[n], exact[n] = a, state[a, j] == EXACT
                p[0, n], noise[0, n] = unit(min(lo[a, j], an[a, j]), an[a, j])
                p[1, n], noise[1, n] = unit(min(hi[a, j], an[a, j]), an[a, j])
                n += 1
        at = sums[block[j]]
        many = used[block[j]]
        for x in range(n):
            a, one, other = order[x], (p[0, x], noise[0, x]), (p[1, x], noise[1, x])
            for y in range(x + 1, n):
                b = order[y]
                if exact[x] and exact[y]:
                    # Where neither has any, nothing is added.
                    if p[0, x] == 0 and p[0, y] == 0:
                        continue
                    above, below = parts(one, (p[0, y], noise[0, y]))
                    if below > 0:
                        at[a, b, 0] += above
                        at[a, b, 1] += below
                        many[a, b] += 1
                    spread[a, b] += weight[j] * above
                else:
                    ended[a, b] += 1
                    if p[0, x] != 0 or p[0, y] != 0:
                        above, below = parts(one, (p[0, y], noise[0, y]))
                        ends[a, b, 0, 0] += above
                        ends[a, b, 0, 1] += below
                    above, below = parts(other, (p[1, y], noise[1, y]))
                    ends[a, b, 1, 0] += above
                    ends[a, b, 1, 1] += below


@jit
def add_sharing(seen, absent, rare, sharing):  # type: ignore
    """Add alleles to int64 (2, 3, units, units): of those seen in the first unit (all of them; those rare there), how
    many the second one has, has not, and may have. seen, absent, rare: bool (units, alleles)."""
    units, alleles = seen.shape
    for j in range(alleles):
        for a in range(units):
            if not seen[a, j]:
                continue
            for b in range(units):
                word = 0 if seen[b, j] else 1 if absent[b, j] else 2
                sharing[0, word, a, b] += 1
                if rare[a, j]:
                    sharing[1, word, a, b] += 1


def jackknife(above: np.ndarray, below: np.ndarray, size: np.ndarray) -> tuple[float, float]:
    """A ratio of sums over blocks, and its standard error: delete-m jackknife for blocks of different sizes.

    Busing, Meijer, van der Leeden 1999 (doi 10.1023/A:1008800423698). above, below: float64 (blocks,); size: alleles
    in each. NaN for the ratio where nothing varies, for the error where fewer than two blocks have alleles.
    """
    filled = size > 0
    above, below, size = above[filled], below[filled], size[filled].astype(float)
    n, g = size.sum(), len(size)
    if not g or below.sum() <= 0:
        return float("nan"), float("nan")
    whole = above.sum() / below.sum()
    rest = below.sum() - below
    if g < 2 or (rest <= 0).any():
        return float(whole), float("nan")
    without = (above.sum() - above) / rest
    h = n / size
    centre = g * whole - ((1 - size / n) * without).sum()
    pseudo = h * whole - (h - 1) * without
    return float(whole), float(np.sqrt(((pseudo - centre) ** 2 / (h - 1)).sum() / g))


def plane(distances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Principal components of units from their squared distances: coordinates (units, axes), and the share of each.

    The numerators of Fst are squared distances of frequencies without the noise of sampling (f2), so their classical
    scaling is the PCA of the frequencies without it: Peter 2022 (doi 10.1098/rstb.2020.0413). distances: float64
    (units, units), symmetric. Axes below 0, which noise can leave, are left out; the largest coordinate of an axis is
    above 0.
    """
    units = len(distances)
    centre = np.eye(units) - 1 / units
    values, vectors = np.linalg.eigh(-0.5 * centre @ distances @ centre)
    order = np.argsort(-values, kind="stable")
    values, vectors = values[order], vectors[:, order]
    good = values > 1e-9 * max(values.max(initial=0.0), 1e-300)
    values, vectors = values[good], vectors[:, good]
    for axis in range(vectors.shape[1]):
        if vectors[np.argmax(np.abs(vectors[:, axis])), axis] < 0:
            vectors[:, axis] *= -1
    return vectors * np.sqrt(values), values / values.sum() if len(values) else values
