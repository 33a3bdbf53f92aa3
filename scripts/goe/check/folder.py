"""What a release folder says of itself: its files, its JSON descriptions, its dictionary, its counts."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
from jsonschema import Draft202012Validator, ValidationError, validators

from goe.check import again, gdi, packed, pages
from goe.check.apart import apart
from goe.check.faults import safely
from goe.core import code_digest, manifest, tables
from goe.core.errors import GoeError, Problem
from goe.core.resources import RESOURCES
from goe.disclosure import control, outcomes
from goe.disclosure.audit.callable_an import at_most_below, groups, most_shown
from goe.disclosure.audit.table import Table
from goe.frequencies import strata as st
from goe.frequencies.beside_earlier import EARLIER, KEPT, LOWERED
from goe.genome.build import Build
from goe.release import bounds, layout, quantiles
from goe.release import notes as release_notes
from goe.release.formats import allele_names, annotations, beacon, callable_an, mini_node, sites_vcf, wide_table
from goe.release.gdi import format as gdi_format
from goe.release.gdi import metadata as gdi_metadata
from goe.release.gdi import package as gdi_package
from goe.release.reading import parsed, reading, vcf_header
from goe.release.table import Writer as LongWriter
from goe.release.table import schema as long_schema
from goe.rules import sample_thresholds as sample_rules
from goe.rules import site_filters as site_rules
from goe.rules.dataset import COVERAGE_PROXY, GVCF_ADJ, VARIANT_SITES_ONLY
from goe.rules.policy import Policy
from goe.settings import sections
from goe.settings.sections import Config

SCHEMAS = RESOURCES / "schemas" / "goe"
FIELDS = RESOURCES / "dictionary" / "fields.tsv"
DATASET, DISCLOSURE, QC = "metadata/dataset.json", "disclosure/disclosure.json", "qc/summary.json"
LEDGER, CONFIG, DICTIONARY = "ledger.json", "provenance/config.json", "dictionary/fields.tsv"
# Schema of each JSON file, by the name of the schema.
DESCRIPTIONS = {"dataset": DATASET, "disclosure": DISCLOSURE, "qc": QC, "ledger": LEDGER, "config": CONFIG}
_AGAIN = "get the release again"
_WORKFLOW = re.compile(r"provenance/(Snakefile|workflow/.+)")
_CODE = re.compile(rf"[0-9a-f]{{64}}  ({'|'.join(map(re.escape, code_digest.PARTS))})(/[\w. +-]+)*")
# SAM specification, section 1.2.1, without what leads to another folder.
_CONTIG = re.compile(r"[0-9A-Za-z!#$%&+:;?@^_|~-][0-9A-Za-z!#$%&*+.:;=?@^_|~-]*")
_RULES = re.compile(r"provenance/workflow/rules/[\w.-]+\.smk")


@dataclass(frozen=True)
class Facts:
    """What a release says that its checks need, from its JSON files, which fit their schemas.

    people: published strata in their order -> people; contigs: {name, length, md5} in their order; par:
    pseudo-autosomal regions (contig, first, last base); said: name of a description (`DESCRIPTIONS`) -> its content.
    """

    said: dict[str, dict]

    @property
    def id(self) -> str:
        return self.said["dataset"]["id"]

    @property
    def build(self) -> str:
        return self.said["dataset"]["build"]

    @property
    def people(self) -> dict[str, int]:
        sizes = self.said["dataset"]["strata"]
        return {stratum: sizes[stratum] for stratum in self.said["disclosure"]["strata"]}

    @property
    def strata(self) -> tuple[str, ...]:
        return tuple(self.said["disclosure"]["strata"])

    @property
    def contigs(self) -> list[dict]:
        return self.said["dataset"]["contigs"]

    @property
    def lengths(self) -> dict[str, int]:
        return {contig["name"]: contig["length"] for contig in self.contigs}

    @property
    def par(self) -> list[tuple[str, int, int]]:
        return [tuple(region) for region in self.said["dataset"]["pseudo_autosomal_regions"]]

    @property
    def policy(self) -> Policy:
        rule = self.said["disclosure"]
        if rule["policy"] == "open":
            return Policy(1, legal_basis=rule["legal_basis"], name="open")
        least = rule["min_stratum_size"]
        return Policy(rule["min_carriers"], name=rule["policy"], protect=rule["protect"], least=least)

    @property
    def gdi(self) -> bool:
        return "gdi" in self.said["dataset"]["formats"]

    @property
    def proxy(self) -> dict | None:
        """What is said of callable AN by coverage; None where there is none."""
        found: dict | None = self.said["dataset"]["callable_an"].get(COVERAGE_PROXY)
        return found

    @property
    def tracks(self) -> list[callable_an.Track]:
        """Whose runs there are."""
        return [callable_an.CALLED, *([callable_an.PROXY] if self.proxy else [])]

    @property
    def addresses(self) -> list[str]:
        """Mail addresses that the release gives as its contacts."""
        given = self.said["config"]["dataset"]
        contacts = [self.said["dataset"]["contact"], given.get("contact"), given.get("hdab")]
        return [one["email"] for one in contacts if isinstance(one, dict) and isinstance(one.get("email"), str)]

    def vcf(self, place: str, which: str) -> str:
        return f"{place}/{self.id}.{which}.vcf.gz"


def _unique(validator: object, wanted: bool, content: object, schema: object) -> Iterator[ValidationError]:
    """As the library has it, but in a time that does not grow with the square of the list."""
    if (
        wanted
        and isinstance(content, list)
        and len({json.dumps(one, sort_keys=True) for one in content}) < len(content)
    ):
        yield ValidationError("has an element twice")


Validator = validators.extend(Draft202012Validator, {"uniqueItems": _unique})
"""Of JSON Schema, for a file that anybody may have made."""


@cache
def _validator(name: str) -> Draft202012Validator:
    return Validator(json.loads((SCHEMAS / f"{name}.schema.json").read_text()))


def plain_name(contig: str) -> bool:
    """Whether the name of a contig can be part of the name of a file."""
    return _CONTIG.fullmatch(contig) is not None


def read_json(path: Path) -> dict:
    """A JSON file with an object; GoeError when it is none."""
    with reading(path):
        text = path.read_text(encoding="utf-8")
    content = parsed(text, str(path))
    if not isinstance(content, dict):
        raise GoeError(Problem(str(path), "is no JSON object", _AGAIN))
    return content


def descriptions(root: Path) -> tuple[Facts | None, list[Problem]]:
    """The JSON descriptions of a folder, None when they are not whole, and what is wrong with them."""

    def look() -> list[Problem]:
        return [
            problem
            for name, path in DESCRIPTIONS.items()
            for problem in safely(str(root / path), partial(_fitting, name, root / path))
        ]

    problems = apart(str(root / DATASET), look)
    if problems:
        return None, problems
    documents = {name: read_json(root / path) for name, path in DESCRIPTIONS.items()}
    problems = safely(
        str(root / DATASET), lambda: _agreement(root, documents) + _words(root, documents) + _notation(root, documents)
    )
    # What the other checks build on: without it they would tell of nothing but this.
    fatal = any(p.where == str(root / DATASET) for p in problems)
    fatal |= sorted(documents["disclosure"]["strata"]) != sorted(documents["dataset"]["strata"])
    return None if fatal else Facts(documents), problems


def _fitting(name: str, path: Path) -> list[Problem]:
    """What the schema has against a description."""
    faults = []
    for error in islice(_validator(name).iter_errors(read_json(path)), bounds.PROBLEMS):
        place = "" if error.json_path == "$" else f"{error.json_path.removeprefix('$.')}: "
        faults.append(Problem(str(path), f"{place}{error.message[:300]}", _AGAIN))
    return sorted(faults)


def unbounded(data: Mapping) -> Iterator[str]:
    """What metadata/dataset.json says that no release has, and no other check could bear."""
    for key, n, most in (
        ("strata", len(data["strata"]), bounds.STRATA),
        ("contigs", len(data["contigs"]), bounds.CONTIGS),
        ("number_of_records", data["number_of_records"], bounds.ALLELES),
    ):
        if n > most:
            yield f"{key}: {n:,}, a release has at most {most:,}"
    for contig in data["contigs"]:
        if not plain_name(contig["name"]):
            yield f"contig {contig['name']!r} cannot be part of the name of a file"


def _words(root: Path, documents: Mapping[str, Mapping]) -> list[Problem]:
    """Words in the descriptions that no release of goe can have: each could be a name of somebody."""
    data, rule, qc, config = (documents[name] for name in ("dataset", "disclosure", "qc", "config"))
    mend = "do not publish the release: report it"
    reasons = qc["people"]["left_out_by_reason"].keys() - sample_rules.REASONS - {"other"}
    problems = [
        Problem(str(root / QC), f"people.left_out_by_reason: {name!r} is no reason of goe", mend)
        for name in sorted(reasons)
    ]
    problems += [
        Problem(str(root / DISCLOSURE), f"alleles_withheld_by_reason: {name!r} is no reason of goe", mend)
        for name in sorted(rule["alleles_withheld_by_reason"].keys() - (set(outcomes.REASONS) - set(outcomes.IN_PART)))
    ]
    # The same words stand in both; the id has a check of its own.
    both = {f"dataset.{key}": (value, data.get(key)) for key, value in config["dataset"].items() if key != "id"}
    both["strata.label"] = (config["strata"]["label"], data["strata_label"])
    problems += [
        Problem(str(root / CONFIG), f"{name} is {actual!r}, {DATASET} gives {wanted!r}", mend)
        for name, (actual, wanted) in both.items()
        if actual not in (None, []) and wanted is not None and actual != wanted
    ]
    for path, part in ((QC, qc["sample_qc"]), (CONFIG, config["sample_qc"])):
        problems += [Problem(str(root / path), f"sample_qc: {what}", mend) for what in sample_rules.faults(part)]
    return problems


def _notation(root: Path, documents: Mapping[str, Mapping]) -> list[Problem]:
    """Descriptions that are not written as goe writes JSON: the first of two keys is read by nobody and may say
    anything."""
    problems = []
    for name, path in DESCRIPTIONS.items():
        text = (root / path).read_bytes().decode("utf-8")
        problems += again.differs(
            str(root / path), text, release_notes.dumps(documents[name]), "goe writes of what it says"
        )
    return problems


def _agreement(root: Path, documents: Mapping[str, Mapping]) -> list[Problem]:
    """What the descriptions say of each other, and whether counts are rounded that have to be."""
    data, rule, qc, ledger, config = (documents[name] for name in DESCRIPTIONS)
    k = rule["min_carriers"] or 1
    problems = []

    def differs(path: str, what: str, actual: object, wanted: object, source: str) -> None:
        if actual != wanted:
            problems.append(Problem(str(root / path), f"{what} is {actual!r}, {source} gives {wanted!r}", _AGAIN))

    def rounded(path: str, name: str, value: object) -> None:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                rounded(path, f"{name}.{key}", inner)
        elif isinstance(value, int) and not isinstance(value, bool) and value % k:
            what = f"{name} is {value}, no multiple of min_carriers, {k}: it is not rounded"
            problems.append(Problem(str(root / path), what, "do not publish the release: report it"))

    if not data["id"].startswith("-".join(data[key] for key in ("prefix", "country", "org")) + "-"):
        what = f"id {data['id']} is not of its prefix, country and org"
        problems.append(Problem(str(root / DATASET), what, _AGAIN))
    if many := [Problem(str(root / DATASET), what, _AGAIN) for what in islice(unbounded(data), bounds.PROBLEMS)]:
        return many
    names = [contig["name"] for contig in data["contigs"]]
    if len(set(names)) != len(names):
        problems.append(Problem(str(root / DATASET), "a contig is there twice", _AGAIN))
    for name, first, last in data["pseudo_autosomal_regions"]:
        if name not in names or first > last:
            what = f"pseudo-autosomal region {name}:{first}-{last} is on no contig of the release"
            problems.append(Problem(str(root / DATASET), what, _AGAIN))
    order = [s for s in st.order(f"{s}_U" for s in st.published_countries(data["strata"])) if s in data["strata"]]
    differs(DISCLOSURE, "strata", rule["strata"], order, DATASET)
    if set(order) != set(data["strata"]):
        problems.append(Problem(str(root / DATASET), "strata: a sex of a country that is not there", _AGAIN))
    differs(DATASET, "number_of_people", data["number_of_people"], data["strata"]["Total"], "strata.Total")
    differs(QC, "people.kept", qc["people"]["kept"], data["number_of_people"], DATASET)
    differs(CONFIG, "dataset.id", config["dataset"]["id"], data["id"], DATASET)
    differs(CONFIG, "reference.build", config["reference"]["build"], data["build"], DATASET)
    chosen = config["disclosure"]
    differs(CONFIG, "disclosure.min_carriers", chosen.get("min_carriers"), rule["min_carriers"], DISCLOSURE)
    wanted = k if rule["min_carriers"] else 1
    for path, key, value in (
        (DISCLOSURE, "counts_beside_the_frequencies_rounded_to", rule["counts_beside_the_frequencies_rounded_to"]),
        (QC, "rounded_to", qc["rounded_to"]),
        (LEDGER, "rounded_to", ledger["rounded_to"]),
    ):
        differs(path, key, value, wanted, DISCLOSURE)
    sheet = qc["people"]
    rounded(QC, "people.left_out_by_reason", sheet["left_out_by_reason"])
    left_out = sum(sheet["left_out_by_reason"].values())
    differs(QC, "people.left_out", sheet["left_out"], left_out, "the sum of left_out_by_reason")
    differs(QC, "people.on_the_sheet", sheet["on_the_sheet"], sheet["kept"] + left_out, "kept and left_out")
    for what in quantiles.faults(qc["metrics"], data["strata"], wanted):
        problems.append(Problem(str(root / QC), what, "do not publish the release: report it"))
    for key in (
        "strata_not_published",
        "alleles_withheld_by_reason",
        "alleles_at_which_the_search_was_ended",
        "alleles_with_total_only_for_their_position",
    ):
        rounded(DISCLOSURE, key, rule[key])
    records, hidden = data["number_of_records"], sum(rule["alleles_withheld_by_reason"].values())
    differs(DISCLOSURE, "alleles_withheld", rule["alleles_withheld"], hidden, "the sum of alleles_withheld_by_reason")
    facts = Facts({name: dict(content) for name, content in documents.items()})
    called = {"callable_an": data["callable_an"]["people"]}
    if facts.proxy:
        called["callable_an.coverage_proxy"] = facts.proxy["people"]
    for name, people in called.items():
        rounded(DATASET, f"{name}.people", people)
        for stratum, n in people.items():
            # Of both together: nobody is of both.
            if sum(one.get(stratum, 0) for one in called.values()) > data["strata"].get(stratum, 0):
                what = f"{name}.people.{stratum} is {n}, more than the people of the stratum"
                problems.append(Problem(str(root / DATASET), what, _AGAIN))
        differs(DATASET, f"strata of {name}.people", sorted(people), sorted(order), "strata")
    # Groups are those of strata that fit.
    problems += [] if problems else _proxy_faults(root, facts)
    for step in ledger["steps"]:
        name = f"step {step['step']}"
        rounded(LEDGER, name, {key: step[key] for key in ("added", "dropped")})
        for key in ("in", "out"):
            # Alleles go back from the number of records, which is public, by steps of k.
            rounded(LEDGER, f"{name}.{key}", {unit: n for unit, n in step[key].items() if (n - records) % k})
        problems += [Problem(str(root / LEDGER), what, _AGAIN) for what in _unclosed(step, wanted)]
    differs(QC, "alleles_by_rule", qc["alleles_by_rule"], site_rules.counts(ledger), LEDGER)
    last = {key: ledger["steps"][-1][key] for key in ("step", "in", "added", "out", "dropped")}
    differs(LEDGER, "the last step", last, release_notes.release_step(records, hidden), f"{DATASET} and {DISCLOSURE}")
    return problems


def _proxy_faults(root: Path, facts: Facts) -> Iterator[Problem]:
    """Whether all of the descriptions say the same of callable AN by coverage."""
    data, config = facts.said["dataset"], facts.said["config"]
    said = (
        COVERAGE_PROXY in data["formats"],
        COVERAGE_PROXY in data["callable_an"]["an_method"],
        bool(config.get("callable_an", {}).get(COVERAGE_PROXY)),
    )
    if set(said) != {facts.proxy is not None}:
        what = f"{COVERAGE_PROXY} is told of in some of formats, callable_an, an_method and {CONFIG}, not in all"
        yield Problem(str(root / DATASET), what, _AGAIN)
    elif facts.proxy:
        rule = {"genotype_filter": ("min_dp", "min_dp_haploid"), "caller": ("min_mapq",)}
        for section, keys in rule.items():
            for key in keys:
                least = config.get(section, {}).get(key)
                if key != "min_mapq" and least is not None:
                    least = max(1, least)
                if facts.proxy[key] != least:
                    what = f"callable_an.{COVERAGE_PROXY}.{key} is {facts.proxy[key]}, {CONFIG} gives {least}"
                    yield Problem(str(root / DATASET), what, _AGAIN)
        for group in groups(Table(facts.strata, facts.people)):
            both = [
                sum(times * people.get(s, 0) for s, times in group.sums.items())
                for people in (data["callable_an"]["people"], facts.proxy["people"])
            ]
            if both[1] and sum(both) > most_shown(group.people, facts.policy.k):
                what = f"of {group.name} {both[0]} can be callable and of {both[1]} reads tell: more than may be shown"
                yield Problem(str(root / DATASET), what, "do not publish the release: report it")


def _unclosed(step: Mapping, k: int) -> Iterator[str]:
    """Units whose account in a step of the ledger does not close, as far as figures rounded to k can tell."""
    for unit in sorted({unit for part in ("in", "added", "out", "dropped") for unit in step[part]}):
        taken = [step["in"].get(unit, 0), *step["added"].get(unit, {}).values()]
        gone = [step["out"].get(unit, 0), *step["dropped"].get(unit, {}).values()]
        # A figure is less than k off, and 0 is exact.
        if abs(sum(taken) - sum(gone)) > (k - 1) * sum(n > 0 for n in (*taken, *gone)):
            yield f"step {step['step']}: {unit} in and added are {sum(taken)}, out and dropped {sum(gone)}"


def required(facts: Facts) -> list[str]:
    """Files that every such release has, but for the manifest and those beside the page."""
    contigs = [contig["name"] for contig in facts.contigs]
    kinds = {layout.DATA, layout.NOTE, layout.METADATA, layout.PAGE}
    made = layout.files(facts.id, contigs, kinds, facts.gdi, strata=facts.strata, proxy=bool(facts.proxy))
    return [*made, "provenance/Snakefile"]


def check_files(root: Path, facts: Facts, beside: Iterable[str]) -> list[Problem]:
    """Files that are missing or empty, or that no release has. beside: files of the page's look-up table."""
    present, wanted = set(manifest.files(root)), {*required(facts), *beside}
    allowed = wanted | set(layout.files(facts.id, [], {layout.DATA}, facts.gdi, recipients=True))
    problems = [Problem(str(root / name), "is missing", _AGAIN) for name in sorted(wanted - present)]
    rules = {name for name in present if _RULES.fullmatch(name)}
    # A Snakefile that is empty or missing is told by itself.
    main = root / "provenance/Snakefile"
    known = set(again.included(root)) if main.is_file() and main.stat().st_size else rules
    problems += [Problem(str(root / name), "is missing", _AGAIN) for name in sorted(known - present)]
    problems += [
        Problem(str(root / name), "is not included by provenance/Snakefile", "take it out; it was not checked")
        for name in sorted(rules - known)
    ]
    if not rules:
        problems.append(Problem(str(root / "provenance/workflow/rules"), "has no rule of the workflow", _AGAIN))
    for name in sorted(present - allowed - rules):
        if ".restricted." in name or name.split("/")[0] == "restricted":
            what, mend = "is of the restricted product", "take it out: it is for its recipients alone"
        else:
            what, mend = "is no file of a release", "take it out; it was not checked"
        problems.append(Problem(str(root / name), what, mend))
    if (root / "restricted").is_dir() and not any(name.startswith("restricted/") for name in present):
        problems.append(Problem(str(root / "restricted"), "is no folder of a release", "take it out"))
    return problems + [
        Problem(str(root / name), "is empty", _AGAIN) for name in sorted(present) if not (root / name).stat().st_size
    ]


