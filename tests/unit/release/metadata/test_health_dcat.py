"""The dataset record conforms to GDI's shapes, says what is true, and every fault in it is named."""

import csv
import json
import re
import socket

import pyshacl
import pytest
import rdflib
import yaml
from goe.check import health_dcat as health_dcat_check
from goe.core.errors import GoeError
from goe.release import layout
from goe.release.metadata import health_dcat
from goe.release.metadata.health_dcat import Iri, Text
from goe.rules import dataset
from goe.settings import config, sections
from helpers import metadata
from hypothesis import given
from hypothesis import strategies as some
from rdflib.compare import isomorphic

# Those of metadata.NAMES.
PRODUCTS = ("frequencies", "gdi", "sites")
KINDS = {
    "required keys alone": metadata.DATASET,
    "every key": metadata.FULL,
    "GDI": metadata.DATASET | {"prefix": "GDI", "id": "GDI-EE-EXAMPLE-20260101000000000"},
    "page without a folder": metadata.FULL | {"download_url": None},
    "folder without a page": metadata.FULL | {"access_url": None},
}


def graphs(folder, base="https://release.invalid/metadata/record"):
    turtle = rdflib.Graph().parse(folder / health_dcat.TURTLE, format="turtle", publicID=base)
    json_ld = rdflib.Graph().parse(folder / health_dcat.JSON_LD, format="json-ld", publicID=base)
    return turtle, json_ld


def values(graph, predicate):
    prefix, name = predicate.split(":")
    return sorted(str(o) for o in graph.objects(None, rdflib.URIRef(health_dcat.PREFIXES[prefix] + name)))


@pytest.mark.parametrize("dataset", KINDS.values(), ids=KINDS)
def test_the_record_conforms_and_both_files_say_the_same(tmp_path, dataset):
    metadata.make(tmp_path, dataset)
    turtle, json_ld = graphs(tmp_path)
    assert isomorphic(turtle, json_ld)
    for graph in (turtle, json_ld):
        assert health_dcat_check.nonconformance(graph, "record") == []
    assert not [node for triple in turtle for node in triple if isinstance(node, rdflib.BNode)]
    assert health_dcat_check.check(tmp_path) == []


@pytest.fixture(scope="module")
def dcat_ap(repo):
    """The shapes of DCAT-AP 3.0.1, unchanged but for those of a property that name none, on which pySHACL stops."""
    graph = rdflib.Graph().parse(repo / "tests/helpers/dcat_ap_3.0.1.ttl")
    for shape, _, rule in list(graph.triples((None, rdflib.SH.property, None))):
        if graph.value(rule, rdflib.SH.path) is None:
            graph.remove((shape, rdflib.SH.property, rule))
    return graph


@pytest.mark.parametrize("dataset", KINDS.values(), ids=KINDS)
def test_the_record_conforms_to_dcat_ap(tmp_path, dcat_ap, dataset):
    metadata.make(tmp_path, dataset)
    graph, _ = graphs(tmp_path)
    conforms, _, text = pyshacl.validate(graph, shacl_graph=dcat_ap, inference="none")
    assert conforms, text
    bare = rdflib.Graph()
    for triple in graph:
        if triple[1] != rdflib.URIRef(health_dcat.PREFIXES["spdx"] + "algorithm"):
            bare.add(triple)
    assert "algorithm" in pyshacl.validate(bare, shacl_graph=dcat_ap, inference="none")[2]


