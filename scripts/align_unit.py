"""Rule align_unit: reads of one unit (a FASTQ pair or an unaligned BAM) to a sorted BAM."""

import json
from pathlib import Path

from goe.calls import alignments
from goe.core import files, logs, seal
from goe.core.ledger import Ledger
from goe.core.processes import pipeline

params, output = snakemake.params, snakemake.output
with logs.to(snakemake.log), seal.job(snakemake), files.scratch(output.bam) as scratch:
    index = str(Path(snakemake.input.index[0]).with_suffix(""))
    # -K fixes how many bases are aligned at a time, without which the number of threads changes the alignments.
    bwa = ["bwa", "mem", "-t", snakemake.threads, "-K", "100000000", "-Y"]
    source = list(snakemake.input.reads)
    ledger = Ledger("align_unit")
    if params.unaligned_bam:
        groups = alignments.read_groups(source[0])
        fastq = ["samtools", "fastq", "-n", "-T", "RG", "-"]
        commands = [["samtools", "collate", "-u", "-O", source[0], f"{scratch}/collate"], fastq]
        if groups:
            lines = Path(scratch) / "read_groups.sam"
            lines.write_text("".join(line + "\n" for line in groups))
            commands.append([*bwa, "-p", "-C", "-H", str(lines), index, "-"])
        else:
            commands.append([*bwa, "-p", "-R", alignments.read_group_line(params.read_group), index, "-"])
        ledger.take("reads", alignments.count_pairs(source[0]))
    else:
        commands = [[*bwa, "-R", alignments.read_group_line(params.read_group), index, *source]]
        report = json.loads(Path(snakemake.input.fastp[0]).read_text())
        ledger.take("reads", report["summary"]["before_filtering"]["total_reads"])
    pipeline(
        *commands,
        # bwa's own @PG line holds the number of threads and paths.
        ["sed", "/^@PG\t/d"],
        ["samtools", "fixmate", "--no-PG", "-m", "-u", "-", "-"],
        ["samtools", "sort", "--no-PG", "-m", "512M", "-T", f"{scratch}/sort", "-l", "1", "-o", output.bam, "-"],
    )
    ledger.give("reads", alignments.count_primary(output.bam))
    ledger.write(output.ledger)
