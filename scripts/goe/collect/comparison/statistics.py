"""The statistics of a comparison, from the sums of all contigs: what comparison/statistics.json and its tables tell."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from goe.collect.comparison import flags, homogeneity, hudson, ratios
from goe.collect.comparison.cells import COUNTRY, DATASET, KINDS
from goe.collect.comparison.contig import Compared
from goe.collect.comparison.partial import AC_EDGES, CLASSES, KNOWN, Kind
from goe.collect.comparison.thresholds import Thresholds
from goe.pages.svg import EDGES

_DIGITS = 9
"""Significant digits of what is no count: linear algebra differs in the last ones from machine to machine."""
_WITHHELD = ("fst_if_withheld_at_least", "fst_if_withheld_at_most")
_FST = ("fst", "standard_error", "snvs", "blocks", "snvs_in_bounds", *_WITHHELD)
_SURE = 3
"""Standard errors from 0 at which two datasets of one origin, or a balance of genotypes, are marked."""


def rounded(value: float) -> float | None:
    """A number as it is told; None for NaN."""
    return None if math.isnan(value) else float(f"{value:.{_DIGITS}g}")


def told(compared: Compared, datasets: Mapping[int, Mapping], thresholds: Thresholds) -> dict:
    """comparison/statistics.json. datasets: number -> facts of `sources` of metadata/collection.json."""
    partial, found = compared.partial, compared.found
    names = {COUNTRY: partial.countries, DATASET: tuple(s.name for s in partial.sources)}
    kinds = {kind: of_kind(partial.kinds[kind], names[kind], thresholds) for kind in KINDS}
    origin_limit = homogeneity.limit(found.tests, thresholds.fdr)
    country_limit = kinds[COUNTRY]["heterogeneity"]["limit"]
    numbers = {s.number: s.name for s in partial.sources}
    listed = {kind: _listed(found, kind, origin_limit, country_limit) for kind in flags.KINDS}
    counts = {kind: found.counts[kind] for kind in flags.FAULTS}
    counts[flags.ORIGIN] = sum(homogeneity.up_to(bins, origin_limit) for bins in found.different.values())
    return {
        "thresholds": asdict(thresholds),
        "not_compared": {"outside_autosomes": int(partial.left[0]), "not_pass_anywhere": int(partial.left[1])},
        "countries": kinds[COUNTRY],
        "datasets": kinds[DATASET],
        "floors": _floors(partial.kinds[DATASET], partial.sources, datasets),
        "same_origin": _same_origin(compared, numbers, origin_limit, thresholds),
        "genotypes": _genotypes(compared, numbers, thresholds),
        "flags": {
            "counts": counts,
            "origin_tests": sum(found.tests.values()),
            "origin_limit": origin_limit,
            "listed_at_most": thresholds.listed,
            "listed": {kind: listed[kind] for kind in flags.FAULTS},
        },
        "most_different": listed[flags.COUNTRIES],
        "example": compared.example[1:],
        "page": [compared.index[contig] for contig in compared.index],
    }


def _listed(found: flags.Found, kind: str, origin: float, country: float) -> list[dict]:
    limit = {flags.ORIGIN: origin, flags.COUNTRIES: country}.get(kind, 1.0)
    kept = [flag for flag in found.listed[kind] if flag.p is None or flag.p <= limit]
    return [{**asdict(f), "strength": rounded(f.strength), "p": None if f.p is None else rounded(f.p)} for f in kept]


# ---- units of one kind


def of_kind(kind: Kind, names: Sequence[str], t: Thresholds) -> dict:
    """Statistics of countries, or of datasets. names: of the units, in their order."""
    limit = homogeneity.limit(kind.tests, t.fdr)
    return {
        "units": [_unit(kind, i, name) for i, name in enumerate(names)],
        "exact_in_all": int(kind.complete[0]),
        "pairs": [_pair(kind, names, i, j) for i in range(len(names)) for j in range(i + 1, len(names))],
        "sharing": [_sharing(kind, names, i, j) for i in range(len(names)) for j in range(len(names)) if i != j],
        "doubletons": _doubletons(kind, names),
        "pca": _pca(kind, names),
        "heterogeneity": {
            "tested": sum(kind.tests.values()),
            "limit": limit,
            "different": homogeneity.up_to(kind.tests, limit),
            "exact_in_fewer_than_two": int(kind.untested[0]),
            "numbers_too_small": int(kind.untested[1]),
        },
    }


def _unit(kind: Kind, i: int, name: str) -> dict:
    ac, af = kind.ac[i], kind.af[i]
    some = np.flatnonzero(ac.sum(axis=0))
    return {
        "name": name,
        "alleles": dict(zip(KNOWN, kind.known[i].tolist(), strict=True)),
        "smallest_ac_at_most": None if not len(some) else ([*AC_EDGES, None][some[0]]),
        "by_ac": {c: ac[k].tolist() for k, c in enumerate(CLASSES)},
        "by_af": {c: af[k].tolist() for k, c in enumerate(CLASSES)},
        "private": {"at_least": int(kind.lone[i, 0, 0]), "at_most": int(kind.lone[i, 0, 1])},
        "singletons": {
            "all": int(ac[:, 0].sum()),
            "private_at_least": int(kind.lone[i, 1, 0]),
            "private_at_most": int(kind.lone[i, 1, 1]),
        },
    }


def _blocks(kind: Kind, i: int, j: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    parts = [(sums[:, i, j], used[:, i, j]) for sums, used in kind.blocks.values()]
    if not parts:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    sums, used = (np.concatenate(values) for values in zip(*parts, strict=True))
    return sums[:, 0], sums[:, 1], used


def _pair(kind: Kind, names: Sequence[str], i: int, j: int) -> dict:
    above, below, used = _blocks(kind, i, j)
    fst, error = hudson.jackknife(above, below, used)
    ends = []
    for end in range(2):
        more = kind.ends[i, j, end]
        whole = below.sum() + more[1]
        ends.append(rounded((above.sum() + more[0]) / whole) if whole > 0 else None)
    return {
        "units": [names[i], names[j]],
        "fst": rounded(fst),
        "standard_error": rounded(error),
        "snvs": int(used.sum()),
        "blocks": int((used > 0).sum()),
        "snvs_in_bounds": int(kind.ended[i, j]),
        "fst_if_withheld_at_least": ends[0],
        "fst_if_withheld_at_most": ends[1],
    }


def _sharing(kind: Kind, names: Sequence[str], i: int, j: int) -> dict:
    words = ("there", "not_there", "unknown")
    all_, rare = (dict(zip(words, kind.sharing[n, :, i, j].tolist(), strict=True)) for n in range(2))
    return {"of": names[i], "in": names[j], "all": all_, "rare": rare}


def _doubletons(kind: Kind, names: Sequence[str]) -> dict:
    """Alleles of two copies by where they are, with what two alleles drawn from all people would give."""
    both = kind.doubletons + kind.doubletons.T - np.diag(np.diag(kind.doubletons))
    found = int(np.triu(both).sum())
    sizes = kind.sizes / kind.complete[0] if kind.complete[0] else np.zeros(len(names))
    n = sizes.sum()
    rows = []
    for i, one in enumerate(names):
        for j in range(i, len(names)):
            ways = sizes[i] * (sizes[i] - 1) if i == j else 2 * sizes[i] * sizes[j]
            expected = rounded(found * ways / (n * (n - 1))) if n > 1 else None
            rows.append({"units": [one, names[j]], "alleles": int(both[i, j]), "expected": expected})
    return {"alleles": found, "pairs": rows}


def _pca(kind: Kind, names: Sequence[str]) -> dict:
    snvs = int(kind.alike[0])
    if len(names) < 3 or not snvs:
        why = "there are fewer than three" if len(names) < 3 else "no common SNV is known exactly in all of them"
        return {"snvs": snvs, "why_not": why, "shares": [], "units": []}
    distances = (kind.spread + kind.spread.T) / snvs
    places, shares = hudson.plane(distances)
    axes = min(4, places.shape[1])
    units = [{"name": name, "at": [rounded(v) for v in row[:axes]]} for name, row in zip(names, places, strict=True)]
    return {"snvs": snvs, "why_not": None, "shares": [rounded(v) for v in shares[:axes]], "units": units}


# ---- datasets


def _floors(kind: Kind, sources: Sequence, datasets: Mapping[int, Mapping]) -> list[dict]:
    """What a floor hides: of each dataset that has one, what share of the alleles of those without one it would hide.

    A floor of k people withholds alleles with fewer carriers, and AC is at least their number: alleles of AC below k
    are all withheld. Of the datasets that publish everything, these are counted; so the share is a lower bound.
    """
    free = [i for i, s in enumerate(sources) if datasets[s.number]["silence"]["means"] == "zero"]
    counts = kind.ac[free].sum(axis=(0, 1)) if free else np.zeros(len(AC_EDGES) + 1, int)
    out = []
    for i, source in enumerate(sources):
        if source.k > 1:
            # Bins that end below k hold AC below k alone.
            below = sum(int(n) for n, edge in zip(counts, AC_EDGES, strict=False) if edge < source.k)
            every = int(counts.sum())
            hidden = {"of": every, "below": below, "share": rounded(below / every) if every else None}
            known = kind.known[i].tolist()
            entry = {"number": source.number, "name": source.name, "min_carriers": source.k}
            out.append({**entry, "open_datasets": hidden, "withheld_or_absent": known[KNOWN.index("may_be_there")]})
    return out


def _same_origin(compared: Compared, names: Mapping[int, str], limit: float, t: Thresholds) -> list[dict]:
    out = []
    for key in compared.ratios.sums:
        what, *rest = key.split(" ")
        if what == ratios.ORIGIN:
            fst, error, snvs, blocks = compared.ratios.told(key)
            pair = f"{rest[0]} {rest[1]}"
            different = homogeneity.up_to(compared.found.different.get(pair, {}), limit)
            entry = {"datasets": [names[int(rest[0])], names[int(rest[1])]], "origin": rest[2]}
            numbers = {"fst": rounded(fst), "standard_error": rounded(error), "snvs": snvs, "blocks": blocks}
            # Without an error nothing is said.
            marked = None if math.isnan(error) else bool(fst > _SURE * error)
            out.append({**entry, **numbers, "alleles_different_in_pair": different, "marked": marked})
    return sorted(out, key=lambda e: (e["origin"], e["datasets"]))


def _genotypes(compared: Compared, names: Mapping[int, str], t: Thresholds) -> list[dict]:
    """1 - observed / expected heterozygotes of common SNVs by dataset and origin: above 0, too many homozygotes."""
    out = []
    for key in compared.ratios.sums:
        what, *rest = key.split(" ")
        if what == ratios.BALANCE:
            f, error, snvs, blocks = compared.ratios.told(key)
            marked = None if math.isnan(error) else bool(abs(f) >= t.inbreeding and abs(f) > _SURE * error)
            entry = {"dataset": names[int(rest[0])], "origin": rest[1], "inbreeding": rounded(f)}
            numbers = {"standard_error": rounded(error), "snvs": snvs, "blocks": blocks}
            out.append({**entry, **numbers, "marked": marked})
    return sorted(out, key=lambda e: (e["dataset"], e["origin"]))


# ---- tables


def tables(compared: Mapping) -> dict[str, str]:
    """Name of a file -> its text, tab-separated: spectrum, sharing, fst, pca, doubletons and flags."""
    out: dict[str, list[Sequence[object]]] = {
        "spectrum": [("kind", "unit", "class", "of", "above", "up_to", "alleles")],
        "sharing": [("kind", "of", "in", "alleles", "there", "not_there", "unknown")],
        "fst": [("kind", "one", "other", *_FST)],
        "doubletons": [("kind", "one", "other", "alleles", "expected")],
        "pca": [("kind", "unit", "PC1", "PC2", "PC3", "PC4")],
        "flags": [flags.COLUMNS],
    }
    for kind, key in ((COUNTRY, "countries"), (DATASET, "datasets")):
        part = compared[key]
        for unit in part["units"]:
            for of, edges in (("AC", (*AC_EDGES, "")), ("AF", EDGES)):
                for c, counts in unit[f"by_{of.lower()}"].items():
                    steps = zip((0, *edges), edges, counts, strict=False)
                    out["spectrum"] += [(kind, unit["name"], c, of, low, high, n) for low, high, n in steps]
        for row in part["sharing"]:
            for which in ("all", "rare"):
                out["sharing"].append((kind, row["of"], row["in"], which, *row[which].values()))
        out["fst"] += [(kind, *row["units"], *(row[name] for name in _FST)) for row in part["pairs"]]
        for row in part["doubletons"]["pairs"]:
            out["doubletons"].append((kind, *row["units"], row["alleles"], row["expected"]))
        for unit in part["pca"]["units"]:
            out["pca"].append((kind, unit["name"], *unit["at"], *([None] * (4 - len(unit["at"])))))
    for listed in compared["flags"]["listed"].values():
        out["flags"] += [[flag[name] for name in flags.COLUMNS] for flag in listed]
    return {f"{name}.tsv": "".join(map(_line, rows)) for name, rows in out.items()}


def _line(cells: Sequence[object]) -> str:
    return "\t".join("" if cell is None else str(cell) for cell in cells) + "\n"
