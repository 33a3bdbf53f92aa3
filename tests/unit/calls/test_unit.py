"""Units of reads to BAM and CRAM, of the demo's own reads: nothing is lost in silence, and libraries stay apart."""

import gzip
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pysam
import pytest
from goe.calls import alignments, cram_of_person
from goe.calls.aligners import Aligner
from goe.calls.unit import FAILED, Unit
from goe.core.errors import GoeError
from goe.core.ledger import Ledger
from goe.demo import genome, people, reads
from helpers.encrypted import Owner

N, COPIES = 1_500, 60
BASES = str.maketrans("F:,#", "ACGT")


@pytest.fixture(scope="module")
def at(tmp_path_factory):
    """A folder with the demo's reference and bwa's index of it."""
    folder = tmp_path_factory.mktemp("units")
    genome.write(genome.build(1), folder / "ref.fa")
    pysam.faidx(str(folder / "ref.fa"))
    subprocess.run(["bwa", "index", "-p", folder / "bwa", folder / "ref.fa"], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def pairs():
    """Pairs of one person, the last of them PCR duplicates."""
    whole = reads.simulate(genome.build(1), [], people.roster()[0], 0, 1)
    some = whole.of(0)
    seq, qual = (np.concatenate((part[: N - COPIES], part[:COPIES])) for part in (some.seq, some.qual))
    return reads.Pairs(some.name[:N], seq, qual, some.unit[:N])


def named(pairs: reads.Pairs, letter: str) -> reads.Pairs:
    """The same pairs under other names."""
    name = pairs.name.copy()
    name[:, 0] = ord(letter)
    return replace(pairs, name=name)


def unaligned(path, *parts, suffix="", flags=(77, 141)):
    """An unaligned BAM of parts (pairs, ID, LB of their read group)."""
    with path.with_suffix(".sam").open("w") as out:
        out.write("@HD\tVN:1.6\tSO:unsorted\tGO:query\n")
        for _, group, library in dict((p[1], p) for p in parts if p[1]).values():
            out.write(f"@RG\tID:{group}\tSM:A" + (f"\tLB:{library}" if library else "") + "\n")
        for some, group, _ in parts:
            for name, seq, qual in zip(some.name, some.seq, some.qual, strict=True):
                for k, flag in enumerate(flags):
                    end = f"/{k + 1}" if suffix else ""
                    text = [name.tobytes().decode() + end, flag, "*", 0, 0, "*", "*", 0, 0]
                    text += [seq[k].tobytes().decode(), qual[k].tobytes().decode()]
                    out.write("\t".join(map(str, text)) + (f"\tRG:Z:{group}" if group else "") + "\n")
    subprocess.run(["samtools", "view", "--no-PG", "-b", "-o", path, path.with_suffix(".sam")], check=True)
    return path


def fastq(folder, pairs, name="a"):
    paths = [folder / f"{name}_{k}.fq.gz" for k in (1, 2)]
    reads.write_fastq(pairs, *paths)
    return paths


def align(at, given, bam, number="1", library="A", aligner="bwa"):
    """The ledger of a unit."""
    ledger = Ledger("align_unit")
    group = {"ID": f"A.{number}", "SM": "A", "LB": library, "PU": "x", "PL": "ILLUMINA"}
    Unit([str(path) for path in given], number, group, Aligner(aligner, str(at / aligner)), str(bam)).align(ledger)
    ledger.check()
    return ledger


def person(at, folder, *units):
    """(reads, duplicates, proper pairs, LB of each read group) of the CRAM of a person's units."""
    bams = {}
    for number, given in enumerate(units, 1):
        bam = str(folder / f"unit{number}.bam")
        bams[bam] = align(at, given, bam, str(number)).given["reads"]
    target, ledger = cram_of_person.Target(str(folder / "a.cram"), str(at / "ref.fa")), Ledger("align_person")
    cram_of_person.from_units(bams, target, ledger)
    target.index(f"{target.path}.crai", ledger)
    ledger.check()
    count = lambda *words: int(subprocess.check_output(["samtools", "view", "-c", *words, target.path]))  # noqa: E731
    groups = alignments.libraries(target.path)
    return count("-F", "0x900"), count("-f", "0x400", "-F", "0x900"), count("-f", "0x2", "-F", "0x900"), groups


@pytest.fixture(scope="module")
def alone(at, pairs, tmp_path_factory):
    """What the pairs give as a FASTQ pair."""
    folder = tmp_path_factory.mktemp("alone")
    return person(at, folder, fastq(folder, pairs))


def test_a_fastq_pair_is_taken_whole(alone):
    total, duplicates, proper, libraries = alone
    assert total == 2 * N and 2 * COPIES <= duplicates < 0.1 * total and proper > 0.9 * total
    assert libraries == ["A"]


def test_a_cram_has_the_same_bytes_by_any_path_and_threads(at, tmp_path):
    """Of reads whose names and qualities are now alike and now not, so that codecs are chosen anew."""
    with pysam.FastaFile(str(at / "ref.fa")) as fasta:
        contig, length = fasta.references[0], fasta.lengths[0]
    drawn = ["".join(row) for row in np.random.default_rng(1).choice(list("FF:,#"), (997, 30))]
    with (tmp_path / "a.sam").open("w") as sam:
        sam.write(f"@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:{contig}\tLN:{length}\n")
        for i in range(100_000):
            name = i if i // 20_000 % 2 else hash((i, 7)) % 10**9
            quality = drawn[i % 997] if i // 10_000 % 3 else "F" * 30
            sam.write(
                f"r{name}\t0\t{contig}\t{1 + i // 10}\t60\t30M\t*\t0\t0\t{drawn[i % 7].translate(BASES)}\t{quality}\n"
            )
    made = set()
    for folder, threads in (("a", 1), ("another", 8), ("again", 8)):
        (tmp_path / folder).mkdir()
        target = cram_of_person.Target(str(tmp_path / folder / "a.cram"), str(at / "ref.fa"), threads)
        target.write(["samtools", "view", "--no-PG", "-u", tmp_path / "a.sam"])
        made.add(Path(target.path).read_bytes())
    assert len(made) == 1


MEM2 = """#!/bin/sh
# Takes what bwa-mem2 takes, and reads no index of bwa's.
case "$1" in
index) exec bwa index -p "$3.mem2" "$4" ;;
mem)
    for word; do shift; case "$word" in */bwa-mem2) word="$word.mem2" ;; esac; set -- "$@" "$word"; done
    exec bwa "$@" ;;
esac
exit 2
"""


@pytest.mark.parametrize("kind", ["fastq", "one group", "two groups"])
def test_another_aligner_is_called_with_the_same_words(at, pairs, tmp_path, monkeypatch, kind):
    """By a program that stands for bwa-mem2: the same BAM, with the read groups of each kind of unit."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/bwa-mem2"
    program.write_text(MEM2)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    Aligner("bwa-mem2", str(at / "bwa-mem2")).make_index(str(at / "ref.fa"))
    assert (at / "bwa-mem2.mem2.sa").is_file() and not (at / "bwa-mem2.sa").exists()
    groups = {"one group": [(pairs, "g", "A")], "two groups": [(pairs, "g", "A"), (named(pairs, "z"), "h", "B")]}
    given = fastq(tmp_path, pairs) if kind == "fastq" else [unaligned(tmp_path / "u.bam", *groups[kind])]
    made = []
    for aligner in ("bwa", "bwa-mem2"):
        align(at, given, tmp_path / f"{aligner}.bam", aligner=aligner)
        made.append(subprocess.check_output(["samtools", "view", "-h", "--no-PG", tmp_path / f"{aligner}.bam"]))
    assert made[0] == made[1] and b"@RG\tID:" in made[0]


def test_threads_do_not_change_the_order(at, pairs, tmp_path):
    """Of reads at one position, too: half of the pairs are there three times."""
    some = replace(pairs, name=pairs.name[: N // 2], seq=pairs.seq[: N // 2], qual=pairs.qual[: N // 2])
    parts = [pairs, *(named(some, letter) for letter in "yz")]
    units = [[unaligned(tmp_path / f"{i}.bam", (part, "g", "A"))] for i, part in enumerate(parts)]
    merged = tmp_path / "all.bam"
    subprocess.run(["samtools", "cat", "-o", merged, *(path for [path] in units)], check=True)
    made = []
    for threads in (1, 4):
        unit = Unit([str(merged)], "1", {"LB": "A"}, Aligner("bwa", str(at / "bwa")), str(tmp_path / "a.bam"), threads)
        unit.align(Ledger("align_unit"))
        made.append(subprocess.check_output(["samtools", "view", "-h", "--no-PG", tmp_path / "a.bam"]))
    assert made[0] == made[1]


def test_a_second_file_that_is_shorter_stops_the_unit(at, pairs, tmp_path):
    one, two = fastq(tmp_path, pairs)
    whole = gzip.decompress(two.read_bytes()).splitlines(keepends=True)
    two.write_bytes(gzip.compress(b"".join(whole[: -4 * 500])))
    with pytest.raises(GoeError, match=f"a_1.fq.gz: holds {N} reads, and .*a_2.fq.gz the {N - 500} second reads"):
        align(at, [one, two], tmp_path / "a.bam")


@pytest.mark.parametrize("tool", ["bwa", "fastp"])
def test_what_tools_say_of_a_shorter_file_is_an_error(at, pairs, tmp_path, tool):
    from goe.core.processes import tool as run

    one, two = fastq(tmp_path, pairs)
    whole = gzip.decompress(two.read_bytes()).splitlines(keepends=True)
    two.write_bytes(gzip.compress(b"".join(whole[: -4 * 500])))
    words = {
        "bwa": ["bwa", "mem", "-o", tmp_path / "a.sam", at / "bwa", one, two],
        "fastp": ["fastp", "-i", one, "-I", two, "-j", tmp_path / "j", "-h", tmp_path / "h"],
    }
    with pytest.raises(GoeError, match=r"fewer sequences|different read numbers"):
        run(*words[tool])


def test_a_unit_whose_record_is_damaged_is_no_fault_of_goe(at, pairs, tmp_path):
    one, two = fastq(tmp_path, pairs)
    for path in (one, two):
        lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
        lines[4 * 1200 + 3] = b"I\n"
        path.write_bytes(gzip.compress(b"".join(lines)))
    with pytest.raises(GoeError, match=r"reads were to be aligned, and \d+ came through|fewer sequences"):
        align(at, [one, two], tmp_path / "a.bam")


def test_reads_that_failed_the_filter_are_left_out_of_fastq_and_ubam_alike(at, pairs, tmp_path, monkeypatch):
    one, two = fastq(tmp_path, pairs)
    for k, path in enumerate((one, two), 1):
        lines = gzip.decompress(path.read_bytes()).splitlines()
        lines[::4] = [b"%s %d:%s:0:ACGT" % (name, k, b"Y" if i % 3 == 0 else b"N") for i, name in enumerate(lines[::4])]
        path.write_bytes(gzip.compress(b"\n".join(lines) + b"\n"))
    good, bad = (
        reads.Pairs(*(part[np.arange(N) % 3 != 0] for part in (pairs.name, pairs.seq, pairs.qual, pairs.unit))),
        reads.Pairs(*(part[np.arange(N) % 3 == 0] for part in (pairs.name, pairs.seq, pairs.qual, pairs.unit))),
    )
    flagged = unaligned(tmp_path / "bad.bam", (bad, "g", "L"), flags=(77 | 0x200, 141 | 0x200))
    passed = unaligned(tmp_path / "good.bam", (good, "g", "L"))
    pysam.merge("-f", "-c", str(tmp_path / "u.bam"), str(passed), str(flagged))
    rows = []
    own = Owner.made(tmp_path / "keys").told(monkeypatch)
    sealed = ([own.encrypt(shutil.copy(one, tmp_path / "1")), own.encrypt(shutil.copy(two, tmp_path / "2"))],)
    sealed += ([own.encrypt(shutil.copy(tmp_path / "u.bam", tmp_path / "u"))],)
    for given in ([one, two], [tmp_path / "u.bam"], *sealed):
        ledger = align(at, given, tmp_path / "a.bam")
        assert ledger.taken["reads"] == 2 * N and ledger.given["reads"] == 2 * N - 2 * (N // 3)
        assert ledger.dropped["reads"] == {FAILED: 2 * (N // 3)}
        rows.append(sorted(line.split("\t")[:6] for line in pysam.view(str(tmp_path / "a.bam")).splitlines()))
    assert rows[0] == rows[1] == rows[2] == rows[3]


@pytest.mark.parametrize("kind", ["fastq", "ubam"])
def test_an_encrypted_unit_gives_what_the_plain_one_gives(at, pairs, tmp_path, alone, monkeypatch, kind):
    own = Owner.made(tmp_path / "keys").told(monkeypatch)
    given = (
        fastq(tmp_path, pairs) if kind == "fastq" else [unaligned(tmp_path / "u.bam", (pairs, "g", "A"), suffix="/")]
    )
    assert person(at, tmp_path, [own.encrypt(path) for path in given]) == alone


def test_an_unaligned_bam_gives_what_the_same_fastq_gives(at, pairs, tmp_path, alone):
    assert person(at, tmp_path, [unaligned(tmp_path / "u.bam", (pairs, "g", "A"))]) == alone


@pytest.mark.parametrize("files", [1, 2])
def test_duplicates_are_marked_within_a_library_of_unaligned_bams(at, pairs, tmp_path, alone, files):
    """Two libraries with the same fragments: each has the duplicates that it has alone, in one file or in two whose
    read groups have one ID."""
    other = named(pairs, "z")
    if files == 1:
        units = [[unaligned(tmp_path / "u.bam", (pairs, "g", "lib1"), (other, "h", "lib2"))]]
    else:
        units = [[unaligned(tmp_path / f"{i}.bam", (p, "g", f"lib{i}"))] for i, p in enumerate((pairs, other), 1)]
    total, duplicates, proper, libraries = person(at, tmp_path, *units)
    assert (total, duplicates, proper) == tuple(2 * n for n in alone[:3])
    assert libraries == ["lib1", "lib2"]


def test_one_library_in_two_files_is_marked_as_one(at, pairs, tmp_path, alone):
    units = [[unaligned(tmp_path / f"{i}.bam", (p, "g", "lib"))] for i, p in enumerate((pairs, named(pairs, "z")))]
    total, duplicates, _, libraries = person(at, tmp_path, *units)
    assert total == 4 * N and duplicates == 2 * N + alone[1] and libraries == ["lib"]


def test_names_that_end_in_1_and_2_are_of_one_pair(at, pairs, tmp_path, alone):
    assert person(at, tmp_path, [unaligned(tmp_path / "u.bam", (pairs, "g", "A"), suffix="/")]) == alone


def test_pairs_that_stand_twice_in_an_unaligned_bam(at, pairs, tmp_path):
    path = unaligned(tmp_path / "u.bam", (pairs, "g", "A"), (pairs, "g", "A"))
    with pytest.raises(GoeError, match=f"{4 * N} reads were to be aligned, and {2 * N} came through -> .*merged"):
        align(at, [path], tmp_path / "a.bam")


def test_mates_of_other_names_are_told(at, pairs, tmp_path):
    path = unaligned(tmp_path / "u.bam", (pairs, "g", "A"))
    text = path.with_suffix(".sam").read_text().splitlines()
    text[-1] = "x" + text[-1]
    path.with_suffix(".sam").write_text("\n".join(text) + "\n")
    subprocess.run(["samtools", "view", "--no-PG", "-b", "-o", path, path.with_suffix(".sam")], check=True)
    with pytest.raises(GoeError, match="2 of its reads found no mate of the same name"):
        align(at, [path], tmp_path / "a.bam")


def test_single_end_reads_are_refused(at, pairs, tmp_path):
    path = unaligned(tmp_path / "u.bam", (pairs, "g", "A"), flags=(4,))
    with pytest.raises(GoeError, match=f"{N} of its {N} reads are of no pair -> .*single-end reads are not taken"):
        align(at, [path], tmp_path / "a.bam")


def test_reads_of_no_group_beside_two_libraries(at, pairs, tmp_path):
    some = reads.Pairs(pairs.name[:10], pairs.seq[:10], pairs.qual[:10], pairs.unit[:10])
    path = unaligned(
        tmp_path / "u.bam", (pairs, "g", "lib1"), (named(pairs, "y"), "h", "lib2"), (named(some, "z"), "", "")
    )
    with pytest.raises(GoeError, match="20 of its reads are of no read group of its header"):
        align(at, [path], tmp_path / "a.bam")


def test_a_read_group_without_a_library_takes_that_of_the_sheet(at, pairs, tmp_path):
    path = unaligned(tmp_path / "u.bam", (pairs, "g", ""))
    align(at, [path], tmp_path / "a.bam", "3", "sheet")
    assert alignments.read_groups(str(tmp_path / "a.bam")) == ["@RG\tID:3.g\tSM:A\tLB:sheet"]
