"""Rule call_bcftools: reads of one person to a gVCF, region by region in `threads` pipes."""

import json
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from goe.calls import gvcf
from goe.core import logs, seal
from goe.core.processes import pipeline, tool

params, output = snakemake.params, snakemake.output
caller, stream = params.caller, str(Path(__file__).parent / "call_stream.py")


def call(piece: tuple[str, str]) -> str:
    region, path = piece
    mpileup = [
        "bcftools",
        "mpileup",
        "--no-version",
        "-f",
        snakemake.input.fasta,
        "-r",
        region,
        "--ignore-RG",
        "-a",
        "AD,DP",
    ]
    mpileup += ["-g", ",".join(map(str, gvcf.PILEUP_EDGES)), "-q", caller["min_mapq"], "-Q", caller["min_baseq"]]
    mpileup += ["-d", caller["max_depth"], "-L", caller["max_depth"], *caller["extra"], "-Ov", snakemake.input.cram]
    with Path(path).open("wb") as handle:
        pipeline(
            mpileup,
            [sys.executable, stream, "confidence"],
            ["bcftools", "call", "--no-version", "-m", "-a", "GQ", "-Ov", "-"],
            [sys.executable, stream, "blocks", snakemake.wildcards.sample, json.dumps(params.contigs)],
            ["bgzip", "-c"],
            stdout=handle,
        )
    return path


with (
    logs.to(snakemake.log),
    seal.job(snakemake),
    tempfile.TemporaryDirectory(dir=Path(output.gvcf).parent) as scratch,
    ThreadPoolExecutor(snakemake.threads) as pool,
):
    pieces = [(region, f"{scratch}/{i:05d}.vcf.gz") for i, region in enumerate(params.regions)]
    listed = Path(scratch) / "pieces.list"
    listed.write_text("".join(path + "\n" for path in pool.map(call, pieces)))
    tool("bcftools", "concat", "--naive", "--no-version", "-f", str(listed), "-Oz", "-o", output.gvcf)
    tool("tabix", "-f", "-p", "vcf", output.gvcf)
