"""The restricted product: everything, for its recipients only."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pysam
import pytest
from crypt4gh.keys import c4gh
from goe.core import manifest
from goe.core.errors import GoeError
from goe.frequencies import strata as st
from goe.hts import crypt4gh
from goe.release import restricted
from goe.release.formats import sites_vcf
from goe.release.table import STATISTICS, Source, schema
from goe.rules import counting
from goe.rules.policy import Policy
from goe.settings import sections
from hypothesis import given, settings
from hypothesis import strategies as some

DATASET = "GOE-EE-EXAMPLE-20260101000000000"
PEOPLE = {"EE_F": 40, "EE_M": 40, "EE_U": 1, "LV_F": 2}
CFG = {
    "dataset": {
        "prefix": "GOE",
        "country": "EE",
        "org": "EXAMPLE",
        "id": DATASET,
        "title": "Frequencies",
        "contact": {"fn": "A name", "email": "a@example.org"},
    },
    "strata": {"label": "country_code"},
}


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    pairs = [(folder / f"{name}.sec", folder / f"{name}.pub") for name in "ab"]
    for secret, public in pairs:
        c4gh.generate(str(secret), str(public), None, None)
    return pairs


@pytest.fixture
def fields(repo):
    return sites_vcf.read_fields(repo / "resources/dictionary/fields.tsv")


def counts(path, contig, n, seed):
    """Counts of rare alleles: most cells are below any floor."""
    rng = np.random.default_rng(seed)
    columns = {
        "contig": pa.array([contig] * n, pa.string()),
        "pos": pa.array(np.arange(10, 10 + 3 * n, 3), pa.int32()),
        "ref": pa.array(["A"] * n),
        "alt": pa.array(["C"] * n),
        "filter": pa.array([[] if i % 3 else ["HWE"] for i in range(n)], pa.list_(pa.string())),
    }
    for leaf, people in PEOPLE.items():
        het = rng.integers(0, 2, n)
        for call, values in zip(st.CALLS, ([people] * n, [0] * n, het, [0] * n, [0] * n), strict=True):
            columns[f"{call}_{leaf}"] = pa.array(values, pa.int32())
    for name in STATISTICS:
        columns[name] = pa.array([0.5] * n, pa.float64())
    about = {"goe": json.dumps({"leaves": list(PEOPLE), "people": PEOPLE, "class_expected": {}})}
    pq.write_table(pa.table(columns).replace_schema_metadata(about), path)
    return path


def staged(folder, fields, keys, block=1000, threads=1):
    """The restricted files of two contigs; {name: path}."""
    folder.mkdir()
    members, summaries = {}, []
    for i, contig in enumerate(("chr1", "chr2")):
        table = counts(folder / f"{contig}.counts", contig, 50, i)
        source = Source([table], contig, 1000, restricted.policy("agreement 7"), block)
        out = [folder / f"{contig}.{x}" for x in ("parquet", "all", "pass")]
        said = restricted.write_contig(source, fields, {"dataset": DATASET, "build": "GRCh38"}, *out, threads)
        summaries.append({"contig": {"name": contig, "length": 1000, "md5": "0" * 32}, **said})
        members[f"frequencies/{contig}.parquet"] = out[0]
    for which in ("all", "pass"):
        vcf = folder / f"{which}.vcf.gz"
        bodies = [folder / f"{contig}.{which}" for contig in ("chr1", "chr2")]
        restricted.write_sites(summaries, bodies, fields, "GRCh38", vcf, which == "all")
        members[f"sites/{DATASET}.{which}.vcf.gz"] = vcf
        members[f"sites/{DATASET}.{which}.vcf.gz.tbi"] = folder / f"{vcf.name}.tbi"
    about = restricted.describe(
        sections.of(sections.Config, CFG),
        "GRCh38",
        summaries,
        "agreement 7",
        [public for _, public in keys],
        [("chr1", 1, 10)],
    )
    (folder / "dataset.json").write_text(about)
    return members | {"metadata/dataset.json": folder / "dataset.json"}


def test_recipients_read_every_count_of_every_stratum(tmp_path, fields, keys):
    members = staged(tmp_path / "work", fields, keys)
    target = tmp_path / "x.tar.c4gh"
    said = restricted.package(members, DATASET, target, [public for _, public in keys])
    for i, (secret, _) in enumerate(keys):
        folder = restricted.unpack(target, tmp_path / f"out{i}", secret)
        assert folder.name == f"{DATASET}.restricted"
        assert manifest.verify(folder) == [] and set(manifest.files(folder)) == set(members)
        assert [p.name for p in (tmp_path / f"out{i}").iterdir()] == [folder.name]
    rows = pq.read_table(folder / "frequencies/chr1.parquet").to_pylist()
    assert {r["stratum"] for r in rows} == {"Total", "M", "F", "EE", "EE_M", "EE_F", "LV", "LV_F"}
    assert len(rows) == 50 * 8 and {r["ac"] for r in rows if r["stratum"] == "LV"} == {0, 1}
    # The schema is that of the release, the metadata say what it is.
    source = Source([tmp_path / "work/chr1.counts"], "chr1", 1000, restricted.policy(""))
    release = schema(fields, {}, {s: source.plan.people[s] for s in source.plan.strata}, "chr1")
    found = pq.read_schema(folder / "frequencies/chr1.parquet")
    assert [(f.name, f.type) for f in found] == [(f.name, f.type) for f in release]
    assert json.loads(found.metadata[b"goe"])["disclosure"] == {"level": "restricted"}
    about = json.loads((folder / "metadata/dataset.json").read_text())
    assert about["disclosure"]["level"] == "restricted" and about["number_of_people"] == 83
    assert about["disclosure"]["recipients"] == sorted(crypt4gh.fingerprint(public) for _, public in keys)
    for which, n in (("all", 100), ("pass", 66)):
        with pysam.VariantFile(str(folder / f"sites/{DATASET}.{which}.vcf.gz")) as vcf:
            assert "##disclosure=restricted" in str(vcf.header)
            found = list(vcf.fetch("chr1")) + list(vcf.fetch("chr2"))
            assert len(found) == n and "AC_LV_F" in found[0].info
    assert said["sha256"] and said["size"] % 10240 == 0


def test_it_says_what_whoever_adds_it_up_has_to_compare(tmp_path, fields, keys):
    said = json.loads(staged(tmp_path / "work", fields, keys)["metadata/dataset.json"].read_text())
    assert said["counting_rules"] == counting.VERSION
    assert [(c["name"], c["length"], c["md5"]) for c in said["contigs"]] == [
        (f"chr{i}", 1000, "0" * 32) for i in (1, 2)
    ]
    assert said["genotype_filter"]["min_gq"] == sections.of(sections.Config, CFG).genotype_filter.min_gq
    assert said["pseudo_autosomal_regions"] == [["chr1", 1, 10]]


def test_the_tar_is_the_same_for_any_cut_and_any_time_and_plain_tools_read_it(tmp_path, fields, keys):
    tars = []
    for i, (block, threads) in enumerate(((1000, 1), (7, 2))):
        members = staged(tmp_path / f"work{i}", fields, keys, block=block, threads=threads)
        if i:
            members = dict(reversed(members.items()))
            for path in members.values():
                os.utime(path, (5, 5))
                path.chmod(0o600)
        # A row group holds a block: the table is the same for one size of blocks only.
        if i:
            members |= {f"frequencies/{c}.parquet": tmp_path / f"work0/{c}.parquet" for c in ("chr1", "chr2")}
        said = restricted.package(members, DATASET, tmp_path / f"{i}.c4gh", [keys[0][1]])
        crypt4gh.decrypt(tmp_path / f"{i}.c4gh", tmp_path / f"{i}.tar", keys[0][0])
        tars.append((tmp_path / f"{i}.tar").read_bytes())
        assert said == {"sha256": hashlib.sha256(tars[i]).hexdigest(), "size": len(tars[i])}
    assert tars[0] == tars[1]
    with tarfile.open(tmp_path / "0.tar") as tar:
        info = tar.getmembers()
    assert [m.name.split("/", 1)[1] for m in info] == ["MANIFEST.sha256", *sorted(members)]
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in info} == {(0, 0, 0, "", "", 0o644)}
    if shutil.which("tar"):
        subprocess.run(["tar", "xf", "0.tar"], cwd=tmp_path, check=True)
        folder = tmp_path / f"{DATASET}.restricted"
        subprocess.run(["sha256sum", "--strict", "--quiet", "-c", "MANIFEST.sha256"], cwd=folder, check=True)


@settings(max_examples=40, deadline=None)
@given(sizes=some.lists(some.integers(0, 3000), min_size=1, max_size=5), long=some.booleans())
def test_tar_of_any_sizes_is_what_tarfile_writes(tmp_path_factory, sizes, long):
    """Byte for byte, long names included."""
    folder = tmp_path_factory.mktemp("tar")
    members = {}
    for i, size in enumerate(sizes):
        path = folder / str(i)
        path.write_bytes(os.urandom(size))
        members[f"{'long/' * 40 if long else ''}{i}"] = path
    digests = {member: manifest.digest(path) for member, path in members.items()}
    buffer = io.BytesIO()
    listed = "".join(f"{value}  {member}\n" for member, value in digests.items()).encode()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for member, data in (("MANIFEST.sha256", listed), *((m, p.read_bytes()) for m, p in members.items())):
            info = tarfile.TarInfo(f"top/{member}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    assert b"".join(restricted._tar(members, digests, "top")) == buffer.getvalue()


def test_nothing_is_left_outside_the_work_folder_when_it_fails(tmp_path, keys):
    out = tmp_path / "restricted"
    out.mkdir()
    (tmp_path / "a").write_bytes(b"x" * 300_000)
    members = {"a": tmp_path / "a", "b": tmp_path / "b", "../c": tmp_path / "a", "MANIFEST.sha256": tmp_path / "a"}
    with pytest.raises(GoeError) as error:
        restricted.package(members, DATASET, out / "x.c4gh", [keys[0][0]])
    told = str(error.value)
    for part in ("is a private key", "b: is no file", "'../c'", "'MANIFEST.sha256'"):
        assert part in told
    assert not any(out.iterdir())


def test_a_file_that_changes_while_it_is_packed(tmp_path, keys, monkeypatch):
    (tmp_path / "a").write_bytes(b"x" * 300_000)
    real = manifest.digest
    for change in (b"y" * 300_000, b"x" * 10):

        def digest(path, change=change):
            value = real(path)
            (tmp_path / "a").write_bytes(change)
            return value

        monkeypatch.setattr(manifest, "digest", digest)
        (tmp_path / "a").write_bytes(b"x" * 300_000)
        with pytest.raises(GoeError, match="changed while it was packed"):
            restricted.package({"a": tmp_path / "a"}, DATASET, tmp_path / "x.c4gh", [keys[0][1]])
        assert {p.name for p in tmp_path.iterdir()} == {"a"}


def test_a_source_with_a_floor_is_not_taken_for_one_without(tmp_path, fields):
    table = counts(tmp_path / "c", "chr1", 5, 0)
    with pytest.raises(ValueError, match="collapse"):
        restricted.write_contig(
            Source([table], "chr1", 1000, Policy(5)), fields, {}, *(tmp_path / str(i) for i in range(3))
        )


def hostile(path, keys, members):
    """An encrypted TAR of the given (TarInfo, bytes)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for info, data in members:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    crypt4gh.encrypt([buffer.getvalue()], path, [keys[0][1]])


