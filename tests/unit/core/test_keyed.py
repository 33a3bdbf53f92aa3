"""Keyed digests: the same under one key, another under another, and files for their owner only."""

import hashlib

from goe.core import keyed


def test_a_digest_is_of_its_key_and_text():
    # Test case 2 of RFC 4231.
    assert keyed.digest(b"Jefe", "what do ya want for nothing?") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )
    one, two = keyed.new_key(), keyed.new_key()
    assert one != two and keyed.digest(one, "x") != keyed.digest(two, "x") != hashlib.sha256(b"x").hexdigest()


def test_record_and_key_are_for_their_owner(tmp_path):
    key = keyed.new_key()
    keyed.write(tmp_path / "r.tsv", [("a", "b"), ("1", "2")], key, tmp_path / "r.key")
    assert (tmp_path / "r.tsv").read_text() == "a\tb\n1\t2\n"
    assert keyed.read_key(tmp_path / "r.key") == (key, [])
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in ("r.tsv", "r.key")} == {0o600}


def test_what_is_no_key_is_told(tmp_path):
    for text in ("", "00", "no hex", "00" * 33):
        (tmp_path / "k").write_text(text)
        key, problems = keyed.read_key(tmp_path / "k")
        assert key == b"" and "is no key of a record" in str(problems[0])
