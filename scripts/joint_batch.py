"""Rule joint_batch: genotypes of a batch of people at the variant sites of a region."""

import tempfile
from pathlib import Path

from goe.calls import joint
from goe.core import logs, seal
from goe.core.errors import GoeError, Problem
from goe.core.processes import pipeline, tool

params, output = snakemake.params, snakemake.output
with logs.to(snakemake.log), seal.job(snakemake), tempfile.TemporaryDirectory(dir=Path(output.bcf).parent) as scratch:
    contig, start, end = params.region
    where = f"{contig}:{start}-{end}"
    parts = [snakemake.input.sites, *Path(snakemake.input.people).read_text().splitlines()]
    pipeline(
        joint.merge(parts, scratch, where, "--gvcf", snakemake.input.fasta),
        # Blocks between the sites have no ALT; a deletion that began before the region has its POS there.
        ["bcftools", "view", "--no-version", "-t", where, "--targets-overlap", "0", "-i", "N_ALT>0", "-Ob"]
        + ["-o", output.bcf, "-"],
    )
    tool("bcftools", "index", "-f", output.bcf)
    sites, records = joint.count(snakemake.input.sites), joint.count(output.bcf)
    if sites != records:
        raise GoeError(
            Problem(
                f"{snakemake.wildcards.batch} of {where}",
                f"{records} records where the region has {sites} sites",
                "a fault in goe: please report it with the versions used",
            )
        )
