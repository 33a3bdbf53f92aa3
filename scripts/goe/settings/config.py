"""The configuration: its schema, its defaults, and every mistake in it at once."""

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError

from goe.core.errors import GoeError, Problem, stop_on
from goe.core.resources import RESOURCES, ROOT
from goe.genome.build import NAMED_BUILDS
from goe.rules.dataset import DatasetId
from goe.rules.policy import stratum_size_problem
from goe.settings import schemas, sections
from goe.settings.sections import Config
from goe.settings.sheets import brace_problem, country_problem

GUIDELINES = [RESOURCES / "guidelines" / name for name in ("sample_qc.tsv", "inference.tsv")]

PROFILES: dict[str, dict[str, float]] = {
    # Genome of Europe pilot pipeline (Genome-of-Europe/pgx_pilot): GQ < 20, DP < 10, AB outside 0.2-0.8.
    "goe": {"min_gq": 20, "min_dp": 10, "min_dp_haploid": 5, "min_ab": 0.2},
    # gnomad_methods, gnomad/utils/annotations.py, get_adj_expr; a het is tested on its ALT alleles only.
    "gnomad": {"min_gq": 20, "min_dp": 10, "min_dp_haploid": 5, "min_ab": 0.2},
    "none": {"min_gq": 0, "min_dp": 0, "min_dp_haploid": 0, "min_ab": 0},
}
"""Thresholds of `genotype_filter.profile`; 0 switches a test off."""

_CHOICE = (
    "the controller must choose: {min_carriers: 5, policy: collapse} publishes no count of fewer than 5 carriers, "
    "and the total alone where a part is too small (set the number your authority asks for); "
    "{min_carriers: 5, policy: minimal} withholds as few numbers as it can instead; "
    '{open: true, legal_basis: "..."} publishes every count and names the decision that allows it. '
    "docs/disclosure.md says what each protects"
)
MEND_PATH = "mend the path; it starts from the working directory"
# With open: true there is nothing to protect.
_FLOOR = ("min_carriers", "policy", "protect", "min_stratum_size")


def file_problems(path: str | Path) -> list[Problem]:
    """What is wrong with a config file as text, with its line: no YAML, no keys, or a key twice.

    YAML takes the last of two equal keys without a word, and a second `disclosure` would replace the choice. The keys
    themselves are `read`'s.
    """
    name, copy = str(path), f"copy config/config.yaml of the clone and fill it in ({ROOT / 'config'})"
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return [Problem(name, f"not text in UTF-8 (byte {error.start})", "save it as UTF-8")]
    except OSError as error:
        return [Problem(name, f"cannot be read: {error.strerror}", "mend the path or its permissions")]
    if _is_json(text):
        text = text.replace("\t", " ")
    try:
        node = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name} line {mark.line + 1}" if mark else name
        begun = f", from line {error.context_mark.line + 1} on," if error.context and error.context_mark else ""
        what = " ".join(filter(None, (f"{error.context or ''}{begun}", error.problem)))
        hint = (
            "a tab is no indentation in YAML: use spaces" if "'\\t'" in what else "mend the line or the one before it"
        )
        return [Problem(where, f"is no YAML: {what}", hint)]
    except yaml.YAMLError as error:
        return [Problem(name, f"is no YAML: {error}", "save it as plain text in UTF-8")]
    if node is None:
        return [Problem(name, "is empty", copy)]
    if not isinstance(node, yaml.MappingNode):
        return [Problem(name, "has no keys at its top level", copy)]
    return _double_keys(node, name)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _double_keys(node: yaml.Node, name: str, path: str = "") -> list[Problem]:
    problems = []
    if isinstance(node, yaml.SequenceNode):
        for i, part in enumerate(node.value):
            problems += _double_keys(part, name, f"{path}[{i}]")
    if isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, part in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            line, dotted = key.start_mark.line + 1, f"{path}.{key.value}" if path else key.value
            if key.value in lines:
                what = f"{dotted} is already on line {lines[key.value]}; YAML would take the last without a word"
                problems.append(Problem(f"{name} line {line}", what, "keep one of them"))
            lines.setdefault(key.value, line)
            problems += _double_keys(part, name, dotted)
    return problems


def schema() -> dict[str, Any]:
    """The JSON Schema of the configuration."""
    return schemas.schema("config")


