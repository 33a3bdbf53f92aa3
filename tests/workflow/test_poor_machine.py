"""Every job on a machine that is short of something: it stops with words, or gives the same bytes; then it gives them.

One job of each rule of a run that is done, generated from the plan, so that no writer is forgotten.
"""

import re
from pathlib import Path

import pytest
from helpers import dag, poor_machine
from helpers.poor_machine import Short
from helpers.workflow import REPO

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not poor_machine.allowed(), reason="mounts nothing: run as root, where namespaces are allowed"),
]
# The disk lacks one page; no file can be made; little memory. And what a job has to bear: 64 open files, no room in
# $TMPDIR, all at once.
SHORT = {
    "disk": Short(pages=1),
    "inodes": Short(inodes=0),
    "memory": Short(memory=4 << 20),
    "bears": Short(descriptors=64, temporary=True),
}
# Seconds each time.
HEAVY = {"align_person", "call_bcftools", "release_check", "sample_qc_multiqc", "sample_qc_plots"}
# fastp and MultiQC write the time; keys are drawn, and what is made with them is another each time.
# A CRAM names its reference by the whole path, and the run was made in another folder.
DRAWN = re.compile(
    r"\.fastp\.html$|work/align/[^/]+\.cram(\.crai)?$|multiqc\.html$|work/release/(people|inputs)\.(key|tsv)$"
)
DRAWN_SEALS = re.compile(r"seals/(align_person/.*|release_(people|inputs)_record)\.json$")


@pytest.fixture(scope="module")
def plan(run) -> list[dict]:
    return [{**job, "script": Path(job["script"]).name} for job in dag.jobs(run) if job["script"]]


def before(job: dict, plan: list[dict], run: Path) -> list[dict]:
    """Jobs whose files Snakemake has deleted since (`temp`), and that this one reads."""
    lost = {path for given in job["input"].values() for path in ([given] if isinstance(given, str) else given)}
    lost = {path for path in lost if path.startswith("work/") and not (run / path).exists()}
    return [one for one in plan if lost & set(map(str, one["output"].values()))]


def test_every_job_on_a_poor_machine(run, plan):
    """A disk that is full at the last page, no inodes, little memory; with 64 open files and a full $TMPDIR as ever.

    Where memory runs out in a library the process is ended, with words in the log or none."""
    wrong, of_rule = [], {job["rule"]: job for job in plan}
    for rule, job in of_rule.items():
        short = {name: one for name, one in SHORT.items() if rule not in HEAVY or name in ("disk", "bears")}
        for name, ended in poor_machine.tried(run, job, before(job, plan, run), short).items():
            others = [path for path in ended.others if not DRAWN.search(path) and not DRAWN_SEALS.search(path)]
            if ended.asked:
                wrong.append((rule, name, "asks the network"))
            if ended.status == 0:
                if others:
                    wrong.append((rule, name, "ends well with other bytes", others))
            elif name == "bears" or ended.sealed or not (name == "memory" or told(ended)):
                wrong.append((rule, name, ended.status, ended.told[-800:]))
    assert not wrong, "\n".join(map(str, wrong))
    texts = [path.read_text() for path in (REPO / "workflow/rules").glob("*.smk")]
    rules = {name for text in texts for name in re.findall(r"^ *rule (\w+):", text, re.M)}
    assert len(of_rule) > len(rules) / 2


def told(ended: poor_machine.Tried) -> bool:
    """Whether the user is told of a file and of a mend, in words."""
    return "Traceback" not in ended.told and re.search(r"(goe|  ).*: .* -> \w", ended.told) is not None
