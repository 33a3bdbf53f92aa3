"""Words of a dataset that settings and sheets choose from: its id, kinds of input, codes of countries."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from goe.core import tables
from goe.core.resources import RESOURCES

INPUT_TYPES = ("fastq", "ubam", "bam", "cram", "gvcf", "vcf", "joint_vcf")
COVERAGE = "coverage"
"""Aligned reads beside somebody's calls, for their depth alone: no kind of input that anybody comes as."""

GVCF_ADJ, COVERAGE_PROXY, VARIANT_SITES_ONLY = "gvcf_adj", "coverage_proxy", "variant_sites_only"
AN_METHODS = {
    GVCF_ADJ: ("fastq", "ubam", "bam", "cram", "gvcf"),
    VARIANT_SITES_ONLY: ("vcf", "joint_vcf"),
}
"""Where callable AN comes from, by kind of input: rows and blocks of a gVCF that pass, or nowhere, since the file says
nothing between its rows. COVERAGE_PROXY is of no kind as such: of people of the latter who have reads of the type
COVERAGE it is how deep these lie, in numbers of their own (C4.7)."""

COUNTRIES = {
    row["alpha_2"]: row["alpha_3"] for row in tables.read(RESOURCES / "schemas" / "eu-vocabularies" / "countries.tsv")
}
"""Officially assigned codes of ISO 3166-1: alpha-2 -> alpha-3, by which the European Union names a country."""


@dataclass(frozen=True)
class DatasetId:
    """PREFIX-COUNTRY-ORG-TIMESTAMP, as a GDI node names a dataset: GOE or GDI, ISO 3166-1 alpha-2, 1 to 16 capital
    letters, and 17 digits, YYYYMMDDHHMMSSmmm."""

    prefix: str
    country: str
    org: str
    timestamp: str

    PATTERN: ClassVar = r"(GOE|GDI)-([A-Z]{2})-([A-Z]{1,16})-([0-9]{17})"

    @classmethod
    def parse(cls, text: object) -> "DatasetId | None":
        """None for what is no such id."""
        match = re.fullmatch(cls.PATTERN, str(text))
        return cls(*match.groups()) if match else None

    @property
    def date(self) -> date:
        """The day of the timestamp; ValueError when there is none such."""
        return datetime.strptime(self.timestamp[:14], "%Y%m%d%H%M%S").date()
