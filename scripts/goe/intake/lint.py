"""Looks at every input before any job runs: headers, indexes and ends of files, never whole files.

What the release will need is `goe.intake.release`'s, and told together with the rest.

Nothing here trusts htslib to complain: it only warns about a missing end-of-file block, and refuses a doubled
sample name. Headers of VCF and BCF and all indexes are therefore read here.
"""

import contextlib
import hashlib
import json
import os
import struct
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import BufferedIOBase
from itertools import combinations, islice
from pathlib import Path
from typing import NamedTuple, TypeVar

import pysam

from goe.calls import fields
from goe.core.errors import GoeError, Problem
from goe.genome.build import Build, canonical, contig_class, matches, recognise
from goe.genome.fasta import is_whole, m5_of
from goe.hts import cram, indexes, plain, vcf_header
from goe.hts.by_index import Part
from goe.intake import callers, coverage, first_reads, packing, whole_genomes
from goe.intake import release as release_lint
from goe.rules.dataset import COVERAGE
from goe.settings.sections import Config, Reference
from goe.settings.sheets import SEVERAL_UNITS, Input, Person, by_person

# Records looked at to tell what a file is, and the bytes they may take: a joint record may be megabytes long.
_PEEK = 1000
_PEEK_BYTES = 1 << 22
# Records looked at of each pseudo-autosomal region of X.
_PEEK_PAR = 100
# Behind the end of every contig.
_ANYWHERE = (1 << 29) - 1
# Numbers of PLINK for what is no autosome; 25 is the PAR of X.
_PLINK = {"23": "X", "24": "Y", "26": "M"}
_BLOCK_ALTS = ("<NON_REF>", "<*>")


@dataclass
class Facts:
    """What the header, index and end of one input say.

    contigs: name in the file -> length, None where the header gives none. used: names of contigs with
    records, None when no index could be read. m5: name -> MD5 of the sequence.
    """

    entry: Input
    where: str
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    samples: list[str] = field(default_factory=list)
    contigs: dict[str, int | None] = field(default_factory=dict)
    m5: dict[str, str] = field(default_factory=dict)
    used: list[str] | None = None
    absent: list[str] = field(default_factory=list)
    rename: dict[str, str] = field(default_factory=dict)

    def bad(self, what: str, mend: str = "", path: str = "") -> None:
        self.problems.append(Problem(f"{self.where}, {path or self.entry.path}", what, mend))

    def note(self, what: str, mend: str = "") -> None:
        self.notes.append(Problem(f"{self.where}, {self.entry.path}", what, mend))


_Value = TypeVar("_Value")


class _Shared:
    """Equal values once. The files of a cohort mostly have the same thousands of contigs, and tens of thousands of
    files are looked at. Values are what JSON can hold, and are not changed afterwards."""

    def __init__(self) -> None:
        self._known: dict[bytes, object] = {}

    def __call__(self, value: _Value) -> _Value:
        # Not sorted: the order of contigs is that of their numbers.
        key = hashlib.sha256(json.dumps(value).encode()).digest()
        return self._known.setdefault(key, value)  # type: ignore[return-value]


def _some(names: Iterable[str], most: int = 5) -> str:
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _there(facts: Facts, path: str) -> bool:
    """Whether the file is there, is a file, can be read and is not empty; reports what is not so."""
    target = Path(path)
    if not os.path.lexists(path):
        facts.bad("no such file", "mend the path; it starts from the working directory", path)
    elif not target.exists():
        facts.bad("a symbolic link to a file that is not there", "mend the link", path)
    elif not target.is_file():
        facts.bad("not a file", "give the path of a file", path)
    elif not os.access(path, os.R_OK):
        facts.bad("cannot be read by you", "mend its permissions", path)
    elif target.stat().st_size == 0:
        facts.bad("is empty", "copy it again", path)
    elif not _decrypts(facts, path):
        return False
    elif packed := packing.problem(path):
        facts.bad(packed.what, packed.mend, path)
    else:
        return True
    return False


def _decrypts(facts: Facts, path: str) -> bool:
    """Whether the beginning and the end of a file, where it is encrypted, can be decrypted; reports what cannot."""
    if not plain.is_encrypted(path):
        return True
    try:
        with plain.opened(path) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            if file.read():
                return True
            facts.bad("is empty", "copy it again", path)
    except GoeError as error:
        facts.problems += _of_row(facts, error)
    return False


def _of_row(facts: Facts, error: GoeError) -> list[Problem]:
    return [Problem(f"{facts.where}, {p.where}", p.what, p.mend) for p in error.problems]


def _magic(path: str) -> str:
    """The kind of a file by its first bytes: bgzf, gzip, cram, bcf (not compressed) or text."""
    with plain.opened(path) as file:
        return plain.kind(file)


def _whole(facts: Facts, path: str) -> bool:
    """Whether the file ends as its format wants; reports a truncated one."""
    with plain.opened(path) as file:
        whole = plain.is_whole(file)
    if not whole:
        facts.bad(*plain.CUT_OFF, path)
    return whole


def _made_by(command: str, path: str) -> str:
    """How an index is made; that of an encrypted file where it is plain."""
    how = f"{command} {plain.name(path)}"
    return f"{how}, where it is plain; the index may be plain, or encrypted too" if plain.is_encrypted(path) else how


# Indexes


def _find_index(facts: Facts, path: str, candidates: list[str], mend: str) -> str:
    """Path of the index, or nothing after reporting its absence. Notes an index older than its file."""
    for candidate in candidates:
        if Path(candidate).is_file():
            # An encrypted file has the time of its encryption.
            if not plain.is_encrypted(path) and Path(candidate).stat().st_mtime < Path(path).stat().st_mtime:
                facts.note(f"the index {candidate} is older than the file", f"make it again: {mend}")
            return candidate
    facts.bad(f"no index ({' or '.join(Path(c).name for c in candidates)})", mend)
    return ""


