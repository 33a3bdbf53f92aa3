"""The dataset record of a release in HealthDCAT-AP, as the Genomic Data Infrastructure takes it.

Properties, cardinalities and code lists: GenomicDataInfrastructure/gdi-metadata,
`Documentation/Metadata_submission.csv` (the submission template of the Genome of Europe) and
`Formulasation(shacl)/core/PiecesShape/*.ttl`, of which a copy is in resources/schemas/gdi-metadata-shacl. The
rest (spatial coverage, licence, checksums, sizes, media types, the class of every node that it names) follows DCAT-AP
3.0.1. A distribution is a product of the release (`goe.release.layout.PRODUCTS`); single files are in the crate.

Every node has a name: a fragment of `dataset.access_url`, or of the release folder itself when that is not
set. So there are no blank nodes, and the two files are written sorted, without an RDF library.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote, urlsplit

from goe import __version__
from goe.core import manifest
from goe.core.errors import GoeError, Problem, stop_on
from goe.release.layout import File, products
from goe.rules.dataset import COUNTRIES, DatasetId
from goe.settings.sections import Config, Dataset

TURTLE, JSON_LD = "metadata/healthdcat.ttl", "metadata/healthdcat.jsonld"
DATASET = "metadata/dataset.json"
CRATE = "ro-crate-metadata.json"
NOT_DESCRIBED = frozenset({TURTLE, JSON_LD, CRATE, manifest.NAME})
"""Files of a release that the record does not list: itself, and what is written after it."""

PREFIXES = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcatap": "http://data.europa.eu/r5r/",
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "eli": "http://data.europa.eu/eli/ontology#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "gdi": "http://data.gdi.eu/core/p2/",
    "healthdcatap": "http://healthdataportal.eu/ns/health#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdx": "http://spdx.org/rdf/terms#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
EHDS = "http://data.europa.eu/eli/reg/2025/327/oj"
"""ELI of the regulation on the European Health Data Space."""
PUBLIC = "http://publications.europa.eu/resource/authority/access-right/PUBLIC"
HEALTH = "http://publications.europa.eu/resource/authority/data-theme/HEAL"
# With https, as the shape of dct:type has it; the other authority tables have http.
SYNTHETIC = "https://publications.europa.eu/resource/authority/dataset-type/SYNTHETIC_DATA"
_AUTHORITY = "http://publications.europa.eu/resource/authority/"
COMPLETED = {kind: f"{_AUTHORITY}{kind}-status/COMPLETED" for kind in ("dataset", "distribution")}
AVAILABLE = f"{_AUTHORITY}planned-availability/AVAILABLE"
_LABELS = {
    HEALTH: "Health",
    SYNTHETIC: "Synthetic data",
    AVAILABLE: "Available",
    **dict.fromkeys(COMPLETED.values(), "Completed"),
}
"""Concepts of authority tables that a record names, with their labels there."""
_MEDIA_TYPE = "https://www.iana.org/assignments/media-types/"
_SHA256 = PREFIXES["spdx"] + "checksumAlgorithm_sha256"
HEALTH_CATEGORY = PREFIXES["gdi"] + "HealthCategoryHumanGenomic"
CONFORMS_TO = ("ExternallyGoverned", "1MGCompliant", "1MGCohort")
LEGAL_BASES = (
    "Consent",
    "Contract",
    "LegalObligation",
    "VitalInterest",
    "LegitimateInterest",
    "PublicInterest",
    "OfficialAuthorityOfController",
)
"""Names in the Data Privacy Vocabulary that the submission template offers (Documentation/choicelist.csv)."""
MAIL = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")
"""Addresses that stand in a mailto: address (RFC 6068), a table of Markdown and a text as they are."""
LICENSES = {
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC-BY-SA-4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
    "CC-BY-NC-4.0": "https://creativecommons.org/licenses/by-nc/4.0/",
    "CC-BY-NC-SA-4.0": "https://creativecommons.org/licenses/by-nc-sa/4.0/",
    "CC-BY-ND-4.0": "https://creativecommons.org/licenses/by-nd/4.0/",
    "CC-BY-NC-ND-4.0": "https://creativecommons.org/licenses/by-nc-nd/4.0/",
}
"""Licences that `dataset.license` may name by their SPDX identifier."""

PROVENANCE = (
    f"Counted by goe {__version__} from the genotypes or reads of the people. How is in README.md and provenance/ of "
    "the release, with digests of the code and versions of the tools in ro-crate-metadata.json."
)
"""What is told of how the data came about where the config says nothing."""
_PROJECTS = {"GOE": "GoE", "GDI": "GDI"}
_HERE = "../"  # the release folder, seen from metadata/


@dataclass(frozen=True)
class Text:
    """A literal: its text and, when it is no plain string, its datatype as prefix:name, or its language."""

    value: str
    datatype: str = ""
    language: str = ""


@dataclass(frozen=True)
class Iri:
    """The name of a node, absolute or relative to the metadata folder."""

    value: str


Triples = list[tuple[str, str, Iri | Text]]


@dataclass(frozen=True)
class About:
    """Public facts of the release that the config does not know.

    records: rows of sites/<id>.pass.vcf.gz, each a site allele. people: as disclosure control lets it be
    said. countries: ISO 3166-1 alpha-2 codes of the published strata. build: name of the reference build.
    """

    records: int
    people: int
    countries: Sequence[str]
    build: str


def issued(dataset_id: str) -> date:
    """The date in a dataset id, PREFIX-CC-ORG-YYYYMMDDHHMMSSmmm."""
    named = DatasetId.parse(dataset_id)
    if not named:
        raise ValueError(f"{dataset_id!r} is no dataset id")
    return named.date


def submission_id(dataset: Dataset) -> str:
    """The id of the submission template, Project_Country_Institute_number.

    The number is `dataset.number`, or else the digits of the dataset id, which are unique too.
    """
    number = dataset.number or dataset.id.rsplit("-", 1)[1]
    return f"{_PROJECTS[dataset.prefix]}_{dataset.country}_{dataset.org}_{number}"


def title(dataset: Dataset) -> str:
    """The title with `allele frequency` and, for made-up people, `synthetic data`, which catalogues search."""
    wanted = ["allele frequency"] + (["synthetic data"] if dataset.synthetic else [])
    absent = [words for words in wanted if words not in dataset.title.casefold()]
    return f"{dataset.title} ({', '.join(absent)})" if absent else dataset.title


def description(dataset: Dataset, about: About) -> str:
    """The description in the config, or else what the numbers say."""
    if dataset.description:
        return dataset.description
    made_up = " The people are made up: the data are synthetic." if dataset.synthetic else ""
    return (
        f"Allele frequencies of a cohort of {about.people:,} people, in aggregate: {about.records:,} site alleles on "
        f"{about.build}, with allele counts in total and by country of origin and sex where disclosure control "
        f"allows. Made with goe {__version__}.{made_up}"
    )


def license_url(licence: str | None) -> str | None:
    """Address of the licence, which is named by it or by an SPDX identifier; None when none is stated."""
    return LICENSES.get(licence or "", licence) or None


def publisher(dataset: Dataset) -> str:
    """Who publishes: the name in the config, or else the short name of the organisation."""
    return dataset.publisher or dataset.org


def creators(dataset: Dataset) -> list[str]:
    """Who produced the dataset: the names in the config, or else the publisher."""
    return list(dict.fromkeys(dataset.creators or [publisher(dataset)]))


def keywords(dataset: Dataset, build: str) -> list[str]:
    """The keywords in the config and those that hold for every such dataset, sorted."""
    words = ["allele frequency", build]
    words += ["Genome of Europe"] if dataset.prefix == "GOE" else []
    words += ["synthetic data"] if dataset.synthetic else []
    return sorted({*words, *dataset.keywords})


def country_url(code: str) -> str:
    """Name of a country (ISO 3166-1 alpha-2) in the authority table of the European Union."""
    if code not in COUNTRIES:
        raise GoeError(
            Problem(
                f"stratum {code}",
                "is no country of ISO 3166-1, so it is no spatial coverage",
                "describe countries only when strata.label is country_code",
            )
        )
    return f"http://publications.europa.eu/resource/authority/country/{COUNTRIES[code]}"


def _address_problem(value: str) -> str:
    """What keeps a text from being the address of a page; empty when nothing does."""
    if re.search(r'[\x00-\x20<>"{}|\\^`]', value):
        return f"{value!r} has a character that an address cannot have"
    try:
        parts = urlsplit(value)
    except ValueError as error:
        return f"{value!r} is no address: {error}"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return f"{value!r} does not begin with https:// and a host"
    return ""


def problems(cfg: Config) -> list[Problem]:
    """What in the config keeps the metadata from being written or from conforming; for the check before a run.

    cfg: the whole config with its defaults. The schema of the config has been looked at.
    """
    dataset = cfg.dataset
    found: list[Problem] = []

    def wrong(key: str, what: str, mend: str) -> None:
        found.append(Problem(f"config dataset.{key}", what, mend))

    if named := DatasetId.parse(dataset.id):
        try:
            issued(dataset.id)
        except ValueError:
            what = f"{named.timestamp} is no point in time"
            wrong("id", what, "write YYYYMMDDHHMMSSmmm, which gives the date of issue")
    elif not re.fullmatch("[A-Z]{1,16}", dataset.org):
        mend = "1 to 16 capital letters: GDI's shapes and nodes take no digit in the ORG of PREFIX-CC-ORG-number"
        wrong("org", f"{dataset.org!r} is no institute in a dataset id", mend)
    else:
        wrong("id", f"{dataset.id!r} is no dataset id", "write PREFIX-COUNTRY-ORG-YYYYMMDDHHMMSSmmm")
    addresses = [("contact.url", dataset.contact.url)]
    addresses += [("access_url", dataset.access_url), ("download_url", dataset.download_url)]
    addresses += [("license", license_url(dataset.license)), ("hdab.url", dataset.hdab.url if dataset.hdab else None)]
    addresses += [("endpoint_url", dataset.endpoint_url), *(("referenced_by", url) for url in dataset.referenced_by)]
    for key, value in addresses:
        what = _address_problem(value) if value else ""
        if what:
            known = f", or one of {', '.join(LICENSES)}" if key == "license" else ""
            wrong(key, what, f"give an address such as https://example.org/page{known}")
    if "#" in (dataset.access_url or ""):
        wrong("access_url", "has a fragment (#)", "give the page without it: the record puts its own behind")
    if re.search(r"[?#]|[^/]$", dataset.download_url or "/"):
        wrong("download_url", "is no folder", "give the address of the release folder, with / at its end")
    emails = [("contact.email", dataset.contact.email)]
    emails += [("hdab.email", dataset.hdab.email)] if dataset.hdab else []
    for key, value in emails:
        if not MAIL.fullmatch(value):
            mend = "write it as name@example.org; of other characters than letters and digits a name may have . + - _ '"
            wrong(key, f"{value!r} is no mail address that a release can give", mend)
    if None not in (dataset.min_age, dataset.max_age) and dataset.min_age > dataset.max_age:  # type: ignore[operator]
        wrong("min_age", f"{dataset.min_age} is above max_age, {dataset.max_age}", "exchange them")
    if dataset.conforms_to not in (None, *CONFORMS_TO):
        wrong("conforms_to", f"{dataset.conforms_to!r} is unknown", f"it is one of {', '.join(CONFORMS_TO)}")
    for name in dataset.legal_basis:
        if name not in LEGAL_BASES:
            wrong("legal_basis", f"{name!r} is unknown", f"they are {', '.join(LEGAL_BASES)}")
    return found


def advice(cfg: Config) -> list[Problem]:
    """Keys that a catalogue wants and that are not set, with what the metadata say in their place."""
    dataset = cfg.dataset
    stead = {
        "publisher": f"the publisher is called {dataset.org}",
        "description": "the description is made of the numbers",
        "license": "no licence is stated: whoever gets the release has to ask",
        "access_url": "addresses in metadata/ are relative to the release folder, which a catalogue cannot follow",
    }
    mends = {
        "publisher": "set it: full name of the organisation",
        "description": "set it: what the dataset is and how it came about",
        "license": f"set it: an address, or one of {', '.join(LICENSES)}",
        "access_url": "set it: page from which the release can be had",
    }
    return [
        Problem(f"config dataset.{key}", text, mends[key]) for key, text in stead.items() if not getattr(dataset, key)
    ]


def triples(cfg: Config, about: About, files: Iterable[File]) -> Triples:
    """The record, sorted: subject (IRI), predicate (prefix:name), object.

    files: every file of the release but those in NOT_DESCRIBED. GoeError when `problems` has something, a
    file is listed twice or one of NOT_DESCRIBED is among them.
    """
    listed = sorted(files)
    stop_on(
        problems(cfg)
        + [Problem(f.path, "cannot describe itself", "leave it out") for f in listed if f.path in NOT_DESCRIBED]
    )
    dataset = cfg.dataset
    base = dataset.access_url or dataset.download_url or _HERE
    download = dataset.download_url or ("" if dataset.access_url else _HERE)
    licence = license_url(dataset.license)
    out: Triples = []

    def node(name: str) -> str:
        return f"{base}#{quote(name, safe='/')}"

    def add(subject: str, kind: str) -> "_Node":
        out.append((subject, "rdf:type", Iri(kind)))
        return _Node(subject, out)

    def concept(subject: "_Node", predicate: str, name: str) -> None:
        subject.iri(predicate, name)
        if (name, "rdf:type", Iri("skos:Concept")) not in out:
            add(name, "skos:Concept").text("skos:prefLabel", _LABELS[name], language="en")

    record = add(node(dataset.id), "dcat:Dataset")
    record.text("dct:title", title(dataset))
    for language, words in dataset.titles.items():
        record.text("dct:title", words, language=language)
    record.text("dct:description", description(dataset, about))
    record.text("dct:identifier", dataset.id)
    record.text("dct:issued", issued(dataset.id).isoformat(), "xsd:date")
    record.iri("dct:accessRights", PUBLIC)
    add(PUBLIC, "dct:RightsStatement")
    record.iri("dcatap:applicableLegislation", EHDS)
    add(EHDS, "eli:LegalResource")
    concept(record, "dcat:theme", HEALTH)
    concept(record, "adms:status", COMPLETED["dataset"])
    record.iri("dct:provenance", node("provenance"))
    add(node("provenance"), "dct:ProvenanceStatement").text("rdfs:label", dataset.provenance or PROVENANCE)
    for address in sorted(set(dataset.referenced_by)):
        record.iri("dct:isReferencedBy", address)
    for key, age in (("minTypicalAge", dataset.min_age), ("maxTypicalAge", dataset.max_age)):
        if age is not None:
            record.text(f"healthdcatap:{key}", str(age), "xsd:nonNegativeInteger")
    record.iri("healthdcatap:healthCategory", HEALTH_CATEGORY)
    record.text("healthdcatap:numberOfRecords", str(about.records), "xsd:nonNegativeInteger")
    record.text("healthdcatap:numberOfUniqueIndividuals", str(about.people), "xsd:nonNegativeInteger")
    for word in keywords(dataset, about.build):
        record.text("dcat:keyword", word)
    for code in sorted(set(about.countries)):
        record.iri("dct:spatial", country_url(code))
        add(country_url(code), "dct:Location")
    for name in sorted(set(dataset.legal_basis)):
        record.iri("dpv:hasLegalBasis", f"dpv:{name}")
    if dataset.conforms_to:
        record.iri("dct:conformsTo", PREFIXES["gdi"] + dataset.conforms_to)
        add(PREFIXES["gdi"] + dataset.conforms_to, "dct:Standard")
    if dataset.synthetic:
        concept(record, "dct:type", SYNTHETIC)
    if licence:
        record.iri("dct:license", licence)
        add(licence, "dct:LicenseDocument")

    contact = dataset.contact
    record.iri("dcat:contactPoint", node("contact"))
    _kind(add(node("contact"), "vcard:Kind"), contact.fn, contact.email, contact.url)
    record.iri("dct:publisher", node("publisher"))
    agent = add(node("publisher"), "foaf:Agent")
    agent.text("foaf:name", publisher(dataset))
    agent.iri("dcat:contactPoint", node("contact"))
    for number, name in enumerate(creators(dataset), 1):
        if name == publisher(dataset):
            record.iri("dct:creator", node("publisher"))
        else:
            record.iri("dct:creator", node(f"creator/{number}"))
            add(node(f"creator/{number}"), "foaf:Agent").text("foaf:name", name)
    # The template: until a country has its health data access body, the organisation that controls the data.
    hdab = dataset.hdab
    record.iri("healthdcatap:hdab", node("hdab" if hdab else "publisher"))
    if hdab:
        agent = add(node("hdab"), "foaf:Agent")
        agent.text("foaf:name", hdab.name)
        agent.iri("dcat:contactPoint", node("hdab/contact"))
        _kind(add(node("hdab/contact"), "vcard:Kind"), hdab.name, hdab.email, hdab.url)

    record.iri("adms:identifier", node("identifier"))
    other = add(node("identifier"), "adms:Identifier")
    other.text("skos:notation", submission_id(dataset))
    other.text("adms:schemaAgency", publisher(dataset))

    if len({file.path for file in listed}) < len(listed):
        twice = sorted({f.path for f, g in pairwise(listed) if f.path == g.path})
        raise GoeError(Problem(", ".join(twice), "is listed twice", "list every file once"))
    service = None
    if dataset.endpoint_url:
        service = add(node("service"), "dcat:DataService")
        service.text("dct:title", f"Service of {title(dataset)}")
        service.iri("dcat:endpointURL", dataset.endpoint_url)
        service.iri("dcat:servesDataset", node(dataset.id))
        service.iri("dcatap:applicableLegislation", EHDS)
        service.iri("dct:accessRights", PUBLIC)
        service.iri("dct:publisher", node("publisher"))
        service.iri("dcat:contactPoint", node("contact"))
        concept(service, "dcat:theme", HEALTH)
    for product, inside, main in products(listed):
        record.iri("dcat:distribution", node(f"product/{product.folder}"))
        part = add(node(f"product/{product.folder}"), "dcat:Distribution")
        part.text("dct:title", product.title)
        part.text("dct:description", product.description)
        part.iri("dcat:accessURL", dataset.access_url or f"{download}{product.folder}/")
        if download and main:
            part.iri("dcat:downloadURL", download + main.url)
        part.iri("dcatap:applicableLegislation", EHDS)
        if licence:
            part.iri("dct:license", licence)
        part.text("dct:issued", issued(dataset.id).isoformat(), "xsd:date")
        part.text("dcat:byteSize", str(sum(f.size for f in ([main] if main else inside))), "xsd:nonNegativeInteger")
        for predicate, name, kind in (
            ("dct:format", f"{_AUTHORITY}file-type/{product.format}", "dct:MediaTypeOrExtent"),
            ("dcat:mediaType", _MEDIA_TYPE + (main or inside[0]).media_type, "dct:MediaType"),
            ("dct:conformsTo", product.standard, "dct:Standard"),
        ):
            if name:
                part.iri(predicate, name)
                add(name, kind)
        concept(part, "dcatap:availability", AVAILABLE)
        concept(part, "adms:status", COMPLETED["distribution"])
        if service and product.folder == "beacon":
            part.iri("dcat:accessService", service.name)
        if main and main.sha256:
            part.iri("spdx:checksum", node(f"sha256/{main.path}"))
            checksum = add(node(f"sha256/{main.path}"), "spdx:Checksum")
            checksum.iri("spdx:algorithm", _SHA256)
            add(_SHA256, "spdx:ChecksumAlgorithm")
            checksum.text("spdx:checksumValue", main.sha256, "xsd:hexBinary")
    # A node that several others name is described once.
    out = list(dict.fromkeys(out))
    return sorted(out, key=lambda t: (t[0] != record.name, t[0], t[1] != "rdf:type", t[1], _sort_key(t[2])))


def _sort_key(value: Iri | Text) -> tuple[str, ...]:
    return ("", value.value, "") if isinstance(value, Iri) else ("text", value.value, value.datatype + value.language)


class _Node:
    """One subject, to which statements are added."""

    def __init__(self, name: str, out: Triples):
        self.name, self.out = name, out

    def text(self, predicate: str, value: str, datatype: str = "", language: str = "") -> None:
        self.out.append((self.name, predicate, Text(value, datatype, language)))

    def iri(self, predicate: str, value: str) -> None:
        self.out.append((self.name, predicate, Iri(value)))


def _kind(node: _Node, name: str, email: str, url: str | None) -> None:
    node.text("vcard:fn", name)
    node.iri("vcard:hasEmail", f"mailto:{email}")
    if url:
        node.iri("vcard:hasURL", url)


def _curie(value: str) -> bool:
    prefix, _, name = value.partition(":")
    return prefix in PREFIXES and not name.startswith("//")


_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _turtle_object(value: Iri | Text) -> str:
    if isinstance(value, Iri):
        return value.value if _curie(value.value) else f"<{value.value}>"
    text = "".join(_ESCAPES.get(c, c if c >= " " else f"\\u{ord(c):04X}") for c in value.value)
    return f'"{text}"' + (f"^^{value.datatype}" if value.datatype else f"@{value.language}" if value.language else "")


def turtle(record: Triples) -> str:
    """The record in Turtle."""
    used = {
        word.partition(":")[0]
        for _, predicate, value in record
        for word in (
            predicate,
            value.datatype if isinstance(value, Text) else value.value if _curie(value.value) else "",
        )
    }
    blocks = ["\n".join(f"@prefix {name}: <{PREFIXES[name]}> ." for name in sorted(used & set(PREFIXES)))]
    for subject, statements in _by_subject(record).items():
        lines = [
            f"    {predicate} " + " ,\n        ".join(map(_turtle_object, values))
            for predicate, values in statements.items()
        ]
        blocks.append(f"<{subject}>\n" + " ;\n".join(lines) + " .")
    return "\n\n".join(blocks) + "\n"


def json_ld(record: Triples) -> str:
    """The record in JSON-LD, with its context inside."""
    graph = []
    for subject, statements in _by_subject(record).items():
        entity: dict = {"@id": subject}
        for predicate, values in statements.items():
            if predicate == "rdf:type":
                entity["@type"] = [value.value for value in values]
            else:
                entity[predicate] = [
                    {"@id": value.value}
                    if isinstance(value, Iri)
                    else {"@value": value.value}
                    | ({"@type": value.datatype} if value.datatype else {})
                    | ({"@language": value.language} if value.language else {})
                    for value in values
                ]
        graph.append(entity)
    return json.dumps({"@context": PREFIXES, "@graph": graph}, indent=1, ensure_ascii=False) + "\n"


def _by_subject(record: Triples) -> dict[str, dict[str, list[Iri | Text]]]:
    out: dict[str, dict[str, list[Iri | Text]]] = {}
    for subject, predicate, value in record:
        out.setdefault(subject, {}).setdefault(predicate, []).append(value)
    return out


def write(folder: str | Path, cfg: Config, about: About, files: Iterable[File]) -> None:
    """Write the record into the release folder, as Turtle and as JSON-LD."""
    record = triples(cfg, about, files)
    for name, text in ((TURTLE, turtle(record)), (JSON_LD, json_ld(record))):
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
