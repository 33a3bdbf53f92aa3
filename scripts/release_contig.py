"""Rule release_contig: every format of one contig."""

from goe.core import logs, seal
from goe.genome.build import Build
from goe.release.contig import Places, Release

source, params, output = snakemake.input, snakemake.params, snakemake.output
with logs.to(snakemake.log), seal.job(snakemake):
    release = Release(
        dataset=params.dataset,
        build=Build(**params.build),
        fasta=source.fasta,
        fields=source.fields,
        disclosure=params.disclosure,
        regions=params.regions,
        gdi=params.gdi,
    )
    places = Places(
        table=output.table,
        wide=output.wide,
        beacon=output.beacon,
        every=output.every,
        passed=output.passed,
        total=output.total,
        strata=output.strata,
        annotations=output.annotations,
        lookup=output.lookup,
        membership=output.membership,
        summary=output.summary,
        gdi=output.gdi if params.gdi else None,
    )
    release.write(snakemake.wildcards.contig, source.tables, places, snakemake.threads)
