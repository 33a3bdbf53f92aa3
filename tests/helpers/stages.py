"""Run the workflow's own scripts of one region without Snakemake, each as a process, and measure it."""

import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from goe.genome.build import Region
from goe.harmonise.batch import TABLES
from goe.harmonise.genotypes import Filter

from helpers import warm
from helpers.simulate import CONTIG, Cohort
from helpers.workflow import Run

REPO = Path(__file__).resolve().parents[2]
GUIDELINES = [str(REPO / "resources/guidelines" / name) for name in ("sample_qc.tsv", "inference.tsv")]
# What Python has compiled is kept, as where users run it: else each process compiles 40 files, 0.1 s.
_KEPT = {"PYTHONDONTWRITEBYTECODE": ""}
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{REPO / 'scripts'}:{REPO / 'tests'}", **_KEPT}


@dataclass
class Cost:
    """Wall seconds, CPU seconds, and the largest sum of resident memory in MB, of a process and all its children."""

    seconds: float = 0.0
    cpu: float = 0.0
    megabytes: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.seconds + other.seconds, self.cpu + other.cpu, max(self.megabytes, other.megabytes))


def told(cost: Cost) -> str:
    """The three in a row of a table."""
    return f"{cost.seconds:7.2f} s {cost.cpu:7.2f} s CPU {cost.megabytes:6.0f} MB"


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def tree_memory(root: int) -> int:
    """Bytes resident in a process and its descendants."""
    total, todo = 0, [root]
    while todo:
        pid = todo.pop()
        with contextlib.suppress(OSError):
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            for thread in Path(f"/proc/{pid}/task").iterdir():
                todo += map(int, (thread / "children").read_text().split())
    return total


def measure(*commands: list[str]) -> Cost:
    """Cost of a pipeline of commands; its output is thrown away, a command that fails is an AssertionError."""
    start, before = time.perf_counter(), _cpu()
    processes: list[subprocess.Popen] = []
    with tempfile.TemporaryFile() as log:
        for i, command in enumerate(commands):
            source = processes[-1].stdout if processes else subprocess.DEVNULL
            target = subprocess.PIPE if i < len(commands) - 1 else subprocess.DEVNULL
            options = {"stdin": source, "stdout": target, "stderr": log, "env": ENVIRONMENT}
            processes.append(subprocess.Popen([str(c) for c in command], **options))
            if len(processes) > 1:
                processes[-2].stdout.close()
        peak, done = 0, threading.Event()

        def watch() -> None:
            nonlocal peak
            while not done.wait(0.05):
                peak = max(peak, sum(tree_memory(p.pid) for p in processes))

        watcher = threading.Thread(target=watch)
        watcher.start()
        codes = [p.wait() for p in processes]
        seconds = time.perf_counter() - start
        done.set()
        watcher.join()
        log.seek(0)
        assert not any(codes), log.read().decode(errors="replace")[-3000:]
    return Cost(seconds, _cpu() - before, peak / 1e6)


def write_spec(folder: Path, script: str, **parts) -> Path:
    """The JSON from which helpers.run_script makes the `snakemake` object of a script."""
    spec = folder / f"{script}.json"
    spec.write_text(json.dumps({"script": script, "log": str(folder / f"{script}.log"), **parts}, default=str))
    return spec


def forked(folder: Path, script: str, **parts) -> Run:
    """A script in a fork of a process that has its libraries loaded (`helpers.warm`), where nothing is measured."""
    return Run(*warm.script(write_spec(folder, script, **parts)))


def split_params(build: dict, region: list) -> dict:
    settings = {"filter": asdict(Filter()), "respect_ft": False, "raw": False, "rename": {}, "starts": False}
    return {"build": build, "region": region, **settings}


def person_params(build: dict, calls: Path, sample: str, sex: str, blocks: bool = True) -> dict:
    """Of harmonise_people.py, of one gVCF or VCF (without blocks) that was given."""
    settings = {"filter": asdict(Filter()), "keep_absent": False, "respect_ft": False, "raw": False, "rename": {}}
    people = [{"sample": sample, "calls": str(calls), "sex": sex, "called": False, "blocks": blocks}]
    return {"build": build, "people": people, **settings}


