"""Rule release_contig: every format of one contig."""

from goe.core import logs, seal
from goe.genome.build import Build
from goe.release.contig import Places, Release
from goe.release.gdi import metadata as gdi_metadata
from goe.settings import sections
from goe.settings.sections import Config, Disclosure

source, params, output = snakemake.input, snakemake.params, snakemake.output
with logs.to(snakemake.log), seal.job(snakemake):
    release = Release(
        dataset=params.dataset,
        build=Build(**params.build),
        fasta=source.fasta,
        fields=source.fields,
        disclosure=sections.of(Disclosure, params.disclosure),
        regions=params.regions,
        dbsnp=source.dbsnp[0] if source.dbsnp else None,
        previous=getattr(params, "previous", None),
        gdi=gdi_metadata.settings(sections.of(Config, params.gdi)) if params.gdi else None,
    )
    places = Places(
        table=output.table,
        wide=output.wide,
        names=output.names,
        beacon=output.beacon,
        every=output.every,
        passed=output.passed,
        mini_node=output.mini_node,
        annotations=output.annotations,
        lookup=output.lookup,
        rs_numbers=output.rs_numbers,
        membership=output.membership,
        summary=output.summary,
        gdi=output.gdi if params.gdi else None,
    )
    release.write(snakemake.wildcards.contig, source.tables, places, snakemake.threads)
