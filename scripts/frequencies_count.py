"""Leaf-stratum counts of one region from its harmonised BCF and the keep list."""

from goe.core import logs, seal, tables
from goe.core.ledger import Ledger
from goe.frequencies import counts
from goe.harmonise import files as harmonised
from goe.hts import parquet

with logs.to(snakemake.log), seal.job(snakemake):
    raw = snakemake.params.raw
    ledger = Ledger(f"frequencies {snakemake.wildcards.region}")
    keep = tables.read_people(snakemake.input.keep)
    with harmonised.open_harmonised(snakemake.input.bcf) as reader:
        leaves = counts.Leaves.of_keep(reader.header.samples, keep, snakemake.input.bcf)
        ledger.take("people", len(reader.header.samples))
        ledger.give("people", sum(leaves.people.values()))
        ledger.drop("people", "excluded", len(reader.header.samples) - sum(leaves.people.values()))
        schema = counts.schema(leaves, raw)
        with parquet.writer(snakemake.output.counts, schema) as out:
            for batch in counts.count(reader, leaves, raw, snakemake.params.accept_filters):
                ledger.take("site_alleles", batch.num_rows)
                out.write_batch(batch)
                ledger.give("site_alleles", batch.num_rows)
    ledger.write(snakemake.output.ledger)
