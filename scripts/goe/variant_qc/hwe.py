"""The exact test of Hardy-Weinberg equilibrium, compiled."""

import numpy as np

from goe.hts.kernels import jit


@jit
def one(het: int, hom_ref: int, hom_alt: int) -> float:
    """Exact test of Hardy-Weinberg equilibrium: sum of the probabilities of all heterozygote counts that are
    as likely as the observed one or less. Wigginton, Cutler, Abecasis 2005 (doi 10.1086/429864), with the
    probabilities relative to the most likely count, so that nothing underflows."""
    n = het + hom_ref + hom_alt
    rare = 2 * min(hom_ref, hom_alt) + het
    if n == 0 or rare == 0:
        return 1.0
    middle = rare * (2 * n - rare) // (2 * n)
    if (middle ^ rare) & 1:
        middle += 1
    weights = np.zeros(rare + 1)
    weights[middle] = total = 1.0
    p, homr = 1.0, (rare - middle) // 2
    homc = n - middle - homr
    for h in range(middle, 1, -2):
        p *= h * (h - 1.0) / (4.0 * (homr + 1.0) * (homc + 1.0))
        homr += 1
        homc += 1
        weights[h - 2] = p
        total += p
    p, homr = 1.0, (rare - middle) // 2
    homc = n - middle - homr
    for h in range(middle, rare - 1, 2):
        p *= 4.0 * homr * homc / ((h + 2.0) * (h + 1.0))
        homr -= 1
        homc -= 1
        weights[h + 2] = p
        total += p
    # The observed count itself must pass the comparison whatever the rounding on its way here.
    limit = weights[het] * (1.0 + 1e-9)
    tail, all_of_them = 0.0, True
    for h in range(rare & 1, rare + 1, 2):
        if weights[h] <= limit:
            tail += weights[h]
        else:
            all_of_them = False
    # Summed in two orders the whole may differ from itself in the last digit.
    return 1.0 if all_of_them else min(1.0, tail / total)


@jit
def each(het: np.ndarray, hom_ref: np.ndarray, hom_alt: np.ndarray, out: np.ndarray) -> None:
    """`one` of every site, int64 (sites,), into out, float64."""
    for i in range(het.size):
        out[i] = one(het[i], hom_ref[i], hom_alt[i])
