"""The sheets of people and inputs: ids are text, rows are those of the file, every problem at once."""

import re
from dataclasses import replace

import pytest
from goe.core.errors import GoeError
from goe.rules import dataset
from goe.settings import schemas, sheets
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

VALIDATORS = {name: Draft202012Validator(schemas.schema(name)) for name in ("samples", "inputs")}


def people(tmp_path, text: str, **options):
    path = tmp_path / "samples.tsv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return sheets.read_people(path, **options)


def inputs(tmp_path, *rows: str, header="sample_id\tinput_type\tpath\tpath2\tlibrary\tunit"):
    path = tmp_path / "inputs.tsv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return sheets.read_inputs(path)


def told(call, *arguments, **options) -> str:
    with pytest.raises(GoeError) as caught:
        call(*arguments, **options)
    return "\n".join(str(p) for p in caught.value.problems)


HEAD = "sample_id\tsex\tcountry_code\n"


def test_ids_are_text_in_the_order_of_the_sheet(tmp_path):
    found = people(tmp_path, HEAD + "NA\tF\tEE\n007\tM\tEE\n1\tU\tFI\n1e5\tF\tNA\n")
    assert list(found) == ["NA", "007", "1", "1e5"]
    assert found["007"] == sheets.Person("007", "M", "EE", False, 3, {})
    assert found["1e5"].country == "NA"


def test_what_spreadsheets_add_does_no_harm(tmp_path):
    text = b"\xef\xbb\xbfsample_id\tsex\tcountry_code\t\t\r\n\r\nA\tF\tEE\t\t\r\n B \tM\tFI\r\n\t\t\r\nC\tZ\tFI\r\n"
    message = told(people, tmp_path, text)
    assert "samples.tsv row 6, sample C: sex code 'Z'" in message
    found = people(tmp_path, text.replace(b"\tZ\t", b"\tU\t"))
    assert {n: (p.sex, p.row) for n, p in found.items()} == {"A": ("F", 3), "B": ("M", 4), "C": ("U", 6)}


@pytest.mark.parametrize(("male", "female"), [("M", "F"), ("XY", "XX"), ("male", "female"), ("1", "2")], ids=str)
def test_sex_codings(tmp_path, male, female):
    found = people(tmp_path, HEAD + f"a\t{male}\tEE\nb\t{female}\tEE\nc\tXXY\tEE\nd\tunknown\tEE\n")
    assert [p.sex for p in found.values()] == ["M", "F", "U", "U"]


def test_two_codings_are_an_error(tmp_path):
    message = told(people, tmp_path, HEAD + "a\tM\tEE\nb\tXX\tEE\nc\t2\tEE\n")
    assert "two codings of sex in one sheet: M (row 2); XX (row 3); 2 (row 4)" in message


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("a\t\tEE", "row 2, sample a: no sex -> write U where it is not known"),
        ("a\tf\tEE", "sex code 'f' -> write F"),
        ("a\t0\tEE", "sex code '0' -> use M F"),
        ("a\tM\tUK", "'UK' is not a country code of ISO 3166-1 alpha-2 -> write GB"),
        ("a\tM\tEL", "write GR"),
        ("a\tM\tee", "'ee' is not a country code of ISO 3166-1 alpha-2 -> write EE"),
        ("a\tM\tXX", "'XX' is not a country code"),
        ("a\tM\tXY", "'XY' is not a country code"),
        ("a\tM\t", "no country code"),
        ("\tM\tEE", "row 2: no sample_id"),
        ("a b\tM\tEE", "'a b' has characters that are not allowed"),
        ("../a\tM\tEE", "has characters that are not allowed"),
        ("a\tM\tEE\tx", "4 cells, the header has 3"),
        (f"{'ab' * 122}z\tM\tEE", "sample_id has 245 characters -> use ids of at most 100"),
        (f"a{'b' * 20}\tM\tEE", "sample_id ends in 'b' twenty times"),
        (f"a{'b-c' * 20}\tM\tEE", "sample_id ends in 'b-c' twenty times"),
    ],
)
def test_rows_that_are_wrong(tmp_path, row, says):
    assert says in told(people, tmp_path, HEAD + row + "\n")


