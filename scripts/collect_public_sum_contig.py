"""What may be public of the sums of one contig, audited from the public files alone."""

import json
import os

from goe.collect import folder, public_sum
from goe.collect.sheet import Settings
from goe.core import logs
from goe.core.files import write_whole

os.umask(0o077)
with logs.to(snakemake.log):
    source, settings = snakemake.input, Settings(**snakemake.params.settings)
    found = public_sum.load(folder.load(source.agreed), source.publics, settings)
    told = public_sum.sum_contig(found, settings, snakemake.wildcards.contig, snakemake.output.table)
    write_whole(snakemake.output.told, json.dumps(told, sort_keys=True) + "\n")
