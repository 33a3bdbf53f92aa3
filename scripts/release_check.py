"""What `goe check` looks at, but for the files that are still to be written; stops when anything fails."""

import json
from pathlib import Path

from goe.check import run as check
from goe.core import logs, seal

with logs.to(snakemake.log), seal.job(snakemake):
    results = check.run(snakemake.params.folder, parts=check.BEFORE_METADATA)
    Path(snakemake.output[0]).write_text(json.dumps(check.told(results), indent=1) + "\n")
    check.stop_on_failure(results)
