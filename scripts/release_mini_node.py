"""Rule release_mini_node: VCFs for gdi-mini-node and what it asks beside them, a pair of files a stratum."""

import json
from pathlib import Path

from goe.core import logs, seal
from goe.release.formats import mini_node, sites_vcf

source, output = snakemake.input, snakemake.output
with logs.to(snakemake.log), seal.job(snakemake):
    contigs = [json.loads(Path(path).read_text())["contig"] for path in source.summaries]
    said = {name: json.loads(Path(source[name]).read_text()) for name in ("dataset", "config")}
    folder = Path(output.vcf).parent
    names = mini_node.join(folder, said, contigs, source.bodies, sites_vcf.read_fields(source.fields))
    Path(output.written).write_text(json.dumps([f"{folder.name}/{name}" for name in names], indent=1) + "\n")
