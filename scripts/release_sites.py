"""One sites VCF from the lines of all contigs, with its header and index."""

import json
from pathlib import Path

from goe import disclosure, logs, release_notes, sites_vcf
from goe.site_filters import DESCRIPTIONS

with logs.to(snakemake.log):
    contigs = [json.loads(Path(path).read_text()) for path in snakemake.input.summaries]
    tally = release_notes.combine(contigs)
    plan = disclosure.plan(tally["people"], disclosure.policy(snakemake.params.disclosure).k)
    filters = tally["filters"] if snakemake.wildcards.which == "all" else {}
    head = sites_vcf.header(
        snakemake.params.build,
        [c["contig"] for c in contigs],
        release_notes.filter_order(filters, DESCRIPTIONS),
        DESCRIPTIONS,
        sites_vcf.tags(sites_vcf.read_fields(snakemake.input.fields), plan.strata),
    )
    sites_vcf.join(head, snakemake.input.bodies, snakemake.output.vcf)
