"""A plan is the one that Snakemake makes of itself, and takes less of what it is made of."""

import gc
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from goe.core import planning
from helpers import large_cohort, warm
from helpers.workflow import REPO

SNAKEFILE = """
from goe.core import planning

planning.begin()
calls = []

def told(wildcards):
    calls.append(wildcards.n)
    return "told of " + wildcards.n

rule all:
    input: expand("{n}.last", n=range(4)), "0.own", "1.own"

rule first:
    output: "{n}.first", directory("{n}.folder")
    log: "{n}.log"
    conda: "env.yaml"
    params: told=told, word="WORD"
    script: "first.py"

rule last:
    input: lambda wildcards: ["{}.first".format(wildcards.n), "given"]
    output: "{n}.last"
    conda: "{n}.yaml" if BY_JOB else "env.yaml"
    script: "first.py"

rule own:
    output: temp("{n}.own")
    params: script=lambda wildcards: "first"
    script: "{params.script}.py"

onstart:
    planning.end()
"""
# Prints two plans, that of Snakemake first: how often it asked for parameters, and its jobs, why they run, and what
# they are given; or what is wrong.
PLANS = """
import json, sys
from pathlib import Path
from goe.core import planning
from snakemake.api import SnakemakeApi
from snakemake.dag import DAG
from snakemake.settings.types import OutputSettings, ResourceSettings

plans, known, made = [], planning.KNOWN, DAG.postprocess

async def told(dag, *args, **kwargs):
    await made(dag, *args, **kwargs)
    calls = len(dag.workflow.globals.get("calls", []))
    jobs = []
    for job in sorted(dag.jobs, key=str):
        env = job.conda_env_spec
        why = sorted(str(dag.reason(job)).replace(",", "").split()) if dag.needrun(job) else []
        said = [job.rule.name, job.wildcards_dict, why, list(job.input)]
        said += [list(job.output), list(job.log), env and str(env.file), dict(job.params.items()), job.threads]
        said += [[*job.temp_output], [*job.touch_output], [*job.protected_output], [*job.pipe_or_service_output]]
        jobs.append([*said, sorted(str(dep) for dep in dag.dependencies[job])])
    plans[-1] = [calls, jobs]

DAG.postprocess = told
for planning.KNOWN in ("none", known):
    plans.append(None)
    try:
        with SnakemakeApi(OutputSettings(stdout=False)) as api:
            api.workflow(
                resource_settings=ResourceSettings(cores=1), snakefile=Path(sys.argv[1]), workdir=Path(sys.argv[2])
            ).dag().execute_workflow(executor="dryrun")
    except Exception as error:
        plans[-1] = [0, str(error).splitlines()[0]]
Path(sys.argv[3]).write_text(json.dumps(plans, default=str))
"""


def plans(snakefile: Path, folder: Path) -> list[tuple[int, list | str]]:
    """How often parameters were asked for until then, and the jobs or an error: of Snakemake, and here."""
    env = os.environ | {"PYTHONPATH": str(REPO / "scripts")}
    command = [sys.executable, "-c", PLANS, snakefile, folder, folder / "plans"]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((folder / "plans").read_text())


@pytest.fixture
def folder(tmp_path):
    """Outputs of everything, which was made by a run."""
    (tmp_path / "Snakefile").write_text(SNAKEFILE.replace("BY_JOB", "False"))
    (tmp_path / "first.py").write_text(
        "from pathlib import Path\n"
        "for file in snakemake.output:\n"
        "    Path(file).mkdir(exist_ok=True) if 'folder' in file else Path(file).write_text('x')\n"
    )
    for name in ("env.yaml", *(f"{n}.yaml" for n in range(4))):
        (tmp_path / name).write_text("dependencies: []\n")
    (tmp_path / "given").write_text("x")
    return tmp_path


def run(folder: Path) -> None:
    options = ["--snakefile", str(folder / "Snakefile"), "--directory", str(folder), "--cores", "1"]
    status, output = warm.snakemake(options, os.environ, 300)
    assert status == 0, output


def nothing(folder: Path) -> None:
    run(folder)


def fresh(folder: Path) -> None:
    pass


def half(folder: Path) -> None:
    run(folder)
    for name in ("1.last", "2.first"):
        (folder / name).unlink()


def script(folder: Path) -> None:
    run(folder)
    with (folder / "first.py").open("a") as out:
        out.write("# more\n")


def word(folder: Path) -> None:
    run(folder)
    text = (folder / "Snakefile").read_text()
    (folder / "Snakefile").write_text(text.replace("WORD", "another"))


def newer(folder: Path) -> None:
    run(folder)
    (folder / "given").write_text("y")


def by_job(folder: Path) -> None:
    text = (folder / "Snakefile").read_text()
    (folder / "Snakefile").write_text(text.replace('"env.yaml" if', '"{n}.yaml" if').replace("if False", "if True"))


def inside(folder: Path) -> None:
    """An output in that of another rule."""
    text = (folder / "Snakefile").read_text()
    (folder / "Snakefile").write_text(text.replace('"{n}.last"', '"{n}.folder/last"'))


def lost(folder: Path) -> None:
    """No script."""
    (folder / "first.py").unlink()


@pytest.mark.parametrize("change", [fresh, nothing, half, script, word, newer, by_job, inside, lost])
def test_a_plan_is_that_of_snakemake(folder, change):
    change(folder)
    of_itself, lean = plans(folder / "Snakefile", folder)
    assert lean[1] == of_itself[1]
    if change in (inside, lost):
        assert isinstance(lean[1], str) and re.search({inside: "child", lost: "first.py"}[change], lean[1]), lean
    else:
        assert len(lean[1]) == 11
    if change is fresh:
        # Without it each job is asked. As long as Snakemake is as it is: then the module can go.
        assert lean[0] <= 2 and of_itself[0] >= 4


def test_the_plan_of_a_cohort_is_that_of_snakemake(tmp_path):
    large_cohort.write(tmp_path / "run", 25)
    of_itself, lean = plans(REPO / "Snakefile", tmp_path / "run")
    assert lean[1] == of_itself[1] and {"align_person", "call_bcftools", "release"} <= {job[0] for job in lean[1]}


def test_a_plan_is_not_looked_through_for_garbage_and_what_comes_after_it_is(monkeypatch):
    monkeypatch.setattr(planning, "KNOWN", "none")
    before = gc.get_threshold()
    try:
        planning.begin()
        assert gc.get_threshold()[:2] == before[:2] and gc.get_threshold()[2] > 1_000_000
        planning.end()
        assert gc.get_threshold() == before and gc.get_freeze_count() > 0
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
