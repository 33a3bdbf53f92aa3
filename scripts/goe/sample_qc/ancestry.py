"""Ancestry: principal components of the cohort, and who lies far from the people of the own country.

Coordinates point at people: they stay under work/. Nobody is given an ancestry here, and nobody is left out for it
unless the thresholds of the config say so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from goe.sample_qc import relatedness

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
    there = [p for p in people if p not in out]
    if n_snvs < limits["pca_min_snvs"]:
        return Plan(f"not assessed: {n_snvs} common autosomal SNVs, {limits['pca_min_snvs']:g} are needed")
    known = set(there)
    inside = [p for p in pairs if p.a in known and p.b in known]
    gone = relatedness.removals(inside, relatedness.rank(there, {}), limits)
    used = [p for p in there if p not in gone]
    if len(used) < limits["pca_min_people"]:
        return Plan(f"not assessed: {len(used)} unrelated people, {limits['pca_min_people']:g} are needed")
    wanted = int(limits["pca_components"])
    # As many directions as people less one are all there are.
    components = min(wanted, len(used) - 1)
    said = f"{components} components of {len(used)} unrelated people"
    said += f" ({wanted} would need {wanted + 1})" if components < wanted else ""
    said += f" (relatives projected: {len(gone)})" if gone else ""
    return Plan(f"{said}, {basis}", used, [p for p in there if p in gone], components)


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
        here = names == country
        base = coordinates[here & computed]
        if len(base) < limits["mad_min_people"] or not coordinates.shape[1]:
            unable.append(country)
            continue
        middle = np.median(base, axis=0)
        spread = np.median(np.abs(base - middle), axis=0) * limits["mad_factor_to_sd"]
        told = spread > 0
        if not told.any():
            unable.append(country)
            continue
        found[here] = (np.abs(coordinates[here][:, told] - middle[told]) / spread[told]).max(axis=1)
    return found, unable


def unassessed(countries: Sequence[str], limits: Mapping[str, float]) -> str:
    """The sentence on countries that `distances` could not judge."""
    return (
        f"outliers not assessed in {', '.join(countries)}: fewer than {limits['mad_min_people']:g} unrelated people, "
        "or no spread"
    )
