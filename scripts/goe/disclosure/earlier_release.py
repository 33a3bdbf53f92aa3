"""Releases over time: what two releases of one cohort give away together.

Whoever has both subtracts them. What is left is the sum over the people who joined, left or moved to another
stratum in between, at every site: with one such person it is that person's genome (Ayoz, Ayday and Cicek 2021,
Proc. Priv. Enhanc. Technol. 2021(3):28, for people added to a Beacon). Official statistics know it as differencing
and ask that the people in the difference be none or enough of them (Duke-Williams and Rees 1998, Int. J. Geogr. Inf.
Sci. 12:579). So here, with k the floor of the release:

1. From the public folders: the people of every published stratum, and of every group that differences of strata
   give, may differ by 0 or by at least k.
2. With the private record of who was counted before (`write_record`): the people who joined a group, who left it and
   who moved from one to another are each nobody or at least k. The two kinds are told apart because signs tell them
   apart: where the difference of counts is above 0, one of those who joined has the allele, however many left.
   A group is what no published stratum divides. A group that the earlier release gave in whole is not asked again.
3. Without the record: people may have been exchanged, one in, one out. Each allele gives a lower bound of the people
   in whom the releases differ; where the largest bound of a group is 1 to k-1, fewer than k may have been exchanged,
   and the run stops. Nor can it be said without it what people of a country became that only the earlier release
   has, when there are countries that only the later one has: a country under another label, and one person more,
   is a subtraction away from that person. So the record is asked for.

What is left: the record goes by sample ids and knows neither of data that were replaced under the same id nor of a
person who got another id; without it, an exchange hides behind calls that changed in k people. The difference of
counts is that of a group of at least k people, and no floor is laid on it: `small_differences` says at how many
alleles it is 1 to k-1 carriers. Only one earlier release is looked at.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from goe.core import keyed, manifest
from goe.core.errors import GoeError, Problem, stop_on
from goe.frequencies import strata as st
from goe.rules.policy import Policy
from goe.rules.stratum import SEXES, TOTAL, parse

ROWS = 1 << 18
KEPT = (
    "at every base what the earlier release shows of those who are still counted, and a number of those who joined, by "
    "themselves"
)
"""What the disclosure report says of callable AN that was made beside an earlier release."""
RECORD_COLUMNS = ("person", "stratum")
# Counts of one cell, in people, but AN in alleles.
_COUNTS = ("ac_het", "nhomalt", "ac_hemi", "an")
_COLUMNS = ("pos", "ref", "alt", "stratum", *_COUNTS)
# Alleles of a contig that a message names.
_EXAMPLES = 5
AN = _COUNTS.index("an")


@dataclass(frozen=True)
class Release:
    """The frequency tables of a release. people: published stratum -> people, in the order of the release.

    tables: contig -> Parquet file of the long table.
    """

    dataset: str
    build: str
    people: dict[str, int]
    tables: dict[str, Path]


def read(folder: str | Path) -> Release:
    """A release folder, whole by its manifest; GoeError with everything that is wrong with it."""
    root = Path(folder)
    stop_on([] if root.is_dir() else [Problem(str(root), "no such folder", "give the folder of the earlier release")])
    stop_on(manifest.verify(root))
    return of_tables(sorted((root / "frequencies").glob("*.parquet")), str(root / "frequencies"))


def of_tables(paths: Sequence[str | Path], where: str = "frequencies") -> Release:
    """The release that Parquet files of the long table belong to; those without strata (a wide table) are left out.

    GoeError when there is none, or when they do not agree about dataset, build and people.
    """
    found: dict[str, tuple[Path, dict[str, Any]]] = {}
    problems = []
    for path in map(Path, paths):
        about = pq.read_schema(path)
        if "stratum" not in about.names:
            continue
        problems += [
            Problem(str(path), f"column {name} is missing", "it is no frequency table of a release")
            for name in _COLUMNS
            if name not in about.names
        ]
        facts = json.loads((about.metadata or {}).get(b"goe", b"{}"))
        lacking = [key for key in ("dataset", "build", "contig", "strata") if key not in facts]
        if lacking:
            what = f"its metadata do not say {', '.join(lacking)}"
            problems.append(Problem(str(path), what, "it is no frequency table of a release"))
        elif facts["contig"] in found:
            what = f"{facts['contig']} is also in {found[facts['contig']][0].name}"
            problems.append(Problem(str(path), what, "name one table for each contig"))
        else:
            found[facts["contig"]] = (path, facts)
    stop_on(problems)
    if not found:
        raise GoeError(Problem(where, "there is no frequency table", "give the folder of a release"))
    first, facts = next(iter(found.values()))
    stop_on(
        [
            Problem(str(path), f"{key} differs from that of {first.name}", "get the files of one release")
            for path, other in found.values()
            for key in ("dataset", "build", "strata")
            if other[key] != facts[key]
        ]
    )
    return Release(
        dataset=facts["dataset"],
        build=facts["build"],
        people={entry["stratum"]: int(entry["people"]) for entry in facts["strata"]},
        tables={contig: path for contig, (path, _) in found.items()},
    )


def groups(strata: Sequence[str]) -> dict[str, dict[str, int]]:
    """Strata, and the groups that a difference of nested ones gives: name -> {stratum: 1 or -1}.

    Of M, F and the countries within Total, of the sexes within a country, and of M or F within the countries; the
    last is what none of them holds.
    """
    present = set(strata)
    out = {s: {s: 1} for s in strata}
    countries = sorted(st.published_countries(strata))

    def rest(parent: str, parts: Sequence[str]) -> None:
        parts = [p for p in parts if p in present]
        if parent in present and parts:
            out[f"{parent} without {', '.join(parts)}"] = {parent: 1} | dict.fromkeys(parts, -1)

    rest(TOTAL, countries)
    rest(TOTAL, SEXES)
    for country in countries:
        rest(country, [f"{country}_{sex}" for sex in SEXES])
    for sex in SEXES:
        rest(sex, [f"{country}_{sex}" for country in countries])
    nobody = {TOTAL: 1} | dict.fromkeys((s for s in (*SEXES, *countries) if s in present), -1)
    nobody |= {s: 1 for s in strata if parse(s).is_leaf}
    if countries and present & set(SEXES):
        out["people in no stratum but Total"] = nobody
    return out


def people_problems(before: Release, now: Release, k: int) -> list[Problem]:
    """Rule 1: groups of published strata whose number of people differs by 1 to k-1; every one is named."""
    common = [s for s in now.people if s in before.people]
    problems = []
    for name, weights in groups(common).items():
        old, new = (sum(w * r.people[s] for s, w in weights.items()) for r in (before, now))
        if 0 < abs(new - old) < k:
            problems.append(_few(name, f"{new} people now, {old} in {before.dataset}", abs(new - old), k))
    # A stratum that one of the two does not have is subtracted from what holds its people in the other.
    for one, other, tense in ((before, now, ("before", "now")), (now, before, ("now", "before"))):
        for part in (s for s in other.people if s not in one.people):
            for whole, siblings in _holders(part, list(one.people)):
                rest = one.people[whole] - sum(one.people[s] for s in siblings)
                left = rest - other.people[part]
                if 0 < left < k:
                    name = f"{whole} without {', '.join([*siblings, part])}"
                    what = f"{rest} people {tense[0]}, less {other.people[part]} of {part} {tense[1]}"
                    problems.append(_few(name, what, left, k))
    return problems


def _holders(part: str, strata: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Published strata, each with those to take away from it, that hold all people of `part`, itself not published."""
    countries = st.published_countries(strata)
    country, sex = parse(part)
    if not country:
        yield TOTAL, [s for s in SEXES if s in strata]
    elif not sex:
        yield TOTAL, countries
    else:
        if country in strata:
            yield country, [s for s in strata if parse(s).is_leaf and parse(s).country == country]
        else:
            yield TOTAL, countries
        if sex in strata:
            yield sex, [s for s in strata if parse(s).is_leaf and parse(s).sex == sex]