def test_every_problem_of_a_sheet_is_told(tmp_path):
    message = told(people, tmp_path, HEAD + "a\tQ\tEE\nb\tM\tZZ\na\tM\tEE\nA\tM\tEE\n")
    assert len(message.splitlines()) == 4
    assert "row 4, sample a: a is already on row 2" in message
    assert "differs from a only in the case of letters" in message


def test_columns(tmp_path):
    message = told(people, tmp_path, "sample_id\tgender\tcountry_code\tbirth_yaer\na\tM\tEE\t1980\n")
    assert "no column sex" in message and "did you mean birth_year?" in message
    assert "columns are not separated by tabs" in told(people, tmp_path, "sample_id,sex,country_code\na,M,EE\n")
    assert "column sex twice" in told(people, tmp_path, "sample_id\tsex\tsex\tcountry_code\na\tM\tM\tEE\n")
    text = "sample_id\tsex\tcountry_code\tbatch\tsite\na\tM\tEE\tb1\tnorth\n"
    assert "unknown column 'site'" in told(people, tmp_path, text)
    assert people(tmp_path, text, columns=["site"])["a"].extra == {"batch": "b1", "site": "north"}


def test_another_label_column(tmp_path):
    text = "sample_id\tsex\tcountry_code\tregion\na\tM\tEE\tQA\nb\tF\tEE\tnorth\n"
    assert "region 'north'" in told(people, tmp_path, text, label_column="region")
    for karyotype in ("XX", "XY"):  # these stopped the run after all the work, when the release was written
        said = told(people, tmp_path, text.replace("north", karyotype), label_column="region")
        assert f"region '{karyotype}' is a sex karyotype" in said and "neither XX nor XY" in said
    found = people(tmp_path, text.replace("north", "QB"), label_column="region")
    assert [p.country for p in found.values()] == ["QA", "QB"]
    assert found["a"].extra == {"country_code": "EE"}
    assert "strata.label" in told(people, tmp_path, HEAD + "a\tM\tEE\n", label_column="region")


def test_withdrawn(tmp_path):
    text = "sample_id\tsex\tcountry_code\twithdrawn\na\tM\tEE\tyes\nb\tM\tEE\tno\nc\tM\tEE\t\n"
    assert [p.withdrawn for p in people(tmp_path, text).values()] == [True, False, False]
    assert "withdrawn '1'" in told(people, tmp_path, text.replace("yes", "1"))


def test_sheets_that_cannot_be_read(tmp_path):
    assert "no such file" in told(sheets.read_people, tmp_path / "none.tsv")
    assert "is a folder" in told(sheets.read_people, tmp_path)
    assert "is empty" in told(people, tmp_path, "\n\n")
    assert "UTF-8" in told(people, tmp_path, b"sample_id\tsex\xff\n")
    assert "a header and no person" in told(people, tmp_path, HEAD)


def test_inputs(tmp_path):
    found = inputs(
        tmp_path,
        "007\tfastq\td/a_1.fq.gz\td/a_2.fq.gz\tl1\tL1",
        "007\tfastq\td/b_1.fq.gz\td/b_2.fq.gz\tl1\tL2",
        "",
        "\tjoint_vcf\tcohort.vcf.gz",
        "A\tcram\t/data/A.cram",
    )
    assert [i.row for i in found] == [2, 3, 5, 6]
    assert found[0] == sheets.Input("007", "fastq", "d/a_1.fq.gz", "d/a_2.fq.gz", "l1", "L1", 2)
    grouped = sheets.by_person(found)
    assert list(grouped) == ["007", "A"] and [i.unit for i in grouped["007"]] == ["L1", "L2"]


