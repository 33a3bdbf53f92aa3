"""The jobs of a run as Snakemake plans them: this file, run with FOLDER and OUT, writes them as JSON, one a line."""

import json
import os
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from helpers import warm
from helpers.run_script import Files

REPO = Path(__file__).resolve().parents[2]


def _plain(value: Any) -> Any:
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _named(files: Any) -> dict:
    """Files by name, and those without one."""
    named = {name: _plain(value) for name, value in files.items()}
    inside = {path for value in named.values() for path in ([value] if isinstance(value, str) else value)}
    return {**named, "": [str(path) for path in files if path not in inside]}


def _write(folder: str, out: str) -> None:
    from snakemake.api import SnakemakeApi
    from snakemake.settings.types import OutputSettings, ResourceSettings

    with Path(out).open("w") as jobs, SnakemakeApi(OutputSettings(stdout=False)) as api:
        planned = api.workflow(
            resource_settings=ResourceSettings(cores=2), snakefile=REPO / "Snakefile", workdir=Path(folder)
        ).dag()
        planned.printrulegraph()
        for job in planned.workflow_api._workflow.dag.jobs:
            params = dict(job.params.items())
            said = {"rule": job.rule.name, "script": job.rule.script, "shell": job.rule.shellcmd}
            said |= {"input": _named(job.input), "output": _named(job.output)}
            said |= {key: params[key] for key in ("stage", "stamp", "trusts", "in_parts") if key in params}
            files = ("seals", *params.get("beside", []))
            said["beside"] = {name: _plain(params[name]) for name in files if name in params}
            said |= {"params": params, "wildcards": dict(job.wildcards_dict), "log": [str(path) for path in job.log]}
            said |= {"threads": job.threads, "config": planned.workflow_api._workflow.config}
            print(json.dumps(said, default=str), file=jobs)


def jobs(folder: Path) -> list[dict]:
    """The jobs of a run in `folder`, in no order: rule, script, shell, and input, output by name ("": without one);
    beside: what of its parameters are files."""
    with tempfile.TemporaryDirectory() as place:
        out = f"{place}/jobs"
        status, said = warm.ended("script", [__file__, str(folder), out], os.environ, 600)
        assert status == 0, said[-4000:]
        return [json.loads(line) for line in Path(out).read_text().splitlines()]


def as_snakemake(job: dict) -> SimpleNamespace:
    """What `goe.core.seal.job` is given for a job; nothing would be sealed."""
    params = {key: job[key] for key in ("trusts", "in_parts") if key in job}
    params |= job["beside"] | {"beside": [name for name in job["beside"] if name != "seals"]}
    named = {name or "unnamed": value for name, value in job["input"].items()}
    return SimpleNamespace(input=Files(named), output=Files({}), params=SimpleNamespace(**params))


if __name__ == "__main__":
    _write(*sys.argv[1:])
