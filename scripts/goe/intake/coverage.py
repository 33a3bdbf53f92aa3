"""Rows of the sheet of inputs that are reads beside somebody's calls, for their depth alone."""

from collections import Counter
from collections.abc import Container, Iterable

from goe.core.errors import Problem
from goe.rules.dataset import COVERAGE
from goe.settings.sections import Config
from goe.settings.sheets import Input, by_person, with_coverage


def look(inputs: Iterable[Input], people: Container[str], cfg: Config) -> tuple[list[Problem], list[Problem]]:
    """Problems: rows of nobody on the sheet of people, several of one person, none where coverage is asked for. Notes:
    those that nothing is made of. What is wrong with the files is `goe.intake.lint`'s."""
    every = list(inputs)
    rows = [entry for entry in every if entry.input_type == COVERAGE]
    asked, own = cfg.callable_an.coverage_proxy, by_person(every)
    given, used = Counter(entry.sample_id for entry in rows), with_coverage(every)
    problems, notes = [], []
    for entry in rows:
        name, where = entry.sample_id, f"{cfg.inputs} row {entry.row}, sample {entry.sample_id}"
        if name not in people:
            problems.append(Problem(where, f"not on the sheet {cfg.samples}", "add a row"))
        if given[name] > 1 and used.get(name) == entry:
            what = f"{given[name]} files of type {COVERAGE}"
            problems.append(Problem(where, what, "make one of them: samtools merge"))
        if asked and name in own and name not in used:
            what = (
                f"reads of type {COVERAGE}, and input type {own[name][0].input_type}, which tells where they are called"
            )
            notes.append(Problem(where, f"{what}: nothing is made of these reads", "take the row out"))
    if rows and not asked:
        what = f"{len(rows)} rows of type {COVERAGE}: nothing is made of them"
        notes.append(Problem(cfg.inputs, what, "set callable_an.coverage_proxy: true in the config"))
    if asked and not used:
        what = f"is true, and nobody whose calls are in a joint or single-sample VCF has reads of type {COVERAGE}"
        mend = f"add rows to {cfg.inputs}, or set it to false"
        problems.append(Problem("config callable_an.coverage_proxy", what, mend))
    return problems, notes
