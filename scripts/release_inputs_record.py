"""The private record of what this release is made from, for an auditor to be compared with."""

from itertools import chain

from goe.core import logs, seal, tables
from goe.intake import inputs
from goe.settings import sheets

source, strata = snakemake.input, snakemake.params.strata
with logs.to(snakemake.log), seal.job(snakemake):
    people = sheets.read_people(source.people, strata["label"], strata["columns"])
    hashed = chain.from_iterable(map(tables.read, source.digests))
    inputs.write_record(inputs.entries(people.values(), hashed), snakemake.output.record, snakemake.output.key)