def _used(facts: Facts, index: str, order: list[str], mend: str) -> None:
    """Set `facts.used` from an index; `order` are the contigs of the header by number."""
    try:
        if plain.name(index).endswith(".crai"):
            numbers = {number for number, _ in cram.read_index(index)}
            names, has = order, [i in numbers for i in range(len(order))]
            if numbers and max(numbers) >= len(order):
                raise ValueError("more references than the header")
        else:
            read = indexes.read(index)
            names, has = read.names or order, read.has
            if len(has) > len(names):
                raise ValueError("more references than the header")
    except (ValueError, OSError, EOFError, struct.error, zlib.error):
        facts.bad(f"the index {index} does not belong to it or is damaged", f"make it again: {mend}")
        return
    facts.used = [name for name, occurs in zip(names, has, strict=False) if occurs]


# VCF and BCF


class Peeked(NamedTuple):
    """What one of the first records says; filters and formats are empty for a BCF, whose header has them all."""

    contig: str
    pos: int
    alt: str
    info: str
    filters: str = ""
    formats: str = ""
    line: str = ""


def _first_records(handle: BufferedIOBase, path: str, bcf: bool) -> Iterator[Peeked]:
    """The first records."""
    size = 0
    if bcf:
        with plain.piped(plain.word(path)) as source, pysam.VariantFile(source) as records:
            samples = len(records.header.samples)
            for record in islice(records, _PEEK):
                if size > _PEEK_BYTES:
                    return
                size += 20 * samples
                # pysam hides INFO/END and gives it as `stop`.
                block = record.stop > record.start + len(record.ref or "")
                alt = ",".join(record.alts or (".",))
                yield Peeked(record.contig, record.pos, alt, "END=" if block else "")
        return
    for line in islice(handle, _PEEK):
        if size > _PEEK_BYTES:
            return
        size += len(line)
        cells = line[:100_000].decode(errors="replace").rstrip("\r\n").split("\t", 9)
        if len(cells) > 7 and cells[1].isdigit():
            formats = cells[8] if len(cells) > 8 else ""
            yield Peeked(cells[0], int(cells[1]), cells[4], cells[7], cells[6], formats, "\t".join(cells))


def _by_number(contigs: dict[int, str]) -> list[str]:
    """Names by number, empty where a number has none."""
    return [contigs.get(number, "") for number in range(max(contigs, default=-1) + 1)]


def _is_block(alt: str, info: str) -> bool:
    return alt in _BLOCK_ALTS or (alt == "." and "END=" in info)


