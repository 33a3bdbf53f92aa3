"""Rule sample_qc_multiqc: the reports of all tools on one page, by MultiQC."""

from pathlib import Path

from goe.core import logs, seal
from goe.core.processes import tool
from goe.sample_qc import multiqc_page

source, page = snakemake.input, Path(snakemake.output[0])
with logs.to(snakemake.log), seal.job(snakemake):
    words = ["multiqc", "--file-list", f"{source.tables}/files.txt", "--config", source.config]
    words += ["--config", f"{source.tables}/title.yaml", "--outdir", page.parent, "--filename", page.name]
    tool(*words, "--force", "--no-data-dir", "--no-ansi")
    page.write_text(multiqc_page.closed(page.read_text()))
