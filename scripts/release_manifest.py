"""The manifest, last of all: it says that the release is whole."""

import json
from pathlib import Path

from goe.check import run as check
from goe.core import logs, manifest, seal

with logs.to(snakemake.log), seal.job(snakemake):
    folder = Path(snakemake.output[0]).parent
    written = json.loads(Path(snakemake.input.written).read_text())
    check.stop_on_failure(check.run(folder, parts=check.METADATA))
    manifest.write(folder, sorted({*snakemake.params.files, *written}))
