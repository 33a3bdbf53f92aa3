"""Checks the dataset record of a release folder: GDI's SHACL shapes, the submission template, the files.

A module of its own, since rdflib and pySHACL are needed here and not where the record is written.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pyshacl
import rdflib
from rdflib import RDF, SH, URIRef
from rdflib.term import Node

from goe.core import manifest
from goe.core.errors import Problem
from goe.core.resources import RESOURCES
from goe.release import bounds
from goe.release.layout import PRODUCTS, File, differences
from goe.release.metadata.health_dcat import (
    DATASET,
    EHDS,
    JSON_LD,
    PREFIXES,
    PUBLIC,
    SYNTHETIC,
    TURTLE,
    issued,
    submission_id,
    title,
)
from goe.rules.dataset import DatasetId
from goe.settings import sections
from goe.settings.sections import Dataset

SHAPES = RESOURCES / "schemas" / "gdi-metadata-shacl"

# Mandatory in the submission template, by class. The shapes leave some of them out.
MANDATORY = {
    "dcat:Dataset": (
        "dct:accessRights",
        "dcatap:applicableLegislation",
        "dct:creator",
        "dct:publisher",
        "dct:description",
        "dcat:distribution",
        "healthdcatap:hdab",
        "healthdcatap:healthCategory",
        "dct:identifier",
        "dcat:theme",
        "dct:title",
    ),
    "adms:Identifier": ("skos:notation",),
    "dcat:Distribution": ("dcat:accessURL", "dcatap:applicableLegislation"),
    "vcard:Kind": ("vcard:hasEmail", "vcard:fn"),
    "foaf:Agent": ("foaf:name",),
}

# What the relative names of a record are resolved against; .invalid is never a host.
_BASE = "https://release.invalid/metadata/record"
_MEND = "make the release again"
# What stands between two statements, in Turtle or JSON-LD; there are more of them in names and texts.
_SEPARATORS = ",;.[({"


@cache
def shapes() -> rdflib.Graph:
    """The SHACL shapes of GDI, as one rdflib graph."""
    graph = rdflib.Graph()
    for path in sorted(SHAPES.glob("*.ttl")):
        # Identifier.ttl uses foaf without declaring it; a declaration of the file's own would win.
        graph.parse(data=f"@prefix foaf: <{PREFIXES['foaf']}> .\n{path.read_text(encoding='utf-8')}", format="turtle")
    return graph


def nonconformance(graph: rdflib.Graph, where: str) -> list[Problem]:
    """What of an rdflib graph does not conform to the SHACL shapes of GDI, sorted.

    where: the name that the messages give it.
    """
    conforms, results, _ = pyshacl.validate(graph, shacl_graph=shapes(), inference="none", meta_shacl=False)
    if conforms:
        return []
    found = set()
    for result in results.subjects(RDF.type, SH.ValidationResult):
        words = [str(results.value(result, key) or "") for key in (SH.focusNode, SH.resultPath, SH.resultMessage)]
        value = results.value(result, SH.value)
        shown = f", is {value}" if value is not None else ""
        found.add(Problem(where, f"{_short(words[0])} {_short(words[1])}{shown}: {words[2]}", _MEND))
    return sorted(found)


def _short(name: str) -> str:
    for prefix, start in PREFIXES.items():
        if name.startswith(start):
            return f"{prefix}:{name.removeprefix(start)}"
    return f"#{unquote(name.partition('#')[2])}" if "#" in name else name


def check(folder: str | Path, digests: Mapping[str, str] | None = None) -> list[Problem]:
    """What is wrong with the dataset record of a release folder; empty when nothing is.

    Both files hold the same statements; they conform to the SHACL shapes and have what the submission
    template makes mandatory; identifiers, title, counts and flags agree with metadata/dataset.json; every
    product of the folder is a distribution, and its size and digest are right. digests: path -> SHA-256 where it
    is known already, as from a manifest that was verified.
    """
    root = Path(folder)
    graphs, found = {}, []
    for name, form in ((TURTLE, "turtle"), (JSON_LD, "json-ld")):
        graphs[name] = rdflib.Graph()
        try:
            text = (root / name).read_text(encoding="utf-8")
            if sum(map(text.count, _SEPARATORS)) > bounds.statements(len(manifest.files(root))):
                raise ValueError("it says more than there are files to describe")
            if form == "json-ld":
                _own_context(json.loads(text))
            graphs[name].parse(data=text, format=form, publicID=_BASE)
        except FileNotFoundError:
            found.append(Problem(name, "no such file", _MEND))
        except Exception as error:  # the parsers raise what they like
            found.append(Problem(name, f"cannot be read: {' '.join(str(error).split())[:200]}", _MEND))
    try:
        dataset = json.loads((root / DATASET).read_text(encoding="utf-8"))
        if not isinstance(dataset, dict):
            raise ValueError("no object")
    except FileNotFoundError:
        found.append(Problem(DATASET, "no such file", _MEND))
    except ValueError as error:
        found.append(Problem(DATASET, f"is no JSON object: {error}", _MEND))
    if found:
        return found
    return (
        _same(graphs)
        + nonconformance(graphs[TURTLE], TURTLE)
        + _mandatory(graphs[TURTLE])
        + _agreement(graphs[TURTLE], dataset)
        + _files(graphs[TURTLE], root, digests)
    )


def _own_context(document: object) -> None:
    """ValueError when a JSON-LD document has another context than ours: a parser would fetch what it names."""
    if not isinstance(document, dict) or document.get("@context") != PREFIXES:
        raise ValueError("its @context is not the one of such a record")
    todo = [value for key, value in document.items() if key != "@context"]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            if {"@context", "@import"} & set(value):
                raise ValueError("it has a second @context")
            todo += value.values()
        elif isinstance(value, list):
            todo += value


def _same(graphs: Mapping[str, rdflib.Graph]) -> list[Problem]:
    first, second = (set(graphs[name]) for name in (TURTLE, JSON_LD))
    shown = [
        f"{_short(str(s))} {_short(str(p))} {o}" for s, p, o in sorted(first ^ second, key=lambda t: tuple(map(str, t)))
    ]
    what = f"{len(shown)} statements are in one of them alone, such as {shown[0]}" if shown else ""
    return [Problem(f"{TURTLE} and {JSON_LD}", what, _MEND)] if shown else []


def _expand(name: str) -> URIRef:
    prefix, _, local = name.partition(":")
    return URIRef(PREFIXES[prefix] + local)


def _mandatory(graph: rdflib.Graph) -> list[Problem]:
    found = []
    for kind, predicates in MANDATORY.items():
        nodes = sorted(graph.subjects(RDF.type, _expand(kind)), key=str)
        if not nodes:
            found.append(Problem(TURTLE, f"has no {kind}", _MEND))
        for node in nodes:
            found += [
                Problem(TURTLE, f"{_short(str(node))} has no {predicate}, which is mandatory", _MEND)
                for predicate in predicates
                if (node, _expand(predicate), None) not in graph
            ]
    # A contact is mandatory for the agents that publish or give access, and useful for the dataset.
    for predicate in ("dct:publisher", "healthdcatap:hdab"):
        for node in sorted(set(graph.objects(None, _expand(predicate))), key=str):
            if (node, _expand("dcat:contactPoint"), None) not in graph:
                found.append(Problem(TURTLE, f"{_short(str(node))} has no dcat:contactPoint", _MEND))
    return found


def _agreement(graph: rdflib.Graph, dataset: Mapping) -> list[Problem]:
    """Differences between the record and metadata/dataset.json."""
    nodes = list(graph.subjects(RDF.type, _expand("dcat:Dataset")))
    if len(nodes) != 1:
        return [Problem(TURTLE, f"has {len(nodes)} datasets, not one", _MEND)]
    words = ("prefix", "country", "org", "id", "title")
    numbers = ("number_of_people", "number_of_pass_records")
    wrong = [f"has no {key}" for key in (*words, *numbers) if key not in dataset]
    wrong += [f"{key} is no text" for key in words if key in dataset and not isinstance(dataset[key], str)]
    named = None if wrong else DatasetId.parse(dataset["id"])
    if not wrong and (not named or any(getattr(named, key) != dataset[key] for key in words[:3])):
        wrong = [f"id {dataset['id']!r} is not of prefix, country and org"]
    try:
        day = [issued(dataset["id"]).isoformat()] if named else []
    except ValueError:
        wrong.append(f"id {dataset['id']!r} has no date")
    if wrong:
        return [Problem(DATASET, what, _MEND) for what in wrong]

    def values(predicate: str, node: Node = nodes[0]) -> list[str]:
        return sorted(str(value) for value in graph.objects(node, _expand(predicate)))

    def plain(predicate: str) -> list[str]:
        actual = graph.objects(nodes[0], _expand(predicate))
        return sorted(str(value) for value in actual if not getattr(value, "language", None))

    notations = [
        word for other in graph.objects(nodes[0], _expand("adms:identifier")) for word in values("skos:notation", other)
    ]
    pairs = (
        ("dct:identifier", values("dct:identifier"), [dataset["id"]]),
        ("dct:issued", values("dct:issued"), day),
        # Titles in other languages are the publisher's own.
        ("dct:title", plain("dct:title"), [title(sections.of(Dataset, dataset))]),
        ("dct:accessRights", values("dct:accessRights"), [PUBLIC]),
        ("dct:type", values("dct:type"), [SYNTHETIC] if dataset.get("synthetic") else []),
        (
            "healthdcatap:numberOfRecords",
            values("healthdcatap:numberOfRecords"),
            [str(dataset["number_of_pass_records"])],
        ),
        (
            "healthdcatap:numberOfUniqueIndividuals",
            values("healthdcatap:numberOfUniqueIndividuals"),
            [str(dataset["number_of_people"])],
        ),
    )
    found = [
        Problem(
            TURTLE, f"{name} is {', '.join(actual) or 'absent'}, {DATASET} gives {', '.join(wanted) or 'none'}", _MEND
        )
        for name, actual, wanted in pairs
        if actual != wanted
    ]
    # The number at its end may be one that the config gives and dataset.json does not have.
    start = submission_id(sections.of(Dataset, dataset)).rsplit("_", 1)[0]
    if len(notations) != 1 or not re.fullmatch(f"{start}_[0-9]+", notations[0]):
        found.append(Problem(TURTLE, f"skos:notation is {', '.join(notations) or 'absent'}, not {start}_number", _MEND))
    laws = values("dcatap:applicableLegislation")
    if EHDS not in laws:
        found.append(Problem(TURTLE, f"dcatap:applicableLegislation does not name {EHDS}", _MEND))
    return found


def _files(graph: rdflib.Graph, root: Path, digests: Mapping[str, str] | None) -> list[Problem]:
    """Differences between the distributions and the products of the folder."""
    found, described = [], set()
    present = manifest.files(root)
    for node in sorted(set(graph.objects(None, _expand("dcat:distribution"))), key=str):
        name = unquote(str(node).partition("#")[2])
        product = next((one for one in PRODUCTS if name == f"product/{one.folder}"), None)
        there = [n for n in present if product and n.startswith(f"{product.folder}/")]
        if not product or not there:
            found.append(Problem(TURTLE, f"distribution {node} is no product of the release", _MEND))
            continue
        described.add(product.folder)
        main = [n for n in there if product.main and n.endswith(product.main)]
        size = graph.value(node, _expand("dcat:byteSize"))
        checksum = graph.value(node, _expand("spdx:checksum"))
        value = graph.value(checksum, _expand("spdx:checksumValue")) if checksum is not None else None
        url = graph.value(node, _expand("dcat:downloadURL"))
        if url is not None and not (len(main) == 1 and unquote(str(url)).endswith(f"/{main[0]}")):
            found.append(Problem(TURTLE, f"{name} is to be had as {url}, which is another file", _MEND))
        if size is None or not re.fullmatch("[0-9]+", str(size)):
            found.append(Problem(TURTLE, f"{name} has no dcat:byteSize", _MEND))
        elif len(main) == 1:
            stated = File(main[0], int(str(size)), None if value is None else str(value).lower())
            found += differences(root, stated, TURTLE, digests)
        elif int(str(size)) != (n := sum((root / path).stat().st_size for path in there)):
            found.append(Problem(TURTLE, f"{name} has {n} bytes, not {size}", _MEND))
    absent = {one.folder for one in PRODUCTS if any((root / one.folder).glob("*"))} - described
    return found + [Problem(TURTLE, f"{folder}/ is no distribution", _MEND) for folder in sorted(absent)]
