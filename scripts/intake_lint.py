"""Rules lint and intake_lint: look at every input and tell every problem; intake_lint writes what later stages need."""

import os
import sys

from goe.core import logs, seal, tables
from goe.core.errors import GoeError, write_table
from goe.intake import lint, tools
from goe.intake import load as intake

# The log has the notes too, but nobody looks into the log of what went well.
terminal = os.fdopen(os.dup(2), "w")
if looked := snakemake.params.get("looked"):
    # By the run itself, before its first job, and the notes stand above.
    print(f"lint: no problem; notes: {looked[0]}, also in {snakemake.params.table}", file=terminal)
    sys.exit()
with logs.to(snakemake.log), seal.job(snakemake):
    # Not parameters: a change of what only this looks at must not make again what others made.
    cfg, people, inputs, build, _ = intake.load(snakemake.config)
    problems, notes, known = lint.lint(
        cfg, people, inputs, build, m5_cache=snakemake.params.m5_cache, threads=snakemake.threads
    )
    old, absent = tools.look(snakemake.params.get("called", ()))
    problems, notes = old + problems, absent + notes
    # Snakemake takes away the outputs of a job that failed, so the list is no output of a rule.
    write_table(snakemake.params.table, problems, notes)
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    if problems:
        raise GoeError(problems)
    if snakemake.rule.endswith("intake_lint"):
        tables.write(snakemake.output.sources, lint.sources_table(known))

for note in notes:
    print(f"note: {note}", file=terminal)
print(f"lint: no problem; notes: {len(notes)}, also in {snakemake.params.table}", file=terminal)
