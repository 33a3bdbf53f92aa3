"""Runs in forks (`helpers.warm`) are what runs in processes of their own are."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import warm
from helpers.workflow import REPO

MULTIQC = f"{sys.prefix}/bin/multiqc"
SNAKEFILE = """
rule one:
    output: "told.json"
    benchmark: "one.tsv"
    script: "one.py"
"""
TELL = """
import json, os, sys
ours = {name: vars(module) for name, module in sys.modules.items() if name.split(".")[0] == "goe"}
kept = {f for them in ours.values() for f in them.values() if hasattr(f, "cache_info") and f.__module__ in ours}
told = {"goe": ours["goe"]["__file__"], "called": [f.__name__ for f in kept if f.cache_info().currsize]}
told |= {"folder": os.getcwd(), "some": len(kept) > 5}
told |= {"umask": os.umask(0o22), "variable": os.environ["VARIABLE"], "numba": "numba" in sys.modules}
with open(snakemake.output[0], "w") as out:
    json.dump(told, out)
"""


def run(folder: Path, script: str, snakefile: str = SNAKEFILE, alone: bool = False) -> tuple[int, str]:
    (folder / "Snakefile").write_text(snakefile)
    (folder / "one.py").write_text(script)
    options = ["--snakefile", str(folder / "Snakefile"), "--directory", str(folder), "--cores", "1"]
    return warm.snakemake(options, {**os.environ, "VARIABLE": folder.name}, 100, [] if alone else None)


def test_a_job_has_what_its_run_has_and_a_library_that_nobody_called(tmp_path):
    status, output = run(tmp_path, TELL)
    assert status == 0, output
    # The schemas are read when their module is loaded, in every process.
    told = {"goe": str(REPO / "scripts/goe/__init__.py"), "called": ["schema"], "some": True}
    told |= {"folder": str(tmp_path), "umask": 0o77, "variable": tmp_path.name, "numba": True}
    assert json.loads((tmp_path / "told.json").read_text()) == told
    assert len((tmp_path / "one.tsv").read_text().splitlines()) == 2


def test_a_fork_is_customised_as_a_process_is(tmp_path):
    """Whether or not the Python of the server has a `sitecustomize` of its own, as Debian's has."""
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.told = 7\n")
    (tmp_path / "one.py").write_text("import sys\nprint(sys.told)\n")
    env = os.environ | {"PYTHONPATH": str(tmp_path)}
    assert warm.ended("script", [str(tmp_path / "one.py")], env, 60) == (0, "7\n")


def test_what_a_fork_has_left_for_its_end_is_done(tmp_path):
    left = ["import atexit, weakref", "atexit.register(print, 1)", "weakref.finalize(print, print, 2)"]
    (tmp_path / "one.py").write_text("\n".join(left))
    status, said = warm.ended("script", [str(tmp_path / "one.py")], os.environ, 60)
    assert status == 0 and sorted(said.split()) == ["1", "2"]


KERNEL = """
from goe.disclosure.search import _small
print(len(_small.overloads), _small(2, 3), _small(3, 3))
"""


def test_a_kernel_that_a_fork_has_loaded_is_there_in_the_next(tmp_path):
    (tmp_path / "one.py").write_text(KERNEL)
    env = os.environ | {"PYTHONPATH": str(REPO / "scripts")}
    said = [warm.ended("script", [str(tmp_path / "one.py")], env, 100) for _ in range(2)]
    assert said[0] in ((0, "0 True False\n"), (0, "1 True False\n"))
    assert said[1] == (0, "1 True False\n")


TEMPLATE = """
import jinja2
print(jinja2.Environment(loader=jinja2.DictLoader({"one": %r})).get_template("one").render())
"""


