"""Rule align_contamination: share of foreign reads, by VerifyBamID2."""

from goe.core import logs, seal
from goe.core.processes import tool

source, output = snakemake.input, snakemake.output
with logs.to(snakemake.log), seal.job(snakemake):
    # Four principal components, as GA4GH WGS QC asks for; the seed is the program's own, a fixed one.
    words = ["verifybamid2", "--NumPC", "4", "--NumThread", snakemake.threads, "--SVDPrefix", snakemake.params.panel]
    prefix = output.freemix.removesuffix(".selfSM")
    tool(*words, "--Reference", source.fasta, "--BamFile", source.cram, "--Output", prefix)