def flags(root: Path, facts: Facts) -> list[str]:
    """Region flags that the annotations have: non_par, and those of the BED files given to the run."""
    declared = vcf_header(root / facts.vcf("annotations", "annotations")).of("INFO")
    return [annotations.NON_PAR, *(flag for flag in annotations.FLAGS if flag in declared)]


@cache
def fields() -> list[dict[str, str]]:
    """Rows of the dictionary of published fields that goe has."""
    return sites_vcf.read_fields(FIELDS)


def tags(facts: Facts, which: str, known: Sequence[str]) -> list[sites_vcf.Tag]:
    """INFO tags of a VCF of the release; `which` is a stratum for those of the mini-node. known: region flags of the
    annotations."""
    if which in facts.strata:
        return mini_node.tags(fields())
    if which == "annotations":
        return annotations.tags(annotations.read_fields(), facts.strata, known)
    return sites_vcf.tags(fields(), facts.strata)


def check_dictionary(root: Path, facts: Facts, known: Sequence[str]) -> list[Problem]:
    """Whether every published field is in the dictionary of the release, with type, unit and stratum."""
    strata, where = facts.strata, str(root / DICTIONARY)
    others = chain(
        wide_table.dictionary(fields(), strata),
        allele_names.dictionary(),
        *(callable_an.dictionary(strata, track) for track in facts.tracks),
        beacon.dictionary(),
        mini_node.dictionary(fields()),
        annotations.dictionary(annotations.read_fields(), strata, known),
    )
    text = release_notes.dictionary(fields(), sites_vcf.tags(fields(), strata), others)
    head, *rows = [line.split("\t") for line in text.splitlines()]
    with reading(root / DICTIONARY):
        dictionary = tables.read(root / DICTIONARY)
    columns = dictionary[0].keys() if dictionary else ()
    missing = [name for name in head if name not in columns]
    if missing:
        return [Problem(where, f"column {name} is missing", _AGAIN) for name in missing]
    described = {(row["file"], row["name"]): row for row in dictionary}
    problems = []
    for row in rows:
        wanted = dict(zip(head, row, strict=True))
        described_row = described.pop((wanted["file"], wanted["name"]), None)
        name = f"{wanted['name']} of {wanted['file']}"
        if described_row is None:
            problems.append(Problem(where, f"{name} is missing", _AGAIN))
            continue
        for key in ("type", "number", "unit", "stratum"):
            if described_row[key] != wanted[key]:
                problems.append(Problem(where, f"{name}: {key} is {described_row[key]!r}, not {wanted[key]!r}", _AGAIN))
        for key in ("description", "rule"):
            if not described_row[key]:
                problems.append(Problem(where, f"{name} has no {key}", _AGAIN))
    problems += [Problem(where, f"{name} of {file} is no published field", _AGAIN) for file, name in described]
    if problems or again.other_code(facts.said["dataset"]):
        return problems
    return again.differs(where, (root / DICTIONARY).read_text(encoding="utf-8"), text, "the release gives")


