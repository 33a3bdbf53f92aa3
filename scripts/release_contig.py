"""Frequency table and VCF lines of one contig, from the same stream of checked alleles."""

from contextlib import ExitStack
from pathlib import Path

import pyarrow.compute as pc
from goe import disclosure, logs, release_notes, sites_vcf
from goe.frequency_table import Source, Writer, schema

with logs.to(snakemake.log):
    contig = snakemake.wildcards.contig
    length, md5 = sites_vcf.md5_of_contig(snakemake.input.fasta, contig)
    fields = sites_vcf.read_fields(snakemake.input.fields)
    policy = disclosure.policy(snakemake.params.disclosure)
    source = Source(snakemake.input.tables, contig, length, policy)
    info = sites_vcf.tags(fields, source.plan.strata)
    about = {"dataset": snakemake.params.dataset, "build": snakemake.params.build}
    with ExitStack() as stack:
        table = stack.enter_context(Writer(snakemake.output.table, schema(fields, about, source.plan, contig)))
        every = stack.enter_context(sites_vcf.Body(snakemake.output.all_sites, snakemake.threads))
        passed = stack.enter_context(sites_vcf.Body(snakemake.output.pass_sites, snakemake.threads))
        for block in source:
            table.write(block)
            text = sites_vcf.lines(block, info)
            every.write(text)
            passed.write(text.filter(pc.equal(block.filter, "PASS")))
    summary = {
        "contig": {"name": contig, "length": length, "md5": md5},
        "people": source.people,
        "tally": source.tally.as_dict(),
    }
    Path(snakemake.output.summary).write_text(release_notes.dumps(summary))
