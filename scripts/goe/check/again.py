"""What of a release follows from the rest of it, made again: texts, workflow, page, metadata, figure of membership.

Each is compared whole, so that nothing can be added to it, in words or numbers. That needs the code that made the
release: `other_code` says why it cannot be done with this one.
"""

import json
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

from goe import __version__
from goe.check import lookup as check_lookup
from goe.core import code_digest, manifest
from goe.core.errors import GoeError, Problem, stop_on
from goe.core.resources import ROOT
from goe.disclosure import membership
from goe.frequencies import strata as st
from goe.release import layout
from goe.release import notes as release_notes
from goe.release import texts as release_texts
from goe.release.metadata import health_dcat, ro_crate, sbom
from goe.release.reading import parsed, reading
from goe.release.report import lookup as report_lookup
from goe.release.report import page as report_page
from goe.rules import site_filters as site_rules
from goe.settings import sections
from goe.settings.sections import Config, GenotypeFilter, VariantQc

_MEND = "do not publish the release: find out what was changed, or make it again"
_INCLUDE = re.compile(r'^ *include: "(workflow/rules/[\w.-]+\.smk)"$', re.MULTILINE)
_PEOPLE = r"(about )?[0-9,]+ (\(rounded to multiples of [0-9]+\) )?people"
_ABSENT = re.compile(
    rf"[A-Z]+ is absent from the data of {_PEOPLE} and was not tested for them"
    rf"|for {_PEOPLE}, (PL|GQX) stood for GQ where there was none"
)
_VERSION = re.compile(r"[0-9]+([.+-][0-9A-Za-z]+)*")
_WRITTEN_LAST = (sbom.NAME, health_dcat.TURTLE, health_dcat.JSON_LD, health_dcat.CRATE)
"""Files that are written after the page, which lists them without size and digest."""
TOLERANCE = 0.05
"""Of a power: draws and sums differ a little between versions of numpy and machines."""


def other_code(dataset: Mapping) -> str:
    """Why this goe cannot write parts of a release again; empty when it is the code that made it."""
    try:
        digest = code_digest.digest()
    except GoeError:
        return "not compared: this goe is no whole clone"
    if (dataset["made_with"], dataset["code_sha256"]) == (f"goe {__version__}", digest):
        return ""
    made, short = dataset["made_with"], dataset["code_sha256"][:12]
    return f"not compared: made with {made}, code {short}; this is goe {__version__}, code {digest[:12]}"


def texts(root: Path, descriptions: Mapping[str, Mapping]) -> list[Problem]:
    """README.md, LICENSE, CHANGELOG.md and the words of rules against the descriptions, the workflow against the code.

    said: name of a description -> its content.
    """
    problems = []
    for name, text in release_texts.write(descriptions).items():
        problems += _different(root / name, text, "the descriptions of the release give")
    list_of_code = root / code_digest.RELEASED
    problems += _different(list_of_code, code_digest.listing(), "the code has that made the release")
    for name in code_digest.files():
        if name == "Snakefile" or re.fullmatch(r"workflow/rules/[^/]+\.smk", name):
            text = (ROOT / name).read_text(encoding="utf-8")
            problems += _different(root / "provenance" / name, text, "the code has that made the release")
    qc, rule = descriptions["qc"], descriptions["disclosure"]
    words = release_notes.genotype_rules(sections.of(GenotypeFilter, descriptions["config"]["genotype_filter"]), {})
    filters = release_notes.filter_rules(
        sections.of(VariantQc, descriptions["config"]["variant_qc"]), descriptions["dataset"]
    )
    more = [line for line in qc["genotype_filter"] if not _ABSENT.fullmatch(line)]
    open_, earlier = rule["policy"] == "open", rule["previous_release"]
    uncovered = [*release_notes.NOT_COVERED, *([] if earlier else [release_notes.NO_EARLIER])]
    for path, key, actual, wanted in (
        ("qc/summary.json", "genotype_filter", more, words),
        ("qc/summary.json", "variant_qc", qc["variant_qc"], filters),
        ("disclosure/disclosure.json", "not_covered", rule["not_covered"], [] if open_ else uncovered),
    ):
        for line in sorted(set(actual) ^ set(wanted)):
            what = f"{key} says {line!r}, which" if line in actual else f"{key} lacks {line!r}, which"
            problems.append(Problem(str(root / path), f"{what} is not as the settings of the release have it", _MEND))
    return problems


