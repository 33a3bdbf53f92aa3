"""What decides the numbers of each stage, as one SHA-256 a stage: its stamp.

A stamp is taken over the settings that the stage reads, the rows of the sheets, the identity of every data file, the
code, and the stamps of the stages before. It is a parameter of the stage's jobs, so that Snakemake makes again what
was made under another one, and it stands in the seal of what a job made (goe.core.seal), so that no later job reads
what was made under another one, whatever Snakemake believed.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, is_dataclass
from functools import cached_property, wraps
from pathlib import Path
from typing import Any

from goe.core import batches, code_digest, manifest
from goe.core.files import write_whole
from goe.core.resources import ROOT
from goe.genome.build import Build
from goe.hts import indexes
from goe.rules.dataset import COVERAGE
from goe.rules.formats import people_key
from goe.settings.sections import Config
from goe.settings.sheets import Input, Person, by_person, with_coverage

_HEAD = 1 << 16

_READS = (
    *(
        "align.smk",
        "align_person.py",
        "goe/calls/aligners.py",
        "goe/calls/alignments.py",
        "goe/calls/cram_of_person.py",
    ),
    *(
        "goe/calls/fastq.py",
        "goe/calls/lanes.py",
        "goe/calls/reads_quality.py",
        "goe/calls/reports.py",
        "goe/calls/unit.py",
    ),
    *("goe/hts/bam.py", "goe/hts/cram.py", "goe/hts/crypt4gh.py", "goe/hts/indexes.py", "goe/hts/kernels.py"),
    "goe/hts/plain.py",
)
_INDEX = ("align_index.py", "goe/calls/aligners.py")
_CONTAMINATION = ("align_contamination.py",)
_BASES = ("sample_qc_reference.py", "goe/genome/bases.py", "goe/genome/build.py", "goe/genome/fasta.py")
_CALLS = (
    "call.smk",
    "call_bcftools.py",
    "goe/calls/calling.py",
    "goe/calls/gvcf.py",
    "goe/genome/build.py",
    "goe/hts/kernels.py",
    "goe/hts/text.py",
)
_OWN = (
    *("harmonise_people.py", "goe/calls/block_shapes.py", "goe/calls/fields.py", "goe/calls/own_file.py"),
    "goe/harmonise/",
    *("goe/genome/alleles.py", "goe/genome/bed.py", "goe/genome/build.py", "goe/genome/classes.py"),
    *("goe/genome/fasta.py", "goe/hts/bcf.py", "goe/hts/indexes.py", "goe/hts/kernels.py", "goe/hts/parquet.py"),
    *("goe/hts/crypt4gh.py", "goe/hts/plain.py", "goe/hts/text.py", "goe/hts/vcf_header.py"),
)
_GATHERED = ("harmonise_batch.py", "goe/core/batches.py")
_COVERAGE = (
    *("coverage.smk", "coverage_person.py", "goe/calls/alignments.py", "goe/calls/coverage.py"),
    *("goe/hts/cram.py", "goe/hts/indexes.py"),
)
_COVERED = ("coverage_batch.py", "goe/core/batches.py", "goe/genome/build.py", "goe/harmonise/", "goe/hts/parquet.py")
_SCAN = (
    *("joint.smk", "joint_file.py", "goe/calls/scan.py"),
    *("goe/hts/bcf.py", "goe/hts/bgzf.py", "goe/hts/crypt4gh.py", "goe/hts/indexes.py", "goe/hts/plain.py"),
    "goe/hts/vcf_header.py",
)
_GENOTYPES = (
    *("harmonise.smk", "harmonise_ledger.py", "harmonise_merge.py", "harmonise_split.py", "goe/calls/joint.py"),
    *("intake.smk", "intake_lint.py", "intake_people.py"),
    *(
        "goe/genome/intervals.py",
        "goe/hts/bgzf.py",
        "goe/hts/by_index.py",
        "goe/rules/counting.py",
        "goe/rules/dataset.py",
        "goe/rules/stratum.py",
    ),
    *("goe/intake/callers.py", "goe/intake/coverage.py", "goe/intake/first_reads.py", "goe/intake/kept.py"),
    "goe/intake/lint.py",
    *("goe/intake/load.py", "goe/intake/packing.py", "goe/intake/tools.py", "goe/intake/whole_genomes.py"),
    "goe/settings/sheets.py",
)
_METRICS = (
    *(*_BASES, *_CONTAMINATION),
    *("sample_qc.smk", "sample_qc_batch.py", "sample_qc_kinship.py", "sample_qc_reference.py", "sample_qc_region.py"),
    *("sample_qc_snvs.py", "sample_qc_variants.py", "inference.tsv", "sample_qc.tsv", "goe/sample_qc/region.py"),
    *("goe/sample_qc/charr.py", "goe/sample_qc/ga4gh.py", "goe/sample_qc/kinship.py", "goe/sample_qc/metrics.py"),
    *("goe/sample_qc/plink.py", "goe/sample_qc/relatedness.py", "goe/sample_qc/tool_reports.py"),
    "goe/rules/sample_thresholds.py",
)
_KEEP = (
    *("sample_qc_ancestry.py", "sample_qc_keep.py"),
    *("goe/sample_qc/ancestry.py", "goe/sample_qc/keep.py", "goe/sample_qc/sex.py"),
)
_DIGESTS = ("intake_digests.py", "goe/intake/inputs.py")
_PAGES = (
    *("sample_qc_cohort.py", "sample_qc_multiqc.py", "sample_qc_multiqc_tables.py", "sample_qc_plots.py", "goe/pages/"),
    *("goe/sample_qc/multiqc.py", "goe/sample_qc/multiqc_page.py", "goe/sample_qc/page.py", "goe/sample_qc/plots.py"),
    *("resources/pages/", "resources/cohort/", "resources/report/page.css"),
)
_COUNTS = ("frequencies.smk", "frequencies_count.py", "goe/frequencies/block.py", "goe/frequencies/counts.py")
_CALLABLE = (
    *("frequencies.smk", "frequencies_callable_an.py", "goe/frequencies/callable_an.py", "goe/frequencies/counts.py"),
    *("goe/disclosure/control.py", "goe/disclosure/earlier_callable.py", "goe/disclosure/earlier_release.py"),
    *("goe/disclosure/plan.py", "goe/frequencies/beside_earlier.py", "goe/frequencies/callable_before.py"),
)
# Who is where in a region, which the metrics ask too.
_COHORT = ("goe/frequencies/cohort.py", "goe/frequencies/everybody.py", "goe/frequencies/strata.py")
_FILTERS = (
    *("variant_qc.smk", "variant_qc_filter.py", "filters.tsv"),
    *("goe/variant_qc/", "goe/rules/site_filters.py", "goe/release/formats/annotations.py"),
)


def of(*parts: object) -> str:
    """SHA-256 (hex) of values that JSON can hold, with keys sorted, and of sections of the config."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=_told).encode()).hexdigest()


