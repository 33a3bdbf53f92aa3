"""Change one thing after a run, run once more: the same bytes as a run from nothing, or a stop; never an old number.

That every key of the configuration is part of a stamp is `tests/unit/intake/test_stamps.py`'s; here one of each stage,
every kind of change of sheets and files, and every job killed are run.
"""

import fcntl
import gzip
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from goe.core import manifest
from helpers import poor_machine
from helpers.small_cohort import PEOPLE, gvcf, joint, sheets
from helpers.workflow import REPO, environment, snakemake

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def done(small_run) -> Path:
    return small_run


def setting(**sections):
    def change(folder: Path) -> None:
        path = folder / "config/config.yaml"
        config = yaml.safe_load(path.read_text())
        for name, section in sections.items():
            config[name] = {k: v for k, v in {**config.get(name, {}), **section}.items() if v is not None}
        path.write_text(yaml.safe_dump(config))

    return change


def sheet(**given):
    return lambda folder: sheets(folder, **given)


def older(path: Path) -> None:
    """The time of `cp -p` of a file that was made long ago, which no clock takes for a change."""
    os.utime(path, (1_000_000_000, 1_000_000_000))


def joint_replaced(folder: Path) -> None:
    joint(folder / "joint.vcf.gz", x_from=300)
    for end in ("", ".tbi"):
        older(folder / f"joint.vcf.gz{end}")


def gvcf_of_another_path(folder: Path) -> None:
    gvcf(folder / "h.vcf.gz", "g", (900,))
    sheets(folder, own=(("g", "gvcf", "h.vcf.gz"), ("v", "vcf", "v.vcf.gz")))


def person_added(folder: Path) -> None:
    gvcf(folder / "n.vcf.gz", "n", (500, 910))
    own = (("g", "gvcf", "g.vcf.gz"), ("n", "gvcf", "n.vcf.gz"), ("v", "vcf", "v.vcf.gz"))
    sheets(folder, people=PEOPLE | {"n": ("F", "FI")}, own=own)


def regions_replaced(folder: Path) -> None:
    (folder / "low.bed").write_text("chr20\t9\t99\n")
    older(folder / "low.bed")


CHANGES = {
    "genotypes": setting(genotype_filter={"min_gq": 40}),
    "counts": setting(variant_qc={"accept_filters": ["Weak"]}),
    "filters": setting(variant_qc={"min_call_rate": 0.9}),
    "regions": regions_replaced,
    "release": setting(disclosure={"open": None, "legal_basis": None, "min_carriers": 2, "policy": "collapse"}),
    "sex": sheet(people=PEOPLE | {"b": ("F", "EE")}),
    "country": sheet(people=PEOPLE | {"b": ("M", "FI")}),
    "withdrawn": sheet(gone=("b",)),
    "removed": sheet(people={k: v for k, v in PEOPLE.items() if k != "v"}, own=(("g", "gvcf", "g.vcf.gz"),)),
    "added": person_added,
    "path": gvcf_of_another_path,
    "replaced": joint_replaced,
}


FRESH: dict[str, str] = {}


def from_nothing(name: str, folder: Path, tmp_path: Path) -> str:
    """The manifest of a run of the inputs of `folder`, to which the change was made, in an empty folder."""
    if name not in FRESH:
        fresh = tmp_path / "fresh"
        shutil.copytree(folder, fresh, symlinks=True, ignore=shutil.ignore_patterns("work", "release", ".snakemake"))
        snakemake(fresh, f"release/{manifest.NAME}").ok()
        FRESH[name] = (fresh / "release" / manifest.NAME).read_text()
    return FRESH[name]


@pytest.mark.parametrize("name", CHANGES)
def test_change_one_thing(done, tmp_path, name):
    run = tmp_path / "run"
    shutil.copytree(done, run, symlinks=True)
    CHANGES[name](run)
    snakemake(run).ok()
    assert manifest.verify(run / "release") == []
    now = (run / "release" / manifest.NAME).read_text()
    assert now != (done / "release" / manifest.NAME).read_text(), "the change shows nowhere"
    assert now == from_nothing(name, run, tmp_path)
    assert "Nothing to be done" in snakemake(run, "--dry-run").ok().output