def _different(path: Path, wanted: str, source: str) -> list[Problem]:
    """The first line of a text that is not the wanted one."""
    with reading(path), path.open(encoding="utf-8", newline="") as handle:
        actual = handle.read()
    return differs(str(path), actual, wanted, source)


def differs(where: str, actual: str, wanted: str, source: str) -> list[Problem]:
    """The first line of a text that is not the wanted one. where, source: for the message."""
    if actual == wanted:
        return []
    pairs = zip_longest(actual.split("\n"), wanted.split("\n"))
    line = next((n for n, (a, b) in enumerate(pairs, 1) if a != b), 1)
    return [Problem(f"{where} line {line}", f"is not what {source}", _MEND)]


def about(descriptions: Mapping[str, Mapping]) -> health_dcat.About:
    """What the metadata tell of the release beside its configuration."""
    dataset = descriptions["dataset"]
    countries = st.published_countries(dataset["strata"]) if dataset["strata_label"] == "country_code" else []
    return health_dcat.About(
        dataset["number_of_pass_records"], dataset["number_of_people"], countries, dataset["build"]
    )


def metadata(root: Path, descriptions: Mapping[str, Mapping], digests: Mapping[str, str]) -> list[Problem]:
    """The catalogue record, the crate and the bill of materials against what the descriptions and the files give.

    digests: path -> SHA-256. Versions of the tools stand in the crate alone, and are taken from it; those of packages
    in the bill.
    """
    cfg = sections.of(Config, descriptions["config"])
    names = [name for name in manifest.files(root) if name not in ro_crate.NOT_DESCRIBED]
    files = layout.describe(root, names, digests)
    record = health_dcat.triples(
        cfg, about(descriptions), [f for f in files if f.path not in health_dcat.NOT_DESCRIBED]
    )
    tools, snakemake = _tools(root / ro_crate.NAME)
    contigs = [ro_crate.Contig(**contig) for contig in descriptions["dataset"]["contigs"]]
    with reading(root / sbom.NAME):
        bill = parsed((root / sbom.NAME).read_text(encoding="utf-8"), sbom.NAME)
    versions = {tool.name: tool.version for tool in tools}
    texts = {
        sbom.NAME: sbom.dumps(sbom.document(sbom.packages_of(bill), versions, snakemake)),
        health_dcat.TURTLE: health_dcat.turtle(record),
        health_dcat.JSON_LD: health_dcat.json_ld(record),
        ro_crate.NAME: ro_crate.dumps(ro_crate.crate(cfg, about(descriptions), files, contigs, tools, snakemake)),
    }
    return [
        problem
        for name, text in texts.items()
        for problem in _different(root / name, text, "the descriptions and files of the release give")
    ]


def _tools(path: Path) -> tuple[list[ro_crate.Tool], str]:
    """The tools that a crate names, and the version of Snakemake. GoeError when one is none of goe, or no version."""
    with reading(path):
        text = path.read_text(encoding="utf-8")
    try:
        entities = parsed(text, str(path))["@graph"]
        tools = [(e["name"], e["softwareVersion"]) for e in entities if e.get("@type") == "SoftwareApplication"]
        (snakemake,) = [e["version"] for e in entities if e.get("@type") == "ComputerLanguage"]
        strange = [name for name, _ in tools if name not in ro_crate.TOOLS]
        strange += [version for version in (*dict(tools).values(), snakemake) if not _VERSION.fullmatch(version)]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise GoeError(Problem(str(path), f"does not name its tools: {error!r}", _MEND)) from None
    stop_on([Problem(str(path), f"{word!r} is no tool or version of goe", _MEND) for word in strange])
    return [ro_crate.Tool(*one) for one in tools], snakemake


