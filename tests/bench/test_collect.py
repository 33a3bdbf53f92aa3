"""CPU and memory of the sum over thirty datasets, with callable AN, of one contig in one process; of the folder and its
check; and of bcftools merge of the same sites VCFs and of DuckDB over the same Parquet tables, in the same run.

DuckDB is none of our packages: `pip install --target FOLDER duckdb`, and PYTHONPATH=FOLDER for this run.

GOE_BENCH_COLLECT gives another number of alleles of each dataset than 50,000; thirty of 2,000,000 are in proportion.
Half of them are in every dataset, each of the others in one alone, which is the worst there is: the table has a row
for each and numbers of 93 strata in a row. `test_the_sum_of_countries_that_are_alike` has datasets as Europe's are.
"""

import importlib.util
import json
import os
import resource
import subprocess
import sys
from multiprocessing import get_context

import numpy as np
import pyarrow.parquet as pq
import pytest
from goe.collect import check, folder
from goe.collect.dataset import File
from goe.collect.sheet import Settings
from goe.core import environment
from goe.core.imports import UNUSED, without
from goe.release.formats import callable_an, sites_vcf
from helpers import thirty
from helpers.thirty import DATASETS, alike, apart

pytestmark = pytest.mark.bench

ALLELES = int(os.environ.get("GOE_BENCH_COLLECT", "50000"))
CONTIG, LENGTH = "chr20", 64_000_000
# Two row groups: a release of 2,000 people under a floor has ten times as many on such a contig.
RUNS = 2 * callable_an.ROW_GROUP
# A process, of which there are two on two cores; and what four times the alleles may add.
MEGABYTES, MORE = 900, 1.2
SETTINGS = Settings("GOE-EU-EXAMPLE-20260401000000000", "x", {"fn": "A", "email": "a@b"}, ".", "d.tsv")
TERMS = {"build": "toy", "contigs": [{"name": CONTIG, "length": LENGTH, "md5": "a" * 32}], "par": []}


def dataset(root, number, sites):
    """One with a table, callable AN and a sites VCF."""
    block = thirty.block(CONTIG, number, *sites)
    table = thirty.written(root / f"{number}.parquet", number, block)
    vcf(block, root / f"{number}.vcf.gz")
    rng, people = np.random.default_rng(number), thirty.people(number)
    start = np.unique(rng.integers(1, LENGTH, RUNS))
    an = [rng.integers(0, 2 * p, len(start)) for p in people.values()]
    track = root / f"{number}.an.parquet"
    wanted = callable_an.schema({}, people, CONTIG, "gvcf_adj", dict.fromkeys(people, 0))
    with callable_an.Writer(track, wanted) as runs:
        for some in callable_an.tables([(start, np.append(start[1:] - 1, LENGTH), an)], wanted):
            runs.group(some)
    return thirty.dataset(number, TERMS, {CONTIG: File.of(table)}, {CONTIG: File.of(track)})


def vcf(block, path):
    """Sites VCF with AC, AN and AF of each stratum."""
    metrics = (("AC", "A", "Integer"), ("AN", "1", "Integer"), ("AF", "A", "Float"))
    info = [
        sites_vcf.Tag(sites_vcf.tag_name(name, s), number, kind, "x", name.lower(), s)
        for s in block.strata
        for name, number, kind in metrics
    ]
    with sites_vcf.Body(path.with_suffix(".body")) as body:
        body.write(sites_vcf.lines(block, info))
    head = sites_vcf.header("toy", TERMS["contigs"], ["HWE"], {}, info)
    sites_vcf.join(head, [path.with_suffix(".body")], path)


def cpu():
    """CPU seconds of this process and of those it waited for."""
    return sum(os.times()[:4])


