"""Rule intake_digests: SHA-256 of the data files of a part of the cohort."""

from goe.core import logs, seal, tables
from goe.intake import inputs
from goe.settings import sheets

params = snakemake.params
with logs.to(snakemake.log), seal.job(snakemake):
    wanted = set(params.rows)
    rows = [row for row in sheets.read_inputs(params.inputs) if row.row in wanted]
    tables.write(snakemake.output.table, inputs.digests(rows, snakemake.threads, params.what))
