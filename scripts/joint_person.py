"""Rule joint_person: one person's gVCF or VCF in the form that is merged, and its variant sites alone."""

import pysam
from goe.calls import gvcf
from goe.core import logs, seal
from goe.core.processes import feeding, pipeline, reading, tool
from goe.hts import indexes

params, output = snakemake.params, snakemake.output
path = snakemake.input.calls
with logs.to(snakemake.log), seal.job(snakemake), pysam.FastaFile(snakemake.input.fasta) as fasta:
    uniform = gvcf.Uniform(
        path,
        snakemake.wildcards.sample,
        params.contigs,
        {} if params.called else params.rename,
        blocks=params.blocks,
        base=lambda contig, pos: fasta.fetch(contig, pos - 1, pos).upper().encode(),
        respect_ft=params.respect_ft,
        join=not params.called,
    )
    with (
        feeding(["bcftools", "view", "--no-version", "-Ob", "-o", output.bcf, "-"]) as sink,
        reading("bcftools", "view", "--no-version", "-Ov", path) as source,
    ):
        gvcf.filter_stream(source, sink, uniform)
    tool("bcftools", "index", "-f", output.bcf)
    pipeline(
        ["bcftools", "view", "--no-version", "-G", "-i", "N_ALT>0", "-Ou", output.bcf],
        ["bcftools", "annotate", "--no-version", "-x", "FILTER,QUAL,INFO", "-Ob", "-o", output.sites, "-"],
    )
    tool("bcftools", "index", "-f", output.sites)
    index = indexes.of_vcf(path)
    if index and not params.called:
        indexes.hold(path, index, uniform.ledger.taken["records"])
    uniform.ledger.write(output.ledger)
