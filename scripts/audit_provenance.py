"""What the release to audit says of how it was made, against what is here."""

import json
from itertools import chain
from pathlib import Path

from goe.audit import provenance
from goe.compare import release
from goe.core import code_digest, logs, manifest, seal, tables
from goe.genome.fasta import Reference
from goe.intake import inputs
from goe.release import notes
from goe.release.metadata import ro_crate
from goe.rules import formats
from goe.settings import sections, sheets
from goe.settings.sections import Config

source, params = snakemake.input, snakemake.params
with logs.to(snakemake.log), seal.job(snakemake):
    people = sheets.read_people(source.people, params.strata["label"], params.strata["columns"]).values()
    listed = inputs.entries(people, chain.from_iterable(map(tables.read, source.digests)))
    record = params.record
    regions = dict(zip(params.regions, source.regions, strict=True))
    files = ro_crate.file_digests(source.guidelines, source.panel, regions)
    versions = {"Snakemake": params.snakemake}
    for path in source.versions:
        versions |= json.loads(Path(path).read_text())
    with Reference(source.fasta) as reference:
        contigs = {name: (reference.lengths[name], reference.m5(name)) for name in params.contigs}
    repeat = provenance.Repeat(
        build=params.build,
        contigs=contigs,
        settings=json.loads(notes.dumps(ro_crate.snapshot(sections.of(Config, params.cfg), files))),
        versions=versions,
        code=manifest.of_list(code_digest.listing()),
        changes=inputs.compare(listed, record, formats.people_key(record)) if record else None,
    )
    found = provenance.compare(release.read(params.folder), repeat)
    Path(snakemake.output.provenance).write_text(notes.dumps(found.as_dict()))
