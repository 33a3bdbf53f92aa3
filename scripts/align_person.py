"""Rule align_person: one person's CRAM, from aligned units, or from the BAM or CRAM that was given."""

import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from goe.calls import alignments, gvcf
from goe.core import logs, seal
from goe.core.errors import GoeError, Problem
from goe.core.ledger import Ledger
from goe.core.processes import feeding, pipeline, reading, tool
from goe.genome import build
from goe.hts import cram, indexes

params, output = snakemake.params, snakemake.output
fasta = snakemake.input.fasta
# Version 3.0: older readers, mosdepth 0.3.3 among them, find nothing in a CRAM 3.1 and do not say so.
to_cram = ["samtools", "view", "--no-PG", "-C", "-T", fasta, "--output-fmt-option", "version=3.0"]
to_cram += ["-@", snakemake.threads - 1, "-o", output.cram, "-"]


def from_units(scratch: str, ledger: Ledger) -> None:
    """Duplicates are marked within a library: samtools 1.16 does not look at the library of a read group."""
    libraries = defaultdict(list)
    for library, path in zip(params.libraries, snakemake.input.reads, strict=True):
        libraries[library].append(path)
        ledger.take("reads", alignments.count_primary(path))

    def merged(paths: list[str]) -> list[str]:
        if len(paths) == 1:
            return ["samtools", "view", "--no-PG", "-u", paths[0]]
        return ["samtools", "merge", "--no-PG", "-c", "-p", "-u", "-o", "-", *paths]

    marked = []
    for i, paths in enumerate(libraries.values()):
        marks = ["samtools", "markdup", "--no-PG", "-u", "-T", f"{scratch}/markdup", "-", "-"]
        if len(libraries) == 1:
            pipeline(merged(paths), marks, to_cram)
            return
        marked.append(f"{scratch}/library{i}.bam")
        pipeline(merged(paths), marks, ["samtools", "view", "--no-PG", "-1", "-o", marked[-1], "-"])
    pipeline(merged(marked), to_cram)


def adopt(ledger: Ledger) -> None:
    """The file as it is when it is a CRAM 3.0 on the reference's contigs; else a CRAM with the reference's names."""
    if len(snakemake.input.reads) > 1:
        raise GoeError(Problem(params.sample, "has more than one BAM or CRAM", "merge them with samtools merge"))
    path = snakemake.input.reads[0]
    header = alignments.header_lines(path)
    contigs = alignments.contig_names(header)
    names, left_out = alignments.contig_map(
        contigs, build.read_fai(f"{fasta}.fai"), params.rename, params.ignore_contigs, path
    )
    renamed = {old: new for old, new in names.items() if old != new}
    print(f"{path}: contigs renamed {renamed or 'none'}; contigs left out {', '.join(left_out) or 'none'}")
    index = next((c for c in indexes.of_reads(path, "cram" if params.cram else "bam") if Path(c).is_file()), "")
    whole = 0
    if params.cram:
        whole, starts = cram.records(path)
        if index:
            cram.hold(path, index, starts)
    if params.cram and not renamed and not left_out and cram.version(path) <= (3, 0):
        Path(output.cram).symlink_to(Path(path).absolute())
        n = alignments.count_primary(output.cram, fasta)
        ledger.take("reads", n)
        ledger.give("reads", n)
        return
    view = ["samtools", "view", "-h", "--no-PG", "-T", fasta]
    if params.cram and left_out:
        # What is on a contig the reference does not have cannot be decoded; idxstats counts it, in one pass.
        on = alignments.by_contig(path)
        for contig in left_out:
            if n := on.get(contig, 0):
                ledger.take("reads", n)
                ledger.drop("reads", "contig_left_out", n)
                whole -= n
        view += [path, *names, "*"]
    else:
        view += [path]
    renamer = alignments.Renamer(names)
    with feeding(to_cram) as sink, reading(*view) as source:
        gvcf.filter_stream(source, sink, renamer)
    if params.cram and renamer.records != whole:
        what = f"holds {whole} records on contigs that are kept, and {renamer.records} were read"
        raise GoeError(Problem(path, what, f"samtools index {path}"))
    if index and not params.cram:
        indexes.hold(path, index, renamer.records)
    ledger.take("reads", renamer.kept + sum(renamer.dropped.values()))
    for contig, n in sorted(renamer.dropped.items()):
        print(f"{path}: {n} reads on {contig} left out", file=sys.stderr)
        ledger.drop("reads", "contig_left_out", n)


with logs.to(snakemake.log), seal.job(snakemake), tempfile.TemporaryDirectory(dir=Path(output.cram).parent) as scratch:
    ledger = Ledger("align_person")
    if params.adopted:
        adopt(ledger)
    else:
        from_units(scratch, ledger)
    tool("samtools", "index", "-o", output.crai, output.cram)
    if not ledger.given["reads"]:
        ledger.give("reads", alignments.count_primary(output.cram, fasta))
    ledger.write(output.ledger)
