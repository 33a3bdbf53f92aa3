"""The release folder as a Workflow Run RO-Crate: ro-crate-metadata.json.

Profiles: RO-Crate 1.1 (w3id.org/ro/crate/1.1), Workflow RO-Crate 1.0
(w3id.org/workflowhub/workflow-ro-crate/1.0), Process Run Crate and Workflow Run Crate 0.5
(ResearchObject/workflow-run-crate, docs/profiles/0.5). 0.5 is the newest for RO-Crate 1.1, and the newest that
roc-validator knows; 0.6 goes with RO-Crate 1.3.

The crate tells what made the release (workflow, tools, configuration, reference) and lists its files. It has
no file, name or number of a person, no path of the machine and no clock: `datePublished` is the date in the
dataset id, and the run has no endTime. The inputs that are personal data are named as parameters only.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from goe import __version__
from goe.core import code_digest, manifest
from goe.core.errors import Problem, stop_on
from goe.release.layout import FOLDERS, File
from goe.release.metadata import health_dcat as dcat
from goe.settings import sections
from goe.settings.sections import Config

NAME = dcat.CRATE
WORKFLOW = "provenance/Snakefile"
"""Where the release has the main file of the workflow."""
_PARTS = "provenance/workflow/"  # the folder of its parts
CONFIG = "provenance/config.json"
"""Where the release has the `snapshot` of its configuration."""
NOT_DESCRIBED = frozenset({NAME, manifest.NAME})
"""Files of a release that the crate does not list: itself, and what is written after it."""

CONTEXT = [
    "https://w3id.org/ro/crate/1.1/context",
    # RO-Crate 1.1 has no term for it; this is the one of ResearchObject/ro-terms, workflow-run/context.json.
    {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"},
]
BASE_PROFILE = "https://w3id.org/ro/crate/1.1"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
_WORKFLOW_RO_CRATE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
BIOSCHEMAS = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
_SNAKEMAKE = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"
CODE = "#code"
_MIT = "https://spdx.org/licenses/MIT"
NO_LICENSE = "not stated: ask the contact before use"

_HOMEPAGES = {
    "bcftools": "https://www.htslib.org/",
    "bwa": "https://github.com/lh3/bwa",
    "bwa-mem2": "https://github.com/bwa-mem2/bwa-mem2",
    "crypt4gh": "https://github.com/EGA-archive/crypt4gh",
    "cyvcf2": "https://github.com/brentp/cyvcf2",
    "fastp": "https://github.com/OpenGene/fastp",
    "htslib": "https://www.htslib.org/",
    "mosdepth": "https://github.com/brentp/mosdepth",
    "multiqc": "https://multiqc.info/",
    "numba": "https://numba.pydata.org/",
    "numpy": "https://numpy.org/",
    "plink2": "https://www.cog-genomics.org/plink/2.0/",
    "pyarrow": "https://arrow.apache.org/",
    "pysam": "https://github.com/pysam-developers/pysam",
    "python": "https://www.python.org/",
    "samtools": "https://www.htslib.org/",
    "scipy": "https://scipy.org/",
    "verifybamid2": "https://github.com/Griffan/VerifyBamID",
}
TOOLS = frozenset(_HOMEPAGES)
"""Names of the tools and packages that a crate can have."""
# What of the config may be told and decides the numbers. Anything else stays at home: paths, inputs, keys of
# recipients, and what changes with the machine but not the release. Files that decide numbers are told by their
# digests (`file_digests`).
TOLD: dict[str, tuple[str, ...]] = {
    "reference": ("build", "contigs"),
    "dataset": (
        "prefix",
        "country",
        "org",
        "id",
        "number",
        "title",
        "contact",
        "description",
        "license",
        "publisher",
        "creators",
        "hdab",
        "keywords",
        "synthetic",
        "access_url",
        "download_url",
        "conforms_to",
        "legal_basis",
        "titles",
        "min_age",
        "max_age",
        "provenance",
        "referenced_by",
        "endpoint_url",
    ),
    "disclosure": ("min_carriers", "policy", "protect", "open", "legal_basis", "min_stratum_size"),
    "genotype_filter": (
        "profile",
        "min_gq",
        "min_dp",
        "min_dp_haploid",
        "min_ab",
        "on_absent_fields",
        "respect_ft",
    ),
    "sample_qc": ("exclude", "thresholds"),
    "variant_qc": (
        "accept_filters",
        "min_call_rate",
        "hwe_p",
        "hwe_min_people",
        "inbreeding_coeff",
        "min_qual",
        "min_qd",
        "min_mq",
        "max_fs",
        "min_read_pos_rank_sum",
        "regions",
    ),
    "strata": ("label",),
    "caller": ("name", "min_mapq", "min_baseq", "max_depth", "extra"),
    "frequencies": ("raw",),
    "callable_an": ("coverage_proxy",),
    "formats.gdi": ("enabled", "catalog", "min_allele_count", "af_source", "af_source_reference"),
}


@dataclass(frozen=True)
class Contig:
    """A contig of the reference: name, length in bases, MD5 of its sequence as in the M5 tag of SAM."""

    name: str
    length: int
    md5: str


@dataclass(frozen=True)
class Tool:
    """A tool that had a part in the release. url: its page; known for the usual ones."""

    name: str
    version: str
    url: str = ""


WITHHELD = "(withheld)"
"""Stands for an argument of `caller.extra` that could be a path, a host or an id of a person."""
# An option without its value, a number, names of fields.
_PLAIN = re.compile(r"-[A-Za-z][0-9.]*|--[A-Za-z][A-Za-z-]*(=[0-9.]+)?|-?[0-9.]+|((FORMAT|INFO)/[A-Z]+,?)+")
# Options of bcftools mpileup whose value names people or read groups, which may be numbers.
_OF_PEOPLE = re.compile(r"-[sSG]|--(samples|samples-file|read-groups)")


def told_arguments(arguments: Iterable[str]) -> list[str]:
    """Arguments with WITHHELD for each that is not an option, a number or a list of fields."""
    out, before = [], ""
    for word in arguments:
        of_people = _OF_PEOPLE.fullmatch(before) or (_OF_PEOPLE.match(word) and re.search("[0-9=]", word))
        out.append(word if _PLAIN.fullmatch(word) and not of_people else WITHHELD)
        before = word
    return out


def file_digests(
    guidelines: Sequence[str | Path], panel: Sequence[str | Path], regions: Mapping[str, str | Path]
) -> dict[str, dict]:
    """Section of the config -> SHA-256 of the files that it names, by key; None where it names none.

    guidelines: the country's own table of thresholds, or nothing. panel: files of the contamination panel, told apart
    by their suffixes. regions: region flag -> BED file.
    """
    tables = [manifest.digest(path) for path in guidelines]
    parts = {Path(path).suffix.removeprefix("."): manifest.digest(path) for path in panel}
    return {
        "sample_qc": {"guidelines_sha256": tables[0] if tables else None, "contamination_panel_sha256": parts or None},
        "annotations": {"regions_sha256": {flag: manifest.digest(path) for flag, path in regions.items()}},
    }


def snapshot(cfg: Config, digests: Mapping[str, Mapping] | None = None) -> dict:
    """The part of the config that may be told and decides the numbers.

    It is chosen key by key, so that a key unknown here is left out. No path, no input, nothing that depends on
    the machine or on how the work was cut. digests: `file_digests`.
    """
    out: dict = {}
    whole = sections.plain(cfg)
    for path, keys in TOLD.items():
        part: Any = whole
        for name in path.split("."):
            part = part.get(name) if isinstance(part, Mapping) else None
        if not isinstance(part, Mapping):
            continue
        branch = out
        for name in path.split("."):
            branch = branch.setdefault(name, {})
        branch.update({key: part[key] for key in keys if key in part})
    if "extra" in out.get("caller", {}):
        out["caller"]["extra"] = told_arguments(out["caller"]["extra"])
    if not cfg.callable_an.coverage_proxy:
        # No release has it that was not asked for it.
        del out["callable_an"]
    for section, known in (digests or {}).items():
        out.setdefault(section, {}).update(known)
    return out


def crate(
    cfg: Config,
    about: dcat.About,
    files: Iterable[File],
    contigs: Sequence[Contig],
    tools: Sequence[Tool],
    snakemake: str,
) -> dict:
    """The JSON-LD document.

    files: every file of the release but those in NOT_DESCRIBED; WORKFLOW and CONFIG are among them. contigs: in
    their order. snakemake: version of Snakemake. GoeError when the config has a problem (`health_dcat.problems`)
    or a file is missing, listed twice or cannot be listed.
    """
    listed = sorted(files)
    paths = [f.path for f in listed]
    found = dcat.problems(cfg)
    found += [Problem(p, "cannot be listed in the crate", "leave it out") for p in paths if p in NOT_DESCRIBED]
    found += [Problem(p, "is not among the files of the crate", "add it") for p in (WORKFLOW, CONFIG) if p not in paths]
    found += [Problem(path, "is listed twice", "list every file once") for path in _twice(paths)]
    found += [Problem(name, "is listed twice", "list every tool once") for name in _twice(t.name for t in tools)]
    stop_on(found)
    dataset = cfg.dataset
    licence = dcat.license_url(dataset.license)
    action = f"#run-{dataset.id}"
    top = sorted({p.split("/")[0] for p in paths if "/" in p})
    results = [f"{name}/" for name in top if name != "provenance"] + [f.url for f in listed if "/" not in f.path]

    organisations = [dcat.publisher(dataset)]
    organisations += [name for name in dcat.creators(dataset) if name not in organisations]
    organisation = {name: "#publisher" if i == 0 else f"#creator-{i}" for i, name in enumerate(organisations)}

    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": dcat.title(dataset),
        "description": dcat.description(dataset, about),
        "identifier": [dataset.id, dcat.submission_id(dataset)],
        "datePublished": dcat.issued(dataset.id).isoformat(),
        "license": _ref(licence) if licence else NO_LICENSE,
        "author": [_ref(organisation[name]) for name in dcat.creators(dataset)],
        "publisher": _ref("#publisher"),
        "contactPoint": _ref("#contact"),
        "keywords": dcat.keywords(dataset, about.build),
        "conformsTo": [_ref(name) for name in PROFILES],
        "mainEntity": _ref(WORKFLOW),
        "mentions": [_ref(action)],
        "hasPart": [_ref(f"{name}/") for name in top] + [_ref(f.url) for f in listed if "/" not in f.path],
    }
    if about.countries:
        root["spatialCoverage"] = [_ref(dcat.country_url(code)) for code in sorted(set(about.countries))]
    if dataset.access_url:
        root["url"] = dataset.access_url

    contact = {"@id": "#contact", "@type": "ContactPoint"}
    contact |= {"name": dataset.contact.fn, "email": dataset.contact.email}
    if dataset.contact.url:
        contact["url"] = dataset.contact.url
    licences = {_MIT: ("MIT License", "licence of the workflow")}
    if licence:
        known = {url: name for name, url in dcat.LICENSES.items()}
        licences[licence] = (known.get(licence, licence), "licence of the release")
    graph: list[dict] = [
        {
            "@id": NAME,
            "@type": "CreativeWork",
            "about": _ref("./"),
            "conformsTo": [_ref(BASE_PROFILE), _ref(_WORKFLOW_RO_CRATE)],
        },
        root,
        *[
            {"@id": name, "@type": "CreativeWork", "name": title, "version": version}
            for name, (title, version) in PROFILES.items()
        ],
        *_files(listed, top, tools),
        {
            "@id": _SNAKEMAKE,
            "@type": "ComputerLanguage",
            "name": "Snakemake",
            "version": snakemake,
            "identifier": _ref("https://doi.org/10.1093/bioinformatics/bts480"),
            "url": _ref("https://snakemake.readthedocs.io"),
        },
        {
            "@id": action,
            "@type": "CreateAction",
            "name": f"Release of {dataset.id}",
            "description": "Run of the workflow on the cohort, up to the release folder",
            "instrument": _ref(WORKFLOW),
            "agent": _ref("#publisher"),
            "object": [_ref(CONFIG), _ref("#reference")],
            "result": [_ref(name) for name in results],
        },
        _code(),
        *_parameters(),
        *_reference(about.build, contigs),
        *[_tool(tool) for tool in sorted(tools, key=lambda t: t.name)],
        *[{"@id": node, "@type": "Organization", "name": name} for name, node in organisation.items()],
        contact,
        *[
            {"@id": url, "@type": "CreativeWork", "name": name, "description": text}
            for url, (name, text) in licences.items()
        ],
        *[{"@id": dcat.country_url(code), "@type": "Country", "name": code} for code in sorted(set(about.countries))],
    ]
    return {"@context": CONTEXT, "@graph": [{key: _one(value) for key, value in e.items()} for e in graph]}


def _one(value: Any) -> Any:
    """The value of a list that has one alone: RO-Crate 1.1 wants it without the list."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _twice(names: Iterable[str]) -> list[str]:
    return sorted(name for name, n in Counter(names).items() if n > 1)