def _vcf(facts: Facts, cfg: Config, par: Sequence[tuple[str, int, int]]) -> None:
    entry = facts.entry
    path = entry.path
    magic = _magic(path)
    if magic in ("text", "bcf"):
        with plain.opened(path) as file:
            start = file.read(16)
        if magic == "text" and not start.startswith(b"##fileformat"):
            facts.bad("neither VCF nor BCF", "give a VCF compressed with bgzip, or a BCF")
            return
        if magic == "text":
            facts.bad("not compressed with bgzip", f"bgzip {path} && tabix -p vcf {path}.gz, and give the .gz")
        else:
            facts.bad("a BCF that is not compressed", "bcftools view -Ob, then bcftools index")
    elif magic == "gzip":
        facts.bad("compressed with gzip, not bgzip", f"gunzip -c {path} | bgzip > new.vcf.gz, then tabix -p vcf")
    elif magic == "cram":
        facts.bad(f"a CRAM, not a {entry.input_type}", "set input_type to cram")
        return
    whole = magic != "bgzf" or _whole(facts, path)

    peek: list[Peeked] = []
    try:
        with plain.inflated(path) as handle:
            if magic == "bgzf" and handle.peek(4)[:4] == b"BAM\1":
                facts.bad(f"a BAM, not a {entry.input_type}", "set input_type to bam or ubam")
                return
            lines, bcf = vcf_header.lines_of(handle)
            header = vcf_header.parse(lines, path)
            formats, contigs = header.of("FORMAT"), header.of("contig")
            facts.samples = header.samples
            facts.contigs = {name: contig.length for name, contig in contigs.items()}
            facts.m5 = {
                name: contig.values["md5"].lower() for name, contig in contigs.items() if contig.values.get("md5")
            }
            doubled = [name for name, n in Counter(header.samples).items() if n > 1]
            if header.columns and not doubled:
                peek = list(_first_records(handle, path, bcf))
    except (EOFError, OSError, ValueError, zlib.error, struct.error):
        if whole:
            facts.bad("damaged: it cannot be read from the start", "copy it again, and compare checksums")
        if not facts.samples:
            return

    if not header.columns or not header.fileformat:
        if magic in ("bgzf", "gzip"):
            facts.bad("no VCF header (##fileformat to #CHROM)", "give a VCF or BCF with its header")
        return
    if doubled:
        facts.bad(
            f"sample name twice in the header: {_some(doubled)}",
            "find out whose data it is, then bcftools reheader --samples",
        )
    if not contigs:
        facts.bad(
            "the header has no ##contig lines, so contig lengths cannot be compared",
            f"bcftools reheader --fai {cfg.reference.fasta}.fai",
        )
    if "GT" not in formats:
        facts.bad("FORMAT/GT is not declared", "give a file with genotypes")
    wanted = cfg.genotype_filter
    tested = {
        "GQ": wanted.min_gq > 0,
        "DP": wanted.min_dp > 0 or wanted.min_dp_haploid > 0 or wanted.min_ab > 0,
        "AD": wanted.min_ab > 0,
    }
    absent = [name for name in fields.absent(formats, entry.input_type == "gvcf") if tested[name]]
    if absent and wanted.on_absent_fields == "stop":
        facts.bad(
            f"FORMAT {', '.join(absent)} not declared, so the genotype filter cannot test "
            + ("it" if len(absent) == 1 else "them"),
            "give a file that has them, or set genotype_filter.on_absent_fields: keep, which leaves those "
            "tests out and says so in the release",
        )
    elif absent:
        facts.absent = absent
        facts.note(f"FORMAT {', '.join(absent)} not declared; not tested (genotype_filter.on_absent_fields: keep)")

    if odd := [
        f"{n} {formats[n].type}" for n in fields.TESTED if n in formats and formats[n].type not in ("Integer", "Float")
    ]:
        facts.bad(
            f"FORMAT declared with Type {', '.join(odd)}, where only numbers can be compared",
            "declare Integer or Float, as the values are (bcftools reheader -h)",
        )
    if entry.input_type == "joint_vcf" and not bcf:
        # bcftools cannot write such records as BCF, and ends with "Unchecked error (2)".
        keys = {part.split("=")[0] for record in peek for part in record.info.split(";")}
        _declared(facts, "INFO", keys, header.of("INFO"))
    _declared(facts, "FILTER", {name for r in peek for name in r.filters.split(";")}, {*header.of("FILTER"), "PASS"})
    _declared(facts, "FORMAT", {name for r in peek for name in r.formats.split(":")}, formats)
    blocks = any(_is_block(record.alt, record.info) for record in peek)
    if entry.input_type == "gvcf":
        declared = not {"NON_REF", "*"}.isdisjoint(header.of("ALT")) or "END" in header.of("INFO")
        if not blocks and (peek or not declared):
            facts.bad(
                f"no reference blocks (<NON_REF>, <*>, or ALT . with INFO/END) in its first {len(peek)} records"
                if peek
                else "its header declares no reference blocks (<NON_REF>, <*> or INFO/END)",
                "set input_type to vcf, if it holds variants only; a file with a record for every base and no END has "
                "to be made with blocks (bcftools call --gvcf, GATK -ERC GVCF)",
            )
    elif entry.input_type == "vcf" and blocks:
        facts.bad("a gVCF: it has reference blocks", "set input_type to gvcf")
    program = callers.recognised(lines)
    for trap in callers.traps(program, entry.input_type, [record.line for record in peek]):
        facts.bad(trap.what, trap.mend)
    for note in callers.notes(program, entry.input_type):
        facts.note(note.what, note.mend)

    if not whole:
        return
    if magic == "bgzf":
        make = _made_by("bcftools index" if bcf else "tabix -p vcf", path)
        unsorted = _unsorted(peek)
        candidates = indexes.beside_vcf(path, bcf)
        if unsorted and not any(Path(c).is_file() for c in candidates):
            facts.bad(unsorted, f"bcftools sort -Oz -o new.vcf.gz {path}, then tabix -p vcf")
        else:
            index = _find_index(facts, path, candidates, make)
            if index:
                _used(facts, index, _by_number(header.contig_numbers()), make)
    else:
        unsorted = _unsorted(peek)
        if unsorted:
            facts.bad(unsorted, "bcftools sort")
    if facts.used is None:
        facts.used = list(dict.fromkeys(contig for contig, *_ in peek))
    if entry.input_type == "gvcf" and wanted.min_gq > 0:
        _quality_on_m(facts, cfg)
    if magic == "bgzf":
        _haploid_in_par(facts, cfg, par, bcf)
    undeclared = [c for c in facts.used if c not in contigs]
    if undeclared and contigs:
        facts.bad(
            f"records on {_some(undeclared)}, and no ##contig line for it",
            f"bcftools reheader --fai {cfg.reference.fasta}.fai",
        )


def _quality_on_m(facts: Facts, cfg: Config) -> None:
    """Tell a gVCF whose rows on M have no quality that the genotype filter can test."""
    ignored = cfg.reference.ignored
    for contig in facts.used or []:
        name = cfg.reference.rename.get(contig, contig)
        if contig_class(name) != "M" or matches(contig, ignored) or matches(name, ignored):
            continue
        try:
            wrong = callers.silent_on_m(next(_records_of(facts.entry.path, contig, 1, _ANYWHERE, False), ""))
        except (OSError, ValueError):
            continue
        if wrong:
            facts.bad(wrong.what, wrong.mend)


def _haploid_in_par(facts: Facts, cfg: Config, par: Sequence[tuple[str, int, int]], bcf: bool) -> None:
    """Note calls in the pseudo-autosomal regions of X that are written with one allele, by some records of each."""
    rows: list[str] = []
    for contig in facts.used or []:
        name = cfg.reference.rename.get(contig, contig)
        for start, end in ((s, e) for c, s, e in par if c == name and contig_class(c) == "X"):
            # A file that cannot be read by its index is told of by its own job.
            with contextlib.suppress(OSError, ValueError):
                rows += _records_of(facts.entry.path, contig, start, end, bcf)
    if note := callers.haploid_in_par(rows):
        facts.note(note.what, note.mend)


def _records_of(path: str, contig: str, start: int, end: int, bcf: bool) -> Iterator[str]:
    """The first records that start in a region (1-based, inclusive), by the index, as text."""
    size = 0
    with _fetched(path, contig, start, end, bcf) as rows:
        for row in islice(map(str, rows), _PEEK_PAR):
            if size > _PEEK_BYTES:
                return
            size += len(row)
            if int(row.split("\t", 2)[1]) >= start:
                yield row


