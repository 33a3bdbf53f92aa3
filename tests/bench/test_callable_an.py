"""Callable AN of a made-up chromosome: time, memory and size, for a genome by its bases.

Callable stretches of people are made as files of batches, so that reading them is part of the time. A person has a hole
of 1 to 200 bases about every 2,000, a third of them where others have theirs.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from goe.genome.build import Build, regions
from goe.harmonise.batch import SPANS, Tables, windows
from helpers.stages import Cost, measure, write_spec

pytestmark = pytest.mark.bench

CONTIG, LENGTH, GENOME = "chr1", 8 << 20, 3_000_000_000
SPACING, PER_BATCH = 1500, 250
OPEN = {"open": True, "legal_basis": "bench"}
FLOOR = {"min_carriers": 5, "policy": "collapse", "protect": "carriers"}


def batches(folder: Path, people: int, length: int) -> list[Path]:
    """Runs of people in files of batches."""
    rng = np.random.default_rng(5)
    common = rng.integers(1, length, length // (2 * SPACING))
    paths = []
    for first in range(0, people, PER_BATCH):
        ids = [f"p{i:05d}" for i in range(first, min(people, first + PER_BATCH))]
        found = []
        for number in range(len(ids)):
            own = rng.integers(1, length, length // (2 * SPACING))
            holes = np.sort(np.concatenate([own, common[rng.random(len(common)) < 0.5] + rng.integers(0, 20)]))
            ends = np.maximum.accumulate(holes + rng.choice([1, 1, 3, 30, 200], len(holes)))
            start, end = np.append(1, ends), np.append(holes - 1, length)
            there = end >= start
            found.append((np.full(there.sum(), number), start[there], end[there]))
        person, start, end = (np.concatenate(c).astype(np.int32) for c in zip(*found, strict=True))
        paths.append(folder / f"{first}.runs.parquet")
        with Tables(paths[-1], SPANS, {"people": ids}) as out:
            for a, b in windows(length):
                here = (start <= b) & (end >= a)
                columns = person[here], np.maximum(start[here], a), np.minimum(end[here], b)
                two = np.full(here.sum(), 2)
                table = pa.table([*columns, two, np.zeros(here.sum(), bool)], names=SPANS.names).cast(SPANS)
                out.write(CONTIG, a, b, table)
    return paths


def tables(folder: Path, people: int) -> None:
    columns = ["sample_id", "country_code", "count_sex", "keep", "input_type"]
    rows = [[f"p{i:05d}", ("EE", "FI")[i % 3 == 0], "MF"[i % 2], "yes", "gvcf"] for i in range(people)]
    (folder / "keep.tsv").write_text("".join("\t".join(row) + "\n" for row in [columns, *rows]))


def made(folder: Path, people: int, disclosure: dict, length: int = LENGTH) -> tuple[Cost, Cost, int, int, int]:
    """Cost of the regions and of the contig, bytes of both files, and runs."""
    folder.mkdir()
    runs, build = batches(folder, people, length), Build("toy", {CONTIG: length}, [])
    tables(folder, people)
    shared = {"build": {"name": "toy", "contigs": build.contigs, "par": []}, "disclosure": disclosure}

    def run(script: str, **parts) -> Cost:
        return measure([sys.executable, "-m", "helpers.run_script", write_spec(folder, script, **parts)])

    def counted() -> Cost:
        return run(
            "frequencies_callable_an.py",
            input={"keep": folder / "keep.tsv", "people": folder / "keep.tsv"},
            output={"blocks": folder / "blocks.parquet"},
            params={
                **shared,
                "region": list(next(iter(regions(build, length).values()))),
                "runs": [str(path) for path in runs],
            },
        )

    def released() -> Cost:
        return run(
            "release_callable_an.py",
            wildcards={"contig": CONTIG},
            input={"blocks": [str(folder / "blocks.parquet")]},
            output={"table": folder / "table.parquet", "body": folder / "body.bed.gz"},
            params={**shared, "dataset": "ID"},
        )

    costs = counted(), released()
    sizes = [(folder / name).stat().st_size for name in ("table.parquet", "body.bed.gz")]
    return (*costs, *sizes, pq.read_metadata(folder / "table.parquet").num_rows)


def test_a_genome(tmp_path):
    scale = GENOME / LENGTH
    told = {}
    made(tmp_path / "warm", 20, FLOOR, 1 << 20)
    start = [cost.cpu for cost in made(tmp_path / "start", 20, FLOOR, 1 << 20)[:2]]
    for name, people, disclosure in (
        ("floor", 500, FLOOR),
        ("floor", 2000, FLOOR),
        ("open", 500, OPEN),
        ("open", 2000, OPEN),
    ):
        count, write, parquet, bed, rows = made(tmp_path / f"{name}{people}", people, disclosure)
        told[name, people] = count, write
        hours = [scale * (cost.cpu - before) / 3600 for cost, before in zip((count, write), start, strict=True)]
        print(
            f"\n{name} {people} people: regions {count.cpu:.1f} s CPU {count.megabytes:.0f} MB, "
            f"contig {write.cpu:.1f} s CPU {write.megabytes:.0f} MB; a genome: "
            f"{hours[0]:.2f} + {hours[1]:.2f} h CPU, {scale * rows / 1e6:,.0f} M runs, "
            f"Parquet {scale * parquet / 1e9:.2f} GB, BED {scale * bed / 1e9:.2f} GB"
        )
    print(json.dumps({"bases": LENGTH}))
    for name in ("floor", "open"):
        few, many = told[name, 500][0], told[name, 2000][0]
        assert many.cpu < 4.5 * few.cpu and many.megabytes < few.megabytes + 100