def _few(name: str, what: str, n: int, k: int) -> Problem:
    return Problem(
        f"stratum {name}" if " " not in name else name,
        f"{what}: a difference of {n}, fewer than {k}",
        "hold back or take in people until nobody or at least "
        f"{k} differ; both releases together would show the counts of these few",
    )


# The private record of who was counted.


def write_record(keep: Sequence[Mapping[str, str]], path: str | Path, key: str | Path) -> None:
    """Write who is counted in this release: a keyed digest (HMAC-SHA-256) of each id, and the leaf stratum.

    keep: rows of keep.tsv. The key is new and has its own file, so that the two can be stored apart. Both are
    personal data: for the work folder.
    """
    secret = keyed.new_key()
    rows = sorted((keyed.digest(secret, name), leaf) for name, leaf in _counted(keep).items())
    keyed.write(path, [RECORD_COLUMNS, *rows], secret, key)


def moves(
    keep: Sequence[Mapping[str, str]], path: str | Path, key: str | Path
) -> Counter[tuple[str | None, str | None]]:
    """(leaf before or None, leaf now or None) -> people, from the record of an earlier release and keep.tsv.

    GoeError when the files cannot be read, or do not have a single person in common with `keep`.
    """
    secret, before = _recorded(path, key)
    now = {keyed.digest(secret, name): leaf for name, leaf in _counted(keep).items()}
    if before and now and not before.keys() & now.keys():
        raise GoeError(
            Problem(str(path), "nobody in it is counted now", "give the key that belongs to it; were all ids renamed?")
        )
    return Counter((before.get(person), now.get(person)) for person in before.keys() | now.keys())


