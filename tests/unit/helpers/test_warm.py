"""Runs in forks (`helpers.warm`) are what runs in processes of their own are."""

import json
import os
from pathlib import Path

import pytest
from helpers import warm

SNAKEFILE = """
rule one:
    output: "told.json"
    benchmark: "one.tsv"
    script: "one.py"
"""
TELL = """
import json, os, sys
told = {"goe": [name for name in sys.modules if name.split(".")[0] == "goe"], "folder": os.getcwd()}
told |= {"umask": os.umask(0o22), "variable": os.environ["VARIABLE"], "numba": "numba" in sys.modules}
with open(snakemake.output[0], "w") as out:
    json.dump(told, out)
"""


def run(folder: Path, script: str) -> tuple[int, str]:
    (folder / "Snakefile").write_text(SNAKEFILE)
    (folder / "one.py").write_text(script)
    options = ["--snakefile", str(folder / "Snakefile"), "--directory", str(folder), "--cores", "1"]
    return warm.snakemake(options, {**os.environ, "VARIABLE": folder.name}, 100)


def test_a_job_has_what_its_run_has_and_loads_the_library_itself(tmp_path):
    status, output = run(tmp_path, TELL)
    assert status == 0, output
    told = {"goe": [], "folder": str(tmp_path), "umask": 0o77, "variable": tmp_path.name, "numba": True}
    assert json.loads((tmp_path / "told.json").read_text()) == told
    assert len((tmp_path / "one.tsv").read_text().splitlines()) == 2


ENDS = ["sys.exit('words')", "raise ValueError('words')", "os.kill(os.getpid(), 9)", "os._exit(3)"]


@pytest.mark.parametrize("end", ENDS)
def test_a_job_that_ends_badly_ends_the_run_and_is_heard(tmp_path, end):
    status, output = run(tmp_path, f"import os, sys\nprint('words', file=sys.stderr, flush=True)\n{end}\n")
    assert status == 1
    assert "words" in output and "Error in rule one" in output