def check_tables(root: Path, facts: Facts, contig: str) -> list[Problem]:
    """Columns and metadata of the tables of a contig."""
    alleles, strata = facts.said["dataset"]["number_of_records"], len(facts.strata)
    words = not again.other_code(facts.said["dataset"])
    schemas = _schemas(root, facts, contig)
    most = (alleles * strata, alleles, alleles, *[facts.lengths[contig]] * len(facts.tracks))
    return [
        problem
        for (path, wanted), rows in zip(schemas.items(), most, strict=True)
        for problem in _check_schema(path, wanted, rows, words)
    ]


def _schemas(root: Path, facts: Facts, contig: str) -> dict[Path, Callable[[], pa.Schema]]:
    """Paths of the tables of a contig (long, wide, names, callable AN, by coverage), and what gives their schemas."""
    about = {"dataset": facts.id, "build": facts.build}
    wide, names = (root / path.format(contig=contig) for path in (layout.WIDE, layout.NAMES))
    called = root / callable_an.CALLED.table(contig)
    proxy = {root / callable_an.PROXY.table(contig): lambda: _proxy_schema(facts, about, contig)} if facts.proxy else {}
    return {
        root / f"frequencies/{contig}.parquet": lambda: long_schema(fields(), about, facts.people, contig),
        wide: lambda: wide_table.schema(fields(), about, facts.people, contig),
        names: lambda: allele_names.schema(about, contig, *allele_names.origin(names)),
        called: lambda: _callable_schema(facts, about, contig, beside_earlier(called, facts)),
        **proxy,
    }


