"""Ledgers close or stop the run."""

import json

import pytest
from goe.core.errors import GoeError
from goe.core.ledger import Ledger, total


def closed(step="x"):
    ledger = Ledger(step)
    ledger.take("records", 10)
    ledger.give("records", 7)
    ledger.drop("records", "no_alt", 3)
    ledger.take("alleles", 4)
    ledger.add("alleles", "atoms", 2)
    ledger.give("alleles", 6)
    return ledger


def test_closed(tmp_path):
    closed().write(tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text())["dropped"] == {"records": {"no_alt": 3}}


def test_open_ledger_stops_and_writes_nothing(tmp_path):
    ledger = closed()
    ledger.take("records")
    with pytest.raises(GoeError, match="records: 11 in"):
        ledger.write(tmp_path / "a.json")
    assert not (tmp_path / "a.json").exists()


def test_total(tmp_path):
    for name in "ab":
        closed(name).write(tmp_path / name)
    whole = total([tmp_path / "a", tmp_path / "b"], "all")
    assert whole.taken["records"] == 20 and whole.dropped["records"]["no_alt"] == 6
