"""FILTER and site statistics of one region's alleles."""

from goe.core import logs, seal
from goe.core.ledger import Ledger
from goe.genome import intervals
from goe.hts import parquet
from goe.variant_qc.filters import Counted, annotate

params = snakemake.params
with logs.to(snakemake.log), seal.job(snakemake), parquet.opened(snakemake.input.counts) as source:
    ledger = Ledger(f"variant_qc {snakemake.wildcards.region}")
    regions = {flag: intervals.intervals(path, params.contig) for flag, path in params.regions.items()}
    writer = None
    for i in range(max(1, source.num_row_groups)):
        part = source.read_row_group(i) if source.num_row_groups else source.read()
        table = annotate(part, params.rules, regions, ledger)
        if writer is None:
            least = params.rules["hwe_min_people"]
            for country, people in Counted.of(part).too_small(least).items():
                print(f"HWE and InbreedingCoeff cannot be judged in {country}: {people} people, {least} needed")
            writer = parquet.writer(snakemake.output.table, table.schema)
        writer.write_table(table)
    writer.close()
    ledger.write(snakemake.output.ledger)
