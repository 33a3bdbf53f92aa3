"""What tools are asked of a person's reads."""

import json
import subprocess

from goe.calls import reads_quality
from helpers.encrypted import Owner


def test_fastp_counts_every_read_and_guesses_no_duplicates(tmp_path, monkeypatch):
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
    own = Owner.made(tmp_path / "keys").told(monkeypatch)
    for path in pair:
        subprocess.run(["gzip", path], check=True)
    sealed = [own.encrypt(f"{path}.gz") for path in pair]
    reads_quality.fastp(sealed, "P", str(tmp_path / "sealed"), 1)
    assert json.loads((tmp_path / "sealed.json").read_text()) | {"command": ""} == told | {"command": ""}
