"""Rule harmonise_batch: the files of a batch of people gathered, window by window."""

from goe.core import logs, seal
from goe.core.ledger import total
from goe.genome.build import Build
from goe.harmonise import batch

params, output, source = snakemake.params, snakemake.output, snakemake.input
with logs.to(snakemake.log), seal.job(snakemake):
    people = list(zip(params.people, source.alleles, source.runs, strict=True))
    batch.gather(people, Build(**params.build), {name: output[name] for name in ("sites", "rows", "runs", "people")})
    total(source.ledgers, "harmonise_batch").write(output.ledger)
