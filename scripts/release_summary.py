"""README, metadata, QC and disclosure summaries, dictionary and ledger of the release."""

import json
from pathlib import Path

from goe import disclosure, ledger, logs, sites_vcf, tables
from goe import release_notes as notes

with logs.to(snakemake.log):
    cfg, build = snakemake.params.cfg, snakemake.params.build
    contigs = [json.loads(Path(path).read_text()) for path in snakemake.input.summaries]
    tally = notes.combine(contigs)
    policy = disclosure.policy(cfg["disclosure"])
    plan = disclosure.plan(tally["people"], policy.k)
    fields = sites_vcf.read_fields(snakemake.input.fields)
    keep = tables.read(snakemake.input.keep)
    people = notes.people_summary(keep, policy.k)
    absent = notes.absent_fields(tables.read(snakemake.input.people), keep, policy.k)
    chain = notes.account(
        [
            ledger.total([snakemake.input.harmonise], "harmonise"),
            ledger.total(snakemake.input.frequencies, "frequencies"),
            ledger.total(snakemake.input.variant_qc, "variant_qc"),
        ],
        tally,
    )
    about = notes.dataset(cfg, build, plan, tally, policy.k)
    qc = {
        "people": people,
        "genotype_filter": notes.genotype_rules(cfg["genotype_filter"], absent),
        "variant_qc": notes.site_rules(cfg["variant_qc"]),
        "alleles_by_class": tally["classes"],
        "alleles_by_filter": tally["filters"],
        "rounded_to": policy.k,
    }
    texts = {
        "readme": notes.readme(cfg, about, people, absent, tally, policy, [c["contig"] for c in contigs]),
        "dataset": notes.dumps(about),
        "qc": notes.dumps(qc),
        "disclosure": notes.dumps(notes.disclosure_summary(policy, plan, tally)),
        "dictionary": notes.dictionary(fields, sites_vcf.tags(fields, plan.strata)),
        "ledger": notes.dumps(notes.public_ledger(chain, policy.k)),
        # The exact account, and which strata have too few people: personal data, not for the release.
        "exact": notes.dumps(
            {
                "steps": [step.as_dict() for step in chain],
                "people": tally["people"],
                "strata_not_published": list(plan.hidden),
            }
        ),
    }
    for name, text in texts.items():
        Path(snakemake.output[name]).write_text(text)
