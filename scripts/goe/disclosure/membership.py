"""How well the published frequencies tell whether a person, whose genome somebody has, is in the cohort.

The strongest test that there is for it compares how likely the person's genotypes are under the published frequencies
and under those of the population (likelihood ratio; Sankararaman et al. 2009, Nat. Genet. 41:965; after Homer et al.
2008, PLoS Genet. 4:e1000167):

    LR = sum over sites of g ln(f / p) + (2 - g) ln((1 - f) / (1 - p))

g: copies of the allele, f: published frequency, p: frequency in the population. No floor stops it, because it lives on
common alleles. At m independent sites of n people, power is about Phi(sqrt(m / n) - 1.645) at 5 % false positives.
Heterozygotes and homozygotes are published too, so the same ratio can be had for genotypes: with three classes in place
of two it is as if there were twice as many sites (`power_with_genotype_counts`).

The figure is by simulation on what is published. Members get their genotypes from the published counts, and the
frequency in the population is drawn from Beta(AC, AN - AC): what it may have been, given the counts, when rare alleles
are common as in a population of constant size (density 1 / p). So sites are as the floor left them. Non-members get
theirs from that frequency, which the attacker knows: no attacker knows more.

Neighbouring sites are not independent. `power` uses the most common allele of each 100 kb of the autosomes, not
closer than 50 kb to the one before, where linkage disequilibrium of European populations has mostly gone; it is below
what all sites together give. `power_if_all_sites_were_independent` is above it.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from goe.core.errors import Problem, stop_on
from goe.frequencies.block import Block
from goe.genome.build import contig_class
from goe.rules.stratum import TOTAL

WINDOW, GAP = 100_000, 50_000
FALSE_POSITIVES = 0.05
# The normal quantile of 1 - FALSE_POSITIVES.
_Z = 1.6448536269514722
SIMULATED, REPEATS = 1_000, 5
# Small enough to stay in the cache of a core, and for the matrix product to stay on one.
_SITES_AT_ONCE = 32
# What else is tried: (key, words).
CHANGES = (
    ("a_tenth_of_the_sites", "a tenth of the sites"),
    ("a_hundredth_of_the_sites", "a hundredth of the sites"),
    ("only_af_from_1_to_99_percent", "only alleles with AF of 1 to 99 %"),
    ("only_af_from_5_to_95_percent", "only alleles with AF of 5 to 95 %"),
    ("af_rounded_to_3_decimals", "AF rounded to 3 decimals, without AC and AN"),
    ("af_rounded_to_2_decimals", "AF rounded to 2 decimals, without AC and AN"),
    ("ten_times_the_people", "ten times as many people in the stratum"),
)
_COUNTS = ("ac", "an", "het", "hom")


def strata_to_ask(people: Mapping[str, int]) -> tuple[str, ...]:
    """Total and the smallest other published stratum. people: published stratum -> people."""
    others = [s for s in people if s != TOTAL]
    return (TOTAL, *sorted(others, key=lambda s: (people[s], others.index(s)))[:1])


class Sites:
    """The sites of one contig that the test uses, collected from its blocks.

    Only numbers that are public (`Block.shown`) of alleles with FILTER PASS that some but not all carry.
    """

    def __init__(self, contig: str, strata: Sequence[str]):
        self.autosome = contig_class(contig) == "autosome"
        self.contig, self.strata = contig, tuple(strata)
        self.totals = {s: {"sites": 0, "information": 0.0} for s in strata}
        self._best: dict[str, list[np.ndarray]] = {s: [] for s in strata}

    def write(self, block: Block) -> None:
        if not self.autosome:
            return
        passed = pc.equal(block.filter, "PASS").to_numpy(zero_copy_only=False)
        pos = block.pos.to_numpy().astype(np.int64)
        shown = block.shown()
        for stratum in self.strata:
            s = block.strata.index(stratum)
            n = block.numbers
            ac, an = n.ac[s].astype(np.int64), n.an[s].astype(np.int64)
            use = shown[s] & passed & (ac > 0) & (ac < an)
            rows = np.stack([pos, ac, an, n.ac_het[s], n.nhomalt[s]], axis=1)[use]
            self.totals[stratum]["sites"] += len(rows)
            self.totals[stratum]["information"] += float((2 / rows[:, 2]).sum())
            best = _best_of_windows(rows)
            kept = self._best[stratum]
            # A window may go on from the block before.
            if kept and len(best) and kept[-1][0, 0] // WINDOW == best[0, 0] // WINDOW:
                kept[-1] = _best_of_windows(np.concatenate((kept[-1], best[:1])))
                best = best[1:]
            kept += [best[i : i + 1] for i in range(len(best))]

    def save(self, path: str | Path) -> None:
        """A Parquet file of the sites: stratum, pos, ac, an, het, hom (het and hom in people)."""
        columns: dict[str, list[Any]] = {name: [] for name in ("stratum", "pos", *_COUNTS)}
        for stratum in self.strata:
            rows = np.concatenate(self._best[stratum]) if self._best[stratum] else np.empty((0, 5), np.int64)
            rows = rows[_apart(rows[:, 0])]
            columns["stratum"] += [stratum] * len(rows)
            for i, name in enumerate(("pos", *_COUNTS)):
                columns[name] += rows[:, i].tolist()
        types = {"stratum": pa.string()} | dict.fromkeys(("pos", *_COUNTS), pa.int64())
        table = pa.table({name: pa.array(values, types[name]) for name, values in columns.items()})
        about = json.dumps({"contig": self.contig, "totals": self.totals}, sort_keys=True)
        pq.write_table(table.replace_schema_metadata({"goe": about}), path, compression="zstd")


def _best_of_windows(rows: np.ndarray) -> np.ndarray:
    """The row with the frequency nearest to a half in each window, the first of equals. rows: pos, ac, an, ..."""
    frequency = rows[:, 1] / rows[:, 2]
    window = rows[:, 0] // WINDOW
    order = np.lexsort((np.arange(len(rows)), np.abs(frequency - 0.5), window))
    first = np.ones(len(rows), dtype=bool)
    first[1:] = np.diff(window[order]) != 0
    return rows[order[first]]


def _apart(pos: np.ndarray) -> np.ndarray:
    """Indices of positions, taken in order, that are at least GAP from the one taken before."""
    taken: list[int] = []
    for i, p in enumerate(pos.tolist()):
        if not taken or p - int(pos[taken[-1]]) >= GAP:
            taken.append(i)
    return np.array(taken, dtype=np.int64)


def theory(information: float) -> float:
    """Power at 5 % false positives of independent sites. information: the sum of 2 / AN, which is m / n.

    Sankararaman et al. 2009: sqrt(m / n) is the sum of the normal quantiles of power and of 1 - false positives.
    """
    return 0.5 * math.erfc((_Z - math.sqrt(information)) / math.sqrt(2))


def power(counts: np.ndarray, seed: str) -> dict[str, float]:
    """Power at 5 % false positives by simulation: from frequencies (`frequencies`), from numbers of heterozygotes and
    homozygotes (`genotype_counts`), and from frequencies after every change of CHANGES.

    counts: int (sites, 4) with AC, AN in alleles, het, hom in people, 0 < AC < AN. seed: the same text gives the same
    figure. The mean of REPEATS draws of the population, each with SIMULATED members and as many others. Memory does not
    depend on the number of sites.
    """
    digest = hashlib.sha256(seed.encode()).digest()
    generator = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))
    sums = dict.fromkeys(("frequencies", "genotype_counts", *(key for key, _ in CHANGES)), 0.0)
    for _ in range(REPEATS):
        # Fewer sites are a part of an order that does not depend on where they lie.
        rank = generator.permutation(len(counts))
        found = _simulated(counts, rank, 1, generator)
        found["ten_times_the_people"] = _simulated(counts, rank, 10, generator)["frequencies"]
        for name, value in found.items():
            sums[name] += value
    return {name: value / REPEATS for name, value in sums.items()}


def _simulated(counts: np.ndarray, rank: np.ndarray, times: int, generator: np.random.Generator) -> dict[str, float]:
    n = len(counts)
    names: list[str] = []
    members = others = np.zeros((0, SIMULATED))
    for start in range(0, n, _SITES_AT_ONCE):
        ac, an, het, hom = counts[start : start + _SITES_AT_ONCE].T
        frequency = ac / an
        # Kept off 0 and 1, which a draw for very few alleles can round to.
        population = np.clip(generator.beta(times * ac, times * (an - ac)), 1e-12, 1 - 1e-12)
        people = an / 2
        called = np.stack([1 - (het + hom) / people, het / people, hom / people])
        expected = np.stack([(1 - population) ** 2, 2 * population * (1 - population), population**2])
        part = rank[start : start + _SITES_AT_ONCE]
        common = np.minimum(frequency, 1 - frequency)
        scores = {"frequencies": _of_frequency(frequency, population)}
        if times == 1:
            scores |= {
                # A genotype that no member has is as good as one that half a person has.
                "genotype_counts": np.log(np.maximum(called, 0.5 / people) / expected),
                "a_tenth_of_the_sites": scores["frequencies"] * (part < n / 10),
                "a_hundredth_of_the_sites": scores["frequencies"] * (part < n / 100),
                "only_af_from_1_to_99_percent": scores["frequencies"] * (common >= 0.01),
                "only_af_from_5_to_95_percent": scores["frequencies"] * (common >= 0.05),
                "af_rounded_to_3_decimals": _of_frequency(_rounded(frequency, 3), population),
                "af_rounded_to_2_decimals": _of_frequency(_rounded(frequency, 2), population),
            }
        names = list(scores)
        if not len(members):
            members, others = (np.zeros((len(names), SIMULATED)) for _ in range(2))
        by_genotype = np.stack(list(scores.values()))
        members += _summed(generator, called, by_genotype)
        others += _summed(generator, expected, by_genotype)
    # Sums may differ in their last bits with the number of cores.
    members, others = members.round(6), others.round(6)
    limit = np.quantile(others, 1 - FALSE_POSITIVES, axis=1, method="higher", keepdims=True)
    # Few sites give ties: those at the limit are taken with the chance that makes it 5 % of the others.
    share = (FALSE_POSITIVES - (others > limit).mean(axis=1)) / (others == limit).mean(axis=1)
    found = (members > limit).mean(axis=1) + share * (members == limit).mean(axis=1)
    return dict(zip(names, found.tolist(), strict=True))


def _summed(generator: np.random.Generator, share: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Sums over sites (scores, SIMULATED) of people drawn from the shares of genotypes.

    share: float64 (3, sites) of people with 0, 1 and 2 copies. scores: float64 (scores, 3, sites).
    """
    u = generator.random((share.shape[1], SIMULATED), dtype=np.float32)
    carriers = (u < 1 - share[0][:, None]).astype(np.float64)
    homozygous = (u < share[2][:, None]).astype(np.float64)
    none, one, two = scores[:, 0], scores[:, 1], scores[:, 2]
    return np.asarray(none.sum(axis=1, keepdims=True) + (one - none) @ carriers + (two - one) @ homozygous)


