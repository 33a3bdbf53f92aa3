"""One dataset of the sheet looked at, in a job of its own: checked as its kind is, and brought to one form for the sum.

Nothing that a dataset holds is believed: links are not followed, archives are unpacked by names that lie inside, texts
that unpack to far more than they weigh are left, and whatever a broken file does to its reader refuses this dataset
and no other. Nothing of a refused dataset is read later.
"""

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from pathlib import Path

from goe.check import callable_an as check_callable
from goe.check import folder as check_folder
from goe.check import pages, tree
from goe.check import rows as check_rows
from goe.check import run as check
from goe.check.faults import safely
from goe.collect import form, gdi, sites
from goe.collect.dataset import Dataset, File, fingerprint
from goe.collect.sheet import GDI, RELEASE, RESTRICTED, VCF, Entry, identity
from goe.core import manifest
from goe.core.errors import Problem
from goe.disclosure import silence
from goe.disclosure.audit.callable_an import Runs
from goe.disclosure.audit.table import Stated
from goe.disclosure.silence import ZERO, Silence
from goe.genome.build import Build, canonical
from goe.release import bounds, layout, restricted
from goe.rules.dataset import COVERAGE_PROXY, DatasetId
from goe.rules.stratum import TOTAL

NORMALISATION = "atoms, trimmed, left-aligned (C3)"
_AGAIN = "get the dataset again, or report it to who made it"


def take(entry: Entry, work: str | Path, threads: int = 1) -> Dataset:
    """Look at a dataset; what it is and, where it must not be added up, why.

    work: an own folder, for what is unpacked and brought to another form; of a dataset that is refused nothing stays.
    """
    folder = Path(work)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    one = Dataset(entry.number, entry.name, entry.kind, entry.counted_by)
    before = identity(entry.path)
    one.problems += _place(entry)
    if not one.refused:
        kinds: dict[str, Callable[[], list[Problem]]] = {
            RELEASE: lambda: _release(one, Path(entry.path), threads),
            RESTRICTED: lambda: _restricted(one, entry, folder),
            GDI: lambda: gdi.take(one, entry, folder),
            VCF: lambda: sites.take(one, Path(entry.path), folder),
        }
        one.problems += safely(entry.name, kinds[entry.kind])
    if not one.refused and identity(entry.path) != before:
        one.problems.append(Problem(entry.name, "changed while it was looked at", "wait until it is whole"))
    if not one.refused:
        one.problems += _expected(one, entry)
    one.problems = [_told(problem, entry, folder) for problem in one.problems]
    if one.refused:
        one.tables, one.callable_an = {}, {}
        shutil.rmtree(folder)
    else:
        one.numbers = fingerprint(one.tables.values())
    return one


def _place(entry: Entry) -> list[Problem]:
    where = Path(entry.path)
    if where.is_symlink():
        return [Problem(entry.name, "its path is a link", "give the place itself")]
    if not where.exists():
        return [Problem(entry.name, "its path leads to nothing", "mend the path on the sheet")]
    if not entry.kind:
        what = "is neither a folder nor named as a package or a compressed VCF"
        return [Problem(entry.name, what, "name its kind on the sheet")]
    if not (where.is_dir() or where.is_file()) or where.is_dir() != (entry.kind == RELEASE or where.is_dir()):
        return [Problem(entry.name, f"is not what a dataset of the kind {entry.kind} is", "mend the sheet")]
    return [] if where.is_dir() else tree.file(entry.path, None)


def _told(problem: Problem, entry: Entry, work: Path) -> Problem:
    """A problem without places of this machine and with nothing that a terminal obeys: it goes into the collection."""

    def short(text: str) -> str:
        for place in (f"{work}/", f"{entry.path.rstrip('/')}/", str(work), entry.path, entry.key):
            text = text.replace(place, "") if place else text
        return check.printable(text)

    where = short(problem.where)
    where = where if where.startswith(entry.name) else f"{entry.name} {where}".strip()
    return Problem(where, short(problem.what), problem.mend)


