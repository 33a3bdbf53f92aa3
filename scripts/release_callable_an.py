"""Callable AN of one contig, or that by coverage, as Parquet and, in a release, as lines of the BED file."""

from goe.core import logs, seal
from goe.disclosure import control
from goe.genome.build import Build
from goe.release import callable_an
from goe.settings import sections
from goe.settings.sections import Disclosure

source, params, output = snakemake.input, snakemake.params, snakemake.output
with logs.to(snakemake.log), seal.job(snakemake):
    callable_an.write(
        source.blocks,
        snakemake.wildcards.contig,
        Build(**params.build),
        params.dataset,
        control.policy(sections.of(Disclosure, params.disclosure)),
        output.table,
        getattr(output, "body", None),
        getattr(output, "lookup", None),
        snakemake.threads,
        getattr(params, "coverage", None),
    )