@contextlib.contextmanager
def _fetched(path: str, contig: str, start: int, end: int, bcf: bool) -> Iterator[Iterable]:
    """Records of a region, of which some may start before it."""
    if not plain.is_encrypted(path):
        with pysam.VariantFile(path) if bcf else pysam.TabixFile(path) as file:
            yield file.fetch(contig, start - 1, end)
        return
    part = Part(path, indexes.of_vcf(path), contig, start, end)
    if bcf:
        with plain.piped(part) as pipe, pysam.VariantFile(pipe) as file:
            yield file
    else:
        yield (piece.decode(errors="replace") for piece in islice(part.pieces(), 1, None))


def _declared(facts: Facts, kind: str, used: set[str], declared: Collection[str]) -> None:
    """Report names of the first records that the header has no line for: bcftools stops at them in the middle."""
    if unknown := sorted(used - {*declared, ".", ""}):
        facts.bad(
            f"{kind} {_some(unknown)} in its first records, and no ##{kind} line for it",
            "add the lines with bcftools annotate --header-lines",
        )


def _unsorted(peek: list[Peeked]) -> str:
    """What is out of order among the first records, or nothing."""
    seen: set[str] = set()
    before = ("", 0)
    for contig, pos, *_ in peek:
        if contig == before[0] and pos < before[1]:
            return f"not sorted: {contig}:{pos} comes after {contig}:{before[1]}"
        if contig != before[0] and contig in seen:
            return f"not sorted: {contig}:{pos} comes after {before[0]}:{before[1]}"
        seen.add(contig)
        before = (contig, pos)
    return ""


def _vcf_samples(facts: Facts, people: dict[str, Person], sheet: str) -> None:
    entry = facts.entry
    names = list(dict.fromkeys(facts.samples))
    if not names:
        facts.bad("no sample columns", "give a file with genotypes")
    elif entry.input_type == "joint_vcf":
        strangers = [n for n in names if n not in people]
        if strangers:
            facts.bad(
                f"{'sample' if len(strangers) == 1 else f'{len(strangers)} samples'} in the file but not on "
                f"the sheet {sheet}: {_some(strangers, 20)}",
                "add a row for each, or leave them out with bcftools view --samples",
            )
    elif len(names) > 1:
        facts.bad(
            f"holds {len(names)} samples ({_some(names)})",
            "set input_type to joint_vcf and leave sample_id empty",
        )
    elif names[0] != entry.sample_id:
        facts.bad(
            f"holds the sample {names[0]}, the sheet says {entry.sample_id}",
            f"write {names[0]} as sample_id in both sheets, or rename it with bcftools reheader --samples",
        )


# BAM, CRAM, uBAM


def _reads(facts: Facts) -> None:
    entry = facts.entry
    path = entry.path
    magic = _magic(path)
    is_cram = entry.input_type == "cram" or (entry.input_type == COVERAGE and magic == "cram")
    wanted = "cram" if is_cram else "bgzf"
    if magic != wanted:
        facts.bad(
            f"not a {'CRAM' if wanted == 'cram' else 'BAM'}",
            "set input_type to cram" if magic == "cram" else "give the right file, or mend input_type",
        )
        return
    whole = _whole(facts, path)
    make = _made_by("samtools index", path)
    if magic == "bgzf" and (damaged := indexes.deadly(path)):
        facts.bad(f"the index {damaged} is damaged", f"make it again: {make}")
        return
    try:
        with plain.piped(plain.word(path)) as source, pysam.AlignmentFile(source, check_sq=False) as handle:
            header = handle.header.to_dict()
            mapped = 0
            if entry.input_type == "ubam" and header.get("SQ"):
                mapped = sum(not read.is_unmapped for read in islice(handle, _PEEK))
    except (ValueError, OSError):
        if whole:
            facts.bad("its header cannot be read", "copy it again, and compare checksums")
        return

    names = dict.fromkeys(str(group.get("SM", "")) for group in header.get("RG", []))
    sample = entry.sample_id
    if not names or "" in names:
        facts.bad(
            "a read group without SM" if names else "no read group (@RG), so nothing in it says whose it is",
            f"samtools addreplacerg -w -r 'ID:{sample}' -r 'SM:{sample}'",
        )
    elif len(names) > 1:
        facts.bad(
            f"read groups of {len(names)} samples: {_some(names)}",
            "split it by read group (samtools split), one file per person",
        )
    elif sample not in names:
        (other,) = names
        facts.bad(
            f"its read groups say SM:{other}, the sheet says {sample}",
            f"write {other} as sample_id in both sheets, or mend SM with samtools reheader",
        )

    if entry.input_type == "ubam":
        if mapped:
            facts.bad("a uBAM with aligned reads", "set input_type to bam")
        return
    for line in header.get("SQ", []):
        facts.contigs[line["SN"]] = int(line["LN"])
        if line.get("M5"):
            facts.m5[line["SN"]] = line["M5"].lower()
    if not facts.contigs:
        facts.bad("no contigs in its header: reads that are not aligned", "set input_type to ubam")
        return
    if not whole:
        return
    order = header.get("HD", {}).get("SO", "unknown")
    candidates = indexes.of_reads(path, "cram" if is_cram else "bam")
    if order in ("unsorted", "queryname") and not any(Path(c).is_file() for c in candidates):
        facts.bad(f"not sorted by position (SO:{order})", "samtools sort, then samtools index")
        return
    index = _find_index(facts, path, candidates, make)
    if index:
        _used(facts, index, list(facts.contigs), make)