def _expected(one: Dataset, entry: Entry) -> list[Problem]:
    right = entry.expect in (one.id, one.country)
    if one.kind == VCF:
        # A VCF does not say whose it is: the sheet does.
        found = DatasetId.parse(entry.expect)
        one.id, one.country = entry.expect if found else "", found.country if found else entry.expect
        right = True
    if not right:
        what = f"is {one.id or one.country}, the sheet expects {entry.expect}"
        return [Problem(entry.name, what, "mend the sheet, or get the right dataset")]
    one.name = one.id or entry.name
    countries = [s for s in one.people if len(s) == 2]
    if countries and one.country not in countries and one.manner.get("strata_label", "country_code") == "country_code":
        one.notes.append(f"is of {one.country}, and has no people of that origin among {', '.join(countries)}")
    return []


# ---- releases


def _release(one: Dataset, root: Path, threads: int) -> list[Problem]:
    results = check.run(root, threads=threads)
    problems = [p for r in results if r.passed is False for p in r.problems or (Problem(r.name, r.detail, _AGAIN),)]
    if problems:
        return problems
    facts, problems = check_folder.descriptions(root)
    if facts is None or problems:
        return problems or [Problem(str(root), "its descriptions are not whole", _AGAIN)]
    data, rule, settings = (facts.said[name] for name in ("dataset", "disclosure", "config"))
    if problems := _strange(data):
        return problems
    one.id, one.country = facts.id, data["country"]
    one.digest = manifest.digest(root / manifest.NAME)
    one.people = facts.people
    one.silence = silence.of(rule)
    one.zygosity = facts.strata
    one.terms = _terms(data, settings["genotype_filter"])
    one.manner = {
        "min_carriers": rule["min_carriers"],
        "policy": rule["policy"],
        "protect": rule["protect"],
        "legal_basis": rule["legal_basis"],
        "site_filters": settings["variant_qc"],
        "caller": settings.get("caller", {}).get("name"),
        "strata_label": data["strata_label"],
        "alleles": data["number_of_records"],
        **_common(data),
    }
    one.tables = {name: File.of(root / layout.WIDE.format(contig=name)) for name in facts.lengths}
    _callable_an(one, root, data)
    return []


def _strange(data: dict) -> list[Problem]:
    """Contigs that are none of a human: their names are names of files here."""
    return [
        Problem(check_folder.DATASET, f"{contig['name']!r} is no primary contig", "it cannot be of a release")
        for contig in data["contigs"]
        if canonical(contig["name"]) is None
    ]


def _terms(data: dict, rules: dict) -> dict:
    """What has to agree, of `metadata/dataset.json` and the settings of the genotype filter."""
    kept = ("min_gq", "min_dp", "min_dp_haploid", "min_ab", "respect_ft")
    return {
        "build": data["build"],
        "contigs": data["contigs"],
        "counting_rules": data["counting_rules"],
        "genotype_filter": {key: rules.get(key) for key in kept} | {"alt_only": rules.get("profile") == "gnomad"},
        "normalisation": NORMALISATION,
        "par": sorted(data["pseudo_autosomal_regions"]),
    }


def _common(data: dict) -> dict:
    date, found = None, DatasetId.parse(data["id"])
    with suppress(ValueError):
        date = found.date.isoformat() if found else None
    return {"title": data["title"], "made_with": data["made_with"], "date": date}


def _callable_an(one: Dataset, root: Path, data: dict) -> None:
    """Callable AN of the contigs, where the dataset has it."""
    paths = {name: root / f"callable_an/{name}.parquet" for name in one.tables}
    one.callable_an = {name: File.of(path) for name, path in paths.items() if path.is_file()}
    said = data.get("callable_an") or {}
    one.callable_people = dict(said.get("people", {}))
    if proxy := said.get(COVERAGE_PROXY):
        # These people are some of those of whom nothing is known where no row is: the bounds of AN hold them.
        people = f"{proxy['people'][TOTAL]:,} people"
        one.notes.append(f"AN by the depth of reads of {people} ({COVERAGE_PROXY}) is an estimate, and is not added")


