"""Rule intake_people: everybody of the sheet, with what intake found of their files."""

from goe.core import logs, seal, tables
from goe.intake import lint
from goe.settings import sheets

params = snakemake.params
with logs.to(snakemake.log), seal.job(snakemake):
    people = sheets.read_people(params.samples, params.strata["label"], params.strata["columns"])
    tables.write(snakemake.output.people, lint.people_table(tables.read(snakemake.input.sources), people))
