"""What a run that made a release says at its end, to those at the terminal: who counts, what is public."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from goe.rules.site_filters import RULES

_PEOPLE, _EXACT = "work/sample_qc/keep.ledger.json", "work/release/ledger.json"
_PAGES = "work/sample_qc/cohort.html", "release/report.html"


def words(outdir: str | Path) -> list[str]:
    """Lines, of numbers and names of strata, reasons and filters; none names a person. outdir: of the run.

    The numbers of people are exact, as in work/: the terminal is the country's.
    """
    folder = Path(outdir)
    people, exact = _read(folder / _PEOPLE), _read(folder / _EXACT)
    qc, shown = _read(folder / "release/qc/summary.json"), _read(folder / "release/disclosure/disclosure.json")
    counts, total = people["out"].get("people", 0), people["in"].get("people", 0)
    left_out = people["dropped"].get("people", {})
    lines = [f"{counts} of {total} people count{_listed(exact['people'])}; left out{_listed(left_out) or ': nobody'}"]
    if hidden := exact["strata_not_published"]:
        lines.append(f"strata of too few people, not published: {', '.join(hidden)}")
    whole, some, none = (
        shown[key] for key in ("alleles_with_all_strata", "alleles_with_some_strata", "alleles_withheld")
    )
    by_filter = qc["alleles_by_filter"]
    passed = by_filter.get("PASS", 0)
    lines.append(f"site alleles: {whole} with all strata, {some} with some, {none} withheld; {passed} are PASS")
    if not whole + some:
        lines.append(
            "NO allele is published: see docs/disclosure.md on strata, and who was left out, on the page below"
        )
    elif not passed:
        lines.append(f"NO allele is PASS{_listed({k: n for k, n in by_filter.items() if k != 'PASS'})}")
        if of_input := sorted({*by_filter} - {*RULES, "PASS"}):
            names = ", ".join(of_input)
            lines.append(f"{names}: FILTER of the inputs. Where it is no fault: variant_qc.accept_filters: [{names}]")
    lines.append("look at " + " and ".join(str(folder / page) for page in _PAGES))
    return lines


def _read(path: Path) -> Mapping[str, Any]:
    return json.loads(path.read_text())


def _listed(numbers: Mapping[str, int]) -> str:
    """`: EE_F 3, EE_M 4`; nothing where there are none."""
    parts: Iterable[str] = (f"{name} {n}" for name, n in sorted(numbers.items()) if n)
    text = ", ".join(parts)
    return f": {text}" if text else ""
