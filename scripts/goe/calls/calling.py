"""A person's gVCF from reads, by bcftools, region by region."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from goe.calls import gvcf
from goe.core import files
from goe.core.processes import pipeline, said, tool
from goe.genome.build import contig_class


@dataclass(frozen=True)
class Caller:
    """How reads are called.

    fasta: the reference; contigs: name -> length, for the header. settings: section `caller` of the config. min_dp,
    min_gq: thresholds of the genotype filter, which no block may hide (C6.5).
    """

    fasta: str
    contigs: Mapping[str, int]
    settings: Mapping
    min_dp: Sequence[int] = ()
    min_gq: Sequence[int] = ()

    def person(
        self, cram: str, sample: str, regions: Sequence[str], target: str, threads: int = 1, where: str | None = None
    ) -> None:
        """Write the gVCF `target` and its index from the reads of a CRAM, in `threads` pipes.

        regions: `contig:start-end` (1-based, inclusive), in the order of the file. where: as of `files.scratch`.
        """
        with (
            files.scratch(target, where) as scratch,
            ThreadPoolExecutor(threads) as pool,
        ):
            pieces = [f"{scratch}/{i:05d}.vcf.gz" for i in range(len(regions))]
            # list: the error of a piece is raised here.
            list(pool.map(lambda region, piece: self._region(cram, sample, region, piece), regions, pieces))
            listed = Path(scratch) / "pieces.list"
            listed.write_text("".join(f"{piece}\n" for piece in pieces))
            tool("bcftools", "concat", "--naive", "--no-version", "-f", str(listed), "-Oz", "-o", target)
            tool("tabix", "-f", "-p", "vcf", target)

    def _gaps(self, region: str) -> list[tuple[int, str]]:
        """`gvcf.gaps_of` a region, and behind it as far as a deletion of it may reach."""
        contig, span = region.split(":")
        start, end = map(int, span.split("-"))
        end = min(end + gvcf.LONGEST, self.contigs[contig])
        lines = said("samtools", "faidx", self.fasta, f"{contig}:{start}-{end}").splitlines()
        return gvcf.gaps_of("".join(lines[1:]).upper(), start)

    def _region(self, cram: str, sample: str, region: str, target: str) -> None:
        caller = self.settings
        edges = ",".join(map(str, gvcf.with_thresholds(gvcf.PILEUP_EDGES, self.min_dp)))
        mpileup = ["bcftools", "mpileup", "--no-version", "-f", self.fasta, "-r", region, "--ignore-RG", "-a", "AD,DP"]
        mpileup += ["-g", edges, "-q", caller["min_mapq"], "-Q", caller["min_baseq"]]
        mpileup += ["-d", caller["max_depth"], "-L", caller["max_depth"], *caller["extra"], "-Ov", cram]
        # M is haploid for everybody (C2), so this needs nobody's sex: a few REF reads among many of a variant would
        # make it heterozygous, which is missing there. All else is called diploid.
        haploid = contig_class(region.split(":")[0]) == "M"
        ploidy = ["--ploidy", "1"] if haploid else []
        call = ["bcftools", "call", "--no-version", "-m", *ploidy, "-a", "GQ", "-Ov", "-"]
        confidence = gvcf.Confidence(haploid)
        blocks = gvcf.Blocks(self.contigs, sample, self.min_dp, self.min_gq, self._gaps(region))
        with Path(target).open("wb") as handle:
            pipeline(
                mpileup,
                partial(gvcf.filter_stream, change=confidence),
                call,
                partial(gvcf.filter_stream, change=blocks),
                ["bgzip", "-c"],
                stdout=handle,
            )
