"""Lines of Beacon genomicVariations, and populations.json."""

import gzip
import hashlib
import json
import subprocess
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import yaml
from goe.check import beacon as beacon_check
from goe.check import readback
from goe.core.errors import GoeError
from goe.genome.fasta import Reference
from goe.release.formats import beacon, sites_vcf
from helpers import blocks as some
from jsonschema import Draft202012Validator

DATASET = "GOE-EE-EXAMPLE-20260101000000000"


@pytest.fixture
def fields(repo):
    return sites_vcf.read_fields(repo / "resources/dictionary/fields.tsv")


@pytest.fixture
def made(tmp_path):
    """A file of two blocks of one contig: path, blocks, bases, FASTA."""
    text = some.sequence(900)
    fasta = some.write_fasta(tmp_path / "r.fa", {"chr1": text})
    one, two = some.random_block("chr1", text[:400], seed=1), some.random_block("chr1", text, seed=2)
    later = np.array(two.pos.to_pylist()) > 400
    two = replace(
        two,
        **{name: getattr(two, name).filter(pa.array(later)) for name in ("pos", "ref", "alt", "filter")},
        numbers=type(two.numbers)(**{k: v[:, later] for k, v in vars(two.numbers).items()}),
        statistics={k: v[later] for k, v in two.statistics.items()},
        mask=two.mask[:, later],
    )
    path = tmp_path / "chr1.jsonl.gz"
    write(path, [one, two], fasta)
    return path, [one, two], text, fasta


def write(path, blocks, fasta, build="custom"):
    with beacon.Writer(path, DATASET, build, blocks[0].contig, fasta) as writer:
        for block in blocks:
            writer.write(block)


def read(path):
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]


def test_a_range_inside_a_deletion_finds_it_and_a_second_import_doubles_nothing(made):
    """The API asks for a length of the range or more, a start before and an end behind it (beacon2-pi-api)."""
    found = read(made[0])
    assert len({line["_id"] for line in found}) == len(found)
    assert all(line["_id"] == hashlib.sha256(line["variantInternalId"].encode()).hexdigest() for line in found)
    longest = max(found, key=lambda line: len(line["variation"]["referenceBases"]))
    interval = longest["variation"]["location"]["interval"]
    start, end = interval["start"]["value"] + 1, interval["end"]["value"] - 1
    assert end > start
    over = [
        line
        for line in found
        for place in [line["variation"]["location"]["interval"]]
        if line["length"] >= end - start and place["start"]["value"] < start and place["end"]["value"] > end
    ]
    assert longest in over


def test_every_line_is_valid_against_the_beacon_schema(made):
    path, *_ = made
    validator = Draft202012Validator(json.loads(beacon_check.SCHEMA.read_text()))
    found = read(path)
    assert len(found) > 50
    assert {line["variation"]["variantType"] for line in found} == {"SNP", "INS", "DEL"}
    for line in found:
        assert list(validator.iter_errors(line)) == []
    assert beacon_check.validate(path, every=1) == []


def test_schema_is_the_one_of_beacon(shared, repo):
    source = shared / "formats/beacon-v2/genomicVariations.defaultSchema.deref.json"
    assert source.read_bytes() == beacon_check.SCHEMA.read_bytes()


