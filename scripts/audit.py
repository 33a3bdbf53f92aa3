"""The verdict of the audit, on the terminal; ends with an error where the release does not stand."""

import json
from pathlib import Path

from goe.audit import report

said = json.loads(Path(snakemake.input.json).read_text())
print("\n".join(said["in_words"]), flush=True)
if said["verdict"] not in report.GOOD:
    raise SystemExit(1)
