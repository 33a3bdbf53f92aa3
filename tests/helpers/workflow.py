"""Run the workflow as its user does, through the command line."""

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import yaml

from helpers import warm

REPO = Path(__file__).resolve().parents[2]


def environment() -> dict[str, str]:
    """Without what `make test` tells numba."""
    return {key: value for key, value in os.environ.items() if not key.startswith("NUMBA_")}


@dataclass
class Run:
    """Exit status and output of one `snakemake` call."""

    status: int
    output: str

    def ok(self) -> "Run":
        assert self.status == 0, self.output[-6000:]
        return self


def snakemake(directory: Path, *arguments: str, cores: int = 2, timeout: int = 1500, alone: bool = False) -> Run:
    """`snakemake` on the checkout's Snakefile in `directory`; stdout and stderr together.

    In forks of a process that has its libraries loaded (`helpers.warm`), with kernels that look at their indexes under
    `make test`; `alone`, each script once as every user has it, and without a network interface where that can be had.
    Which of the jobs that are ready begins first is no question for a solver of linear programs, which takes longer
    than the jobs.
    """
    options = ["--snakefile", str(REPO / "Snakefile"), "--directory", str(directory)]
    options += ["--workflow-profile", str(REPO / "workflow/profiles/default"), "--cores", str(cores), *arguments]
    if not alone:
        return Run(*warm.snakemake([*options, "--scheduler", "greedy"], os.environ, timeout))
    inside = ["unshare", "--net", "sh", "-c", _COUNTED, str(directory / COUNTERS)] if off_network() else []
    return Run(*warm.snakemake(options, os.environ, timeout, inside))


COUNTERS = ".snakemake/network"
"""Of a run `alone`: what the network was asked for, as the kernel has counted it."""
_COUNTS = ("/proc/net/snmp", "/proc/net/snmp6")
# Where SLURM is installed, Snakemake's plugin for it asks `scontrol` whenever it is loaded.
_COUNTED = f"""
none=$(mktemp -d) && ln -s /bin/false "$none/scontrol" && PATH="$none:$PATH" "$@"
status=$?
rm -r "$none"
cat {" ".join(_COUNTS)} > "$0"
exit $status
"""


def counters() -> str:
    """What the kernel counts for this process's namespace."""
    return "".join(Path(path).read_text() for path in _COUNTS)


def asked_of_network(text: str) -> int:
    """Packets and connections, and those that found no way out, of `counters`: where there is no interface, each try to
    connect or to look up a name is one of the latter."""
    rows = [line.split() for line in text.splitlines()]
    found = {row[0]: row[1] for row in rows if len(row) == 2}
    for names, values in pairwise(rows):
        if names[0] == values[0]:
            found |= {f"{names[0]}{name}": value for name, value in zip(names[1:], values[1:], strict=True)}
    counted = ("Ip:OutNoRoutes", "Ip:OutRequests", "Tcp:ActiveOpens", "Udp:OutDatagrams", "Ip6OutNoRoutes")
    return sum(int(found[name]) for name in counted)


@cache
def off_network() -> bool:
    """Whether a run can be started without any network interface."""
    return subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode == 0


def goe(*arguments, alone: bool = False) -> subprocess.CompletedProcess:
    """The console command in a fork, or `alone`, as a user starts it; stdout and stderr together."""
    words = list(map(str, arguments))
    if not alone:
        status, said = warm.ended("script", [str(REPO / "scripts/goe/__main__.py"), *words], os.environ, 1500)
        return subprocess.CompletedProcess(words, status, said)
    command = [sys.executable, "-m", "goe", *words]
    env = os.environ | {"PYTHONPATH": str(REPO / "scripts")}
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env)


DATASET = {
    "prefix": "GOE",
    "country": "EE",
    "org": "EXAMPLE",
    "id": "GOE-EE-EXAMPLE-20260101000000000",
    "title": "Test allele frequencies",
    "contact": {"fn": "Test", "email": "test@example.org"},
}


def write_config(directory: Path, **sections) -> dict:
    """A whole config in `directory`/config/config.yaml; `sections` replace or add top-level keys."""
    config = {
        "samples": "samples.tsv",
        "inputs": "inputs.tsv",
        "dataset": DATASET,
        "disclosure": {"open": True, "legal_basis": "test data"},
        "sample_qc": {"exclude": False},
        **sections,
    }
    (directory / "config").mkdir(parents=True, exist_ok=True)
    (directory / "config" / "config.yaml").write_text(yaml.safe_dump(config))
    return config