def counted_before(
    keep: Sequence[Mapping[str, str]], path: str | Path, key: str | Path
) -> tuple[dict[str, str], Counter[str]]:
    """Leaf before of those who are counted now and were then, by id, and how many people each leaf had then.

    GoeError when the files cannot be read.
    """
    secret, before = _recorded(path, key)
    digests = {name: keyed.digest(secret, name) for name in _counted(keep)}
    return {name: before[d] for name, d in digests.items() if d in before}, Counter(before.values())


def _recorded(path: str | Path, key: str | Path) -> tuple[bytes, dict[str, str]]:
    """The key of a record, and the leaf of each keyed digest in it."""
    problems = [Problem(str(p), "no such file", "give the record and its key") for p in (path, key) if not _file(p)]
    stop_on(problems)
    secret, problems = keyed.read_key(key)
    head, *lines = Path(path).read_text().splitlines() or [""]
    before = dict(line.split("\t", 1) for line in lines if "\t" in line)
    if head.split("\t") != list(RECORD_COLUMNS) or len(before) != len(lines):
        problems.append(Problem(str(path), "is no record of people", "give work/release/people.tsv of that run"))
    stop_on(problems)
    st.check_leaves(sorted(set(before.values())), str(path))
    return secret, before


def _file(path: str | Path) -> bool:
    return Path(path).is_file()


