"""Who is in the cohort, and their haplotypes from a coalescent simulation."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from goe.demo.genome import LENGTHS


@dataclass(frozen=True)
class DemoPerson:
    """One made-up person.

    true_sex: XX, XY or XXY; sheet_sex: what samples.tsv says; input_type: one of the seven;
    style: the writer's dialect (see `writers`); planted: faults put in on purpose, `kind` or `kind:other id`.
    """

    sample_id: str
    country: str
    true_sex: str
    input_type: str
    style: str = ""
    sheet_sex: str = ""
    planted: tuple[str, ...] = ()

    @property
    def sheet(self) -> str:
        """Sex as written on the sheet: M, F or an aneuploid's code."""
        return self.sheet_sex or {"XX": "F", "XY": "M"}.get(self.true_sex, self.true_sex)

    @property
    def count_sex(self) -> str:
        """Sex as counted, from the sheet alone: M, F or U."""
        return self.sheet if self.sheet in ("M", "F") else "U"

    @property
    def vcf_born(self) -> bool:
        """Whether the person's genotypes come from the generator and not from a caller."""
        return self.input_type in ("gvcf", "vcf", "joint_vcf")


def roster() -> list[DemoPerson]:
    """The people, Estonians first, then Finns (the order of the simulated samples).

    Ids hold text that careless readers turn into numbers (`007`, `1E5`). Who is related or copied is unrelated
    to everybody else.
    """
    p = DemoPerson
    estonians = [
        p("EE001", "EE", "XX", "fastq", style="two_libraries"),
        p("EE002", "EE", "XY", "ubam"),
        p("EE003", "EE", "XY", "cram"),
        p("EE004", "EE", "XX", "gvcf", style="gatk4"),
        p("EE005", "EE", "XX", "gvcf", style="gatk4", planted=("duplicate_of:EE010",)),
        p("EE006", "EE", "XX", "gvcf", style="bcftools_new"),
        p("EE007", "EE", "XY", "vcf", style="unnormalised"),
        p("EE008", "EE", "XY", "vcf", style="mnv"),
        p("EE010", "EE", "XX", "joint_vcf"),
        p("EE011", "EE", "XX", "joint_vcf", sheet_sex="M", planted=("wrong_sex",)),
        p("EE012", "EE", "XY", "joint_vcf", planted=("contaminated:EE014",)),
        p("EE013", "EE", "XX", "joint_vcf"),
        p("EE014", "EE", "XY", "joint_vcf"),
        p("EE015", "EE", "XX", "joint_vcf"),
        p("EE016", "EE", "XY", "joint_vcf"),
        p("EE017", "EE", "XY", "joint_vcf"),
        p("007", "EE", "XX", "joint_vcf"),
        p("1E5", "EE", "XY", "joint_vcf"),
    ]
    finns = [
        p("FI001", "FI", "XY", "fastq", style="one_library"),
        p("FI002", "FI", "XX", "bam"),
        p("FI003", "FI", "XY", "gvcf", style="gatk3"),
        p("FI004", "FI", "XY", "gvcf", style="bcftools_old", planted=("child_of:FI010",)),
        p("FI005", "FI", "XX", "vcf", style="renamed"),
        p("FI010", "FI", "XX", "joint_vcf"),
        p("FI011", "FI", "XXY", "joint_vcf", planted=("aneuploid",)),
        p("FI012", "FI", "XX", "joint_vcf", planted=("low_coverage",)),
        p("FI013", "FI", "XY", "joint_vcf"),
        p("FI014", "FI", "XX", "joint_vcf"),
        p("FI015", "FI", "XY", "joint_vcf"),
        p("FI016", "FI", "XX", "joint_vcf"),
        p("FI017", "FI", "XY", "joint_vcf"),
        p("FI018", "FI", "XX", "joint_vcf"),
    ]
    return estonians + finns


MUTATION_RATE = 4e-8
"""Per bp and generation, about 3 times the human rate: 200 kb must give relatedness and sex checks the hundreds of
common SNVs that a real chromosome has, while reads still map as usual (about one variant every 120 bp)."""