def check_packing(root: Path, facts: Facts, contig: str, digests: Mapping[str, str]) -> list[Problem]:
    """The tables of a contig against what is written of their rows. digests: path -> SHA-256 where it is known."""
    problems = []
    writers = (LongWriter, wide_table.Writer, allele_names.Writer, *[callable_an.Writer] * len(facts.tracks))
    for (path, wanted), writer in zip(_schemas(root, facts, contig).items(), writers, strict=True):
        sha256 = digests.get(path.relative_to(root).as_posix()) or manifest.digest(path)

        def opened(sink: IO[bytes], writer: Any = writer, wanted: Callable = wanted) -> packed.Writer:
            return writer(sink, wanted())

        look = partial(packed.check, path, opened, sha256, {"stratum": facts.strata} if writer is LongWriter else None)
        problems += safely(str(path), look)
    return problems


def other_arrow(root: Path, contigs: Iterable[str]) -> str:
    """The Arrow that packed the tables, where it is another one than that which is here."""
    paths = [root / f"frequencies/{contig}.parquet" for contig in contigs]
    made = {pq.read_metadata(path).created_by for path in paths} - {packed.ARROW}
    return max(made, default="")


def beside_earlier(path: Path, facts: Facts) -> str:
    """What a table of callable AN says of the numbers of an earlier release: kept, lowered, or nothing."""
    if facts.policy.open or not facts.said["disclosure"]["previous_release"]:
        return ""
    with reading(path):
        said = json.loads((pq.read_schema(path).metadata or {}).get(b"goe", b"{}"))
    found = said.get(EARLIER)
    return found if found in (KEPT, LOWERED) else ""


