"""The private record of who is counted in this release, for a later release to be compared with."""

from goe import logs, previous_release, seal, tables

with logs.to(snakemake.log), seal.job(snakemake):
    previous_release.write_record(tables.read(snakemake.input.keep), snakemake.output.record, snakemake.output.key)
