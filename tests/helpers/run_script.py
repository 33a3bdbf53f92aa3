"""Run one script of the workflow with the `snakemake` object that a JSON file describes: SPEC.json.

Imports nothing but what the script does, since its whole process is measured.
"""

import json
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

REPO = Path(__file__).resolve().parents[2]


class Files(list):
    """Files by name, those without one under "", as Snakemake hands them over: flat, and by their names."""

    def __init__(self, named: dict):
        super().__init__(path for value in named.values() for path in (value if isinstance(value, list) else [value]))
        self.__dict__.update(named)

    def __getitem__(self, key):
        return self.__dict__[key] if isinstance(key, str) else super().__getitem__(key)


class Params(SimpleNamespace):
    """Parameters by name, of which Snakemake lets one ask for those that may be missing."""

    def get(self, name: str, default=None):
        return getattr(self, name, default)


def run(path: str) -> None:
    run_spec(json.loads(Path(path).read_text()))


def run_spec(spec: dict) -> None:
    """Run the script in this process; it ends with SystemExit where it fails."""
    stub = SimpleNamespace(
        input=Files(spec["input"]),
        output=Files(spec["output"]),
        params=Params(**spec["params"]),
        wildcards=SimpleNamespace(**spec.get("wildcards", {"region": "region"})),
        log=spec["log"],
        threads=spec.get("threads", 1),
        resources=spec.get("resources", {}),
        config=spec.get("config", {}),
        rule=spec.get("rule", ""),
    )
    runpy.run_path(str(REPO / "scripts" / spec["script"]), init_globals={"snakemake": stub}, run_name="__main__")


if __name__ == "__main__":
    run(sys.argv[1])
