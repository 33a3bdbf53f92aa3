"""What MultiQC shows of our own tables, and the list of files it reads."""

import json
from pathlib import Path

from goe.core import logs, seal, tables
from goe.sample_qc import multiqc

with logs.to(snakemake.log), seal.job(snakemake):
    source = snakemake.input
    multiqc.write(
        path=snakemake.output.folder,
        title=str(snakemake.params.title),
        summary=json.loads(Path(source.summary).read_text()),
        metrics=tables.read_people(source.metrics),
        people=tables.read(source.keep),
        pictures=source.pictures,
        reports=source.files,
    )
