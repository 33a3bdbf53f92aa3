"""What `report.html` counts over the released alleles: classes, filters, allele frequency spectrum, public cells.

Everything comes from the numbers that `Block.shown` allows, so that whoever holds the public files can count the
same. `Spectrum` takes the blocks of one contig; `combine` adds up the contigs.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from goe.core.errors import GoeError, Problem
from goe.frequencies import strata as st
from goe.frequencies.block import Block
from goe.pages.svg import EDGES

CLASSES = ("SNV", "insertion", "deletion", "complex")
VERDICTS = ("PASS", "filtered")


def allele_classes(ref: pa.Array, alt: pa.Array) -> np.ndarray:
    """Index into CLASSES of each allele, int64 (alleles,): by the lengths of REF and ALT, as everywhere in goe."""
    r, a = pc.binary_length(ref).to_numpy(), pc.binary_length(alt).to_numpy()
    return np.select([(r == 1) & (a == 1), (r == 1) & (a > 1), (r > 1) & (a == 1)], [0, 1, 2], default=3)


class Spectrum:
    """Counts over the public alleles of one contig.

    strata: published strata in release order. `add` takes the blocks, in any order; `as_dict` is plain JSON:
      strata; contigs: name -> {alleles, PASS}; classes: class -> {PASS, filtered};
      filters: FILTER name -> alleles, one with several reasons counts in each; bins: class -> {PASS, filtered} ->
      alleles in each bin of EDGES, by AF of Total; unseen: alleles with AC 0 in Total; without_frequency: alleles
      whose Total has no public AF; transitions and transversions among the PASS SNVs; cells: stratum ->
      {shown, seen}, alleles whose numbers are public and those of them with AC above 0; visibility: alleles with
      every stratum (all), some of them (some), or Total alone (total).
    """

    def __init__(self, strata: Sequence[str]):
        self.strata = tuple(strata)
        self.contigs: dict[str, Counter[str]] = {}
        self.classes = np.zeros((len(CLASSES), len(VERDICTS)), np.int64)
        self.bins = np.zeros((len(CLASSES), len(VERDICTS), len(EDGES)), np.int64)
        self.filters: Counter[str] = Counter()
        self.substitutions = np.zeros(2, np.int64)
        self.unseen = self.without_frequency = 0
        self.cells = np.zeros((2, len(self.strata)), np.int64)
        self.visibility = np.zeros(3, np.int64)

    def add(self, block: Block) -> None:
        """Count a block; ValueError when its strata are not those of this spectrum."""
        if block.strata != self.strata:
            raise ValueError(f"strata {block.strata}, expected {self.strata}")
        shown = block.shown()
        ac, an = block.numbers.ac, block.numbers.an
        passed = pc.equal(block.filter, "PASS").to_numpy(zero_copy_only=False)
        kind = allele_classes(block.ref, block.alt)
        verdict = np.where(passed, 0, 1)

        counts = self.contigs.setdefault(block.contig, Counter())
        counts["alleles"] += len(block)
        counts["PASS"] += int(passed.sum())
        np.add.at(self.classes, (kind, verdict), 1)
        for entry in pc.value_counts(block.filter).to_pylist():
            for name in entry["values"].split(";"):
                self.filters[name] += entry["counts"]

        total = self.strata.index(st.TOTAL)
        known = shown[total] & (an[total] > 0)
        seen = known & (ac[total] > 0)
        self.without_frequency += int((~known).sum())
        self.unseen += int((known & ~seen).sum())
        af = ac[total][seen] / an[total][seen]
        np.add.at(self.bins, (kind[seen], verdict[seen], np.searchsorted(EDGES, af, side="left")), 1)

        snv, purines = pa.array((kind == 0) & passed), pa.array(["A", "G"])
        ref_purine, alt_purine = (
            pc.is_in(bases.filter(snv), purines).to_numpy(zero_copy_only=False) for bases in (block.ref, block.alt)
        )
        crosses = ref_purine != alt_purine
        self.substitutions += ((~crosses).sum(), crosses.sum())

        self.cells += (shown.sum(axis=1), (shown & (ac > 0)).sum(axis=1))
        public = shown.sum(axis=0)
        everything = public == len(self.strata)
        alone = ~everything & (public <= 1)
        self.visibility += (everything.sum(), (~everything & ~alone).sum(), alone.sum())

    def as_dict(self) -> dict:
        def by_verdict(values: np.ndarray) -> dict:
            return dict(zip(VERDICTS, values.tolist(), strict=True))

        return {
            "strata": list(self.strata),
            "contigs": {name: {"alleles": n["alleles"], "PASS": n["PASS"]} for name, n in self.contigs.items()},
            "classes": {name: by_verdict(self.classes[i]) for i, name in enumerate(CLASSES)},
            "filters": dict(sorted(self.filters.items())),
            "bins": {name: by_verdict(self.bins[i]) for i, name in enumerate(CLASSES)},
            "unseen": self.unseen,
            "without_frequency": self.without_frequency,
            "transitions": int(self.substitutions[0]),
            "transversions": int(self.substitutions[1]),
            "cells": {
                name: {"shown": int(self.cells[0, i]), "seen": int(self.cells[1, i])}
                for i, name in enumerate(self.strata)
            },
            "visibility": dict(zip(("all", "some", "total"), self.visibility.tolist(), strict=True)),
        }


def combine(parts: Iterable[Mapping]) -> dict:
    """Sum of the spectra of contigs (`Spectrum.as_dict`), contigs in the order given. Classes and strata are in their
    order, and filters sorted, also where the spectra were kept as JSON with sorted keys: the page shows them so.

    GoeError when two have other strata, or when there is none.
    """
    parts = list(parts)
    strata = {tuple(p["strata"]) for p in parts}
    if len(strata) != 1:
        what = "the contigs have different strata" if parts else "no contig has a spectrum"
        raise GoeError(Problem("spectrum of the release", what, "make the release of all contigs again"))
    found = _sum([{k: v for k, v in p.items() if k != "strata"} for p in parts])
    for key, order in (("classes", CLASSES), ("bins", CLASSES), ("cells", parts[0]["strata"])):
        found[key] = {name: found[key][name] for name in order}
    found["filters"] = dict(sorted(found["filters"].items()))
    return {"strata": parts[0]["strata"]} | found


def _sum(values: Sequence) -> Any:
    """Sum of numbers, of lists by place, or of dicts by key; a key that a dict lacks counts as nothing."""
    first = values[0]
    if isinstance(first, Mapping):
        keys = dict.fromkeys(key for value in values for key in value)
        return {key: _sum([value[key] for value in values if key in value]) for key in keys}
    if isinstance(first, list):
        return [sum(column) for column in zip(*values, strict=True)]
    return sum(values)
