"""The manifest, last of all: it says that the release is whole."""

from pathlib import Path

from goe import logs, manifest

with logs.to(snakemake.log):
    folder = Path(snakemake.output[0]).parent
    manifest.write(folder, [Path(path).relative_to(folder).as_posix() for path in snakemake.input])
