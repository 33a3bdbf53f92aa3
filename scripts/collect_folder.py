"""The folder of the collection, from the sums of its contigs; it is there when it is whole and passed its own check."""

import json
import os
import shutil
from pathlib import Path

from goe.collect import check, folder
from goe.collect.sheet import Settings
from goe.core import environment, logs
from goe.core.errors import stop_on

os.umask(0o077)
environment.streams()
with logs.to(snakemake.log):
    settings, datasets = Settings(**snakemake.params.settings), folder.load(snakemake.input.agreed)
    told = [json.loads(Path(path).read_text()) for path in snakemake.input.told]
    parts = {one["contig"]: Path(path).with_suffix("") for one, path in zip(told, snakemake.input.told, strict=True)}
    made, root = Path(snakemake.params.made), Path(snakemake.output.manifest).parent
    shutil.rmtree(made, ignore_errors=True)
    compared = {Path(path).name: Path(path) for path in snakemake.input.compared}
    folder.finish(settings, datasets, parts, told, made, compared)
    stop_on([problem for result in check.run(made, snakemake.threads) for problem in result.problems])
    folder.clear(root, settings.id)
    made.rename(root)
