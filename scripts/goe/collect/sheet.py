"""What a coordinator gives: the configuration of a collection, and the sheet of the datasets."""

import csv
import difflib
import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

from goe.core.errors import Problem, stop_on
from goe.rules.dataset import COUNTRIES, DatasetId
from goe.settings import schemas

RELEASE, RESTRICTED, GDI, VCF = KINDS = ("release", "restricted", "gdi", "vcf")
"""A release of goe; a restricted product of goe; a package of a GDI node; a sites VCF of another pipeline."""
_REQUIRED, _OPTIONAL = ("path", "expect"), ("key", "kind", "counted_by", "public")
NONE = "none"
"""In the column public: the people of the restricted product have no public release."""
_OTHERS = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+-]{0,63}")


@dataclass(frozen=True)
class Entry:
    """A row of the sheet.

    number: from 1, in the order of the sheet. expect: dataset id or country. key: private key of an encrypted one.
    counted_by: who counted, where it was not goe. public: folder of the public release of a restricted product, NONE
    where there is none, empty where it is not said.
    """

    number: int
    path: str
    expect: str
    kind: str
    key: str = ""
    counted_by: str = "goe"
    public: str = ""

    @property
    def name(self) -> str:
        """How messages and lists name it before its id is known; no place on this machine."""
        return f"{self.expect} (row {self.number})"


@dataclass(frozen=True)
class Settings:
    """The configuration. restricted: legal basis of adding up restricted products; empty where they are refused.
    sum_floor: fewest people of the public sum of them, 0 where none is made; sum_protect: as `protect` of a release.
    compare: thresholds of the comparison that are not the defaults (goe.collect.comparison.thresholds)."""

    id: str
    title: str
    contact: Mapping[str, str]
    outdir: str
    datasets: str
    restricted: str = ""
    sum_floor: int = 0
    sum_protect: str = "carriers"
    compare: Mapping[str, float] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """Whether nothing but what is public may come in."""
        return not self.restricted


def settings(given: Mapping) -> Settings:
    """The configuration as YAML gives it; GoeError with every mistake."""
    schema = schemas.schema("collect")
    problems = []
    for error in sorted(Draft202012Validator(schema).iter_errors(given), key=lambda e: (e.json_path, e.message)):
        place = error.json_path.removeprefix("$").removeprefix(".")
        problems.append(Problem(f"collect.yaml {place}".strip(), error.message[:300], "docs/collect.md has an example"))
    stop_on(problems)
    about = given["collection"]
    restricted = given.get("restricted") or {}
    outdir = given.get("outdir", schema["properties"]["outdir"]["default"])
    public = restricted.get("public_sum") or {}
    return Settings(
        about["id"],
        about["title"],
        dict(about["contact"]),
        outdir,
        given["datasets"],
        restricted.get("legal_basis", ""),
        public.get("min_carriers", 0),
        public.get("protect", "carriers"),
        given.get("compare") or {},
    )