def test_the_record_says_what_the_config_says(tmp_path):
    metadata.make(tmp_path, metadata.FULL)
    graph, _ = graphs(tmp_path)
    page, folder = metadata.FULL["access_url"], metadata.FULL["download_url"]
    (record,) = graph.subjects(rdflib.RDF.type, rdflib.DCAT.Dataset)
    assert str(record) == f"{page}#GOE-EE-EXAMPLE-20260101000000000"
    n = len(PRODUCTS)
    expected = {
        "dct:identifier": ["GOE-EE-EXAMPLE-20260101000000000"],
        "skos:notation": ["GoE_EE_EXAMPLE_7"],
        "dct:accessRights": [health_dcat.PUBLIC] * 2,
        "dcatap:applicableLegislation": [health_dcat.EHDS] * (n + 2),
        "dct:conformsTo": [
            "http://data.gdi.eu/core/p2/1MGCompliant",
            "https://samtools.github.io/hts-specs/VCFv4.3.pdf",
        ],
        "dct:isReferencedBy": ["https://doi.org/10.1000/182"],
        "healthdcatap:minTypicalAge": ["18"],
        "healthdcatap:maxTypicalAge": ["90"],
        "dcat:endpointURL": ["https://beacon.example.org/api"],
        "dcat:servesDataset": [f"{page}#GOE-EE-EXAMPLE-20260101000000000"],
        "rdfs:label": ["From blood of volunteers"],
        "dpv:hasLegalBasis": ["https://w3id.org/dpv#Consent", "https://w3id.org/dpv#PublicInterest"],
        "dct:type": [health_dcat.SYNTHETIC],
        "dct:spatial": [
            "http://publications.europa.eu/resource/authority/country/EST",
            "http://publications.europa.eu/resource/authority/country/LVA",
        ],
        "dct:issued": ["2026-01-01"] * (n + 1),
        "dct:license": ["https://creativecommons.org/licenses/by/4.0/"] * (n + 1),
        "healthdcatap:numberOfRecords": ["7"],
        "healthdcatap:numberOfUniqueIndividuals": ["1234"],
        "dcat:keyword": ["GRCh38", "Genome of Europe", "allele frequency", "biobank", "population", "synthetic data"],
        "foaf:name": [
            "Data access body",
            "Example Biobank",
            "Example Institute of Genomics",
            "Second Biobank",
        ],
        "vcard:hasEmail": ["mailto:access@example.org", "mailto:data@example.org"],
        "dcat:accessURL": [page] * n,
        "dcat:downloadURL": [f"{folder}sites/x.pass.vcf.gz"],
        "dct:format": sorted(
            f"http://publications.europa.eu/resource/authority/file-type/{code}" for code in ("GZIP", "PARQUET", "TAR")
        ),
    }
    for predicate, wanted in expected.items():
        assert values(graph, predicate) == wanted, predicate
    assert str(graph.value(record, rdflib.DCTERMS.description)) == metadata.FULL["description"]
    assert len(values(graph, "dct:creator")) == 3
    assert values(graph, "healthdcatap:hdab") == [f"{page}#hdab"]
    # What no file is by itself has the size of all, and no digest; nor has the encrypted file.
    assert len(values(graph, "dcat:byteSize")) == n and len(values(graph, "spdx:checksumValue")) == 1
    assert {str(o.language): str(o) for o in graph.objects(record, rdflib.DCTERMS.title)} == {
        "None": "Variants of an example cohort (allele frequency, synthetic data)",
        "et": "Näidiskohordi variandid",
    }


def test_what_is_not_told_is_not_made_up(tmp_path):
    metadata.make(tmp_path, metadata.DATASET)
    graph, _ = graphs(tmp_path, "https://elsewhere.example/goe/metadata/record")
    for predicate in ("dct:license", "dpv:hasLegalBasis", "dct:type", "dct:isReferencedBy", "dcat:endpointURL"):
        assert values(graph, predicate) == [], predicate
    assert values(graph, "foaf:name") == ["EXAMPLE"]
    assert values(graph, "skos:notation") == ["GoE_EE_EXAMPLE_20260101000000000"]
    # Addresses are those of the folder, wherever it is.
    assert values(graph, "dcat:accessURL") == [f"https://elsewhere.example/goe/{name}/" for name in PRODUCTS]
    assert "https://elsewhere.example/goe/sites/x.pass.vcf.gz" in values(graph, "dcat:downloadURL")
    told = {problem.where for problem in health_dcat.advice(metadata.config(metadata.DATASET))}
    assert told == {f"config dataset.{key}" for key in ("publisher", "description", "license", "access_url")}
    assert health_dcat.advice(metadata.config(metadata.FULL)) == []


