"""What the release says of itself: README, licence, metadata, QC and disclosure summaries, dictionary, ledger."""

import json
import shutil
from itertools import chain
from pathlib import Path

from goe.core import ledger, logs, seal, tables
from goe.disclosure import control, membership
from goe.release import notes, quantiles
from goe.release import texts as release_texts
from goe.release.formats import annotations, beacon, mini_node, sites_vcf, wide_table
from goe.release.metadata import ro_crate
from goe.rules import sample_thresholds as sample_rules
from goe.rules import site_filters as site_rules

params, source, output = snakemake.params, snakemake.input, snakemake.output
with logs.to(snakemake.log), seal.job(snakemake):
    cfg, build = params.cfg, params.build
    contigs = [json.loads(Path(path).read_text()) for path in source.summaries]
    tally = notes.combine(contigs)
    policy = control.policy(cfg["disclosure"])
    plan = control.plan(tally["people"], policy.min_stratum_size)
    fields = sites_vcf.read_fields(source.fields)
    tags = sites_vcf.tags(fields, plan.strata)
    keep = tables.read(source.keep)
    people = notes.people_summary(
        ledger.total([source.keep_ledger], "sample_qc"), {row["sample_id"] for row in keep}, policy.k
    )
    absent = notes.absent_fields(tables.read(source.people), keep, policy.k)
    steps = notes.account(
        [
            ledger.total([source.harmonise], "harmonise"),
            ledger.total(source.frequencies, "frequencies"),
            ledger.total(source.variant_qc, "variant_qc"),
        ],
        tally,
    )
    listed = [c["contig"] for c in contigs]
    about = notes.dataset(cfg, build, plan, tally, policy.k, params.formats, params.par, listed)
    earlier = json.loads(Path(source.compare[0]).read_text()) if source.compare else None
    figure = membership.figure(source.membership, about["strata"], cfg["dataset"]["id"])
    others = chain(
        wide_table.dictionary(fields, plan.strata),
        beacon.dictionary(),
        *(mini_node.dictionary(fields, plan.strata, profile) for profile in mini_node.PROFILES),
        annotations.dictionary(annotations.read_fields(), plan.strata, ["non_par", *params.regions]),
    )
    countries = notes.published_countries(cfg, plan)
    public = notes.public_ledger(steps, tally, policy.k)
    qc = {
        "people": people,
        "genotype_filter": notes.genotype_rules(cfg["genotype_filter"], absent, policy.k),
        "variant_qc": notes.filter_rules(cfg, about),
        "alleles_by_class": tally["classes"],
        "alleles_by_filter": tally["filters"],
        "alleles_by_rule": site_rules.counts(public),
        "metrics": quantiles.summary(keep, tables.read(source.metrics), countries, policy.k),
        "sample_qc": sample_rules.published(
            sample_rules.load(source.guidelines, cfg["sample_qc"]["thresholds"]), cfg["sample_qc"]["exclude"], countries
        ),
        "rounded_to": policy.k,
    }
    digests = ro_crate.file_digests(
        source.own_guidelines, source.panel, dict(zip(params.regions, source.regions, strict=True))
    )
    texts = {
        "dataset": notes.dumps(about),
        "qc": notes.dumps(qc),
        "disclosure": notes.dumps(notes.disclosure_summary(policy, plan, tally, figure, earlier)),
        "dictionary": notes.dictionary(fields, tags, others),
        "ledger": notes.dumps(public),
        "config": notes.dumps(ro_crate.snapshot(cfg, digests)),
        # The exact account, and which strata have too few people: personal data, not for the release.
        "exact": notes.dumps(
            {
                "steps": [step.as_dict() for step in steps],
                "people": tally["people"],
                "strata_not_published": list(plan.hidden),
            }
        ),
        "about": notes.dumps(
            {
                "records": about["number_of_pass_records"],
                "people": about["number_of_people"],
                "countries": countries,
                "build": build,
            }
        ),
    }
    # From what stands in the files, so that whoever has them can write these again.
    read = {name: json.loads(texts[name]) for name in release_texts.DESCRIPTIONS}
    words = release_texts.write(read)
    texts |= {"readme": words["README.md"], "license": words["LICENSE"], "changelog": words["CHANGELOG.md"]}
    for name, text in texts.items():
        Path(output[name]).write_text(text)
    beacon.write_populations(output.populations, tags)
    for path, copy in zip(source.workflow, output.workflow, strict=True):
        shutil.copyfile(path, copy)