def test_a_line_says_what_the_block_says(made):
    path, blocks, text, fasta = made
    found = iter(read(path))
    sequence_id = "ga4gh:" + Reference(fasta).refget("chr1")
    for block in blocks:
        af = block.numbers.af()
        for i in range(len(block)):
            cells = [s for s in range(len(block.strata)) if block.mask[s, i] and block.numbers.an[s, i] > 0]
            if block.filter[i].as_py() != "PASS" or not cells:
                continue
            line = next(found)
            pos, ref, alt = (getattr(block, name)[i].as_py() for name in ("pos", "ref", "alt"))
            assert line["variantInternalId"] == f"{DATASET}:chr1:{pos}:{ref}:{alt}"
            assert line["datasetId"] == DATASET and "identifiers" not in line
            location = line["variation"]["location"]
            assert location["sequence_id"] == sequence_id and location["type"] == "SequenceLocation"
            start, end = (location["interval"][side]["value"] for side in ("start", "end"))
            assert text[start:end] == ref == line["variation"]["referenceBases"]
            assert line["variation"]["alternateBases"] == alt
            (source,) = line["frequencyInPopulations"]
            assert source["source"] == "The Genome of Europe"
            assert source["sourceReference"] == "https://genomeofeurope.eu/"
            assert source["frequencies"] == [
                {
                    "population": block.strata[s],
                    "alleleFrequency": af[s, i],
                    "alleleCount": block.numbers.ac[s, i],
                    "alleleNumber": block.numbers.an[s, i],
                    "alleleCountHomozygous": block.numbers.ac_hom[s, i],
                    "alleleCountHeterozygous": block.numbers.ac_het[s, i],
                    "alleleCountHemizygous": block.numbers.ac_hemi[s, i],
                }
                for s in cells
            ]
    assert next(found, None) is None


def test_an_allele_nobody_was_called_at_has_no_line_and_moves_no_other(tmp_path, made):
    """In an open release a passing allele may have AN 0 everywhere, so not one population."""
    *_, text, fasta = made
    people = np.zeros((len(some.LEAVES), 5, 3), dtype=np.int32)
    people[:, 0, [0, 2]], people[:, 2, [0, 2]] = 10, [3, 4]
    alleles = [(i, text[i - 1], "A" if text[i - 1] != "A" else "C") for i in (5, 6, 7)]
    path = tmp_path / "some.gz"
    write(path, [some.block("chr1", alleles, people)], fasta)
    found = [(line["variantInternalId"].split(":")[2], line["frequencyInPopulations"]) for line in read(path)]
    assert [pos for pos, _ in found] == ["5", "7"]
    assert [source["frequencies"][0]["alleleCount"] for _, (source,) in found] == [15, 20]


def test_pieces_do_not_change_a_byte(made, monkeypatch, tmp_path):
    path, blocks, _, fasta = made
    monkeypatch.setattr(beacon, "_CELLS", 40)
    write(tmp_path / "b.gz", blocks, fasta)
    assert (tmp_path / "b.gz").read_bytes() == path.read_bytes()


def test_cells_that_are_not_public_change_no_byte(made, tmp_path):
    path, blocks, _, fasta = made
    assert not all(block.mask.all() for block in blocks)
    write(tmp_path / "b.gz", [some.with_other_hidden_numbers(block) for block in blocks], fasta)
    assert (tmp_path / "b.gz").read_bytes() == path.read_bytes()


def test_an_allele_without_a_public_frequency_has_no_line(tmp_path):
    fasta = some.write_fasta(tmp_path / "r.fa", {"chr1": "ACGTACGT"})
    people = np.zeros((len(some.LEAVES), 5, 2), dtype=np.int32)
    people[0, :, 1] = (10, 0, 1, 0, 0)
    mask = np.ones((9, 2), dtype=bool)
    mask[:, 1] = [s == "LV_M" for s in some.block("chr1", [(1, "A", "C")], people[:, :, :1]).strata]
    block = some.block("chr1", [(1, "A", "C"), (2, "C", "G")], people, mask=mask)
    write(tmp_path / "x.gz", [block], fasta)
    # The first has no called allele in any stratum, the second none in the only public one.
    assert read(tmp_path / "x.gz") == []
    assert list(beacon_check.numbers(tmp_path / "x.gz")) == []
    assert beacon_check.check(tmp_path / "x.gz", [block]) == []


def grown(tmp_path, contig, length, text):
    """A FASTA of a contig of a real length, with `text` in front."""
    return some.write_fasta(tmp_path / "real.fa", {contig: text + "N" * (length - len(text))})


