"""Where the people of each published group are callable, or have reads enough, in a region, as it may be shown."""

from contextlib import ExitStack

from goe.core import logs, seal, tables
from goe.disclosure import control, earlier_callable
from goe.disclosure.plan import choose_strata
from goe.frequencies import callable_an, counts
from goe.genome.build import Build, Region
from goe.harmonise.batch import Called
from goe.settings import sections
from goe.settings.sections import Disclosure

params, source = snakemake.params, snakemake.input
with logs.to(snakemake.log), seal.job(snakemake), ExitStack() as stack:
    build, region = Build(**params.build), Region(*params.region)
    keep, people = tables.read_people(source.keep), tables.read_people(source.people)
    ids = list(keep)
    leaves = counts.Leaves.of_keep(ids, keep, "the keep list")
    policy = control.policy(sections.of(Disclosure, params.disclosure))
    groups = control.published_groups(choose_strata(leaves.people, policy.min_stratum_size), policy)
    kinds = {i: row["input_type"] for i, row in people.items()}
    earlier = getattr(params, "previous", None), getattr(params, "record", None)
    before = earlier_callable.before(*earlier, keep.values(), policy, build.name, region.contig)
    of_reads = getattr(params, "coverage", False)
    batches = [stack.enter_context(Called.opened(path)) for path in (source if of_reads else params).runs]
    covered = {i for batch in batches for i in batch.ids} if of_reads else None
    them = callable_an.People(leaves, ids, kinds, groups, region.contig, before, covered, policy.k)
    callable_an.write(callable_an.Blocks(batches, them, policy.k, build), region, snakemake.output.blocks)
