"""Files for Beacons: genomicVariations as JSON Lines, and populations.json for loaders that read the sites VCF.

A line is one PASS allele as in the Beacon v2 default model (resources/schemas/beacon-v2), with the counts that
Genome of Europe nodes add to a population's frequency. FILTER means nothing to a Beacon, so alleles that are not
PASS are left out. Location, type and names of the counts are those of GenomicDataInfrastructure/
gdi-node-standalone (crates/beacon/src/model.rs, query.rs): VRS 1.3, interbase, over the whole REF, on `refseq:`
and the accession of the contig. A contig without one has the refget id of its sequence, `ga4gh:SQ.`, and its
alleles have no HGVS name. HGVS names follow the nomenclature; that node's own do not for most indels.

Two keys are for MongoDB and EGA-archive/beacon2-pi-api. `_id` makes a second import of the same file replace or refuse,
not double, its alleles. `length` is how the API finds an allele that reaches over the whole of a range
(beacon/connections/mongo/request_parameters: length of the range or more, start before it, end behind it).

populations.json is for EGA-archive/beacon2-ri-tools-v2 (validators/templates/populations.py,
genomicVariations_vcf.py), which refuses unknown keys and tags that the header of the VCF does not have.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from goe.core import tables
from goe.core.errors import Problem, stop_on
from goe.core.files import Closes
from goe.core.resources import RESOURCES
from goe.frequencies.block import Block, passed
from goe.genome import hgvs
from goe.genome.fasta import Reference
from goe.release.formats.sites_vcf import Body, Tag
from goe.release.metadata import health_dcat
from goe.settings import sections
from goe.settings.sections import Config

SOURCE = "The Genome of Europe"
SOURCE_REFERENCE = "https://genomeofeurope.eu/"
DICTIONARY = RESOURCES / "dictionary" / "beacon.tsv"
DATASETS, CONF, PERMISSIONS = (
    f"beacon/{name}" for name in ("datasets.json", "datasets_conf.yml", "datasets_permissions.yml")
)

# Key of a population's frequency -> the number it holds, in the order of a line.
NUMBERS = {
    "alleleFrequency": "af",
    "alleleCount": "ac",
    "alleleNumber": "an",
    "alleleCountHomozygous": "ac_hom",
    "alleleCountHeterozygous": "ac_het",
    "alleleCountHemizygous": "ac_hemi",
}
# The loader reads these keys of every population without asking whether they are there.
WANTED = ("alleleFrequency", "alleleCount", "alleleNumber")
# Cells whose text is made at once, some 200 bytes each.
_CELLS = 1 << 17


def populations(info: Sequence[Tag]) -> dict:
    """populations.json for a sites VCF that has these tags: a population for each of their strata."""
    found: dict[str, dict[str, str]] = {}
    for tag in info:
        if tag.stratum:
            found.setdefault(tag.stratum, {})[tag.key] = tag.id
    stop_on(
        [
            Problem("populations.json", f"the VCF has no tag of {NUMBERS[key]} for {stratum}", "add it to the tags")
            for stratum, ids in found.items()
            for key in WANTED
            if NUMBERS[key] not in ids
        ]
    )
    return {
        "source": SOURCE,
        "sourceReference": SOURCE_REFERENCE,
        "populations": [
            {"population": stratum} | {key: ids[number] for key, number in NUMBERS.items() if number in ids}
            for stratum, ids in found.items()
        ],
    }


def dumps(info: Sequence[Tag]) -> str:
    """The text of populations.json."""
    return json.dumps(populations(info), indent=2) + "\n"


def records(said: Mapping[str, Mapping]) -> dict[str, str]:
    """What a Beacon asks of the dataset beside its alleles: path in the release -> content.

    said: name of a description (`texts.DESCRIPTIONS`) -> its content. The record has the keys of the Beacon v2 default
    model; the two YAML files are entries for beacon/conf/datasets/datasets_conf.yml and
    beacon/permissions/datasets/datasets_permissions.yml of EGA-archive/beacon2-pi-api.
    """
    dataset, given = said["dataset"], sections.of(Config, said["config"]).dataset
    about = health_dcat.About(dataset["number_of_pass_records"], dataset["number_of_people"], (), dataset["build"])
    day = health_dcat.issued(given.id).isoformat()
    page = {"externalUrl": given.access_url} if given.access_url else {}
    record = {
        "id": given.id,
        "name": health_dcat.title(given),
        "description": health_dcat.description(given, about),
        "createDateTime": day,
        "updateDateTime": day,
        **page,
        "info": {"assemblyId": dataset["build"], "numberOfUniqueIndividuals": dataset["number_of_people"]},
    }
    conf = {given.id: {"isSynthetic": given.synthetic, "isTest": False}}
    public = {"default_entry_types_granularity": "record", "entry_types_exceptions": []}
    return {
        DATASETS: json.dumps([record], indent=1, ensure_ascii=False) + "\n",
        CONF: yaml.safe_dump(conf),
        PERMISSIONS: yaml.safe_dump({given.id: {"public": public}}),
    }


def write_populations(path: str | Path, info: Sequence[Tag]) -> None:
    """Write `populations(info)` to a file."""
    Path(path).write_text(dumps(info))


@dataclass(frozen=True)
class Naming:
    """How the alleles of one contig are called: id of the dataset, sequence_id of the location (a CURIE), what
    stands before an HGVS name (`NC_000001.11:g.`, empty where the contig has no accession), the reference."""

    dataset: str
    sequence_id: str
    prefix: str
    reference: Reference


def naming(dataset: str, build: str, contig: str, fasta: str | Path) -> Naming:
    """Naming of a contig; opens the FASTA, whose `close` is the caller's."""
    reference = Reference(fasta)
    prefix = hgvs.prefix(build, contig, reference.lengths[contig])
    if prefix is None:
        return Naming(dataset, f"ga4gh:{reference.refget(contig)}", "", reference)
    return Naming(dataset, f"refseq:{prefix.partition(':')[0]}", prefix, reference)


