"""The project's own hazards: every case has the numbers worked out by hand and those of the plain rules."""

from collections import Counter

import pytest
from goe.core.ledger import total
from goe.frequencies import strata
from goe.genome.build import Build
from helpers import hazards
from helpers.counting import count_vcf

BUILD = Build("toy", hazards.TABLE, hazards.PAR, hazards.LENGTHS)
SHEET = {s: (hazards.SEX[s], hazards.COUNTRY[s]) for s in sorted(hazards.SAMPLES)}
BOOK = hazards.book()


def numbers(table, prefix=""):
    """(contig, pos, ref, alt) -> stratum -> (AC, AN, AC_Hom, AC_Het, AC_Hemi) of a table of counts."""
    found = {}
    for row in table.to_pylist():
        key = (row["contig"], row["pos"], row["ref"], row["alt"])
        assert key not in found
        leaves = sorted({name.split("_", 1)[1] for name in row if name.startswith("dip_")})
        found[key] = {}
        for stratum in hazards.STRATA:
            inside = [leaves[i] for i in strata.members(stratum, leaves)]
            dip, hap, het, hom, hemi = (
                sum(row[f"{prefix}{m}_{leaf}"] for leaf in inside) for m in ("dip", "hap", "het", "hom", "hemi")
            )
            found[key][stratum] = (2 * hom + het + hemi, 2 * dip + hap, 2 * hom, het, hemi)
    return found


@pytest.fixture(scope="module", params=[10_000, 150])
def counted(request, tmp_path_factory):
    """Table and ledgers of the whole file, in one region a contig and in many."""
    folder = tmp_path_factory.mktemp("hazards")
    hazards.write_fasta(folder / "ref.fa", BOOK)
    (folder / "in.vcf").write_text(hazards.vcf_text(BOOK.cases))
    return count_vcf(folder / "in.vcf", folder / "ref.fa", BUILD, SHEET, request.param, folder, raw=True)


def by_hand(kind):
    return {(c.contig, *allele): n for c in BOOK.cases for allele, n in getattr(c, kind).items()}


@pytest.mark.parametrize(("kind", "prefix"), [("adj", ""), ("raw", "raw_")])
def test_every_case_has_the_numbers_worked_out_by_hand(counted, kind, prefix):
    found = {key: by["Total"] for key, by in numbers(counted[0], prefix).items()}
    names = {(c.contig, *allele): c.name for c in BOOK.cases for allele in c.adj}
    wanted = by_hand(kind)
    wrong = {names.get(k, k): (found.get(k), wanted.get(k)) for k in found | wanted if found.get(k) != wanted.get(k)}
    assert wrong == {}


@pytest.mark.parametrize(("prefix", "on"), [("", True), ("raw_", False)])
def test_every_stratum_is_that_of_the_plain_rules(counted, prefix, on):
    assert numbers(counted[0], prefix) == hazards.expected(BOOK.cases, BOOK, on=on)


def test_ledgers_close_on_the_alleles_left_out_by_hand(counted, tmp_path):
    table, ledgers = counted
    for i, ledger in enumerate(ledgers):
        ledger.write(tmp_path / f"{i}.json")
    whole = total(sorted(tmp_path.glob("*.json")), "hazards")
    inside = [c for c in BOOK.cases if c.contig in BUILD.contigs]
    dropped = sum((Counter(c.dropped) for c in inside), Counter())
    assert whole.dropped["site_alleles"]["non_acgt_after_aligning"] == dropped.pop("after_aligning")
    assert whole.dropped["alts"] == dropped
    records = [r for c in inside for r in c.lines]
    assert whole.taken["records"] == len(records)
    assert whole.dropped["records"] == {"no_alt": 1, "no_site_allele": sum(not c.adj for c in inside) - 3}
    assert whole.taken["alts"] == sum(len(r.alt.split(",")) for r in records if r.alt != ".")
    assert table.num_rows == sum(len(c.adj) for c in inside)


def test_filters_of_merged_records(counted):
    filters = {(r["contig"], r["pos"], r["alt"]): r["filters"] for r in counted[0].to_pylist()}
    marked = {c.name for c in BOOK.cases for pos, _, alt in c.adj if filters[c.contig, pos, alt] == ["LowQ"]}
    assert marked == {"FILTERED_RECORD", "FILTERS_UNITE"}


def test_ft_is_looked_at_on_request(tmp_path):
    [case] = [c for c in BOOK.cases if c.name == "FT_NOT_ASKED"]
    hazards.write_fasta(tmp_path / "ref.fa", BOOK)
    (tmp_path / "in.vcf").write_text(hazards.vcf_text([case]))
    table, _ = count_vcf(tmp_path / "in.vcf", tmp_path / "ref.fa", BUILD, SHEET, 10_000, tmp_path, respect_ft=True)
    [by] = numbers(table).values()
    assert by["Total"] == hazards.numbers("3/16=2+1+0")


def test_the_file_is_the_same_every_time():
    again = hazards.book()
    assert (again.bases, hazards.vcf_text(again.cases)) == (BOOK.bases, hazards.vcf_text(BOOK.cases))


def test_every_hazard_of_an_input_is_there():
    """What the generator must not lose: the shapes of records that have cost others their numbers."""
    records = [r for c in BOOK.cases for r in c.lines]
    columns = [hazards.column(c, r, s) for c in BOOK.cases for r in c.lines for s in hazards.SAMPLES]
    genotypes = {column.split(":")[0] for column in columns}
    assert {"1/2", "./1", "1/.", "0|1", "1", "0", ".", "./.", "0/0/1", "0/0/0/1"} <= genotypes
    assert max(len(r.alt.split(",")) for r in records) > 63
    assert {alt for r in records for alt in r.alt.split(",")} >= {"*", "<DEL>", "<*>", "<NON_REF>", "C."}
    assert {c.contig for c in BOOK.cases} == set(hazards.LENGTHS)
    for contig, start, end in hazards.PAR:
        edges = {start - 1, start, end, end + 1} if contig == "chrX" else set()
        assert edges <= {r.pos for c in BOOK.cases if c.contig == contig for r in c.lines}


def test_the_matrix_in_docs_has_every_case_and_ours_is_right(repo):
    page = (repo / "docs" / "conformance.md").read_text()
    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}
    assert list(rows) == [c.name for c in BOOK.cases]
    assert all(" | right | " in row for row in rows.values())