def _below(facts: Facts, contig: str, earlier: bool = False) -> dict[str, int]:
    build = Build(name=facts.build, contigs=facts.lengths, par=facts.par)
    below = at_most_below(Table(facts.strata, facts.people), facts.policy.k, build, contig, earlier)
    return dict.fromkeys(below, 0) if facts.people[st.TOTAL] < facts.policy.min_stratum_size else below


def _proxy_schema(facts: Facts, about: Mapping, contig: str) -> pa.Schema:
    assert facts.proxy is not None
    rule = {key: value for key, value in facts.proxy.items() if key != "people"}
    about, track = {**about, "coverage": rule}, callable_an.PROXY
    return callable_an.schema(about, facts.people, contig, COVERAGE_PROXY, _below(facts, contig), track)


def _callable_schema(facts: Facts, about: Mapping, contig: str, earlier: str) -> pa.Schema:
    below = _below(facts, contig, bool(earlier))
    if earlier:
        about = {**about, EARLIER: earlier}
    used = facts.said["dataset"]["callable_an"]["an_method"][GVCF_ADJ]
    return callable_an.schema(about, facts.people, contig, GVCF_ADJ if used else VARIANT_SITES_ONLY, below)


def _check_schema(path: Path, make: Callable, rows: int, words: bool) -> list[Problem]:
    """rows: that belong to the release, at most. words: whether those of the metadata are compared too."""
    wanted = make()
    # A few columns more are told by their names.
    about = pages.check(path, str(path), len(wanted) + 100, rows)
    with reading(path):
        found, keys, made_by = about.schema.to_arrow_schema(), set(about.metadata or {}), about.created_by or ""
    problems = [
        Problem(str(path), f"metadata {key.decode(errors='replace')!r} is none of a release", _AGAIN)
        for key in sorted(keys - {b"goe"})
    ]
    if not pages.MADE_BY.fullmatch(made_by):
        problems.append(Problem(str(path), f"was made by {made_by[:80]!r}, which is no Arrow", _AGAIN))
    fields = {field.name: field for field in found}
    for field in wanted:
        if field.name not in fields:
            problems.append(Problem(str(path), f"column {field.name} is missing", _AGAIN))
        elif fields[field.name].type != field.type or fields[field.name].nullable != field.nullable:
            types = [f"{f.type}{'' if f.nullable else ' without null'}" for f in (fields[field.name], field)]
            problems.append(Problem(str(path), f"column {field.name} is {types[0]}, not {types[1]}", _AGAIN))
    problems += [
        Problem(str(path), f"column {name} is none of a release", _AGAIN) for name in fields if name not in wanted.names
    ]
    if not problems and found.names != wanted.names:
        problems.append(Problem(str(path), "the columns are in another order, or one is there twice", _AGAIN))
    try:
        metadata = json.loads((found.metadata or {})[b"goe"])
        right = json.loads(wanted.metadata[b"goe"])
        for key in sorted(set(metadata) | set(right)):
            if key not in metadata:
                problems.append(Problem(str(path), f"metadata goe: key {key} is missing", _AGAIN))
            elif key not in right:
                problems.append(Problem(str(path), f"metadata goe: key {key} is none of a release", _AGAIN))
            elif _units(metadata[key]) != _units(right[key]):
                what = f"metadata goe: {key} is not that of metadata/dataset.json and the dictionary"
                problems.append(Problem(str(path), what, _AGAIN))
    except (KeyError, TypeError, ValueError, AttributeError):
        problems.append(Problem(str(path), "metadata goe are missing or no JSON object", _AGAIN))
    if words and not problems and (found.metadata or {})[b"goe"] != wanted.metadata[b"goe"]:
        problems.append(Problem(str(path), "metadata goe are not as this goe writes them", _AGAIN))
    return problems


