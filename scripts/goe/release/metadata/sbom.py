"""The software that a release was made with, as a bill of materials: CycloneDX 1.6 in JSON (ECMA-424).

Of what ran: goe by the digest of its code, Snakemake, the programs and Python with their versions, the Python packages
that goe needs, and what these need, with version and licence as they say themselves; and the lists from which
environments are made, by their digests (of each file that pip may install, requirements.lock has its own). The document
has no number and no time of its own, so that the same software gives the same bytes.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata

from goe import __version__
from goe.core import code_digest, manifest
from goe.core.errors import GoeError, Problem

NAME = "provenance/sbom.cdx.json"
# https://cyclonedx.org/schema/bom-1.6.schema.json
_FORMAT, _VERSION = "CycloneDX", "1.6"
# As pip normalises names (PEP 503).
_PLAIN = re.compile(r"[-_.]+")
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_RELEASE = re.compile(r"[0-9][0-9A-Za-z.+!_-]{0,48}")
# PEP 508: name, extras, versions, marker.
_NEEDS = re.compile(r"\s*([A-Za-z0-9._-]+)[^;]*(?:;(.*))?")
# Names of licences in the classifiers of old, and what some packages write, by their SPDX identifiers. `BSD License` is
# not among them: it may be any of three.
_SPDX = {
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
# Packages whose metadata are not enough, by the text of their licence.
_BY_TEXT = {"jinja2": "BSD-3-Clause", "numba": "BSD-2-Clause", "scipy": "BSD-3-Clause"}
# SPDX identifiers that a bill may hold: a word of a release is one of goe's own. Behind them operators and parentheses.
LICENCES = {
    *("0BSD", "AFL-2.1", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "GPL-3.0-only"),
    *("GPL-3.0-or-later", "HPND", "ISC", "LGPL-2.1-only", "LGPL-3.0-only", "LLVM-exception", "MIT", "MIT-0", "MPL-2.0"),
    *("PSF-2.0", "Python-2.0", "Unlicense", "W3C", "W3C-20150513", "Zlib"),
}
_WORD = re.compile(r"[^\s()]+")
_OPERATORS = ("AND", "OR", "WITH")
NEEDED = (
    *("crypt4gh", "cryptography", "cyvcf2", "isal", "jinja2", "jsonschema", "llvmlite", "markupsafe", "numba", "numpy"),
    *("pyarrow", "pyshacl", "pysam", "pyyaml", "rdflib", "scipy"),
)
"""The packages that goe imports; not every environment has them all."""
UNKNOWN = "NOASSERTION"
"""Licence of a package that does not say which (SPDX 2.3, section 3.13)."""


@dataclass(frozen=True, order=True)
class Package:
    """A Python package: name as pip has it, version, `licence` of its metadata, names of those that it needs."""

    name: str
    version: str
    licence: str
    needs: tuple[str, ...] = ()


def plain(name: str) -> str:
    """The name of a package as pip compares it."""
    return _PLAIN.sub("-", name).lower()


def needed(requirements: Iterable[str]) -> list[str]:
    """Names of the packages that requirements (PEP 508) ask for, those of extras left out."""
    found = (match for text in requirements if (match := _NEEDS.match(text)))
    return sorted({plain(match[1]) for match in found if "extra" not in (match[2] or "")})


def licence(name: str, about: metadata.PackageMetadata | Mapping[str, str], classifiers: Iterable[str] = ()) -> str:
    """SPDX expression of what the metadata of a package say of its licence; UNKNOWN where that is none of LICENCES."""
    told = [one.rpartition(" :: ")[2] for one in classifiers if one.startswith("License :: OSI Approved :: ")]
    said = [about[key].strip() for key in ("License-Expression", "License") if key in about]
    words = [_SPDX.get(text, text) for text in (*said, *told, _BY_TEXT.get(name, UNKNOWN))]
    return next((text for text in words if is_spdx(text)), UNKNOWN)


def is_spdx(text: str) -> bool:
    """Whether a text has licences of LICENCES alone, and one at least."""
    words = [word for word in _WORD.findall(text) if word not in _OPERATORS]
    return bool(words) and len(text) < 400 and set(words) <= LICENCES


def installed(wanted: Iterable[str]) -> list[Package]:
    """Those of the packages that this Python has, and of those that they need; sorted by name."""
    found: dict[str, Package] = {}
    todo = list(wanted)
    while todo:
        name = plain(todo.pop())
        if name in found:
            continue
        try:
            one = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        about = one.metadata  # whose file is read each time that it is asked for
        needs = needed(one.requires or [])
        spoken = licence(name, about, about.get_all("Classifier") or [])
        found[name] = Package(name, about["Version"], spoken, tuple(needs))
        todo += needs
    return [replace(one, needs=tuple(name for name in one.needs if name in found)) for one in sorted(found.values())]


def document(packages: Sequence[Package], programs: Mapping[str, str], snakemake: str) -> dict:
    """The bill. programs: name -> version of what ran beside Python packages, which are left out of it."""
    have = {package.name for package in packages}
    tools = {name: version for name, version in programs.items() if plain(name) not in have} | {"snakemake": snakemake}
    listed = manifest.of_list(code_digest.listing())
    lists = {path: digest for path, digest in listed.items() if path.startswith("envs/") or path == "requirements.lock"}
    components: list[dict] = [
        {"type": "application", "bom-ref": _url("generic", name, version), "name": name, "version": version}
        for name, version in sorted(tools.items())
    ]
    for package in packages:
        said: dict = {"type": "library", "bom-ref": _of(package), "name": package.name, "version": package.version}
        words = package.licence
        said["licenses"] = [{"license": {"name": words}} if words == UNKNOWN else {"expression": words}]
        components.append(said | {"purl": _of(package)})
    components += [
        {"type": "file", "bom-ref": path, "name": path, "hashes": [_sha256(digest)]} for path, digest in lists.items()
    ]
    urls = {package.name: _of(package) for package in packages}
    return {
        "bomFormat": _FORMAT,
        "specVersion": _VERSION,
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "goe",
                "name": "goe",
                "version": __version__,
                "hashes": [_sha256(code_digest.digest())],
                "licenses": [{"license": {"id": "MIT"}}],
            }
        },
        "components": components,
        "dependencies": [
            {"ref": "goe", "dependsOn": [part["bom-ref"] for part in components]},
            *({"ref": urls[p.name], "dependsOn": [urls[name] for name in p.needs]} for p in packages if p.needs),
        ],
    }


def _sha256(digest: str) -> dict[str, str]:
    return {"alg": "SHA-256", "content": digest}


def _of(package: Package) -> str:
    return _url("pypi", package.name, package.version)


def _url(kind: str, name: str, version: str) -> str:
    """Package URL (ECMA-427)."""
    return f"pkg:{kind}/{name}@{version}".replace("+", "%2B")


def packages_of(content: Mapping) -> list[Package]:
    """The packages that a bill lists. GoeError where one is not told as `document` tells it."""
    try:
        urls = {part["bom-ref"]: part["name"] for part in content["components"] if part["type"] == "library"}
        needs = {one["ref"]: tuple(urls[url] for url in one["dependsOn"]) for one in content["dependencies"][1:]}
        found = []
        for part in content["components"]:
            if part["type"] == "library":
                (said,) = part["licenses"]
                words = said["expression"] if "expression" in said else said["license"]["name"]
                found.append(Package(part["name"], part["version"], words, needs.get(part["bom-ref"], ())))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise GoeError(Problem(NAME, f"does not name its packages: {error!r}", "make the release again")) from None
    for one in found:
        known = one.licence == UNKNOWN or is_spdx(one.licence)
        if not (known and _NAME.fullmatch(one.name) and _RELEASE.fullmatch(one.version)):
            what = f"{one.name[:99]!r} is no package with a version and a licence"
            raise GoeError(Problem(NAME, what, "do not publish the release: report it"))
    return found


def dumps(content: Mapping) -> str:
    """The text of the file."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