KILLER = """
import atexit, os, signal, sys
from pathlib import Path
todo = Path(os.environ["KILL_ONCE"])
name = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else ""
for script in todo.iterdir() if ".snakemake" in (sys.argv[0] if sys.argv else "") else ():
    if name.endswith("." + script.name):
        try:
            script.unlink()
        except FileNotFoundError:
            continue
        if os.environ["KILL_AT"] == "end":
            atexit.register(os.kill, os.getpid(), signal.SIGKILL)
        else:
            os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("when", ["start", "end"])
@pytest.mark.parametrize("name", ["sex"])
def test_every_job_killed_once_after_a_change(done, tmp_path, monkeypatch, name, when):
    """As the out-of-memory killer does, before or after the job has written: the command again, until it is done."""
    run = tmp_path / "run"
    shutil.copytree(done, run, symlinks=True)
    CHANGES[name](run)
    todo, site = tmp_path / "todo", tmp_path / "site"
    todo.mkdir()
    site.mkdir()
    (site / "sitecustomize.py").write_text(KILLER)
    for script in (REPO / "scripts").glob("*.py"):
        (todo / script.name).touch()
    old = (run / "release" / manifest.NAME).read_text()
    want = from_nothing(name, run, tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.setenv("KILL_ONCE", str(todo))
    monkeypatch.setenv("KILL_AT", when)
    kills = len(list(todo.iterdir()))
    for _ in range(kills):
        status = snakemake(run).status
        if not status:
            break
        path = run / "release" / manifest.NAME
        whole = path.exists() and not manifest.verify(run / "release")
        assert not whole or path.read_text() == old, "a release that is neither the old one nor the new one"
    assert status == 0
    assert (run / "release" / manifest.NAME).read_text() == want
    assert len(list(todo.iterdir())) < kills - 10, "few jobs were killed"


def test_a_clock_that_went_back_changes_nothing(done, tmp_path):
    """Times of what was made in any order; then a file of tomorrow, on which Snakemake stops with words."""
    run, chance = tmp_path / "run", random.Random(1)
    shutil.copytree(done, run, symlinks=True)
    for top in ("work", "release"):
        for path in sorted((run / top).rglob("*")):
            os.utime(path, (chance.randrange(10**9, 17 * 10**8),) * 2, follow_symlinks=False)
    snakemake(run).ok()
    assert manifest.verify(run / "release") == []
    assert (run / "release" / manifest.NAME).read_text() == (done / "release" / manifest.NAME).read_text()
    ahead = run / "work/harmonise/joint/0/chr20_1_3000.bcf"
    os.utime(ahead, (time.time() + 86400,) * 2)
    told = snakemake(run, "--forcerun", "frequencies_count")
    assert told.status and re.search(rf"than input {ahead.relative_to(run)} .*clock skew", told.output)
    os.utime(ahead)
    snakemake(run).ok()
    assert manifest.verify(run / "release") == []
    assert (run / "release" / manifest.NAME).read_text() == (done / "release" / manifest.NAME).read_text()


def test_a_change_is_seen_though_snakemake_has_lost_what_it_kept(done, tmp_path):
    """By times alone nothing would be to be done, and the old numbers stay."""
    run = tmp_path / "run"
    shutil.copytree(done, run, symlinks=True)
    shutil.rmtree(run / ".snakemake")
    snakemake(run, "--dry-run").ok()
    setting(variant_qc={"min_call_rate": 0.9})(run)
    told = snakemake(run)
    assert told.status and re.search("is of other settings, inputs or code.* rm -r work/seals", told.output)
    shutil.rmtree(run / "work/seals")
    snakemake(run).ok()
    assert (run / "release" / manifest.NAME).read_text() == from_nothing("filters", run, tmp_path)


def test_of_two_runs_of_one_folder_one_stops(done, tmp_path):
    """In one folder by Snakemake's lock; from two folders that have one `outdir` by ours. Nothing is touched then."""
    first, second = tmp_path / "first", tmp_path / "second"
    shutil.copytree(done, first, symlinks=True)
    shutil.copytree(done, second, symlinks=True, ignore=shutil.ignore_patterns("work", "release", ".snakemake"))
    config = yaml.safe_load((second / "config/config.yaml").read_text())
    (second / "config/config.yaml").write_text(yaml.safe_dump(config | {"outdir": str(first)}))
    with (first / "work/.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = snakemake(second, "--forceall")
    assert told.status and "another run writes into its folder -> wait for its end" in told.output
    assert manifest.verify(first / "release") == []
    setting(variant_qc={"min_call_rate": 0.9})(first)
    (first / ".snakemake/locks").mkdir(exist_ok=True)
    for kind in ("input", "output"):
        (first / f".snakemake/locks/0.{kind}.lock").write_text("release/MANIFEST.sha256\n")
    told = snakemake(first)
    assert told.status and "Directory cannot be locked" in told.output and "--unlock" in told.output
    assert manifest.verify(first / "release") == []
    snakemake(first, "--unlock").ok()
    snakemake(first).ok()
    assert (first / "release" / manifest.NAME).read_text() == from_nothing("filters", first, tmp_path)


_POOR = """
mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && mount -t tmpfs -o size=1m none "$TMPDIR" || exit 99
cd / && ulimit -n 256 && exec "$@"
"""


@pytest.mark.skipif(not poor_machine.allowed(), reason="mounts nothing: run as root, where namespaces are allowed")
def test_a_clone_that_is_read_only_without_a_home_and_with_little_room(done, tmp_path):
    """Compiled kernels are kept with the run then. Jobs that are made again give the same bytes."""
    run, small = tmp_path / "run", tmp_path / "small"
    small.mkdir()
    shutil.copytree(done, run, symlinks=True)
    target = "work/callable_an/chr20_1_3000.parquet"
    options = ["--snakefile", REPO / "Snakefile", "--directory", run, "--cores", "1", "--forcerun"]
    options += ["frequencies_callable_an", "--workflow-profile", REPO / "workflow/profiles/default", "--", target]
    command = ["unshare", "--mount", "--net", "sh", "-c", _POOR, REPO, sys.executable, "-m", "snakemake", *options]
    env = environment() | {"HOME": "/proc/none", "TMPDIR": str(small)}
    env.pop("XDG_CACHE_HOME", None)
    told = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env)
    assert told.returncode == 0, told.stdout[-3000:]
    assert "1 of 1 steps (100%) done" in told.stdout
    assert (run / target).read_bytes() == (done / target).read_bytes()
    assert list((run / "work/cache").rglob("*.nbi"))


