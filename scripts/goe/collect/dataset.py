"""What is known of a dataset that was looked at: what has to agree, what may differ, what it leaves unsaid."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from goe.collect.sheet import RELEASE, RESTRICTED
from goe.core import manifest
from goe.core.errors import GoeError, Problem
from goe.core.files import write_whole
from goe.disclosure.silence import UNKNOWN, Silence
from goe.release.reading import reading
from goe.rules.stratum import TOTAL, parse


@dataclass(frozen=True)
class File:
    """A file that the sum reads, with the SHA-256 it had when it was looked at."""

    path: str
    sha256: str

    @classmethod
    def of(cls, path: str | Path) -> "File":
        return cls(str(path), manifest.digest(path))

    def unchanged(self, dataset: str) -> str:
        """Its path; GoeError that names the dataset when it is not what it was when it was looked at."""
        if not Path(self.path).is_file() or manifest.digest(self.path) != self.sha256:
            what = f"{Path(self.path).name} is not what it was when the dataset was looked at"
            raise GoeError(Problem(dataset, what, "somebody writes there: wait, and collect again"))
        return self.path


@dataclass
class Dataset:
    """One row of the sheet, looked at. Refused when it has problems; then the rest may be empty.

    terms: what has to agree, None where it is not said: build, contigs (name, length, md5), counting_rules,
    genotype_filter, normalisation, par. manner: what may differ. people: strata that it gives -> people, at least
    these many where `exact_people` is not set. silence: what its silence means. zygosity: strata whose homozygotes
    are told. tables: contig -> wide table. callable_an: contig -> runs, as far as there are any. callable_people:
    stratum -> people who can be callable where nobody lists anything (gVCFs, reads), everybody where it is not said.
    digest: of its manifest, or of the file. numbers: SHA-256 over positions and counts, by which the same people are
    found twice.
    """

    number: int
    name: str
    kind: str
    counted_by: str
    id: str = ""
    country: str = ""
    digest: str = ""
    terms: dict[str, Any] = field(default_factory=dict)
    manner: dict[str, Any] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    exact_people: bool = True
    silence: Silence = field(default_factory=lambda: Silence(UNKNOWN))
    zygosity: tuple[str, ...] = ()
    tables: dict[str, File] = field(default_factory=dict)
    callable_an: dict[str, File] = field(default_factory=dict)
    callable_people: dict[str, int] = field(default_factory=dict)
    numbers: str = ""
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        return bool(self.problems)

    @property
    def ours(self) -> bool:
        """Whether it was counted by the rules of goe."""
        return self.kind in (RELEASE, RESTRICTED)

    @property
    def origins(self) -> tuple[str, ...]:
        """Countries of origin of its people; Total where it has no such strata."""
        return tuple(s for s in self.people if parse(s).is_country) or (TOTAL,)

    def holds_nobody(self, stratum: str) -> bool:
        """Whether nobody of a stratum is in the dataset, as far as its numbers of people tell."""
        if stratum in self.people or not self.exact_people:
            return False
        country, sex = parse(stratum)
        countries = [s for s in self.people if parse(s).is_country]
        if country and country not in self.people:
            # A Total that is rounded is below the floor, and then nothing is published by country.
            return bool(countries) and sum(self.people[s] for s in countries) == self.people[TOTAL]
        other = "F" if sex == "M" else "M"
        rest = "_".join(filter(None, (country, other)))
        return rest in self.people and self.people[rest] == self.people[country or TOTAL]

    def save(self, path: str | Path) -> None:
        write_whole(path, json.dumps(asdict(self), indent=1, sort_keys=True) + "\n")

    @classmethod
    def load(cls, path: str | Path) -> "Dataset":
        """Of a file that `save` wrote."""
        return cls.of(json.loads(Path(path).read_text()))

    @classmethod
    def of(cls, document: dict[str, Any]) -> "Dataset":
        """Of what `asdict` gives, as JSON keeps it."""
        document["problems"] = [Problem(**p) for p in document["problems"]]
        document["tables"] = {contig: File(**f) for contig, f in document["tables"].items()}
        document["callable_an"] = {contig: File(**f) for contig, f in document["callable_an"].items()}
        document["silence"] = Silence(**document["silence"])
        document["zygosity"] = tuple(document["zygosity"])
        return cls(**document)


def fingerprint(tables: Iterable[File]) -> str:
    """SHA-256 over position, AC and AN of everybody at every allele: equal for the same people under any name.

    Empty where there is no allele."""
    digest, alleles = hashlib.sha256(), 0
    for table in tables:
        with reading(table.path), pq.ParquetFile(table.path, pre_buffer=False) as file:
            for batch in file.iter_batches(1 << 16, columns=["pos", "ac", "an"]):
                alleles += batch.num_rows
                for column in batch.columns:
                    digest.update(np.ascontiguousarray(column.fill_null(-1).to_numpy()).astype("<i8").tobytes())
    return digest.hexdigest() if alleles else ""
