"""Thirty made-up datasets of 2,000 people each, of a country each, for what a collection of them costs."""

import numpy as np
import pyarrow as pa
from goe.collect import form
from goe.collect.dataset import Dataset
from goe.disclosure.silence import FLOOR, ZERO, Silence
from goe.frequencies import strata as st
from goe.frequencies.block import Block

DATASETS, PEOPLE = 30, 2000
COUNTRIES = [f"{a}{b}" for a in "ABCDE" for b in "ABCDEF"]
_LISTED = 0.474
"""Of the alleles of `alike`, which a dataset has."""


def people(number):
    """Stratum -> people, of dataset 1 to 30."""
    country = COUNTRIES[number - 1]
    return {"Total": PEOPLE, "M": 1000, "F": 1000, country: PEOPLE, f"{country}_M": 1000, f"{country}_F": 1000}


def alike(alleles, length, seed=0):
    """Of each dataset, with about so many alleles: positions, AC of everybody, and AF of the country.

    As a model of countries has them: frequencies p of Europe by 1/p, those of a country drawn around p with Fst 0.01
    (Balding, Nichols 1995, doi 10.1007/BF01441146), which is more than within Europe, and an allele listed where a
    country has five copies."""
    rng, fst, least = np.random.default_rng(seed), 0.01, 1e-5
    pool = round(alleles / _LISTED)
    p = np.exp(rng.uniform(np.log(least), np.log(0.5), pool))
    pos = np.sort(rng.choice(length - 2, pool, replace=False)) + 1
    for _ in range(DATASETS):
        af = rng.beta(p * (1 - fst) / fst, (1 - p) * (1 - fst) / fst)
        ac = rng.binomial(2 * PEOPLE, af)
        listed = ac >= 5
        yield pos[listed], ac[listed], af[listed]


def apart(alleles, length):
    """The same, half of the alleles in every dataset and the others in it alone; AC as it comes."""
    shared = np.sort(np.random.default_rng(0).choice(length - 2, alleles // 2, replace=False)) + 1
    for number in range(1, DATASETS + 1):
        rng = np.random.default_rng(number)
        pos = np.unique(np.concatenate((shared, rng.integers(1, length, alleles - len(shared)))))
        af = rng.beta(0.2, 8, len(pos))
        yield pos, rng.binomial(2 * PEOPLE, af), af


def block(contig, number, pos, ac, af):
    """The alleles of a dataset, SNVs, one of twenty filtered."""
    rng, strata, n = np.random.default_rng(number), tuple(people(number)), len(pos)
    ref = pos % 4
    alt = (ref + 1 + (pos // 4) % 3) % 4
    bases = pa.array(list("ACGT"))
    men = np.clip(rng.binomial(ac, 0.5), ac - PEOPLE, PEOPLE)
    sexes = np.stack([men, ac - men])
    hom = rng.binomial(sexes // 2, af)
    counts = {"ac": sexes, "an": np.full((2, n), PEOPLE), "ac_hom": 2 * hom, "nhomalt": hom}
    counts |= {"ac_het": sexes - 2 * hom, "ac_hemi": np.zeros((2, n), int)}
    rows = {name: np.stack([v.sum(axis=0), *v] * 2).astype(np.int32) for name, v in counts.items()}
    words = pa.array(np.where(rng.random(n) < 0.05, "HWE", "PASS"))
    ref, alt, pos = bases.take(pa.array(ref)), bases.take(pa.array(alt)), pa.array(pos.astype(np.int32))
    return Block(contig, pos, ref, alt, words, np.ones((6, n), bool), strata, st.Numbers(**rows), {})


def written(path, number, some):
    """The table of a dataset on a contig."""
    with form.Table(path, some.contig, people(number)) as out:
        out.write(some)
    return path


def dataset(number, terms, tables, runs):
    """tables, runs: contig -> File. One in two has a floor."""
    name = COUNTRIES[number - 1]
    one = Dataset(number, name, "release", "goe", name, name, "0" * 64, terms, {}, people(number))
    one.silence = Silence(FLOOR, 5, 4) if number % 2 else Silence(ZERO)
    one.zygosity, one.tables, one.callable_an = tuple(one.people), tables, runs
    return one
