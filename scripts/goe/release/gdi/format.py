"""The GDI dataset package: its names, columns, limits and words.

Facts of GenomicDataInfrastructure/gdi-node-standalone: docs/package-format.md for names and order,
crates/core/src/parquet_io.rs for the columns, validate_parquet.rs for the limits, popfield.rs and hierarchy.rs
for populations, variant.rs for variant types, chrom.rs for chromosomes, validate_pkg.rs for the words of the
metadata.
"""

import re
from dataclasses import dataclass

import pyarrow as pa

from goe.frequencies import strata as st
from goe.genome import build
from goe.hts import vcf_header
from goe.rules.stratum import PUBLISHED, parse

MANIFEST = "manifest.json"
MANIFEST_VERSION = 1
BLOCK_RANGE = 10_000_000
ASSEMBLIES = ("GRCh38", "GRCh37")
# The node names M of GRCh37 NC_001807.4, of 16571 bases; the M of most GRCh37 references is another sequence.
_M_OF_GRCH37 = 16_571

SCHEMA = pa.schema(
    [
        pa.field("POS", pa.int32(), nullable=False),
        *(pa.field(name, pa.string(), nullable=False) for name in ("REF", "ALT", "VT", "POPULATION")),
        pa.field("AF", pa.float32(), nullable=False),
        *(pa.field(name, pa.int32()) for name in ("AC", "AC_HOM", "AC_HET", "AC_HEMI", "AN")),
    ]
)
TEXT = ("REF", "ALT", "VT", "POPULATION")
COUNTS = ("AC", "AC_HOM", "AC_HET", "AC_HEMI", "AN")
SORTED_BY = ("POS", "REF", "ALT", "POPULATION")

MAX_POPULATIONS = 512
MAX_ALLELE = 10_000  # bases
MAX_FILE = 1 << 30  # bytes
MAX_UNPACKED = 4 << 30
MAX_ROW_GROUP = 256 << 20
MAX_AT_ONE_POS = 256 << 20  # bytes of REF, ALT and POPULATION
MAX_MANIFEST = 8 << 20

VARIANT_TYPES = ("SNP", "MNP", "INS", "DEL", "DELINS")
_DATA_FILE = re.compile(
    r"allele-freq\.chr([1-9]|1[0-9]|2[0-2]|[XYM])\.(0|[1-9][0-9]*)\.br(0|[1-9][0-9]*)\.([0-9a-f]{16})\.parquet"
)
# What a minimal header keeps: crates/gdi-dataset-tool/src/commands/cmd_build.rs. Everything else, command lines
# above all, is dropped.
HEADER_KEYS = ("fileformat", "INFO", "FORMAT", "FILTER", "contig", "reference", "assembly")

_RIGHTS = "http://publications.europa.eu/resource/authority/access-right/"
PUBLIC, RESTRICTED, NON_PUBLIC = (_RIGHTS + name for name in ("PUBLIC", "RESTRICTED", "NON_PUBLIC"))
EHDS = "http://data.europa.eu/eli/reg/2025/327/oj"
SYNTHETIC = "https://publications.europa.eu/resource/authority/dataset-type/SYNTHETIC_DATA"
CORE = "http://data.gdi.eu/core/p2/"
DPV = "https://w3id.org/dpv#"
HEALTH_CATEGORIES = tuple(f"{CORE}HealthCategoryHuman{name}" for name in ("Genomic", "Genetic", "Epigenomic"))
CONFORMS_TO = tuple(CORE + name for name in ("ExternallyGoverned", "1MGCompliant", "1MGCohort"))
_THEME = "https://hdeu-dcat.data.health.europa.eu/resource/authority/health-theme/"
HEALTH_THEMES = tuple(
    _THEME + name
    for name in (
        "HEALTH_PRODUCTS",
        "ANTIMICROBIAL_CONTROL",
        "BLOOD_INFECTIONS",
        "CANCER_DISEASE",
        "CLIMATE_HEALTH",
        "EMERGENCY_SETTINGS",
        "ENTERIC_INFECTIONS",
        "ENVIRONMENTAL_HEALTH",
        "HEALTH_SYSTEMS",
        "IMMUNIZATION_DISEASES",
        "INJURY_PREVENTION",
        "LIFECOURSE_HEALTH",
        "MENTAL_HEALTH",
        "NONCOMMUNICABLE_DISEASES",
        "NUTRITION_SECURITY",
        "REPRODUCTIVE_HEALTH",
        "RESPIRATORY_DISEASES",
        "SENSORY_HEALTH",
        "TROPICAL_DISEASES",
        "VECTOR_DISEASES",
    )
)


