"""The private record of who is counted in this release, for a later release to be compared with."""

from goe.core import logs, seal, tables
from goe.disclosure import earlier_release

with logs.to(snakemake.log), seal.job(snakemake):
    earlier_release.write_record(tables.read(snakemake.input.keep), snakemake.output.record, snakemake.output.key)