def added_up(root, number, pipe):
    datasets = folder.load(root / "agreed.json")[:number]
    environment.streams()
    begun = cpu()
    with without(*UNUSED):
        told = folder.sum_contig(datasets, SETTINGS, CONTIG, root / "sum")
    seconds = cpu() - begun
    pipe.send((told, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def compared(root, pipe):
    datasets = folder.load(root / "agreed.json")
    environment.streams()
    begun = cpu()
    with without(*UNUSED):
        folder.compare_contig(datasets, SETTINGS, CONTIG, root / "sum", root / "compare")
    pipe.send((cpu() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def finished(root, told, pipe):
    """The folder, and its check: CPU of each, and the memory of both."""
    datasets, made = folder.load(root / "agreed.json"), root / "collection"
    begun = [cpu()]
    folder.finish(SETTINGS, datasets, {CONTIG: root / "sum"}, [told], made, {CONTIG: root / "compare"})
    begun.append(cpu())
    assert not [problem for result in check.run(made) for problem in result.problems]
    begun.append(cpu())
    pipe.send((*np.diff(begun).tolist(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def measured(*task):
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=task[0], args=(*task[1:], there))
    process.start()
    there.close()
    try:
        return here.recv()
    finally:
        process.join()


def program(*command):
    """CPU seconds and peak memory in MB of a program."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def row(table, what, seconds, megabytes):
    table.append((what, f"{seconds:.0f} s of CPU", f"{megabytes:.0f} MB"))


def made(where, every):
    folder.save([dataset(where, i, sites) for i, sites in enumerate(every, 1)], where / "agreed.json")
    return where


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return made(tmp_path_factory.mktemp("datasets"), apart(ALLELES, LENGTH))


@pytest.fixture(scope="module")
def quarter(tmp_path_factory):
    """The same with a quarter of the alleles."""
    return made(tmp_path_factory.mktemp("fewer"), apart(ALLELES // 4, LENGTH))


def test_the_sum_of_thirty_datasets(root, quarter, table):
    measured(added_up, root, 2)
    found = []
    for number in (10, 30):
        told, seconds, megabytes = measured(added_up, root, number)
        alleles = told["alleles"]
        row(table, f"{number} datasets of {ALLELES:,} alleles, {alleles:,} in all", seconds, megabytes)
        found.append((alleles, seconds))
    # Linear in what is written, alleles by strata, of which there are 33 and 93.
    assert found[1][1] / found[0][1] < 1.5 * (found[1][0] * 93) / (found[0][0] * 33)
    less = measured(added_up, quarter, DATASETS)[2]
    table.append(("with a quarter of the alleles", "", f"{less:.0f} MB"))
    assert megabytes < min(MEGABYTES, MORE * less)
    # The first of them compiles.
    less = measured(compared, quarter)[1]
    took, megabytes = measured(compared, root)
    row(table, "its comparison of countries and datasets", took, megabytes)
    table.append(("with a quarter of the alleles", "", f"{less:.0f} MB"))
    assert megabytes < min(MEGABYTES, MORE * less)
    # No step of a collection is much longer than the sum.
    assert took < 1.25 * seconds
    put, checked, megabytes = measured(finished, root, told)
    row(table, "its folder: VCFs joined, indexes, manifest", put, megabytes)
    row(table, "its check: every row and number, both VCFs, the comparison again", checked, megabytes)


def test_the_sum_of_countries_that_are_alike(tmp_path, table):
    root = made(tmp_path, alike(ALLELES, LENGTH))
    measured(added_up, root, 2)
    told, seconds, megabytes = measured(added_up, root, DATASETS)
    rows = sum(pq.read_metadata(root / f"{i}.parquet").num_rows for i in range(1, DATASETS + 1)) // DATASETS
    row(table, f"{DATASETS} alike, of {rows:,} alleles, {told['alleles']:,} in all", seconds, megabytes)
    assert megabytes < MEGABYTES


def test_bcftools_merge_of_the_same_sites_vcfs(root, table):
    """It has no callable AN: AN is that of the datasets which list the allele."""
    strata = folder.strata_of(folder.load(root / "agreed.json"))
    rules = ",".join(f"{sites_vcf.tag_name(metric, s)}:sum" for s in strata for metric in ("AC", "AN"))
    files = [str(root / f"{i}.vcf.gz") for i in range(1, DATASETS + 1)]
    row(
        table,
        "bcftools merge -m none, sums of AC and AN",
        *program("bcftools", "merge", "-m", "none", "-i", rules, "-Oz", "-o", str(root / "merged.vcf.gz"), *files),
    )


DUCKDB = """
import duckdb, json, sys
root, strata = sys.argv[1], json.loads(sys.argv[2])
sums = ", ".join(f'sum("{n}_{s}") AS "{n}_{s}"' for s in strata for n in ("ac", "an", "nhomalt"))
duckdb.sql("SET threads TO 2")
duckdb.sql("SET preserve_insertion_order TO false")
duckdb.sql(f"COPY (SELECT pos, ref, alt, sum(ac) AS ac, sum(an) AS an, {sums} FROM "
           f"read_parquet({[f'{root}/{i}.parquet' for i in range(1, 31)]}, union_by_name=true) "
           f"WHERE filter = 'PASS' GROUP BY ALL ORDER BY ALL) TO '{root}/duckdb.parquet' (COMPRESSION zstd)")
"""


def test_duckdb_over_the_same_tables(root, table):
    """The same as bcftools merge, of every stratum: no callable AN, no bounds."""
    if importlib.util.find_spec("duckdb") is None:
        pytest.skip("duckdb is not installed: see the head of this file")
    strata = folder.strata_of(folder.load(root / "agreed.json"))
    seconds, megabytes = program(sys.executable, "-c", DUCKDB, str(root), json.dumps(strata[1:]))
    row(table, "DuckDB, sums of AC, AN and homozygotes, no callable AN", seconds, megabytes)
