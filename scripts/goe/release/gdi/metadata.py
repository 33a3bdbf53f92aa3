"""Metadata of the GDI dataset package: from the config to the manifest, and every mistake early.

Rules are those of GenomicDataInfrastructure/gdi-node-standalone, crates/core/src/validate_pkg.rs (limits, closed
sets, IRIs) and id.rs (dataset ids). What the node only warns about is a problem here too, so that a package loads
without a warning.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from unicodedata import category
from urllib.parse import urlsplit

from goe import __version__
from goe.core.errors import Problem
from goe.hts import crypt4gh
from goe.release.gdi import format as gdi
from goe.release.metadata import health_dcat
from goe.rules.dataset import DatasetId
from goe.settings.sections import Config

# The pair that the format's own documents give for Genome of Europe datasets.
_GOE_SOURCE = ("The Genome of Europe", "https://genomeofeurope.eu/")
_SWITCH = "or set formats.gdi.enabled to false"

_UNSAFE = re.compile(r'[<>"{}|^`\\\x00-\x20]')
_SCHEMES = ("http", "https", "urn", "doi", "ftp", "ftps")
_MAX_IRI = 2048
_MAX_AGE = 150  # years
# Field of the metadata -> key of the config; the others are not from the config.
_KEYS = {
    "datasetId": "dataset.id",
    "catalog": "formats.gdi.catalog",
    "title": "dataset.title",
    "description": "dataset.description",
    "license": "dataset.license",
    "creator": "dataset.creators",
    "contactPoint": "dataset.contact",
    "keywords": "dataset.keywords",
    "conformsTo": "dataset.conforms_to",
    "legalBasis": "dataset.legal_basis",
}


@dataclass(frozen=True)
class Settings:
    """How the package is cut. floor: `minAlleleCount`, in alleles, 0 for none; block_range: bases of a file."""

    assembly: str
    floor: int
    block_range: int = gdi.BLOCK_RANGE

    def __post_init__(self) -> None:
        if self.assembly not in gdi.ASSEMBLIES or self.floor < 0 or self.block_range < 0:
            raise ValueError(f"no settings of a GDI package: {self}")


def settings(cfg: Config) -> Settings:
    """Settings of the config.

    The floor is what every node applies again, so it has to be one that this release keeps: min_carriers people
    are at least as many alleles. An open release has none.
    """
    floor = cfg.formats.gdi.min_allele_count
    if floor is None:
        k = 0 if cfg.disclosure.open else cfg.disclosure.min_carriers or 0
        floor = k if k > 1 else 0
    return Settings(cfg.reference.build, floor)


def manifest_config(cfg: Config) -> dict[str, Any]:
    """The section `config` of the manifest."""
    rules, own = settings(cfg), cfg.formats.gdi
    source, reference = own.af_source, own.af_source_reference
    if not (source or reference) and cfg.dataset.prefix == "GOE":
        source, reference = _GOE_SOURCE
    named = {"afSource": source, "afSourceReference": reference}
    return {
        "mode": "aggregated",
        "blockRange": rules.block_range,
        **{key: value for key, value in named.items() if value},
        "minAlleleCount": rules.floor,
        "assembly": {"reference": rules.assembly},
        "manifestVersion": gdi.MANIFEST_VERSION,
        "generatedBy": f"goe {__version__}",
    }


def metadata(cfg: Config, about: health_dcat.About) -> dict[str, Any]:
    """The section `metadata` of the manifest but for what is counted in the data files. What is not given is not
    there. Words, licence and agents are those of the HealthDCAT-AP record.
    """
    given, contact = cfg.dataset, cfg.dataset.contact
    other = {"notation": health_dcat.submission_id(given), "schemaAgency": health_dcat.publisher(given)}
    fields: dict[str, Any] = {
        "datasetId": given.id,
        "catalog": cfg.formats.gdi.catalog,
        "title": health_dcat.title(given),
        "description": health_dcat.description(given, about),
        "accessRights": gdi.PUBLIC,
        "applicableLegislation": [gdi.EHDS],
        "license": health_dcat.license_url(given.license),
        "creator": [{"name": name} for name in health_dcat.creators(given)],
        "healthCategory": list(gdi.HEALTH_CATEGORIES[:1]),
        "keywords": health_dcat.keywords(given, about.build),
        "numberOfUniqueIndividuals": about.people,
        "conformsTo": [f"{gdi.CORE}{given.conforms_to}"] if given.conforms_to else [],
        "type": [gdi.SYNTHETIC] if given.synthetic else [],
        "legalBasis": [f"{gdi.DPV}{name}" for name in given.legal_basis],
        "otherIdentifier": [other],
        "contactPoint": {
            "fn": contact.fn,
            "hasEmail": f"mailto:{contact.email}",
            **({"hasURL": contact.url} if contact.url else {}),
        },
        "healthTheme": list(gdi.HEALTH_THEMES[:1]),
    }
    return {name: value for name, value in fields.items() if value not in (None, [], "")}


def problems(cfg: Config) -> list[Problem]:
    """Everything in the config that keeps a GDI package from being made; nothing when none is asked for."""
    if not cfg.formats.gdi.made:
        return []
    found = _unfit(cfg, _SWITCH)
    own = cfg.formats.gdi
    for key, value in (("af_source", own.af_source), ("af_source_reference", own.af_source_reference)):
        wrong = value and (_iri(value) if key.endswith("reference") else _text(value, _MAX_IRI))
        if wrong:
            found.append(Problem(f"config formats.gdi.{key}", wrong, f"mend it, {_SWITCH}"))
    return found + recipients_problems("formats.gdi.recipients", own.recipients)


def missing(cfg: Config) -> list[Problem]:
    """What a GDI package would need, when none is made because no key of `formats.gdi` is set; nothing when one is
    made or `formats.gdi.enabled` is false. Without mends: for the README of the release.
    """
    if cfg.formats.gdi.enabled is not None or cfg.formats.gdi.made:
        return []
    return [Problem(p.where, p.what) for p in _unfit(cfg, "")]


def advice(cfg: Config) -> list[Problem]:
    """The note of the intake on a package that is not made."""
    found = missing(cfg)
    if not found:
        return []
    needs = "; ".join(str(p).removeprefix("config ") for p in found)
    return [
        Problem(
            "config formats.gdi",
            f"not set, so no package for a GDI node is made; what keeps it from being made: {needs}",
            "set formats.gdi.catalog and mend what else is named, or set formats.gdi.enabled: false if none is wanted",
        )
    ]


def recipients_problems(key: str, paths: Sequence[str]) -> list[Problem]:
    """What is wrong with the public keys that the config names under `key`; nothing when it names none."""
    found = crypt4gh.recipients_problems(paths) if paths else []
    return [Problem(f"config {key} {p.where}", p.what, p.mend) for p in found]


def _unfit(cfg: Config, switch: str) -> list[Problem]:
    """Build and metadata that no GDI package can have. switch: the other way out, for the mend."""
    found = []
    name = cfg.reference.build
    if name not in gdi.ASSEMBLIES:
        what = f"{name}: the GDI package is for {' and '.join(gdi.ASSEMBLIES)} only"
        found.append(Problem("config reference.build", what, f"use one of the two, {switch}"))
    for field, what, mend in faults(metadata(cfg, health_dcat.About(1, 1, (), name))):
        found.append(Problem(f"config {_KEYS.get(field, field)}", what, f"{mend}, {switch}"))
    return found


def faults(fields: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What is wrong with a section `metadata`: (field, what, mend), all of it."""
    out: list[tuple[str, str, str]] = []

    def fault(field: str, what: str, mend: str) -> None:
        out.append((field, what, mend))

    if not DatasetId.parse(fields.get("datasetId", "")):
        what = f"{fields.get('datasetId')!r} is no dataset id of the GDI package"
        fault("datasetId", what, "PREFIX-COUNTRY-ORG-YYYYMMDDHHMMSSmmm, ORG of 1 to 16 capital letters, no digits")
    if not re.fullmatch(r"(?!\.)(?!.*\.\.)[A-Za-z0-9_.-]{1,64}", str(fields.get("catalog", ""))):
        what = "is no name of a catalog" if fields.get("catalog") else "is missing"
        fault("catalog", what, "ask the node that will serve the dataset for the name of its catalog")
    for field, most in (("title", 255), ("description", 10_000)):
        wrong = _text(fields.get(field), most, line_ends=field == "description")
        if wrong:
            fault(field, wrong, f"give a text of at most {most} characters")
    if "provenance" in fields and (wrong := _text(fields["provenance"], 10_000, line_ends=True)):
        fault("provenance", wrong, "give a text of at most 10000 characters")

    wrong = _iri(fields.get("license"))
    if wrong:
        fault("license", wrong, f"give its address, or one of {', '.join(health_dcat.LICENSES)}")
    rights = (gdi.PUBLIC, gdi.RESTRICTED, gdi.NON_PUBLIC)
    if fields.get("accessRights") not in rights:
        fault("accessRights", f"{fields.get('accessRights')!r} is no access right", f"one of {', '.join(rights)}")
    for field, most, needed in (
        ("applicableLegislation", 64, True),
        ("legalBasis", 64, False),
        ("isReferencedBy", 64, False),
    ):
        out += _list(field, fields.get(field), most, needed, _iri)
    if gdi.EHDS not in (fields.get("applicableLegislation") or [gdi.EHDS]):
        fault("applicableLegislation", "does not cite the EHDS regulation", f"add {gdi.EHDS}")
    if fields.get("accessRights") == gdi.NON_PUBLIC and not fields.get("legalBasis"):
        fault("legalBasis", "is missing for data that is not public", "give IRIs of the Data Privacy Vocabulary")
    for field, allowed, needed in (
        ("healthCategory", gdi.HEALTH_CATEGORIES, True),
        ("healthTheme", gdi.HEALTH_THEMES, True),
        ("conformsTo", gdi.CONFORMS_TO, False),
        ("type", (gdi.SYNTHETIC,), False),
    ):
        out += _list(field, fields.get(field), 64, needed, partial(_choice, allowed))
    out += _list("keywords", fields.get("keywords"), 50, True, lambda v: _text(v, 64))
    names = [agent.get("name") for agent in fields.get("creator") or []]
    out += _list("creator", names, 64, True, lambda v: _text(v, 255))

    contact = fields.get("contactPoint") or {}
    if wrong := _text(contact.get("fn"), 255):
        fault("contactPoint", f"fn {wrong}", "name whom to write to")
    mail = str(contact.get("hasEmail", ""))
    if len(mail) > 254 or _UNSAFE.search(mail) or not re.fullmatch(r"mailto:.+@[^.]+\..+", mail):
        fault("contactPoint", "has no usable mail address", "name@domain.example, 247 characters at most")
    if "hasURL" in contact and (wrong := _iri(contact["hasURL"])):
        fault("contactPoint", f"url {wrong}", "give the address of a web page")
    for item in fields.get("otherIdentifier") or []:
        for key, most, needed in (("notation", 255, True), ("schemaAgency", 128, False), ("name", 255, False)):
            wrong = _text(item.get(key), most) if needed or key in item else ""
            if wrong:
                fault("otherIdentifier", f"{key} {wrong}", f"give {key} in at most {most} characters")
    if len(fields.get("otherIdentifier") or []) > 50:
        fault("otherIdentifier", "has more than 50 entries", "leave the least useful ones out")

    youngest, oldest = fields.get("minTypicalAge"), fields.get("maxTypicalAge")
    for field, age in (("minTypicalAge", youngest), ("maxTypicalAge", oldest)):
        if age is not None and (not isinstance(age, int) or not 0 <= age <= _MAX_AGE):
            fault(field, f"{age!r} is no age", f"years, 0 to {_MAX_AGE}")
    if isinstance(youngest, int) and isinstance(oldest, int) and youngest > oldest:
        fault("minTypicalAge", f"{youngest} is above the largest age {oldest}", "swap the two")
    return out


