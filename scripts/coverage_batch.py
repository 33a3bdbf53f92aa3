"""Rule coverage_batch: where the people of a batch have reads enough, window by window."""

from goe.core import logs, seal
from goe.genome.build import Build
from goe.harmonise import coverage

source, params = snakemake.input, snakemake.params
with logs.to(snakemake.log), seal.job(snakemake):
    people = [(name, sex, bed) for (name, sex), bed in zip(params.people, source.beds, strict=True)]
    depths = coverage.Depths(*params.depths)
    coverage.gather(people, Build(**params.build), params.rename, depths, snakemake.output.runs)
