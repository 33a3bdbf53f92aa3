"""Rule harmonise_cohort: genotypes of everybody in a region, after filter and ploidy, as one BCF."""

from goe.core import logs, seal, tables
from goe.frequencies import everybody
from goe.genome.build import Build, Region

params, joint = snakemake.params, snakemake.input.joint
with logs.to(snakemake.log), seal.job(snakemake):
    build, region = Build(**params.build), Region(*params.region)
    people = tables.read_people(snakemake.input.people)
    with everybody.opened(joint, params, build, region, people) as cohort, everybody.again(joint) as beside:
        everybody.write(cohort, beside, snakemake.output.bcf)
