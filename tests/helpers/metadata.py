"""A small release folder with its metadata, and the RO-Crate validator without a network."""

import json
from pathlib import Path
from types import SimpleNamespace

from goe.core import code_digest
from goe.release import layout
from goe.release.metadata import health_dcat, ro_crate
from goe.settings import sections
from goe.settings.sections import Config

# Of the RO-Crate 1.1 context (w3id.org/ro/crate/1.1/context, version 1.1.0, CC0-1.0), the terms that the crate
# uses. A term that is not here is reported by the validator: look it up in the context, then add it.
CONTEXT = Path(__file__).with_name("ro_crate_1.1_context.json")

DATASET = {
    "prefix": "GOE",
    "country": "EE",
    "org": "EXAMPLE",
    "id": "GOE-EE-EXAMPLE-20260101000000000",
    "title": "Variants of an example cohort",
    "contact": {"fn": "Data office", "email": "data@example.org", "url": None},
    "description": None,
    "license": None,
    "publisher": None,
    "keywords": [],
    "synthetic": False,
}
"""The keys without a default, and the others at theirs."""

FULL = DATASET | {
    "contact": {"fn": "Data office", "email": "data@example.org", "url": "https://example.org/contact"},
    "description": 'Two lines,\n"quoted" \\ and naïve',
    "license": "CC-BY-4.0",
    "publisher": "Example Institute of Genomics",
    "creators": ["Example Biobank", "Example Institute of Genomics", "Second Biobank"],
    "hdab": {"name": "Data access body", "email": "access@example.org", "url": "https://access.example.org"},
    "keywords": ["biobank", "population"],
    "synthetic": True,
    "number": 7,
    "access_url": "https://example.org/data?set=1",
    "download_url": "https://files.example.org/goe/",
    "conforms_to": "1MGCompliant",
    "legal_basis": ["PublicInterest", "Consent"],
    "titles": {"et": "Näidiskohordi variandid"},
    "min_age": 18,
    "max_age": 90,
    "provenance": "From blood of volunteers",
    "referenced_by": ["https://doi.org/10.1000/182"],
    "endpoint_url": "https://beacon.example.org/api",
}

ABOUT = health_dcat.About(records=7, people=1234, countries=("LV", "EE"), build="GRCh38")
CONTIGS = [ro_crate.Contig("chr1", 1000, "0" * 32), ro_crate.Contig("HLA-A*01:01", 50, "1" * 32)]
TOOLS = [ro_crate.Tool("samtools", "1.21"), ro_crate.Tool("bcftools", "1.21"), ro_crate.Tool("goe tool", "2")]

NAMES = (
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "dictionary/fields.tsv",
    "frequencies/chr 1#.parquet",
    "gdi/x.tar.c4gh",
    "metadata/dataset.json",
    "provenance/Snakefile",
    "provenance/config.json",
    "provenance/workflow/rules/a.smk",
    "report.html",
    "sites/x.pass.vcf.gz",
    "sites/x.pass.vcf.gz.tbi",
)


def config(dataset: dict) -> Config:
    """A config with this dataset, and nothing else that metadata ask."""
    return sections.of(Config, {"dataset": dataset})


def make(folder: Path, dataset: dict) -> Config:
    """A release folder with everything but the manifest; gives the config."""
    for name in NAMES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {name}\n")
    said = dataset | {"number_of_people": ABOUT.people, "number_of_pass_records": ABOUT.records}
    said |= {"code_sha256": code_digest.digest()}
    (folder / health_dcat.DATASET).write_text(json.dumps(said))
    describe(folder, config(dataset))
    return config(dataset)


def describe(folder: Path, cfg: Config) -> None:
    """Write the record and the crate of the files that `make` made."""
    health_dcat.write(folder, cfg, ABOUT, layout.describe(folder, NAMES))
    files = layout.describe(folder, [*NAMES, health_dcat.TURTLE, health_dcat.JSON_LD])
    ro_crate.write(folder, cfg, ABOUT, files, CONTIGS, TOOLS, "9.27.1")


def validate(folder: Path, profile: str, severity: str, scratch: Path, monkeypatch) -> list[str]:
    """What roc-validator finds in a crate; it gets the context from here and nothing from a network."""
    from rocrate_validator import models, services
    from rocrate_validator.utils.http import HttpRequester

    text = CONTEXT.read_text()

    def get(self, url, *_, **__):
        assert url == "https://w3id.org/ro/crate/1.1/context", f"the validator asked for {url}"
        headers = {"Content-Type": "application/ld+json"}
        return SimpleNamespace(status_code=200, headers=headers, text=text, json=lambda: json.loads(text))

    monkeypatch.setattr(HttpRequester, "get", get, raising=False)
    settings = models.ValidationSettings(
        rocrate_uri=str(folder),
        profile_identifier=profile,
        requirement_severity=severity,
        offline=True,
        cache_path=scratch / "cache",
    )
    result = services.validate(settings)
    issues = sorted(f"{issue.violatingEntity}: {issue.message}" for issue in result.get_issues())
    assert result.passed() == (not issues)
    return issues
