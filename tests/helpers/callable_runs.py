"""Callable AN of people who are made up, through the library's writers, and by counting base by base."""

import random
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from goe.disclosure import control
from goe.disclosure.plan import choose_strata
from goe.frequencies import callable_an as blocks
from goe.frequencies.counts import Leaves
from goe.genome.build import Build, regions
from goe.harmonise.batch import SPANS, Called
from goe.release import callable_an as contigs
from goe.release.formats import callable_an, sites_vcf
from goe.rules.policy import Policy

from helpers import plain_people as pp

PAR = [("chrX", 1, 130), ("chrX", 700, 800), ("chrY", 1, 60), ("chrY", 280, 300)]
BUILD = Build("toy", {"chr20": 1000, "chrX": 800, "chrY": 300, "chrM": 90}, PAR)


class Spans:
    """A batch of people with these runs, read as `Called`. runs: contig -> arrays of person, start, end, ploidy."""

    def __init__(self, ids, runs):
        self.ids, self.runs = ids, runs

    def read(self, contig, start, end):
        person, first, last, code = self.runs[contig]
        here = (first <= end) & (last >= start)
        columns = person[here], np.maximum(first[here], start), np.minimum(last[here], end), code[here]
        arrays = [pa.array(c, f.type) for c, f in zip(columns, SPANS, strict=False)]
        return pa.Table.from_arrays([*arrays, pa.array(np.zeros(here.sum(), bool))], schema=SPANS)


@dataclass
class Cohort:
    """people: id -> (country, sex, kind of input); ploidy: contig -> int8 (people, bases), 0 where not callable; out:
    those who do not count."""

    people: dict[str, tuple[str, str, str]]
    ploidy: dict[str, np.ndarray] = field(default_factory=dict)
    out: frozenset[str] = frozenset()

    @property
    def keep(self):
        return {
            i: {"country_code": c, "count_sex": sex, "keep": "no" if i in self.out else "yes"}
            for i, (c, sex, _) in self.people.items()
        }

    def of(self, contig: str, who) -> np.ndarray:
        """int8 (people, bases): alleles of those who count and for whom who(id) holds."""
        rows = [i not in self.out and kind != "vcf" and who(i) for i, (*_, kind) in self.people.items()]
        return self.ploidy[contig][rows]

    def an(self, contig: str, stratum: str) -> np.ndarray:
        """Callable AN at each base."""
        return self.of(contig, lambda i: is_of(stratum, *self.people[i][:2])).sum(axis=0, dtype=int)

    def batch(self, ids) -> Spans:
        """The runs of some of the people."""
        runs = {}
        for contig, ploidy in self.ploidy.items():
            rows = []
            for number, person in enumerate(ids):
                values = ploidy[[*self.people].index(person)]
                edges = np.flatnonzero(np.diff(values, prepend=-1, append=-1))
                rows += [(number, a + 1, b, values[a]) for a, b in pairwise(edges) if values[a]]
            runs[contig] = np.array(rows, int).reshape(-1, 4).T
        return Spans(list(ids), runs)


def is_of(stratum: str, country: str, sex: str) -> bool:
    return stratum in ("Total", sex, country, f"{country}_{sex}")


def drawn(seed: int, sizes: dict[str, int], build: Build = BUILD, shared: float = 0.5) -> Cohort:
    """A cohort whose people are callable but for holes, some of them everybody's. sizes: people by leaf."""
    chance = random.Random(seed)
    kinds = ["gvcf"] * 9 + ["vcf"]
    people = {f"{leaf}{i}": (*leaf.split("_"), chance.choice(kinds)) for leaf, n in sizes.items() for i in range(n)}
    one = Cohort(people, out=frozenset(i for i in people if chance.random() < 0.05))
    for contig, length in build.contigs.items():
        common = [_hole(chance, length) for _ in range(5)]
        of_sex = {sex: [pp.ploidy(contig, pos, sex, build.par) for pos in range(1, length + 1)] for sex in "MFU"}
        one.ploidy[contig] = np.array([of_sex[sex] for _, sex, _ in people.values()], np.int8)
        for values in one.ploidy[contig]:
            holes = [_hole(chance, length) for _ in range(chance.randrange(6))]
            for start, end in [*holes, *(hole for hole in common if chance.random() < shared)]:
                values[start:end] = 0
    return one


def _hole(chance: random.Random, length: int) -> tuple[int, int]:
    start = chance.randrange(length)
    return start, start + chance.choice([1, 1, 3, 20, 100])


def write(
    folder: Path,
    cohort: Cohort,
    policy: Policy,
    build: Build = BUILD,
    size: int = 10**6,
    stretch: int = 64,
    people_per_batch: int = 10**6,
    before=None,
    covered=None,
) -> Path:
    """Write the files of a release, as its rules do; `folder`. before: contig -> what to keep of an earlier one;
    covered: ids of those whose reads tell, where files are of coverage."""
    ids = list(cohort.people)
    batches = [cohort.batch(ids[i : i + people_per_batch]) for i in range(0, len(ids), people_per_batch)]
    kinds = {i: kind for i, (*_, kind) in cohort.people.items()}
    return write_from(folder, batches, cohort.keep, kinds, policy, build, size, stretch, before, covered)


def write_from(
    folder: Path, batches: list[Called], keep, kinds, policy, build, size: int, stretch: int, before=None, covered=None
) -> Path:
    folder.mkdir(parents=True)
    leaves = Leaves.of_keep(list(keep), keep, "test")
    groups = control.published_groups(choose_strata(leaves.people, policy.min_stratum_size), policy)
    cut = regions(build, size)
    bodies = []
    for contig in build.contigs:
        paths = []
        for name, region in cut.items():
            if region.contig == contig:
                kept = before(contig) if before else None
                them = blocks.People(leaves, list(keep), kinds, groups, contig, kept, covered, policy.k)
                paths.append(folder / f"{name}.blocks.parquet")
                blocks.write(blocks.Blocks(batches, them, policy.k, build, stretch), region, paths[-1])
        bodies.append(folder / f"{contig}.body.gz")
        told = None if covered is None else {"min_dp": 10, "min_dp_haploid": 5, "min_mapq": 20}
        contigs.write(paths, contig, build, "ID", policy, folder / f"{contig}.parquet", bodies[-1], coverage=told)
    strata = callable_an.strata_of(folder / f"{contig}.parquet")
    track = callable_an.CALLED if covered is None else callable_an.PROXY
    sites_vcf.join(callable_an.head(strata, track), bodies, folder / "all.bed.gz", "bed")
    return folder


def bases(path: Path) -> dict[str, np.ndarray]:
    """Stratum -> number at each base of a released table, which has to go over the contig without gaps."""
    table = pq.read_table(path)
    start, end = table["start"].to_numpy(), table["end"].to_numpy()
    assert start[0] == 0 and (start[1:] == end[:-1]).all() and (end > start).all()
    return {
        name.rpartition("an_")[2]: np.repeat(table[name].to_numpy(), end - start) for name in table.column_names[3:]
    }