def _counted(keep: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {row["sample_id"]: f"{row['country_code']}_{row['count_sex']}" for row in keep if row["keep"] == "yes"}


def move_problems(moved: Mapping[Any, int], before: Release, now: Release, k: int) -> list[Problem]:
    """Rule 2: between what no published stratum divides, nobody or at least k people moved, joined or left.

    moved: as `moves` gives it.
    """
    problems = []
    for release, side, name, mend in (
        (before, 0, "record of people", "give the record that was written with this release"),
        (now, 1, "keep list", "make the frequency tables again from this keep list"),
    ):
        people: Counter[str] = Counter()
        for leaves, n in moved.items():
            if leaves[side]:
                people.update(dict.fromkeys(_held(leaves[side], release), n))
        problems += [
            Problem(f"{name}, stratum {stratum}", f"{people[stratum]} people, and {n} in {release.dataset}", mend)
            for stratum, n in release.people.items()
            if people[stratum] != n
        ]
    if problems:
        return problems
    cells: Counter[Any] = Counter()
    whole: Counter[Any] = Counter()
    for (old, new), n in moved.items():
        cell = (old and _held(old, before), new and _held(new, now))
        cells[cell] += n
        whole[cell[0]] += n
    for (old, new), n in sorted(cells.items(), key=str):
        if not 0 < n < k or (old and whole[old] == n):
            continue
        if not old:
            strata, what = new, "joined"
        elif not new:
            strata, what = old, "left"
        else:
            # In the order of the release that has more of them.
            strata = tuple(s for s in dict.fromkeys(old + new) if (s in old) != (s in new)) or new
            what = f"went from {_name(old)} to {_name(new)}"
        mend = f"hold back or take in people until nobody or at least {k} did"
        problems.append(Problem(f"strata {', '.join(strata)}", f"{n} people {what} since {before.dataset}", mend))
    return problems


def _held(leaf: str, release: Release) -> tuple[str, ...]:
    """The published strata that a leaf counts in, largest first."""
    return tuple(s for s in release.people if s == TOTAL or st.members(s, [leaf]))


def _name(held: tuple[str, ...]) -> str:
    """The smallest of the strata a group is in, for a message."""
    return held[-1] if held else "no stratum"


# Counts, from the public tables of both.


def compare_contig(
    before: str | Path | None,
    now: str | Path | None,
    strata: Sequence[str],
    k: int,
) -> dict[str, Any]:
    """What the tables of one contig say of the two releases.

    before, now: Parquet files of the long table, None where the release does not have the contig. strata: those that
    both publish. Returns alleles `in_both`, `only_before`, `only_now`, and by group (`groups`) `compared`: alleles
    where both show it, `differ`: alleles with another count, `people_at_least`: largest lower bound of the people in
    whom they differ, `small`: alleles whose carriers differ by 1 to k-1. `since`: alleles that tell what the earlier
    release withheld: they show a stratum that was withheld, and Total is another one, or they are only now, at bases of
    alleles that it lists; `examples` of these. Memory is that of a few blocks of rows.
    """
    wanted = groups(strata)
    weights = np.array([[group.get(s, 0) for s in strata] for group in wanted.values()], dtype=np.int64)
    out: dict[str, Any] = {"in_both": 0, "only_before": 0, "only_now": 0, "since": 0, "examples": []}
    figures = np.zeros((len(wanted), 4), dtype=np.int64)
    beside = _Beside()
    for old, new in _side_by_side(alleles(before, strata), alleles(now, strata)):
        at = pc.index_in(new.keys, value_set=old.keys)
        both = pc.is_valid(at).to_numpy(zero_copy_only=False)
        n = int(both.sum())
        out["in_both"] += n
        out["only_now"] += len(both) - n
        out["only_before"] += len(old.keys) - n
        since = [beside.new(old, new, ~both)]
        if n:
            where = pc.drop_null(at).to_numpy()
            pair = old.counts[:, :, where], new.counts[:, :, both]
            _add(figures, weights, *pair, k)
            since.append(new.keys.filter(pa.array(both)).filter(pa.array(_shown_since(*pair))))
        for told in since:
            out["since"] += len(told)
            out["examples"] = (out["examples"] + told.slice(0, _EXAMPLES).to_pylist())[:_EXAMPLES]
    names = ("compared", "differ", "people_at_least", "small")
    out["groups"] = {g: dict(zip(names, map(int, row), strict=True)) for g, row in zip(wanted, figures, strict=True)}
    return out


def _shown_since(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """bool (alleles,). old, new: int64 (4, strata, alleles), -1 where not shown, Total first."""
    more = ((old[AN] < 0) & (new[AN] >= 0)).any(axis=0)
    return np.asarray(more & (old[:, 0] != new[:, 0]).any(axis=0))


class _Beside:
    """Alleles that only the later release lists, at bases at which the earlier one lists others."""

    def __init__(self) -> None:
        self.reach = 0
        self.open: Alleles | None = None

    def new(self, old: "Alleles", new: "Alleles", which: np.ndarray) -> pa.Array:
        """Keys of those among `which` of `new`, or of those before that reach into this piece."""
        mine = new.of(np.flatnonzero(which))
        mine = mine if self.open is None else self.open.then(mine)
        ends = np.maximum.accumulate(np.append(self.reach, old.end))
        found = ends[np.searchsorted(old.pos, mine.end, "right")] >= mine.pos
        last = max(int(side.pos[-1]) if len(side.pos) else 0 for side in (old, new))
        self.open, self.reach = mine.of(np.flatnonzero(~found & (mine.end > last))), int(ends[-1])
        return mine.keys.filter(pa.array(found))


def _add(figures: np.ndarray, weights: np.ndarray, old: np.ndarray, new: np.ndarray, k: int) -> None:
    """Add alleles to the figures. old, new: int64 (4, strata, alleles), -1 where not shown."""
    shown = (old[AN] >= 0) & (new[AN] >= 0)
    change = np.where(shown, new - old, 0)
    for i, row in enumerate(weights):
        public = shown[row != 0].all(axis=0)
        by_class = np.einsum("s,csa->ca", row, change)[:, public]
        calls = by_class[:AN]
        up, down = np.maximum(calls, 0).sum(axis=0), np.maximum(-calls, 0).sum(axis=0)
        # A person is in one class of calls and has two alleles at most.
        people = np.maximum(np.maximum(up, down), (np.abs(by_class[AN]) + 1) // 2)
        carriers = np.abs(calls.sum(axis=0))
        figures[i, 0] += int(public.sum())
        figures[i, 1] += int((people > 0).sum())
        figures[i, 2] = max(figures[i, 2], int(people.max(initial=0)))
        figures[i, 3] += int(((carriers > 0) & (carriers < k)).sum())


@dataclass
class Alleles:
    """Alleles in order: pos and end, first and last base of REF, int64 (alleles,), keys pos:ref:alt, counts int64
    (4, strata, alleles) as _COUNTS."""

    pos: np.ndarray
    end: np.ndarray
    keys: pa.Array
    counts: np.ndarray

    def cut(self, n: int) -> tuple["Alleles", "Alleles"]:
        return (
            Alleles(self.pos[:n], self.end[:n], self.keys.slice(0, n), self.counts[:, :, :n]),
            Alleles(self.pos[n:], self.end[n:], self.keys.slice(n), self.counts[:, :, n:]),
        )

    def of(self, rows: np.ndarray) -> "Alleles":
        return Alleles(self.pos[rows], self.end[rows], self.keys.take(pa.array(rows)), self.counts[:, :, rows])

    def then(self, other: "Alleles") -> "Alleles":
        return Alleles(
            np.concatenate((self.pos, other.pos)),
            np.concatenate((self.end, other.end)),
            pa.concat_arrays([self.keys, other.keys]),
            np.concatenate((self.counts, other.counts), axis=2),
        )


def _nothing(strata: Sequence[str]) -> Alleles:
    none = np.empty(0, np.int64)
    return Alleles(none, none, pa.array([], pa.string()), np.empty((4, len(strata), 0), np.int64))


def alleles(path: str | Path | None, strata: Sequence[str]) -> Iterator[Alleles]:
    """Blocks of whole alleles of a long table; the last block may be empty."""
    yield _nothing(strata)
    if path is None:
        return
    with pq.ParquetFile(path, read_dictionary=["ref", "alt", "stratum"], pre_buffer=False) as file:
        rest: pa.Table | None = None
        last = 0
        for batch in file.iter_batches(ROWS, columns=list(_COLUMNS)):
            table = pa.table(batch)
            table = (pa.concat_tables([rest, table]) if rest is not None else table).unify_dictionaries()
            table = table.combine_chunks()
            starts = _starts(table)
            pos = table["pos"].to_numpy()
            if (np.diff(pos) < 0).any() or pos[0] < last:
                raise GoeError(Problem(str(path), "rows are not in the order of positions", "get the file again"))
            last = int(pos[-1])
            # The rows of the last allele may go on in the next batch.
            if starts[-1]:
                yield _block(table.slice(0, starts[-1]), starts[:-1], strata)
            rest = table.slice(starts[-1])
        if rest is not None and rest.num_rows:
            yield _block(rest, np.zeros(1, np.int64), strata)


def _codes(column: pa.ChunkedArray) -> tuple[np.ndarray, pa.Array]:
    coded = column.combine_chunks()
    coded = coded.chunk(0) if isinstance(coded, pa.ChunkedArray) else coded
    return coded.indices.to_numpy(), coded.dictionary


def _starts(table: pa.Table) -> np.ndarray:
    """Row of the first stratum of each allele."""
    new = np.ones(table.num_rows, dtype=bool)
    new[1:] = np.diff(table["pos"].to_numpy()) != 0
    for name in ("ref", "alt"):
        new[1:] |= np.diff(_codes(table[name])[0]) != 0
    return np.flatnonzero(new)


def _block(table: pa.Table, starts: np.ndarray, strata: Sequence[str]) -> Alleles:
    allele = np.zeros(table.num_rows, dtype=np.int64)
    allele[starts[1:]] = 1
    allele = np.cumsum(allele)
    code, names = _codes(table["stratum"])
    number = {s: i for i, s in enumerate(strata)}
    stratum = np.array([number.get(s, -1) for s in names.to_pylist()], dtype=np.int64)[code]
    known = stratum >= 0
    counts = np.full((len(_COUNTS), len(strata), len(starts)), -1, dtype=np.int64)
    for i, name in enumerate(_COUNTS):
        counts[i, stratum[known], allele[known]] = table[name].to_numpy()[known]
    first = table.take(pa.array(starts))
    pos = first["pos"].to_numpy().astype(np.int64)
    end = pos + pc.binary_length(pc.cast(first["ref"], pa.string())).to_numpy() - 1
    return Alleles(pos, end, keys(pos, first["ref"], first["alt"]), counts)


def keys(pos: np.ndarray, ref: pa.Array, alt: pa.Array) -> pa.Array:
    """The text pos:ref:alt of each allele."""
    text = [pc.cast(column, pa.string()) for column in (pa.array(pos), ref, alt)]
    found = pc.binary_join_element_wise(*text, ":")
    if isinstance(found, pa.ChunkedArray):
        found = found.combine_chunks()
    return found.chunk(0) if isinstance(found, pa.ChunkedArray) else found


def _side_by_side(old: Iterator[Alleles], new: Iterator[Alleles]) -> Iterator[tuple[Alleles, Alleles]]:
    """Both streams, cut such that the same positions come together."""
    sources = [old, new]
    held = [next(old), next(new)]
    more = [True, True]
    while any(more) or any(len(h.pos) for h in held):
        ends = [int(h.pos[-1]) if len(h.pos) else -1 for h in held]
        # A position is complete once a later one was read.
        until = min((end for end, going in zip(ends, more, strict=True) if going), default=None)
        cuts = [len(h.pos) if until is None else int(np.searchsorted(h.pos, until)) for h in held]
        parts = [h.cut(n) for h, n in zip(held, cuts, strict=True)]
        if any(cuts):
            yield parts[0][0], parts[1][0]
        held = [rest for _, rest in parts]
        for i in range(2):
            if more[i] and ends[i] == until:
                block = next(sources[i], None)
                more[i] = block is not None
                held[i] = held[i].then(block) if block is not None else held[i]


def count_problems(contigs: Sequence[Mapping[str, Any]], before: Release, k: int) -> list[Problem]:
    """Rule 3: groups in which the counts differ as if 1 to k-1 people had been exchanged.

    contigs: what `compare_contig` gave for each.
    """
    problems = []
    for name, figure in _sum(contigs)["groups"].items():
        if 0 < figure["people_at_least"] < k:
            problems.append(
                Problem(
                    f"stratum {name}" if " " not in name else name,
                    f"counts of {figure['differ']} alleles differ from those of {before.dataset}, each by "
                    f"{figure['people_at_least']} people or fewer: fewer than {k} may have been exchanged",
                    "set previous_people to the record of that run (work/release/people.tsv), which says who was "
                    f"counted; if people were exchanged, let it be at least {k}",
                )
            )
    return problems


def since_problems(contigs: Sequence[Mapping[str, Any]], before: Release) -> list[Problem]:
    """Alleles that tell what the earlier release withheld, which control (goe.disclosure.earlier_difference) left."""
    since = sum(contig.get("since", 0) for contig in contigs)
    if not since:
        return []
    examples = ", ".join([e for contig in contigs for e in contig.get("examples", ())][:_EXAMPLES])
    what = f"{since} alleles tell numbers that {before.dataset} withheld: {examples}"
    return [Problem("frequencies", what, "do not publish the release: a fault in disclosure control, please report it")]


def _sum(contigs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {name: sum(c[name] for c in contigs) for name in ("in_both", "only_before", "only_now")}
    out["groups"] = {}
    for contig in contigs:
        for name, figure in contig["groups"].items():
            total = out["groups"].setdefault(name, dict.fromkeys(figure, 0))
            for key, value in figure.items():
                total[key] = max(total[key], value) if key == "people_at_least" else total[key] + value
    return out


def check(
    before: Release,
    now: Release,
    policy: Policy,
    contigs: Sequence[Mapping[str, Any]],
    moved: Mapping[Any, int] | None = None,
    callable_an: Sequence[Problem] | None = None,
) -> dict[str, Any]:
    """All rules; GoeError that names every stratum that breaks one, else what the disclosure report may say.

    contigs: `compare_contig` of every contig of either release; empty when the builds differ. moved: `moves`, None
    when there is no record. callable_an: what is wrong with callable AN of both (goe.disclosure.earlier_callable),
    None where they are not compared. An open release (k = 1) is only described. Every number that is returned can be
    had from the two public folders.
    """
    k = policy.k
    problems = same_cohort(before, now)
    problems += people_problems(before, now, k)
    if moved is not None:
        problems += move_problems(moved, before, now, k)
    elif before.build != now.build and k > 1:
        problems.append(
            Problem(
                before.dataset,
                f"its build is {before.build}, not {now.build}: counts cannot be compared, so an exchange of fewer "
                f"than {k} people would not be seen",
                "set previous_people to the record of that run (work/release/people.tsv)",
            )
        )
    else:
        problems += count_problems(contigs, before, k) + relabelled(before, now, k)
    problems += callable_an or []
    if k > 1:
        problems += since_problems(contigs, before)
    stop_on(problems)
    figures = _sum(contigs) if before.build == now.build else None
    return {
        "dataset": before.dataset,
        "strata_compared": [s for s in now.people if s in before.people],
        "strata_only_before": [s for s in before.people if s not in now.people],
        "strata_only_now": [s for s in now.people if s not in before.people],
        "people": f"no stratum that both have, nor a difference of strata, changed by 1 to {k - 1} people"
        if k > 1
        else "not asked",
        "exchanged": _exchanged(moved is not None, k),
        "callable_an": _callable(callable_an is not None, moved is not None, k),
        "alleles": figures and {name: figures[name] for name in ("in_both", "only_before", "only_now")},
        "alleles_with_a_small_difference": figures
        and {name: figure["small"] for name, figure in figures["groups"].items()},
        "not_covered": [
            "data that were replaced under the same id, and people who got another id",
            "counts of the people who joined, as a group of at least k, are not floored: the difference of the two "
            "releases gives them",
            "other releases than the one named",
        ],
    }


def _callable(compared: bool, record: bool, k: int) -> str:
    if k <= 1:
        return "not asked: the release is open"
    if not compared:
        return "not compared: the earlier release has none of this build"
    if record:
        return KEPT
    return "the same numbers as in the earlier release"


def _exchanged(record: bool, k: int) -> str:
    if k <= 1:
        return "not asked: the release is open"
    if record:
        return f"by the private record, nobody or at least {k} people joined, left or moved between any two groups"
    return (
        "no record of the people: the counts of every group are the same, or differ at some allele in at least "
        f"{k} people"
    )


def relabelled(before: Release, now: Release, k: int) -> list[Problem]:
    """Whether each release has countries that the other has not, so that the people in them cannot be compared."""
    gone, new = (
        [s for s in st.published_countries(one.people) if s not in other.people]
        for one, other in ((before, now), (now, before))
    )
    if k <= 1 or not gone or not new:
        return []
    return [
        Problem(
            f"strata {', '.join(new)}",
            f"are new, and {', '.join(gone)} of {before.dataset} are gone: whether fewer than {k} people make the "
            "difference of one to another cannot be seen from the counts",
            "set previous_people to the record of that run (work/release/people.tsv)",
        )
    ]


def same_cohort(before: Release, now: Release) -> list[Problem]:
    """Whether two releases have ids of their own, of one publisher."""
    problems = []
    if before.dataset == now.dataset:
        problems.append(
            Problem("config dataset.id", f"{now.dataset} is the id of the earlier release", "give this one its own")
        )
    whose = [re.sub(r"^[A-Z]+-|-[0-9]+$", "", release.dataset) for release in (before, now)]
    if whose[0] != whose[1]:
        what = f"{before.dataset} is a release of {whose[0]}, not of {whose[1]}"
        problems.append(Problem("config previous_release", what, "give a release of the same cohort"))
    return problems