def test_same_release_same_bytes(tmp_path):
    cfg = metadata.config(metadata.FULL)
    metadata.make(tmp_path, metadata.FULL)
    files = layout.describe(tmp_path, metadata.NAMES)
    once = health_dcat.triples(cfg, metadata.ABOUT, files)
    turned = {key: metadata.FULL[key][::-1] for key in ("keywords", "legal_basis")}
    other = metadata.config(metadata.FULL | turned)
    again = health_dcat.triples(other, metadata.ABOUT, reversed(files))
    assert health_dcat.turtle(once) == health_dcat.turtle(again) == (tmp_path / health_dcat.TURTLE).read_text()
    assert health_dcat.json_ld(once) == health_dcat.json_ld(again) == (tmp_path / health_dcat.JSON_LD).read_text()
    subjects = [subject for subject, _, _ in once]
    rest = subjects[subjects.count(subjects[0]) :]
    assert subjects[0].endswith(metadata.FULL["id"]) and rest == sorted(rest) and subjects[0] not in rest


@pytest.mark.parametrize(
    ("own", "synthetic", "wanted"),
    [
        ("Cohort", False, "Cohort (allele frequency)"),
        ("Cohort", True, "Cohort (allele frequency, synthetic data)"),
        ("Allele Frequency of a cohort", False, "Allele Frequency of a cohort"),
        ("Synthetic data: allele frequency", True, "Synthetic data: allele frequency"),
        ("Allele frequencies", False, "Allele frequencies (allele frequency)"),
    ],
)
def test_the_title_has_the_words_that_are_searched(own, synthetic, wanted):
    assert health_dcat.title(sections.of(sections.Dataset, {"title": own, "synthetic": synthetic})) == wanted


# Every text that can stand in a file; lone surrogates have no UTF-8.
TEXTS = some.text(some.characters(exclude_categories=["Cs"]))


@given(title=TEXTS, word=TEXTS)
def test_any_text_comes_back_as_it_was(title, word):
    record = [
        ("../#x", "rdf:type", Iri("dcat:Dataset")),
        ("../#x", "dct:title", Text(title)),
        ("../#x", "dcat:keyword", Text(word)),
        ("../#x", "dcat:byteSize", Text("3", "xsd:nonNegativeInteger")),
        ("../#x", "dct:license", Iri("https://example.org/a?b=%20c")),
    ]
    base = "https://release.invalid/metadata/record"
    turtle = rdflib.Graph().parse(data=health_dcat.turtle(record), format="turtle", publicID=base)
    json_ld = rdflib.Graph().parse(data=health_dcat.json_ld(record), format="json-ld", publicID=base)
    for graph in (turtle, json_ld):
        assert len(graph) == len(set(record))
        assert values(graph, "dct:title") == [title] and values(graph, "dcat:keyword") == [word]
        assert values(graph, "dct:license") == ["https://example.org/a?b=%20c"]
    assert set(turtle) == set(json_ld)


@pytest.mark.parametrize(
    ("change", "key", "words"),
    [
        ({"org": "X1", "id": "GOE-EE-X1-20260101000000000"}, "org", "'X1' is no institute"),
        ({"id": "GOE-EE-EXAMPLE-20261301000000000"}, "id", "20261301000000000 is no point in time"),
        ({"org": "X" * 50, "id": f"GOE-EE-{'X' * 50}-20260101000000000"}, "org", "is no institute"),
        ({"id": "GOE-EE-EXAMPLE-2026"}, "id", "is no dataset id"),
        ({"license": "ask us"}, "license", "has a character"),
        ({"license": "MIT"}, "license", "does not begin with https://"),
        ({"access_url": "example.org/data"}, "access_url", "does not begin with https://"),
        ({"access_url": "https://example.org/data#here"}, "access_url", "fragment"),
        ({"access_url": "https://[x"}, "access_url", "is no address"),
        ({"download_url": "https://example.org/data"}, "download_url", "is no folder"),
        ({"download_url": "https://example.org/?x=/"}, "download_url", "is no folder"),
        ({"contact": {"fn": "A", "email": "a b@example.org"}}, "contact.email", "no mail address"),
        ({"contact": {"fn": "A", "email": "a@b.org", "url": "ftp://x.org"}}, "contact.url", "does not begin"),
        ({"contact": {"fn": "A", "email": "a%b@example.org"}}, "contact.email", "no mail address"),
        ({"contact": {"fn": "A", "email": "a|b@example.org"}}, "contact.email", "no mail address"),
        ({"hdab": {"name": "A", "email": "<a@b.org>", "url": None}}, "hdab.email", "no mail address"),
        ({"hdab": {"name": "A", "email": "a@b.org", "url": "x"}}, "hdab.url", "does not begin"),
        ({"endpoint_url": "beacon"}, "endpoint_url", "does not begin with https://"),
        ({"referenced_by": ["doi:10.1000/182"]}, "referenced_by", "does not begin with https://"),
        ({"min_age": 40, "max_age": 30}, "min_age", "40 is above max_age, 30"),
        ({"conforms_to": "2MG"}, "conforms_to", "'2MG' is unknown"),
        ({"legal_basis": ["Consent", "Habit"]}, "legal_basis", "'Habit' is unknown"),
    ],
)
def test_a_config_that_cannot_conform_is_named_before_the_run(change, key, words):
    cfg = metadata.config(metadata.DATASET | change)
    (problem,) = health_dcat.problems(cfg)
    assert problem.where == f"config dataset.{key}" and words in problem.what and problem.mend
    with pytest.raises(GoeError, match=re.escape(words)):
        health_dcat.triples(cfg, metadata.ABOUT, [])


