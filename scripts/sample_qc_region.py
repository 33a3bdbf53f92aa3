"""Variant counts of every person, and the common SNVs, of one autosomal region."""

from goe.calls.joint import JointFile
from goe.core import logs, seal, tables
from goe.frequencies import everybody
from goe.genome.build import Build, Region
from goe.hts import parquet
from goe.rules import sample_thresholds as sample_rules
from goe.sample_qc import region as sample_region

params, source, output = snakemake.params, snakemake.input, snakemake.output
with logs.to(snakemake.log), seal.job(snakemake):
    limits = sample_rules.load(source.guidelines, params.thresholds).parameters
    sheet = tables.read_people(source.people)
    files = [JointFile.counted(path, params.rename) for path in source.counted]
    build, region = Build(**params.build), Region(*params.region)
    people = everybody.opened(source.joint, params, build, region, sheet)
    with people as cohort, everybody.again(source.joint) as beside:
        of_region = sample_region.RegionCounts(
            cohort, beside, [sheet[name]["input_type"] == "vcf" for name in cohort.ids], limits, params.autosome_length
        )
        of_region.run(params.accept_filters)
        of_region.add_charr(files, region)
    parquet.write(of_region.table(), output.counts)
    parquet.write(of_region.common_table(), output.common)
