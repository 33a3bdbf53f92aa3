"""Rules joint_batch_sites and joint_sites: all variant sites of people, batches or joint VCFs, without genotypes."""

import tempfile
from pathlib import Path

from goe.calls import joint
from goe.core import logs, seal
from goe.core.processes import pipeline, tool

params, output = snakemake.params, snakemake.output
with logs.to(snakemake.log), seal.job(snakemake), tempfile.TemporaryDirectory(dir=Path(output.bcf).parent) as scratch:
    parts = list(snakemake.input.sites)
    commands = [joint.merge(parts, scratch)]
    if params.region:
        contig, start, end = params.region
        where = f"{contig}:{start}-{end}"
        every = joint.joint_files(snakemake.input.intake, snakemake.input.counts)
        files = [file for file in every if file.has(contig)]
        for i, file in enumerate(files):
            cut, part = f"{scratch}/cut{i}.bcf", f"{scratch}/sites{i}.bcf"
            joint.cut(file, contig, start, end, cut, scratch)
            pipeline(
                ["bcftools", "view", "--no-version", "-G", "-i", "N_ALT>0", "-Ou", cut],
                ["bcftools", "annotate", "--no-version", "-x", "ID,FILTER,QUAL,INFO", "-Ob", "-o", part, "-"],
            )
            tool("bcftools", "index", "-f", part)
            parts.append(part)
        commands = [
            joint.merge(parts, scratch, where),
            # A deletion that began before the region has its POS in the region before.
            ["bcftools", "view", "--no-version", "-t", where, "--targets-overlap", "0", "-Ou", "-"],
        ]
    pipeline(*commands, ["bcftools", "view", "--no-version", "-Ob", "-o", output.bcf, "-"])
    tool("bcftools", "index", "-f", output.bcf)
    if not params.region:
        Path(output.people).write_text("".join(f"{path}\n" for path in snakemake.input.people))