def test_several_faults_are_named_at_once_and_good_configs_have_none(repo):
    bad = metadata.config(metadata.DATASET | {"license": "x", "access_url": "y", "conforms_to": "z"})
    assert len(health_dcat.problems(bad)) == 3
    for kind in KINDS.values():
        assert health_dcat.problems(metadata.config(kind)) == []
    assert health_dcat.problems(config.load(yaml.safe_load((repo / "config/config.yaml").read_text()))) == []


def test_files_that_cannot_be_listed_are_refused(tmp_path):
    cfg = metadata.make(tmp_path, metadata.DATASET)
    files = layout.describe(tmp_path, metadata.NAMES)
    with pytest.raises(GoeError, match=r"README\.md: is listed twice"):
        health_dcat.triples(cfg, metadata.ABOUT, [*files, files[2]])
    with pytest.raises(GoeError, match=r"healthdcat\.ttl: cannot describe itself"):
        health_dcat.triples(cfg, metadata.ABOUT, layout.describe(tmp_path, [health_dcat.TURTLE]))
    with pytest.raises(GoeError, match="stratum XX"):
        health_dcat.triples(cfg, health_dcat.About(1, 1, ["XX"], "GRCh38"), files)


def test_countries_are_those_of_iso_3166():
    # 249 officially assigned; user-assigned, transitionally and exceptionally reserved ones are none.
    assert len(dataset.COUNTRIES) == len(set(dataset.COUNTRIES.values())) == 249
    assert all(
        re.fullmatch("[A-Z]{2}", two) and re.fullmatch("[A-Z]{3}", three) for two, three in dataset.COUNTRIES.items()
    )
    assert not {"XX", "XY", "XK", "ZZ", "AN", "EU", "UK", "EL"} & {*dataset.COUNTRIES}
    for code, name in (("EE", "EST"), ("CH", "CHE"), ("GB", "GBR"), ("GR", "GRC"), ("NO", "NOR")):
        assert health_dcat.country_url(code).endswith(f"/authority/country/{name}")


def test_the_copies_of_the_shapes_are_as_published(shared):
    source = shared / "formats" / "gdi-metadata-shacl"
    names = {path.name for path in health_dcat_check.SHAPES.glob("*.ttl")}
    assert names == {path.name for path in source.glob("*.ttl")}
    for name in names:
        assert (health_dcat_check.SHAPES / name).read_bytes() == (source / name).read_bytes()


def test_what_the_submission_template_makes_mandatory_is_looked_for(shared):
    with (shared / "formats" / "gdi-metadata-shacl" / "Metadata_submission.csv").open(newline="") as handle:
        rows = [row[:6] for row in csv.reader(handle)][1:]
    template = {}
    for kind, name, _, _, _, need in rows:
        # Agents have two rows: the contact of one is mandatory where it publishes or gives access.
        if need == "mandatory" and kind in health_dcat_check.MANDATORY and name != "dcat:contactPoint":
            template.setdefault(kind, set()).add(name)
    assert template == {kind: set(names) for kind, names in health_dcat_check.MANDATORY.items()}


