"""Rule joint_region: everybody in one BCF of the region, columns in the order of their ids."""

import shutil
import tempfile
from pathlib import Path

from goe.calls import joint
from goe.core import logs, seal
from goe.core.ledger import Ledger
from goe.core.processes import pipeline, tool

params, output = snakemake.params, snakemake.output
with logs.to(snakemake.log), seal.job(snakemake), tempfile.TemporaryDirectory(dir=Path(output.bcf).parent) as scratch:
    files = joint.joint_files(snakemake.input.intake, snakemake.input.counts)
    contig, start, end = params.region
    cuts = joint.cut_all(files, (contig, start, end), params.contigs, scratch)
    batches = list(snakemake.input.batches)
    parts = [*batches, *cuts]
    people = [name for path in parts for name in joint.header_of(path)[-1].split("\t")[9:]]
    taken = sum(joint.count(path) for path in parts)
    if parts == cuts and len(cuts) == 1 and people == sorted(people):
        # A cohort of one joint VCF: its slice is the region's file, and is not written a second time.
        shutil.move(cuts[0], output.bcf)
    else:
        commands = [joint.merge(parts, scratch)]
        if people != sorted(people):
            order = Path(scratch) / "people.list"
            order.write_text("".join(f"{name}\n" for name in sorted(people)))
            commands.append(["bcftools", "view", "--no-version", "-I", "-S", str(order), "-Ou", "-"])
        pipeline(*commands, ["bcftools", "view", "--no-version", "-I", "-Ob", "-o", output.bcf, "-"])
    tool("bcftools", "index", "-f", output.bcf)
    ledger = Ledger("joint_region")
    written = joint.count(output.bcf)
    ledger.take("records", taken)
    ledger.give("records", written)
    ledger.drop("records", "same_site_in_several_files", taken - written)
    ledger.take("people", len(people))
    ledger.give("people", len(joint.header_of(output.bcf)[-1].split("\t")[9:]))
    ledger.write(output.ledger)
