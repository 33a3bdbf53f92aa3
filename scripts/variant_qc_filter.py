"""FILTER and site statistics of one region's alleles."""

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from goe import logs
from goe.ledger import Ledger
from goe.site_filters import DESCRIPTIONS, annotate

with logs.to(snakemake.log):
    ledger = Ledger(f"variant_qc {snakemake.wildcards.region}")
    source = pq.ParquetFile(snakemake.input.counts)
    writer = None
    for i in range(max(1, source.num_row_groups)):
        part = source.read_row_group(i) if source.num_row_groups else source.read()
        table = annotate(part, snakemake.params.rules)
        if writer is None:
            writer = pq.ParquetWriter(snakemake.output.table, table.schema, compression="zstd")
        writer.write_table(table)
        passed = pc.equal(pc.list_value_length(table["filter"]), 0)
        first = pc.list_element(pc.if_else(passed, pa.scalar(["PASS"]), table["filter"]), 0)
        ledger.take("site_alleles", table.num_rows)
        for entry in pc.value_counts(first).to_pylist():
            if entry["values"] == "PASS":
                ledger.give("site_alleles", entry["counts"])
            else:
                name = entry["values"] if entry["values"] in DESCRIPTIONS else "input filter"
                ledger.drop("site_alleles", name, entry["counts"])
    writer.close()
    ledger.write(snakemake.output.ledger)
