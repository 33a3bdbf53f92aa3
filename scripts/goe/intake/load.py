"""Everything a run is told, read together before any job: every problem of it at once.

Each job reads the Snakefile again, so this is light as long as all is well, and a job takes the sheets as the process
that planned it has read them (`goe.intake.kept`). When something is wrong, the data files are
looked at too (`goe.intake.lint`), as far as the rest can be read, so that one round shows all.
"""

import contextlib
import json
import os
import re
import sys
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from goe.core import manifest
from goe.core.errors import GoeError, Problem, write_table
from goe.genome import build
from goe.genome.build import Build
from goe.hts import plain
from goe.intake import kept, tools
from goe.intake.stamps import Stamps, of
from goe.rules.dataset import DatasetId
from goe.settings import config, sheets
from goe.settings.sections import Config
from goe.settings.sheets import Input, Person

TABLE, M5_CACHE = "work/intake/lint.tsv", "m5.json"
_LOOKED, _SHEETS = "looked.json", "sheets.json"
# Of VerifyBamID2; workflow/rules/align.smk names them as inputs.
PANEL = (".UD", ".mu", ".bed")


class Loaded(NamedTuple):
    """What a run is made with. sheets: the key of both sheets, as they were just before they were read."""

    cfg: Config
    people: dict[str, Person]
    inputs: list[Input]
    build: Build
    sheets: str


def load(raw: Mapping, job: bool = False) -> Loaded:
    """Config, people, inputs and build. raw: what YAML gave; job: take the sheets that the run has kept.

    GoeError with every problem, which are in `TABLE` below outdir too.
    """
    cfg, problems = config.read(raw)
    key = ""
    if not config.wrong_sections(problems) & {"samples", "inputs", "strata"}:
        with contextlib.suppress(OSError):
            key = kept.key(cfg)
    if job and key and not problems and (found := kept.load(_intake(cfg) / _SHEETS, key)):
        with contextlib.suppress(GoeError):
            return Loaded(cfg, *found, build_of(cfg), key)
    wrong = config.wrong_sections(problems)
    people, reference = None, None
    inputs: list[Input] = []
    rows: list[Problem] = []
    if not wrong & {"samples", "strata"}:
        try:
            people = sheets.read_people(cfg.samples, cfg.strata.label, cfg.strata.columns)
        except GoeError as error:
            problems += error.problems
    if "inputs" not in wrong:
        try:
            inputs, rows = sheets.look_at_inputs(cfg.inputs)
        except GoeError as error:
            rows = error.problems
        problems += rows
    if "reference" not in wrong:
        try:
            reference = build_of(cfg)
        except GoeError as error:
            problems += error.problems
    problems += _files(cfg, wrong)
    if problems or people is None or reference is None:
        table = Path(cfg.outdir) / TABLE if Path(cfg.outdir).is_dir() and os.access(cfg.outdir, os.W_OK) else None
        # With a row or a sheet missing, many people would be told to have no data, or to be on no sheet.
        valid_people = None if rows or "inputs" in wrong else people
        problems += _later(cfg, valid_people, inputs, reference, wrong, table and table.with_name(M5_CACHE))
        problems = list(dict.fromkeys(problems))
        if table:
            write_table(table, problems, [])
        raise GoeError(problems)
    return Loaded(cfg, people, inputs, reference, key)


def _intake(cfg: Config) -> Path:
    return Path(cfg.outdir) / "work" / "intake"


def build_of(cfg: Config) -> Build:
    """The build of the reference that the config names; GoeError with every problem of it."""
    reference = cfg.reference
    return build.load_build(
        *(reference.fasta, reference.build, reference.par, reference.contigs),
        *(reference.ignore_contigs, reference.leave_out),
    )


