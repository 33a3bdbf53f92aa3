"""The release to audit against the second run: what is the same, what differs, and what can explain it."""

import json
from pathlib import Path

from goe.audit import report
from goe.audit.provenance import Provenance
from goe.core import logs, seal, tables
from goe.release import notes

source, output = snakemake.input, snakemake.output
with logs.to(snakemake.log), seal.job(snakemake):
    found = report.make(
        snakemake.params.folder,
        Path(source.second).parent,
        Provenance.of_dict(json.loads(Path(source.provenance).read_text())),
        tables.read(source.keep),
        tables.read_people(source.people),
        snakemake.threads,
    )
    Path(output.json).write_text(notes.dumps(found.as_dict()))
    Path(output.markdown).write_text(found.markdown())
