"""Principal components of the cohort by plink2, and the distance of everybody from the own country."""

import json
import tempfile
from pathlib import Path

import numpy as np
from goe.core import logs, seal, tables
from goe.core.processes import tool
from goe.rules import sample_thresholds as sample_rules
from goe.sample_qc import ancestry, keep, plink, relatedness


def columns_of(path, names):
    """Numbers (from 1) of columns of a table of plink2, whatever columns its version puts between them."""
    with Path(path).open() as handle:
        head = next(handle).lstrip("#").split()
    return [head.index(name) + 1 for name in names]


def components(stem, snvs, plan, scratch, memory):
    """float[people of plan.used and plan.projected, components] in this order, and the eigenvalues."""
    # One thread: sums of floating-point numbers depend on how work is shared, and the cohort's table must not.
    run = plink.command(stem, snvs, 1, memory)
    out = f"{scratch}/pca"
    place = {p: i for i, p in enumerate(snvs.people)}
    Path(f"{out}.used").write_text("".join(f"p{place[p]}\n" for p in plan.used))
    everybody = [*plan.used, *plan.projected]
    Path(f"{out}.all").write_text("".join(f"p{place[p]}\n" for p in everybody))
    # --bad-freqs lets fewer than 50 people stand for their own frequencies.
    chosen = ["--keep", f"{out}.used", "--mac", "1", "--bad-freqs", "--freq", "counts"]
    how = ["approx"] if plan.approximate else []
    tool(*run, *chosen, "--pca", *how, "allele-wts", str(plan.components), "--out", out)
    # All are placed by the weights, so that those who made the components and the others are on one scale.
    name, allele, first = columns_of(f"{out}.eigenvec.allele", ("ID", "A1", "PC1"))
    score = ["--score", f"{out}.eigenvec.allele", str(name), str(allele), "header-read", "no-mean-imputation"]
    score += ["variance-standardize", "--score-col-nums", f"{first}-{first + plan.components - 1}"]
    tool(*run, "--keep", f"{out}.all", "--read-freq", f"{out}.acount", *score, "--out", out)
    id_at, first = columns_of(f"{out}.sscore", ("IID", "PC1_AVG"))
    found = {}
    with Path(f"{out}.sscore").open() as handle:
        next(handle)
        for line in handle:
            cells = line.split()
            found[cells[id_at - 1]] = [float(c) for c in cells[first - 1 : first - 1 + plan.components]]
    values = [float(line) for line in Path(f"{out}.eigenval").read_text().split()]
    return np.array([found[f"p{place[p]}"] for p in everybody]), values


with (
    logs.to(snakemake.log),
    seal.job(snakemake),
    tempfile.TemporaryDirectory(dir=Path(snakemake.output.people).parent) as scratch,
):
    limits = sample_rules.load(snakemake.input.guidelines, snakemake.params.thresholds).parameters
    sheet = tables.read_people(snakemake.input.people)
    pairs = [relatedness.pair_of(row) for row in tables.read(snakemake.input.pairs)]
    snvs = plink.Snvs.read(snakemake.input.about)
    withdrawn = [p for p in snvs.people if sheet[p]["withdrawn"] == "yes"]
    plan = ancestry.plan(snvs.people, withdrawn, pairs, snvs.used, snvs.basis, limits)
    values, rows, few, columns = [], [], [], ancestry.HEAD
    if plan.components:
        stem = Path(snakemake.input.bed).with_suffix("")
        memory = int(snakemake.resources.get("mem_mb", 4000) * 0.8)
        found, values = components(stem, snvs, plan, scratch, memory)
        found = ancestry.oriented(found)
        people = [*plan.used, *plan.projected]
        countries = [sheet[p]["country_code"] for p in people]
        computed = np.arange(len(people)) < len(plan.used)
        far, few = ancestry.distances(found, countries, computed, limits)
        columns = (*ancestry.HEAD, *(f"pc{i}" for i in range(1, plan.components + 1)))
        for person, country, own, distance, here in zip(people, countries, computed, far, found, strict=True):
            basis = ancestry.COMPUTED if own else ancestry.PROJECTED
            told = "" if np.isnan(distance) else f"{distance:.2f}"
            rows.append((person, country, basis, told, *(f"{x:.5g}" for x in here)))
    keep.write_tsv(snakemake.output.people, columns, sorted(rows))
    said = {
        "statement": "; ".join([plan.statement, *([ancestry.unassessed(few, limits)] if few else [])]),
        "people": len(plan.used),
        "projected": len(plan.projected),
        "components": plan.components,
        "snvs": snvs.used,
        "pruned": snvs.pruned,
        "approximate": plan.approximate,
        "eigenvalues": [float(f"{v:.4g}") for v in values],
        "not_assessed": few,
    }
    Path(snakemake.output.statement).write_text(json.dumps(said, indent=1) + "\n")