@dataclass(frozen=True)
class DataFile:
    """Name of a data file. chromosome 1-22, X, Y or M; block = 0-based position // block_range; 0 is no blocks."""

    chromosome: str
    block: int
    block_range: int
    vcf_id: str

    def __str__(self) -> str:
        return f"allele-freq.chr{self.chromosome}.{self.block}.br{self.block_range}.{self.vcf_id}.parquet"


def data_file(name: str) -> DataFile | None:
    """The parts of the name of a data file, or None when it is no such name."""
    match = _DATA_FILE.fullmatch(name)
    return DataFile(match[1], int(match[2]), int(match[3]), match[4]) if match else None


def chromosome(assembly: str, contig: str, length: int) -> str | None:
    """Name of a contig of `length` bases in the package; None when the format has no place for it."""
    name = build.canonical(contig)
    if name == "M" and assembly == "GRCh37" and length != _M_OF_GRCH37:
        return None
    return name


def variant_type(ref: str, alt: str) -> str:
    """VT of an allele: what REF and ALT leave when their common ends are cut, for the label alone."""
    if len(ref) == len(alt) == 1:
        return "SNP"
    start = 0
    while start < min(len(ref), len(alt)) and ref[start] == alt[start]:
        start += 1
    ref, alt = ref[start:], alt[start:]
    end = 0
    while end < min(len(ref), len(alt)) and ref[-1 - end] == alt[-1 - end]:
        end += 1
    left, right = len(ref) - end, len(alt) - end
    if not left:
        return "INS"
    if not right:
        return "DEL"
    if left == right:
        return "SNP" if left == 1 else "MNP"
    return "DELINS"


def axis(population: str) -> str:
    """Which division of a parent a population belongs to: no person is in two populations of one axis."""
    country, sex = parse(population)
    return " and ".join(word for word, given in (("country", country), ("sex", sex)) if given)


def minimal_header(lines: list[str]) -> str:
    """The header lines of a VCF (without line ends) that a package may hold, samples cut off."""
    kept = []
    for line in lines:
        if line.startswith("#CHROM"):
            kept.append("\t".join(line.split("\t")[:8]))
        elif line.startswith("##") and line[2:].split("=", 1)[0] in HEADER_KEYS:
            kept.append(line)
    return "".join(f"{line}\n" for line in kept)


def header_populations(lines: list[str]) -> tuple[list[str], list[str]]:
    """Populations of the INFO tags of a header, sorted, and the tags that look like one but name none, sorted.

    A tag is AF, AC or AN and then, in any order and each at most once, Hom, Het or Hemi (AC only), a country
    and M or F.
    """
    found, strange = set(), set()
    for tag in vcf_header.parse(lines).of("INFO"):
        if not {"AF", "AC", "AN"} & set(tag.split("_")):
            continue
        metric, *words = tag.split("_")
        zygosity = [w for w in words if w in ("Hom", "Het", "Hemi")]
        sex = [w for w in words if w in st.SEXES]
        country = [w for w in words if PUBLISHED.fullmatch(w) and parse(w).is_country]
        known = len(zygosity) + len(sex) + len(country) == len(words)
        once = max(map(len, (zygosity, sex, country))) <= 1
        if metric in ("AF", "AC", "AN") and known and once and (metric == "AC" or not zygosity):
            found.add("_".join(country + sex) or st.TOTAL)
        else:
            strange.add(tag)
    return sorted(found), sorted(strange)
