"""What a job makes is held to the byte by every job that reads it: generated from the rules, so none forgets it."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pysam
import pytest
import yaml
from crypt4gh.keys.c4gh import generate
from goe.core import seal, tables
from goe.core.errors import GoeError
from goe.disclosure import earlier_release
from goe.hts import parquet
from helpers import dag, large_cohort
from helpers.workflow import DATASET, REPO, write_config


def made(job: dict) -> set[str]:
    """What a job takes from others, but for their seals."""
    every = {**job["input"], **job["beside"]}
    named = {name: [given] if isinstance(given, str) else given for name, given in every.items()}
    return {
        path
        for name, given in named.items()
        for path in given
        if "seals" not in name and path.startswith(("work/", "release/"))
    }


def listed(value) -> set[str]:
    return {value} if isinstance(value, str) else set(value)


@pytest.fixture(scope="module")
def plans(cohort, tmp_path_factory):
    """The jobs of two runs: the demo with the restricted product and a panel for contamination; a GDI package after an
    earlier release, with callable AN by coverage."""
    demo = tmp_path_factory.mktemp("inputs")
    shutil.copytree(cohort, demo, dirs_exist_ok=True)
    return [with_all_inputs(demo), with_all_releases(tmp_path_factory.mktemp("gdi"))]


def with_all_releases(folder: Path) -> list[dict]:
    """Of files without content, which the lint alone would look at; two people, GRCh38."""
    (folder / "ref.fa.fai").write_text("".join(f"{name}\t{n}\t0\t60\t61\n" for name, n in large_cohort.GRCH38.items()))
    (folder / "samples.tsv").write_text("sample_id\tsex\tcountry_code\na1\tF\tEE\nb1\tM\tEE\n")
    rows = ("a1\tgvcf\ta.g.vcf.gz", "b1\tvcf\tb.vcf.gz", "b1\tcoverage\tb.cram")
    (folder / "inputs.tsv").write_text("".join(f"{row}\n" for row in ("sample_id\tinput_type\tpath", *rows)))
    for name in ("metadata", "frequencies"):
        (folder / "old" / name).mkdir(parents=True)
    (folder / "old/metadata/dataset.json").write_text('{"id": "GOE-EE-EXAMPLE-20250101000000000"}')
    for name in ("ref.fa", "a.g.vcf.gz.tbi", "old/MANIFEST.sha256", "old/frequencies/chr1.parquet"):
        (folder / name).write_text(">")
    with pysam.BGZFile(str(folder / "a.g.vcf.gz"), "wb") as file:
        file.write(b"##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta1\n")
    generate(str(folder / "key.sec"), str(folder / "key.pub"), passphrase=None, comment=None)
    person = {"sample_id": "a1", "keep": "yes", "country_code": "EE", "count_sex": "F"}
    earlier_release.write_record([person], folder / "people.tsv", folder / "people.key")
    write_config(
        folder,
        reference={"fasta": "ref.fa", "build": "GRCh38"},
        dataset=DATASET | {"license": "CC0-1.0"},
        formats={"gdi": {"catalog": "goe", "recipients": ["key.pub"]}},
        scatter={"region_size": 300_000_000},
        callable_an={"coverage_proxy": True},
        previous_release="old",
        previous_people="people.tsv",
    )
    return dag.jobs(folder)


def with_all_inputs(folder: Path) -> list[dict]:
    config = folder / "config/config.yaml"
    settings = yaml.safe_load(config.read_text())
    (folder / "key.pub").write_text("x")
    settings["restricted"] = {"recipients": ["key.pub"], "legal_basis": "a test"}
    settings["sample_qc"]["contamination_panel"] = "panel"
    for end in ("UD", "mu", "bed"):
        (folder / f"panel.{end}").write_text("x")
    config.write_text(yaml.safe_dump(settings))
    return dag.jobs(folder)


def seals(job: dict) -> set[str]:
    given = (job["input"].get("seals"), job["input"].get("further_seals"), job["beside"].get("seals"))
    return {path for some in given for path in listed(some or [])}


# Rules that run nothing.
TARGETS = {"release", "harmonised", "qc", "frequencies", "wave"}


def test_every_rule_of_the_workflow_is_planned(plans):
    texts = [path.read_text() for path in (REPO / "workflow/rules").glob("*.smk")]
    rules = {name for text in texts for name in re.findall(r"^ *rule (\w+):", text, re.M)}
    # Of an auditor and of a coordinator; before, beside and after a run; of another aligner; on the target `harmonised`
    # alone, and no file of it is read.
    others = {name for name in rules if name.startswith(("audit", "collect"))} | {
        "lint",
        "wave",
        "clean",
        "align_index_mem2",
    }
    assert rules - {job["rule"] for jobs in plans for job in jobs} == {"harmonise_cohort", *others}


def test_every_job_asks_the_seal_of_every_file_that_it_reads(plans):
    for jobs in plans:
        seal_of = {
            path: job["output"].get("seal")
            for job in jobs
            for value in job["output"].values()
            for path in listed(value)
        }
        loose = {
            (job["rule"], path)
            for job in jobs
            if job["rule"] not in TARGETS
            for path in made(job)
            if seal_of[path] not in seals(job)
        }
        assert loose == set()


def test_what_snakemake_is_not_told_of_is_waited_for(plans):
    """Whatever is `beside` a job's input is made by a job before it."""
    looked_at = set()
    for jobs in plans:
        maker = {path: job for job in jobs for value in job["output"].values() for path in listed(value)}
        for job in (job for job in jobs if job["beside"]):
            before, todo = set(), [job]
            while todo:
                given = {path for value in todo.pop()["input"].values() for path in listed(value)} - before
                before |= given
                todo += [maker[path] for path in given if path in maker]
            first = {maker[path]["output"].get("seal") for path in before if path in maker}
            beside = {path for value in job["beside"].values() for path in listed(value)}
            assert {maker[path]["output"]["seal"] for path in beside} <= first, job["rule"]
            looked_at.add(job["rule"])
    assert {"frequencies_count", "frequencies_callable_an", "sample_qc_region", "sample_qc_multiqc"} <= looked_at


