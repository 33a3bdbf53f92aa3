"""Harmonise and count a VCF without the workflow, region by region, as its scripts do."""

import subprocess
from pathlib import Path

import pyarrow as pa
from goe.calls import joint, scan
from goe.core.ledger import Ledger
from goe.frequencies import counts
from goe.frequencies.cohort import Cohort
from goe.genome.build import Build, Region, regions
from goe.genome.fasta import Reference
from goe.harmonise import files as harmonised
from goe.harmonise import records as harmonise
from goe.harmonise.genotypes import Filter
from goe.hts import parquet


def count_vcf(
    vcf: Path,
    fasta: Path,
    build: Build,
    sheet: dict[str, tuple[str, str]],
    size: int,
    folder: Path,
    **options,
) -> tuple[pa.Table, list[Ledger]]:
    """Table of counts (goe.frequencies.counts.schema) of a whole joint VCF, and the ledgers of its two passes for each
    region. The counters of its people are in `folder`, a file `{region}.people.parquet` each.

    sheet: sample_id -> (sex, country). size: region size in bases. options: `rule`, `count_sex` (sample_id -> sex),
    `raw`, `respect_ft`, `absent` (FORMAT fields that the file does not declare), `accept` (FILTERs that count as PASS),
    `out` (sample_ids left out), `starts` (also what people are for site alleles of other files).
    """
    raw = options.get("raw", False)
    absent = frozenset(options.get("absent", ()))
    packed = folder / "in.bcf"
    subprocess.run(["bcftools", "view", "--no-version", "-Ob", "-o", packed, vcf], check=True)
    subprocess.run(["bcftools", "index", "-f", packed], check=True)
    found = regions(build, size)
    held, _ = scan.scan(str(packed), {}, build.contigs, found)
    file = joint.JointFile(str(packed), {}, {Region.parse(name): n for name, n in held.items()})
    ledgers = []
    for name, region in found.items():
        with joint.opened(file, region, tuple(harmonise.METRICS), harmonise.FIELDS) as reader:
            ids = reader.header.samples
            people = harmonise.People(ids, [sheet[i][0] for i in ids], [absent] * len(ids))
            rule = options.get("rule", Filter())
            ft, starts = options.get("respect_ft", False), options.get("starts", False)
            splitter = harmonise.Splitter(build, region, Reference(str(fasta)), people, rule, ft, raw, starts)
            harmonised.split(reader, splitter, fasta, folder / f"{name}.snvs.bcf", folder / f"{name}.moved.bcf")
        splitter.ledger.check()
        ledgers.append(splitter.ledger)
        parquet.write(splitter.people_table(), folder / f"{name}.people.parquet")
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
            cohort = Cohort([reader], [], build, region, raw)
            leaves = counts.Leaves.of_keep(cohort.ids, keep, "test")
            of_cohort = Ledger(f"frequencies {name}")
            batches = list(counts.count(cohort, leaves, of_cohort, options.get("accept", ())))
            of_cohort.check()
            tables.append(pa.Table.from_batches(batches, counts.schema(leaves, raw)))
    return pa.concat_tables(tables), ledgers
