"""Frequency table and VCF lines of one contig without a floor, for the restricted product."""

import json
from pathlib import Path

from goe.core import logs, seal
from goe.genome.fasta import Reference
from goe.release import restricted
from goe.release.formats import sites_vcf
from goe.release.table import Source

params, output = snakemake.params, snakemake.output
with logs.to(snakemake.log), seal.job(snakemake):
    contig = snakemake.wildcards.contig
    with Reference(snakemake.input.fasta) as reference:
        length, md5 = reference.lengths[contig], reference.m5(contig)
    found = restricted.write_contig(
        Source(snakemake.input.tables, contig, length, restricted.policy(params.legal_basis)),
        sites_vcf.read_fields(snakemake.input.fields),
        {"dataset": params.dataset, "build": params.build},
        output.table,
        output.every,
        output.passed,
        snakemake.threads,
    )
    summary = {"contig": {"name": contig, "length": length, "md5": md5}, **found}
    Path(output.summary).write_text(json.dumps(summary, sort_keys=True) + "\n")