PIECE = 250
"""Length of the pieces of chr20 and chrX that have a genealogy of their own, bp. In one genealogy with the human
recombination rate 200 kb are a few trees, so that unrelated people look like cousins; in pieces they hold as many
independent SNVs as a whole chromosome, and kinship of unrelated people stays near 0."""


def _demography(scale: float) -> Any:
    """Two European-like populations that split 150 generations ago, after one bottleneck; sizes times `scale`."""
    import msprime

    d = msprime.Demography()
    d.add_population(name="EE", initial_size=9_000 * scale)
    d.add_population(name="FI", initial_size=3_500 * scale)
    d.add_population(name="ANC", initial_size=7_000 * scale)
    d.add_population_split(time=150, derived=["EE", "FI"], ancestral="ANC")
    d.add_population_parameters_change(time=900, initial_size=3_000 * scale, population="ANC")
    d.add_population_parameters_change(time=1_100, initial_size=14_000 * scale, population="ANC")
    return d


@dataclass(frozen=True)
class Sites:
    """Simulated sites of one contig: pos int64[S] (1-based), carried uint8[S, people, 2] (1 = derived allele)."""

    pos: np.ndarray
    carried: np.ndarray


def simulate(people: list[DemoPerson], seed: int) -> dict[str, Sites]:
    """Haplotypes of all people on each contig, before relations and sexes are put in.

    chrX has two haplotypes for everybody (the second of an XY person is the pseudoautosomal part of his Y);
    chrY and chrM have one, in both columns.
    """
    import msprime

    n = {c: sum(p.country == c for p in people) for c in ("EE", "FI")}
    setups = {
        # contig: (effective size relative to autosomes, length of a piece, mutation rate factor, haplotypes)
        "chr20": (1.0, PIECE, 1.0, 2),
        "chrX": (0.75, PIECE, 1.0, 2),
        "chrY": (0.25, LENGTHS["chrY"], 2.0, 1),
        "chrM": (0.25, LENGTHS["chrM"], 10.0, 1),
    }
    out = {}
    for i, (contig, (scale, piece, factor, ploidy)) in enumerate(setups.items()):
        pieces = msprime.sim_ancestry(
            samples=[msprime.SampleSet(n[c], population=c, ploidy=ploidy) for c in ("EE", "FI")],
            sequence_length=piece,
            demography=_demography(scale),
            random_seed=(seed + 7 * i) % 2**31 + 1,
            num_replicates=LENGTHS[contig] // piece,
            ploidy=2,
        )
        pos, carried = [], []
        for k, trees in enumerate(pieces):
            trees = msprime.sim_mutations(
                trees,
                rate=MUTATION_RATE * factor,
                random_seed=(seed + 7 * i + 1000 * k) % 2**31 + 2,
                model=msprime.BinaryMutationModel(),
            )
            carried.append(trees.genotype_matrix() > 0)
            pos.append(trees.tables.sites.position.astype(np.int64) + 1 + k * piece)
        both = np.concatenate(carried).astype(np.uint8).reshape(-1, len(people), ploidy)
        out[contig] = Sites(np.concatenate(pos), np.broadcast_to(both, (len(both), len(people), 2)).copy())
    return out


def relate(people: list[DemoPerson], sites: dict[str, Sites], seed: int) -> None:
    """Put the duplicate and the child in, in place.

    The mother passes one recombined haplotype (one crossover) of chr20 and chrX, and her chrM; the child's other
    haplotypes are those the simulation gave him, a father outside the cohort.
    """
    rng = np.random.default_rng([seed, 2])
    index = {p.sample_id: i for i, p in enumerate(people)}
    for child, person in enumerate(people):
        for fault in person.planted:
            kind, _, other = fault.partition(":")
            if kind == "duplicate_of":
                for s in sites.values():
                    s.carried[:, child] = s.carried[:, index[other]]
            elif kind == "child_of":
                mother = index[other]
                for contig in ("chr20", "chrX"):
                    s = sites[contig]
                    cross = rng.integers(LENGTHS[contig] // 5, LENGTHS[contig] * 4 // 5)
                    first = int(rng.integers(0, 2))
                    strand = np.where(s.pos < cross, first, 1 - first)
                    s.carried[:, child, 0] = s.carried[np.arange(len(s.pos)), mother, strand]
                sites["chrM"].carried[:, child] = sites["chrM"].carried[:, mother]
