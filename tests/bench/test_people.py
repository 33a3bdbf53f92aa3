"""Speed, memory and size of people with files of their own, as ratios within one run.

A person by itself beside `bgzip -dc` of the same file; the same people counted as what they carry and where they are
callable, and as a dense BCF.
"""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby, islice
from operator import attrgetter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from goe.core.batches import make as in_batches
from goe.genome.build import REGION_DIPLOID, Build
from goe.harmonise import batch
from goe.harmonise import files as harmonised
from goe.harmonise import genotypes as gt
from goe.harmonise.schemas import ALLELES, RUNS
from helpers import simulate
from helpers.stages import Cost, Stages, measure, person_params, told, write_spec

pytestmark = pytest.mark.bench

# Rows of a gVCF: about those of 50 Mb of a genome at 30x, of which every eighth carries an ALT.
ROWS, STEP, BASES, SEED = 500_000, 100, "ACGT", 4
# Rows of a made-up chromosome; contigs of real rows, and how often a slice of 0.1 Mb is repeated along each; jobs in
# turn, of which the least counts; what of the speed of `bgzip -dc` is asked for of these, start and all, by CPU.
CHROMOSOME, CONTIGS, COPIES, TURNS, OF_BGZIP = 2_000_000, 6, 160, 3, 0.35
# People whose gVCFs of 1 Mb are brought together, and the first of them, to tell what more of them take; rows of each,
# and the bases between places where a block may end. So all share 80,000 ends, and `bcftools merge` takes 0.1 s of CPU
# a person, which grows as the people do. Real blocks end anywhere, which is harder for it: ends of 200 people at places
# of their own it had not merged after 54 s.
TOGETHER, ROWS_TOGETHER, GRID = int(os.environ.get("GOE_BENCH_PEOPLE", "800")), 10_000, 10
FEWER, OF_MERGE, MERGE_SECONDS = TOGETHER // 4, 0.2, 900
PER_BATCH_TOGETHER = 256  # scatter.people_per_batch
# What a file of any size may take more than one of a thousand rows, and in all.
MORE_MEGABYTES, MEGABYTES, MORE = 100, 300, 15
EXTRA = ("people", "ledger")
PEOPLE, SITES, LENGTH, PER_BATCH = 2000, 8000, 450_000, 500
HEAD = """##fileformat=VCFv4.2
##ALT=<ID=NON_REF,Description="Any other allele">
##INFO=<ID=END,Number=1,Type=Integer,Description="Last position">
##INFO=<ID=BaseQRankSum,Number=1,Type=Float,Description="Rank sum of base qualities">
##INFO=<ID=DP,Number=1,Type=Integer,Description="Depth">
##INFO=<ID=MQ,Number=1,Type=Float,Description="Mapping quality">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Reads of each allele">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">
##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Quality">
##FORMAT=<ID=MIN_DP,Number=1,Type=Integer,Description="Least depth">
##FORMAT=<ID=PL,Number=G,Type=Integer,Description="Likelihoods">
"""


