"""The manifest, last of all: it says that the release is whole."""

import json
from pathlib import Path

from goe.check import run as check
from goe.core import logs, manifest, seal
from goe.core.errors import stop_on

with logs.to(snakemake.log), seal.job(snakemake):
    stop_on(seal.chain(getattr(snakemake.input, "seals", [])))
    folder = Path(snakemake.output.manifest).parent
    beside = [name for path in snakemake.input.beside for name in json.loads(Path(path).read_text())]
    results = check.run(folder, parts=(*check.METADATA, "ids"), ids=snakemake.input.people, own=True)
    check.stop_on_failure(results)
    manifest.write(folder, sorted({*snakemake.params.files, *beside}))
