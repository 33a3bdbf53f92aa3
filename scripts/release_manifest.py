"""The manifest, last of all: it says that the release is whole."""

from pathlib import Path

from goe.check import run as check
from goe.core import logs, manifest, seal
from goe.core.errors import stop_on
from goe.release import layout

with logs.to(snakemake.log), seal.job(snakemake):
    stop_on(seal.chain(getattr(snakemake.input, "seals", [])))
    folder = Path(snakemake.output.manifest).parent
    results = check.run(folder, parts=(*check.METADATA, "ids"), ids=snakemake.input.people, own=True)
    check.stop_on_failure(results)
    manifest.write(folder, layout.planned(snakemake.params.files, snakemake.input.beside))
