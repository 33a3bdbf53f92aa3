"""Every format of one contig, from one stream of checked alleles under disclosure control."""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow.compute as pc

from goe.disclosure import control, membership
from goe.disclosure.earlier_difference import Difference
from goe.genome import vrs
from goe.genome.build import Build
from goe.genome.dbsnp import RsNumbers
from goe.genome.fasta import Reference
from goe.release import notes
from goe.release import table as frequency_table
from goe.release.formats import allele_names, annotations, beacon, mini_node, sites_vcf, wide_table
from goe.release.gdi import metadata as gdi_metadata
from goe.release.gdi import package as gdi_package
from goe.release.report import lookup as report_lookup
from goe.release.report import rs_numbers
from goe.release.report import spectrum as report_spectrum
from goe.settings.sections import Disclosure


@dataclass(frozen=True)
class Places:
    """Files of one contig.

    table, wide, names, beacon: of the release. every, passed, annotations: bodies (`sites_vcf.Body`) of its VCFs;
    mini_node: folder of those of the mini-node, one a stratum. lookup, rs_numbers, membership: for its page and its
    test of membership. summary: exact, not for the release. gdi: folder of a part of the GDI package, None where there
    is no package.
    """

    table: str | Path
    wide: str | Path
    names: str | Path
    beacon: str | Path
    every: str | Path
    passed: str | Path
    mini_node: str | Path
    annotations: str | Path
    lookup: str | Path
    rs_numbers: str | Path
    membership: str | Path
    summary: str | Path
    gdi: str | Path | None = None


@dataclass(frozen=True)
class Release:
    """What is the same for all contigs of a release.

    dataset: its id. fields: the dictionary of published fields. regions: flag of the companion VCF -> BED file. dbsnp:
    VCF with rs numbers, None for none. gdi: how the GDI package is cut, None where there is none. block: alleles at a
    time; memory is that of one block.
    """

    dataset: str
    build: Build
    fasta: str | Path
    fields: str | Path
    disclosure: Disclosure
    regions: Mapping[str, str]
    dbsnp: str | Path | None = None
    gdi: gdi_metadata.Settings | None = None
    previous: str | None = None
    block: int = frequency_table.BLOCK

    def write(self, contig: str, tables: Sequence[str | Path], places: Places, threads: int = 1) -> None:
        """Write all of one contig. tables: counts and FILTER of its regions, in order."""
        with ExitStack() as stack:
            reference = stack.enter_context(Reference(self.fasta))
            length, md5 = reference.lengths[contig], reference.m5(contig)
            names = vrs.Names(self.build.name, contig, reference)
            numbers = None
            if self.dbsnp:
                numbers = stack.enter_context(RsNumbers(self.dbsnp, self.build.name, contig, length))
            fields = sites_vcf.read_fields(self.fields)
            policy = control.policy(self.disclosure)

            def earlier(strata: Sequence[str]) -> Difference | None:
                return Difference.of(self.previous, contig, self.build.name, strata, policy)

            source = frequency_table.Source(tables, contig, length, policy, self.block, earlier)
            people = notes.public_people(source.plan, source.policy.k)
            sites = membership.Sites(contig, membership.strata_to_ask(people))
            spectrum = report_spectrum.Spectrum(source.plan.strata)
            info = sites_vcf.tags(fields, source.plan.strata)
            every = stack.enter_context(sites_vcf.Body(places.every, threads))
            passed = stack.enter_context(sites_vcf.Body(places.passed, threads))
            origin = names.refget, numbers.release if numbers else None
            made = self._writers(contig, length, origin, fields, people, places, threads)
            writers = [stack.enter_context(writer) for writer in made]
            for unnamed in source:
                block = replace(unnamed, names=allele_names.of(unnamed, names, numbers))
                text = sites_vcf.lines(block, info)
                every.write(text)
                passed.write(text.filter(pc.equal(block.filter, "PASS")))
                for writer in writers:
                    writer.write(block)
                sites.write(block)
                spectrum.add(block)
        sites.save(places.membership)
        summary = {
            "contig": {"name": contig, "length": length, "md5": md5},
            "people": source.people,
            "tally": source.tally.as_dict(),
            "spectrum": spectrum.as_dict(),
        }
        Path(places.summary).write_text(notes.dumps(summary))

    def _writers(
        self,
        contig: str,
        length: int,
        origin: tuple[str, str | None],
        fields: Sequence[Mapping[str, str]],
        people: Mapping[str, int],
        places: Places,
        threads: int,
    ) -> list[AbstractContextManager]:
        """Whatever takes blocks as they are. people: published stratum -> people, public. origin: sequence and build
        of dbSNP of the names (`allele_names.origin`)."""
        build, strata = self.build, tuple(people)
        about = {"dataset": self.dataset, "build": build.name}
        made: list[AbstractContextManager] = [
            frequency_table.Writer(places.table, frequency_table.schema(fields, about, people, contig)),
            wide_table.Writer(places.wide, wide_table.schema(fields, about, people, contig)),
            allele_names.Writer(places.names, allele_names.schema(about, contig, *origin)),
            beacon.Writer(places.beacon, self.dataset, build.name, contig, self.fasta, threads),
            mini_node.Writer(_emptied(places.mini_node), fields, strata, threads),
            annotations.Writer(places.annotations, annotations.read_fields(), strata, build, contig, self.regions),
            report_lookup.Writer(places.lookup, contig, strata),
            rs_numbers.Writer(places.rs_numbers, contig),
        ]
        if self.gdi and places.gdi:
            made.append(gdi_package.Writer(_emptied(places.gdi), contig, length, self.gdi))
        return made


def _emptied(place: str | Path) -> Path:
    """A folder without what an earlier job left in it."""
    folder = Path(place)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
