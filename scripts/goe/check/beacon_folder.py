"""What of the Beacon files follows from the release alone: names of alleles and populations."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from isal import igzip

from goe.check import beacon as beacon_check
from goe.core.errors import Problem
from goe.genome import hgvs
from goe.genome.build import contig_class
from goe.release import reading
from goe.release.formats import beacon
from goe.release.formats.sites_vcf import Tag

_PIECE = 8 << 20
_AGAIN = "the file was changed, or is not of this release: get it again"


def check_populations(path: str | Path, info: Sequence[Tag]) -> list[Problem]:
    """What the loader would refuse, and tags that are not those of the population. info: of the sites VCF."""
    problems = beacon_check.check_populations(path, [tag.id for tag in info])
    if problems:
        return problems
    there = {entry["population"]: entry for entry in json.loads(Path(path).read_text())["populations"]}
    for wanted in beacon.populations(info)["populations"]:
        name = wanted["population"]
        mine = there.pop(name, None)
        if mine is None:
            problems.append(Problem(str(path), f"population {name} is missing", _AGAIN))
            continue
        for key in sorted({*mine, *wanted}):
            if mine.get(key) != wanted.get(key):
                what = f"population {name}: {key} is {mine.get(key)}, not {wanted.get(key)}"
                problems.append(Problem(str(path), what, _AGAIN))
    return problems + [Problem(str(path), f"population {name} is no stratum of the release", _AGAIN) for name in there]


def check_names(path: str | Path, dataset: str, build: str, contig: str, length: int) -> list[Problem]:
    """The first line that is not named for this dataset and contig: ids, accession, HGVS name, order of the keys.

    length: of the contig, in bases. Which HGVS name an insertion or deletion has depends on the reference, which a
    release does not hold; that of a substitution is held against its position and bases.
    """
    accession = hgvs.accession(build, contig, length)
    name = re.escape(f"{dataset}:{contig}:")
    scale = "m" if contig_class(contig) == "M" else "g"
    if accession:
        named = (
            rf',"identifiers":\{{"genomicHGVSId":"{re.escape(accession)}:{scale}\.'
            r'(?:(?P=pos)(?P=ref)>(?P=alt)|[0-9]+(?:_[0-9]+)?(?:del|dup|ins[ACGT]+|delins[ACGT]+))"\}'
        )
        sequence = re.escape(f"refseq:{accession}")
    else:
        named, sequence = "", r"ga4gh:SQ\.[A-Za-z0-9_-]{32}"
    pattern = re.compile(
        (
            rf'\{{"variantInternalId":"{name}(?P<pos>[0-9]+):(?P<ref>[ACGT]+):(?P<alt>[ACGT]+)",'
            rf'"datasetId":"{re.escape(dataset)}"{named},'
            rf'"variation":\{{"location":\{{"type":"SequenceLocation","sequence_id":"{sequence}",'
            r'[^\n]*"variantType":"(?:SNP|MNP|INS|DEL|DELINS)"\}[^\n]*\n'
        ).encode()
    )
    row, rest = 0, b""
    with reading.reading(path), igzip.open(path, "rb") as handle:
        while piece := handle.read(_PIECE):
            data = rest + piece
            at, end = 0, data.rfind(b"\n") + 1
            while at < end:
                match = pattern.match(data, at, end)
                row += 1
                if match is None:
                    return [_odd(path, row)]
                at = match.end()
            rest = data[end:]
    return [_odd(path, row + 1)] if rest else []


def _odd(path: str | Path, row: int) -> Problem:
    what = "is not named for this dataset and contig (ids, sequence, HGVS name), or its keys are in another order"
    return Problem(f"{path} line {row}", what, _AGAIN)
