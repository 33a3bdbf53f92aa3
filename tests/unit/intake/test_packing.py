"""Compressions that are not taken have their own message."""

import bz2
import gzip
import lzma

import pytest
from goe.intake import packing


@pytest.mark.parametrize(
    ("data", "name"), [(bz2.compress(b"@q"), "bzip2"), (lzma.compress(b"@q"), "xz"), (b"PK\3\4xxxx", "zip")]
)
def test_other_compressions_are_named_with_the_mend(tmp_path, data, name):
    (tmp_path / "a").write_bytes(data)
    told = packing.problem(tmp_path / "a")
    assert told and f"compressed with {name}" in told.what and "| bgzip > new.gz" in told.mend


@pytest.mark.parametrize("data", [b"", b"@q\n", gzip.compress(b"@q", mtime=0), b"CRAM\3\0", b"BCF\2\2"])
def test_what_is_taken_is_passed_over(tmp_path, data):
    (tmp_path / "a").write_bytes(data)
    assert packing.problem(tmp_path / "a") is None