def _text(value: Any, most: int, line_ends: bool = False) -> str:
    """What is wrong with a text of at most `most` characters, or ''."""
    if not value:
        return "is missing"
    if not isinstance(value, str):
        return f"{value!r} is no text"
    if len(value) > most:
        return f"has {len(value)} characters, {most} are allowed"
    if any(category(c) == "Cc" and not (line_ends and c in "\n\t") for c in value):
        return "has control characters"
    return ""


def _iri(value: Any) -> str:
    """What is wrong with an absolute IRI, or ''."""
    if not value:
        return "is missing"
    if not isinstance(value, str):
        return f"{value!r} is no text"
    try:
        parts = urlsplit(value)
    except ValueError:
        return f"{value!r} is no IRI"
    if len(value) > _MAX_IRI or _UNSAFE.search(value) or not parts.scheme:
        return f"{value!r} is no IRI"
    if parts.scheme not in _SCHEMES:
        return f"{value!r} is of a kind that is not allowed ({', '.join(_SCHEMES)} are)"
    web = parts.scheme not in ("urn", "doi")
    return "" if parts.netloc or (not web and parts.path) else f"{value!r} names no place"


def _choice(allowed: Sequence[str], value: object) -> str:
    return "" if value in allowed else f"is none of {', '.join(allowed)}"


def _list(field: str, values: Any, most: int, needed: bool, wrong: Callable[[Any], str]) -> list[tuple[str, str, str]]:
    if not values:
        return [(field, "is missing", "give at least one")] if needed else []
    if not isinstance(values, list):
        return [(field, "is no list", "write a list")]
    out = [(field, what, "mend it") for value in values if (what := wrong(value))]
    if len(values) > most:
        out.append((field, f"has {len(values)} entries, {most} are allowed", "leave some out"))
    if len({str(value) for value in values}) < len(values):
        out.append((field, "has an entry twice", "name each once"))
    return out
