"""The RO-Crate of a release folder, checked by whoever receives it."""

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from goe.core import manifest
from goe.core.errors import GoeError, Problem
from goe.release import reading
from goe.release.layout import File, differences
from goe.release.metadata import health_dcat as dcat
from goe.release.metadata.ro_crate import (
    BASE_PROFILE,
    BIOSCHEMAS,
    CODE,
    CONTEXT,
    NAME,
    NOT_DESCRIBED,
    PROFILES,
    WORKFLOW,
)

_MEND = "make the release again"


def check(folder: str | Path, digests: Mapping[str, str] | None = None) -> list[Problem]:
    """What is wrong with the crate of a release folder; empty when nothing is.

    It is JSON-LD of RO-Crate 1.1 with the Workflow Run Crate profiles, has what they make mandatory, and every
    name it refers to is described; identifiers and date agree with metadata/dataset.json; every file of the
    folder is listed, and its size and digest are right. digests: path -> SHA-256 where it is known already.
    """
    root = Path(folder)
    try:
        document = reading.parsed((root / NAME).read_text(encoding="utf-8"), NAME)
        entities = document["@graph"]
        by_id = {entity["@id"]: entity for entity in entities}
        dataset = json.loads((root / dcat.DATASET).read_text(encoding="utf-8"))
        day = dcat.issued(dataset["id"]).isoformat()
    except FileNotFoundError as error:
        return [Problem(Path(error.filename).relative_to(root).as_posix(), "no such file", _MEND)]
    except GoeError as error:
        return error.problems
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return [Problem(f"{NAME} or {dcat.DATASET}", f"is not what it should be: {error!r}", _MEND)]
    found = []

    def wrong(what: str) -> None:
        found.append(Problem(NAME, what, _MEND))

    if document.get("@context") != CONTEXT:
        wrong("@context is not that of RO-Crate 1.1")
    if len(by_id) != len(entities):
        wrong("an entity is described twice")
    for entity in entities:
        for name in sorted(_references(entity) - set(by_id) - _ELSEWHERE):
            wrong(f"{entity['@id']} refers to {name}, which is not described")
    top, main = by_id.get("./", {}), by_id.get(WORKFLOW, {})
    if BASE_PROFILE not in _references(by_id.get(NAME, {})):
        wrong(f"{NAME} does not conform to {BASE_PROFILE}")
    for key in ("name", "description", "license", "publisher", "author", "hasPart"):
        if not top.get(key):
            wrong(f"the release has no {key}")
    if top.get("datePublished") != day:
        wrong(f"datePublished is {top.get('datePublished')}, the dataset id says {day}")
    if dataset["id"] not in _list(top.get("identifier")):
        wrong(f"identifier is {top.get('identifier')}, {dcat.DATASET} gives {dataset['id']}")
    for name in sorted(set(PROFILES) - _references({"x": top.get("conformsTo")})):
        wrong(f"the release does not conform to {name}")
    if _references({"x": top.get("mainEntity")}) != {WORKFLOW}:
        wrong(f"mainEntity is not {WORKFLOW}")
    absent = {"File", "SoftwareSourceCode", "ComputationalWorkflow"} - {
        t for t in _list(main.get("@type")) if isinstance(t, str)
    }
    if absent:
        wrong(f"{WORKFLOW} is no {', '.join(sorted(absent))}")
    code = by_id.get(CODE, {}).get("value")
    if code != dataset.get("code_sha256"):
        wrong(f"the SHA-256 of the code is {code}, {dcat.DATASET} gives {dataset.get('code_sha256')}")
    actions = [e for e in entities if "CreateAction" in _list(e.get("@type"))]
    if not any(_references({"x": action.get("instrument")}) == {WORKFLOW} for action in actions):
        wrong(f"no CreateAction has {WORKFLOW} as its instrument")
    described = set()
    for entity in entities:
        if "File" not in _list(entity.get("@type")):
            continue
        name = str(entity["@id"])
        path, size = unquote(name), str(entity.get("contentSize", ""))
        described.add(path)
        if urlsplit(name).scheme or name.startswith(("/", "#")):
            wrong(f"{name} is no file of the folder")
        elif not (size.isascii() and size.isdigit()):
            wrong(f"{path} has no contentSize")
        else:
            found += differences(
                root, File(path, int(size), str(entity["sha256"]) if "sha256" in entity else None), NAME, digests
            )
    for path in sorted(set(manifest.files(root)) - described - NOT_DESCRIBED):
        wrong(f"{path} is not listed")
    reached = _parts(by_id)
    for path in sorted(described):
        if quote(path) not in reached:
            wrong(f"{path} is no part of the release")
    return found


# Names outside the crate that an entity may refer to.
_ELSEWHERE = frozenset(
    {
        BASE_PROFILE,
        BIOSCHEMAS,
        BIOSCHEMAS,
        "https://doi.org/10.1093/bioinformatics/bts480",
        "https://snakemake.readthedocs.io",
    }
)


def _list(value: object) -> list:
    return value if isinstance(value, list) else [] if value is None else [value]


def _references(entity: Mapping) -> set[str]:
    """The names an entity refers to."""
    return {
        str(value["@id"])
        for key, values in entity.items()
        if key != "@id"
        for value in _list(values)
        if isinstance(value, dict) and "@id" in value
    }


def _parts(by_id: Mapping[str, Mapping]) -> set[str]:
    """What is part of the release, directly or within a folder."""
    reached: set[str] = set()
    todo = ["./"]
    while todo:
        for name in _references({"x": by_id.get(todo.pop(), {}).get("hasPart")}) - reached:
            reached.add(name)
            todo.append(name)
    return reached
