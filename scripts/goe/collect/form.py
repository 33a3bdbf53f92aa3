"""The one form in which the sum reads every dataset: the wide tables of a release, made where a dataset has none."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from goe.check.folder import FIELDS
from goe.core import tables
from goe.core.files import Closes
from goe.frequencies.block import Block
from goe.release.formats import wide_table
from goe.rules.stratum import PUBLISHED, SEXES, TOTAL, parse


class Table(Closes):
    """Wide table of one contig of a dataset. Blocks come in order, without statistics, which no sum has."""

    def __init__(self, path: str | Path, contig: str, people: Mapping[str, int]):
        wanted = wide_table.schema(tables.read(FIELDS), {}, people, contig)
        self.file = wide_table.Writer(path, wanted)
        self.alleles = 0

    def write(self, block: Block) -> None:
        nothing = {name: np.full(len(block), np.nan) for name in wide_table.STATISTICS}
        self.file.write(replace(block, statistics=nothing))
        self.alleles += len(block)

    def close(self) -> None:
        self.file.close()


def ordered(strata: Iterable[str]) -> list[str]:
    """Published strata in the order of a release: Total, M, F, then by country."""
    names = {s for s in strata if PUBLISHED.fullmatch(s)}
    first = [s for s in (TOTAL, *SEXES) if s in names]
    countries = sorted(names - set(first), key=lambda s: (parse(s).country, ("", *SEXES).index(parse(s).sex)))
    return [*first, *countries]
