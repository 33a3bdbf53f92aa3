"""The configuration: its schema, its defaults, and every mistake in it at once."""

import difflib
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from goe.build import NAMED_BUILDS
from goe.errors import GoeError, Problem, stop_on
from goe.release_config import makes_gdi_package
from goe.sheets import country_problem

_ROOT = Path(__file__).resolve().parents[2]
SCHEMA = _ROOT / "workflow" / "schemas" / "config.schema.yaml"
GUIDELINES = [_ROOT / "resources" / "guidelines" / name for name in ("sample_qc.tsv", "inference.tsv")]

PROFILES: dict[str, dict[str, float]] = {
    # Genome of Europe pilot pipeline (Genome-of-Europe/pgx_pilot): GQ < 20, DP < 10, AB outside 0.2-0.8.
    "goe": {"min_gq": 20, "min_dp": 10, "min_dp_haploid": 5, "min_ab": 0.2},
    # gnomad_methods, gnomad/utils/annotations.py, get_adj_expr; a het is tested on its ALT alleles only.
    "gnomad": {"min_gq": 20, "min_dp": 10, "min_dp_haploid": 5, "min_ab": 0.2},
    "none": {"min_gq": 0, "min_dp": 0, "min_dp_haploid": 0, "min_ab": 0},
}
"""Thresholds of `genotype_filter.profile`; 0 switches a test off."""

_LATER = {"callable_an": "callable AN is not available in this version"}
_CHOICE = (
    "the controller must choose: {min_carriers: 5, policy: collapse} publishes no count of fewer than 5 carriers, "
    "and the total alone where a part is too small (set the number your authority asks for); "
    "{min_carriers: 5, policy: minimal} withholds as few numbers as it can instead; "
    '{open: true, legal_basis: "..."} publishes every count and names the decision that allows it. '
    "docs/disclosure.md says what each protects"
)
# With open: true there is nothing to protect.
_FLOOR = ("min_carriers", "policy", "protect", "min_stratum_size")


@cache
def schema() -> dict:
    """The JSON Schema of the configuration."""
    return yaml.safe_load(SCHEMA.read_text())


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


def _describe(error) -> list[Problem]:
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
            if dotted in _LATER:
                problems.append(Problem(f"config {dotted}", _LATER[dotted], "take it out"))
                continue
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
    if error.validator in ("minLength", "minItems"):
        return [Problem(where, "is empty", described)]
    if error.validator == "uniqueItems":
        return [Problem(where, "holds something twice", described)]
    return [Problem(where, error.message, described)]


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
    # The same as goe.disclosure.policy, which is too heavy to be imported by every job.
    if type(k) is int and type(least) is int and least < k:
        problems.append(
            Problem(
                f"{where}.min_stratum_size",
                f"{least} is below min_carriers, {k}",
                f"set it to {k} or more, or leave it out for {2 * k}",
            )
        )
    return problems


def _dataset(section: dict) -> list[Problem]:
    problems = []
    country = section.get("country")
    if isinstance(country, str):
        wrong = country_problem(country)
        if wrong:
            problems.append(Problem("config dataset.country", *wrong))
    match = re.fullmatch(r"(GOE|GDI)-([A-Z]{2})-([A-Z]+)-([0-9]{17})", str(section.get("id", "")))
    if match:
        for key, part in zip(("prefix", "country", "org"), match.groups(), strict=False):
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
    asked, there = (
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
        if isinstance(flag, str) and flag in flags and not (isinstance(there, dict) and there.get(flag))
    ]


def _thresholds(section: dict, own: list[str]) -> list[Problem]:
    """What is wrong with thresholds of people, by the reader that applies them; own: the country's table, if any."""
    # Imported here because it brings numpy along, and most configs set none.
    from goe import keep

    try:
        keep.load([*GUIDELINES, *own], section)
    except GoeError as error:
        return error.problems
    return []


def load(raw: Mapping) -> dict:
    """The configuration with every default filled in, as nested plain dicts.

    raw: what YAML gave. `genotype_filter` comes out with the thresholds of its profile, replaced by those set
    beside it. Raises GoeError with every problem; each names the key by its dotted path.
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
    problems += _filter_regions(cfg)
    sample_qc = cfg.get("sample_qc")
    if isinstance(sample_qc, dict):
        where = "config sample_qc.thresholds."
        told = {p.where.removeprefix(where).split(".")[0] for p in problems if p.where.startswith(where)}
        thresholds, own = sample_qc.get("thresholds"), sample_qc.get("guidelines")
        rest = {k: v for k, v in thresholds.items() if k not in told} if isinstance(thresholds, dict) else {}
        files = [own] if isinstance(own, str) and own else []
        problems += _thresholds(rest, files) if rest or files else []
    stop_on(problems)
    _fill(cfg, schema())
    genotype_filter = cfg["genotype_filter"]
    for key, value in PROFILES[genotype_filter["profile"]].items():
        genotype_filter.setdefault(key, value)
    build = cfg["reference"]["build"]
    if makes_gdi_package(cfg) and build not in NAMED_BUILDS:
        raise GoeError(
            Problem(
                "config reference.build",
                f"{build}: the GDI package is for {' and '.join(NAMED_BUILDS)} only",
                "use one of the two, or set formats.gdi.enabled to false",
            )
        )
    rule = cfg["disclosure"]
    rule.setdefault("open", False)
    if not rule["open"]:
        rule.setdefault("protect", "carriers")
        rule.setdefault("min_stratum_size", None)
    return cfg
