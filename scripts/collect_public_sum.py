"""The folder of the public sum, which is there when it is whole and passed its check."""

import json
import os
import shutil
from pathlib import Path

from goe.collect import folder, public_sum
from goe.collect.sheet import Settings
from goe.core import logs
from goe.core.errors import stop_on

os.umask(0o077)
with logs.to(snakemake.log):
    source, settings = snakemake.input, Settings(**snakemake.params.settings)
    found = public_sum.load(folder.load(source.agreed), source.publics, settings)
    told = [json.loads(Path(path).read_text()) for path in source.told]
    parts = {one["contig"]: Path(path).with_suffix(".parquet") for one, path in zip(told, source.told, strict=True)}
    made, root = Path(snakemake.params.made), Path(snakemake.output.manifest).parent
    shutil.rmtree(made, ignore_errors=True)
    public_sum.finish(found, settings, parts, told, made)
    stop_on(public_sum.check(made))
    folder.clear(root, settings.id, public_sum.ABOUT)
    made.rename(root)
