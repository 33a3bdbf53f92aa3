"""The comparison of a finished collection made again from its tables.

What can be: what units know, spectra, sharing, private alleles, alleles of two copies, Fst with its errors, PCA, tests
of alleles and their limit; by plain code that shares none with what made them where the collection is small, else by
the same sums. Flags by origin and of genotypes, and their sums over the genome, need tables that are not in the folder:
of these it is asked whether a row says what its numbers give.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from jsonschema import Draft202012Validator
from scipy.special import gammaincc

from goe.check import folder as check_folder
from goe.collect.comparison import cells, flags, homogeneity, lookup, statistics
from goe.collect.comparison import page as html_page
from goe.collect.comparison.files import FOLDER, STATISTICS
from goe.collect.comparison.partial import AC_EDGES, KNOWN, Partial
from goe.collect.comparison.thresholds import Thresholds
from goe.core.errors import Problem
from goe.genome.build import contig_class
from goe.pages.svg import EDGES
from goe.release.formats.wide_table import column
from goe.release.reading import reading
from goe.rules.stratum import parse
from goe.settings import schemas

_AGAIN = "get the collection again"
_NEAR = 1e-6
"""Relative difference that is none, of numbers that are no counts."""
_BIN = 1.0024
"""Of the limit of p: what is told takes each p for the upper end of its bin (goe.collect.comparison.homogeneity)."""
_PLAIN = 1_000_000
"""Alleles by pairs of units up to which plain code is quick enough: a minute."""
_ROOM = 1 << 28
"""Bytes of the sums of blocks: 14 MB of a genome with 30 countries and as many datasets."""
_Cell = tuple[int, int, int, int] | None
"""AC at least and at most, AN at least and at most; None where nothing is known."""


def read(root: str | Path) -> dict:
    """comparison/statistics.json."""
    return dict(check_folder.read_json(Path(root) / STATISTICS))


def check(root: Path, about: Mapping) -> list[Problem]:
    """What the statistics say that the tables of the collection do not."""
    stated = read(root)
    problems: list[Problem] = []

    def differs(what: str) -> None:
        problems.append(Problem(STATISTICS, f"{what} is not what the tables give", _AGAIN))

    for name, text in statistics.tables(stated).items():
        path = root / FOLDER / name
        if not path.is_file() or path.read_text() != text:
            problems.append(Problem(f"{FOLDER}/{name}", "is not what the statistics give", _AGAIN))
    wanted = schemas.schema("collect")["properties"]["compare"]
    if errors := [e.message[:200] for e in Draft202012Validator(wanted).iter_errors(stated["thresholds"])]:
        return [Problem(STATISTICS, f"thresholds: {error}", _AGAIN) for error in errors]
    thresholds = Thresholds.of(stated["thresholds"])
    if _room(about, thresholds) > _ROOM:
        return [Problem(STATISTICS, "has more blocks of the genome than can be held", _AGAIN)]
    units = max(len(_countries(about)), len(about["sources"]))
    if about["number_of_records"] * units**2 > _PLAIN:
        for what in _summed(root, about, stated, thresholds):
            differs(what)
        return problems + _rows(stated)
    left: Counter[str] = Counter()
    plain = {"countries": _Plain(_countries(about), thresholds), "datasets": _Plain(_sources(about), thresholds)}
    for contig in about["contigs_with_alleles"]:
        autosome = contig_class(contig) == "autosome"
        tested: list[tuple] = []
        for allele, passed, of_countries, of_datasets in _alleles(root, about, contig):
            if not passed:
                left["not_pass_anywhere"] += 1
            elif not autosome:
                left["outside_autosomes"] += 1
            if not (autosome and passed):
                continue
            found = plain["countries"].add(contig, allele, of_countries)
            plain["datasets"].add(contig, allele, of_datasets)
            if found is not None:
                tested.append((*allele, *found))
        problems += _tests(root, contig, tested)
    for key in ("outside_autosomes", "not_pass_anywhere"):
        if stated["not_compared"][key] != left[key]:
            differs(f"not_compared {key}")
    for key, one in plain.items():
        for what in _differences(stated[key], one.told(), key):
            differs(what)
    return problems + _rows(stated)


def _room(about: Mapping, t: Thresholds) -> int:
    """Bytes of the sums of all blocks and pairs of units."""
    blocks = sum(contig["length"] // t.block_size + 1 for contig in about["contigs"])
    return 24 * blocks * (len(_countries(about)) ** 2 + len(about["sources"]) ** 2)


def _summed(root: Path, about: Mapping, stated: Mapping, t: Thresholds) -> Iterator[str]:
    """Places at which the statistics are not those of the same sums, added up again."""
    partial = Partial.nothing(_countries(about), cells.sources_of(about["sources"]))
    lengths = {c["name"]: c["length"] for c in about["contigs"]}
    for contig in about["contigs_with_alleles"]:
        autosome = contig_class(contig) == "autosome"
        if autosome:
            partial.room(contig, lengths[contig], t.block_size)
        sums, apart = (root / f"{kind}/{contig}.parquet" for kind in ("frequencies", "datasets"))
        for piece in cells.pieces(sums, apart, contig, partial.countries):
            partial.add(piece, partial.cells(piece), autosome, t)
    for kind, key in ((cells.COUNTRY, "countries"), (cells.DATASET, "datasets")):
        names = _countries(about) if kind == cells.COUNTRY else _sources(about)
        yield from _apart(stated[key], statistics.of_kind(partial.kinds[kind], names, t), key)
    for key, n in zip(("outside_autosomes", "not_pass_anywhere"), partial.left.tolist(), strict=True):
        if stated["not_compared"][key] != n:
            yield f"not_compared {key}"


def _countries(about: Mapping) -> list[str]:
    return sorted(s for s in about["strata"] if parse(s).is_country)


def _sources(about: Mapping) -> list[str]:
    return [s.name for s in cells.sources_of(about["sources"])]


def _alleles(root: Path, about: Mapping, contig: str) -> Iterator[tuple[tuple, bool, list[_Cell], list[_Cell]]]:
    """Allele, whether it is PASS, and cells of countries and of datasets."""
    countries, sources = _countries(about), cells.sources_of(about["sources"])
    keys = [[column(name, c) for name in ("ac_lo", "ac_hi", "an", "an_hi")] for c in countries]
    wanted = ["pos", "ref", "alt", "filter", *(name for some in keys for name in some)]
    paths = [root / f"{kind}/{contig}.parquet" for kind in ("frequencies", "datasets")]
    with (
        reading(paths[0]),
        pq.ParquetFile(paths[0], pre_buffer=False) as sums,
        pq.ParquetFile(paths[1], pre_buffer=False) as apart,
    ):
        for left, right in zip(sums.iter_batches(4096, columns=wanted), apart.iter_batches(4096), strict=True):
            one = {name: left[name].to_pylist() for name in wanted}
            two = {name: right[name].to_pylist() for name in right.schema.names}
            for i in range(left.num_rows):
                rows: list[_Cell] = []
                for some in keys:
                    lo, hi, an, an_hi = (one[name][i] for name in some)
                    rows.append((lo, hi, an, an_hi) if an_hi > 0 else None)
                each: list[_Cell] = []
                for s in sources:
                    word, ac, an = (two[f"{key}_{s.number}"][i] for key in ("status", "ac", "an"))
                    known = word in "PA" and ac is not None and an
                    floor = (0, min(2 * s.k, an), an, an) if word == "B" and an else None
                    each.append((ac, ac, an, an) if known else floor)
                yield (one["pos"][i], one["ref"][i], one["alt"][i]), one["filter"][i] == "PASS", rows, each


class _Plain:
    """Statistics of units, an allele at a time, in dictionaries and lists."""

    def __init__(self, names: list[str], t: Thresholds):
        self.names, self.t = names, t
        self.known = {n: Counter[str]() for n in names}
        self.bins = {n: Counter[tuple]() for n in names}
        self.lone = {n: Counter[str]() for n in names}
        self.sharing: Counter[tuple] = Counter()
        self.twos: Counter[tuple] = Counter()
        self.blocks: dict[tuple, dict[tuple, list[float]]] = {}
        self.ends: dict[tuple, list[float]] = {}
        self.spread: dict[tuple, float] = {}
        self.snvs = self.complete = self.few = self.small = 0
        self.sizes = dict.fromkeys(names, 0)
        self.ps: list[float] = []

    def add(self, contig: str, allele: tuple, found: list[_Cell]) -> tuple | None:
        """Add an allele; countries, chi2, p and difference of frequencies where it is tested."""
        pos, ref, alt = allele
        snv = len(ref) == len(alt) == 1
        exact = [c is not None and c[0] == c[1] and c[2] == c[3] and c[2] > 0 for c in found]
        seen = [c is not None and c[0] > 0 for c in found]
        absent = [e and c is not None and c[0] == 0 for e, c in zip(exact, found, strict=True)]
        for name, cell, e, s in zip(self.names, found, exact, seen, strict=True):
            word = KNOWN[4] if cell is None else KNOWN[0 if s else 1] if e else KNOWN[2 if s else 3]
            self.known[name][word] += 1
            if e and s and cell is not None:
                kind = "SNV" if snv else "other"
                self.bins[name]["ac", kind, next((x for x in AC_EDGES if cell[0] <= x), None)] += 1
                self.bins[name]["af", kind, next(x for x in EDGES if cell[0] / cell[2] <= x)] += 1
                if cell[0] == 1:
                    self.lone[name]["single"] += 1
        self._shared(found, exact, seen, absent)
        if snv:
            self._distance((contig, (pos - 1) // self.t.block_size), found, exact)
        return self._tested(found, exact, seen)

    def _shared(self, found: list[_Cell], exact: list[bool], seen: list[bool], absent: list[bool]) -> None:
        n = len(found)
        for i in range(n):
            cell = found[i]
            if not seen[i] or cell is None:
                continue
            rare = exact[i] and cell[0] / cell[2] <= self.t.rare_af
            for j in range(n):
                if i != j:
                    word = "there" if seen[j] else "not_there" if absent[j] else "unknown"
                    self.sharing["all", self.names[i], self.names[j], word] += 1
                    self.sharing["rare", self.names[i], self.names[j], word] += rare
            others = [j for j in range(n) if j != i]
            for which in ("all", *(["single"] if exact[i] and cell[0] == 1 else [])):
                self.lone[self.names[i]][f"{which} least"] += all(absent[j] for j in others)
                self.lone[self.names[i]][f"{which} most"] += not any(seen[j] for j in others)
        if n and all(exact):
            self.complete += 1
            for name, cell in zip(self.names, found, strict=True):
                assert cell is not None
                self.sizes[name] += cell[2]
            held = [name for name, cell in zip(self.names, found, strict=True) if cell for _ in range(min(cell[0], 3))]
            if len(held) == 2:
                self.twos[tuple(held)] += 1

    def _distance(self, block: tuple, found: list[_Cell], exact: list[bool]) -> None:
        n = len(found)
        weight = 0.0
        if n and all(exact) and all(c and c[2] >= 2 for c in found):
            ac, an = (sum(c[k] for c in found if c) for k in (0, 2))
            if min(ac, an - ac) / an >= self.t.common_af:
                self.snvs += 1
                weight = 1 / (ac / an * (1 - ac / an))
        for i in range(n):
            for j in range(i + 1, n):
                one, two, pair = found[i], found[j], (self.names[i], self.names[j])
                if one is None or two is None or one[2] < 2 or two[2] < 2:
                    continue
                if exact[i] and exact[j]:
                    above, below = _hudson(one[0], one[2], two[0], two[2])
                    if below > 0:
                        sums_of = self.blocks.setdefault(pair, {}).setdefault(block, [0.0, 0.0, 0])
                        for k, value in enumerate((above, below, 1)):
                            sums_of[k] += value
                    self.spread[pair] = self.spread.get(pair, 0.0) + weight * above
                else:
                    low = _hudson(one[0], one[2], two[0], two[2])
                    high = _hudson(min(one[1], one[2]), one[2], min(two[1], two[2]), two[2])
                    sums_of = self.ends.setdefault(pair, [0.0] * 5)
                    for k, value in enumerate((*low, *high, 1)):
                        sums_of[k] += value

    def _tested(self, found: list[_Cell], exact: list[bool], seen: list[bool]) -> tuple | None:
        some = [(c[0], c[2]) for c, e in zip(found, exact, strict=True) if e and c]
        if any(seen) and len(some) < 2:
            self.few += 1
        if len(some) < 2:
            return None
        whole = sum(an for _, an in some)
        share = sum(ac for ac, _ in some) / whole
        expected = [an * part for _, an in some for part in (share, 1 - share)]
        chi2: float | None = None
        if min(expected) < 1 or sum(e < 5 for e in expected) > 0.2 * len(expected):
            p = _exact(tuple(some), self.t.fdr)
            if p is None:
                self.small += any(seen)
                return None
        else:
            seen_ = [n for ac, an in some for n in (ac, an - ac)]
            chi2 = sum((o - e) ** 2 / e for o, e in zip(seen_, expected, strict=True))
            p = float(gammaincc((len(some) - 1) / 2, chi2 / 2))
        self.ps.append(p)
        shares = [ac / an for ac, an in some]
        return len(some), chi2, p, max(shares) - min(shares)

    def told(self) -> dict:
        """In the form of the statistics, what is compared of them."""
        units = []
        for name in self.names:
            bins, lone = self.bins[name], self.lone[name]
            units.append(
                {
                    "name": name,
                    "alleles": {word: self.known[name][word] for word in KNOWN},
                    "by_ac": {c: [bins["ac", c, e] for e in (*AC_EDGES, None)] for c in ("SNV", "other")},
                    "by_af": {c: [bins["af", c, e] for e in EDGES] for c in ("SNV", "other")},
                    "private": {"at_least": lone["all least"], "at_most": lone["all most"]},
                    "singletons": {
                        "all": lone["single"],
                        "private_at_least": lone["single least"],
                        "private_at_most": lone["single most"],
                    },
                }
            )
        pairs = [(a, b) for i, a in enumerate(self.names) for b in self.names[i + 1 :]]
        words = ("there", "not_there", "unknown")
        sharing = [
            {"of": a, "in": b, **{k: {w: self.sharing[k, a, b, w] for w in words} for k in ("all", "rare")}}
            for a in self.names
            for b in self.names
            if a != b
        ]
        rows = [{"units": [a, b], "alleles": self.twos[a, b]} for i, a in enumerate(self.names) for b in self.names[i:]]
        limits = [_limit(sorted(self.ps), self.t.fdr / bin_) for bin_ in (_BIN, 1.0)]
        return {
            "units": units,
            "exact_in_all": self.complete,
            "pairs": [self._pair(pair) for pair in pairs],
            "sharing": sharing,
            "doubletons": {"alleles": sum(self.twos.values()), "pairs": rows},
            "pca": self._plane(),
            "heterogeneity": {
                "tested": len(self.ps),
                "limits": limits,
                "exact_in_fewer_than_two": self.few,
                "numbers_too_small": self.small,
            },
        }

    def _pair(self, pair: tuple[str, str]) -> dict:
        blocks = list(self.blocks.get(pair, {}).values())
        above, below, many = (sum(b[k] for b in blocks) for k in range(3))
        fst = above / below if below > 0 else None
        error = None
        if fst is not None and len(blocks) > 1 and all(below > b[1] for b in blocks):
            g = len(blocks)
            without = [(above - b[0]) / (below - b[1]) for b in blocks]
            h = [many / b[2] for b in blocks]
            centre = g * fst - sum((1 - b[2] / many) * w for b, w in zip(blocks, without, strict=True))
            pseudo = [x * fst - (x - 1) * w for x, w in zip(h, without, strict=True)]
            error = math.sqrt(sum((v - centre) ** 2 / (x - 1) for v, x in zip(pseudo, h, strict=True)) / g)
        ends = self.ends.get(pair, [0.0] * 5)
        both = []
        for k in (0, 2):
            whole = below + ends[k + 1]
            both.append((above + ends[k]) / whole if whole > 0 else None)
        return {
            "units": list(pair),
            "fst": fst,
            "standard_error": error,
            "snvs": int(many),
            "blocks": len(blocks),
            "snvs_in_bounds": int(ends[4]),
            "fst_if_withheld_at_least": both[0],
            "fst_if_withheld_at_most": both[1],
        }

    def _plane(self) -> dict:
        """Shares of the axes: the eigenvalues of the centred squared distances."""
        n = len(self.names)
        if n < 3 or not self.snvs:
            return {"snvs": self.snvs, "shares": []}
        square = np.zeros((n, n))
        for (one, two), value in self.spread.items():
            i, j = self.names.index(one), self.names.index(two)
            square[i, j] = square[j, i] = value / self.snvs
        means = square.mean(axis=0)
        values = np.linalg.eigvalsh(-0.5 * (square - means - means[:, None] + square.mean()))
        good = sorted((v for v in values.tolist() if v > 1e-9 * max(*values.tolist(), 1e-300)), reverse=True)
        return {"snvs": self.snvs, "shares": [v / sum(good) for v in good[:4]]}


@lru_cache(1 << 16)
def _exact(some: tuple[tuple[int, int], ...], fdr: float) -> float | None:
    """p of the exact test of units (AC, AN), in whole numbers; None where it is not made."""
    ac, an = zip(*some, strict=True)
    if 2 * sum(ac) > sum(an):
        ac = tuple(n - c for c, n in some)
    copies = sum(ac)
    if not copies or math.comb(copies + len(an) - 1, copies) > homogeneity.TABLES:
        return None
    ways = sorted(math.prod(map(math.comb, an, table)) for table in _tables(copies, an))
    mine, whole = math.prod(map(math.comb, an, ac)), math.comb(sum(an), copies)
    p, least = (sum(w for w in ways if w <= most * (1 + homogeneity.TIE)) / whole for most in (mine, ways[0]))
    return p if least <= fdr else None


def _tables(copies: int, an: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """All ways in which units of so many alleles hold so many copies."""
    if len(an) == 1:
        yield from [(copies,)] if copies <= an[0] else []
        return
    for here in range(min(copies, an[0]) + 1):
        for rest in _tables(copies - here, an[1:]):
            yield here, *rest


def _hudson(ac1: int, an1: int, ac2: int, an2: int) -> tuple[float, float]:
    p, q = ac1 / an1, ac2 / an2
    noise = p * (1 - p) / (an1 - 1) + q * (1 - q) / (an2 - 1)
    return (p - q) ** 2 - noise, p * (1 - q) + q * (1 - p)


def _limit(ps: list[float], fdr: float) -> float:
    """The largest p of Benjamini and Hochberg."""
    return max((p for rank, p in enumerate(ps, 1) if p * len(ps) <= fdr * rank), default=0.0)


def _differences(stated: Mapping, right: Mapping, where: str) -> Iterator[str]:
    """Places at which the statistics differ from those made again, as far as these go."""
    low, high = right["heterogeneity"]["limits"]
    if not low <= stated["heterogeneity"]["limit"] <= high * _BIN:
        yield f"{where} heterogeneity limit"
    pruned = {**right, "heterogeneity": {k: v for k, v in right["heterogeneity"].items() if k != "limits"}}
    yield from _apart(stated, pruned, where)


def _apart(stated: object, right: object, where: str) -> Iterator[str]:
    if isinstance(right, Mapping):
        for key, value in right.items():
            part = stated.get(key) if isinstance(stated, Mapping) else None
            yield from _apart(part, value, f"{where} {key}")
    elif isinstance(right, list):
        if not isinstance(stated, list) or len(stated) != len(right):
            yield where
            return
        for one, two in zip(stated, right, strict=True):
            named = two.get("name") or " ".join(map(str, two.get("units", ()))) if isinstance(two, Mapping) else ""
            yield from _apart(one, two, f"{where} {named}".strip())
    elif isinstance(right, float):
        if not isinstance(stated, int | float) or not math.isclose(stated, right, rel_tol=_NEAR, abs_tol=1e-9):
            yield where
    elif stated != right:
        yield where


def _tests(root: Path, contig: str, wanted: list[tuple]) -> list[Problem]:
    path = root / FOLDER / f"{contig}.parquet"
    with reading(path):
        rows = pq.read_table(path).to_pylist()
    names = ("pos", "ref", "alt", "countries")
    same = len(rows) == len(wanted) and all(
        tuple(row[n] for n in names) == right[:4]
        and all(
            (row[n] is None) == (v is None) and (v is None or math.isclose(row[n], v, rel_tol=_NEAR, abs_tol=1e-12))
            for n, v in zip(("chi2", "p", "af_apart"), right[4:], strict=True)
        )
        for row, right in zip(rows, wanted, strict=True)
    )
    return [] if same else [Problem(f"{FOLDER}/{contig}.parquet", "is not what the table of sums gives", _AGAIN)]


def _rows(stated: Mapping) -> list[Problem]:
    """Flags whose own numbers do not say what they are flagged for."""
    t, problems = stated["thresholds"], []
    for kind, listed in stated["flags"]["listed"].items():
        for flag in listed:
            af = flag["ac"] / flag["an"] if flag["an"] else 0.0
            other = (
                flag["against_ac"] / flag["against_an"]
                if flag["against_ac"] is not None and flag["against_an"]
                else 0.0
            )
            good = {
                flags.ORIGIN: lambda f, a, b: (
                    f["p"] <= stated["flags"]["origin_limit"] and abs(a - b) >= t["origin_difference"] - 1e-9
                ),
                flags.ONLY_HERE: lambda f, a, b: a >= t["common_af"] and f["against_an"] >= t["absent_an"],
                flags.FILTERED_THERE: lambda f, a, b: a >= t["common_af"],
                flags.GENOTYPES: lambda f, a, b: f["p"] <= t["hwe_p"],
            }.get(kind)
            if good is None or not good(flag, af, other):
                name = "-".join(str(flag[n]) for n in ("contig", "pos", "ref", "alt"))
                problems.append(Problem(STATISTICS, f"flag {kind} of {name} is not what its numbers say", _AGAIN))
        if len(listed) > min(stated["flags"]["counts"].get(kind, 0), t["listed"]):
            problems.append(Problem(STATISTICS, f"lists more flags {kind} than it counts", _AGAIN))
    return problems


def page(root: Path, about: Mapping) -> list[Problem]:
    """Whether the page is what the descriptions give, and the numbers beside it are those of the tables."""
    statistics_file = read(root)
    problems = []
    if (root / html_page.NAME).read_text(encoding="utf-8") != html_page.make(about, statistics_file):
        problems.append(Problem(html_page.NAME, "is not what the descriptions give", _AGAIN))
    every = lookup.strata(about["strata"])
    columns = ["pos", "ref", "alt", "filter", "status", *(column(n, s) for s in every for n in lookup.NUMBERS)]
    if [index["contig"] for index in statistics_file["page"]] != about["contigs_with_alleles"]:
        return [*problems, Problem(STATISTICS, "has a page of other contigs", _AGAIN)]
    for index in statistics_file["page"]:
        path = root / f"frequencies/{index['contig']}.parquet"
        with reading(path), pq.ParquetFile(path, pre_buffer=False) as file:
            rows = file.iter_batches(1 << 14, columns=columns, use_threads=False)
            for raw, said_of, batch in zip(
                lookup.read(root, about["id"], index, len(every)), index["chunks"], rows, strict=True
            ):
                part = lookup.Chunk(raw, said_of[0], every)
                if not _same_chunk(part, batch, every):
                    what = f"numbers of {index['contig']} from {said_of[0]} are not those of the table"
                    problems.append(Problem(lookup.FOLDER, what, _AGAIN))
    return problems


def _same_chunk(part: lookup.Chunk, batch, every: list[str]) -> bool:  # type: ignore[no-untyped-def]
    pairs = [f"{r}>{a}" for r, a in zip(batch["ref"].to_pylist(), batch["alt"].to_pylist(), strict=True)]
    texts = (part.pair, part.filter, part.status) == (pairs, batch["filter"].to_pylist(), batch["status"].to_pylist())
    return (
        texts
        and np.array_equal(part.pos, batch["pos"].to_numpy())
        and all(
            np.array_equal(part.numbers[s, n], batch[column(n, s)].to_numpy()) for s in every for n in lookup.NUMBERS
        )
    )
