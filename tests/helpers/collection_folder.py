"""A small collection of made-up countries."""

import numpy as np
from goe.collect import check, folder
from goe.collect.sheet import Settings
from goe.core.errors import Problem

from helpers import countries as made

ID = "GOE-EU-EXAMPLE-20260401000000000"
SETTINGS = Settings(ID, "Three <b>countries</b>", {"fn": "A", "email": "a@example.org"}, ".", "d.tsv")
TERMS = {
    "build": "toy",
    "contigs": [{"name": made.CONTIG, "length": made.LENGTH, "md5": "a" * 32}],
    "counting_rules": "1",
    "genotype_filter": {"min_gq": 20},
    "normalisation": "C3",
    "par": [],
}


def datasets(tmp_path, seed=1, floors=(1, 5, 1)):
    rng = np.random.default_rng(seed)
    alleles = made.alleles(rng, 40)
    some = [
        made.draw(rng, f"D{i}", origins, 30, alleles, k)
        for i, (origins, k) in enumerate(zip((["EE"], ["FI"], ["EE", "LV"]), floors, strict=True))
    ]
    found = [made.dataset(one, tmp_path / "data", i) for i, one in enumerate(some, 1)]
    for one in found:
        one.terms, one.digest = TERMS, "0" * 64
    return found


def collect(found, tmp_path, settings=SETTINGS):
    mine = folder.taken(found)
    parts = {contig: tmp_path / "work" / contig for contig in folder.contigs_of(mine)}
    told = [folder.sum_contig(mine, settings, contig, part) for contig, part in parts.items()]
    compared = {contig: tmp_path / "compare" / contig for contig in parts}
    for contig, part in compared.items():
        folder.compare_contig(mine, settings, contig, parts[contig], part)
    folder.finish(settings, found, parts, told, tmp_path / "out", compared)
    return tmp_path / "out"


def whole(root):
    """A collection of three datasets, with a fourth one refused."""
    found = datasets(root)
    refused = datasets(root)[0]
    refused.number, refused.name, refused.problems = 4, "LT (row 4)", [Problem("LT", "AC is above AN")]
    return collect([*found, refused], root)


def failed(root):
    return {r.part: "; ".join(p.what for p in r.problems) for r in check.run(root) if not r.passed}
