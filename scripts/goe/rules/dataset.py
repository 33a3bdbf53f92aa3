"""Words of a dataset that settings and sheets choose from: its id, kinds of input, codes of countries."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

INPUT_TYPES = ("fastq", "ubam", "bam", "cram", "gvcf", "vcf", "joint_vcf")


# ISO 3166-1 alpha-2, officially assigned codes.
_OFFICIAL = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS "
    "BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE "
    "EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM "
    "HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC "
    "LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA "
    "NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW "
    "SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO "
    "TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW"
)


COUNTRIES = frozenset(_OFFICIAL.split())


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
