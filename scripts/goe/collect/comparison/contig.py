"""One contig compared: what it adds to the statistics, its flags, the tests of its alleles and its part of the page."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from goe.collect import table
from goe.collect.comparison import flags, lookup, origins
from goe.collect.comparison.cells import COUNTRY, DATASET, Source, pieces
from goe.collect.comparison.partial import Partial
from goe.collect.comparison.ratios import Ratios
from goe.collect.comparison.thresholds import Thresholds
from goe.collect.dataset import Dataset
from goe.core.files import write_whole
from goe.genome.build import contig_class
from goe.hts import parquet
from goe.rules.stratum import parse

PARTIAL, SAID, TESTS = "partial.npz", "compared.json", "tests.parquet"
KINDS = [("contig", pa.string()), ("pos", pa.int32()), ("ref", pa.string()), ("alt", pa.string())]
KINDS += [("countries", pa.int16()), ("chi2", pa.float64()), ("p", pa.float64()), ("af_apart", pa.float64())]
"""Columns of the tests of alleles."""
TESTED = {
    "countries": "countries of origin that are compared: AC and AN are known exactly",
    "chi2": "chi-squared statistic of one frequency in all of them, with one degree of freedom less than countries; "
    "null where numbers are too small for it and the test is exact",
    "p": "its p; alleles at most at heterogeneity.countries.limit of comparison/statistics.json are held different",
    "af_apart": "largest AF less smallest AF of these countries",
}


@dataclass
class Compared:
    """What contigs leave. index: contig -> `lookup.Writer.index`; example: an allele worth looking up, with how much
    it shows: [worth, contig, pos, ref, alt]."""

    partial: Partial
    found: flags.Found
    ratios: Ratios
    index: dict[str, dict]
    example: list

    def join(self, other: "Compared", most: int) -> "Compared":
        return Compared(
            self.partial.join(other.partial),
            self.found.join(other.found, most),
            self.ratios.join(other.ratios),
            {**self.index, **other.index},
            max(self.example, other.example, key=lambda e: e[0] if e else -1),
        )

    def save(self, folder: str | Path) -> None:
        self.partial.save(Path(folder) / PARTIAL)
        document = {"found": self.found.as_dict(), "ratios": self.ratios.as_dict(), "index": self.index}
        write_whole(Path(folder) / SAID, json.dumps({**document, "example": self.example}) + "\n")

    @classmethod
    def load(cls, folder: str | Path) -> "Compared":
        document = json.loads((Path(folder) / SAID).read_text())
        found, ratios = flags.Found.of(document["found"]), Ratios.of(document["ratios"])
        return cls(Partial.load(Path(folder) / PARTIAL), found, ratios, document["index"], document["example"])


def sources(datasets: Sequence[Dataset]) -> list[Source]:
    """Datasets as the comparison has them, in an order that the sheet has no part in."""
    found = [Source(one.number, one.name, one.country, max(one.silence.k, 1)) for one in datasets]
    return sorted(found, key=lambda s: (s.country, s.name, s.number))


def countries(strata: Sequence[str]) -> list[str]:
    return [s for s in strata if parse(s).is_country]


def compare(
    datasets: Sequence[Dataset],
    collection: str,
    strata: Sequence[str],
    contig: str,
    length: int,
    summed: str | Path,
    folder: str | Path,
    thresholds: Thresholds,
) -> Compared:
    """Compare what `sum_contig` left in `summed`; into `folder` go what is kept (`Compared.save`), the tests of alleles
    and the files of the page.

    strata: of the collection; length: of the contig. GoeError when a file of a dataset is not what it was.
    """
    root, by_number = Path(folder), {one.number: one for one in datasets}
    root.mkdir(parents=True, exist_ok=True)
    units, autosome = sources(datasets), contig_class(contig) == "autosome"
    names, every = countries(strata), lookup.strata(strata)
    sums, said, nobody = (Path(summed) / f"{name}.parquet" for name in ("sums", "datasets", "absent"))
    partial, ratios = Partial.nothing(names, units), Ratios()
    if autosome:
        partial.room(contig, length, thresholds.block_size)
    apart = [origins.Origins(by_number[s.number], s, contig) for s in units]
    shared = origins.shared([one.groups for one in apart])
    look = flags.Look(units, shared, thresholds)
    shown = lookup.Writer(root, collection, contig, every)
    example: list = []
    schema = pa.schema(KINDS, {"goe": json.dumps({"collection": collection, "contig": contig}, sort_keys=True)})
    with table.Writer(root / TESTS, schema) as tests:
        for piece in pieces(sums, said, contig, every, nobody):
            cells = partial.cells(piece)
            counts = [one.at(piece) for one in apart]
            found = partial.add(piece, cells, autosome, thresholds)
            look.add(piece, cells[DATASET], counts, autosome)
            if autosome and names:
                tested = look.of_countries(piece, cells[COUNTRY], names, found[COUNTRY])
                tests.write(_tests(piece.sums, tested, schema))
                example = max(example, _example(piece.sums, tested), key=lambda e: e[0] if e else -1)
            if autosome:
                ratios.add(piece, counts, units, shared, length, thresholds)
            shown.write(piece.sums)
            if not example:
                example = [0.0, contig, *(piece.sums[n][0].as_py() for n in ("pos", "ref", "alt"))]
    look.found.cut(thresholds.listed)
    return Compared(partial, look.found, ratios, {contig: shown.close()}, example)


def _example(sums: pa.Table, tested: Mapping[str, np.ndarray]) -> list:
    """The allele of a piece that differs most between most countries."""
    worth = tested["units"] + np.nan_to_num(tested["apart"], nan=-1.0)
    row = int(np.argmax(worth))
    return [float(worth[row]), *(sums[name][row].as_py() for name in ("contig", "pos", "ref", "alt"))]


def _tests(sums: pa.Table, tested: Mapping[str, np.ndarray], schema: pa.Schema) -> pa.Table:
    """Rows of the alleles that are tested."""
    keep = pa.array(~np.isnan(tested["p"]))
    rows = {name: sums[name] for name in ("contig", "pos", "ref", "alt")}
    rows["countries"] = pa.array(tested["units"].astype(np.int16))
    for column, name in (("chi2", "chi2"), ("p", "p"), ("af_apart", "apart")):
        rows[column] = parquet.column(tested[name], ~np.isnan(tested[name]))
    return pa.table(rows).filter(keep).cast(schema)
