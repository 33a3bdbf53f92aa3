"""One record per site allele of a region, from its own split records and those that crossed its borders."""

from contextlib import ExitStack

from goe import build, harmonise, logs
from goe.bcf import open_bcf
from goe.ledger import Ledger
from goe.run import feeding, tool

params, output = snakemake.params, snakemake.output
with logs.to(snakemake.log):
    region = build.Region(*params.region)
    ledger = Ledger(f"harmonise_merge {region.contig}:{region.start}-{region.end}")
    formats = tuple(harmonise.FORMATS | harmonise.RAW_FORMAT)
    compress = ["bcftools", "view", "--no-version", "-Ob", "-o", output.bcf, "-"]
    with ExitStack() as stack:
        readers = [
            stack.enter_context(open_bcf(path, info=tuple(harmonise.INFO), formats=formats))
            for path in snakemake.input.bcfs
        ]
        stream = stack.enter_context(feeding(compress))
        headers = [reader.header for reader in readers]
        out = harmonise.writer(stream, headers, build.Build(**params.build), params.raw)
        for record in harmonise.merge_records(readers, region, ledger, params.raw):
            out.write(record)
    tool("bcftools", "index", "--csi", output.bcf)
    ledger.write(output.ledger)
