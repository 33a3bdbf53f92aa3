"""What the release needs of the configuration and of the files it names, looked at before any job runs.

The release comes last, after days of work on a whole cohort; a key file that is not there or a dataset id that no
node takes is told at the beginning.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from goe import annotations, disclosure, gdi_metadata, health_dcat, manifest, previous_release
from goe.build import Build
from goe.errors import GoeError, Problem
from goe.release_config import people_key
from goe.sheets import Person


def look(cfg: Mapping, people: Mapping[str, Person], build: Build) -> tuple[list[Problem], list[Problem]]:
    """Problems, which stop a run, and notes.

    cfg: of `goe.config.load`. people: of `goe.sheets`. Files are looked at as far as their beginning tells, but for
    BED files and the record of people, which are read.
    """
    problems = health_dcat.problems(cfg)
    told = {p.where for p in problems}
    of_package = _asked("config formats.gdi", lambda: gdi_metadata.problems(cfg))
    problems += [p for p in of_package if p.where not in told]
    for flag, path in cfg["annotations"]["regions"].items():
        where = f"config annotations.regions.{flag} {path}"
        problems += _asked(where, lambda f=flag, p=path: annotations.check_regions({f: p}, build))
    if cfg["restricted"]:
        keys = cfg["restricted"]["recipients"]
        where = "restricted.recipients"
        problems += _asked(f"config {where}", lambda: gdi_metadata.recipients_problems(where, keys))
    problems += _earlier_release(cfg, build) + _earlier_people(cfg)
    return problems, [*_strata(cfg, people), *gdi_metadata.advice(cfg), *health_dcat.advice(cfg)]


def _asked(where: str, check: Callable[[], list[Problem]]) -> list[Problem]:
    """What a check finds, and that a file cannot be read where it cannot."""
    try:
        return check()
    except GoeError as error:
        return error.problems
    except (OSError, ValueError) as error:
        return [Problem(where, f"cannot be read: {error}", "mend the file or its permissions")]


def _earlier_release(cfg: Mapping, build: Build) -> list[Problem]:
    """Whether `previous_release` is a release of this cohort under another id; its digests are asked later."""
    if cfg["previous_release"] is None:
        return []
    root = Path(cfg["previous_release"])
    where = f"config previous_release {root}"
    if not root.is_dir():
        return [Problem(where, "no such folder", "give the folder of the earlier release")]
    if root.resolve() == (Path(cfg["outdir"]) / "release").resolve():
        what = "is the folder that this run writes"
        return [Problem(where, what, "move the earlier release elsewhere, and name its new place")]
    if not (root / manifest.NAME).is_file():
        return [Problem(where, f"has no {manifest.NAME}, so it is no whole release", "get the release again")]

    def check() -> list[Problem]:
        tables = sorted((root / "frequencies").glob("*.parquet"))
        before = previous_release.of_tables(tables, str(root / "frequencies"))
        now = previous_release.Release(cfg["dataset"]["id"], build.name, {}, {})
        return previous_release.same_cohort(before, now)

    return _asked(where, check)


def _earlier_people(cfg: Mapping) -> list[Problem]:
    """Whether `previous_people` is a record of people with its key."""
    record = cfg["previous_people"]
    if record is None:
        return []
    where = f"config previous_people {record}"

    def check() -> list[Problem]:
        previous_release.moves([], record, people_key(record))
        return []

    return [Problem(where, f"{p.where}: {p.what}", p.mend) for p in _asked(record, check)]


def _strata(cfg: Mapping, people: Mapping[str, Person]) -> list[Problem]:
    """Notes on what disclosure control will not publish, whatever the counts, as far as the sheet tells."""
    rule = disclosure.policy(cfg["disclosure"])
    least = rule.min_stratum_size
    leaves = Counter(f"{person.country}_{person.sex}" for person in people.values() if not person.withdrawn)
    if rule.k <= 1 or not leaves:
        return []
    few = f"fewer than {least} (disclosure.min_stratum_size)"
    if leaves.total() < least:
        what = f"{leaves.total()} people to count, {few}: no allele will be published"
        return [Problem(cfg["samples"], what, "take in more people; QC and counts are made all the same")]
    hidden = disclosure.plan(dict(sorted(leaves.items())), least).hidden
    if not hidden:
        return []
    what = f"{', '.join(hidden)} will not be published: a stratum or a difference of strata has people, but {few}"
    mend = "see docs/disclosure.md on strata (people of unknown sex are such a difference); QC may change who counts"
    return [Problem(cfg["samples"], what, mend)]
