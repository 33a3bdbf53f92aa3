"""Kinship of every pair of people from the common autosomal SNVs, by plink2 (KING-robust)."""

import json
import tempfile
from pathlib import Path

import numpy as np
from goe import keep, logs, plink, relatedness
from goe.run import tool

# All pairs are kept up to here: their spread tells how well relatives can be told. Above it only the close ones.
ALL_PAIRS_UP_TO = 2000

with logs.to(snakemake.log), tempfile.TemporaryDirectory(dir=Path(snakemake.output.pairs).parent) as scratch:
    limits = keep.load(snakemake.input.guidelines, snakemake.params.thresholds).parameters
    snvs = plink.Snvs.read(snakemake.input.about)
    people = snvs.people
    memory = int(snakemake.resources.get("mem_mb", 4000) * 0.8)
    values, pairs, expected = None, [], 0.0
    if len(people) >= 2 and snvs.used >= limits["kinship_min_snvs"]:
        run = plink.command(Path(snakemake.input.bed).with_suffix(""), snvs, snakemake.threads, memory)
        out = f"{scratch}/all"
        tool(*run, "--freq", "cols=altfreq", "--out", out)
        table = ["--make-king-table", "counts", "cols=id,nsnp,ibs0,kinship", "--out", out]
        if len(people) > ALL_PAIRS_UP_TO:
            table += ["--king-table-filter", f"{limits['kinship_second_degree']:g}"]
        tool(*run, *table)
        with Path(f"{out}.afreq").open() as handle:
            next(handle)
            shares = [line.split()[-1] for line in handle]
        expected = relatedness.expected_ibs0(np.array([s for s in shares if s != "nan"], float))
        kinships = []
        with Path(f"{out}.kin0").open() as handle:
            next(handle)
            for line in handle:
                b, a, shared, opposite, kinship = line.split()
                value = float(kinship)
                if np.isfinite(value):
                    kinships.append(value)
                    if value > limits["kinship_second_degree"]:
                        first, second = sorted((people[int(a[1:])], people[int(b[1:])]))
                        none = relatedness.k0(int(opposite), int(shared), expected, limits)
                        pairs.append(relatedness.Pair(first, second, int(shared), value, none))
        values = np.array(kinships) if len(people) <= ALL_PAIRS_UP_TO else None
    lowest, statement = relatedness.assess(len(people), snvs.used, snvs.pruned, values, limits)
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
