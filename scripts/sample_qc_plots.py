"""Pictures of the cohort: coverage and heterozygosity by country, ancestry, sex chromosomes, call rate by depth."""

from pathlib import Path

from goe.core import logs, seal, tables
from goe.rules import sample_thresholds as sample_rules
from goe.sample_qc import plots

with logs.to(snakemake.log), seal.job(snakemake):
    source, output = snakemake.input, snakemake.output
    plots.Pictures(
        rows=tables.read(source.metrics),
        keep=tables.read_people(source.keep),
        pca=tables.read_people(source.ancestry),
        limits=sample_rules.load(source.guidelines, snakemake.params.thresholds).parameters,
        svg={name: output[name] for name in plots.NAMES},
        png={Path(picture).stem.removesuffix("_mqc"): picture for picture in output.pictures},
    ).draw()
