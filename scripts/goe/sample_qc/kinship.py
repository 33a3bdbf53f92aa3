"""Kinship of every pair of people from the common autosomal SNVs, by plink2 (KING-robust)."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from goe.core.processes import tool
from goe.sample_qc import plink, relatedness

PRECISION_OF_UP_TO = 500
"""People whose kinship, also by either half of the SNVs, tells how exact it is: pairs enough, and quick at 20,000."""

_KING = ("--make-king-table", "counts", "cols=id,nsnp,ibs0,kinship")


def find(
    stem: str | Path,
    snvs: plink.Snvs,
    autosomes: int,
    limits: Mapping[str, float],
    threads: int,
    memory: int,
    scratch: str | Path,
) -> tuple[list[relatedness.Pair], dict]:
    """(pairs whose relation is told, in order; what was assessed) of the fileset STEM, which holds `snvs`.

    autosomes: number of regions on them, 0 where the reference has none; memory in MB; scratch: folder for what
    plink2 writes.
    """
    people = len(snvs.people)
    some, pairs = None, []
    if people >= 2 and snvs.used >= limits["kinship_min_snvs"]:
        run = plink.command(stem, snvs, threads, memory)
        pairs = _close(run, snvs.people, limits, scratch)
        if not relatedness.told_by_number(snvs.used, snvs.pruned):
            some = _of_some(run, stem, people, scratch)
    lowest, statement = relatedness.assess(people, snvs.used, snvs.pruned, some, limits)
    if not snvs.candidates and not autosomes:
        lowest, statement = None, "not assessed: the reference has no autosome"
    summary = {
        "people": people,
        "candidate_snvs": snvs.candidates,
        "used_snvs": snvs.used,
        "pruned": snvs.pruned,
        "lowest_kinship": lowest,
        "statement": statement,
    }
    return [p for p in sorted(pairs) if lowest is not None and p.kinship > lowest], summary


def _table(path: str | Path) -> Iterator[tuple[str, str, int, int, float]]:
    """(ID of one, ID of the other, SNVs of both, opposite homozygotes, kinship) of the pairs that have a kinship."""
    with Path(path).open() as handle:
        next(handle)
        for line in handle:
            b, a, shared, opposite, kinship = line.split()
            if np.isfinite(float(kinship)):
                yield a, b, int(shared), int(opposite), float(kinship)


def _close(
    run: Sequence[str], people: Sequence[str], limits: Mapping[str, float], scratch: str | Path
) -> list[relatedness.Pair]:
    """Pairs of the second degree or closer; run: of `plink.command`."""
    out = f"{scratch}/all"
    tool(*run, "--freq", "cols=altfreq", "--out", out)
    tool(*run, *_KING, "--king-table-filter", f"{limits['kinship_second_degree']:g}", "--out", out)
    with Path(f"{out}.afreq").open() as handle:
        next(handle)
        shares = [line.split()[-1] for line in handle]
    expected = relatedness.expected_ibs0(np.array([s for s in shares if s != "nan"], float))
    pairs = []
    for a, b, shared, opposite, kinship in _table(f"{out}.kin0"):
        first, second = sorted((people[int(a[1:])], people[int(b[1:])]))
        none = relatedness.k0(opposite, shared, expected, limits)
        pairs.append(relatedness.Pair(first, second, shared, kinship, none))
    return pairs


def _of_some(run: Sequence[str], stem: str | Path, n_people: int, scratch: str | Path) -> np.ndarray:
    """float[3, pairs], as `relatedness.spread` takes it: kinship of the same pairs by all SNVs and by either half."""
    with Path(f"{stem}.bim").open() as handle:
        ids = [line.split()[1] for line in handle]
    step = -(-n_people // PRECISION_OF_UP_TO)
    chosen = f"{scratch}/chosen"
    Path(chosen).write_text("".join(f"p{i}\n" for i in range(0, n_people, step)))
    found = []
    middle = len(ids) // 2
    for name, some in (("whole", ids), ("first", ids[:middle]), ("second", ids[middle:])):
        out = f"{scratch}/{name}"
        Path(f"{out}.ids").write_text("".join(f"{i}\n" for i in some))
        tool(*run, "--keep", chosen, "--extract", f"{out}.ids", "--out", out, *_KING)
        found.append({(a, b): kinship for a, b, _, _, kinship in _table(f"{out}.kin0")})
    every = sorted(found[0].keys() & found[1].keys() & found[2].keys())
    return np.array([[one[pair] for pair in every] for one in found])