def _ref(name: str) -> dict[str, str]:
    return {"@id": name}


def _files(listed: Sequence[File], top: Sequence[str], tools: Sequence[Tool]) -> list[dict]:
    """The folders at the top, and every file."""
    out: list[dict] = []
    for name in top:
        parts = [_ref(f.url) for f in listed if f.path.startswith(f"{name}/")]
        out.append({"@id": f"{name}/", "@type": "Dataset", "name": name, "hasPart": parts})
        if name in FOLDERS:
            out[-1]["description"] = FOLDERS[name]
    code = [f.path for f in listed if f.path.startswith(_PARTS)]
    for file in listed:
        entity: dict[str, Any] = {"@id": file.url, "@type": "File", "name": file.title}
        entity |= {"encodingFormat": file.media_type, "contentSize": str(file.size)}
        if file.sha256:
            entity["sha256"] = file.sha256
        if file.path == WORKFLOW:
            entity |= _main(code, tools)
        elif file.path in code:
            entity["license"] = _ref(_MIT)
        elif file.path == "README.md":
            entity["about"] = _ref("./")
        out.append(entity)
    return out


def _main(parts: Sequence[str], tools: Sequence[Tool]) -> dict:
    """What the main workflow has beside the properties of a file."""
    entity = {
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
        "name": "goe",
        "description": "From a reference cohort of whole genomes to a Genome of Europe allele-frequency dataset",
        "version": __version__,
        "identifier": _ref(CODE),
        "conformsTo": _ref(BIOSCHEMAS),
        "programmingLanguage": _ref(_SNAKEMAKE),
        "license": _ref(_MIT),
        "input": [_ref(f"#parameter-{name}") for name in sorted(_PARAMETERS)],
        "softwareRequirements": [_ref(_tool_id(tool.name)) for tool in sorted(tools, key=lambda t: t.name)],
    }
    return entity | ({"hasPart": [_ref(quote(path)) for path in parts]} if parts else {})