def _units(value: object) -> object:
    """A key of the metadata without words of description, which another version of goe may have put otherwise."""
    if isinstance(value, Mapping):
        return {key: _units(inner) for key, inner in value.items() if key != "description"}
    return value


def check_code(root: Path, code_sha256: str) -> list[Problem]:
    """The list of the files of the code against its digest, and the files of the workflow that are here against it."""
    where = root / code_digest.RELEASED
    lines = where.read_text(encoding="utf-8").splitlines()
    problems = [
        Problem(f"{where} line {row}", "is no file of a clone of goe", _AGAIN)
        for row, line in enumerate(lines, 1)
        if not _CODE.fullmatch(line) or ".." in line
    ]
    if manifest.digest(where) != code_sha256:
        problems.append(Problem(str(where), f"its SHA-256 is not code_sha256 of {DATASET}", _AGAIN))
    if problems:
        return problems
    listed = manifest.listed(where)
    # One that is empty, or not listed, is told elsewhere.
    return [
        Problem(str(root / path), f"is not that of {code_digest.RELEASED}", _AGAIN)
        for path in sorted(name for name in manifest.files(root) if _WORKFLOW.fullmatch(name))
        if listed.get(path.removeprefix("provenance/"), "") not in ("", manifest.digest(root / path))
        and (root / path).stat().st_size
    ]


