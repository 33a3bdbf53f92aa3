"""A plan is the one that Snakemake makes of itself, and takes less of what it is made of."""

import gc
import json
import os
import re
import shutil
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
    for snakefile, folder in json.loads(sys.argv[1]):
        plans.append(None)
        try:
            with SnakemakeApi(OutputSettings(stdout=False)) as api:
                api.workflow(
                    resource_settings=ResourceSettings(cores=1), snakefile=Path(snakefile), workdir=Path(folder)
                ).dag().execute_workflow(executor="dryrun")
        except Exception as error:
            plans[-1] = [0, str(error).splitlines()[0]]
Path(sys.argv[2]).write_text(json.dumps(plans, default=str))
"""


@pytest.fixture(scope="module")
def planned(tmp_path_factory) -> dict[str, tuple[list, list]]:
    """By what happened before: how often parameters were asked for until then, and the jobs or an error; of Snakemake,
    and here."""
    top = tmp_path_factory.mktemp("plans")
    made, folders = top / "made", {}
    write(made)
    options = ["--snakefile", str(made / "Snakefile"), "--directory", str(made), "--cores", "1"]
    status, output = warm.snakemake(options, os.environ, 300)
    assert status == 0, output
    for change in CHANGES:
        folders[change] = top / change.__name__
        if change in (fresh, by_job, inside, lost):
            write(folders[change])
        else:
            shutil.copytree(made, folders[change])
        change(folders[change])
    large_cohort.write(top / "cohort", 25)
    asked = [(str(folder / "Snakefile"), str(folder)) for folder in folders.values()]
    asked.append((str(REPO / "Snakefile"), str(top / "cohort")))
    env = os.environ | {"PYTHONPATH": str(REPO / "scripts")}
    command = [sys.executable, "-c", PLANS, json.dumps(asked), top / "plans"]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr[-3000:]
    plans = json.loads((top / "plans").read_text())
    names = [*(change.__name__ for change in CHANGES), "cohort"]
    return dict(zip(names, zip(plans[: len(names)], plans[len(names) :], strict=True), strict=True))


def write(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "Snakefile").write_text(SNAKEFILE.replace("BY_JOB", "False"))
    (folder / "first.py").write_text(
        "from pathlib import Path\n"
        "for file in snakemake.output:\n"
        "    Path(file).mkdir(exist_ok=True) if 'folder' in file else Path(file).write_text('x')\n"
    )
    for name in ("env.yaml", *(f"{n}.yaml" for n in range(4))):
        (folder / name).write_text("dependencies: []\n")
    (folder / "given").write_text("x")


def nothing(folder: Path) -> None:
    pass


def fresh(folder: Path) -> None:
    pass


def half(folder: Path) -> None:
    for name in ("1.last", "2.first"):
        (folder / name).unlink()


def script(folder: Path) -> None:
    with (folder / "first.py").open("a") as out:
        out.write("# more\n")


def word(folder: Path) -> None:
    text = (folder / "Snakefile").read_text()
    (folder / "Snakefile").write_text(text.replace("WORD", "another"))


def newer(folder: Path) -> None:
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


CHANGES = [fresh, nothing, half, script, word, newer, by_job, inside, lost]


@pytest.mark.parametrize("change", CHANGES)
def test_a_plan_is_that_of_snakemake(planned, change):
    of_itself, lean = planned[change.__name__]
    assert lean[1] == of_itself[1]
    if change in (inside, lost):
        assert isinstance(lean[1], str) and re.search({inside: "child", lost: "first.py"}[change], lean[1]), lean
    else:
        assert len(lean[1]) == 11 and any(job[2] for job in lean[1]) == (change is not nothing)
    if change is fresh:
        # Without it each job is asked. As long as Snakemake is as it is: then the module can go.
        assert lean[0] <= 2 and of_itself[0] >= 4


def test_the_plan_of_a_cohort_is_that_of_snakemake(planned):
    of_itself, lean = planned["cohort"]
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
