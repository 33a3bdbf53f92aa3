"""Rule harmonise_batch: the files of a batch of people gathered, window by window."""

from goe.core import logs, seal
from goe.core.ledger import total
from goe.genome.build import Build
from goe.harmonise import batch

params, output, source = snakemake.params, snakemake.output, snakemake.input
with logs.to(snakemake.log), seal.job(snakemake):
    people = sorted(
        (name, batch.Own.of(folder, name))
        for folder, names in zip(source.tables, params.people, strict=True)
        for name in names
    )
    batch.gather(
        [(name, own.alleles, own.runs) for name, own in people],
        Build(**params.build),
        {name: output[name] for name in ("sites", "rows", "runs", "people")},
    )
    total([own.ledger for _, own in people], "harmonise_batch").write(output.ledger)
