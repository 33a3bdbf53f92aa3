"""This release against an earlier one of the same cohort: nothing may follow from the difference of the two."""

from pathlib import Path

from goe import disclosure, logs, previous_release, release_config, release_notes, seal, tables

params = snakemake.params
with logs.to(snakemake.log), seal.job(snakemake):
    policy = disclosure.policy(params.disclosure)
    before, now = previous_release.read(params.previous), previous_release.of_tables(snakemake.input.tables)
    strata = [stratum for stratum in now.people if stratum in before.people]
    contigs = [
        previous_release.compare_contig(before.tables.get(contig), now.tables.get(contig), strata, policy.k)
        for contig in sorted({*before.tables, *now.tables})
        if before.build == now.build
    ]
    moved = None
    if params.people:
        moved = previous_release.moves(
            tables.read(snakemake.input.keep), params.people, release_config.people_key(params.people)
        )
    found = previous_release.check(before, now, policy, contigs, moved)
    Path(snakemake.output[0]).write_text(release_notes.dumps(found))
