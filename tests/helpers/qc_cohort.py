"""A cohort of any size as the gathering of sample QC meets it: what the rules before it leave, made up.

Whole genomes of ten countries. Planted at fixed shares: low depth, contamination, contradicted and aneuploid sex,
duplicates, relatives, the withdrawn, and people of another ancestry than their country.
"""

import json
import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from goe.harmonise import schemas
from goe.harmonise.schemas import PEOPLE_SCHEMA
from goe.rules import sample_thresholds as sample_rules
from goe.sample_qc import ancestry, keep, relatedness
from goe.sample_qc.metrics import CHARR_UNIT, COUNTS, NO_PANEL, REGION_SCHEMA, TOOL_METRICS, rounded

from helpers.stages import GUIDELINES, Cost, forked, measure, write_spec

COUNTRIES = ("EE", "FI", "LV", "PT", "HR", "NL", "IT", "SE", "DE", "CZ")
ANCESTRY = ("ancestry", "ancestry_statement")
PLOTS = ("coverage", "het_hom", "pca", "sex", "call_rate")
TITLE = "A made-up cohort"
KINDS = ("cram", "gvcf", "joint_vcf", "vcf")
BASES = (
    ("chr1", 1, 2_870_000_000, 2_750_000_000),
    ("chrX", 1, 2_900_000, 2_800_000),
    ("chrX", 2, 153_000_000, 152_000_000),
    ("chrY", 3, 54_000_000, 24_000_000),
)
# Numbers of a whole genome, of all its regions together; a region file has its share.
WHOLE = {
    "n_snv": 3_700_000,
    "n_insertion": 400_000,
    "n_deletion": 420_000,
    "n_ti": 2_510_000,
    "n_tv": 1_240_000,
    "n_het_snv": 2_250_000,
    "n_hom_snv": 1_450_000,
    "n_het_indel": 500_000,
    "n_hom_indel": 320_000,
    "n_singleton": 9_000,
}


