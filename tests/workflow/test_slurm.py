"""The workflow, and what its profile promises, on a real SLURM: two nodes of this machine, jobs that are killed.

All of it begins at once, since most of the time something waits for something: a run of goe that is killed and resumed,
jobs that are to die in the ways in which jobs do, two hundred that last a moment, and a site without accounting.
"""

import re
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from goe.core import manifest
from helpers import slurm, small_cohort, warm
from helpers.slurm import Cluster, Head, wait_for
from helpers.workflow import REPO

pytestmark = [pytest.mark.slow, pytest.mark.slurm]
PROFILES = REPO / "workflow/profiles"
# Shorter than those of the profile.
WAITS = ["--latency-wait", "20", "--slurm-init-seconds-before-status-checks", "1"]

# The names of rules are those of rules of the workflow, so that the profiles hold for them. One node is to lose its
# power, with a single one of these jobs. What is tried a second time ends at once.
DYING = """
ONCE = "echo x >> {output}.tried; if [ $(wc -l < {output}.tried) = 1 ]; then exec sleep 600; fi; touch {output}"


rule all:
    input:
        "time",
        "power",
        "cancelled",


rule joint_file:
    output:
        "memory",
    resources:
        constraint="n1",
    shell:
        "echo x >> {output}.tried; python3 -c 'import time; b = bytes(1) * 500_000_000; time.sleep(4)'; touch {output}"


rule harmonise_batch:
    output:
        "time",
    resources:
        constraint="n1",
    shell:
        ONCE


rule harmonise_people:
    output:
        "power",
    resources:
        constraint=lambda wildcards, attempt: "n2" if attempt == 1 else "n1|n2",
    shell:
        ONCE


rule call_bcftools:
    output:
        "cancelled",
    resources:
        constraint="n1",
    shell:
        ONCE
"""
SHORT = """
rule all:
    input:
        expand("filtered/{region}", region=range(100)),


rule frequencies_count:
    output:
        "counted/{region}",
    shell:
        "echo $SLURM_JOB_ID >> {output}.tried; touch {output}"


rule variant_qc_filter:
    input:
        "counted/{region}",
    output:
        "filtered/{region}",
    shell:
        "echo $SLURM_JOB_ID >> {output}.tried; touch {output}"
"""


def partitions() -> str:
    """The file that docs/cluster.md shows."""
    return textwrap.dedent(re.search("\n\n( +partitions:\n.*?)\n\n", (REPO / "docs/cluster.md").read_text(), re.S)[1])


def profiles(slurm: Path = PROFILES / "slurm", default: Path = PROFILES / "default") -> list:
    return ["--profile", slurm, "--workflow-profile", default, *WAITS]


def own_profiles(folder: Path) -> list:
    """Copies of both as docs/cluster.md says: an account, partitions by run time, other memory and run time."""
    theirs = (PROFILES / "slurm/config.yaml").read_text()
    for line, own in {
        "# slurm-partition-config: /PATH/partitions.yaml": f"slurm-partition-config: {folder}/partitions.yaml",
        "# default-resources:": "default-resources:",
        "#   slurm_account: \"'NAME'\"": "  slurm_account: \"'genomes'\"",
    }.items():
        assert f"\n{line}\n" in theirs
        theirs = theirs.replace(line, own)
    default = yaml.safe_load((PROFILES / "default/config.yaml").read_text())
    default["set-resources"]["joint_file"]["mem_mb"] = "400 * attempt"
    default["set-resources"]["harmonise_batch"]["runtime"] = "1 * attempt"
    default["set-resources"]["harmonise_people"]["runtime"] = "min(240 * attempt, 300)"
    for name, said in (("slurm", theirs), ("default", yaml.safe_dump(default))):
        (folder / name).mkdir(parents=True)
        (folder / name / "config.yaml").write_text(said)
    (folder / "partitions.yaml").write_text(partitions())
    return profiles(folder / "slurm", folder / "default")


@dataclass
class Night:
    """What ran: jobs that die, short ones, and goe, twice: `orphans` were there when the first was killed, `refused`
    is what a next one said before the recovery. `elsewhere` is at the site without accounting; `stopped` is to be."""

    folder: Path
    elsewhere: Head
    hungry: Head
    dying: Head
    short: Head
    interrupted: Head
    orphans: list[dict[str, str]]
    refused: str
    resumed: Head
    stopped: Head


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    if why := slurm.why_not():
        pytest.skip(why)
    with Cluster(tmp_path_factory.mktemp("slurm")) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def site(cluster, tmp_path_factory):
    """Without sacct, and without accounts."""
    with Cluster(tmp_path_factory.mktemp("site"), accounting=False) as site:
        yield site


@pytest.fixture(scope="module")
def quick(tmp_path_factory) -> dict[str, str]:
    """Environment of a run that is a fork of a process that has everything loaded, as its jobs are; these die as they
    would."""
    return warm.of_jobs(tmp_path_factory.mktemp("site"))


