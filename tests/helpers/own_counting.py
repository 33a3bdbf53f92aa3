"""Harmonise and count a cohort folder (samples.tsv, inputs.tsv) without the workflow, as its scripts do."""

import csv
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from goe.calls import joint, scan
from goe.calls.own_file import OwnFile
from goe.core.ledger import Ledger
from goe.frequencies import counts
from goe.frequencies.cohort import Cohort
from goe.genome.bed import read_bed
from goe.genome.build import Build, Region, read_fai, regions
from goe.genome.fasta import Reference
from goe.harmonise import batch, person
from goe.harmonise import files as harmonised
from goe.harmonise import records as harmonise
from goe.harmonise.genotypes import Filter


@dataclass(frozen=True)
class Options:
    rule: Filter = field(default_factory=Filter)
    respect_ft: bool = False
    keep: bool = False
    raw: bool = False
    size: int = 100_000
    people_per_batch: int = 1000
    accept: tuple[str, ...] = ()
    out: tuple[str, ...] = ()


def sheet(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(newline="") as handle:
        return list(csv.DictReader(handle, delimiter="\t"))


SEX = {"XX": "F", "female": "F", "2": "F", "XY": "M", "male": "M", "1": "M", "F": "F", "M": "M"}


def count_folder(folder: Path, work: Path, options: Options = Options()) -> list[dict]:
    """Rows of goe.frequencies.counts.schema of the cohort in `folder`; everything made on the way is in `work`."""
    fasta = str(folder / "ref.fa")
    contigs = read_fai(f"{fasta}.fai")
    build = Build("toy", contigs, [tuple(row[:3]) for row in read_bed(folder / "par.bed")], contigs)
    people = {row["sample_id"]: row for row in sheet(folder, "samples.tsv")}
    sex = {i: SEX.get(row["sex"], "U") for i, row in people.items()}
    inputs = sheet(folder, "inputs.tsv")
    work.mkdir(parents=True, exist_ok=True)
    own = []
    for row in inputs:
        if row["input_type"] in ("gvcf", "vcf"):
            name = row["sample_id"]
            file = OwnFile(folder / row["path"], name, contigs, {}, row["input_type"] == "gvcf")
            one = person.Harmoniser(
                file, build, fasta, sex[name], options.rule, options.keep, options.respect_ft, options.raw
            )
            paths = str(work / f"{name}.alleles.parquet"), str(work / f"{name}.runs.parquet")
            batch.write_person(one, work, *paths)
            one.ledger.check()
            own.append((name, *paths))
    batches = []
    for start in range(0, len(own), options.people_per_batch):
        out = {name: str(work / f"b{start}.{name}.parquet") for name in ("sites", "rows", "runs", "people")}
        batch.gather(own[start : start + options.people_per_batch], build, out)
        batches.append(out)
    found = regions(build, options.size)
    files = []
    for row in inputs:
        if row["input_type"] == "joint_vcf":
            path = str(folder / row["path"])
            held, _ = scan.scan(path, {}, contigs, found)
            records = {Region.parse(name): n for name, n in held.items()}
            files.append(joint.JointFile(path, {}, records))
    several = len(files) + len(batches) > 1
    for n, file in enumerate(files):
        for name, region in found.items():
            with joint.opened(file, region, tuple(harmonise.METRICS), harmonise.FIELDS) as reader:
                ids = reader.header.samples
                them = harmonise.People(ids, [sex[i] for i in ids], [frozenset()] * len(ids))
                splitter = harmonise.Splitter(
                    build, region, Reference(fasta), them, options.rule, options.respect_ft, options.raw, several
                )
                harmonised.split(reader, splitter, fasta, work / f"{n}.{name}.snvs.bcf", work / f"{n}.{name}.moved.bcf")
            splitter.ledger.check()
        for name, region in found.items():
            beside = [r for r, where in found.items() if where.contig == region.contig]
            at = beside.index(name)
            moved = [work / f"{n}.{r}.moved.bcf" for r in beside[max(0, at - 1) : at + 2]]
            ledger = Ledger(name)
            out = work / f"{n}.{name}.bcf"
            harmonised.merge(work / f"{n}.{name}.snvs.bcf", moved, build, region, options.raw, out, ledger)
            ledger.check()
    keep = {
        i: {"country_code": r["country_code"], "count_sex": sex[i], "keep": "no" if i in options.out else "yes"}
        for i, r in people.items()
    }
    rows: list[dict] = []
    for name, region in found.items():
        with ExitStack() as stack:
            readers = [
                stack.enter_context(harmonised.open_harmonised(work / f"{n}.{name}.bcf")) for n in range(len(files))
            ]
            opened = [stack.enter_context(batch.Batch.opened(paths)) for paths in batches]
            cohort = Cohort(readers, opened, build, region, options.raw)
            leaves = counts.Leaves.of_keep(cohort.ids, keep, "test")
            ledger = Ledger(name)
            for some in counts.count(cohort, leaves, ledger, options.accept):
                rows += some.to_pylist()
        ledger.check()
    return rows


def leaf_counts(rows: list[dict], prefix: str = "") -> dict[tuple[str, int, str, str], dict[str, list[int]]]:
    """(contig, pos, ref, alt) -> leaf -> people by call, leaves without anybody left out."""
    found = {}
    for row in rows:
        leaves: dict[str, list[int]] = {}
        for key, value in row.items():
            for n, measure in enumerate(counts.MEASURES):
                if key.startswith(f"{prefix}{measure}_"):
                    leaves.setdefault(key.removeprefix(f"{prefix}{measure}_"), [0] * 5)[n] = value
        found[row["contig"], row["pos"], row["ref"], row["alt"]] = {k: v for k, v in leaves.items() if np.any(v)}
    return found