@dataclass
class Cohort:
    """`people` people in `folder`, whose genome is cut into `regions` regions. measured: whether for `costs`."""

    folder: Path
    people: int
    regions: int = 2
    seed: int = 1
    measured: bool = False
    costs: dict[str, Cost] = field(default_factory=dict)

    def __post_init__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        rng = self.rng = np.random.default_rng(self.seed)
        n = self.people
        self.ids = [f"{c}{i:06d}" for i, c in enumerate(np.array(COUNTRIES)[rng.integers(0, len(COUNTRIES), n)])]
        self.country = np.array([name[:2] for name in self.ids])
        self.kind = np.array(KINDS)[rng.choice(4, n, p=(0.55, 0.25, 0.15, 0.05))]
        self.male = rng.random(n) < 0.5
        self.depth = np.clip(rng.normal(34, 2.5, n), 26, 60)
        self.charr = np.abs(rng.normal(0.004, 0.002, n))
        some = rng.permutation(n)
        taken = 0

        def plant(share: float) -> np.ndarray:
            nonlocal taken
            mine = some[taken : taken + max(1, round(share * n))]
            taken += len(mine)
            return mine

        self.low, self.mixed, self.swapped = plant(0.01), plant(0.006), plant(0.005)
        self.xxy, self.gone, self.odd, self.kin = plant(0.002), plant(0.004), plant(0.006), plant(0.02)
        self.depth[self.low] = rng.uniform(9, 24, len(self.low))
        self.charr[self.mixed] = rng.uniform(0.06, 0.2, len(self.mixed))
        self.factor = 1 + rng.normal(0, 0.006, n) + np.array([COUNTRIES.index(c) for c in self.country]) * 0.002
        self.factor[self.odd] *= 1.12

    def _table(self, name: str, columns, rows) -> Path:
        path = self.folder / name
        keep.write_tsv(path, columns, rows)
        return path

    @cached_property
    def files(self) -> dict:
        """Input files of the gathering by name."""
        yes = np.zeros(self.people, bool)
        yes[self.gone] = True
        columns = ("sample_id", "sex", "country_code", "withdrawn", "input_type", "platform", "source", "absent_fields")
        sheet = self.male.copy()
        sheet[self.swapped] = ~sheet[self.swapped]
        rows = [
            (s, "FM"[int(m)], c, "yes" if out else "no", k, "novaseq" if k == "cram" else "", s, "")
            for s, m, c, out, k in zip(self.ids, sheet, self.country, yes, self.kind, strict=True)
        ]
        bases = [(c, str(k), str(a), str(b)) for c, k, a, b in BASES]
        return {
            "people": self._table("people.tsv", columns, rows),
            "reference": self._table("reference.tsv", ("contig", "class", "length", "bases"), bases),
            "batch": self._batch(),
            "counts": self._counts(),
            "passes": self._passes(),
            **self._kinship(),
            **self._pca(),
        }

    def _batch(self) -> Path:
        rng, n = self.rng, self.people
        y = np.where(self.male, 0.47, 0.01)
        x = np.where(self.male, 0.5, 1.0)
        x[self.xxy], y[self.xxy] = 1.0, 0.47
        self.x, self.y = x, y
        known = {
            "mean_autosome_coverage": self.depth,
            "mad_autosome_coverage": self.depth / 6,
            "pct_autosomes_15x": np.clip(99.5 - 3e3 * np.exp(-self.depth / 4), 20, 99),
            "yield_bp_q30": self.depth * 3.4e9,
            "pct_reads_mapped": rng.normal(99.6, 0.1, n),
            "pct_reads_properly_paired": rng.normal(97, 0.5, n),
            "pct_duplicates": np.abs(rng.normal(8, 2, n)),
            "pct_chimeras": np.full(n, 1.2),
            "mean_insert_size": rng.normal(420, 20, n),
            "insert_size_std_deviation": rng.normal(95, 5, n),
            "x_depth_ratio": x + rng.normal(0, 0.01, n),
            "y_depth_ratio": np.abs(y + rng.normal(0, 0.01, n)),
        }
        path = self.folder / "batch.jsonl"
        with path.open("w") as out:
            for i in np.flatnonzero(self.kind == "cram"):
                metrics = {m: rounded(m, float(known[m][i])) if m in known else None for m in TOOL_METRICS}
                why = {m: NO_PANEL for m, value in metrics.items() if value is None}
                out.write(json.dumps({"sample_id": self.ids[i], "metrics": metrics, "why": why}) + "\n")
        return path

    def _counts(self) -> Path:
        """One region of `regions` equal ones, as of sample_qc_region."""
        columns = []
        for name in COUNTS:
            if name == "charr_no_ad":
                values = np.zeros(self.people)
            elif name in ("charr_n", "charr_sites"):
                values = np.full(self.people, 100_000 // self.regions)
            elif name in ("n_sites", "n_sites_called"):
                share = (
                    0.995 - np.arange(self.people) % 7 / 10_000 if name == "n_sites_called" else np.ones(self.people)
                )
                values = np.rint(60_000 // self.regions * share)
            elif name == "charr_sum":
                values = np.rint(self.charr * CHARR_UNIT * (100_000 // self.regions))
            else:
                base = WHOLE[name] / self.regions * self.factor ** (3 if "het" in name else 1)
                values = np.rint(base * self.rng.normal(1, 0.003, self.people))
            columns.append(pa.array(values.astype(np.int64)))
        path = self.folder / "region.parquet"
        pq.write_table(pa.Table.from_arrays([pa.array(self.ids), *columns], schema=REGION_SCHEMA), path)
        return path

    def _passes(self) -> Path:
        """Counters of the genotype pass of the same region: autosomes, X and Y outside the PAR."""
        n, parts = self.people, []
        for number, records in ((1, 60_000), (2, 3000), (3, 200)):
            records = max(50, records // self.regions)
            called = np.rint(records * np.clip(self.rng.normal(0.995, 0.001, n), 0, 1))
            if number == 3:
                called = np.where(self.y > 0.3, called, 0)
            share = np.where(self.x > 0.8, 0.6, 0.01) if number == 2 else np.full(n, 0.6)
            depth = self.depth * (self.x if number == 2 else self.y if number == 3 else 1)
            columns = {
                "sample_id": self.ids,
                "class": np.full(n, number),
                "n_records": np.full(n, records),
                "n_called": called,
                "n_het": np.rint(called * 0.3 * share),
                "n_hom_alt": np.rint(called * 0.3 * (1 - share)),
                "n_missing_in": np.rint((records - called) / 2),
                "n_failed": records - called - np.rint((records - called) / 2),
                "sum_dp": np.rint(depth * called),
                "n_dp": called,
                "n_said": np.full(n, records),
            }
            if number == 1:
                columns |= {name: np.full(n, 1.05 * WHOLE[name] // self.regions) for name in schemas.OF_VARIANTS}
            arrays = [pa.array(columns.get(f.name, np.zeros(n))).cast(f.type) for f in PEOPLE_SCHEMA]
            parts.append(pa.Table.from_arrays(arrays, schema=PEOPLE_SCHEMA))
        path = self.folder / "people.parquet"
        pq.write_table(pa.concat_tables(parts), path)
        return path

    def _kinship(self) -> dict[str, Path]:
        limits = sample_rules.load(GUIDELINES).parameters
        pairs = []
        for a, b in zip(self.kin[::2], self.kin[1::2], strict=False):
            first, second = sorted((self.ids[a], self.ids[b]))
            kinship, k0 = ((0.498, 0.0), (0.25, 0.005), (0.248, 0.25), (0.12, 0.5))[int(self.rng.integers(4))]
            kinship, k0 = kinship + float(self.rng.normal(0, 0.004)), k0 + abs(float(self.rng.normal(0, 0.02)))
            pairs.append(relatedness.Pair(first, second, 98_000, kinship, k0))
        rows = [relatedness.row(pair, limits) for pair in sorted(pairs)]
        said = {"people": self.people, "candidate_snvs": 400_000, "used_snvs": 98_000, "pruned": True}
        said |= {
            "lowest_kinship": 0.088,
            "statement": "assessed down to the second degree, 98000 common autosomal SNVs",
        }
        path = self.folder / "kinship.json"
        path.write_text(json.dumps(said))
        return {"pairs": self._table("kinship.tsv", relatedness.COLUMNS, rows), "statement": path}

    def _pca(self) -> dict[str, Path]:
        angle = np.array([COUNTRIES.index(c) for c in self.country]) / len(COUNTRIES) * 2 * np.pi
        place = np.stack([np.cos(angle), np.sin(angle), np.cos(3 * angle), np.sin(5 * angle)], axis=1) * 0.01
        place += self.rng.normal(0, 0.0016, place.shape)
        place[self.odd] += 0.02
        distance = np.abs(self.rng.normal(1, 0.3, self.people))
        distance[self.odd] = 9
        rows = [
            (s, c, ancestry.COMPUTED, f"{d:.2f}", *(f"{v:.6f}" for v in p))
            for s, c, p, d in zip(self.ids, self.country, place, distance, strict=True)
        ]
        said = {"statement": "4 components of unrelated people", "components": 4, "people": self.people}
        said |= {"projected": 0, "snvs": 98_000, "not_assessed": []}
        statement = self.folder / "ancestry.json"
        statement.write_text(json.dumps(said))
        columns = (*ancestry.HEAD, "pc1", "pc2", "pc3", "pc4")
        return {"ancestry": self._table("ancestry.tsv", columns, sorted(rows)), "ancestry_statement": statement}

    # ---- the gathering rules

    def _run(self, script: str, **parts) -> None:
        if not self.measured:
            forked(self.folder, script, **parts).ok()
            return
        spec = write_spec(self.folder, script, **parts)
        self.costs[script] = measure([sys.executable, "-m", "helpers.run_script", spec])

    def gather(self) -> "Cohort":
        """Run the gathering up to the page and the tables of MultiQC."""
        self.judge()
        self.page()
        self.multiqc()
        return self

    @property
    def tables(self) -> dict[str, Path]:
        f = self.folder
        return {"metrics": f / "metrics.tsv", "keep": f / "keep.tsv", "summary": f / "summary.json"}

    def judge(self) -> None:
        """The rules up to the keep list."""
        f, there = self.folder, self.files
        self._run(
            "sample_qc_variants.py",
            input={"people": [there["passes"]] * self.regions, "counts": [there["counts"]] * self.regions},
            output={"variants": f / "variants.jsonl"},
            params={},
        )
        self._run(
            "sample_qc_keep.py",
            input={key: there[key] for key in ("people", "reference", "pairs", "statement", *ANCESTRY)}
            | {"batches": [there["batch"]], "variants": f / "variants.jsonl", "guidelines": GUIDELINES},
            output=self.tables | {"ledger": f / "keep.ledger.json", "ga4gh": f / "ga4gh"},
            params={"thresholds": {}, "exclude": True, "people": ""},
        )

    def page(self) -> None:
        """cohort.html."""
        there = self.files
        self._run(
            "sample_qc_cohort.py",
            input=self.tables | {key: there[key] for key in ("pairs", *ANCESTRY)} | {"guidelines": GUIDELINES},
            output={"page": self.folder / "cohort.html"},
            params={"thresholds": {}, "title": TITLE, "id": "GOE-EE-EXAMPLE-20260101000000000"},
        )

    def multiqc(self) -> None:
        """Pictures, and the folder of tables for MultiQC."""
        f = self.folder
        pictures = [f / f"{plot}_mqc.png" for plot in PLOTS]
        self._run(
            "sample_qc_plots.py",
            input=self.tables | {"guidelines": GUIDELINES, "ancestry": self.files["ancestry"]},
            output={plot: f / f"{plot}.svg" for plot in PLOTS} | {"pictures": pictures},
            params={"thresholds": {}},
        )
        self._run(
            "sample_qc_multiqc_tables.py",
            input=self.tables | {"pictures": pictures, "files": []},
            output={"folder": f / "multiqc"},
            params={"title": TITLE},
        )