def begun(cluster: Cluster, head: Head, rule: str, output: Path) -> str:
    """Id of the running job of one of the rules that die, whose first attempt has come to its command."""
    wait_for(f"job of {rule}", Path(f"{output}.tried").exists)
    (job,) = (job for job in cluster.jobs(head.run, "RUNNING") if job["comment"] == f"rule_{rule}")
    return job["id"]


def suspended(cluster: Cluster, job: dict[str, str]) -> bool:
    """Whether the job was still there to be suspended."""
    with suppress(subprocess.CalledProcessError):
        cluster.ask("scontrol", "suspend", job["id"])
        return True
    return False


def processes(folder: Path) -> list[int]:
    """Those that work in a folder, on whatever node."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with suppress(OSError):
            found += [int(link.parent.name)] if link.readlink().is_relative_to(folder) else []
    return found


@pytest.fixture(scope="module")
def night(cluster, site, quick, tmp_path_factory) -> Night:
    at = tmp_path_factory.mktemp("night")
    signalled = {**quick, "PYTHON": sys.executable}
    (at / "dying.smk").write_text(DYING)
    (at / "short.smk").write_text(SHORT)
    (at / "goe").mkdir()
    small_cohort.write(at / "goe")
    dying = ["--snakefile", at / "dying.smk", *own_profiles(at / "own")]
    goe = ["--snakefile", REPO / "Snakefile", *profiles()]
    # Of one that is to die for its memory, the processes are those of SLURM.
    hungry = Head(cluster, at / "hungry", [*dying, "memory"])
    dying = Head(cluster, at / "dying", dying, quick)
    interrupted = Head(cluster, at / "goe", goe, signalled)
    one = ["--snakefile", at / "dying.smk", *profiles()]
    elsewhere = Head(site, at / "elsewhere", [*one, "power"], quick)

    cluster.ask("scancel", begun(cluster, dying, "call_bcftools", at / "dying/cancelled"))
    begun(cluster, dying, "harmonise_people", at / "dying/power")
    cluster.kill("n2")
    site.ask("scancel", begun(site, elsewhere, "harmonise_people", at / "elsewhere/power"))

    def held() -> bool:
        """In the middle of goe a job is running, and goes on."""
        if interrupted.output.count("Finished jobid") < 12:
            return False
        return any(suspended(cluster, job) for job in cluster.jobs(interrupted.run, "RUNNING"))

    wait_for("job in the middle of the run", held)
    interrupted.kill(signal.SIGKILL)
    orphans = cluster.jobs(interrupted.run)
    # As docs/cluster.md has it.
    again = [*map(str, goe), "--directory", str(at / "goe")]
    status, refused = warm.snakemake(again, cluster.env, 120)
    assert status
    cluster.ask("scancel", "--name", interrupted.run)
    wait_for("end of all jobs", lambda: not cluster.jobs(interrupted.run) and not processes(at / "goe"))
    status, unlocked = warm.snakemake([*again, "--unlock"], cluster.env, 120)
    assert not status, unlocked
    resumed = Head(cluster, at / "goe", goe, quick)
    options = ["--group-components", "counts=20"]
    short = Head(cluster, at / "short", ["--snakefile", at / "short.smk", *profiles(), *options], quick)
    stopped = Head(cluster, at / "stopped", [*one, "cancelled"], {**signalled, "AT_ONCE": "yes"})
    return Night(at, elsewhere, hungry, dying, short, interrupted, orphans, refused, resumed, stopped)


def of_rule(cluster: Cluster, head: Head, rule: str) -> list[dict[str, str]]:
    return [row for row in cluster.accounts(head.run) if row["Comment"] == f"rule_{rule}"]


def test_ctrl_c_cancels_the_jobs(night, cluster):
    """But for those that are being asked about: Snakemake has them on no list meanwhile."""
    head, output = night.stopped, night.folder / "stopped/cancelled"
    job = begun(cluster, head, "call_bcftools", output)
    assert "Requeue=0" in cluster.ask("scontrol", "show", "job", job)
    # Between two questions: the answer of one is read at once, the next comes some seconds later.
    asked = cluster.folder / f"asked.{head.run}"
    asked.unlink(missing_ok=True)
    wait_for("question for its jobs", asked.exists)
    time.sleep(0.5)
    head.kill(signal.SIGINT)
    wait_for("end of its jobs", lambda: not cluster.jobs(head.run))
    (row,) = cluster.accounts(head.run)
    assert row["State"].startswith("CANCELLED")
    assert not list(output.parent.glob(".snakemake/locks/*"))


def test_a_resumed_run_makes_the_release_of_one_without_slurm(night, small_run):
    night.resumed.ok()
    path = f"release/{manifest.NAME}"
    assert (night.folder / "goe" / path).read_text() == (small_run / path).read_text()
    assert manifest.verify(night.folder / "goe/release") == []


def test_a_killed_snakemake_leaves_jobs_that_are_cancelled_and_submitted_once(night, cluster):
    """Two jobs of one rule and wildcards never ran at the same time, and what was done is not done again."""
    assert night.orphans
    assert "Directory cannot be locked" in night.refused
    night.resumed.ok()
    rows = cluster.accounts(night.interrupted.run, night.resumed.run)
    assert {row["State"].split()[0] for row in rows} <= {"COMPLETED", "CANCELLED", "NODE_FAIL"}
    orphans = {job["id"] for job in night.orphans}
    assert any(row["State"].startswith("CANCELLED") for row in rows if row["JobIDRaw"] in orphans)
    ended: dict[str, str] = {}
    for row in sorted((row for row in rows if row["Start"] != "None"), key=lambda row: row["Start"]):
        assert ended.get(row["Comment"], "") <= row["Start"], row
        ended[row["Comment"]] = row["End"]
    seen = [row["Comment"] for row in rows if row["State"] == "COMPLETED" and row["JobIDRaw"] not in orphans]
    assert len(seen) == len(set(seen)) > 30


def test_personal_data_and_logs_of_jobs_are_for_their_owner_only(night):
    night.resumed.ok()
    run = night.folder / "goe"
    assert (run / ".snakemake").stat().st_mode & 0o077 == 0
    for path in (run / "work", *(run / "work").rglob("*"), *(run / ".snakemake/slurm_logs").rglob("*")):
        assert path.is_symlink() or path.stat().st_mode & 0o077 == 0, path


def test_a_job_has_the_memory_and_the_run_time_of_its_rule(night, cluster):
    night.resumed.ok()
    rows = cluster.accounts(night.interrupted.run, night.resumed.run)
    asked = {row["Comment"]: (row["ReqMem"], row["Timelimit"], row["Partition"]) for row in rows}
    assert asked["rule_intake_people"] == ("2000M", "02:00:00", "normal")
    assert asked["rule_release_check"] == ("4000M", "16:00:00", "normal")
    # Two regions, their counts side by side, then their filters.
    assert asked["rule_counts_frequencies_count_variant_qc_filter"] == ("4000M", "04:00:00", "normal")


def test_a_job_that_outgrows_its_memory_gets_more(night, cluster):
    night.hungry.ok()
    first, second = of_rule(cluster, night.hungry, "joint_file")
    assert (first["State"], first["ReqMem"]) == ("FAILED", "400M")  # with cgroups OUT_OF_MEMORY
    assert (second["State"], second["ReqMem"]) == ("COMPLETED", "800M")
    log = night.folder / f"hungry/.snakemake/slurm_logs/rule_joint_file/{first['JobIDRaw']}.log"
    assert "exceeded memory limit" in log.read_text()
    assert (night.folder / "hungry/memory.tried").read_text() == "x\n" * 2


def test_a_job_at_its_time_limit_gets_more(night, cluster):
    night.dying.ok()
    first, second = of_rule(cluster, night.dying, "harmonise_batch")
    assert (first["State"], first["Timelimit"]) == ("TIMEOUT", "00:01:00")
    assert (second["State"], second["Timelimit"]) == ("COMPLETED", "00:02:00")


def test_the_jobs_of_a_dead_node_go_to_another(night, cluster):
    night.dying.ok()
    first, second = of_rule(cluster, night.dying, "harmonise_people")
    assert (first["State"], first["NodeList"]) == ("NODE_FAIL", "n2")
    assert (second["State"], second["NodeList"]) == ("COMPLETED", "n1")
    assert (night.folder / "dying/power.tried").read_text() == "x\n" * 2


def test_a_cancelled_job_is_tried_again(night, cluster):
    night.dying.ok()
    first, second = of_rule(cluster, night.dying, "call_bcftools")
    assert first["State"].startswith("CANCELLED by") and second["State"] == "COMPLETED"
    assert f"SLURM-job '{first['JobIDRaw']}' failed, SLURM status is: 'CANCELLED'" in night.dying.output


def test_account_and_partitions_of_a_site(night, cluster):
    """By run time: the second attempt at a job of a day is longer than the partition of the first takes."""
    night.dying.ok()
    rows = cluster.accounts(night.dying.run)
    assert {row["Account"] for row in rows} == {"genomes"}
    assert {row["Partition"] for row in rows if row["Comment"] == "rule_harmonise_batch"} == {"short"}
    assert {row["Partition"] for row in rows if row["Comment"] == "rule_harmonise_people"} == {"normal"}
    assert [row["Partition"] for row in rows if row["Comment"] == "rule_call_bcftools"] == ["normal", "long"]
    asked = [row["Timelimit"] for row in rows if row["Comment"] == "rule_harmonise_people"]
    assert asked == ["04:00:00", "05:00:00"]


def test_two_hundred_jobs_in_groups(night, cluster):
    night.short.ok()
    rows = cluster.accounts(night.short.run)
    assert [row["State"] for row in rows] == ["COMPLETED"] * 5
    tried = [path.read_text().split() for path in (night.folder / "short").glob("*/*.tried")]
    assert len(tried) == 200 and all(len(jobs) == 1 for jobs in tried)
    assert {job for (job,) in tried} == {row["JobIDRaw"] for row in rows}


def test_a_site_without_accounting(night):
    """No sacct, no accounts: jobs end, and one that is cancelled is tried again."""
    night.elsewhere.ok()
    assert (night.folder / "elsewhere/power.tried").read_text() == "x\n" * 2
