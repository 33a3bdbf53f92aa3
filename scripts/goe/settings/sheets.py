"""The sheets: who the people are, and which files hold their data."""

import csv
import difflib
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from goe.core.errors import GoeError, Problem, stop_on
from goe.rules.dataset import AN_METHODS, COUNTRIES, COVERAGE, VARIANT_SITES_ONLY
from goe.rules.stratum import label_problem
from goe.settings.schemas import INPUTS, PEOPLE

INPUT_TYPES = INPUTS.words["input_type"]
ID_PATTERN = PEOPLE.forms["sample_id"].pattern.strip("^$")
ID_LENGTH: int = PEOPLE.lengths["sample_id"]
"""Characters of the longest id."""
SEVERAL_UNITS = ("fastq", "ubam")
"""Input types of which one person may have several files, one per lane or run."""

# Codes people write that are not, or no longer, official.
_COUNTRY_HINTS = {
    "UK": "GB",
    "EL": "GR",
    "EN": "GB",
    "SU": "RU",
    "YU": "RS",
    "CS": "CZ or RS",
    "TP": "TL",
    "XK": "",
}

# Codes of C2.5: letters and numbers are two codings, and so are letters and words.
_CODINGS = {
    "M F": {"M": "M", "F": "F"},
    "XY XX": {"XY": "M", "XX": "F"},
    "male female": {"male": "M", "female": "F"},
    "1 2": {"1": "M", "2": "F"},
}
_SEX = {code: sex for coding in _CODINGS.values() for code, sex in coding.items()}
_CODING = {code: name for name, coding in _CODINGS.items() for code in coding}
_UNKNOWN_SEX = frozenset(PEOPLE.words["sex"]) - _SEX.keys()
SEX_CODES = "M F, XY XX, male female or 1 2 (1 male, 2 female); U, unknown, X0, XXY, XYY, XXX for the others"


@dataclass(frozen=True)
class Person:
    """A row of the sheet of people.

    sex: M, F or U (unknown or aneuploid). country: the label of the strata, two capital letters.
    row: line of the file, the header being 1. extra: the optional cells, as text.
    """

    sample_id: str
    sex: str
    country: str
    withdrawn: bool = False
    row: int = 0
    extra: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Input:
    """A row of the sheet of inputs; sample_id is empty for a joint VCF, path2 for all but FASTQ.

    unit: lane or run of reads; where the sheet gives none, a number within the person. Empty for other types.
    """

    sample_id: str
    input_type: str
    path: str
    path2: str = ""
    library: str = ""
    unit: str = ""
    row: int = 0

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.path, self.path2) if self.path2 else (self.path,)


def country_problem(code: str) -> tuple[str, str] | None:
    """What is wrong with a country code and the mend; None for an official ISO 3166-1 alpha-2 code."""
    if code in COUNTRIES:
        return None
    if not code:
        return "no country code", "write the ISO 3166-1 alpha-2 code"
    hint = _COUNTRY_HINTS.get(code.upper(), "")
    if not hint and code.upper() in COUNTRIES:
        hint = code.upper()
    mend = f"write {hint}" if hint else "write an official code of ISO 3166-1 alpha-2, such as EE"
    return f"{code!r} is not a country code of ISO 3166-1 alpha-2", mend


def _nearest(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), 1, 0.6) or difflib.get_close_matches(
        word.lower(), list(known), 1, 0.6
    )
    return near[0] if near else ""


