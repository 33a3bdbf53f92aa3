"""Rule intake_lint: look at every input; write what later stages need to know, or every problem."""

import json
import sys
from pathlib import Path

from goe import build, lint, logs, sheets
from goe.errors import GoeError

with logs.to(snakemake.log):
    cfg = snakemake.params.cfg
    people = sheets.read_people(snakemake.input.samples, cfg["strata"]["label"], cfg["strata"]["columns"])
    inputs = sheets.read_inputs(snakemake.input.inputs)
    problems, notes, intake = lint.lint(
        cfg,
        people,
        inputs,
        build.load_build(cfg),
        m5_cache=snakemake.params.m5_cache,
        threads=snakemake.threads,
    )
    # Snakemake takes away the outputs of a job that failed, so the list is no output of the rule.
    table = Path(snakemake.params.table)
    rows = [("level", "where", "what", "mend")]
    rows += [("problem", p.where, p.what, p.mend) for p in problems]
    rows += [("note", n.where, n.what, n.mend) for n in notes]
    table.write_text("".join("\t".join(" ".join(c.split()) for c in row) + "\n" for row in rows))
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    if problems:
        raise GoeError(problems)
    Path(snakemake.output.intake).write_text(json.dumps(intake, indent=1, sort_keys=True) + "\n")
    Path(snakemake.output.people).write_text("".join("\t".join(row) + "\n" for row in lint.people_table(intake)))
