"""What may be public of a sum of restricted products: exact Totals of alleles, in a folder of their own.

Decided after the sum (goe.disclosure.sums), against a reader who has the public release of each country too and
subtracts it. An allele that is not in it is unknown: it is not absent. By country of origin and sex, what is public is
the sum of the public releases, which tells nothing new; callable AN of the sum is not in it.

The finished tables are audited from the public files alone (goe.disclosure.audit.sums) before the folder is there.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa

from goe.check import pages
from goe.check.folder import plain_name, read_json
from goe.collect import totals
from goe.collect.callable_an import Runs
from goe.collect.dataset import Dataset, File
from goe.collect.folder import build_of, heading, taken
from goe.collect.sheet import RELEASE, RESTRICTED, Entry, Settings
from goe.core import manifest
from goe.core.errors import Problem, stop_on
from goe.core.files import write_whole
from goe.disclosure import sums
from goe.disclosure.audit import sums as audit
from goe.genome.build import REGION_DIPLOID, REGION_X, Build, class_breaks
from goe.hts import parquet
from goe.release import bounds
from goe.release.notes import dumps
from goe.release.reading import batches
from goe.rules.stratum import TOTAL

FOLDER = "public-sum"
ABOUT = "metadata/public_sum.json"
_COLUMNS = {"contig": pa.string(), "pos": pa.int32(), "ref": pa.string(), "alt": pa.string(), "n_datasets": pa.int16()}
_COLUMNS |= dict.fromkeys(totals.COUNTS, pa.int32()) | {"nhomalt": pa.int32(), "af": pa.float64()}
_AGAIN = "get both again from the country: they have to be of one run"
_FAULT = "a fault in disclosure control of the sum: please report it"


@dataclass(frozen=True)
class Pair:
    """A restricted product, and the public release of the same people, None where there is none."""

    restricted: Dataset
    public: Dataset | None

    @property
    def floor(self) -> int:
        """Of the public release in people: 1 for an open one, 0 where there is none."""
        return self.public.silence.k if self.public else 0

    @property
    def people(self) -> int:
        return self.restricted.people[TOTAL]


def release_of(entry: Entry) -> Entry:
    """The public release of a restricted product as a row of its own."""
    return Entry(entry.number, entry.public, entry.expect, RELEASE)


def load(datasets: Sequence[Dataset], publics: Sequence[str | Path], settings: Settings) -> list[Pair]:
    """`pairs` of what was looked at. publics: files of `Dataset.save`."""
    known = {one.number: one for one in map(Dataset.load, publics)}
    return pairs(taken(datasets), known, settings)


def pairs(datasets: Sequence[Dataset], publics: Mapping[int, Dataset], settings: Settings) -> list[Pair]:
    """What the public sum is of. publics: number on the sheet -> what was found of its public release.

    GoeError with everything that forbids one: a release that was refused or is of other people, a dataset that is
    public itself, and too few people of datasets without a release.
    """
    found = [Pair(one, publics.get(one.number)) for one in sorted(datasets, key=lambda one: one.number)]
    problems = []
    for one, public in ((pair.restricted, pair.public) for pair in found):
        if one.kind != RESTRICTED:
            what = "is no restricted product, and collect.yaml asks for a public sum of them"
            problems.append(Problem(one.name, what, "take its restricted product, or leave restricted.public_sum out"))
        elif public and public.refused:
            problems += public.problems
        elif public and public.id != one.id:
            what = f"its public release is {public.id}"
            problems.append(Problem(one.name, what, "name the release of the same run in the column public"))
        elif public and public.people[TOTAL] != one.people[TOTAL]:
            what = f"is of {one.people[TOTAL]} people, its public release of {public.people[TOTAL]}"
            problems.append(Problem(one.name, what, _AGAIN))
    least = 2 * _highest(found, settings)
    alone = sum(pair.people for pair in found if pair.public is None)
    if 0 < alone < least:
        what = f"{alone} people have no public release, and whoever subtracts the others has their numbers"
        problems.append(Problem("public sum", what, f"add up at least {least} people of them, or none"))
    stop_on(problems)
    return found


def _highest(found: Sequence[Pair], settings: Settings) -> int:
    return sums.highest(settings.sum_floor, np.array([pair.floor for pair in found]))


def _path(one: Dataset, files: Mapping[str, File], contig: str) -> str | None:
    return files[contig].unchanged(one.name) if contig in files else None


def _class_at(build: Build, contig: str, pos: np.ndarray) -> np.ndarray:
    """int64 (alleles,): REGION_* of positions."""
    breaks = np.array(class_breaks(build, contig), np.int64)
    return np.asarray(breaks[np.searchsorted(breaks[:, 0], pos, "right") - 1, 2])


@dataclass(frozen=True)
class _People:
    """int64 (tables, alleles), in people; odd: of no ploidy that the region has."""

    het: np.ndarray
    hom: np.ndarray
    called: np.ndarray
    odd: np.ndarray


def _people(counts: Mapping[str, np.ndarray], classes: np.ndarray) -> _People:
    """People of counts of alleles; on X only het and hom, which has the hemizygous too, are right."""
    diploid, hap = classes == REGION_DIPLOID, counts["ac_hemi"]
    odd = np.where(diploid, hap + counts["an"] % 2, counts["ac_het"] + counts["ac_hom"]) > 0
    called = np.where(diploid, counts["an"] // 2, counts["an"])
    return _People(counts["ac_het"], counts["ac_hom"] // 2 + hap, called, odd & (classes != REGION_X))


def sum_contig(found: Sequence[Pair], settings: Settings, contig: str, path: str | Path) -> dict:
    """Write the Totals of one contig that may be public, and audit them; what the description tells of it.

    GoeError where a public release is not of the people of its restricted product, or the audit finds a fault.
    """
    build, _ = build_of([pair.restricted for pair in found])
    about = {"collection": settings.id, "build": build.name, "contig": contig, "level": "public"}
    wanted = pa.schema(list(_COLUMNS.items()), {"goe": json.dumps(about, sort_keys=True)})
    tally: Counter[str] = Counter()
    with closing(parquet.released(path, wanted, wanted.metadata[b"goe"].decode(), write_page_checksum=True)) as out:
        for table in _told(found, settings, build, contig, tally):
            out.write_table(table.cast(wanted))
    stop_on(audited(found, settings, build, contig, path))
    return {"contig": contig, "alleles": tally["alleles"], "new": tally["new"]}


def _told(
    found: Sequence[Pair], settings: Settings, build: Build, contig: str, tally: Counter[str]
) -> Iterator[pa.Table]:
    n = len(found)
    runs = []
    for pair in found:
        runs.append(Runs(_path(pair.restricted, pair.restricted.callable_an, contig), contig, (TOTAL,)))
    floor, size = (np.array([getattr(pair, name) for pair in found], np.int64) for name in ("floor", "people"))
    listed = [*(pair.restricted for pair in found), *(pair.public for pair in found)]
    for window in totals.windows([_path(one, one.tables, contig) if one else None for one in listed]):
        classes = _class_at(build, contig, window.pos)
        has_row, passed = window.there[:n], window.passed[:n] | window.zero[:n]
        callable_an = np.stack([run.at(window.pos)[0] for run in runs])
        counts = {name: values[:n] for name, values in window.counts.items()}
        counts["an"] = np.where(has_row, counts["an"], np.maximum(callable_an, 0))
        people = _people(counts, classes)
        public = window.passed[n:] | window.zero[n:]
        apart = window.there[n:] & ~public
        known = public | (~window.there[n:] & (floor == 1)[:, None])
        _same(found, window, known, apart, contig)
        summed = ~known & ~apart
        unsaid = ~has_row & (callable_an < 0) & ~apart
        unlike = (unsaid | (summed & ((has_row & ~passed) | people.odd | (classes == REGION_X)))).any(axis=0)
        carriers = people.het + people.hom
        room = np.where(unsaid, -1, people.called - window.in_chain(carriers))
        rest = sums.Rest(known, apart, floor, size, carriers, people.called, people.hom, room, window.beside, unlike)
        verdict = sums.decide(rest, settings.sum_floor, settings.sum_protect == "genotypes")
        whole = {name: np.where(apart, 0, values).sum(axis=0) for name, values in counts.items()}
        stated = (verdict <= sums.FOLLOWS) & (whole["ac"] > 0)
        tally += Counter(alleles=int(stated.sum()), new=int((stated & (verdict == sums.TOLD)).sum()))
        rows = np.flatnonzero(stated)
        columns = {"contig": pa.repeat(pa.scalar(contig), len(rows)), "pos": window.pos[rows]}
        columns |= {name: values.take(pa.array(rows)) for name, values in (("ref", window.ref), ("alt", window.alt))}
        columns["n_datasets"] = (~apart).sum(axis=0)[rows]
        columns |= {name: whole[name][rows] for name in totals.COUNTS}
        columns |= {"nhomalt": whole["ac_hom"][rows] // 2, "af": whole["ac"][rows] / whole["an"][rows]}
        yield pa.table({name: columns[name] for name in _COLUMNS})


def _same(found: Sequence[Pair], window: totals.Window, known: np.ndarray, apart: np.ndarray, contig: str) -> None:
    """GoeError where a public release does not say what the restricted product says."""
    n = len(found)
    wrong = (window.passed[:n] | window.zero[:n]) & apart
    wrong |= window.there[n:] & ~window.there[:n]
    for values in window.counts.values():
        wrong |= known & (values[:n] != values[n:]) & ~((values[n:] == 0) & ~window.there[n:] & window.zero[:n])
    wrong |= known & window.there[n:] & ~(window.passed[:n] | window.zero[:n])
    problems = []
    for d in np.flatnonzero(wrong.any(axis=1)).tolist():
        i = int(np.flatnonzero(wrong[d])[0])
        where = f"{found[d].restricted.name} {contig}:{window.pos[i]}:{window.ref[i]}:{window.alt[i]}"
        problems.append(Problem(where, "its public release says otherwise than its restricted product", _AGAIN))
    stop_on(problems)


def audited(found: Sequence[Pair], settings: Settings, build: Build, contig: str, path: str | Path) -> list[Problem]:
    """What the public files alone tell of a contig that they must not. path: the table of the sum."""
    released = [(pair.public, pair.floor, pair.people) for pair in found if pair.public]
    unreleased = sum(pair.people for pair in found if pair.public is None)
    stated = audit.Stated(
        [floor for _, floor, _ in released],
        [people for _, _, people in released],
        settings.sum_floor,
        unreleased,
        settings.sum_protect == "genotypes",
    )
    problems = []
    for window in totals.windows([path, *(_path(one, one.tables, contig) for one, _, _ in released)]):
        classes = _class_at(build, contig, window.pos)
        public, rows = _public(window, classes, stated)
        for i, what in audit.faults(public, stated):
            at = rows[i]
            where = f"public sum {contig}:{window.pos[at]}:{window.ref[at]}:{window.alt[at]}"
            problems.append(Problem(where, what, _FAULT))
    return problems[:20]


def _public(window: totals.Window, classes: np.ndarray, stated: audit.Stated) -> tuple[audit.Public, np.ndarray]:
    """What is public of the alleles of a window of which the sum is told, and which these are."""
    floors, size = (np.array(values, np.int64) for values in (stated.floors, stated.people))
    rows = np.flatnonzero(window.there[0])
    people = _people(window.counts, classes)
    passed, listed = window.passed[1:] | window.zero[1:], window.there[1:]
    given, apart = passed | (~listed & (floors == 1)[:, None]), listed & ~passed
    carriers = people.het + people.hom
    taken, room = np.zeros(len(rows), np.int64), np.full((len(floors), len(rows)), np.iinfo(np.int64).max)
    for at, i in enumerate(rows if window.beside[rows].any() else ()):
        for j in np.flatnonzero((window.chain == window.chain[i]) & (np.arange(len(window)) != i)):
            of_rest = passed[:, j] & ~given[:, i] & ~apart[:, i]
            room[of_rest, at] = np.minimum(room[of_rest, at], size[of_rest] - carriers[1:][of_rest, j])
            taken[at] += carriers[1:][of_rest, j].sum()
            if window.there[0, j] and (given[:, j] | apart[:, j] >= given[:, i] | apart[:, i]).all():
                counted = given[:, j] & ~apart[:, j]
                taken[at] += carriers[0, j] - carriers[1:][counted, j].sum()
    seen = (people.het[1:], people.hom[1:], people.called[1:])
    het, hom, called = (np.where(given & ~apart, values, 0)[:, rows] for values in seen)
    whole = [values[0, rows] for values in (people.het, people.hom, people.called)]
    found = audit.Public(
        given=given[:, rows],
        apart=apart[:, rows],
        het=het,
        hom=hom,
        called=called,
        sum_het=whole[0],
        sum_hom=whole[1],
        sum_called=whole[2],
        mixed=classes[rows] == REGION_X,
        room=room,
        taken=taken,
        beside=window.beside[rows],
    )
    return found, rows


def finish(
    found: Sequence[Pair], settings: Settings, parts: Mapping[str, Path], by_contig: Sequence[Mapping], root: Path
) -> None:
    """Write the folder. parts: contig -> table that `sum_contig` wrote; told: what that returned."""
    for name in ("frequencies", "metadata"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for contig, path in parts.items():
        (root / f"frequencies/{contig}.parquet").write_bytes(path.read_bytes())
    about = describe(found, settings, by_contig)
    write_whole(root / ABOUT, dumps(about))
    write_whole(root / "README.md", readme(about))
    manifest.write(root, [*(f"frequencies/{contig}.parquet" for contig in parts), ABOUT, "README.md"])


def describe(found: Sequence[Pair], settings: Settings, by_contig: Sequence[Mapping]) -> dict:
    """`metadata/public_sum.json`. Of datasets without a release it names no number of people but that of all."""
    build, contigs = build_of([pair.restricted for pair in found])
    return {
        **heading(settings),
        "level": "public",
        "legal_basis": settings.restricted,
        "build": build.name,
        "contigs": contigs,
        "min_carriers": settings.sum_floor,
        "highest_floor": _highest(found, settings),
        "protect": settings.sum_protect,
        "number_of_people": sum(pair.people for pair in found),
        "number_of_records": sum(one["alleles"] for one in by_contig),
        "number_of_records_that_do_not_follow": sum(one["new"] for one in by_contig),
        "contigs_with_alleles": [one["contig"] for one in by_contig],
        "sources": [
            {
                "id": pair.restricted.id,
                "country": pair.restricted.country,
                "public_release": None
                if pair.public is None
                else {"sha256": pair.public.digest, "people": pair.people, "min_carriers": pair.floor},
            }
            for pair in found
        ],
    }


def readme(about: Mapping) -> str:
    """README.md of the folder, from its description."""
    floors = [
        f"- {one['id']}: "
        + (
            "no public release"
            if one["public_release"] is None
            else f"{one['public_release']['people']:,} people, "
            + (f"floor of {n} people" if (n := one["public_release"]["min_carriers"]) > 1 else "open")
        )
        for one in about["sources"]
    ]
    return "\n".join(
        [
            f"# {about['id']}: sums that may be public",
            "",
            f"Exact AC, AN and genotype counts of everybody in {len(about['sources'])} datasets together "
            f"({about['number_of_people']:,} people), at {about['number_of_records']:,} alleles. "
            f"{about['number_of_records_that_do_not_follow']:,} of them do not follow from the public releases.",
            "",
            "**An allele that is not here is unknown**, not absent: what may be told was decided after the sum, such "
            "that whoever has the public releases beside it and subtracts them learns of groups of at least "
            f"{about['highest_floor']} people who carry it and as many who do not, and of no others. Sums by country "
            "of origin and sex are those of the public releases, and are in no file here.",
            "",
            "`frequencies/<contig>.parquet`: counts in alleles, `nhomalt` in people, `n_datasets` that are counted. A "
            "dataset that is counted and does not list the allele adds AC 0 and the alleles called there.",
            "",
            *floors,
            "",
        ]
    )


def check(root: str | Path) -> list[Problem]:
    """What is wrong with a finished folder, by itself: digests, columns, order and sums."""
    where = Path(root)
    problems = list(manifest.verify(where))
    if problems:
        return problems
    about = read_json(where / ABOUT)
    alleles = 0
    for contig in about["contigs_with_alleles"]:
        if not plain_name(contig):
            return [Problem(ABOUT, f"{contig[:80]!r} is no contig", "get it again")]
        path = where / f"frequencies/{contig}.parquet"
        pages.table(path, _COLUMNS, min(about["number_of_records"], bounds.ALLELES))
        last: tuple = (0, "", "")
        for table in batches(path, str(path), ["contig", "ref", "alt"], 1 << 14, list(_COLUMNS)):
            alleles += table.num_rows
            ac, an, het, hom, hemi, pairs_ = (
                table[name].to_numpy().astype(np.int64) for name in (*totals.COUNTS, "nhomalt")
            )
            wrong = (ac != het + hom + hemi) | (hom != 2 * pairs_) | (ac < 1) | (ac > an)
            keys = [last, *zip(*(table[name].to_pylist() for name in ("pos", "ref", "alt")), strict=True)]
            if wrong.any() or any(two <= one for one, two in pairwise(keys)):
                problems.append(Problem(str(path), "its counts or their order do not hold", "get the folder again"))
                break
            last = keys[-1]
    if alleles != about["number_of_records"]:
        problems.append(
            Problem(ABOUT, f"says {about['number_of_records']} alleles, there are {alleles}", "get it again")
        )
    return problems