def _told(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else str(value)


def identity(path: str | Path) -> str:
    """What tells a data file from another one in its place: size, time of change (ns) and SHA-256 of its first 64 KiB.

    The whole of a genome cannot be hashed each time that a run is planned. Empty where there is no such file.
    """
    try:
        with Path(path).open("rb") as handle:
            status = os.fstat(handle.fileno())
            return f"{status.st_size} {status.st_mtime_ns} {hashlib.sha256(handle.read(_HEAD)).hexdigest()}"
    except OSError:
        return ""


def _once(stamp: Callable[["Stamps", str], str]) -> Callable[["Stamps", str], str]:
    """A stamp of one person that is computed once: several jobs and stages ask for it."""

    @wraps(stamp)
    def known(self: "Stamps", sample: str) -> str:
        key = (stamp.__name__, sample)
        if key not in self._of_person:
            self._of_person[key] = stamp(self, sample)
        return self._of_person[key]

    return known


class Stamps:
    """The stamps of a run, each computed when it is asked for.

    cfg, people, inputs, build: of `goe.intake.load.load`; root: the checkout, whose code is part of every stamp.
    kept: a file with the stamps of the whole cohort that the process which plans the run has left for its jobs, so
    that none of them looks at every input again. It is taken only for the same configuration and sheets.
    sheets: what tells the sheets from all others (`goe.intake.kept.key`).
    """

    def __init__(
        self,
        cfg: Config,
        people: Mapping[str, Person],
        inputs: Iterable[Input],
        build: Build,
        root: Path = ROOT,
        kept: str | Path | None = None,
        sheets: str = "",
    ):
        self.cfg, self.people, self.inputs, self.build, self.root = cfg, people, list(inputs), build, root
        self._own = by_person(self.inputs)
        self._covers = with_coverage(self.inputs) if cfg.callable_an.coverage_proxy else {}
        self._joint = [entry for entry in self.inputs if entry.input_type == "joint_vcf"]
        self._identities: dict[str, str] = {}
        self._kept: dict[str, str] = {}
        self._of_person: dict[tuple[str, str], str] = {}
        self._kept_at = Path(kept) if kept else None
        self._sheets = sheets

    # What is asked of the parts

    def file(self, *paths: str | Path) -> list[str]:
        """Identities of files, each looked at once by a process."""
        for path in map(str, paths):
            if path not in self._identities:
                self._identities[path] = identity(path)
        return [self._identities[str(path)] for path in paths]

    def code(self, names: Iterable[str]) -> list[str]:
        """SHA-256 of files of the code by name, of a folder that of all its files. KeyError if missing."""
        return [self._code[name] for name in sorted(names)]

    @cached_property
    def _code(self) -> dict[str, str]:
        return _Digests(self.root)

    def _rows(self, entries: Iterable[Input]) -> list[list[str]]:
        return [
            [e.sample_id, e.input_type, e.path, e.path2, e.library, e.unit]
            + self.file(*(path for path in (e.path, e.path2) if path))
            for e in entries
        ]

    @cached_property
    def reference(self) -> list:
        fasta = self.cfg.reference.fasta
        settings = [self.cfg.reference.rename, self.cfg.reference.ignored]
        return [self.file(fasta, f"{fasta}.fai"), self.build.name, list(self.build.contigs.items()), settings]

    @cached_property
    def index(self) -> str:
        """align_index: the reference for the aligner."""
        return of(self.reference, self.cfg.aligner, self.code(_INDEX))

    @cached_property
    def bases(self) -> str:
        """sample_qc_reference: bases of the reference that are not N."""
        return of(self.reference, self.build.par, self.code(_BASES))

    @property
    def versions(self) -> str:
        """provenance: what the tools say that they are."""
        return of(self.code(("provenance_versions.py",)))

    # Stages of one person

    @_once
    def reads(self, sample: str) -> str:
        """align_person: reads of the person to a CRAM, and what tools tell of them."""
        person = self.people[sample]
        rows = self._rows(self._own[sample])
        own = self._own[sample][0].input_type
        aligner = "" if own in ("bam", "cram") else self.cfg.aligner
        return of(rows, person.extra.get("platform", ""), aligner, self.reference, self.bases, self.code(_READS))

    @_once
    def contamination(self, sample: str) -> str:
        """align_contamination: the same of VerifyBamID2 and its panel."""
        return of(self.reads(sample), self._panel, self.code(_CONTAMINATION))

    @property
    def _panel(self) -> list[str]:
        panel = self.cfg.sample_qc.contamination_panel
        return self.file(*(f"{panel}.{end}" for end in ("UD", "mu", "bed"))) if panel else []

    @_once
    def calls(self, sample: str) -> str:
        """call: CRAM to gVCF."""
        rule = self.cfg.genotype_filter
        return of(self.reads(sample), self.cfg.caller, rule.min_dp, rule.min_dp_haploid, rule.min_gq, self.code(_CALLS))

    @_once
    def own(self, sample: str) -> str:
        """harmonise_people: the person's calls by themselves, from reads or a file that was given."""
        rows = self._own[sample]
        source = self._rows(rows) if rows[0].input_type in ("gvcf", "vcf") else self.calls(sample)
        settings = [self.cfg.genotype_filter, self.cfg.frequencies.raw, self.build.par]
        return of(source, self.people[sample].sex, settings, self.reference, self.code(_OWN))

    def own_of(self, people: Iterable[str]) -> str:
        """The same of the people of one job, in order."""
        return of([[name, self.own(name)] for name in people])

    @_once
    def coverage(self, sample: str) -> str:
        """coverage_person: how deep the reads lie that are beside the person's calls."""
        return of(self._rows([self._covers[sample]]), self.cfg.coverage_rule, self.reference, self.code(_COVERAGE))

    # Of a batch of people

    def gathered(self, people: Iterable[str]) -> str:
        """harmonise_batch: the files of these people, in order."""
        ids = list(people)
        # Kept for the jobs, none of which has to look at everybody's file.
        return self._cohort(
            f"gathered {of(ids)}", lambda: of([[name, self.own(name)] for name in ids], self.code(_GATHERED))
        )

    def covered(self, people: Iterable[str]) -> str:
        """coverage_batch: where these people, in order, have reads enough."""
        ids = list(people)
        told = [[name, self.people[name].sex, self.coverage(name)] for name in ids]
        return self._cohort(f"covered {of(ids)}", lambda: of(told, self.build.par, self.code(_COVERED)))

    # Of one joint VCF

    def scanned(self, number: int) -> str:
        """joint_file: the records of a joint VCF, by its number among those of the sheet."""
        entry = self._joint[number]
        return of(self._rows([entry]), self.reference, self.cfg.scatter.region_size, self.code(_SCAN))

    def contigs(self, number: int) -> list[str]:
        """Contigs of the build on which a joint VCF has records, as its index says: all of them where none tells."""
        entry = self._joint[number]

        def make() -> str:
            found = indexes.contigs_of_vcf(entry.path)
            names = set(self.build.contigs) if found is None else {self.cfg.reference.rename.get(c, c) for c in found}
            return " ".join(c for c in self.build.contigs if c in names)

        return self._cohort(f"contigs of joint file {number}", make).split()

    # Of the content of data files

    @cached_property
    def parts(self) -> dict[str, list[Input]]:
        """Rows of the sheet whose files are hashed by one job: of each batch of people, and of all joint VCFs."""
        size = self.cfg.scatter.people_per_batch
        made = batches.make(self._own, size)
        parts = {name: [row for sample in people for row in self._own[sample]] for name, people in made.items()}
        for name, people in batches.make(self._covers, size).items():
            parts[f"coverage.{name}"] = [self._covers[sample] for sample in people]
        return parts | ({"joint": self._joint} if self._joint else {})

    def files_of(self, part: str) -> list[str]:
        """Paths of its data files."""
        return [path for row in self.parts[part] for path in (row.path, row.path2) if path]

    def hashed(self, part: str) -> str:
        """intake_digests: the content of the files of a part."""
        return self._cohort(f"hashed {part}", lambda: self._digests(part))

    def _digests(self, part: str) -> str:
        return of(self.file(*self.files_of(part)), self.cfg.inputs_record, self.code(_DIGESTS))

    # Stages of the cohort

    def _cohort(self, name: str, make: Callable[[], str]) -> str:
        if name not in self._kept:
            self._kept |= self._load()
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]

    @property
    def sources(self) -> str:
        """The data of everybody, as files and as what they are made to before they are brought together."""
        reference = self.reference
        settings = [self.cfg.aligner, self.cfg.caller]

        def make() -> str:
            people = [[p.sample_id, p.sex, p.extra.get("platform", "")] for p in self.people.values()]
            # Depth alone decides no genotype.
            rows = self._rows(entry for entry in self.inputs if entry.input_type != COVERAGE)
            code = self.code({*_READS, *_BASES, *_CALLS, *_OWN})
            return of(sorted(rows), sorted(people), reference, settings, code)

        return self._cohort("sources", make)

    @property
    def genotypes(self) -> str:
        """intake of the people, harmonise: filter, ploidy, site alleles."""
        rule, raw = self.cfg.genotype_filter, self.cfg.frequencies.raw
        return self._cohort(
            "genotypes", lambda: of(self.sources, rule, raw, self.build.par, self.code({*_GENOTYPES, *_GATHERED}))
        )

    @property
    def metrics(self) -> str:
        """sample_qc: numbers of every person, and kinship."""
        section, files = self.cfg.sample_qc, self._panel
        accepted = self.cfg.variant_qc.accept_filters
        return self._cohort(
            "metrics",
            lambda: of(self.genotypes, section.thresholds, files, accepted, self.code((*_METRICS, *_COHORT))),
        )

    @property
    def keep(self) -> str:
        """sample_qc: who counts, and where."""
        section = self.cfg.sample_qc
        own = self.file(section.guidelines) if section.guidelines else []

        def make() -> str:
            every = self.people.values()
            people = [[p.sample_id, p.sex, p.country, p.withdrawn, sorted(p.extra.items())] for p in every]
            return of(self.metrics, sorted(people), section, self.cfg.strata, own, self.code(_KEEP))

        return self._cohort("keep", make)

    @property
    def pages(self) -> str:
        """sample_qc: pictures and pages of the cohort, which nothing is made of."""
        return self._cohort("pages", lambda: of(self.keep, self.code(_PAGES)))

    @property
    def counts(self) -> str:
        """frequencies: people of each leaf stratum by call."""
        return self._cohort("counts", lambda: of(self.keep, self.code(_COUNTS)))

    @property
    def callable_an(self) -> str:
        """frequencies: where the people of each published group are callable, as it may be shown."""
        before = [self.cfg.previous_release, self.cfg.previous_people]
        files = [f"{before[0]}/{manifest.NAME}"] if before[0] else []
        files += [before[1], str(people_key(before[1]))] if before[1] else []

        def make() -> str:
            return of(self.keep, self.cfg.disclosure, before, self.file(*files), self.code(_CALLABLE))

        return self._cohort("callable_an", make)

    @property
    def coverage_proxy(self) -> str:
        """frequencies: where the people of each published group have reads enough, as it may be shown; empty where
        nobody is asked."""
        made = batches.make(self._covers, self.cfg.scatter.people_per_batch).values()

        def make() -> str:
            return of(self.keep, self.cfg.disclosure, [self.covered(ids) for ids in made], self.code(_CALLABLE))

        return self._cohort("coverage_proxy", make) if made else ""

    @property
    def filters(self) -> str:
        """variant_qc: FILTER and statistics of the sites."""
        regions = self.cfg.annotations.regions.given
        beds = [sorted(regions.items()), self.file(*regions.values())]
        return self._cohort("filters", lambda: of(self.counts, self.cfg.variant_qc, beds, self.code(_FILTERS)))

    @property
    def release(self) -> str:
        """release: everything that a release says, by the whole code."""
        sections = ("dataset", "disclosure", "callable_an", "formats", "annotations", "reference", "strata")
        others = ("restricted", "previous_release", "previous_people")
        keys = [getattr(self.cfg, key) for key in (*sections, *others)]
        keys.append(self.file(*filter(None, [self.cfg.annotations.dbsnp])))
        made_of = [self.filters, self.callable_an, self.coverage_proxy]
        return self._cohort("release", lambda: of(made_of, keys, code_digest.digest(self.root)))

    def stamp(self, stage: str, sample: str | None = None) -> str:
        """The stamp of a stage by its name; sample: of a stage of one person (reads, calls, own)."""
        return getattr(self, stage) if sample is None else getattr(self, stage)(sample)

    # Between the process that plans and its jobs

    @property
    def _key(self) -> str:
        return of(self.cfg, self._sheets)

    def _load(self) -> dict[str, str]:
        try:
            found = json.loads(self._kept_at.read_text()) if self._kept_at else {}
            return found["stamps"] if found.get("key") == self._key else {}
        except (OSError, ValueError, KeyError):
            return {}

    def save(self, path: str | Path) -> None:
        """Leave the stamps of the whole cohort for the jobs of this run."""
        of_cohort = ("sources", "genotypes", "metrics", "keep", "pages", "counts", "callable_an", "coverage_proxy")
        for name in (*of_cohort, "filters", "release"):
            self.stamp(name)
        for people in batches.make(self._own, self.cfg.scatter.people_per_batch).values():
            self.gathered(people)
        for part in self.parts:
            self.hashed(part)
        for number in range(len(self._joint)):
            self.contigs(number)
        document = {"key": self._key, "stamps": dict(sorted(self._kept.items()))}
        write_whole(path, json.dumps(document, indent=1) + "\n")


class _Digests(dict):
    """SHA-256 of the checkout's files by name, each computed when it is asked for.

    Modules are named from `scripts/` on, a folder of them with a slash at its end; rules, scripts and tables by their
    file's name alone; what pages are made of from `resources/` on.
    """

    def __init__(self, root: Path):
        super().__init__()
        self.root = root

    def __missing__(self, name: str) -> str:
        for folder in ("workflow/rules", "scripts", "resources/guidelines", "resources/dictionary", "."):
            path = self.root / folder / name
            if path.is_dir():
                files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
                self[name] = of([[file.name, manifest.digest(file)] for file in files])
                return self[name]
            if path.is_file():
                self[name] = manifest.digest(path)
                return self[name]
        raise KeyError(name)