def _read_table(
    path: str | Path, required: Sequence[str], optional: Sequence[str]
) -> tuple[list[tuple[int, dict[str, str]]], list[str], list[Problem]]:
    """Rows of a tab-separated file as (line number, cells by column), its columns, and what is wrong with it.

    A byte-order mark, Windows line ends, blank lines, spaces around cells and trailing tabs do no harm.
    """
    name = str(path)
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise GoeError(Problem(name, "no such file", "set its path in the config")) from None
    except IsADirectoryError:
        raise GoeError(Problem(name, "is a folder", "set the path of the sheet in the config")) from None
    except UnicodeDecodeError as error:
        raise GoeError(
            Problem(name, f"not text in UTF-8 (byte {error.start})", "save it as tab-separated text, UTF-8")
        ) from None
    if "\0" in text:
        raise GoeError(Problem(name, "not text in UTF-8", "save it as tab-separated text, UTF-8"))
    reader = csv.reader(io.StringIO(text, newline=None), delimiter="\t", quoting=csv.QUOTE_NONE)
    rows = [(number, [cell.strip() for cell in cells]) for number, cells in enumerate(reader, 1)]
    rows = [(number, cells) for number, cells in rows if any(cells)]
    if rows and not text.endswith(("\n", "\r")):
        what = "ends without a line end, as a sheet that was cut off does"
        raise GoeError(Problem(f"{name} row {rows[-1][0]}", what, "copy it again; if it is whole, end its last line"))
    if not rows:
        raise GoeError(Problem(name, "is empty", f"begin with the header {' '.join(required)} (tabs between)"))
    head_row, header = rows[0]
    while header and not header[-1]:
        header.pop()
    where = f"{name} row {head_row}"
    if len(header) == 1 and re.search(r"[,; ]", header[0]):
        raise GoeError(Problem(where, "columns are not separated by tabs", "save it as tab-separated text (.tsv)"))
    problems = []
    known = [*required, *optional]
    for column in sorted({c for c in header if header.count(c) > 1}):
        problems.append(Problem(where, f"column {column or '(no name)'} twice", "take one out"))
    for column in dict.fromkeys(header):
        if column not in known:
            near = _nearest(column, [k for k in known if k not in header])
            problems.append(
                Problem(
                    where,
                    f"unknown column {column!r}" if column else "a column without a name",
                    (f"did you mean {near}? " if near else "")
                    + f"the columns are {', '.join(known)}"
                    + (", and those named in strata.columns of the config" if "sex" in known else ""),
                )
            )
    absent = [c for c in required if c not in header]
    for column in absent:
        problems.append(Problem(where, f"no column {column}", f"the header needs {', '.join(required)} (tabs between)"))
    if absent:
        raise GoeError(problems)
    table = []
    for number, cells in rows[1:]:
        while len(cells) > len(header) and not cells[-1]:
            cells.pop()
        if len(cells) > len(header):
            problems.append(
                Problem(
                    f"{name} row {number}",
                    f"{len(cells)} cells, the header has {len(header)}",
                    "look for a tab too many",
                )
            )
        cells += [""] * (len(header) - len(cells))
        table.append((number, dict(zip(header, cells, strict=False))))
    return table, header, problems


# Snakemake takes such a wildcard for one that grows without end (PeriodicityDetector).
_PERIODIC = re.compile(r"(.+)\1{19}$")


def _id_problem(where: str, name: str) -> Problem | None:
    if PEOPLE.takes("sample_id", name):
        if len(name) > ID_LENGTH:
            mend = f"use ids of at most {ID_LENGTH} characters: names of files are made of them"
            return Problem(where, f"sample_id has {len(name)} characters", mend)
        if periodic := _PERIODIC.search(name):
            return Problem(where, f"sample_id ends in {periodic[1]!r} twenty times", "use ids that Snakemake can take")
        return None
    return Problem(
        where,
        f"sample_id {name!r} has characters that are not allowed" if name else "no sample_id",
        "use letters, digits, _ . and -, beginning with a letter or digit",
    )


