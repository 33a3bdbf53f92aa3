"""Rule align_person: one person's CRAM, from units of reads or the file that was given, and what tools tell of it."""

import shutil
from pathlib import Path

from goe.calls import cram_of_person, lanes, reads_quality
from goe.calls.aligners import Aligner
from goe.calls.reports import Reports
from goe.core import files, logs, seal
from goe.core.ledger import Ledger

source, params, output = snakemake.input, snakemake.params, snakemake.output
person, sample = params.person, params.person["sample"]
given = [path for unit in person["units"] for path in unit["reads"]]
reports = Reports.of(output.reports, sample)
# In bytes of the input: sorted units 1.3, what sorting the last of them takes up to 1.3, the CRAM less than 1.
room = files.size(given) * (2 if person["adopted"] else 4)
with (
    logs.to(snakemake.log),
    seal.job(snakemake),
    files.scratch(output.cram, snakemake.config.get("scratch"), room) as scratch,
):
    ledger = Ledger("align_person")
    target = cram_of_person.Target(f"{scratch}/{sample}.cram", source.fasta, snakemake.threads)
    Path(output.reports).mkdir(parents=True, exist_ok=True)
    if person["adopted"]:
        settings = (person["cram"], params.rename, params.ignore_contigs)
        cram_of_person.adopt(given, sample, *settings, target, ledger)
    else:
        aligner = Aligner(params.aligner, params.prefix)
        lanes.to_cram(person["units"], aligner, output.reports, sample, scratch, target, ledger)
    target.index(f"{target.path}.crai", ledger)
    cram = (target.path, source.fasta)
    with logs.stage("depth and statistics"):
        prefix = reports.summary.removesuffix(".mosdepth.summary.txt")
        reads_quality.depth(*cram, prefix, snakemake.threads)
        reads_quality.coverage(*cram, source.autosomes, reports.coverage, snakemake.threads)
        reads_quality.stats(*cram, reports.stats, snakemake.threads)
    for made, place in ((target.path, output.cram), (f"{target.path}.crai", output.crai)):
        shutil.move(made, place)
    ledger.write(reports.ledger)
