"""Damage that htslib does not see: a BAM or CRAM that is cut off with an end mark behind it, or without a middle part.

Every block or container of a file is taken out in turn, and every cut ends with the bytes that end a whole file.
"""

import json
import random
import struct
import subprocess
from itertools import pairwise
from pathlib import Path

import pysam
import pytest
from goe.calls import alignments, cram_of_person, reads_quality
from goe.core.errors import GoeError
from goe.core.ledger import Ledger
from goe.hts import cram, indexes
from goe.hts.bgzf import EOF
from helpers import bgzf_blocks, stages
from helpers.workflow import Run

CONTIGS = {"chr1": 20_000, "chr2": 5_000}
# End containers of CRAM 2.1 and 3.x (CRAM specification, section 9).
END = {
    2: bytes.fromhex("0b000000ffffffff0fe0454f4600000000010000 01000606010001000100".replace(" ", "")),
    3: bytes.fromhex("0f000000ffffffff0fe0454f46000000000100 05bdd94f0001000606010001000100ee63014b".replace(" ", "")),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A reference, and 3,000 pairs as an indexed BAM, as CRAMs of several versions, and as an unaligned BAM."""
    at = tmp_path_factory.mktemp("reads")
    chance = random.Random(5)
    bases = {name: "".join(chance.choices("ACGT", k=n)) for name, n in CONTIGS.items()}
    (at / "ref.fa").write_text("".join(f">{name}\n{text}\n" for name, text in bases.items()))
    pysam.faidx(str(at / "ref.fa"))
    (at / "all.bed").write_text("".join(f"{name}\t0\t{n}\n" for name, n in CONTIGS.items()))
    rows, raw = [], []
    for i in range(3_000):
        name = chance.choices(list(CONTIGS), CONTIGS.values())[0]
        start = chance.randrange(1, CONTIGS[name] - 300)
        for flag, pos, mate in ((0x63, start, start + 150), (0x93, start + 150, start)):
            text = bases[name][pos - 1 : pos + 99]
            length = 250 if flag == 0x63 else -250
            cells = (
                f"q{i}",
                flag,
                name,
                pos,
                60,
                "100M",
                "=",
                mate,
                length,
                text,
                "".join(chance.choices("5?I", k=100)),
            )
            rows.append((list(CONTIGS).index(name), pos, "\t".join(map(str, cells))))
            raw.append(
                "\t".join(map(str, (f"q{i}", 77 if flag == 0x63 else 141, "*", 0, 0, "*", "*", 0, 0, *cells[9:])))
            )
    sq = "".join(f"@SQ\tSN:{name}\tLN:{n}\n" for name, n in CONTIGS.items())
    text = "@HD\tVN:1.6\tSO:coordinate\n" + sq + "".join(f"{line}\n" for *_, line in sorted(rows))
    view = ["samtools", "view", "--no-PG", "-o"]
    subprocess.run([*view, at / "a.bam", "-b", "-"], input=text.encode(), check=True)
    subprocess.run(
        [*view, at / "u.bam", "-b", "-"], input="".join(f"{r}\n" for r in ["@HD\tVN:1.6", *raw]).encode(), check=True
    )
    for version in ("2.1", "3.0", "3.1"):
        options = [f"--output-fmt-option={option}" for option in (f"version={version}", "seqs_per_slice=200")]
        file = at / f"{version}.cram"
        words = [*view, file, "-C", "-@", "3", "-T", at / "ref.fa", *options, at / "a.bam"]
        subprocess.run(words, check=True, capture_output=True)
        subprocess.run(["samtools", "index", file], check=True)
    subprocess.run(["samtools", "index", at / "a.bam"], check=True)
    return at


def adopted(folder: Path, path: Path, tmp_path: Path) -> Run:
    """The script of rule align_person on a file that was given."""
    out = tmp_path / "out"
    out.mkdir(exist_ok=True)
    kind = path.suffix[1:]
    return stages.forked(
        tmp_path,
        "align_person.py",
        input={
            "index": [],
            "fasta": folder / "ref.fa",
            "autosomes": folder / "all.bed",
            "seals": [],
        },
        output={"cram": out / "a.cram", "crai": out / "a.cram.crai", "reports": out, "seal": tmp_path / "seal.json"},
        params={
            "person": {
                "units": [{"reads": [str(path)], "read_group": {}}],
                **{"sample": "A", "adopted": True, "cram": kind == "cram"},
            },
            **{"rename": {}, "ignore_contigs": []},
            **{"stage": "reads", "stamp": "x", "trusts": {}},
        },
    )


def damaged(folder: Path, name: str, data: bytes, tmp_path: Path, *indexes: str) -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    for index in indexes:
        (tmp_path / index).write_bytes((folder / index).read_bytes())
    return path


@pytest.mark.parametrize("name", ["a.bam", "2.1.cram", "3.0.cram"])
def test_a_whole_file_is_taken_with_all_its_reads(folder, tmp_path, name):
    done = adopted(folder, folder / name, tmp_path)
    assert done.status == 0, done.output
    ledger = json.loads((tmp_path / "out" / "ledger.json").read_text())
    assert ledger["in"]["reads"] == ledger["out"]["reads"] == 6000


@pytest.fixture(scope="module")
def more_contigs(folder):
    """The same reads under a header that has contigs which the reference lacks, and with reads on one of them."""
    names = [*CONTIGS, "chrEBV", "HLA*01:01"]
    with pysam.AlignmentFile(str(folder / "a.bam")) as source:
        rows = [read.to_string() for read in source]
    sq = "".join(f"@SQ\tSN:{name}\tLN:{CONTIGS.get(name, 5000)}\n" for name in names)
    on = "\t".join(["x", "16", "chrEBV", "10", "60", "4M", "*", "0", "0", "ACGT", "IIII"])
    (folder / "more.fa").write_text(
        (folder / "ref.fa").read_text() + f">chrEBV\n{'ACGT' * 1250}\n>HLA*01:01\n{'A' * 5000}\n"
    )
    for name, lines in (("unused", rows), ("used", [*rows, on])):
        text = "@HD\tVN:1.6\tSO:coordinate\n" + sq + "".join(f"{line}\n" for line in lines)
        for kind, words in (
            ("bam", ["-b"]),
            ("cram", ["-C", "--output-fmt-option=version=3.0", "-T", folder / "more.fa"]),
        ):
            path = folder / f"{name}.{kind}"
            view = ["samtools", "view", "--no-PG", "-o", path, *words, "-"]
            subprocess.run(view, input=text.encode(), check=True, capture_output=True)
            subprocess.run(["samtools", "index", path], check=True)
    return folder


@pytest.mark.parametrize("kind", ["bam", "cram"])
def test_contigs_that_only_the_header_has_do_no_harm(more_contigs, tmp_path, kind):
    done = adopted(more_contigs, more_contigs / f"unused.{kind}", tmp_path)
    assert done.status == 0, done.output
    ledger = json.loads((tmp_path / "out" / "ledger.json").read_text())
    assert ledger["in"] == ledger["out"] == {"reads": 6000} and not ledger["dropped"]
    header = subprocess.run(["samtools", "view", "-H", tmp_path / "out" / "a.cram"], capture_output=True, text=True)
    assert [line.split("\t")[1] for line in header.stdout.splitlines() if line.startswith("@SQ")] == [
        "SN:chr1",
        "SN:chr2",
    ]


@pytest.mark.parametrize("kind", ["bam", "cram"])
def test_reads_on_a_contig_that_the_reference_lacks_are_told(more_contigs, tmp_path, kind):
    done = adopted(more_contigs, more_contigs / f"used.{kind}", tmp_path)
    assert done.status == 1
    assert "has records on chrEBV, which the reference does not have -> set reference.rename" in done.output


def test_a_bam_without_one_of_its_blocks_or_cut_between_two(folder, tmp_path):
    whole = (folder / "a.bam").read_bytes()
    starts = bgzf_blocks.starts(whole)
    middle = len(starts) // 2
    for data in (
        whole[: starts[middle]] + whole[starts[middle + 1] :],
        whole[: starts[middle]] + EOF,
        whole[: starts[-2]] + EOF,
        whole[: starts[1]] + EOF,
    ):
        done = adopted(folder, damaged(folder, "a.bam", data, tmp_path, "a.bam.bai"), tmp_path)
        assert done.status == 1
        assert "its index" in done.output or "could not read" in done.output or "status 1" in done.output, done.output


def test_an_index_without_counts_is_not_asked(folder, tmp_path):
    """Picard of old wrote none; a file is not blamed for it."""
    path = damaged(folder, "a.bam", (folder / "a.bam").read_bytes(), tmp_path)
    (tmp_path / "a.bam.bai").write_bytes(b"BAI\1" + struct.pack("<i", 2) + 2 * struct.pack("<ii", 0, 0))
    assert adopted(folder, path, tmp_path).status == 0


@pytest.mark.parametrize("version", ["2.1", "3.0", "3.1"])
def test_every_container_of_a_cram_taken_out_and_every_cut_is_seen(folder, tmp_path, version):
    name = f"{version}.cram"
    total, starts = cram.records(folder / name)
    assert total == 6000 and len(starts) > 20
    cram.hold(folder / name, folder / f"{name}.crai", starts)
    whole = (folder / name).read_bytes()
    end = END[int(version[0])]
    assert whole.endswith(end)
    ordered = [*sorted(starts), len(whole) - len(end)]
    for i, (start, after) in enumerate(pairwise(ordered)):
        path = damaged(folder, name, whole[:start] + whole[after:], tmp_path)
        with pytest.raises(GoeError, match=r"records before its byte|its index"):
            cram.hold(path, folder / f"{name}.crai", cram.records(path)[1])
        if i < len(starts) - 1 and i:
            with pytest.raises(GoeError, match="the container there tells of"):
                cram.records(path)
        path = damaged(folder, name, whole[:start] + end, tmp_path)
        with pytest.raises(GoeError, match="its index"):
            cram.hold(path, folder / f"{name}.crai", cram.records(path)[1])
    # Just before a container ends, the bytes of the end mark are taken for the start of the next one.
    near = [start - back for start in ordered[1:4] for back in range(1, 60)]
    for at in [*random.Random(1).sample(range(26, len(whole) - len(end)), 100), *near]:
        with pytest.raises(GoeError, match=r"cut off|goes on behind|records before|its index"):
            path = damaged(folder, name, whole[:at] + end, tmp_path)
            cram.hold(path, folder / f"{name}.crai", cram.records(path)[1])


def test_a_cram_with_something_behind_its_end(folder, tmp_path):
    path = damaged(folder, "3.0.cram", (folder / "3.0.cram").read_bytes() * 2, tmp_path)
    with pytest.raises(GoeError, match="goes on behind the container that ends it"):
        cram.records(path)


def test_a_cram_with_another_header_by_samtools_is_whole(folder, tmp_path):
    """samtools reheader writes the end container twice."""
    path, header = tmp_path / "new.cram", tmp_path / "header.sam"
    header.write_bytes(subprocess.run(["samtools", "view", "-H", folder / "3.0.cram"], capture_output=True).stdout)
    with path.open("wb") as out:
        subprocess.run(["samtools", "reheader", header, folder / "3.0.cram"], stdout=out, check=True)
    assert path.read_bytes().endswith(END[3]) and cram.records(path)[0] == 6_000
    assert cram.records(damaged(folder, "a.cram", path.read_bytes() + END[3], tmp_path))[0] == 6_000
    with pytest.raises(GoeError, match="cut off"):
        cram.records(damaged(folder, "b.cram", path.read_bytes() + END[3][:-1], tmp_path))


def test_crams_put_together_by_samtools_cat_are_whole(folder, tmp_path):
    path = tmp_path / "twice.cram"
    subprocess.run(["samtools", "cat", "-o", path, folder / "3.0.cram", folder / "3.0.cram"], check=True)
    assert cram.records(path)[0] == 12_000


@pytest.mark.parametrize("damage", ["container", "cut"])
def test_a_damaged_cram_stops_the_job_and_names_the_mend(folder, tmp_path, damage):
    whole = (folder / "3.0.cram").read_bytes()
    starts = sorted(cram.records(folder / "3.0.cram")[1])
    data = whole[: starts[9]] + (whole[starts[10] :] if damage == "container" else END[3])
    done = adopted(folder, damaged(folder, "3.0.cram", data, tmp_path, "3.0.cram.crai"), tmp_path)
    assert done.status == 1
    assert "3.0.cram" in done.output and "copy the file again and compare checksums" in done.output


def test_a_flipped_bit_anywhere_in_a_cram_stops_the_job_or_changes_no_read(folder, tmp_path):
    """Blocks and headers of CRAM 3 have checksums; the job that takes one decodes every block."""

    def reads(path: Path) -> bytes:
        return subprocess.run(["samtools", "view", "-T", folder / "ref.fa", path], capture_output=True).stdout

    whole, told = (folder / "3.0.cram").read_bytes(), reads(folder / "3.0.cram")
    target = cram_of_person.Target(str(tmp_path / "target.cram"), str(folder / "ref.fa"))
    stopped = 0
    for at in random.Random(2).sample(range(26, len(whole) - len(END[3])), 24):
        data = whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :]
        path = damaged(folder, "3.0.cram", data, tmp_path, "3.0.cram.crai")
        try:
            cram_of_person.adopt([str(path)], "A", True, {}, [], target, Ledger("a test"))
            reads_quality.stats(target.path, target.fasta, str(tmp_path / "stats"), 1)
        except GoeError as error:
            stopped += 1
            assert ".cram" in str(error) and " -> " in str(error), at
        else:
            assert reads(path) == told, at
        Path(target.path).unlink(missing_ok=True)
    assert stopped > 15


def test_another_version_of_cram_is_told_and_no_cram_as_well(tmp_path):
    (tmp_path / "a.cram").write_bytes(b"CRAM\4\0" + bytes(40))
    with pytest.raises(GoeError, match=r"is a CRAM 4\.0"):
        cram.records(tmp_path / "a.cram")
    (tmp_path / "b.cram").write_bytes(b"BAM\1")
    with pytest.raises(GoeError, match="is not a CRAM"):
        cram.version(tmp_path / "b.cram")


def test_mates_of_an_unaligned_bam_must_be_there(folder, tmp_path):
    assert alignments.pairs_of(str(folder / "u.bam")).primary == 6000
    whole = (folder / "u.bam").read_bytes()
    starts = bgzf_blocks.starts(whole)
    seen = 0
    for start, after in pairwise(starts[1:]):
        path = damaged(folder, "u.bam", whole[:start] + whole[after:], tmp_path)
        try:
            assert alignments.pairs_of(str(path)).primary < 6000
        except GoeError as error:
            assert "first reads of pairs" in str(error) or "samtools view" in str(error)
            seen += 1
    assert seen, "every block held whole pairs"


@pytest.mark.parametrize("name", ["HG001.chr20.10_10p1mb_sorted.bam", "NA12891.chr20.10_10p1mb_sorted.bam"])
def test_real_bams_have_what_their_index_tells(shared, name):
    path = shared / "data" / "reads" / name
    held = int(subprocess.run(["samtools", "view", "-c", path], capture_output=True, text=True, check=True).stdout)
    assert indexes.read(f"{path}.bai").total() in (None, held)


def test_a_real_cram_is_whole(shared):
    path = shared / "data" / "reads" / "NA12878_S1.chr20.10_10p1mb.cram"
    total, starts = cram.records(path)
    assert total > 10_000
    cram.hold(path, f"{path}.crai", starts)