# FASTQ


def _fastq(facts: Facts) -> None:
    first: list[tuple[str, str]] = []
    for path in (facts.entry.path, facts.entry.path2):
        if not path or not _there(facts, path):
            continue
        magic = _magic(path)
        if magic in ("cram", "bcf"):
            facts.bad("not a FASTQ", "mend input_type or path", path)
            continue
        if magic == "bgzf" and not _whole(facts, path):
            continue
        try:
            with plain.inflated(path) as handle:
                lines = [handle.readline(_PEEK_BYTES).rstrip(b"\r\n") for _ in range(4)]
        except (EOFError, OSError, zlib.error):
            facts.bad("truncated or damaged: its first read cannot be read", "copy it again", path)
            continue
        if not any(lines):
            facts.bad("holds no reads", "copy it again, or take the row out", path)
        elif lines[0][:1] != b"@" or lines[2][:1] != b"+" or len(lines[1]) != len(lines[3]):
            facts.bad("not a FASTQ: its first four lines are not a read", "mend input_type or path", path)
        else:
            first.append(_read_name(lines[0].decode(errors="replace")))
    if len(first) < 2:
        return
    (name1, end1), (name2, end2) = first
    if name1 != name2:
        facts.bad(
            f"does not pair with {facts.entry.path2}: their first reads are {name1} and {name2}",
            "give the two files of one lane, with reads in the same order",
        )
    elif end1 and end1 == end2:
        facts.bad(
            f"does not pair with {facts.entry.path2}: both hold read {end1} of the pairs",
            "give read 1 as path and read 2 as path2",
        )
    elif (end1, end2) == ("2", "1"):
        facts.note(f"read 2 is given as path and read 1 ({facts.entry.path2}) as path2", "swap them")


def _read_name(line: str) -> tuple[str, str]:
    """Name of a read without its /1 or /2, and which end it is where the line says so."""
    name, _, comment = line[1:].partition(" ")
    if name[-2:] in ("/1", "/2"):
        return name[:-2], name[-1]
    return name, comment[0] if comment[:2] in ("1:", "2:") else ""


# Contigs


def _contigs(facts: Facts, reference: dict[str, int], section: Reference) -> None:
    """Names and lengths of the contigs of one file against the reference; sets `facts.rename`.

    section: of the config. No pattern of it takes a contig that is a primary one of the reference under another name.
    """
    renames, ignore = section.rename, section.ignored
    facts.rename = {c: renames[c] for c in facts.contigs if c in renames and renames[c] != c}
    renamed = {c: facts.rename.get(c, c) for c in facts.contigs}
    for target, n in Counter(t for t in renamed.values() if t in reference).items():
        if n > 1:
            names = [c for c, t in renamed.items() if t == target]
            facts.bad(
                f"{' and '.join(names)} would both be {target} by reference.rename",
                "rename contigs in the file instead (bcftools annotate --rename-chrs, samtools reheader)",
            )
    by_short = {canonical(c): c for c in reference if canonical(c)}
    build, build_of_file = recognise(reference), recognise({c: n for c, n in facts.contigs.items() if n})
    looks = f"; it looks like {build_of_file}" if build_of_file and build_of_file != build else ""
    build_mend = "give data of the same build as the reference"

    other = [
        (c, n, reference[renamed[c]])
        for c, n in facts.contigs.items()
        if n is not None and renamed[c] in reference and n != reference[renamed[c]] and not {c, renamed[c]} & {*ignore}
    ]
    if other:
        name, length, right = other[0]
        more = f" (and {len(other) - 1} more contigs)" if len(other) > 1 else ""
        facts.bad(f"{name} has {length} bases where the reference has {right}{more}{looks}", build_mend)

    if pseudo := [c for c in facts.used or [] if c.removeprefix("chr") in ("25", "XY")]:
        mend = (
            "its numbers are PLINK's, where 25 (XY) is the PAR of X: export it again with plink2 --merge-x, or rename "
        )
        facts.bad(f"records on {pseudo[0]}", mend + "the contig in the file and sort it with X")
    suggest: dict[str, str] = {}
    wrong: list[str] = []
    unknown: list[str] = []
    for contig in facts.used or []:
        if contig in pseudo:
            continue
        target = renamed.get(contig, facts.rename.get(contig, renames.get(contig, contig)))
        twin = by_short.get(canonical(contig) or _PLINK.get(contig.removeprefix("chr"), ""))
        given = facts.contigs.get(contig)
        another = contig in section.ignore_contigs and twin is not None and given not in (None, reference[twin])
        if target in reference or twin in section.leave_out or another or (not twin and matches(contig, ignore)):
            continue
        if twin and given in (None, reference[twin]):
            suggest[contig] = twin
        elif twin:
            wrong.append(f"{contig} has {given} bases where {twin} of the reference has {reference[twin]}")
        else:
            unknown.append(contig)
    if suggest:
        pairs = ", ".join(f'"{a}": {b}' for a, b in suggest.items())
        facts.bad(
            f"records on {_some(suggest)}, which the reference names {_some(suggest.values())}",
            f"set reference.rename: {{{pairs}}} in the config",
        )
    if wrong and not other:
        facts.bad(
            f"{wrong[0]}{f' (and {len(wrong) - 1} more contigs)' if len(wrong) > 1 else ''}{looks}",
            build_mend,
        )
    if unknown:
        listed = ", ".join(f'"{c}"' for c in unknown[:20])
        facts.bad(
            f"records on {_some(unknown)}, unknown to the reference" + looks,
            "give the reference the data were made with, or leave these contigs out: "
            f"reference.ignore_contigs: [{listed}]",
        )
    if facts.contigs and all(n is None for n in facts.contigs.values()):
        facts.note("its ##contig lines give no length, so the build is not compared")