@pytest.mark.parametrize(
    ("build", "contig", "length", "accession", "scale"),
    [
        ("GRCh38", "chr21", 46_709_983, "NC_000021.9", "g"),
        ("GRCh37", "MT", 16_569, "NC_012920.1", "m"),
        ("GRCh37", "chrM", 16_571, "NC_001807.4", "m"),
    ],
)
def test_alleles_of_known_builds_have_hgvs_names(tmp_path, build, contig, length, accession, scale):
    fasta = grown(tmp_path, contig, length, "GATTACACACAG")
    people = np.zeros((len(some.LEAVES), 5, 4), dtype=np.int32)
    people[0] = np.array([10, 0, 3, 1, 0])[:, None]
    alleles = [(2, "A", "C"), (2, "AT", "A"), (5, "A", "ACA"), (6, "CA", "TTT")]
    write(tmp_path / "x.gz", [some.block(contig, alleles, people)], fasta, build)
    found = read(tmp_path / "x.gz")
    names = [line["identifiers"]["genomicHGVSId"] for line in found]
    assert names == [f"{accession}:{scale}.{x}" for x in ("2A>C", "4del", "10_11dup", "6_7delinsTTT")]
    assert {line["variation"]["location"]["sequence_id"] for line in found} == {f"refseq:{accession}"}
    assert [line["variation"]["variantType"] for line in found] == ["SNP", "DEL", "INS", "DELINS"]
    assert beacon_check.validate(tmp_path / "x.gz", every=1) == []


def test_another_reference_stops(tmp_path):
    fasta = some.write_fasta(tmp_path / "r.fa", {"chr1": "ACGTACGT"})
    people = np.zeros((len(some.LEAVES), 5, 1), dtype=np.int32)
    people[0, :, 0] = (10, 0, 1, 0, 0)
    with pytest.raises(GoeError, match="chr1:2:TT:T: REF is not in"):
        write(tmp_path / "x.gz", [some.block("chr1", [(2, "TT", "T")], people)], fasta)


def test_numbers_read_back_are_those_of_the_blocks(made):
    path, blocks, *_ = made
    assert beacon_check.check(path, blocks) == []
    table = pa.concat_tables(beacon_check.numbers(path))
    assert table.schema == readback.COLUMNS
    first = table.slice(0, 1).to_pylist()[0]
    line = read(path)[0]
    frequency = line["frequencyInPopulations"][0]["frequencies"][0]
    assert first["stratum"] == frequency["population"] and first["af"] == frequency["alleleFrequency"]
    assert first["nhomalt"] is None and first["an"] == frequency["alleleNumber"]


def changed(path, old, new, count=1):
    text = gzip.decompress(path.read_bytes()).decode()
    assert old in text
    path.write_bytes(gzip.compress(text.replace(old, new, count).encode()))


def test_check_names_what_was_changed(made):
    path, blocks, *_ = made
    line = read(path)[3]
    frequency = line["frequencyInPopulations"][0]["frequencies"][1]
    place = line["variantInternalId"].removeprefix(f"{DATASET}:")
    text = gzip.decompress(path.read_bytes()).decode().splitlines()
    old = json.dumps(frequency, separators=(",", ":"))
    assert old in text[3]
    text[3] = text[3].replace(old, old.replace(f'"alleleCount":{frequency["alleleCount"]}', '"alleleCount":9999'))
    path.write_bytes(gzip.compress("".join(x + "\n" for x in text).encode()))
    (problem,) = beacon_check.check(path, blocks)
    assert problem.what == f"{place} {frequency['population']}: ac is 9999, expected {frequency['alleleCount']}"