def read_settings(path: str | Path) -> Settings:
    """`settings` of a file."""
    where = Path(path)
    stop_on([] if where.is_file() else [Problem(str(path), "no such file", "docs/collect.md has an example")])
    try:
        given = yaml.safe_load(where.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        stop_on([Problem(str(path), f"is no YAML: {' '.join(str(error).split())[:200]}", "mend the line")])
    return settings(given if isinstance(given, dict) else {})


def kind_of(path: str | Path) -> str:
    """Kind of a dataset by its name and, for a folder, by what lies in it; empty when it is none of them."""
    where, name = Path(path), Path(path).name
    if where.is_dir():
        return GDI if (where / "manifest.json").exists() else RELEASE
    if name.endswith(".restricted.tar.c4gh"):
        return RESTRICTED
    if name.endswith((".tar", ".tar.c4gh")):
        return GDI
    return VCF if name.endswith((".vcf.gz", ".vcf.bgz")) else ""


def identity(path: str | Path) -> str:
    """What tells a dataset from another one in its place: name, size and time of change of each of its files."""
    root = Path(path)
    files = [root, *sorted(root.rglob("*"))] if root.is_dir() and not root.is_symlink() else [root]
    try:
        stats = [(str(f.relative_to(root)), f.lstat().st_size, f.lstat().st_mtime_ns) for f in files if not f.is_dir()]
    except OSError:
        return ""
    return hashlib.sha256(repr(stats).encode()).hexdigest()


def read(path: str | Path, public_sum: bool = False) -> list[Entry]:
    """Rows of the sheet; paths start from the working directory. GoeError with every mistake that is one of the sheet.

    public_sum: whether a public sum is made, for which each row has to say where its public release is.
    What is wrong with a dataset, a path that leads to nothing among it, is told of the dataset alone, later.
    """
    where = Path(path)
    stop_on([] if where.is_file() else [Problem(str(path), "no such file", "set `datasets` in collect.yaml")])
    try:
        text = where.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        stop_on([Problem(str(path), f"not text in UTF-8 (byte {error.start})", "save it as UTF-8")])
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter="\t", quoting=csv.QUOTE_NONE))
    head = rows[0] if rows else []
    stop_on(_columns(str(path), head))
    problems: list[Problem] = []
    entries: list[Entry] = []
    seen: dict[str, int] = {}
    for line, cells in enumerate(rows[1:], 2):
        if not any(cells):
            continue
        place = f"{path} line {line}"
        if len(cells) != len(head):
            problems.append(Problem(place, f"has {len(cells)} cells, the header {len(head)}", "one tab between cells"))
            continue
        row = {name: cell.strip() for name, cell in zip(head, cells, strict=True)}
        problems += _row(place, row)
        real = str(Path(row["path"]).resolve())
        if row["path"] and real in seen:
            problems.append(Problem(place, f"{row['path']} is on line {seen[real]} too", "keep one of them"))
        seen.setdefault(real, line)
        kind = row.get("kind") or kind_of(row["path"])
        of_goe = kind in (RELEASE, RESTRICTED)
        by = "goe" if of_goe else row.get("counted_by", "")
        if kind in (GDI, VCF) and not by:
            what = "does not say who counted it"
            problems.append(Problem(place, what, "name the pipeline in the column counted_by: it is told everywhere"))
        public = row.get("public", "")
        if public_sum and not public:
            mend = f"name the folder of its public release, or write {NONE} where it has none"
            problems.append(Problem(place, "does not say where its public release is, in the column public", mend))
        entries.append(Entry(len(entries) + 1, row["path"], row["expect"], kind, row.get("key", ""), by, public))
    if not entries and not problems:
        problems.append(Problem(str(path), "names no dataset", "a row each"))
    stop_on(problems)
    return entries


def _columns(where: str, head: list[str]) -> list[Problem]:
    known = (*_REQUIRED, *_OPTIONAL)
    problems = [Problem(where, f"has no column {name}", "add it") for name in _REQUIRED if name not in head]
    for name in sorted(set(head) - set(known)):
        near = difflib.get_close_matches(name, known, 1)
        mend = f"did you mean {near[0]}?" if near else f"columns are {', '.join(known)}"
        problems.append(Problem(where, f"has a column {name!r}, which is none", mend))
    if len(set(head)) != len(head):
        problems.append(Problem(where, "has a column twice", "keep one of them"))
    return problems


def _row(place: str, row: Mapping[str, str]) -> list[Problem]:
    problems = [Problem(place, f"{name} is empty", "fill it in") for name in _REQUIRED if not row[name]]
    expect, kind, by = row["expect"], row.get("kind", ""), row.get("counted_by", "")
    if expect and not DatasetId.parse(expect) and expect not in COUNTRIES:
        what = f"expect is {expect!r}, neither a dataset id nor an ISO 3166-1 alpha-2 code"
        problems.append(Problem(place, what, "write what the dataset should be, such as EE"))
    if kind and kind not in KINDS:
        problems.append(Problem(place, f"kind is {kind!r}", f"it is one of {', '.join(KINDS)}, or empty"))
    if by and not _OTHERS.fullmatch(by):
        problems.append(Problem(place, "counted_by is no plain name", "name the pipeline and its version"))
    return problems