def both(folder, old, new, count=1):
    """The same change in both files; `old` and `new` are texts of values."""
    for name in (health_dcat.TURTLE, health_dcat.JSON_LD):
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new, count))


def drop(folder, subject_end, predicate):
    """Take one property of one node out of both files."""
    document = json.loads((folder / health_dcat.JSON_LD).read_text())
    (node,) = [e for e in document["@graph"] if e["@id"].endswith(subject_end)]
    del node[predicate]
    (folder / health_dcat.JSON_LD).write_text(json.dumps(document))
    graph = rdflib.Graph().parse(
        folder / health_dcat.JSON_LD, format="json-ld", publicID="https://release.invalid/metadata/record"
    )
    graph.serialize(folder / health_dcat.TURTLE, format="turtle")


PUBLISHER, RECORD = "#publisher", "#GOE-EE-EXAMPLE-20260101000000000"


@pytest.mark.parametrize(
    ("node", "predicate", "words"),
    [
        (RECORD, name, name)
        for name in health_dcat_check.MANDATORY["dcat:Dataset"]
        if name not in ("dct:identifier", "dcat:distribution")
    ]
    + [
        (RECORD, "dct:identifier", "dct:identifier is absent"),
        (RECORD, "dcat:distribution", "sites/ is no distribution"),
        (RECORD, "dct:issued", "dct:issued is absent"),
        (RECORD, "adms:identifier", "skos:notation is absent"),
        (RECORD, "healthdcatap:numberOfRecords", "numberOfRecords is absent"),
        (RECORD, "healthdcatap:numberOfUniqueIndividuals", "numberOfUniqueIndividuals is absent"),
        (PUBLISHER, "foaf:name", "#publisher has no foaf:name"),
        (PUBLISHER, "dcat:contactPoint", "#publisher has no dcat:contactPoint"),
        ("#contact", "vcard:hasEmail", "#contact has no vcard:hasEmail"),
        ("#identifier", "skos:notation", "#identifier has no skos:notation"),
        ("#product/sites", "dcat:accessURL", "#product/sites has no dcat:accessURL"),
        ("#product/sites", "dcat:byteSize", "sites has no dcat:byteSize"),
        ("#product/sites", "spdx:checksum", "sites/x.pass.vcf.gz has no SHA-256"),
    ],
)
def test_a_key_that_is_missing_is_named(tmp_path, node, predicate, words):
    metadata.make(tmp_path, metadata.DATASET)
    drop(tmp_path, node, predicate)
    found = health_dcat_check.check(tmp_path)
    assert any(words in p.what for p in found), found
    assert not [p for p in found if "in one of them alone" in p.what]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("access-right/PUBLIC", "access-right/OPEN", "dct:accessRights, is"),
        ("mailto:data@example.org", "https://data.example.org", "vcard:hasEmail, is"),
        ("HealthCategoryHumanGenomic", "HealthCategoryOther", "healthdcatap:healthCategory, is"),
        ('"1234"', '"12345"', "numberOfUniqueIndividuals is 12345, metadata/dataset.json gives 1234"),
        ('"7"', '"-7"', "numberOfRecords"),
        ("GoE_EE_EXAMPLE_2026", "GoE_LV_EXAMPLE_2026", "skos:notation is GoE_LV_EXAMPLE_2026"),
        ("Variants of an", "Variants of no", "dct:title is Variants of no"),
        ("eli/reg/2025/327/oj", "eli/reg/2016/679/oj", "does not name http://data.europa.eu/eli/reg/2025/327/oj"),
        ("product/sites", "product/elsewhere", "is no product of the release"),
        ("product/frequencies", "product/../frequencies", "is no product of the release"),
        ("../sites/x.pass.vcf.gz", "../sites/x.pass.vcf.gz.tbi", "which is another file"),
    ],
)
def test_a_statement_that_is_wrong_is_named(tmp_path, old, new, words):
    metadata.make(tmp_path, metadata.DATASET)
    both(tmp_path, old, new, -1 if "/" in old and "eli" not in old and ":" not in old else 1)
    found = health_dcat_check.check(tmp_path)
    assert any(words in p.what for p in found), found


