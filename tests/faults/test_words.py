"""No word of a release can be another one: each file of it has a check that sees that, whatever its digests say.

COVERED is the table of docs/release.md. For every file of a small release a few words are changed, one at a time, those
drawn that a seed says; catalogue record, crate and manifest are made again, so that no digest tells. Of files that are
looked at each by itself (ONE_BY_ONE) all are changed at a time, a word in each, and each has to be named.
"""

import gzip
import hashlib
import json
import random
import re
import tarfile

import pyarrow.parquet as pq
import pysam
import pytest
from goe.check import run as check
from goe.core import manifest, tar
from helpers import release_folder as rf

WORD = re.compile(rb"[A-Za-z]{4,}")
# Which check sees a changed word, by the path of the file; the first that fits.
COVERED = {
    r"README\.md|LICENSE|CHANGELOG\.md|provenance/(Snakefile|workflow/.*)": "texts",
    r"metadata/dataset\.json|provenance/config\.json": "descriptions texts described",
    r"disclosure/disclosure\.json|qc/summary\.json": "descriptions texts counts membership",
    r"ledger\.json": "descriptions",
    r"dictionary/fields\.tsv": "dictionary",
    r"beacon/datasets.*": "texts",
    r"beacon/.*": "beacon",
    r"(sites|mini-node|annotations)/.*\.tbi": "headers",
    r"sites/.*": "headers sites",
    r"mini-node/.*": "headers mini-node",
    r"annotations/.*": "dictionary headers annotations",
    r"frequencies-wide/.*": "tables wide",
    r"frequencies/.*": "tables",
    r"allele-names/.*": "tables names",
    r"callable_an/.*\.tbi": "headers callable-an",
    r"callable_an/.*": "tables headers callable-an",
    r"provenance/code\.sha256": "texts",
    r"provenance/sbom\.cdx\.json": "described",
    r"gdi/.*": "gdi",
    r"report\.html": "page",
    r"metadata/healthdcat\..*|ro-crate-metadata\.json": "described",
}
ONE_BY_ONE = "texts", "headers mini-node"
ROUNDS = 3
METADATA = (
    "provenance/sbom.cdx.json",
    "metadata/healthdcat.ttl",
    "metadata/healthdcat.jsonld",
    "ro-crate-metadata.json",
)
CONTIGS = {"chr20": 150}
# What the folder alone cannot tell: settings that nothing else in it repeats, and who made what (docs/release.md).
TOLD = re.compile(rb'"(caller|name|extra|profile)": |_sha256"')


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return rf.make(tmp_path_factory.mktemp("release"), contigs=CONTIGS)


def other(chance, data, start=0, end=None):
    """Text with another word somewhere between two places, and the line it is in; None where there is none."""
    words = [m for m in WORD.finditer(data, start, len(data) if end is None else end)]
    match = chance.choice(words)
    word = bytes(chance.choice(b"bdfghjkmq") for _ in range(len(match[0])))
    line = data[data.rfind(b"\n", 0, match.start()) + 1 :].partition(b"\n")[0]
    return data[: match.start()] + word + data[match.end() :], line


def in_lines(chance, path, header):
    """In the header of a VCF, or in its records."""
    data = gzip.decompress(path.read_bytes())
    at = data.find(b"\n#CHROM") + 1
    new, line = other(chance, data, *((0, at) if header else (at, None)))
    with pysam.BGZFile(str(path), "w") as file:
        file.write(new)
    return line


def in_metadata(chance, path):
    """In the metadata of a Parquet file."""
    table, about = pq.read_table(path), pq.read_schema(path).metadata
    new, line = other(chance, about[b"goe"])
    with pq.ParquetWriter(path, table.schema.remove_metadata(), store_schema=False, compression="zstd") as file:
        file.add_key_value_metadata({"goe": new.decode()})
        file.write_table(table)
    return line


def in_member(chance, path):
    """In a text of a TAR."""
    with tarfile.open(path) as archive:
        parts = {name: archive.extractfile(name).read() for name in archive.getnames()}
    name = chance.choice([name for name in parts if not name.endswith(".parquet")])
    parts[name], line = other(chance, parts[name])
    if name != "manifest.json":
        said = json.loads(parts["manifest.json"])
        said["payload"]["members"][name]["sha256"] = hashlib.sha256(parts[name]).hexdigest()
        parts["manifest.json"] = (json.dumps(said, indent=2, ensure_ascii=False) + "\n").encode()
    path.write_bytes(b"".join(tar.stream(parts.items(), tar.GNU)))
    return line


def changed(chance, path, round_):
    """Change a word of a file; the line that it was in."""
    if path.name.endswith(".vcf.gz"):
        return in_lines(chance, path, header=round_ % 2 == 0)
    if path.suffix == ".gz":
        new, line = other(chance, gzip.decompress(path.read_bytes()))
        with pysam.BGZFile(str(path), "w") as file:
            file.write(new)
        return line
    if path.suffix == ".parquet":
        return in_metadata(chance, path)
    if path.suffix == ".tar":
        return in_member(chance, path)
    data = path.read_bytes()
    chunk = data.find(b'<script type="text/plain"') if path.suffix == ".html" else -1
    new, line = other(chance, data, 0, chunk if chunk > 0 else None)
    path.write_bytes(new)
    return line


def files(root):
    return manifest.files(root)


def test_each_file_has_a_check(whole):
    assert [name for name in files(whole) if not any(re.fullmatch(one, name) for one in COVERED)] == []
    assert {part for parts in COVERED.values() for part in parts.split()} <= set(check.ALL)


@pytest.mark.parametrize("pattern", COVERED)
def test_a_word_that_is_another(whole, tmp_path, pattern):
    """The check that COVERED names fails, and names the file."""
    names = [name for name in files(whole) if re.fullmatch(pattern, name)]
    names = [n for n in names if next(one for one in COVERED if re.fullmatch(one, n)) == pattern and n[-4:] != ".tbi"]
    parts = COVERED[pattern].split()
    unseen = []
    for some in [names] if COVERED[pattern] in ONE_BY_ONE else [[name] for name in names]:
        chances = {name: random.Random(name) for name in some}
        for round_ in range(ROUNDS):
            root = rf.copy(whole, tmp_path / f"{len(unseen)}{some[0].replace('/', '_')}{round_}")
            lines = {
                name: changed(chances[name], root / name, round_)
                for name in some
                if not (round_ and name.startswith("provenance/workflow"))
            }
            if some[0] in METADATA:
                rf.sign(root)
            else:
                try:
                    rf.remake(root)
                except Exception:  # a description that nothing can be made of
                    rf.sign(root)
            wanted = [*check.BEFORE_METADATA, "page"] if parts == ["page"] else parts
            results = check.run(root, wanted)
            found = [str(p) for r in results if r.part in parts and r.passed is False for p in r.problems]
            for name, line in lines.items():
                if not any(name in text or "report.html" in text for text in found) and not TOLD.search(line):
                    unseen.append((name, line[:200], found))
    assert unseen == []