def test_input_columns_after_path_are_optional(tmp_path):
    assert inputs(tmp_path, "A\tbam\tA.bam", header="sample_id\tinput_type\tpath")[0].path2 == ""


def test_reads_without_a_unit_are_numbered(tmp_path):
    rows = ["A\tubam\ta.bam", "A\tubam\tb.bam\t\t\t1", "A\tubam\tc.bam", "B\tfastq\td1\td2", "C\tbam\te.bam"]
    assert [i.unit for i in inputs(tmp_path, *rows)] == ["2", "1", "3", "1", ""]


def test_relative_paths_start_from_the_base(tmp_path):
    path = tmp_path / "inputs.tsv"
    path.write_text("sample_id\tinput_type\tpath\nA\tbam\tA.bam\nB\tbam\t/b.bam\n")
    assert [i.path for i in sheets.read_inputs(path, "/data")] == ["/data/A.bam", "/b.bam"]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("A\tbamm\tA.bam", "input_type 'bamm' -> did you mean bam?"),
        ("A\t\tA.bam", "no input_type"),
        ("A\tfastq\ta.fq", "fastq without path2"),
        ("A\tfastq\ta.fq\ta.fq", "path and path2 are the same file a.fq"),
        ("A\tbam\ta.bam\tb.bam", "path2 given, and bam has one file"),
        ("A\tbam\t", "no path"),
        ("\tbam\ta.bam", "no sample_id"),
        ("A\tjoint_vcf\ta.vcf.gz", "a joint_vcf has no sample_id"),
        ("A\tcoverage\ta.cram.c4gh", "a.cram.c4gh is encrypted, and mosdepth reads the depth of reads here and there"),
        ("A\tcram\ts3://bucket/a.cram", "is not a local path"),
        ("A\tfastq\ta\tb\t\tL/1", "unit 'L/1'"),
    ],
)
def test_input_rows_that_are_wrong(tmp_path, row, says):
    message = told(inputs, tmp_path, row)
    assert says in message and "inputs.tsv row 2" in message


def test_ids_just_within_the_limits(tmp_path):
    ids = [f"{'abcdefghij' * 10}", f"a{'b' * 19}", f"{'b' * 30}c"]
    assert list(people(tmp_path, HEAD + "".join(f"{name}\tM\tEE\n" for name in ids))) == ids


def test_two_libraries_may_have_a_unit_of_one_name(tmp_path):
    rows = ["A\tfastq\ta1\ta2\tlib1\tL001", "A\tfastq\tb1\tb2\tlib2\tL001"]
    assert [(i.library, i.unit) for i in inputs(tmp_path, *rows)] == [("lib1", "L001"), ("lib2", "L001")]
    message = told(inputs, tmp_path, *rows, "A\tfastq\tc1\tc2\tlib2\tL001")
    assert "row 4, sample A: unit L001 of library lib2 is already on row 3 -> give each lane of a library" in message


@pytest.mark.parametrize("row", ["A\tfastq\ta{x}1\ta2", "A\tfastq\ta1\ta}2", "A\tbam\t/x/{}/b.bam"])
def test_braces_in_a_path(tmp_path, row):
    assert "has braces, which Snakemake would read as a wildcard -> rename the file" in told(inputs, tmp_path, row)


def test_rows_and_units_twice(tmp_path):
    message = told(
        inputs,
        tmp_path,
        "A\tfastq\ta1\ta2\t\tL1",
        "A\tfastq\tb1\tb2\t\tL1",
        "B\tbam\tb.bam",
        "B\tbam\tb.bam",
    )
    assert "row 3, sample A: unit L1 is already on row 2" in message
    assert "row 5, sample B: same as row 4" in message


