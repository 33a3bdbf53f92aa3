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


_INFO = re.compile(r"^##INFO=<ID=([^,>]+),Number=([^,>]+),Type=([^,>]+),")


_POPULATION = re.compile(rf"^(AC|AN|AF)_({LABEL}_[MF])(?:_(Hom|Het|Hemi))?$")


def check_header(path: str | Path, profile: str) -> list[Problem]:
    """INFO lines on which the reader would stop, or which it would leave out."""
    problems = []
    standard, found = set(), {}
    for line in reading.vcf_header(path):
        match = _INFO.match(line)
        if not match:
            if line.startswith("##INFO"):
                problems.append(Problem(str(path), f"INFO line that cannot be read: {line[:80]}", _AGAIN))
            continue
        name, number, _ = match.groups()
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
