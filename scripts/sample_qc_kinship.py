"""Kinship of every pair of people from the common autosomal SNVs, by plink2 (KING-robust)."""

import json
import tempfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from goe import keep, logs, relatedness
from goe.errors import GoeError, Problem
from goe.run import tool

# All pairs are kept up to here: their spread tells how well relatives can be told. Above it only the close ones.
ALL_PAIRS_UP_TO = 2000

with logs.to(snakemake.log), tempfile.TemporaryDirectory(dir=Path(snakemake.output.pairs).parent) as scratch:
    params, limits = snakemake.params, keep.load(snakemake.input.guidelines, snakemake.params.thresholds).parameters
    # plink2 takes its work space at once: what the job was given, less what Python itself holds.
    memory = max(640, int(snakemake.resources.get("mem_mb", 4000) * 0.8))
    stem = f"{scratch}/common"
    people: list[str] | None = None
    n = 0
    numbers: dict[str, int] = {}
    last = ("", -1)
    # plink2 sees numbers in place of ids and contig names, so that none of them can mean something to it.
    with Path(f"{stem}.bed").open("wb") as bed, Path(f"{stem}.bim").open("w") as bim:
        bed.write(b"\x6c\x1b\x01")
        for path in snakemake.input.common:
            table = pq.read_table(path)
            meta = json.loads(table.schema.metadata[b"goe"])
            if people is not None and meta["samples"] != people:
                raise GoeError(Problem(path, "other people, or another order, than in the regions before"))
            people = meta["samples"]
            for contig, pos, ref, alt, row in zip(*(c.to_pylist() for c in table.columns), strict=True):
                place = (contig, pos // meta["spacing"])
                if place == last:
                    continue
                last = place
                number = numbers.setdefault(contig, len(numbers) + 1)
                bim.write(f"{number}\ts{n}\t0\t{pos}\t{alt}\t{ref}\n")
                bed.write(row)
                n += 1
    people = people or []
    Path(f"{stem}.fam").write_text("".join(f"0\tp{i}\t0\t0\t0\t-9\n" for i in range(len(people))))
    used, pruned, values, pairs = n, False, None, []
    if len(people) >= 2 and n >= limits["kinship_min_snvs"]:
        plink = ["plink2", "--bfile", stem, "--chr-set", str(len(numbers)), "--threads", str(snakemake.threads)]
        plink += ["--memory", str(memory), "--seed", "1"]
        if len(people) >= limits["ld_min_people"]:
            window, r2 = f"{limits['ld_window_kb']:g}kb", f"{limits['ld_max_r2']:g}"
            tool(*plink, "--indep-pairwise", window, r2, "--out", stem)
            used = len(Path(f"{stem}.prune.in").read_text().split())
            pruned = True
            plink += ["--extract", f"{stem}.prune.in"]
    if len(people) >= 2 and used >= limits["kinship_min_snvs"]:
        table = ["--make-king-table", "cols=id,nsnp,kinship", "--out", stem]
        if len(people) > ALL_PAIRS_UP_TO:
            table += ["--king-table-filter", f"{limits['kinship_second_degree']:g}"]
        tool(*plink, *table)
        kinships = []
        with Path(f"{stem}.kin0").open() as handle:
            next(handle)
            for line in handle:
                b, a, snvs, kinship = line.split()
                value = float(kinship)
                if np.isfinite(value):
                    kinships.append(value)
                    if value > limits["kinship_second_degree"]:
                        first, second = sorted((people[int(a[1:])], people[int(b[1:])]))
                        pairs.append(relatedness.Pair(first, second, int(snvs), value))
        values = np.array(kinships) if len(people) <= ALL_PAIRS_UP_TO else None
    lowest, statement = relatedness.assess(len(people), used, pruned, values, limits)
    if not snakemake.input.common:
        lowest, statement = None, "not assessed: the reference has no autosome"
    rows = [
        (p.a, p.b, str(p.n_snvs), f"{p.kinship:.6f}", relatedness.degree(p.kinship, limits) or "")
        for p in sorted(pairs)
        if lowest is not None and p.kinship > lowest
    ]
    keep.write_tsv(snakemake.output.pairs, ("sample_a", "sample_b", "n_snvs", "kinship", "degree"), rows)
    said = {
        "people": len(people),
        "candidate_snvs": n,
        "used_snvs": used,
        "pruned": pruned,
        "lowest_kinship": lowest,
        "statement": statement,
    }
    Path(snakemake.output.statement).write_text(json.dumps(said, indent=1) + "\n")