def test_every_script_that_reads_what_others_made_asks_and_seals(plans):
    for job in (job for jobs in plans for job in jobs if job["rule"] not in TARGETS):
        assert "seal.job(snakemake)" in (REPO / "workflow/rules" / job["script"]).read_text(), job["rule"]


def test_every_stamp_that_a_job_trusts_is_one_that_its_seals_have(plans):
    """A job that trusted another one would stop on the seal of every run."""
    for jobs in plans:
        stamp_of = {job["output"]["seal"]: (job["stage"], job["stamp"]) for job in jobs if "seal" in job["output"]}
        for job in jobs:
            for path in seals(job):
                stage, stamp = stamp_of[path]
                assert stamp in listed(job["trusts"][stage]), (job["rule"], path)


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@contextmanager
def edited(path: str, data: bytes | None = None) -> Iterator[None]:
    """A file with other content, by default with one byte changed, and the time that it had."""
    status, whole = Path(path).stat(), Path(path).read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    Path(path).write_bytes(flipped if data is None else data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    try:
        yield
    finally:
        Path(path).write_bytes(whole)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def begin(job: dict) -> None:
    """What a job does first, and the reading of what it reads in parts."""
    stub = dag.as_snakemake(job)
    with seal.job(stub):
        for name in job.get("in_parts", []):
            for path in listed({**job["input"], **job["beside"]}[name]):
                parquet.read(path)


def files_of(path: str) -> list[str]:
    if not Path(path).is_dir():
        return [path]
    return [str(inner) for inner in sorted(Path(path).rglob("*")) if inner.is_file() and inner.name[0] != "."]


@pytest.fixture(scope="module")
def jobs(run):
    """One job of each rule of a run that is done."""
    return {job["rule"]: job for job in dag.jobs(run) if job["rule"] not in TARGETS}


@pytest.mark.slow
def test_one_byte_changed_in_whatever_a_rule_is_handed_stops_the_run(run, jobs):
    """One job of each rule, every file that it is handed by others and that is still there."""
    tried = 0
    with inside(run):
        for rule, job in jobs.items():
            there = [path for path in sorted(made(job)) if Path(path).exists()]
            # Files of Snakemake's `temp` are gone.
            if not there or any(not Path(path).exists() for path in made(job)):
                continue
            begin(job)
            for path in there:
                for file in files_of(path)[:2]:
                    if not Path(file).stat().st_size:
                        continue
                    tried += 1
                    with edited(file), pytest.raises(GoeError) as told:
                        begin(job)
                    # MultiQC has a folder of links to the reports of people.
                    said = {problem.where: problem.mend for problem in told.value.problems}
                    assert {Path(name).resolve() for name in said} == {Path(file).resolve()}
                    assert re.fullmatch(r"remove it and work/seals/\S+\.json, and run again", said[file]), rule
    assert tried > 150


def rewritten(path: str, table: pa.Table) -> bytes:
    """The same file with other cells, its checksums and statistics right."""
    sink = pa.BufferOutputStream()
    with pq.ParquetFile(path) as file:
        about = file.metadata.metadata
    with pq.ParquetWriter(sink, table.schema, compression="zstd", write_page_checksum=True) as out:
        out.write_table(table)
        out.add_key_value_metadata({k: v for k, v in about.items() if k == b"goe"})
    return sink.getvalue().to_pybytes()


def other(name: str, value: float):
    def change(path: str) -> bytes:
        table = pq.read_table(path)
        at = table.schema.get_field_index(name)
        cells = table.column(name).to_pylist()
        cells[0] = value
        return rewritten(
            path, table.set_column(at, table.schema.field(at), pa.array(cells, table.schema.field(at).type))
        )

    return change


def another_country(path: str) -> bytes:
    return Path(path).read_bytes().replace(b"\tEE\t", b"\tFI\t", 1)


def another_genotype(path: str) -> bytes:
    table = pq.read_table(path)
    code = pc.add(table["code"], pa.scalar(1, table["code"].type))
    return rewritten(path, table.set_column(table.schema.get_field_index("code"), "code", code))


EDITS = {
    "call_rate": ("release_contig", "tables", other("call_rate", 0.5)),
    "hwe_p": ("release_contig", "tables", other("hwe_p", 1e-9)),
    "country": ("frequencies_count", "keep", another_country),
    "genotype": ("harmonise_batch", "tables", another_genotype),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", EDITS)
def test_a_cell_edited_with_its_checksums_made_again_stops_the_run(run, jobs, name):
    rule, given, change = EDITS[name]
    job = jobs[rule]
    with inside(run):
        path = files_of(sorted(listed(job["input"][given]))[0])[0]
        data = change(path)
        assert data != Path(path).read_bytes()
        with edited(path, data):
            tables.read(path) if path.endswith(".tsv") else parquet.read(path)
            with pytest.raises(GoeError, match="is not what its job made"):
                begin(job)


@pytest.mark.slow
def test_a_release_behind_whose_jobs_a_seal_was_written_again_is_not_finished(run, jobs):
    """Content and seal agree, and what was made after them was not made of them. One seal of each rule."""
    # Which nothing of the release is made of.
    last = {
        *("intake_digests", "release_inputs_record", "release_manifest"),
        *("sample_qc_plots", "sample_qc_multiqc_tables"),
    }
    last_seals = sorted(seals(jobs["release_manifest"]))
    with inside(run):
        assert seal.chain(last_seals) == []
        for rule, job in jobs.items():
            path = job["output"].get("seal")
            if not path or rule in last or path in last_seals:
                continue
            with edited(path, Path(path).read_bytes().replace(b'"stamp": "', b'"stamp": "0')):
                found = seal.chain(last_seals)
            assert {os.path.relpath(problem.where) for problem in found} == {path}