def link():
    info = tarfile.TarInfo("top/a")
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return info


def holes():
    """A file of one byte that says it is 16 MB."""
    info = tarfile.TarInfo("top/a")
    info.pax_headers = {"GNU.sparse.map": "0,1", "GNU.sparse.size": str(1 << 24)}
    return info


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([(holes(), b"x")], "no plain file inside"),
        ([(tarfile.TarInfo("../a"), b"x")], "no plain file inside"),
        ([(tarfile.TarInfo("/tmp/a"), b"x")], "no plain file inside"),
        ([(tarfile.TarInfo("package.tar"), b"x")], "no plain file inside"),
        ([(link(), b"")], "no plain file inside"),
        ([(tarfile.TarInfo("top/a"), b"x"), (tarfile.TarInfo("top/a"), b"y")], "no whole package"),
        ([(tarfile.TarInfo("top/a"), b"x"), (tarfile.TarInfo("other/a"), b"y")], "2 folders"),
        ([(tarfile.TarInfo("top/a"), b"x")], "was not finished"),
        (
            [(tarfile.TarInfo("top/a"), b"x"), (tarfile.TarInfo("top/MANIFEST.sha256"), b"0" * 64 + b"  a\n")],
            "differs from its digest",
        ),
        (
            [
                (tarfile.TarInfo("top/a"), b"x"),
                (tarfile.TarInfo("top/MANIFEST.sha256"), hashlib.sha256(b"x").hexdigest().encode() + b"  a\n"),
            ],
            "does not say that it is restricted",
        ),
        ([], "0 folders"),
    ],
)
def test_what_is_no_package_is_not_taken_for_one(tmp_path, keys, members, message):
    hostile(tmp_path / "x.c4gh", keys, members)
    with pytest.raises(GoeError, match=message):
        restricted.unpack(tmp_path / "x.c4gh", tmp_path / "in/out", keys[0][0])
    assert {p.name for p in tmp_path.iterdir()} == {"x.c4gh", "in"}
    assert not (tmp_path / "in/out/package.tar").exists()


def test_a_package_cut_between_two_segments_is_noticed(tmp_path, fields, keys):
    members = staged(tmp_path / "work", fields, keys)
    (tmp_path / "big").write_bytes(os.urandom(500_000))
    members["zz"] = tmp_path / "big"
    restricted.package(members, DATASET, tmp_path / "x.c4gh", [keys[0][1]])
    whole = (tmp_path / "x.c4gh").read_bytes()
    header = 16 + 108
    for segments in (1, 3, 7):
        (tmp_path / "x.c4gh").write_bytes(whole[: header + segments * (65536 + 28)])
        with pytest.raises(GoeError):
            restricted.unpack(tmp_path / "x.c4gh", tmp_path / f"out{segments}", keys[0][0])
    with pytest.raises(GoeError, match="is not empty"):
        restricted.unpack(tmp_path / "x.c4gh", tmp_path / "work", keys[0][0])