def reference(path: Path, rows: int) -> None:
    """One contig on which the base of a position is BASES[position % 4]."""
    length = (rows + 1) * STEP
    line = (BASES[1:] + BASES[:1]) * 15
    with path.open("w") as out:
        out.write(f">{simulate.CONTIG}\n")
        out.write(f"{line}\n" * (length // 60) + line[: length % 60] + "\n")
    subprocess.run(["samtools", "faidx", str(path)], check=True)


def drawn(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Depths, qualities and starts of the rows of a person."""
    rng = np.random.default_rng(seed)
    depths, qualities = rng.integers(8, 60, rows), rng.integers(15, 100, rows)
    return depths, qualities, np.arange(rows + 1) * STEP + rng.integers(1, STEP - 10, rows + 1)


def gvcf(path: Path, rows: int, name: str = "one", seed: int = SEED, grid: int = 1) -> None:
    """A gVCF as GATK writes it, without gaps: after a row with an ALT seven blocks; of these rows every seventh is an
    indel. Lengths, depths and qualities are random, so that one block in ten fails, on its own: no runs are harder to
    keep. The first person carries every ALT, others each with a frequency of its own. grid: bases between places where
    blocks may end."""
    depths, qualities, starts = drawn(rows, seed)
    starts -= starts % grid
    starts[::8] = drawn(rows, SEED)[2][::8]
    rare = np.random.default_rng(SEED).random(rows) ** 2
    carried = (np.arange(rows) % 8 == 0) & ((seed == SEED) | (np.random.default_rng(seed).random(rows) < rare))
    starts[1::8] = starts[0:-1:8] + 1
    starts, depths, qualities = starts.tolist(), depths.tolist(), qualities.tolist()
    with subprocess.Popen(["bgzip", "-c"], stdin=subprocess.PIPE, stdout=path.open("wb")) as pipe:
        lines = [HEAD + f"##contig=<ID={simulate.CONTIG},length={(rows + 1) * STEP}>\n"]
        lines.append(f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{name}\n")
        for n, (depth, quality) in enumerate(zip(depths, qualities, strict=True)):
            pos = starts[n]
            ref, other = BASES[pos % 4], BASES[(pos + 2) % 4]
            if not carried[n]:
                lines.append(
                    f"{simulate.CONTIG}\t{pos}\t.\t{ref}\t<NON_REF>\t.\t.\tEND={starts[n + 1] - 1}\tGT:DP:GQ:MIN_DP:PL"
                    f"\t0/0:{depth + 3}:{quality}:{depth}:0,{quality},{quality * 12}\n"
                )
            else:
                call = ("0/1", "1/1")[n % 3 == 0]
                reads = depth // 2 if call == "0/1" else 0
                alt = ref + other * 2 if n % 7 == 0 else other
                lines.append(
                    f"{simulate.CONTIG}\t{pos}\t.\t{ref}\t{alt},<NON_REF>\t812.6\t.\tBaseQRankSum=0.1;DP={depth};MQ=60\t"
                    f"GT:AD:DP:GQ:PL\t{call}:{reads},{depth - reads},0:{depth}:{quality}:820,0,410,871,450,1321\n"
                )
            if len(lines) > 20_000:
                pipe.stdin.write("".join(lines).encode())
                lines = []
        pipe.stdin.write("".join(lines).encode())
        pipe.stdin.close()
        assert pipe.wait() == 0
    subprocess.run(["tabix", "-p", "vcf", str(path)], check=True)


def real_gvcf(shared: Path, folder: Path, contigs: int) -> dict[str, int]:
    """ref.fa and one.g.vcf.gz: along each contig, as long as returned, the rows of a real gVCF by GATK (NA19240,
    0.1 Mb, 10,681 of them, 315 with an ALT) again and again."""
    start, size = 10_000_000, 100_000
    with gzip.open(shared / "data/reference/hs37d5.chr20.fa.gz", "rt") as fasta:
        bases = "".join(line.strip() for line in fasta if line[0] != ">")[start - 1 : start - 1 + size] * COPIES
    with gzip.open(shared / "data/gvcf/gatk_chr20/YRIoffspring.chr20snippet.g.vcf.gz", "rt") as gvcf:
        given = gvcf.read().splitlines()
    rows = []
    for shift in range(1 - start, COPIES * size - start, size):
        for line in given:
            if line[0] != "#":
                _, pos, *cells = line.split("\t")
                if cells[5].startswith("END="):
                    cells[5] = f"END={int(cells[5][4:]) + shift}"
                rows.append("\t".join([str(int(pos) + shift), *cells]))
    lengths = {f"chr{n + 1}": len(bases) for n in range(contigs)}
    head = [line for line in given if line.startswith("##") and not line.startswith("##contig")]
    head += [f"##contig=<ID={name},length={length}>" for name, length in lengths.items()]
    head.append(given[len([line for line in given if line.startswith("##")])].replace("NA19240", "one"))
    packed = (folder / "one.g.vcf.gz").open("wb")
    with (
        (folder / "ref.fa").open("w") as out,
        subprocess.Popen(["bgzip", "-@2"], stdin=subprocess.PIPE, stdout=packed) as pipe,
    ):
        pipe.stdin.write("".join(f"{line}\n" for line in head).encode())
        for name in lengths:
            out.write(f">{name}\n" + "".join(f"{bases[i : i + 60]}\n" for i in range(0, len(bases), 60)))
            pipe.stdin.write((f"{name}\t" + f"\n{name}\t".join(rows) + "\n").encode())
        pipe.stdin.close()
        assert pipe.wait() == 0
    subprocess.run(["samtools", "faidx", str(folder / "ref.fa")], check=True)
    subprocess.run(["tabix", "-p", "vcf", str(folder / "one.g.vcf.gz")], check=True)
    return lengths


def made_up(folder: Path, rows: int) -> dict[str, int]:
    """ref.fa and one.g.vcf.gz of one contig, as long as returned."""
    folder.mkdir()
    reference(folder / "ref.fa", rows)
    gvcf(folder / "one.g.vcf.gz", rows)
    return {simulate.CONTIG: (rows + 1) * STEP}


def job(folder: Path, contigs: dict[str, int], names: list[str]) -> Cost:
    """Cost of harmonise_people.py for people whose gVCFs are in the folder, and its ref.fa."""
    build = {"name": "toy", "contigs": contigs, "par": []}
    params = [person_params(build, folder / f"{name}.g.vcf.gz", name, "F") for name in names]
    spec = write_spec(
        folder,
        "harmonise_people.py",
        input={"fasta": folder / "ref.fa"},
        output={"tables": folder / "own"},
        params={**params[0], "people": [one["people"][0] for one in params]},
    )
    return measure([sys.executable, "-m", "helpers.run_script", spec])


def inflating(folder: Path) -> Cost:
    return measure(["bgzip", "-dc", folder / "one.g.vcf.gz"])


def written(folder: Path) -> int:
    """Bytes of the tables of one person."""
    return sum(path.stat().st_size for path in (folder / "own").glob("one.*.parquet"))


def by_itself(folder: Path, rows: int, more: int = 0) -> tuple[Cost, Cost, int]:
    """Cost of harmonise_people.py for one person and as many more, that of inflating an input, and the bytes that it
    writes of one."""
    contigs = made_up(folder, rows)
    names = ["one", *(f"p{n}" for n in range(more))]
    for name in names[1:]:
        (folder / "name").write_text(f"{name}\n")
        path = folder / f"{name}.g.vcf.gz"
        subprocess.run(["bcftools", "reheader", "-s", folder / "name", "-o", path, folder / "one.g.vcf.gz"], check=True)
    return job(folder, contigs, names), inflating(folder), written(folder)


@contextmanager
def cores(n: int) -> Iterator[None]:
    """While this lasts, this process and those that it starts have so many."""
    every = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(every)[:n])
    try:
        yield
    finally:
        os.sched_setaffinity(0, every)


def least(costs: list[Cost]) -> Cost:
    return Cost(*(min(getattr(cost, name) for cost in costs) for name in ("seconds", "cpu")), costs[-1].megabytes)


def whole(folder: Path, contigs: dict[str, int], start: Path, table: list, turns: int = TURNS) -> tuple[Cost, Cost]:
    """A job of one person, start and all, beside `bgzip -dc` of the file, in turn, with one core and with two; the
    costs of both with one. start: a folder with a file of a few rows."""
    few = {simulate.CONTIG: 1001 * STEP}
    found = []
    for n in sorted({1, min(2, len(os.sched_getaffinity(0)))}):
        with cores(n):
            every = [(job(folder, contigs, ["one"]), job(start, few, ["one"]), inflating(folder)) for _ in range(turns)]
        mine, begun, theirs = map(least, zip(*every, strict=True))
        rest = Cost(mine.seconds - begun.seconds, mine.cpu - begun.cpu)
        for name, cost in (("all of the job", mine), ("less its start", rest)):
            ratio = f"{theirs.cpu / cost.cpu:.2f} of bgzip -dc by CPU, {theirs.seconds / cost.seconds:.2f} by the clock"
            table.append((f"  {name}, {n} of the cores", told(cost), ratio))
        table.append((f"  bgzip -dc, {n} of the cores", told(theirs), ""))
        found.append((mine, theirs))
        assert mine.megabytes < MEGABYTES
    table.append(("  written", f"{written(folder) / 1e6:.2f} MB", ""))
    return found[0]


def test_whole_chromosome(tmp_path, table):
    """More and harder rows than any has: every eighth has an ALT, and no two are alike."""
    made_up(tmp_path / "start", 1000)
    table.append((f"a chromosome, made up: {CHROMOSOME} rows, every eighth with an ALT", "", ""))
    whole(tmp_path / "many", made_up(tmp_path / "many", CHROMOSOME), tmp_path / "start", table)


@pytest.mark.parametrize("contigs", [1, CONTIGS])
def test_real_rows(tmp_path, shared, table, contigs):
    """A chromosome, and a third of the rows that a genome at 30x has."""
    made_up(tmp_path / "start", 1000)
    (tmp_path / "real").mkdir()
    lengths = real_gvcf(shared, tmp_path / "real", contigs)
    table.append((f"rows of a real gVCF, {contigs} times {10_681 * COPIES}", "", ""))
    mine, theirs = whole(tmp_path / "real", lengths, tmp_path / "start", table, turns=TURNS if contigs == 1 else 1)
    assert contigs == 1 or theirs.cpu > OF_BGZIP * mine.cpu


def test_person(tmp_path, table):
    """A job starts its process and its kernels once for all its people: what a person more takes is told by a job of
    several. Ratios are of CPU seconds, and of the clock, inflating and parsing together."""
    by_itself(tmp_path / "warm", 1000)
    start, _, _ = by_itself(tmp_path / "few", 1000)
    mine, theirs, size = by_itself(tmp_path / "many", ROWS)
    several, _, _ = by_itself(tmp_path / "several", ROWS, MORE)
    more = Cost((several.seconds - mine.seconds) / MORE, (several.cpu - mine.cpu) / MORE, several.megabytes)
    ratio = f"{theirs.cpu / more.cpu:.2f} of bgzip -dc by CPU, {theirs.seconds / more.seconds:.2f} by the clock"
    table.append((f"a person, gVCF of {ROWS} rows over {ROWS * STEP / 1e6:.0f} Mb", "", ""))
    table.append(("  harmonise_people", told(mine), ""))
    table.append(("  its start", told(start), ""))
    table.append(("  a person more", told(more), ratio))
    table.append(("  bgzip -dc", told(theirs), ""))
    table.append(("  written", f"{size / 1e6:.2f} MB", f"{size / ROWS / STEP * 3.1e9 / 1e6:.0f} MB for 3.1 Gb"))
    assert max(mine.megabytes, several.megabytes) < min(MEGABYTES, start.megabytes + MORE_MEGABYTES)


def test_region_of_gvcfs(tmp_path, table):
    """People's gVCFs of a region, brought together in batches as the workflow cuts them and counted, beside
    `bcftools merge --gvcf`, which counts nothing yet: all starts of processes included, and what people more take."""
    by_itself(tmp_path / "warm", 1000)
    folder, rows, length = tmp_path / "people", ROWS_TOGETHER, (ROWS_TOGETHER + 1) * STEP
    folder.mkdir()
    reference(folder / "ref.fa", rows)
    paths = {f"P{n:04d}": folder / f"P{n:04d}.g.vcf.gz" for n in range(TOGETHER)}
    for seed, (name, path) in enumerate(paths.items(), SEED):
        gvcf(path, rows, name, seed, GRID)
    sheet = {name: ("FM"[n % 2], ("EE", "FI")[n // 2 % 2]) for n, name in enumerate(paths)}
    run = Stages(simulate.Cohort(Path(), folder / "ref.fa", length, sheet, 0), folder / "run")
    table.append((f"gVCFs of {length / 1e6:g} Mb, {rows} rows each, blocks end at one of {GRID} bases", "", ""))
    seen = {people: brought_together(run, dict(islice(paths.items(), people))) for people in (FEWER, TOGETHER)}
    for people, costs in seen.items():
        table.append((f"  {people} people", "", ""))
        for name, cost in costs.items():
            table.append((f"    {name}", told(cost), f"{cost.cpu / people * 1000:.1f} ms of CPU a person"))
        mine = costs["harmonise_batch"].cpu + costs["frequencies_count"].cpu
        ratio = mine / costs["bcftools merge"].cpu
        table.append(("    batch and count", f"{mine:.2f} s CPU", f"{ratio:.2f} of the merge"))
    for name, cost in costs.items():
        more = (cost.cpu - seen[FEWER][name].cpu) / (TOGETHER - FEWER)
        table.append((f"  {name}, a person more", f"{more * 1000:.1f} ms CPU", ""))
    assert ratio < OF_MERGE


def brought_together(run: Stages, paths: dict[str, Path]) -> dict[str, Cost]:
    """Costs of the steps from some people's gVCFs to counts, and of their merge."""
    folder, source = run.folder / str(len(paths)), {"fasta": run.cohort.fasta}
    folder.mkdir()
    costs, tables = {"harmonise_people": Cost(), "harmonise_batch": Cost()}, []
    for number, names in in_batches(paths, PER_BATCH_TOGETHER).items():
        own, out = folder / number, {name: folder / f"{number}.{name}" for name in (*batch.TABLES, *EXTRA)}
        people = [person_params(run.build, paths[name], name, "F")["people"][0] for name in names]
        params = {**person_params(run.build, paths[names[0]], names[0], "F"), "people": people}
        costs["harmonise_people"] += run.run("harmonise_people.py", input=source, output={"tables": own}, params=params)
        params = {"people": [names], "build": run.build}
        costs["harmonise_batch"] += run.run("harmonise_batch.py", input={"tables": [own]}, output=out, params=params)
        tables.append(out)
    costs["frequencies_count"] = run.count(tables, joint=False)
    (folder / "list").write_text("".join(f"{path}\n" for path in paths.values()))
    merge = ["bcftools", "merge", "--gvcf", run.cohort.fasta, "-m", "all", "-Ou", "-l", folder / "list"]
    costs["bcftools merge"] = measure(["timeout", str(MERGE_SECONDS), *merge, "-o", folder / "all.bcf"])
    (folder / "all.bcf").unlink()
    return costs


def sparse(bcf: Path, folder: Path, cohort: simulate.Cohort) -> list[dict[str, Path]]:
    """The people of a harmonised BCF as batches of people by themselves: callable but where the BCF has no call."""
    folder.mkdir()
    places, people, codes = [], [], []
    sites = []
    with harmonised.open_harmonised(bcf) as reader:
        ids = reader.header.samples
        # Who is missing for one allele of a position lists all of them, as no run holds it.
        for pos, records in groupby(reader, attrgetter("pos")):
            found = {(r.ref, r.alts[0]): gt.codes_from_gt(r.formats["GT"]) for r in records}
            unlike = np.flatnonzero(np.any([here != gt.CODE_REF2 for here in found.values()], axis=0))
            for (ref, alt), here in found.items():
                places.append(np.full(unlike.size, len(sites)))
                people.append(unlike)
                codes.append(here[unlike])
                sites.append((pos, ref, alt))
    place, person, code = map(np.concatenate, (places, people, codes))
    order = np.argsort(person, kind="stable")
    place, code = place[order], code[order]
    edges = np.searchsorted(person[order], np.arange(len(ids) + 1))
    pos = np.array([site[0] for site in sites], np.int32)
    files = []
    for i, name in enumerate(ids):
        mine, what = place[edges[i] : edges[i + 1]], code[edges[i] : edges[i + 1]]
        about = {"person": name, "counters": {}, "qualities": {}}
        paths = [str(folder / f"{name}.{table}.parquet") for table in ("alleles", "runs")]
        holes = np.unique(pos[mine[what == gt.CODE_MISSING]])
        base = np.where(np.isin(pos[mine], holes), gt.CODE_MISSING, gt.CODE_REF2)
        starts, ends = np.concatenate([[1], holes + 1]), np.concatenate([holes - 1, [cohort.length]])
        runs = {"start": starts, "end": ends, "code": np.full(len(starts), gt.CODE_REF2), "raw": [False] * len(starts)}
        rows = {
            "pos": pos[mine],
            "ref": [sites[n][1] for n in mine.tolist()],
            "alt": [sites[n][2] for n in mine.tolist()],
            **{"code": what, "base": base, "raw": what, "raw_base": base},
            "region_class": np.full(len(mine), REGION_DIPLOID),
            "made": what >= gt.CODE_HET,
        }
        for path, schema, columns in zip(paths, (ALLELES, RUNS), (rows, runs), strict=True):
            size = len(next(iter(columns.values())))
            arrays = [pa.array(columns.get(f.name, [None] * size), f.type) for f in schema]
            with batch.Tables(path, schema, about) as out:
                out.write(simulate.CONTIG, 1, cohort.length, pa.Table.from_arrays(arrays, schema=schema))
        files.append((name, *paths))
    made = []
    for start in range(0, len(files), PER_BATCH):
        out = {name: folder / f"b{start}.{name}.parquet" for name in ("sites", "rows", "runs", "people")}
        build = Build("toy", {simulate.CONTIG: cohort.length}, [])
        batch.gather(files[start : start + PER_BATCH], build, {k: str(v) for k, v in out.items()})
        made.append(out)
    return made


def numbers(path: Path) -> dict:
    """Site allele -> its counts, of those that somebody carries."""
    found = {}
    for row in pq.read_table(path).to_pylist():
        key = row["pos"], row["ref"], row["alt"]
        values = {k: v for k, v in row.items() if k.startswith(("dip_", "hap_", "het_", "hom_", "hemi_"))}
        if any(v for k, v in values.items() if k.startswith(("het_", "hom_", "hemi_"))):
            found[key] = values
    return found


def test_count_of_people_by_themselves(tmp_path, table):
    """The same numbers, from what people carry and from everybody at every site."""
    warm = simulate.cohort(tmp_path / "warm", 50, 50, 50_000)
    run = Stages(warm, tmp_path / "warm" / "run")
    run.all(warm.bcf)
    run.count(sparse(run.folder / "harmonised.bcf", tmp_path / "warm" / "own", warm), joint=False)
    cohort = simulate.cohort(tmp_path / "cohort", PEOPLE, SITES, LENGTH)
    run = Stages(cohort, tmp_path / "cohort" / "run")
    run.all(cohort.bcf)
    dense = run.count()
    expected = numbers(run.folder / "counts.parquet")
    batches = sparse(run.folder / "harmonised.bcf", tmp_path / "cohort" / "own", cohort)
    mine = run.count(batches, joint=False)
    assert numbers(run.folder / "counts.parquet") == expected and len(expected) > 1000
    size = sum(path.stat().st_size for files in batches for path in files.values())
    ratio = f"{dense.seconds / mine.seconds:.1f}x by the clock, {dense.cpu / mine.cpu:.1f}x by CPU"
    table.append((f"{PEOPLE} people, {len(expected)} site alleles, {LENGTH / 1e6:g} Mb", "", ""))
    table.append(("  counted by themselves", told(mine), ratio))
    table.append(("  counted as a dense BCF", told(dense), ""))
    bcf = (run.folder / "harmonised.bcf").stat().st_size
    table.append(("  kept", f"{size / 1e6:.2f} MB", f"the BCF {bcf / 1e6:.2f} MB"))


def copied(batches: list[dict[str, Path]], folder: Path, copy: int) -> tuple[list[dict[str, Path]], list[str]]:
    """The same batches as of other people, and who these are."""
    made, people = [], []
    for n, files in enumerate(batches):
        out = {name: folder / f"{copy}.{n}.{name}.parquet" for name in batch.TABLES}
        for name, schema in batch.TABLES.items():
            about = json.loads(pq.read_metadata(files[name]).metadata[b"goe"])
            contig, start, end = about["groups"][0]
            ids = [f"{copy}.{person}" for person in about["people"]]
            with batch.Tables(out[name], schema, {"people": ids}) as table:
                table.write(contig, start, end, pq.read_table(files[name]))
        made.append(out)
        people += ids
    return made, people


def test_growth_with_people(tmp_path, table):
    """A window of people by themselves, 1,000 to 100,000 of them, counted, and their metrics: CPU grows as they do,
    memory with the lists of site alleles of the batches, and with the codes of the SNVs that kinship takes."""
    cohort = simulate.cohort(tmp_path / "cohort", PEOPLE // 2, SITES, LENGTH)
    run = Stages(cohort, tmp_path / "cohort" / "run")
    run.all(cohort.bcf)
    some = sparse(run.folder / "harmonised.bcf", tmp_path / "cohort" / "own", cohort)
    for times in (1, 1, 10, 100):
        folder = tmp_path / str(times)
        folder.mkdir(exist_ok=True)
        batches, people = [], []
        for copy in range(times):
            more, ids = copied(some, folder, copy)
            batches, people = batches + more, people + ids
        rows = [["sample_id", "country_code", "sex", "inferred_sex", "count_sex", "keep", "reasons"]]
        sheet = {f"{copy}.{name}": about for name, about in cohort.sheet.items() for copy in range(times)}
        rows += [[n, sheet[n][1], sheet[n][0], sheet[n][0], sheet[n][0], "yes", ""] for n in people]
        (run.folder / "keep.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))
        (run.folder / "people.tsv").write_text(
            "sample_id\tsex\tcountry_code\twithdrawn\tinput_type\tabsent_fields\tsource\n"
            + "".join(f"{n}\t{sheet[n][0]}\t{sheet[n][1]}\tno\tgvcf\t\tcalls\n" for n in people)
        )
        cost = run.count(batches, joint=False)
        table.append((f"{len(people)} people by themselves, {LENGTH / 1e6:g} Mb", told(cost), ""))
        table.append(("  their metrics", told(run.metrics(batches, joint=False)), ""))
        if times == 10:
            mine = numbers(run.folder / "counts.parquet")
            table.append(("  the same people as a dense BCF, counted", told(dense(run, people, times)), ""))
            assert numbers(run.folder / "counts.parquet") == mine and mine


def dense(run: Stages, people: list[str], times: int) -> Cost:
    """Counting of the harmonised BCF of a cohort as that of as many people as there are copies of it."""
    once, names = run.folder / "harmonised.bcf", run.folder / "names"
    kept = once.rename(run.folder / "once.bcf")
    subprocess.run(["bcftools", "index", "-f", kept], check=True)
    names.write_text("".join(f"{name}\n" for name in people))
    merge = ["bcftools", "merge", "--no-version", "--force-samples", "-m", "none", "-Ob1", *[str(kept)] * times]
    with subprocess.Popen(merge, stdout=subprocess.PIPE) as merged, once.open("wb") as out:
        subprocess.run(["bcftools", "reheader", "-s", names], stdin=merged.stdout, stdout=out, check=True)
    assert merged.returncode == 0
    subprocess.run(["bcftools", "index", "-f", once], check=True)
    cost = run.count()
    kept.replace(once)
    subprocess.run(["bcftools", "index", "-f", once], check=True)
    return cost
