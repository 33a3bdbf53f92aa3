"""Collections of made-up datasets with something planted in them, compared."""

import json

import numpy as np
from goe.collect import folder
from goe.collect.comparison import files
from goe.collect.sheet import Settings

from helpers import collection_folder as cf
from helpers import countries as made

LEAVES = ("EE_M", "EE_F", "FI_M", "FI_F")
PEOPLE = 200


def hardy_weinberg(rng, p, n=PEOPLE):
    """Heterozygotes and homozygotes of n people."""
    hom = int(rng.binomial(n, p * p))
    return int(rng.binomial(n - hom, 2 * p / (1 + p))), hom


def dataset(name, carriers, leaves=LEAVES, **more):
    called = {leaf: np.full(made.LENGTH, PEOPLE) for leaf in leaves}
    return made.Country(name, dict.fromkeys(leaves, PEOPLE), called, carriers, **more)


def common(rng, sites, leaves=LEAVES):
    """The same frequencies in every dataset that draws from `sites`: allele -> p by leaf."""
    return {allele: {leaf: hardy_weinberg(rng, p[leaf]) for leaf in leaves} for allele, p in sites.items()}


def sites(rng, n=40, leaves=LEAVES):
    """SNVs with frequencies of each country, alike in its men and women."""
    out = {}
    for pos in range(2, 2 + n):
        p = float(rng.uniform(0.1, 0.5))
        of = {c: float(np.clip(p + rng.normal(0, 0.03), 0.02, 0.9)) for c in {leaf[:2] for leaf in leaves}}
        out[pos, "A", "C"] = {leaf: of[leaf[:2]] for leaf in leaves}
    return out


def collect(some, tmp_path, **thresholds):
    """The folder of a collection of datasets that are made up, and its statistics."""
    found = [made.dataset(one, tmp_path / "data", i) for i, one in enumerate(some, 1)]
    for one in found:
        one.terms, one.digest = cf.TERMS, "0" * 64
    settings = Settings(cf.ID, "Countries", {"fn": "A", "email": "a@example.org"}, ".", "d.tsv", compare=thresholds)
    root = cf.collect(found, tmp_path, settings)
    return root, json.loads((root / files.STATISTICS).read_text())


def about(root):
    return json.loads((root / folder.ABOUT).read_text())
