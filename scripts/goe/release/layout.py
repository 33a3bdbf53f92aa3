"""The files of a release folder: which there are, what each is for, and how the metadata describe them.

LAYOUT is the one list: the rules make its files, `goe check` asks for them, and README, catalogue record and crate tell
what they are.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

from goe.core import code_digest, manifest
from goe.core.errors import Problem, stop_on
from goe.rules.stratum import TOTAL

ENCRYPTED = ".c4gh"
"""End of the names of Crypt4GH files: their bytes differ from run to run, for the session key is drawn anew."""

# Media types as IANA lists them (www.iana.org/assignments/media-types); the first rule that fits holds.
_MEDIA_TYPES = (
    (r"\.(b?gz|bgzf)$", "application/gzip"),
    (r"\.parquet$", "application/vnd.apache.parquet"),
    (r"\.cdx\.json$", "application/vnd.cyclonedx+json"),
    (r"\.jsonld$|(^|/)ro-crate-metadata\.json$", "application/ld+json"),
    (r"\.json$", "application/json"),
    (r"\.ya?ml$", "application/yaml"),
    (r"\.ttl$", "text/turtle"),
    (r"\.tsv$", "text/tab-separated-values"),
    (r"\.csv$", "text/csv"),
    (r"\.md$", "text/markdown"),
    (r"\.html$", "text/html"),
    (r"\.svg$", "image/svg+xml"),
    (r"\.png$", "image/png"),
    (r"\.zst$", "application/zstd"),
    (r"\.(txt|bed|vcf|smk|py|sha256|jsonl)$|(^|/)[A-Za-z]+$", "text/plain"),
)
_UNKNOWN = "application/octet-stream"

DATA, NOTE, METADATA, PAGE = "data", "note", "metadata", "page"
"""Kinds of file: the numbers; what is said of them; what describes both; the page for people."""


@dataclass(frozen=True)
class Entry:
    """A file, or one a contig where the path has {contig}, one a stratum where it has {stratum}; {id} is the dataset's.

    needs: `gdi` for a file that only a release with a GDI package has, `recipients` where it is encrypted for somebody;
    `proxy` for one of callable AN by coverage.
    """

    path: str
    kind: str
    meaning: str
    needs: str = ""


def _indexed(path: str, meaning: str, needs: str = "") -> tuple[Entry, Entry]:
    return Entry(path, DATA, meaning, needs), Entry(f"{path}.tbi", DATA, "index of the file of the same name", needs)


NAMES = "allele-names/{contig}.parquet"
WIDE = "frequencies-wide/{contig}.parquet"
"""The table with a row an allele, from which most readers take their numbers; before it the one with their names."""
MINI_NODE_METADATA = "mini-node/{id}.{stratum}.yaml"

_PACKAGE = "dataset package for a node of the Genomic Data Infrastructure"
LAYOUT = (
    *_indexed("sites/{id}.pass.vcf.gz", "site alleles that passed every filter, VCF"),
    *_indexed("sites/{id}.all.vcf.gz", "site alleles, filtered ones with their reasons, VCF"),
    *_indexed("mini-node/{id}.{stratum}.vcf.gz", "site alleles of a stratum for the GDI mini-node"),
    Entry(MINI_NODE_METADATA, DATA, "metadata.yaml of a stratum for the GDI mini-node"),
    *_indexed("annotations/{id}.annotations.vcf.gz", "allele counts under the names of gnomAD, for annotation"),
    Entry("frequencies/{contig}.parquet", DATA, "allele frequencies, Parquet"),
    Entry(WIDE, DATA, "allele frequencies, Parquet"),
    Entry(NAMES, DATA, "VRS identifiers and SPDI of the alleles, Parquet"),
    Entry("callable_an/{contig}.parquet", DATA, "callable alleles at every position, Parquet"),
    *_indexed("callable_an/{id}.callable_an.bed.gz", "callable alleles at every position, BED"),
    Entry("coverage_proxy/{contig}.parquet", DATA, "alleles with reads enough at every position, Parquet", "proxy"),
    *_indexed("coverage_proxy/{id}.coverage_proxy.bed.gz", "alleles with reads enough at every position, BED", "proxy"),
    Entry("beacon/genomicVariations.{contig}.jsonl.gz", DATA, "genomic variations for a Beacon v2"),
    Entry("gdi/{id}.tar", DATA, _PACKAGE, "gdi"),
    Entry("gdi/{id}.tar.c4gh", DATA, f"{_PACKAGE}, encrypted for it", "recipients"),
    Entry("README.md", NOTE, "what is in the folder"),
    Entry("LICENSE", NOTE, "licence"),
    Entry("CHANGELOG.md", NOTE, "changes against earlier releases"),
    Entry("dictionary/fields.tsv", NOTE, "every published field with its type, unit and rule"),
    Entry("disclosure/disclosure.json", NOTE, "disclosure control and its audit"),
    Entry("metadata/dataset.json", NOTE, "description of the dataset"),
    Entry("qc/summary.json", NOTE, "quality control, in aggregate"),
    Entry("ledger.json", NOTE, "account of the site alleles by step"),
    Entry("beacon/populations.json", NOTE, "populations and their INFO tags, for Beacon tools"),
    Entry("beacon/datasets.json", NOTE, "the dataset as a Beacon lists it"),
    Entry("beacon/datasets_conf.yml", NOTE, "entry of the dataset for the configuration of beacon2-pi-api"),
    Entry("beacon/datasets_permissions.yml", NOTE, "entry of the dataset for the permissions of beacon2-pi-api"),
    Entry("provenance/config.json", NOTE, "how the release was made"),
    Entry(code_digest.RELEASED, NOTE, "digest of every file of the code, of the environments and of the lock"),
    Entry("report.html", PAGE, "report, one page"),
    Entry("provenance/sbom.cdx.json", METADATA, "bill of materials of the software, CycloneDX"),
    Entry("metadata/healthdcat.ttl", METADATA, "description of the dataset"),
    Entry("metadata/healthdcat.jsonld", METADATA, "description of the dataset"),
    Entry("ro-crate-metadata.json", METADATA, ""),
)
FOLDERS = {
    "allele-names": "names of the alleles, Parquet",
    "annotations": "companion files for annotation",
    "beacon": "files for a Beacon v2",
    "callable_an": "callable alleles at every position",
    "coverage_proxy": "alleles with reads enough at every position, an estimate",
    "dictionary": "every published field",
    "disclosure": "disclosure control and its audit",
    "frequencies": "allele frequencies, Parquet, a row per allele and stratum",
    "frequencies-wide": "allele frequencies, Parquet, a row per allele",
    "gdi": "dataset package of the Genomic Data Infrastructure",
    "metadata": "description of the dataset",
    "mini-node": "site alleles for the GDI mini-node, VCF, a file a stratum",
    "provenance": "how the release was made",
    "qc": "quality control, in aggregate",
    "report-data": "look-up of alleles of the report",
    "sites": "site alleles, VCF",
}
"""What the folders at the top hold."""


@dataclass(frozen=True)
class Product:
    """What a catalogue offers: the numbers in a folder at the top, in one format.

    format: code of the file-type table of the European Union, which has none for VCF and BED. main: how the path of the
    one file ends that most take, empty where all files are one table. standard: address of what the format follows.
    """

    folder: str
    title: str
    description: str
    format: str
    main: str = ""
    standard: str = ""


_VCF = "https://samtools.github.io/hts-specs/VCFv4.3.pdf"
PRODUCTS = (
    Product(
        "sites", "Sites VCF", "Site alleles with counts by stratum, without genotypes", "GZIP", ".pass.vcf.gz", _VCF
    ),
    Product("frequencies", "Parquet, long", "Allele counts, a row per allele and stratum, a file a contig", "PARQUET"),
    Product("frequencies-wide", "Parquet, wide", "Allele counts, a row per allele, a file a contig", "PARQUET"),
    Product("allele-names", "Names of alleles", "VRS 2 identifier and SPDI of each site allele", "PARQUET"),
    Product("callable_an", "Callable AN", "Alleles that would be called at every base", "GZIP", ".callable_an.bed.gz"),
    Product(
        "coverage_proxy",
        "Coverage proxy",
        "Alleles of people without gVCFs that reads lie deep enough on at every base, an estimate",
        "GZIP",
        ".coverage_proxy.bed.gz",
    ),
    Product("gdi", "GDI package", "Dataset package for a node of the Genomic Data Infrastructure", "TAR", ".tar"),
    Product(
        "beacon",
        "Beacon",
        "Genomic variations in the Beacon v2 default model, an allele a line, a file a contig",
        "GZIP",
        standard="https://github.com/ga4gh-beacon/beacon-v2",
    ),
    Product("mini-node", "Mini-node VCF", "Site alleles of a stratum for gdi-mini-node, a file a stratum", "GZIP"),
    Product(
        "annotations", "Annotation VCF", "Allele counts under the names of gnomAD", "GZIP", ".annotations.vcf.gz", _VCF
    ),
)
"""What a catalogue lists of a release, in this order; the crate lists every file."""

_TOLD = (
    ("report.html", "this release on one page, with plots and a look-up of alleles. It needs no network."),
    ("report-data/", "if it is there, what the look-up of the page reads: keep the two together."),
    ("sites/{id}.pass.vcf.gz", "the alleles to use, FILTER is PASS. VCF 4.3 without genotypes."),
    ("sites/{id}.all.vcf.gz", "these and the filtered ones, with the reasons in FILTER."),
    ("frequencies/{contig}.parquet", "the same numbers as a table, one row per site allele and stratum."),
    (WIDE, "the same, one row per site allele."),
    (NAMES, "VRS identifier and SPDI of each site allele, in the same order."),
    (
        "callable_an/{contig}.parquet",
        "at every base, how many alleles would be called there: AN of an allele that nobody carries.",
    ),
    ("callable_an/{id}.callable_an.bed.gz", "the same of all contigs, BED."),
    (
        "coverage_proxy/{contig}.parquet",
        "an estimate of the same for people without gVCFs, by the depth of their reads; never to be added to it.",
    ),
    ("coverage_proxy/{id}.coverage_proxy.bed.gz", "the same of all contigs, BED."),
    ("gdi/{id}.tar", "the dataset package for a GDI node."),
    ("gdi/{id}.tar.c4gh", "if it is there, the same, encrypted for its recipients."),
    (
        "beacon/",
        "Beacon v2 genomic variations, one PASS allele a line, with the dataset's own record and entries for "
        "beacon2-pi-api, and `populations.json` for beacon2-ri-tools-v2.",
    ),
    ("mini-node/", "the PASS alleles for gdi-mini-node, a file a stratum: it cannot read the tags of the sites VCF."),
    ("annotations/", "a companion VCF with the names of gnomAD, to annotate with bcftools, VEP or echtvar."),
    ("dictionary/", "every tag and column with type, unit and rule."),
    ("metadata/", "the HealthDCAT-AP record, and `dataset.json`, which describes the dataset for programs."),
    ("ro-crate-metadata.json", "every file with its meaning and digest, and how the release was made (RO-Crate)."),
    (
        "provenance/",
        "the workflow, its settings, as far as they may be told, digests of its code and environments, and a bill of "
        "materials of the software (CycloneDX).",
    ),
    ("qc/", "quality control, in aggregate, for programs."),
    ("disclosure/", "disclosure control and its audit, for programs."),
    ("ledger.json", "account of the site alleles by step."),
    ("CHANGELOG.md", "changes against the earlier release."),
    ("LICENSE", "licence of the data."),
)
"""What README.md says of the files: an entry of LAYOUT by its path, or all that a folder holds."""


def told(dataset: str, gdi: bool, proxy: bool = False) -> list[str]:
    """The list of files in README.md, an item each, in Markdown; `<contig>` stands for each contig.

    gdi: whether there is a GDI package; whether it is encrypted for anybody is told in no description. proxy: whether
    there is callable AN by coverage.
    """
    given = {"": True, "gdi": gdi, "recipients": gdi, "proxy": proxy}
    needs = {entry.path: entry.needs for entry in LAYOUT}
    items = []
    for path, words in _TOLD:
        if given[needs.get(path, "")]:
            name = path.format(id=dataset, contig="<contig>")
            index = " and its `.tbi`" if f"{path}.tbi" in needs else ""
            items.append(f"`{name}`{index}: {words}")
    return items


def files(
    dataset: str,
    contigs: Sequence[str],
    kinds: Collection[str],
    gdi: bool,
    recipients: bool = False,
    strata: Sequence[str] = (TOTAL,),
    proxy: bool = False,
) -> list[str]:
    """Paths of the files of these kinds, in the order of LAYOUT; MANIFEST.sha256, the workflow in provenance/ and
    report-data/ besides. gdi: whether there is a GDI package. recipients: whether it is encrypted for anybody. strata:
    those that are published, of which only Total is known before a run. proxy: whether there is callable AN by
    coverage."""
    given = {"": True, "gdi": gdi, "recipients": gdi and recipients, "proxy": proxy}
    return [
        entry.path.format(id=dataset, contig=contig, stratum=stratum)
        for entry in LAYOUT
        if entry.kind in kinds and given[entry.needs]
        for contig in (contigs if "{contig}" in entry.path else [""])
        for stratum in (strata if "{stratum}" in entry.path else [""])
    ]


@cache
def _meanings() -> list[tuple[re.Pattern, str]]:
    rules = [(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(entry.path)), entry.meaning) for entry in LAYOUT]
    return [(re.compile(rule), meaning) for rule, meaning in [*rules, ("provenance/.+", "how the release was made")]]


@dataclass(frozen=True, order=True)
class File:
    """A file of the release.

    path: relative to the release folder, POSIX. size: bytes. sha256: hexadecimal; None for an encrypted file,
    whose bytes no second run repeats (MANIFEST.sha256 has its digest).
    """

    path: str
    size: int
    sha256: str | None

    @property
    def media_type(self) -> str:
        return next((name for rule, name in _MEDIA_TYPES if re.search(rule, self.path)), _UNKNOWN)

    @property
    def title(self) -> str:
        """Path and meaning."""
        meaning = next((text for rule, text in _meanings() if rule.fullmatch(self.path)), "")
        return f"{self.path}: {meaning}" if meaning else self.path

    @property
    def url(self) -> str:
        """The path as a relative URL."""
        return quote(self.path, safe="/")


def products(files: Iterable["File"]) -> list[tuple[Product, list["File"], "File | None"]]:
    """The products that are there, each with its files and, where it has one, its main file."""
    out = []
    listed = sorted(files)
    for product in PRODUCTS:
        inside = [file for file in listed if file.path.startswith(f"{product.folder}/")]
        main = [file for file in inside if product.main and file.path.endswith(product.main)]
        if inside:
            out.append((product, inside, main[0] if len(main) == 1 else None))
    return out


def planned(files: Iterable[str], lists: Iterable[str | Path]) -> list[str]:
    """Sorted names of the files that a release has, and of those that depend on the data, which lists of jobs name
    (JSON)."""
    return sorted({*files, *(name for path in lists for name in json.loads(Path(path).read_text()))})


def describe(folder: str | Path, paths: Iterable[str], digests: Mapping[str, str] | None = None) -> list[File]:
    """The files `paths` (relative to `folder`), sorted by path.

    digests: path -> SHA-256 where it is known already. GoeError that names every path that is no file, is a
    link, is outside the folder or is there twice.
    """
    root, known = Path(folder), digests or {}
    wanted = sorted(paths)
    problems = []
    for before, path in pairwise(["", *wanted]):
        parts = Path(path).parts
        if path == before:
            problems.append(Problem(path, "is listed twice", "list every file once"))
        elif Path(path).is_absolute() or ".." in parts or Path(path).as_posix() != path:
            problems.append(Problem(path, "is no path within the release folder", "give it relative to the folder"))
        elif (root / path).is_symlink() or not (root / path).is_file():
            problems.append(Problem(str(root / path), "is no file", "make it before the metadata"))
    stop_on(problems)
    return [_file(root, path, known) for path in wanted]


def _file(root: Path, path: str, known: Mapping[str, str]) -> File:
    digest = None if path.endswith(ENCRYPTED) else known.get(path) or manifest.digest(root / path)
    return File(path, (root / path).stat().st_size, digest)


def differences(
    folder: str | Path, described: File, where: str, digests: Mapping[str, str] | None = None
) -> list[Problem]:
    """What differs between a file and what the metadata file `where` says of it.

    digests: path -> SHA-256 where it is known already.
    """
    root, mend = Path(folder), "get the release again"
    if Path(described.path).is_absolute() or ".." in Path(described.path).parts:
        return [Problem(where, f"{described.path} is outside the folder", "do not use it")]
    if not (root / described.path).is_file() or (root / described.path).is_symlink():
        return [Problem(where, f"{described.path} is described but not there", mend)]
    actual = _file(root, described.path, digests or {})
    problems = []
    if described.size != actual.size:
        problems.append(Problem(where, f"{described.path} has {actual.size} bytes, not {described.size}", mend))
    if actual.sha256 is None and described.sha256 is not None:
        problems.append(Problem(where, f"{described.path} is encrypted and has a digest", "leave it to the manifest"))
    elif actual.sha256 is not None and (described.sha256 or "").lower() != actual.sha256:
        what = "has another SHA-256" if described.sha256 else "has no SHA-256 in the metadata"
        problems.append(Problem(where, f"{described.path} {what}", mend))
    return problems
