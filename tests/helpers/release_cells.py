"""Numbers of a release by allele and stratum, from the text of its sites VCF, for the tests that ask clients."""

import gzip
from dataclasses import dataclass
from pathlib import Path
from random import Random

NUMBERS = ("ac", "an", "ac_hom", "ac_het", "ac_hemi")
_TAGS = {"AC": "ac", "AN": "an", "AC_Hom": "ac_hom", "AC_Het": "ac_het", "AC_Hemi": "ac_hemi"}


@dataclass(frozen=True)
class Cells:
    """strata: those of the release. of: (contig, pos, ref, alt) -> stratum -> ac, an, ac_hom, ac_het, ac_hemi, but for
    strata that are withheld at the allele. filters: the same -> FILTER."""

    strata: tuple[str, ...]
    of: dict[tuple, dict[str, dict[str, int]]]
    filters: dict[tuple, str]

    @classmethod
    def read(cls, folder: Path, which: str = "all") -> "Cells":
        (path,) = (folder / "sites").glob(f"*.{which}.vcf.gz")
        with gzip.open(path, "rt") as lines:
            rows = [line.rstrip("\n") for line in lines]
        ids = [row.partition("ID=")[2].partition(",")[0] for row in rows if row.startswith("##INFO=")]
        tags = {name: cls._cell(name) for name in ids}
        of, filters = {}, {}
        for row in rows:
            if not row.startswith("#"):
                contig, pos, _, ref, alt, _, verdict, info = row.split("\t")
                key = (contig, int(pos), ref, alt)
                filters[key], found = verdict, of.setdefault(key, {})
                for entry in info.split(";"):
                    name, _, value = entry.partition("=")
                    if tags[name]:
                        stratum, number = tags[name]
                        found.setdefault(stratum, {})[number] = int(value)
        strata = tuple(dict.fromkeys(cell[0] for cell in tags.values() if cell))
        return cls(strata, of, filters)

    @staticmethod
    def _cell(name: str) -> tuple[str, str] | None:
        """Stratum and number of a tag: AC_EE_M_Hom -> EE_M, ac_hom."""
        metric, *rest = name.split("_")
        zygosity = [rest.pop()] if rest and rest[-1] in ("Hom", "Het", "Hemi") else []
        number = _TAGS.get("_".join([metric, *zygosity]))
        return ("_".join(rest) or "Total", number) if number else None

    def some(self, rng: Random, n: int) -> "Cells":
        """So many of the alleles."""
        keys = rng.sample(sorted(self.of), min(n, len(self.of)))
        return Cells(self.strata, {key: self.of[key] for key in keys}, {key: self.filters[key] for key in keys})

    def passed(self) -> "Cells":
        """Those whose FILTER is PASS."""
        keys = [key for key, verdict in self.filters.items() if verdict == "PASS"]
        return Cells(self.strata, {key: self.of[key] for key in keys}, {key: "PASS" for key in keys})
