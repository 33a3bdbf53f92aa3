"""`goe va-spec`: a line an allele, with the numbers of every stratum that is public; ga4gh.va_spec itself is asked in
tests/consumers."""

import gzip
import json

import pyarrow.parquet as pq
import pytest
from goe import cli
from goe.core.errors import GoeError
from goe.lookup import va_spec
from helpers import release_folder as rf
from helpers.release_cells import Cells


def lines(folder):
    return [
        json.loads(line)
        for path in sorted(folder.iterdir())
        for line in gzip.decompress(path.read_bytes()).splitlines()
    ]


def cohorts(result):
    """Stratum -> study result, of one and all below it."""
    yield result["cohort"]["id"].partition(":")[2], result
    for part in result.get("subCohortFrequency", []):
        yield from cohorts(part)


def test_every_public_number_is_in_its_cohort_and_no_other(released, tmp_path, capsys):
    assert cli.main(["va-spec", str(released), "-o", str(tmp_path / "va")]) == cli.PASSED
    assert sorted(p.name for p in (tmp_path / "va").iterdir()) == [va_spec.name(c) for c in ("chr20", "chrX")]
    found = lines(tmp_path / "va")
    assert f"{len(found)} alleles" in capsys.readouterr().out
    people = json.loads((released / "metadata/dataset.json").read_text())["strata"]
    rows = [row for c in ("chr20", "chrX") for row in pq.read_table(released / f"allele-names/{c}.parquet").to_pylist()]
    named = {row["vrs_id"]: (row["contig"], row["pos"], row["ref"], row["alt"]) for row in rows}
    got = {}
    for one in found:
        assert one["id"] == f"{rf.ID}:{one['focusAllele']}" and one["sourceDataSet"]["id"] == rf.ID
        of = got[named[one["focusAllele"]]] = {}
        for stratum, result in cohorts(one):
            ac, an = result["focusAlleleCount"], result["locusAlleleCount"]
            assert result["focusAlleleFrequency"] == ac / an and stratum not in of
            assert result["cohort"]["memberCount"] == people[stratum]
            more = result["ancillaryResults"]
            of[stratum] = (ac, an, more["homozygotes"], more["hemizygotes"])
    wanted = {
        key: {s: (n["ac"], n["an"], n["ac_hom"] // 2, n["ac_hemi"]) for s, n in of.items() if n["an"]}
        for key, of in Cells.read(released, "pass").of.items()
    }
    assert got == {key: of for key, of in wanted.items() if of} and len(got) > 50
    assert {stratum for of in got.values() for stratum in of} == set(people)
    # The highest of the countries, where all are public, is the highest.
    highest = [one for one in found if "grpMaxFAF95" in one["ancillaryResults"]]
    assert highest and all(one["ancillaryResults"]["grpMaxFAF95"]["groupId"] != f"{rf.ID}:Total" for one in highest)


def test_a_folder_that_is_there_is_left_alone(released, tmp_path):
    with pytest.raises(GoeError, match="is there already"):
        va_spec.write(released, tmp_path)
