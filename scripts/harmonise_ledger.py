"""Account of the whole harmonise stage: what the regions split is what the regions merged."""

from goe.core import logs, seal
from goe.core.errors import GoeError, Problem
from goe.core.ledger import total

with logs.to(snakemake.log), seal.job(snakemake):
    split = total(snakemake.input.split, "harmonise")
    merged = total(snakemake.input.merged, "harmonise_merge")
    made, met = split.given.pop("site_alleles", 0), merged.taken["site_alleles"]
    if made != met:
        raise GoeError(
            Problem(
                "ledger of harmonise",
                f"{made} site alleles were split and {met} merged: some moved by more than a whole region",
                "raise scatter.region_size",
            )
        )
    for reason, n in merged.dropped.get("site_alleles", {}).items():
        split.drop("site_alleles", reason, n)
    split.give("site_alleles", merged.given["site_alleles"])
    split.write(snakemake.output[0])