def _code() -> dict:
    """The code that made the release, by its digest: a version can be that of many states of the code."""
    return {
        "@id": CODE,
        "@type": "PropertyValue",
        "name": "code",
        "description": "SHA-256 of the code of goe: of the list that sha256sum writes of its files, sorted by path",
        "propertyID": "sha256",
        "value": code_digest.digest(),
    }


# Inputs of the workflow: type and description. Only the reference has a value in the crate; the others are
# personal data.
_PARAMETERS = {
    "inputs": ("File", "sheet of the data files of the cohort; personal data, not in the crate"),
    "reference": ("PropertyValue", "reference genome"),
    "samples": ("File", "sheet of the people of the cohort; personal data, not in the crate"),
}


def _parameters() -> list[dict]:
    out: list[dict] = []
    for name, (kind, text) in sorted(_PARAMETERS.items()):
        entity = {"@id": f"#parameter-{name}", "@type": "FormalParameter", "name": name, "description": text}
        out.append(entity | {"additionalType": kind, "valueRequired": "True"})
        if name == "reference":
            out[-1]["workExample"] = _ref("#reference")
    return out


def _reference(build: str, contigs: Sequence[Contig]) -> list[dict]:
    """The reference genome: its name, and name, length and digest of every contig."""
    head = {
        "@id": "#reference",
        "@type": "PropertyValue",
        "name": "reference",
        "value": build,
        "exampleOfWork": _ref("#parameter-reference"),
        "valueReference": [_ref(_contig_id(contig.name)) for contig in contigs],
    }
    return [head] + [
        {
            "@id": _contig_id(contig.name),
            "@type": "PropertyValue",
            "name": contig.name,
            "description": f"{contig.length} bases; the value is the MD5 of the sequence in capital letters",
            "propertyID": "M5",
            "value": contig.md5,
        }
        for contig in contigs
    ]


def _contig_id(name: str) -> str:
    return f"#contig-{quote(name, safe='')}"


def _tool_id(name: str) -> str:
    return f"#tool-{quote(name, safe='')}"


def _tool(tool: Tool) -> dict:
    entity = {"@id": _tool_id(tool.name), "@type": "SoftwareApplication", "name": tool.name}
    url = tool.url or _HOMEPAGES.get(tool.name, "")
    return entity | {"softwareVersion": tool.version} | ({"url": url} if url else {})


def dumps(document: Mapping) -> str:
    """The text of ro-crate-metadata.json."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def write(
    folder: str | Path,
    cfg: Config,
    about: dcat.About,
    files: Iterable[File],
    contigs: Sequence[Contig],
    tools: Sequence[Tool],
    snakemake: str,
) -> None:
    """Write the crate into the release folder."""
    document = crate(cfg, about, files, contigs, tools, snakemake)
    (Path(folder) / NAME).write_text(dumps(document), encoding="utf-8")