def _of_frequency(frequency: np.ndarray, population: np.ndarray) -> np.ndarray:
    """float64 (3, sites): what 0, 1 and 2 copies of the allele add to LR."""
    copy, other = np.log(frequency / population), np.log((1 - frequency) / (1 - population))
    return np.stack([2 * other, copy + other, 2 * copy])


def _rounded(frequency: np.ndarray, decimals: int) -> np.ndarray:
    """Rounded frequencies; what is rounded to 0 or 1 is taken for a quarter of a unit off it."""
    return np.asarray(np.clip(frequency.round(decimals), 0.25 * 10**-decimals, 1 - 0.25 * 10**-decimals))


def figure(paths: Iterable[str | Path], people: Mapping[str, int], dataset: str) -> dict[str, Any]:
    """The section of the disclosure report.

    paths: files of `Sites.save`, one for each contig, in any order. people: public number of people by stratum.
    dataset: the id, which is the seed. GoeError when the files do not agree on the strata.
    """
    totals: dict[str, dict[str, float]] = {}
    counts: dict[str, list[np.ndarray]] = {}
    read = []
    for path in paths:
        table = pq.read_table(path)
        about = json.loads(table.schema.metadata[b"goe"])
        read.append((about["contig"], str(path), about["totals"], table))
    read.sort(key=lambda entry: entry[0])
    stop_on(
        [
            Problem(path, f"strata differ from those of {read[0][1]}", "make the files of all contigs again")
            for _, path, found, _ in read[1:]
            if list(found) != list(read[0][2])
        ]
    )
    for _, _, found, table in read:
        for stratum, total in found.items():
            sums = totals.setdefault(stratum, {"sites": 0, "information": 0.0})
            for key, value in total.items():
                sums[key] += value
            part = table.filter(pc.equal(table["stratum"], stratum))
            columns = [part[name].to_numpy() for name in _COUNTS]
            counts.setdefault(stratum, []).append(np.stack(columns, axis=1))
    strata = [
        _of_stratum(s, people[s], totals[s], np.concatenate(counts[s]), dataset)
        for s in sorted(totals, key=list(people).index)
    ]
    return {
        "test": "likelihood ratio of a known genome under the published frequencies and under those of the population "
        "(Sankararaman et al. 2009, Nat. Genet. 41:965)",
        "false_positives": FALSE_POSITIVES,
        "simulated": {"members": REPEATS * SIMULATED, "non_members": REPEATS * SIMULATED},
        "sites": f"autosomal alleles with FILTER PASS; used is the most common one of each {WINDOW // 1000} kb, at "
        f"least {GAP // 1000} kb apart",
        "strata": strata,
        "in_words": words(strata),
    }


