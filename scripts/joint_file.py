"""Rule joint_file: one pass over a joint VCF or BCF, which tells how many records each region has."""

import json
from pathlib import Path

from goe.calls import scan
from goe.core import logs, seal
from goe.genome import build
from goe.hts import indexes

params = snakemake.params
with logs.to(snakemake.log), seal.job(snakemake):
    regions = {name: build.Region(*region) for name, region in params.regions.items()}
    found, ledger = scan.scan(snakemake.input.file, params.rename, params.contigs, regions)
    scan.hold_contigs(snakemake.input.file, found, params.planned)
    if index := indexes.of_vcf(snakemake.input.file):
        indexes.hold(snakemake.input.file, index, ledger.taken["records"])
    said = {"path": snakemake.input.file, "regions": dict(sorted(found.items())), "ledger": ledger.as_dict()}
    Path(snakemake.output.counts).write_text(json.dumps(said, indent=1) + "\n")