def read_people(path: str | Path, label_column: str = "country_code", columns: Sequence[str] = ()) -> dict[str, Person]:
    """The sheet of people, by sample_id, in file order.

    label_column: the column that gives the country label of the strata. columns: further columns that may be
    there. Every cell is text (`007`, `NA` and `1` are ids). Raises GoeError with every problem of the sheet.
    """
    optional = [*PEOPLE.optional, *columns]
    if label_column not in (*PEOPLE.required, *optional):
        optional.append(label_column)
    table, header, problems = _read_table(path, PEOPLE.required, optional)
    if label_column not in header:
        raise GoeError(
            [
                *problems,
                Problem(
                    f"{path} row 1",
                    f"no column {label_column}, which strata.label of the config names",
                    "add the column, or take strata.label out",
                ),
            ]
        )
    people: dict[str, Person] = {}
    codings: dict[str, tuple[int, str]] = {}
    lower: dict[str, str] = {}
    for row, cells in table:
        name = cells["sample_id"]
        where = f"{path} row {row}" + (f", sample {name}" if name else "")
        problem = _id_problem(where, name)
        if problem:
            problems.append(problem)
        elif name in people:
            problems.append(Problem(where, f"{name} is already on row {people[name].row}", "keep one row per person"))
        elif name.lower() in lower:
            problems.append(
                Problem(
                    where,
                    f"differs from {lower[name.lower()]} only in the case of letters",
                    "give people ids that differ in more, since some file systems do not tell these apart",
                )
            )
        lower.setdefault(name.lower(), name)

        code = cells["sex"]
        sex = "U" if code in _UNKNOWN_SEX else _SEX.get(code, "")
        if not code:
            problems.append(Problem(where, "no sex", "write U where it is not known"))
        elif not sex:
            near = [c for c in (*_SEX, *_UNKNOWN_SEX) if c.lower() == code.lower()]
            problems.append(Problem(where, f"sex code {code!r}", f"write {near[0]}" if near else f"use {SEX_CODES}"))
        elif code in _CODING:
            codings.setdefault(_CODING[code], (row, code))

        wrong = country_problem(cells["country_code"])
        if wrong:
            problems.append(Problem(where, wrong[0], wrong[1]))
        label = cells[label_column]
        if label_column != "country_code" and (unfit := label_problem(label)):
            mend = "write two capital letters, neither XX nor XY"
            problems.append(Problem(where, f"{label_column} {label!r} {unfit}", mend))
        if not PEOPLE.takes("birth_year", cells.get("birth_year", "")):
            problems.append(Problem(where, f"birth_year {cells['birth_year']!r}", "write a year, or nothing"))
        gone = cells.get("withdrawn", "")
        if not PEOPLE.takes("withdrawn", gone):
            problems.append(Problem(where, f"withdrawn {gone!r}", "write yes, no or nothing"))

        if name not in people:
            rest = {
                c: cells[c] for c in header if c in cells and c not in ("sample_id", "sex", "withdrawn", label_column)
            }
            people[name] = Person(name, sex, label, gone == "yes", row, rest)
    if len(codings) > 1:
        seen = "; ".join(f"{code} (row {row})" for row, code in codings.values())
        problems.append(Problem(str(path), f"two codings of sex in one sheet: {seen}", "use one of them"))
    if not people and not problems:
        problems.append(Problem(str(path), "a header and no person", "add a row per person"))
    stop_on(problems)
    return people


def read_inputs(path: str | Path, base: str | Path = ".") -> list[Input]:
    """The sheet of inputs, in file order; GoeError with every problem. See `look_at_inputs`."""
    inputs, problems = look_at_inputs(path, base)
    stop_on(problems)
    return inputs


