"""One person's CRAM on the contigs of the reference, from aligned units, or from the BAM or CRAM that was given."""

import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from goe.calls import alignments
from goe.core import files
from goe.core.errors import GoeError, Problem
from goe.core.ledger import Ledger
from goe.core.processes import Command, Passing, pipeline, tool
from goe.genome import build
from goe.hts import bam, cram, indexes, plain


@dataclass(frozen=True)
class Target:
    """The CRAM that is made. fasta: the reference, with its .fai; threads: of samtools."""

    path: str
    fasta: str
    threads: int = 1

    def write(self, *commands: Command | Passing) -> None:
        """Write the CRAM of the records that the last of `commands`, joined by pipes, gives.

        Version 3.0: older readers, mosdepth 0.3.3 among them, find nothing in a CRAM 3.1 and do not say so. The same
        bytes each time: htslib puts the first letters of the path into the file, of which a pipe has none, and chooses
        codecs by how well those before did, which several threads that pack tell it in one order or another.
        """
        view = ["samtools", "view", "--no-PG", "-C", "-T", self.fasta, "--output-fmt-option", "version=3.0"]
        with Path(self.path).open("wb") as file:
            pipeline(*commands, [*view, "-@", min(self.threads - 1, 1), "-"], stdout=file)

    def index(self, crai: str, ledger: Ledger) -> None:
        """Index the CRAM, and count its reads where that is not yet done."""
        tool("samtools", "index", "-o", crai, self.path)
        if not ledger.given["reads"]:
            ledger.give("reads", alignments.count_primary(self.path, self.fasta))


def from_units(bams: Mapping[str, int], target: Target, ledger: Ledger) -> None:
    """Merge sorted BAMs and mark duplicates, within a library: that of the read group (LB) of a read.

    bams: how many reads each holds. One BAM may hold several libraries, and several may hold one: samtools 1.16 does
    not look at them itself.
    """
    of_library = defaultdict(list)
    several: set[str] = set()
    for path, reads in bams.items():
        names = alignments.libraries(path)
        for library in names:
            of_library[library].append(path)
        several.update(names if len(names) > 1 else ())
        ledger.take("reads", reads)
    with files.scratch(target.path) as scratch:
        marked = []
        for i, (library, paths) in enumerate(of_library.items()):
            only = [["samtools", "view", "--no-PG", "-u", "-l", library, "-"]] if library in several else []
            marks = ["samtools", "markdup", "--no-PG", "-u", "-T", f"{scratch}/markdup", "-", "-"]
            if len(of_library) == 1:
                target.write(_merged(paths), marks)
                return
            marked.append(f"{scratch}/library{i}.bam")
            pipeline(_merged(paths), *only, marks, ["samtools", "view", "--no-PG", "-1", "-o", marked[-1], "-"])
        target.write(_merged(marked))


def _merged(bams: Sequence[str]) -> list[str]:
    """The command that writes all of the BAMs as one."""
    if len(bams) == 1:
        return ["samtools", "view", "--no-PG", "-u", bams[0]]
    return ["samtools", "merge", "--no-PG", "-c", "-p", "-u", "-o", "-", *bams]


def adopt(
    paths: Sequence[str],
    sample: str,
    is_cram: bool,
    rename: dict[str, str],
    ignore: Iterable[str],
    target: Target,
    ledger: Ledger,
) -> None:
    """The file as it is when it is a plain CRAM 3.0 on the reference's contigs; else a CRAM with the reference's names.

    paths: the BAM or CRAM; GoeError when there are several. rename, ignore: see `alignments.contig_map`. GoeError when
    the file does not hold as many records as its index or its containers tell, when it has records on contigs that
    nothing says anything of, and when an encrypted CRAM has some on contigs that are left out; those of its header
    without a record are left out.
    """
    if len(paths) > 1:
        raise GoeError(Problem(sample, "has more than one BAM or CRAM", "merge them with samtools merge"))
    path = paths[0]
    contigs = alignments.contig_names(alignments.header_lines(path))
    names, left_out, strange = alignments.contig_map(contigs, build.read_fai(f"{target.fasta}.fai"), rename, ignore)
    # On a contig that the reference does not have no record of a CRAM can be decoded; this counts it, in one pass.
    on = alignments.by_contig(path) if strange or (is_cram and left_out) else {}
    if used := [contig for contig in strange if on.get(contig)]:
        more = f" and {len(used) - 5} more" if len(used) > 5 else ""
        what = f"has records on {', '.join(used[:5])}{more}, which the reference does not have"
        raise GoeError(Problem(path, what, "set reference.rename or reference.ignore_contigs"))
    left_out += strange
    renamed = {old: new for old, new in names.items() if old != new}
    print(f"{path}: contigs renamed {renamed or 'none'}; contigs left out {', '.join(left_out) or 'none'}")
    index = next((c for c in indexes.of_reads(path, "cram" if is_cram else "bam") if Path(c).is_file()), "")
    whole, parts = 0, []
    if is_cram:
        whole, starts = cram.records(path)
        if index:
            cram.hold(path, index, starts)
        if not renamed and not left_out and cram.version(path) <= (3, 0) and not plain.is_encrypted(path):
            _link(path, target, ledger)
            return
        if plain.is_encrypted(path):
            _hold_contigs(path, [contig for contig in left_out if on.get(contig)])
        elif left_out:
            whole -= _leave_out(sum(on.get(contig, 0) for contig in left_out), ledger)
            parts = [*names, "*"]
    moved = bam.Moved(names)
    target.write(["samtools", "view", "-u", "--no-PG", "-T", target.fasta, plain.word(path), *parts], moved)
    if is_cram and moved.records != whole:
        what = f"holds {whole} records on contigs that are kept, and {moved.records} were read"
        raise GoeError(Problem(path, what, f"samtools index {path}"))
    if index and not is_cram:
        indexes.hold(path, index, moved.records)
    ledger.take("reads", moved.kept + moved.dropped.total())
    for contig, n in sorted(moved.dropped.items()):
        print(f"{path}: {n} reads on {contig} left out", file=sys.stderr)
        ledger.drop("reads", "contig_left_out", n)


def _hold_contigs(path: str, lost: Sequence[str]) -> None:
    """GoeError where an encrypted CRAM has records on contigs that are left out: those on others are found by its
    index, which is of no use in a pipe."""
    if lost:
        what = f"has records on {', '.join(lost[:5])}, which the reference does not have, and no pipe goes around them"
        raise GoeError(Problem(path, what, "give the reference that it was aligned to, with all its contigs"))


def _link(path: str, target: Target, ledger: Ledger) -> None:
    """Take the CRAM as it is."""
    Path(target.path).symlink_to(Path(path).absolute())
    n = alignments.count_primary(target.path, target.fasta)
    ledger.take("reads", n)
    ledger.give("reads", n)


def _leave_out(n: int, ledger: Ledger) -> int:
    """Drop the records of a CRAM that are on contigs left out."""
    if n:
        ledger.take("reads", n)
        ledger.drop("reads", "contig_left_out", n)
    return n
