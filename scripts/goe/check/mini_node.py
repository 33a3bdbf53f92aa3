"""The header of a mini-node VCF, against what the reader of gdi-mini-node 0.9.1 takes."""

from pathlib import Path

from goe.core.errors import Problem
from goe.hts.vcf_header import VcfHeader
from goe.release import reading

STANDARD = ("AF", "AC", "AC_Het", "AC_Hom", "AC_Hemi", "AN")
_AGAIN = "get the file again"


def check_header(path: str | Path, header: VcfHeader | None = None) -> list[Problem]:
    """INFO lines on which the reader would stop, or which it would leave out. header: of the file, where it was read
    before."""
    problems = []
    found: set[str] = set()
    header = header or reading.vcf_header(path)
    declared = {one.row: one for one in header.declarations if one.kind == "INFO"}
    for row, line in enumerate(header.lines, 1):
        if not line.startswith("##INFO"):
            continue
        if row not in declared or [*declared[row].values][:3] != ["ID", "Number", "Type"]:
            problems.append(Problem(str(path), f"INFO line that cannot be read: {line[:80]}", _AGAIN))
            continue
        name, number = declared[row].id, declared[row].number
        if name not in STANDARD:
            problems.append(Problem(str(path), f"INFO {name} is not for gdi-mini-node", "take it out"))
            continue
        found.add(name)
        right = "1" if name == "AN" else "A"
        if number != right:
            problems.append(Problem(str(path), f"INFO {name} has Number={number}, not {right}", _AGAIN))
    return problems + [Problem(str(path), f"INFO {n} is missing", _AGAIN) for n in sorted(set(STANDARD) - found)]