def _plain(value: Any) -> Any:
    """Copy with plain dicts and lists; keys YAML read as numbers (`rename: {20: chr20}`) are text again."""
    if isinstance(value, Mapping):
        return {str(key): _plain(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value


def _dotted(path: Iterable) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else str(part))
    return text


def _fill(value: Any, part: dict) -> None:
    """Set the defaults of the schema `part` in the dict `value`, in place."""
    for key, sub in part.get("properties", {}).items():
        if key not in value and "default" in sub:
            value[key] = _plain(sub["default"])
        if isinstance(value.get(key), dict):
            _fill(value[key], sub)


def _open_sections(value: dict, part: dict) -> None:
    """Make {} of every section header with nothing below, which is null in YAML and means the defaults, in place."""
    for key, sub in part.get("properties", {}).items():
        if key in value and value[key] is None and sub.get("default") == {}:
            value[key] = {}
        if isinstance(value.get(key), dict):
            _open_sections(value[key], sub)


def _describe(error: ValidationError) -> list[Problem]:
    path = _dotted(error.absolute_path)
    where = f"config {path}" if path else "config"
    value = error.instance
    described = error.schema.get("description", "")
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        problems = []
        for key in value:
            if key in known:
                continue
            dotted = f"{path}.{key}" if path else key
            near = difflib.get_close_matches(key, known, 1, 0.5)
            problems.append(
                Problem(
                    f"config {dotted}",
                    "unknown key" + (f", did you mean {near[0]}" if near else ""),
                    f"the keys here are {', '.join(known)}" if known else "there are no keys here in this version",
                )
            )
        return problems
    if error.validator == "required":
        problems = []
        for key in error.validator_value:
            if key not in value:
                dotted = f"{path}.{key}" if path else key
                sub = error.schema["properties"][key].get("description", "")
                mend = _CHOICE if dotted == "disclosure" else f"set it: {sub}"
                problems.append(Problem(f"config {dotted}", "is missing", mend))
        return problems
    if error.validator == "type":
        wanted = error.validator_value
        wanted = wanted if isinstance(wanted, list) else [wanted]
        names = {"string": "text", "object": "a section with keys", "array": "a list", "null": "null"}
        what = f"{value!r} is not " + " or ".join(names.get(w, f"a {w}".replace("a i", "an i")) for w in wanted)
        mend = described
        if isinstance(value, bool) and "string" in wanted:
            mend = "YAML reads an unquoted NO, YES, ON or OFF as true or false: put it in quotes"
        elif isinstance(value, int | float) and "string" in wanted:
            mend = "put it in quotes"
        elif {"integer", "number"} & set(wanted):
            mend = _number(value, error.schema)
        return [Problem(where, what, mend)]
    if error.validator == "enum":
        known = ["null" if v is None else str(v) for v in error.validator_value]
        near = difflib.get_close_matches(str(value), known, 1, 0.5)
        return [
            Problem(
                where,
                f"{value!r} is not one of {', '.join(known)}" + (f", did you mean {near[0]}" if near else ""),
                described,
            )
        ]
    if error.validator == "pattern":
        return [Problem(where, f"{value!r} does not have the form {error.validator_value}", described)]
    if error.validator in ("minimum", "maximum"):
        side = "less than the minimum" if error.validator == "minimum" else "greater than the maximum"
        return [Problem(where, f"{value!r} is {side} of {error.validator_value}", _number(value, error.schema))]
    if error.validator in ("minLength", "minItems"):
        return [Problem(where, "is empty", described)]
    if error.validator == "uniqueItems":
        return [Problem(where, "holds something twice", described)]
    return [Problem(where, error.message, described)]


def _number(value: Any, part: dict) -> str:
    """The mend of a number that is none, or beyond the limits of the schema `part`."""
    least, most, description = part.get("minimum"), part.get("maximum"), part.get("description", "")
    number = re.fullmatch(r"\s*([0-9.]+)\s*(%?)\s*", value) if isinstance(value, str) else None
    if number and number[1].count(".") < 2 and number[1] != ".":
        plain = float(number[1]) / (100 if number[2] else 1)
        if (least is None or plain >= least) and (most is None or plain <= most):
            return f"write {plain:g}, without {'quotes and %' if number[2] else 'quotes'}"
    limits = f"from {least:g} to {most:g}" if least is not None and most is not None else ""
    limits = limits or (f"{least:g} or more" if least is not None else f"{most:g} or less" if most is not None else "")
    return f"write a number{', ' + limits if limits else ''}: {description}"


def _disclosure(section: dict) -> list[Problem]:
    where = "config disclosure"
    if section.get("open") is True:
        problems = []
        if not section.get("legal_basis"):
            problems.append(
                Problem(f"{where}.legal_basis", "is missing", "with open: true, name the decision that allows it")
            )
        for key in _FLOOR:
            if section.get(key) is not None:
                problems.append(Problem(f"{where}.{key}", "contradicts open: true", "choose one of the two"))
        return problems
    if "min_carriers" not in section and "policy" not in section:
        return [Problem(where, "no choice made", _CHOICE)]
    problems = [
        Problem(f"{where}.{key}", "is missing", f"{{min_carriers: 5, policy: collapse}} needs both; {_CHOICE}")
        for key in ("min_carriers", "policy")
        if key not in section
    ]
    if section.get("legal_basis"):
        problems.append(
            Problem(f"{where}.legal_basis", "belongs to open: true", "take it out, or set open: true alone")
        )
    k, least = section.get("min_carriers"), section.get("min_stratum_size")
    if type(k) is int and (least is None or type(least) is int):
        problems += filter(None, [stratum_size_problem(k, least)])
    return problems


def _dataset(section: dict) -> list[Problem]:
    problems = []
    country = section.get("country")
    if isinstance(country, str):
        wrong = country_problem(country)
        if wrong:
            problems.append(Problem("config dataset.country", *wrong))
    named = DatasetId.parse(section.get("id", ""))
    if named:
        for key in ("prefix", "country", "org"):
            part = getattr(named, key)
            if isinstance(section.get(key), str) and section[key] != part:
                problems.append(
                    Problem(
                        "config dataset.id",
                        f"says {part} where dataset.{key} is {section[key]}",
                        "let them agree: PREFIX-COUNTRY-ORG-YYYYMMDDHHMMSSmmm",
                    )
                )
    return problems


def _filter_regions(cfg: dict) -> list[Problem]:
    """Flags that `variant_qc.regions` names without a BED file for them; what the schema refuses is told by it."""
    asked, bed_files = (
        section.get("regions") if isinstance(section, dict) else None
        for section in (cfg.get("variant_qc"), cfg.get("annotations"))
    )
    flags = schema()["properties"]["annotations"]["properties"]["regions"]["properties"]
    return [
        Problem(
            f"config variant_qc.regions: {flag}",
            "has no file of regions",
            f"give a BED file in annotations.regions.{flag}, or take {flag} out",
        )
        for flag in (asked if isinstance(asked, list) else [])
        if isinstance(flag, str) and flag in flags and not (isinstance(bed_files, dict) and bed_files.get(flag))
    ]


def _coverage_proxy(cfg: dict) -> list[Problem]:
    """With a floor, two tables of it would show who joined, and nothing is kept of an earlier one."""
    wanted, rule = cfg.get("callable_an"), cfg.get("disclosure")
    floor = isinstance(rule, dict) and not rule.get("open")
    on = isinstance(wanted, dict) and wanted.get("coverage_proxy") is True
    if not (on and floor and cfg.get("previous_release") is not None):
        return []
    what = "is not made beside an earlier release with a floor: numbers of both would be subtracted"
    return [Problem("config callable_an.coverage_proxy", what, "set it to false")]


def _wave(wave: Any) -> list[Problem]:
    """A group of people that is none of those there are: the schema knows that both are numbers."""
    match = re.fullmatch("([0-9]+)/([0-9]+)", wave) if isinstance(wave, str) else None
    if not match or int(match[1]) <= int(match[2]):
        return []
    return [
        Problem(f"config wave {wave}", "there is no such wave", f"give one of 1/{match[2]} to {match[2]}/{match[2]}")
    ]


# Keys whose values are paths, or sections and lists of paths.
_PATHS = (
    *("samples", "inputs", "outdir", "container", "audit", "audit_record", "previous_release", "previous_people"),
    *("reference.fasta", "reference.par", "sample_qc.contamination_panel", "sample_qc.guidelines"),
    *("annotations.regions", "annotations.dbsnp", "restricted.recipients"),
)


def _paths(cfg: dict) -> list[Problem]:
    """Paths that Snakemake, or a tool, would take for something else."""
    problems = []
    for key in _PATHS:
        value: Any = cfg
        for name in key.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        given = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
        problems += [
            Problem(f"config {key} {path}", unfit, "rename the file or its folder")
            for path in given
            if isinstance(path, str) and (unfit := brace_problem(path))
        ]
    outdir = cfg.get("outdir")
    if isinstance(outdir, str) and re.search(r"\s", outdir):
        what = "has a space, at which tools would cut the names of files"
        problems.append(Problem(f"config outdir {outdir}", what, "name a folder without one"))
    return problems


def _thresholds(section: dict, own: list[str]) -> list[Problem]:
    """What is wrong with thresholds of people, by the reader that applies them; own: the country's table, if any."""
    # Imported here because it brings numpy along, and most configs set none.
    from goe.rules import sample_thresholds as sample_rules

    try:
        sample_rules.load([*GUIDELINES, *own], section)
    except GoeError as error:
        return error.problems
    return []


def read(raw: Mapping) -> tuple[Config, list[Problem]]:
    """The configuration with every default filled in, and what is wrong with it.

    raw: what YAML gave. `genotype_filter` comes out with the thresholds of its profile, replaced by those set
    beside it. Each problem names its key by the dotted path. Where there are problems, the wrong keys have their
    defaults, or are empty where they have none: sections that `wrong_sections` does not name are as they were meant.
    """
    cfg = _plain(raw or {})
    _open_sections(cfg, schema())
    reference = cfg.get("reference")
    if isinstance(reference, dict) and isinstance(reference.get("contigs"), list):
        reference["contigs"] = [str(c) if type(c) is int else c for c in reference["contigs"]]
    problems: list[Problem] = []
    errors = Draft202012Validator(schema()).iter_errors(cfg)
    for error in sorted(errors, key=lambda e: [str(p) for p in e.absolute_path]):
        # jsonschema reports each missing key of a section on its own, and _describe all of them.
        problems += [p for p in _describe(error) if p not in problems]
    if isinstance(cfg.get("disclosure"), dict):
        problems += _disclosure(cfg["disclosure"])
    if isinstance(cfg.get("dataset"), dict):
        problems += _dataset(cfg["dataset"])
    if cfg.get("previous_people") is not None and cfg.get("previous_release") is None:
        problems.append(
            Problem("config previous_release", "is missing", "previous_people is about it: set both, or neither")
        )
    if cfg.get("audit_record") is not None and cfg.get("audit") is None:
        problems.append(Problem("config audit", "is missing", "audit_record is about it: set both, or neither"))
    problems += _coverage_proxy(cfg)
    problems += _wave(cfg.get("wave"))
    problems += _filter_regions(cfg)
    problems += _paths(cfg)
    sample_qc = cfg.get("sample_qc")
    if isinstance(sample_qc, dict):
        where = "config sample_qc.thresholds."
        invalid = {p.where.removeprefix(where).split(".")[0] for p in problems if p.where.startswith(where)}
        thresholds, own = sample_qc.get("thresholds"), sample_qc.get("guidelines")
        rest = {k: v for k, v in thresholds.items() if k not in invalid} if isinstance(thresholds, dict) else {}
        files = [own] if isinstance(own, str) and own else []
        if files and not Path(files[0]).is_file():
            problems.append(Problem(f"config sample_qc.guidelines {own}", "no such file", MEND_PATH))
            files = []
        problems += _thresholds(rest, files) if rest or files else []
    if problems:
        _take_out(cfg, problems)
    _fill(cfg, schema())
    genotype_filter = cfg["genotype_filter"]
    for key, value in PROFILES[genotype_filter["profile"]].items():
        genotype_filter.setdefault(key, value)
    rule = cfg.get("disclosure", {})
    rule.setdefault("open", False)
    if not rule["open"]:
        rule.setdefault("protect", "carriers")
    done = sections.of(Config, cfg)
    name = done.reference.build
    if name and done.formats.gdi.made and name not in NAMED_BUILDS:
        problems.append(
            Problem(
                "config reference.build",
                f"{name}: the GDI package is for {' and '.join(NAMED_BUILDS)} only",
                "use one of the two, or set formats.gdi.enabled to false",
            )
        )
    if done.audit:
        # The second run is one of its own, whatever stands in the folder of the first.
        done = replace(done, outdir=str(Path(done.outdir) / "work" / "audit"))
    return done, problems


def _key(problem: Problem) -> list[str]:
    """The parts of the key that a problem of the config is with: `config a.b[1]: x` gives a, b."""
    dotted = re.match(r"config ([^\s:\[]+)", problem.where)
    return dotted[1].split(".") if dotted else []


def _take_out(cfg: dict, problems: Iterable[Problem]) -> None:
    """Remove the keys that are wrong, in place, so that the rest can be gone on with."""
    for problem in problems:
        *sections, last = _key(problem) or [""]
        part: Any = cfg
        for name in sections:
            part = part.get(name) if isinstance(part, dict) else None
        if isinstance(part, dict):
            part.pop(last, None)


def wrong_sections(problems: Iterable[Problem]) -> set[str]:
    """The top-level keys that problems of `read` are with."""
    return {key[0] for key in map(_key, problems) if key}


def load(raw: Mapping) -> Config:
    """The configuration as `read` gives it; GoeError with every problem."""
    cfg, problems = read(raw)
    stop_on(problems)
    return cfg
