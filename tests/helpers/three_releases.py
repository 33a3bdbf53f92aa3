"""Small releases of three countries: EE is open, LV has a floor, FI is open and has a GDI package."""

import json
import shutil

from goe.release import restricted

from helpers import release_folder

COLLAPSE = {"min_carriers": 5, "policy": "collapse"}
IDS = {
    "EE": "GOE-EE-EXAMPLE-20260301093000000",
    "LV": "GOE-LV-EXAMPLE-20260302093000000",
    "FI": "GOE-FI-EXAMPLE-20260303093000000",
}
_COHORTS = {
    "EE": ({"EE": (80, 70, 3), "FI": (20, 20, 0)}, release_folder.OPEN),
    "LV": ({"LV": (60, 60, 0)}, COLLAPSE),
    "FI": ({"FI": (50, 40, 0)}, release_folder.OPEN),
}


def make(folder):
    """Country -> folder of its release, below `folder`. One reference, other people and other alleles."""
    made = {}
    for seed, (country, (people, rule)) in enumerate(_COHORTS.items(), 1):
        with release_folder.named(IDS[country]):
            made[country] = release_folder.make(folder / country, rule, country == "FI", seed=seed, countries=people)
    return made


def packed(root, keys, target, change=None, edit=None, runs=None):
    """A restricted product with the tables of an open release. keys: files, the private one first.

    change: of its description; edit, runs: of rows of the frequency table and of callable AN of chr20.
    """
    said = json.loads((root / "metadata/dataset.json").read_text())
    rules = json.loads((root / "provenance/config.json").read_text())["genotype_filter"]
    said |= {"formats": [], "genotype_filter": rules, "disclosure": {"level": restricted.LEVEL, "legal_basis": "x 7"}}
    contigs = [c["name"] for c in said["contigs"]]
    (change or (lambda about: None))(said)
    folder = target.parent / "members"
    for part in ("frequencies", "callable_an"):
        shutil.copytree(root / part, folder / part)
    for part, how in (("frequencies", edit), ("callable_an", runs)):
        if how:
            release_folder.edit_parquet(folder / f"{part}/chr20.parquet", how)
    (folder / "dataset.json").write_text(json.dumps(said))
    members = {
        f"{part}/{c}.parquet": folder / f"{part}/{c}.parquet"
        for part in ("frequencies", "callable_an")
        for c in contigs
    }
    members["metadata/dataset.json"] = folder / "dataset.json"
    restricted.package(members, said["id"], target, [keys[1]])
    return target


def with_floors(folder, keys):
    """Country -> (restricted product, public release with a floor) of the same people."""
    made = {}
    for seed, country in enumerate(IDS, 1):
        with release_folder.named(IDS[country]):
            people = {country: (30, 30, 0)}
            roots = [
                release_folder.make(folder / country / name, rule, False, seed=seed, countries=people)
                for name, rule in (("open", release_folder.OPEN), ("floor", {"min_carriers": 3, "policy": "collapse"}))
            ]
        target = folder / country / f"{IDS[country]}.restricted.tar.c4gh"
        made[country] = packed(roots[0], keys, target), roots[1]
    return made