def _digests(every: list[Facts], reference: dict[str, int], fasta: str, cache: str | Path | None) -> None:
    """Compare the MD5 of sequences that headers give, where name and length agree."""

    def comparable(facts: Facts) -> dict[str, str]:
        found = {}
        for contig in facts.m5:
            target = facts.rename.get(contig, contig)
            if target in reference and facts.contigs.get(contig) == reference[target]:
                found[contig] = target
        return found

    known = m5_of(fasta, sorted({t for facts in every for t in comparable(facts).values()}), cache)
    for facts in every:
        differ = [c for c, t in comparable(facts).items() if facts.m5[c] != known[t]]
        if differ:
            first = differ[0]
            facts.bad(
                f"the sequence of {_some(differ)} is not the reference's: MD5 {facts.m5[first]}, "
                f"the reference has {known[facts.rename.get(first, first)]}",
                "give the reference the data were made with (masked and unmasked flavours differ too)",
            )


# The cohort


def _one_source(every: list[Facts], people: dict[str, Person], cfg: Config) -> list[Problem]:
    """People without data, rows without a person, people with data of several kinds, files given twice."""
    problems = []
    inputs_sheet, people_sheet = cfg.inputs, cfg.samples
    own = by_person(f.entry for f in every)
    joint: dict[str, list[Facts]] = {}
    for facts in every:
        if facts.entry.input_type == "joint_vcf":
            for name in dict.fromkeys(facts.samples):
                joint.setdefault(name, []).append(facts)
    # A joint VCF that could not be read may hold anybody: what is missing is told when it can be.
    unread = [f for f in every if f.entry.input_type == "joint_vcf" and not f.samples]
    for name, person in people.items():
        if name not in own and name not in joint and not person.withdrawn and not unread:
            problems.append(
                Problem(
                    f"{people_sheet} row {person.row}, sample {name}",
                    "no data: neither a row in the sheet of inputs nor a column in a joint VCF",
                    f"add it to {inputs_sheet}, or write withdrawn yes",
                )
            )
    for name, entries in own.items():
        where = f"{inputs_sheet} row {entries[0].row}, sample {name}"
        if name not in people:
            near = [p for p in people if p.lower() == name.lower()]
            problems.append(
                Problem(
                    where,
                    f"not on the sheet {people_sheet}",
                    f"did you mean {near[0]}?" if near else "add a row",
                )
            )
        kinds = list(dict.fromkeys(e.input_type for e in entries))
        rows = ", ".join(str(e.row) for e in entries)
        if len(kinds) > 1:
            problems.append(
                Problem(
                    where,
                    f"input types {' and '.join(kinds)} (rows {rows})",
                    "keep one kind of input per person",
                )
            )
        elif len(entries) > 1 and kinds[0] not in SEVERAL_UNITS and len({e.path for e in entries}) > 1:
            how = "samtools merge" if kinds[0] in ("bam", "cram") else "bcftools concat"
            problems.append(
                Problem(where, f"{len(entries)} {kinds[0]} files (rows {rows})", f"make one of them: {how}")
            )
        if name in joint:
            problems.append(
                Problem(
                    where,
                    f"input type {kinds[0]}, and a column of {joint[name][0].entry.path} "
                    f"(joint_vcf, row {joint[name][0].entry.row})",
                    "keep one kind of input per person",
                )
            )

    given: dict[str, list[tuple[int, str]]] = {}
    for facts in every:
        for path in (facts.entry.path, facts.entry.path2):
            if path:
                given.setdefault(os.path.realpath(path), []).append((facts.entry.row, path))
    for uses in given.values():
        if len(uses) > 1:
            rows = " and ".join(str(row) for row, _ in uses)
            problems.append(
                Problem(
                    f"{inputs_sheet} row {uses[-1][0]}",
                    f"{uses[0][1]} is given twice (rows {rows})",
                    "take one out",
                )
            )
    return problems


def _joint_overlap(every: list[Facts], build: Build, cfg: Config) -> list[Problem]:
    """Pairs of joint VCFs that hold one person and have records on one contig."""
    problems = []
    files = [f for f in every if f.entry.input_type == "joint_vcf"]
    contigs = [{f.rename.get(c, c) for c in f.used or []} & set(build.contigs) for f in files]
    for i, j in combinations(range(len(files)), 2):
        one, two = files[i], files[j]
        shared = [c for c in build.contigs if c in contigs[i] and c in contigs[j]]
        if not shared or os.path.realpath(one.entry.path) == os.path.realpath(two.entry.path):
            continue
        known = set(one.samples)
        people = [n for n in two.samples if n in known]
        if people:
            problems.append(
                Problem(
                    f"{cfg.inputs} row {two.entry.row}, {two.entry.path}",
                    f"has records of {_some(people)} on {_some(shared)}, and so has {one.entry.path} "
                    f"(row {one.entry.row})",
                    "keep one, or join pieces of a contig with bcftools concat",
                )
            )
    return problems


def _joint_gaps(every: list[Facts], build: Build) -> None:
    """Note the joint VCFs that lack people whom other joint VCFs have."""
    files = [f for f in every if f.entry.input_type == "joint_vcf" and f.samples]
    people = [set(f.samples) for f in files]
    used = [{f.rename.get(c, c) for c in f.used or []} & set(build.contigs) for f in files]
    everybody = set().union(*people)
    for facts, contigs in zip(files, used, strict=True):
        covered = set().union(*(p for p, c in zip(people, used, strict=True) if not contigs.isdisjoint(c)))
        lacking = sorted(everybody - covered)
        if contigs and lacking:
            facts.note(
                f"lacks {_some(lacking)}, whom other joint VCFs have: not counted on "
                f"{_some(c for c in build.contigs if c in contigs)}",
                "give a file with everybody, if there is one",
            )


