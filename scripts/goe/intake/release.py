"""What the release needs of the configuration and of the files it names, looked at before any job runs.

The release comes last, after days of work on a whole cohort; a key file that is not there or a dataset id that no
node takes is told at the beginning.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from goe.core import manifest, tables
from goe.core.errors import GoeError, Problem
from goe.disclosure import control, earlier_release, outcomes
from goe.disclosure.plan import Plan, choose_strata
from goe.frequencies import strata
from goe.genome import dbsnp
from goe.genome.build import Build
from goe.release.formats import annotations
from goe.release.gdi import metadata as gdi_metadata
from goe.release.metadata import health_dcat
from goe.rules.formats import people_key
from goe.rules.policy import Policy
from goe.rules.stratum import UNKNOWN, parse
from goe.settings.sections import Config
from goe.settings.sheets import Person


def look(
    cfg: Config, people: Mapping[str, Person] | None, build: Build | None, wrong: Collection[str] = ()
) -> tuple[list[Problem], list[Problem]]:
    """Problems, which stop a run, and notes.

    cfg: of `goe.settings.config`. people: of `goe.settings.sheets`. Files are looked at as far as their beginning
    tells, but for BED files and the record of people, which are read. What needs a section of the config that is in
    `wrong`, or people or build where they are None, is left out.
    """
    checks = (
        ({"dataset"}, lambda: health_dcat.problems(cfg)),
        ({"dataset", "formats", "reference", "disclosure"}, lambda: _of_package(cfg)),
        ({"annotations"}, lambda: _regions(cfg, build) if build else []),
        ({"restricted"}, lambda: _recipients(cfg)),
        ({"previous_release", "dataset", "reference", "outdir"}, lambda: _earlier_release(cfg)),
        ({"previous_people", "outdir"}, lambda: _earlier_people(cfg)),
    )
    wrong = {*wrong}
    problems = [p for needed, check in checks if not wrong & needed for p in check()]
    if people is None or wrong & {"dataset", "disclosure", "formats", "reference", "outdir"}:
        return problems, []
    few, notes = _strata(cfg, people)
    moved, advice = _people_since(cfg, people)
    return [*problems, *few, *moved], [*notes, *advice, *gdi_metadata.advice(cfg), *health_dcat.advice(cfg)]


def _of_package(cfg: Config) -> list[Problem]:
    """What keeps the GDI package from being made, but for what is told of the catalogue record anyhow."""
    places = {p.where for p in health_dcat.problems(cfg)}
    found = _asked("config formats.gdi", lambda: gdi_metadata.problems(cfg))
    return [p for p in found if p.where not in places]


def _regions(cfg: Config, build: Build) -> list[Problem]:
    problems = []
    for flag, path in cfg.annotations.regions.given.items():
        where = f"config annotations.regions.{flag} {path}"
        problems += _asked(where, partial(annotations.check_regions, {flag: path}, build))
    if given := cfg.annotations.dbsnp:
        problems += _asked(f"config annotations.dbsnp {given}", partial(dbsnp.check, given, build.name, build.contigs))
    return problems


def _recipients(cfg: Config) -> list[Problem]:
    if not cfg.restricted:
        return []
    keys = cfg.restricted.recipients
    where = "restricted.recipients"
    return _asked(f"config {where}", lambda: gdi_metadata.recipients_problems(where, keys))


def _asked(where: str, check: Callable[[], list[Problem]]) -> list[Problem]:
    """What a check finds, and that a file cannot be read where it cannot."""
    try:
        return check()
    except GoeError as error:
        return error.problems
    except (OSError, ValueError) as error:
        return [Problem(where, f"cannot be read: {error}", "mend the file or its permissions")]


def _earlier_release(cfg: Config) -> list[Problem]:
    """Whether `previous_release` is a release of this cohort under another id; its digests are asked later."""
    if cfg.previous_release is None:
        return []
    root = Path(cfg.previous_release)
    where = f"config previous_release {root}"
    if not root.is_dir():
        return [Problem(where, "no such folder", "give the folder of the earlier release")]
    if root.resolve() == (Path(cfg.outdir) / "release").resolve():
        what = "is the folder that this run writes"
        return [Problem(where, what, "move the earlier release elsewhere, and name its new place")]
    if not (root / manifest.NAME).is_file():
        return [Problem(where, f"has no {manifest.NAME}, so it is no whole release", "get the release again")]

    def check() -> list[Problem]:
        tables = sorted((root / "frequencies").glob("*.parquet"))
        before = earlier_release.of_tables(tables, str(root / "frequencies"))
        now = earlier_release.Release(cfg.dataset.id, cfg.reference.build, {}, {})
        return earlier_release.same_cohort(before, now)

    return _asked(where, check)


def _earlier_people(cfg: Config) -> list[Problem]:
    """Whether `previous_people` is a record of people with its key."""
    record = cfg.previous_people
    if record is None:
        return []
    where = f"config previous_people {record}"
    if Path(record).resolve() == _record(cfg).resolve():
        what = "is the record that this run writes"
        return [Problem(where, what, "keep it and its .key elsewhere before you run, and name the copy")]

    def check() -> list[Problem]:
        earlier_release.moves([], record, people_key(record))
        return []

    return [Problem(where, f"{p.where}: {p.what}", p.mend) for p in _asked(record, check)]


def _record(cfg: Config) -> Path:
    """Where a run leaves the record of the people it counted, as the rule release_people_record says."""
    return Path(cfg.outdir) / "work" / "release" / "people.tsv"


def _people_since(cfg: Config, people: Mapping[str, Person]) -> tuple[list[Problem], list[Problem]]:
    """Problems and notes on people who withdrew, joined or moved since a release was made, as far as the sheet tells.

    A whole release that stands under this dataset id may be out. To write it again with other people would let anybody
    with both subtract them, and `previous_release` is not asked. QC may change who counts besides; that is not told.
    """
    release = Path(cfg.outdir) / "release"
    problems: list[Problem] = []
    notes: list[Problem] = []
    if (release / manifest.NAME).is_file():
        n = sum(_changes(cfg, people, _record(cfg)).values())
        if n:
            found = Problem(
                str(release),
                f"is the whole release {cfg.dataset.id}, and {n} {_people(n)} withdrew, joined or moved to "
                "another stratum since: whoever has it could subtract it from what would be written now",
                f"if nobody got it, remove {release}. Else move it away, with people.tsv and people.key of "
                f"{_record(cfg).parent}, name them as previous_release and previous_people, and give dataset.id a new "
                "time",
            )
            (notes if control.policy(cfg.disclosure).open else problems).append(found)
    k = control.policy(cfg.disclosure).k
    if cfg.previous_people:
        left = sum(n for (_, now), n in _changes(cfg, people, cfg.previous_people).items() if now is None)
        if 0 < left < k:
            what = f"{left} {_people(left)} of the earlier release withdrew or left the sheet, fewer than {k}"
            mend = "the comparison at the end will stop the run: wait until nobody or enough did (docs/disclosure.md)"
            notes.append(Problem(f"config previous_people {cfg.previous_people}", what, mend))
    return problems, notes


def _changes(cfg: Config, people: Mapping[str, Person], record: str | Path) -> Counter:
    """(leaf in the record or None, leaf now or None) -> people, where the two differ.

    Who is left out now is taken from keep.tsv of the last run, for people whose row of the sheet is as it was then.
    That file also stands for a record of this run that has been put away, as it should be; without either, nothing.
    """
    last: dict[str, dict[str, str]] = {}
    keep = Path(cfg.outdir) / "work" / "sample_qc" / "keep.tsv"
    if keep.is_file():
        last = {row["sample_id"]: row for row in tables.read(keep)}
    rows = []
    for name, person in people.items():
        row = {"sample_id": name, "country_code": person.country, "count_sex": person.sex, "keep": "yes"}
        before = last.get(name)
        if before and (before["country_code"], before["sex"]) == (person.country, person.sex):
            row["count_sex"] = before["count_sex"]
            row["keep"] = "yes" if before["reasons"] == "withdrawn" else before["keep"]
        rows.append(row | ({"keep": "no"} if person.withdrawn else {}))
    try:
        moved = earlier_release.moves(rows, record, people_key(record))
    except (GoeError, OSError, UnicodeDecodeError):
        if not last or record != _record(cfg):
            return Counter()
        before, now = (
            {row["sample_id"]: f"{row['country_code']}_{row['count_sex']}" for row in part if row["keep"] == "yes"}
            for part in (last.values(), rows)
        )
        moved = Counter((before.get(name), now.get(name)) for name in before.keys() | now.keys())
    return Counter({cell: n for cell, n in moved.items() if cell[0] != cell[1]})


def _people(n: int) -> str:
    return "person" if n == 1 else "people"


def _strata(cfg: Config, people: Mapping[str, Person]) -> tuple[list[Problem], list[Problem]]:
    """Problems and notes on what disclosure control will not publish, as far as the sheet tells."""
    rule = control.policy(cfg.disclosure)
    least = rule.min_stratum_size
    leaves = Counter(f"{person.country}_{person.sex}" for person in people.values() if not person.withdrawn)
    if people and not leaves:
        what = "nobody to count: everybody on the sheet has withdrawn"
        return [Problem(cfg.samples, what, "add people, or take withdrawn out where it is wrong")], []
    if rule.open or not leaves:
        return [], []
    few = f"fewer than {least} (disclosure.min_stratum_size)"
    if leaves.total() < least:
        what = f"{leaves.total()} people to count, {few}: no allele will be published"
        if cfg.formats.gdi.made:
            what += ", and a GDI package cannot be empty"
            return [Problem(cfg.samples, what, "take in more people, or set formats.gdi.enabled to false")], []
        return [], [Problem(cfg.samples, what, "take in more people; QC and counts are made all the same")]
    plan = choose_strata(dict(sorted(leaves.items())), least)
    notes = []
    if plan.hidden:
        hidden = ", ".join(plan.hidden)
        what = f"{hidden} will not be published: a stratum or a difference of strata has people, but {few}"
        mend = (
            "see docs/disclosure.md on strata (people of unknown sex are such a difference); QC may change who counts"
        )
        notes.append(Problem(cfg.samples, what, mend))
    return [], [*notes, *_by_sex(cfg.samples, plan, rule), *_unknown_sex(cfg.samples, plan, rule)]


# Of the alleles of X or Y that people carry, as made up by `_shares`: below this part a note is made.
_MOST = 0.5


def _by_sex(sheet: str, plan: Plan, rule: Policy) -> list[Problem]:
    """Notes on X outside the PAR and Y where a country has so few men, or women, that Total would tell their numbers.

    Men have one allele there and women two, so each sex is looked at by itself whatever strata are published.
    """
    few = [leaf for leaf in plan.leaves if parse(leaf).sex != UNKNOWN and 0 < plan.people[leaf] < rule.min_stratum_size]
    notes = []
    for chromosome, sexes in (("X", "MF"), ("Y", "M")):
        small = [leaf for leaf in few if parse(leaf).sex in sexes]
        shown = _shares(plan, rule, sexes) if small else 1.0
        if shown < _MOST:
            part = "no allele" if not shown else "few alleles"
            named = ", ".join(
                f"{plan.people[leaf]} {'men' if parse(leaf).sex == 'M' else 'women'} of {parse(leaf).country}"
                for leaf in small
            )
            notes.append(
                Problem(
                    sheet,
                    f"{part} of {chromosome} outside the PAR will be published, of no country: with {named}, fewer "
                    f"than {rule.min_stratum_size} (disclosure.min_stratum_size), the total would tell theirs",
                    "take in more of them, join small countries under one label (another column in strata.label), set "
                    "withdrawn to yes for them, or choose an open release; see docs/disclosure.md on strata",
                )
            )
    return notes


def _shares(plan: Plan, rule: Policy, sexes: str) -> float:
    """The part of alleles that disclosure control lets through when everybody of `sexes` is called.

    Asked of disclosure control itself, with made-up alleles of many frequencies that all countries share; women as
    diploid, men as haploid.
    """
    frequencies = np.linspace(0.02, 0.5, 200)
    chance = np.random.default_rng(1)
    cells = np.zeros((len(plan.leaves), len(strata.CALLS), len(frequencies)), dtype=np.int32)
    for i, leaf in enumerate(plan.leaves):
        n, sex = plan.people[leaf], parse(leaf).sex
        if sex not in sexes:
            continue
        if sex == "M":
            cells[i, strata.HAP] = n
            cells[i, strata.HEMI] = chance.binomial(n, frequencies)
        else:
            het = 2 * frequencies * (1 - frequencies)
            cells[i, strata.DIP] = n
            cells[i, strata.HET] = chance.binomial(n, het)
            cells[i, strata.HOM] = chance.binomial(n - cells[i, strata.HET], frequencies**2 / (1 - het))
    return float((control.apply(cells, plan, rule).outcome != outcomes.WITHHELD).mean())


def _unknown_sex(sheet: str, plan: Plan, rule: Policy) -> list[Problem]:
    """Notes on countries of which AN on X and Y will tell how many people are of unknown sex, fewer than the floor.

    Women have two alleles on X and men one, and one on Y; the others are not counted there, and are the rest.
    """
    few = [
        leaf
        for leaf in plan.leaves
        if parse(leaf).sex == UNKNOWN and 0 < plan.people[leaf] < rule.k and parse(leaf).country in plan.strata
    ]
    if not few:
        return []
    named = ", ".join(f"{plan.people[leaf]} of {parse(leaf).country}" for leaf in few)
    what = (
        f"people of unknown sex, {named}: fewer than {rule.k} (disclosure.min_carriers); AN on X and Y tells how many"
    )
    return [
        Problem(sheet, what, "find out their sex, or set withdrawn to yes for them, if that number must not be known")
    ]
