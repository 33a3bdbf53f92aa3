"""Versions of the tools and packages of one environment."""

import json
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

from goe.core import logs, seal
from goe.core.errors import GoeError, Problem

# What a tool says of itself, for those that do not answer --version.
ASK = {"bwa": ["bwa"], "verifybamid2": ["verifybamid2", "--help"]}

with logs.to(snakemake.log), seal.job(snakemake):
    found = {"python": platform.python_version()} if snakemake.params.packages else {}
    for tool in snakemake.params.tools:
        told = subprocess.run(ASK.get(tool, [tool, "--version"]), capture_output=True, text=True, errors="replace")
        number = re.search(r"\bv?(\d+\.[\w.+-]*\w)", told.stdout + told.stderr)
        if not number:
            raise GoeError(Problem(tool, "does not tell its version", "is it installed in this environment?"))
        found[tool] = number[1]
    found |= {package: version(package) for package in snakemake.params.packages}
    Path(snakemake.output.versions).write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