def test_a_stale_file_is_not_read(done, tmp_path):
    """A file of an earlier run put back with its seal, which no engine sees by its time."""
    run, other = tmp_path / "run", tmp_path / "other"
    shutil.copytree(done, run, symlinks=True)
    shutil.copytree(done, other, symlinks=True)
    setting(genotype_filter={"min_gq": 40})(other)
    snakemake(other, "work/frequencies/chr20_1_3000.parquet").ok()
    for path in ("work/frequencies/chr20_1_3000.parquet", "work/seals/frequencies_count/chr20_1_3000.json"):
        shutil.copy2(other / path, run / path)
    setting(variant_qc={"min_call_rate": 0.9})(run)
    # Snakemake is told that nothing but the time of files counts, and the file is older than what follows.
    older(run / "work/frequencies/chr20_1_3000.parquet")
    told = snakemake(run, "--forcerun", "variant_qc_filter", "--rerun-triggers", "mtime")
    assert told.status != 0
    assert "made by the stage counts under other settings, inputs or code than those of this run" in told.output


@pytest.mark.parametrize(
    "path",
    [
        "work/harmonise/people/b0000.00/g.alleles.parquet",
        "work/harmonise/batch/b0000.rows.parquet",
        "work/harmonise/joint/0/chr20_1_3000.bcf",
        "work/sample_qc/keep.tsv",
        "work/frequencies/chr20_1_3000.parquet",
        "work/variant_qc/chr20_1_3000.parquet",
        "work/callable_an/chr20_1_3000.parquet",
    ],
)
def test_a_flipped_bit_in_an_intermediate_is_not_published(done, tmp_path, path):
    run = tmp_path / "run"
    shutil.copytree(done, run, symlinks=True)
    status = (run / path).stat()
    data = bytearray((run / path).read_bytes())
    data[len(data) // 2] ^= 1
    (run / path).write_bytes(data)
    os.utime(run / path, ns=(status.st_atime_ns, status.st_mtime_ns))
    after = {
        "harmonise/people": "harmonise_batch",
        "harmonise": "frequencies_count",
        "sample_qc": "frequencies_count",
        "frequencies": "variant_qc_filter",
        "variant_qc": "release_contig",
        "callable_an": "release_callable_an",
    }
    told = snakemake(run, "--forcerun", next(rule for part, rule in after.items() if path.startswith(f"work/{part}/")))
    assert told.status != 0 and "is not what its job made: its digest differs" in told.output


AUDIT = ("audit", "--config", "audit=release", "audit_record=work/release/inputs.tsv")


def flipped(folder: Path) -> None:
    """One genotype of g: homozygous where it was heterozygous."""
    path = folder / "g.vcf.gz"
    text = gzip.decompress(path.read_bytes()).replace(b"0/1:30:60:15,15,0", b"1/1:30:60:0,30,0", 1)
    path.write_bytes(subprocess.run(["bgzip", "-c"], input=text, capture_output=True, check=True).stdout)
    subprocess.run(["tabix", "-f", "-p", "vcf", path], check=True)


def test_an_audit_in_other_regions_gives_the_same_release(done, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(done, run, symlinks=True)
    setting(scatter={"region_size": 1500})(run)
    there = {
        path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file() and ".snakemake" not in path.parts
    }
    told = snakemake(run, *AUDIT).ok()
    assert "same: The second run gave the same release." in told.output
    said = json.loads((run / "work/audit/audit.json").read_text())
    assert (said["verdict"], said["provenance"]) == (
        "same",
        {"causes": [], "extent": {"inputs": "every byte"}, "not_asked": {}},
    )
    assert (run / "work/audit/audit.md").read_text().count("| the same") == 7
    first, second = (run / folder / "release" / manifest.NAME for folder in (".", "work/audit"))
    assert first.read_text() == second.read_text()
    assert {path: path.stat().st_mtime_ns for path in there} == there, "the audit changes nothing beside its folder"


def test_an_audit_names_what_was_changed(done, tmp_path):
    """A threshold, a person, a genotype, a version: each with what it shows in."""
    run = tmp_path / "run"
    shutil.copytree(done, run, symlinks=True)
    setting(variant_qc={"min_call_rate": 0.9})(run)
    sheets(run, people=PEOPLE | {"v": ("M", "EE")})
    flipped(run)
    crate = run / "release/ro-crate-metadata.json"
    version = re.search(r'"name": "bcftools",\s*"softwareVersion": "([^"]*)"', crate.read_text())
    crate.write_text(crate.read_text().replace(version[0], version[0].replace(version[1], "1.0")))
    (run / "release" / manifest.NAME).unlink()
    manifest.write(run / "release", manifest.files(run / "release"))
    told = snakemake(run, *AUDIT)
    assert told.status != 0 and "different: The second run gave other numbers." in told.output, told.output[-3000:]
    said = json.loads((run / "work/audit/audit.json").read_text())
    causes = {
        (cause["kind"], cause["what"]): (cause["release"], cause["here"]) for cause in said["provenance"]["causes"]
    }
    assert causes == {
        ("settings", "variant_qc.min_call_rate"): (0.5, 0.9),
        ("people", "row 7 of the sheet"): ("as recorded", "changed"),
        ("inputs", "row 3 of the sheet"): ("as recorded", "changed"),
        ("versions", "bcftools"): ("1.0", version[1]),
    }
    found = said["comparison"]["differences"]
    assert {"people", "numbers"} <= {kind for kind, there in found.items() if there["count"]}
    assert any(example["allele"].startswith("chr20:500:") for example in found["numbers"]["examples"])
    assert any("row 3 of the sheet" in cause for cause in said["explained"]["numbers"])
    assert said["bounds"]["why_not"] == "more than versions differs: inputs, people, settings"
    assert manifest.verify(run / "release") == []


def test_no_edge_is_ancient():
    """Snakemake does not ask jobs behind such an edge whether they have changed."""
    for path in [REPO / "Snakefile", *(REPO / "workflow/rules").glob("*.smk")]:
        assert "ancient(" not in path.read_text(), path
