"""The demo again, of encrypted files, on one core and in other regions: the same release, nothing decrypted on a disk,
no key anywhere."""

import gzip
import json
import os
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from goe.core import manifest
from helpers.encrypted import Owner
from helpers.workflow import snakemake

pytestmark = pytest.mark.slow

# One of each kind, and the index of every second one.
FILES = (
    *("FI001.lib1.L1_R1.fastq.gz", "FI001.lib1.L1_R2.fastq.gz", "EE002.unaligned.bam", "EE003.cram", "FI002.bam"),
    *("EE004.g.vcf.gz", "EE007.vcf.gz", "joint.chrX.bcf", "joint.chrM.vcf.gz"),
)
RELEASE = f"release/{manifest.NAME}"
INDEXES = ("EE003.cram.crai", "EE004.g.vcf.gz.tbi", "joint.chrX.bcf.csi")


def marks(path: Path) -> list[bytes]:
    """What a disk that has the file has: pieces of its bytes, and of what is in them."""
    data = path.read_bytes()
    inside = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else b""
    return [text[at : at + 64] for text in (data, inside) for at in (len(text) // 3, len(text) // 2) if len(text) > 999]


def holding(folders: list[Path], wanted: list[bytes]) -> list[str]:
    """Files in which any of these stands, but for the CRAM that is made of a CRAM: the same program writes the same
    blocks of the same reads."""
    found = []
    # What goes while it is walked through is passed over.
    places = (place for folder in folders for place in os.walk(folder))
    for path in (Path(place) / name for place, _, names in places for name in names):
        if path.name == "EE003.cram" and "work" in path.parts:
            continue
        try:
            data = path.read_bytes()
        except OSError:
            continue
        found += [str(path) for text in wanted if text in data]
    return found


@contextmanager
def watched(run: Path, temporary: Path, wanted: list[bytes]):
    """What goes again before a job has ended: files of scratch and of TMPDIR, again and again while the block runs."""
    found, over = [], threading.Event()

    def watch() -> None:
        while not over.wait(0.3):
            folders = (Path(place) / name for place, names, _ in os.walk(run / "work") for name in names)
            found.extend(holding([temporary, *(one for one in folders if one.suffix == ".scratch")], wanted))

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watch)
        try:
            yield found
        finally:
            over.set()
        watching.result()


@dataclass
class Again:
    """A second run of the demo: what its user was told, and what was seen on disks while it was at work."""

    folder: Path
    owner: Owner
    temporary: Path
    wanted: list[bytes]
    output: str
    seen: list[str]


@pytest.fixture(scope="module")
def again(cohort, tmp_path_factory) -> Iterator[Again]:
    """From nothing, of encrypted files, on one core, in other regions and batches."""
    top = tmp_path_factory.mktemp("again")
    folder, data, temporary = top / "run", top / "run/data", top / "tmp"
    temporary.mkdir()
    shutil.copytree(cohort, folder)
    wanted = [mark for name in FILES for mark in marks(data / name)]
    # Of each pair the one is in the file itself, as it is on a disk.
    assert len(wanted) > 30 and 2 * len(holding([data], wanted)) >= len(wanted)
    with pytest.MonkeyPatch.context() as patch:
        own = Owner.made(top / "keys").told(patch)
        patch.setenv("TMPDIR", str(temporary))
        sheet = (folder / "inputs.tsv").read_text()
        for name in FILES:
            own.encrypt(data / name)
            sheet = sheet.replace(f"data/{name}\t", f"data/{name}.c4gh\t")
        for name in INDEXES:
            own.encrypt(data / name)
        (folder / "inputs.tsv").write_text(sheet)
        assert sheet.count(".c4gh") == len(FILES)
        config = yaml.safe_load((folder / "config/config.yaml").read_text())
        config["scatter"] = {"region_size": 70_001, "people_per_batch": 100}
        (folder / "config/config.yaml").write_text(yaml.safe_dump(config))
        with watched(folder, temporary, wanted) as seen:
            done = snakemake(folder, RELEASE, cores=1).ok()
        yield Again(folder, own, temporary, wanted, done.output, seen)


def test_same_bytes_on_one_core_with_other_regions_and_batches(run, again):
    assert (again.folder / RELEASE).read_text() == (run / RELEASE).read_text()


def test_encrypted_inputs(run, again, monkeypatch):
    folder, own = again.folder, again.owner
    assert manifest.verify(folder / "release") == []
    logs = [json.loads(path.read_text())["path"] for path in (folder / "work/joint/file").iterdir()]
    assert sum(path.endswith(".c4gh") for path in logs) == 2
    places = [folder / name for name in ("work", "release", ".snakemake")] + [again.temporary]
    assert again.seen == [] and holding(places, again.wanted) == []
    secrets = own.secrets()
    assert holding([*places, folder / "config"], secrets) == []
    assert not any(text in again.output.encode() for text in secrets)

    # Another file in the place of one is seen, as it is of plain ones; without the key nothing begins.
    assert "Nothing to be done" in snakemake(folder, RELEASE, "-n").ok().output
    shutil.copy(run / "data/EE004.g.vcf.gz", folder / "data/EE004.g.vcf.gz")
    own.encrypt(folder / "data/EE004.g.vcf.gz")
    planned = snakemake(folder, RELEASE, "-n").ok().output
    assert "rule harmonise_people:" in planned and "rule align_person:" not in planned
    monkeypatch.delenv("C4GH_SECRET_KEY")
    stopped = snakemake(folder, RELEASE)
    assert stopped.status == 1 and "C4GH_SECRET_KEY is not set in the environment -> export" in stopped.output
    assert "rule harmonise_people:" not in stopped.output
