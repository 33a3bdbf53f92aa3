"""The manifest, last of all: it says that the release is whole."""

import json
from pathlib import Path

from goe import check, logs, manifest

with logs.to(snakemake.log):
    folder = Path(snakemake.output[0]).parent
    written = json.loads(Path(snakemake.input.written).read_text())
    check.stop_on_failure(check.run(folder, parts=check.METADATA))
    manifest.write(folder, sorted({*snakemake.params.files, *written}))
