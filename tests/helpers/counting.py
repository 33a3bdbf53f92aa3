"""Harmonise and count a VCF without the workflow, region by region, as its scripts do."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
from goe.core.ledger import Ledger
from goe.frequencies import counts
from goe.genome.build import Build, regions
from goe.genome.fasta import Reference
from goe.harmonise import files as harmonised
from goe.harmonise import records as harmonise
from goe.harmonise.genotypes import Filter


def count_vcf(
    vcf: Path,
    fasta: Path,
    build: Build,
    sheet: dict[str, tuple[str, str]],
    size: int,
    folder: Path,
    **options,
) -> tuple[pa.Table, list[Ledger]]:
    """Table of counts (goe.frequencies.counts.schema) of a whole VCF, and the ledgers of its two passes for each
    region.

    sheet: sample_id -> (sex, country). size: region size in bases. options: `rule`, `count_sex` (sample_id -> sex),
    `raw`, `respect_ft`, `absent` (FORMAT fields that the file does not declare), `alone` (sample_ids with a file of
    their own), `accept` (FILTERs that count as PASS), `out` (sample_ids left out).
    """
    raw = options.get("raw", False)
    absent = frozenset(options.get("absent", ()))
    packed = folder / "in.bcf"
    subprocess.run(["bcftools", "view", "--no-version", "-Ob", "-o", packed, vcf], check=True)
    subprocess.run(["bcftools", "index", "-f", packed], check=True)
    found = regions(build, size)
    ledgers = []
    for name, region in found.items():
        where = ("--regions", f"{region.contig}:{region.start}-{region.end}", "--regions-overlap", "pos")
        with harmonised.open_split(packed, *where) as reader:
            ids = reader.header.samples
            people = harmonise.People(ids, [sheet[i][0] for i in ids], [absent] * len(ids), [""] * len(ids))
            people = replace(people, alone=[i in options.get("alone", ()) for i in ids])
            rule = options.get("rule", Filter())
            ft = options.get("respect_ft", False)
            splitter = harmonise.Splitter(build, region, Reference(str(fasta)), people, rule, ft, raw)
            harmonised.split(reader, splitter, fasta, folder / f"{name}.snvs.bcf", folder / f"{name}.moved.bcf")
        splitter.ledger.check()
        ledgers.append(splitter.ledger)
    tables = []
    keep = {
        i: {
            "country_code": c,
            "count_sex": options.get("count_sex", {}).get(i, s),
            "keep": "no" if i in options.get("out", ()) else "yes",
        }
        for i, (s, c) in sheet.items()
    }
    for name, region in found.items():
        beside = [n for n, r in found.items() if r.contig == region.contig]
        at = beside.index(name)
        ledger = Ledger(name)
        merged = folder / f"{name}.bcf"
        moved = [folder / f"{n}.moved.bcf" for n in beside[max(0, at - 1) : at + 2]]
        harmonised.merge(folder / f"{name}.snvs.bcf", moved, build, region, raw, merged, ledger)
        ledger.check()
        ledgers.append(ledger)
        with harmonised.open_harmonised(merged) as reader:
            leaves = counts.Leaves.of_keep(reader.header.samples, keep, "test")
            batches = counts.count(reader, leaves, raw, options.get("accept", ()))
            tables.append(pa.Table.from_batches(batches, counts.schema(leaves, raw)))
    return pa.concat_tables(tables), ledgers