def look(
    entry: Input, cfg: Config, people: dict[str, Person] | None, par: Sequence[tuple[str, int, int]] = ()
) -> Facts:
    """Facts and problems of one row of the sheet of inputs, by itself.

    people: None when not to be asked for; par: as of `Build`.
    """
    facts = Facts(entry, f"{cfg.inputs} row {entry.row}")
    try:
        if entry.input_type == "fastq":
            _fastq(facts)
        elif _there(facts, entry.path):
            if entry.input_type in ("ubam", "bam", "cram", COVERAGE):
                _reads(facts)
            else:
                _vcf(facts, cfg, par)
                if people is not None and (facts.contigs or facts.samples):
                    _vcf_samples(facts, people, cfg.samples)
    except GoeError as error:
        # Of what cannot be decrypted behind its beginning.
        facts.problems += [problem for problem in _of_row(facts, error) if problem not in facts.problems]
    return facts


def lint(
    cfg: Config,
    people: dict[str, Person] | None,
    inputs: list[Input],
    build: Build | None,
    m5_cache: str | Path | None = None,
    threads: int = 4,
    wrong: Collection[str] = (),
) -> tuple[list[Problem], list[Problem], dict]:
    """Problems, notes, and what later stages need to know of the inputs.

    cfg: of `goe.settings.config`; people, inputs: of `goe.settings.sheets`; m5_cache: file that keeps MD5 sums of the
    reference. Problems stop a run, notes do not. The dict is:
    people: sample_id -> sex, country, withdrawn, input_type, inputs (path, path2, library, unit, row, contigs
    with records by their name in the reference, rename from the file's contig names to the reference's);
    joint: the same for each joint VCF, with its samples and absent_fields;
    absent_fields: sample_id -> FORMAT fields that are not tested because a file does not declare them.

    So that files are looked at in the same round as a config or sheet that has to be mended, people and build may
    be None, and `wrong` names the sections of the config that are not to be asked: what needs them is left out, and
    the dict is empty.
    """
    renames = cfg.reference.rename
    reference = (build.all_contigs or build.contigs) if build else {}
    problems: list[Problem] = []
    notes: list[Problem] = []
    for source, target in renames.items() if build else ():
        if target not in reference:
            problems.append(
                Problem(
                    f"config reference.rename.{source}",
                    f"{target} is not a contig of the reference",
                    "mend it",
                )
            )
    shared = _Shared()
    no_key = plain.key_problems(path for entry in inputs for path in entry.paths)
    problems += no_key
    closed = {entry for entry in inputs if no_key and any(map(plain.is_encrypted, entry.paths))}

    def looked(entry: Input) -> Facts:
        if entry in closed:
            return Facts(entry, "")
        facts = look(entry, cfg, people, build.par if build else ())
        facts.contigs, facts.m5, facts.used = shared(facts.contigs), shared(facts.m5), shared(facts.used)
        return facts

    # htslib's own words on stderr would repeat ours, without the row.
    verbosity = pysam.set_verbosity(0)
    try:
        with ThreadPoolExecutor(threads) as pool:
            every = list(pool.map(looked, inputs))
        of_reads, of_reads_notes = first_reads.look([e for e in inputs if e not in closed], cfg.inputs, threads)
    finally:
        pysam.set_verbosity(verbosity)
    if build:
        problems += _against_reference(every, cfg, build, reference, m5_cache)
        found = _ignored_by_name(every, cfg.reference, build, reference)
        problems, notes = problems + found[0], notes + found[1]
        for facts in every:
            facts.rename = shared(facts.rename)
    for facts in every:
        problems += facts.problems
        notes += facts.notes
    problems, notes = problems + of_reads, notes + of_reads_notes
    if people is not None:
        problems += _one_source(every, people, cfg)
        found = coverage.look([f.entry for f in every], people, cfg)
        problems, notes = problems + found[0], notes + found[1]
    if build:
        problems += _joint_overlap(every, build, cfg)
        found = whole_genomes.look([_used_of(f) for f in every if f.entry.input_type != COVERAGE], build, cfg.inputs)
        problems, notes = problems + found[0], notes + found[1]

    singles = [f.entry.sample_id for f in every if f.entry.input_type == "vcf"]
    if singles and people is not None:
        least = cfg.variant_qc.min_call_rate
        counted = sum(not person.withdrawn for person in people.values())
        rare_fail = least is not None and len(singles) > (1 - least) * counted
        notes.append(
            Problem(
                cfg.inputs,
                f"{len(singles)} people come as single-sample VCFs: a site that is absent there is not a "
                "reference call, so AN counts them only where their file has a record, and AF is too high"
                + (
                    f"; of {counted} people these are too many for variant_qc.min_call_rate {least:g}: alleles that "
                    "few of them carry get FILTER LowCallRate and are not in the pass file"
                    if rare_fail
                    else ""
                ),
                "give gVCFs or a joint VCF to have them counted everywhere"
                + (", or set variant_qc.min_call_rate to null" if rare_fail else ""),
            )
        )
    of_release, advice = release_lint.look(cfg, people, build, wrong)
    return problems + of_release, notes + advice, _intake(every, people, shared) if people is not None else {}


