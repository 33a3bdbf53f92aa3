"""One sites-only VCF of all contigs, with its header and index."""

import json
from pathlib import Path

from goe.core import logs, seal
from goe.disclosure import control
from goe.disclosure.plan import choose_strata
from goe.release import notes as release_notes
from goe.release.formats import annotations, sites_vcf
from goe.rules.site_filters import DESCRIPTIONS
from goe.settings import sections
from goe.settings.sections import Disclosure

params, which = snakemake.params, snakemake.wildcards.which
with logs.to(snakemake.log), seal.job(snakemake):
    contigs = [json.loads(Path(path).read_text()) for path in snakemake.input.summaries]
    tally = release_notes.combine(contigs)
    policy = control.policy(sections.of(Disclosure, params.disclosure))
    plan = choose_strata(tally["people"], policy.min_stratum_size)
    fields = sites_vcf.read_fields(snakemake.input.fields)
    if which == "annotations":
        info = annotations.tags(annotations.read_fields(), plan.strata, ["non_par", *params.regions])
    else:
        info = sites_vcf.tags(fields, plan.strata)
    filters = tally["filters"] if which in ("all", "annotations") else {}
    head = sites_vcf.header(
        params.build,
        [c["contig"] for c in contigs],
        release_notes.filter_order(filters, DESCRIPTIONS),
        DESCRIPTIONS,
        info,
    )
    sites_vcf.join(head, snakemake.input.bodies, snakemake.output.vcf)
