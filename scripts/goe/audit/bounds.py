"""How far two runs may be apart where the tools that align or call were other versions.

Only the people who come as reads can have other genotypes for it, and each of them has two alleles of a site at most,
called or not: so AC and AN of a stratum move by no more than twice its people of that kind. That is a bound, and no
choice. The second one is a choice made here: of all site alleles no more than `MOST` may have anything else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from goe.audit.provenance import Provenance
from goe.compare.differences import NUMBERS
from goe.compare.run import Comparison
from goe.frequencies import strata as st

TOOLS = ("bwa", "bwa-mem2", "samtools", "bcftools")
"""Tools of which another version may give other genotypes from the same reads."""
MOST = 0.01
"""Part of all site alleles that may differ in anything."""
_READS = ("fastq", "ubam", "bam", "cram")
# What such a difference may show in. People who are counted otherwise are no matter of a genotype.
_MAY = frozenset(NUMBERS) - {"people", "strata", "contigs"}


@dataclass(frozen=True)
class Bounds:
    """Whether bounds apply (tools: those of another version; else why not), and what is beyond them."""

    tools: tuple[str, ...]
    why_not: str
    stated: tuple[str, ...] = ()
    beyond: tuple[str, ...] = ()

    @property
    def hold(self) -> bool:
        return not self.why_not and not self.beyond

    def as_dict(self) -> dict[str, Any]:
        return {
            "tools": list(self.tools),
            "applied": not self.why_not,
            "why_not": self.why_not or None,
            "stated": list(self.stated),
            "beyond": list(self.beyond),
        }


def from_reads(keep: Iterable[Mapping[str, str]], people: Mapping[str, Mapping[str, str]]) -> dict[str, int]:
    """Leaf stratum -> people who are counted and came as reads. keep: rows of keep.tsv; people: people.tsv, by id."""
    out: dict[str, int] = {}
    for row in keep:
        if row["keep"] == "yes" and people[row["sample_id"]]["input_type"] in _READS:
            leaf = f"{row['country_code']}_{row['count_sex']}"
            out[leaf] = out.get(leaf, 0) + 1
    return out


def look(found: Comparison, provenance: Provenance, reads: Mapping[str, int]) -> Bounds:
    """reads: `from_reads`."""
    tools = tuple(sorted({cause.what for cause in provenance.of("versions")} & set(TOOLS)))
    others = sorted({cause.kind for cause in provenance.causes} - {"versions", "environments"})
    if not tools:
        return Bounds((), "no tool that aligns or calls had another version")
    if others:
        return Bounds(tools, f"more than versions differs: {', '.join(others)}")
    if not reads:
        return Bounds(tools, "nobody came as reads")
    seen = found.alleles
    every = seen.both + seen.only_a + seen.only_b
    apart = seen.differ + seen.only_a + seen.only_b
    stated = [f"of {every:,} site alleles at most {MOST:.0%} differ in anything: {apart:,} do"]
    beyond = [stated[0]] if apart > MOST * every else []
    for stratum, largest in seen.largest.items():
        most = 2 * sum(n for leaf, n in reads.items() if stratum == st.TOTAL or st.members(stratum, [leaf]))
        words = f"AC and AN of {stratum} are at most {most} apart: {max(largest.ac, largest.an)}"
        stated.append(words)
        beyond += [words] if max(largest.ac, largest.an) > most else []
    kinds = sorted(set(found.differences.kinds) & set(NUMBERS) - _MAY)
    beyond += [f"no genotype explains another number of {kind}" for kind in kinds]
    return Bounds(tools, "", tuple(stated), tuple(beyond))