def _of_stratum(
    stratum: str, people: int, total: Mapping[str, float], counts: np.ndarray, dataset: str
) -> dict[str, Any]:
    out = {
        "stratum": stratum,
        "people": people,
        "sites_published": int(total["sites"]),
        "sites_used": len(counts),
        "power": None,
        "power_by_formula": None,
        "power_with_genotype_counts": None,
        "power_if_all_sites_were_independent": None,
        "power_with": {},
    }
    if len(counts):
        found = power(counts, f"{dataset} {stratum}")
        out["power"] = round(found.pop("frequencies"), 2)
        out["power_with_genotype_counts"] = round(found.pop("genotype_counts"), 2)
        out["power_by_formula"] = round(theory(float((2 / counts[:, 1]).sum())), 2)
        out["power_if_all_sites_were_independent"] = round(theory(total["information"]), 2)
        out["power_with"] = {key: round(value, 2) for key, value in found.items()}
    return out


def words(strata: Sequence[Mapping[str, Any]]) -> list[str]:
    """The figure in sentences."""
    out = [
        "A floor on counts does not stop membership inference: who has the genome of a person, and the frequencies of "
        "the population the cohort is from, can test whether that person is in the cohort. The figures are for an "
        "attacker who knows the frequencies of the population exactly; with less knowledge the test does worse. It "
        "finds close relatives of members too, though less often."
    ]
    measured = [s for s in strata if s["power"] is not None]
    for s in strata:
        name = s["stratum"]
        if s not in measured:
            out.append(f"{name}: no autosomal allele is published, so there is no figure.")
            continue
        out.append(
            f"{name} ({s['people']} people): from {s['sites_used']} sites far apart, the test on frequencies finds "
            f"{_percent(s['power'])} of the members and takes {_percent(FALSE_POSITIVES)} of the others for members; "
            f"with the numbers of heterozygotes and homozygotes it finds {_percent(s['power_with_genotype_counts'])}. "
            f"If all {s['sites_published']} published sites were independent it would find "
            f"{_percent(s['power_if_all_sites_were_independent'])}; the truth is in between."
        )
        tried = "; ".join(f"{words} {_percent(s['power_with'][key])}" for key, words in CHANGES)
        out.append(f"{name}, what it would find instead with: {tried}.")
    if measured:
        needed = ", ".join(f"{_half(s['people'])} for {s['stratum']}" for s in measured)
        out.append(
            f"By the formula, half of the members are found with {needed} independent sites (2.7 for each person). "
            "What lowers it is more people in a stratum, far fewer sites, no numbers of heterozygotes and homozygotes, "
            "or noise in the frequencies; a higher floor, or leaving rare alleles out, takes away alleles that the "
            "test does not need. Yes-or-no answers, as a Beacon gives them (Shringarpure and Bustamante 2015, Am. J. "
            "Hum. Genet. 97:631), say less than the frequencies."
        )
    out.append("X, Y and M and filtered alleles are not in these figures, nor alleles that lie close together.")
    return out


def _percent(share: float) -> str:
    return "over 99 %" if share > 0.99 else f"{100 * share:.0f} %"


def _half(people: int) -> int:
    """Independent sites at which power is a half: m = n z^2."""
    return math.ceil(people * _Z**2)
