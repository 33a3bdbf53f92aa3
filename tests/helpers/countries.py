"""Made-up datasets of several countries with a known truth, as the sum takes them."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from goe.collect import form
from goe.collect.dataset import Dataset, File
from goe.disclosure.silence import FLOOR, UNKNOWN, ZERO, Silence
from goe.frequencies import strata as st
from goe.frequencies.block import Block
from goe.genome.build import Build

CONTIG, LENGTH = "chr20", 60
BUILD = Build("toy", {CONTIG: LENGTH}, [])
BASES = "ACGT"


@dataclass
class Country:
    """A dataset of people of one or two origins on an autosome, and what it publishes.

    carriers: allele -> leaf -> (het, hom), for every allele that is thought of. called: leaf -> people called at each
    position (0-based). k: floor, 1 for none. filtered: alleles that are. track: whether it has callable AN; below: by
    how many alleles that may be below the truth, as its metadata say.
    """

    name: str
    people: dict[str, int]
    called: dict[str, np.ndarray]
    carriers: dict[tuple[int, str, str], dict[str, tuple[int, int]]]
    k: int = 1
    filtered: frozenset = frozenset()
    track: bool = True
    silent: bool = False
    below: int | None = None
    strata: tuple[str, ...] = field(init=False)

    def __post_init__(self):
        self.strata = tuple(form.ordered({s for leaf in self.people for s in _whole(leaf)}))

    def size(self, stratum: str) -> int:
        return sum(n for leaf, n in self.people.items() if stratum in _whole(leaf))

    def an(self, allele, stratum: str) -> int:
        return 2 * sum(int(self.called[leaf][allele[0] - 1]) for leaf in self.people if stratum in _whole(leaf))

    def count(self, allele, stratum: str) -> tuple[int, int]:
        """AC and homozygotes in truth."""
        mine = [c for leaf, c in self.carriers.get(allele, {}).items() if stratum in _whole(leaf)]
        return sum(het + 2 * hom for het, hom in mine), sum(hom for _, hom in mine)

    def fine(self, allele, stratum: str) -> bool:
        mine = [c for leaf, c in self.carriers.get(allele, {}).items() if stratum in _whole(leaf)]
        carriers = sum(het + hom for het, hom in mine)
        others = self.an(allele, stratum) // 2 - carriers
        return not (0 < carriers < self.k or 0 < others < self.k)

    def listed(self, allele) -> bool:
        """As a release decides: by carriers under a floor; an open one lists what anybody is thought to carry."""
        if allele not in self.carriers:
            return False
        if self.k <= 1:
            return True
        return self.count(allele, "Total")[0] > 0 and self.fine(allele, "Total")

    def shown(self, allele, stratum: str) -> bool:
        return stratum == "Total" or all(self.fine(allele, s) for s in self.strata)

    def filter(self, allele) -> str:
        if allele in self.filtered:
            return "HWE"
        return "PASS" if self.count(allele, "Total")[0] else "AC0"


def _whole(leaf: str) -> tuple[str, ...]:
    country, sex = leaf.split("_")
    return ("Total", sex, country, leaf)


def draw(rng: np.random.Generator, name: str, origins: list[str], people: int, alleles, k=1, **more) -> Country:
    """A random country: each allele with a frequency of its own, positions where few are callable."""
    sizes = {f"{c}_{s}": int(rng.integers(max(1, people // 2), people + 1)) for c in origins for s in "MF"}
    rate = rng.choice([0.0, 0.5, 1.0, 1.0], LENGTH)
    called = {leaf: rng.binomial(n, rate) for leaf, n in sizes.items()}
    carriers = {}
    for allele in alleles:
        if rng.random() < 0.6:
            p = float(rng.choice([0, 0.02, 0.1, 0.5, 0.97]))
            mine = {}
            for leaf in sizes:
                n = int(called[leaf][allele[0] - 1])
                hom = int(rng.binomial(n, p * p))
                mine[leaf] = (int(rng.binomial(n - hom, 2 * p * (1 - p))), hom)
            carriers[allele] = mine
    filtered = frozenset(a for a in carriers if rng.random() < 0.1)
    return Country(name, sizes, called, carriers, k, filtered, **more)


def alleles(rng: np.random.Generator, n: int) -> list[tuple[int, str, str]]:
    """Alleles, several at some positions, some of them insertions and deletions."""
    found = set()
    for _ in range(n):
        pos, ref = int(rng.integers(1, LENGTH - 5)), str(rng.choice(list(BASES)))
        alt = str(rng.choice([b for b in BASES if b != ref]))
        found.add(
            [(pos, ref, alt), (pos, ref, ref + alt), (pos, ref + alt, ref)][int(rng.choice(3, p=[0.7, 0.2, 0.1]))]
        )
    return sorted(found)


def dataset(one: Country, folder: Path, number: int) -> Dataset:
    """What is published of a country, as the collection takes it."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = [a for a in sorted(one.carriers) if one.listed(a)]
    shape = (len(one.strata), len(listed))
    counts = {name: np.zeros(shape, np.int32) for name in ("ac", "an", "ac_hom", "ac_het", "ac_hemi", "nhomalt")}
    mask = np.zeros(shape, bool)
    for j, allele in enumerate(listed):
        for i, stratum in enumerate(one.strata):
            mask[i, j] = one.shown(allele, stratum)
            if mask[i, j]:
                ac, hom = one.count(allele, stratum)
                row = (ac, one.an(allele, stratum), 2 * hom, ac - 2 * hom, 0, hom)
                for name, value in zip(counts, row, strict=True):
                    counts[name][i, j] = value
    people = {s: one.size(s) for s in one.strata}
    table = folder / f"{one.name}.parquet"
    with form.Table(table, CONTIG, people) as out:
        if listed:
            pos, ref, alt = (pa.array(list(x)) for x in zip(*listed, strict=True))
            words = pa.array([one.filter(a) for a in listed])
            numbers = st.Numbers(**counts)
            out.write(Block(CONTIG, pos.cast(pa.int32()), ref, alt, words, mask, one.strata, numbers, {}))
    return Dataset(
        number=number,
        name=one.name,
        kind="release",
        counted_by="goe",
        id=one.name,
        country=one.strata[-1][:2],
        people=people,
        silence=Silence(UNKNOWN) if one.silent else Silence(ZERO) if one.k <= 1 else Silence(FLOOR, one.k, one.k - 1),
        zygosity=one.strata,
        tables={CONTIG: File.of(table)},
        callable_an={CONTIG: File.of(track(one, folder / f"{one.name}.callable_an.parquet"))} if one.track else {},
    )


def track(one: Country, path: Path) -> Path:
    """Callable AN as runs; under a floor up to k-1 people less than the truth."""
    columns = {f"an_{s}": [one.an((p, "", ""), s) for p in range(1, LENGTH + 1)] for s in one.strata}
    if one.k > 1:
        columns = {
            name: [max(0, an - 2 * (p % one.k)) for p, an in enumerate(values)] for name, values in columns.items()
        }
    runs, begin = [], 0
    for p in range(1, LENGTH + 1):
        if p == LENGTH or any(v[p] != v[begin] for v in columns.values()):
            if any(v[begin] for v in columns.values()):
                runs.append({"contig": CONTIG, "start": begin, "end": p, **{n: v[begin] for n, v in columns.items()}})
            begin = p
    kinds = [("contig", pa.string()), ("start", pa.int32()), ("end", pa.int32())]
    said = [{"stratum": s, "people": one.size(s), "an_at_most_below": one.below} for s in one.strata]
    about = {"goe": json.dumps({"strata": said})} if one.below is not None else None
    schema = pa.schema([*kinds, *((name, pa.int32()) for name in columns)], about)
    pq.write_table(pa.Table.from_pylist(runs, schema=schema), path)
    return path
