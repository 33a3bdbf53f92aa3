"""Which datasets can be added up: what has to agree is what most of them say, and who says otherwise is refused."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from goe.collect.dataset import Dataset
from goe.collect.sheet import RESTRICTED, Settings
from goe.core.errors import Problem
from goe.genome.build import canonical
from goe.rules.dataset import DatasetId

TERMS = ("build", "counting_rules", "genotype_filter", "normalisation", "par")
"""What has to agree, contigs beside it."""
_WORDS = {"counting_rules": "version of the counting rules", "genotype_filter": "filter of genotypes"}
_WORDS |= {"par": "table of pseudo-autosomal regions"}
_APART = "add up those that agree apart from it, or have it made again"


def judge(datasets: Sequence[Dataset], settings: Settings) -> None:
    """Refuse, in place, every dataset that must not be added to the others; no other is touched.

    Datasets that were refused before have no say. The same is not asked of what a dataset does not say (None): it is
    told as not said.
    """
    if settings.open:
        for one in datasets:
            if one.kind == RESTRICTED:
                what = "is a restricted product, and collect.yaml names no agreement (restricted.legal_basis)"
                one.problems.append(Problem(one.name, what, "take its public release, or name the agreement"))
    for one, problem in list(_twins([d for d in datasets if not d.refused])):
        one.problems.append(problem)
    for one, problem in list(_disagreeing([d for d in datasets if not d.refused])):
        one.problems.append(problem)


def _twins(datasets: Sequence[Dataset]) -> Iterator[tuple[Dataset, Problem]]:
    """Datasets of which the people, or some of them, would count twice: none of them can be taken without asking."""

    def pairs(key: Callable[[Dataset], Any], what: str, mend: str) -> Iterator[tuple[Dataset, Problem]]:
        groups: dict[Any, list[Dataset]] = {}
        for one in datasets:
            groups.setdefault(key(one), []).append(one)
        for value, group in groups.items():
            for one in group if value is not None else ():
                others = ", ".join(other.name for other in group if other is not one)
                if others:
                    yield one, Problem(one.name, f"{what} {others}", mend)

    def series(one: Dataset) -> tuple[str, str, str] | None:
        found = DatasetId.parse(one.id)
        return (found.prefix, found.country, found.org) if found else None

    keep = "keep one of them on the sheet"
    yield from pairs(series, "is of the same country and organisation as", f"two releases of one dataset: {keep}")
    yield from pairs(lambda one: one.numbers or None, "has the same numbers as", f"the same people twice: {keep}")


def _disagreeing(datasets: Sequence[Dataset]) -> Iterator[tuple[Dataset, Problem]]:
    for term in TERMS:
        right = _usual([one.terms.get(term) for one in datasets])
        for one in datasets:
            value = one.terms.get(term)
            if value is not None and value != right:
                what = f"{_WORDS.get(term, term)} is {_short(value)}, that of the others is {_short(right)}"
                yield one, Problem(one.name, what, _APART)
    found: dict[str, list[tuple[Dataset, tuple]]] = {}
    for one in datasets:
        for contig in one.terms["contigs"]:
            name = canonical(contig["name"]) or contig["name"]
            found.setdefault(name, []).append((one, (contig["name"], contig["length"], contig.get("md5"))))
    reported: set[int] = set()
    for group in found.values():
        whole = _usual([given for _, given in group if given[2]]) or _usual([given for _, given in group])
        for one, given in group:
            if given[:2] != whole[:2] or (given[2] and given[2] != whole[2]):
                if one.number not in reported:
                    what = f"contig {_contig(given)}, that of the others is {_contig(whole)}"
                    yield one, Problem(one.name, what, _APART)
                reported.add(one.number)


def _usual(values: Sequence[Any]) -> Any:
    """The value that most of them have, the first of those with equal numbers; None where nobody says any."""
    stated = [value for value in values if value is not None]
    counts = Counter(map(repr, stated))
    return max(stated, key=lambda value: counts[repr(value)], default=None)


def _contig(given: tuple) -> str:
    name, length, md5 = given
    return f"{name} of {length} bases" + (f", MD5 {md5}" if md5 else "")


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {word}" for key, word in sorted(value.items()))
    text = str(value)
    return text if len(text) <= 120 else f"{text[:120]}..."
