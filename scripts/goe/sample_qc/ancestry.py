"""Ancestry: principal components of the cohort, and who lies far from the people of the own country.

Coordinates point at people: they stay under work/. Nobody is given an ancestry here, and nobody is left out for it
unless the thresholds of the config say so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from goe.core.processes import tool
from goe.sample_qc import plink, relatedness

APPROXIMATE_ABOVE = 5000
"""People above which plink2 --pca approx is used, as its documentation advises (cog-genomics.org/plink/2.0/strat)."""

COMPUTED, PROJECTED = "computed", "projected"
HEAD = ("sample_id", "country_code", "basis", "ancestry_distance")
"""First columns of sample_qc/ancestry.tsv; pc1, pc2, ... come after."""


@dataclass(frozen=True)
class Plan:
    """Whose genotypes make the components, who is placed on them afterwards, how many there are; 0 for none."""

    statement: str
    used: list[str] = field(default_factory=list)
    projected: list[str] = field(default_factory=list)
    components: int = 0

    @property
    def approximate(self) -> bool:
        return len(self.used) > APPROXIMATE_ABOVE


def plan(
    people: Sequence[str],
    withdrawn: Iterable[str],
    pairs: Iterable[relatedness.Pair],
    n_snvs: int,
    basis: str,
    limits: Mapping[str, float],
) -> Plan:
    """What can be computed, and the sentence that says so.

    people: everybody with genotypes, in the order of the fileset; pairs: relatives that were told; n_snvs: SNVs
    of the fileset; basis: these in words. Components that relatives share would be those of a family, so of every
    family only unrelated people make them, and the others are projected. The withdrawn are left out altogether.
    """
    out = set(withdrawn)
    eligible = [p for p in people if p not in out]
    if n_snvs < limits["pca_min_snvs"]:
        return Plan(f"not assessed: {n_snvs} common autosomal SNVs, {limits['pca_min_snvs']:g} are needed")
    known = set(eligible)
    inside = [p for p in pairs if p.a in known and p.b in known]
    gone = relatedness.removals(inside, relatedness.rank(eligible, {}), limits)
    used = [p for p in eligible if p not in gone]
    if len(used) < limits["pca_min_people"]:
        return Plan(f"not assessed: {len(used)} unrelated people, {limits['pca_min_people']:g} are needed")
    wanted = int(limits["pca_components"])
    # As many directions as people less one are all there are.
    components = min(wanted, len(used) - 1)
    statement = f"{components} components of {len(used)} unrelated people"
    statement += f" ({wanted} would need {wanted + 1})" if components < wanted else ""
    statement += f" (relatives projected: {len(gone)})" if gone else ""
    return Plan(f"{statement}, {basis}", used, [p for p in eligible if p in gone], components)


def oriented(coordinates: np.ndarray) -> np.ndarray:
    """Coordinates float[people, components] whose signs are settled: the greatest of a component is positive."""
    if not coordinates.size:
        return coordinates
    top = np.abs(coordinates).argmax(axis=0)
    signs = np.sign(coordinates[top, np.arange(coordinates.shape[1])])
    return coordinates * np.where(signs == 0, 1, signs)


def distances(
    coordinates: np.ndarray, countries: Sequence[str], computed: np.ndarray, limits: Mapping[str, float]
) -> tuple[np.ndarray, list[str]]:
    """(distance of each person from the own country, float[people], NaN where not assessed; countries not assessed).

    coordinates: float[people, components]; countries: of each person; computed: bool[people], those who are not
    projected. The distance is the greatest, over the components, of |x - median| / (1.4826 MAD), both of the
    computed people of the country. This is the rule of EIGENSOFT's smartpca for outliers (POPGEN/README: more than
    `outliersigmathresh` 6.0 SD on one of `numoutlierevec` 10 components), within a country, and by median and MAD
    in place of mean and SD, which the outliers themselves would widen. A country of fewer than `mad_min_people`
    computed people is not assessed, nor one without spread.
    """
    found = np.full(len(coordinates), np.nan)
    names = np.asarray(countries, dtype=object)
    unable = []
    for country in sorted(set(countries)):
        of_country = names == country
        base = coordinates[of_country & computed]
        if len(base) < limits["mad_min_people"] or not coordinates.shape[1]:
            unable.append(country)
            continue
        middle = np.median(base, axis=0)
        spread = np.median(np.abs(base - middle), axis=0) * limits["mad_factor_to_sd"]
        informative = spread > 0
        if not informative.any():
            unable.append(country)
            continue
        found[of_country] = (
            np.abs(coordinates[of_country][:, informative] - middle[informative]) / spread[informative]
        ).max(axis=1)
    return found, unable


def unassessed(countries: Sequence[str], limits: Mapping[str, float]) -> str:
    """The sentence on countries that `distances` could not judge."""
    return (
        f"outliers not assessed in {', '.join(countries)}: fewer than {limits['mad_min_people']:g} unrelated people, "
        "or no spread"
    )


def assess(
    stem: str | Path,
    snvs: plink.Snvs,
    sheet: Mapping[str, Mapping[str, str]],
    pairs: Iterable[relatedness.Pair],
    limits: Mapping[str, float],
    memory: int,
    scratch: str | Path,
) -> tuple[tuple[str, ...], list[tuple[str, ...]], dict]:
    """(columns, rows) of sample_qc/ancestry.tsv, and what was assessed, of the fileset STEM, which holds `snvs`.

    sheet: person -> row of people.tsv; pairs: relatives that were told; memory in MB; scratch: folder for what plink2
    writes.
    """
    withdrawn = [p for p in snvs.people if sheet[p]["withdrawn"] == "yes"]
    planned = plan(snvs.people, withdrawn, pairs, snvs.used, snvs.basis, limits)
    values: Sequence[float] = []
    rows: list[tuple[str, ...]] = []
    few: list[str] = []
    columns: tuple[str, ...] = HEAD
    if planned.components:
        found, values = components(stem, snvs, planned, memory, scratch)
        found = oriented(found)
        people = [*planned.used, *planned.projected]
        countries = [sheet[p]["country_code"] for p in people]
        computed = np.arange(len(people)) < len(planned.used)
        far, few = distances(found, countries, computed, limits)
        columns = (*HEAD, *(f"pc{i}" for i in range(1, planned.components + 1)))
        for person, country, own, distance, scores in zip(people, countries, computed, far, found, strict=True):
            distance_text = "" if np.isnan(distance) else f"{distance:.2f}"
            rows.append((person, country, COMPUTED if own else PROJECTED, distance_text, *(f"{x:.5g}" for x in scores)))
    summary = {
        "statement": "; ".join([planned.statement, *([unassessed(few, limits)] if few else [])]),
        "people": len(planned.used),
        "projected": len(planned.projected),
        "components": planned.components,
        "snvs": snvs.used,
        "pruned": snvs.pruned,
        "approximate": planned.approximate,
        "eigenvalues": [float(f"{v:.4g}") for v in values],
        "not_assessed": few,
    }
    return columns, sorted(rows), summary


def components(
    stem: str | Path, snvs: plink.Snvs, planned: Plan, memory: int, scratch: str | Path
) -> tuple[np.ndarray, list[float]]:
    """(float[people of planned.used and planned.projected in this order, components], eigenvalues), by plink2."""
    # One thread: sums of floating-point numbers depend on how work is shared, and the cohort's table must not.
    run = plink.command(stem, snvs, 1, memory)
    out = f"{scratch}/pca"
    place = {p: i for i, p in enumerate(snvs.people)}
    Path(f"{out}.used").write_text("".join(f"p{place[p]}\n" for p in planned.used))
    everybody = [*planned.used, *planned.projected]
    Path(f"{out}.all").write_text("".join(f"p{place[p]}\n" for p in everybody))
    # --bad-freqs lets fewer than 50 people stand for their own frequencies.
    chosen = ["--keep", f"{out}.used", "--mac", "1", "--bad-freqs", "--freq", "counts"]
    how = ["approx"] if planned.approximate else []
    tool(*run, *chosen, "--pca", *how, "allele-wts", str(planned.components), "--out", out)
    # All are placed by the weights, so that those who made the components and the others are on one scale.
    name, allele, first = _columns(f"{out}.eigenvec.allele", ("ID", "A1", "PC1"))
    score = ["--score", f"{out}.eigenvec.allele", str(name), str(allele), "header-read", "no-mean-imputation"]
    score += ["variance-standardize", "--score-col-nums", f"{first}-{first + planned.components - 1}"]
    tool(*run, "--keep", f"{out}.all", "--read-freq", f"{out}.acount", *score, "--out", out)
    id_at, first = _columns(f"{out}.sscore", ("IID", "PC1_AVG"))
    found = {}
    with Path(f"{out}.sscore").open() as handle:
        next(handle)
        for line in handle:
            cells = line.split()
            found[cells[id_at - 1]] = [float(c) for c in cells[first - 1 : first - 1 + planned.components]]
    values = [float(line) for line in Path(f"{out}.eigenval").read_text().split()]
    return np.array([found[f"p{place[p]}"] for p in everybody]), values


def _columns(path: str | Path, names: Iterable[str]) -> list[int]:
    """Numbers (from 1) of columns of a table of plink2, whatever columns its version puts between them."""
    with Path(path).open() as handle:
        head = next(handle).lstrip("#").split()
    return [head.index(name) + 1 for name in names]
