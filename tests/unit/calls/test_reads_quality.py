"""What tools are asked of a person's reads."""

import json

from goe.calls import reads_quality


def test_fastp_counts_every_read_and_guesses_no_duplicates(tmp_path):
    """Bases of a quality and an adapter that it would trim or leave out."""
    adapter = "AGATCGGAAGAGCACACGTCTGAACTCCAGTCA"
    for n in (1, 2):
        reads = "".join(f"@r{i}\n{'ACGTTGCA' * 8}{adapter}\n+\n{'#' * 97}\n" for i in range(20))
        (tmp_path / f"{n}.fq").write_text(reads)
    pair = [str(tmp_path / f"{n}.fq") for n in (1, 2)]
    reads_quality.fastp(pair, "P", str(tmp_path / "report"), 1)
    told = json.loads((tmp_path / "report.json").read_text())
    assert told["summary"]["before_filtering"]["total_reads"] == told["summary"]["after_filtering"]["total_reads"] == 40
    assert "duplication" not in told and (tmp_path / "report.html").is_file()