class Stages:
    """The stages of a cohort that is one region."""

    def __init__(self, cohort: Cohort, folder: Path):
        self.cohort, self.folder = cohort, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.build = {"name": "toy", "contigs": {CONTIG: cohort.length}, "par": []}
        self.region = [CONTIG, 1, cohort.length]
        columns = ["sample_id", "sex", "country_code", "withdrawn", "input_type", "absent_fields", "source"]
        rows = [[n, s, c, "no", "joint_vcf", "", "joint"] for n, (s, c) in cohort.sheet.items()]
        (folder / "people.tsv").write_text("".join("\t".join(row) + "\n" for row in [columns, *rows]))
        columns = ["sample_id", "country_code", "sex", "inferred_sex", "count_sex", "keep", "reasons"]
        rows = [[n, c, s, s, s, "yes", ""] for n, (s, c) in cohort.sheet.items()]
        (folder / "keep.tsv").write_text("".join("\t".join(row) + "\n" for row in [columns, *rows]))

    def run(self, script: str, **parts) -> Cost:
        return measure([sys.executable, "-m", "helpers.run_script", write_spec(self.folder, script, **parts)])

    def scan(self, source: Path) -> Cost:
        """The pass over an indexed joint VCF or BCF that counts its records."""
        return self.run(
            "joint_file.py",
            input={"file": source},
            output={"counts": self.folder / "joint.json"},
            params={
                "rename": {},
                "contigs": self.build["contigs"],
                "planned": [CONTIG],
                "regions": {Region(*self.region).name: self.region},
            },
        )

    def split(self, source: Path) -> Cost:
        """After `scan` of the same file."""
        f = self.folder
        return self.run(
            "harmonise_split.py",
            input={
                "file": source,
                "counts": f / "joint.json",
                "people": f / "people.tsv",
                "fasta": self.cohort.fasta,
            },
            output={
                "snvs": f / "snvs.bcf",
                "moved": f / "moved.bcf",
                "people": f / "people.parquet",
                "ledger": f / "split.json",
            },
            params=split_params(self.build, self.region),
        )

    def merge(self) -> Cost:
        f = self.folder
        return self.run(
            "harmonise_merge.py",
            input={"snvs": f / "snvs.bcf", "moved": [f / "moved.bcf"]},
            output={"bcf": f / "harmonised.bcf", "index": f / "harmonised.bcf.csi", "ledger": f / "merge.json"},
            params={"build": self.build, "region": self.region, "raw": False},
        )

    def joint(self, there: bool) -> list[Path]:
        """The joint file's harmonised BCF."""
        return [self.folder / "harmonised.bcf"] if there else []

    def of_region(self, batches: Sequence[Mapping[str, Path]]) -> dict[str, Any]:
        """Parameters of what reads a region of the cohort, with the tables of batches."""
        tables = {name: [str(batch[name]) for batch in batches] for name in TABLES}
        return {"build": self.build, "region": self.region, "accept_filters": [], **tables}

    def count(self, batches: Sequence[Mapping[str, Path]] = (), joint: bool = True) -> Cost:
        f = self.folder
        return self.run(
            "frequencies_count.py",
            input={"joint": self.joint(joint), "keep": f / "keep.tsv"},
            output={"counts": f / "counts.parquet", "ledger": f / "count.json"},
            params={**self.of_region(batches), "raw": False},
        )

    def metrics(self, batches: Sequence[Mapping[str, Path]] = (), joint: bool = True) -> Cost:
        """Sample QC of the region; with the joint file after `scan` of it."""
        f = self.folder
        return self.run(
            "sample_qc_region.py",
            input={
                "joint": self.joint(joint),
                "files": [self.cohort.bcf] if joint else [],
                "counted": [f / "joint.json"] if joint else [],
                "people": f / "people.tsv",
                "guidelines": GUIDELINES,
            },
            output={"counts": f / "qc.parquet", "common": f / "common.parquet"},
            params={
                **self.of_region(batches),
                "rename": {},
                "thresholds": {},
                "autosome_length": 2_870_000_000,
            },
        )

    def all(self, source: Path) -> Cost:
        return self.scan(source) + self.split(source) + self.merge() + self.count()
