"""The public release of a restricted product, looked at as any dataset; a refused one stops the public sum, later."""

import os

from goe.collect.sheet import Entry
from goe.collect.take import take
from goe.core import logs

os.umask(0o077)
with logs.to(snakemake.log):
    one = take(Entry(**snakemake.params.entry), snakemake.params.work, snakemake.threads)
    one.save(snakemake.output.said)
    print("\n".join(map(str, one.problems)) or f"{one.name} was taken")