def _join(*parts: pa.Array | str) -> pa.Array:
    """Text of parts, element by element; null where one of them is."""
    return pc.binary_join_element_wise(*parts, "", null_handling="emit_null")


def _names(block: Block, names: Naming) -> tuple[pa.Array, pa.Array]:
    """HGVS names, null without a prefix, and types of all alleles of a block."""
    single = pc.and_(pc.equal(pc.binary_length(block.ref), 1), pc.equal(pc.binary_length(block.alt), 1))
    others = pc.invert(single)
    rows = [array.filter(others).to_pylist() for array in (block.pos, block.ref, block.alt)]
    alleles = list(zip(*rows, strict=True))
    kinds = pc.replace_with_mask(
        pa.array(["SNP"]).take(pa.array(np.zeros(len(block), dtype=np.int64))),
        others,
        pa.array([hgvs.kind(ref, alt) for _, ref, alt in alleles], pa.string()),
    )
    # Named also without a prefix, since that tests REF.
    changes = [hgvs.change(names.reference, block.contig, pos, ref, alt) for pos, ref, alt in alleles]
    if not names.prefix:
        return pa.nulls(len(block), pa.string()), kinds
    substitutions = _join(pc.cast(block.pos, pa.string()), block.ref, ">", block.alt)
    return _join(names.prefix, pc.replace_with_mask(substitutions, others, pa.array(changes, pa.string()))), kinds


def _variations(block: Block, names: Naming) -> pa.Array:
    """The beginning of each line, up to the list of frequencies."""
    name, kind = _names(block, names)
    start = pc.subtract(block.pos, 1)
    length = pc.binary_length(block.ref)
    end = pc.add(start, length)
    pos = pc.cast(block.pos, pa.string())
    internal = _join(f"{names.dataset}:{block.contig}:", pos, ":", block.ref, ":", block.alt)
    ids = pa.array([hashlib.sha256(one.encode()).hexdigest() for one in internal.to_pylist()], pa.string())
    identifiers = pc.fill_null(_join(',"identifiers":{"genomicHGVSId":"', name, '"}'), "")
    return _join(
        '{"_id":"',
        ids,
        '","variantInternalId":"',
        internal,
        f'","datasetId":"{names.dataset}","length":',
        pc.cast(length, pa.string()),
        identifiers,
        f',"variation":{{"location":{{"type":"SequenceLocation","sequence_id":"{names.sequence_id}",'
        '"interval":{"type":"SequenceInterval","start":{"type":"Number","value":',
        pc.cast(start, pa.string()),
        '},"end":{"type":"Number","value":',
        pc.cast(end, pa.string()),
        '}}},"referenceBases":"',
        block.ref,
        '","alternateBases":"',
        block.alt,
        '","variantType":"',
        kind,
        f'"}},"frequencyInPopulations":[{{"source":"{SOURCE}","sourceReference":"{SOURCE_REFERENCE}","frequencies":[',
    )


def lines(block: Block, names: Naming) -> Iterator[pa.Array]:
    """JSON texts of the PASS alleles of a block, in pieces.

    A population is there where its cell is public and has an AF, as the shortest decimal that reads back as the
    same double; an allele without any such cell has no line.
    """
    af = block.numbers.af()
    present = block.shown() & ~np.isnan(af)
    wanted = passed(block) & present.any(axis=0)
    if not wanted.any():
        return
    start = _variations(block, names)
    numbers = {key: af if number == "af" else getattr(block.numbers, number) for key, number in NUMBERS.items()}
    # Alleles without a number are left out before, not after: Arrow's join with null_handling="skip" gives no row
    # for a row of nulls alone.
    rows = np.flatnonzero(wanted)
    step = max(1, _CELLS // len(block.strata))
    for first in range(0, len(rows), step):
        piece = rows[first : first + step]
        frequencies = []
        for s, stratum in enumerate(block.strata):
            parts: list = [f'{{"population":"{stratum}"']
            for key, values in numbers.items():
                parts += [f',"{key}":', pc.cast(pa.array(values[s, piece]), pa.string())]
            texts = _join(*parts, "}")
            frequencies.append(pc.if_else(pa.array(present[s, piece]), texts, pa.scalar(None, pa.string())))
        listed = pc.binary_join_element_wise(*frequencies, ",", null_handling="skip")
        yield _join(start.take(pa.array(piece)), listed, "]}]}")


class Writer(Closes):
    """BGZF file of the lines of one contig; the same alleles give the same bytes."""

    def __init__(self, path: str | Path, dataset: str, build: str, contig: str, fasta: str | Path, threads: int = 1):
        self.names = naming(dataset, build, contig, fasta)
        self.body = Body(path, threads)

    def write(self, block: Block) -> None:
        for text in lines(block, self.names):
            self.body.write(text)

    def close(self) -> None:
        self.names.reference.close()
        self.body.close()


def dictionary() -> list[tuple[str, ...]]:
    """Rows for the dictionary of the release: file, name, type, number, unit, stratum, description, rule."""
    keys = ("file", "name", "type", "number", "unit", "stratum", "description", "rule")
    return [tuple(row[key] for key in keys) for row in tables.read(DICTIONARY)]
