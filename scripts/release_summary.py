"""Rule release_summary: what the release says of itself, and the workflow beside it."""

import shutil
from pathlib import Path

from goe.core import logs, seal
from goe.release.formats import beacon
from goe.release.summary import Sources, Summary
from goe.settings import sections
from goe.settings.sections import Config

source, params, output = snakemake.input, snakemake.params, snakemake.output
with logs.to(snakemake.log), seal.job(snakemake):
    files = Sources(
        contigs=source.summaries,
        membership=source.membership,
        keep=source.keep,
        metrics=source.metrics,
        people=source.people,
        variants=source.variants,
        keep_ledger=source.keep_ledger,
        harmonise=source.harmonise,
        frequencies=source.frequencies,
        variant_qc=source.variant_qc,
        fields=source.fields,
        guidelines=source.guidelines,
        own_guidelines=source.own_guidelines,
        panel=source.panel,
        regions=dict(zip(params.regions, source.regions, strict=True)),
        earlier=source.compare[0] if source.compare else None,
        coverage=source.coverage,
    )
    summary = Summary(files, sections.of(Config, params.cfg), params.build, params.par, params.formats)
    for name, text in summary.texts().items():
        Path(output[name]).write_text(text)
    beacon.write_populations(output.populations, summary.tags)
    for path, copy in zip(source.workflow, output.workflow, strict=True):
        shutil.copyfile(path, copy)
