"""The cohort on one page, for the national team: personal data."""

import json
from pathlib import Path

from goe import __version__
from goe.core import logs, seal, tables
from goe.rules import sample_thresholds as sample_rules
from goe.sample_qc import page as cohort_page

with logs.to(snakemake.log), seal.job(snakemake):
    source, params = snakemake.input, snakemake.params
    about = {"id": params.id, "title": params.title, "made_with": f"goe {__version__}"}
    text = cohort_page.page(
        about,
        json.loads(Path(source.summary).read_text()),
        tables.read(source.keep),
        tables.read(source.metrics),
        tables.read(source.pairs),
        sample_rules.load(source.guidelines, params.thresholds),
        tables.read(source.ancestry),
        json.loads(Path(source.ancestry_statement).read_text()),
    )
    cohort_page.write(snakemake.output[0], text)