def check_counts(root: Path, facts: Facts, counted: Mapping) -> list[Problem]:
    """Counts that the descriptions give of the public alleles. counted: `report_spectrum.combine` of the tables."""
    data, rule, qc = (facts.said[name] for name in ("dataset", "disclosure", "qc"))
    k = facts.policy.k
    problems = []

    def agree(path: str, name: str, stated: int | None, n: int) -> None:
        # QC summaries may be rounded though these counts are public.
        if stated != n and not (path == QC and stated == control.rounded(n, k)):
            problems.append(Problem(str(root / path), f"{name} is {stated}, the tables have {n}", _AGAIN))

    alleles = sum(c["alleles"] for c in counted["contigs"].values())
    agree(DATASET, "number_of_records", data["number_of_records"], alleles)
    passed = sum(c["PASS"] for c in counted["contigs"].values())
    agree(DATASET, "number_of_pass_records", data["number_of_pass_records"], passed)
    seen = counted["visibility"]
    agree(DISCLOSURE, "alleles_with_all_strata", rule["alleles_with_all_strata"], seen["all"])
    agree(DISCLOSURE, "alleles_with_some_strata", rule["alleles_with_some_strata"], seen["some"] + seen["total"])
    key = "alleles_at_which_a_stratum_is_withheld"
    for stratum, cells in counted["cells"].items():
        agree(DISCLOSURE, f"{key}.{stratum}", rule[key].get(stratum, 0), alleles - cells["shown"])
    for name in sorted({*counted["filters"], *qc["alleles_by_filter"]}):
        stated_count = qc["alleles_by_filter"].get(name, 0)
        agree(QC, f"alleles_by_filter.{name}", stated_count, counted["filters"].get(name, 0))
    for name in sorted({*counted["classes"], *qc["alleles_by_class"]}):
        for verdict in ("PASS", "filtered"):
            stated_count = qc["alleles_by_class"].get(name, {}).get(verdict, 0)
            agree(
                QC, f"alleles_by_class.{name}.{verdict}", stated_count, counted["classes"].get(name, {}).get(verdict, 0)
            )
    return problems


