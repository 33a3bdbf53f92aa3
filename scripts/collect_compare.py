"""Countries and datasets compared on one contig, from its sums and the tables of the datasets."""

import os
from pathlib import Path

from goe.collect import folder
from goe.collect.sheet import Settings
from goe.core import environment, logs
from goe.core.imports import UNUSED, without

os.umask(0o077)
environment.streams()
with logs.to(snakemake.log), without(*UNUSED):
    datasets, settings = folder.taken(folder.load(snakemake.input.agreed)), Settings(**snakemake.params.settings)
    summed = Path(snakemake.input.sums).parent
    folder.compare_contig(datasets, settings, snakemake.wildcards.contig, summed, snakemake.output.compared)
