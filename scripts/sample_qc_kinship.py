"""Kinship of every pair of people from the common autosomal SNVs, by plink2 (KING-robust)."""

import json
import tempfile
from pathlib import Path

import numpy as np
from goe.core import logs, seal
from goe.core.processes import tool
from goe.rules import sample_thresholds as sample_rules
from goe.sample_qc import keep, plink, relatedness

# People whose kinship, also by either half of the SNVs, tells how exact it is: pairs enough, and quick at 20,000.
PRECISION_OF_UP_TO = 500


def table_of(path):
    """(ID of one, ID of the other, SNVs of both, opposite homozygotes, kinship) of the pairs that have a kinship."""
    with Path(path).open() as handle:
        next(handle)
        for line in handle:
            b, a, shared, opposite, kinship = line.split()
            if np.isfinite(float(kinship)):
                yield a, b, int(shared), int(opposite), float(kinship)


def kinships_of_some(run, stem, n_people, scratch):
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
        where = ["--keep", chosen, "--extract", f"{out}.ids", "--out", out]
        tool(*run, *where, "--make-king-table", "counts", "cols=id,nsnp,ibs0,kinship")
        found.append({(a, b): kinship for a, b, _, _, kinship in table_of(f"{out}.kin0")})
    every = sorted(found[0].keys() & found[1].keys() & found[2].keys())
    return np.array([[one[pair] for pair in every] for one in found])


with (
    logs.to(snakemake.log),
    seal.job(snakemake),
    tempfile.TemporaryDirectory(dir=Path(snakemake.output.pairs).parent) as scratch,
):
    limits = sample_rules.load(snakemake.input.guidelines, snakemake.params.thresholds).parameters
    snvs = plink.Snvs.read(snakemake.input.about)
    people = snvs.people
    memory = int(snakemake.resources.get("mem_mb", 4000) * 0.8)
    some, pairs = None, []
    if len(people) >= 2 and snvs.used >= limits["kinship_min_snvs"]:
        stem = Path(snakemake.input.bed).with_suffix("")
        run = plink.command(stem, snvs, snakemake.threads, memory)
        out = f"{scratch}/all"
        tool(*run, "--freq", "cols=altfreq", "--out", out)
        close = ["--king-table-filter", f"{limits['kinship_second_degree']:g}"]
        tool(*run, "--make-king-table", "counts", "cols=id,nsnp,ibs0,kinship", *close, "--out", out)
        with Path(f"{out}.afreq").open() as handle:
            next(handle)
            shares = [line.split()[-1] for line in handle]
        expected = relatedness.expected_ibs0(np.array([s for s in shares if s != "nan"], float))
        for a, b, shared, opposite, kinship in table_of(f"{out}.kin0"):
            first, second = sorted((people[int(a[1:])], people[int(b[1:])]))
            none = relatedness.k0(opposite, shared, expected, limits)
            pairs.append(relatedness.Pair(first, second, shared, kinship, none))
        if not relatedness.told_by_number(snvs.used, snvs.pruned):
            some = kinships_of_some(run, stem, len(people), scratch)
    lowest, statement = relatedness.assess(len(people), snvs.used, snvs.pruned, some, limits)
    if not snvs.candidates and not snakemake.params.autosomes:
        lowest, statement = None, "not assessed: the reference has no autosome"
    told = [p for p in sorted(pairs) if lowest is not None and p.kinship > lowest]
    keep.write_tsv(snakemake.output.pairs, relatedness.COLUMNS, [relatedness.row(p, limits) for p in told])
    said = {
        "people": len(people),
        "candidate_snvs": snvs.candidates,
        "used_snvs": snvs.used,
        "pruned": snvs.pruned,
        "lowest_kinship": lowest,
        "statement": statement,
    }
    Path(snakemake.output.statement).write_text(json.dumps(said, indent=1) + "\n")