def _files(cfg: Config, wrong: set[str]) -> list[Problem]:
    """What is wrong with files and folders that the rules name, and would miss in words of Snakemake's own."""
    problems = []
    if "outdir" not in wrong:
        try:
            Path(cfg.outdir).mkdir(parents=True, exist_ok=True)
            problem = "" if os.access(cfg.outdir, os.W_OK | os.X_OK) else "cannot be written in by you"
        except OSError as error:
            problem = f"cannot be made: {error.strerror}"
        if problem:
            problems.append(Problem(f"config outdir {cfg.outdir}", problem, "name a folder where you may write"))
    if not wrong & {"outdir", "dataset"}:
        problems += _standing(Path(cfg.outdir) / "release", cfg.dataset.id)
    if cfg.audit is not None and not wrong & {"audit", "outdir"}:
        problems += _audited(Path(cfg.audit), Path(cfg.outdir) / "release")
    panel = cfg.sample_qc.contamination_panel
    for path in [f"{panel}{suffix}" for suffix in PANEL] if panel else []:
        if not Path(path).is_file():
            mend = "give the prefix of the panel: its files are " + ", ".join(f"PREFIX{suffix}" for suffix in PANEL)
            problems.append(Problem(f"config sample_qc.contamination_panel {path}", "no such file", mend))
    return problems


def _audited(folder: Path, second: Path) -> list[Problem]:
    """What keeps a folder from being audited by a run that writes `second`."""
    where = f"config audit {folder}"
    if not (folder / manifest.NAME).is_file():
        return [Problem(where, f"has no {manifest.NAME}, so it is no whole release", "give the folder of a release")]
    if folder.resolve() == second.resolve():
        return [Problem(where, "is the folder that this run writes", "move it elsewhere, and name its new place")]
    return []


def _standing(release: Path, dataset: str) -> list[Problem]:
    """A release of another id where this one would go.

    Its files would be written over one by one, and the last job would find the rest of them in its way.
    """
    found = {match[0] for path in release.glob("*/*") if (match := re.match(DatasetId.PATTERN, path.name))}
    # Where there is none, or it is cut off, the names of the files tell as much.
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        found.add(json.loads((release / "metadata" / "dataset.json").read_text())["id"])
    return [
        Problem(
            f"config dataset.id {dataset}",
            f"{release} holds {old}",
            f"move {release} and {release.parent / 'work/release'}/people.tsv and people.key away and name them as "
            "previous_release and previous_people, or remove them if nobody got that release",
        )
        for old in sorted(found - {dataset})
    ]


def _later(
    cfg: Config,
    people: dict[str, Person] | None,
    inputs: list[Input],
    reference: Build | None,
    wrong: set[str],
    m5_cache: Path | None,
) -> list[Problem]:
    """What the rule intake_lint would say of the data files and of the release."""
    try:
        from goe.intake import lint
    except ImportError as error:
        return [Problem("data files", f"not looked at, for want of {error.name}", "mend the rest, and run this again")]
    if inputs:
        print(f"goe: something is wrong; {len(inputs)} inputs are looked at, to tell all at once", file=sys.stderr)
    cfg = replace(cfg, reference=replace(cfg.reference, fasta=cfg.reference.fasta or "the FASTA"))
    return lint.lint(cfg, people, inputs, reference, m5_cache, wrong=wrong)[0]


def look(loaded: Loaded, stamps: Stamps, threads: int, called: Collection[str] = (), anew: bool = False) -> int:
    """Every problem of every input, before the first job; GoeError with all of them. Notes are shown; their number.

    called: tools that jobs take from PATH. Unless `anew`, no input is looked at when nothing has changed since all was
    well: configuration, sheets, files, code. Leaves the stamps of the cohort and the sheets for the jobs.
    """
    cfg, folder = loaded.cfg, _intake(loaded.cfg)
    stamps.save(folder / "stamps.json")
    kept.save(folder / _SHEETS, loaded.sheets, loaded.people, loaded.inputs)
    looked, key = folder / _LOOKED, of(cfg, stamps.release)
    problems, notes = tools.look(called)
    with contextlib.suppress(OSError, ValueError):
        no_key = plain.key_problems(path for entry in loaded.inputs for path in entry.paths)
        unchanged = json.loads(looked.read_text()) == key
        if not anew and unchanged and not problems and not no_key:
            return len(notes)
    from goe.intake import lint

    of_inputs, advice, _ = lint.lint(cfg, loaded.people, loaded.inputs, loaded.build, folder / M5_CACHE, threads)
    problems, notes = problems + of_inputs, notes + advice
    table = Path(cfg.outdir) / TABLE
    write_table(table, problems, notes)
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    if problems:
        raise GoeError(problems)
    looked.write_text(json.dumps(key) + "\n")
    return len(notes)
