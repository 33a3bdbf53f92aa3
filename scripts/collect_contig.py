"""The sums of one contig over all datasets that are added up."""

import json
import os
from pathlib import Path

from goe.collect import folder
from goe.collect.sheet import Settings
from goe.core import environment, logs
from goe.core.files import write_whole
from goe.core.imports import UNUSED, without

os.umask(0o077)
environment.streams()
with logs.to(snakemake.log), without(*UNUSED):
    output, settings = snakemake.output, Settings(**snakemake.params.settings)
    datasets = folder.taken(folder.load(snakemake.input.agreed))
    told = folder.sum_contig(datasets, settings, snakemake.wildcards.contig, Path(output.sums).parent)
    write_whole(output.told, json.dumps(told, sort_keys=True) + "\n")
