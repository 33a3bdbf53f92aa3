"""Blocks of a made-up release that looks like one: a growing population, four countries, a floor, X."""

import numpy as np
import pyarrow as pa
from goe.frequencies import strata as st
from goe.release.table import STATISTICS

from helpers.blocks import FakeBlock

BASES = np.array(list("ACGT"))
# Male, female, neither.
COUNTRIES = {"EE": (1204, 1187, 9), "FI": (402, 377, 0), "LV": (311, 298, 6), "LT": (150, 164, 0)}


def people(countries=COUNTRIES) -> dict[str, int]:
    """People by stratum of the release."""
    leaves = {f"{c}_{s}": n for c, sizes in countries.items() for s, n in zip("MFU", sizes, strict=True)}
    return {s: sum(list(leaves.values())[i] for i in st.members(s, list(leaves))) for s in st.order(leaves)}


def _alleles(rng, n: int, start: int):
    pos = start + np.cumsum(rng.integers(0, 24, n))
    ref, alt = [], []
    for kind, a, b, extra in zip(
        rng.random(n), rng.integers(0, 4, n), rng.integers(1, 4, n), rng.geometric(0.35, n), strict=True
    ):
        first = str(BASES[a])
        # Two of three changes are transitions: A-G and C-T are two letters apart in ACGT.
        other = str(BASES[(a + 2) % 4] if kind < 0.58 else BASES[(a + b) % 4])
        more = "".join(BASES[rng.integers(0, 4, extra)])
        if kind < 0.87:
            ref.append(first), alt.append(other)
        elif kind < 0.93:
            ref.append(first + more), alt.append(first)
        elif kind < 0.985:
            ref.append(first), alt.append(first + more)
        else:
            ref.append(first + more + "T"), alt.append(other + "G")
    order = sorted(range(n), key=lambda i: (pos[i], ref[i], alt[i]))
    keep, before = [], None
    for i in order:
        if (pos[i], ref[i], alt[i]) != before:
            keep.append(i)
        before = (pos[i], ref[i], alt[i])
    return pos[keep], [ref[i] for i in keep], [alt[i] for i in keep]


def _fine(people, k):
    """bool (alleles,): no genotype class of people (5, alleles) holds 1 to k - 1 of them."""
    ref, haploid_ref = people[st.DIP] - people[st.HET] - people[st.HOM], people[st.HAP] - people[st.HEMI]
    classes = np.stack([ref, people[st.HET], people[st.HOM], haploid_ref, people[st.HEMI]])
    return ~((classes > 0) & (classes < k)).any(axis=0)


def blocks(contig="chr20", n=40_000, start=60_000, k=5, seed=1, size=16_384, countries=COUNTRIES, mask=None):
    """Public blocks of a contig. k: floor, by the rule `collapse`; mask(people, collapsed) makes another one."""
    rng = np.random.default_rng([seed, *contig.encode()])
    leaves = [f"{c}_{s}" for c in countries for s in "MFU"]
    sizes = np.array([countries[leaf[:2]]["MFU".index(leaf[3])] for leaf in leaves])
    strata = tuple(s for s in st.order(leaves) if sizes[st.members(s, leaves)].sum())
    pos, ref, alt = _alleles(rng, n, start)
    n = len(pos)
    # Frequencies of a growing population: 1/x, with many rare ones.
    af = 10 ** (rng.beta(0.7, 1.6, n) * np.log10(2 * sizes.sum()) - np.log10(2 * sizes.sum()))
    drift = np.clip(af * rng.lognormal(0, 0.35, (len(countries), n)), 0, 0.999)
    cells = np.zeros((len(leaves), len(st.CALLS), n), np.int32)
    missing = rng.beta(0.3, 60, n)
    for i, leaf in enumerate(leaves):
        p = drift[list(countries).index(leaf[:2])]
        if contig.endswith("X") and leaf[3:] == "M":
            cells[i, st.HAP] = rng.binomial(sizes[i], 1 - missing)
            cells[i, st.HEMI] = rng.binomial(cells[i, st.HAP], p)
        elif not (contig.endswith("X") and leaf[3:] == "U"):
            cells[i, st.DIP] = rng.binomial(sizes[i], 1 - missing)
            cells[i, st.HOM] = rng.binomial(cells[i, st.DIP], p * p)
            cells[i, st.HET] = rng.binomial(cells[i, st.DIP] - cells[i, st.HOM], 2 * p * (1 - p))
    failed = {
        "AC0": cells[:, st.HET :].sum(axis=(0, 1)) == 0,
        "LowCallRate": missing > 0.06,
        "LowQUAL": rng.random(n) < 0.02,
        "HighFS": rng.random(n) < 0.006,
        "VQSRTrancheSNP99.90to100.00": rng.random(n) < 0.015,
    }
    filters = [";".join(name for name, bad in failed.items() if bad[i]) or "PASS" for i in range(n)]
    # Those whose Total fails under the floor are in no public file.
    keep = _fine(cells.sum(axis=0), k)
    full = np.all([_fine(leaf, k) for leaf in cells], axis=0)
    collapsed = np.broadcast_to(full, (len(strata), n)).copy()
    collapsed[strata.index(st.TOTAL)] = True
    public = collapsed if mask is None else mask(cells, collapsed)
    numbers = st.numbers(st.expand(cells, leaves, strata))
    t = strata.index(st.TOTAL)
    faf = np.maximum(0, numbers.ac[t] - 1.645 * np.sqrt(numbers.ac[t])) / np.maximum(numbers.an[t], 1)
    statistics = {name: np.full(n, np.nan) for name in STATISTICS}
    statistics["faf95"] = np.where(public[t], faf, np.nan)
    statistics["call_rate"] = 1 - missing
    rows = np.flatnonzero(keep)
    for first in range(0, len(rows), size):
        some = rows[first : first + size]
        counts = (getattr(numbers, f)[:, some] for f in ("ac", "an", "ac_hom", "ac_het", "ac_hemi", "nhomalt"))
        yield FakeBlock(
            contig,
            pa.array(pos[some].astype(np.int32)),
            pa.array([ref[i] for i in some], pa.string()),
            pa.array([alt[i] for i in some], pa.string()),
            pa.array([filters[i] for i in some], pa.string()),
            strata,
            st.Numbers(*counts),
            {name: values[some] for name, values in statistics.items()},
            public[:, some],
        )