def check_package(root: Path, facts: Facts) -> list[Problem]:
    """Whether the manifest of the GDI package, and the header in it, are of this release and its sites VCF."""
    tar = root / f"gdi/{facts.id}.tar"
    members = gdi.members(tar)
    text = members[gdi_format.MANIFEST].to_pybytes().decode("utf-8")
    content = json.loads(text)
    source = root / facts.vcf("sites", "pass")
    about, config = content["metadata"], content["config"]
    (entry,) = [file for group in content["files"] for file in group["files"]]
    problems = []
    conversion, data = entry["conversion"], facts.said["dataset"]
    lines = vcf_header(source).lines
    recognised, ignored = gdi_format.header_populations(lines)
    earlier = facts.said["disclosure"]["previous_release"]
    for name, actual, wanted in (
        ("metadata.datasetId", about["datasetId"], facts.id),
        ("metadata.numberOfUniqueIndividuals", about.get("numberOfUniqueIndividuals"), facts.people[st.TOTAL]),
        ("config.assembly.reference", config["assembly"]["reference"], facts.build),
        ("files: path", entry["path"], facts.vcf("sites", "pass")),
        ("files: size", entry["size"], source.stat().st_size),
        ("files: sha256", entry["sha256"], manifest.digest(source)),
        ("conversion.input.records", conversion["input"]["records"], data["number_of_pass_records"]),
        ("conversion.input.populationsRecognized", conversion["input"]["populationsRecognized"], recognised),
        ("conversion.discarded.ignoredInfoFields", conversion["discarded"]["ignoredInfoFields"], ignored),
        ("conversion.discarded.populationsWithoutAf", conversion["discarded"]["populationsWithoutAf"], []),
        ("internal.pastVersion", content["internal"].get("pastVersion"), earlier and earlier["dataset"]),
    ):
        if actual != wanted:
            what = f"{name} is {actual}, the release has {wanted}"
            problems.append(Problem(f"{tar}/{gdi_format.MANIFEST}", what, _AGAIN))
    name = f"headers/{manifest.digest(source)[:16]}.vcf"
    header = members[name].to_pybytes().decode("utf-8") if name in members else ""
    problems += again.differs(f"{tar}/{name}", header, gdi_format.minimal_header(lines), "the sites VCF has")
    if problems or again.other_code(data):
        return problems
    cfg, counted = sections.of(Config, facts.said["config"]), ("numberOfRecords", "populations")
    words = gdi_metadata.metadata(cfg, again.about(facts.said)) | {key: about[key] for key in counted}
    wanted = gdi_package.dumps({**content, "metadata": words, "config": gdi_metadata.manifest_config(cfg)})
    return again.differs(f"{tar}/{gdi_format.MANIFEST}", text, wanted, "the descriptions of the release give")
