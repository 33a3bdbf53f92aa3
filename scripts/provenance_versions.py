"""Versions of the tools and packages of one environment."""

import json
import platform
from importlib import metadata
from pathlib import Path

from goe.core import logs, processes, seal

params = snakemake.params
with logs.to(snakemake.log), seal.job(snakemake):
    found = {"python": platform.python_version()} if params.packages else {}
    found |= {tool: processes.version(tool) for tool in params.tools}
    found |= {package: metadata.version(package) for package in params.packages}
    Path(snakemake.output.versions).write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
