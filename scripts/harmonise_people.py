"""Rule harmonise_people: gVCFs or VCFs of people as site alleles they list, and where their genomes are callable."""

from pathlib import Path

from goe.calls.own_file import OwnFile
from goe.core import files, logs, seal
from goe.core.errors import GoeError, stop_on
from goe.genome.build import Build
from goe.harmonise import batch
from goe.harmonise.genotypes import Filter
from goe.harmonise.person import Harmoniser

params, output, source = snakemake.params, snakemake.output, snakemake.input
build, rule = Build(**params.build), Filter(**params.filter)
with logs.to(snakemake.log), seal.job(snakemake), files.scratch(output.tables) as scratch:
    Path(output.tables).mkdir(parents=True, exist_ok=True)
    problems = []
    for person in params.people:
        sample, called = person["sample"], person["called"]
        rename = {} if called else params.rename
        own = batch.Own.of(output.tables, sample)
        # What is wrong with a file is told with what is wrong with the others.
        try:
            file = OwnFile(person["calls"], sample, build.contigs, rename, person["blocks"], indexed=not called)
            settings = (rule, params.keep_absent, params.respect_ft, params.raw)
            one = Harmoniser(file, build, source.fasta, person["sex"], *settings)
            batch.write_person(one, scratch, own.alleles, own.runs)
            one.ledger.write(own.ledger)
        except GoeError as error:
            problems += error.problems
    stop_on(problems)