# ---- restricted products


def _restricted(one: Dataset, entry: Entry, work: Path) -> list[Problem]:
    """Decrypted and unpacked here, every row of its tables checked, and written as wide tables."""
    if not entry.key:
        return [Problem(entry.name, "is encrypted, and the sheet names no key", "fill in the column key")]
    one.digest = manifest.digest(entry.path)
    root = restricted.unpack(entry.path, work / "unpacked", entry.key)
    if problems := tree.faults(root):
        return problems
    data = check_folder.read_json(root / check_folder.DATASET)
    if problems := _described(data, root) or _strange(data):
        return problems
    one.id, one.country = data["id"], data["country"]
    one.people = {s: data["strata"][s] for s in form.ordered(data["strata"])}
    one.silence, one.zygosity = Silence(ZERO), tuple(one.people)
    one.terms = _terms(data, data["genotype_filter"])
    one.manner = {
        "min_carriers": None,
        "policy": restricted.LEVEL,
        "protect": None,
        "legal_basis": data["disclosure"]["legal_basis"],
        "strata_label": data["strata_label"],
        "alleles": data["number_of_records"],
        **_common(data),
    }
    tables = work / "wide"
    tables.mkdir()
    alleles = 0
    for contig in data["contigs"]:
        name, source = contig["name"], root / f"frequencies/{contig['name']}.parquet"
        pages.check(source, str(source), bounds.COLUMNS, data["number_of_records"] * len(one.people))
        target = tables / f"{name}.parquet"
        with form.Table(target, name, one.people) as out:
            problems += check_rows.check(source, name, contig["length"], one.people, [out.write])
        alleles += out.alleles
        one.tables[name] = File.of(target)
    if not problems and alleles != data["number_of_records"]:
        what = f"its tables have {alleles} alleles, number_of_records is {data['number_of_records']}"
        problems.append(Problem(check_folder.DATASET, what, _AGAIN))
    _callable_an(one, root, data)
    return problems + _runs(one, data)


def _runs(one: Dataset, data: dict) -> list[Problem]:
    """What is wrong with callable AN of a restricted product, which has no floor."""
    lengths = {contig["name"]: contig["length"] for contig in data["contigs"]}
    par = [(str(c), int(start), int(end)) for c, start, end in data["pseudo_autosomal_regions"]]
    build, strata, problems = Build(data["build"], lengths, par), tuple(one.people), []
    for contig, file in one.callable_an.items():
        pages.check(file.path, file.path, bounds.COLUMNS, lengths[contig])
        audit = Runs(strata, one.people, Stated(1, "carriers", 1), build, contig, file.path)
        problems += check_callable.check(file.path, contig, lengths[contig], strata, audit) + audit.finish()
    return problems


def _described(data: dict, root: Path) -> list[Problem]:
    """What is wrong with the description of a restricted product, which also has its thresholds, and no formats."""
    schema = json.loads((check_folder.SCHEMAS / "dataset.schema.json").read_text())
    schema["required"] = sorted({*schema["required"], "disclosure", "genotype_filter"} - {"callable_an"})
    schema["properties"] |= {
        "formats": {"type": "array"},
        "callable_an": {},
        "disclosure": {"type": "object", "required": ["level", "legal_basis"]},
        "genotype_filter": {"type": "object"},
    }
    errors = islice(check_folder.Validator(schema).iter_errors(data), bounds.PROBLEMS)
    where = str(root / check_folder.DATASET)
    problems = [Problem(where, f"{e.json_path}: {e.message[:300]}", _AGAIN) for e in errors]
    return sorted(problems) or [Problem(where, what, _AGAIN) for what in check_folder.unbounded(data)]
