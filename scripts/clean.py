"""Rule clean: the CRAMs and gVCFs of people who are finished are removed."""

import os

from goe.core import cleaning, logs

params = snakemake.params
terminal = os.fdopen(os.dup(2), "w")
with logs.to(snakemake.log):
    removed = cleaning.remove([cleaning.Finished(*group) for group in params.groups], params.made_under)
    said = f"clean: {removed.files} files removed, {removed.bytes / 1e9:.1f} GB"
    print(said)

unfinished = f"; batches of people that are not finished, and stay: {removed.unfinished}" if removed.unfinished else ""
print(f"{said}{unfinished}", file=terminal)
