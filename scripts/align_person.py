"""Rule align_person: one person's CRAM, from units of reads or the file that was given, and what tools tell of it."""

import shutil
from pathlib import Path

from goe.calls import cram_of_person, lanes, reads_quality
from goe.core import files, logs, seal
from goe.core.ledger import Ledger

source, params, output = snakemake.input, snakemake.params, snakemake.output
sample, units = params.sample, params.units
given = [path for unit in units for path in unit["reads"]]
# In bytes of the input: sorted units 1.3, what sorting the last of them takes up to 1.3, the CRAM less than 1.
room = files.size(given) * (2 if params.adopted else 4)
with (
    logs.to(snakemake.log),
    seal.job(snakemake),
    files.scratch(output.cram, snakemake.config.get("scratch"), room) as scratch,
):
    ledger = Ledger("align_person")
    target = cram_of_person.Target(f"{scratch}/{sample}.cram", source.fasta, snakemake.threads)
    Path(output.fastp).mkdir(parents=True, exist_ok=True)
    if params.adopted:
        settings = (params.cram, params.rename, params.ignore_contigs)
        cram_of_person.adopt(given, sample, *settings, target, ledger)
    else:
        index = str(Path(source.index[0]).with_suffix(""))
        lanes.to_cram(units, index, output.fastp, sample, scratch, target, ledger)
    target.index(f"{target.path}.crai", ledger)
    cram = (target.path, source.fasta)
    with logs.stage("depth and statistics"):
        prefix = output.summary.removesuffix(".mosdepth.summary.txt")
        reads_quality.depth(*cram, prefix, snakemake.threads)
        reads_quality.coverage(*cram, source.autosomes, output.coverage, snakemake.threads)
        reads_quality.stats(*cram, output.stats, snakemake.threads)
    for made, place in ((target.path, output.cram), (f"{target.path}.crai", output.crai)):
        shutil.move(made, place)
    ledger.write(output.ledger)
