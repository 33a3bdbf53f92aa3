"""Bases and digests of a FASTA."""

import gc
import json
import os
import subprocess
import textwrap
from pathlib import Path

import pysam
import pytest
from goe.genome import fasta as fasta_module
from goe.genome.fasta import Reference, is_whole, m5_of
from helpers.blocks import sequence, write_fasta


@pytest.mark.parametrize("packed", [False, True])
def test_windows_give_the_bases_of_the_file(tmp_path, packed):
    texts = {"chr1": sequence(500), "chr2": sequence(90, 7)}
    lines = {name: "\n".join(textwrap.wrap(text.lower(), 60)) for name, text in texts.items()}
    path = write_fasta(tmp_path / "r.fa", lines)
    if packed:
        subprocess.run(["bgzip", path], check=True)
        path = f"{path}.gz"
        subprocess.run(["samtools", "faidx", path], check=True)
    with Reference(path, window=16) as reference:
        assert reference.lengths == {"chr1": 500, "chr2": 90}
        for start, end in (
            (0, 3),
            (10, 40),
            (38, 39),
            (3, 9),
            (480, 520),
            (-5, 2),
            (500, 510),
            (7, 7),
            (9, 8),
            (80, 95),
        ):
            for contig in ("chr1", "chr1", "chr2"):
                text = texts[contig]
                assert reference.bases(contig, start, end) == text[max(0, start) : max(0, end)], (contig, start, end)
                written = reference.written(contig, start, end)
                places = [written.first + i for i in range(written.size)]
                there = [written.data[i // written.bases * written.width + i % written.bases] for i in places]
                assert bytes(there).decode() == text[max(0, start) : max(0, end)].lower(), (contig, start, end)
        assert reference.bases("chr1", 0, 500) == texts["chr1"]
        with pytest.raises(KeyError):
            reference.bases("chr3", 0, 1)


def test_a_file_that_ends_before_its_bases_do_has_none(tmp_path):
    path = write_fasta(tmp_path / "r.fa", {"c": sequence(500)})
    with Reference(path) as reference:
        assert reference.written("c", 0, 500).size == 500
        os.truncate(path, path.stat().st_size - 2)
        assert reference.written("c", 0, 500).size == 0 and reference.written("c", 0, 400).size == 400


def test_a_file_that_was_cut_off_is_not_whole(tmp_path):
    path = write_fasta(tmp_path / "r.fa", {"c": sequence(500), "d": sequence(70)})
    whole = path.read_bytes()
    assert is_whole(path)
    for cut, there in ((1, True), (2, False), (100, False)):
        path.write_bytes(whole[:-cut])
        assert is_whole(path) == there
    pysam.tabix_compress(str(path), f"{path}.gz", force=True)
    assert is_whole(f"{path}.gz")
    os.truncate(f"{path}.gz", Path(f"{path}.gz").stat().st_size - 1)
    assert not is_whole(f"{path}.gz")


def test_every_pair_of_questions_is_answered_from_the_file(tmp_path):
    text = sequence(12)
    path = write_fasta(tmp_path / "r.fa", {"c": text})
    spans = [(start, end) for start in range(-2, 15) for end in range(-1, 16)]
    with Reference(path, window=3) as reference:
        for before in spans:
            for start, end in spans:
                reference.bases("c", *before)
                assert reference.bases("c", start, end) == text[max(0, start) : max(0, end)], (before, start, end)


def test_refget_is_the_digest_of_ga4gh(tmp_path):
    # The example of the VRS specification for the sequence ACGT.
    with Reference(write_fasta(tmp_path / "r.fa", {"one": "acGT"})) as reference:
        assert reference.refget("one", piece=3) == reference.refget("one") == "SQ.aKF498dAxcJAqme6QYQ7EZ07-fiw8Kw2"


def test_m5_is_that_of_the_sam_specification(tmp_path):
    path = tmp_path / "r.fa"
    path.write_text(">one\nacgtn\nACGT\n>two\nGG\n")
    run = subprocess.run(["samtools", "dict", str(path)], capture_output=True, text=True, check=True)
    with Reference(path) as reference:
        assert f"M5:{reference.m5('one', piece=4)}" in run.stdout
        assert reference.m5("one") == reference.m5("one", piece=4)


def test_kept_digests_are_those_of_the_file_as_it_is(tmp_path, monkeypatch):
    path, cache = write_fasta(tmp_path / "r.fa", {"a": "ACGT", "b": "GGTA"}), tmp_path / "new/m5.json"
    with Reference(path) as reference:
        right = {name: reference.m5(name) for name in "ab"}
    assert m5_of(path, ["a"], cache) == {"a": right["a"]}
    assert m5_of(path, ["b"], cache) == right == json.loads(cache.read_text())["m5"]

    with monkeypatch.context() as patch:
        patch.delattr(fasta_module, "Reference")
        assert m5_of(path, ["a", "b"], cache) == right, "nothing is computed twice"
    os.utime(path, ns=(1, 1))
    cache.write_text(cache.read_text().replace(right["a"], "0" * 32))
    assert m5_of(path, ["a"], cache) == {"a": right["a"]}
    for damaged in ("", "[]", '{"m5": {}}', "null"):
        cache.write_text(damaged)
        assert m5_of(path, ["a"], cache) == {"a": right["a"]}
    assert m5_of(path, ["a"]) == {"a": right["a"]}
    with pytest.raises(KeyError):
        m5_of(path, ["c"], cache)


def test_a_reference_that_nobody_closes_leaves_no_file_open(tmp_path):
    path = write_fasta(tmp_path / "r.fa", {"chr1": sequence(500)})
    for _ in range(20):
        Reference(path)
    gc.collect()
    assert len([1 for fd in Path("/proc/self/fd").iterdir() if fd.exists() and fd.resolve() == path.resolve()]) == 0