def test_a_template_is_that_of_its_text_and_kept(tmp_path):
    kept = Path(warm._server()).parent
    before = {*kept.glob("*jinja2*")}
    for text in ("first", "second", "second"):
        (tmp_path / "one.py").write_text(TEMPLATE % text)
        assert warm.ended("script", [str(tmp_path / "one.py")], os.environ, 60) == (0, f"{text}\n")
    assert len({*kept.glob("*jinja2*")} - before) == 1


@pytest.mark.parametrize("asked", [b"", b"multiqc", b"script"], ids=["nothing", "multiqc", "script"])
def test_who_is_killed_while_it_waits_takes_nobody_along(tmp_path, asked):
    """It is gone before it has read what it is told, its number first."""
    request = {"kind": asked.decode(), "arguments": ["none.py", "--version"], "env": dict(os.environ)}
    request |= {"folder": str(tmp_path), "umask": 0o77, "group": os.getpgrp()}
    for _ in range(5):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as one, Path(os.devnull).open("w") as out:
            one.connect(warm._server())
            if asked:
                socket.send_fds(one, [json.dumps(request).encode()], [out.fileno()] * 2)
    status, output = run(tmp_path, TELL)
    assert status == 0, output


def test_a_snakefile_that_was_changed_is_read_again(tmp_path):
    assert run(tmp_path, TELL)[0] == 0
    (tmp_path / "told.json").unlink()
    other = SNAKEFILE.replace("told", "also")
    status, output = run(tmp_path, TELL, other)
    assert status == 0, output
    assert (tmp_path / "also.json").exists() and not (tmp_path / "told.json").exists()


def test_the_line_of_an_error_is_that_of_the_snakefile_each_time(tmp_path):
    wrong = SNAKEFILE.replace("script", "input: 1 / 0\n    script")
    said = [run(tmp_path, TELL, wrong) for _ in range(2)]
    assert all(status == 1 and "ZeroDivisionError" in output and ", line 5" in output for status, output in said), said


ASKED = """
import json, shutil, subprocess
said = [subprocess.run(["multiqc", word], capture_output=True, text=True) for word in ("--version", "--no-such-word")]
with open(snakemake.output[0], "w") as out:
    json.dump([shutil.which("multiqc"), *([each.returncode, each.stdout] for each in said)], out)
"""


@pytest.mark.skipif(shutil.which("multiqc") != MULTIQC, reason="MultiQC is of another environment")
def test_multiqc_of_a_job_is_a_fork_too(tmp_path):
    status, output = run(tmp_path, ASKED)
    assert status == 0, output
    program, version, wrong = json.loads((tmp_path / "told.json").read_text())
    own = subprocess.run([MULTIQC, "--version"], capture_output=True, text=True)
    assert program != MULTIQC
    assert version == [0, own.stdout] and own.stdout.startswith("multiqc, version ")
    assert wrong[0] == 2


BOTH = """
rule all:
    input: "first.json", "second.json"

rule one:
    output: "{name}.json"
    script: "one.py"
"""
STARTED = """
import json, os, sys
with open(snakemake.output[0], "w") as out:
    json.dump(["numba" in sys.modules, os.environ.get("NUMBA_BOUNDSCHECK", "")], out)
"""


def test_of_a_run_alone_the_first_job_of_a_script_is_as_its_user_has_it(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_BOUNDSCHECK", "1")
    status, output = run(tmp_path, STARTED, BOTH, alone=True)
    assert status == 0, output
    assert sorted(json.loads((tmp_path / f"{name}.json").read_text()) for name in ("first", "second")) == [
        [False, ""],
        [True, "1"],
    ]


ENDS = ["sys.exit('words')", "raise ValueError('words')", "os.kill(os.getpid(), 9)", "os._exit(3)"]


@pytest.mark.parametrize("end", ENDS)
def test_a_job_that_ends_badly_ends_the_run_and_is_heard(tmp_path, end):
    status, output = run(tmp_path, f"import os, sys\nprint('words', file=sys.stderr, flush=True)\n{end}\n")
    assert status == 1
    assert "words" in output and "Error in rule one" in output