def test_an_identifier_of_another_dataset_is_named(tmp_path):
    metadata.make(tmp_path, metadata.DATASET)
    both(tmp_path, '"GOE-EE-EXAMPLE-20260101000000000"', '"GOE-EE-EXAMPLE-20270101000000000"')
    assert any("dct:identifier is GOE-EE-EXAMPLE-2027" in p.what for p in health_dcat_check.check(tmp_path))
    said = json.loads((tmp_path / health_dcat.DATASET).read_text())
    (tmp_path / health_dcat.DATASET).write_text(json.dumps(said | {"synthetic": True}))
    assert any("dct:type is absent" in p.what for p in health_dcat_check.check(tmp_path))
    del said["number_of_people"]
    (tmp_path / health_dcat.DATASET).write_text(json.dumps(said))
    assert any(
        p.where == health_dcat.DATASET and "number_of_people" in p.what for p in health_dcat_check.check(tmp_path)
    )
    for change, words in (
        ({"title": 3}, "title is no text"),
        ({"country": "LV"}, "is not of prefix, country and org"),
        ({"id": "GOE-EE-EXAMPLE-1"}, "is not of prefix, country and org"),
        ({"id": "GOE-EE-EXAMPLE-20261301000000000"}, "has no date"),
    ):
        (tmp_path / health_dcat.DATASET).write_text(json.dumps(said | {"number_of_people": 1} | change))
        assert any(p.where == health_dcat.DATASET and words in p.what for p in health_dcat_check.check(tmp_path)), words
    (tmp_path / health_dcat.DATASET).write_text("[]")
    assert [p.where for p in health_dcat_check.check(tmp_path)] == [health_dcat.DATASET]


def test_files_that_changed_came_or_went_are_named(tmp_path):
    metadata.make(tmp_path, metadata.DATASET)
    path = tmp_path / "sites/x.pass.vcf.gz"
    path.write_text(path.read_text().replace("content", "Content"))
    for name, text in (("frequencies/chr 1#.parquet", "longer than it was before\n"), ("callable_an/x.bed.gz", "x")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "gdi/x.tar.c4gh").unlink()
    text = "\n".join(str(p) for p in health_dcat_check.check(tmp_path))
    for words in (
        "sites/x.pass.vcf.gz has another SHA-256",
        "product/frequencies has 26 bytes",
        "#product/gdi is no product of the release",
        "callable_an/ is no distribution",
    ):
        assert words in text
    # What follows the record is no distribution and is not missed.
    assert "ro-crate" not in text and "MANIFEST" not in text


def test_files_that_say_different_things_are_named(tmp_path):
    metadata.make(tmp_path, metadata.DATASET)
    path = tmp_path / health_dcat.JSON_LD
    path.write_text(path.read_text().replace("GRCh38", "GRCh37", 1))
    (problem,) = health_dcat_check.check(tmp_path)
    assert "in one of them alone" in problem.what and problem.where == f"{health_dcat.TURTLE} and {health_dcat.JSON_LD}"


def test_files_that_cannot_be_read_are_named(tmp_path):
    metadata.make(tmp_path, metadata.DATASET)
    (tmp_path / health_dcat.TURTLE).write_text("<a> <b")
    (tmp_path / health_dcat.JSON_LD).unlink()
    assert {(p.where, p.what.split(":")[0]) for p in health_dcat_check.check(tmp_path)} == {
        (health_dcat.TURTLE, "cannot be read"),
        (health_dcat.JSON_LD, "no such file"),
    }


@pytest.mark.parametrize("where", ["top", "inside"])
def test_a_record_from_a_stranger_cannot_make_the_check_ask_a_network(tmp_path, monkeypatch, where):
    metadata.make(tmp_path, metadata.DATASET)
    path = tmp_path / health_dcat.JSON_LD
    document = json.loads(path.read_text())
    (document if where == "top" else document["@graph"][0])["@context"] = "https://example.org/context"
    path.write_text(json.dumps(document))

    def connect(*_):
        raise AssertionError("asked a network")

    monkeypatch.setattr(socket, "getaddrinfo", connect)
    monkeypatch.setattr(socket.socket, "connect", connect)
    (problem,) = health_dcat_check.check(tmp_path)
    assert problem.where == health_dcat.JSON_LD and "@context" in problem.what
