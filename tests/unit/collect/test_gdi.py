"""Packages of a GDI node, brought to the form of the sum."""

import pyarrow.parquet as pq
from goe.collect import take as looked
from goe.collect.sheet import GDI, Entry
from goe.disclosure.silence import UNKNOWN
from helpers import release_folder
from helpers.three_releases import IDS


def take(path, expect, tmp_path, **more):
    return looked.take(Entry(1, str(path), expect, **more), tmp_path / "work")


def test_a_gdi_package_has_the_numbers_of_its_release_and_says_less(releases, tmp_path):
    package = releases["FI"] / f"gdi/{IDS['FI']}.tar"
    one = take(package, "FI", tmp_path, kind=GDI, counted_by="goe 0.1, packed")
    assert one.problems == [] and one.id == IDS["FI"] and one.silence.means == UNKNOWN
    assert one.terms["build"] == "GRCh38" and "counting_rules" not in one.terms
    wide = pq.read_table(releases["FI"] / "frequencies-wide/chr20.parquet", filters=[("filter", "==", "PASS")])
    mine = pq.read_table(one.tables["chr20"].path)
    for name in ("pos", "ref", "alt", "ac", "an", "nhomalt", "ac_FI_M", "an_FI_F"):
        assert mine[name].to_pylist() == wide[name].to_pylist(), name
    assert {c["name"]: c["length"] for c in one.terms["contigs"]} == release_folder.CONTIGS


def test_a_broken_gdi_package_is_refused(releases, tmp_path):
    package = tmp_path / f"{IDS['FI']}.tar"
    package.write_bytes((releases["FI"] / f"gdi/{IDS['FI']}.tar").read_bytes()[:-20_000])
    assert take(package, "FI", tmp_path, kind=GDI, counted_by="x").problems