def _ignored_by_name(
    every: Sequence[Facts], section: Reference, build: Build, reference: Mapping[str, int]
) -> tuple[list[Problem], list[Problem]]:
    """Primary contigs that `reference.ignore_contigs` names: a problem, unless it is another sequence in every input
    that has it, by its length, as chrM of hg19 is; a note then. build: without them; reference: all contigs."""
    problems: list[Problem] = []
    notes: list[Problem] = []
    wanted = section.contigs or reference
    for contig in section.ignore_contigs:
        counted = contig in wanted and contig in reference and contig_class(contig)
        if not counted or contig in build.contigs or contig in section.leave_out:
            continue
        lengths = {n or 0 for f in every for c, n in f.contigs.items() if section.rename.get(c, c) == contig}
        unaligned = any(f.entry.input_type in SEVERAL_UNITS for f in every)
        if lengths and not unaligned and not lengths & {0, reference[contig]}:
            what = f"{contig} is another sequence in the inputs, with {_some(map(str, sorted(lengths)))} bases"
            what += f" where the reference has {reference[contig]}: nobody is counted there"
            notes.append(Problem("config reference.ignore_contigs", what, "nothing, if that is meant"))
        else:
            what = f"{contig} is a primary contig, and nobody would be counted there"
            mend = f'take it out, or say why: reference.leave_out: {{"{contig}": "the reason"}}'
            problems.append(Problem("config reference.ignore_contigs", what, mend))
    return problems, notes


def _used_of(facts: Facts) -> whole_genomes.Used:
    used = None if facts.used is None else {facts.rename.get(c, c) for c in facts.used}
    return whole_genomes.Used(facts.entry, used)


def _against_reference(
    every: list[Facts], cfg: Config, build: Build, reference: dict[str, int], m5_cache: str | Path | None
) -> list[Problem]:
    """Compare contigs and, where files give them, MD5 sums; what is wrong with a file goes to its facts."""
    problems = []
    if not is_whole(cfg.reference.fasta):
        what = "is not as long as its index tells: the one or the other was cut off"
        problems.append(Problem(f"reference {cfg.reference.fasta}", what, "copy it again, and compare checksums"))
    for facts in every:
        _contigs(facts, reference, cfg.reference)
    if any(f.m5 for f in every):
        try:
            _digests(every, reference, cfg.reference.fasta, m5_cache)
        except (OSError, ValueError, KeyError) as error:
            problems.append(Problem(f"reference {cfg.reference.fasta}", f"cannot be read: {error}", "samtools faidx"))
    _joint_gaps(every, build)
    return problems


def _intake(every: list[Facts], people: dict[str, Person], shared: _Shared) -> dict:
    def described(facts: Facts) -> dict:
        entry = facts.entry
        return {
            "path": entry.path,
            "path2": entry.path2,
            "library": entry.library,
            "unit": entry.unit,
            "row": entry.row,
            "contigs": shared([facts.rename.get(c, c) for c in facts.used or []]),
            "rename": facts.rename,
        }

    found: dict[str, dict] = {
        name: {
            "sex": person.sex,
            "country": person.country,
            "withdrawn": person.withdrawn,
            "platform": person.extra.get("platform", ""),
            "input_type": "",
            "inputs": [],
        }
        for name, person in sorted(people.items())
    }
    joint = []
    absent: dict[str, list[str]] = {}
    for facts in (facts for facts in every if facts.entry.input_type != COVERAGE):
        kind = facts.entry.input_type
        names = facts.samples if kind == "joint_vcf" else [facts.entry.sample_id]
        for name in names:
            if name in found:
                found[name]["input_type"] = kind
                if facts.absent:
                    absent[name] = [f for f in fields.TESTED if f in {*absent.get(name, []), *facts.absent}]
        if kind == "joint_vcf":
            joint.append({**described(facts), "samples": facts.samples, "absent_fields": facts.absent})
        elif names[0] in found:
            found[names[0]]["inputs"].append(described(facts))
    return {"people": found, "joint": joint, "absent_fields": dict(sorted(absent.items()))}


def _sources(intake: dict) -> dict[str, str]:
    """Person -> name of the set of joint VCFs, or of the person: people with the same one share their records."""
    files: dict[str, list[int]] = {}
    for number, entry in enumerate(intake["joint"]):
        for name in entry["samples"]:
            files.setdefault(name, []).append(number)
    sets = {numbers: f"joint_vcf_{i}" for i, numbers in enumerate(sorted({tuple(f) for f in files.values()}), 1)}
    return {name: sets[tuple(files[name])] if name in files else name for name in intake["people"]}


def sources_table(intake: dict) -> list[list[str]]:
    """Rows of intake/sources.tsv, the header first, sorted by sample_id: what harmonise needs to know of the people."""
    rows = [["sample_id", "sex", "input_type", "source", "absent_fields"]]
    of = _sources(intake)
    for name, person in sorted(intake["people"].items()):
        absent = ",".join(intake["absent_fields"].get(name, []))
        rows.append([name, person["sex"], person["input_type"], of[name], absent])
    return rows


def people_table(sources: Iterable[Mapping[str, str]], people: Mapping[str, Person]) -> list[list[str]]:
    """Rows of intake/people.tsv, the header first: the sheet beside each row of `sources_table`."""
    rows = [["sample_id", "sex", "country_code", "withdrawn", "input_type", "source", "absent_fields", "platform"]]
    for row in sources:
        person = people[row["sample_id"]]
        sheet = [person.country, "yes" if person.withdrawn else "no"]
        files = [row["input_type"], row["source"], row["absent_fields"], person.extra.get("platform", "")]
        rows.append([row["sample_id"], row["sex"], *sheet, *files])
    return rows
