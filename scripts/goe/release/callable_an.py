"""Callable AN of a contig of a release, from the blocks of its regions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from goe.disclosure.control import published_groups
from goe.disclosure.plan import choose_strata
from goe.frequencies.beside_earlier import EARLIER, KEPT, LOWERED
from goe.frequencies.callable_an import Contig, Part, Rows, ploidy_of
from goe.genome.build import Build, class_breaks, contig_class
from goe.release import notes
from goe.release.formats import callable_an as files
from goe.release.formats.sites_vcf import Body
from goe.release.report import callable_steps
from goe.rules.dataset import COVERAGE_PROXY, GVCF_ADJ, VARIANT_SITES_ONLY
from goe.rules.policy import Policy
from goe.rules.stratum import SEXES, TOTAL, parse


def least(strata: Sequence[str], groups: Sequence[Sequence[str]], build: Build, contig: str, k: int) -> dict[str, int]:
    """Stratum -> by how many alleles at most its numbers are below the truth on this contig.

    groups: the smallest ones, as leaves. Of one that no stratum gives by sex, nothing is told of who is in it.
    """
    classes = sorted({of_class for _, _, of_class in class_breaks(build, contig)})
    found = dict.fromkeys(strata, 0)
    for group in groups:
        sexes: Iterable[str] = {parse(leaf).sex for leaf in group} if _by_sex(group, strata) else "MFU"
        ploidies = [int(ploidy_of(sex)[classes].max()) for sex in sexes]
        alleles = sum(ploidies) if contig_class(contig) in ("X", "Y") else max(ploidies)
        for s in strata:
            if all(parse(s).holds(parse(leaf)) for leaf in group):
                found[s] += 2 * (max(k, 1) - 1) * alleles
    return found


def everybody(people: Mapping[str, int], build: Build, contig: str) -> dict[str, int]:
    """Stratum -> alleles of all its people: how far its numbers may be below the truth beside an earlier release, of
    whose people more may be called today. people: by published stratum."""
    classes = sorted({of_class for _, _, of_class in class_breaks(build, contig)})
    return {s: n * max(int(ploidy_of(sex)[classes].max()) for sex in "MFU") for s, n in people.items()}


def _by_sex(group: Sequence[str], strata: Sequence[str]) -> bool:
    countries = {parse(leaf).country for leaf in group}
    return any(s in strata for s in [*SEXES, *(f"{c}_{sex}" for c in countries for sex in SEXES)])


def runs(
    found: Iterable[Rows], groups: Sequence[Part], strata: Sequence[str], build: Build, contig: str
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """(start, end, an) of runs in order, without gaps: int64 (runs,) 1-based, inclusive; int64 (strata, runs).

    found: people of the parts `groups`. Neighbours with the same numbers are one run.
    """
    start, an = np.array([1]), np.zeros((len(strata), 1), np.int64)
    first = True
    for begin, numbers in _sums(found, groups, strata, build, contig):
        # The last run is held back: it may go on.
        start, an = (begin, numbers) if first else (np.append(start, begin), np.hstack([an, numbers]))
        first = False
        new = np.flatnonzero(np.append(True, (an[:, 1:] != an[:, :-1]).any(axis=0)))
        start, an = start[new], an[:, new]
        if len(new) > 1:
            yield start[:-1], start[1:] - 1, an[:, :-1]
        start, an = start[-1:], an[:, -1:]
    yield start, np.array([build.contigs[contig]]), an


def _sums(
    found: Iterable[Rows], groups: Sequence[Part], strata: Sequence[str], build: Build, contig: str
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(start, an) of the runs of each stretch, cut also where ploidy changes."""
    holds = [[all(parse(s).holds(parse(leaf)) for leaf in part.leaves) for part in groups] for s in strata]
    breaks = np.array(class_breaks(build, contig), np.int64)
    ploidy = np.array([part.ploidy for part in groups], np.int64)
    for one in found:
        inside = (breaks[:, 0] > one.start[0]) & (breaks[:, 0] <= one.end[-1])
        start = np.union1d(one.start, breaks[inside, 0])
        people = one.people[:, np.searchsorted(one.start, start, "right") - 1]
        of_class = breaks[np.searchsorted(breaks[:, 0], start, "right") - 1, 2]
        yield start, np.array(holds, np.int64) @ (people * ploidy[:, of_class])


def write(
    paths: Sequence[str | Path],
    contig: str,
    build: Build,
    dataset: str,
    policy: Policy,
    table: str | Path,
    body: str | Path | None,
    lookup: str | Path | None = None,
    threads: int = 1,
    coverage: Mapping[str, int] | None = None,
) -> None:
    """Write the table of a contig and, unless they are None, its lines of the BED file and its steps for the page.

    paths: blocks of its regions, in order. coverage: of callable AN by coverage, its thresholds.
    """
    found = Contig(paths, contig)
    plan = choose_strata(found.about["leaves"], policy.min_stratum_size)
    people = notes.public_people(plan, policy.k)
    groups = published_groups(plan, policy)
    track = files.CALLED if coverage is None else files.PROXY
    method = GVCF_ADJ if found.about["callable"] else VARIANT_SITES_ONLY
    facts: dict[str, Any] = {"dataset": dataset, "build": build.name}
    if coverage is not None:
        method, facts["coverage"] = COVERAGE_PROXY, dict(coverage)
    if found.lowered is None or not groups:
        short = least(tuple(people), groups, build, contig, policy.k)
    else:
        short = everybody(people, build, contig)
        facts[EARLIER] = LOWERED if found.lowered else KEPT
    wanted = files.schema(facts, people, contig, method, short, track)
    with ExitStack() as stack:
        out = stack.enter_context(files.Writer(table, wanted))
        text = stack.enter_context(Body(body, threads)) if body is not None else None
        steps = (
            stack.enter_context(callable_steps.Writer(lookup, contig, people[TOTAL])) if lookup is not None else None
        )
        for one in files.tables(runs(found, found.parts, tuple(people), build, contig), wanted):
            out.group(one)
            if text:
                text.write(files.lines(one))
            if steps:
                steps.write(one)
