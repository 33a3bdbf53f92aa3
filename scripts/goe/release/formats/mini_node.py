"""Sites VCFs that gdi-mini-node 0.9.1 turns into its Parquet files without stopping, one a stratum.

Its reader (GenomicDataInfrastructure/gdi-mini-node, parquet-writer/_vcf_af_reader.py, _vcf_base_reader.py)
- stops on any INFO id of two tokens that begins with AC_, AN_ or AF_ and is none of AC_Hom, AC_Het, AC_Hemi: AF_EE
  and AF_M cannot be told to it;
- takes the bare tags when the header has no other population, under the label given with `-c`;
- gives every allele a row of every population in the header, without AF where the record has none, and the server
  then fails on the request for that allele (mini_node/beacon/model/allele_freq.py: alleleFrequency is a float);
- writes one row per allele only, that of the last population in the header;
- looks at no FILTER, wants ascending positions, and writes a Parquet file again that another VCF has filled.

Hence a file for each stratum: bare tags with its numbers, and the PASS alleles that are public of it and have an AF, Y
and M as well. A file of several strata could have no allele at which one of them is withheld or nobody is called.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import yaml

from goe.core.files import Closes
from goe.frequencies import strata as st
from goe.frequencies.block import Block, passed
from goe.release.formats import sites_vcf
from goe.release.metadata import health_dcat
from goe.settings import sections
from goe.settings.sections import Dataset

_ALLELES = "alleles.json"
NUMBERS = ("ac", "an", "af", "ac_hom", "ac_het", "ac_hemi")


def tags(fields: Sequence[Mapping[str, str]]) -> list[sites_vcf.Tag]:
    """INFO tags of every such file: the bare ones, none of the site.

    fields: rows of the dictionary of published fields, as for the sites VCF.
    """
    return [tag for tag in sites_vcf.tags(fields, [st.TOTAL]) if tag.stratum]


def alone(block: Block, stratum: str) -> Block:
    """A block in which the stratum stands as everybody, without statistics of the site."""
    row = [block.strata.index(stratum)]
    numbers = st.Numbers(**{name: np.asarray(values)[row] for name, values in vars(block.numbers).items()})
    return replace(block, strata=(st.TOTAL,), mask=block.mask[row], numbers=numbers, statistics={})


def loadable(block: Block) -> np.ndarray:
    """bool (alleles,): PASS, public and with an AF, in a block of one stratum (`alone`)."""
    return passed(block) & block.shown()[0] & ~np.isnan(block.numbers.af()[0])


def lines(block: Block, info: Sequence[sites_vcf.Tag]) -> pa.Array:
    """VCF lines of the alleles that the file of a stratum holds of a block (`alone`)."""
    wanted = loadable(block)
    if not wanted.any():
        return pa.array([], pa.string())
    return sites_vcf.lines(block, info).filter(pa.array(wanted))


def body(folder: str | Path, stratum: str) -> Path:
    """The body (goe.release.formats.sites_vcf) of a stratum in the folder of a contig."""
    return Path(folder) / f"{stratum}.vcf.gz"


class Writer(Closes):
    """Bodies of one contig, a file a stratum in `folder`, which is there, and how many alleles each has; `join` makes
    the files of all contigs."""

    def __init__(
        self, folder: str | Path, fields: Sequence[Mapping[str, str]], strata: Iterable[str], threads: int = 1
    ):
        self.info, self.folder = tags(fields), Path(folder)
        self.files = ExitStack()
        self.alleles: Counter[str] = Counter()
        self.bodies = {
            stratum: self.files.enter_context(sites_vcf.Body(body(folder, stratum), threads)) for stratum in strata
        }

    def write(self, block: Block) -> None:
        for stratum, file in self.bodies.items():
            text = lines(alone(block, stratum), self.info)
            self.alleles[stratum] += len(text)
            if len(text):
                file.write(text)

    def close(self) -> None:
        self.files.close()
        (self.folder / _ALLELES).write_text(json.dumps(self.alleles))


def metadata(said: Mapping[str, Mapping], stratum: str, alleles: int) -> str:
    """The metadata.yaml that a mini-node asks of every dataset, for that of a stratum, which has so many alleles.

    said: name of a description (`texts.DESCRIPTIONS`) -> its content. Keys are those of `FdpDataset`
    (mini_node/fdp/config.py); the catalogue is one of config/fdp.yaml as the mini-node ships it.
    """
    dataset = said["dataset"]
    given = sections.of(Dataset, said["config"]["dataset"])
    people = dataset["strata"][stratum]
    about = health_dcat.About(dataset["number_of_pass_records"], dataset["number_of_people"], (), dataset["build"])
    ages = {"min_age": given.min_age, "max_age": given.max_age}
    content = {
        "title": f"{health_dcat.title(given)}{sites_vcf.group(stratum)}",
        "description": health_dcat.description(given, about),
        "catalog_id": "synthetic-data" if given.synthetic else "genome-of-europe",
        "keywords": health_dcat.keywords(given, dataset["build"]),
        # Midnight, for a release has no point in time; not one object, of which YAML would make a reference.
        "since": health_dcat.issued(dataset["id"]),
        "updated": health_dcat.issued(dataset["id"]),
        "record_count": alleles,
        "individual_count": people,
        **{key: age for key, age in ages.items() if age is not None},
        "data_provider_name": health_dcat.publisher(given),
    }
    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=math.inf))


def join(
    target: str | Path,
    said: Mapping[str, Mapping],
    contigs: Sequence[Mapping],
    folders: Sequence[str | Path],
    fields: Sequence[Mapping[str, str]],
) -> list[str]:
    """Write the files of all strata into the folder `target`, where no other strata stay: VCF, index, metadata; their
    names.

    said: as in `metadata`. contigs: {name, length, md5}; folders: of `Writer`, in their order.
    """
    root, dataset = Path(target), said["dataset"]
    for stale in root.glob(f"{dataset['id']}.*"):
        stale.unlink()
    head = sites_vcf.header(dataset["build"], contigs, [], {}, tags(fields))
    alleles: Counter[str] = Counter()
    for folder in folders:
        alleles.update(json.loads((Path(folder) / _ALLELES).read_text()))
    names = []
    for stratum in dataset["strata"]:
        name = f"{dataset['id']}.{stratum}"
        sites_vcf.join(head, [body(folder, stratum) for folder in folders], root / f"{name}.vcf.gz")
        (root / f"{name}.yaml").write_text(metadata(said, stratum, alleles[stratum]), encoding="utf-8")
        names += [f"{name}.vcf.gz", f"{name}.vcf.gz.tbi", f"{name}.yaml"]
    return names


def dictionary(fields: Sequence[Mapping[str, str]]) -> list[tuple[str, ...]]:
    """Rows for the dictionary of the release: file, name, type, number, unit, stratum, description, rule."""
    rule = {f["field"]: f for f in fields}
    return [
        (
            "mini-node VCF",
            tag.id,
            tag.type,
            tag.number,
            rule[tag.key]["unit"],
            "that of the file",
            rule[tag.key]["description"],
            rule[tag.key]["rule"],
        )
        for tag in tags(fields)
    ]
