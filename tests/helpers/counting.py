"""Harmonise and count a VCF without the workflow, region by region, as its scripts do."""

import subprocess
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
from goe import counts, harmonise
from goe.alleles import Reference
from goe.bcf import open_bcf
from goe.build import Build, regions
from goe.genotypes import Filter
from goe.ledger import Ledger
from goe.run import feeding


def count_vcf(
    vcf: Path,
    fasta: Path,
    build: Build,
    sheet: dict[str, tuple[str, str]],
    size: int,
    folder: Path,
    **options,
) -> tuple[pa.Table, list[Ledger]]:
    """Table of counts (goe.counts.schema) of a whole VCF, and the ledgers of its two passes for each region.

    sheet: sample_id -> (sex, country). size: region size in bases. options: `rule`, `count_sex` (sample_id -> sex),
    `raw`, `respect_ft`, `absent` (FORMAT fields that the file does not declare).
    """
    raw = options.get("raw", False)
    formats = tuple(harmonise.FORMATS | harmonise.RAW_FORMAT)
    absent = frozenset(options.get("absent", ()))
    packed = folder / "in.bcf"
    subprocess.run(["bcftools", "view", "--no-version", "-Ob", "-o", packed, vcf], check=True)
    subprocess.run(["bcftools", "index", "-f", packed], check=True)
    found = regions(build, size)
    ledgers = []
    for name, region in found.items():
        norm = ["bcftools", "norm", "--no-version", "-f", fasta, "--check-ref", "e", "-Ou", "-"]
        sort = ["bcftools", "sort", "-T", folder / "sort", "-Ob", "-o", folder / f"{name}.split.bcf", "-"]
        where = ("--regions", f"{region.contig}:{region.start}-{region.end}", "--regions-overlap", "pos")
        with (
            open_bcf(packed, *where, info=tuple(harmonise.METRICS), formats=harmonise.FIELDS) as reader,
            feeding(norm, sort) as stream,
        ):
            ids = reader.header.samples
            people = harmonise.People(ids, [sheet[i][0] for i in ids], [absent] * len(ids), [""] * len(ids))
            rule = options.get("rule", Filter())
            ft = options.get("respect_ft", False)
            splitter = harmonise.Splitter(build, region, Reference(str(fasta)), people, rule, ft, raw)
            out = harmonise.writer(stream, reader.header, build, raw)
            for record in splitter(reader):
                out.write(record)
        splitter.ledger.check()
        ledgers.append(splitter.ledger)
    tables = []
    keep = {
        i: {"country_code": c, "count_sex": options.get("count_sex", {}).get(i, s), "keep": "yes"}
        for i, (s, c) in sheet.items()
    }
    for name, region in found.items():
        beside = [n for n, r in found.items() if r.contig == region.contig]
        at = beside.index(name)
        ledger = Ledger(name)
        with ExitStack() as stack:
            readers = [
                stack.enter_context(open_bcf(folder / f"{n}.split.bcf", info=tuple(harmonise.INFO), formats=formats))
                for n in beside[max(0, at - 1) : at + 2]
            ]
            merged = folder / f"{name}.bcf"
            stream = stack.enter_context(feeding(["bcftools", "view", "-Ob", "-o", merged, "-"]))
            out = harmonise.writer(stream, [r.header for r in readers], build, raw)
            for record in harmonise.merge_records(readers, region, ledger, raw):
                out.write(record)
        ledger.check()
        ledgers.append(ledger)
        with open_bcf(merged, info=tuple(harmonise.INFO), formats=formats) as reader:
            leaves = counts.Leaves.of_keep(reader.header.samples, keep, "test")
            tables.append(pa.Table.from_batches(counts.count(reader, leaves, raw), counts.schema(leaves, raw)))
    return pa.concat_tables(tables), ledgers
