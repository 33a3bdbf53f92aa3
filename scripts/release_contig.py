"""Every format of one contig, from one stream of checked alleles under disclosure control."""

import shutil
from contextlib import ExitStack
from pathlib import Path

import pyarrow.compute as pc
from goe.core import logs, seal
from goe.disclosure import control, membership
from goe.genome import build
from goe.release import notes as release_notes
from goe.release import table as frequency_table
from goe.release.formats import annotations, beacon, mini_node, sites_vcf, wide_table
from goe.release.gdi import metadata as gdi_metadata
from goe.release.gdi import package as gdi_package
from goe.release.report import lookup as report_lookup
from goe.release.report import spectrum as report_spectrum

params, output, threads = snakemake.params, snakemake.output, snakemake.threads
with logs.to(snakemake.log), seal.job(snakemake):
    contig, fasta = snakemake.wildcards.contig, snakemake.input.fasta
    here = build.Build(**params.build)
    length, md5 = sites_vcf.md5_of_contig(fasta, contig)
    fields = sites_vcf.read_fields(snakemake.input.fields)
    policy = control.policy(params.disclosure)
    source = frequency_table.Source(snakemake.input.tables, contig, length, policy)
    strata = source.plan.strata
    about = {"dataset": params.dataset, "build": here.name}
    people = release_notes.public_people(source.plan, policy.k)
    asked = membership.strata_to_ask(people)
    sites, spectrum = membership.Sites(contig, asked), report_spectrum.Spectrum(strata)
    info = sites_vcf.tags(fields, strata)
    with ExitStack() as stack:
        every = stack.enter_context(sites_vcf.Body(output.every, threads))
        passed = stack.enter_context(sites_vcf.Body(output.passed, threads))
        made = [
            frequency_table.Writer(output.table, frequency_table.schema(fields, about, people, contig)),
            wide_table.Writer(output.wide, wide_table.schema(fields, about, people, contig)),
            beacon.Writer(output.beacon, params.dataset, here.name, contig, fasta, threads),
            mini_node.Writer(output.total, fields, strata, "total", threads),
            mini_node.Writer(output.strata, fields, strata, "strata", threads),
            annotations.Writer(output.annotations, annotations.read_fields(), strata, here, contig, params.regions),
            report_lookup.Writer(output.lookup, contig, strata),
        ]
        if params.gdi:
            folder = Path(output.gdi)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            made.append(gdi_package.Writer(folder, contig, length, gdi_metadata.settings(params.gdi)))
        writers = [stack.enter_context(writer) for writer in made]
        for block in source:
            text = sites_vcf.lines(block, info)
            every.write(text)
            passed.write(text.filter(pc.equal(block.filter, "PASS")))
            for writer in writers:
                writer.write(block)
            sites.write(block)
            spectrum.add(block)
    sites.save(output.membership)
    summary = {
        "contig": {"name": contig, "length": length, "md5": md5},
        "people": source.people,
        "tally": source.tally.as_dict(),
        "spectrum": spectrum.as_dict(),
    }
    Path(output.summary).write_text(release_notes.dumps(summary))