def test_the_templates_are_valid_and_follow_their_schemas(repo):
    sheets.read_people(repo / "config/samples.tsv")
    sheets.read_inputs(repo / "config/inputs.tsv")
    for name in ("samples", "inputs"):
        header, *rows = (repo / f"config/{name}.tsv").read_text().splitlines()
        for row in rows:
            cells = dict(zip(header.split("\t"), row.split("\t"), strict=True))
            VALIDATORS[name].validate(cells)


def test_code_and_schemas_know_the_same_words():
    """Of kinds of input every stage knows something; a word of sex without a coding is nobody's."""
    assert schemas.INPUTS.words["input_type"] == (*dataset.INPUT_TYPES, dataset.COVERAGE)
    assert set(schemas.PEOPLE.words["sex"]) == {*sheets._SEX, *sheets._UNKNOWN_SEX} and "XXY" in sheets._UNKNOWN_SEX


def refused(read, path, row: dict[str, str]) -> str:
    """What the reader says of a sheet with one row; empty when it takes it."""
    path.write_text("\t".join(row) + "\n" + "\t".join(row.values()) + "\n")
    try:
        read(path)
    except GoeError as error:
        return str(error)
    return ""


IDS = st.sampled_from(["A", "7", "a.b-c_D", "_a", "a b", "é", "x/y", ""])


@given(
    row=st.fixed_dictionaries(
        {
            "sample_id": IDS.filter(bool),
            "sex": st.sampled_from(["M", "XX", "1", "U", "XXXXY", "m", "F ", "none", "0", ""]).map(str.strip),
            "country_code": st.sampled_from(["EE", "FI", "ee", "EST", "", "XX", "ZZ"]),
            "birth_year": st.sampled_from(["", "1980", "2001", "1799", "80", "198O", "19801"]),
            "withdrawn": st.sampled_from(["", "yes", "no", "Yes", "1"]),
        }
    )
)
def test_people_that_their_schema_refuses_are_refused_and_no_others_but_for_countries(tmp_path_factory, row):
    said = refused(sheets.read_people, tmp_path_factory.getbasetemp() / "people.tsv", row)
    if VALIDATORS["samples"].is_valid(row):
        assert bool(said) == (row["country_code"] not in dataset.COUNTRIES), said
    else:
        assert said


@given(
    row=st.fixed_dictionaries(
        {
            "sample_id": IDS,
            "input_type": st.sampled_from([*dataset.INPUT_TYPES, dataset.COVERAGE, "bamm", ""]),
            "path": st.sampled_from(["a.bam", "/d/a 1.fq", "s3://b/a", ""]),
            "path2": st.sampled_from(["", "b.fq"]),
            "library": st.sampled_from(["", "lib 1", "lib\u00e9"]),
            "unit": st.sampled_from(["", "L1", "L/1", "1"]),
        }
    ).filter(lambda row: any(row.values()))
)
def test_inputs_that_their_schema_refuses_are_refused_and_no_others_but_for_addresses(tmp_path_factory, row):
    said = refused(sheets.read_inputs, tmp_path_factory.getbasetemp() / "inputs.tsv", row)
    if VALIDATORS["inputs"].is_valid(row):
        assert bool(said) == ("://" in row["path"]), said
    else:
        assert said


def test_words_and_forms_come_from_the_schema(tmp_path, monkeypatch):
    """A word more there is a word more here."""
    text = "sample_id\tsex\tcountry_code\tbirth_year\twithdrawn\na\tM\tEE\t1066\tperhaps\n"
    message = told(people, tmp_path, text)
    assert "birth_year '1066'" in message and "withdrawn 'perhaps'" in message
    words = schemas.PEOPLE.words | {"withdrawn": ("", "perhaps")}
    forms = schemas.PEOPLE.forms | {"birth_year": re.compile("^1[0-9]{3}$")}
    monkeypatch.setattr(sheets, "PEOPLE", replace(schemas.PEOPLE, words=words, forms=forms))
    assert list(people(tmp_path, text)) == ["a"]