def test_check_names_lines_that_are_missing_or_too_many(made):
    path, blocks, *_ = made
    text = gzip.decompress(path.read_bytes()).decode().splitlines(keepends=True)
    path.write_bytes(gzip.compress("".join(text[:-1]).encode()))
    (problem,) = beacon_check.check(path, blocks)
    assert "is missing" in problem.what
    path.write_bytes(gzip.compress("".join([*text, text[-1]]).encode()))
    (problem,) = beacon_check.check(path, blocks)
    assert "is not expected here" in problem.what
    path.write_bytes(gzip.compress("".join([text[1], text[0], *text[2:]]).encode()))
    (problem,) = beacon_check.check(path, blocks)
    assert "stands where" in problem.what


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"variantType":"SNP"', '"variantType":"SNP","caseLevelData":[]', "line 1: variation.caseLevelData is no key"),
        ('"type":"SequenceInterval"', '"type":"SimpleInterval"', "interval.type"),
        (':"The Genome of Europe"', ':"Elsewhere"', "source is not"),
        ('"referenceBases":"', '"referenceBases":"T', "referenceBases are not"),
        ('"alleleNumber":', '"alleleNumber":null,"x":', "alleleNumber is None"),
        ('"alleleCount":', '"alleleCount":"a', "line 1: is no JSON"),
        ('"alleleCount":', '"alleleCount":0.5,"alleleCount":', "alleleCount. was specified twice"),
        (DATASET + '","length', DATASET + 'X","length', "datasetId"),
        ('"start":{"type":"Number","value":', '"start":{"type":"Number","value":1', "not at the position"),
    ],
)
def test_lines_that_contradict_themselves_are_refused(made, old, new, words):
    path, *_ = made
    changed(path, old, new)
    with pytest.raises(GoeError, match=words):
        list(beacon_check.numbers(path))


def test_a_cut_file_is_refused(made):
    path, *_ = made
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(GoeError, match=r"chr1\.jsonl\.gz: cannot be read"):
        list(beacon_check.numbers(path))


def test_validate_names_the_line_and_the_place(made):
    path, *_ = made
    changed(path, '"interval":{"type":"SequenceInterval",', '"interval":{')
    problems = beacon_check.validate(path, every=1)
    assert problems and all("line 1" in p.where for p in problems)
    assert any("variation" in p.what for p in problems)
    path.write_bytes(gzip.compress(b"{\n"))
    assert "is no JSON" in beacon_check.validate(path)[0].what


def test_populations_name_tags_of_the_header_only(fields, tmp_path):
    info = sites_vcf.tags(fields, ["Total", "M", "EE_M"])
    beacon.write_populations(tmp_path / "populations.json", info)
    content = json.loads((tmp_path / "populations.json").read_text())
    # pydantic, extra='forbid' (EGA-archive/beacon2-ri-tools-v2, validators/templates/populations.py)
    assert list(content) == ["source", "sourceReference", "populations"]
    assert content["populations"][2] == {
        "population": "EE_M",
        "alleleFrequency": "AF_EE_M",
        "alleleCount": "AC_EE_M",
        "alleleNumber": "AN_EE_M",
        "alleleCountHomozygous": "AC_EE_M_Hom",
        "alleleCountHeterozygous": "AC_EE_M_Het",
        "alleleCountHemizygous": "AC_EE_M_Hemi",
    }
    assert [p["population"] for p in content["populations"]] == ["Total", "M", "EE_M"]
    assert beacon_check.check_populations(tmp_path / "populations.json", [tag.id for tag in info]) == []
    fewer = [tag for tag in info if tag.key != "ac_hemi"]
    assert "alleleCountHemizygous" not in beacon.populations(fewer)["populations"][0]
    with pytest.raises(GoeError, match="no tag of an for EE_M"):
        beacon.populations([tag for tag in info if tag.id != "AN_EE_M"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.update(numberOfPopulations=3), "exactly the keys"),
        (lambda c: c["populations"][0].update(numberOfPopulations=3), "does not know the key 'numberOfPopulations'"),
        (lambda c: c["populations"][1].update(alleleCount="AC_X"), "'AC_X', which the VCF does not have"),
        (lambda c: c["populations"][1].update(alleleCountHemizygous=""), "'', which the VCF does not have"),
        (lambda c: c["populations"][1].update(alleleCount=["AC"]), "['AC'], which the VCF does not have"),
        (lambda c: c["populations"][1].pop("alleleNumber"), "alleleNumber is missing"),
        (lambda c: c["populations"][1].update(population="Total"), "Total is there twice"),
        (lambda c: c.update(source="x"), "source is 'x'"),
        (lambda c: c.update(populations={}), "no list"),
    ],
)
def test_check_of_populations_finds(fields, tmp_path, change, words):
    info = sites_vcf.tags(fields, ["Total", "M", "EE_M"])
    content = beacon.populations(info)
    change(content)
    (tmp_path / "p.json").write_text(json.dumps(content))
    problems = beacon_check.check_populations(tmp_path / "p.json", [tag.id for tag in info])
    assert len(problems) == 1 and words in str(problems[0])


