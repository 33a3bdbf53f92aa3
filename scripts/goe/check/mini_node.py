"""The header of a mini-node VCF, against what the reader of gdi-mini-node 0.9.1 takes."""

import re
from pathlib import Path

from goe.core.errors import Problem
from goe.frequencies import strata as st
from goe.release import reading
from goe.release.formats import sites_vcf
from goe.rules.stratum import LABEL

STANDARD = ("AF", "AC", "AC_Het", "AC_Hom", "AC_Hemi", "AN")
_AGAIN = "get the file again"
_POPULATION = re.compile(rf"^(AC|AN|AF)_({LABEL}_[MF])(?:_(Hom|Het|Hemi))?$")


def check_header(path: str | Path, profile: str) -> list[Problem]:
    """INFO lines on which the reader would stop, or which it would leave out."""
    problems = []
    standard: set[str] = set()
    found: dict[str, set[str]] = {}
    header = reading.vcf_header(path)
    declared = {one.row: one for one in header.declarations if one.kind == "INFO"}
    for row, line in enumerate(header.lines, 1):
        if not line.startswith("##INFO"):
            continue
        if row not in declared or [*declared[row].values][:3] != ["ID", "Number", "Type"]:
            problems.append(Problem(str(path), f"INFO line that cannot be read: {line[:80]}", _AGAIN))
            continue
        name, number = declared[row].id, declared[row].number
        parts = _POPULATION.match(name)
        if name in STANDARD:
            standard.add(name)
        elif parts and profile == "strata" and not (parts[3] and parts[1] != "AC"):
            found.setdefault(parts[2], set()).add("_".join(filter(None, (parts[1], parts[3]))))
        else:
            problems.append(Problem(str(path), f"INFO {name} is not for gdi-mini-node", "take it out"))
            continue
        right = "1" if name.startswith("AN") else "A"
        if number != right:
            problems.append(Problem(str(path), f"INFO {name} has Number={number}, not {right}", _AGAIN))
    for label, names in [("", standard), *sorted(found.items())]:
        for name in sorted(set(STANDARD) - names):
            tag = sites_vcf.tag_name(name, label or st.TOTAL)
            problems.append(Problem(str(path), f"INFO {tag} is missing", _AGAIN))
    return problems
