"""One dataset looked at; a refused one ends this job well, and its reasons are what it leaves."""

import os
from pathlib import Path

from goe.collect.sheet import Entry
from goe.collect.take import take
from goe.core import logs

os.umask(0o077)
with logs.to(snakemake.log):
    taken = Path(snakemake.output.taken)
    one = take(Entry(**snakemake.params.entry), taken, snakemake.threads)
    taken.mkdir(exist_ok=True)
    one.save(snakemake.output.said)
    print("\n".join(map(str, one.problems)) or f"{one.name} was taken")