def included(root: Path) -> list[str]:
    """Rules that the released Snakefile includes, as paths in the folder."""
    path = root / "provenance/Snakefile"
    with reading(path):
        return [f"provenance/{name}" for name in _INCLUDE.findall(path.read_text(encoding="utf-8"))]


def page(
    root: Path,
    descriptions: Mapping[str, Mapping],
    spectrum: Mapping,
    examples: Mapping[str, list],
    checks: Sequence[Mapping],
    digests: Mapping[str, str] | None,
) -> list[Problem]:
    """report.html against the page that the release gives, chunks of the look-up table taken from the page itself:
    their numbers have a check of their own.

    spectrum: `report_spectrum.combine` of the tables. examples: contig -> allele that the look-up offers as an example.
    checks: `check.told` of the checks that were made before the page. digests: path -> SHA-256 where it is known.
    """
    dataset, rule = descriptions["dataset"], descriptions["disclosure"]
    found = check_lookup.read(root)
    names = [name for name in manifest.files(root) if name not in {report_page.NAME, *_WRITTEN_LAST, *found.files}]
    files = [vars(file) for file in layout.describe(root, names, digests)]
    files += [{"path": name, "size": None, "sha256": None} for name in _WRITTEN_LAST]
    with tempfile.TemporaryDirectory() as folder:
        paths: list[Path] = []
        tracks = [*check_lookup.tracks(found.facts)]
        for number, (track, chunks, more) in enumerate(tracks):
            texts = [found.chunks[track, i] for i in range(len(chunks))] if not found.files else []
            index = {"track": track, "characters": sum(map(len, texts)), "chunks": chunks, **more}
            if track in examples:
                index |= {"strata": list(rule["strata"]), "example": examples[track]}
            paths.append(Path(folder) / str(number))
            paths[-1].write_text("".join(f"{text}\n" for text in texts) + json.dumps(index) + "\n")
        limit = -1 if found.files else report_lookup.EMBED_UP_TO * 1000
        n = len(examples)
        table = report_lookup.table(report_lookup.Tracks(paths[:n], paths[n : 2 * n], paths[2 * n :]), limit)
        text = report_page.page(
            dataset,
            descriptions["qc"],
            rule,
            spectrum,
            table,
            dataset["contigs"],
            site_rules.DESCRIPTIONS,
            rule["membership_inference"],
            checks,
            files,
        )
    return _different(root / report_page.NAME, text, "the release gives")


def figure(
    root: Path,
    descriptions: Mapping[str, Mapping],
    sites: Iterable[membership.Sites],
    people: Mapping[str, int],
    words: bool,
) -> list[Problem]:
    """The figure of membership against the one that the tables give. words: whether its words are compared too."""
    where = str(root / "disclosure/disclosure.json")
    stated = descriptions["disclosure"]["membership_inference"]
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for one in sites:
            paths.append(Path(folder) / f"{one.contig}.parquet")
            one.save(paths[-1])
        wanted = membership.figure(paths, people, descriptions["dataset"]["id"])
    if stated is None:
        return [Problem(where, "membership_inference is missing", _MEND)]
    if words:
        # In words it says the numbers of the file, which may differ a little from those of this machine.
        wanted["in_words"] = membership.words(stated["strata"])
    else:
        stated, wanted = ({"strata": figure["strata"]} for figure in (stated, wanted))
    return [
        Problem(where, f"membership_inference.{place} is {a!r}, the tables give {b!r}", _MEND)
        for place, a, b in leaves(stated, wanted)
        if not (isinstance(a, float) and isinstance(b, float) and abs(a - b) <= TOLERANCE) and a != b
    ]


def leaves(actual: object, wanted: object, place: str = "") -> Iterable[tuple[str, object, object]]:
    """Values at the same place of two JSON values; None where one has none."""
    if isinstance(actual, Mapping) and isinstance(wanted, Mapping):
        for key in sorted({*actual, *wanted}):
            yield from leaves(actual.get(key), wanted.get(key), f"{place}.{key}".lstrip("."))
    elif isinstance(actual, list) and isinstance(wanted, list):
        for i, (a, b) in enumerate(zip_longest(actual, wanted)):
            yield from leaves(a, b, f"{place}[{i}]")
    else:
        yield place, actual, wanted
