"""The configuration as the library has it after validation: a frozen dataclass a section, a field a key.

`workflow/schemas/config.schema.yaml` is the home of keys, types, defaults and descriptions, and `goe.settings.config`
reads it; the classes here have its keys, section by section. Between rules and scripts, and in a release, sections
are JSON: `plain` writes them, `of` reads them.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Any, ClassVar, Protocol, TypeVar, get_args, get_origin


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


Section = TypeVar("Section", bound=_Dataclass)


@dataclass(frozen=True, slots=True)
class Reference:
    fasta: str
    build: str
    par: str | None
    contigs: tuple[str, ...]
    rename: Mapping[str, str]
    ignore_contigs: tuple[str, ...]
    leave_out: Mapping[str, str]

    @property
    def ignored(self) -> tuple[str, ...]:
        """Patterns of contigs whose records are left out, primary ones too."""
        return (*self.ignore_contigs, *self.leave_out)


@dataclass(frozen=True, slots=True)
class Contact:
    fn: str
    email: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Hdab:
    """Health data access body."""

    name: str
    email: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Dataset:
    prefix: str
    country: str
    org: str
    id: str
    title: str
    contact: Contact
    description: str | None
    license: str | None
    publisher: str | None
    keywords: tuple[str, ...]
    synthetic: bool
    creators: tuple[str, ...]
    hdab: Hdab | None
    access_url: str | None
    download_url: str | None
    conforms_to: str | None
    legal_basis: tuple[str, ...]
    number: int | None
    titles: Mapping[str, str]
    min_age: int | None
    max_age: int | None
    provenance: str | None
    referenced_by: tuple[str, ...]
    endpoint_url: str | None


@dataclass(frozen=True, slots=True)
class Disclosure:
    """The choice of the controller, a floor or an open release; keys of the other choice are None."""

    min_carriers: int | None
    policy: str | None
    protect: str | None
    min_stratum_size: int | None
    open: bool
    legal_basis: str | None

    @property
    def chosen(self) -> tuple[str, ...]:
        """The keys of the choice that was made."""
        if self.open:
            return ("open", "legal_basis")
        return ("min_carriers", "policy", "protect", "min_stratum_size", "open")


@dataclass(frozen=True, slots=True)
class GenotypeFilter:
    profile: str
    min_gq: int
    min_dp: int
    min_dp_haploid: int
    min_ab: float
    on_absent_fields: str
    respect_ft: bool


@dataclass(frozen=True, slots=True)
class SampleQc:
    """thresholds: as they are written; `goe.rules.sample_thresholds` reads them."""

    exclude: bool
    guidelines: str | None
    thresholds: Mapping[str, Any]
    contamination_panel: str | None


@dataclass(frozen=True, slots=True)
class VariantQc:
    """Thresholds of site filters; None turns a filter off."""

    accept_filters: tuple[str, ...]
    min_call_rate: float | None
    hwe_p: float | None
    hwe_min_people: int
    inbreeding_coeff: float | None
    min_qual: float | None
    min_qd: float | None
    min_mq: float | None
    max_fs: float | None
    min_read_pos_rank_sum: float | None
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Strata:
    label: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Caller:
    name: str
    min_mapq: int
    min_baseq: int
    max_depth: int
    extra: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Joint:
    """No key in this version."""


@dataclass(frozen=True, slots=True)
class Scatter:
    region_size: int
    people_per_batch: int
    people_per_job: int


@dataclass(frozen=True, slots=True)
class Frequencies:
    raw: bool


@dataclass(frozen=True, slots=True)
class CallableAn:
    coverage_proxy: bool


@dataclass(frozen=True, slots=True)
class Gdi:
    enabled: bool | None
    catalog: str | None
    min_allele_count: int | None
    af_source: str | None
    af_source_reference: str | None
    recipients: tuple[str, ...]

    @property
    def made(self) -> bool:
        """Whether a release has a GDI package: as `enabled` says, or, when that is null, whether another key is set.

        The smallest config names no catalog, and a catalog has no default.
        """
        if self.enabled is not None:
            return self.enabled
        keys = (self.catalog, self.min_allele_count, self.af_source, self.af_source_reference)
        return bool(self.recipients) or any(key is not None for key in keys)


@dataclass(frozen=True, slots=True)
class Formats:
    gdi: Gdi


@dataclass(frozen=True, slots=True)
class RegionBeds:
    """BED files by the flag of the companion VCF that they are for."""

    lcr: str | None
    segdup: str | None

    @property
    def given(self) -> dict[str, str]:
        """Flag -> BED file, of the flags that have one."""
        return {flag: path for flag, path in (("lcr", self.lcr), ("segdup", self.segdup)) if path is not None}


@dataclass(frozen=True, slots=True)
class Annotations:
    regions: RegionBeds
    dbsnp: str | None


@dataclass(frozen=True, slots=True)
class Restricted:
    recipients: tuple[str, ...]
    legal_basis: str


@dataclass(frozen=True, slots=True)
class Config:
    samples: str
    inputs: str
    reference: Reference
    dataset: Dataset
    disclosure: Disclosure
    genotype_filter: GenotypeFilter
    sample_qc: SampleQc
    variant_qc: VariantQc
    strata: Strata
    aligner: str
    caller: Caller
    joint: Joint
    scatter: Scatter
    frequencies: Frequencies
    callable_an: CallableAn
    formats: Formats
    annotations: Annotations
    previous_release: str | None
    previous_people: str | None
    audit: str | None
    audit_record: str | None
    inputs_record: str
    restricted: Restricted | None
    outdir: str
    wave: str | None
    scratch: str | None
    container: str | None

    @property
    def coverage_rule(self) -> dict[str, int]:
        """What depth is asked (C4.7): reads where two alleles are expected, where one is, and their mapping quality. At
        least one read, as a call without any is missing (C1.5)."""
        rule = self.genotype_filter
        depths = {"min_dp": max(1, rule.min_dp), "min_dp_haploid": max(1, rule.min_dp_haploid)}
        return depths | {"min_mapq": self.caller.min_mapq}


def of(kind: type[Section], values: Mapping[str, Any]) -> Section:
    """A section, or the whole `Config`, of its JSON, which has been validated.

    A key that is not there, as most of the configuration in a release, is None or else empty.
    """
    return kind(**{field.name: _value(field.type, values.get(field.name)) for field in dataclasses.fields(kind)})


def _ordered(value: Any) -> Any:
    """By key: what is written in another order is another parameter to Snakemake, which would align everybody again."""
    return {key: _ordered(value[key]) for key in sorted(value)} if isinstance(value, Mapping) else value


def _value(hint: Any, value: Any) -> Any:
    may_be_none = NoneType in get_args(hint)
    if value is None and may_be_none:
        return None
    kind: Any = get_args(hint)[0] if may_be_none else hint
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return of(kind, value or {})
    kind = get_origin(kind) or kind
    if kind is Mapping:
        return _ordered(value or {})
    if kind is tuple:
        return tuple(value or ())
    return kind() if value is None else value


def plain(value: Any) -> Any:
    """A section, or the whole `Config`, as JSON has it, with the keys that a config file may have."""
    if isinstance(value, RegionBeds):
        return value.given
    if isinstance(value, Disclosure):
        return {key: getattr(value, key) for key in value.chosen}
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    return value
