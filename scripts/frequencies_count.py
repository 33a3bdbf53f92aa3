"""Leaf-stratum counts of one region from the harmonised files of everybody and the keep list."""

from goe.core import logs, seal, tables
from goe.core.ledger import Ledger
from goe.frequencies import counts, everybody
from goe.genome.build import Build, Region
from goe.hts import parquet

params, source = snakemake.params, snakemake.input
with logs.to(snakemake.log), seal.job(snakemake):
    ledger = Ledger(f"frequencies {snakemake.wildcards.region}")
    keep = tables.read_people(source.keep)
    counts.stop_on_nobody(keep)
    build, region = Build(**params.build), Region(*params.region)
    with everybody.opened(source.joint, params, build, region, keep, params.raw) as cohort:
        leaves = counts.Leaves.of_keep(cohort.ids, keep, f"the cohort in {region.name}")
        ledger.take("people", len(cohort.ids))
        ledger.give("people", sum(leaves.people.values()))
        ledger.drop("people", "excluded", len(cohort.ids) - sum(leaves.people.values()))
        with parquet.writer(snakemake.output.counts, counts.schema(leaves, params.raw)) as out:
            for batch in counts.count(cohort, leaves, ledger, params.accept_filters):
                out.write_batch(batch)
    ledger.write(snakemake.output.ledger)