def test_a_file_is_bgzf(made):
    path, *_ = made
    run = subprocess.run(["bgzip", "-t", str(path)], capture_output=True, text=True)
    assert run.returncode == 0 and run.stderr == ""


def test_no_alleles_give_a_whole_empty_file(tmp_path):
    fasta = some.write_fasta(tmp_path / "r.fa", {"chr1": "ACGT"})
    with beacon.Writer(tmp_path / "x.gz", DATASET, "custom", "chr1", fasta):
        pass
    assert (tmp_path / "x.gz").read_bytes() == sites_vcf.EOF
    assert list(beacon_check.numbers(tmp_path / "x.gz")) == [] and beacon_check.validate(tmp_path / "x.gz") == []


def test_dictionary_has_every_key_of_a_line(made):
    path, *_ = made

    def keys(value, place=""):
        if isinstance(value, dict):
            for key, item in value.items():
                yield from keys(item, f"{place}.{key}" if place else key)
        elif isinstance(value, list):
            for item in value:
                yield from keys(item, place)
        else:
            yield place

    rows = beacon.dictionary()
    assert rows[0][0] != "file" and all(len(row) == 8 for row in rows)
    known = {row[1] for row in rows if row[0] == "beacon JSON Lines"}
    written = {key for line in read(path) for key in keys(line) if not key.endswith(".type")}
    assert written | {"identifiers.genomicHGVSId"} == known


# Keys of a dataset of the Beacon v2 default model; beacon2-pi-api (validator/collections/dataset) forbids others.
DATASET_KEYS = {
    *("id", "name", "description", "createDateTime", "updateDateTime", "version", "externalUrl", "dataUseConditions"),
    "info",
}


def test_the_dataset_has_the_records_that_a_beacon_asks(released):
    (record,) = json.loads((released / beacon.DATASETS).read_text())
    assert {"id", "name"} <= record.keys() <= DATASET_KEYS
    said = json.loads((released / "metadata/dataset.json").read_text())
    assert record["id"] == said["id"] and record["createDateTime"] == "2026-03-01"
    assert record["info"]["numberOfUniqueIndividuals"] == said["number_of_people"]
    # Appended to those that are there.
    for path, there in (
        (beacon.CONF, "test:\n  isSynthetic: true\n  isTest: true\n"),
        (beacon.PERMISSIONS, "test:\n  public:\n    default_entry_types_granularity: record\n"),
    ):
        found = yaml.safe_load(there + (released / path).read_text())
        assert list(found) == ["test", said["id"]]
    assert yaml.safe_load((released / beacon.CONF).read_text())[said["id"]] == {"isSynthetic": True, "isTest": False}
    ((level, granted),) = found[said["id"]].items()
    # beacon/permissions/utils.py goes over the exceptions, so there has to be a list.
    assert (level, granted["default_entry_types_granularity"]) == ("public", "record")
    assert granted["entry_types_exceptions"] == []
