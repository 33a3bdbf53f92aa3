"""Account of the harmonise stage: what regions split of joint files is what they merged; with it, people's own."""

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
    own = total(snakemake.input.own, "harmonise_batch")
    # What the rows of a gVCF are is a person's own account.
    for counts in (own.taken, own.given, own.dropped):
        counts.pop("rows", None)
    split.join(own)
    split.write(snakemake.output[0])
