"""This release against an earlier one of the same cohort: nothing may follow from the difference of the two."""

from pathlib import Path

from goe.core import logs, seal, tables
from goe.disclosure import control, earlier_callable, earlier_release
from goe.genome.build import Build
from goe.release import notes as release_notes
from goe.rules import formats
from goe.settings import sections
from goe.settings.sections import Disclosure

params = snakemake.params
with logs.to(snakemake.log), seal.job(snakemake):
    policy = control.policy(sections.of(Disclosure, params.disclosure))
    before, now = earlier_release.read(params.previous), earlier_release.of_tables(snakemake.input.tables)
    strata = [stratum for stratum in now.people if stratum in before.people]
    contigs = [
        earlier_release.compare_contig(before.tables.get(contig), now.tables.get(contig), strata, policy.k)
        for contig in sorted({*before.tables, *now.tables})
        if before.build == now.build
    ]
    moved = None
    if params.people:
        moved = earlier_release.moves(
            tables.read(snakemake.input.keep), params.people, formats.people_key(params.people)
        )
    tables_now = dict(zip(params.build["contigs"], snakemake.input.callable_an, strict=True))
    beside = earlier_callable.problems(params.previous, tables_now, policy, moved, Build(**params.build))
    found = earlier_release.check(before, now, policy, contigs, moved, beside)
    Path(snakemake.output[0]).write_text(release_notes.dumps(found))