def look_at_inputs(path: str | Path, base: str | Path = ".") -> tuple[list[Input], list[Problem]]:
    """The rows of the sheet of inputs that are well, in file order, and what is wrong with the others.

    base: the folder that relative paths start from; with "." the paths come back as they stand in the sheet. Checks
    the form of each row; the files themselves are `goe.intake.lint`'s. GoeError where it is no such sheet at all.
    """
    table, _, problems = _read_table(path, INPUTS.required, INPUTS.optional)
    inputs: list[Input] = []
    seen: dict[tuple, int] = {}
    units: dict[tuple[str, str, str], int] = {}
    for row, cells in table:
        name, kind = cells["sample_id"], cells["input_type"]
        path1, path2 = cells["path"], cells.get("path2", "")
        where = f"{path} row {row}" + (f", sample {name}" if name else "")
        before = len(problems)
        if kind not in INPUT_TYPES:
            near = _nearest(kind, INPUT_TYPES)
            problems.append(
                Problem(
                    where,
                    f"input_type {kind!r}" if kind else "no input_type",
                    (f"did you mean {near}? " if near else "") + f"it is one of {', '.join(INPUT_TYPES)}",
                )
            )
        elif kind == "joint_vcf" and name:
            problems.append(
                Problem(
                    where,
                    "a joint_vcf has no sample_id",
                    "leave it empty: its people are read from its header",
                )
            )
        elif kind != "joint_vcf":
            problem = _id_problem(where, name)
            if problem:
                problems.append(problem)
        if not path1:
            problems.append(Problem(where, "no path", "write the path of the file"))
        if kind == "fastq" and path1 and not path2:
            problems.append(
                Problem(
                    where,
                    "fastq without path2",
                    "give the second file of the pair; single-end reads are not taken",
                )
            )
        if kind != "fastq" and kind in INPUT_TYPES and path2:
            problems.append(Problem(where, f"path2 given, and {kind} has one file", "leave path2 empty"))
        if path1 and path1 == path2:
            problems.append(Problem(where, f"path and path2 are the same file {path1}", "give both reads of the pair"))
        for cell in (path1, path2):
            if re.match(r"[a-z0-9+]+://", cell):
                problems.append(Problem(where, f"{cell} is not a local path", "copy the file to a local folder"))
            elif kind == COVERAGE and cell.endswith(".c4gh"):
                problems.append(
                    Problem(
                        where,
                        f"{cell} is encrypted, and mosdepth reads the depth of reads here and there, by their index",
                        "decrypt it first (crypt4gh decrypt) into a folder that only you can read, or take the row out",
                    )
                )
            elif not cell.isprintable():
                problems.append(Problem(where, f"path {cell!r} has characters that do not print", "rename the file"))
            elif unfit := brace_problem(cell):
                problems.append(Problem(where, f"path {cell} {unfit}", "rename the file or its folder"))
        unit = cells.get("unit", "")
        if not INPUTS.takes("unit", unit):
            problems.append(Problem(where, f"unit {unit!r}", "use letters, digits, _ . and -"))
        library = cells.get("library", "")
        if not INPUTS.takes("library", library):
            problems.append(Problem(where, f"library {library!r}", "use plain ASCII: it goes into the read group"))

        key = (name, kind, path1, path2)
        if path1 and key in seen:
            problems.append(Problem(where, f"same as row {seen[key]}", "take one out"))
        elif kind in SEVERAL_UNITS and unit:
            lane = (name, library, unit)
            if lane in units:
                of = f" of library {library}" if library else ""
                what = f"unit {unit}{of} is already on row {units[lane]}"
                problems.append(Problem(where, what, "give each lane of a library its own unit"))
            units.setdefault(lane, row)
        seen.setdefault(key, row)
        if len(problems) == before:
            inputs.append(Input(name, kind, _under(path1, base), _under(path2, base), library, unit, row))
    inputs = _number_units(inputs)
    if not inputs and not problems:
        problems.append(Problem(str(path), "a header and no input", "add a row per file"))
    return inputs, problems


def brace_problem(path: str) -> str:
    """What Snakemake cannot take in a path, or nothing."""
    return "has braces, which Snakemake would read as a wildcard" if {"{", "}"} & {*path} else ""


def _number_units(inputs: list[Input]) -> list[Input]:
    """Give reads without a unit the lowest free number within their person."""
    taken: dict[str, set[str]] = {}
    for entry in inputs:
        taken.setdefault(entry.sample_id, set()).add(entry.unit)
    numbered = []
    for entry in inputs:
        if entry.input_type in SEVERAL_UNITS and not entry.unit:
            used = taken[entry.sample_id]
            unit = next(str(n) for n in count(1) if str(n) not in used)
            used.add(unit)
            entry = replace(entry, unit=unit)
        numbered.append(entry)
    return numbered


def _under(path: str, base: str | Path) -> str:
    if not path or str(base) == "." or Path(path).is_absolute():
        return path
    return str(Path(base) / path)


def by_person(inputs: Iterable[Input]) -> dict[str, list[Input]]:
    """Inputs of one person each (all but joint VCFs and COVERAGE), by sample_id; ids sorted, rows in file order."""
    found: dict[str, list[Input]] = {}
    for entry in inputs:
        if entry.input_type not in ("joint_vcf", COVERAGE):
            found.setdefault(entry.sample_id, []).append(entry)
    return dict(sorted(found.items()))


def with_coverage(inputs: Iterable[Input]) -> dict[str, Input]:
    """Reads of type COVERAGE of the people whose own calls say nothing between their rows, by sample_id, sorted."""
    every = list(inputs)
    rows = {entry.sample_id: entry for entry in every if entry.input_type == COVERAGE}
    kinds = {entry.sample_id: entry.input_type for entry in every if entry.input_type != COVERAGE}
    return {i: rows[i] for i in sorted(rows) if kinds.get(i, "joint_vcf") in AN_METHODS[VARIANT_SITES_ONLY]}
