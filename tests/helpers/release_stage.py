"""The release stage by the workflow's own scripts, without Snakemake: on two cores, each process measured."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from goe.core import code_digest
from goe.core.ledger import Ledger
from goe.disclosure import control
from goe.disclosure.plan import choose_strata
from goe.frequencies import callable_an
from goe.genome.build import regions
from goe.harmonise.batch import Tables
from goe.intake.load import build_of
from goe.release import texts as release_texts
from goe.rules import sample_thresholds as sample_rules
from goe.settings import config
from goe.settings.sections import plain

from helpers import site_tables
from helpers.stages import ENVIRONMENT, REPO, Cost, tree_memory, write_spec

CORES = 2
RULES = REPO / "workflow/rules/release.smk"
COMPANIONS = {
    "all": "sites",
    "pass": "sites",
    "annotations": "annotations",
}


@dataclass
class Job:
    """One process. name: what the table says; spec: for helpers.run_script; threads: cores that it takes."""

    name: str
    spec: Path
    threads: int
    cost: Cost | None = None

    @property
    def profile(self) -> dict[str, float]:
        """CPU seconds by format, of a job that was run by helpers.release_profile."""
        path = self.spec.with_suffix(".profile")
        return json.loads(path.read_text()) if path.is_file() else {}


def threads_of(rule: str) -> int:
    """Cores that a rule of the release stage takes on a machine of CORES cores."""
    text = RULES.read_text()
    body = re.search(rf"^rule {rule}:\n((?:[ \t]+.*\n|\n)*)", text, re.M)[1]
    found = re.search(r"^    threads: (\d+)$", body, re.M)
    return min(CORES, int(found[1])) if found else 1


class Stage:
    """What the release stage needs of the stages before it, made up once, and the stage itself.

    folder: is made. disclosure: section of the config. alleles: about how many there are.
    """

    def __init__(self, folder: Path, fasta: Path, alleles: int, disclosure: dict):
        self.folder, self.fasta = folder, fasta
        self.release, self.work = folder / "release", folder / "work"
        self.work.mkdir(parents=True)
        raw = yaml.safe_load((REPO / "config/config.yaml").read_text())
        raw["reference"]["fasta"] = str(fasta)
        raw["dataset"] |= {"license": "CC-BY-4.0", "publisher": "Example institute", "description": "Made-up people."}
        raw["disclosure"] = disclosure
        raw["formats"] = {"gdi": {"catalog": "gdi-aggregated"}}
        self.cfg = config.load(raw)
        self.id = self.cfg.dataset.id
        self.build = build_of(self.cfg)
        size = self.cfg.scatter.region_size
        rules = plain(self.cfg.variant_qc)
        self.alleles = site_tables.write_tables(self.work, fasta, self.build, alleles, rules, size)
        self.regions = {c: [n for n, r in regions(self.build, size).items() if r.contig == c] for c in self.contigs}
        self._before()

    @property
    def contigs(self) -> list[str]:
        return list(self.build.contigs)

    def _before(self) -> None:
        """Keep list, sheet, ledgers and versions."""
        columns = ["sample_id", "country_code", "sex", "inferred_sex", "count_sex", "keep", "reasons", "absent_fields"]
        rows = [[*columns, "input_type"]]
        for leaf, n in site_tables.PEOPLE.items():
            country, sex = leaf.split("_")
            rows += [[f"{leaf}{i}", country, sex, sex, sex, "yes", "", "", "joint_vcf"] for i in range(n)]
        for name in ("keep.tsv", "people.tsv"):
            (self.work / name).write_text("".join("\t".join(row) + "\n" for row in rows))
        told = [{"sample_id": row[0], "classes": {"1": {"n_gq_pl": 0}}} for row in rows[1:]]
        (self.work / "variants.jsonl").write_text("".join(json.dumps(person) + "\n" for person in told))
        columns = ["sample_id", "country_code", "call_rate", "mean_dp"]
        metrics = [columns] + [[row[0], row[1], f"{0.95 + i % 50 / 1000:g}", ""] for i, row in enumerate(rows[1:])]
        (self.work / "metrics.tsv").write_text("".join("\t".join(row) + "\n" for row in metrics))
        n = sum(self.alleles.values())
        for step in ("harmonise", "frequencies", "variant_qc"):
            ledger = Ledger(step)
            ledger.take("site_alleles", n)
            ledger.give("site_alleles", n)
            ledger.write(self.work / f"{step}.json")
        kept = Ledger("sample_qc")
        kept.take("people", len(rows) - 1)
        kept.give("people", len(rows) - 1)
        kept.write(self.work / "keep.ledger.json")
        (self.work / "versions.json").write_text(json.dumps({"bcftools": "1.21"}))

    def _spec(self, name: str, script: str, **parts) -> Job:
        folder = self.work / "specs" / name
        folder.mkdir(parents=True, exist_ok=True)

        def make_room(value) -> None:
            for path in value if isinstance(value, list) else [value]:
                Path(path).parent.mkdir(parents=True, exist_ok=True)

        for value in parts["output"].values():
            make_room(value)
        threads = threads_of(Path(script).stem)
        return Job(
            name, write_spec(folder, script, **{"input": {}, "params": {}, "threads": threads, **parts}), threads
        )

    def _part(self, contig: str, what: str) -> str:
        return str(self.work / f"{contig}.{what}")

    def _parts(self, what: str) -> list[str]:
        return [self._part(contig, what) for contig in self.contigs]

    def phases(self) -> list[list[Job]]:
        """The jobs of the rules in workflow/rules/release.smk; those of a phase need what the phases before made."""
        return [
            [self._contig(contig) for contig in self.contigs],
            [self._callable(contig) for contig in self.contigs],
            [*(self._vcf(which) for which in COMPANIONS), self._bed(), self._summary()],
            [self._gdi(), self._mini_node()],
            [self._check()],
            [self._report()],
            [self._metadata()],
            [self._manifest()],
        ]

    def _contig(self, contig: str) -> Job:
        release = self.release
        return self._spec(
            f"contig {contig}",
            "release_contig.py",
            wildcards={"contig": contig},
            input={
                "tables": [str(self.work / f"{region}.parquet") for region in self.regions[contig]],
                "fasta": str(self.fasta),
                "fields": str(REPO / "resources/dictionary/fields.tsv"),
                "regions": [],
                "dbsnp": [],
            },
            output={
                "table": release / f"frequencies/{contig}.parquet",
                "wide": release / f"frequencies-wide/{contig}.parquet",
                "names": release / f"allele-names/{contig}.parquet",
                "beacon": release / f"beacon/genomicVariations.{contig}.jsonl.gz",
                "every": self._part(contig, "all.vcf.gz"),
                "passed": self._part(contig, "pass.vcf.gz"),
                "mini_node": self._part(contig, "mini-node"),
                "annotations": self._part(contig, "annotations.vcf.gz"),
                "lookup": self._part(contig, "lookup"),
                "membership": self._part(contig, "membership.parquet"),
                "summary": self._part(contig, "json"),
                "gdi": self._part(contig, "gdi"),
            },
            params={
                "dataset": self.id,
                "disclosure": plain(self.cfg.disclosure),
                "build": {"name": self.build.name, "contigs": self.build.contigs, "par": self.build.par},
                "regions": {},
                "gdi": {key: plain(self.cfg)[key] for key in ("formats", "disclosure", "reference")},
            },
        )

    def _callable(self, contig: str) -> Job:
        """Nobody has a gVCF: what callable AN costs is measured by itself (tests/bench/test_callable_an.py)."""
        policy = control.policy(self.cfg.disclosure)
        groups = control.published_groups(choose_strata(site_tables.PEOPLE, policy.min_stratum_size), policy)
        parts = callable_an.parts(groups, site_tables.PEOPLE, contig)
        blocks, length = self._part(contig, "blocks.parquet"), self.build.contigs[contig]
        about = callable_an.about(site_tables.PEOPLE, parts, policy.k, False)
        rows = [{"part": i, "start": 1, "end": length, "low": 0, "high": 0} for i in range(len(parts))]
        with Tables(blocks, callable_an.BLOCKS, about) as out:
            out.write(contig, 1, length, pa.Table.from_pylist(rows, schema=callable_an.BLOCKS))
        return self._spec(
            f"callable AN {contig}",
            "release_callable_an.py",
            wildcards={"contig": contig},
            input={"blocks": [blocks]},
            output={
                "table": self.release / f"callable_an/{contig}.parquet",
                "body": self._part(contig, "callable_an.bed.gz"),
            },
            params={
                "dataset": self.id,
                "disclosure": plain(self.cfg.disclosure),
                "build": {"name": self.build.name, "contigs": self.build.contigs, "par": self.build.par},
            },
        )

    def _bed(self) -> Job:
        bed = self.release / f"callable_an/{self.id}.callable_an.bed.gz"
        tables = [str(self.release / f"callable_an/{contig}.parquet") for contig in self.contigs]
        return self._spec(
            "callable AN of all contigs",
            "release_callable_bed.py",
            input={"bodies": self._parts("callable_an.bed.gz"), "tables": tables},
            output={"bed": bed, "index": f"{bed}.tbi"},
        )

    def _vcf(self, which: str) -> Job:
        path = self.release / COMPANIONS[which] / f"{self.id}.{which}.vcf.gz"
        return self._spec(
            f"vcf {which}",
            "release_vcf.py",
            wildcards={"which": which, "place": COMPANIONS[which]},
            input={
                "bodies": self._parts(f"{which}.vcf.gz"),
                "summaries": self._parts("json"),
                "fields": str(REPO / "resources/dictionary/fields.tsv"),
            },
            output={"vcf": path, "index": f"{path}.tbi"},
            params={"disclosure": plain(self.cfg.disclosure), "build": self.build.name, "regions": {}},
        )

    @property
    def _workflow(self) -> list[str]:
        return ["Snakefile", *sorted(f"workflow/rules/{p.name}" for p in (REPO / "workflow/rules").glob("*.smk"))]

    def _summary(self) -> Job:
        names = {
            "dataset": "metadata/dataset.json",
            "qc": "qc/summary.json",
            "disclosure": "disclosure/disclosure.json",
            "dictionary": "dictionary/fields.tsv",
            **{name: path for path, name in release_texts.NAMES.items()},
            "populations": "beacon/populations.json",
            "ledger": "ledger.json",
            "config": "provenance/config.json",
            "code": code_digest.RELEASED,
        }
        return self._spec(
            "summary",
            "release_summary.py",
            input={
                "summaries": self._parts("json"),
                "membership": self._parts("membership.parquet"),
                "keep": self.work / "keep.tsv",
                "keep_ledger": self.work / "keep.ledger.json",
                "metrics": self.work / "metrics.tsv",
                "people": self.work / "people.tsv",
                "variants": self.work / "variants.jsonl",
                "harmonise": self.work / "harmonise.json",
                "frequencies": [str(self.work / "frequencies.json")],
                "variant_qc": [str(self.work / "variant_qc.json")],
                "fields": REPO / "resources/dictionary/fields.tsv",
                "guidelines": [str(path) for path in sample_rules.TABLES],
                "own_guidelines": [],
                "panel": [],
                "regions": [],
                "compare": [],
                "workflow": [str(REPO / name) for name in self._workflow],
            },
            output={key: self.release / name for key, name in names.items()}
            | {
                "workflow": [str(self.release / "provenance" / name) for name in self._workflow],
                "exact": self.work / "ledger.json",
                "about": self.work / "about.json",
            },
            params={
                "cfg": plain(self.cfg),
                "build": self.build.name,
                "par": self.build.par,
                "formats": ["sites", "frequencies", "callable_an", "beacon", "mini-node", "annotations", "gdi"],
                "regions": {},
            },
        )

    def _mini_node(self) -> Job:
        path = self.release / f"mini-node/{self.id}.Total"
        return self._spec(
            "mini-node",
            "release_mini_node.py",
            input={
                "bodies": self._parts("mini-node"),
                "summaries": self._parts("json"),
                "fields": REPO / "resources/dictionary/fields.tsv",
                "dataset": self.release / "metadata/dataset.json",
                "config": self.release / "provenance/config.json",
            },
            output={"vcf": f"{path}.vcf.gz", "written": self.work / "mini-node.json"},
        )

    def _gdi(self) -> Job:
        return self._spec(
            "gdi",
            "release_gdi.py",
            input={
                "parts": self._parts("gdi"),
                "vcf": self.release / f"sites/{self.id}.pass.vcf.gz",
                "about": self.work / "about.json",
            },
            output={"tar": self.release / f"gdi/{self.id}.tar"},
            params={
                "cfg": plain(self.cfg),
                "folder": str(self.work / "gdi_package" / self.id),
                "recipients": [],
                "past_version": "",
            },
        )

    def _check(self) -> Job:
        return self._spec(
            "check and audit",
            "release_check.py",
            output={"checks": self.work / "checks.json"},
            params={"folder": str(self.release)},
        )

    @property
    def files(self) -> list[str]:
        """Files of the release before the report, relative."""
        vcfs = [f"{place}/{self.id}.{which}.vcf.gz" for which, place in COMPANIONS.items()]
        notes = [*release_texts.NAMES, "metadata/dataset.json", "qc/summary.json", "ledger.json"]
        notes += ["disclosure/disclosure.json", "dictionary/fields.tsv", "beacon/populations.json"]
        return [
            *(path + tail for path in vcfs for tail in ("", ".tbi")),
            *(f"frequencies/{contig}.parquet" for contig in self.contigs),
            *(f"frequencies-wide/{contig}.parquet" for contig in self.contigs),
            *(f"allele-names/{contig}.parquet" for contig in self.contigs),
            *(f"callable_an/{contig}.parquet" for contig in self.contigs),
            *(f"callable_an/{self.id}.callable_an.bed.gz{tail}" for tail in ("", ".tbi")),
            *(f"beacon/genomicVariations.{contig}.jsonl.gz" for contig in self.contigs),
            f"gdi/{self.id}.tar",
            *notes,
            "provenance/config.json",
            code_digest.RELEASED,
            *(f"provenance/{name}" for name in self._workflow),
        ]

    _LATER = (
        *("provenance/sbom.cdx.json", "metadata/healthdcat.ttl", "metadata/healthdcat.jsonld"),
        "ro-crate-metadata.json",
    )

    def _report(self) -> Job:
        return self._spec(
            "report",
            "release_report.py",
            input={
                "summaries": self._parts("json"),
                "lookups": self._parts("lookup"),
                "checks": self.work / "checks.json",
                "beside": [str(self.work / "mini-node.json")],
            },
            output={"page": self.release / "report.html", "written": self.work / "report.json"},
            params={"files": self.files, "later": list(self._LATER)},
        )

    def _metadata(self) -> Job:
        return self._spec(
            "metadata",
            "release_metadata.py",
            input={
                "page": self.release / "report.html",
                "beside": [str(self.work / name) for name in ("mini-node.json", "report.json")],
                "about": self.work / "about.json",
                "summaries": self._parts("json"),
                "versions": [str(self.work / "versions.json")],
            },
            output={str(i): self.release / name for i, name in enumerate(self._LATER)},
            params={"cfg": plain(self.cfg), "files": self.files, "snakemake": "9.27.1"},
        )

    def _manifest(self) -> Job:
        people = self.work / "people_of_the_sheet.tsv"
        people.write_text("sample_id\n" + "".join(f"VKG{i:06d}\n" for i in range(12_000)))
        return self._spec(
            "manifest",
            "release_manifest.py",
            input={
                "beside": [str(self.work / name) for name in ("mini-node.json", "report.json")],
                "people": people,
            },
            output={"manifest": self.release / "MANIFEST.sha256"},
            params={"files": [*self.files, "report.html", *self._LATER]},
        )

    def run(self, phases: list[list[Job]]) -> Cost:
        """Run jobs (`phases`), as many of a phase at a time as CORES allow; each gets its cost. The whole: time by the
        clock, CPU time, and the most memory that all processes held together. A job that fails is an AssertionError.
        """
        running: dict[int, str] = {}
        held: dict[str, int] = {}
        peak, done = 0, threading.Event()

        def watch() -> None:
            nonlocal peak
            while not done.wait(0.05):
                now = {name: tree_memory(pid) for pid, name in list(running.items())}
                held.update({name: max(n, held.get(name, 0)) for name, n in now.items()})
                peak = max(peak, sum(now.values()))

        def job(one: Job) -> None:
            one.cost = _run(one, running)

        watcher = threading.Thread(target=watch)
        watcher.start()
        start = time.perf_counter()
        try:
            for phase in phases:
                with ThreadPoolExecutor(CORES // max(one.threads for one in phase)) as pool:
                    list(pool.map(job, phase))
        finally:
            done.set()
            watcher.join()
        seconds = time.perf_counter() - start
        for one in (one for phase in phases for one in phase):
            one.cost.megabytes = held.get(one.name, 0) / 1e6
        return Cost(seconds, sum(one.cost.cpu for phase in phases for one in phase), peak / 1e6)


def _run(one: Job, running: dict[int, str]) -> Cost:
    module = f"helpers.{'release_profile' if one.name.startswith('contig') else 'run_script'}"
    start = time.perf_counter()
    log = one.spec.with_suffix(".out")
    with log.open("wb") as out:
        command = [sys.executable, "-m", module, str(one.spec)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=ENVIRONMENT)
        running[process.pid] = one.name
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        del running[process.pid]
    assert process.returncode == 0, f"{one.name}: {log.read_text(errors='replace')[-3000:]}"
    return Cost(time.perf_counter() - start, used.ru_utime + used.ru_stime)


def public_alleles(stage: Stage) -> int:
    """Site alleles in the wide tables."""
    folder = stage.release / "frequencies-wide"
    return sum(pq.read_metadata(folder / f"{contig}.parquet").num_rows for contig in stage.contigs)
