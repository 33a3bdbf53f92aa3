"""What a release says of itself: texts for people, dataset, QC, disclosure, dictionary, ledger, configuration."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from goe.core import code_digest, ledger, tables
from goe.disclosure import control, membership
from goe.disclosure.plan import choose_strata
from goe.harmonise.batch import Called
from goe.release import notes, quantiles
from goe.release import texts as release_texts
from goe.release.formats import allele_names, annotations, beacon, callable_an, mini_node, sites_vcf, wide_table
from goe.release.metadata import ro_crate
from goe.rules import sample_thresholds as sample_rules
from goe.rules import site_filters as site_rules
from goe.rules.dataset import COVERAGE_PROXY
from goe.settings.sections import Config


def _people_of(path: str | Path) -> list[str]:
    with Called.opened(path) as batch:
        return batch.ids


@dataclass(frozen=True)
class Sources:
    """Files that a release is described from.

    contigs, membership: one a contig, of `goe.release.contig`. keep, metrics, people: tables of people; variants:
    counters of theirs. keep_ledger, harmonise, frequencies, variant_qc: ledgers. fields: the dictionary of published
    fields. guidelines: all tables of thresholds; own_guidelines: the country's own, or none. panel: of contamination,
    or none. regions: flag of the companion VCF -> BED file. earlier: comparison with an earlier release, None where
    none was named. coverage: runs of the batches whose reads tell of it."""

    contigs: Sequence[str | Path]
    membership: Sequence[str | Path]
    keep: str | Path
    metrics: str | Path
    people: str | Path
    variants: str | Path
    keep_ledger: str | Path
    harmonise: str | Path
    frequencies: Sequence[str | Path]
    variant_qc: Sequence[str | Path]
    fields: str | Path
    guidelines: Sequence[str | Path]
    own_guidelines: Sequence[str | Path]
    panel: Sequence[str | Path]
    regions: Mapping[str, str | Path]
    earlier: str | Path | None = None
    coverage: Sequence[str | Path] = ()


class Summary:
    """The descriptions of a release.

    cfg: the part of the config that may be told. build: its name; par: its pseudo-autosomal regions. formats: what the
    folder holds. GoeError when contigs differ in their people, or alleles get lost between two steps.
    """

    def __init__(self, sources: Sources, cfg: Config, build: str, par: Sequence[Sequence], formats: Sequence[str]):
        self.sources, self.cfg, self.build = sources, cfg, build
        contigs = [json.loads(Path(path).read_text()) for path in sources.contigs]
        self.tally = notes.combine(contigs)
        self.policy = control.policy(cfg.disclosure)
        self.plan = choose_strata(self.tally["people"], self.policy.min_stratum_size)
        self.fields = sites_vcf.read_fields(sources.fields)
        self.tags = sites_vcf.tags(self.fields, self.plan.strata)
        self.keep = tables.read(sources.keep)
        people = ledger.total([sources.keep_ledger], "sample_qc")
        self.people = notes.people_summary(people, {row["sample_id"] for row in self.keep}, self.policy.k)
        self.absent = notes.absent_fields(tables.read(sources.people), self.keep, self.policy.k)
        with Path(sources.variants).open() as lines:
            self.qualities = notes.other_qualities(map(json.loads, lines), self.keep, self.policy.k)
        self.steps = notes.account(
            [
                ledger.total([sources.harmonise], "harmonise"),
                ledger.total(sources.frequencies, "frequencies"),
                ledger.total(sources.variant_qc, "variant_qc"),
            ],
            self.tally,
        )
        self.public = notes.public_ledger(self.steps, self.tally, self.policy.k)
        called = self._callable(tables.read(sources.people))
        names = [c["contig"] for c in contigs]
        k = self.policy.k
        self.dataset = notes.dataset(cfg, build, self.plan, self.tally, k, formats, par, names, callable_an=called)
        self.countries = notes.published_countries(cfg, self.plan)

    def _callable(self, people: Sequence[Mapping[str, str]]) -> dict:
        """Where callable AN, and that by coverage, comes from, and of how many people."""
        called = notes.callable_people(self.keep, people, self.plan, self.policy)
        if self.sources.coverage:
            covered = {i for path in self.sources.coverage for i in _people_of(path)}
            kinds, sums = notes.covered_people(self.keep, people, covered, self.plan, self.policy)
            called["an_method"][COVERAGE_PROXY] = kinds
            called[COVERAGE_PROXY] = {"people": sums, **self.cfg.coverage_rule}
        return called

    def disclosure(self) -> dict:
        """The policy, what it withheld, and how far the test of membership gets."""
        earlier = json.loads(Path(self.sources.earlier).read_text()) if self.sources.earlier else None
        figure = membership.figure(self.sources.membership, self.dataset["strata"], self.cfg.dataset.id)
        return notes.disclosure_summary(self.policy, self.plan, self.tally, figure, earlier)

    def dictionary(self) -> str:
        """Table of the fields of every format."""
        strata = self.plan.strata
        flags = ["non_par", *self.sources.regions]
        others = chain(
            wide_table.dictionary(self.fields, strata),
            allele_names.dictionary(),
            callable_an.dictionary(strata),
            callable_an.dictionary(strata, callable_an.PROXY) if self.sources.coverage else (),
            beacon.dictionary(),
            mini_node.dictionary(self.fields),
            annotations.dictionary(annotations.read_fields(), strata, flags),
        )
        return notes.dictionary(self.fields, self.tags, others)

    def qc(self) -> dict:
        """People, filters and metrics."""
        k, sample_qc = self.policy.k, self.cfg.sample_qc
        thresholds = sample_rules.load(self.sources.guidelines, sample_qc.thresholds)
        return {
            "people": self.people,
            "genotype_filter": notes.genotype_rules(self.cfg.genotype_filter, self.absent, k, self.qualities),
            "variant_qc": notes.filter_rules(self.cfg.variant_qc, self.dataset),
            "alleles_by_class": self.tally["classes"],
            "alleles_by_filter": self.tally["filters"],
            "alleles_by_rule": site_rules.counts(self.public),
            "metrics": quantiles.summary(self.keep, tables.read(self.sources.metrics), self.countries, k),
            "sample_qc": sample_rules.published(thresholds, sample_qc.exclude, self.countries),
            "rounded_to": k,
        }

    def config(self) -> dict:
        """The part of the configuration that decides the numbers, with digests of the files that it names."""
        sources = self.sources
        digests = ro_crate.file_digests(sources.own_guidelines, sources.panel, sources.regions)
        return ro_crate.snapshot(self.cfg, digests)

    def exact(self) -> dict:
        """The account as it is, and which strata have too few people: personal data, not for the release."""
        return {
            "steps": [step.as_dict() for step in self.steps],
            "people": self.tally["people"],
            "strata_not_published": list(self.plan.hidden),
        }

    def about(self) -> dict:
        """What other descriptions say of the dataset."""
        return {
            "records": self.dataset["number_of_pass_records"],
            "people": self.dataset["number_of_people"],
            "countries": self.countries,
            "build": self.build,
        }

    def texts(self) -> dict[str, str]:
        """Name of a description, or of a text for people, -> content of its file."""
        texts = {
            "dataset": notes.dumps(self.dataset),
            "qc": notes.dumps(self.qc()),
            "disclosure": notes.dumps(self.disclosure()),
            "dictionary": self.dictionary(),
            "ledger": notes.dumps(self.public),
            "config": notes.dumps(self.config()),
            "code": code_digest.listing(),
            "exact": notes.dumps(self.exact()),
            "about": notes.dumps(self.about()),
        }
        # From what stands in the files, so that whoever has them can write these again.
        words = release_texts.write({name: json.loads(texts[name]) for name in release_texts.DESCRIPTIONS})
        return texts | {release_texts.NAMES[path]: text for path, text in words.items()}
